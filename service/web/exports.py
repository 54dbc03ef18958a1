"""The page of a district's packages, and the packages: found by their name in the ledger, never by a path."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp.web
import asyncpg

from service.store import audit, coverage, release_levels, releases
from service.web import archives, asking, export_views, pages, refusals, sessions

DOWNLOADED = "export_downloaded"  # in the audit log
LOOPBACK = "loopback"  # who took it, where nobody signs in
SUFFIX = ".zip"

_PATH = r"/districts/{district_id:\d{1,9}}/exports"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A package on the page. ``is_there``: its archive can be taken; ``may_take``: by whoever looks; ``latest``: the
    revision that came after it, the last of them."""

    release: releases.Release
    levels: Mapping[str, int]
    is_there: bool
    may_take: bool
    latest: int | None

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
    sums: archives.Sums = field(default_factory=archives.Sums)

    async def overview(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        district = asking.district(request, self.snapshot())
        found = await releases.all_of(self.pool, district.district_id)
        levels = await release_levels.of(self.pool, district.district_id)
        visitor, latest = request.get(sessions.VISITOR), export_views.superseded(found)
        listed = [
            Listed(
                release=release,
                levels=levels.get(release.release_id, {}),
                is_there=self._is_there(release),
                may_take=not _why_not(release, visitor),
                latest=latest.get(release.release_id),
            )
            for release in reversed(found)
            if _may_see(release, visitor)
        ]
        text = pages.render(
            "exports.html",
            district=district,
            listed=listed,
            is_all=len(listed) == len(found),
            may_read=visitor is None or visitor.may_read,
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
        path = self._path(release)
        if path is None or await asyncio.to_thread(self.sums.of, path) != release.archive_sha256:
            return refusals.plain(404, await self._gone(release))
        answer = archives.judged(request, release.archive_sha256, release.archive_bytes)
        if answer is not None:
            return answer
        if request.method == "GET":
            await self._write_down(release, visitor)
        request[archives.ETAG] = release.archive_sha256
        named = f'attachment; filename="{release.folder}{SUFFIX}"'
        return archives.Sent(path, headers={"Content-Type": "application/zip", "Content-Disposition": named})

    async def _asked(self, request: aiohttp.web.Request) -> releases.Release:
        name = request.match_info["name"]
        if not name.endswith(SUFFIX):
            raise aiohttp.web.HTTPNotFound
        async with asyncio.timeout(asking.DEADLINE_SECONDS):
            found = await releases.by_folder(
                self.pool, int(request.match_info["district_id"]), name.removesuffix(SUFFIX)
            )
        if found is None:
            raise aiohttp.web.HTTPNotFound
        return found

    async def _gone(self, release: releases.Release) -> str:
        async with asyncio.timeout(asking.DEADLINE_SECONDS):
            found = await releases.all_of(self.pool, release.district_id)
        latest = export_views.superseded(found).get(release.release_id)
        gone = "The archive is not in its folder as it was issued"
        if latest is None:
            return f"{gone}: afterbell export makes the same again."
        return f"{gone}. Only the latest revision is made again, which is {latest}: take that, or a backup of this one."

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

    def _path(self, release: releases.Release) -> Path | None:
        folder = self.folders.get(release.district_id)
        return None if folder is None else folder / f"{release.folder}{SUFFIX}"

    def _is_there(self, release: releases.Release) -> bool:
        path = self._path(release)
        return path is not None and self.sums.may_be(path, release.archive_sha256, release.archive_bytes)


def add_routes(application: aiohttp.web.Application, export_pages: ExportPages) -> None:
    application.on_response_prepare.append(archives.named)
    application.router.add_get(_PATH, asking.answered(export_pages.overview, what="Packages"))
    application.router.add_get(
        _PATH + r"/{name:[a-z0-9.-]{1,200}}",
        asking.answered(export_pages.archive, what="Packages", is_long=True),
    )


def _may_see(release: releases.Release, visitor: sessions.Visitor | None) -> bool:
    """Others need not know what else there is."""
    if release.profile == releases.SHAREABLE:
        return True
    return visitor is not None and (visitor.may_act or visitor.may_export_all)


def _why_not(release: releases.Release, visitor: sessions.Visitor | None) -> str:
    """Why somebody may not take a package; "" where they may."""
    if visitor is None or not visitor.may_export:
        return "Taking packages needs a token with the scope export."
    if release.profile != releases.SHAREABLE and not visitor.may_export_all:
        return f"A package of the profile {release.profile} needs a token with the scopes export and admin."
    return ""
