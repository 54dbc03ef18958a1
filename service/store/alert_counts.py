"""How alerts stand, as counts: by rule, and of each rule's last run. No subject, no school."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

import sql

STATES = ("pending", "firing", "held")  # of what is in breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Alerts of one rule, severity and state. ``quiet``: of these, acknowledged, or snoozed until later."""

    rule: str
    severity: str
    state: str
    alerts: int
    quiet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a rule said when it last ran."""

    rule: str
    evaluated_at: datetime
    judged_on: date | None  # None: there is no reported day yet
    seconds: float
    breached: int
    unjudged: int
    failing_since_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """A district's. A rule with a run and no count has no alert; one without a run was never asked."""

    counts: tuple[Count, ...] = ()
    runs: tuple[Run, ...] = ()

    def of(self, rule: str) -> tuple[Count, ...]:
        return tuple(count for count in self.counts if count.rule == rule)


NONE = Alerts()


async def by_district(connection: asyncpg.Connection, *, now: datetime) -> dict[int, Alerts]:
    """Districts without a rule that ever ran, and without an alert, are not in it."""
    counts = _grouped(await connection.fetch(sql.queries()["shown_alerts"], now))
    runs = _grouped(await connection.fetch(sql.queries()["shown_rule_runs"]))
    return {
        district_id: Alerts(
            counts=tuple(Count(**row) for row in counts.get(district_id, ())),
            runs=tuple(Run(**row) for row in runs.get(district_id, ())),
        )
        for district_id in counts.keys() | runs.keys()
    }


def _grouped(rows: Iterable[asyncpg.Record]) -> Mapping[int, Sequence[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        values = dict(row)
        grouped.setdefault(values.pop("district_id"), []).append(values)
    return grouped
