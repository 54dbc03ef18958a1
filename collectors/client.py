"""The one way out to a vendor: deadlines, retries, budgets, limits and the translation of errors."""

import asyncio
import contextlib
import email.utils
import functools
import logging
import re
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from http import HTTPStatus
from typing import Protocol

import httpx
import msgspec
import stamina

from collectors import budget, errors
from collectors import hosts as vendor_hosts

CONNECT_SECONDS = 10.0  # to open a connection
ATTEMPT_SECONDS = 60.0  # for one request, from the first byte sent to the last byte read
TOTAL_SECONDS = 300.0  # for all attempts of a request and the waits between them
MAX_RETRY_AFTER = 120.0  # seconds; a vendor that asks for more is asked again after this
ATTEMPTS = 4
WAIT_INITIAL_SECONDS = 0.5
WAIT_MAX_SECONDS = 30.0
WAIT_JITTER_SECONDS = 1.0
BODY_BYTES = 32 * 1024 * 1024
REFUSAL_BYTES = 64 * 1024  # of an error's body, for the vendor's own code in it
MOST_REDIRECTS = 3
SKEW_EVERY_SECONDS = 60.0  # a clock does not drift faster than is worth a look

USER_AGENT = "afterbell"
KEY_IN_PATH = re.compile(r"(?<=/)(?=[^/]*\d)[^/]{8,}")  # an ICCID, IMEI or MDN, or the vendor's own id

Transport = httpx.AsyncBaseTransport
Params = Mapping[str, str | int] | Sequence[tuple[str, str | int]]

logger = logging.getLogger(__name__)


def direct() -> Transport:
    """A way to a stand-in on this machine: past any proxy, and without loading certificates (slow)."""
    return httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


class Observer(Protocol):
    """Told of every request sent. ``outcome``: ok, unavailable, rate_limited, auth or invalid."""

    def __call__(self, outcome: str, seconds: float) -> None: ...


@dataclass(frozen=True)
class Limits:
    """How long and how much. The defaults suit a vendor; tests take less."""

    attempt_seconds: float = ATTEMPT_SECONDS
    total_seconds: float = TOTAL_SECONDS
    attempts: int = ATTEMPTS
    wait_initial_seconds: float = WAIT_INITIAL_SECONDS
    wait_max_seconds: float = WAIT_MAX_SECONDS
    wait_jitter_seconds: float = WAIT_JITTER_SECONDS
    max_retry_after: float = MAX_RETRY_AFTER
    body_bytes: int = BODY_BYTES


@dataclass(frozen=True)
class Answer:
    """A vendor's answer. ``headers`` are found whatever their case; ``body`` is not yet decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# Reads a refusal in the vendor's own words; None where the status code says it all.
Judge = Callable[[Answer], errors.CollectorError | None]


class Client:
    """Reads JSON from one vendor within one credential's budget.

    ``hosts`` are those that redirects may lead to: without any, none is followed.
    ``clock_skew_seconds`` is how far the vendor's clock is ahead of ours, None before the first answer.
    """

    def __init__(
        self,
        spending: budget.Budget,
        *,
        limits: Limits | None = None,
        transport: Transport | None = None,
        observer: Observer | None = None,
        hosts: vendor_hosts.Hosts | None = None,
        judge: Judge | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        _keep_urls_out_of_logs()
        self._hosts = hosts
        self._judge = judge
        self.clock_skew_seconds: float | None = None
        self._budget = spending
        self._limits = limits or Limits()
        self._observer = observer
        self._now = now
        self._skew_due_at = 0.0
        self._is_slowed = False
        self._http = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=min(CONNECT_SECONDS, self._limits.attempt_seconds)),
            headers={"user-agent": USER_AGENT, "accept": "application/json"},
        )
        self._retrying = stamina.AsyncRetryingCaller(
            attempts=self._limits.attempts,
            timeout=self._limits.total_seconds,
            wait_initial=self._limits.wait_initial_seconds,
            wait_max=self._limits.wait_max_seconds,
            wait_jitter=self._limits.wait_jitter_seconds,
        )

    async def get(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Get JSON. Raises CollectorError."""
        # Encoded here: httpx would parse the address twice.
        full = f"{url}?{urllib.parse.urlencode(params)}" if params else url
        return await self._send(self._http.build_request("GET", full, headers=headers))

    async def post(
        self,
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post JSON or a form to a call that only reads, so that it may be tried again. Raises CollectorError."""
        body = urllib.parse.urlencode(form).encode() if form is not None else msgspec.json.encode(json)
        kind = "application/x-www-form-urlencoded" if form is not None else "application/json"
        sent = {"content-type": kind, **(headers or {})}
        return await self._send(self._http.build_request("POST", url, content=body, headers=sent))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _send(self, request: httpx.Request) -> Answer:
        deadline = time.monotonic() + self._limits.total_seconds
        return await self._retrying(functools.partial(_delay, deadline), self._attempt, request, deadline)

    async def _attempt(self, request: httpx.Request, deadline: float) -> Answer:
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._in_turn(request, deadline)
            if not _is_redirect(answer):
                return answer
            request = self._redirected(request, answer)
        raise errors.ResponseInvalid(f"{_name(request)} sends from one address to the next without end")

    async def _in_turn(self, request: httpx.Request, deadline: float) -> Answer:
        async with contextlib.AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await turn.enter_async_context(self._budget.turn())
            except TimeoutError as error:
                raise errors.Unavailable(
                    f"{_name(request)} waited too long for its turn in the request budget"
                ) from error
            started_at = time.monotonic()
            try:
                answer = await self._exchange(
                    request, min(self._limits.attempt_seconds, deadline - started_at)
                )
            except errors.CollectorError as error:
                self._observe(_outcome(error), started_at)
                if isinstance(error, errors.RateLimited) and error.retry_after is not None:
                    await self._budget.hold_off(error.retry_after)
                raise
        self._observe("ok", started_at)
        self._note_recovery(request)
        return answer

    async def _exchange(self, request: httpx.Request, seconds: float) -> Answer:
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.send(request, stream=True)
                try:
                    return await self._read(request, response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise errors.Unavailable(
                f"{_name(request)} did not answer in time; it is tried again later"
            ) from error
        except httpx.TransportError as error:
            raise errors.Unavailable(
                f"{_name(request)} could not be reached ({type(error).__name__}): check network and base URL"
            ) from error
        except httpx.RequestError as error:
            raise errors.ResponseInvalid(
                f"{_name(request)} answered with a body that cannot be read"
            ) from error

    async def _read(self, request: httpx.Request, response: httpx.Response) -> Answer:
        self._measure_skew(response)
        if response.next_request is not None:
            return Answer(response.status_code, response.headers, b"")
        if not response.is_success:
            raise await self._refused(request, response)
        body = await self._body(request, response)
        if body[:64].lstrip()[:1] not in (b"{", b"["):
            raise errors.ResponseInvalid(
                f"{_name(request)} answered {_kind(body)} where JSON was expected: is the base URL right?"
            )
        return Answer(response.status_code, response.headers, body)

    async def _refused(self, request: httpx.Request, response: httpx.Response) -> errors.CollectorError:
        """The vendor's own words go before the status code."""
        judged = None
        if self._judge is not None:
            body = await self._start_of_body(response)
            judged = self._judge(Answer(response.status_code, response.headers, body))
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or isinstance(judged, errors.RateLimited):
            return self._slow_down(request, response)
        return judged or _refusal(request, response)

    async def _start_of_body(self, response: httpx.Response) -> bytes:
        start = b""
        async for chunk in response.aiter_bytes():
            start += chunk
            if len(start) >= REFUSAL_BYTES:
                break
        return start[:REFUSAL_BYTES]

    def _redirected(self, request: httpx.Request, answer: Answer) -> httpx.Request:
        """The same request at the address it was moved to. Only reads of the vendor's own hosts are followed."""
        location = str(request.url.join(answer.headers.get("location", "")))
        if request.method != "GET" or self._hosts is None or not self._hosts.allows(location):
            raise errors.ResponseInvalid(
                f"{_name(request)} answered {answer.status}: moved to host {httpx.URL(location).host}; "
                "redirects are not followed there, set the base URL to the final address"
            )
        kept = {name: value for name, value in request.headers.items() if name != "host"}
        return self._http.build_request("GET", location, headers=kept)

    async def _body(self, request: httpx.Request, response: httpx.Response) -> bytes:
        limit = self._limits.body_bytes
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > limit:
                raise errors.ResponseInvalid(
                    f"{_name(request)} answered more than {limit} bytes and was cut off: lower the page size"
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _slow_down(self, request: httpx.Request, response: httpx.Response) -> errors.RateLimited:
        # A date is the vendor's: it is measured on the vendor's clock.
        vendor_now = self._now() + (self.clock_skew_seconds or 0.0)
        asked = retry_after(response.headers.get("retry-after"), vendor_now)
        delay = None if asked is None else min(asked, self._limits.max_retry_after)
        if not self._is_slowed:
            self._is_slowed = True
            wait = "no delay given" if asked is None else f"{asked:.0f} s asked, {delay:.0f} s granted"
            logger.warning("%s asked to slow down: %s", request.url.host, wait, extra={"action": "slow_down"})
        return errors.RateLimited(
            f"{_name(request)} answered {response.status_code}: too many requests; "
            "lower requests_per_second if this goes on",
            retry_after=delay,
        )

    def _note_recovery(self, request: httpx.Request) -> None:
        if self._is_slowed:
            self._is_slowed = False
            logger.info(
                "%s answers again at the usual pace", request.url.host, extra={"action": "resume_pace"}
            )

    def _measure_skew(self, response: httpx.Response) -> None:
        now = self._now()
        if now < self._skew_due_at or (date := _date(response.headers.get("date"))) is None:
            return
        self._skew_due_at = now + SKEW_EVERY_SECONDS
        # A Date header is cut to whole seconds: on average it is half a second behind.
        self.clock_skew_seconds = date + 0.5 - now

    def _observe(self, outcome: str, started_at: float) -> None:
        if self._observer is not None:
            self._observer(outcome, time.monotonic() - started_at)


def _delay(deadline: float, error: Exception) -> bool | float:
    """Decide for stamina: no retry, retry at its own pace, or after the delay the vendor asked for."""
    if not isinstance(error, errors.Unavailable):
        return False
    delay = error.retry_after if isinstance(error, errors.RateLimited) else None
    if delay is None:
        return True
    return delay if time.monotonic() + delay < deadline else False


_REFUSALS: Mapping[int, tuple[type[errors.CollectorError], str]] = {
    HTTPStatus.UNAUTHORIZED: (
        errors.AuthenticationFailed,
        "the credentials or the token were refused: check them",
    ),
    HTTPStatus.FORBIDDEN: (
        errors.PermissionDenied,
        "the account may not do this: ask the vendor for the right",
    ),
    HTTPStatus.NOT_FOUND: (errors.NotFound, "no such address: check base URL, paths and group ids"),
    HTTPStatus.REQUEST_TIMEOUT: (errors.Unavailable, "the vendor gave up waiting; it is tried again later"),
}


def _refusal(request: httpx.Request, response: httpx.Response) -> errors.CollectorError:
    status = response.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.Unavailable(
            f"{_name(request)} answered {status}: a fault at the vendor; it is tried again later"
        )
    default = (errors.ResponseInvalid, "the vendor did not accept the request: check the options")
    kind, advice = _REFUSALS.get(status, default)
    return kind(f"{_name(request)} answered {status}: {advice}")


def _is_redirect(answer: Answer) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST


def _name(request: httpx.Request) -> str:
    """Method, host and path: a query string can hold what no log may, and so can a key in the path."""
    url = request.url
    return f"{request.method} {url.host}{KEY_IN_PATH.sub('...', url.path)}"


def _kind(body: bytes) -> str:
    start = body[:64].lstrip()
    if not start:
        return "nothing"
    return "HTML" if start.startswith(b"<") else "something else"


def _outcome(error: errors.CollectorError) -> str:
    match error:
        case errors.RateLimited():
            return "rate_limited"
        case errors.Unavailable():
            return "unavailable"
        case errors.AuthenticationFailed() | errors.PermissionDenied():
            return "auth"
        case _:
            return "invalid"


def retry_after(header: str | None, now: float) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date, as seconds from ``now``."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    at = _date(header)
    return None if at is None else max(0.0, at - now)


def _date(header: str | None) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(header or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _keep_urls_out_of_logs() -> None:
    """httpx logs every URL with its query at INFO, httpcore headers at DEBUG: neither may be written."""
    logging.getLogger("httpx").addFilter(_is_warning)
    for name in ("connection", "http11", "http2", "proxy", "socks"):
        logging.getLogger(f"httpcore.{name}").addFilter(_is_warning)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
