"""``afterbell rules``: which alert rules there are, what each says, and when it would have fired."""

import asyncio
import json
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress

from service import app as apps
from service import config as configs
from service import errors
from service.alerting import rules as district_rules
from service.commands import chosen
from service.model import alert_rules
from service.printed import rules as rules_table
from service.store import alerts as alert_rows
from service.store import equity as equity_rows
from service.store import judging, trials

_out = Console()
_err = Console(stderr=True)
_TRIED = timedelta(days=29)  # a trial's first day before its last, unless told

app = typer.Typer(help="Alert rules: list, explain, and try them over the past.", no_args_is_help=True)
RuleName = Annotated[str, typer.Argument(metavar="RULE", help="Its name, such as idle_30.")]


@app.command("list")
def list_rules(
    context: typer.Context, district: chosen.DistrictId = None, as_json: chosen.AsJson = False
) -> None:
    """List every rule, whether it is in force, and how many are in breach of it."""
    told = asyncio.run(_list(apps.loaded(context.obj), district, as_json))
    if as_json:
        typer.echo(json.dumps({"districts": told}, indent=2))


async def _list(config: configs.Config, district_id: int | None, is_quiet: bool) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    async with apps.with_config(config) as ready:
        for district in chosen_districts(config, district_id):
            runs = {run.rule: run for run in await alert_rows.runs(ready.pool, district.id)}
            rules = [(rule, _stands(rule, district)) for rule in _known(district).values()]
            listed = [rules_table.listed_as_json(rule, stands, runs.get(rule.name)) for rule, stands in rules]
            told.append({"district": district.id, "profile": district.alerts.profile, "rules": listed})
            if not is_quiet:
                title = f"{district.name}: alert rules, profile {district.alerts.profile}"
                rules_table.show(_out, title, rules, runs)
    return told


@app.command("explain")
def explain_rule(
    context: typer.Context,
    rule: RuleName,
    query: Annotated[bool, typer.Option("--query", help="With the query itself.")] = False,
    district: chosen.DistrictId = None,
) -> None:
    """Say what a rule looks for, why, when it fires, and what to do."""
    for of in chosen_districts(apps.loaded(context.obj), district):
        found = _rule(of, rule)
        rules_table.explain(_out, found, _stands(found, of), with_query=query)


@app.command("dry-run")
def dry_run(
    context: typer.Context,
    rule: RuleName,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            help="The first day, as 2026-10-01; 30 days up to the last unless given.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The last day; the reported one unless given."),
    ] = None,
    district: chosen.DistrictId = None,
    as_json: chosen.AsJson = False,
) -> None:
    """Try a rule over past days: how often, when and where it would have fired. Changes nothing, tells nobody."""
    first = None if since is None else since.date()
    last = None if until is None else until.date()
    told = asyncio.run(_dry_run(apps.loaded(context.obj), rule, first, last, district, as_json))
    if as_json:
        typer.echo(json.dumps({"districts": told}, indent=2))


async def _dry_run(
    config: configs.Config,
    name: str,
    first: date | None,
    last: date | None,
    district_id: int | None,
    is_quiet: bool,
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    async with apps.with_config(config) as ready:
        for district in chosen_districts(config, district_id):
            rules = _with_needed(district, name)
            if not rules[-1].is_dated:
                _out.print(await _at_present(ready, district, rules), markup=False, highlight=False)
                continue
            days = await _days(ready, district, first, last)
            trial = await _tried(ready, district, rules, *days)
            told.append({"district": district.id, **rules_table.trial_as_json(trial)})
            if not is_quiet:
                rules_table.show_trial(_out, district.name, trial)
    return told


async def _tried(
    ready: apps.Opened, district: configs.District, rules: list[alert_rules.Rule], first: date, last: date
) -> trials.Trial:
    with Progress(console=_err, transient=True) as bars:
        task = bars.add_task(f"{district.name}: {rules[-1].name}", total=(last - first).days + 1)
        try:
            return await trials.over(
                ready.pool,
                district.id,
                rules,
                first=first,
                last=last,
                zone=ZoneInfo(district.time_zone),
                told=lambda day: bars.advance(task),
            )
        except judging.RuleFailed as error:
            raise errors.ConfigError(f"the rule {rules[-1].name} fails: {error}") from error


async def _at_present(ready: apps.Opened, district: configs.District, rules: list[alert_rules.Rule]) -> str:
    name = rules[-1].name
    try:
        count = await trials.at_present(ready.pool, district.id, rules, now=apps.utc_now())
    except judging.RuleFailed as error:
        raise errors.ConfigError(f"the rule {name} fails: {error}") from error
    return f"{district.name}: {name} judges the present alone: now {count:,} in breach"


async def _days(
    ready: apps.Opened, district: configs.District, first: date | None, last: date | None
) -> tuple[date, date]:
    """The days to try; unless told the last ones, as far as there are figures. Raises ConfigError where there are no
    figures for one."""
    known = await equity_rows.computed(ready.pool, district.id)
    reported = {
        one.district_id: one.reported_on
        for one in await equity_rows.districts(ready.pool, now=apps.utc_now())
    }
    reported_on = reported.get(district.id)
    if known is None or reported_on is None:
        raise errors.ConfigError(f"{district.name} has no figures yet: afterbell poll makes them")
    until = reported_on if last is None else last
    if first is None:
        first = max(known[0], until - _TRIED)
    if not known[0] <= first <= until <= reported_on:
        raise errors.ConfigError(
            f"{district.name} has figures from {known[0]} to {reported_on}: choose days among these, "
            f"the first before the last"
        )
    return first, until


def chosen_districts(config: configs.Config, district_id: int | None) -> list[configs.District]:
    """Those of the configuration, or the one that is asked for. Raises ConfigError where it is not there."""
    found = [one for one in config.districts if district_id in (None, one.id)]
    if not found:
        listed = ", ".join(str(one.id) for one in config.districts)
        raise errors.ConfigError(f"there is no district {district_id}: the configuration has {listed}")
    return found


def _known(district: configs.District) -> dict[str, alert_rules.Rule]:
    return district_rules.adjusted(apps.rule_choice(district))


def _rule(district: configs.District, name: str) -> alert_rules.Rule:
    known = _known(district)
    if name not in known:
        raise errors.ConfigError(f"there is no rule {name}: known are {', '.join(known)}")
    return known[name]


def _with_needed(district: configs.District, name: str) -> list[alert_rules.Rule]:
    """The rule, after all that it needs, in force or not: it is only tried."""
    _rule(district, name)
    return list(district_rules.with_needed(_known(district), name))


def _stands(rule: alert_rules.Rule, district: configs.District) -> str:
    return rules_table.standing(rule, district.alerts.profile, district.alerts.off)
