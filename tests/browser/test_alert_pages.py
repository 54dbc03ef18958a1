"""The pages of alerts and the sign-in in a real browser: they fit, their buttons work, other sites' do not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp.web
import asyncpg
import pytest

from service.web import server
from tests import conftest, snapshots
from tests.browser import chromium
from tests.browser.test_page import CONTRAST, PNG, keep
from tests.integration import alert_rows as rows
from tests.integration import test_sign_in

PAGE = "/districts/7/alerts"
WIDTHS = (1280, 800, 390, 320)
UNNAMED = """
[...document.querySelectorAll("input:not([type=hidden]), select")].filter(one => one.labels.length !== 1).length
+ [...document.querySelectorAll("a, button")].filter(one => one.textContent.trim() === "").length
"""
SMALL = """
[...document.querySelectorAll("button, input:not([type=hidden]), select")]
    .filter(one => one.getBoundingClientRect().height < 42).map(one => one.outerHTML)
"""


@dataclass(frozen=True)
class Shown:
    address: str
    alert_id: int
    pool: asyncpg.Pool


@pytest.fixture
async def filled(pool: asyncpg.Pool) -> tuple[asyncpg.Pool, int]:
    """Alerts of every state and severity at several schools; the one with the longest story."""
    await snapshots.insert(pool)
    for number in range(103):
        await rows.alert(
            pool,
            "idle_30",
            f"loan:{number}",
            school=snapshots.SCHOOLS[number % 5].name,
            state="held" if number % 9 == 0 else "firing",
            severity=("warning", "high", "critical", "info")[number % 4],
            value=30 + number,
            is_judged=number % 7 > 0,
            since=rows.SINCE - timedelta(days=number),
        )
    found = await rows.alert(
        pool,
        "coverage_below_target",
        "school:2",
        school="Cholla Elementary",
        severity="critical",
        value=39.3,
        details={"need": 140, "adequate": 55, "is_high_needs": True},
    )
    await rows.flip(pool, found, value=39.3, threshold=80, unit="%", since=rows.SINCE.isoformat())
    await rows.flip(pool, found, "reminded", reason="still_in_breach", states=("firing", "firing"))
    gone = await rows.alert(pool, "data_stale", "account:carrier", state="clear", severity="high")
    at = snapshots.NOW - timedelta(days=1)
    await rows.flip(pool, gone, "cleared", reason="recovered", at=at, states=("firing", "clear"))
    await rows.run(pool, "idle_30")
    await rows.run(pool, "never_used", error='relation "loan_days_of_a_very_long_name" does not exist')
    return pool, found


@pytest.fixture
async def shown(filled: tuple[asyncpg.Pool, int]) -> AsyncIterator[Shown]:
    async with rows.served(filled[0]) as address:
        yield Shown(address, filled[1], filled[0])


@pytest.fixture
async def guarded(filled: tuple[asyncpg.Pool, int], tmp_path: Path) -> AsyncIterator[Shown]:
    file = tmp_path / "tokens"
    file.write_text(test_sign_in.line("lead", ("admin",), test_sign_in.ADMIN) + "\n")
    async with rows.served(filled[0], tokens_file=file) as address:
        yield Shown(address, filled[1], filled[0])


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[chromium.Tab]:
    name = chromium.program()
    if name is None:
        conftest.missing_program("chromium", "apt-get install chromium")
    assert name is not None
    async with chromium.tab(name, tmp_path / "profile") as opened:
        yield opened


async def click(tab: chromium.Tab, text: str) -> None:
    """A link or a button, by what stands on it; until what it leads to has loaded."""
    tab.seen.clear()
    found = await tab.evaluate(
        f"(() => {{ const one = [...document.querySelectorAll('a, button')].find(it => it.textContent.trim() === "
        f"'{text}'); if (one) one.click(); return Boolean(one) }})()"
    )
    assert found, text
    while not any(event.get("method") == "Page.loadEventFired" for event in tab.seen):
        tab.seen.append(await tab.socket.receive_json(timeout=chromium.DEADLINE))


async def said(tab: chromium.Tab) -> str:
    text: str = await tab.evaluate("document.body.innerText")
    return " ".join(text.split())


async def sign_in(tab: chromium.Tab) -> None:
    await tab.evaluate(f"document.getElementById('token').value = '{test_sign_in.ADMIN}'")
    await click(tab, "Sign in")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_pages_fit_and_can_be_read_and_touched(tab: chromium.Tab, shown: Shown, dark: bool) -> None:
    paths = {"overview": PAGE, "list": f"{PAGE}?rule=idle_30&page=2", "alert": f"{PAGE}/{shown.alert_id}"}
    for name, path in paths.items():
        for width in WIDTHS:
            await tab.open(f"{shown.address}{path}", width=width, dark=dark)
            picture = await tab.screenshot()
            keep(f"alerts-{name}-{width}-{'dark' if dark else 'light'}.png", picture)
            assert picture.startswith(PNG)
            assert await tab.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        assert await tab.evaluate(CONTRAST) == [], name
        assert await tab.evaluate(UNNAMED) == 0, name
        assert await tab.evaluate(SMALL) == [], name
        assert tab.complaints() == []
        assert [url for url in tab.requested() if not url.startswith(shown.address)] == []


async def test_the_sign_in_fits_and_can_be_read(tab: chromium.Tab, guarded: Shown) -> None:
    for width in WIDTHS:
        await tab.open(f"{guarded.address}/sign-in", width=width)
        keep(f"sign-in-{width}.png", await tab.screenshot())
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    assert await tab.evaluate(CONTRAST) == []
    assert await tab.evaluate(UNNAMED) == 0
    await tab.evaluate("document.getElementById('token').value = 'wrong'")
    await click(tab, "Sign in")
    assert "This is no token that is known here" in await said(tab)
    assert await tab.evaluate("document.getElementById('token').getAttribute('aria-describedby')") == "wrong"
    assert await tab.evaluate(CONTRAST) == []


async def test_what_is_chosen_in_the_form_is_shown(tab: chromium.Tab, shown: Shown) -> None:
    await tab.open(f"{shown.address}{PAGE}", width=1280)
    school = snapshots.SCHOOLS[1].name
    await tab.evaluate("document.getElementById('rule').value = 'idle_30'")
    await tab.evaluate(f"document.getElementById('school').value = '{snapshots.ncessch(1)}'")
    await click(tab, "Show")
    assert f"Only those of {school}." in await said(tab)
    await click(tab, "Loan 1")
    assert await tab.evaluate("document.querySelector('h1').innerText") == (
        f"Loan 1: {rows.RULES['idle_30'].title}"
    )
    assert tab.complaints() == []


async def test_a_person_signs_in_acts_on_an_alert_takes_it_back_and_signs_out(
    tab: chromium.Tab, guarded: Shown
) -> None:
    await tab.open(f"{guarded.address}{PAGE}/{guarded.alert_id}", width=390)
    assert "Sign in" in await said(tab)
    await sign_in(tab)
    assert await tab.evaluate("location.pathname") == f"{PAGE}/{guarded.alert_id}"
    assert await tab.evaluate("document.cookie") == ""  # not for scripts
    await click(tab, "Acknowledge: I see to it")
    assert "somebody sees to it" in await said(tab)
    await click(tab, "Snooze for 7 days")
    assert "Snoozed until Nov 27, 2:05 PM MST" in await said(tab)
    keep("alerts-acted-on-390.png", await tab.screenshot())
    await click(tab, "Take the acknowledgement back")
    await click(tab, "End the snooze")
    assert "somebody sees to it" not in await said(tab)
    assert tab.complaints() == []
    await click(tab, "Signed in")
    await click(tab, "Sign out")
    await tab.open(f"{guarded.address}{PAGE}", width=390)
    assert "Paste the token" in await said(tab)
    done = (await rows.kinds(guarded.pool))[-4:]
    assert done == [f"{kind} by staff" for kind in ("acknowledged", "snoozed", "unacknowledged", "woken")]


@asynccontextmanager
async def elsewhere(html: str) -> AsyncIterator[str]:
    """A page of another site: by its name, this machine is one to a browser."""

    async def page(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text=html, content_type="text/html")

    application = aiohttp.web.Application()
    application.router.add_get("/", page)
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://localhost:{port}/"


async def until(tab: chromium.Tab, expression: str) -> None:
    async with asyncio.timeout(chromium.DEADLINE):
        while not await tab.evaluate(expression):
            await asyncio.sleep(0.05)


async def test_a_link_in_mail_read_in_the_browser_finds_who_is_signed_in(
    tab: chromium.Tab, guarded: Shown
) -> None:
    target = f"{guarded.address}{PAGE}/{guarded.alert_id}"
    await tab.open(target, width=390)
    await sign_in(tab)
    async with elsewhere(f'<a href="{target}">Open the alert</a>') as mail:
        await tab.open(mail, width=390)
        await click(tab, "Open the alert")
        await until(tab, "document.querySelector('h1') !== null")
    assert "Acknowledge: I see to it" in await said(tab)


async def test_a_link_in_mail_leads_others_to_the_sign_in(tab: chromium.Tab, guarded: Shown) -> None:
    async with elsewhere(f'<a href="{guarded.address}{PAGE}">Open</a>') as mail:
        await tab.open(mail, width=390)
        await click(tab, "Open")
        await until(tab, "document.querySelector('h1') !== null")
    assert "Paste the token" in await said(tab)


async def test_a_form_of_another_site_does_nothing_where_nobody_signs_in(
    tab: chromium.Tab, shown: Shown
) -> None:
    before = await rows.kinds(shown.pool)
    target = f"{shown.address}{PAGE}/{shown.alert_id}"
    html = f'<form method="post" action="{target}"><button name="act" value="acknowledge">Win</button></form>'
    async with elsewhere(html) as trap:
        await tab.open(trap, width=390)
        await click(tab, "Win")
    assert "so nothing was changed" in await said(tab)
    assert await rows.kinds(shown.pool) == before


async def test_the_districts_page_leads_to_its_alerts(tab: chromium.Tab, shown: Shown) -> None:
    await tab.open(f"{shown.address}/districts/7", width=390)
    await click(tab, "What they are and what to do, by rule and school")
    assert await tab.evaluate("document.querySelector('h1').innerText") == "Alerts"
