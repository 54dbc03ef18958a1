"""What Control Center says when it refuses: its own error code, for it has no status for "too many requests"."""

from collections.abc import Collection
from http import HTTPStatus

import msgspec

from collectors import client, errors

CODE_DIGITS = 12


class BadRequest(errors.ResponseInvalid):
    """The vendor did not accept what was asked for."""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """The message is not named: it may be in another charset than JSON's, and is never decoded."""

    code: str | int | None = msgspec.field(name="errorCode", default=None)


def judge(throttling_codes: Collection[str]) -> client.Judge:
    """Reads refusals of an account in which these error codes ask for a slower pace."""

    def judged(answer: client.Answer) -> errors.CollectorError | None:
        code = error_code(answer.body)
        if code in throttling_codes:
            return errors.RateLimited("Control Center asked to slow down: lower requests_per_second")
        named = f" with error code {code}" if code else ""
        if answer.status == HTTPStatus.BAD_REQUEST:
            return BadRequest(
                f"Control Center answered 400{named}: check base_url, account_id and list_since, "
                "and throttling_codes if the code stands for too many requests"
            )
        if answer.status == HTTPStatus.FORBIDDEN:
            return errors.PermissionDenied(
                f"Control Center answered 403{named}: ask for a role that may search devices and read their usage "
                "and sessions; check throttling_codes if the code stands for too many requests"
            )
        return None

    return judged


def error_code(body: bytes) -> str | None:
    """The vendor's code, a number; None where it tells none, as it does without credentials."""
    try:
        code = str(msgspec.json.decode(body, type=Refusal).code)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return code if code.isascii() and code.isdecimal() and len(code) <= CODE_DIGITS else None
