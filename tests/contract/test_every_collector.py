"""Every fault that a vendor can have, against every collector."""

import contextlib
import dataclasses
import logging
import time
from typing import Any

import msgspec
import pytest
from aiohttp import web

from collectors import errors, readings, simulation, walking
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, Case, Reading

PAGE = 10
GOES_ROUND = r"same page twice|leads back|never ends"
SECRET_NAMES = ("secret", "key", "token", "password")
TOKEN_HEADERS = {"authorization", "vz-m2m-token", "x-soracom-token", "x-cp-api-key", "x-ecm-api-key"}


@pytest.fixture(params=cases.every(), ids=lambda case: case.collector)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


async def sweep(read: Reading, case: Case) -> list[readings.Page]:
    return await read.pages(case.group)


def spoil(read: Reading, case: Case, fault: simulation.Fault, *, after: int = 0, times: int = 1) -> None:
    read.stand.faults.next(fault, endpoint=case.endpoint, after=after, times=times)


def in_rows(case: Case, change: Any) -> simulation.Fault:
    return simulation.changed(lambda body: change(case.rows(body)))


def put(row: cases.Row, path: cases.Field, value: object) -> None:
    """Give a field another value; ``...`` takes it away."""
    at: Any = row
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        with contextlib.suppress(KeyError):
            del at[path[-1]]
    else:
        at[path[-1]] = value


async def test_whole_list_is_read_page_by_page(case: Case) -> None:
    async with cases.reading(case) as read:
        found = await sweep(read, case)
    assert cases.keys(found) == case.keys(LINES)
    assert len(found) >= len(LINES) // PAGE
    assert not [rejection for page in found for rejection in page.rejected]
    assert not [status for page in found for status in page.unmapped]


async def test_an_empty_account_is_no_error(case: Case) -> None:
    async with cases.reading(case, lines=range(0)) as read:
        assert cases.keys(await sweep(read, case)) == set()


async def test_probe_signs_in_and_counts(case: Case) -> None:
    async with cases.reading(case) as read:
        probe = await read.collector.probe()
    assert probe.lines in (None, len(LINES))
    assert probe.clock_skew_seconds == pytest.approx(0, abs=5)


async def test_readings_carry_aware_instants_and_known_kinds(case: Case) -> None:
    async with cases.reading(case) as read:
        found = await sweep(read, case)
    for page in found:
        for sighting in page.sightings:
            instants = [
                *(usage.starts_at for usage in sighting.usage),
                *(state.starts_at for state in sighting.states),
                *(signal.starts_at for signal in sighting.signals),
                *(session.starts_at for session in sighting.sessions),
            ]
            assert all(at.tzinfo is not None and at <= INSTANT for at in instants)
            assert (sighting.last_seen_at is None) == (sighting.last_seen_by is None)


async def test_expired_token_is_replaced_in_the_midst_of_a_sweep(case: Case) -> None:
    if not case.has_tokens:
        return
    async with cases.reading(case) as read:
        spoil(read, case, simulation.first(read.stand.expire), after=1)
        assert cases.keys(await sweep(read, case)) == case.keys(LINES)


async def test_revoked_credentials_stop_the_sweep(case: Case) -> None:
    async with cases.reading(case) as read:
        read.stand.revoke()
        with pytest.raises(errors.AuthenticationFailed) as caught:
            await sweep(read, case)
    assert "check" in str(caught.value)


async def test_revoked_credentials_are_found_by_the_probe(case: Case) -> None:
    async with cases.reading(case) as read:
        read.stand.revoke()
        with pytest.raises(errors.AuthenticationFailed):
            await read.collector.probe()


async def test_throttling_is_obeyed_and_the_sweep_goes_on(case: Case) -> None:
    async with cases.reading(case) as read:
        spoil(read, case, case.throttled, after=1, times=2)
        assert cases.keys(await sweep(read, case)) == case.keys(LINES)


async def test_retry_after_of_a_million_seconds_is_capped_and_told(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    began = time.monotonic()
    async with cases.reading(case) as read:
        spoil(read, case, simulation.status(429, retry_after="1000000"), after=1)
        assert cases.keys(await sweep(read, case)) == case.keys(LINES)
    assert time.monotonic() - began < 5
    assert any("1000000" in record.message and "granted" in record.message for record in caplog.records)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_passing_fault_of_the_vendor_is_tried_again(case: Case, status: int) -> None:
    async with cases.reading(case) as read:
        spoil(read, case, simulation.status(status), after=1, times=2)
        assert cases.keys(await sweep(read, case)) == case.keys(LINES)


async def test_lasting_fault_of_the_vendor_is_unavailable(case: Case) -> None:
    async with cases.reading(case) as read:
        read.stand.faults.is_blind = True
        with pytest.raises(errors.Unavailable, match="503"):
            await sweep(read, case)


@pytest.mark.parametrize("fault", [simulation.hang, simulation.trickle], ids=["hang", "trickle"])
async def test_vendor_that_never_finishes_its_answer_is_unavailable(
    case: Case, fault: simulation.Fault
) -> None:
    impatient = dataclasses.replace(cases.QUICK, attempt_seconds=0.1, attempts=2)
    async with cases.reading(case, limits=impatient) as read:
        spoil(read, case, fault, times=99)
        with pytest.raises(errors.Unavailable, match="did not answer in time"):
            await sweep(read, case)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (simulation.html, "HTML where JSON was expected"),
        (simulation.truncated, "not whole JSON|cut short"),
        (simulation.oversized(2_000_000), "more than 1000000 bytes"),
        (simulation.redirect("https://collector.example/x?y=z"), "host collector.example"),
        (simulation.redirect("http://127.0.0.1:9/x"), "host 127.0.0.1"),
    ],
    ids=["html", "truncated", "oversized", "redirect outside", "redirect to http"],
)
async def test_answer_that_cannot_be_trusted_ends_the_sweep(
    case: Case, fault: simulation.Fault, words: str
) -> None:
    async with cases.reading(case) as read:
        spoil(read, case, fault, times=99)
        with pytest.raises(errors.ResponseInvalid, match=words):
            await sweep(read, case)
        assert "collector.example" not in {sent.host for sent in read.network.sent}


async def test_redirect_inside_the_vendors_hosts_is_followed_with_the_credentials(case: Case) -> None:
    if case.suffix is None:
        return
    async with cases.reading(case) as read:
        here = f"https://shard7{case.suffix}"

        async def moved(call: simulation.Call) -> Any:
            return await simulation.redirect(f"{here}{call.request.path_qs}")(call)

        spoil(read, case, moved)
        assert cases.keys(await sweep(read, case)) == case.keys(LINES)
        assert f"shard7{case.suffix}" in {sent.host for sent in read.network.sent}


async def test_envelope_of_another_type_says_where_and_what_was_expected(case: Case) -> None:
    async def other(call: simulation.Call) -> Any:
        return simulation.answer(
            [{"surprise": 1}] if isinstance(await decoded(call), dict) else {"surprise": 1}
        )

    async with cases.reading(case) as read:
        spoil(read, case, other, times=99)
        with pytest.raises(errors.ResponseInvalid, match="expected"):
            await sweep(read, case)


async def decoded(call: simulation.Call) -> object:
    response: Any = await call.reply()
    return msgspec.json.decode(response.body)


async def test_row_of_a_wrong_type_is_rejected_by_itself_and_told_without_its_value(case: Case) -> None:
    path, value = case.wrong
    async with cases.reading(case) as read:
        spoil(read, case, in_rows(case, lambda rows: put(rows[3], path, value)))
        found = await sweep(read, case)
    rejected = [rejection for page in found for rejection in page.rejected]
    assert len(rejected) == 1
    assert "[3]" in rejected[0].path
    assert str(value) not in f"{rejected[0].path} {rejected[0].reason}"
    assert len(cases.keys(found)) == len(LINES) - 1


async def test_row_that_is_no_row_is_rejected_by_itself(case: Case) -> None:
    def change(rows: list[Any]) -> None:
        rows[2] = "no row"

    async with cases.reading(case) as read:
        spoil(read, case, in_rows(case, change))
        found = await sweep(read, case)
    assert len([rejection for page in found for rejection in page.rejected]) == 1
    assert len(cases.keys(found)) == len(LINES) - 1


async def test_missing_optional_fields_are_unknown(case: Case) -> None:
    def change(rows: list[cases.Row]) -> None:
        for row in rows:
            for path in case.optional:
                put(row, path, ...)

    async with cases.reading(case) as read:
        spoil(read, case, in_rows(case, change), times=99)
        found = await sweep(read, case)
    assert cases.keys(found) == case.keys(LINES)
    assert not [rejection for page in found for rejection in page.rejected]


async def test_unknown_status_is_kept_and_counted_never_guessed(case: Case) -> None:
    if case.status is None:
        return
    path = case.status
    async with cases.reading(case) as read:
        spoil(read, case, in_rows(case, lambda rows: put(rows[0], path, "HYPERLOOPED")))
        found = await sweep(read, case)
    assert cases.keys(found) == case.keys(LINES)
    assert {status: count for page in found for status, count in page.unmapped.items()} == {"HYPERLOOPED": 1}
    kept = [state for page in found for sighting in page.sightings for state in sighting.states]
    strange = [state for state in kept if state.raw_status == "HYPERLOOPED"]
    devices = [
        device for page in found for device in page.student_devices if device.raw_status == "HYPERLOOPED"
    ]
    assert len(strange) + len(devices) == 1
    assert all(state.status is readings.LineStatus.UNKNOWN for state in strange)
    assert all(device.is_in_service is None for device in devices)


async def test_repeated_page_loses_no_line_or_ends_the_sweep(case: Case) -> None:
    async with cases.reading(case) as read:
        spoil(read, case, simulation.repeated, after=1)
        assert cases.keys(await sweep(read, case)) == case.keys(LINES)
    async with cases.reading(case) as read:
        spoil(read, case, simulation.repeated, after=1, times=99)
        with pytest.raises(errors.ResponseInvalid, match=GOES_ROUND):
            await sweep(read, case)


async def test_empty_page_in_the_middle_loses_no_line_or_ends_the_sweep(case: Case) -> None:
    def emptied(rows: list[cases.Row]) -> None:
        rows.clear()

    async with cases.reading(case) as read:
        spoil(read, case, in_rows(case, emptied), after=1, times=2)
        try:
            found = await sweep(read, case)
        except errors.ResponseInvalid as error:
            said = str(error)
        else:
            seen, promised = len(cases.keys(found)), max(page.total or 0 for page in found)
            # a vendor may say that an empty page is not the last: then its total tells that lines are missing
            is_told = promised > seen or case.collector in MAY_BE_EMPTY
            said = (
                "an empty page"
                if seen == len(LINES) or is_told
                else f"{seen} of {len(LINES)} lines, and no word of it"
            )
    assert "empty" in said


MAY_BE_EMPTY = {"soracom"}  # its documentation: a short page does not mean the end; it tells no total


async def test_list_that_never_ends_is_found_out(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_PAGES", 50)

    kept: list[web.Response] = []

    async def first_page(call: simulation.Call) -> web.StreamResponse:
        response = await call.reply()
        assert isinstance(response, web.Response)
        kept.append(response)
        first = kept[0]
        headers = {name: value for name, value in first.headers.items() if name.lower() != "content-length"}
        return web.Response(status=first.status, headers=headers, body=first.body)

    async with cases.reading(case) as read:
        spoil(read, case, first_page, times=10_000)
        with pytest.raises(errors.ResponseInvalid, match=GOES_ROUND):
            await sweep(read, case)
        assert read.stand.faults.seen(case.endpoint) < 200


async def test_no_secret_and_no_private_word_reaches_a_reading_the_log_or_an_error(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore.http11", "httpcore.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    said = []
    async with cases.reading(case) as read:
        said.append(repr(await sweep(read, case)))
        tokens = {
            value.removeprefix("Bearer ").removeprefix("Basic ")
            for sent in read.network.sent
            for name, value in sent.headers.items()
            if name.lower()
            in {"authorization", "vz-m2m-token", "x-soracom-token", "x-cp-api-key", "x-ecm-api-key"}
        }
    for fault in (simulation.status(401), simulation.status(403), simulation.status(400), simulation.html):
        async with cases.reading(case) as read:
            read.stand.faults.next(fault, endpoint=None, times=99)
            with pytest.raises(errors.CollectorError) as caught:
                await sweep(read, case)
        said.append(f"{caught.value} {caught.value!r} {caught.value.__cause__!r}")
    text = caplog.text + "".join(said)
    secret = {
        value
        for name, value in case.credentials.items()
        if name.endswith(("secret", "key", "token", "password"))
    }
    for word in (*secret, *case.secrets, *tokens, *cases.PRIVATE.values()):
        assert word not in text
