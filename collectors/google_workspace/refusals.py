"""What Google's refusals mean. Its words are matched, never repeated: they may name a person."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from collectors import client, errors

THROTTLED = frozenset(
    {
        "userRateLimitExceeded",
        "rateLimitExceeded",
        "quotaExceeded",
        "RATE_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
    }
)
SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
FORBIDDEN = 403

DELEGATE = (
    "delegate the scopes that the page of this collector names to the service account's client ID, "
    "domain-wide, in the Admin console"
)
CHECK = (
    "check that the service account's key still exists, that subject is an admin of this Workspace, "
    "and that this machine's clock is right"
)
SIGN_IN: Mapping[str, tuple[type[errors.CollectorError], str]] = MappingProxyType(
    {
        "invalid_grant": (
            errors.AuthenticationFailed,
            f"Google refused the sign-in (invalid_grant): {CHECK}",
        ),
        "invalid_client": (
            errors.AuthenticationFailed,
            "Google refused the sign-in (invalid_client): check that the service account still exists",
        ),
        "unauthorized_client": (
            errors.PermissionDenied,
            f"Google knows the service account but gives it no token (unauthorized_client): {DELEGATE}",
        ),
        "access_denied": (
            errors.PermissionDenied,
            f"Google gives the service account no token (access_denied): {DELEGATE}",
        ),
        "invalid_scope": (
            errors.PermissionDenied,
            f"Google gives the service account no token for these scopes (invalid_scope): {DELEGATE}",
        ),
    }
)


class Reason(msgspec.Struct, frozen=True):
    reason: str | None = None


class Error(msgspec.Struct, frozen=True):
    status: str | None = None
    errors: tuple[Reason, ...] = ()
    details: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> set[str | None]:
        return {self.status, *(each.reason for each in (*self.errors, *self.details))}


class Refusal(msgspec.Struct, frozen=True):
    """An API tells a table, the sign-in a word."""

    error: Error | str | None = None


REFUSAL = msgspec.json.Decoder(Refusal)


def judge(answer: client.Answer) -> errors.CollectorError | None:
    """Read a refusal by its reason; None where the status code says it all."""
    error = _decoded(answer.body)
    if isinstance(error, str) and error in SIGN_IN:
        kind, words = SIGN_IN[error]
        return kind(words)
    if answer.status != FORBIDDEN:
        return None
    return _forbidden(error.reasons if isinstance(error, Error) else set())


def _forbidden(reasons: set[str | None]) -> errors.CollectorError:
    if reasons & THROTTLED:
        return errors.RateLimited("Google asks for a slower pace")
    if reasons & SWITCHED_OFF:
        return errors.PermissionDenied(
            "Google answered 403: enable the Admin SDK API and the Chrome Management API in the service account's "
            "Google Cloud project"
        )
    return errors.PermissionDenied(
        f'Google answered 403: {DELEGATE}, and give subject the privilege "Manage ChromeOS Devices (read only)"; '
        "if only telemetry is refused and you do without it, set telemetry = false"
    )


def _decoded(body: bytes) -> Error | str | None:
    try:
        return REFUSAL.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
