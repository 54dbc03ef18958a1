"""What the absence of a record means: nothing, unless the district says that it means no use."""

from collectors import readings, simulation
from collectors.super_sim import windows, world, zeros
from tests.contract import cases
from tests.contract.cases import INSTANT, super_sim

DAY = super_sim.DAY
HOUR = super_sim.HOUR
TODAY = super_sim.TODAY
SINCE = super_sim.SINCE
FIRST_DAY = super_sim.FIRST_DAY
INTERVAL = readings.UsageKind.INTERVAL


async def test_sim_without_a_record_is_unknown_unless_the_district_says_that_it_means_zero() -> None:
    shown = super_sim.busy([1])
    shown.rows.append(super_sim.sim(2))
    for absent_is_zero, days in ((False, set()), (True, {FIRST_DAY + day * DAY for day in range(4)})):
        stand = super_sim.stand("twilio", shown)
        async with cases.reading(super_sim.TWILIO, stand=stand, absent_is_zero=absent_is_zero) as read:
            found = super_sim.told(await read.pages("usage", since=SINCE))
        assert {start for sid, start in found if sid == super_sim.sid(2)} == days
        assert all(not found[super_sim.sid(2), day] for day in days)
        assert [found[super_sim.sid(1), TODAY - day * DAY] for day in range(5)] == [1] * 5


async def test_zero_is_told_of_the_days_without_a_record_only() -> None:
    shown = world.StaticWorld([super_sim.sim(1)])
    shown.use(super_sim.sid(1), FIRST_DAY + DAY, download=9)
    stand = super_sim.stand("twilio", shown)
    async with cases.reading(super_sim.TWILIO, stand=stand, absent_is_zero=True) as read:
        pages = await read.pages("usage", since=SINCE)
    found = super_sim.told(pages)
    assert [found.get((super_sim.sid(1), FIRST_DAY + day * DAY)) for day in range(5)] == [0, 9, 0, 0, None]
    assert {
        (usage.kind, usage.series, usage.ends_at)
        for page in pages
        for seen in page.sightings
        for usage in seen.usage
        if usage.starts_at == FIRST_DAY
    } == {(INTERVAL, readings.UsageSeries.DAY, FIRST_DAY + DAY)}


async def test_zero_is_told_of_hours_that_are_over_where_hours_are_asked_for() -> None:
    shown = world.StaticWorld([super_sim.sim(1)])
    shown.use(super_sim.sid(1), TODAY + 17 * HOUR, download=9)
    stand = super_sim.stand("twilio", shown)
    async with cases.reading(super_sim.TWILIO, stand=stand, absent_is_zero=True, granularity="hour") as read:
        found = super_sim.told(await read.pages("usage", since=SINCE))
    assert sorted(start for _, start in found) == [FIRST_DAY + hour * HOUR for hour in range(4 * 24 + 18)]
    assert sum(found.values()) == 9


async def test_no_zero_is_told_before_a_sim_was_there_nor_of_one_whose_beginning_is_not_told() -> None:
    shown = world.StaticWorld(
        [
            super_sim.sim(1, date_created=TODAY - 2 * DAY - HOUR),
            super_sim.sim(2, date_created=None),
        ]
    )
    stand = super_sim.stand("twilio", shown)
    async with cases.reading(super_sim.TWILIO, stand=stand, absent_is_zero=True) as read:
        found = super_sim.told(await read.pages("usage", since=SINCE))
    assert set(found) == {(super_sim.sid(1), TODAY - day * DAY) for day in (1, 2)}


async def test_no_zero_is_told_where_a_record_could_not_be_read() -> None:
    shown = super_sim.busy([1])
    shown.rows.append(super_sim.sim(2))
    stand = super_sim.stand("twilio", shown)
    async with cases.reading(super_sim.TWILIO, stand=stand, absent_is_zero=True) as read:
        spoilt = simulation.changed(lambda body: body["usage_records"][1].update(data_total="much"))
        read.stand.faults.next(spoilt, endpoint="usage")
        found = super_sim.told(await read.pages("usage", since=SINCE))
    assert {sid for sid, _ in found} == {super_sim.sid(1)}
    assert len(found) == 4


async def test_sweep_that_tells_zeros_is_read_as_a_whole() -> None:
    stand = super_sim.stand("twilio", super_sim.busy())
    async with cases.reading(super_sim.TWILIO, stand=stand, absent_is_zero=True) as read:
        for _ in range(2):  # a SIM that came since the last sweep is told of too
            pages = await read.pages("usage", since=SINCE, cursor="1:")
            assert {page.cursor for page in pages} == {None}
            assert len(super_sim.told(pages)) == 125
    assert read.stand.faults.seen("sims") == 6


def test_record_with_other_bounds_than_ours_leaves_no_zero_beside_it() -> None:
    window = windows.Window(FIRST_DAY, INSTANT, is_open=True)
    known = zeros.Told(window, DAY, readings.UsageSeries.DAY)
    at = FIRST_DAY + 5 * HOUR
    usage = readings.Usage(INTERVAL, readings.UsageSeries.DAY, at, 7, at + DAY)
    known.note([readings.Sighting("a", usage=(usage,))])
    (page,) = known.pages({"a": FIRST_DAY})
    assert [zero.starts_at for zero in page[0].usage] == [FIRST_DAY + 2 * DAY, FIRST_DAY + 3 * DAY]


def test_zeros_come_in_pages() -> None:
    known = zeros.Told(windows.Window(FIRST_DAY, INSTANT, is_open=True), DAY, readings.UsageSeries.DAY)
    pages = list(known.pages({str(number): FIRST_DAY for number in range(450)}))
    assert [len(page) for page in pages] == [200, 200, 50]
    assert {len(seen.usage) for page in pages for seen in page} == {4}
