"""The pages of equity and pilots in a real browser, at every width and in both schemes."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from service import metrics, web
from service.web import server
from tests import conftest, program, snapshots
from tests.browser import chromium
from tests.browser.test_page import CONTRAST, PNG, keep

PAGES = ("equity", "pilots")


@pytest.fixture
async def address(pool: asyncpg.Pool) -> AsyncIterator[str]:
    await program.insert(pool)
    snapshot = await program.snapshot(pool)
    application = web.build(
        metrics=metrics.Metrics(),
        snapshot=lambda: snapshot,
        health=lambda: web.Health(True, "all is well"),
        ready=lambda: True,
        clock=lambda: snapshots.NOW,
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}/districts/{program.DISTRICT}/"


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[chromium.Tab]:
    name = chromium.program()
    if name is None:
        conftest.missing_program("chromium", "apt-get install chromium")
    assert name is not None
    async with chromium.tab(name, tmp_path / "profile") as opened:
        yield opened


@pytest.mark.parametrize("name", PAGES)
async def test_the_page_fits_and_can_be_read(tab: chromium.Tab, address: str, name: str) -> None:
    for dark in (False, True):
        for width in (1280, 800, 390, 320):
            await tab.open(address + name, width=width, dark=dark)
            picture = await tab.screenshot()
            keep(f"{name}-{width}-{'dark' if dark else 'light'}.png", picture)
            assert picture.startswith(PNG)
            assert await tab.evaluate("document.documentElement.scrollWidth") <= width, (width, dark)
            assert await tab.evaluate("document.querySelector('.history svg').clientHeight") > 100
        assert await tab.evaluate(CONTRAST) == []
    assert tab.complaints() == []
    assert [url for url in tab.requested() if not url.startswith(address.partition("/districts")[0])] == []


@pytest.mark.parametrize("name", PAGES)
async def test_the_page_prints(tab: chromium.Tab, address: str, name: str) -> None:
    await tab.open(address + name, width=720, media="print")
    keep(f"{name}-print.png", await tab.screenshot())
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 720
    assert (await tab.printed()).startswith(b"%PDF")
