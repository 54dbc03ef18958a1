"""Each kind of channel against a real server: signing in, encryption, refusals, signatures, and nothing leaked."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service.alerting import channels, chat, mail, messages, webhook
from tests.alerts import flipping, sinks
from tests.alerts.flipping import NOW

SENDER = messages.Sender(
    district_id=1, name="Northfield Schools", zone=ZoneInfo(flipping.ZONE), page_address=flipping.PAGES
)
TO = "staff@district.example"


def message(key: str = "mail", language: str = "en") -> messages.Message:
    audience = messages.Audience(channel_key=key, roles=("it",), language=language)
    return messages.test(SENDER, audience, now=NOW)


def server(sink: sinks.MailSink, **changes: object) -> mail.Server:
    known: dict[str, object] = {
        "host": "localhost",
        "port": sink.port,
        "encryption": "none",
        "sender": flipping.SENDER_ADDRESS,
        "timeout_seconds": 2.0,
    }
    return mail.Server(**{**known, **changes})  # type: ignore[arg-type]


async def send(its: mail.Server, *to: str, now: datetime = NOW) -> str | None:
    return await mail.Mail(server=its, to=to or (TO,)).send(message(), now=now)


async def refusal(its: mail.Server) -> channels.NotDelivered:
    with pytest.raises(channels.NotDelivered) as caught:
        await send(its)
    assert TO not in str(caught.value)
    return caught.value


# Mail


async def test_a_mail_has_text_and_html_and_says_who_it_is_for() -> None:
    async with sinks.mail_sink() as sink:
        assert await send(server(sink)) is None
    (got,) = sink.mails
    assert got.get_content_type() == "multipart/alternative"
    assert "This is a test." in sinks.text_of(got)
    assert '<html lang="en">' in sinks.text_of(got, "html")
    assert (got["To"], got["Content-Language"]) == (TO, "en")
    assert got["Date"].datetime == NOW
    assert sink.recipients == [[TO]]


@pytest.mark.parametrize(("encryption", "is_implicit"), [("starttls", False), ("tls", True)])
async def test_mail_is_encrypted_and_signed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encryption: str, is_implicit: bool
) -> None:
    context, trusted = sinks.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with sinks.mail_sink(tls=context, is_implicit=is_implicit, asks_password=True) as sink:
        its = server(sink, encryption=encryption, user=sinks.USER, password=sinks.PASSWORD)
        assert await send(its) is None
    assert sink.signed_in == [True]


async def test_a_certificate_that_is_not_trusted_is_no_reason_to_send(tmp_path: Path) -> None:
    context, _ = sinks.certificate(tmp_path)
    async with sinks.mail_sink(tls=context) as sink:
        error = await refusal(server(sink, encryption="starttls"))
    assert "certificate is not trusted" in str(error)
    assert (error.is_permanent, error.is_refused) == (False, True)
    assert sink.mails == []


async def test_a_certificate_of_another_host_is_no_reason_to_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = sinks.certificate(tmp_path, ["mail.elsewhere.example"])
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with sinks.mail_sink(tls=context, is_implicit=True) as sink:
        error = await refusal(server(sink, encryption="tls"))
    assert "correct mail.host" in str(error)


async def test_a_server_without_encryption_gets_no_mail_that_asks_for_it() -> None:
    async with sinks.mail_sink() as sink:
        error = await refusal(server(sink, encryption="starttls"))
    assert "mail.encryption" in str(error)
    assert (error.is_permanent, error.is_refused) == (False, True)
    assert sink.mails == []


async def test_a_wrong_password_keeps_the_message_and_asks_for_a_person() -> None:
    async with sinks.mail_sink(asks_password=True) as sink:
        its = server(sink, user=sinks.USER, password="wrong")
        error = await refusal(its)
    assert str(error) == (
        "the mail server refused the sign-in (535): correct mail.user and mail.password_file"
    )
    assert (error.is_permanent, error.is_refused) == (False, True)
    assert "wrong" not in repr(its)


async def test_a_refused_sender_keeps_the_message_and_asks_for_a_person() -> None:
    async with sinks.mail_sink() as sink:
        sink.sender_answer = "550 not you"
        error = await refusal(server(sink))
    assert "correct mail.sender" in str(error)
    assert (error.is_permanent, error.is_refused) == (False, True)


@pytest.mark.parametrize(("answer", "is_permanent"), [("554 spam", True), ("452 no room", False)])
async def test_a_refused_text_is_final_with_5_and_not_with_4(answer: str, is_permanent: bool) -> None:
    async with sinks.mail_sink() as sink:
        sink.answers = [answer]
        error = await refusal(server(sink))
    assert (error.is_permanent, error.is_refused) == (is_permanent, is_permanent)


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with sinks.mail_sink() as sink:
        gone = server(sink)
    error = await refusal(gone)
    assert str(error).startswith("the mail server cannot be reached")
    assert (error.is_permanent, error.is_refused) == (False, False)


async def test_a_server_that_does_not_answer_is_tried_again() -> None:
    async with sinks.mail_sink() as sink:
        sink.seconds = 5
        error = await refusal(server(sink, timeout_seconds=0.3))
    assert str(error).startswith("the mail server did not answer in time")
    assert not error.is_permanent


# Webhook


@pytest.fixture
async def web() -> AsyncIterator[sinks.WebSink]:
    async with sinks.web_sink() as sink:
        yield sink


async def post(sink: sinks.WebSink, **changes: object) -> str | None:
    known: dict[str, object] = {"url": f"{sink.url}/hook?token=hidden", "timeout_seconds": 2.0}
    return await webhook.Webhook(**{**known, **changes}).send(message(), now=NOW)  # type: ignore[arg-type]


async def test_a_webhook_gets_versioned_json_that_tells_a_second_copy(web: sinks.WebSink) -> None:
    assert await post(web) is None
    (posted,) = web.posts
    told = json.loads(posted.body)
    assert (told["version"], told["kind"], told["district"]) == (
        1,
        "test",
        {"id": 1, "name": "Northfield Schools"},
    )
    assert posted.headers["Idempotency-Key"] == told["id"]
    assert posted.headers["Content-Type"] == "application/json; charset=utf-8"
    assert webhook.SIGNATURE not in posted.headers


async def test_a_webhook_with_a_secret_is_signed(web: sinks.WebSink) -> None:
    await post(web, secret="shared")
    (posted,) = web.posts
    assert posted.headers[webhook.SIGNATURE] == f"sha256={webhook.signature('shared', posted.body)}"


def test_a_signature_is_what_openssl_makes() -> None:
    """printf '{}' | openssl dgst -sha256 -hmac shared"""
    assert webhook.signature("shared", b"{}") == (
        "4c053bf942c3ef31b83886f65ce5a58e1bc228427db9e9de6a2a4b9bddf9c69e"
    )


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [
        (400, True),
        (401, True),
        (404, True),
        (410, True),
        (301, True),
        (408, False),
        (429, False),
        (500, False),
        (503, False),
    ],
)
async def test_a_webhooks_status_says_whether_to_try_again(
    web: sinks.WebSink, status: int, is_permanent: bool
) -> None:
    web.statuses, web.headers = [status], {"Retry-After": "600", "Location": "https://elsewhere.example/"}
    with pytest.raises(channels.NotDelivered, match=str(status)) as caught:
        await post(web)
    assert caught.value.is_permanent == is_permanent
    assert "hidden" not in str(caught.value)
    if not is_permanent:
        assert caught.value.again_after == timedelta(minutes=10)


async def test_a_webhook_that_is_not_there_or_silent_is_tried_again(web: sinks.WebSink) -> None:
    web.seconds = 5
    with pytest.raises(channels.NotDelivered, match="in time"):
        await post(web, timeout_seconds=0.3)
    with pytest.raises(channels.NotDelivered, match="cannot be reached") as caught:
        await post(web, url="http://127.0.0.1:1/hidden")
    assert not caught.value.is_permanent


# Apprise


def urls(sink: sinks.WebSink, *schemes: str) -> list[str]:
    return [f"{scheme}://{sink.url.removeprefix('http://')}/hidden-token/" for scheme in schemes]


async def test_apprise_posts_to_every_address(web: sinks.WebSink) -> None:
    opened = chat.opened(urls(web, "json", "form", "xml"))
    assert await opened.send(message(), now=NOW) is None
    assert len(web.posts) == 3
    told = next(json.loads(one.body) for one in web.posts if one.body.startswith(b"{"))
    assert told["title"] == "Test message from afterbell · Northfield Schools"
    assert "This is a test." in told["message"]
    assert told["type"] == "info"


async def test_apprise_posts_as_a_chat_takes_it(web: sinks.WebSink) -> None:
    """Mattermost's form, which is Slack's: the one of its kind that can be led to a server of ours."""
    host = web.url.removeprefix("http://")
    assert await chat.opened([f"mmost://{host}/hidden-token"]).send(message(), now=NOW) is None
    (posted,) = web.posts
    assert "This is a test." in json.loads(posted.body)["text"]


@pytest.mark.parametrize(("status", "is_permanent"), [(404, True), (403, True), (429, False), (500, False)])
async def test_apprise_says_whether_to_try_again(web: sinks.WebSink, status: int, is_permanent: bool) -> None:
    web.statuses = [status]
    with pytest.raises(channels.NotDelivered, match=f"it answered {status}") as caught:
        await chat.opened(urls(web, "json")).send(message(), now=NOW)
    assert caught.value.is_permanent == is_permanent


async def test_those_of_apprises_addresses_that_took_it_do_not_get_it_again(web: sinks.WebSink) -> None:
    gone = "json://127.0.0.1:1/hidden-token"
    amiss = await chat.opened([*urls(web, "json"), gone]).send(message(), now=NOW)
    assert amiss is not None
    assert amiss.startswith("1 of 2 addresses did not take it: it cannot be reached")
    assert len(web.posts) == 1


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What a service that logs everything writes. (pytest's own capture listens where nobody else can.)"""
    written = io.StringIO()
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


async def test_no_log_and_no_error_holds_an_address(
    web: sinks.WebSink, logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    for opened in (chat.opened(urls(web, "json")), webhook.Webhook(url=f"{web.url}/hidden-token")):
        await opened.send(message(), now=NOW)
        web.statuses = [404]
        with pytest.raises(channels.NotDelivered) as caught:
            await opened.send(message(), now=NOW)
        assert "hidden-token" not in f"{caught.value!r} {opened!r}"
    with pytest.raises(chat.AddressInvalid) as invalid:
        chat.opened(["slack://hidden-token"])
    assert "hidden-token" not in str(invalid.value)
    written = capfd.readouterr()
    assert "hidden-token" not in logged.getvalue() + written.out + written.err
    assert len(web.posts) == 2


async def test_what_has_little_room_gets_a_line_and_a_link(web: sinks.WebSink) -> None:
    opened = chat.opened(urls(web, "json"))
    for plugin in opened.services[0]:
        plugin.body_maxlen = 120
    long = replace(message(), text="", subject="Many things: 61 new · Northfield Schools")
    await opened.send(long, now=NOW)
    told = json.loads(web.posts[0].body)
    assert told["message"] == (
        "Many things: 61 new · Northfield Schools https://afterbell.district.example/districts/1/alerts"
    )
