"""One state per loan per day: the first that applies."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from tests.reference import allowances, days, described, loans
from tests.reference.fleet import Fleet

RSRP_FLOOR_DBM = -110
SAMPLES = 20
HOMEWORK_HOURS = range(16, 22)
NOT_YET_SEEN = "not yet seen"  # any reason will do
OFF = ("suspended", "deactivated")
USED_UP = ("day_allowance", "cycle_allowance", "pool_allowance", "year_allowance")
OFF_REASONS = ("loan_desk", "season", "carrier", "deactivated")  # the district's own before the others'


@dataclass(frozen=True)
class Judged:
    state: str
    reason: str | None = None
    exhausted_until_on: date | None = None


def of_day(fleet: Fleet, loan: described.Loan, day: date, use: loans.Use) -> Judged:
    lines = fleet.held_by(loan.device, day)
    if not lines:
        return Judged("unknown", "no_line")
    off = [line for line in lines if _off(fleet, line, day)]
    serving = [line for line in lines if line not in off and _was_seen(fleet, line, day)]
    if off and not serving:
        reasons = {_off(fleet, line, day) for line in off}
        return Judged("suspended", next(reason for reason in OFF_REASONS if reason in reasons))
    told = [allowances.of_line(fleet, line, day, loan.checked_out_on) for line in lines]
    used_up = [exhausted for exhausted in told if exhausted]
    if used_up:
        first = min(used_up, key=lambda exhausted: USED_UP.index(exhausted.reason))
        return Judged("exhausted", first.reason, first.until_on)
    return _by_use(fleet, loan, day, use, serving or lines)


def _by_use(fleet: Fleet, loan: described.Loan, day: date, use: loans.Use, serving: list[int]) -> Judged:
    if all(_is_stale(fleet, line, day) for line in serving):
        is_unseen = use.is_used_7 is None and not any(_was_seen(fleet, line, day) for line in serving)
        return Judged("unknown", NOT_YET_SEEN if is_unseen else "status_stale")
    if use.is_used_7 is None:
        return Judged("unknown", "usage_unknown")
    if not use.is_used_7:
        was_used = use.last_used_on is not None or loans.was_used_in_a_span(fleet, loan, day)
        return Judged("idle" if was_used else "never_used")
    reason = _weak(fleet, loan, day)
    return Judged("weak", reason) if reason else Judged("adequate")


def _is_stale(fleet: Fleet, line: int, day: date) -> bool:
    """No status young enough; of a line that no source tells a status of, no state. Never told is not old."""
    told = [state.status for state in fleet.district.states if state.line == line]
    now = fleet.state(line, day)
    if any(status is not None for status in told):
        return now is None or now.status is None
    return bool(told) and now is None


def _was_seen(fleet: Fleet, line: int, day: date) -> bool:
    until = days.end(day, fleet.district.zone)
    return any(state.line == line and state.at <= until for state in fleet.district.states)


def _off(fleet: Fleet, line: int, day: date) -> str | None:
    """Why the line is switched off; None: it is not, as far as is known."""
    told = fleet.state(line, day)
    if told is None or told.status not in OFF:
        return None
    return "deactivated" if told.status == "deactivated" else told.suspended_by or "carrier"


def _weak(fleet: Fleet, loan: described.Loan, day: date) -> str | None:
    """Each line is measured by itself: one that is weak will do."""
    device = next(device for device in fleet.district.devices if device.number == loan.device)
    lines = fleet.held_by(loan.device, day)
    if any(_is_faint(_signals(fleet, loan, day, line)) for line in lines):
        return "signal"
    if device.kind == "fixed_router" and any(
        _is_often_off(_evenings(fleet, loan, day, line)) for line in lines
    ):
        return "offline_evenings"
    return None


def _is_faint(samples: list[float]) -> bool:
    return len(samples) >= SAMPLES and median(samples) < RSRP_FLOOR_DBM


def _is_often_off(samples: list[bool]) -> bool:
    return len(samples) >= SAMPLES and sum(samples) < len(samples) / 2


def _signals(fleet: Fleet, loan: described.Loan, day: date, line: int) -> list[float]:
    return [
        signal.rsrp_dbm
        for signal in fleet.district.signals
        if signal.line == line and _is_of(fleet, loan, day, line, signal.at)
    ]


def _evenings(fleet: Fleet, loan: described.Loan, day: date, line: int) -> list[bool]:
    return [
        state.is_online
        for state in fleet.district.states
        if state.is_online is not None
        and state.at.astimezone(ZoneInfo(fleet.district.zone)).hour in HOMEWORK_HOURS
        and state.line == line
        and _is_of(fleet, loan, day, line, state.at)
    ]


def _is_of(fleet: Fleet, loan: described.Loan, day: date, line: int, at: datetime) -> bool:
    """Whether a sample was taken in the loan's device, in the loan's last 7 days."""
    on = days.of(at, fleet.district.zone)
    first = max(loan.checked_out_on, day - timedelta(days=6))
    return first <= on <= day and at < fleet.district.now and fleet.holds(loan.device, line, at)
