"""Sources that contradict each other: nothing is guessed, a person is asked, and what is in force stays so."""

from datetime import date, datetime, timedelta

import asyncpg
import pytest

from collectors import readings
from service.store import conflicts
from tests import told
from tests.fleet import iccid, imei
from tests.told import HOUR, START, sight

LINE = iccid(1)
SERIAL = "AB00000001"


@pytest.fixture
async def fleet(pool: asyncpg.Pool) -> told.Fleet:
    return await told.fleet(pool)


def seen(at: datetime = START, device: int = 1, *, key: str = "one", sim: int = 1) -> readings.Sighting:
    return sight(key, at, iccid=iccid(sim), imei=imei(device))


async def contradict(fleet: told.Fleet) -> None:
    """The carrier says device 1, then the router device 2."""
    await fleet.tell("carrier", START, seen())
    await fleet.tell("router", START + HOUR, seen(START + HOUR, 2))


async def in_force(fleet: told.Fleet) -> list[tuple[str | None, bool]]:
    """The line's devices, with whether it is there now."""
    return [(link[1], link[-1] is None) for link in await fleet.links() if link[0] == LINE]


async def the_conflict(fleet: told.Fleet) -> int:
    found: int = await fleet.one("SELECT max(conflict_id) FROM conflicts WHERE district_id = $1")
    return found


async def resolve(fleet: told.Fleet, at: datetime, *, take: bool) -> conflicts.Outcome:
    return await conflicts.resolve(fleet.pool, await the_conflict(fleet), take=take, now=at)


async def test_two_accounts_that_put_a_line_in_two_devices_are_a_conflict(fleet: told.Fleet) -> None:
    await contradict(fleet)
    assert await fleet.conflicts() == [("line_device", "router", "carrier", None)]
    assert await in_force(fleet) == [(imei(1), True)]
    (row,) = await fleet.pool.fetch("SELECT * FROM conflicts")
    assert (row["opened_at"], row["claimed_at"], row["settled_at"]) == (START + HOUR, START + HOUR, None)
    devices = dict(await fleet.rows("SELECT imei, device_id FROM devices WHERE district_id = $1"))
    assert (row["device_id"], row["other_device_id"]) == (devices[imei(1)], devices[imei(2)])


async def test_the_same_contradiction_is_raised_once(fleet: told.Fleet) -> None:
    await contradict(fleet)
    for hours in (2, 3):
        at = START + hours * HOUR
        mdn = f"212555000{hours}"  # news, so that it is looked at again
        await fleet.tell("router", at, sight("one", at, iccid=LINE, imei=imei(2), mdn=mdn))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", None)]
    assert await fleet.one("SELECT claimed_at FROM conflicts WHERE district_id = $1") == START + 3 * HOUR


async def test_within_one_account_another_device_is_a_swap(fleet: told.Fleet) -> None:
    await fleet.tell("carrier", START, seen())
    await fleet.tell("carrier", START + HOUR, seen(START + HOUR, 2))
    assert await fleet.conflicts() == []
    assert await fleet.links() == [
        (LINE, imei(1), None, True, START + HOUR),
        (LINE, imei(2), None, False, None),
    ]


async def test_an_account_that_names_no_device_contradicts_nobody(fleet: told.Fleet) -> None:
    await fleet.tell("carrier", START, seen())
    await fleet.tell("sims", START, sight("HS1", iccid=LINE))
    await fleet.tell("carrier", START + HOUR, seen(START + HOUR, 2))
    assert await fleet.conflicts() == []
    assert await in_force(fleet) == [(imei(1), False), (imei(2), True)]


async def test_the_other_comes_round(fleet: told.Fleet) -> None:
    """The carrier says device 2 as well: the swap is dated when it agrees."""
    await contradict(fleet)
    await fleet.tell("carrier", START + 2 * HOUR, seen(START + 2 * HOUR, 2))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", "agreed")]
    assert await fleet.links() == [
        (LINE, imei(1), None, True, START + 2 * HOUR),
        (LINE, imei(2), None, False, None),
    ]


async def test_a_claim_that_is_taken_back_settles_the_conflict(fleet: told.Fleet) -> None:
    await contradict(fleet)
    await fleet.tell("router", START + 2 * HOUR, seen(START + 2 * HOUR, 1))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", "agreed")]
    assert await in_force(fleet) == [(imei(1), True)]


async def test_a_claim_about_a_line_that_is_listed_no_more_settles_the_conflict(fleet: told.Fleet) -> None:
    await contradict(fleet)
    for hours in (2, 3, 4):
        at = START + hours * HOUR
        await fleet.tell("router", at, seen(at, 9, key="another", sim=9))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", "agreed")]
    assert await in_force(fleet) == [(imei(1), True)]


async def test_a_source_that_cannot_be_read_keeps_its_word(fleet: told.Fleet) -> None:
    """The router is silent for a week: its claim stands."""
    await contradict(fleet)
    for days in range(1, 8):
        at = START + timedelta(days=days)
        await fleet.tell("carrier", at, seen(at))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", None)]


async def test_what_nobody_says_any_more_gives_way_to_the_claim(fleet: told.Fleet) -> None:
    """The carrier is out of the configuration."""
    await contradict(fleet)
    await fleet.pool.execute("UPDATE accounts SET is_in_use = false WHERE account_key = 'carrier'")
    await fleet.tell("router", START + 2 * HOUR, seen(START + 2 * HOUR, 2))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", "agreed")]
    assert await in_force(fleet) == [(imei(1), False), (imei(2), True)]
    assert await fleet.rows("SELECT on_day FROM dirty_loan_days WHERE district_id = $1") == [
        (date(2026, 10, 5),)
    ]


async def test_the_source_in_force_swaps_and_the_claim_stays_a_claim(fleet: told.Fleet) -> None:
    """The carrier moves on to a third device: the router now contradicts that."""
    await contradict(fleet)
    await fleet.tell("carrier", START + 2 * HOUR, seen(START + 2 * HOUR, 3))
    assert await in_force(fleet) == [(imei(1), False), (imei(3), True)]
    assert await fleet.conflicts() == [
        ("line_device", "router", "carrier", "agreed"),
        ("line_device", "router", "carrier", None),
    ]


async def test_a_decision_to_keep_is_not_asked_for_again(fleet: told.Fleet) -> None:
    await contradict(fleet)
    assert await resolve(fleet, START + 2 * HOUR, take=False) is conflicts.Outcome.DONE
    later = START + 3 * HOUR
    await fleet.tell("router", later, sight("one", later, iccid=LINE, imei=imei(2), mdn="2125550003"))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", "kept")]
    assert await in_force(fleet) == [(imei(1), True)]


async def test_a_decision_to_take_moves_the_line_at_that_instant(fleet: told.Fleet) -> None:
    """And the carrier, which goes on saying device 1, is not asked about again."""
    await contradict(fleet)
    decided = START + 2 * HOUR
    assert await resolve(fleet, decided, take=True) is conflicts.Outcome.DONE
    moved = [(LINE, imei(1), None, True, decided), (LINE, imei(2), None, False, None)]
    assert await fleet.links() == moved
    assert await fleet.one("SELECT count(*) FROM dirty_loan_days WHERE district_id = $1") == 1
    later = START + 3 * HOUR
    await fleet.tell("carrier", later, sight("one", later, iccid=LINE, imei=imei(1), mdn="2125550003"))
    assert await fleet.conflicts() == [("line_device", "router", "carrier", "taken")]
    assert await fleet.links() == moved


async def test_another_contradiction_about_the_same_line_is_raised(fleet: told.Fleet) -> None:
    await contradict(fleet)
    await resolve(fleet, START + 2 * HOUR, take=False)
    await fleet.tell("router", START + 3 * HOUR, seen(START + 3 * HOUR, 3))
    assert await fleet.conflicts() == [
        ("line_device", "router", "carrier", "kept"),
        ("line_device", "router", "carrier", None),
    ]


async def test_a_serial_number_of_another_device_is_a_conflict_and_left_out(fleet: told.Fleet) -> None:
    await fleet.tell("carrier", START, sight("one", iccid=LINE, imei=imei(1), serial=SERIAL))
    stored = await fleet.tell(
        "router", START, sight("two", iccid=iccid(2), imei=imei(2), serial=SERIAL.lower())
    )
    assert [rejection.reason for rejection in stored.rejected] == ["serial left out: another device has it"]
    assert await fleet.conflicts() == [("serial", "router", "carrier", None)]
    assert await fleet.devices() == [(imei(1), SERIAL), (imei(2), None)]


async def test_a_serial_number_that_two_devices_of_a_batch_have_is_a_conflict(fleet: told.Fleet) -> None:
    both = [sight(f"{n}", iccid=iccid(n), imei=imei(n), serial=SERIAL) for n in (1, 2)]
    await fleet.tell("router", START, *both)
    assert await fleet.conflicts() == [("serial", "router", "router", None)]
    assert sorted(serial or "" for _, serial in await fleet.devices()) == ["", SERIAL]


async def two_of_a_serial(fleet: told.Fleet) -> None:
    await fleet.tell("carrier", START, sight("one", iccid=LINE, imei=imei(1), serial=SERIAL))
    await fleet.tell("router", START, sight("two", iccid=iccid(2), imei=imei(2), serial=SERIAL))


async def test_a_serial_number_may_be_taken_or_kept_and_is_not_asked_about_again(fleet: told.Fleet) -> None:
    await two_of_a_serial(fleet)
    await resolve(fleet, START + HOUR, take=True)
    assert await fleet.devices() == [(imei(1), None), (imei(2), SERIAL)]
    later = START + 2 * HOUR
    again = sight("one", later, iccid=LINE, imei=imei(1), serial=SERIAL, mdn="2125550001")
    await fleet.tell("carrier", later, again)
    await fleet.tell("router", later, sight("two", later, iccid=iccid(2), imei=imei(2), serial=SERIAL))
    assert await fleet.devices() == [(imei(1), None), (imei(2), SERIAL)]
    open_now = [row for row in await fleet.conflicts() if row[-1] is None]
    assert open_now == []


async def test_a_serial_number_that_is_told_right_settles_the_conflict(fleet: told.Fleet) -> None:
    await two_of_a_serial(fleet)
    later = START + HOUR
    await fleet.tell("router", later, sight("two", later, iccid=iccid(2), imei=imei(2), serial="AB00000002"))
    assert await fleet.conflicts() == [("serial", "router", "carrier", "agreed")]
    assert await fleet.devices() == [(imei(1), SERIAL), (imei(2), "AB00000002")]


async def test_devices_that_turn_out_to_be_one_have_no_conflict(fleet: told.Fleet) -> None:
    """One by its serial number, one by its IMEI; then somebody tells both."""
    await fleet.tell("carrier", START, sight("one", iccid=LINE, imei=imei(1)))
    await fleet.tell("other", START, sight("two", iccid=iccid(2), serial=SERIAL))
    await fleet.tell("router", START, sight("box", iccid=LINE, imei=imei(1), serial=SERIAL))
    assert await fleet.devices() == [(imei(1), SERIAL)]
    assert await fleet.conflicts() == []


async def test_a_conflict_is_decided_once(fleet: told.Fleet) -> None:
    await contradict(fleet)
    await resolve(fleet, START + 2 * HOUR, take=False)
    assert await resolve(fleet, START + 3 * HOUR, take=True) is conflicts.Outcome.SETTLED
    assert await in_force(fleet) == [(imei(1), True)]


async def test_a_conflict_that_is_not_there_is_unknown(fleet: told.Fleet) -> None:
    await contradict(fleet)
    known = await the_conflict(fleet)
    for conflict_id, district_id in ((known + 1, None), (known, fleet.district_id + 1)):
        outcome = await conflicts.resolve(
            fleet.pool, conflict_id, take=True, now=START, district_id=district_id
        )
        assert outcome is conflicts.Outcome.UNKNOWN
