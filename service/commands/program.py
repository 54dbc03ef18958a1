"""``afterbell import`` of a program's records: high-needs, the calendar, plans, other supports, waitlists."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from service import app as apps
from service import config as configs
from service import errors
from service.commands import importing
from service.imports import (
    calendar_events,
    calendar_words,
    calendars,
    ccd,
    cells,
    high_needs,
    icalendar_days,
    line_plans,
    outcomes,
    plans,
    rows,
    shares,
    supports,
    waitlists,
)
from service.model import high_needs as rules


def import_high_needs(
    context: typer.Context,
    rule: Annotated[
        str, typer.Option(help="Such as frpl>=0.75, isp>=40%, direct_cert>0.4, title1 or title1_schoolwide.")
    ],
    year: Annotated[str, typer.Option(help="The school year of the figures, such as 2024-25.")],
    lunch: Annotated[Path | None, typer.Option(help="NCES's ccd_sch_033 file, CSV or zip.")] = None,
    membership: Annotated[Path | None, typer.Option(help="NCES's ccd_sch_052 file, CSV or zip.")] = None,
    characteristics: Annotated[Path | None, typer.Option(help="NCES's ccd_sch_129 file, CSV or zip.")] = None,
    list_path: Annotated[
        Path | None, typer.Option("--list", help="Your own shares: ncessch, indicator, value.")
    ] = None,
    cep_rule: Annotated[
        str | None,
        typer.Option(help="The rule for CEP schools, where FRPL says nothing: direct_cert or isp."),
    ] = None,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Decide by a rule which schools are high-needs."""
    request = high_needs.Request(
        usual=_rule("--rule", rule),
        in_cep=None if cep_rule is None else _rule("--cep-rule", cep_rule),
        year=_year(year),
        files=ccd.Files(lunch, membership, characteristics),
        list_path=list_path,
    )
    high_needs.check(request)

    async def run(
        opened: apps.Opened, of: configs.District, today: date, told: rows.Progress
    ) -> outcomes.Outcome:
        return await high_needs.run(opened.pool, of.id, request, today=today, dry_run=dry_run, progress=told)

    importing.run(context, district, limit, run)


def _rule(option: str, text: str) -> rules.Rule:
    try:
        return rules.rule(text)
    except rules.Invalid as error:
        raise errors.ConfigError(f"{option} {text}: {error}") from error


def _year(text: str) -> str:
    try:
        return shares.year(text)
    except cells.Invalid as error:
        raise errors.ConfigError(f"--year {text} {error}") from error


def import_calendar(
    context: typer.Context,
    file: importing.File,
    words: Annotated[
        str, typer.Option(help="Of an iCalendar file: what its titles mean. A TOML file, or english.")
    ] = calendar_words.SHIPPED,
    first: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day of school.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day of school.")
    ] = None,
    ncessch: Annotated[str | None, typer.Option(help="The one school whose iCalendar file it is.")] = None,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """The school year: starts_on, ends_on, kind, ncessch; or an iCalendar file (.ics)."""
    if file.suffix.lower() not in icalendar_days.SUFFIXES:
        if first or last or ncessch or words != calendar_words.SHIPPED:
            raise errors.ConfigError(
                "--words, --first, --last and --ncessch go with an iCalendar file (.ics)"
            )
        importing.run(context, district, limit, importing.records(calendars.run, file, dry_run))
        return
    asked = calendar_events.Asked(calendar_words.load(words), _day(first), _day(last), ncessch)

    async def run(
        opened: apps.Opened, of: configs.District, today: date, _told: rows.Progress
    ) -> outcomes.Outcome:
        return await calendar_events.run(opened.pool, of.id, file, asked, today=today, dry_run=dry_run)

    importing.run(context, district, limit, run)


def _day(told: datetime | None) -> date | None:
    return None if told is None else told.date()


def import_plans(
    context: typer.Context,
    file: importing.File,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Plans that are not in the configuration: plan, allowance_gb, period, at_allowance, monthly_cost and more."""
    importing.run(context, district, limit, importing.records(plans.run, file, dry_run))


def import_line_plans(
    context: typer.Context,
    file: importing.File,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Which plan a line is on: line (ICCID or number), plan."""
    importing.run(context, district, limit, importing.records(line_plans.run, file, dry_run))


def import_supports(
    context: typer.Context,
    file: importing.File,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Other supports: ncessch, kind, name, weekly_hours, starts_on, ends_on."""
    importing.run(context, district, limit, importing.records(supports.run, file, dry_run))


def import_waitlist(
    context: typer.Context,
    file: importing.File,
    district: importing.DistrictId = None,
    dry_run: importing.DryRun = False,
    limit: importing.Limit = importing.PRINTED,
) -> None:
    """Unfilled requests: ncessch, as_of, requests."""
    importing.run(context, district, limit, importing.records(waitlists.run, file, dry_run))
