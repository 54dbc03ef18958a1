"""The service account's key, what is signed with it, and what Google's refusals mean."""

import logging
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from collectors import budget, client, errors, registry, simulation
from collectors.google_workspace import api, keys, refusals, simulator
from tests.contract import cases
from tests.contract.cases import google_workspace
from tests.contract.cases.google_workspace import CASE, key_file

FIXTURES = Path(__file__).parent.parent / "fixtures" / "google_workspace"
LINES = set(map(google_workspace.key, cases.LINES))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("/run/secrets/key.json", "is not JSON"),
        ("[]", "lacks what a key file holds"),
        (key_file(private_key=...), "lacks private_key: give the whole file"),
        (key_file(client_email=...), "lacks client_email"),
        (key_file(private_key_id=7), "lacks what a key file holds"),
        (key_file(type="authorized_user"), "make a key for a service account"),
        (key_file(private_key="SECRET"), "a private key that cannot be read"),
        (key_file(private_key=google_workspace.pem()[:200]), "a private key that cannot be read"),
        (key_file(private_key=google_workspace.pem(ec.generate_private_key(ec.SECP256R1()))), "than RSA"),
    ],
)
def test_key_file_that_is_of_no_use_is_told_without_showing_any_of_it(text: str, words: str) -> None:
    with pytest.raises(errors.OptionsInvalid, match=words) as caught:
        registry.build(
            CASE.collector, CASE.options, {"service_account_key": text}, budgets=budget.Unlimited()
        )
    said = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    for secret in ("SECRET", "BEGIN", "MII", google_workspace.EMAIL, "0123456789abcdef", "/run"):
        assert secret not in said


def test_key_shows_nothing_of_itself() -> None:
    shown = repr(keys.read(key_file()))
    assert google_workspace.EMAIL not in shown
    assert "0123456789abcdef" not in shown


def test_missing_credential_is_named() -> None:
    with pytest.raises(errors.OptionsInvalid, match="needs the credentials service_account_key"):
        registry.validate(CASE.collector, CASE.options, set())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subject": ...}, r"options\.subject is missing"),
        ({"subject": "admin"}, "subject must be the e-mail address of an admin"),
        ({"requests_per_second": 41.0}, r"options\.requests_per_second: expected float <= 40"),
        ({"page_size": 301}, r"options\.page_size: expected int <= 300"),
        ({"telemetry_page_size": 1001}, r"options\.telemetry_page_size: expected int <= 1000"),
        ({"org_unit_path": "/"}, "org_unit_path must name a unit"),
        ({"token_url": "http://oauth2.example/token"}, "must begin with https"),
        ({"telemetry_url": "chrome"}, "must be an address"),
        ({"statuses": {"SHIPPED": "retired"}}, r"options\.statuses.*expected bool"),
    ],
)
def test_wrong_option_is_named_in_plain_words(options: dict[str, object], words: str) -> None:
    given = {name: value for name, value in (CASE.options | options).items() if value is not ...}  # type: ignore[operator]
    with pytest.raises(errors.OptionsInvalid, match=words) as caught:
        registry.validate(CASE.collector, given)
    assert google_workspace.SUBJECT not in str(caught.value)


async def test_assertion_is_signed_for_the_admin_with_the_least_scope() -> None:
    async with cases.reading(CASE) as read:
        await read.pages("devices")
        await read.pages("telemetry")
        signed = [sent for sent in read.network.sent if sent.host == "oauth2.googleapis.com"]
    assert {sent.url for sent in signed} == {"https://oauth2.googleapis.com/token"}
    claims = []
    for sent in signed:
        form = parse_qs(sent.body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        (assertion,) = form["assertion"]
        assert jwt.get_unverified_header(assertion) == {
            "alg": "RS256",
            "typ": "JWT",
            "kid": "0123456789abcdef",
        }
        claims.append(
            jwt.decode(
                assertion,
                google_workspace.private_key().public_key(),
                algorithms=["RS256"],
                audience="https://oauth2.googleapis.com/token",
            )
        )
    assert [claim["scope"] for claim in claims] == [
        "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly",
        "https://www.googleapis.com/auth/chrome.management.telemetry.readonly",
    ]
    for claim in claims:
        assert (claim["iss"], claim["sub"]) == (google_workspace.EMAIL, google_workspace.SUBJECT)
        assert claim["exp"] - claim["iat"] == 3600
        assert claim["iat"] == pytest.approx(time.time(), abs=5)


async def test_token_is_asked_for_once_and_kept() -> None:
    async with cases.reading(CASE) as read:
        for _ in range(3):
            await read.pages("devices")
        assert read.stand.faults.seen("token") == 1


async def test_token_near_its_end_is_replaced_before_it_is_refused() -> None:
    stand = google_workspace.stand(cases.LINES, token_seconds=1)
    clock = iter(range(0, 10_000, 50))
    async with simulation.serve(stand) as url:
        options = registry.validate(
            CASE.collector,
            CASE.options | {"base_url": url, "token_url": f"{url}/token"},  # type: ignore[operator]
        )
        http = client.Client(budget.Unlimited(), limits=cases.QUICK)
        signed_in = api.Api(http, options, keys.read(key_file()), monotonic=lambda: next(clock))  # type: ignore[arg-type]
        for _ in range(2):
            await signed_in.reader().devices()
        await signed_in.aclose()
    assert stand.faults.seen("token") == 2


async def test_assertion_is_dated_by_googles_clock_once_it_is_known() -> None:
    """Of two sign-ins the second knows how far off the first answer's date was."""
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.dated(-1200), endpoint=None, times=2)
        await read.collector.probe()
        read.stand.expire()
        await read.pages("devices")
        signed = [sent for sent in read.network.sent if sent.host == "oauth2.googleapis.com"]
    issued = [
        jwt.decode(parse_qs(sent.body.decode())["assertion"][0], options={"verify_signature": False})["iat"]
        for sent in signed
    ]
    assert issued[0] == pytest.approx(time.time(), abs=5)
    assert all(at == pytest.approx(time.time() - 1200, abs=5) for at in issued[1:])


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"subject": "someone@district.example"}, errors.AuthenticationFailed, "check .*subject is an admin"),
        ({"email": "other@simulated.example"}, errors.AuthenticationFailed, "check .*key still exists"),
        ({"audience": "https://oauth2.example/token"}, errors.AuthenticationFailed, "check"),
        ({"scopes": ()}, errors.PermissionDenied, "delegate the scopes.*domain-wide"),
        ({"has_privilege": False}, errors.PermissionDenied, r"Manage ChromeOS Devices \(read only\)"),
    ],
)
async def test_refusal_says_what_to_set_right(
    settings: dict[str, Any], error: type[errors.CollectorError], words: str
) -> None:
    stand = google_workspace.stand(cases.LINES, **settings)
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(error, match=words) as caught:
            await read.collector.probe()
    assert google_workspace.SUBJECT not in str(caught.value)


async def test_scope_of_telemetry_that_is_not_delegated_leaves_the_devices_alone() -> None:
    stand = google_workspace.stand(cases.LINES, scopes=(api.DEVICES_SCOPE,))
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages("devices")) == LINES
        with pytest.raises(errors.PermissionDenied, match="delegate the scopes"):
            await read.pages("telemetry")
        with pytest.raises(errors.PermissionDenied):
            await read.collector.probe()
    async with cases.reading(CASE, stand=stand, telemetry=False) as read:
        assert (await read.collector.probe()).lines is None


@pytest.mark.parametrize("reason", ["userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded"])
async def test_quota_is_no_lack_of_a_right(reason: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulator.throttled(reason), endpoint="devices", after=1, times=2)
        assert cases.keys(await read.pages("devices")) == LINES
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulator.throttled(reason), endpoint="devices", times=99)
        with pytest.raises(errors.RateLimited, match="answered 403: too many requests"):
            await read.pages("devices")


def judged(status: int, body: bytes) -> errors.CollectorError | None:
    return refusals.judge(client.Answer(status, {}, body))


def test_documented_refusal_is_read_by_its_reason() -> None:
    assert isinstance(judged(403, (FIXTURES / "refusal.json").read_bytes()), errors.RateLimited)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, {"error": {"errors": [{"reason": "forbidden"}]}}, errors.PermissionDenied),
        (403, {"error": {"details": [{"reason": "RATE_LIMIT_EXCEEDED"}]}}, errors.RateLimited),
        (403, {"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}, errors.PermissionDenied),
        (403, {"error": {"errors": [{"reason": "accessNotConfigured"}]}}, errors.PermissionDenied),
        (403, {"error": "surprise"}, errors.PermissionDenied),
        (403, {"message": "refused"}, errors.PermissionDenied),
        (403, [], errors.PermissionDenied),
        (400, {"error": "invalid_grant"}, errors.AuthenticationFailed),
        (401, {"error": "invalid_client"}, errors.AuthenticationFailed),
        (401, {"error": "unauthorized_client"}, errors.PermissionDenied),
        (400, {"error": "invalid_scope"}, errors.PermissionDenied),
        (403, {"error": "access_denied"}, errors.PermissionDenied),
        (400, {"error": "surprise"}, None),
        (400, {"error": {"errors": [{"reason": "invalid"}]}}, None),
        (404, {"error": {"errors": [{"reason": "quotaExceeded"}]}}, None),
        (500, [], None),
    ],
)
def test_refusal_is_judged(status: int, body: object, kind: type[errors.CollectorError] | None) -> None:
    found = judged(status, msgspec.json.encode(body))
    assert type(found) is (kind or type(None))
    assert "surprise" not in str(found)


def test_service_that_is_switched_off_says_which_to_enable() -> None:
    found = judged(403, b'{"error":{"errors":[{"reason":"accessNotConfigured"}]}}')
    assert "enable the Admin SDK API" in str(found)


def test_refusal_that_is_no_json_is_a_lack_of_a_right() -> None:
    assert isinstance(judged(403, b"<html>\xff"), errors.PermissionDenied)


@pytest.mark.parametrize(
    "answer",
    [
        {"token": "x"},
        {"access_token": None},
        {"access_token": "naïve"},
        {"access_token": "a\r\nb"},
    ],
)
async def test_sign_in_without_a_usable_token_is_invalid(answer: dict[str, object]) -> None:
    async def odd(call: simulation.Call) -> web.StreamResponse:
        return simulation.answer(answer)

    async with cases.reading(CASE) as read:
        read.stand.faults.next(odd, endpoint="token", times=9)
        with pytest.raises(errors.ResponseInvalid, match="the sign-in's answer"):
            await read.collector.probe()


async def test_documented_token_is_carried(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def documented(call: simulation.Call) -> web.StreamResponse:
        return web.Response(body=(FIXTURES / "token.json").read_bytes(), content_type="application/json")

    async with cases.reading(CASE) as read:
        read.stand.faults.next(documented, endpoint="token", times=9)
        with pytest.raises(errors.AuthenticationFailed):
            await read.pages("devices")
        asked = [sent for sent in read.network.sent if sent.host == "admin.googleapis.com"]
    assert {sent.headers["authorization"] for sent in asked} == {"Bearer ya29.placeholder"}
    assert "ya29" not in caplog.text


def test_accounts_of_one_key_share_a_budget() -> None:
    one, other = (
        registry.spending(
            CASE.collector,
            CASE.options | {"subject": subject, "requests_per_second": rate},  # type: ignore[operator]
            CASE.credentials,
        )
        for subject, rate in (("a@district.example", 5.0), ("b@district.example", 3.0))
    )
    assert one.fingerprint == other.fingerprint
    assert one.terms.strictest(other.terms) == budget.Terms(3.0)
