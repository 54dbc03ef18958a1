"""The Kajeet portal's CSV export as an import: the same rows as a sweep would have given."""

from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from collectors.kajeet import export_csv
from service import errors
from service.imports import kajeet, outcomes
from tests import files
from tests.fleet import Fleet, iccid, imei, local, polled

TODAY = date(2026, 10, 6)
AS_OF = local("2026-10-05 23:30")
HEADER = "MDN,IMEI,UICC,STATUS,NICKNAME,DAY_AMOUNT_USED,MONTHLY_AMOUNT_USED,LAST_30_DAYS_USED\n"


def row(
    number: int, *, status: str = "active", day: str = "1.5", nickname: str = "Wilhelmina Pfefferkorn"
) -> str:
    return f"21255{number:05d},{imei(number)},{iccid(number)},{status},{nickname},{day},20,20\n"


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "export.csv"
    path.write_text(header + "".join(rows))
    return path


async def bring_in(f: Fleet, path: Path, **changes: object) -> outcomes.Outcome:
    arguments = {"as_of": AS_OF, "now": local("2026-10-06 12:00"), "today": TODAY, **changes}
    return await kajeet.run(f.pool, f.account.source, path, **arguments)  # type: ignore[arg-type]


async def test_an_export_becomes_lines_readings_and_days(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with polled(pool) as f:
        outcome = await bring_in(f, write(tmp_path, row(1), row(2, day="0")))
        assert (outcome.accepted, outcome.added, outcome.rejected) == (2, 2, 0)
        f.now = local("2026-10-06 00:10")
        await f.refresh()
        days = await f.rows(
            "SELECT used_bytes, status::text FROM line_days WHERE on_day = '2026-10-05' ORDER BY 1"
        )
        assert days == [{"used_bytes": 0, "status": "active"}, {"used_bytes": 1_500_000, "status": "active"}]


async def test_the_same_export_twice_changes_nothing(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with polled(pool) as f:
        path = write(tmp_path, row(1), row(2))
        await bring_in(f, path)
        before = await pool.fetchval("SELECT count(*) FROM usage_readings")
        again = await bring_in(f, path)
        assert (again.added, again.accepted) == (0, 2)
        assert await pool.fetchval("SELECT count(*) FROM usage_readings") == before


async def test_an_older_export_fills_the_past_and_leaves_the_latest_state(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    async with polled(pool) as f:
        await bring_in(f, write(tmp_path, row(1, status="suspended")))
        await bring_in(f, write(tmp_path, row(1, day="7")), as_of=AS_OF - timedelta(days=1))
        assert await pool.fetchval("SELECT status::text FROM latest_states") == "suspended"
        await f.refresh()
        f.now = local("2026-10-06 00:10")
        await f.refresh()
        assert (
            await pool.fetchval("SELECT used_bytes FROM line_days WHERE on_day = '2026-10-04'") == 7_000_000
        )


async def test_a_bad_row_is_listed_and_the_others_are_kept(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with polled(pool) as f:
        outcome = await bring_in(f, write(tmp_path, row(1), row(2, day="lots"), row(3)))
        assert (outcome.added, outcome.rejected) == (2, 1)
        assert [(one.row, one.column, one.value) for one in outcome.problems] == [
            (3, "DAY_AMOUNT_USED", None)
        ]


async def test_an_unknown_header_is_refused_unless_it_is_mapped(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with polled(pool) as f:
        path = write(tmp_path, row(1), header=HEADER.replace("DAY_AMOUNT_USED", "Day Amount Used"))
        with pytest.raises(errors.ImportRejected, match="Day Amount Used"):
            await bring_in(f, path)
        layout = export_csv.Layout(headers={"Day Amount Used": "DAY_AMOUNT_USED"})
        assert (await bring_in(f, path, layout=layout)).added == 1


async def test_an_instant_out_of_range_is_refused(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with polled(pool) as f:
        with pytest.raises(errors.ImportRejected, match="--as-of"):
            await bring_in(f, write(tmp_path, row(1)), as_of=local("2031-01-01 00:00"))


async def test_no_nickname_enters_the_database(pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with polled(pool) as f:
        await bring_in(f, write(tmp_path, row(1)))
        held = str(await files.contents(pool))
        assert imei(1) in held  # the search looks where rows are
        assert "Pfefferkorn" not in held


async def test_a_corrected_export_of_the_same_instant_replaces_the_first(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    async with polled(pool) as f:
        await bring_in(f, write(tmp_path, row(1, day="5")))
        await bring_in(f, write(tmp_path, row(1, day="9", status="suspended")))
        f.now = local("2026-10-06 00:10")
        await f.refresh()
        assert await f.rows("SELECT used_bytes, status::text FROM line_days WHERE on_day = '2026-10-05'") == [
            {"used_bytes": 9_000_000, "status": "suspended"}
        ]
