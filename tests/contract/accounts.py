"""Makes pretend Kajeet accounts, and collectors that read them without waiting long."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors import base, budget, client, readings, registry, simulation
from collectors.kajeet import simulator, world

FIXTURES = Path(__file__).parent.parent / "fixtures" / "kajeet"
INSTANT = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
CHILD = "Wilhelmina Placeholder"
SECRET = "correct-horse-battery"
CREDENTIALS = {"client_id": "simulated-client", "client_secret": SECRET}
QUICK = client.Limits(
    attempt_seconds=0.5,
    total_seconds=3.0,
    attempts=3,
    wait_initial_seconds=0.001,
    wait_max_seconds=0.002,
    wait_jitter_seconds=0.001,
    body_bytes=1_000_000,
)


def device(number: int, **fields: Any) -> world.Device:
    given: dict[str, Any] = {
        "key": f"521{number:07d}",
        "mdn": f"521-{number // 10_000:03d}-{number % 10_000:04d}",
        "status": "active",
        "corp_id": "5001",
        "nickname": CHILD,
        "imei": f"3557373600{number:05d}",
        "uicc": f"8914800000{number:09d}",
        "day_amount_mb": 12.5,
        "month_amount_mb": 310.25,
        "last_30_days_mb": 400.0,
        "online": True,
    }
    return world.Device(**(given | fields))


def account(devices: int = 25, **settings: Any) -> simulator.Simulator:
    rows = [device(number) for number in range(devices)]
    return simulate(world.StaticWorld(rows), **settings)


def simulate(rows: world.World, **settings: Any) -> simulator.Simulator:
    return simulator.Simulator(
        rows, lambda: INSTANT, settings=simulator.Settings(client_secret=SECRET, **settings)
    )


@contextlib.asynccontextmanager
async def reading(
    simulated: simulator.Simulator,
    *,
    limits: client.Limits = QUICK,
    observer: client.Observer | None = None,
    **options: object,
) -> AsyncIterator[base.Collector]:
    """Serve the account and give a collector of it, ten rows a page."""
    async with simulation.serve(simulated) as url:
        given = {"corp_ids": ["5001"], "base_url": url, "page_size": 10} | options
        collector = registry.build(
            "kajeet", given, CREDENTIALS, budgets=budget.Unlimited(), observer=observer, limits=limits
        )
        try:
            yield collector
        finally:
            await collector.aclose()


async def pages(
    collector: base.Collector, *, cursor: str | None = None, group: str = "devices"
) -> list[readings.Page]:
    wanted = next(known for known in collector.endpoint_groups if known.name == group)
    return [page async for page in collector.pages(wanted, base.Sweep(INSTANT, cursor=cursor))]


def keys(found: list[readings.Page]) -> list[str]:
    return [sighting.provider_key for page in found for sighting in page.sightings]


def every_key(simulated: simulator.Simulator) -> list[str]:
    rows = simulated.world.devices("5001", INSTANT)
    return sorted(row.key for row in rows or ())


def changing(
    simulated: simulator.Simulator, change: Callable[[list[world.Device]], object]
) -> Callable[[], None]:
    """An act upon a static world's rows, to be done between two pages."""

    def act() -> None:
        assert isinstance(simulated.world, world.StaticWorld)
        change(simulated.world.rows)
        simulated.forget()

    return act
