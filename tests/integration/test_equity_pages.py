"""The pages of equity and pilots: the same figures as the commands, and what they never show."""

import re
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from service import app, serving
from service import config as configs
from service.metrics import Metrics
from service.store import coverage, hourly
from service.web import pages
from tests import program, snapshots
from tests.integration.test_web import Outline, text_of


@pytest.fixture
async def shown(pool: asyncpg.Pool) -> coverage.Snapshot:
    await program.insert(pool)
    return await program.snapshot(pool)


def page(shown: coverage.Snapshot, name: str) -> str:
    return pages.district_page(shown, shown.districts[0], name, now=snapshots.NOW)


async def test_the_page_of_equity_tells_measures_bands_costs_and_what_to_ask_back(
    shown: coverage.Snapshot,
) -> None:
    text = text_of(page(shown, "equity"))
    assert "Coverage lies with the less needy schools." in text
    assert "Gap: others less high-needs +22.5 points others: 269 of 377 in need" in text
    assert "By FRPL 2025-26, in the bands of NCES." in text
    assert "What the lines cost in October 2026" in text
    assert "18 of 60 lines moved no byte on any day: $255.00 for those whose cost is known." in text
    assert "30 hotspots without use, or active without a loan, for 30 days or more: $405.00 a month" in text


async def test_the_page_of_pilots_warns_before_it_shows(shown: coverage.Snapshot) -> None:
    text = text_of(page(shown, "pilots"))
    assert text.index("Read this first") < text.index("Pilot, before")
    assert "Parent desk" in text
    assert "fewer than 10 students in need: no figure is told" in text
    assert "days without school are passed over" in text


@pytest.mark.parametrize("name", ["equity", "pilots"])
async def test_the_pages_are_well_formed_and_hold_no_identifier(shown: coverage.Snapshot, name: str) -> None:
    written = page(shown, name)
    outline = Outline(written)
    assert len(outline.attributes("h1")) == 1
    assert all(header.get("scope") for header in outline.attributes("th"))
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = [attributes.get("aria-labelledby") for _, attributes in outline.elements]
    assert {found for found in referred if found} <= set(ids)
    assert outline.attributes("script") == []
    assert re.search(r"pseudonym|86\d{13}|8901\d{15}", written) is None


async def test_the_districts_page_leads_there_and_back(shown: coverage.Snapshot) -> None:
    first = page(shown, "")
    for name in ("equity", "pilots"):
        assert f'href="/districts/{program.DISTRICT}/{name}"' in first
        assert f'href="/districts/{program.DISTRICT}"' in page(shown, name)


async def test_what_was_not_read_is_said_to_be_unknown(shown: coverage.Snapshot) -> None:
    (district,) = shown.districts
    unread = replace(shown, districts=(replace(district, equity=None, program=None),))
    assert "Nothing is known yet" in text_of(page(unread, "equity"))
    assert "Pilots are being read" in text_of(page(unread, "pilots"))
    without_costs = replace(shown, districts=(replace(district, program=None),))
    assert "Costs and hotspots to ask back are being read" in text_of(page(without_costs, "equity"))
    early = replace(unread, districts=(replace(unread.districts[0], reported_on=None),))
    assert "Nothing is known yet" in text_of(page(early, "pilots"))
    assert district.program is not None
    without = replace(district, program=replace(district.program, pilots=()))
    assert "No pilot is configured" in text_of(page(replace(shown, districts=(without,)), "pilots"))


async def test_costs_and_pilots_are_read_once_an_hour_and_for_a_new_day(pool: asyncpg.Pool) -> None:
    await program.insert(pool)
    kept = hourly.Kept()

    async def read(after: timedelta, day_later: int = 0) -> hourly.Program:
        return await kept.program(
            pool,
            program.DISTRICT,
            snapshots.REPORTED_ON + timedelta(days=day_later),
            now=snapshots.NOW + after,
            time_zone=snapshots.ZONE,
        )

    first = await read(timedelta(0))
    assert await read(timedelta(minutes=59)) is first
    hour_later = await read(timedelta(minutes=60))
    assert hour_later is not first
    assert await read(timedelta(minutes=61), day_later=1) is not hour_later


async def test_the_minutes_refresh_shows_what_was_read_last_and_waits_for_nothing(pool: asyncpg.Pool) -> None:
    await program.insert(pool)
    config = configs.Config.model_construct(thresholds=configs.Thresholds(), reading_months=13, districts=())
    ready = app.Opened(config, pool, {})
    service = serving.Service(ready, [], Metrics(), clock=lambda: snapshots.NOW)

    def shown() -> hourly.Program | None:
        assert service._snapshot is not None
        return service._snapshot.districts[0].program

    await service._roll_up()
    assert shown() is None
    await service._read_programs()
    read = shown()
    assert read is not None
    await service._roll_up()
    assert shown() is read
