"""The stand-in keeps to the documented calls, and its answers to the documented shapes."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from collectors import client, simulation
from tests.contract import identities
from tests.contract.cases import INSTANT, control_center

FIXTURES = Path(__file__).parent.parent / "fixtures" / "control_center"
PATH = "/rws/api/v1/devices"
SINCE = {"modifiedSince": "2000-01-01T00:00:00+00:00"}
ONE = f"{PATH}/{identities.iccid(0)}"


@pytest.fixture
async def pod() -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in client of an account of 60 devices, of which the first has all that a device can have."""
    stand = control_center.account(
        [control_center.device(0, ended_at=INSTANT), *map(control_center.device, range(1, 60))],
        oldest_days=365,
        account_id="42",
    )
    stand.devices[1].status = "DEACTIVATED"
    async with (
        simulation.serve(stand) as url,
        httpx.AsyncClient(
            base_url=url, transport=client.direct(), auth=(control_center.USERNAME, control_center.API_KEY)
        ) as http,
    ):
        yield http


def documented(name: str) -> Any:
    return msgspec.json.decode((FIXTURES / f"{name}.json").read_bytes())


def shape(value: Any) -> Any:
    """Names and types; of a list, the shapes that its rows have."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {str(shape(row)) for row in value}
    return type(value)


def recent(**params: str) -> dict[str, str]:
    since = (INSTANT - timedelta(days=300)).isoformat(timespec="seconds")
    return {"modifiedSince": since, **params}


async def test_list_has_the_documented_shape(pod: httpx.AsyncClient) -> None:
    answer = await pod.get(PATH, params=recent())
    assert shape(answer.json()) == shape(documented("devices"))


async def test_usage_has_the_documented_shape(pod: httpx.AsyncClient) -> None:
    answer = await pod.get(f"{ONE}/ctdUsages")
    assert shape(answer.json()) == shape(documented("ctd_usages"))


async def test_session_has_the_documented_shape_where_null_may_stand_for_text(
    pod: httpx.AsyncClient,
) -> None:
    told, expected = (await pod.get(f"{ONE}/sessionInfo")).json(), documented("session_info")
    assert told.keys() == expected.keys()
    assert {type(value) for value in (*told.values(), *expected.values())} <= {str, type(None)}
    assert told["dateSessionEnded"] == "2026-11-21 18:00:00.000+0000"
    assert len(told["dateSessionEnded"]) == len(expected["dateSessionStarted"])


async def test_absent_address_is_the_word_null() -> None:
    stand = control_center.account([control_center.device(0, ip_address=None, started_at=None)])
    auth = (control_center.USERNAME, control_center.API_KEY)
    async with (
        simulation.serve(stand) as url,
        httpx.AsyncClient(base_url=url, transport=client.direct(), auth=auth) as http,
    ):
        told = (await http.get(f"{ONE}/sessionInfo")).json()
    assert (told["ipAddress"], told["dateSessionStarted"]) == ("null", None)


@pytest.mark.parametrize("path", [PATH, f"{ONE}/ctdUsages", f"{ONE}/sessionInfo"])
async def test_nothing_is_told_without_good_credentials(pod: httpx.AsyncClient, path: str) -> None:
    pod.auth = None  # type: ignore[assignment]
    without = await pod.get(path, params=recent())
    wrong = base64.b64encode(f"{control_center.USERNAME}:guess".encode()).decode()
    with_wrong = await pod.get(path, params=recent(), headers={"Authorization": f"Basic {wrong}"})
    assert (without.status_code, with_wrong.status_code) == (401, 401)
    assert without.json() == documented("error_no_authorization")
    assert with_wrong.json() == documented("error_credentials")
    assert without.headers["www-authenticate"] == 'Basic realm="Jasper"'
    assert "ISO-8859-1" in without.headers["content-type"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "modifiedSince=2026-06-01",
        "modifiedSince=2026-06-01T00:00:00",
        "modifiedSince=2026-06-01T00:00:00+00:00",  # the + was not encoded
        "modifiedSince=2000-01-01T00:00:00%2B00:00",  # too old for this pod
        "modifiedSince=2026-06-01T00:00:00Z&pageSize=51",
        "modifiedSince=2026-06-01T00:00:00Z&pageSize=0",
        "modifiedSince=2026-06-01T00:00:00Z&pageNumber=0",
        "modifiedSince=2026-06-01T00:00:00Z&pageNumber=two",
    ],
)
async def test_parameters_are_checked(pod: httpx.AsyncClient, query: str) -> None:
    answer = await pod.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errorCode"].isdecimal()


async def test_list_is_sorted_by_change_and_pages_of_fifty_at_most(pod: httpx.AsyncClient) -> None:
    first = (await pod.get(PATH, params=recent())).json()
    second = (await pod.get(PATH, params=recent(pageNumber="2"))).json()
    third = (await pod.get(PATH, params=recent(pageNumber="3"))).json()
    assert [len(page["devices"]) for page in (first, second, third)] == [50, 10, 0]
    assert [page["lastPage"] for page in (first, second, third)] == [False, True, True]
    rows = [row["iccid"] for row in (*first["devices"], *second["devices"])]
    assert rows == [identities.iccid(number) for number in range(60)]


async def test_list_is_filtered_by_status_and_account(pod: httpx.AsyncClient) -> None:
    answer = await pod.get(PATH, params=recent(status="DEACTIVATED", accountId="42"))
    assert [row["iccid"] for row in answer.json()["devices"]] == [identities.iccid(1)]
    assert (await pod.get(PATH, params=recent(accountId="43"))).status_code == 404


async def test_line_that_is_not_there_is_not_found(pod: httpx.AsyncClient) -> None:
    for call in ("ctdUsages", "sessionInfo"):
        answer = await pod.get(f"{PATH}/8900000000000000000/{call}")
        assert answer.status_code == 404
