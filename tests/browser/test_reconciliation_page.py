"""The page of reconciliation in a real browser, at every width and in both schemes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from service import metrics, web
from service.model import reconciliation as model
from service.store import reconciliation
from service.web import server
from tests import conftest, snapshots
from tests.browser import chromium
from tests.browser.test_page import CONTRAST, PNG, keep


def summary() -> reconciliation.Summary:
    """Every kind but two, at many schools."""
    counts = [
        reconciliation.Count(
            kind=kind.name,
            ncessch=None,
            school=None if place == 0 and kind.has_cost else row.name,
            findings=(37 * place + 11 * len(kind.name)) % 90 + 1,
            oldest_on=date(2025 + place % 2, 1 + place % 9, 3),
            monthly_cost=Decimal(1215 * (place % 3)) if place % 3 else None,
            without_cost=0 if place % 3 else 4,
        )
        for kind in model.KINDS[:-2]
        for place, row in enumerate([*snapshots.SCHOOLS, *snapshots.SCHOOLS])
    ]
    return reconciliation.Summary(
        on_day=snapshots.REPORTED_ON,
        computed_at=snapshots.NOW,
        lines=1240,
        lines_untold=35,
        lines_in_no_device=12,
        counts=tuple(counts),
    )


@pytest.fixture
async def address() -> AsyncIterator[str]:
    shown = snapshots.snapshot()
    shown = replace(shown, districts=(replace(shown.districts[0], reconciliation=summary()),))
    application = web.build(
        metrics=metrics.Metrics(),
        snapshot=lambda: shown,
        health=lambda: web.Health(True, "all is well"),
        ready=lambda: True,
        clock=lambda: snapshots.NOW,
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[chromium.Tab]:
    name = chromium.program()
    if name is None:
        conftest.missing_program("chromium", "apt-get install chromium")
    assert name is not None
    async with chromium.tab(name, tmp_path / "profile") as opened:
        yield opened


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_page_fits_and_can_be_read(tab: chromium.Tab, address: str, dark: bool) -> None:
    for width in (1280, 800, 390, 320):
        await tab.open(f"{address}/districts/7/reconciliation", width=width, dark=dark)
        picture = await tab.screenshot()
        keep(f"reconciliation-{width}-{'dark' if dark else 'light'}.png", picture)
        assert picture.startswith(PNG)
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width, width
        assert await tab.evaluate("document.querySelectorAll('.kinds tbody tr').length") == len(model.KINDS)
    assert await tab.evaluate(CONTRAST) == []
    assert tab.complaints() == []
    assert [url for url in tab.requested() if not url.startswith(address)] == []


async def test_the_page_prints(tab: chromium.Tab, address: str) -> None:
    await tab.open(f"{address}/districts/7/reconciliation", width=720, media="print")
    keep("reconciliation-print.png", await tab.screenshot())
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 720
    assert (await tab.printed()).startswith(b"%PDF")


async def test_the_first_page_leads_there_and_it_leads_back(tab: chromium.Tab, address: str) -> None:
    await tab.open(f"{address}/districts/7", width=1280)
    keep("needs-a-hand.png", await tab.screenshot())
    first = model.KINDS[0].name
    target = await tab.evaluate("document.querySelector('[aria-labelledby=needs-a-hand] li a').href")
    assert target == f"{address}/districts/7/reconciliation#{first}"
    await tab.open(target, width=1280)
    assert await tab.evaluate(f"document.getElementById('{first}') !== null")
    assert await tab.evaluate("document.querySelector('main > p a').href") == f"{address}/districts/7"
