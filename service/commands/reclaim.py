"""``afterbell reclaim`` and ``afterbell reallocate``."""

import asyncio
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from service import app as apps
from service import config as configs
from service.commands import chosen
from service.model import reallocation
from service.printed import reallocation as reallocation_table
from service.printed import reclaim as reclaim_table
from service.store import equity as equity_rows
from service.store import reclaim as reclaim_rows

Days = Annotated[
    int | None,
    typer.Option(
        min=7, max=366, help="Without use, or without a loan; thresholds.reclaim_days unless given."
    ),
]

_out = Console(highlight=False)


@dataclass(frozen=True)
class _Found:
    district: equity_rows.District
    on_day: date
    reclaim: reclaim_rows.Reclaim


def reclaim(
    context: typer.Context,
    days: Days = None,
    on: chosen.OnDate = None,
    as_json: chosen.AsJson = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the list to this file.")] = None,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="Show IMEI, serial, ICCID and MDN, on the terminal only.")
    ] = False,
    district: chosen.DistrictId = None,
) -> None:
    """List the loans that nobody uses, and the active lines that nobody has on loan."""
    if identifiers and (as_json or csv_file):
        raise typer.BadParameter("--identifiers is for the terminal: leave out --json and --csv")
    told = asyncio.run(_reclaim(apps.loaded(context.obj), days, on, district, identifiers, as_json))
    if csv_file is not None:
        count = reclaim_table.write(csv_file, [(found.district, found.reclaim) for found in told])
        Console(stderr=True, highlight=False).print(f"{count} rows written to {csv_file}", markup=False)
    if as_json:
        listed = [reclaim_table.as_json(found.district, found.reclaim) for found in told]
        typer.echo(json.dumps({"districts": listed}, indent=2))


async def _reclaim(
    config: configs.Config,
    days: int | None,
    on: datetime | None,
    district_id: int | None,
    with_identifiers: bool,
    is_quiet: bool,
) -> list[_Found]:
    async with apps.with_config(config) as ready:
        told = await _lists(ready, days, on, district_id, is_quiet)
        for found in told:
            if not is_quiet:
                named = await _identifiers(ready, found) if with_identifiers else None
                reclaim_table.show(_out, found.district, found.reclaim, named)
    return told


async def _identifiers(ready: apps.Opened, found: _Found) -> reclaim_table.Identifiers:
    return await reclaim_rows.identifiers(ready.pool, found.district.district_id, found.reclaim.items)


async def _lists(
    ready: apps.Opened, days: int | None, on: datetime | None, district_id: int | None, is_quiet: bool
) -> list[_Found]:
    told = []
    for district in await chosen.districts(ready, district_id):
        day = await chosen.day(ready, district, on)
        if day is not None:
            limit = days or ready.config.thresholds.reclaim_days
            found = await reclaim_rows.of(ready.pool, district.district_id, day, days=limit)
            told.append(_Found(district, day, found))
        elif not is_quiet:
            _out.print(chosen.too_early(district), markup=False)
    return told


def reallocate(
    context: typer.Context,
    hotspots: Annotated[
        int | None,
        typer.Argument(
            min=1, max=1_000_000, metavar="N", help="How many; unless given, those of the reclaim list."
        ),
    ] = None,
    days: Days = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Ask none back: students keep loans that are not used.")
    ] = False,
    as_json: chosen.AsJson = False,
    district: chosen.DistrictId = None,
) -> None:
    """Plan which school gets N hotspots, and what coverage they may buy. Changes nothing."""
    if keep and hotspots is None:
        raise typer.BadParameter("with --keep say how many hotspots there are: afterbell reallocate N --keep")
    told = asyncio.run(_reallocate(apps.loaded(context.obj), hotspots, days, keep, district, as_json))
    if as_json:
        typer.echo(json.dumps({"districts": told}, indent=2))


async def _reallocate(
    config: configs.Config,
    hotspots: int | None,
    days: int | None,
    keep: bool,
    district_id: int | None,
    is_quiet: bool,
) -> list[dict[str, Any]]:
    told = []
    async with apps.with_config(config) as ready:
        for found in await _lists(ready, days, None, district_id, is_quiet):
            students = {} if keep else await reclaim_rows.students(ready.pool, found.reclaim)
            schools = await equity_rows.schools(ready.pool, found.district.district_id, found.on_day)
            plan = reallocation.plan(
                schools,
                found.reclaim.hotspots if hotspots is None else hotspots,
                reclaimed=students,
                floor=ready.config.thresholds.completeness_floor,
            )
            values = found.district, found.on_day, plan, sum(students.values())
            told.append(reallocation_table.as_json(*values))
            if not is_quiet:
                reallocation_table.show(_out, *values)
    return told
