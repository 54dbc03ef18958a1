"""/metrics over HTTP: compressed or not, in both formats, and cheap to ask for again."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from service import web
from service.web import server
from tests import snapshots
from tests.observed import observed

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    application = web.build(
        metrics=observed(),
        snapshot=snapshots.snapshot,
        health=lambda: web.Health(True, "all is well"),
        ready=lambda: True,
    )
    async with server.serving(application, host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}/metrics"


async def fetched(address: str, **headers: str) -> tuple[dict[str, str], bytes]:
    """The answer as it went over the wire."""
    skipped = [name for name in ("Accept-Encoding",) if name.replace("-", "_") not in headers]
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=skipped) as session,
        session.get(address, headers=told) as response,
    ):
        assert response.status == 200
        return dict(response.headers), await response.read()


async def test_a_scraper_that_takes_gzip_gets_the_same_text_compressed() -> None:
    async with served() as address:
        headers, plain = await fetched(address)
        assert "Content-Encoding" not in headers
        headers, compressed = await fetched(address, Accept_Encoding="gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept, Accept-Encoding"
    assert gzip.decompress(compressed) == plain
    assert int(headers["Content-Length"]) == len(compressed) < len(plain)


@pytest.mark.parametrize("refused", ["identity", "deflate", "gzip;q=0", "br, gzip; q=0.0"])
async def test_a_scraper_that_takes_no_gzip_gets_none(refused: str) -> None:
    async with served() as address:
        headers, _ = await fetched(address, Accept_Encoding=refused)
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize("taken", ["gzip, deflate, br", "deflate;q=0.5, GZIP;q=1.0", "*"])
async def test_gzip_may_be_one_of_several(taken: str) -> None:
    async with served() as address:
        headers, _ = await fetched(address, Accept_Encoding=taken)
    assert headers["Content-Encoding"] == "gzip"


async def test_the_format_is_the_one_that_is_asked_for() -> None:
    async with served() as address:
        plain, text = await fetched(address)
        other, open_text = await fetched(address, Accept=OPENMETRICS)
    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    assert other["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert text.count(b"# EOF") == 0
    assert open_text.endswith(b"# EOF\n")
