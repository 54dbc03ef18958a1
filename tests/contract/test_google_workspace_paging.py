"""The list of devices: how it is asked for, while it changes, and resumed."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors import base, budget, errors, readings, registry, simulation
from collectors.google_workspace import api
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, PRIVATE, Reading, google_workspace
from tests.contract.cases.google_workspace import CASE, chromebook, key
from tests.contract.towards import Towards


def asked(read: Reading) -> list[dict[str, list[str]]]:
    return [
        parse_qs(urlsplit(sent.url).query)
        for sent in read.network.sent
        if sent.host == "admin.googleapis.com"
    ]


async def test_no_more_is_asked_for_than_is_read() -> None:
    async with cases.reading(CASE) as read:
        await read.pages("devices")
        sent = [each for each in read.network.sent if each.host == "admin.googleapis.com"]
        parameters = asked(read)
    assert urlsplit(sent[0].url).path == "/admin/directory/v1/customer/my_customer/devices/chromeos"
    assert parameters[0] == {
        "projection": ["FULL"],
        "maxResults": ["10"],
        "fields": [api.DEVICE_FIELDS],
    }
    assert api.DEVICE_FIELDS == (
        "kind,nextPageToken,chromeosdevices(deviceId,status,lastSync,activeTimeRanges,orgUnitId,"
        "lastKnownNetwork/wanIpAddress)"
    )
    assert all(later == parameters[0] | {"pageToken": later["pageToken"]} for later in parameters[1:])
    assert {each.method for each in sent} == {"GET"}


async def test_answer_that_holds_everything_is_read_without_what_could_name_a_person() -> None:
    stand = google_workspace.stand(LINES, ignores_fields=True)
    async with cases.reading(CASE, stand=stand) as read:
        found = [*(await read.pages("devices")), *(await read.pages("telemetry"))]
    assert cases.keys(found) == CASE.keys(LINES)
    text = repr(found)
    for word in (*PRIVATE.values(), "Students", google_workspace.SCHOOL, "10.20.30.40", "192.168"):
        assert word not in text


class Counted(budget.Unlimited):
    """A budget that is never short, and counts."""

    def __init__(self) -> None:
        self.turns = 0

    def of(self, fingerprint: str, terms: budget.Terms) -> "Counted":
        assert terms == budget.Terms(10.0)
        return self

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        self.turns += 1
        yield


async def test_every_request_is_spent_from_one_budget_the_sign_ins_too() -> None:
    counted = Counted()
    async with simulation.serve(google_workspace.stand(LINES)) as url:
        network = Towards(url)
        collector = registry.build(
            CASE.collector, CASE.options, CASE.credentials, budgets=counted, transport=network
        )
        for group in collector.endpoint_groups:
            async for _ in collector.pages(group, base.Sweep(INSTANT)):
                pass
        await collector.aclose()
    assert counted.turns == len(network.sent) == 2 + 3 + 3


async def test_requests_are_as_many_as_pages() -> None:
    async with cases.reading(CASE) as read:
        found = await read.pages("devices")
        assert read.stand.faults.seen("devices") == len(found) == 3
        assert read.group("devices").requests(len(LINES)) == 3


@pytest.mark.parametrize(
    ("options", "path", "children"),
    [
        ({"org_unit_path": "/Students/Elm"}, "Students/Elm", "true"),
        ({"org_unit_path": "Students", "include_child_orgunits": False}, "Students", "false"),
        ({"org_unit_path": "id:03ph8a2z1abcdef"}, "id:03ph8a2z1abcdef", "true"),
    ],
)
async def test_unit_is_asked_for_without_its_leading_slash(
    options: dict[str, Any], path: str, children: str
) -> None:
    async with cases.reading(CASE, **options) as read:
        await read.pages("devices")
        first = asked(read)[0]
    assert (first["orgUnitPath"], first["includeChildOrgunits"]) == ([path], [children])


@pytest.mark.parametrize(("with_children", "count"), [(True, 25), (False, 5)])
async def test_units_below_are_read_where_they_are_wanted(with_children: bool, count: int) -> None:
    stand = google_workspace.stand(range(0))
    for number in LINES:
        path = "/Students" if number < 5 else "/Students/Elm"
        stand.world.put(chromebook(number, orgUnitPath=path))
    stand.world.put(chromebook(99, orgUnitPath="/Staff"))
    async with cases.reading(
        CASE, stand=stand, org_unit_path="/Students", include_child_orgunits=with_children
    ) as read:
        assert cases.keys(await read.pages("devices")) == CASE.keys(range(count))


async def test_devices_that_come_and_go_hide_no_other() -> None:
    stand = google_workspace.stand(LINES)

    def change() -> None:
        stand.world.remove(key(2))
        stand.world.remove(key(14))
        stand.world.put(chromebook(30))

    stand.faults.next(simulation.first(change), endpoint="devices", after=1)
    async with cases.reading(CASE, stand=stand) as read:
        found = cases.keys(await read.pages("devices"))
    assert found == CASE.keys(LINES) - {key(14)} | {key(30)}


async def test_sweep_resumes_after_the_last_stored_page() -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages("devices")
        before = read.stand.faults.seen("devices")
        rest = await read.pages("devices", cursor=whole[1].cursor)
        assert cases.keys(rest) == CASE.keys(range(20, 25))
        assert read.stand.faults.seen("devices") == before + 1
    assert whole[-1].cursor is None


async def test_page_token_that_is_good_no_longer_begins_the_sweep_anew() -> None:
    async with cases.reading(CASE) as read:
        assert cases.keys(await read.pages("devices", cursor="of-another-time")) == CASE.keys(LINES)
        assert read.stand.faults.seen("devices") == 4


async def test_fault_after_a_resumed_page_does_not_begin_the_sweep_anew() -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages("devices")
        read.stand.faults.next(simulation.truncated, endpoint="devices", after=1, times=9)
        with pytest.raises(errors.ResponseInvalid):
            await read.pages("devices", cursor=whole[0].cursor)
        assert read.stand.faults.seen("devices") == len(whole) + 2


async def test_page_token_refused_in_the_midst_ends_the_sweep_and_keeps_what_was_read() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.status(400), endpoint="devices", after=1)
        found: list[readings.Page] = []
        with pytest.raises(errors.ResponseInvalid, match="did not accept the request"):
            await collect(read, found)
    assert cases.keys(found) == CASE.keys(range(10))


async def collect(read: Reading, found: list[readings.Page]) -> None:
    async for page in read.collector.pages(read.group("devices"), base.Sweep(INSTANT)):
        found.append(page)  # noqa: PERF401 - what came before a fault is kept


async def test_probe_reads_one_row_of_each_list() -> None:
    async with cases.reading(CASE) as read:
        probe = await read.collector.probe()
        sizes = [
            parse_qs(urlsplit(sent.url).query).get("maxResults")
            or parse_qs(urlsplit(sent.url).query).get("pageSize")
            for sent in read.network.sent
            if sent.method == "GET"
        ]
    assert probe.lines is None, "Google tells no total"
    assert probe.rejected == []
    assert sizes == [["1"], ["1"]]


async def test_probe_tells_of_a_row_that_cannot_be_read() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.changed(lambda body: body["chromeosdevices"][0].update(lastSync=7)))
        probe = await read.collector.probe()
    assert [rejection.path for rejection in probe.rejected] == ["chromeosdevices[0].lastSync"]


async def test_customer_is_part_of_the_path_and_cannot_leave_it() -> None:
    async with cases.reading(CASE, customer_id="../C01?x") as read:
        with pytest.raises(errors.ResponseInvalid):
            await read.pages("devices")
        (sent,) = [each for each in read.network.sent if each.host == "admin.googleapis.com"]
    assert "/customer/..%2FC01%3Fx/devices/chromeos?" in sent.url
