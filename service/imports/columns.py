"""Finds the columns of a file by their names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service import errors


@dataclass(frozen=True, slots=True)
class Columns:
    """``places`` has the position of each column that was found."""

    places: dict[str, int]
    width: int
    ignored: tuple[str, ...]


def plain(name: str) -> str:
    """A header as it is compared: without case, spaces, hyphens or underscores."""
    return re.sub(r"[\s_-]+", "", name).lower()


def match(header: Sequence[str], *, required: Sequence[str], optional: Sequence[str] = ()) -> Columns:
    """Raises ImportRejected where a required column is missing, or any is there twice."""
    wanted = {plain(name): name for name in (*required, *optional)}
    places: dict[str, int] = {}
    ignored: list[str] = []
    for place, title in enumerate(header):
        name = wanted.get(plain(title))
        if name is None:
            ignored.append(title)
        elif name in places:
            raise errors.ImportRejected(f"the column {name} is there twice")
        else:
            places[name] = place
    missing = [name for name in required if name not in places]
    if missing:
        raise errors.ImportRejected(_what_is_missing(missing, places, ignored))
    return Columns(places, len(header), tuple(name for name in ignored if name))


def _what_is_missing(missing: Sequence[str], places: dict[str, int], ignored: Sequence[str]) -> str:
    needed = f"the file lacks the column(s) {', '.join(missing)}"
    if not places:  # a first row of data may hold names: it is not repeated
        return f"{needed}: its first row has none of the column names. Has it a header?"
    others = ", ".join(repr(name) for name in ignored if name) or "nothing else"
    return f"{needed}. It has {', '.join(places)} and, not known here, {others}"
