"""The page of a district's packages, and the packages: found by their name in the ledger, never by a path."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp.web
import asyncpg
from aiohttp import typedefs

from service import errors
from service.store import audit, coverage, release_levels, releases
from service.web import pages, refusals, sessions

DOWNLOADED = "export_downloaded"  # in the audit log
LOOPBACK = "loopback"  # who took it, where nobody signs in
DEADLINE_SECONDS = 15.0
SUFFIX = ".zip"

_PATH = r"/districts/{district_id:\d{1,9}}/exports"
_ETAG = aiohttp.web.RequestKey("etag", str)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A package on the page. ``is_there``: its archive can be taken; ``may_take``: by whoever looks."""

    release: releases.Release
    levels: Mapping[str, int]
    is_there: bool
    may_take: bool

    @property
    def archive(self) -> str:
        return f"{self.release.folder}{SUFFIX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPages:
    """``folders``: of each district that makes packages, where they are."""

    pool: asyncpg.Pool
    folders: Mapping[int, Path]
    snapshot: Callable[[], coverage.Snapshot | None]
    clock: Callable[[], datetime]
    is_guarded: bool = False

    async def overview(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        district = self._district(request)
        async with asyncio.timeout(DEADLINE_SECONDS):
            found = await releases.all_of(self.pool, district.district_id)
            levels = await release_levels.of(self.pool, district.district_id)
        visitor = request.get(sessions.VISITOR)
        listed = [
            Listed(
                release=release,
                levels=levels.get(release.release_id, {}),
                is_there=self._archive(release) is not None,
                may_take=not _why_not(release, visitor),
            )
            for release in reversed(found)
        ]
        text = pages.render(
            "exports.html",
            district=district,
            listed=listed,
            has_folder=district.district_id in self.folders,
            now=self.clock(),
            is_guarded=self.is_guarded,
        )
        return pages.respond(text)

    async def archive(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        """Written down before the first byte leaves."""
        release = await self._asked(request)
        visitor = request.get(sessions.VISITOR)
        if why_not := _why_not(release, visitor):
            return refusals.plain(403, why_not)
        path = await asyncio.to_thread(self._archive, release)
        if path is None:
            return refusals.plain(
                404, "The archive is not in its folder: afterbell export makes the same again."
            )
        if request.headers.get("If-None-Match", "").strip() == _etag(release):
            return aiohttp.web.Response(status=304, headers={"ETag": _etag(release)})
        if request.method == "GET":
            await self._write_down(release, visitor)
        request[_ETAG] = release.archive_sha256
        named = f'attachment; filename="{release.folder}{SUFFIX}"'
        return aiohttp.web.FileResponse(
            path, headers={"Content-Type": "application/zip", "Content-Disposition": named}
        )

    async def _asked(self, request: aiohttp.web.Request) -> releases.Release:
        name = request.match_info["name"]
        if not name.endswith(SUFFIX):
            raise aiohttp.web.HTTPNotFound
        async with asyncio.timeout(DEADLINE_SECONDS):
            found = await releases.by_folder(
                self.pool, int(request.match_info["district_id"]), name.removesuffix(SUFFIX)
            )
        if found is None:
            raise aiohttp.web.HTTPNotFound
        return found

    async def _write_down(self, release: releases.Release, visitor: sessions.Visitor | None) -> None:
        actor = (visitor.name if visitor is not None else "") or LOOPBACK
        entry = audit.Entry(
            happened_at=self.clock(),
            actor=actor,
            action=DOWNLOADED,
            subject=release.subject,
            details={"folder": release.folder, "archive_sha256": release.archive_sha256},
        )
        await audit.entry(self.pool, release.district_id, entry)
        _log.info("%s was taken by %s", release.folder, actor, extra={"action": DOWNLOADED})

    def _archive(self, release: releases.Release) -> Path | None:
        """None: it is not there, or not as it was issued."""
        folder = self.folders.get(release.district_id)
        if folder is None:
            return None
        path = folder / f"{release.folder}{SUFFIX}"
        try:
            return path if path.stat().st_size == release.archive_bytes else None
        except OSError:
            return None

    def _district(self, request: aiohttp.web.Request) -> coverage.District:
        snapshot = self.snapshot()
        if snapshot is None:
            raise aiohttp.web.HTTPServiceUnavailable
        district = snapshot.district(int(request.match_info["district_id"]))
        if district is None:
            raise aiohttp.web.HTTPNotFound
        return district


def add_routes(application: aiohttp.web.Application, export_pages: ExportPages) -> None:
    application.on_response_prepare.append(_named)
    application.router.add_get(_PATH, _answered(export_pages.overview))
    application.router.add_get(_PATH + r"/{name:[a-z0-9.-]{1,200}}", _answered(export_pages.archive))


async def _named(request: aiohttp.web.Request, response: aiohttp.web.StreamResponse) -> None:
    """By what is in the archive, whenever it was written."""
    if (etag := request.get(_ETAG)) is not None:
        response.etag = etag


def _etag(release: releases.Release) -> str:
    return f'"{release.archive_sha256}"'


def _why_not(release: releases.Release, visitor: sessions.Visitor | None) -> str:
    """Why somebody may not take a package; "" where they may."""
    if visitor is None or not visitor.may_export:
        return "Taking packages needs a token with the scope export."
    if release.profile != releases.SHAREABLE and not visitor.may_export_all:
        return f"A package of the profile {release.profile} needs a token with the scopes export and admin."
    return ""


def _answered(
    handler: Callable[[aiohttp.web.Request], Awaitable[aiohttp.web.StreamResponse]],
) -> typedefs.Handler:
    async def answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        try:
            return await handler(request)
        except (errors.DatabaseUnavailable, TimeoutError, aiohttp.web.HTTPServiceUnavailable):
            return pages.message(
                "Packages cannot be read now",
                "The database does not answer, or the service is just starting. Load the page again in a minute.",
                status=503,
            )

    return answer
