"""Who is told that a package is there: each channel once, and again each hour while it does not take the link."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from service import config as configs
from service import delivery
from service.alerting import announcing, channels, deliver
from service.model import due_times, months
from service.store import audit, releases

TOLD_WITHIN = timedelta(days=7)  # of its creation
LASTS = timedelta(minutes=10)  # a claim: longer than all channels of a release may take together
_BY = "schedule"  # in the audit log

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """A district with the channels that get links, and where its packages are."""

    pool: asyncpg.Pool
    district: deliver.District
    asked: Sequence[channels.Channel]
    place: Path | None
    clock: Callable[[], datetime]


async def announce(
    config: configs.Config, pool: asyncpg.Pool, places: dict[int, Path], *, clock: Callable[[], datetime]
) -> int:
    """Send the link of what was issued to the channels that get it; returns how many releases anybody was told of.
    Raises ConfigError where a channel cannot be used, and DatabaseUnavailable."""
    asked = {one.id: one.exports.channels for one in config.districts if one.exports.channels}
    if not asked:
        return 0
    told = 0
    for district in delivery.districts(config):
        if district.district_id in asked and not _is_quiet(district, clock()):
            chosen = [district.channels[key] for key in asked[district.district_id]]
            told += await _announce(_Told(pool, district, chosen, places.get(district.district_id), clock))
    return told


def _is_quiet(district: deliver.District, now: datetime) -> bool:
    return due_times.after_quiet(district.timing, now, district.sender.zone) > now


async def _announce(of: _Told) -> int:
    """Of several revisions of a package, only the latest is told of."""
    since = of.clock() - TOLD_WITHIN
    issued = await releases.announceable(of.pool, of.district.district_id, since)
    told = 0
    for release in {_package(release): release for release in issued}.values():
        if _is_there(release, of.place) and await _pending(of, release):
            told += await _claimed(of, release)
    return told


def _is_there(release: releases.Release, place: Path | None) -> bool:
    """No link is to lead to nothing."""
    return place is not None and (place / f"{release.folder}.zip").is_file()


def _package(release: releases.Release) -> tuple[months.Month, str, bool]:
    return release.month, release.pilot, release.is_strict


async def _pending(of: _Told, release: releases.Release) -> list[channels.Channel]:
    """The channels that have not taken its link."""
    taken = await releases.announced(of.pool, release.district_id, release.created_at)
    return [one for one in of.asked if (release.release_id, one.route.key) not in taken]


async def _claimed(of: _Told, release: releases.Release) -> bool:
    """Whether anybody was told. What stops us gives the claim back; where the process is killed, it runs out."""
    now, key = of.clock(), (release.district_id, release.release_id)
    if not await releases.claim_announcement(of.pool, *key, now, lasts=LASTS):
        return False
    is_done = False
    try:
        # Asked again: another process may have told some of them just before.
        results = await _sent_to_all(of, release, await _pending(of, release))
        is_done = all(results)
    finally:
        if not is_done:
            await asyncio.shield(releases.unclaim(of.pool, *key, now))
    return any(results)


async def _sent_to_all(
    of: _Told, release: releases.Release, pending: Iterable[channels.Channel]
) -> list[bool]:
    """Side by side: one that does not answer holds up no other."""
    try:
        async with asyncio.TaskGroup() as group:
            sending = [group.create_task(_sent(of, release, channel)) for channel in pending]
    except ExceptionGroup as failed:  # the database is away for all of them
        raise failed.exceptions[0] from None
    return [task.result() for task in sending]


async def _sent(of: _Told, release: releases.Release, channel: channels.Channel) -> bool:
    """Written down as soon as it is taken: who has it is not to get it again because another channel fails."""
    package = announcing.Package(
        release_id=release.release_id,
        month_on=release.month.first_on,
        revision=release.revision,
        pilot=release.pilot,
    )
    message = announcing.composed(package, of.district.sender, channel.audience)
    try:
        amiss = await deliver.sent(channel, message, of.clock())
    except channels.NotDelivered as error:
        _warn(of, channel, str(error))
        return False
    entry = releases.announcement(release, channel.route.key, by=_BY, now=of.clock())
    await asyncio.shield(audit.entry(of.pool, release.district_id, entry))
    if amiss is not None:
        _warn(of, channel, amiss)
    return True


def _warn(of: _Told, channel: channels.Channel, amiss: str) -> None:
    where = f"district {of.district.district_id}, channel {channel.route.key}"
    _log.warning("%s: the link of a package: %s", where, amiss, extra={"action": "announcing"})
