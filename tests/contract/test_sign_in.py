"""Tokens that many calls share."""

import asyncio
import base64
from collections.abc import Mapping

import msgspec
import pytest

from collectors import errors, sign_in


class Vendor:
    """Gives numbered tokens; refuses those in ``refused``."""

    def __init__(self) -> None:
        self.given = 0
        self.refused: set[str] = set()
        self.now = 0.0

    async def grant(self) -> sign_in.Grant:
        self.given += 1
        await asyncio.sleep(0)
        return sign_in.Grant({"authorization": f"t{self.given}"}, 3600)

    async def call(self, headers: Mapping[str, str]) -> str:
        await asyncio.sleep(0)
        if headers["authorization"] in self.refused:
            raise errors.AuthenticationFailed("refused: check the credentials")
        return headers["authorization"]

    def sign_in(self) -> sign_in.SignIn:
        return sign_in.SignIn(self.grant, monotonic=lambda: self.now)


async def test_calls_that_are_refused_together_sign_in_once() -> None:
    vendor = Vendor()
    visit = vendor.sign_in().visit()
    assert await visit.call(vendor.call) == "t1"
    vendor.refused = {"t1"}
    assert await asyncio.gather(*(visit.call(vendor.call) for _ in range(8))) == ["t2"] * 8
    assert vendor.given == 2


async def test_a_vendor_that_refuses_one_token_after_another_is_not_asked_for_ever() -> None:
    vendor = Vendor()
    visit = vendor.sign_in().visit()
    for number in range(1, 3):
        vendor.refused.add(f"t{number}")
        if number == 1:
            assert await visit.call(vendor.call) == "t2"
    with pytest.raises(errors.AuthenticationFailed):
        await visit.call(vendor.call)
    assert vendor.given == 2


async def test_in_a_long_sweep_a_token_may_end_again_after_it_has_served_a_while() -> None:
    vendor = Vendor()
    visit = vendor.sign_in().visit()
    for number in range(1, 5):
        assert await visit.call(vendor.call) == f"t{number}"
        vendor.now += 1200
        vendor.refused.add(f"t{number}")


async def test_a_token_is_replaced_before_it_ends() -> None:
    vendor = Vendor()
    signed_in = vendor.sign_in()
    await signed_in.token()
    vendor.now = 3600 - sign_in.MARGIN_SECONDS
    await signed_in.token()
    assert vendor.given == 2


async def test_a_token_shows_itself_to_nobody() -> None:
    vendor = Vendor()
    token = await vendor.sign_in().token()
    assert "t1" not in repr(token)
    assert "t1" not in repr(await vendor.grant())


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        (jwt({"iat": 1_000, "exp": 4_600}), 3_600),
        (jwt({"exp": 5_000.5}), 1_000.5),
        (jwt({"exp": 3_000}), None),
        (jwt({"sub": "someone"}), None),
        (jwt({"exp": "soon"}), None),
        (jwt([]), None),
        ("opaque", None),
        ("a.b.c", None),
        ("a.ä.c", None),
    ],
)
def test_a_lifetime_is_read_from_the_token_where_it_tells_one(token: str, seconds: float | None) -> None:
    assert sign_in.jwt_seconds(token, vendor_now=4_000) == seconds
