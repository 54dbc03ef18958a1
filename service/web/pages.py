"""Pages for people: made from the snapshot in memory, once per snapshot and minute."""

import asyncio
import hashlib
import importlib.metadata
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp.web
import jinja2
from aiohttp import typedefs

from service.model import cost_words, equity_words, pilot_words
from service.store import coverage
from service.web import (
    alert_facts,
    alert_views,
    charts,
    curves,
    export_views,
    freshness,
    reconciliation,
    standings,
    words,
)

_FILES = {"page.css": "text/css", "icon.svg": "image/svg+xml"}
_LARGE_BYTES = 65_536  # compressed aside, so that other requests do not wait
# A district's pages, by their name in the address.
TEMPLATES = {
    "": "district.html",
    "equity": "equity_page.html",
    "pilots": "pilots.html",
    "reconciliation": "reconciliation.html",
}
_FOREVER = "public, max-age=31536000, immutable"  # the content's digest is in the path


def _files() -> dict[str, tuple[str, str, bytes]]:
    """Name to (path, content type, content) of what the pages load."""
    found = {}
    for name, content_type in _FILES.items():
        content = (importlib.resources.files("service.web") / "static" / name).read_bytes()
        found[name] = (f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}", content_type, content)
    return found


def _environment(paths: dict[str, str]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("service.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        words=words,
        alert_facts=alert_facts,
        alert_views=alert_views,
        charts=charts,
        export_views=export_views,
        freshness=freshness,
        standings=standings,
        reconciliation=reconciliation,
        curves=curves,
        equity_words=equity_words,
        cost_words=cost_words,
        pilot_words=pilot_words,
        path=paths,
        version=importlib.metadata.version("afterbell"),
        is_guarded=False,
    )
    for name in ("number", "percent", "day", "short_day", "counted", "duration"):
        environment.filters[name] = getattr(words, name)
    return environment


_STATIC = _files()
_TEMPLATES = _environment({name: path for name, (path, _, _) in _STATIC.items()})


@dataclass(slots=True, kw_only=True)
class Pages:
    """Renders, and keeps what was rendered until the snapshot or the minute changes. Safe in threads."""

    snapshot: Callable[[], coverage.Snapshot | None]
    clock: Callable[[], datetime]
    is_guarded: bool = False  # people sign in
    has_packages: bool = False
    _kept: tuple[object, dict[tuple[int, str], str]] = (None, {})

    def first(self) -> str | None:
        """The only district, or a list of them; None while there is no snapshot."""
        snapshot = self.snapshot()
        if snapshot is None:
            return None
        if len(snapshot.districts) == 1:
            return self.district(snapshot.districts[0].district_id)
        return render("districts.html", snapshot=snapshot, now=self.clock(), is_guarded=self.is_guarded)

    def district(self, district_id: int, name: str = "") -> str | None:
        """A page of the district: of ``TEMPLATES``, by its name in the address."""
        snapshot = self.snapshot()
        district = snapshot.district(district_id) if snapshot else None
        if snapshot is None or district is None:
            return None
        kept = self._kept_since(snapshot.taken_at)
        if (district_id, name) not in kept:
            kept[district_id, name] = district_page(
                snapshot,
                district,
                name,
                now=self.clock(),
                is_guarded=self.is_guarded,
                has_packages=self.has_packages,
            )
        return kept[district_id, name]

    def _kept_since(self, taken_at: datetime) -> dict[tuple[int, str], str]:
        """Pages say "12 minutes ago", so a page is good for a minute."""
        current = taken_at, self.clock().replace(second=0, microsecond=0)
        if self._kept[0] != current:
            self._kept = current, {}
        return self._kept[1]


def render(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(template).render(**values)


def district_page(
    snapshot: coverage.Snapshot,
    district: coverage.District,
    name: str = "",
    *,
    now: datetime,
    is_guarded: bool = False,
    has_packages: bool = False,
) -> str:
    return render(
        TEMPLATES[name],
        snapshot=snapshot,
        district=district,
        now=now,
        is_guarded=is_guarded,
        has_packages=has_packages,
    )


def add_routes(application: aiohttp.web.Application, pages: Pages) -> None:
    async def first(_: aiohttp.web.Request) -> aiohttp.web.Response:
        page = await asyncio.to_thread(pages.first)
        if page is None:
            return message("The figures are being read", "Load the page again in a minute.", status=503)
        return respond(page)

    async def district(request: aiohttp.web.Request) -> aiohttp.web.Response:
        name = request.match_info.get("name", "")
        if name not in TEMPLATES:
            raise aiohttp.web.HTTPNotFound
        page = await asyncio.to_thread(pages.district, int(request.match_info["district_id"]), name)
        if page is None:
            raise aiohttp.web.HTTPNotFound
        return respond(page)

    application.router.add_get("/", first)
    application.router.add_get(r"/districts/{district_id:\d{1,10}}", district)
    application.router.add_get(r"/districts/{district_id:\d{1,10}}/{name}", district)
    for path, content_type, content in _STATIC.values():
        application.router.add_get(path, _file(content_type, content))


def respond(text: str, *, status: int = 200) -> aiohttp.web.Response:
    response = aiohttp.web.Response(
        text=text, content_type="text/html", status=status, zlib_executor_size=_LARGE_BYTES
    )
    response.enable_compression()
    return response


def _file(content_type: str, content: bytes) -> typedefs.Handler:
    async def send(_: aiohttp.web.Request) -> aiohttp.web.Response:
        headers = {"Cache-Control": _FOREVER}
        return aiohttp.web.Response(body=content, content_type=content_type, charset="utf-8", headers=headers)

    return send


def message(heading: str, text: str, *, status: int) -> aiohttp.web.Response:
    return respond(render("message.html", heading=heading, text=text), status=status)


@aiohttp.web.middleware
async def explain_errors(
    request: aiohttp.web.Request, handler: typedefs.Handler
) -> aiohttp.web.StreamResponse:
    """A person who mistyped an address gets a page and a way back."""
    try:
        return await handler(request)
    except aiohttp.web.HTTPNotFound:
        return message("There is no such page", "The address may be mistyped.", status=404)
