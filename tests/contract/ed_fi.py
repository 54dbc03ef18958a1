"""Pretend Ed-Fi hosts, and calls to them that do not wait long."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from collectors import budget, client, simulation
from collectors.ed_fi import api, options, simulator
from tests.contract import accounts, towards

FIXTURES = Path(__file__).parent.parent / "fixtures" / "ed_fi"
SECRET = "correct-horse-battery"
CREDENTIALS = {"key": "simulated-key", "secret": SECRET}
HOST = "https://api.district.example"


def fixture(name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return items


def association(number: int, organization: int = 255901001, **told: object) -> dict[str, Any]:
    return {
        "id": f"{number:032x}",
        "studentReference": {"studentUniqueId": f"{number:06d}"},
        "educationOrganizationReference": {"educationOrganizationId": organization},
        "internetAccessInResidence": True,
        "_lastModifiedDate": "2026-09-03T18:22:33Z",
        **told,
    }


def host(associations: int = 25, **settings: Any) -> simulator.Simulator:
    return simulated([association(number) for number in range(associations)], **settings)


def simulated(associations: list[dict[str, Any]], **settings: Any) -> simulator.Simulator:
    return simulator.Simulator(
        associations, fixture("schools"), settings=simulator.Settings(secret=SECRET, **settings)
    )


@contextlib.asynccontextmanager
async def reading(
    stand: simulator.Simulator, *, limits: client.Limits = accounts.QUICK, **given: Any
) -> AsyncIterator[tuple[api.Api, towards.Towards]]:
    """Serve the host; give the calls to it, ten items a page, and what they sent."""
    async with simulation.serve(stand) as url:
        network = towards.Towards(url)
        chosen: dict[str, Any] = {"base_url": f"{HOST}{stand.settings.path}", "page_size": 10} | given
        calls = api.Api(
            options.Options(**chosen),
            CREDENTIALS,
            budgets=budget.Unlimited(),
            transport=network,
            limits=limits,
        )
        try:
            yield calls, network
        finally:
            await calls.aclose()
