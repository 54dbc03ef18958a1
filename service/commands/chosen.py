"""What several commands ask alike: which district, which day."""

from datetime import date, datetime
from typing import Annotated

import typer

from service import app as apps
from service import errors
from service.store import equity as equity_rows

DistrictId = Annotated[int | None, typer.Option("--district", help="Only this district, by its id.")]
OnDate = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help="The day, as 2026-11-17; the reported one unless given."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts; null is not known.")]


async def districts(ready: apps.Opened, district_id: int | None) -> list[equity_rows.District]:
    """Those of the configuration, or the one that is asked for. Raises ConfigError where it is not there."""
    configured = [district.id for district in ready.config.districts]
    if district_id is not None and district_id not in configured:
        listed = ", ".join(map(str, configured))
        raise errors.ConfigError(f"there is no district {district_id}: the configuration has {listed}")
    asked = configured if district_id is None else [district_id]
    found = await equity_rows.districts(ready.pool, now=apps.utc_now())
    return [district for district in found if district.district_id in asked]


async def day(ready: apps.Opened, district: equity_rows.District, on: datetime | None) -> date | None:
    """The day asked for, else the reported one; None: none is complete yet. Raises ConfigError for a day without
    figures."""
    if on is None:
        return district.reported_on
    known = await equity_rows.computed(ready.pool, district.district_id)
    if known is None:
        raise errors.ConfigError(f"{district.name} has no figures yet: afterbell poll makes them")
    first, last = known
    if not first <= on.date() <= last:
        raise errors.ConfigError(
            f"{district.name} has no figures for {on:%Y-%m-%d}: there are some from {first} to {last}"
        )
    return on.date()


def too_early(district: equity_rows.District) -> str:
    return f"{district.name}: no day is complete yet (see afterbell coverage)"
