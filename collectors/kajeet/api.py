"""Sentinel's calls: sign-in, lists of devices and of device groups. Only reads."""

import time
import urllib.parse
from collections.abc import Callable, Mapping

import msgspec

from collectors import client, errors, sign_in
from collectors.kajeet import options as kajeet_options

DEVICE_ORDER = {
    "sort": "MDN",
    "sortDir": "ASC",
}  # an amount grows while it is read and would reshuffle the pages
GROUP_ORDER = {"sort": "PARENTCORPID", "sortDir": "ASC"}


class Api:
    """One signed-in account. Sweeps read through ``reader()``."""

    def __init__(
        self,
        http: client.Client,
        options: kajeet_options.Options,
        credentials: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._options = options
        self._credentials = credentials
        self._base_url = options.base_url.rstrip("/")
        self._sign_in = sign_in.SignIn(self._granted, monotonic=monotonic)

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    def reader(self) -> "Reader":
        return Reader(self, self._sign_in.visit())

    def devices_path(self, corp_id: str) -> str:
        return self._options.devices_path.replace("{corp_id}", urllib.parse.quote(corp_id, safe=""))

    @property
    def groups_path(self) -> str:
        return self._options.groups_path

    async def get(self, path: str, params: Mapping[str, str | int], headers: Mapping[str, str]) -> bytes:
        return (await self._http.get(self._base_url + path, params=params, headers=headers)).body

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _granted(self) -> sign_in.Grant:
        body = {name: self._fill(template) for name, template in self._options.token_body.items()}
        answer = await self._http.post(self._base_url + self._options.token_path, json=body)
        text = _field(answer.body, self._options.token_field)
        return sign_in.Grant({"authorization": f"Bearer {text}"}, self._lifetime(text))

    def _fill(self, template: str) -> str:
        return kajeet_options.PLACEHOLDER.sub(lambda match: self._credentials[match[1]], template)

    def _lifetime(self, text: str) -> float:
        vendor_now = time.time() + (self.clock_skew_seconds or 0.0)
        return sign_in.jwt_seconds(text, vendor_now=vendor_now) or self._options.token_lifetime_seconds


class Reader:
    """The lists, read for one sweep."""

    def __init__(self, api: Api, visit: sign_in.Visit) -> None:
        self._api = api
        self._visit = visit

    async def devices(self, corp_id: str, offset: int, limit: int) -> bytes:
        return await self._get(
            self._api.devices_path(corp_id), {"offset": offset, "limit": limit, **DEVICE_ORDER}
        )

    async def groups(self, offset: int, limit: int) -> bytes:
        return await self._get(self._api.groups_path, {"offset": offset, "limit": limit, **GROUP_ORDER})

    async def _get(self, path: str, params: Mapping[str, str | int]) -> bytes:
        return await self._visit.call(lambda headers: self._api.get(path, params, headers))


def _field(answer: bytes, path: str) -> str:
    """Pick the token out of the sign-in's answer. ``path`` may descend: data.token."""
    try:
        value = msgspec.json.decode(answer)
    except msgspec.MsgspecError as error:
        raise errors.ResponseInvalid("the sign-in's answer is not whole JSON") from error
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str) or not sign_in.is_sendable(value):
        raise errors.ResponseInvalid(
            f"the sign-in's answer holds no token at {path}: set the option token_field"
        )
    return value
