"""``afterbell import loans`` and ``snipe-it``: loans from files, and from the systems that keep them."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from collectors import budget
from collectors.snipe_it import api as snipe_it_api
from collectors.snipe_it import lists
from service import app as apps
from service import config as configs
from service import errors
from service.commands import importing
from service.imports import loan_maps, loans, outcomes, rows, snipe_it

Full = Annotated[bool, typer.Option("--full", help="The file has every open loan: close those it lacks.")]


def import_loans(
    context: typer.Context,
    file: importing.File,
    map_name: Annotated[
        str, typer.Option("--map", help=f"A map's file, or one of: {', '.join(loan_maps.shipped())}.")
    ] = loan_maps.GENERIC,
    schools: Annotated[
        Path | None,
        typer.Option(help="A file with the columns site and ncessch: which school a site of the system is."),
    ] = None,
    full: Full = False,
    source: Annotated[
        str | None, typer.Option(help="Which system the loans are of, instead of the map's.")
    ] = None,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Loans, from a file that a map explains; without one: device, ncessch, borrower, checked_out_on ..."""
    layout = loans.from_source(loan_maps.load(map_name), source)

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        return await loans.run(
            opened.pool,
            of.id,
            file,
            pseudonymizer=importing.pseudonymizer(of),
            today=today,
            layout=layout,
            schools=schools,
            full=full,
            dry_run=dry_run,
            progress=told,
        )

    importing.run(context, district, limit, run)


def import_snipe_it(
    context: typer.Context,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Loans from Snipe-IT's API, as snipe_it of the district says. Its list is whole: loans it lacks are closed."""

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        source = _source(of)
        found = await _read(source, told)
        choice = snipe_it.Choice(source.categories, source.models, source.lost_statuses, source.schools)
        return await snipe_it.run(
            opened.pool,
            of.id,
            found,
            choice,
            pseudonymizer=importing.pseudonymizer(of),
            today=today,
            dry_run=dry_run,
        )

    importing.run(context, district, limit, run)


async def _read(source: configs.SnipeIt, told: rows.Progress) -> lists.Listed:
    api = snipe_it_api.Api(source.options(), configs.snipe_it_token(source), budgets=budget.LocalBudgets())
    try:
        return await snipe_it.read(api, told)
    finally:
        await api.aclose()


def _source(of: configs.District) -> configs.SnipeIt:
    if of.snipe_it is None:
        raise errors.ConfigError(
            f"district {of.id} has no snipe_it in the configuration: it needs the server's url and token_file"
        )
    return of.snipe_it
