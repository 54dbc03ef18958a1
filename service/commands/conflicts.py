"""``afterbell conflicts``: what sources contradict each other in, and a person's decision."""

import asyncio
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from service import app as apps
from service import errors
from service.store import conflicts

app = typer.Typer(help="What sources contradict each other in, for a person to decide.", no_args_is_help=True)

DistrictId = Annotated[int | None, typer.Option("--district", help="Only of this district, by its id.")]

_out = Console(highlight=False)


@app.command("list")
def list_conflicts(context: typer.Context, district: DistrictId = None) -> None:
    """Show every open conflict, with the identifiers of both sides."""
    found = asyncio.run(_told(context.obj, district))
    for one in found:
        _out.print(
            _described(one), soft_wrap=True
        )  # an identifier that is broken over lines cannot be copied
    decide = "Decide with: afterbell conflicts resolve ID --keep, or --take"
    _out.print(decide if found else "no conflict is open")


async def _told(config_path: Path | None, district_id: int | None) -> list[conflicts.Told]:
    async with apps.opened(config_path) as opened:
        _check_district(opened, district_id)
        return await conflicts.told(opened.pool, district_id)


def _check_district(opened: apps.Opened, district_id: int | None) -> None:
    known = [district.id for district in opened.config.districts]
    if district_id is not None and district_id not in known:
        listed = ", ".join(map(str, known))
        raise errors.ConfigError(f"there is no district {district_id}: the configuration has {listed}")


def _described(one: conflicts.Told) -> str:
    opened = one.opened_at.astimezone(ZoneInfo(one.time_zone))
    against = one.against_account_key or "no account"
    lines = (
        f"conflict {one.conflict_id}, district {one.district_id}, since {opened:%Y-%m-%d %H:%M}: {_what(one)}",
        f"  keep: {_device(one.device_id, one.imei, one.serial)}, says {against}",
        f"  take: {_device(one.other_device_id, one.other_imei, one.other_serial)}, says {one.account_key}",
        "",
    )
    return escape("\n".join(lines))


def _what(one: conflicts.Told) -> str:
    named = _named(ICCID=one.iccid, MDN=one.mdn)
    if one.kind == "serial":
        return f"which device has serial number {one.serial or 'not known'} (told with line {one.line_id}{named})"
    return f"which device line {one.line_id}{named} is in"


def _device(device_id: int, imei: str | None, serial: str | None) -> str:
    return f"device {device_id}{_named(IMEI=imei, serial=serial)}"


def _named(**identifiers: str | None) -> str:
    known = [f"{name} {value}" for name, value in identifiers.items() if value]
    return f" ({', '.join(known)})" if known else ""


@app.command("resolve")
def resolve(
    context: typer.Context,
    conflict_id: Annotated[int, typer.Argument(metavar="ID", help="As afterbell conflicts list shows it.")],
    keep: Annotated[bool, typer.Option("--keep", help="What is in force stays.")] = False,
    take: Annotated[bool, typer.Option("--take", help="What is claimed is right, from now on.")] = False,
    district: DistrictId = None,
) -> None:
    """Decide a conflict. The same contradiction is not asked about again."""
    if keep == take:
        raise typer.BadParameter("say which side is right: --keep or --take")
    outcome = asyncio.run(_resolve(context.obj, conflict_id, take, district))
    if outcome is conflicts.Outcome.UNKNOWN:
        raise errors.ConfigError(f"there is no conflict {conflict_id}: see afterbell conflicts list")
    if outcome is conflicts.Outcome.SETTLED:
        raise errors.ConfigError(f"conflict {conflict_id} is settled already: see afterbell conflicts list")
    done = "what was claimed is in force from now on" if take else "what was in force stays in force"
    _out.print(f"conflict {conflict_id} is settled: {done}")


async def _resolve(
    config_path: Path | None, conflict_id: int, take: bool, district_id: int | None
) -> conflicts.Outcome:
    async with apps.opened(config_path) as opened:
        _check_district(opened, district_id)
        return await conflicts.resolve(
            opened.pool, conflict_id, take=take, now=apps.utc_now(), district_id=district_id
        )
