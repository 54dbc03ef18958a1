"""The stand-in keeps to the documented calls as strictly as the vendor would."""

from collections.abc import AsyncIterator

import httpx
import pytest

from collectors import client, simulation
from collectors.kajeet import export_csv
from tests.contract import accounts

GOOD = {"offset": "0", "limit": "10", "sort": "MDN", "sortDir": "ASC"}


@pytest.fixture
async def portal() -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in client of an account of 25 devices."""
    async with (
        simulation.serve(accounts.account(25)) as url,
        httpx.AsyncClient(base_url=url, transport=client.direct()) as http,
    ):
        body = {"clientId": accounts.CREDENTIALS["client_id"], "clientSecret": accounts.SECRET}
        answer = await http.post("/v1.0/auth/clientToken", json=body)
        http.headers["authorization"] = f"Bearer {answer.json()['token']}"
        yield http


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in GOOD),
        {"limit": "101"},
        {"limit": "0"},
        {"offset": "-1"},
        {"sort": "NICKNAME"},
        {"sortDir": "UP"},
    ],
)
async def test_documented_parameters_are_required(
    portal: httpx.AsyncClient, change: dict[str, str | None]
) -> None:
    params = {name: value for name, value in (GOOD | change).items() if value is not None}
    answer = await portal.get("/v1.0/devices/5001", params=params)
    assert answer.status_code == 400


async def test_list_is_sorted_as_asked(portal: httpx.AsyncClient) -> None:
    params = GOOD | {"sortDir": "DESC", "limit": "3"}
    answer = (await portal.get("/v1.0/devices/5001", params=params)).json()
    assert [row["mdn"] for row in answer["devices"]] == ["521-000-0024", "521-000-0023", "521-000-0022"]
    assert answer["totalCount"] == 25


async def test_nothing_is_told_without_a_good_token(portal: httpx.AsyncClient) -> None:
    del portal.headers["authorization"]
    for path in ("/v1.0/devices/5001", "/v1.0/devices/5001/status", "/v1.0/accountSettings/deviceGroups"):
        assert (await portal.get(path, params=GOOD)).status_code == 401


async def test_statuses_are_listed(portal: httpx.AsyncClient) -> None:
    assert (await portal.get("/v1.0/devices/5001/status")).json() == ["active"]


async def test_export_is_csv_that_the_importer_reads(portal: httpx.AsyncClient) -> None:
    answer = await portal.get(
        "/v1.0/devices/5001", params={"export": "CSV", "columns": "MDN,NICKNAME,STATUS"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert accounts.CHILD in answer.text
    rows = list(export_csv.read(answer.text.splitlines(keepends=True), instant=accounts.INSTANT))
    assert len(rows) == 25


async def test_export_of_an_unknown_column_is_refused(portal: httpx.AsyncClient) -> None:
    answer = await portal.get("/v1.0/devices/5001", params={"export": "CSV", "columns": "HOME_ADDRESS"})
    assert answer.status_code == 400
