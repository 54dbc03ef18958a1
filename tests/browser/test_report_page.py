"""The report as a page in a real browser: by axe, at every width, and printed."""

import dataclasses
import functools
import io
import json
import re
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from service.exports import published, report
from tests import conftest, published_months
from tests.browser import chromium
from tests.browser.test_page import PNG, keep

AXE = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
OPENED = "document.querySelectorAll('details').forEach(one => { one.open = true }); true"
LONG = "Escuela Primaria " + "Bicentenario" * 12
MONTHS = {
    "pilot": published_months.with_pilot(),
    "unknown": published_months.unknown_month(),
    "partial": published_months.month(is_partial=True, revision=2, changes=published_months.CHANGES),
}


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[chromium.Tab]:
    name = chromium.program()
    if name is None:
        conftest.missing_program("chromium", "apt-get install chromium")
    assert name is not None
    async with chromium.tab(name, tmp_path / "profile") as opened:
        yield opened


def long_named() -> published.Published:
    month = published_months.with_pilot()
    schools = [
        dataclasses.replace(one, school=dataclasses.replace(one.school, name=f"{LONG}{index}"))
        for index, one in enumerate(month.schools)
    ]
    return dataclasses.replace(month, schools=tuple(schools))


@functools.cache
def page(name: str, language: str) -> bytes:
    month = long_named() if name == "long" else MONTHS[name]
    return report.made(month, language=language).html


def kept(name: str, folder: Path, *, language: str) -> str:
    file = folder / f"report-{name}-{language}.html"
    file.write_bytes(page(name, language))
    return file.as_uri()


async def axe(tab: chromium.Tab) -> list[Any]:
    """What axe has against the page."""
    await tab.evaluate(AXE)
    asked = (
        "axe.run().then(found => JSON.stringify(found.violations.map(v => [v.id, v.nodes.map(n => n.html)])))"
    )
    found = await tab.call("Runtime.evaluate", expression=asked, returnByValue=True, awaitPromise=True)
    violations: list[Any] = json.loads(found["result"]["value"])
    return violations


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", MONTHS)
async def test_axe_finds_nothing_against_the_page(
    tab: chromium.Tab, tmp_path: Path, name: str, language: str
) -> None:
    address = kept(name, tmp_path, language=language)
    for width in (1000, 360):
        await tab.open(address, width=width)
        assert await axe(tab) == []
        await tab.evaluate(OPENED)
        assert await axe(tab) == []
    assert await tab.evaluate("document.documentElement.lang") == f"{language}-US"
    assert tab.complaints() == []


async def test_axe_would_find_a_picture_without_a_name(tab: chromium.Tab, tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    whole = page("pilot", "en").decode()
    file.write_text(re.sub(r"<(title|desc) id.*?</\1>", "", whole), encoding="utf-8")
    await tab.open(file.as_uri(), width=1000)
    assert "svg-img-alt" in [violation[0] for violation in await axe(tab)]


@pytest.mark.parametrize("width", [1280, 800, 360, 320])
async def test_the_page_fits_its_window(tab: chromium.Tab, tmp_path: Path, width: int) -> None:
    for name in ("pilot", "long"):
        await tab.open(kept(name, tmp_path, language="es"), width=width)
        await tab.evaluate(OPENED)
        picture = await tab.screenshot()
        keep(f"report-{name}-{width}.png", picture)
        assert picture.startswith(PNG)
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
        assert await tab.evaluate("document.querySelector('figure svg').clientHeight") > 60


async def test_the_page_loads_nothing_but_itself(tab: chromium.Tab, tmp_path: Path) -> None:
    address = kept("pilot", tmp_path, language="en")
    await tab.open(address, width=1000)
    assert tab.requested() == [address]


async def test_the_page_prints_without_its_folded_tables(tab: chromium.Tab, tmp_path: Path) -> None:
    await tab.open(kept("partial", tmp_path, language="en"), width=720, media="print")
    assert await tab.evaluate("getComputedStyle(document.querySelector('details')).display") == "none"
    paper = await tab.printed()
    assert paper.startswith(b"%PDF")
    assert '@top-center { content: "PARTIAL MONTH: figures through' in page("partial", "en").decode()
    with pikepdf.open(io.BytesIO(paper)) as pdf:
        assert 2 <= len(pdf.pages) <= 6
