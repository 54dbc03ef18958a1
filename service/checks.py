"""What `afterbell check` looks at: does every account answer, and are the records fit to be counted?"""

import itertools
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors import base
from collectors import errors as collector_errors
from service.model import alert_rules, reconciliation
from service.polling import accounts
from service.store import accounts as account_rows
from service.store import checks as check_rows
from service.store import conflicts, coverage, disagreements, pilots
from service.store import pool as pools

MOST_SKEW_SECONDS = 300.0  # a vendor's day must not begin minutes away from ours
MOST_DISAGREEING = (
    0.1  # of the lines that two accounts tell of: a few always differ, as counters are read at times
)
LISTED = 3  # conflicts that are named

_ADVICE: dict[type[collector_errors.CollectorError], str] = {
    collector_errors.AuthenticationFailed: "check the account's credentials, and that they have not been revoked",
    collector_errors.PermissionDenied: "ask the vendor for the right to list devices for this user",
    collector_errors.NotFound: "check base_url, the paths and corp_ids in the account's options",
    collector_errors.RateLimited: "wait, and lower requests_per_second; does someone else use this credential?",
    collector_errors.Unavailable: "try again later; check the network, the proxy and base_url",
    collector_errors.ResponseInvalid: "check base_url and the field names in the account's options",
}


@dataclass(frozen=True)
class Finding:
    what: str
    is_good: bool
    found: str
    advice: str = ""
    lines: int | None = None  # of an account that answers and tells


async def account(polled: accounts.Account) -> Finding:
    """Sign in and read one row."""
    try:
        probe = await polled.collector.probe()
    except collector_errors.CollectorError as error:
        return Finding(polled.name, False, str(error), _advice(error))
    return _judged(polled, probe)


def _advice(error: collector_errors.CollectorError) -> str:
    return next(_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE)


def _judged(polled: accounts.Account, probe: base.Probe) -> Finding:
    skew = probe.clock_skew_seconds or 0.0
    if abs(skew) > MOST_SKEW_SECONDS:
        found = f"answers, but its clock is {skew / 60:+.0f} minutes from ours"
        return Finding(polled.name, False, found, "set this machine's clock by NTP; else tell the vendor")
    if probe.rejected:
        said = dict.fromkeys(f"{rejection.path}: {rejection.reason}" for rejection in probe.rejected)
        reasons = "; ".join(said)
        advice = 'set the names that this account uses in options.fields, or "" for one it does not have'
        return Finding(polled.name, False, f"answers, but not as described: {reasons}", advice)
    return Finding(polled.name, True, _found(polled, probe), lines=probe.lines)


def _found(polled: accounts.Account, probe: base.Probe) -> str:
    if probe.lines is None:
        return "answers"
    requests = sum(group.requests(probe.lines) for group in polled.collector.endpoint_groups)
    return f"answers; lists {probe.lines} lines, {requests} request(s) a sweep"


async def households(pool: pools.Pool, district_ids: Sequence[int]) -> list[Finding]:
    """Where coverage is to be counted by household, and no answer tells one."""
    return [
        Finding(
            f"district {district_id}: households",
            False,
            'need_mode = "household", but no student\'s answer tells a household',
            'import the answers with their household column, or set need_mode = "student"',
        )
        for district_id in await account_rows.without_households(pool, district_ids)
    ]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Where messages go, as configured. ``schools`` (): of every school."""

    key: str
    roles: tuple[str, ...]
    schools: tuple[str, ...]


async def channels(pool: pools.Pool, district_id: int, configured: Sequence[Channel]) -> list[Finding]:
    """Channels of schools that are not there, and roles whose alerts go to others or to nobody."""
    found = [_unheard(district_id, {role for channel in configured for role in channel.roles})]
    for channel in configured:
        if unknown := await pilots.unknown_schools(pool, district_id, channel.schools):
            what = f"district {district_id}: channel {channel.key}"
            said = f"no school is imported with the NCES id {', '.join(unknown)}: nothing of such a school is ever sent"
            found.append(
                Finding(what, False, said, "correct the channel's schools, or afterbell import schools")
            )
    return found


def _unheard(district_id: int, told: Collection[str]) -> Finding:
    """Which roles have no channel, and who is told in their place, as delivery decides it."""
    what, advice = (
        f"district {district_id}: channels",
        "name a channel with the role in districts.alerts.channels",
    )
    missing = ", ".join(role for role in alert_rules.ROLES if role not in told)
    if not told:
        return Finding(what, True, "none: alerts are on the pages alone, and nobody is told")
    if not missing:
        return Finding(what, True, "every role has one")
    instead = next((role for role in ("coordinator", "it") if role in told), None)
    if instead is None:
        return Finding(what, False, f"none for {missing}: nobody is told of their alerts", advice)
    return Finding(what, True, f"none for {missing}: their alerts go to those of {instead}", advice)


@dataclass(frozen=True, kw_only=True)
class Packages:
    """The monthly packages of a district, as configured. ``is_told``: channels get a link to them."""

    folder: Path | None
    is_told: bool
    page_address: str | None
    missing_libraries: Sequence[str]


def packages(district_id: int, configured: Packages) -> list[Finding]:
    """Whether those that the schedule is to make can be made, and told of; nothing where there is no folder."""
    if configured.folder is None:
        return []
    name = f"district {district_id}: packages"
    found = []
    if configured.missing_libraries:
        missing = ", ".join(configured.missing_libraries)
        found.append(Finding(name, False, f"not installed: {missing}", 'pip install "afterbell[exports]"'))
    if amiss := _folder_amiss(configured.folder):
        advice = "make it, as a folder that the user that afterbell runs as may write to (exports.folder)"
        found.append(Finding(name, False, f"{configured.folder} {amiss}", advice))
    if configured.is_told and configured.page_address is None:
        said = "exports.channels get a link, and page_address is not set: the link leads nowhere"
        found.append(Finding(name, False, said, "set page_address"))
    return found or [Finding(name, True, f"made in {configured.folder}")]


def _folder_amiss(folder: Path) -> str:
    if not folder.is_dir():
        return "is a file" if folder.exists() else "does not exist"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "cannot be written to"


async def records(pool: pools.Pool) -> list[Finding]:
    return [finding for doubts in await check_rows.doubts(pool) for finding in _doubted(doubts)]


def _doubted(doubts: check_rows.Doubts) -> Iterable[Finding]:
    name = f"district {doubts.district_id}"
    if not doubts.schools:
        yield Finding(f"{name}: schools", False, "none", "afterbell import schools FILE")
        return
    yield Finding(
        f"{name}: need",
        not doubts.schools_without_need,
        f"{doubts.schools_without_need} of {doubts.schools} schools have neither answers nor a need count",
        "afterbell import answers FILE, or import need FILE: their coverage is unknown until then"
        if doubts.schools_without_need
        else "",
    )
    yield Finding(
        f"{name}: loans",
        not doubts.loans_without_line,
        f"{doubts.open_loans} open; {doubts.loans_without_line} of devices that no source has shown",
        "check their IMEIs, and that every carrier has an account here" if doubts.loans_without_line else "",
    )
    if not doubts.has_calendar:
        advice = "afterbell import calendar FILE: without one, school days cannot be told from others"
        yield Finding(f"{name}: calendar", False, "none", advice)


def one_fleet(shown: coverage.Snapshot) -> list[Finding]:
    """Where the sources of a district contradict each other."""
    return [finding for district in shown.districts for finding in _contradicted(district)]


def _contradicted(district: coverage.District) -> Iterator[Finding]:
    name = f"district {district.district_id}"
    if not district.conflicts.count:
        yield Finding(f"{name}: conflicts", True, "none: no two sources contradict each other")
    else:
        listed = "; ".join(map(_conflict, district.conflicts.oldest[:LISTED]))
        more = " ..." if district.conflicts.count > LISTED else ""
        advice = "afterbell conflicts list, look at the device, then afterbell conflicts resolve ID --keep or --take"
        yield Finding(f"{name}: conflicts", False, f"{district.conflicts.count} open: {listed}{more}", advice)
    for pair in district.disagreements:
        yield _disagreement(name, pair)


def reconciled(shown: coverage.Snapshot) -> list[Finding]:
    """What reconciliation found that makes coverage itself doubtful."""
    return [finding for district in shown.districts for finding in _doubtful(district)]


def _doubtful(district: coverage.District) -> Iterator[Finding]:
    for kind in reconciliation.KINDS:
        count = district.reconciliation and district.reconciliation.total(kind.name)
        if count and kind.is_about_coverage:
            what = f"district {district.district_id}: {kind.name}"
            found = f"{count.findings}, the oldest since {count.oldest_on}"
            yield Finding(what, False, found, f"{kind.advice}: afterbell reconcile --kind {kind.name} --list")


def _conflict(conflict: conflicts.Conflict) -> str:
    against = conflict.against_account_key or "what is known"
    what = f"line {conflict.line_id}" if conflict.kind == "line_device" else "a serial number"
    return (
        f"{conflict.conflict_id}: {conflict.account_key} against {against}, {what} "
        f"in device {conflict.other_device_id} or {conflict.device_id}"
    )


def _disagreement(name: str, pair: disagreements.Disagreement) -> Finding:
    is_good = pair.share <= MOST_DISAGREEING
    found = (
        f"{pair.lines_disagreeing} of {pair.lines_compared} lines differ over {disagreements.DAYS} days; "
        f"{pair.account_key} is used"
    )
    advice = "compare a few lines in both portals: time_zone, rank and the unit of bytes of each account"
    what = f"{name}: {pair.account_key} and {pair.other_account_key}"
    return Finding(what, is_good, found, "" if is_good else advice)


async def vocabulary(pool: pools.Pool) -> list[Finding]:
    """Status words that a vendor uses and afterbell does not know: one finding for each account."""
    words = await check_rows.unmapped(pool)
    return [
        Finding(
            f"district {district_id}, account {account_key}: status",
            False,
            "not known: " + ", ".join(f"{one.word} ({one.count})" for one in ofs),
            "say what each means under statuses in the account's options; until then it is unknown",
        )
        for (district_id, account_key), ofs in _by_account(words)
    ]


def _by_account(
    words: list[check_rows.Unmapped],
) -> Iterator[tuple[tuple[int, str], list[check_rows.Unmapped]]]:
    for key, same in itertools.groupby(words, key=lambda one: (one.district_id, one.account_key)):
        yield key, list(same)
