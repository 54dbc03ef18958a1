"""``afterbell export`` and ``afterbell exports``: packages of a month."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from service import app as apps
from service import config as configs
from service import errors, exporting
from service.commands import chosen, importing, steps
from service.exports import terms as export_terms
from service.model import months, pseudonyms
from service.printed import exports as exports_table
from service.store import pilots as pilot_rows
from service.store import release_levels, releases

if TYPE_CHECKING:
    from service.exports import packages

LAST = "last"

_out = Console(highlight=False)


class Profile(StrEnum):
    SHAREABLE = "shareable"
    INTERNAL = "internal"
    INVENTORY = "inventory"


def export(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="As 2026-10; or last, the latest that has settled.")],
    pilot: Annotated[
        str | None, typer.Option(help="With this pilot, as afterbell pilots shows its name.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="Whom it is for.")] = Profile.SHAREABLE,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also before the month has settled; every page says so.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Shareable: hide small counts in place of coarsening them.")
    ] = False,
    deidentified: Annotated[
        bool, typer.Option("--deidentified", help="Inventory: people as numbers.")
    ] = False,
    roster: Annotated[
        list[Path] | None,
        typer.Option(
            help="Inventory: a file that says who is who; may be repeated. It is read, and not kept."
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where packages go; exports.folder unless given.")
    ] = None,
    district: importing.DistrictId = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Make the package of a month, or find the one that is there already."""
    config = apps.loaded(context.obj)
    of = importing.chosen(config, district)
    asked = _asked(
        of,
        month,
        pilot=pilot,
        profile=profile,
        may_be_partial=partial,
        is_strict=strict,
        is_deidentified=deidentified,
        rosters=tuple(roster or ()),
    )
    made = asyncio.run(_made(config, of, asked, folder))
    told: dict[str, Any] = {
        "state": _state(made, is_elsewhere=folder is not None),
        "folder": made.folder,
        "levels": made.levels,
        "told": made.told,
    }
    if as_json:
        typer.echo(json.dumps(exports_table.made_as_json(made.release, **told), indent=2))
    else:
        exports_table.show_made(_out, made.release, **told)


def _state(made: "packages.Made", *, is_elsewhere: bool) -> str:
    """``is_elsewhere``: a folder was asked for, so that nothing need be gone where it was not."""
    if made.is_new:
        return "made"
    if made.is_rebuilt:
        return "the same again, in this folder" if is_elsewhere else "its files were gone, and are made again"
    return "nothing has changed"


def _asked(
    of: configs.District,
    month: str,
    *,
    pilot: str | None,
    profile: Profile,
    may_be_partial: bool,
    is_strict: bool,
    is_deidentified: bool,
    rosters: tuple[Path, ...],
) -> export_terms.Asked:
    """Raises ConfigError for what does not go together."""
    is_shareable = profile is Profile.SHAREABLE
    _only(Profile.INVENTORY, profile, {"--roster": rosters, "--deidentified": is_deidentified})
    _only(Profile.SHAREABLE, profile, {"--strict": is_strict, "--pilot": pilot is not None})
    if rosters and is_deidentified:
        raise errors.ConfigError(
            "--deidentified names nobody, so it needs no --roster: leave one of them out"
        )
    return export_terms.Asked(
        month=_month(of, month),
        profile=profile.value,
        pilot=None if pilot is None else apps.pilot(_pilot(of, pilot)),
        may_be_partial=may_be_partial,
        is_strict=is_shareable and (is_strict or of.exports.suppression == "strict"),
        is_deidentified=is_deidentified,
        rosters=rosters,
        pseudonymizer=_pseudonymizer(of) if rosters else None,
    )


def _only(wanted: Profile, profile: Profile, options: Mapping[str, object]) -> None:
    """``options``: by name, whether they are given."""
    for option, is_given in options.items():
        if is_given and profile is not wanted:
            raise errors.ConfigError(f"{option} goes with --profile {wanted} only")


def _pseudonymizer(of: configs.District) -> pseudonyms.Pseudonymizer:
    found = importing.pseudonymizer(of)
    if found is None:
        raise errors.ConfigError(
            f"district {of.id}: a roster says who is who by pseudonym_key_file, and there is none in the configuration"
        )
    return found


def _month(of: configs.District, text: str) -> months.Month:
    if text == LAST:
        return months.latest_settled(apps.utc_now(), of.time_zone, of.exports.settle_days)
    try:
        return months.parse(text)
    except months.MonthInvalid as error:
        raise errors.ConfigError(f"{error}, or {LAST} for the latest that has settled") from error


def _pilot(of: configs.District, name: str) -> configs.Pilot:
    for pilot in of.pilots:
        if pilot.name == name:
            return pilot
    listed = ", ".join(repr(pilot.name) for pilot in of.pilots) or "none"
    raise errors.ConfigError(f"district {of.id}: there is no pilot {name!r}; known: {listed}")


async def _made(
    config: configs.Config, of: configs.District, asked: export_terms.Asked, folder: Path | None
) -> "packages.Made":
    terms, maker = exporting.terms(config, of, folder), exporting.maker()
    async with apps.with_config(config) as ready:
        await _check_pilot(ready, of, asked)
        with steps.shown() as told:
            made: packages.Made = await maker.make(
                ready.pool, terms, asked, clock=apps.utc_now, progress=told
            )
    return made


async def _check_pilot(ready: apps.Opened, of: configs.District, asked: export_terms.Asked) -> None:
    if asked.pilot is None:
        return
    ids = [*asked.pilot.schools, *asked.pilot.comparison]
    if unknown := await pilot_rows.unknown_schools(ready.pool, of.id, ids):
        raise errors.ConfigError(
            f"pilot {asked.pilot.name!r}: no school is imported with the NCES id {', '.join(unknown)}: correct the "
            "configuration, or afterbell import schools"
        )


def exports(
    context: typer.Context,
    as_json: chosen.AsJson = False,
    district: chosen.DistrictId = None,
) -> None:
    """List the packages that were issued, the first first."""
    told = asyncio.run(_listed(apps.loaded(context.obj), district, as_json))
    if as_json:
        typer.echo(json.dumps({"packages": told}, indent=2))


async def _listed(config: configs.Config, district_id: int | None, as_json: bool) -> list[dict[str, Any]]:
    told = []
    async with apps.with_config(config) as ready:
        for of in asked_districts(config, district_id):
            found = await releases.all_of(ready.pool, of.id)
            levels = await release_levels.of(ready.pool, of.id)
            told += [exports_table.as_json(one, levels.get(one.release_id, {})) for one in found]
            if not as_json:
                exports_table.show(_out, of.name, ZoneInfo(of.time_zone), found, levels)
    return told


def asked_districts(config: configs.Config, district_id: int | None) -> list[configs.District]:
    """Those of the configuration, or the one that is asked for. Raises ConfigError where it is not there."""
    found = [district for district in config.districts if district_id in (None, district.id)]
    if not found:
        listed = ", ".join(str(district.id) for district in config.districts)
        raise errors.ConfigError(f"there is no district {district_id}: the configuration has {listed}")
    return found


def instant(of: configs.District, day: datetime | None) -> datetime | None:
    """The first moment of a day, in the district's zone."""
    return None if day is None else day.replace(tzinfo=ZoneInfo(of.time_zone))
