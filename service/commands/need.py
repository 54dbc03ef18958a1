"""``afterbell import answers``, ``afterbell import ed-fi`` and ``afterbell need``: who needs a connection at home."""

import asyncio
import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich import console

from collectors import budget
from collectors.ed_fi import api as ed_fi_api
from service import app as apps
from service import config as configs
from service import errors
from service.commands import importing
from service.imports import answer_maps, ed_fi, need_answers, outcomes, rows
from service.printed import need as need_table
from service.store import answers

AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The date of answers that have none.")
]


def import_answers(
    context: typer.Context,
    file: importing.File,
    map_name: Annotated[
        str, typer.Option("--map", help=f"A map's file, or one of: {', '.join(answer_maps.shipped())}.")
    ] = "ed-fi",
    as_of: AsOf = None,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Answers of students: can they get online at home? Laid out and worded as a map says."""
    answer_map = answer_maps.load(map_name)
    given = None if as_of is None else as_of.date()

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        terms = need_answers.Terms(answer_map, importing.pseudonymizer(of), today, given)
        return await need_answers.run(opened.pool, of.id, file, terms, dry_run=dry_run, progress=told)

    importing.run(context, district, limit, run)


def import_ed_fi(
    context: typer.Context,
    as_of: AsOf = None,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """The same answers from the district's Ed-Fi ODS/API (ed_fi in the configuration)."""
    given = None if as_of is None else as_of.date()

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        source = _source(of)
        answer_map = answer_maps.load(source.map)
        terms = need_answers.Terms(answer_map, importing.pseudonymizer(of), today, given or today)
        found = await _read(source, answer_map, told)
        return await ed_fi.run(opened.pool, of.id, found, terms, dry_run=dry_run)

    importing.run(context, district, limit, run)


async def _read(source: configs.EdFi, answer_map: answer_maps.AnswerMap, told: rows.Progress) -> ed_fi.Read:
    api = ed_fi_api.Api(source.options(), configs.ed_fi_credentials(source), budgets=budget.LocalBudgets())
    try:
        return await ed_fi.read(api, answer_map, source.schools, told)
    finally:
        await api.aclose()


def _source(of: configs.District) -> configs.EdFi:
    if of.ed_fi is None:
        raise errors.ConfigError(
            f"district {of.id} has no ed_fi in the configuration: it needs the API's url and credentials"
        )
    return of.ed_fi


def need(
    context: typer.Context,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day; today unless given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
    district: importing.DistrictId = None,
) -> None:
    """Show who answered at each school, who is in need and why, and how old the answers are."""
    of, on_day, found = asyncio.run(_need(context.obj, district, None if on is None else on.date()))
    if as_json:
        typer.echo(json.dumps(need_table.as_json(of.id, on_day, found), indent=2))
    else:
        need_table.show(console.Console(highlight=False), of.name, on_day, found)


async def _need(
    config_path: Path | None, district_id: int | None, given: date | None
) -> tuple[configs.District, date, Sequence[answers.SchoolAnswers]]:
    async with apps.opened(config_path) as opened:
        district = importing.chosen(opened.config, district_id)
        on_day = given or datetime.now(ZoneInfo(district.time_zone)).date()
        return district, on_day, await answers.answers_summary(opened.pool, district.id, on_day)
