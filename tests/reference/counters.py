"""From the totals of a billing cycle to what was used between two of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LONGEST = timedelta(hours=36)  # what is longer belongs to no day


@dataclass(frozen=True)
class Difference:
    starts_at: datetime
    ends_at: datetime
    used_bytes: int
    is_reset: bool

    @property
    def is_span(self) -> bool:
        return self.ends_at - self.starts_at > LONGEST

    @property
    def midpoint(self) -> datetime:
        return self.starts_at + (self.ends_at - self.starts_at) / 2


def differences(totals: Iterable[tuple[datetime, int]]) -> Iterator[Difference]:
    """What was used between each two instants; a total that falls begins a new cycle."""
    for (before_at, before), (at, total) in pairwise(sorted(totals)):
        is_reset = total < before
        yield Difference(before_at, at, total if is_reset else total - before, is_reset)
