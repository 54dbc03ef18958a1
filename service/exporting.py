"""What the configuration says of packages: made by the schedule, and told of once they are there."""

import importlib
import importlib.metadata
import importlib.util
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from service import app, errors, package_messages
from service import config as configs
from service.exports import months_told
from service.exports import terms as export_terms
from service.metrics import Metrics
from service.model import months
from service.store import equity

if TYPE_CHECKING:
    from service.exports import packages

LIBRARIES = ("highspy", "pyarrow", "typst", "vl_convert", "xlsxwriter")
SCHEDULE = "schedule"  # by whom, in the ledger

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


class _Fault(errors.AfterbellError):
    """What nobody expected, with its cause."""


@dataclass(slots=True)
class Scheduled:
    """Makes what is due, of every district with a folder. A package that failed is tried again at the next look, and
    holds up no other; one that is there is compared with the database once a day."""

    config: configs.Config
    pool: asyncpg.Pool
    metrics: Metrics
    clock: Callable[[], datetime]
    _looked_on: dict[tuple[int, str, str, str], date] = field(default_factory=dict)
    _failing: set[tuple[int, str, str, str]] = field(default_factory=set)
    _is_telling_amiss: bool = False

    async def run(self) -> None:
        """Raises DatabaseUnavailable."""
        known = {one.district_id: one for one in await equity.districts(self.pool, now=self.clock())}
        for district in self.config.districts:
            if district.exports.folder is not None and district.id in known:
                for asked in _due(district, self.clock()):
                    if await self._is_known(known[district.id], asked.month):
                        await self._one(district, asked)
        await self._tell()

    async def _is_known(self, district: equity.District, month: months.Month) -> bool:
        """Whether there are figures of it, up to its end, and none wait to be computed: others may be waited for, or
        there never will be any."""
        if district.reported_on is None or district.reported_on < month.last_on:
            return False
        if await months_told.days_waiting(self.pool, district, month, self.clock()):
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
        except errors.DatabaseUnavailable:
            raise
        except errors.AfterbellError as error:
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
        """Raises AfterbellError, whatever goes wrong: a fault in one package is not to stop the others."""
        try:
            made: packages.Made = await maker().make(
                self.pool, terms(self.config, district), asked, clock=self.clock
            )
        except errors.AfterbellError:
            raise
        except Exception as fault:
            raise _Fault(type(fault).__name__) from fault
        return made

    def _tell_failed(self, key: tuple[int, str, str, str], error: errors.AfterbellError) -> None:
        district_id, month, profile, pilot = key
        self.metrics.export_tried(district=district_id, profile=profile, outcome="failed", at=None)
        if key not in self._failing:
            _log.error(
                "district %s: the %s package of %s%s was not made: %s",
                district_id,
                profile,
                month,
                f", pilot {pilot}," if pilot else "",
                error,
                exc_info=error.__cause__ if isinstance(error, _Fault) else None,
                extra={"action": "export_failed"},
            )
        self._failing.add(key)

    async def _tell(self) -> None:
        """A channel that cannot be used stops no package; it is logged once."""
        try:
            await package_messages.announce(self.config, self.pool, folders(self.config), clock=self.clock)
        except errors.DatabaseUnavailable:
            raise
        except errors.AfterbellError as error:
            if not self._is_telling_amiss:
                _log.error("nobody can be told of packages: %s", error, extra={"action": "announcing"})
            self._is_telling_amiss = True
        else:
            self._is_telling_amiss = False


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
