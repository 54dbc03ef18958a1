"""The page in a real browser: it fits, it asks nobody else for anything, and the browser has no complaint."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from service import metrics, web
from service.store import coverage
from service.web import server
from tests import conftest, snapshots
from tests.browser import chromium

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def address(pool: asyncpg.Pool) -> AsyncIterator[str]:
    """A page made of rows in a real database."""
    await snapshots.insert(pool)
    await snapshots.insert_loan_days(pool, ["adequate", "adequate", "idle"])
    snapshot = await coverage.snapshot(pool, now=snapshots.NOW)
    application = web.build(
        metrics=metrics.Metrics(),
        snapshot=lambda: snapshot,
        health=lambda: web.Health(True, "all is well"),
        ready=lambda: True,
        clock=lambda: snapshots.NOW,
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[chromium.Tab]:
    name = chromium.program()
    if name is None:
        conftest.missing_program("chromium", "apt-get install chromium")
    assert name is not None
    async with chromium.tab(name, tmp_path / "profile") as opened:
        yield opened


def keep(name: str, content: bytes) -> None:
    """Screenshots are for people: AFTERBELL_TEST_SCREENSHOTS names a folder to leave them in."""
    folder = os.environ.get("AFTERBELL_TEST_SCREENSHOTS")
    if folder:
        (Path(folder) / name).write_bytes(content)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 880, 800, 390, 360, 320])
async def test_the_page_fits(tab: chromium.Tab, address: str, width: int, dark: bool) -> None:
    await tab.open(address, width=width, dark=dark)
    picture = await tab.screenshot()
    keep(f"page-{width}-{'dark' if dark else 'light'}.png", picture)
    assert picture.startswith(PNG)
    assert len(picture) > 20_000
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    assert "Sonoran" in await tab.evaluate("document.querySelector('h1').innerText")
    assert await tab.evaluate("document.querySelector('.answer').offsetHeight") > 100


async def test_the_browser_has_no_complaint_and_asks_nobody_else(tab: chromium.Tab, address: str) -> None:
    await tab.open(address, width=1280)
    assert tab.complaints() == []
    assert [url for url in tab.requested() if not url.startswith(address)] == []
    assert len(tab.requested()) >= 2  # the page and its style


async def test_the_page_prints(tab: chromium.Tab, address: str) -> None:
    await tab.open(address, width=720, media="print")  # a letter's width between its margins
    keep("print.png", await tab.screenshot())
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 720
    pages = await tab.printed()
    keep("page.pdf", pages)
    assert pages.startswith(b"%PDF")


async def test_text_stands_out_from_its_ground(tab: chromium.Tab, address: str) -> None:
    """4.5 to 1, as WCAG asks of text, in both schemes."""
    for dark in (False, True):
        await tab.open(address, width=1280, dark=dark)
        assert await tab.evaluate(CONTRAST) == []


CONTRAST = """
(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [r, g, b] = numbers(colour).map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const node of document.querySelectorAll("main *, footer *, header *")) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!own || node.closest("svg")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(node.className + ": " + node.innerText.slice(0, 40));
  }
  return poor;
})()
"""
