"""The calls to an Ed-Fi ODS/API: sign-in and lists. Only reads."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec

from collectors import budget, client, decoding, entry, errors, sign_in
from collectors.ed_fi import options as ed_fi_options

ASSOCIATIONS, SCHOOLS = "studentEducationOrganizationAssociations", "schools"
LIFETIME_SECONDS = 1800.0  # of a token whose answer does not tell
REFUSED = frozenset({"invalid_client", "unauthorized_client", "invalid_grant"})  # OAuth's words for it
GRANT = {"grant_type": "client_credentials"}


class Token(msgspec.Struct, frozen=True, gc=False):
    access_token: Annotated[str, msgspec.Meta(min_length=1, max_length=16_384)]
    expires_in: Annotated[float, msgspec.Meta(gt=0)] = LIFETIME_SECONDS


class Refusal(msgspec.Struct, frozen=True, gc=False):
    error: str | None = None


TOKENS = msgspec.json.Decoder(Token)
REFUSALS = msgspec.json.Decoder(Refusal)


class Api:
    """One key at one host."""

    def __init__(
        self,
        options: ed_fi_options.Options,
        credentials: Mapping[str, str],
        *,
        budgets: budget.Budgets,
        transport: client.Transport | None = None,
        limits: client.Limits | None = None,
    ) -> None:
        self._options = options
        self._credentials = credentials
        fingerprint = budget.fingerprint("ed_fi", options.address, credentials["key"], credentials["secret"])
        spending = entry.Spending(fingerprint, budget.Terms(options.requests_per_second))
        wires = entry.Wires(budgets, transport, limits=limits)
        self._http = wires.client(options.address, spending, judge=judge)
        self._visit = sign_in.SignIn(self._granted).visit()

    async def page(self, resource: str, offset: int) -> client.Answer:
        """One page of a list, with the length of the whole list in its headers. Raises CollectorError."""
        params: dict[str, str | int] = {
            "offset": offset,
            "limit": self._options.page_size,
            "totalCount": "true",
        }
        url = self._options.resource_address(resource)
        return await self._visit.call(lambda headers: self._http.get(url, params=params, headers=headers))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _granted(self) -> sign_in.Grant:
        pair = sign_in.basic(self._credentials["key"], self._credentials["secret"])
        answer = await self._http.post(self._options.token_address, form=GRANT, headers=pair)
        token = decoding.whole(TOKENS, answer.body, "the sign-in's answer")
        return sign_in.Grant(sign_in.bearer(token.access_token), token.expires_in)


def judge(answer: client.Answer) -> errors.CollectorError | None:
    """The sign-in may refuse as OAuth does, with a code in place of the status 401."""
    if answer.status != HTTPStatus.BAD_REQUEST:
        return None
    try:
        word = REFUSALS.decode(answer.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if word not in REFUSED:
        return None
    return errors.AuthenticationFailed(
        "the sign-in answered 400: the key and secret were refused: check them"
    )
