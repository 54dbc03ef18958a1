"""Lists that change, repeat or break off while they are read."""

import pytest

from collectors import errors, simulation
from collectors.kajeet import faults, paging, world
from tests.contract import accounts


async def test_vendor_may_give_fewer_rows_than_asked() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(faults.fewer_rows(4), times=99)
    async with accounts.reading(simulated) as collector:
        found = await accounts.pages(collector)
    assert accounts.keys(found) == accounts.every_key(simulated)


async def test_one_truncated_page_costs_no_line() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(faults.fewer_rows(3), after=1)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)


async def test_page_repeated_once_costs_no_line() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.repeated, after=1)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)


async def test_vendor_that_repeats_a_page_for_ever_is_not_believed() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.repeated, after=1, times=99)
    async with accounts.reading(simulated) as collector:
        with pytest.raises(errors.ResponseInvalid, match="the same page twice"):
            await accounts.pages(collector)


async def test_empty_page_before_the_end_is_asked_for_again() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(faults.fewer_rows(0), after=1)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)


async def test_page_that_stays_empty_before_the_end_is_not_believed() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(faults.fewer_rows(0), after=1, times=2)
    async with accounts.reading(simulated) as collector:
        with pytest.raises(errors.ResponseInvalid, match="empty before its end"):
            await accounts.pages(collector)


async def test_empty_account_is_one_empty_page() -> None:
    simulated = accounts.simulate(world.StaticWorld([], [world.Group(key="5001")]))
    async with accounts.reading(simulated) as collector:
        found = await accounts.pages(collector)
    assert [(page.sightings, page.total) for page in found] == [([], 0)]


async def test_devices_removed_while_paging_cost_no_other_line() -> None:
    simulated = accounts.account(35)
    kept = accounts.every_key(simulated)[3:]
    removal = accounts.changing(simulated, lambda rows: rows.__delitem__(slice(0, 3)))
    simulated.faults.next(simulation.first(removal), after=2)
    async with accounts.reading(simulated) as collector:
        found = accounts.keys(await accounts.pages(collector))
    assert set(found) >= set(kept)


async def test_devices_removed_again_and_again_cost_no_other_line() -> None:
    simulated = accounts.account(60)
    removal = accounts.changing(simulated, lambda rows: rows.__delitem__(slice(0, 2)))
    simulated.faults.next(simulation.first(removal), after=1, times=5)
    async with accounts.reading(simulated) as collector:
        found = accounts.keys(await accounts.pages(collector))
    assert set(found) >= set(accounts.every_key(simulated))


async def test_devices_added_while_paging_are_read_and_cost_no_line() -> None:
    simulated = accounts.account(25)
    before = accounts.every_key(simulated)
    addition = accounts.changing(
        simulated, lambda rows: rows.extend([accounts.device(0, key="new", mdn="000"), accounts.device(9000)])
    )
    simulated.faults.next(simulation.first(addition), after=1)
    async with accounts.reading(simulated) as collector:
        found = accounts.keys(await accounts.pages(collector))
    assert set(found) >= {*before, accounts.device(9000).key}


async def test_order_within_pages_does_not_matter() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(faults.reordered(), times=99)
    async with accounts.reading(simulated) as collector:
        assert sorted(accounts.keys(await accounts.pages(collector))) == accounts.every_key(simulated)


async def test_list_reshuffled_while_paging_still_ends() -> None:
    def shuffle(rows: list[world.Device]) -> None:
        for row in rows:
            row.mdn = row.mdn[::-1]

    simulated = accounts.account(25)
    simulated.faults.next(simulation.first(accounts.changing(simulated, shuffle)), after=1)
    async with accounts.reading(simulated) as collector:
        found = accounts.keys(await accounts.pages(collector))
    assert len(found) == 25


async def test_total_that_only_grows_never_ends_and_is_refused() -> None:
    async def fetch(offset: int) -> Page:
        return Page(total=offset + 5_000, count=1_000, first=str(offset))

    with pytest.raises(errors.ResponseInvalid, match="never ends"):
        [step async for step in paging.walk(fetch)]


async def test_total_that_rises_and_falls_costs_no_line() -> None:
    simulated = accounts.account(45)
    simulated.faults.next(faults.other_total(7), after=1)
    async with accounts.reading(simulated) as collector:
        found = accounts.keys(await accounts.pages(collector))
    assert set(found) == set(accounts.every_key(simulated))


async def test_sweep_resumes_after_the_page_of_its_cursor() -> None:
    simulated = accounts.account(25)
    async with accounts.reading(simulated) as collector:
        first, *_ = await accounts.pages(collector)
        rest = await accounts.pages(collector, cursor=first.cursor)
    assert first.cursor == "5001:10:25"
    assert accounts.keys([first, *rest]) == accounts.every_key(simulated)


async def test_sweep_resumed_on_a_shorter_list_steps_back() -> None:
    simulated = accounts.account(25)
    async with accounts.reading(simulated) as collector:
        first, *_ = await accounts.pages(collector)
        accounts.changing(simulated, lambda rows: rows.__delitem__(slice(0, 4)))()
        rest = await accounts.pages(collector, cursor=first.cursor)
    assert set(accounts.keys([first, *rest])) >= set(accounts.every_key(simulated))


@pytest.mark.parametrize("cursor", ["", "nonsense", "4711:10:25", "5001:x:25", "5001:10"])
async def test_cursor_that_no_longer_fits_begins_anew(cursor: str) -> None:
    simulated = accounts.account(25)
    async with accounts.reading(simulated) as collector:
        found = await accounts.pages(collector, cursor=cursor)
    assert accounts.keys(found) == accounts.every_key(simulated)


async def test_groups_are_read_one_after_the_other_and_resumed_in_between() -> None:
    rows = [accounts.device(number, corp_id="5001" if number % 2 else "5002") for number in range(30)]
    simulated = accounts.simulate(world.StaticWorld(rows))
    async with accounts.reading(simulated, corp_ids=["5002", "5001"]) as collector:
        found = await accounts.pages(collector)
        rest = await accounts.pages(collector, cursor=found[1].cursor)
        probe = await collector.probe()
    assert [page.sightings[0].group_key for page in found] == ["5002", "5002", "5001", "5001"]
    assert accounts.keys(rest) == accounts.keys(found[2:])
    assert probe.lines == 30


class Page:
    """A page without rows."""

    def __init__(self, total: int, count: int, first: str) -> None:
        self.total, self.count, self.first = total, count, first
