"""Sends what is meant for any vendor's host to a stand-in on this machine, and keeps what was sent."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from collectors import client


@dataclass(frozen=True)
class Sent:
    """A request as it left: where to, and what with."""

    method: str
    url: str  # as the vendor would see it
    headers: Mapping[str, str]
    body: bytes

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


class Towards(httpx.AsyncBaseTransport):
    """A network in which every host is the stand-in at ``url``. Use it with the vendor's own addresses."""

    def __init__(self, url: str) -> None:
        self.sent: list[Sent] = []
        self._url = httpx.URL(url)
        self._direct = client.direct()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.sent.append(Sent(request.method, str(request.url), dict(request.headers), body))
        there = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        return await self._direct.handle_async_request(
            httpx.Request(request.method, there, headers=request.headers, content=body)
        )

    async def aclose(self) -> None:
        await self._direct.aclose()
