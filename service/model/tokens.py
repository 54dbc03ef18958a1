"""Tokens that open the pages and /metrics: what one may do, until when, and how a file tells of them."""

import base64
import enum
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

RANDOM_BYTES = 32
MOST_DAYS = 3650

_PREFIX = "afterbell_"  # so that scanners for secrets, and people, know one when they see it
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Scope(enum.StrEnum):
    METRICS = "metrics"
    READ = "read"  # the pages
    EXPORT = "export"
    ADMIN = "admin"  # acts on alerts, and reads


class TokensInvalid(ValueError):
    """A file of tokens cannot be used; the message names the line and the way out, and no token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is kept of a token. ``digest`` is the SHA-256 of its text.

    A plain hash is right here: a token is 32 random bytes, so there is nothing to guess that a slow, salted hash would
    protect. Those are for passwords, which people choose.
    """

    name: str
    scopes: tuple[str, ...]
    expires_on: date  # the first day (UTC) on which it no longer works
    digest: str

    def is_expired(self, today: date) -> bool:
        return today >= self.expires_on

    def allows(self, scope: str) -> bool:
        """Whoever may act may look."""
        return scope in self.scopes or (scope == "read" and "admin" in self.scopes)


def text(random: bytes) -> str:
    """A token as its owner gets it, of RANDOM_BYTES random bytes."""
    return _PREFIX + base64.urlsafe_b64encode(random).decode().rstrip("=")


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def check_name(name: str) -> None:
    """Raise TokensInvalid for a name that no line of the file could begin with."""
    if not _NAME.fullmatch(name):
        raise TokensInvalid(
            f"{name!r} is not a name for a token: small letters, digits, . _ and - , at most 41 of them"
        )


def parse(content: str) -> tuple[Token, ...]:
    """The tokens of a file: ``name scopes expires-on sha256`` a line; # begins a comment. Raises TokensInvalid."""
    found: dict[str, Token] = {}
    for at, line in enumerate(content.splitlines(), start=1):
        if told := line.partition("#")[0].split():
            token = _token(at, told)
            if token.name in found:
                raise TokensInvalid(
                    f"line {at}: there is a token {token.name} already; each name is one token"
                )
            found[token.name] = token
    return tuple(found.values())


def _token(at: int, told: Sequence[str]) -> Token:
    if len(told) != 4:
        raise TokensInvalid(
            f"line {at}: write `name scopes expires-on sha256`, as afterbell token create does"
        )
    name, scopes, expires_on, hashed = told
    if not _NAME.fullmatch(name):
        raise TokensInvalid(f"line {at}: the name may have small letters, digits, . _ and - only")
    if unknown := set(scopes.split(",")) - set(Scope):
        known = ", ".join(Scope)
        raise TokensInvalid(f"line {at}: there is no scope {', '.join(sorted(unknown))!r}; known: {known}")
    if not _DIGEST.fullmatch(hashed):
        raise TokensInvalid(f"line {at}: the last word is not a SHA-256 in 64 small hexadecimal digits")
    return Token(name=name, scopes=tuple(scopes.split(",")), expires_on=_day(at, expires_on), digest=hashed)


def _day(at: int, told: str) -> date:
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise TokensInvalid(f"line {at}: the third word is not a day, such as 2027-06-30") from None


def line(token: Token) -> str:
    """The token as its line of the file."""
    return f"{token.name} {','.join(token.scopes)} {token.expires_on} {token.digest}"


def without(content: str, name: str) -> str:
    """The file's content without a token's line; comments and the others stay as they are."""
    kept = [it for it in content.splitlines() if it.partition("#")[0].split()[:1] != [name]]
    return "".join(f"{it}\n" for it in kept)


def found(tokens: Sequence[Token], secret: str) -> Token | None:
    """The token of a text. Takes as long for any text: every digest is compared, each in constant time."""
    hashed = digest(secret)
    match: Token | None = None
    for token in tokens:
        if hmac.compare_digest(token.digest, hashed):
            match = token
    return match
