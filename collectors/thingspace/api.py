"""ThingSpace's calls: the two sign-ins, the list of devices, and what each used and when it was connected.

Every call is a POST that only reads, so each may be sent again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import msgspec

from collectors import client, decoding, errors, sign_in
from collectors.thingspace import options as thingspace_options
from collectors.thingspace import refusals, rows

TOKEN_PATH = "/ts/v1/oauth2/token"  # noqa: S105
LOGIN_PATH = "/m2m/v1/session/login"
DEVICES_PATH = "/m2m/v1/devices/actions/list"
USAGE_PATH = "/m2m/v1/devices/usage/actions/list"
CONNECTIONS_PATH = "/m2m/v1/devices/connections/actions/listHistory"

SESSION_SECONDS = 1200.0  # a session ends after so long without a call
BRIEF_SECONDS = (
    10.0  # a token with less than this left is waited out: asked again, the vendor gives the same one
)
MOST_WAITS = 2

TokenText = Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$", max_length=8192)]


class _Bearer(msgspec.Struct, frozen=True):
    access_token: TokenText
    expires_in: float | None = None


class _Session(msgspec.Struct, frozen=True, rename="camel"):
    session_token: TokenText


_BEARER = msgspec.json.Decoder(_Bearer)
_SESSION = msgspec.json.Decoder(_Session)


class Api:
    """One signed-in account. Sweeps read through ``reader()``."""

    def __init__(
        self,
        http: client.Client,
        options: thingspace_options.Options,
        credentials: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._account_name = options.account_name
        self._base_url = options.base_url.rstrip("/")
        self._pause = pause
        self._sign_in = sign_in.SignIn(self._granted, monotonic=monotonic)

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    @property
    def account_name(self) -> str | None:
        return self._account_name

    def reader(self) -> "Reader":
        return Reader(self, self._sign_in.visit())

    async def post(self, path: str, body: object, headers: Mapping[str, str]) -> client.Answer:
        return await self._http.post(self._base_url + path, json=body, headers=headers)

    async def aclose(self) -> None:
        """The session is left to end by itself: another sweep may be using it."""
        await self._http.aclose()

    async def _granted(self) -> sign_in.Grant:
        bearer = await self._bearer()
        authorization = {"authorization": f"Bearer {bearer.access_token}"}
        session = await self._session(authorization)
        seconds = SESSION_SECONDS if bearer.expires_in is None else min(bearer.expires_in, SESSION_SECONDS)
        return sign_in.Grant({**authorization, "vz-m2m-token": session.session_token}, max(0.0, seconds))

    async def _bearer(self) -> _Bearer:
        bearer = await self._ask_bearer()
        for _ in range(MOST_WAITS):
            if bearer.expires_in is None or bearer.expires_in > BRIEF_SECONDS:
                break
            await self._pause(max(0.0, bearer.expires_in) + 1)
            bearer = await self._ask_bearer()
        return bearer

    async def _ask_bearer(self) -> _Bearer:
        answer = await self._http.post(
            self._base_url + TOKEN_PATH,
            form={"grant_type": "client_credentials"},
            headers=sign_in.basic(self._credentials["key"], self._credentials["secret"]),
        )
        return decoding.whole(_BEARER, answer.body, "the OAuth sign-in's answer")

    async def _session(self, authorization: Mapping[str, str]) -> _Session:
        body = {name: self._credentials[name] for name in ("username", "password")}
        try:
            answer = await self.post(LOGIN_PATH, body, authorization)
        except refusals.Refused as refused:
            raise errors.AuthenticationFailed(
                f"the session login was refused ({refused.code}): check username and password"
            ) from refused
        return decoding.whole(_SESSION, answer.body, "the session login's answer")


class Reader:
    """The calls of one sweep."""

    def __init__(self, api: Api, visit: sign_in.Visit) -> None:
        self._api = api
        self._visit = visit

    async def devices(self, after: int) -> client.Answer:
        """The devices whose id is larger than ``after``, smallest first, as many as the vendor gives."""
        named = {} if self._api.account_name is None else {"accountName": self._api.account_name}
        return await self._post(DEVICES_PATH, {**named, "largestDeviceIdSeen": after})

    async def usage(self, device: rows.DeviceId, earliest: str, latest: str) -> client.Answer:
        return await self._post(USAGE_PATH, _window(device, earliest, latest))

    async def connections(self, device: rows.DeviceId, earliest: str, latest: str) -> client.Answer:
        return await self._post(CONNECTIONS_PATH, _window(device, earliest, latest))

    async def _post(self, path: str, body: object) -> client.Answer:
        return await self._visit.call(lambda headers: self._api.post(path, body, headers))


def _window(device: rows.DeviceId, earliest: str, latest: str) -> Mapping[str, object]:
    """The identifier goes back as the vendor spelt it: its kinds are written in more than one way."""
    return {
        "deviceId": {"id": str(device.id), "kind": device.kind},
        "earliest": earliest,
        "latest": latest,
    }
