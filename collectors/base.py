"""The shape that every collector has: endpoint groups, and sweeps of them as async pages of readings."""

import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from collectors import readings


@dataclass(frozen=True, kw_only=True)
class EndpointGroup:
    """A set of vendor calls that share a rate of change.

    A sweep of ``n`` lines takes ``page_cost`` requests for every ``page_size`` of them and ``line_cost`` for each.
    Where a budget does not suffice, groups of a higher ``priority`` number are stretched first.
    ``lists_lines``: it tells which lines there are, and their states. ``is_ordered``: pages come ordered by the
    watermark, so it may move with each page. ``overlaps``: a sweep re-reads instants that earlier sweeps stored.
    """

    name: str
    cadence: timedelta
    page_size: int
    page_cost: int = 1
    line_cost: int = 0
    priority: int = 0
    lists_lines: bool = True
    is_ordered: bool = False
    overlaps: bool = False

    @property
    def is_snapshot(self) -> bool:
        """Every reading is of the sweep's own instant, so a line that is listed twice says the same twice."""
        return not (self.is_ordered or self.overlaps)

    def requests(self, lines: int) -> int:
        """How many requests a sweep of so many lines takes; one at least."""
        return max(1, math.ceil(lines / self.page_size)) * self.page_cost + lines * self.line_cost


@dataclass(frozen=True)
class Sweep:
    """One pass over an endpoint group.

    ``instant`` (UTC) is the sweep's start and the instant of every snapshot reading in it. ``since`` is the
    watermark of the last sweep that succeeded; ``cursor`` the last stored page of an interrupted one.
    """

    instant: datetime
    since: datetime | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Probe:
    """What a try of an account found: how many lines the vendor lists, and how far its clock is from ours."""

    lines: int | None
    clock_skew_seconds: float | None
    rejected: Sequence[readings.Rejection] = ()


class Collector(Protocol):
    """Reads one account of one vendor. Only reads: no call that changes a vendor's state exists."""

    @property
    def endpoint_groups(self) -> Sequence[EndpointGroup]: ...

    def pages(self, group: EndpointGroup, sweep: Sweep) -> AsyncGenerator[readings.Page, None]:
        """Yield the sweep's pages in order. Raises CollectorError; what was yielded before stays good."""
        ...

    async def probe(self) -> Probe:
        """Sign in and read one row. Raises CollectorError."""
        ...

    async def aclose(self) -> None: ...
