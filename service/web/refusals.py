"""What those who may not go on are told."""

import re
from urllib.parse import quote

import aiohttp.web

from service.web import pages, tokens

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"

# What may be led to: a page of ours. //example.org would be another's.
LOCAL = re.compile(r"/(?!/)[A-Za-z0-9_.~/?=&%:-]*")


def plain(status: int, text: str, **headers: str) -> aiohttp.web.Response:
    return aiohttp.web.Response(status=status, text=f"{text}\n", headers=headers)


def no_token(scope: str) -> aiohttp.web.Response:
    text = f"This needs a token with the scope {scope}, sent as Authorization: Bearer TOKEN."
    return plain(401, text, **{"WWW-Authenticate": 'Bearer realm="afterbell"'})


def judged(verdict: tokens.Verdict) -> aiohttp.web.Response | None:
    """The answer to a token that is not good enough, in the words of RFC 6750; None: it is."""
    if not verdict.why_not:
        return None
    status, error = (401, "invalid_token") if verdict.token is None else (403, "insufficient_scope")
    challenge = f'Bearer realm="afterbell", error="{error}"'
    return plain(status, verdict.why_not, **{"WWW-Authenticate": challenge})


def packages_only(name: str) -> aiohttp.web.Response:
    return pages.message(
        "This token opens packages only",
        f"You are signed in with the token {name}, which is for export. It opens the list of a district’s monthly "
        "packages, at /districts/1/exports: 1 is the district’s number.",
        status=403,
    )


def to_sign_in(request: aiohttp.web.Request) -> aiohttp.web.Response:
    if _came_by_link(request) and LOCAL.fullmatch(request.path_qs):
        return aiohttp.web.Response(
            text=pages.render("again.html", target=request.path_qs), content_type="text/html"
        )
    location = f"{SIGN_IN}?next={quote(request.path_qs, safe='/')}"
    return aiohttp.web.Response(status=303, headers={"Location": location})


def _came_by_link(request: aiohttp.web.Request) -> bool:
    """From another site, as from mail that is read in the browser: then our cookie does not come along, even if there
    is one. A page of ours that asks for the same once more brings it."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
