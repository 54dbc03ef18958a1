"""``afterbell audit``: who made and took which package, and when."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from service import app as apps
from service import config as configs
from service.commands import chosen, export
from service.printed import exports as exports_table
from service.store import audit as audit_rows

_out = Console(highlight=False)
_Found = list[tuple[configs.District, list[audit_rows.Entry]]]


def audit(
    context: typer.Context,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on, as 2026-11-01.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many of each district.")] = 100,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the entries to this file.")] = None,
    as_json: chosen.AsJson = False,
    district: chosen.DistrictId = None,
) -> None:
    """Show every creation and download of packages, the newest first."""
    found = asyncio.run(_entries(apps.loaded(context.obj), since, limit, district))
    if csv_file is not None:
        rows = exports_table.write_audit(
            csv_file, [(of.id, entry) for of, entries in found for entry in entries]
        )
        _out.print(f"{csv_file}: {rows:,} entries", markup=False, soft_wrap=True)
    elif as_json:
        told = [exports_table.audit_as_json(of.id, entry) for of, entries in found for entry in entries]
        typer.echo(json.dumps({"entries": told}, indent=2))
    else:
        for of, entries in found:
            exports_table.show_audit(_out, of.name, ZoneInfo(of.time_zone), entries)


async def _entries(
    config: configs.Config, since: datetime | None, limit: int, district_id: int | None
) -> _Found:
    async with apps.with_config(config) as ready:
        return [
            (
                of,
                await audit_rows.read(ready.pool, of.id, since=export.instant(of, since), limit=limit),
            )
            for of in export.asked_districts(config, district_id)
        ]
