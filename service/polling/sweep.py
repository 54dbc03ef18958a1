"""A running sweep: what each batch writes, and what it comes to at the end."""

import contextlib
from collections import Counter
from datetime import datetime, timedelta

from collectors import base
from service.polling import accounts, ingest, plausible
from service.store import polls, sightings, student_devices
from service.store import pool as pools
from service.store import readings as reading_rows


class Sweep:
    """One claimed endpoint group, read once; and once more where the list moved under us."""

    def __init__(
        self,
        pool: pools.Pool,
        clock: accounts.Clock,
        account: accounts.Account,
        group: base.EndpointGroup,
        claim: polls.Claim,
        run_id: int,
        instant: datetime,
    ) -> None:
        self.outcome = "running"
        self.progress = polls.Progress()
        self.run_id = run_id
        self.instant = instant
        self.gap: timedelta | None = None  # how long nothing was read before this sweep, where too long
        self._pool = pool
        self._clock = clock
        self._account = account
        self._group = group
        self._claim = claim
        self._kept = 0  # rejections in a batch that are of a reading: its line was seen all the same
        self._dropped = 0  # rows that are none of the lines seen; other rejections are of an identifier
        self._rejected: Counter[str] = Counter()
        self._unmapped: Counter[str] = Counter()
        self._first_paths: dict[str, str] = {}
        self._was_taken_up = False
        self._is_second_pass = False
        self._partitioned_from = instant

    async def run(self, cursor: str | None) -> None:
        """Read to the end. Raises CollectorError, LeaseLost; what was committed before stays."""
        self._was_taken_up = cursor is not None
        async with self._pool.acquire() as connection:
            day = timedelta(days=1)
            on = self.instant.date()
            await reading_rows.ensure_partitions(connection, on - day, on + day)
        await self._pass(cursor)
        if self.outcome == "running":
            self._is_second_pass = True
            await self._pass(None)

    async def _pass(self, cursor: str | None) -> None:
        since = self._claim.watermark_at
        if since is not None:
            since = min(since, self.instant)  # this machine's clock was set back
        sweep = base.Sweep(self.instant, since, cursor)
        pages = self._account.collector.pages(self._group, sweep)
        async with contextlib.aclosing(pages):
            await ingest.run(pages, self._write)

    async def _write(self, batch: ingest.Batch) -> None:
        """Rows, progress and, with the last batch, the watermark: all in one transaction."""
        source, group = self._account.source, self._group
        batch.student_devices, implausible = plausible.within_days(batch.student_devices, self.instant)
        if not group.is_snapshot:
            batch.sightings, dated = plausible.within(batch.sightings, self.instant)
            implausible += dated
        batch.rejected += implausible
        self._kept = len(implausible)
        async with self._pool.acquire() as connection, connection.transaction():
            await polls.renew(connection, self._claim)
            await self._make_room(connection, batch)
            stored = await sightings.store(
                connection,
                source,
                batch.sightings,
                instant=self.instant,
                may_overlap=not group.is_snapshot,
                lists_lines=group.lists_lines,
            )
            stored.rows += await student_devices.store(
                connection, source, batch.student_devices, self.instant
            )
            stored.lines += len(batch.student_devices)  # told of with the sweep, as lines are
            await sightings.store_groups(connection, source, batch.groups)
            self._count(batch, stored)
            await polls.progress(connection, self._claim, self.run_id, self.progress)
            oldest, newest = self._reach(batch)
            if self._group.is_ordered and newest is not None:
                await polls.move_watermark(connection, self._claim, newest)
            if batch.is_last:
                await self._conclude(connection)
            await self._mark_days(connection, stored, oldest)

    def _reach(self, batch: ingest.Batch) -> tuple[datetime, datetime | None]:
        """The oldest and the newest instant that a batch tells of: those of a snapshot are the sweep's own."""
        if self._group.is_snapshot:
            return self.instant, self.instant
        told = list(plausible.instants(batch.sightings))
        return min(told, default=self.instant), max(told, default=None)

    async def _make_room(self, connection: pools.Connection, batch: ingest.Batch) -> None:
        """Partitions for what a batch tells of earlier months."""
        days = (day.on for device in batch.student_devices for day in device.active_days)
        oldest = min(
            *plausible.instants(batch.sightings),
            *plausible.session_starts(batch.sightings),
            *(datetime.combine(day, datetime.min.time(), self.instant.tzinfo) for day in days),
            *(seen.at for device in batch.student_devices for seen in device.whereabouts),
            self._partitioned_from,
            self.instant,
        )
        if oldest < self._partitioned_from:
            day = timedelta(days=1)
            await reading_rows.ensure_partitions(connection, oldest.date() - day, self.instant.date())
            self._partitioned_from = oldest

    def _count(self, batch: ingest.Batch, stored: sightings.Stored) -> None:
        at = self.progress
        at.cursor = batch.cursor
        at.pages += batch.pages
        at.lines += stored.lines
        at.rows_written += stored.rows
        if batch.total is not None:
            at.lines_promised = batch.total
        if not self._is_second_pass:  # the same rows are bad the second time
            self._count_rejections(batch, stored)
            self._dropped += len(batch.rejected) + stored.dropped - self._kept
        at.rows_rejected = self._rejected.total()

    def _count_rejections(self, batch: ingest.Batch, stored: sightings.Stored) -> None:
        for rejection in (*batch.rejected, *stored.rejected):
            self._rejected[rejection.reason] += 1
            self._first_paths.setdefault(rejection.reason, rejection.path)
        for status, count in batch.unmapped.items():
            # which field only: what stands in it may be anything
            reason = f"value not known: {status.partition(': ')[0] if ': ' in status else 'status'}"
            self._unmapped[reason] += count
            self._first_paths.setdefault(reason, reason.rpartition(" ")[2])

    async def _mark_days(
        self, connection: pools.Connection, stored: sightings.Stored, oldest: datetime
    ) -> None:
        """Last in the transaction: a rollup that takes marks off makes this wait."""
        source = self._account.source
        since = min(self._claim.watermark_at or self.instant, oldest)
        await polls.mark_dirty(connection, source, since, self.instant)
        await polls.mark_lines_dirty(connection, source, stored.away, self.instant)

    async def _conclude(self, connection: pools.Connection) -> None:
        missing = self._missing()
        if missing and not self._is_second_pass:
            return  # once more from the start, at the same instant
        self.outcome = "partial" if missing else "succeeded"
        now = self._clock()
        await self._record_gap(connection)
        await polls.move_watermark(connection, self._claim, self.instant)
        await polls.record_success(connection, self._claim, now)
        await polls.record_rejections(connection, self._claim, self.run_id, self._rejections())
        if not missing and self._group.lists_lines:
            await sightings.close_replaced(connection, self._account.source, self.instant)
        await polls.finish(connection, self._claim, self.run_id, outcome=self.outcome, now=now)

    def _rejections(self) -> list[tuple[str, str, int]]:
        counted = (*self._rejected.items(), *self._unmapped.items())
        return [(reason, self._first_paths[reason], count) for reason, count in counted]

    def _missing(self) -> int:
        """Lines that the vendor promised and nobody saw. A sweep that was taken up cannot tell."""
        at = self.progress
        if at.lines_promised is None or self._was_taken_up:
            return 0
        return max(0, at.lines_promised - at.lines - self._dropped)

    async def _record_gap(self, connection: pools.Connection) -> None:
        since = self._claim.watermark_at
        if since is not None and self.instant - since > 2 * self._claim.cadence:
            self.gap = self.instant - since
            await polls.record_gap(connection, self._claim, since, self.instant)
