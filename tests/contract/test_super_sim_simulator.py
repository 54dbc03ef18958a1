"""The stand-in keeps to the documented calls as strictly as the vendor would."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from collectors import client, simulation
from collectors.super_sim import world
from tests.contract.cases import LINES, super_sim

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
BY_DAY = {"Group": "sim", "Granularity": "day"}


@contextlib.asynccontextmanager
async def portal() -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in client of Twilio's stand-in: 25 SIMs of two fleets that moved 10 bytes an hour for two days."""
    shown = world.StaticWorld(
        super_sim.sim(number, fleet_sid=f"HF{number % 2:032d}", status="active" if number else "new")
        for number in LINES
    )
    for number in LINES:
        for hour in range(48):
            shown.use(super_sim.sid(number), TODAY - timedelta(hours=hour), download=10)
    given = super_sim.SECRETS["twilio"]
    async with (
        simulation.serve(super_sim.stand("twilio", shown)) as url,
        httpx.AsyncClient(
            base_url=url, transport=client.direct(), auth=(given["account_sid"], given["auth_token"])
        ) as http,
    ):
        yield http


@pytest.mark.parametrize("params", [{}, {"Status": "new"}, {"Fleet": f"HF{1:032d}"}, {"PageSize": "7"}])
async def test_list_is_filtered_and_paged_as_asked(params: dict[str, str]) -> None:
    async with portal() as http:
        body = (await http.get("/v1/Sims", params=params)).json()
        found = list(body["sims"])
        while (url := body["meta"]["next_page_url"]) is not None:
            body = (await http.get(url)).json()
            found += body["sims"]
    expected = {(): 25, ("Status",): 1, ("Fleet",): 12, ("PageSize",): 25}
    assert len({row["sid"] for row in found}) == len(found) == expected[tuple(params)]
    assert body["meta"]["key"] == "sims"
    assert set(found[0]) == {
        "sid",
        "unique_name",
        "account_sid",
        "iccid",
        "status",
        "fleet_sid",
        "date_created",
        "date_updated",
        "url",
        "links",
    }


async def test_fifty_rows_come_unless_asked_otherwise() -> None:
    async with portal() as http:
        meta = (await http.get("/v1/Sims")).json()["meta"]
    assert (meta["page"], meta["page_size"], meta["next_page_url"]) == (0, 50, None)


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/v1/Sims", {"PageSize": "0"}, 20001),
        ("/v1/Sims", {"PageSize": "1001"}, 20001),
        ("/v1/Sims", {"Status": "suspended"}, 20001),
        ("/v1/UsageRecords", {"Granularity": "minute"}, 83600),
        ("/v1/UsageRecords", {"Group": "child"}, 83600),
        ("/v1/UsageRecords", {"StartTime": "last week"}, 83600),
        ("/v1/UsageRecords", {"StartTime": "2026-11-20T00:00:00"}, 83600),
        ("/v1/UsageRecords", {"StartTime": "2026-12-20T00:00:00Z"}, 83600),
        ("/v1/UsageRecords", BY_DAY | {"StartTime": "2026-11-20T05:00:00Z"}, 83601),
        ("/v1/UsageRecords", BY_DAY | {"EndTime": "2026-11-20T05:00:00Z"}, 83601),
        ("/v1/UsageRecords", {"Granularity": "hour", "StartTime": "2026-11-20T05:30:00Z"}, 83602),
        ("/v1/UsageRecords", BY_DAY | {"StartTime": "2026-10-20T00:00:00Z"}, 83603),
        ("/v1/UsageRecords", {"Granularity": "day", "StartTime": "2026-06-20T00:00:00Z"}, 83604),
        (
            "/v1/UsageRecords",
            {"StartTime": "2025-05-01T00:00:00Z", "EndTime": "2025-06-01T00:00:00Z"},
            83605,
        ),
    ],
)
async def test_what_the_vendor_would_refuse_is_refused(path: str, params: dict[str, str], code: int) -> None:
    async with portal() as http:
        answer = await http.get(path, params=params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("params", "totals"),
    [
        ({}, {(None, None): 12_000}),
        ({"Group": "fleet"}, {(None, f"HF{0:032d}"): 6_240, (None, f"HF{1:032d}"): 5_760}),
        ({"Sim": super_sim.sid(3)}, {(super_sim.sid(3), None): 480}),
        ({"Group": "sim", "Fleet": f"HF{1:032d}"}, None),
    ],
)
async def test_usage_is_summed_by_what_is_asked(
    params: dict[str, str], totals: dict[tuple[str | None, str | None], int] | None
) -> None:
    async with portal() as http:
        rows = (await http.get("/v1/UsageRecords", params=params)).json()["usage_records"]
    found = {(row["sim_sid"], row["fleet_sid"]): row["data_total"] for row in rows}
    assert found == totals if totals else set(found.values()) == {480}
    assert len(rows) == len(totals or range(12))


async def test_newest_day_comes_first_and_its_end_is_left_out() -> None:
    async with portal() as http:
        params = BY_DAY | {"Sim": super_sim.sid(1), "EndTime": "2026-11-21T00:00:00Z"}
        rows = (await http.get("/v1/UsageRecords", params=params)).json()["usage_records"]
    assert [(row["period"]["start_time"][:10], row["data_total"]) for row in rows] == [
        ("2026-11-20", 240),
        ("2026-11-19", 230),
    ]


async def test_nothing_is_told_without_good_credentials() -> None:
    async with portal() as http:
        for path in ("/v1/Sims", "/v1/UsageRecords"):
            answer = await http.get(path, auth=("AC0", "wrong"))
            assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}, 401, "error"),
        ({"grant_type": "password", **super_sim.SECRETS["kore"]}, 401, "error"),
        (super_sim.SECRETS["kore"], 400, "message"),
    ],
)
async def test_kores_sign_in_is_refused_as_documented(form: dict[str, str], status: int, field: str) -> None:
    async with (
        simulation.serve(super_sim.stand("kore", world.StaticWorld())) as url,
        httpx.AsyncClient(base_url=url, transport=client.direct()) as http,
    ):
        answer = await http.post("/api-services/v1/auth/token", data=form)
        assert (await http.get("/v1/Sims", headers={"authorization": "Bearer none"})).status_code == 401
    assert answer.status_code == status
    assert field in answer.json()


async def test_twilio_has_no_token_to_give() -> None:
    async with portal() as http:
        assert (await http.post("/api-services/v1/auth/token")).status_code == 404
