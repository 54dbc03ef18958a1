"""One fleet out of many sources: whoever speaks first, and whatever each knows, it is one line in one device."""

import itertools
from typing import Any

import asyncpg
import pytest

from service.store import registration
from tests import factories, told
from tests.fleet import iccid, imei
from tests.told import HOUR, START, sight

SERIAL = "AB00000001"
MDN = "+12125500001"

CARRIERS: dict[str, dict[str, Any]] = {
    "sim only": {"iccid": iccid(1)},
    "sim and number": {"iccid": iccid(1), "mdn": "212-550-0001"},
}
ROUTERS: dict[str, dict[str, Any]] = {
    "modem": {"iccid": iccid(1), "imei": imei(1), "serial": SERIAL},
    "spelt otherwise": {
        "iccid": f"{iccid(1)[:-1]} F",
        "imei": f"{imei(1)[:2]} {imei(1)[2:14]}",
        "serial": SERIAL.lower(),
    },
}


@pytest.fixture
async def fleet(pool: asyncpg.Pool) -> told.Fleet:
    return await told.fleet(pool)


@pytest.mark.parametrize("carrier_first", [True, False], ids=["carrier first", "router first"])
@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_carriers_sim_and_a_routers_modem_are_one_hotspot(
    fleet: told.Fleet, carrier: str, router: str, carrier_first: bool
) -> None:
    steps = [("carrier", sight("HS1", **CARRIERS[carrier])), ("router", sight("net-1", **ROUTERS[router]))]
    for key, seen in steps if carrier_first else reversed(steps):
        await fleet.tell(key, START, seen)
    assert await fleet.lines() == [(iccid(1), MDN if "mdn" in CARRIERS[carrier] else None)]
    assert await fleet.devices() == [(imei(1), SERIAL)]
    assert await fleet.links() == [(iccid(1), imei(1), SERIAL, True, None)]
    assert len(set((await fleet.keys()).values())) == 1


PARTS: dict[str, dict[str, Any]] = {
    "loan": {},  # a device that a file of loans has made, by its IMEI
    "carrier": {"iccid": iccid(1)},
    "carrier of a number": {"mdn": MDN, "imei": imei(1)},
    "router": {"serial": SERIAL, "iccid": iccid(1)},
    "router that tells all": {"serial": SERIAL, "imei": imei(1), "iccid": iccid(1), "mdn": MDN},
}


async def test_in_whatever_order_they_speak_it_is_one_line_in_one_lent_device(pool: asyncpg.Pool) -> None:
    for number, order in enumerate(itertools.permutations(PARTS), start=1):
        fleet = await told.fleet(pool, number)
        school = await factories.school(pool, district_id=number)
        for place, who in enumerate(order):
            if who == "loan":
                await lend(fleet, school)
            else:
                at = START + place * HOUR
                await fleet.tell(who, at, sight(f"key of {who}", at, **PARTS[who]))
        found = (
            await fleet.lines(),
            await fleet.devices(),
            await fleet.links(),
            await fleet.readings_by_line(),
        )
        assert (order, *found) == (
            order,
            [(iccid(1), MDN)],
            [(imei(1), SERIAL)],
            [(iccid(1), imei(1), SERIAL, True, None)],
            {(iccid(1), MDN): 4},
        )
        assert len(set((await fleet.keys()).values())) == 1
        assert await fleet.one("SELECT count(*) FROM loans WHERE district_id = $1") == 1
        assert await fleet.conflicts() == []


async def lend(fleet: told.Fleet, school: int) -> None:
    """As an import does: to the device of the IMEI, which is made where nobody has seen it."""
    query = f"SELECT device_id FROM devices WHERE district_id = $1 AND imei = '{imei(1)}'"
    device = await fleet.one(query)
    if device is None:
        device = await factories.device(fleet.pool, imei(1), district_id=fleet.district_id)
    await factories.loan(fleet.pool, device, school, START.date(), district_id=fleet.district_id)


async def test_a_line_known_by_its_number_alone_is_one_with_the_sim_that_carries_it(
    fleet: told.Fleet,
) -> None:
    await fleet.tell("router", START, sight("modem", mdn=MDN))
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1)))
    assert await fleet.readings_by_line() == {(None, MDN): 1, (iccid(1), None): 1}
    later = START + HOUR
    await fleet.tell("carrier", later, sight("HS1", later, iccid=iccid(1), mdn=MDN))
    await fleet.tell("router", later, sight("modem", later, mdn=MDN))
    assert await fleet.readings_by_line() == {(iccid(1), MDN): 4}
    assert await fleet.one("SELECT count(*) FROM latest_states WHERE district_id = $1") == 2


async def test_a_line_known_by_the_vendors_key_alone_takes_its_readings_along(fleet: told.Fleet) -> None:
    """Nothing is lost, nothing is counted twice, and the days that its loans are judged by are judged again."""
    await fleet.tell("router", START, sight("modem", serial=SERIAL))
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1)))
    await phantom_day(fleet)
    later = START + HOUR
    await fleet.tell("router", later, sight("modem", later, serial=SERIAL, iccid=iccid(1)))
    assert await fleet.readings_by_line() == {(iccid(1), None): 3}
    assert await fleet.links() == [(iccid(1), None, SERIAL, True, None)]
    days = "SELECT l.iccid, d.used_bytes FROM line_days AS d JOIN lines AS l USING (district_id, line_id)"
    assert await fleet.rows(f"{days} WHERE d.district_id = $1") == [(iccid(1), 7)]
    assert await fleet.rows("SELECT on_day::text FROM dirty_loan_days WHERE district_id = $1") == [
        ("2026-10-05",)
    ]
    assert await fleet.conflicts() == []


async def phantom_day(fleet: told.Fleet) -> None:
    source = await fleet.source("router")
    await fleet.pool.execute(
        "INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis)"
        " SELECT $1, '2026-10-05', line_id, account_id, 7, 'bucket' FROM provider_keys WHERE account_id = $2",
        fleet.district_id,
        source.account_id,
    )


async def test_what_both_lines_were_told_of_is_kept_once(fleet: told.Fleet) -> None:
    await fleet.tell("router", START, sight("modem", mdn=MDN))
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1)))
    for table in ("usage_readings", "state_readings", "latest_states"):
        await fleet.pool.execute(
            f"CREATE TEMPORARY TABLE twice AS SELECT * FROM {table};"
            "UPDATE twice SET line_id = (SELECT max(line_id) FROM lines);"
            f"INSERT INTO {table} SELECT * FROM twice ON CONFLICT DO NOTHING; DROP TABLE twice"
        )
    assert await fleet.readings_by_line() == {(None, MDN): 1, (iccid(1), None): 2}
    await fleet.tell("carrier", START + HOUR, sight("HS1", START + HOUR, iccid=iccid(1), mdn=MDN))
    assert await fleet.readings_by_line() == {(iccid(1), MDN): 3}


async def test_a_number_that_moves_to_another_sim_takes_along_who_knows_the_number_alone(
    fleet: told.Fleet,
) -> None:
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1), mdn=MDN))
    await fleet.tell("portal", START, sight("number", mdn=MDN))
    await fleet.tell("router", START, sight("modem", iccid=iccid(1)))
    later = START + HOUR
    await fleet.tell("carrier", later, sight("HS2", later, iccid=iccid(2), mdn=MDN))
    await fleet.tell("portal", later, sight("number", later, mdn=MDN))
    keys = await fleet.keys()
    assert (keys["number"], keys["modem"]) == ((iccid(2), MDN), (iccid(1), MDN))
    assert await fleet.readings_by_line() == {(iccid(1), MDN): 3, (iccid(2), MDN): 2}
    assert await fleet.conflicts() == []


@pytest.mark.parametrize("device_first", [True, False], ids=["device first", "sim first"])
async def test_a_source_that_names_the_device_alone_speaks_of_the_line_in_it(
    fleet: told.Fleet, device_first: bool
) -> None:
    steps = [
        ("router", sight("box", serial=SERIAL, imei=imei(1))),
        ("carrier", sight("HS1", iccid=iccid(1), imei=imei(1))),
    ]
    for key, seen in steps if device_first else reversed(steps):
        await fleet.tell(key, START, seen)
    assert await fleet.readings_by_line() == {(iccid(1), None): 2}
    assert await fleet.links() == [(iccid(1), imei(1), SERIAL, True, None)]


async def test_a_source_that_names_the_device_alone_follows_its_next_sim(fleet: told.Fleet) -> None:
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1), imei=imei(1)))
    await fleet.tell("router", START, sight("box", imei=imei(1)))
    later = START + HOUR
    await fleet.tell("carrier", later, sight("HS2", later, iccid=iccid(2), imei=imei(1)))
    await fleet.tell("router", later, sight("box", later, imei=imei(1)))
    assert (await fleet.keys())["box"] == (iccid(2), None)
    assert await fleet.readings_by_line() == {(iccid(1), None): 2, (iccid(2), None): 2}
    assert await fleet.links() == [
        (iccid(1), imei(1), None, True, later),
        (iccid(2), imei(1), None, False, None),
    ]


async def test_two_slots_of_one_device_stay_two_lines(fleet: told.Fleet) -> None:
    """The second is empty: it must not be taken for the SIM of the first."""
    slots = sight("slot-1", iccid=iccid(1), imei=imei(1)), sight("slot-2", imei=imei(1))
    await fleet.tell("router", START, *slots)
    await fleet.tell("router", START + HOUR, *slots)
    assert (await fleet.keys()) == {"slot-1": (iccid(1), None), "slot-2": (None, None)}


async def test_two_modems_of_one_router_are_two_devices(fleet: told.Fleet) -> None:
    """First by the router's serial number, then each by its own IMEI."""
    first = [sight(f"modem-{n}", iccid=iccid(n), serial=SERIAL) for n in (1, 2)]
    await fleet.tell("router", START, *first)
    later = START + HOUR
    await fleet.tell(
        "router", later, *(sight(f"modem-{n}", later, iccid=iccid(n), imei=imei(n)) for n in (1, 2))
    )
    now = [link[:2] for link in await fleet.links() if link[-1] is None]
    assert now == [(iccid(1), imei(1)), (iccid(2), imei(2))]


async def test_a_sim_of_its_own_is_never_taken_for_another(fleet: told.Fleet) -> None:
    """The vendor's key stands for another SIM now: that is a swap."""
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1), imei=imei(1)))
    await fleet.tell("other", START, sight("x", iccid=iccid(2)))
    later = START + HOUR
    await fleet.tell("carrier", later, sight("HS1", later, iccid=iccid(2), imei=imei(1)))
    assert await fleet.readings_by_line() == {(iccid(1), None): 1, (iccid(2), None): 2}


async def test_a_reading_that_names_nothing_goes_by_its_key(fleet: told.Fleet) -> None:
    await fleet.tell("carrier", START, sight("HS1", iccid=iccid(1), imei=imei(1)))
    stored = await fleet.tell("carrier", START + HOUR, sight("HS1", START + HOUR))
    assert (stored.lines, stored.dropped) == (1, 0)
    assert await fleet.readings_by_line() == {(iccid(1), None): 2}


async def test_a_reading_that_names_nothing_under_an_unknown_key_makes_no_line(fleet: told.Fleet) -> None:
    stored = await fleet.tell(
        "carrier", START, sight("HS1", iccid=iccid(1)), sight("nobody"), sight("nobody else")
    )
    assert (stored.lines, stored.dropped) == (1, 2)
    reasons = [rejection.reason for rejection in stored.rejected]
    assert reasons == ["a reading of a line that the account has not listed yet"] * 2
    assert await fleet.lines() == [(iccid(1), None)]
    assert await fleet.one("SELECT count(*) FROM provider_keys WHERE district_id = $1") == 1


async def test_who_tells_less_than_before_takes_nothing_back(fleet: told.Fleet) -> None:
    identity = "SELECT identity FROM provider_keys WHERE district_id = $1"
    await fleet.tell("carrier", START, sight("HS1", mdn=MDN, iccid=iccid(1)))
    first = await fleet.one(identity)
    await fleet.tell("carrier", START + HOUR, sight("HS1", START + HOUR, iccid=iccid(1), imei=imei(1)))
    both = await fleet.one(identity)
    assert (first[:16], first[16:]) == (both[:16], "-" * 16)
    assert both[16:24] != "-" * 8
    third = START + 2 * HOUR
    await fleet.tell("carrier", third, sight("HS1", third, mdn=MDN))
    assert await fleet.one(identity) == both
    assert await fleet.links() == [(iccid(1), imei(1), None, True, None)]


async def test_a_line_that_says_nothing_new_is_not_looked_at_again(
    fleet: told.Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fleet.tell("carrier", START, sight("HS1", mdn=MDN, iccid=iccid(1)))
    with monkeypatch.context() as patched:
        patched.setattr(registration, "register", None)  # to call it would fail
        parts: list[dict[str, Any]] = [{"mdn": MDN, "iccid": iccid(1)}, {"iccid": iccid(1)}, {"mdn": MDN}, {}]
        for hours, seen in enumerate(parts, start=1):
            at = START + hours * HOUR
            assert (await fleet.tell("carrier", at, sight("HS1", at, **seen))).lines == 1
    later = START + 5 * HOUR
    await fleet.tell("carrier", later, sight("HS1", later, mdn="2125500002"))
    assert await fleet.lines() == [(iccid(1), "+12125500002")]
