"""/metrics, in the format that the scraper asks for."""

import asyncio

import aiohttp.web

from service import metrics as service_metrics

_LARGE_BYTES = 65_536  # compressed aside, so that other requests do not wait


def add_routes(application: aiohttp.web.Application, metrics: service_metrics.Metrics) -> None:
    async def scrape(request: aiohttp.web.Request) -> aiohttp.web.Response:
        # The first scrape of a snapshot writes its text: half a second for a thousand schools.
        accept = request.headers.get("Accept", "")
        text, content_type = await asyncio.to_thread(metrics.exposition, accept)
        response = aiohttp.web.Response(
            body=text, headers={"Content-Type": content_type}, zlib_executor_size=_LARGE_BYTES
        )
        response.enable_compression()
        return response

    application.router.add_get("/metrics", scrape)
