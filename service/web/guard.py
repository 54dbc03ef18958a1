"""Who may see what: on a loopback address without tokens nobody signs in; with tokens, everybody does."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import aiohttp.web
from aiohttp import typedefs

from service.web import origins, refusals, sessions, tokens

COOKIE = "afterbell_session"

_OPEN = ("/healthz", "/readyz", refusals.SIGN_IN)  # and what the pages load
_METRICS = "/metrics"
_EXPORTS = "/districts/{district_id}/exports"  # and what is below: packages
_FOREIGN = (
    "This did not come from a page of this service as it stands now, so nothing was changed. Load the page again and "
    "repeat what you did; behind a reverse proxy, page_address has to be set."
)


@dataclass(slots=True, kw_only=True)
class Guard:
    """``known`` None: whoever reaches the address may see and act."""

    place: origins.Place
    clock: Callable[[], datetime]
    known: tokens.Tokens | None = None
    opened: sessions.Sessions | None = field(init=False)
    # Everybody's, where nobody signs in.
    _form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def __post_init__(self) -> None:
        self.opened = None if self.known is None else sessions.Sessions(self.known)

    def refused(self, request: aiohttp.web.Request) -> aiohttp.web.Response | None:
        """The answer to a request that goes no further; None: it does."""
        if self.known is None:
            return self._unguarded(request)
        self._recognise(request)
        name = _route(request)
        if name in _OPEN or name.startswith("/static/"):
            return None
        shown, today = _shown(request), self.clock().date()
        if name == _METRICS:
            verdict = None if shown is None else self.known.judge(shown, "metrics", today)
            return refusals.no_token("metrics") if verdict is None else refusals.judged(verdict)
        if shown is not None and request.method in ("GET", "HEAD"):  # a script that reads
            if name.startswith(_EXPORTS):
                return _takes_packages(request, self.known, shown, today)
            return refusals.judged(self.known.judge(shown, "read", today))
        visitor = request.get(sessions.VISITOR)
        if visitor is None:
            return refusals.to_sign_in(request)
        is_open = visitor.may_read or name.startswith(_EXPORTS) or name == refusals.SIGN_OUT
        return None if is_open else refusals.packages_only(visitor.name)

    def _unguarded(self, request: aiohttp.web.Request) -> aiohttp.web.Response | None:
        if not self.place.is_ours(request):
            return refusals.plain(
                421, "This is no address of this service. If it should be, set page_address."
            )
        request[sessions.VISITOR] = sessions.Visitor(
            name="", may_act=True, form_token=self._form_token, may_export=True, may_export_all=True
        )
        return None

    def _recognise(self, request: aiohttp.web.Request) -> None:
        value = request.cookies.get(COOKIE)
        found = self.opened.visitor(value, self.clock()) if self.opened and value else None
        if found is not None:
            request[sessions.VISITOR] = found

    def why_not(self, request: aiohttp.web.Request, sent: str) -> str:
        """Why a form may change nothing; "" where it may. ``sent`` is what its hidden field held."""
        visitor = request.get(sessions.VISITOR)
        if visitor is None or not self.place.is_from_us(request):
            return _FOREIGN
        return "" if _is_same(visitor.form_token, sent) else _FOREIGN


def middleware(guard: Guard) -> typedefs.Middleware:
    @aiohttp.web.middleware
    async def check(request: aiohttp.web.Request, handler: typedefs.Handler) -> aiohttp.web.StreamResponse:
        refused = guard.refused(request)
        return await handler(request) if refused is None else refused

    return check


def _takes_packages(
    request: aiohttp.web.Request, known: tokens.Tokens, shown: str, today: date
) -> aiohttp.web.Response | None:
    """Such a script is known by its token's name: what it takes is written down."""
    verdict = known.judge(shown, "export", today)
    if verdict.token is not None and not verdict.why_not:
        request[sessions.VISITOR] = sessions.Visitor(
            name=verdict.token.name,
            may_act=False,
            form_token="",
            may_read=verdict.token.allows("read"),
            may_export=True,
            may_export_all=verdict.token.allows("admin"),
        )
    return refusals.judged(verdict)


def _is_same(ours: str, sent: str) -> bool:
    return hmac.compare_digest(ours.encode(), sent.encode("utf-8", "surrogatepass"))


def _route(request: aiohttp.web.Request) -> str:
    """The route that answers, whatever the address looks like; "" for none."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _shown(request: aiohttp.web.Request) -> str | None:
    """The token that a request shows."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
