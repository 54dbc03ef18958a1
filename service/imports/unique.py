"""Rows of one file that tell of the same thing."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.imports import outcomes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keyed(Generic[T]):
    """A record with what makes it unique, and the column to name where it is not."""

    row: int
    column: str
    key: Hashable
    record: T


def kept(read: Iterable[Keyed[T]], tally: outcomes.Tally) -> tuple[list[T], int]:
    """The first record of each key, and the number of exact repeats; contradicting ones are refused."""
    first: dict[Hashable, Keyed[T]] = {}
    repeated = 0
    for keyed in read:
        known = first.setdefault(keyed.key, keyed)
        if known is keyed:
            continue
        if known.record == keyed.record:
            repeated += 1
        else:
            reason = f"row {known.row} tells of the same and says otherwise"
            tally.reject([outcomes.Problem(keyed.row, keyed.column, reason)])
    return [keyed.record for keyed in first.values()], repeated
