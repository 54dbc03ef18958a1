"""A described platform's calls: sign-in, list of lines, one line's days. Only reads."""

import math
import time
import urllib.parse
from collections.abc import Callable, Mapping

import msgspec

from collectors import client, errors, sign_in
from collectors.described import description as descriptions
from collectors.described import expressions, units
from collectors.described.options import Settings


class Api:
    """One signed-in account. Sweeps read through ``reader()``."""

    def __init__(
        self,
        http: client.Client,
        settings: Settings,
        credentials: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._base_url = settings.base_url
        self._credentials = credentials
        self._how = settings.description.sign_in
        self._sign_in = sign_in.SignIn(self._granted, monotonic=monotonic)
        self.list_path = settings.description.lines.path

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    def reader(self) -> "Reader":
        return Reader(self, self._sign_in.visit())

    async def get(
        self, path: str, params: Mapping[str, str | int], headers: Mapping[str, str]
    ) -> client.Answer:
        return await self._http.get(self._base_url + path, params=params, headers=headers)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _granted(self) -> sign_in.Grant:
        if self._how.path is None:
            return sign_in.Grant(self._headers({}), math.inf)
        body = {name: _filled(value, self._credentials) for name, value in self._how.body.items()}
        sent = await self._http.post(self._base_url + self._how.path, json=body, headers=self._basic())
        answer = _whole(sent.body)
        taken = {name: _taken(answer, name, path) for name, path in self._how.answer.items()}
        return sign_in.Grant(self._headers(taken), self._lifetime(answer, taken))

    def _basic(self) -> Mapping[str, str]:
        if self._how.basic is None:
            return {}
        username, password = (self._credentials[name] for name in self._how.basic)
        return sign_in.basic(username, password)

    def _headers(self, taken: Mapping[str, str]) -> Mapping[str, str]:
        known = {**self._credentials, **taken}
        return {name: str(_filled(text, known)) for name, text in self._how.headers.items()}

    def _lifetime(self, answer: object, taken: Mapping[str, str]) -> float:
        if self._how.lifetime is not None:
            return _seconds(answer, self._how.lifetime)
        if self._how.lifetime_jwt is not None:
            vendor_now = time.time() + (self.clock_skew_seconds or 0.0)
            told = sign_in.jwt_seconds(taken[self._how.lifetime_jwt], vendor_now=vendor_now)
            return told or self._how.lifetime_seconds
        return self._how.lifetime_seconds


class Reader:
    """The calls of one sweep."""

    def __init__(self, api: Api, visit: sign_in.Visit) -> None:
        self._api = api
        self._visit = visit

    async def lines(self, params: Mapping[str, str | int]) -> client.Answer:
        return await self._get(self._api.list_path, params)

    async def usage(self, call: descriptions.Usage, key: str, window: Mapping[str, str]) -> client.Answer:
        """``window``: what {from} and {to} stand for."""
        path = call.path.replace(descriptions.KEY_PLACE, urllib.parse.quote(key, safe=""))
        return await self._get(path, {name: str(_filled(text, window)) for name, text in call.params.items()})

    async def _get(self, path: str, params: Mapping[str, str | int]) -> client.Answer:
        return await self._visit.call(lambda headers: self._api.get(path, params, headers))


def _filled(text: str | int, values: Mapping[str, str]) -> str | int:
    if isinstance(text, int):
        return text
    return descriptions.PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _whole(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.ResponseInvalid("the sign-in's answer is not whole JSON") from error


def _found(answer: object, path: str) -> object:
    """Nothing, where the expression cannot be applied."""
    try:
        return expressions.compiled(path).search(answer)
    except expressions.NotApplicable:
        return None


def _taken(answer: object, name: str, path: str) -> str:
    value = _found(answer, path)
    if not isinstance(value, str) or not sign_in.is_sendable(value):
        raise errors.ResponseInvalid(
            f"sign_in.answer.{name} = {path}: expected the text of a token, found {units.kind(value)}"
        )
    return value


def _seconds(answer: object, path: str) -> float:
    value = _found(answer, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise errors.ResponseInvalid(
            f"sign_in.lifetime = {path}: expected seconds, more than 0, found {units.kind(value)}"
        )
    return float(value)
