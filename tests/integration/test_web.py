"""From rows in PostgreSQL to what a browser, Prometheus and a supervisor get over HTTP."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser

import aiohttp
import asyncpg
import pytest

from service import errors, metrics, web
from service.store import coverage
from service.web import pages, server, words
from tests import snapshots

VOID = {"meta", "link", "br", "input", "rect", "path", "polygon", "polyline", "circle"}
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@asynccontextmanager
async def served(
    snapshot: coverage.Snapshot | None, *, health: web.Health | None = None, is_ready: bool = True
) -> AsyncIterator[str]:
    shown = metrics.Metrics()
    if snapshot is not None:
        shown.show(snapshot)
    application = web.build(
        metrics=shown,
        snapshot=lambda: snapshot,
        health=lambda: health or web.Health(True, "all is well"),
        ready=lambda: is_ready,
        clock=lambda: snapshots.NOW,
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"


async def get(address: str, **headers: str) -> Answer:
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as response:
        return Answer(response.status, dict(response.headers), await response.text())


def text_of(page: str) -> str:
    """What a person reads, in one line."""
    body = re.sub(r"<(title|style)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def rendered(snapshot: coverage.Snapshot) -> str:
    return pages.district_page(snapshot, snapshot.districts[0], now=snapshots.NOW)


def row_of(page: str, name: str) -> str:
    found = [row for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL) if f">{name}\n" in row]
    assert len(found) == 1, name
    return text_of(found[0])


class Outline(HTMLParser):
    """Whether every element is closed in order, and what there is to check."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.titled = 0
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "title" and self.open[-1] == "svg":
            self.titled += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


async def test_rows_become_a_page(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    snapshot = await coverage.snapshot(pool, now=snapshots.NOW)
    async with served(snapshot) as address:
        answer = await get(address)
    page = text_of(answer.text)
    assert answer.status == 200
    assert "Sonoran Unified School District" in page
    assert "Figures for Tuesday, November 17, 2026" in page
    assert "575 of 984 students in need had an adequate connection at home on Nov 17." in page
    assert "1 school : need not known" in page
    assert "Coverage of the high-needs schools is 23 percentage points lower" in page
    assert "High-needs by: Title I schoolwide 2026-27." in page
    assert "Read 12 minutes ago." in page
    assert "Failing since Nov 20, 11:45 AM MST. Last read in full 3 hours ago." in page
    assert "Last error: HTTP 401: the key was refused" in page
    assert "Not read for 3 hours in the last 30 days" in page


async def test_a_scrape_and_a_page_need_no_database(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    snapshot = await coverage.snapshot(pool, now=snapshots.NOW)
    async with served(snapshot) as address:
        await pool.close()
        scrape = await get(f"{address}/metrics")
        page = await get(address)
    assert "afterbell_school_coverage_ratio{" in scrape.text
    assert page.status == 200


async def test_a_scrape_costs_the_same_for_any_fleet(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool)
    small = await coverage.snapshot(pool, now=snapshots.NOW)
    await snapshots.insert_loan_days(pool, ["adequate"] * 20)
    large = await coverage.snapshot(pool, now=snapshots.NOW)
    lines = []
    for snapshot in (small, large):
        async with served(snapshot) as address:
            lines.append((await get(f"{address}/metrics")).text.count("\n"))
    assert lines[0] == lines[1]


def test_schools_come_lowest_first_and_the_unknown_ones_apart() -> None:
    page = rendered(snapshots.snapshot())
    places = [page.index(f">{name}\n") for name in ("Cholla Elementary", "Sonora High", "Agave Elementary")]
    assert places == sorted(places)
    apart = page.index("Coverage is not known for this day: 1 school")
    assert places[-1] < apart < page.index(f">{snapshots.INCOMPLETE}\n")


def test_unknown_is_said_and_is_never_0() -> None:
    page = rendered(snapshots.snapshot())
    assert "not known 18% to 77%" in row_of(page, snapshots.INCOMPLETE)
    assert row_of(page, snapshots.INCOMPLETE).endswith("11–32")
    assert row_of(page, snapshots.NEED_UNKNOWN) == "Juniper Academy not known not known 14 12 11 2 not known"
    assert "not applicable" in row_of(page, snapshots.NOT_APPLICABLE)
    assert "more adequate loans than need" in row_of(page, snapshots.NEED_EXCEEDED)
    assert "in a break" in row_of(page, snapshots.IN_A_BREAK)
    assert not re.search(r"\b0%", text_of(page[page.index('class="schools"') :]))


def test_a_blind_day_shows_bounds_and_no_figure() -> None:
    blind = [replace(row, unknown=row.loaned // 2, adequate=row.loaned // 3) for row in snapshots.SCHOOLS]
    page = text_of(rendered(snapshots.snapshot(blind)))
    assert "had an adequate connection at home on Nov 17 is not known , as only" in page
    assert "students in need had an adequate connection" not in page
    assert "The difference is not known on this day." in page


def test_a_district_without_need_counts_has_no_answer() -> None:
    uncounted = [row for row in snapshots.SCHOOLS if row.need is None]
    page = text_of(rendered(snapshots.snapshot(uncounted)))
    assert "How many students need a connection at home is not known : no school has a count" in page
    assert "%" not in page


def test_a_district_without_need_is_told_so() -> None:
    without = [row for row in snapshots.SCHOOLS if row.need == 0]
    page = text_of(rendered(snapshots.snapshot(without)))
    assert "No student is in need, by the answers that are valid on this day." in page


def test_nothing_computed_yet_is_said() -> None:
    snapshot = snapshots.snapshot()
    empty = replace(
        snapshot.districts[0],
        reported_on=None,
        day=None,
        schools=(),
        history=(),
        sources=(),
        loans_by_state={},
    )
    page = text_of(rendered(replace(snapshot, districts=(empty,))))
    assert "not known yet" in page
    assert "No school is imported yet." in page
    assert "No account is configured yet." in page
    assert "%" not in page


def test_figures_that_are_behind_say_so() -> None:
    snapshot = snapshots.snapshot()
    late = replace(snapshot.districts[0], due_on=snapshots.TODAY)
    page = text_of(rendered(replace(snapshot, districts=(late,))))
    assert "These figures are behind. Friday, November 20, 2026 could have been reported" in page
    assert "These figures are behind" not in text_of(rendered(snapshot))


def test_a_source_that_is_late_says_so() -> None:
    snapshot = snapshots.snapshot()
    page = pages.district_page(snapshot, snapshot.districts[0], now=snapshots.NOW + timedelta(hours=5))
    assert "Late Read 5 hours ago. It should be read every hour." in text_of(page)


def test_students_devices_are_shown_beside_coverage_and_not_at_all_where_nobody_manages_them() -> None:
    shown = snapshots.snapshot()
    assert "own devices" not in rendered(shown)
    district = shown.districts[0]
    first = replace(
        district.schools[0], student_devices=412, student_devices_active=388, student_devices_elsewhere=207
    )
    changed = replace(shown, districts=(replace(district, schools=(first, *district.schools[1:])),))
    text = rendered(changed)
    assert "not that a loan was used" in text
    for figure in ("412", "388", "207"):
        assert f'<td class="n">{figure}</td>' in text
    assert rendered(changed).count("<h2") == rendered(shown).count("<h2") + 1


def test_status_words_that_are_not_known_are_counted_with_their_source() -> None:
    shown = snapshots.snapshot()
    district = shown.districts[0]
    odd = replace(district.sources[0], unmapped=12)
    text = text_of(rendered(replace(shown, districts=(replace(district, sources=(odd,)),))))
    assert "12 of its lines or devices have a status that afterbell does not know" in text
    assert "afterbell does not know" not in rendered(shown)


def test_names_are_escaped() -> None:
    named = replace(snapshots.SCHOOLS[0], name="<script>alert(1)</script> & Sons")
    page = rendered(snapshots.snapshot([named]))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Sons" in page


def test_the_page_is_well_formed_and_accessible() -> None:
    outline = Outline(rendered(snapshots.snapshot()))
    assert len(outline.attributes("h1")) == 1
    assert all(header.get("scope") for header in outline.attributes("th"))
    drawings = outline.attributes("svg")
    hidden = [svg for svg in drawings if svg.get("aria-hidden") == "true"]
    assert all(svg.get("role") == "img" for svg in drawings if svg not in hidden)
    assert outline.titled == len(drawings) - len(hidden)
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = [attributes.get("aria-labelledby") for _, attributes in outline.elements]
    assert {found for found in referred if found} <= set(ids)
    assert all("style" not in attributes for _, attributes in outline.elements)
    assert outline.attributes("script") == []
    assert outline.attributes("html")[0]["lang"] == "en-US"


async def test_several_districts_are_listed_and_have_a_page_each() -> None:
    async with served(snapshots.snapshot(snapshots.SCHOOLS[:3], districts=2)) as address:
        first = await get(address)
        second = await get(f"{address}/districts/8")
        missing = await get(f"{address}/districts/9")
    assert 'href="/districts/7"' in first.text
    assert 'href="/districts/8"' in first.text
    assert "Agave Elementary" in second.text
    assert missing.status == 404
    Outline(first.text)
    Outline(missing.text)


async def test_before_the_first_snapshot_the_page_asks_for_patience() -> None:
    async with served(None) as address:
        page = await get(address)
        scrape = await get(f"{address}/metrics")
    assert page.status == 503
    assert "The figures are being read" in page.text
    assert scrape.status == 200
    assert "afterbell_build_info{" in scrape.text
    assert "afterbell_district_coverage_ratio{" not in scrape.text


async def test_an_installation_without_a_district_says_so() -> None:
    async with served(coverage.Snapshot(taken_at=snapshots.NOW, districts=())) as address:
        assert "No district is configured yet." in (await get(address)).text


async def test_every_answer_is_closed_to_scripts_and_guessing() -> None:
    async with served(snapshots.snapshot()) as address:
        answers = [await get(f"{address}{path}") for path in ("/", "/metrics", "/healthz", "/nowhere")]
    for answer in answers:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "aiohttp" not in answer.headers["Server"]
    assert answers[-1].status == 404
    assert "There is no such page" in answers[-1].text


async def test_the_style_is_kept_by_browsers_for_as_long_as_it_is_the_same() -> None:
    async with served(snapshots.snapshot()) as address:
        path = Outline((await get(address)).text).attributes("link")[0]["href"]
        style = await get(f"{address}{path}")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["Cache-Control"]
    assert "url(" not in style.text
    assert "@import" not in style.text


async def test_scrapers_get_the_format_they_ask_for() -> None:
    async with served(snapshots.snapshot()) as address:
        plain = await get(f"{address}/metrics")
        open_metrics = await get(f"{address}/metrics", **OPENMETRICS)
    assert plain.headers["Content-Type"].startswith("text/plain; version=")
    assert open_metrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


async def test_health_says_what_is_wrong() -> None:
    sick = web.Health(False, "no sweep has ended for 3 hours")
    async with served(None, health=sick, is_ready=False) as address:
        alive, ready = await get(f"{address}/healthz"), await get(f"{address}/readyz")
    assert alive.status == ready.status == 503
    assert json.loads(alive.text) == {"is_alive": False, "reason": "no sweep has ended for 3 hours"}
    async with served(None) as address:
        alive, ready = await get(f"{address}/healthz"), await get(f"{address}/readyz")
    assert alive.status == ready.status == 200


async def test_a_taken_port_says_which_and_what_to_do() -> None:
    async with served(None) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(errors.AfterbellError, match=rf"port {port} on 127\.0\.0\.1 is taken.*web\.port"):
            async with server.serving(aiohttp.web.Application(), host="127.0.0.1", port=port):
                pass


async def test_a_page_is_made_once_per_snapshot_and_minute() -> None:
    now = [snapshots.NOW]
    snapshot = [snapshots.snapshot()]
    kept = pages.Pages(snapshot=lambda: snapshot[0], clock=lambda: now[0])
    first = kept.first()
    assert kept.first() is first
    now[0] += timedelta(minutes=1)
    assert kept.first() is not first
    assert "Read 13 minutes ago" in (kept.first() or "")
    snapshot[0] = replace(
        snapshots.snapshot(snapshots.SCHOOLS[:2]), taken_at=snapshots.NOW + timedelta(hours=1)
    )
    assert "Sonora High" not in (kept.first() or "")


def test_a_thousand_schools_take_no_second() -> None:
    """Measured at 0.08 s; the limit leaves room for a busy machine."""
    snapshot = snapshots.snapshot([snapshots.SCHOOLS[index % 12] for index in range(1000)])
    rendered(snapshot)
    started = time.process_time()
    rendered(snapshot)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "not known"), (0, "0%"), (0.004, "under 1%"), (0.5, "50%"), (0.996, "over 99%"), (1, "100%")],
)
def test_only_all_is_100_percent_and_only_none_is_0(ratio: float | None, text: str) -> None:
    assert words.percent(ratio) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "just now"), (1, "1 minute ago"), (59, "59 minutes ago"), (60, "1 hour ago"), (2880, "2 days ago")],
)
def test_how_long_ago_is_told_in_the_unit_that_fits(minutes: int, text: str) -> None:
    assert words.ago(snapshots.NOW - timedelta(minutes=minutes), snapshots.NOW) == text
