"""``afterbell import roster``: who is enrolled where, from a OneRoster export."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import console, table

from service import app as apps
from service import config as configs
from service.commands import importing
from service.imports import oneroster, oneroster_keys, outcomes, rows
from service.model import grades
from service.store import enrollment_imports

_out = console.Console(highlight=False)


def import_roster(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(help="A zip, or the folder that holds its files.", show_default=False)
    ],
    key: Annotated[
        str | None,
        typer.Option("--key", help="sourcedId, identifier or userId:TYPE; else the district's student_key."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day of the export; today unless given."),
    ] = None,
    schools: Annotated[
        Path | None,
        typer.Option("--schools", help="A file of sourcedId and ncessch: which school an org is."),
    ] = None,
    many_left: Annotated[
        bool, typer.Option("--many-left", help="More than a third of the students have really left.")
    ] = False,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Enrolled students by school and grade: OneRoster 1.1 or 1.2."""
    enrolled: list[enrollment_imports.SchoolBands] = []

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        imported = await oneroster.run(
            opened.pool,
            of.id,
            path,
            pseudonymizer=importing.pseudonymizer(of),
            wanted=oneroster.Wanted(
                key=oneroster_keys.named(key or of.student_key),
                as_of=as_of.date() if as_of else today,
                schools=schools,
                many_left=many_left,
            ),
            today=today,
            dry_run=dry_run,
            progress=told,
        )
        enrolled.extend(imported.enrolled)
        return imported.outcome

    try:
        importing.run(context, district, limit, run)
    finally:
        if enrolled:
            _out.print(_by_band(enrolled))


def _by_band(enrolled: Sequence[enrollment_imports.SchoolBands]) -> table.Table:
    found = table.Table("school", *(f"{band}" for band in grades.Band), "enrolled")
    for column in found.columns[1:]:
        column.justify = "right"
    for school in enrolled:
        counts = (school.bands.get(band, 0) for band in grades.Band)
        found.add_row(school.name, *(f"{count:,}" for count in counts), f"{school.enrolled:,}")
    return found
