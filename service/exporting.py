"""What the configuration says of packages: made by the schedule, and told of once they are there."""

import asyncio
import importlib
import importlib.metadata
import importlib.util
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from service import app, delivery, errors
from service import config as configs
from service.alerting import announcing, channels, deliver
from service.exports import terms as export_terms
from service.metrics import Metrics
from service.model import due_times, months
from service.store import equity, releases

if TYPE_CHECKING:
    from service.exports import packages

LIBRARIES = ("highspy", "pyarrow", "typst", "vl_convert", "xlsxwriter")
SCHEDULE = "schedule"  # by whom, in the ledger
TOLD_WITHIN = timedelta(days=7)  # of its creation

_log = logging.getLogger(__name__)


def missing_libraries() -> list[str]:
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


def maker() -> Any:
    """The module that makes packages. What it needs is large, and only loaded here. Raises ExportRefused."""
    if missing := missing_libraries():
        raise errors.ExportRefused(
            f'packages are made with {", ".join(missing)}, which is not installed: pip install "afterbell[exports]"'
        )
    return importlib.import_module("service.exports.packages")


def terms(
    config: configs.Config, district: configs.District, folder: Path | None = None
) -> export_terms.Terms:
    """Raises ConfigError where nobody said which folder packages go to."""
    exports, chosen = district.exports, folder or district.exports.folder
    if chosen is None:
        raise errors.ConfigError(
            f"district {district.id}: where are packages to go? Name a folder with --folder, or set folder in "
            "[districts.exports] (see docs/exports.md)"
        )
    return export_terms.Terms(
        district_id=district.id,
        folder=chosen.absolute(),
        settle_days=exports.settle_days,
        protect_width=exports.protect_width,
        is_strict=exports.suppression == "strict",
        min_n=exports.min_n,
        solver_seconds=exports.solver_seconds,
        languages=exports.languages,
        floor=config.thresholds.completeness_floor,
        reclaim_days=config.thresholds.reclaim_days,
        thresholds=config.thresholds.model_dump(mode="json"),
        version=importlib.metadata.version("afterbell"),
    )


def folders(config: configs.Config) -> dict[int, Path]:
    """Where packages are, of each district that names a folder."""
    made = (terms(config, district) for district in config.districts if district.exports.folder is not None)
    return {one.district_id: one.place for one in made}


@dataclass(slots=True)
class Scheduled:
    """Makes what is due, of every district with a folder. A package that failed is tried again at the next look; one
    that is there is compared with the database once a day."""

    config: configs.Config
    pool: asyncpg.Pool
    metrics: Metrics
    clock: Callable[[], datetime]
    _looked_on: dict[tuple[int, str, str, str], date] = field(default_factory=dict)
    _failing: set[tuple[int, str, str, str]] = field(default_factory=set)

    async def run(self) -> None:
        """Raises DatabaseUnavailable."""
        known = {one.district_id: one for one in await equity.districts(self.pool, now=self.clock())}
        for district in self.config.districts:
            if district.exports.folder is not None and district.id in known:
                for asked in _due(district, self.clock()):
                    if await self._is_known(known[district.id], asked.month):
                        await self._one(district, asked)
        await announce(self.config, self.pool, clock=self.clock)

    async def _is_known(self, district: equity.District, month: months.Month) -> bool:
        """Whether there are figures of it, up to its end: others may be waited for, or there never will be any."""
        if district.reported_on is None or district.reported_on < month.last_on:
            return False
        computed = await equity.computed(self.pool, district.district_id)
        return computed is not None and computed[0] <= month.last_on

    async def _one(self, district: configs.District, asked: export_terms.Asked) -> None:
        key = (district.id, str(asked.month), asked.profile, asked.pilot_name)
        today = self.clock().date()
        if self._looked_on.get(key) == today:
            return
        try:
            made = await self._made(district, asked)
        except (errors.ExportRefused, errors.ConfigError) as error:
            self._tell_failed(key, error)
            return
        self._looked_on[key] = today
        self._failing.discard(key)
        outcome = "made" if made.is_new or made.is_rebuilt else "unchanged"
        self.metrics.export_tried(
            district=district.id, profile=asked.profile, outcome=outcome, at=self.clock().timestamp()
        )
        if made.is_new:
            _log.info("%s was made", made.release.subject, extra={"action": "export_made"})

    async def _made(self, district: configs.District, asked: export_terms.Asked) -> "packages.Made":
        made: packages.Made = await maker().make(
            self.pool, terms(self.config, district), asked, clock=self.clock
        )
        return made

    def _tell_failed(self, key: tuple[int, str, str, str], error: errors.AfterbellError) -> None:
        district_id, month, profile, _ = key
        self.metrics.export_tried(district=district_id, profile=profile, outcome="failed", at=None)
        if key not in self._failing:
            _log.error(
                "district %s: the %s package of %s was not made: %s",
                district_id,
                profile,
                month,
                error,
                extra={"action": "export_failed"},
            )
        self._failing.add(key)


def _due(district: configs.District, now: datetime) -> Iterable[export_terms.Asked]:
    """Of the latest settled month: each profile, and of shareable ones each pilot that is named."""
    month = months.latest_settled(now, district.time_zone, district.exports.settle_days)
    is_strict = district.exports.suppression == "strict"
    for profile in district.exports.scheduled:
        strict = is_strict and profile == "shareable"
        yield export_terms.Asked(month=month, profile=profile, is_strict=strict, by=SCHEDULE)
    for pilot in district.pilots:
        if pilot.name in district.exports.pilots:
            yield export_terms.Asked(month=month, pilot=app.pilot(pilot), is_strict=is_strict, by=SCHEDULE)


async def announce(config: configs.Config, pool: asyncpg.Pool, *, clock: Callable[[], datetime]) -> int:
    """Send the link of what was issued to the channels that get it; returns how many were told of. Raises ConfigError
    where a channel cannot be used, and DatabaseUnavailable."""
    asked = {one.id: one.exports.channels for one in config.districts if one.exports.channels}
    if not asked:
        return 0
    told = 0
    for district in delivery.districts(config):
        if district.district_id in asked and not _is_quiet(district, clock()):
            keys = asked[district.district_id]
            place = folders(config).get(district.district_id)
            told += await _announce(pool, district, [district.channels[key] for key in keys], place, clock)
    return told


def _is_quiet(district: deliver.District, now: datetime) -> bool:
    return due_times.after_quiet(district.timing, now, district.sender.zone) > now


async def _announce(
    pool: asyncpg.Pool,
    district: deliver.District,
    asked: Sequence[channels.Channel],
    place: Path | None,
    clock: Callable[[], datetime],
) -> int:
    """Of several revisions of a package that nobody was told of, only the latest is."""
    waiting = await releases.unannounced(pool, district.district_id)
    latest = {_package(release): release for release in waiting}
    told = 0
    for release in waiting:
        if not _may_be_told(release, place, clock()):
            continue
        is_ours = await releases.claim_announcement(pool, release.district_id, release.release_id, clock())
        if is_ours and latest[_package(release)] is release:
            is_told = await _send(district, release, asked, clock())
            if not is_told:
                await releases.unclaim(pool, release.district_id, release.release_id)
            told += is_told
    return told


def _may_be_told(release: releases.Release, place: Path | None, now: datetime) -> bool:
    """Not where the link would lead to nothing, nor long after: channels may have been configured since."""
    is_there = place is not None and (place / f"{release.folder}.zip").is_file()
    return is_there and now - release.created_at <= TOLD_WITHIN


def _package(release: releases.Release) -> tuple[months.Month, str, bool]:
    return release.month, release.pilot, release.is_strict


async def _send(
    district: deliver.District,
    release: releases.Release,
    asked: Sequence[channels.Channel],
    now: datetime,
) -> bool:
    """Whether anybody took it: who did is not to get it again because another channel fails."""
    package = announcing.Package(
        release_id=release.release_id,
        month_on=release.month.first_on,
        revision=release.revision,
        pilot=release.pilot,
    )
    results = await asyncio.gather(*(_sent(district, package, channel, now) for channel in asked))
    return any(results)


async def _sent(
    district: deliver.District, package: announcing.Package, channel: channels.Channel, now: datetime
) -> bool:
    message = announcing.composed(package, district.sender, channel.audience)
    try:
        amiss = await deliver.sent(channel, message, now)
    except channels.NotDelivered as error:
        amiss = str(error)
        is_taken = False
    else:
        is_taken = True
    if amiss is not None:
        _log.warning(
            "district %s, channel %s: the link of a package: %s",
            district.district_id,
            channel.route.key,
            amiss,
            extra={"action": "announcing"},
        )
    return is_taken
