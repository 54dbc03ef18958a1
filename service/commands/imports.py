"""``afterbell import``: files of the district and of carriers' portals, from the command line."""

import asyncio
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich import console, table

from collectors.kajeet import export_csv
from service import app as apps
from service import config as configs
from service import errors
from service.commands import importing, loans, program, roster
from service.commands import need as need_commands
from service.imports import (
    kajeet,
    need,
    outcomes,
    periods,
    rows,
    schools,
    undoing,
    usage,
    usage_maps,
)
from service.store import imports as import_rows
from service.store import source as sources

app = typer.Typer(
    help="Read a file into the database. The same file twice changes nothing.", no_args_is_help=True
)
app.command("loans")(loans.import_loans)
app.command("snipe-it")(loans.import_snipe_it)
app.command("roster")(roster.import_roster)
app.command("answers")(need_commands.import_answers)
app.command("ed-fi")(need_commands.import_ed_fi)
app.command("high-needs")(program.import_high_needs)
app.command("calendar")(program.import_calendar)
app.command("plans")(program.import_plans)
app.command("line-plans")(program.import_line_plans)
app.command("supports")(program.import_supports)
app.command("waitlist")(program.import_waitlist)

_out = console.Console(highlight=False)


@app.command("schools")
def import_schools(
    context: typer.Context,
    file: importing.File,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """The schools: ncessch, name, high_needs, high_needs_basis, indicator, indicator_value, indicator_year."""
    importing.run(context, district, limit, importing.records(schools.run, file, dry_run))


@app.command("need")
def import_need(
    context: typer.Context,
    file: importing.File,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Need of each school: ncessch, as_of, enrolled, answered, need."""
    importing.run(context, district, limit, importing.records(need.run, file, dry_run))


@app.command("usage")
def import_usage(
    context: typer.Context,
    file: importing.File,
    map_name: Annotated[
        str, typer.Option("--map", help=f"A map's file, or one of: {', '.join(usage_maps.shipped())}.")
    ],
    period: Annotated[
        str | None, typer.Option(help="FIRST:LAST day of the file's figures, where it has no dates.")
    ] = None,
    new_lines: Annotated[
        bool, typer.Option("--new-lines", help="Make lines that no source knows, instead of refusing them.")
    ] = False,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """A carrier's usage file, laid out as a map says."""
    usage_map = usage_maps.load(map_name)
    given = None if period is None else periods.given(period)

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        return await usage.run(
            opened.pool,
            of.id,
            file,
            usage_map=usage_map,
            today=today,
            period=given,
            reading_months=opened.config.reading_months,
            new_lines=new_lines,
            dry_run=dry_run,
            progress=told,
        )

    importing.run(context, district, limit, run)


@app.command("kajeet")
def import_kajeet(
    context: typer.Context,
    file: importing.File,
    account: Annotated[str, typer.Option(help="The account that the file belongs to.")],
    as_of: Annotated[
        str, typer.Option(help="When the portal made the file, as 2026-10-05T15:30 (the district's time).")
    ],
    headers: Annotated[
        Path | None,
        typer.Option(help="A TOML file that maps the file's headers to the documented columns."),
    ] = None,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """The CSV export of devices from Kajeet's portal."""
    layout = export_csv.Layout(headers=_headers(headers))

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        return await kajeet.run(
            opened.pool,
            _source(opened, of, account),
            file,
            as_of=_instant(as_of, of.time_zone),
            now=datetime.now(UTC),
            today=today,
            reading_months=opened.config.reading_months,
            layout=layout,
            dry_run=dry_run,
            progress=told,
        )

    importing.run(context, district, limit, run)


def _headers(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise errors.ConfigError(f"cannot read the headers in {path}: {error}") from error
    if not all(isinstance(column, str) for column in found.values()):
        raise errors.ConfigError(
            f'{path}: each line maps one header, as "Last 30 Days Used" = "LAST_30_DAYS_USED"'
        )
    return found


def _source(opened: apps.Opened, of: configs.District, key: str) -> sources.Source:
    source = opened.sources.get((of.id, key))
    if source is None:
        known = ", ".join(account.key for account in of.accounts) or "none"
        raise errors.ConfigError(f"district {of.id} has no account {key}; known: {known}")
    return source


def _instant(text: str, time_zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise errors.ConfigError(f"--as-of {text} is not an instant such as 2026-10-05T15:30") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


@app.command("undo")
def undo_import(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Argument(help="Of this kind, such as loans; left out: of any.", show_default=False)
    ] = None,
    district: importing.DistrictId = None,
) -> None:
    """Take back the newest import that changed anything: every row is as it was before."""
    undone = asyncio.run(_undo(context.obj, district, kind))
    rows = f"{undone.rows:,} row(s) are as they were before"
    _out.print(f"undid the import of {undone.kind} of {undone.imported_at:%Y-%m-%d %H:%M} UTC: {rows}")


async def _undo(config_path: Path | None, district_id: int | None, kind: str | None) -> undoing.Undone:
    async with apps.opened(config_path) as opened:
        district = importing.chosen(opened.config, district_id)
        today = datetime.now(ZoneInfo(district.time_zone)).date()
        return await undoing.run(opened.pool, district.id, kind, today=today)


@app.command("history")
def import_history(
    context: typer.Context,
    district: importing.DistrictId = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show this many at most.")] = 20,
) -> None:
    """What was imported when, the newest first, and what can be undone."""
    past = asyncio.run(_history(context.obj, district, limit))
    found = table.Table("imported at (UTC)", "kind", "accepted", "rejected", "changed", "")
    for one in past:
        state = (
            f"undone {one.undone_at:%Y-%m-%d %H:%M}" if one.undone_at else "can be undone" * one.is_undoable
        )
        counts = (f"{count:,}" for count in (one.rows_accepted, one.rows_rejected, one.rows_changed))
        found.add_row(f"{one.imported_at:%Y-%m-%d %H:%M}", one.kind, *counts, state)
    _out.print(found if past else "nothing has been imported")


async def _history(config_path: Path | None, district_id: int | None, most: int) -> list[import_rows.Past]:
    async with apps.opened(config_path) as opened:
        district = importing.chosen(opened.config, district_id)
        return await import_rows.history(opened.pool, district.id, most=most)
