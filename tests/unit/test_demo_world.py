"""The pretend district by itself: the same on every run, and never telling what a vendor could not."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from collectors.kajeet import world as kajeet
from service.demo import fleet, history, names, schools, stage, timeline, use, world
from service.demo.schools import Persona
from service.model import identifiers

DATES = timeline.Timeline(date(2026, 11, 20))
FLEET = fleet.build(DATES)
WORLD = world.build(DATES, FLEET.hotspots)
CLOCKS_SET_BACK = date(2026, 11, 1)


def noon(offset: int) -> datetime:
    return datetime.combine(DATES.day(offset), datetime.min.time(), timeline.ZONE) + timedelta(hours=12)


def listed(instant: datetime) -> Sequence[kajeet.Device]:
    rows = WORLD.devices(world.ROOT_GROUP, instant)
    assert rows is not None
    return rows


def row(hotspot: fleet.Hotspot, instant: datetime) -> kajeet.Device:
    return next(device for device in listed(instant) if device.imei == hotspot.imei)


def of(persona: Persona) -> list[fleet.Hotspot]:
    return [hotspot for hotspot in FLEET.hotspots if hotspot.persona is persona]


def hours_of(day: date) -> list[datetime]:
    start = datetime.combine(day, datetime.min.time(), timeline.ZONE).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), timeline.ZONE).astimezone(UTC)
    return [start + timedelta(hours=hour) for hour in range((end - start) // timedelta(hours=1))]


def test_two_worlds_of_the_same_dates_agree() -> None:
    other = world.build(DATES, fleet.build(DATES).hotspots)
    for instant in (noon(-1), noon(-89), noon(-30), noon(3)):
        assert other.devices(world.ROOT_GROUP, instant) == listed(instant)


def test_what_is_asked_before_does_not_change_the_answer() -> None:
    other = world.build(DATES, fleet.build(DATES).hotspots)
    other.devices(world.ROOT_GROUP, noon(20))
    assert other.devices(world.ROOT_GROUP, noon(-50)) == listed(noon(-50))


def test_about_six_hundred_hotspots_are_listed() -> None:
    assert len(listed(noon(-1))) == 600


def test_every_school_has_a_group_and_the_root_has_them_all() -> None:
    parts = [WORLD.devices(school.group_key, noon(-1)) or () for school in schools.SCHOOLS]
    assert sum(map(len, parts)) == len(listed(noon(-1)))
    assert {group.key for group in WORLD.groups(noon(-1))} == {
        world.ROOT_GROUP,
        *(school.group_key for school in schools.SCHOOLS),
    }


def test_a_group_that_does_not_exist_is_none() -> None:
    assert WORLD.devices("4711", noon(-1)) is None


def test_identifiers_are_valid_and_no_one_elses() -> None:
    rows = [*listed(noon(-60)), *listed(noon(-1))]
    for device in rows:
        assert identifiers.imei(device.imei or "") == device.imei
        assert identifiers.iccid(device.uicc or "") == device.uicc
        assert device.mdn[3:8] == "55501"
        assert identifiers.mdn(device.mdn) == f"+1{device.mdn}"
    sims = {(device.uicc, device.mdn, device.key) for device in rows}
    for identity in zip(*sims, strict=True):
        assert len(set(identity)) == len(sims)


def test_notes_hold_childrens_names() -> None:
    device = listed(noon(-1))[0]
    assert device.nickname in names.CHILDREN
    assert any(child in (device.device_name or "") for child in names.CHILDREN)
    assert any(child in (device.corp_description or "") for child in names.CHILDREN)


@pytest.mark.parametrize("day", [DATES.day(-3), DATES.day(-40), CLOCKS_SET_BACK], ids=str)
def test_amounts_never_fall_within_a_day(day: date) -> None:
    for earlier, later in itertools.pairwise(hours_of(day)):
        for before, after in zip(listed(earlier), listed(later), strict=True):
            assert (before.day_amount_mb or 0) <= (after.day_amount_mb or 0)
            assert (before.month_amount_mb or 0) <= (after.month_amount_mb or 0)


def test_a_month_is_the_sum_of_its_days() -> None:
    days = [datetime(2026, 11, day, 23, 59, 59, tzinfo=timeline.ZONE) for day in range(1, 16)]
    hotspot = of(Persona.REGULAR)[3]
    whole = [row(hotspot, instant + timedelta(seconds=1)) for instant in days[:-1]]
    assert whole[-1].month_amount_mb == pytest.approx(
        sum(row(hotspot, instant).day_amount_mb or 0 for instant in days[:-1]), rel=0.001
    )


def test_limits_hold() -> None:
    for instant in hours_of(DATES.day(-2)):
        for device in listed(instant):
            assert (device.day_amount_mb or 0) <= (device.day_limit_mb or 1e6)
            assert (device.month_amount_mb or 0) <= (device.month_limit_mb or 1e6)


def test_a_capped_hotspot_reaches_its_daily_limit_on_school_days() -> None:
    evening = datetime(2026, 11, 18, 23, 55, tzinfo=timeline.ZONE)
    for hotspot in of(Persona.DAY_CAPPED):
        assert row(hotspot, evening).day_amount_mb == use.DAY_LIMIT_KB / 1000


def test_a_months_allowance_is_used_up_before_the_month_is() -> None:
    for hotspot in of(Persona.MONTH_CAPPED):
        assert row(hotspot, noon(-1)).month_amount_mb == use.MONTH_LIMIT_KB / 1000


def test_a_changed_sim_is_another_line_in_the_same_device() -> None:
    for hotspot in (hotspot for hotspot in FLEET.hotspots if hotspot.is_swapped):
        before, after = row(hotspot, noon(-31)), row(hotspot, noon(-30))
        assert before.imei == after.imei
        assert {before.key, before.mdn, before.uicc}.isdisjoint({after.key, after.mdn, after.uicc})
        assert before.uicc not in {device.uicc for device in listed(noon(-30))}
        assert (before.last_30_days_mb or 0) > 0
        assert after.last_30_days_mb == after.day_amount_mb


def test_some_returned_hotspots_still_move_bytes() -> None:
    returned = {loan.hotspot.number for loan in FLEET.loans if loan.hotspot.persona is Persona.SHELVED}
    assert len(returned) == fleet.SHELVED
    evening = datetime(2026, 11, 18, 23, 55, tzinfo=timeline.ZONE)
    moving = [hotspot for hotspot in of(Persona.SHELVED) if row(hotspot, evening).day_amount_mb]
    assert len(moving) == fleet.RESTLESS


def test_a_break_is_quieter_than_school() -> None:
    in_break = datetime(2026, 10, 14, 23, 55, tzinfo=timeline.ZONE)
    assert DATES.is_break(in_break.date())
    usual = in_break + timedelta(days=14)
    assert _total_mb(in_break) < 0.5 * _total_mb(usual)


def _total_mb(instant: datetime) -> float:
    return sum(device.day_amount_mb or 0 for device in listed(instant))


@pytest.mark.parametrize("weekday", range(7))
def test_a_break_is_two_whole_weeks_whatever_the_day_of_the_start(weekday: int) -> None:
    dates = timeline.Timeline(date(2026, 11, 16) + timedelta(days=weekday))
    assert dates.break_starts_on.weekday() == 0
    assert dates.break_ends_on.weekday() == 6
    assert dates.day(-52) < dates.break_starts_on < dates.break_ends_on < dates.blind_starts_on


def test_every_school_day_is_a_weekday_without_a_break() -> None:
    days = [DATES.day(offset) for offset in range(-90, 1)]
    school_days = [day for day in days if DATES.is_school_day(day)]
    assert len(school_days) == 54
    assert not any(DATES.is_break(day) or day.weekday() > 4 for day in school_days)


def test_schools_answers_make_sense() -> None:
    assert len(schools.SCHOOLS) == 12
    assert sum(school.is_high_needs for school in schools.SCHOOLS) == 3
    assert [school.name for school in schools.SCHOOLS if school.need is None] == ["Lantern Hill Elementary"]
    for school in schools.SCHOOLS:
        if school.need is not None:
            assert 15 <= school.need <= 120
            assert 0.7 <= school.answered / school.enrolled <= 0.96


def test_no_hotspot_is_lent_twice_at_a_time() -> None:
    by_hotspot: dict[int, list[fleet.Loan]] = {}
    for loan in FLEET.loans:
        by_hotspot.setdefault(loan.hotspot.number, []).append(loan)
    for loans in by_hotspot.values():
        for earlier, later in itertools.pairwise(loans):
            assert earlier.returned_on is not None
            assert earlier.returned_on <= later.checked_out_on


def test_sweeps_are_in_order_and_close_enough_together() -> None:
    after = datetime.combine(DATES.first_on, datetime.min.time(), timeline.ZONE)
    due = history.instants(after, noon(0))
    assert due[-1] == noon(0)
    assert all(earlier < later for earlier, later in itertools.pairwise(due))
    assert max(later - earlier for earlier, later in itertools.pairwise(due)) <= 2 * stage.CADENCE


def test_the_last_week_has_evenings_enough_to_judge_a_router() -> None:
    due = [instant.astimezone(timeline.ZONE) for instant in history.instants(noon(-20), noon(0))]
    week = [instant for instant in due if DATES.day(-7) <= instant.date() <= DATES.day(-1)]
    assert sum(16 <= instant.hour < 22 for instant in week) >= 20


def test_nothing_is_left_to_sweep_at_the_instant_of_the_last_sweep() -> None:
    assert history.instants(noon(0), noon(0)) == []
