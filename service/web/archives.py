"""An archive on the wire: conditions and ranges are judged by what it holds, never by the date of its file."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp.web
from aiohttp import abc, hdrs

ETAG = aiohttp.web.RequestKey("etag", str)
# Judged here. Of a file's date nothing follows: what is made again has the same bytes, and a new date.
_CONDITIONS = (
    hdrs.IF_MATCH,
    hdrs.IF_NONE_MATCH,
    hdrs.IF_MODIFIED_SINCE,
    hdrs.IF_UNMODIFIED_SINCE,
    hdrs.IF_RANGE,
    hdrs.ACCEPT_ENCODING,  # nor is a file beside it sent in its place
)
_State = tuple[int, int, int]


@dataclass(slots=True)
class Sums:
    """The SHA-256 of files, each read once for as long as it stays as it is."""

    _known: dict[Path, tuple[_State, str]] = field(default_factory=dict)

    def of(self, path: Path) -> str | None:
        """None: it cannot be read. Reads all of it: not for the event loop."""
        try:
            state = _state(path)
            if (known := self._known.get(path)) is None or known[0] != state:
                with path.open("rb") as file:
                    self._known[path] = state, hashlib.file_digest(file, "sha256").hexdigest()
            return self._known[path][1]
        except OSError:
            return None

    def may_be(self, path: Path, sha256: str, size: int) -> bool:
        """Without reading it: whether nothing is known that speaks against it."""
        try:
            state = _state(path)
        except OSError:
            return False
        known = self._known.get(path)
        return state[-1] == size and (known is None or known[0] != state or known[1] == sha256)


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def judged(request: aiohttp.web.Request, sha256: str, size: int) -> aiohttp.web.Response | None:
    """The answer without the archive: what its reader asked for does not apply (RFC 9110, 13.2). None: it is sent."""
    etag = f'"{sha256}"'
    wanted, had = request.if_match, request.if_none_match
    if wanted is not None and not any(one.value in ("*", sha256) and not one.is_weak for one in wanted):
        return aiohttp.web.Response(status=412, headers={hdrs.ETAG: etag})
    if had is not None and any(one.value in ("*", sha256) for one in had):
        return aiohttp.web.Response(status=304, headers={hdrs.ETAG: etag})
    if _goes_on(request.headers, etag) and not _can_be_told(request, size):
        return aiohttp.web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{size}"})
    return None


def _goes_on(headers: Mapping[str, str], etag: str) -> bool:
    """A part of something else would be no use: with another If-Range all of it is sent."""
    return headers.get(hdrs.IF_RANGE, etag).strip() == etag


def _can_be_told(request: aiohttp.web.Request, size: int) -> bool:
    try:
        return (request.http_range.start or 0) < size
    except ValueError:
        return False


class Sent(aiohttp.web.FileResponse):
    """A file, or the part of it that is asked for. Its request was judged."""

    async def prepare(self, request: aiohttp.web.BaseRequest) -> abc.AbstractStreamWriter | None:
        headers = request.headers.copy()
        etag = f'"{request[ETAG]}"'
        left_out = [*_CONDITIONS, *([] if _goes_on(headers, etag) else [hdrs.RANGE])]
        for name in left_out:
            headers.popall(name, None)
        return await super().prepare(request.clone(headers=headers))


async def named(request: aiohttp.web.Request, response: aiohttp.web.StreamResponse) -> None:
    """By what is in the archive, whenever it was written."""
    if isinstance(response, Sent) and (etag := request.get(ETAG)) is not None:
        response.etag = etag
        response.headers.popall(hdrs.LAST_MODIFIED, None)
