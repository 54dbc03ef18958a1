"""Who gets in, over HTTP: tokens for /metrics, sessions for pages, and what other sites' pages cannot do."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from service import app, metrics, serving, web
from service import config as configs
from service.model import tokens
from service.web import server, sessions
from service.web import tokens as token_files
from tests import snapshots
from tests.integration import alert_rows as rows

READ, ADMIN, METRICS, OLD = (tokens.text(bytes([it] * 32)) for it in range(4))
HOST = "afterbell.district.example"
LATER = snapshots.NOW.date() + timedelta(days=9)
BEARER = 'Bearer realm="afterbell"'


@dataclass
class Clock:
    now: datetime = snapshots.NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def cookie(self) -> str:
        return self.headers.get("Set-Cookie", "")


@dataclass(frozen=True)
class Browser:
    """Keeps cookies and follows nothing, and tells where its forms come from, as browsers do."""

    address: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, data: dict[str, str], **headers: str | None) -> Answer:
        own = {"Origin": self.address} | headers
        return await self._ask("POST", path, data, {name: it for name, it in own.items() if it is not None})

    async def _ask(
        self, method: str, path: str, data: dict[str, str] | None, headers: dict[str, str]
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = self.session.request(
            method, f"{self.address}{path}", data=data, headers=named, allow_redirects=False
        )
        async with asked as response:
            return Answer(response.status, dict(response.headers), await response.text())

    async def sign_in(self, token: str, **more: str) -> Answer:
        return await self.post("/sign-in", {"token": token} | more)

    async def form_token(self) -> str:
        found = re.search(r'name="form" value="([^"]+)"', (await self.get("/sign-in")).text)
        assert found is not None
        return found[1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    lines = [
        line("office", ("read",), READ),
        line("lead", ("admin",), ADMIN),
        line("prometheus", ("metrics",), METRICS),
        line("old", ("read", "metrics"), OLD, expires_on=snapshots.NOW.date()),
    ]
    path.write_text("".join(f"{it}\n" for it in lines))
    return path


def line(
    name: str,
    scopes: tuple[str, ...],
    secret: str,
    expires_on: date = LATER,
) -> str:
    return tokens.line(
        tokens.Token(name=name, scopes=scopes, expires_on=expires_on, digest=tokens.digest(secret))
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # of an address that is a number
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(address, session)


@asynccontextmanager
async def served(
    clock: Callable[[], datetime], tokens_file: Path | None, *, page_address: str | None = None
) -> AsyncIterator[Browser]:
    shown = snapshots.snapshot()
    application = web.build(
        metrics=metrics.Metrics(),
        snapshot=lambda: shown,
        health=lambda: web.Health(True, "carrier is read in time"),
        ready=lambda: True,
        clock=clock,
        access=web.Access(tokens_file=tokens_file, page_address=page_address),
    )
    async with (
        server.serving(application, host="127.0.0.1", port=0) as port,
        opened(f"http://127.0.0.1:{port}") as browser,
    ):
        yield browser


@pytest.fixture
async def browser(file: Path, clock: Clock) -> AsyncIterator[Browser]:
    async with served(clock, file) as opened:
        yield opened


# Without tokens


async def test_without_tokens_everything_is_open_to_this_machine(clock: Clock) -> None:
    async with served(clock, None) as browser:
        for path in ("/", "/districts/7", "/metrics", "/healthz"):
            assert (await browser.get(path)).status == 200, path
        assert (await browser.get("/sign-in")).status == 404
        assert "Signed in" not in (await browser.get("/")).text
        assert "carrier is read in time" in (await browser.get("/healthz")).text


async def test_a_name_of_another_site_that_leads_to_this_machine_gets_nothing(clock: Clock) -> None:
    async with served(clock, None, page_address=f"https://{HOST}") as browser:
        port = browser.address.rpartition(":")[2]
        for known in (
            "localhost",
            f"localhost:{port}",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]:80",
            HOST,
            f"{HOST}:443",
        ):
            assert (await browser.get("/", Host=known)).status == 200, known
        for strange in (
            "evil.example",
            f"evil.example:{port}",
            f"{HOST}.evil.example",
            "localhost.evil.example",
            "::",
            "[x",
        ):
            for path in ("/", "/metrics", "/healthz"):
                answer = await browser.get(path, Host=strange)
                assert (answer.status, "students" in answer.text) == (421, False), (strange, path)


# /metrics


async def test_metrics_need_a_token_with_their_scope(browser: Browser) -> None:
    good = await browser.get("/metrics", Authorization=f"Bearer {METRICS}")
    assert good.status == 200
    assert "afterbell_" in good.text
    assert (await browser.get("/metrics", Authorization=f"bearer {METRICS}")).status == 200


@pytest.mark.parametrize(
    ("shown", "status", "challenge", "said"),
    [
        (None, 401, BEARER, "needs a token with the scope metrics"),
        (f"Basic {METRICS}", 401, BEARER, "needs a token with the scope metrics"),
        ("Bearer wrong", 401, f'{BEARER}, error="invalid_token"', "mistyped, or have been revoked"),
        (f"Bearer {OLD}", 401, f'{BEARER}, error="invalid_token"', "old expired on 2026-11-20"),
        (f"Bearer {READ}", 403, f'{BEARER}, error="insufficient_scope"', "needs one with the scope metrics"),
    ],
    ids=["none", "not bearer", "wrong", "expired", "scope"],
)  # fmt: skip
async def test_a_token_that_does_not_do_is_told_why(
    browser: Browser, shown: str | None, status: int, challenge: str, said: str
) -> None:
    answer = await browser.get("/metrics", **({"Authorization": shown} if shown else {}))
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (status, challenge)
    assert said in answer.text
    assert "afterbell_build" not in answer.text


async def test_a_session_does_not_open_the_metrics(browser: Browser) -> None:
    await browser.sign_in(ADMIN)
    assert (await browser.get("/metrics")).status == 401


# Pages


async def test_every_page_leads_to_the_sign_in_and_back(browser: Browser) -> None:
    for path in (
        "/",
        "/districts/7",
        "/districts/7/equity",
        "/districts/7/alerts?rule=idle_30&page=2",
        "/nowhere",
    ):
        answer = await browser.get(path)
        assert answer.status == 303
        asked = answer.headers["Location"]
        assert asked.startswith("/sign-in?next=/")
        form = (await browser.get(asked)).text
        assert f'name="next" value="{path.replace("&", "&amp;")}"' in form
        assert "Sonoran" not in answer.text + form


async def test_a_token_signs_in_until_it_signs_out(browser: Browser) -> None:
    answer = await browser.sign_in(READ, next="/districts/7")
    assert (answer.status, answer.headers["Location"]) == (303, "/districts/7")
    page = await browser.get("/districts/7")
    assert page.status == 200
    assert "Sonoran Unified School District" in page.text
    assert '<a href="/sign-in">Signed in</a>' in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    out = await browser.post("/sign-out", {"form": await browser.form_token()})
    assert (out.status, out.headers["Location"]) == (303, "/sign-in")
    assert 'afterbell_session=""' in out.cookie
    assert (await browser.get("/districts/7")).status == 303


async def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(browser: Browser) -> None:
    answer = await browser.sign_in(READ)
    parts = {part.strip() for part in answer.cookie.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= parts
    assert "Secure" not in parts  # plain http, on this machine
    assert READ not in answer.cookie + answer.text
    assert answer.cookie.split(";")[0].startswith("afterbell_session=")


@pytest.mark.parametrize(("origin", "is_secure"), [(f"https://{HOST}", True), (None, False)])
async def test_behind_https_the_cookie_is_for_https_alone(
    file: Path, clock: Clock, origin: str | None, is_secure: bool
) -> None:
    async with served(clock, file, page_address=f"https://{HOST}") as browser:
        answer = await browser.post("/sign-in", {"token": READ}, Origin=origin or browser.address)
    assert answer.status == 303
    assert ("Secure" in answer.cookie) is is_secure


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "mistyped, or have been revoked"),
        (f"{READ}x", "mistyped, or have been revoked"),
        (OLD, "The token old expired on 2026-11-20"),
        (METRICS, "is for metrics; this needs one with the scope read"),
    ],
)
async def test_a_token_that_may_not_read_does_not_sign_in(browser: Browser, token: str, said: str) -> None:
    answer = await browser.sign_in(token, next="/districts/7")
    assert answer.status == 403
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert 'name="next" value="/districts/7"' in answer.text
    assert answer.cookie == ""
    assert not token or token not in answer.text
    assert (await browser.get("/")).status == 303


@pytest.mark.parametrize(
    "next_page",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "javascript:alert(1)", "x"],
)
async def test_a_sign_in_leads_nowhere_else(browser: Browser, next_page: str) -> None:
    answer = await browser.sign_in(READ, next=next_page)
    assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_a_revoked_token_signs_out_at_once(browser: Browser, file: Path) -> None:
    await browser.sign_in(READ)
    assert (await browser.get("/")).status == 200
    token_files.update(file, lambda text: tokens.without(text, "office"))
    assert (await browser.get("/")).status == 303


async def test_an_expired_token_signs_out_and_so_does_the_end_of_the_day(
    browser: Browser, clock: Clock
) -> None:
    await browser.sign_in(READ)
    clock.now += sessions.LASTS - timedelta(seconds=1)
    assert (await browser.get("/")).status == 200
    clock.now += timedelta(seconds=1)
    assert (await browser.get("/")).status == 303
    clock.now = snapshots.NOW + timedelta(days=8, hours=1)
    await browser.sign_in(READ)
    assert (await browser.get("/")).status == 200
    clock.now += timedelta(hours=4)  # past midnight in UTC
    assert (await browser.get("/")).status == 303


async def test_a_new_sign_in_ends_the_session_before(browser: Browser) -> None:
    old = (await browser.sign_in(READ)).cookie.split(";")[0]
    await browser.sign_in(READ)
    assert (await browser.get("/")).status == 200
    browser.session.cookie_jar.clear()
    assert (await browser.get("/", Cookie=old)).status == 303


async def test_a_made_up_cookie_opens_nothing(browser: Browser) -> None:
    for value in ("x", tokens.digest(READ), READ, ""):
        assert (await browser.get("/", Cookie=f"afterbell_session={value}")).status == 303


async def test_a_script_reads_a_page_with_a_token_that_may(browser: Browser) -> None:
    assert (await browser.get("/districts/7", Authorization=f"Bearer {READ}")).status == 200
    assert (await browser.get("/districts/7", Authorization=f"Bearer {ADMIN}")).status == 200
    assert (await browser.get("/districts/7", Authorization=f"Bearer {METRICS}")).status == 403
    assert (await browser.get("/districts/7", Authorization="Bearer x")).status == 401


async def test_the_probes_are_open_and_say_nothing_else(browser: Browser) -> None:
    alive, ready = await browser.get("/healthz"), await browser.get("/readyz")
    assert (alive.status, alive.text) == (200, '{"is_alive": true}')
    assert (ready.status, ready.text) == (200, '{"is_ready": true}')


async def test_the_sign_in_page_has_its_style_without_a_session(browser: Browser) -> None:
    page = await browser.get("/sign-in")
    (style,) = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    assert (await browser.get(style)).status == 200
    assert (await browser.get("/static/../districts/7")).status == 303


# Other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[x"},
        {"Origin": "http://"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_neither_signs_in_nor_out(
    browser: Browser, headers: dict[str, str | None]
) -> None:
    refused = await browser.post("/sign-in", {"token": READ}, **headers)
    assert (refused.status, refused.cookie) == (403, "")
    await browser.sign_in(READ)
    out = await browser.post("/sign-out", {"form": await browser.form_token()}, **headers)
    assert out.status == 403
    assert (await browser.get("/")).status == 200


@pytest.mark.parametrize("origin", [f"https://{HOST}", f"https://{HOST}:443", f"https://{HOST.upper()}"])
async def test_a_form_that_comes_through_a_proxy_is_ours_by_the_page_address(
    file: Path, clock: Clock, origin: str
) -> None:
    async with served(clock, file, page_address=f"https://{HOST}") as browser:
        assert (await browser.post("/sign-in", {"token": READ}, Origin=origin)).status == 303
        for strange in (f"http://{HOST}:8080", f"https://{HOST}.evil.example", f"https://x.{HOST}"):
            assert (await browser.post("/sign-in", {"token": READ}, Origin=strange)).status == 403


async def test_signing_out_needs_the_sessions_own_form(browser: Browser) -> None:
    await browser.sign_in(READ)
    for form in ("", "x", "\ud7ff"):
        assert (await browser.post("/sign-out", {"form": form})).status == 403
    assert (await browser.get("/")).status == 200


async def test_a_link_in_mail_asks_once_more_as_the_cookie_does_not_come_along(browser: Browser) -> None:
    answer = await browser.get("/districts/7/alerts?rule=a&page=2", Sec_Fetch_Site="cross-site")
    assert answer.status == 200
    assert 'content="0; url=/districts/7/alerts?rule=a&amp;page=2"' in answer.text
    again = await browser.get("/districts/7/alerts?rule=a&page=2", Sec_Fetch_Site="same-origin")
    assert again.status == 303


@pytest.mark.parametrize(
    "path", ["//evil.example/", "///evil.example/", "/\\evil.example/", "/.\\/evil.example"]
)
async def test_a_link_that_a_browser_would_take_for_another_sites_is_not_followed(
    browser: Browser, path: str
) -> None:
    text = await raw(browser, f"GET {path}", "Sec-Fetch-Site: cross-site")
    assert "303 See Other" in text
    assert "\r\nLocation: /sign-in?next=" in text
    assert "refresh" not in text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded; charset=nothing", "token=x"),
        ("application/x-www-form-urlencoded", "token=\xff"),
        ("multipart/form-data", "token=x"),
        ("multipart/form-data; boundary=x", "token=x"),
        ("application/json", '{"token": "x"}'),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_and_no_error_of_ours(
    browser: Browser, caplog: pytest.LogCaptureFixture, content_type: str, body: str
) -> None:
    headers = f"Origin: http://{HOST}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    text = await raw(browser, "POST /sign-in", headers, body)
    assert text.split()[1] in ("400", "403")
    assert not [it for it in caplog.records if it.exc_info]


async def raw(browser: Browser, asked: str, headers: str, body: str = "") -> str:
    """As no library would send it."""
    host, _, port = browser.address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        head = f"{asked} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{headers}\r\n\r\n"
        writer.write((head + body).encode("latin-1"))
        return (await reader.read()).decode("utf-8")
    finally:
        writer.close()


async def test_only_pages_with_a_form_may_send_one(browser: Browser) -> None:
    await browser.sign_in(READ)
    form, plain = await browser.get("/sign-in"), await browser.get("/districts/7")
    assert "form-action 'self'" in form.headers["Content-Security-Policy"]
    assert form.headers["Referrer-Policy"] == "same-origin"
    assert "form-action 'none'" in plain.headers["Content-Security-Policy"]
    assert plain.headers["Referrer-Policy"] == "no-referrer"


# The running service


async def test_the_running_service_takes_tokens_and_rules_from_its_configuration(
    pool: asyncpg.Pool, file: Path
) -> None:
    await snapshots.insert_district(pool, name="Lab District")
    await snapshots.insert_school(pool, snapshots.SCHOOLS[0], index=0)
    alert_id = await rows.alert(pool, "idle_30", "loan:12", school=snapshots.SCHOOLS[0].name)
    config = configs.Config.model_construct(
        web=configs.Web(port=0, tokens_file=file),
        page_address=f"https://{HOST}",
        districts=(configs.District(id=7, name="Lab District", time_zone=snapshots.ZONE),),
    )
    service = serving.Service(
        app.Opened(config, pool, {}), [], metrics.Metrics(), clock=lambda: snapshots.NOW
    )
    async with service.serving() as address, opened(address.rstrip("/")) as browser:
        path = f"/districts/7/alerts/{alert_id}"
        assert (await browser.get("/metrics")).status == 401
        assert (await browser.get("/metrics", Authorization=f"Bearer {METRICS}")).status == 200
        assert (await browser.get(path)).headers["Location"] == f"/sign-in?next={path}"
        answer = await browser.post("/sign-in", {"token": ADMIN, "next": path}, Origin=f"https://{HOST}")
        assert answer.headers["Location"] == path
        cookie = answer.cookie.split(";")[0]
        assert "Secure" in answer.cookie  # so that this browser, by http, has to be made to send it
        page = await browser.get(path, Cookie=cookie)
        assert page.status == 200
        assert rows.RULES["idle_30"].action in page.text


# Too many


async def test_many_failures_close_the_door_for_a_minute(browser: Browser, clock: Clock) -> None:
    for _ in range(sessions.FAILURES):
        assert (await browser.sign_in("wrong")).status == 403
    refused = await browser.sign_in("wrong")
    assert (refused.status, refused.cookie) == (429, "")
    assert "Wait a minute" in refused.text
    clock.now += sessions.WINDOW
    assert (await browser.sign_in("wrong")).status == 403


async def test_a_good_token_signs_in_whoever_has_failed_at_the_same_address(browser: Browser) -> None:
    """Behind a proxy all people have one address: nobody can shut the others out."""
    for _ in range(sessions.FAILURES + 1):
        await browser.sign_in("wrong")
    assert (await browser.sign_in(READ)).status == 303


def test_failures_of_one_address_are_not_anothers_and_are_forgotten() -> None:
    failures = sessions.Failures()
    for _ in range(sessions.FAILURES):
        failures.add("10.0.0.1", snapshots.NOW)
    assert failures.are_too_many("10.0.0.1", snapshots.NOW)
    assert not failures.are_too_many("10.0.0.2", snapshots.NOW)
    for number in range(2_000):
        failures.add(f"address {number}", snapshots.NOW)
    assert len(failures._at) <= 1_000


def test_sessions_do_not_grow_without_end(file: Path) -> None:
    opened = sessions.Sessions(token_files.Tokens(file))
    token = token_files.read(file)[0]
    first = opened.begin(token, snapshots.NOW)
    values = [opened.begin(token, snapshots.NOW) for _ in range(sessions.MOST)]
    assert opened.visitor(first, snapshots.NOW) is None
    assert opened.visitor(values[0], snapshots.NOW) is not None
    assert values[0] not in repr(opened)


async def test_no_token_is_logged(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for token in (METRICS, "wrong-token", READ):
        await browser.sign_in(token)
    await asyncio.sleep(0)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "signed in with the token office" in said
    assert not [it for it in (METRICS, READ, "wrong-token") if it in said]
