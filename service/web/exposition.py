"""/metrics, in the format that the scraper asks for."""

import asyncio

import aiohttp.web
from aiohttp import hdrs

from service import metrics as service_metrics


def add_routes(application: aiohttp.web.Application, metrics: service_metrics.Metrics) -> None:
    async def scrape(request: aiohttp.web.Request) -> aiohttp.web.Response:
        # The text of the snapshot is written and compressed already; what is counted here is added, aside.
        is_compressed = _takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        text, content_type = await asyncio.to_thread(
            metrics.exposition, request.headers.get(hdrs.ACCEPT, ""), is_compressed=is_compressed
        )
        headers = {hdrs.CONTENT_TYPE: content_type, hdrs.VARY: "Accept, Accept-Encoding"}
        if is_compressed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return aiohttp.web.Response(body=text, headers=headers)

    application.router.add_get("/metrics", scrape)


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is named, and not refused with ``q=0``."""
    for told in accepted.lower().split(","):
        coding, _, weight = told.replace(" ", "").partition(";")
        if coding in ("gzip", "*"):
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
