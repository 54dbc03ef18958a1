"""The file of tokens: read again whenever it changes, and written as a whole or not at all."""

import contextlib
import fcntl
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from service import errors
from service.model import tokens

_OWN = 0o600  # a new file is its owner's alone
_KEPT = 0o660  # of an old one's permissions; others than owner and group never read it

_log = logging.getLogger(__name__)
_State = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``token`` is the one that was shown, if it is known and has not expired; ``why_not`` is "" where it is good."""

    token: tokens.Token | None
    why_not: str


class Tokens:
    """The tokens of a file. While it cannot be read or is wrong nobody gets in: a token may have been revoked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _State | None = None
        self._known: tuple[tokens.Token, ...] = ()
        self._is_broken = False

    def known(self) -> tuple[tokens.Token, ...]:
        try:
            now = _state(self._path)
            if now != self._seen:
                self._known, self._seen = read(self._path), now
        except (OSError, errors.ConfigError) as error:
            self._break(error)
        else:
            self._mend()
        return self._known

    def _break(self, error: Exception) -> None:
        if not self._is_broken:
            _log.error("nobody can sign in: %s", error, extra={"action": "tokens_unreadable"})
        self._known, self._seen, self._is_broken = (), None, True

    def _mend(self) -> None:
        if self._is_broken:
            _log.info("the file of tokens can be read again", extra={"action": "tokens_read"})
        self._is_broken = False

    def judge(self, secret: str, scope: str, today: date) -> Verdict:
        """Whether a text is a token that may do what the scope says today."""
        token = tokens.found(self.known(), secret.strip())
        if token is None:
            return Verdict(
                None, "This is no token that is known here: it may be mistyped, or have been revoked."
            )
        if token.is_expired(today):
            return Verdict(None, f"The token {token.name} expired on {token.expires_on}. Ask for a new one.")
        if not token.allows(scope):
            may = ", ".join(token.scopes)
            return Verdict(
                token, f"The token {token.name} is for {may}; this needs one with the scope {scope}."
            )
        return Verdict(token, "")

    def holds(self, digest: str, today: date) -> tokens.Token | None:
        """The token of a digest, if it is still there and has not expired."""
        return next((it for it in self.known() if it.digest == digest and not it.is_expired(today)), None)


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def read(path: Path) -> tuple[tokens.Token, ...]:
    """The tokens of a file. Raises ConfigError that names the file and the line."""
    try:
        return tokens.parse(path.read_text("utf-8"))
    except tokens.TokensInvalid as error:
        raise errors.ConfigError(f"{path}, {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(_unreadable(path, error)) from error


def check(path: Path) -> None:
    """Raise ConfigError where the file has no token: nobody could see a page."""
    if not read(path):
        raise errors.ConfigError(
            f"{path}, which web.tokens_file names, has no token: make one with "
            "`afterbell token create NAME --scope read`"
        )


def update(path: Path, change: Callable[[str], str]) -> None:
    """Replace the file's content by what ``change`` makes of it; two at once come one after the other.

    Raises ConfigError where the file cannot be read or written.
    """
    path = path.resolve()  # what a symbolic link leads to is replaced, not the link
    try:
        with _alone(path.parent):
            content = path.read_text("utf-8") if path.exists() else ""
            _replace(path, change(content))
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(_unreadable(path, error)) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A lock on the folder: one on the file would be gone with the file that is replaced."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _replace(path: Path, content: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            _take_after(descriptor, path)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _take_after(descriptor: int, path: Path) -> None:
    """Owner and group stay, so that a service that is not root can still read what root wrote."""
    if not path.exists():
        os.fchmod(descriptor, _OWN)
        return
    old = path.stat()
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, (old.st_mode & _KEPT) | _OWN)


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"cannot use the file of tokens {path} (web.tokens_file): {reason}"
