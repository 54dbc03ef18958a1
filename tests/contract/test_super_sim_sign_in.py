"""Two sign-ins: KORE's token from another host, and Twilio's credentials with every call."""

import base64
import urllib.parse

import pytest
from aiohttp import web

from collectors import budget, errors, registry, simulation
from tests.contract import cases
from tests.contract.cases import super_sim

TOKEN = "/api-services/v1/auth/token"


async def test_kore_is_asked_for_a_token_by_a_form_on_its_own_host() -> None:
    async with cases.reading(super_sim.KORE) as read:
        await read.pages("sims")
        await read.pages("sims")
    (asked,) = [sent for sent in read.network.sent if sent.method == "POST"]
    assert asked.url == f"https://api.korewireless.com{TOKEN}"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in asked.headers
    assert dict(urllib.parse.parse_qsl(asked.body.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "simulated-client",
        "client_secret": "correct-horse-battery",
    }
    others = [sent for sent in read.network.sent if sent.method != "POST"]
    assert {sent.host for sent in others} == {"supersim.api.korewireless.com"}
    assert all(sent.headers["authorization"].startswith("Bearer simulated.") for sent in others)


async def test_token_is_replaced_before_it_ends() -> None:
    async with cases.reading(super_sim.KORE) as read:
        brief = simulation.changed(lambda body: body.update(expires_in=0.0001))
        read.stand.faults.next(brief, endpoint="token", times=99)
        await read.pages("sims")
        await read.pages("sims")
    assert read.stand.faults.seen("token") >= 2
    assert read.stand.faults.seen("sims") == 6


async def test_twilio_is_sent_the_credentials_with_every_call_and_no_other_host_is_asked() -> None:
    async with cases.reading(super_sim.TWILIO) as read:
        await read.pages("sims")
    pair = f"{super_sim.SECRETS['twilio']['account_sid']}:correct-horse-staple"
    assert {sent.headers["authorization"] for sent in read.network.sent} == {
        f"Basic {base64.b64encode(pair.encode()).decode()}"
    }
    assert {sent.host for sent in read.network.sent} == {"supersim.twilio.com"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": "invalid_client", "error_description": "told"}, errors.AuthenticationFailed),
        (400, {"error": "invalid_client", "error_description": "told"}, errors.AuthenticationFailed),
        (400, {"code": 400, "message": "told"}, errors.ResponseInvalid),
        (400, {"error": "invalid_scope"}, errors.ResponseInvalid),
        (400, ["told"], errors.ResponseInvalid),
        (500, {"code": 500, "message": "told"}, errors.Unavailable),
        (403, {"error": "told"}, errors.PermissionDenied),
    ],
)
async def test_refused_sign_in_is_told_apart(
    status: int, body: object, kind: type[errors.CollectorError]
) -> None:
    async def refuse(call: simulation.Call) -> web.Response:
        return simulation.answer(body, status=status)

    async with cases.reading(super_sim.KORE) as read:
        read.stand.faults.next(refuse, endpoint="token", times=99)
        with pytest.raises(kind) as caught:
            await read.pages("sims")
    assert type(caught.value) is kind
    assert "told" not in str(caught.value)
    assert read.stand.faults.seen("sims") == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"expires_in": 3600}, "access_token: missing"),
        ({"access_token": "", "expires_in": 3600}, "access_token"),
        ({"access_token": "t", "expires_in": 0}, "expires_in"),
        ({"access_token": "a\nb", "expires_in": 3600}, "no header can carry"),
    ],
)
async def test_sign_in_without_a_usable_token_is_invalid(body: object, words: str) -> None:
    async def answer(call: simulation.Call) -> web.Response:
        return simulation.answer(body)

    async with cases.reading(super_sim.KORE) as read:
        read.stand.faults.next(answer, endpoint="token", times=99)
        with pytest.raises(errors.ResponseInvalid, match=words):
            await read.pages("sims")


async def test_probe_finds_a_right_that_is_lacking_for_usage() -> None:
    async with cases.reading(super_sim.TWILIO) as read:
        read.stand.faults.next(simulation.status(403), endpoint="usage")
        with pytest.raises(errors.PermissionDenied, match="/v1/UsageRecords"):
            await read.collector.probe()


async def test_probe_tells_of_rows_that_cannot_be_read() -> None:
    async with cases.reading(super_sim.KORE) as read:
        spoilt = simulation.changed(lambda body: body["sims"][0].update(sid=None))
        read.stand.faults.next(spoilt, endpoint="sims")
        probe = await read.collector.probe()
    assert [bad.path for bad in probe.rejected] == ["sims[0].sid"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, r"options\.platform is missing"),
        ({"platform": "vonage"}, r"options\.platform must be one of kore, twilio"),
        ({"platform": "twilio", "token_url": "https://x.example/t"}, "token_url is KORE's"),
        ({"platform": "kore", "token_url": "http://x.example/t"}, "token_url must begin with https"),
        ({"platform": "kore", "base_url": "http://x.example"}, "base_url must begin with https"),
        ({"platform": "kore", "page_size": 1001}, r"options\.page_size: expected int <= 1000"),
        ({"platform": "kore", "granularity": "all"}, r"options\.granularity must be one of day, hour"),
        ({"platform": "kore", "reread_days": 0}, r"options\.reread_days: expected int >= 1"),
        ({"platform": "kore", "statuses": {"x": "dead"}}, r"options\.statuses.* must be one of active"),
    ],
)
def test_wrong_option_is_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(errors.OptionsInvalid, match=words):
        registry.validate("super_sim", options)


@pytest.mark.parametrize(
    ("platform", "words"),
    [("kore", "client_id, client_secret"), ("twilio", "account_sid, auth_token")],
)
def test_each_platform_needs_its_own_credentials(platform: str, words: str) -> None:
    with pytest.raises(errors.OptionsInvalid, match=f"needs the credentials {words}"):
        registry.validate("super_sim", {"platform": platform}, {})


def test_own_hosts_are_the_default() -> None:
    for case in super_sim.CASES:
        options = {"platform": case.options["platform"]}
        assert registry.spending("super_sim", options, case.credentials) == registry.spending(
            "super_sim", options | {"base_url": f"{case.options['base_url']}/"}, case.credentials
        )


def test_accounts_that_share_a_credential_share_a_budget() -> None:
    one, other = (
        registry.spending(
            "super_sim", {"platform": "kore", "requests_per_second": rate}, super_sim.SECRETS["kore"]
        )
        for rate in (5.0, 3.0)
    )
    assert one.fingerprint == other.fingerprint
    assert one.terms.strictest(other.terms) == budget.Terms(3.0)
