"""What surrounds the rows of an answer, and where it tells how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from collectors import client, decoding, errors
from collectors.described import description as descriptions
from collectors.described import expressions, rows, units

MOST_DIGITS = 9


@dataclass(frozen=True)
class Opened:
    """An answer's rows, still encoded, and what it says of the whole list."""

    rows: bytes | msgspec.Raw
    total: int | None = None
    total_pages: int | None = None


class Envelope:
    """Opens answers whose rows stand in the member ``name``; without a name the answer itself is the list."""

    def __init__(self, name: str | None, paging: descriptions.ByPage | None = None) -> None:
        self._paging = paging
        places = [] if paging is None else [paging.total_pages, paging.total]
        paths = [place.path for place in places if place is not None and place.path is not None]
        asked = {path: expressions.compiled(path) for path in paths}
        more = [("rows", name or "", msgspec.Raw)]
        shape = rows.Shape(asked.values(), more)
        self._getters = {path: shape.getter(expression) for path, expression in asked.items()}
        self._decoder = None if name is None else msgspec.json.Decoder(shape.kind)

    def open(self, answer: client.Answer) -> Opened:
        """Raises ResponseInvalid."""
        if self._decoder is None:
            whole: Any = None
            held: bytes | msgspec.Raw = answer.body
        else:
            whole = decoding.whole(self._decoder, answer.body)
            held = whole.rows
        if self._paging is None:
            return Opened(held)
        total_pages = self._told("total_pages", self._paging.total_pages, answer.headers, whole)
        if total_pages is None:
            raise _unfit("total_pages", self._paging.total_pages, "nothing")
        total = self._told("total", self._paging.total, answer.headers, whole)
        return Opened(held, total, total_pages)

    def _told(
        self, name: str, place: descriptions.Place | None, headers: Mapping[str, str], whole: Any
    ) -> int | None:
        if place is None:
            return None
        if place.header is not None:
            return _header(name, place, headers.get(place.header))
        try:
            value = self._getters[place.path or ""](whole)
        except expressions.NotApplicable:
            raise _unfit(name, place, "what the expression cannot be applied to") from None
        if value is None:
            return None
        if type(value) is not int or value < 0:
            raise _unfit(name, place, units.kind(value))
        return value


def _header(name: str, place: descriptions.Place, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal() or len(text) > MOST_DIGITS:
        raise _unfit(name, place, "other text")
    return int(text)


def _unfit(name: str, place: descriptions.Place, found: str) -> errors.ResponseInvalid:
    where = f"header {place.header}" if place.header is not None else place.path
    return errors.ResponseInvalid(f"lines.paging.{name} = {where}: expected a whole number, found {found}")
