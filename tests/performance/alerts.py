"""What judging all alert rules costs. By hand: ``python -m tests.performance.alerts [LINES/DISTRICTS ...]``.

Each size is a database of districts in which a quarter of the hotspots is idle, for 0 to 119 days. Printed: seconds of
the first evaluation (every alert is new), of the next (nothing changes) and of the dearest rules, what the server read,
the alerts that were made, and the peak memory of this process; beside it, as a baseline, what counting the judged
day's loans by state takes.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from service.alerting import rules
from service.store import embedded, judging
from tests.performance import districts, truth

TODAY = date(2026, 11, 20)
REPORTED = TODAY - timedelta(days=1)
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
SIZES = ("100000/1", "100000/50", "1000000/10")
_DAYS = 8
_OUT = Console()

_IDLE = """
UPDATE loan_days SET
    idle_days = (loan_id % 120)::integer, idle_instructional_days = (loan_id % 120 * 5 / 7)::integer,
    last_used_on = $1::date - (loan_id % 120)::integer, is_used_30 = loan_id % 120 < 30
WHERE on_day = $1 AND state = 'idle'
"""
_SCHOOL_DAYS = """
INSERT INTO school_days (
    district_id, on_day, school_id, enrolled, answered, need, loaned, active_30, active_7, adequate, unknown, weak,
    exhausted, idle, never_used, suspended, coverage_status, completeness, coverage, coverage_low, coverage_high,
    is_need_exceeded, is_instructional, is_out_of_session, computed_at, need_source
)
SELECT
    s.district_id, day::date, s.school_id, 600, 450, 100, 90, 80, 75,
    40 + (s.school_id % 60)::integer, 2, 0, 0, 8, 0, 0,
    'known', 0.98, (40 + s.school_id % 60) / 100.0, 0.3, 0.99, false, true, false, now(), 'totals'
FROM schools AS s CROSS JOIN generate_series($1::date - 30, $1::date, interval '1 day') AS day
"""
_WATERMARKS = """
INSERT INTO watermarks (district_id, account_id, endpoint_group, watermark_at, last_attempt_at, last_success_at)
SELECT district_id, account_id, 'devices', $1, $1, $1 FROM accounts
"""
_BASELINE = """
SELECT state, count(*) FROM loan_days WHERE on_day = $1 GROUP BY state
"""


async def seed(pool: asyncpg.Pool, size: districts.Size) -> None:
    await districts.seed(pool, size, today=TODAY, with_readings=False)
    await pool.execute("SELECT ensure_partitions($1, $2)", REPORTED - timedelta(days=35), TODAY)
    await pool.execute(_IDLE, REPORTED)
    await pool.execute(_SCHOOL_DAYS, REPORTED)
    await pool.execute(_WATERMARKS, NOW - timedelta(minutes=20))
    await pool.execute("VACUUM ANALYZE")


async def evaluated(pool: asyncpg.Pool, now: datetime) -> tuple[float, dict[str, float], int]:
    """All rules over all districts: seconds, those of each rule, and the flips made."""
    in_force = rules.chosen(rules.Choice())
    by_rule: dict[str, float] = defaultdict(float)
    flips, began = 0, time.perf_counter()
    for district_id in range(1, await pool.fetchval("SELECT count(*) FROM districts") + 1):
        found = await judging.evaluate(pool, district_id, in_force, now=now)
        assert not found.is_skipped
        flips += found.flips
        for run in found.runs:
            assert run.error is None, (run.rule, run.error)
            by_rule[run.rule] += run.seconds
    return time.perf_counter() - began, by_rule, flips


async def run(server: embedded.Server, size: districts.Size) -> None:
    async with truth.database(server) as pool:
        began = time.perf_counter()
        with _OUT.status(f"making {size.lines:,} lines"):
            await seed(pool, size)
        _OUT.print(
            f"made {size.lines:,} lines in {size.districts} districts in {time.perf_counter() - began:.0f} s"
        )
        began = time.perf_counter()
        await pool.fetch(_BASELINE, REPORTED)
        baseline = time.perf_counter() - began
        first = await evaluated(pool, NOW)
        following = await evaluated(pool, NOW + timedelta(minutes=5))
        await show(pool, size, baseline, first, following)


async def show(
    pool: asyncpg.Pool,
    size: districts.Size,
    baseline: float,
    first: tuple[float, dict[str, float], int],
    following: tuple[float, dict[str, float], int],
) -> None:
    table = Table(title=f"{size.lines:,} lines, {size.districts} districts", title_justify="left")
    for heading in ("what", "first, s", "again, s", "again / baseline"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for name, seconds in sorted(following[1].items(), key=lambda pair: -pair[1])[:10]:
        table.add_row(name, f"{first[1][name]:.2f}", f"{seconds:.2f}", f"{seconds / baseline:.1f}")
    table.add_row("all rules", f"{first[0]:.2f}", f"{following[0]:.2f}", f"{following[0] / baseline:.1f}")
    _OUT.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _OUT.print(
        f"baseline, loans by state: {baseline:.2f} s; {await pool.fetchval('SELECT count(*) FROM alerts'):,} alerts, "
        f"{first[2]:,} and {following[2]:,} flips; peak memory here {peak:.0f} MB"
    )


async def main(sizes: list[districts.Size], folder: Path) -> None:
    folder.chmod(0o711)
    async with embedded.Server(folder / "server", settings=truth.SETTINGS) as server:
        for size in sizes:
            await run(server, size)
    _OUT.print(f"the server's folder can go: {folder}")


def _size(text: str) -> districts.Size:
    lines, _, of = text.partition("/")
    each = int(lines) // int(of or 1)
    return districts.Size(int(lines), _DAYS, lines_of_district=each, schools_of_district=max(1, each // 100))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=_size, default=[_size(text) for text in SIZES])
    asyncio.run(main(parser.parse_args().sizes, Path(tempfile.mkdtemp(prefix="afterbell-benchmark-"))))
