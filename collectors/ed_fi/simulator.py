"""A stand-in for an Ed-Fi ODS/API over HTTP: sign-in, schools, and the associations of students."""

import base64
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from collectors import simulation

USUAL_ITEMS = 25  # a page


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The credentials that are good, and how this host differs from others.

    ``refuses_as``: hosts since version 5 answer a wrong key with 401, some with OAuth's 400.
    """

    key: str = "simulated-key"
    secret: str = "simulated-secret"  # noqa: S105
    path: str = ""  # before /data/v3 and /oauth/token
    school_year: int | None = None
    token_seconds: int = 1800
    most_items: int = 500
    refuses_as: int = 401
    tells_total: bool = True


class Simulator:
    """Serves the items as they are at the time. ``tokens`` holds those that are good, and when they end."""

    def __init__(
        self,
        associations: Sequence[dict[str, Any]] = (),
        schools: Sequence[dict[str, Any]] = (),
        *,
        faults: simulation.Faults | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.associations = list(associations)
        self.schools = list(schools)
        self.faults = faults or simulation.Faults()
        self.settings = settings or Settings()
        self.tokens: dict[str, float] = {}
        self._serial = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        path, year = self.settings.path, self.settings.school_year
        lists = f"{path}/data/v3{f'/{year}' if year else ''}/ed-fi"
        app.router.add_post(f"{path}/oauth/token", self._token, name="token")
        for name, kind, items in (
            ("associations", "studentEducationOrganizationAssociations", lambda: self.associations),
            ("schools", "schools", lambda: self.schools),
        ):
            app.router.add_get(f"{lists}/{kind}", self._listed(items), name=name)
        return app

    def expire_tokens(self) -> None:
        """Every token given so far is refused from now on."""
        self.tokens.clear()

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        pair = f"{self.settings.key}:{self.settings.secret}".encode()
        is_known = request.headers.get("Authorization") == f"Basic {base64.b64encode(pair).decode()}"
        if form.get("grant_type") != "client_credentials":
            return simulation.answer({"error": "unsupported_grant_type"}, status=400)
        if not is_known:
            return simulation.answer({"error": "invalid_client"}, status=self.settings.refuses_as)
        token = f"simulated{next(self._serial)}x{time.time_ns()}"
        self.tokens[token] = time.time() + self.settings.token_seconds
        given = {"access_token": token, "expires_in": self.settings.token_seconds, "token_type": "bearer"}
        return simulation.answer(given)

    def _listed(self, items: Callable[[], list[dict[str, Any]]]) -> Callable[[web.Request], Any]:
        async def listed(request: web.Request) -> web.Response:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer" or self.tokens.get(token, 0) <= time.time():
                return problem(401, "urn:ed-fi:api:security:authentication", "Authentication Failed")
            return self._page(request, items())

        return listed

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        limit, offset = (
            request.query.get(name, usual) for name, usual in (("limit", str(USUAL_ITEMS)), ("offset", "0"))
        )
        if not (limit.isdecimal() and offset.isdecimal()) or int(limit) > self.settings.most_items:
            return problem(400, "urn:ed-fi:api:bad-request:parameter", "Parameter Validation Failed")
        is_asked = request.query.get("totalCount") == "true" and self.settings.tells_total
        headers = {"Total-Count": str(len(items))} if is_asked else {}
        return simulation.answer(items[int(offset) : int(offset) + int(limit)], headers=headers)


def problem(status: int, kind: str, title: str) -> web.Response:
    """A refusal as hosts since version 7.2 word it."""
    return simulation.answer({"detail": title, "type": kind, "title": title, "status": status}, status=status)
