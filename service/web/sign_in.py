"""/sign-in: a token in, a cookie out; and the way out again."""

import logging
from dataclasses import dataclass, field

import aiohttp.web

from service.model import tokens
from service.web import forms, headers, pages, refusals, sessions
from service.web import guard as guards

_TOO_MANY = "Too many sign-ins have failed. Wait a minute and try again."
_FOREIGN = (
    "This did not come from this service’s own page. Load the page again; behind a reverse proxy, page_address has to "
    "be set."
)

_log = logging.getLogger(__name__)


def add_routes(application: aiohttp.web.Application, guard: guards.Guard) -> None:
    """Nothing where nobody signs in."""
    if guard.opened is None:
        return
    desk = _Desk(guard, guard.opened)
    application.router.add_get(refusals.SIGN_IN, desk.show)
    application.router.add_post(refusals.SIGN_IN, desk.sign_in)
    application.router.add_post(refusals.SIGN_OUT, desk.sign_out)


@dataclass(slots=True)
class _Desk:
    guard: guards.Guard
    opened: sessions.Sessions
    failures: sessions.Failures = field(default_factory=sessions.Failures)

    async def show(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        return _page(request, target=_target(request.query.get("next")))

    async def sign_in(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        sent = await forms.sent(request)
        target = _target(sent.get("next"))
        if not self.guard.place.is_from_us(request):
            return _page(request, target=target, wrong=_FOREIGN, status=403)
        verdict = self.opened.known.judge(sent.get("token", ""), "read", self.guard.clock().date())
        if verdict.token is None or not sessions.may_sign_in(verdict.token):
            return self._refuse(request, verdict.why_not, target)
        return self._begin(request, verdict.token, target)

    def _refuse(self, request: aiohttp.web.Request, why_not: str, target: str) -> aiohttp.web.Response:
        """A good token is never refused for the failures of others, who may share its proxy's address."""
        address, now = request.remote or "", self.guard.clock()
        if self.failures.are_too_many(address, now):
            return _page(request, target=target, wrong=_TOO_MANY, status=429)
        self.failures.add(address, now)
        _log.warning("a sign-in was refused: %s", why_not, extra={"action": "sign_in_refused"})
        return _page(request, target=target, wrong=why_not, status=403)

    def _begin(self, request: aiohttp.web.Request, token: tokens.Token, target: str) -> aiohttp.web.Response:
        self.opened.end(request.cookies.get(guards.COOKIE, ""))
        response = _to(target)
        response.set_cookie(
            guards.COOKIE,
            self.opened.begin(token, self.guard.clock()),
            httponly=True,
            samesite="Strict",
            secure=self.guard.place.was_https(request),
        )
        _log.info("signed in with the token %s", token.name, extra={"action": "signed_in"})
        return response

    async def sign_out(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        sent = await forms.sent(request)
        if self.guard.why_not(request, sent.get("form", "")):
            return _page(request, target="/", wrong=_FOREIGN, status=403)
        self.opened.end(request.cookies.get(guards.COOKIE, ""))
        response = _to(refusals.SIGN_IN)
        response.del_cookie(guards.COOKIE, httponly=True, samesite="Strict")
        return response


def _page(
    request: aiohttp.web.Request, *, target: str, wrong: str = "", status: int = 200
) -> aiohttp.web.Response:
    request[headers.HAS_FORM] = True
    visitor = request.get(sessions.VISITOR)
    text = pages.render("sign_in.html", visitor=visitor, target=target, wrong=wrong)
    return aiohttp.web.Response(text=text, content_type="text/html", status=status)


def _to(target: str) -> aiohttp.web.Response:
    return aiohttp.web.Response(status=303, headers={"Location": target})


def _target(asked: str | None) -> str:
    return asked if asked is not None and refusals.LOCAL.fullmatch(asked) else "/"
