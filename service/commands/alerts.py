"""``afterbell alerts``: what is open, what became of an alert, and seeing to it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from service import app as apps
from service import config as configs
from service import errors
from service.alerting import rules as district_rules
from service.commands import chosen
from service.commands import rules as rule_commands
from service.printed import alerts as alerts_table
from service.store import alert_subjects
from service.store import alerts as alert_rows

_out = Console()
_LISTED = 20  # schools that an error names

app = typer.Typer(help="Alerts: list them, read their history, see to them.", no_args_is_help=True)
AlertId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The alert's id, as the list shows it.")]


class State(StrEnum):
    PENDING = "pending"
    FIRING = "firing"
    HELD = "held"
    CLEAR = "clear"


class Role(StrEnum):
    IT = "it"
    COORDINATOR = "coordinator"
    SCHOOL = "school"
    FINANCE = "finance"


As = Annotated[Role, typer.Option("--as", help="Whose work it is; the history says so.")]


@dataclass(frozen=True)
class _Found:
    ready: apps.Opened
    district: configs.District
    alert: alert_rows.Alert

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.district.time_zone)


@app.command("list")
def list_alerts(
    context: typer.Context,
    rule: Annotated[str | None, typer.Option(help="Only of this rule, such as idle_30.")] = None,
    school: Annotated[
        str | None, typer.Option(metavar="NCESSCH", help="Only of this school, by its NCES id.")
    ] = None,
    state: Annotated[
        list[State] | None, typer.Option(help="In this state; may be repeated. Firing and held unless given.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many of each district.")] = 100,
    district: chosen.DistrictId = None,
    as_json: chosen.AsJson = False,
) -> None:
    """List alerts, the most severe first, by internal ids."""
    states = [one.value for one in state] if state else list(alert_rows.OPEN)
    told = asyncio.run(_list(apps.loaded(context.obj), rule, school, states, limit, district, as_json))
    if as_json:
        typer.echo(json.dumps({"districts": told}, indent=2))


async def _list(
    config: configs.Config,
    rule: str | None,
    school: str | None,
    states: list[str],
    limit: int,
    district_id: int | None,
    is_quiet: bool,
) -> list[dict[str, Any]]:
    told = []
    async with apps.with_config(config) as ready:
        asked = rule_commands.chosen_districts(config, district_id)
        await _check_rule(ready, asked, rule)
        await _check_school(ready, asked, school)
        for district in asked:
            found = await alert_rows.listed(
                ready.pool, district.id, rule=rule, ncessch=school, states=states, limit=limit
            )
            told.append({"district": district.id, "alerts": alerts_table.as_json(found)})
            if not is_quiet:
                title = f"{district.name}: alerts"
                alerts_table.show(_out, title, found, ZoneInfo(district.time_zone))
    return told


async def _check_rule(ready: apps.Opened, asked: Sequence[configs.District], rule: str | None) -> None:
    """Raise ConfigError where no district has the rule, nor has an alert of it from when it had."""
    known = {name: None for district in asked for name in district_rules.adjusted(apps.rule_choice(district))}
    if rule is None or rule in known:
        return
    for district in asked:
        if await alert_subjects.has_rule(ready.pool, district.id, rule):
            return
    raise errors.ConfigError(f"there is no rule {rule}: known are {', '.join(known)}")


async def _check_school(ready: apps.Opened, asked: Sequence[configs.District], school: str | None) -> None:
    """Raise ConfigError where no district has the school."""
    if school is None:
        return
    known: dict[str, str] = {}
    for district in asked:
        known |= await alert_subjects.schools(ready.pool, district.id)
    if school in known:
        return
    listed = ", ".join(f"{ncessch} ({name})" for ncessch, name in list(known.items())[:_LISTED])
    more = (
        f" and {len(known) - _LISTED:,} more, see afterbell coverage --json" if len(known) > _LISTED else ""
    )
    raise errors.ConfigError(f"there is no school {school}: known are {listed or 'none'}{more}")


@app.command("history")
def history(
    context: typer.Context,
    alert_id: AlertId,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="Show IMEI, serial, ICCID and MDN, on the terminal only.")
    ] = False,
    as_json: chosen.AsJson = False,
) -> None:
    """Read an alert's history aloud: everything that became of it, in order."""
    if identifiers and as_json:
        raise typer.BadParameter("--identifiers is for the terminal: leave out --json")
    asyncio.run(_history(context.obj, alert_id, identifiers, as_json))


async def _history(config_path: Path | None, alert_id: int, with_identifiers: bool, as_json: bool) -> None:
    async with apps.opened(config_path) as ready:
        found = await _find(ready, alert_id)
        flips = await alert_rows.history(ready.pool, found.district.id, alert_id)
        named = await alert_subjects.identifiers(ready.pool, found.alert) if with_identifiers else None
    if as_json:
        typer.echo(json.dumps(alerts_table.history_as_json(found.alert, flips), indent=2))
        return
    rule = district_rules.adjusted(apps.rule_choice(found.district)).get(found.alert.rule)
    title = "a rule that is no longer there" if rule is None else rule.title
    alerts_table.show_history(_out, found.alert, title, flips, found.zone)
    if named is not None:
        alerts_table.show_identifiers(_out, named)


@app.command("acknowledge")
def acknowledge(
    context: typer.Context,
    alert_id: AlertId,
    role: As = Role.IT,
    undo: Annotated[bool, typer.Option("--undo", help="Take an acknowledgement back.")] = False,
) -> None:
    """Say that somebody sees to an alert: no reminders and no escalation until it clears."""
    asyncio.run(_acknowledge(context.obj, alert_id, role.value, undo))


async def _acknowledge(config_path: Path | None, alert_id: int, role: str, undo: bool) -> None:
    async with apps.opened(config_path) as ready:
        found = await _find(ready, alert_id)
        act = alert_rows.unacknowledge if undo else alert_rows.acknowledge
        if not await act(ready.pool, found.district.id, alert_id, now=apps.utc_now(), actor=role):
            raise errors.AfterbellError(
                _nothing_to_do(found.alert, "not acknowledged" if undo else "acknowledged already")
            )
    _say(f"alert {alert_id} is {'no longer ' if undo else ''}acknowledged")


@app.command("snooze")
def snooze(
    context: typer.Context,
    alert_id: AlertId,
    days: Annotated[int | None, typer.Option(min=1, max=366, help="For how many days from now.")] = None,
    role: As = Role.IT,
    undo: Annotated[bool, typer.Option("--undo", help="End a snooze before its time.")] = False,
) -> None:
    """Hear nothing of an alert for some days, or until it clears."""
    if (days is None) is not undo:
        raise typer.BadParameter("give --days, or --undo to end a snooze")
    asyncio.run(_snooze(context.obj, alert_id, days, role.value))


async def _snooze(config_path: Path | None, alert_id: int, days: int | None, role: str) -> None:
    async with apps.opened(config_path) as ready:
        found = await _find(ready, alert_id)
        now = apps.utc_now()
        if not await _snoozed(found, now=now, days=days, role=role):
            raise errors.AfterbellError(_nothing_to_do(found.alert, "not snoozed"))
    until = (
        "" if days is None else f" until {(now + timedelta(days=days)).astimezone(found.zone):%Y-%m-%d %H:%M}"
    )
    _say(f"alert {alert_id} is {'snoozed' if days else 'no longer snoozed'}{until}")


async def _snoozed(found: _Found, *, now: datetime, days: int | None, role: str) -> bool:
    pool, place = found.ready.pool, (found.district.id, found.alert.alert_id)
    if days is None:
        return await alert_rows.wake(pool, *place, now=now, actor=role)
    return await alert_rows.snooze(pool, *place, now=now, until=now + timedelta(days=days), actor=role)


async def _find(ready: apps.Opened, alert_id: int) -> _Found:
    """In whichever district it is. Raises ConfigError where there is no such alert."""
    for district in ready.config.districts:
        alert = await alert_rows.one(ready.pool, district.id, alert_id)
        if alert is not None:
            return _Found(ready, district, alert)
    raise errors.ConfigError(
        f"there is no alert {alert_id}: `afterbell alerts list` shows those that are open"
    )


def _nothing_to_do(alert: alert_rows.Alert, already: str) -> str:
    if alert.state not in alert_rows.OPEN:
        return f"alert {alert.alert_id} is {alert.state}: there is nothing to see to"
    return f"alert {alert.alert_id} is {already}"


def _say(text: str) -> None:
    _out.print(text, markup=False, highlight=False)
