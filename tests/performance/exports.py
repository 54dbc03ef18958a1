"""What a month's packages cost. By hand: ``python -m tests.performance.exports [LINES/SCHOOLS/DAYS ...]``.

Each size is one district with so many lines and schools, and figures of the last so many days of the month. Printed for
each profile: seconds, those of its slowest steps, integer programs' time, size of the archive, and the peak memory of
the process that made it (one of its own for each); beside it, as a baseline, what counting the month's loan days by
school takes.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from service.exports import packages, terms
from service.model import months
from service.store import embedded
from service.store import pool as pools
from tests.performance import districts, truth

MONTH = months.parse("2026-10")
TODAY = MONTH.last_on + timedelta(days=1)
NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
SIZES = ("1200/12/31", "100000/1000/31", "1000000/10000/3")
PROFILES: tuple[terms.Profile, ...] = ("shareable", "internal")
_OUT = Console()

# Need is from 15 to 134, and the funnel of each school is another.
_SCHOOL_DAYS = """
INSERT INTO school_days (
    district_id, on_day, school_id, enrolled, answered, need, loaned, active_30, active_7, adequate, unknown, weak,
    exhausted, idle, never_used, suspended, coverage_status, completeness, coverage, coverage_low, coverage_high,
    is_need_exceeded, is_instructional, is_out_of_session, computed_at, need_source
)
SELECT
    s.district_id, day::date, s.school_id, need * 8, need * 6, need, loaned, loaned * 9 / 10, loaned * 8 / 10,
    loaned * 8 / 10 - s.school_id % 3, s.school_id % 2, 0, 0, 0, 0, 0, 'known', 0.98, 0.5, 0.3, 0.9, false, true, false,
    now(), 'totals'
FROM (SELECT *, (15 + school_id * 7919 % 120)::integer AS need FROM schools) AS s
CROSS JOIN LATERAL (SELECT (need * (60 + s.school_id % 40) / 100)::integer AS loaned) AS l
CROSS JOIN generate_series($1::date, $2::date, interval '1 day') AS day
"""
_BASELINE = "SELECT school_id, count(*), sum(used_bytes) FROM loan_days WHERE on_day >= $1 GROUP BY school_id"


async def seed(pool: asyncpg.Pool, size: districts.Size) -> None:
    await districts.seed(pool, size, today=TODAY, with_readings=False)
    await pool.execute(_SCHOOL_DAYS, TODAY - timedelta(days=size.days), MONTH.last_on)
    await pool.execute("UPDATE accounts SET lag_days = 0")
    await pool.execute("VACUUM ANALYZE")


async def one(url: str, profile: terms.Profile, folder: Path) -> None:
    """In a process of its own: what it took, as JSON."""
    steps: dict[str, float] = defaultdict(float)
    peaks: dict[str, float] = {}
    last: list[float | str] = ["opening", time.perf_counter()]

    def progress(step: str, done: int, total: int) -> None:
        now = time.perf_counter()
        steps[str(last[0])] += now - float(last[1])
        peaks[str(last[0])] = _peak()
        last[:] = [step, now]

    began = time.perf_counter()
    async with pools.connected(url, size=2) as pool:
        made = await packages.make(
            pool,
            terms.Terms(district_id=1, folder=folder, version="benchmark"),
            terms.Asked(month=MONTH, profile=profile),
            clock=lambda: NOW,
            progress=progress,
        )
    told = {"seconds": time.perf_counter() - began, "peak": _peak(), "steps": steps, "peaks": peaks}
    told["told"] = made.told
    print(json.dumps({**told, "bytes": made.release.archive_bytes, "levels": dict(made.levels)}))


def _peak() -> float:
    """MB of this process, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def run(server: embedded.Server, size: districts.Size, folder: Path) -> None:
    async with truth.database(server) as pool:
        began = time.perf_counter()
        with _OUT.status(f"making {size.lines:,} lines x {size.days} days"):
            await seed(pool, size)
        _OUT.print(f"made {size.lines:,} lines x {size.days} days in {time.perf_counter() - began:.0f} s")
        began = time.perf_counter()
        await pool.fetch(_BASELINE, date(2026, 10, 1))
        baseline = time.perf_counter() - began
        name = await pool.fetchval("SELECT current_database()")
        before, _, query = server.dsn().partition("?")
        url = f"{before.rpartition('/')[0]}/{name}?{query}"
        place = folder / str(size.lines)
        place.mkdir(parents=True)
        for profile in PROFILES:
            await show(size, profile, await _child(url, profile, place), baseline)


async def _child(url: str, profile: str, folder: Path) -> dict[str, object]:
    asked = [sys.executable, "-m", "tests.performance.exports", "--one", url, profile, str(folder)]
    process = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{profile}: the export failed ({process.returncode})")
    found: dict[str, object] = json.loads(out.splitlines()[-1])
    return found


async def show(size: districts.Size, profile: str, found: dict[str, object], baseline: float) -> None:
    _OUT.print(f"{profile}, {size.schools_of_district:,} schools, {size.lines:,} lines x {size.days} days")
    table = Table()
    for heading in ("step", "s", "/ baseline", "peak so far, MB"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    steps, peaks = found["steps"], found["peaks"]
    assert isinstance(steps, dict)
    assert isinstance(peaks, dict)
    for step, seconds in sorted(steps.items(), key=lambda pair: -pair[1])[:8]:
        table.add_row(step, f"{seconds:.1f}", f"{seconds / baseline:.1f}", f"{peaks[step]:.0f}")
    total = float(str(found["seconds"]))
    table.add_row("everything", f"{total:.1f}", f"{total / baseline:.1f}", f"{float(str(found['peak'])):.0f}")
    _OUT.print(table)
    _OUT.print(
        f"baseline, loan days by school: {baseline:.2f} s; archive {int(str(found['bytes'])) / 1e6:.1f} MB; peak "
        f"memory {float(str(found['peak'])):.0f} MB; levels {found['levels']}; {found['told']}"
    )


async def main(sizes: list[districts.Size], folder: Path) -> None:
    folder.chmod(0o711)
    async with embedded.Server(folder / "server", settings=truth.SETTINGS) as server:
        for size in sizes:
            await run(server, size, folder / "packages")
    _OUT.print(f"the server's folder can go: {folder}")


def _size(text: str) -> districts.Size:
    lines, schools, days = (int(part) for part in text.split("/"))
    return districts.Size(lines, days, lines_of_district=lines, schools_of_district=schools)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        asyncio.run(one(sys.argv[2], sys.argv[3], Path(sys.argv[4])))  # type: ignore[arg-type]
        raise SystemExit
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=_size, default=[_size(text) for text in SIZES])
    asyncio.run(main(parser.parse_args().sizes, Path(tempfile.mkdtemp(prefix="afterbell-benchmark-"))))
