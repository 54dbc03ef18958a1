"""The service's own sweep of one account, in a process of its own; prints its cost as JSON."""

import asyncio
import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import service.commands.running  # noqa: F401 (what the service has loaded counts as its memory)
from collectors import budget, registry
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import accounts as account_rows
from service.store import pool as pools
from service.store import source as sources
from tests.performance.seed import DISTRICT, ZONE


async def main(url: str, dsn: str, page_size: int, sweeps: int) -> None:
    options = {"base_url": url, "corp_ids": ["5001"], "page_size": page_size, "requests_per_second": 100_000}
    collector = registry.build(
        "kajeet",
        options,
        {"client_id": "simulated-client", "client_secret": "simulated-secret"},
        budgets=budget.Unlimited(),
    )
    async with pools.connected(dsn, size=4) as pool:
        account = accounts.Account("kajeet", await make_source(pool), collector)
        group = collector.endpoint_groups[-1]
        now = datetime.now(UTC)
        for n in range(sweeps):
            clock = partial(now.__add__, timedelta(minutes=n))
            before, began = _cpu(), time.perf_counter()
            result = await runner.Runner(pool, clock, Metrics()).sweep(account, group)
            if result.outcome != "succeeded":
                raise SystemExit(f"the sweep {result.outcome}: {result.error}")
            print(
                json.dumps(
                    {
                        "lines": result.progress.lines,
                        "rows": result.progress.rows_written,
                        "seconds": time.perf_counter() - began,
                        "cpu": _cpu() - before,
                        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                    }
                ),
                flush=True,
            )
    await collector.aclose()


async def make_source(pool: pools.Pool) -> sources.Source:
    """The benchmark's district and account."""
    row = account_rows.Account(
        key="kajeet",
        collector="kajeet",
        time_zone=ZONE,
        lag_days=0,
        rank=1,
        cadence=timedelta(hours=1),
        plan_key=None,
    )
    district = account_rows.District(
        district_id=DISTRICT, name="Benchmark", time_zone=ZONE, school_year_starts="07-01", accounts=[row]
    )
    return (await account_rows.sync(pool, [district]))[DISTRICT, "kajeet"]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
