"""Sweeps an endpoint group: claimed, fetched, stored, and told of."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from collectors import base
from collectors import errors as collector_errors
from service import errors
from service.metrics import Metrics
from service.polling import accounts
from service.polling.sweep import Sweep
from service.store import polls
from service.store import pool as pools

_FAREWELL_SECONDS = 5.0  # to record how a sweep ended, also while being stopped

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How a sweep went. ``outcome`` is a poll_outcome, or 'held' where another process reads the group."""

    outcome: str
    progress: polls.Progress = field(default_factory=polls.Progress)
    error: str | None = None
    instant: datetime | None = None

    @property
    def is_good(self) -> bool:
        return self.outcome in ("succeeded", "partial")


@dataclass(frozen=True)
class Runner:
    pool: pools.Pool
    clock: accounts.Clock
    metrics: Metrics

    async def sweep(self, account: accounts.Account, group: base.EndpointGroup) -> Result:
        """Sweep once. A vendor's fault is a result; raises DatabaseUnavailable, and cancellation."""
        began = time.perf_counter()
        with pools.translated():
            claim = await polls.claim(
                self.pool, account.source, group.name, now=self.clock(), cadence=group.cadence
            )
            if claim is None:
                return Result("held")
            try:
                async with self._kept(claim):
                    result = await self._claimed(account, group, claim)
            finally:
                await _farewell(polls.release(self.pool, claim))
        _tell(account, group, claim, result)
        self.metrics.sweep_finished(
            district=account.source.district_id,
            account=account.key,
            outcome=result.outcome,
            seconds=time.perf_counter() - began,
            rows=result.progress.rows_written,
            rejected=result.progress.rows_rejected,
        )
        return result

    @contextlib.asynccontextmanager
    async def _kept(self, claim: polls.Claim) -> AsyncIterator[None]:
        """Keep the lease while the vendor lets us wait for longer than it lasts."""
        keeping = asyncio.create_task(self._keep(claim))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _keep(self, claim: polls.Claim) -> None:
        while True:
            await asyncio.sleep(polls.LEASE.total_seconds() / 3)
            # One that is lost, or a database that is away, is found by the next batch, which tells of it.
            with contextlib.suppress(polls.LeaseLost, errors.DatabaseUnavailable), pools.translated():
                await polls.renew(self.pool, claim)

    async def _claimed(
        self, account: accounts.Account, group: base.EndpointGroup, claim: polls.Claim
    ) -> Result:
        now = self.clock()
        interrupted = await polls.take_up(self.pool, claim, now=now, oldest=now - claim.cadence / 2)
        instant, cursor = interrupted or (now, None)
        run_id = await polls.start(self.pool, claim, instant=instant, now=now)
        sweep = Sweep(self.pool, self.clock, account, group, claim, run_id, instant)
        try:
            await sweep.run(cursor)
        except polls.LeaseLost as error:
            await self._end(claim, sweep, "failed", str(error))  # the source is another's to judge now
            return Result("failed", sweep.progress, str(error), instant)
        except collector_errors.CollectorError as error:
            await self._failed(claim, sweep, str(error))
            return Result("failed", sweep.progress, str(error), instant)
        except asyncio.CancelledError:
            await _farewell(self._end(claim, sweep, "abandoned", "stopped"))
            raise
        except Exception as error:
            # A mistake of ours, or a database that went away: told as a failure where that can be written down.
            await _farewell(self._failed(claim, sweep, f"{type(error).__name__}, see the log"))
            raise
        if sweep.gap is not None:
            self.metrics.gap_recorded(
                district=account.source.district_id, account=account.key, seconds=sweep.gap.total_seconds()
            )
        return Result(sweep.outcome, sweep.progress, instant=instant)

    async def _failed(self, claim: polls.Claim, sweep: Sweep, error: str) -> None:
        await self._end(claim, sweep, "failed", error)
        await polls.record_failure(self.pool, claim, self.clock(), error)

    async def _end(self, claim: polls.Claim, sweep: Sweep, outcome: str, error: str) -> None:
        await polls.finish(self.pool, claim, sweep.run_id, outcome=outcome, now=self.clock(), error=error)


def _tell(account: accounts.Account, group: base.EndpointGroup, claim: polls.Claim, result: Result) -> None:
    """One line when a source begins to fail and one when it recovers; not one for each sweep."""
    where = f"{account.name}, {group.name}"
    if not result.is_good and not claim.is_failing:
        _log.warning("%s fails: %s", where, result.error, extra={"action": "source_failed"})
    if result.is_good and claim.is_failing:
        _log.info("%s recovered", where, extra={"action": "source_recovered"})
    if result.outcome == "partial":
        came, promised = result.progress.lines, result.progress.lines_promised
        _log.warning("%s: %s of %s lines came", where, came, promised, extra={"action": "sweep_partial"})


async def _farewell(step: Coroutine[Any, Any, None]) -> None:
    """Take a last step, also while being cancelled; where the database is away, the lease runs out instead."""
    task = asyncio.create_task(step)
    with contextlib.suppress(TimeoutError, errors.DatabaseUnavailable), pools.translated():
        await asyncio.wait_for(asyncio.shield(task), _FAREWELL_SECONDS)
