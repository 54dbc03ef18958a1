"""Alert rules as files: a header of ``-- key: value`` lines and a query of the subjects in breach."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

SEVERITIES = ("info", "warning", "high", "critical")  # from the least to the most
ROLES = ("it", "coordinator", "school", "finance")
SUBJECTS = ("family", "fleet", "school", "service")
CLOCKS = ("calendar", "instructional", "none")
URGENCIES = ("now", "daily", "weekly")
PROFILES = ("local", "ecf", "erate_2024")

_LINE = re.compile(r"^-- ([a-z_0-9]+(?:\.[a-z_0-9]+)?): (.+)$")
_DURATION = re.compile(r"^(\d+) (minute|hour|day)s?$")
_REQUIRED = ("title", "about", "severity", "owner", "action", "why")
_PER_PROFILE = (
    "clock", "threshold", "fires_after", "clears_after", "reminder", "escalates_after", "severity", "owner", "urgency",
)  # fmt: skip


class RuleInvalid(ValueError):
    """A rule file cannot be used; the message names the file, the key and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule under one profile.

    ``query`` takes $1 the district (integer), $2 the judged day (date: the reported one), $3 the present instant
    (timestamptz), $4 ``threshold`` (double precision; NULL where the rule has none) and $5 ``clock`` (text). A row for
    each subject: subject text, school_id bigint (NULL: of no one school), since_at timestamptz (when the breach began,
    as the facts tell it; NULL: now), value double precision, details jsonb (numbers and plain words for the message,
    never what names a person or a device), is_breached boolean (NULL: too little is known, what stands stays).
    A subject that is not returned is not in breach.
    """

    name: str
    title: str
    title_es: str
    about: str  # of SUBJECTS: a family's alerts wait through breaks and maintenance
    severity: str
    owner: str  # of ROLES
    why: str
    why_es: str
    action: str
    action_es: str
    clock: str = "none"
    threshold: float | None = None
    unit: str = ""  # of the value and the threshold: days, %, dBm ...
    fires_after: timedelta = timedelta(0)
    clears_after: timedelta = timedelta(0)
    reminder: timedelta | None = None  # None: told once
    escalates_after: timedelta | None = (
        None  # unacknowledged for this long, it is told to the coordinator and IT
    )
    urgency: str = "daily"
    is_dated: bool = True  # it judges a day, so it can be tried over the past
    needs: tuple[str, ...] = ()  # rules whose alerts it reads
    profiles: tuple[str, ...] = PROFILES
    query: str
    is_own: bool = False  # of the district's own folder


def parse(name: str, text: str, *, profile: str, is_own: bool = False) -> Rule:
    """The rule of a file's text as it stands under a profile. Raises RuleInvalid."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise RuleInvalid(f"{name}.sql: name the file in small letters, digits and _ only")
    told, query = _header(name, text)
    missing = [key for key in _REQUIRED if key not in told]
    if missing:
        raise RuleInvalid(
            f"{name}.sql: its header lacks {', '.join(missing)}: write each as `-- {missing[0]}: ...`"
        )
    if not query:
        raise RuleInvalid(f"{name}.sql: there is no query below its header")
    return _rule(name, _under(told, profile), query, is_own=is_own)


def of_profile(rules: Sequence[Rule], profile: str) -> list[Rule]:
    return [rule for rule in rules if profile in rule.profiles]


def waves(rules: Iterable[Rule]) -> list[list[Rule]]:
    """Rules in their order, those that need none of the others first, then those that need these, and so on."""
    places: dict[str, int] = {}
    found: list[list[Rule]] = []
    for rule in rules:
        place = 1 + max((places[name] for name in rule.needs if name in places), default=-1)
        places[rule.name] = place
        if place == len(found):
            found.append([])
        found[place].append(rule)
    return found


def _header(name: str, text: str) -> tuple[dict[str, str], str]:
    told: dict[str, str] = {}
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if not line.startswith("--"):
            return told, "\n".join(lines[at:]).strip().removesuffix(";")
        if line.rstrip() == "--":
            continue
        if (found := _LINE.match(line)) is None:
            raise RuleInvalid(
                f"{name}.sql, line {at + 1}: is not `-- key: value`; notes belong below the header"
            )
        if found[1] in told:
            raise RuleInvalid(f"{name}.sql, line {at + 1}: {found[1]} is told twice")
        told[found[1]] = found[2].strip()
    return told, ""


def _under(told: Mapping[str, str], profile: str) -> dict[str, str]:
    """With what the header says of the profile in place of what it says in general."""
    general = {key: value for key, value in told.items() if "." not in key}
    own = {
        key.removeprefix(f"{profile}."): value for key, value in told.items() if key.startswith(f"{profile}.")
    }
    return {**general, **own}


def check_keys(name: str, text: str) -> None:
    """Raise RuleInvalid for a key that says nothing, in whatever profile."""
    known = {
        *_REQUIRED,
        *_PER_PROFILE,
        "title_es",
        "why_es",
        "action_es",
        "unit",
        "dated",
        "needs",
        "profiles",
    }
    told, _ = _header(name, text)
    for key in told:
        profile, _, plain = key.rpartition(".")
        if plain not in known or (profile and (profile not in PROFILES or plain not in _PER_PROFILE)):
            raise RuleInvalid(f"{name}.sql: there is no key {key}: known are {', '.join(sorted(known))}")


def _rule(name: str, told: Mapping[str, str], query: str, *, is_own: bool) -> Rule:
    rule = Rule(
        name=name,
        title=told["title"],
        title_es=told.get("title_es", told["title"]),
        about=_one_of(name, told, "about", SUBJECTS),
        severity=_one_of(name, told, "severity", SEVERITIES),
        owner=_one_of(name, told, "owner", ROLES),
        why=told["why"],
        why_es=told.get("why_es", told["why"]),
        action=told["action"],
        action_es=told.get("action_es", told["action"]),
        query=query,
        is_own=is_own,
        unit=told.get("unit", ""),
        needs=_words(told.get("needs", "")),
        is_dated=told.get("dated", "yes") == "yes",
    )
    return replace(rule, **_chosen(name, told))


def _chosen(name: str, told: Mapping[str, str]) -> dict[str, Any]:
    """What a header may leave out."""
    chosen: dict[str, Any] = {}
    if "clock" in told:
        chosen["clock"] = _one_of(name, told, "clock", CLOCKS)
    if "urgency" in told:
        chosen["urgency"] = _one_of(name, told, "urgency", URGENCIES)
    if "threshold" in told:
        chosen["threshold"] = _number(name, told["threshold"])
    for key in ("fires_after", "clears_after", "reminder", "escalates_after"):
        if key in told:
            chosen[key] = _duration(name, key, told[key])
    if "profiles" in told:
        chosen["profiles"] = _words(told["profiles"])
        if unknown := set(_words(told["profiles"])) - set(PROFILES):
            raise RuleInvalid(f"{name}.sql: profiles: there is no {', '.join(sorted(unknown))}")
    return chosen


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in text.split(","))))


def _one_of(name: str, told: Mapping[str, str], key: str, known: Sequence[str]) -> str:
    if told[key] not in known:
        raise RuleInvalid(f"{name}.sql: {key}: {told[key]!r} is not one of {', '.join(known)}")
    return told[key]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RuleInvalid(f"{name}.sql: threshold: {text!r} is not a number") from None


def _duration(name: str, key: str, text: str) -> timedelta:
    if (found := _DURATION.match(text)) is None:
        raise RuleInvalid(f"{name}.sql: {key}: {text!r} is no duration: write 14 days, 2 hours or 30 minutes")
    return timedelta(**{f"{found[2]}s": int(found[1])})
