"""Where in a list a sweep stands, by page number or by key."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from collectors import client, walking
from collectors.described import description as descriptions
from collectors.described import parse

Params = Mapping[str, str | int]
Fetch = Callable[[Params], Awaitable[client.Answer]]
Read = Callable[[client.Answer], parse.Lines]
Fetched = walking.Fetched[parse.Lines]

FIRST = 1


@dataclass(frozen=True)
class Place:
    """A page, and how many rows the list held when the page before it was read; None where that was not told."""

    number: int
    extent: int | None
    size: int

    def __str__(self) -> str:
        return f"{self.number}:{'' if self.extent is None else self.extent}:{self.size}"

    @classmethod
    def read(cls, text: str | None, size: int) -> "Place":
        """Read a cursor. One of another page size begins anew."""
        match (text or "").split(":"):
            case [number, extent, was] if number.isdecimal() and was == str(size) and int(number) >= FIRST:
                return cls(int(number), int(extent) if extent.isdecimal() else None, size)
            case _:
                return cls(FIRST, None, size)

    def back(self, extent: int) -> int:
        """The page to read in place of this one, now that the list holds so many rows.

        Rows that went from before this page drew later ones forward, over the place where it stands.
        """
        fallen = 0 if self.extent is None else max(0, self.extent - extent)
        return max(FIRST, self.number - math.ceil(fallen / self.size))


class ByPage:
    """Numbered pages. A list that shrinks while it is read is read again from a little earlier."""

    may_be_empty = False

    def __init__(self, described: descriptions.ByPage, size: int) -> None:
        self._described = described
        self._size = size

    def start(self, cursor: str | None) -> str:
        return str(Place.read(cursor, self._size))

    def first(self, size: int) -> Params:
        return {self._described.page: FIRST, self._described.size: size}

    async def fetch(self, at: str, get: Fetch, read: Read) -> Fetched:
        place = Place.read(at, self._size)
        number, mark = place.number, b""
        while True:
            answer = await get({self._described.page: number, self._described.size: self._size})
            page = read(answer)
            pages = page.total_pages or 0
            extent = pages * self._size if page.total is None else page.total
            if (back := place.back(extent)) >= number:
                break
            # told apart from the page before, which it may equal: that is no repetition
            number, mark = back, b"%d back " % extent
        following = None if number >= pages else str(Place(number + 1, extent, self._size))
        return walking.Fetched(page, mark + answer.body, page.count, following)


class ByKey:
    """Pages that tell where the list goes on. The vendor may send short and empty ones before the last."""

    may_be_empty = True

    def __init__(self, described: descriptions.ByKey, size: int) -> None:
        self._described = described
        self._size = size

    def start(self, cursor: str | None) -> str:
        return cursor or ""

    def first(self, size: int) -> Params:
        return {self._described.size: size}

    async def fetch(self, at: str, get: Fetch, read: Read) -> Fetched:
        params: dict[str, str | int] = {self._described.size: self._size}
        if at:
            params[self._described.key] = at
        answer = await get(params)
        page = read(answer)
        return walking.Fetched(
            page, answer.body, page.count, answer.headers.get(self._described.next_header) or None
        )


def of(described: descriptions.ByPage | descriptions.ByKey, size: int) -> ByPage | ByKey:
    return ByPage(described, size) if isinstance(described, descriptions.ByPage) else ByKey(described, size)
