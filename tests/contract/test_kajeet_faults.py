"""Every fault that a vendor can have, and what a sweep makes of it."""

import logging

import pytest

from collectors import base, client, errors, simulation
from collectors.kajeet import faults
from tests.contract import accounts


async def test_whole_list_is_read_page_by_page() -> None:
    simulated = accounts.account(25)
    async with accounts.reading(simulated) as collector:
        found = await accounts.pages(collector)
    assert accounts.keys(found) == accounts.every_key(simulated)
    assert [len(page.sightings) for page in found] == [10, 10, 5]
    assert {page.total for page in found} == {25}


@pytest.mark.parametrize("status", [408, 500, 502, 503])
async def test_passing_fault_of_the_vendor_is_tried_again(status: int) -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.status(status), after=1, times=2)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)


async def test_lasting_fault_of_the_vendor_is_unavailable_after_some_tries() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.status(500), times=99)
    async with accounts.reading(simulated) as collector:
        with pytest.raises(errors.Unavailable, match="answered 500"):
            await accounts.pages(collector)
    assert simulated.faults.seen("devices") == accounts.QUICK.attempts


async def test_pages_before_a_fault_stay_good() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.status(403), after=2)
    async with accounts.reading(simulated) as collector:
        pages = collector.pages(collector.endpoint_groups[0], base.Sweep(accounts.INSTANT))
        got = [await anext(pages), await anext(pages)]
        with pytest.raises(errors.PermissionDenied):
            await anext(pages)
    assert len(accounts.keys(got)) == 20


async def test_blind_vendor_is_unavailable() -> None:
    simulated = accounts.account()
    simulated.faults.is_blind = True
    async with accounts.reading(simulated) as collector:
        with pytest.raises(errors.Unavailable, match="503"):
            await collector.probe()


async def test_vendor_that_never_answers_is_unavailable() -> None:
    simulated = accounts.account()
    simulated.faults.next(simulation.hang, times=99)
    impatient = client.Limits(
        attempt_seconds=0.05, attempts=2, wait_initial_seconds=0.0, wait_jitter_seconds=0.0
    )
    async with accounts.reading(simulated, limits=impatient) as collector:
        with pytest.raises(errors.Unavailable, match="did not answer in time") as caught:
            await accounts.pages(collector)
    assert isinstance(caught.value.__cause__, TimeoutError)


async def test_nobody_listening_is_unavailable() -> None:
    async with accounts.reading(accounts.account(), base_url="http://127.0.0.1:9") as collector:
        with pytest.raises(errors.Unavailable, match="could not be reached") as caught:
            await collector.probe()
    assert caught.value.__cause__ is not None


async def test_retry_after_is_obeyed_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.status(429, retry_after="0"), times=2)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)
    told = [record.message for record in caplog.records if getattr(record, "action", "") == "slow_down"]
    assert told == ["127.0.0.1 asked to slow down: 0 s asked, 0 s granted"]


async def test_too_many_requests_without_retry_after_are_tried_again() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.status(429), times=2)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)


async def test_retry_after_beyond_our_patience_ends_the_sweep_at_once() -> None:
    simulated = accounts.account()
    simulated.faults.next(simulation.status(429, retry_after="3600"), times=99)
    async with accounts.reading(simulated) as collector:
        with pytest.raises(errors.RateLimited) as caught:
            await accounts.pages(collector)
    assert caught.value.retry_after == client.MAX_RETRY_AFTER
    assert simulated.faults.seen("devices") == 1


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (simulation.status(403), errors.PermissionDenied, "may not do this"),
        (simulation.status(404), errors.NotFound, "no such address"),
        (simulation.status(418), errors.ResponseInvalid, "answered 418"),
        (simulation.html, errors.ResponseInvalid, "answered HTML where JSON was expected"),
        (simulation.truncated, errors.ResponseInvalid, "not whole JSON"),
        (simulation.oversized(2_000_000), errors.ResponseInvalid, "more than 1000000 bytes"),
        (
            simulation.redirect("https://elsewhere.example/x?y=z"),
            errors.ResponseInvalid,
            "host elsewhere.example;",
        ),
        (
            simulation.changed(lambda body: body.pop("totalCount")),
            errors.ResponseInvalid,
            "totalCount: missing",
        ),
        (simulation.changed(lambda body: body.pop("devices")), errors.ResponseInvalid, "devices: missing"),
    ],
)
async def test_fault_that_will_not_pass_is_not_tried_again(
    fault: simulation.Fault, error: type[errors.CollectorError], words: str
) -> None:
    simulated = accounts.account()
    simulated.faults.next(fault, times=99)
    async with accounts.reading(simulated) as collector:
        with pytest.raises(error, match=words) as caught:
            await accounts.pages(collector)
    assert type(caught.value) is error
    assert simulated.faults.seen("devices") == 1
    assert "?" not in str(caught.value).replace("right?", "")


async def test_unknown_device_group_is_not_found() -> None:
    async with accounts.reading(accounts.account(), corp_ids=["4711"]) as collector:
        with pytest.raises(errors.NotFound, match="check base URL, paths and group ids"):
            await accounts.pages(collector)


async def test_bad_device_is_rejected_and_its_page_read() -> None:
    simulated = accounts.account(12)
    simulated.faults.next(faults.spoiled_row(3, monthlyAmountUsed="a lot"))
    simulated.faults.next(faults.spoiled_row(1, status=...), after=1)
    async with accounts.reading(simulated) as collector:
        first, second = await accounts.pages(collector)
    assert [(bad.path, bad.reason) for bad in first.rejected] == [
        ("devices[3].monthlyAmountUsed", "expected float | null, got str")
    ]
    assert [(bad.path, bad.reason) for bad in second.rejected] == [("devices[1].status", "missing")]
    assert len(accounts.keys([first, second])) == 10


async def test_skewed_clock_of_the_vendor_is_measured() -> None:
    simulated = accounts.account()
    simulated.faults.next(simulation.dated(-600), endpoint=None, times=99)
    async with accounts.reading(simulated) as collector:
        probe = await collector.probe()
    assert probe.lines == 25
    assert probe.clock_skew_seconds == pytest.approx(-600, abs=2)


async def test_observer_is_told_of_every_request() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.status(500))
    simulated.faults.next(simulation.status(429, retry_after="0"), after=1)
    simulated.faults.next(simulation.status(403), after=3)
    seen: list[str] = []
    async with accounts.reading(
        simulated, observer=lambda outcome, seconds: seen.append(outcome)
    ) as collector:
        with pytest.raises(errors.PermissionDenied):
            await accounts.pages(collector)
    assert seen == ["ok", "unavailable", "rate_limited", "ok", "auth"]


async def test_no_secret_and_no_query_reaches_the_log_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore.http11", "httpcore.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    simulated = accounts.account()
    said = []
    for fault in (
        simulation.status(401),
        simulation.status(403),
        simulation.status(500),
        simulation.html,
        simulation.hang,
    ):
        simulated.faults.clear()
        simulated.faults.next(fault, times=99)
        async with accounts.reading(simulated) as collector:
            with pytest.raises(errors.CollectorError) as caught:
                await accounts.pages(collector)
        said.append(f"{caught.value} {caught.value!r} {caught.value.__cause__!r}")
    text = caplog.text + "".join(said)
    tokens = [*simulated.tokens]
    assert tokens
    for secret in (accounts.SECRET, accounts.CHILD, "offset", "sortDir", "Bearer", *tokens):
        assert secret not in text
