"""Who is signed in, in memory: a restart signs everybody out, and nothing of it is in the database."""

import hashlib
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp.web

from service.model import tokens as tokens_model
from service.web import tokens

LASTS = timedelta(hours=12)  # a working day
MOST = 1_000  # sessions; beyond it the oldest end
FAILURES = 10  # of one address in WINDOW
WINDOW = timedelta(minutes=1)
_MOST_ADDRESSES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Whoever asks. ``form_token`` has to come back with every form that changes something."""

    name: str  # of the token; "" where nobody signs in
    may_act: bool
    form_token: str
    until_at: datetime | None = None
    may_read: bool = True  # every page, not packages alone
    may_export: bool = False  # take packages
    may_export_all: bool = False  # also those with names, or with lines and devices


VISITOR = aiohttp.web.RequestKey("visitor", Visitor)


def may_sign_in(token: tokens_model.Token) -> bool:
    """To see the pages, or packages alone."""
    return token.allows("read") or token.allows("export")


@dataclass(frozen=True, slots=True)
class _Session:
    digest: str  # of the token, which is looked up at every request: it may have been revoked
    form_token: str
    until_at: datetime


@dataclass(slots=True)
class Sessions:
    """By the hash of the cookie's value, so that not even a picture of the memory lets somebody in."""

    known: tokens.Tokens
    _open: OrderedDict[str, _Session] = field(default_factory=OrderedDict)

    def begin(self, token: tokens_model.Token, now: datetime) -> str:
        """The value of the new session's cookie."""
        value = secrets.token_urlsafe(32)
        self._open[_hash(value)] = _Session(token.digest, secrets.token_urlsafe(32), now + LASTS)
        while len(self._open) > MOST:
            self._open.popitem(last=False)
        return value

    def visitor(self, value: str, now: datetime) -> Visitor | None:
        """Whose cookie it is; None: nobody's, or no longer."""
        session = self._open.get(_hash(value))
        if session is None:
            return None
        token = self.known.holds(session.digest, now.date())
        if token is None or not may_sign_in(token) or now >= session.until_at:
            self.end(value)
            return None
        return Visitor(
            name=token.name,
            may_act=token.allows("admin"),
            form_token=session.form_token,
            until_at=session.until_at,
            may_read=token.allows("read"),
            may_export=token.allows("export"),
            may_export_all=token.allows("export") and token.allows("admin"),
        )

    def end(self, value: str) -> None:
        self._open.pop(_hash(value), None)


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class Failures:
    """Failed attempts by address. Tokens cannot be guessed; this keeps the log readable and the machine quiet."""

    _at: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)

    def are_too_many(self, address: str, now: datetime) -> bool:
        times = self._at.get(address, deque())
        while times and now - times[0] >= WINDOW:
            times.popleft()
        return len(times) >= FAILURES

    def add(self, address: str, now: datetime) -> None:
        self._at.setdefault(address, deque(maxlen=FAILURES)).append(now)
        self._at.move_to_end(address)
        while len(self._at) > _MOST_ADDRESSES:
            self._at.popitem(last=False)
