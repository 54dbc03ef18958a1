"""What the title of a calendar's event says of the school day: by a table of phrases that a district can replace."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.imports import map_files

SHIPPED = "english"
_FOLDER = "calendars"


class Meaning(StrEnum):
    FIRST_DAY = "first_day"
    LAST_DAY = "last_day"
    BREAK = "break"
    HOLIDAY = "holiday"
    HALF_DAY = "half_day"
    INSTRUCTIONAL = "instructional"
    UNCLEAR = "unclear"  # it is about school days, and cannot be decided


Phrases = tuple[Annotated[str, Field(min_length=1)], ...]


class Words(BaseModel):
    """The phrases of each meaning, and those that make a title unclear."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_day: Phrases = ()
    last_day: Phrases = ()
    break_: Phrases = Field(default=(), alias="break")
    holiday: Phrases = ()
    half_day: Phrases = ()
    instructional: Phrases = ()
    edges: Phrases = ()
    spoils: Phrases = ()
    doubtful: Phrases = ()

    def meanings(self, title: str) -> frozenset[Meaning]:
        """What a title says: nothing about school days, one thing, or a first or last day that is a half day too."""
        text = plain(title)
        found = {meaning for meaning, phrases in self._by_meaning() if _has(text, phrases)}
        if not found:
            return frozenset((Meaning.UNCLEAR,)) if _has(text, self.doubtful) else frozenset()
        settled = _settled(found)
        is_spoilt = _has(text, self.spoils) or (Meaning.BREAK in settled and _has(text, self.edges))
        # some students' first day is a day of school too
        ends = settled & {Meaning.FIRST_DAY, Meaning.LAST_DAY}
        return (ends or frozenset((Meaning.UNCLEAR,))) if is_spoilt else settled

    def _by_meaning(self) -> Sequence[tuple[Meaning, Phrases]]:
        return (
            (Meaning.FIRST_DAY, self.first_day),
            (Meaning.LAST_DAY, self.last_day),
            (Meaning.BREAK, self.break_),
            (Meaning.HOLIDAY, self.holiday),
            (Meaning.HALF_DAY, self.half_day),
            (Meaning.INSTRUCTIONAL, self.instructional),
        )


def load(name: str) -> Words:
    """The words that come with afterbell by name, or a file's. Raises ConfigError that lists every mistake in it."""
    return map_files.load(Words, _FOLDER, name)


def plain(title: str) -> str:
    """Words alone, in lower case, without accents or punctuation."""
    letters = unicodedata.normalize("NFKD", title.casefold())
    return " ".join(
        re.findall(r"[a-z0-9]+", "".join(one for one in letters if not unicodedata.combining(one)))
    )


def _has(text: str, phrases: Phrases) -> bool:
    return any(f" {plain(phrase)} " in f" {text} " for phrase in phrases)


def _settled(found: set[Meaning]) -> frozenset[Meaning]:
    """Of several meanings the one that holds; those that contradict each other are unclear."""
    off = found & {Meaning.BREAK, Meaning.HOLIDAY}
    on = found - off
    if not off:
        is_one = len(on - {Meaning.HALF_DAY}) <= 1 and (len(on) == 1 or Meaning.INSTRUCTIONAL not in on)
        return frozenset(on if is_one else (Meaning.UNCLEAR,))
    if not on:
        return frozenset((Meaning.BREAK,) if Meaning.BREAK in off else off)
    # the half day before a break names the break
    is_eve = on == {Meaning.HALF_DAY} and off == {Meaning.BREAK}
    return frozenset(on if is_eve else (Meaning.UNCLEAR,))
