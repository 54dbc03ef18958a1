"""Where two sources tell different figures of the same lines: one of them is used, and the difference is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

import sql

TOLERANCE = 0.1  # of the larger of two totals: what lies beyond is a disagreement
DAYS = 7  # that both have told, up to the reported day


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Of two accounts: ``account_key`` is the one whose figures are used."""

    district_id: int
    account_key: str
    other_account_key: str
    lines_compared: int
    lines_disagreeing: int

    @property
    def account_keys(self) -> tuple[str, str]:
        return self.account_key, self.other_account_key

    @property
    def share(self) -> float:
        return self.lines_disagreeing / self.lines_compared


async def by_district(
    connection: asyncpg.Connection,
    districts: Sequence[int],
    days: Sequence[date | None],
    *,
    tolerance: float = TOLERANCE,
) -> dict[int, tuple[Disagreement, ...]]:
    """Every pair of accounts with lines to compare, on the day of each district (None: no day)."""
    found: dict[int, tuple[Disagreement, ...]] = {}
    for row in await connection.fetch(sql.queries()["source_disagreements"], districts, days, tolerance):
        one = Disagreement(**row)
        found[one.district_id] = (*found.get(one.district_id, ()), one)
    return found
