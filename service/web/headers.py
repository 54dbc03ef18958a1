"""What every response tells the browser: nothing but what we serve may run, load or frame."""

import aiohttp.web

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "afterbell",  # which versions run is nobody's business
}


async def secure(_: aiohttp.web.Request, response: aiohttp.web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "private, no-cache")
