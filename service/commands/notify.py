"""``afterbell notify``."""

import asyncio
import contextlib
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from service import app as apps
from service import config as configs
from service import delivery, errors
from service.alerting import channels, deliver, messages
from service.commands import chosen
from service.store import embedded, notifications

_out = Console(highlight=False)

ChannelKey = Annotated[str | None, typer.Option("--channel", help="Only this channel, by its key.")]
Test = Annotated[bool, typer.Option("--test", help="Send a message that says it is a test.")]


def notify(
    context: typer.Context,
    test: Test = False,
    channel: ChannelKey = None,
    district: chosen.DistrictId = None,
) -> None:
    """Show how each channel of messages fares, or send a test message to each."""
    config = apps.loaded(context.obj)
    asked = _asked(delivery.districts(config), district, channel)
    if test:
        if not asyncio.run(_tested(config, asked)):
            raise typer.Exit(1)
    else:
        asyncio.run(_shown(config, asked))


_Asked = list[tuple[deliver.District, list[channels.Channel]]]


def _asked(districts: list[deliver.District], district_id: int | None, key: str | None) -> _Asked:
    """Raises ConfigError where there is no such district or channel."""
    known = [one for one in districts if district_id in (None, one.district_id)]
    if not known:
        listed = ", ".join(str(one.district_id) for one in districts)
        raise errors.ConfigError(f"there is no district {district_id}: the configuration has {listed}")
    asked = [
        (one, [channel for channel in one.channels.values() if key in (None, channel.route.key)])
        for one in known
    ]
    if not any(channels for _, channels in asked):
        listed = ", ".join(sorted({name for one in known for name in one.channels}))
        if key is not None and listed:
            raise errors.ConfigError(f"there is no channel {key!r}: the configuration has {listed}")
        raise errors.ConfigError("no channel is configured, so nobody is told: see docs/notifications.md")
    return asked


async def _tested(config: configs.Config, asked: _Asked) -> bool:
    """Tell what happened, channel by channel. False: not every one took it."""
    taken, is_good = [], True
    for district, its_channels in asked:
        for channel in its_channels:
            told, is_sent = await _test(district, channel)
            _out.print(f"{_name(district, channel)}: {told}", soft_wrap=True)
            is_good = is_good and is_sent
            if is_sent:
                taken.append((district.district_id, channel.route.key))
    await _record(config, taken)
    return is_good


async def _record(config: configs.Config, taken: list[tuple[int, str]]) -> None:
    """What was mended fails no longer: it may be long until a message proves it. A test needs no database, so one
    that is away, or was never made, is no error."""
    folder = config.database.folder or embedded.default_folder()
    if not taken or (configs.database_url(config.database) is None and not folder.exists()):
        return
    with contextlib.suppress(errors.DatabaseUnavailable):
        async with apps.with_config(config) as ready:
            for district_id, key in taken:
                await notifications.tested(ready.pool, district_id, key, now=apps.utc_now())


async def _test(district: deliver.District, channel: channels.Channel) -> tuple[str, bool]:
    message = messages.test(district.sender, channel.audience, now=apps.utc_now())
    try:
        amiss = await deliver.sent(channel, message, apps.utc_now())
    except channels.NotDelivered as error:
        return f"[red]not sent:[/] {escape(str(error))}", False
    if amiss is not None:
        return f"[yellow]sent, but[/] {escape(amiss)}", False
    return "[green]sent[/]; look whether it arrived", True


def _name(district: deliver.District, channel: channels.Channel) -> str:
    roles = ", ".join(channel.route.roles)
    return f"{escape(district.sender.name)}, {channel.route.key} ({channel.kind} for {roles})"


async def _shown(config: configs.Config, asked: _Asked) -> None:
    async with apps.with_config(config) as ready:
        for district, its_channels in asked:
            known = await notifications.fares(ready.pool, district.district_id)
            fares = {fare.channel_key: fare for fare in known}
            for channel in its_channels:
                told = _told(fares.get(channel.route.key), district.sender.zone)
                _out.print(f"{_name(district, channel)}: {told}", soft_wrap=True)


def _told(fare: notifications.Fare | None, zone: ZoneInfo) -> str:
    if fare is None:
        return "nothing was sent yet: try it with --test"
    told = _fares(fare, zone)
    if fare.waiting:
        told += f"; {fare.waiting} waiting"
    if fare.given_up:
        told += f"; {fare.given_up} given up"
    return told


def _fares(fare: notifications.Fare, zone: ZoneInfo) -> str:
    if fare.failing_since_at is not None:
        return f"[red]fails since {_minute(fare.failing_since_at, zone)}:[/] {escape(fare.error or '')}"
    if fare.last_success_at is None:
        return "nothing was sent yet: try it with --test"
    return f"[green]took a message[/] {_minute(fare.last_success_at, zone)}"


def _minute(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
