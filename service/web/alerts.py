"""The pages of alerts. They ask the database each time: what was just acknowledged has to be seen so."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import aiohttp.web

from service.store import alert_lists, coverage
from service.web import alert_views, asking, forms, headers, pages, sessions
from service.web import guard as guards

ACTOR = "staff"  # what a flip says of who acted here; the log says with which token
SNOOZES = (1, 7, 30)  # days

_STATE = re.compile("firing|held|pending")
_RULE = re.compile("[a-z][a-z0-9_]{0,40}")
_NUMBER = re.compile("[0-9]{1,15}")
_PAGE = re.compile("[1-9][0-9]{0,6}")
_PATH = r"/districts/{district_id:\d{1,9}}/alerts"

_NO_RULE = (
    "No rule in force here is called {rule}, and no alert was ever made by it. The address may be mistyped."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPages:
    desk: alert_lists.Desk
    guard: guards.Guard
    snapshot: Callable[[], coverage.Snapshot | None]
    clock: Callable[[], datetime]

    async def overview(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        district, chosen, first = asking.district(request, self.snapshot()), _chosen(request), _first(request)
        if chosen.rule is not None and not await self.desk.has_rule(district.district_id, chosen.rule):
            return pages.message("There is no such rule", _NO_RULE.format(rule=chosen.rule), status=404)
        now = self.clock()
        found = await self.desk.overview(district.district_id, chosen, first=first, now=now)
        rules = self.desk.rules(district.district_id)
        return _page(
            request,
            "alerts.html",
            is_guarded=self.guard.known is not None,
            district=district,
            chosen=chosen,
            is_filtered=bool(request.query),
            first=first,
            found=found,
            rules=rules,
            sections=alert_views.sections(found.groups, rules),
            now=now,
        )

    async def one(
        self, request: aiohttp.web.Request, *, wrong: str = "", status: int = 200
    ) -> aiohttp.web.Response:
        district, alert_id = asking.district(request, self.snapshot()), int(request.match_info["alert_id"])
        found = await self.desk.one(district.district_id, alert_id)
        if found is None:
            raise aiohttp.web.HTTPNotFound
        alert, history = found
        return _page(
            request,
            "alert.html",
            status=status,
            is_guarded=self.guard.known is not None,
            district=district,
            alert=alert,
            history=history,
            rule=self.desk.rules(district.district_id).get(alert.rule),
            snoozes=SNOOZES,
            visitor=request.get(sessions.VISITOR),
            wrong=wrong,
            now=self.clock(),
        )

    async def act(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        """Do what the form's button says, and show the alert anew: loading that again does nothing twice."""
        sent = await forms.sent(request)
        if why_not := self.guard.why_not(request, sent.get("form", "")):
            return await self.one(request, wrong=why_not, status=403)
        visitor = request[sessions.VISITOR]
        if not visitor.may_act:
            why_not = "Acting on alerts needs a token with the scope admin: sign in with one."
            return await self.one(request, wrong=why_not, status=403)
        district, alert_id = asking.district(request, self.snapshot()), int(request.match_info["alert_id"])
        act = sent.get("act", "")
        done = await self._do(act, district.district_id, alert_id)
        if not done:
            why_not = "The alert had changed meanwhile, so nothing was done. This is how it stands now."
            return await self.one(request, wrong=why_not, status=409)
        by = visitor.name or "nobody's: there is no sign-in"
        _log.info("alert %s: %s, with the token %s", alert_id, act, by, extra={"action": "alert_acted_on"})
        return aiohttp.web.Response(status=303, headers={"Location": request.path})

    async def _do(self, act: str, district_id: int, alert_id: int) -> bool:
        """False: the alert is not so that it can be done."""
        now = self.clock()
        if act == "acknowledge":
            return await self.desk.acknowledge(district_id, alert_id, now=now, actor=ACTOR)
        if act == "unacknowledge":
            return await self.desk.unacknowledge(district_id, alert_id, now=now, actor=ACTOR)
        if act == "wake":
            return await self.desk.wake(district_id, alert_id, now=now, actor=ACTOR)
        for days in SNOOZES:
            if act == f"snooze-{days}":
                return await self.desk.snooze(district_id, alert_id, days=days, now=now, actor=ACTOR)
        raise aiohttp.web.HTTPBadRequest(text="This is no button of the page.\n")


def add_routes(application: aiohttp.web.Application, alert_pages: AlertPages) -> None:
    one = _PATH + r"/{alert_id:\d{1,15}}"
    application.router.add_get(_PATH, asking.answered(alert_pages.overview, what="Alerts"))
    application.router.add_get(one, asking.answered(alert_pages.one, what="Alerts"))
    application.router.add_post(one, asking.answered(alert_pages.act, what="Alerts"))


def _page(
    request: aiohttp.web.Request, template: str, *, status: int = 200, **values: object
) -> aiohttp.web.Response:
    request[headers.HAS_FORM] = True
    return pages.respond(pages.render(template, **values), status=status)


def _chosen(request: aiohttp.web.Request) -> alert_lists.Chosen:
    """What the address asks for; an empty field of the form asks for nothing."""
    state = _asked(request, "state", _STATE)
    chosen = alert_lists.Chosen(
        rule=_asked(request, "rule", _RULE), school=_asked(request, "school", _NUMBER)
    )
    return chosen if state is None else replace(chosen, states=(state,))


def _first(request: aiohttp.web.Request) -> int:
    """Where the page of the list begins; 0 is the first alert."""
    return (int(_asked(request, "page", _PAGE) or 1) - 1) * alert_lists.PAGE


def _asked(request: aiohttp.web.Request, name: str, form: re.Pattern[str]) -> str | None:
    text = request.query.get(name, "")
    if text and not form.fullmatch(text):
        raise aiohttp.web.HTTPNotFound
    return text or None
