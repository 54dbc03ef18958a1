"""The stand-in's usage: what was asked for, refused as the vendor's list of errors says, and the records of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from collectors.super_sim import refusals
from collectors.super_sim import world as super_sim_world

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONTH = 30 * DAY  # before the end, where no start is asked for
MOST_BY_SIM = 31 * DAY
MOST = {"hour": 31 * DAY, "day": 92 * DAY, "all": 549 * DAY}
OLDEST = 549 * DAY
LATEST = 9_999_999_999  # in seconds since 1970: tokens count down from here, so that the newest is first
GROUPS = {None, "sim", "fleet"}  # the world knows no networks or countries

Record = dict[str, object]
Group = tuple[str, Record, list[super_sim_world.Sim]]  # a key, what it puts in its records, and its SIMs


@dataclass(frozen=True)
class Asked:
    """A request for usage, checked."""

    starts_at: datetime
    ends_at: datetime
    group: str | None
    step: timedelta | None  # None: the whole time at once
    sim: str | None
    fleet: str | None
    cuts_open_period: bool

    @classmethod
    def read(cls, query: Mapping[str, str], now: datetime, *, cuts_open_period: bool) -> "Asked":
        """Raises Refused."""
        granularity, group = query.get("Granularity", "all"), query.get("Group")
        if granularity not in MOST or group not in GROUPS:
            raise refusals.Refused("Granularity or Group is not one of those known", refusals.USAGE_INVALID)
        step = {"hour": HOUR, "day": DAY}.get(granularity)
        for name in {"StartTime", "EndTime"} & query.keys():
            _check_bound(_instant(query[name]), step)
        ends_at = _instant(query["EndTime"]) if "EndTime" in query else now
        starts_at = _instant(query["StartTime"]) if "StartTime" in query else _midnight(ends_at - MONTH)
        _check_span(starts_at, ends_at, now, group, granularity)
        return cls(starts_at, ends_at, group, step, query.get("Sim"), query.get("Fleet"), cuts_open_period)

    def records(self, world: super_sim_world.World, after: str) -> Iterator[tuple[str, Record]]:
        """Records with a token each, the newest first, those after a token; none where nothing was used."""
        groups = self._groups(world.sims(self.ends_at))
        for starts_at, ends_at in reversed(self._periods()):
            place = f"{LATEST - int(starts_at.timestamp()):010d}"
            for key, fields, sims in groups:
                token = f"{place}{key}"
                if token > after and (moved := _sum(world, sims, starts_at, min(ends_at, self.ends_at))):
                    shown = min(ends_at, self.ends_at) if self.cuts_open_period else ends_at
                    yield token, _record(fields, starts_at, shown, moved)

    def _periods(self) -> Sequence[tuple[datetime, datetime]]:
        if self.step is None:
            return [(self.starts_at, self.ends_at)]
        count = -((self.starts_at - self.ends_at) // self.step)
        starts = [self.starts_at + place * self.step for place in range(count)]
        return [(at, at + self.step) for at in starts]

    def _groups(self, sims: Sequence[super_sim_world.Sim]) -> list[Group]:
        """What records are kept apart by; a filter shows in the records as the group does."""
        found: dict[str, Group] = {}
        for sim in sims:
            if self.sim not in (None, sim.sid) or self.fleet not in (None, sim.fleet_sid):
                continue
            key = {"sim": sim.sid, "fleet": sim.fleet_sid or ""}.get(self.group or "", "")
            fields: Record = {
                "account_sid": sim.account_sid,
                "sim_sid": sim.sid if self.group == "sim" or self.sim else None,
                "fleet_sid": sim.fleet_sid if self.group == "fleet" or self.fleet else None,
            }
            found.setdefault(key, (key, fields, []))[2].append(sim)
        return [found[key] for key in sorted(found)]


def _sum(
    world: super_sim_world.World,
    sims: Sequence[super_sim_world.Sim],
    starts_at: datetime,
    ends_at: datetime,
) -> super_sim_world.Traffic | None:
    told = [moved for sim in sims if (moved := world.traffic(sim, starts_at, ends_at)) is not None]
    if not told:
        return None
    return super_sim_world.Traffic(sum(moved.upload for moved in told), sum(moved.download for moved in told))


def _record(fields: Record, starts_at: datetime, ends_at: datetime, moved: super_sim_world.Traffic) -> Record:
    """What was billed is told as text, and is 0 until it has been worked out."""
    return {
        **fields,
        "network_sid": None,
        "iso_country": None,
        "period": {"start_time": _text(starts_at), "end_time": _text(ends_at)},
        "data_upload": moved.upload,
        "data_download": moved.download,
        "data_total": moved.upload + moved.download,
        "data_total_billed": "0.03" if moved.upload else 0,
        "billed_unit": "USD" if moved.upload else None,
    }


def _check_bound(at: datetime, step: timedelta | None) -> None:
    if step == DAY and at != _midnight(at):
        raise refusals.Refused("must be aligned to UTC days", refusals.NOT_MIDNIGHT)
    if step == HOUR and (at.minute or at.second or at.microsecond):
        raise refusals.Refused("must be aligned to UTC hours", refusals.NOT_ON_THE_HOUR)


def _check_span(
    starts_at: datetime, ends_at: datetime, now: datetime, group: str | None, granularity: str
) -> None:
    if not starts_at < ends_at:
        raise refusals.Refused("EndTime must be after StartTime", refusals.USAGE_INVALID)
    if group == "sim" and ends_at - starts_at > MOST_BY_SIM:
        raise refusals.Refused("at most 31 days by SIM", refusals.TOO_LONG_BY_SIM)
    if ends_at - starts_at > MOST[granularity]:
        raise refusals.Refused("too long for this granularity", refusals.TOO_LONG)
    if starts_at < now - OLDEST:
        raise refusals.Refused("StartTime is more than 18 months ago", refusals.TOO_OLD)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise refusals.Refused("StartTime or EndTime is not in ISO 8601", refusals.USAGE_INVALID)
    return at.astimezone(UTC)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.date(), time.min, UTC)


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
