"""``afterbell equity`` and ``afterbell costs``."""

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from service import app as apps
from service import config as configs
from service import errors
from service.commands import chosen
from service.model import costs as costs_model
from service.model import equity as measures
from service.printed import costs as costs_table
from service.printed import equity as equity_table
from service.store import costs as cost_rows
from service.store import equity as equity_rows

_out = Console(highlight=False)


def equity(
    context: typer.Context,
    on: chosen.OnDate = None,
    as_json: chosen.AsJson = False,
    district: chosen.DistrictId = None,
) -> None:
    """Show how coverage lies over schools of more and of less need, each measure with what it was made of."""
    told = asyncio.run(_equity(apps.loaded(context.obj), on, district, as_json))
    if as_json:
        typer.echo(json.dumps({"districts": told}, indent=2))


async def _equity(
    config: configs.Config, on: datetime | None, district_id: int | None, as_json: bool
) -> list[dict[str, Any]]:
    told = []
    async with apps.with_config(config) as ready:
        floor = ready.config.thresholds.completeness_floor
        for district in await chosen.districts(ready, district_id):
            day = await chosen.day(ready, district, on)
            if day is None:
                _say(chosen.too_early(district), as_json)
                continue
            rows = await equity_rows.schools(ready.pool, district.district_id, day)
            found = measures.of(rows, floor=floor)
            told.append(equity_table.as_json(district, day, found))
            if not as_json:
                equity_table.show(_out, district, day, found)
    return told


def _say(text: str, is_quiet: bool) -> None:
    if not is_quiet:
        _out.print(text, markup=False)


def costs(
    context: typer.Context,
    month: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], help="As 2026-10; the latest that is complete unless given."),
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=60, help="So many months, up to that one.")] = 1,
    as_json: chosen.AsJson = False,
    district: chosen.DistrictId = None,
) -> None:
    """Show what lines cost, what of it was idle, and the cost of each student with an adequate connection."""
    told = asyncio.run(_costs(apps.loaded(context.obj), month, months, district, as_json))
    if as_json:
        typer.echo(json.dumps({"districts": told}, indent=2))


async def _costs(
    config: configs.Config, month: datetime | None, months: int, district_id: int | None, as_json: bool
) -> list[dict[str, Any]]:
    told = []
    async with apps.with_config(config) as ready:
        for district in await chosen.districts(ready, district_id):
            if district.reported_on is None:
                _say(chosen.too_early(district), as_json)
                continue
            asked = month.date() if month else costs_model.latest_month(district.reported_on)
            if asked > district.reported_on:
                raise errors.ConfigError(
                    f"--month {asked:%Y-%m}: no day of it is complete yet; the latest is {district.reported_on}"
                )
            found = await cost_rows.of(
                ready.pool,
                district.district_id,
                time_zone=district.time_zone,
                month=asked,
                months=months,
                reported_on=district.reported_on,
                floor=ready.config.thresholds.completeness_floor,
            )
            told.append(costs_table.as_json(district, found))
            if not as_json:
                costs_table.show(_out, district, found)
    return told
