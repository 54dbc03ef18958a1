"""A stand-in for Snipe-IT over HTTP: its lists of assets and of users, in the shapes of its source code."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from collectors import simulation

META = {
    "deployable": "deployable",
    "pending": "pending",
    "archived": "archived",
    "undeployable": "undeployable",
}


class User(msgspec.Struct, kw_only=True, gc=False):
    """Somebody who has assets. Name and e-mail must never be read."""

    id: int
    employee_num: str | None = None
    name: str = "Wilhelmina Placeholder"
    email: str = "wilhelmina@example.org"


class Asset(msgspec.Struct, kw_only=True, gc=False):
    """An asset in plain text. ``kind`` is the type of its status label; dates are those of the server's zone."""

    id: int
    serial: str = ""
    asset_tag: str = ""
    name: str = "Wilhelmina Placeholder's hotspot"
    category: str = "Hotspots"
    model: str = "R850"
    location: str | None = None
    label: str = "Ready to Deploy"
    kind: str = "deployable"
    user: User | None = None
    held_by: tuple[str, int] | None = None  # what else has it: "location" or "asset", and its id
    last_checkout: str | None = None
    expected_checkin: str | None = None
    custom: dict[str, str] = {}


class Settings(msgspec.Struct, kw_only=True, frozen=True):
    """What servers differ in."""

    token: str = "simulated-token"  # noqa: S105
    most_rows: int = 500
    lists_archived: bool = False  # with the rest
    tells_numbers: bool = True  # of users, in the list of assets
    tells_pages: bool = True  # as newer versions do, beside total and rows


class Simulator:
    """Serves assets as they are, with the faults that are asked for."""

    def __init__(
        self,
        assets: Iterable[Asset] = (),
        *,
        settings: Settings | None = None,
        faults: simulation.Faults | None = None,
    ) -> None:
        self.assets = list(assets)
        self.faults = faults or simulation.Faults()
        self.settings = settings or Settings()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.router.add_get("/api/v1/hardware", self._hardware, name="hardware")
        app.router.add_get("/api/v1/users", self._users, name="users")
        return app

    async def _hardware(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        rows = [asset for asset in self.assets if self._is_listed(asset, request.query)]
        return self._page(request, [self._asset(asset) for asset in sorted(rows, key=lambda row: row.id)])

    async def _users(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        users = {asset.user.id: asset.user for asset in self.assets if asset.user}
        return self._page(request, [_user(users[key]) for key in sorted(users)])

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.settings.token}":
            return None
        return simulation.answer({"error": "Unauthorized or unauthenticated."}, status=401)

    def _is_listed(self, asset: Asset, query: Mapping[str, str]) -> bool:
        is_archived = asset.kind == "archived"
        match query.get("status"):
            case "Archived":
                return is_archived
            case "Deployed":
                return asset.user is not None or asset.held_by is not None
            case _:
                return self.settings.lists_archived or not is_archived

    def _page(self, request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
        asked = int(request.query.get("limit", "0")) or self.settings.most_rows
        size = min(asked, self.settings.most_rows)
        start = min(int(request.query.get("offset", "0")), len(rows))
        content: dict[str, Any] = {"total": len(rows), "rows": rows[start : start + size]}
        if self.settings.tells_pages:
            content |= {"current_page": start // size + 1, "per_page": size}
            content["total_pages"] = math.ceil(len(rows) / size)
        return simulation.answer(content)

    def _asset(self, asset: Asset) -> dict[str, Any]:
        is_out = asset.user is not None or asset.held_by is not None
        return {
            "id": asset.id,
            "name": escaped(asset.name),
            "asset_tag": escaped(asset.asset_tag),
            "serial": escaped(asset.serial),
            "model": {"id": 1, "name": escaped(asset.model)},
            "status_label": {
                "id": 2,
                "name": escaped(asset.label),
                "status_type": asset.kind,
                "status_meta": "deployed" if is_out else META[asset.kind],
            },
            "category": {"id": 3, "name": escaped(asset.category)},
            "notes": "lives with an aunt",
            "location": None if asset.location is None else {"id": 4, "name": escaped(asset.location)},
            "assigned_to": self._holder(asset),
            "last_checkout": _stamp("datetime", asset.last_checkout),
            "expected_checkin": _stamp("date", asset.expected_checkin),
            "custom_fields": _custom(asset.custom) if asset.custom else [],
            "available_actions": {"checkout": True, "checkin": True},
        }

    def _holder(self, asset: Asset) -> dict[str, Any] | None:
        if asset.held_by is not None:
            kind, number = asset.held_by
            return {"id": number, "name": "Library", "type": kind}
        if asset.user is None:
            return None
        first, _, last = asset.user.name.partition(" ")
        holder: dict[str, Any] = {
            "id": asset.user.id,
            "username": escaped(first.lower()),
            "name": escaped(asset.user.name),
            "first_name": escaped(first),
            "last_name": escaped(last),
            "email": asset.user.email,
            "employee_number": escaped(asset.user.employee_num) if asset.user.employee_num else None,
            "type": "user",
        }
        if not self.settings.tells_numbers:
            del holder["employee_number"]
        return holder


def escaped(text: str) -> str:
    """As PHP's htmlspecialchars does for quotes of both kinds."""
    for letter, told in (("&", "&amp;"), ('"', "&quot;"), ("'", "&#039;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, told)
    return text


def _stamp(kind: str, at: str | None) -> dict[str, str] | None:
    return None if at is None else {kind: at, "formatted": f"on {at}"}


def _custom(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {
        name: {
            "field": f"_snipeit_{name.lower()}_{place}",
            "value": escaped(value),
            "field_format": "ANY",
            "element": "text",
        }
        for place, (name, value) in enumerate(fields.items(), start=1)
    }


def _user(user: User) -> dict[str, Any]:
    first, _, last = user.name.partition(" ")
    return {
        "id": user.id,
        "name": escaped(user.name),
        "first_name": escaped(first),
        "last_name": escaped(last),
        "employee_num": escaped(user.employee_num or ""),
        "email": user.email,
        "address": "1 Elm Street",
    }


async def throttled(call: simulation.Call) -> web.StreamResponse:
    """As the server answers whoever asks too often."""
    content = {
        "status": "error",
        "messages": "Too many requests. Try again in 0 seconds.",
        "status_code": 429,
        "retryAfter": 0,
    }
    return simulation.answer(content, status=429, headers={"Retry-After": "0"})


async def refused(call: simulation.Call) -> web.StreamResponse:
    """Trouble with the status 200, which Snipe-IT likes."""
    return simulation.answer({"status": "error", "messages": "You do not have permission", "payload": None})
