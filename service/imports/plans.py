"""plans.csv: what a line may use and costs, for plans that are not in the configuration."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path

from service.imports import cells, columns, frame, outcomes, rows, tables, unique
from service.store import pool as pools
from service.store import program_imports as store

REQUIRED = ("plan",)
OPTIONAL = (
    "provider", "allowance_mb", "allowance_gb", "period", "cycle_day", "pooled", "at_allowance", "monthly_cost",
    "download_mbps", "upload_mbps", "starts_on", "ends_on", "filtered",
)  # fmt: skip
LONGEST_PERIOD = timedelta(days=31)  # of an allowance by the month: the period under way is computed again
_MEGABYTE = 10**6
_LONGEST_KEY = 100
_LAST_YEAR = date(2100, 1, 1)


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"
    CYCLE = "cycle"
    YEAR = "year"


class AtAllowance(StrEnum):
    STOP = "stop"
    THROTTLE = "throttle"
    CHARGE = "charge"
    NONE = "none"


async def run(
    pool: pools.Pool,
    district_id: int,
    path: Path,
    *,
    today: date,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    async with frame.opened(
        pool, district_id, "plans", frame.checksum(path), tables=("plans",), today=today, dry_run=dry_run
    ) as importing:
        known = await store.plans(importing.connection, district_id)
        reader = _Reader(frozenset(key for key, (_, is_configured) in known.items() if is_configured))
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED, optional=OPTIONAL)
            importing.ignore(found.ignored)
            read = rows.read(table, found, importing.tally, reader.plan, progress=progress)
            told, repeated = unique.kept(read, importing.tally)
        written, changed = await store.write_plans(importing.connection, district_id, told)
        if changed:
            first_on = today - LONGEST_PERIOD
            await store.mark_days(
                importing.connection, district_id, plans=changed, first_on=first_on, last_on=today
            )
            importing.affects(first_on)
        importing.finish(added=written.added, changed=written.changed, repeated=repeated)
    return importing.outcome


class _Reader:
    def __init__(self, configured: frozenset[str]) -> None:
        self._configured = configured

    def plan(self, row: rows.Row) -> unique.Keyed[store.Plan] | None:
        key = row.read("plan", plan_key)
        if key in self._configured:
            row.refuse("plan", "is in the configuration: change it there")
        allowance = _allowance(row)
        period = row.read("period", cells.one_of(Period)) or Period.MONTH
        at_allowance = row.read("at_allowance", cells.one_of(AtAllowance)) or AtAllowance.STOP
        cycle_day = row.read("cycle_day", _cycle_day) or 1
        is_pooled = row.read("pooled", cells.yes_no) or False
        starts_on, ends_on = _service(row)
        cost = row.read("monthly_cost", number(most=100_000))
        down = row.read("download_mbps", number(most=100_000))
        up = row.read("upload_mbps", number(most=100_000))
        if is_pooled and not row.problems:
            _check_pool(row, allowance, period)
        if key is None or row.problems:
            return None
        plan = store.Plan(
            key=key,
            provider=row.read("provider", cells.label) or None,
            allowance_bytes=allowance,
            allowance_period=period,
            cycle_day=cycle_day,
            is_pooled=is_pooled,
            at_allowance=at_allowance,
            monthly_cost=None if cost is None else cost.quantize(Decimal("0.01")),
            download_mbps=None if down is None else float(down),
            upload_mbps=None if up is None else float(up),
            starts_on=starts_on,
            ends_on=ends_on,
            is_filtered=row.read("filtered", cells.yes_no),
        )
        return unique.Keyed(row.number, "plan", key, plan)


def plan_key(cell: cells.Cell) -> str:
    key = cells.required_label(cell)
    if len(key) > _LONGEST_KEY:
        raise cells.Invalid(f"is longer than {_LONGEST_KEY} characters")
    return key


def number(*, most: int) -> Callable[[cells.Cell], Decimal | None]:
    """A number from 0 to ``most``, such as 15, 15.00 or $1,500; None where the cell is empty."""

    def parse(cell: cells.Cell) -> Decimal | None:
        shown = cells.text(cell).removeprefix("$").replace(",", "")
        if not shown:
            return None
        try:
            found = Decimal(shown)
        except InvalidOperation:
            raise cells.Invalid("is not a number such as 15 or 15.00") from None
        if not found.is_finite() or not 0 <= found <= most:
            raise cells.Invalid(f"is not between 0 and {most:,}")
        return found

    return parse


def _allowance(row: rows.Row) -> int | None:
    """In bytes; None: unlimited."""
    megabytes = row.read("allowance_mb", number(most=10**9))
    gigabytes = row.read("allowance_gb", number(most=10**6))
    if megabytes is not None and gigabytes is not None:
        row.refuse("allowance_gb", "allowance_mb is filled in too: give one of the two")
    for column, told in (("allowance_mb", megabytes), ("allowance_gb", gigabytes)):
        if told == 0:
            row.refuse(column, "is 0: leave it empty where the plan has no limit")
    if megabytes is not None:
        return int(megabytes * _MEGABYTE)
    return None if gigabytes is None else int(gigabytes * 1000 * _MEGABYTE)


def _check_pool(row: rows.Row, allowance: int | None, period: Period) -> None:
    if allowance is None:
        row.refuse("pooled", "a pool needs its allowance for each line: fill in allowance_mb or allowance_gb")
    if period is Period.DAY:
        row.refuse("pooled", "a pool is of a month, a cycle or a year, not of a day")


def _cycle_day(cell: cells.Cell) -> int | None:
    if not cells.text(cell):
        return None
    found = cells.count(cell)
    if not 1 <= found <= 28:
        raise cells.Invalid("is not a day from 1 to 28")
    return found


def _service(row: rows.Row) -> tuple[date | None, date | None]:
    starts_on = row.read("starts_on", cells.between(cells.day, _LAST_YEAR))
    ends_on = row.read("ends_on", cells.between(cells.day, _LAST_YEAR))
    if starts_on is not None and ends_on is not None and ends_on <= starts_on:
        row.refuse("ends_on", "is not after starts_on: it is the first day without service")
    return starts_on, ends_on
