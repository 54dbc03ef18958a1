"""What ThingSpace's refusals mean. Nearly all are HTTP 400: the code tells them apart, the message may change."""

import re
from http import HTTPStatus

import msgspec

from collectors import client, errors

SESSION = ("SessionToken.Expired", "SessionToken.Format", "SessionToken.Invalid")
ACCOUNT = ("AccountNotFound", "AccountName", "Account.NotDefined", "NoAccounts", "MultipleAccounts")
OAUTH = frozenset({"invalid_client", "unauthorized_client", "invalid_token", "invalid_grant"})
CODE = re.compile(r"[A-Za-z0-9_.\-]{1,120}")


class Refused(errors.ResponseInvalid):
    """Refused with a code that says nothing in particular to us."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the vendor refused the request ({code}): check the options")
        self.code = code


class UnknownDevice(errors.NotFound):
    """The vendor lists a device, and does not know it where its history is asked for."""


class _Body(msgspec.Struct, frozen=True):
    code: str | None = msgspec.field(name="errorCode", default=None)
    error: str | None = None


_DECODER = msgspec.json.Decoder(_Body)


def judge(answer: client.Answer) -> errors.CollectorError | None:
    """Read a refusal by the end of its code; None where the status says it all."""
    body = _read(answer.body)
    if answer.status != HTTPStatus.BAD_REQUEST:
        return None
    if body.error in OAUTH:
        return errors.AuthenticationFailed("the OAuth sign-in was refused: check key and secret")
    return _by_code(body.code) if body.code and CODE.fullmatch(body.code) else None


def _by_code(code: str) -> errors.CollectorError:
    if code.endswith(SESSION):
        return errors.AuthenticationFailed(f"the session was refused ({code}): check username and password")
    if code.endswith("MaxRequestsExceeded"):
        return errors.RateLimited(f"too many requests ({code}): lower requests_per_second")
    if code.endswith("DeviceNotFound"):
        return UnknownDevice(f"the vendor does not know this device ({code})")
    if code.endswith(ACCOUNT):
        return errors.NotFound(f"no account, or not this user's ({code}): check the option account_name")
    return Refused(code)


def _read(body: bytes) -> _Body:
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Body()
