"""What every import command has around it: options, progress, and the printed outcome."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich import console, progress, table, text

from service import app as apps
from service import config as configs
from service import errors
from service.imports import outcomes, pseudonym_keys, rows
from service.model import pseudonyms

ROWS_REJECTED = errors.ImportRejected.exit_code
PRINTED = 50  # problems
LONGEST_CELL = 240  # characters

File = Annotated[Path, typer.Argument(help="A CSV file, or a spreadsheet.", show_default=False)]
DistrictId = Annotated[
    int | None, typer.Option("--district", help="The district's id, if there are several.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would come of it, and keep nothing.")]
Limit = Annotated[int, typer.Option("--limit", min=0, help="Print this many problems at most.")]

Import = Callable[[apps.Opened, configs.District, date, rows.Progress], Awaitable[outcomes.Outcome]]


def run(context: typer.Context, district_id: int | None, limit: int, do: Import) -> None:
    """Run the import and print what came of it. Exit code 4 where rows were rejected."""
    outcome = asyncio.run(_opened(context.obj, district_id, do))
    show(outcome, limit)
    if outcome.rejected:
        raise typer.Exit(ROWS_REJECTED)


async def _opened(config_path: Path | None, district_id: int | None, do: Import) -> outcomes.Outcome:
    async with apps.opened(config_path) as opened:
        district = chosen(opened.config, district_id)
        today = datetime.now(ZoneInfo(district.time_zone)).date()
        with _counting_rows() as told:
            return await do(opened, district, today, told)


def records(imported: Callable[..., Awaitable[outcomes.Outcome]], file: Path, dry_run: bool) -> Import:
    """An import that needs no more than the file."""

    async def do(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        return await imported(opened.pool, of.id, file, today=today, dry_run=dry_run, progress=told)

    return do


def pseudonymizer(of: configs.District) -> pseudonyms.Pseudonymizer | None:
    """By the district's key file; None where it has none."""
    return pseudonym_keys.load(of.pseudonym_key_file) if of.pseudonym_key_file else None


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
    out = console.Console(highlight=False, markup=False)
    _show_list(out, "Rejected:", outcome.problems, limit)
    _show_list(out, "Accepted, but worth a look:", outcome.warnings, limit)
    if outcome.ignored_columns:
        out.print(_plain(f"Ignored columns: {', '.join(outcome.ignored_columns)}"))
    out.print(summary(outcome))


def summary(outcome: outcomes.Outcome) -> str:
    """What the file did, or would do: by rows, and in the words of its kind where that says more."""
    names = ("added", "changed", "unchanged", "repeated", "removed", "closed")
    counts = [f"; {count:,} {name}" for name in names if (count := getattr(outcome, name))]
    dry = " (dry run: nothing was kept)" if outcome.is_dry_run else ""
    rows_told = f"{outcome.accepted:,} rows accepted, {outcome.rejected:,} rejected"
    said = f"\n{', '.join(outcome.said)}" if outcome.said else ""
    return f"{outcome.kind}: {rows_told}{''.join(counts)}{dry}{said}"


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
