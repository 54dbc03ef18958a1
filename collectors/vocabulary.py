"""A vendor's words for a line's status, mapped once; a word that is not known is kept and counted, never guessed."""

from collections.abc import Callable, Mapping
from datetime import datetime

from collectors import readings

RAW_STATUS_CHARACTERS = 64

Meaning = Callable[[str], readings.LineStatus]


def fold(text: str) -> str:
    """Reduce a word to what the maps compare: no case, spaces, hyphens or underscores."""
    return "".join(character for character in text.casefold() if character not in " _-")


def words(*maps: Mapping[str, readings.LineStatus]) -> Meaning:
    """What a status word means; a later map goes before an earlier one. Any other word is unknown."""
    known = {fold(word): status for given in maps for word, status in given.items()}
    return lambda raw: known.get(fold(raw), readings.LineStatus.UNKNOWN)


class States:
    """The states of one page: rows that say the same share one reading. ``unmapped`` counts unknown words."""

    def __init__(self, meaning: Meaning, instant: datetime) -> None:
        self.unmapped: dict[str, int] = {}
        self._meaning = meaning
        self._instant = instant
        self._known: dict[tuple[str | None, bool | None, bool | None], readings.State] = {}

    def read(
        self, raw: str | None, is_online: bool | None = None, is_limit_reached: bool | None = None
    ) -> readings.State:
        """A sample at the page's instant. ``raw`` None: the vendor told no status of this line."""
        words = (raw, is_online, is_limit_reached)
        if (known := self._known.get(words)) is None:
            known = self._known[words] = self._decide(*words)
        if known.status is readings.LineStatus.UNKNOWN and known.raw_status is not None:
            self.unmapped[known.raw_status] = self.unmapped.get(known.raw_status, 0) + 1
        return known

    def _decide(
        self, raw: str | None, is_online: bool | None, is_limit_reached: bool | None
    ) -> readings.State:
        if raw is None:
            return readings.State(self._instant, is_online=is_online, is_limit_reached=is_limit_reached)
        word = raw.strip()[:RAW_STATUS_CHARACTERS]
        status = self._meaning(word)
        by = readings.SuspendedBy.CARRIER if status is readings.LineStatus.SUSPENDED else None
        return readings.State(self._instant, status, word, by, is_online, is_limit_reached)
