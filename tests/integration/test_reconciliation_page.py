"""The page of reconciliation, from a summary in memory."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from service.model import reconciliation as model
from service.store import coverage, reconciliation
from service.web import pages
from service.web import reconciliation as words
from tests import snapshots
from tests.integration import test_web


def count(kind: str, school: str | None, findings: int, **changes: object) -> reconciliation.Count:
    values = {
        "ncessch": None,
        "oldest_on": date(2026, 9, 3),
        "monthly_cost": None,
        "without_cost": 0,
    } | changes
    return reconciliation.Count(kind=kind, school=school, findings=findings, **values)  # type: ignore[arg-type]


def summary(*counts: reconciliation.Count, **changes: int) -> reconciliation.Summary:
    values = {"lines": 1240, "lines_untold": 0, "lines_in_no_device": 0} | changes
    return reconciliation.Summary(
        on_day=snapshots.REPORTED_ON, computed_at=snapshots.NOW, counts=counts, **values
    )


def shown(found: reconciliation.Summary | None) -> coverage.Snapshot:
    snapshot = snapshots.snapshot()
    return replace(snapshot, districts=(replace(snapshot.districts[0], reconciliation=found),))


def page(found: reconciliation.Summary | None, name: str = "reconciliation") -> str:
    snapshot = shown(found)
    return pages.district_page(snapshot, snapshot.districts[0], name, now=snapshots.NOW)


LOST = (
    count("lost_but_billed", "Cholla Elementary", 3, monthly_cost=Decimal(45)),
    count("lost_but_billed", None, 2, monthly_cost=Decimal(15), without_cost=1, oldest_on=date(2025, 12, 1)),
)


def test_every_kind_is_listed_and_its_schools_where_something_was_found() -> None:
    text = test_web.text_of(page(summary(*LOST)))
    for kind in model.KINDS:
        assert kind.title in text
        assert kind.meaning in text
    assert "Lost, but still billed: 5" in text
    assert "Cholla Elementary 3 Sep 3 $45.00" in text
    assert "School not known 2 Dec 1, 2025 $15.00 + 1 not known" in text
    assert "What to do: have the line suspended at the carrier" in text
    assert text.count("What to do:") == 1


def test_what_is_not_known_is_said_and_is_never_0() -> None:
    unpriced = count("line_without_loan", "Agave Elementary", 4, without_cost=4)
    text = test_web.text_of(page(summary(unpriced, lines_untold=35, lines_in_no_device=12)))
    assert "Agave Elementary 4 Sep 3 not known" in text
    assert (
        "Not judged: the status of 35 of 1,240 lines was not known; 12 active lines are in no device that any "
        "source names." in text
    )


def test_where_no_line_could_be_judged_nothing_is_said_to_be_known() -> None:
    assert "Not judged" not in test_web.text_of(page(summary()))
    told = {
        (0, 0): "Not judged: no line is known to be in a hotspot or a home router.",
        (
            42,
            42,
        ): "Not judged: no source tells whether the 42 lines are active, so no contradiction "
        "that turns on it can be found.",
    }
    for (lines, untold), sentence in told.items():
        found = summary(lines=lines, lines_untold=untold)
        assert words.said_nothing_of(found) == sentence
        assert sentence in test_web.text_of(page(found))


def test_long_lists_are_cut_and_say_how_to_see_the_rest() -> None:
    many = [count("sim_moved", f"School {number:02}", 40 - number) for number in range(23)]
    text = test_web.text_of(page(summary(*many)))
    assert "School 19" in text
    assert "School 20" not in text
    assert "and 3 more schools with 57 more." in text
    assert "afterbell reconcile --kind sim_moved --list" in text


def test_nothing_looked_through_yet_is_said_and_the_first_page_is_silent() -> None:
    assert "Nothing has been looked through yet" in test_web.text_of(page(None))
    assert "needs-a-hand" not in page(None, "")


def test_the_first_page_names_what_was_found_and_links_there_and_back() -> None:
    first = page(summary(*LOST), "")
    assert '<a href="/districts/7/reconciliation#lost_but_billed">Lost, but still billed</a>' in first
    assert "SIM in another device" not in first
    assert '<a href="/districts/7">Back' in page(summary(*LOST))
    assert "contradict each other nowhere" in test_web.text_of(page(summary(), ""))


def test_names_are_escaped_and_the_page_is_well_formed() -> None:
    html = page(summary(count("sim_moved", "<script>alert(1)</script>", 1), *LOST))
    assert "<script" not in html
    outline = test_web.Outline(html)
    assert len(outline.attributes("h1")) == 1
    assert all(header.get("scope") for header in outline.attributes("th"))


async def test_the_page_is_served_under_its_name() -> None:
    async with test_web.served(shown(summary(*LOST))) as address:
        answer = await test_web.get(f"{address}/districts/7/reconciliation")
        missing = await test_web.get(f"{address}/districts/8/reconciliation")
    assert (answer.status, missing.status) == (200, 404)
    assert "What needs a hand" in answer.text
