"""``afterbell import``: files of the district and of carriers' portals, from the command line."""

import asyncio
import contextlib
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich import console, progress, table, text

from collectors.kajeet import export_csv
from service import app as apps
from service import config as configs
from service import errors
from service.imports import (
    calendars,
    kajeet,
    loans,
    need,
    outcomes,
    periods,
    pseudonym_keys,
    rows,
    schools,
    usage,
    usage_maps,
)
from service.store import source as sources

ROWS_REJECTED = errors.ImportRejected.exit_code
PRINTED = 50  # problems
LONGEST_CELL = 240  # characters

app = typer.Typer(
    help="Read a file into the database. The same file twice changes nothing.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(help="A CSV file, or a spreadsheet.", show_default=False)]
DistrictId = Annotated[
    int | None, typer.Option("--district", help="The district's id, if there are several.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would come of it, and keep nothing.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="Print this many problems at most.")]

Import = Callable[[apps.Opened, configs.District, date, rows.Progress], Awaitable[outcomes.Outcome]]


@app.command("schools")
def import_schools(
    context: typer.Context,
    file: File,
    district: DistrictId = None,
    dry_run: DryRun = False,
    limit: Limit = PRINTED,
) -> None:
    """The schools: ncessch, name, high_needs, high_needs_basis."""
    _import(context, district, limit, _records(schools.run, file, dry_run))


@app.command("need")
def import_need(
    context: typer.Context,
    file: File,
    district: DistrictId = None,
    dry_run: DryRun = False,
    limit: Limit = PRINTED,
) -> None:
    """Need of each school: ncessch, as_of, enrolled, answered, need."""
    _import(context, district, limit, _records(need.run, file, dry_run))


@app.command("calendar")
def import_calendar(
    context: typer.Context,
    file: File,
    district: DistrictId = None,
    dry_run: DryRun = False,
    limit: Limit = PRINTED,
) -> None:
    """The school year: starts_on, ends_on, kind, ncessch."""
    _import(context, district, limit, _records(calendars.run, file, dry_run))


@app.command("loans")
def import_loans(
    context: typer.Context,
    file: File,
    full: Annotated[
        bool, typer.Option("--full", help="The file has every open loan: close those it lacks.")
    ] = False,
    district: DistrictId = None,
    dry_run: DryRun = False,
    limit: Limit = PRINTED,
) -> None:
    """Loans: device, ncessch, borrower, household, checked_out_on, due_on, returned_on, device_kind."""

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        key = pseudonym_keys.load(of.pseudonym_key_file) if of.pseudonym_key_file else None
        return await loans.run(
            opened.pool,
            of.id,
            file,
            pseudonymizer=key,
            today=today,
            full=full,
            dry_run=dry_run,
            progress=told,
        )

    _import(context, district, limit, run)


@app.command("usage")
def import_usage(
    context: typer.Context,
    file: File,
    map_name: Annotated[
        str, typer.Option("--map", help=f"A map's file, or one of: {', '.join(usage_maps.shipped())}.")
    ],
    period: Annotated[
        str | None, typer.Option(help="FIRST:LAST day of the file's figures, where it has no dates.")
    ] = None,
    new_lines: Annotated[
        bool, typer.Option("--new-lines", help="Make lines that no source knows, instead of refusing them.")
    ] = False,
    district: DistrictId = None,
    dry_run: DryRun = False,
    limit: Limit = PRINTED,
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

    _import(context, district, limit, run)


@app.command("kajeet")
def import_kajeet(
    context: typer.Context,
    file: File,
    account: Annotated[str, typer.Option(help="The account that the file belongs to.")],
    as_of: Annotated[
        str, typer.Option(help="When the portal made the file, as 2026-10-05T15:30 (the district's time).")
    ],
    headers: Annotated[
        Path | None,
        typer.Option(help="A TOML file that maps the file's headers to the documented columns."),
    ] = None,
    district: DistrictId = None,
    dry_run: DryRun = False,
    limit: Limit = PRINTED,
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

    _import(context, district, limit, run)


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


def _records(imported: Callable[..., Awaitable[outcomes.Outcome]], file: Path, dry_run: bool) -> Import:
    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        return await imported(opened.pool, of.id, file, today=today, dry_run=dry_run, progress=told)

    return run


def _import(context: typer.Context, district_id: int | None, limit: int, run: Import) -> None:
    """Run the import and print what came of it. Exit code 4 where rows were rejected."""
    outcome = asyncio.run(_opened(context.obj, district_id, run))
    show(outcome, limit)
    if outcome.rejected:
        raise typer.Exit(ROWS_REJECTED)


async def _opened(config_path: Path | None, district_id: int | None, run: Import) -> outcomes.Outcome:
    async with apps.opened(config_path) as opened:
        district = chosen(opened.config, district_id)
        today = datetime.now(ZoneInfo(district.time_zone)).date()
        with _counting_rows() as told:
            return await run(opened, district, today, told)


def chosen(config: configs.Config, district_id: int | None) -> configs.District:
    """The district of the id, or the only one. Raises ConfigError that lists them."""
    found = [district for district in config.districts if district_id in (None, district.id)]
    if len(found) != 1:
        known = ", ".join(f"{district.id} ({district.name})" for district in config.districts) or "none"
        raise errors.ConfigError(f"name a district with --district ID; the configuration has {known}")
    return found[0]


@contextlib.contextmanager
def _counting_rows() -> Iterator[rows.Progress]:
    """Shows the rows read so far, where a person looks on."""
    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.completed:,.0f} rows"),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=console.Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda count: shown.update(task, completed=count)


def show(outcome: outcomes.Outcome, limit: int) -> None:
    """Print problems, warnings and counts."""
    out = console.Console(highlight=False)
    _show_list(out, "Rejected:", outcome.problems, limit)
    _show_list(out, "Accepted, but worth a look:", outcome.warnings, limit)
    if outcome.ignored_columns:
        out.print(_plain(f"Ignored columns: {', '.join(outcome.ignored_columns)}"))
    out.print(summary(outcome))


def summary(outcome: outcomes.Outcome) -> str:
    """One line: what the file did, or would do."""
    names = ("added", "changed", "unchanged", "repeated", "removed", "closed")
    counts = [f"; {count:,} {name}" for name in names if (count := getattr(outcome, name))]
    dry = " (dry run: nothing was kept)" if outcome.is_dry_run else ""
    rows_told = f"{outcome.accepted:,} rows accepted, {outcome.rejected:,} rejected"
    return f"{outcome.kind}: {rows_told}{''.join(counts)}{dry}"


def _show_list(out: console.Console, title: str, problems: tuple[outcomes.Problem, ...], limit: int) -> None:
    if problems and limit:
        found = table.Table("Row", "Column", "Value", "Reason", title=title, title_justify="left")
        for problem in problems[:limit]:
            shown = (str(problem.row or ""), problem.column, problem.value or "", problem.reason)
            found.add_row(*map(_plain, shown))
        out.print(found)
    if len(problems) > limit:
        out.print(f"{title} {len(problems) - limit:,} more (--limit prints more)")


def _plain(cell: str) -> text.Text:
    """A file's text, never taken for markup or for a command to the terminal."""
    short = cell if len(cell) <= LONGEST_CELL else cell[:LONGEST_CELL] + "..."
    return text.Text("".join(letter if letter.isprintable() else "?" for letter in short))
