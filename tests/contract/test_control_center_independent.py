"""What a live Control Center may do beyond its documentation."""

import random
from datetime import timedelta

import httpx
import pytest

from collectors import simulation
from tests.contract import cases, identities, sweeps
from tests.contract.cases import INSTANT, LINES, control_center

CASE = control_center.CASE
SINCE = INSTANT - timedelta(days=2)
GROUPS = pytest.mark.parametrize("group", ["changes", "devices", "usage", "sessions"])


def busy_account(numbers: range) -> control_center.Stand:
    """Every record has changed lately."""
    devices = [control_center.device(number) for number in numbers]
    for device in devices:
        device.modified_at = INSTANT - timedelta(hours=1)
    return control_center.account(devices)


@pytest.mark.parametrize(("group", "tried"), [("changes", 0), ("devices", 0), ("usage", 3), ("sessions", 3)])
async def test_sweep_is_taken_up_after_any_page_that_has_a_cursor(group: str, tried: int) -> None:
    async with cases.reading(CASE, stand=busy_account(range(120))) as read:
        assert await sweeps.check_taken_up_anywhere(read, group, SINCE) == tried


@GROUPS
async def test_sweeps_side_by_side_do_not_mix(group: str) -> None:
    async with cases.reading(CASE, stand=busy_account(LINES)) as read:
        await sweeps.check_side_by_side(read, group, SINCE)


@GROUPS
async def test_sweep_that_is_stopped_leaves_the_collector_fit(group: str) -> None:
    async with cases.reading(CASE, stand=busy_account(LINES)) as read:
        await sweeps.check_stopped_in_the_midst(read, group, SINCE)


@GROUPS
@pytest.mark.parametrize("lines", [0, 1, 10, 20])
async def test_list_that_ends_with_a_page_is_read_whole(group: str, lines: int) -> None:
    async with cases.reading(CASE, stand=busy_account(range(lines))) as read:
        assert cases.keys(await read.pages(group, since=SINCE)) == CASE.keys(range(lines))
        assert read.stand.faults.seen("devices") == max(1, lines // 10)


@pytest.mark.parametrize("seed", range(5))
async def test_lines_that_changed_at_one_instant_may_come_in_any_order(seed: int) -> None:
    """After an import all have the same date, and the order among them may differ from page to page."""
    stand = busy_account(LINES)
    order = random.Random(seed)
    stand.faults.next(simulation.first(lambda: order.shuffle(stand.devices)), times=3)
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages("devices")) == CASE.keys(LINES)


async def test_watermark_of_the_future_misses_no_change() -> None:
    """A clock that was ahead and was set right."""
    stand = busy_account(LINES)
    async with cases.reading(CASE, stand=stand) as read:
        found = cases.keys(await read.pages("changes", since=INSTANT + timedelta(days=3)))
    assert found == CASE.keys(LINES)
    assert httpx.URL(read.network.sent[0].url).params["modifiedSince"] == "2026-11-20T18:00:00+00:00"


@pytest.mark.parametrize(
    "date", ["0001-01-01 00:00:00.000+0000", "0001-01-01 00:00:00.000+0500", "1970-01-01 00:00:00.000+0000"]
)
async def test_date_that_was_never_set_is_no_session_that_goes_on(date: str) -> None:
    async with cases.reading(CASE) as read:
        never = simulation.changed(lambda body: body.update(dateSessionStarted=date))
        read.stand.faults.next(never, endpoint="sessions")
        pages = await read.pages("sessions")
    assert len(cases.keys(pages)) == len(LINES) - 1
    (bad,) = [bad for page in pages for bad in page.rejected]
    assert bad.reason.startswith("a session's date is")
    assert date[:4] not in bad.reason


async def test_line_that_goes_between_the_list_and_its_usage_costs_no_other() -> None:
    stand = busy_account(LINES)
    stand.faults.next(simulation.first(lambda: stand.devices.pop(7)), endpoint="usage")
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("usage")
    assert cases.keys(pages) >= CASE.keys(LINES) - {identities.iccid(7)}
    assert len(cases.keys(pages)) + sum(len(page.rejected) for page in pages) == len(LINES)
