"""A package appears whole or not at all: built in a hidden folder beside its place, renamed when it is done."""

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from service import errors
from service.exports import threads
from service.exports.writing import archive

PREFIX = ".building-"
_LOCK = "lock"  # held for as long as the process lives that builds here
_OLD = 86_400  # seconds: leftovers without a lock that tells
_FOLDER_MODE, _FILE_MODE = 0o750, 0o640
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Building:
    """As ``with`` or ``async with``: gives the folder to fill; an error leaves nothing behind.

    An archive that archive.write makes of that folder moves with it. The two renames are two steps: where a crash came
    between them the folder has no archive, and ``is_replacing`` puts both there anew.
    """

    def __init__(self, target: Path, *, is_replacing: bool = False) -> None:
        self._target = target
        self._is_replacing = is_replacing
        self._area = target.with_name(f"{PREFIX}{target.name}-{secrets.token_hex(4)}")
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Path:
        try:
            with _told(self._target):
                return self._begun()
        except BaseException:
            self._clear()
            raise

    def _begun(self) -> Path:
        _ready(self._target, is_replacing=self._is_replacing)
        sweep(self._target.parent)
        self._area.mkdir(mode=0o700)
        self._lock = _held(self._area)
        work = self._area / self._target.name
        work.mkdir(mode=0o700)
        return work

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with _told(self._target):
                if error is not None:
                    _raise_full(error)
                    return
                self._publish()
        finally:
            self._clear()

    async def __aenter__(self) -> Path:
        try:
            return await threads.run(self.__enter__, patience=None)
        except asyncio.CancelledError:  # then nobody calls __aexit__
            self._clear()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """To the end even where the task is cancelled: half a rename would be worse than a late one."""
        await threads.run(lambda: self.__exit__(kind, error, trace), patience=None)

    def _publish(self) -> None:
        _ready(self._target, is_replacing=self._is_replacing)
        work = self._area / self._target.name
        _secure(self._area)
        for old in (archive.beside(self._target), self._target):
            if old.exists():
                old.rename(self._area / f"old-{old.name}")
        work.rename(self._target)
        if archive.beside(work).exists():
            archive.beside(work).rename(archive.beside(self._target))
        _sync(self._target.parent)

    def _clear(self) -> None:
        shutil.rmtree(self._area, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def building(target: Path, *, is_replacing: bool = False) -> Building:
    """``is_replacing``: what is there gives way, in place of being an error."""
    return Building(target, is_replacing=is_replacing)


def sweep(folder: Path) -> None:
    """Removes what dead processes left half-built."""
    for area in folder.glob(f"{PREFIX}*"):
        if _is_left(area):
            shutil.rmtree(area, ignore_errors=True)


def _is_left(area: Path) -> bool:
    try:
        with (area / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return _age(area) > _OLD
    return True


def _age(area: Path) -> float:
    try:
        return time.time() - area.stat().st_mtime
    except OSError:
        return 0  # gone already, or not ours to see


def _held(area: Path) -> IO[bytes]:
    """Locked before it has its name, so that nobody finds it free."""
    made = area / f"{_LOCK}-new"
    lock = made.open("xb")
    with contextlib.suppress(OSError):  # a file system without locks: age tells then
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(area / _LOCK)
    return lock


def _ready(target: Path, *, is_replacing: bool) -> None:
    if not target.parent.exists():
        target.parent.mkdir(mode=_FOLDER_MODE)
    for there in (target, archive.beside(target)):
        if there.exists() and not is_replacing:
            raise errors.ExportRefused(
                f"{there} is there already: a package is written once. Move it away first"
            )


def _secure(area: Path) -> None:
    """Modes whatever the umask is, and every byte on the disk before the name."""
    for path in sorted(area.rglob("*"), reverse=True):
        path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
        _sync(path)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    """What the disk refuses, as an error that says what to do."""
    try:
        yield
    except OSError as error:
        _raise_full(error)
        raise errors.ExportRefused(_refused(target, error)) from error


def _refused(target: Path, error: OSError) -> str:
    folder = target.parent
    if error.errno == errno.ENOENT:
        return f"the folder {folder.parent} does not exist: make it, or name another as exports.folder"
    if error.errno in _CLOSED:
        return f"cannot write into {folder}: {error.strerror}. Give afterbell the right to, or name another folder"
    return f"cannot write the package {target}: {error.strerror or error}"


def _raise_full(error: BaseException) -> None:
    """Libraries wrap what the disk said: look behind each."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError) and behind.errno in _FULL:
            raise errors.ExportRefused(
                f"the disk is full ({behind.strerror}): nothing was left half-written. "
                "Free some space, or name another exports.folder"
            ) from error
        behind = behind.__cause__ or behind.__context__
