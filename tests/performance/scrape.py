"""Time and size of a scrape at several numbers of schools, as Prometheus makes it. Run by hand:

.venv/bin/python -m tests.performance.scrape
.venv/bin/python -m tests.performance.scrape 10 1000 10000
"""

import asyncio
import statistics
import sys
import time
from dataclasses import dataclass, replace

import aiohttp

from service import metrics, web
from service.web import server
from tests import observed, snapshots

SCHOOLS = (10, 1_000, 10_000)
REPEATS = 20
AIM_SECONDS = 0.1  # of a repeated scrape at 10,000 schools, compressed as Prometheus asks for it
_ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@dataclass(frozen=True)
class Told:
    schools: int
    shown: float  # seconds to write a snapshot's text, aside, once a minute
    first: float  # of a scrape
    again: float  # of a repeated scrape, the median
    slowest: float
    sent_bytes: int


async def measure(schools: int, *, is_compressed: bool) -> Told:
    rows = [
        replace(snapshots.SCHOOLS[at % 4], name=f"School {at}", need=40 + at % 60) for at in range(schools)
    ]
    snapshot = observed.snapshot(rows)
    made = metrics.Metrics()
    began = time.perf_counter()
    made.show(snapshot)
    shown = time.perf_counter() - began
    application = web.build(
        metrics=made,
        snapshot=lambda: snapshot,
        health=lambda: web.Health(True, ""),
        ready=lambda: True,
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        taken, sent_bytes = await _scrapes(f"http://127.0.0.1:{port}/metrics", is_compressed=is_compressed)
    return Told(schools, shown, taken[0], statistics.median(taken[1:]), max(taken[1:]), sent_bytes)


async def _scrapes(address: str, *, is_compressed: bool) -> tuple[list[float], int]:
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip" if is_compressed else "identity"}
    taken, sent_bytes = [], 0
    async with aiohttp.ClientSession(auto_decompress=False, headers=headers) as session:
        for _ in range(1 + REPEATS):
            began = time.perf_counter()
            async with session.get(address) as response:
                sent_bytes = len(await response.read())
                assert response.status == 200
            taken.append(time.perf_counter() - began)
    return taken, sent_bytes


def _row(told: Told, is_compressed: bool, base: Told) -> str:
    coding = "gzip" if is_compressed else "plain"
    return (
        f"{told.schools:>7,} {coding:>6} {told.shown * 1000:>9.1f} {told.first * 1000:>9.1f} "
        f"{told.again * 1000:>9.1f} {told.slowest * 1000:>9.1f} {told.sent_bytes / 1e6:>9.3f} "
        f"{told.again / base.again:>9.1f} {told.sent_bytes / base.sent_bytes:>9.1f}"
    )


async def main(schools: list[int]) -> None:
    heads = ("schools", "", "show ms", "first ms", "again ms", "worst ms", "MB", "x time", "x size")
    print(" ".join(f"{head:>{width}}" for head, width in zip(heads, (7, 6, *[9] * 7), strict=True)))
    for is_compressed in (True, False):
        base: Told | None = None
        for count in schools:
            told = await measure(count, is_compressed=is_compressed)
            base = base or told
            print(_row(told, is_compressed, base), flush=True)
            if is_compressed and told.again > AIM_SECONDS:
                sys.exit(f"{told.again:.3f} s at {count:,} schools: the aim is {AIM_SECONDS} s")


if __name__ == "__main__":
    asyncio.run(main([int(count) for count in sys.argv[1:]] or list(SCHOOLS)))
