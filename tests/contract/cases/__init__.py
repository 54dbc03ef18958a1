"""What the tests that hold for every collector need to know of each one.

A vendor has a module here with a ``CASE``; ``every()`` finds them all.
"""

import contextlib
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from collectors import base, budget, client, readings, registry, simulation
from tests.contract.towards import Towards

INSTANT = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
LINES = range(25)  # the hotspots of a stand-in; 10 a page

# What stand-ins put wherever a vendor's answer could carry it; none of it may be found afterwards.
PRIVATE = {
    "name": "Wilhelmina Placeholder",
    "address": "4711 Nowhere Lane",
    "ssid": "PlaceholderHomeWiFi",
    "note": "belongs to the Placeholder twins",
    "email": "wilhelmina.placeholder@example.org",
    "latitude": "45.482913",
    "longitude": "-122.803317",
    "ip": "203.0.113.77",
}
QUICK = client.Limits(
    attempt_seconds=2.0,  # a busy machine must not look like a slow vendor
    total_seconds=10.0,
    attempts=3,
    wait_initial_seconds=0.001,
    wait_max_seconds=0.002,
    wait_jitter_seconds=0.001,
    max_retry_after=0.05,
    body_bytes=1_000_000,
)
Row = dict[str, Any]
Field = tuple[str | int, ...]  # the path of a field in a row


class Stand(Protocol):
    """A vendor's stand-in with a pretend account."""

    faults: simulation.Faults

    def app(self) -> Any: ...

    def expire(self) -> None:
        """Refuse every token given so far (nothing to do where the vendor has none)."""
        ...

    def revoke(self) -> None:
        """Refuse the credentials from now on, and every token given for them."""
        ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """One collector, its stand-in, and where in its answers things are.

    ``rows`` finds the list of rows in the decoded body of the list call, to be changed in place. ``keys`` are the
    provider keys (or device keys) that a sweep of ``group`` must give.
    """

    collector: str  # its name in the registry
    folder: str  # under collectors/
    options: Mapping[str, object]  # with the vendor's own base URL, and 10 lines a page
    credentials: Mapping[str, str]
    stand: Callable[[range], Stand]  # of the hotspots with these numbers, see identities.py
    keys: Callable[[range], set[str]]
    group: str  # the endpoint group that lists the lines
    endpoint: str  # the route of its list call
    rows: Callable[[Any], list[Row]]
    status: Field | None  # where a row tells its status; None: it tells none
    wrong: tuple[Field, object]  # a field, and a value of a wrong type that makes the row unreadable
    optional: Sequence[Field]  # fields that a row may lack
    suffix: str | None = None  # a host that redirects may lead to; None: there is none
    has_tokens: bool = True
    throttled: simulation.Fault = field(default_factory=lambda: simulation.status(429, retry_after="0"))
    secrets: Sequence[str] = ()  # what no log or error may hold, beside the credentials
    # the stand-in and the options with the vendor's own page sizes, for measuring; None: as in ``stand``, ``options``
    vendor_sized: Callable[[range], tuple[Stand, Mapping[str, object]]] | None = None
    # of so many lines: the body of a list page that holds them all, and what parses it and says how many it read
    parse: Callable[[int], tuple[bytes, Callable[[bytes], int]]]


def every() -> list[Case]:
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found: list[Case] = []
    for name in sorted(names):
        module = importlib.import_module(f"{__name__}.{name}")
        found += getattr(module, "CASES", None) or [module.CASE]
    return found


@dataclass(frozen=True)
class Reading:
    """A collector at work against its stand-in."""

    collector: base.Collector
    stand: Stand
    network: Towards

    def group(self, name: str) -> base.EndpointGroup:
        return next(group for group in self.collector.endpoint_groups if group.name == name)

    async def pages(
        self,
        group: str,
        *,
        instant: datetime = INSTANT,
        since: datetime | None = None,
        cursor: str | None = None,
    ) -> list[readings.Page]:
        sweep = base.Sweep(instant, since=since, cursor=cursor)
        return [page async for page in self.collector.pages(self.group(group), sweep)]


@contextlib.asynccontextmanager
async def reading(
    case: Case,
    *,
    stand: Stand | None = None,
    lines: range = LINES,
    limits: client.Limits = QUICK,
    observer: client.Observer | None = None,
    **options: object,
) -> AsyncIterator[Reading]:
    """Serve the case's stand-in under the vendor's own host names, and give a collector that reads it."""
    served = stand or case.stand(lines)
    async with simulation.serve(served) as url:
        network = Towards(url)
        collector = registry.build(
            case.collector,
            {**case.options, **options},
            case.credentials,
            budgets=budget.Unlimited(),
            transport=network,
            observer=observer,
            limits=limits,
        )
        try:
            yield Reading(collector, served, network)
        finally:
            await collector.aclose()


def keys(pages: Sequence[readings.Page]) -> set[str]:
    """The provider keys of lines, and the keys of students' devices."""
    lines = {sighting.provider_key for page in pages for sighting in page.sightings}
    return lines | {device.device_key for page in pages for device in page.student_devices}
