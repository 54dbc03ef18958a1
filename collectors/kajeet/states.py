"""Kajeet keeps three states of a line apart (line, loan desk, summer): here they become one."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from collectors import readings, vocabulary
from collectors.kajeet import options as kajeet_options

Meaning = TypeVar("Meaning", bound=str)

STATUSES: Mapping[str, readings.LineStatus] = MappingProxyType(
    {
        "active": readings.LineStatus.ACTIVE,
        "suspended": readings.LineStatus.SUSPENDED,
        "deactivated": readings.LineStatus.DEACTIVATED,
        "preactive": readings.LineStatus.PRE_ACTIVE,
        "pending": readings.LineStatus.PENDING,
    }
)
MEDIA_CENTER_STATUSES: Mapping[str, str] = MappingProxyType(
    {"checkedin": "loan_desk", "checkin": "loan_desk", "checkedout": "none", "checkout": "none"}
)
SUMMER_STATUSES: Mapping[str, str] = MappingProxyType(
    {"suspended": "season", "summersuspended": "season", "active": "none", "none": "none"}
)
UNKNOWN = "unknown"


class Vocabulary:
    """What the vendor's status words mean in one account."""

    def __init__(self, options: kajeet_options.Options) -> None:
        self._statuses = {**STATUSES, **_folded(options.statuses)}
        self._media_center = {**MEDIA_CENTER_STATUSES, **_folded(options.media_center_statuses)}
        self._summer = {**SUMMER_STATUSES, **_folded(options.summer_statuses)}

    def status(self, raw: str) -> readings.LineStatus:
        return self._statuses.get(vocabulary.fold(raw), readings.LineStatus.UNKNOWN)

    def media_center(self, raw: str | None) -> str:
        return _meaning(self._media_center, raw)

    def summer(self, raw: str | None) -> str:
        return _meaning(self._summer, raw)


class States:
    """The states of one page: rows that say the same share one reading."""

    def __init__(self, vocabulary_: Vocabulary, instant: datetime) -> None:
        self.unmapped: dict[str, int] = {}
        self._vocabulary = vocabulary_
        self._instant = instant
        self._known: dict[
            tuple[str, str | None, str | None, bool | None, bool | None],
            tuple[readings.State, tuple[str, ...]],
        ] = {}

    def read(
        self,
        status: str,
        media_center: str | None,
        summer: str | None,
        is_online: bool | None,
        is_filtered: bool | None = None,
    ) -> readings.State:
        words = (status, media_center, summer, is_online, is_filtered)
        if (known := self._known.get(words)) is None:
            known = self._known[words] = self._decide(*words)
        for word in known[1]:
            self.unmapped[word] = self.unmapped.get(word, 0) + 1
        return known[0]

    def _decide(
        self,
        status: str,
        media_center: str | None,
        summer: str | None,
        is_online: bool | None,
        is_filtered: bool | None,
    ) -> tuple[readings.State, tuple[str, ...]]:
        line = self._vocabulary.status(status)
        desk = self._vocabulary.media_center(media_center)
        season = self._vocabulary.summer(summer)
        raw = status.strip()[: vocabulary.RAW_STATUS_CHARACTERS]
        state = readings.State(
            starts_at=self._instant,
            status=line,
            raw_status=raw,
            suspended_by=_suspended_by(line, desk, season),
            is_online=is_online,
            is_filtered=is_filtered,
        )
        unmapped = (
            (raw, line is readings.LineStatus.UNKNOWN),
            (
                f"media_center_status: {(media_center or '')[: vocabulary.RAW_STATUS_CHARACTERS]}",
                desk == UNKNOWN,
            ),
            (f"summer_status: {(summer or '')[: vocabulary.RAW_STATUS_CHARACTERS]}", season == UNKNOWN),
        )
        return state, tuple(word for word, is_unknown in unmapped if is_unknown)


def _suspended_by(status: readings.LineStatus, desk: str, season: str) -> readings.SuspendedBy | None:
    """The loan desk comes first: a device on the shelf is on the shelf in summer too."""
    if status is not readings.LineStatus.SUSPENDED:
        return None
    if desk == "loan_desk":
        return readings.SuspendedBy.LOAN_DESK
    if season == "season":
        return readings.SuspendedBy.SEASON
    return readings.SuspendedBy.CARRIER


def _meaning(words: Mapping[str, str], raw: str | None) -> str:
    if raw is None or not (folded := vocabulary.fold(raw.strip())):
        return "none"
    return words.get(folded, UNKNOWN)


def _folded(words: Mapping[str, Meaning]) -> dict[str, Meaning]:
    return {vocabulary.fold(word): meaning for word, meaning in words.items()}
