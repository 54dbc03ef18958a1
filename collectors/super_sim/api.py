"""Super SIM's calls: sign-in and lists. Only reads."""

import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol, TypeVar

import msgspec

from collectors import client, decoding, errors, hosts, sign_in
from collectors.super_sim import options as super_sim_options
from collectors.super_sim import windows

SIMS, USAGE_RECORDS = "/v1/Sims", "/v1/UsageRecords"
LIFETIME_SECONDS = 900.0  # of a token whose answer does not tell
REFUSED = frozenset({"invalid_client", "unauthorized_client", "invalid_grant"})  # OAuth's words for it
GRANT = {"grant_type": "client_credentials"}

Answer = TypeVar("Answer")


class Token(msgspec.Struct, frozen=True, gc=False):
    """What KORE's sign-in gives."""

    access_token: Annotated[str, msgspec.Meta(min_length=1, max_length=16_384)]
    expires_in: Annotated[float, msgspec.Meta(gt=0)] = LIFETIME_SECONDS


class Refusal(msgspec.Struct, frozen=True, gc=False):
    error: str | None = None


TOKENS = msgspec.json.Decoder(Token)
REFUSALS = msgspec.json.Decoder(Refusal)


class Visit(Protocol):
    async def call(self, send: Callable[[Mapping[str, str]], Awaitable[Answer]]) -> Answer: ...


class Basic:
    """Twilio's way: the credentials go with every call, and nothing ends."""

    def __init__(self, username: str, password: str) -> None:
        self._headers = sign_in.basic(username, password)

    def visit(self) -> "Basic":
        return self

    async def call(self, send: Callable[[Mapping[str, str]], Awaitable[Answer]]) -> Answer:
        return await send(self._headers)


class Api:
    """One account. Sweeps read through ``reader()``."""

    def __init__(
        self,
        http: client.Client,
        options: super_sim_options.Options,
        credentials: Mapping[str, str],
    ) -> None:
        self._http = http
        self._options = options
        self._credentials = credentials
        # the vendor's next pages are on the same host: no other is sent the credentials
        self._hosts = hosts.Hosts(options.address)
        self._sign_in: sign_in.SignIn | Basic = (
            sign_in.SignIn(self._granted)
            if options.platform == "kore"
            else Basic(credentials["account_sid"], credentials["auth_token"])
        )

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    def reader(self) -> "Reader":
        return Reader(self, self._sign_in.visit())

    def sims_url(self, page_size: int) -> str:
        return self._url(SIMS, {"PageSize": str(page_size)})

    def usage_url(self, window: windows.Window | None, page_size: int) -> str:
        """Of the whole fleet, within a window or in the month that the vendor takes by itself.

        The vendor may refuse an end that is not midnight, so a window that lasts until now is given none: the
        vendor then takes the present.
        """
        asked = {"Group": "sim", "Granularity": self._options.granularity}
        if window is not None:
            asked["StartTime"] = _instant(window.starts_at)
        if window is not None and not window.is_open:
            asked["EndTime"] = _instant(window.ends_at)
        return self._url(USAGE_RECORDS, {**asked, "PageSize": str(page_size)})

    def checked(self, url: str) -> str:
        """Raises ResponseInvalid for an address that is not the vendor's."""
        return self._hosts.checked(url)

    async def get(self, url: str, headers: Mapping[str, str]) -> bytes:
        return (await self._http.get(url, headers=headers)).body

    async def aclose(self) -> None:
        await self._http.aclose()

    def _url(self, path: str, params: Mapping[str, str]) -> str:
        return f"{self._options.address}{path}?{urllib.parse.urlencode(params)}"

    async def _granted(self) -> sign_in.Grant:
        form = GRANT | {name: self._credentials[name] for name in ("client_id", "client_secret")}
        answer = await self._http.post(self._options.token_address, form=form)
        token = decoding.whole(TOKENS, answer.body, "the sign-in's answer")
        return sign_in.Grant(sign_in.bearer(token.access_token), token.expires_in)


class Reader:
    """The lists, read for one sweep."""

    def __init__(self, api: Api, visit: Visit) -> None:
        self._api = api
        self._visit = visit

    async def get(self, url: str) -> bytes:
        """Read a page by its address, the first or one that the vendor gave."""
        whole = self._api.checked(url)
        return await self._visit.call(lambda headers: self._api.get(whole, headers))


def judge(answer: client.Answer) -> errors.CollectorError | None:
    """KORE's sign-in may refuse as OAuth does, with a code in place of the status 401."""
    if answer.status != HTTPStatus.BAD_REQUEST:
        return None
    try:
        word = REFUSALS.decode(answer.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if word not in REFUSED:
        return None
    return errors.AuthenticationFailed("the sign-in answered 400: the credentials were refused: check them")


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
