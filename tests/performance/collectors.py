"""Measures every collector against its stand-in: requests a sweep, how long they take, and how fast lists are parsed.

    python -m tests.performance.collectors [--lines 1000 10000] [--only thingspace] [--longest 120]

The vendor's limit is kept on a simulated clock: "at limit" is how long the sweep would take there, "here" how long it
took on this machine, stand-in included. A group of one request for each line is left out where this machine would need
longer than ``--longest`` seconds for it; what it takes at the vendor's limit is then computed. Parse rates are of the
list call, on one core, beside json.loads of the same bytes.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from collectors import base, budget, client, registry, simulation
from tests.contract import cases
from tests.contract.cases import Case
from tests.contract.towards import Towards

PARSED_LINES = 2_000
PARSE_SECONDS = 1.0
REQUESTS_A_SECOND = 500  # about what the stand-ins and a collector do together on one core

_out = Console()


@dataclass
class Counted:
    """A budget on a simulated clock: nobody waits, and every request moves the clock to its slot."""

    terms: budget.Terms = field(default_factory=lambda: budget.Terms(1.0))
    requests: int = 0

    def of(self, fingerprint: str, terms: budget.Terms) -> "Counted":
        self.terms = terms
        return self

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        self.requests += 1
        yield

    async def hold_off(self, seconds: float) -> None:
        raise AssertionError("nothing is to be throttled here")

    @property
    def seconds(self) -> float:
        """On the simulated clock, since it was last looked at."""
        seconds, self.requests = self.requests / self.terms.requests_per_second, 0
        return seconds


@dataclass(frozen=True)
class Measured:
    requests: int
    at_limit: float
    here: float | None  # None: not swept here
    lines: int


async def measure(case: Case, lines: int, longest: float) -> dict[str, Measured]:
    """Every endpoint group of one collector, at the vendor's own page sizes."""
    numbers = range(lines)
    stand, options = case.vendor_sized(numbers) if case.vendor_sized else (case.stand(numbers), {})
    spent = Counted()
    async with simulation.serve(stand) as url:
        network = Towards(url)
        collector = registry.build(
            case.collector,
            {**case.options, **options},
            case.credentials,
            budgets=spent,
            transport=network,
            limits=client.Limits(),
        )
        try:
            groups = collector.endpoint_groups
            return {
                group.name: await _swept(collector, group, spent, network, lines, longest) for group in groups
            }
        finally:
            await collector.aclose()


async def _swept(
    collector: base.Collector,
    group: base.EndpointGroup,
    spent: Counted,
    network: Towards,
    lines: int,
    longest: float,
) -> Measured:
    planned = group.requests(lines)
    if planned > longest * REQUESTS_A_SECOND:
        return Measured(planned, planned / spent.terms.requests_per_second, None, lines)
    seen: set[str] = set()
    began = time.perf_counter()
    async for page in collector.pages(group, base.Sweep(cases.INSTANT)):
        seen |= cases.keys([page])
        network.sent.clear()
    here = time.perf_counter() - began
    requests = spent.requests
    return Measured(requests, spent.seconds, here, len(seen))


def parse_rates(case: Case) -> tuple[float, float]:
    """Lines a second: ours, and json.loads of the same bytes."""
    body, parse = case.parse(PARSED_LINES)
    assert parse(body) == PARSED_LINES
    return _rate(lambda: parse(body)), _rate(lambda: json.loads(body))


def _rate(work: object) -> float:
    """The best of some rounds: a shared machine only ever makes it slower."""
    assert callable(work)
    best, until = float("inf"), time.perf_counter() + PARSE_SECONDS
    gc.collect()
    while time.perf_counter() < until:
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return PARSED_LINES / best


def show_sweeps(found: dict[tuple[str, int], dict[str, Measured]]) -> None:
    table = Table(title="requests and time of a sweep", title_justify="left")
    for heading in ("collector", "group", "lines", "requests", "at limit", "here", "lines seen"):
        table.add_column(
            heading, justify="left" if heading in ("collector", "group") else "right", no_wrap=True
        )
    for (name, lines), groups in found.items():
        for group, it in groups.items():
            here = "not swept" if it.here is None else f"{it.here:.1f} s"
            seen = "" if it.here is None else f"{it.lines:,}"
            table.add_row(
                name, group, f"{lines:,}", f"{it.requests:,}", f"{it.at_limit / 60:,.1f} min", here, seen
            )
    _out.print(table)


def show_parse_rates(chosen: list[Case]) -> None:
    table = Table(title="parsing the list call, one core", title_justify="left")
    for heading in ("collector", "lines a second", "json.loads alone", "ratio"):
        table.add_column(heading, justify="left" if heading == "collector" else "right")
    for case in chosen:
        ours, baseline = parse_rates(case)
        table.add_row(case.collector, f"{ours:,.0f}", f"{baseline:,.0f}", f"{ours / baseline:.2f}")
    _out.print(table)


async def measured(
    chosen: list[Case], sizes: list[int], longest: float
) -> dict[tuple[str, int], dict[str, Measured]]:
    found = {}
    for case in chosen:
        for lines in sizes:
            with _out.status(f"{case.collector}: {lines:,} lines"):
                found[case.collector, lines] = await measure(case, lines, longest)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--only", nargs="+", help="collectors to measure")
    parser.add_argument("--longest", type=float, default=60.0, help="seconds that a sweep may take here")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    chosen = [case for case in cases.every() if not given.only or case.collector in given.only]
    show_parse_rates(chosen)
    show_sweeps(asyncio.run(measured(chosen, given.lines, given.longest)))


if __name__ == "__main__":
    main()
