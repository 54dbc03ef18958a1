"""line-plans.csv: which plan a line is on, where its account does not say it right."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from service.imports import cells, columns, device_names, frame, outcomes, plans, rows, tables, unique
from service.store import pool as pools
from service.store import program_imports as store

REQUIRED = ("line", "plan")


@dataclass(frozen=True, slots=True)
class _LinePlan:
    name: store.LineName
    plan_id: int
    line: str


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
        pool, district_id, "line-plans", frame.checksum(path), tables=("lines",), today=today, dry_run=dry_run
    ) as importing:
        known = await store.plans(importing.connection, district_id)
        reader = _Reader({key: plan_id for key, (plan_id, _) in known.items()})
        with tables.opened(path) as table:
            found = columns.match(table.header, required=REQUIRED)
            importing.ignore(found.ignored)
            told = list(rows.read(table, found, importing.tally, reader.line_plan, progress=progress))
        lines = await store.lines(importing.connection, district_id, [one.name for one in told])
        kept, repeated = unique.kept(_matched(told, lines, importing.tally), importing.tally)
        await _write(importing, dict(kept), repeated)
    return importing.outcome


async def _write(importing: frame.Frame, plan_of_line: Mapping[int, int], repeated: int) -> None:
    connection, district_id = importing.connection, importing.district_id
    changed = await store.write_line_plans(connection, district_id, plan_of_line)
    if changed:
        first_on = importing.today - plans.LONGEST_PERIOD
        await store.mark_days(
            connection, district_id, lines=changed, first_on=first_on, last_on=importing.today
        )
        importing.affects(first_on)
    importing.finish(added=0, changed=len(changed), repeated=repeated)


class _Reader:
    def __init__(self, plan_ids: Mapping[str, int]) -> None:
        self._plan_ids = plan_ids

    def line_plan(self, row: rows.Row) -> _LinePlan | None:
        line = row.read("line", cells.required_identifier)
        key = row.read("plan", plans.plan_key)
        plan_id = self._plan_ids.get(key or "")
        if key is not None and plan_id is None:
            row.refuse("plan", "there is no such plan: import it with the plans first, or configure it")
        name = None if line is None else device_names.read(line)
        if name is not None and name.iccids is None and name.mdn is None:
            row.refuse("line", "is neither a SIM's number (ICCID) nor a phone number")
        if line is None or name is None or plan_id is None:
            return None
        return _LinePlan(store.LineName(row.number, name.iccids or (), name.mdn), plan_id, line)


def _matched(
    told: Iterable[_LinePlan], lines: Mapping[int, list[int]], tally: outcomes.Tally
) -> Iterator[unique.Keyed[tuple[int, int]]]:
    for one in told:
        found = lines.get(one.name.row_number, [])
        if len(found) == 1:
            yield unique.Keyed(one.name.row_number, "line", found[0], (found[0], one.plan_id))
        else:
            reason = "fits several lines" if found else "no source knows this line"
            tally.reject([outcomes.Problem(one.name.row_number, "line", reason, one.line)])
