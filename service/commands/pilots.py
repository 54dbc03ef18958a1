"""``afterbell pilots`` and ``afterbell pilot``."""

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console

from service import app as apps
from service import config as configs
from service import errors
from service.commands import chosen
from service.model import pilots as model
from service.printed import pilots as pilots_table
from service.store import equity as equity_rows
from service.store import pilots as pilot_rows

_out = Console(highlight=False)


def pilots(
    context: typer.Context, as_json: chosen.AsJson = False, district: chosen.DistrictId = None
) -> None:
    """List the pilots of the configuration."""
    config = apps.loaded(context.obj)
    found = [(one, pilot) for one, pilot in _configured(config) if district in (None, one.id)]
    if as_json:
        listed = pilots_table.list_as_json((one.id, pilot) for one, pilot in found)
        typer.echo(json.dumps(listed, indent=2))
    elif found:
        pilots_table.show_list(_out, [(one.name, pilot) for one, pilot in found])
    else:
        _out.print("no pilot is configured: see docs/pilots.md")


def _configured(config: configs.Config) -> list[tuple[configs.District, model.Pilot]]:
    return [(district, apps.pilot(one)) for district in config.districts for one in district.pilots]


def pilot(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As afterbell pilots shows it.")],
    as_json: chosen.AsJson = False,
    district: chosen.DistrictId = None,
) -> None:
    """Compare coverage before and during a pilot, and with other schools; says where numbers are too small."""
    found = asyncio.run(_judged(apps.loaded(context.obj), name, district))
    if as_json:
        listed = [pilots_table.as_json(one.district_id, result) for one, result in found]
        typer.echo(json.dumps({"pilots": listed}, indent=2))
    else:
        for one, result in found:
            pilots_table.show(_out, one.name, result)


async def _judged(
    config: configs.Config, name: str, district_id: int | None
) -> list[tuple[equity_rows.District, Any]]:
    known = [(one.id, pilot) for one, pilot in _configured(config) if district_id in (None, one.id)]
    asked = {district: pilot for district, pilot in known if pilot.name == name}
    if not asked:
        listed = ", ".join(sorted({pilot.name for _, pilot in known})) or "none"
        raise errors.ConfigError(f"there is no pilot {name!r}; known: {listed}")
    async with apps.with_config(config) as ready:
        return [
            (district, await _one(ready, district, asked[district.district_id]))
            for district in await chosen.districts(ready, district_id)
            if district.district_id in asked
        ]


async def _one(ready: apps.Opened, district: equity_rows.District, asked: model.Pilot) -> model.Result:
    ids = [*asked.schools, *asked.comparison]
    if unknown := await pilot_rows.unknown_schools(ready.pool, district.district_id, ids):
        raise errors.ConfigError(
            f"{district.name}, pilot {asked.name!r}: no school is imported with the NCES id {', '.join(unknown)}: "
            "correct the configuration, or afterbell import schools"
        )
    if district.reported_on is None:
        raise errors.ConfigError(chosen.too_early(district))
    floor = ready.config.thresholds.completeness_floor
    return await pilot_rows.judged(
        ready.pool, district.district_id, asked, reported_on=district.reported_on, floor=floor
    )
