"""One call for each line: some at a time, in order, and one that fails spoils no other."""

import asyncio

import pytest

from collectors import errors, fan_out, readings


async def test_answers_come_in_order_with_so_many_at_once() -> None:
    under_way = most = 0

    async def call(number: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001 * (10 - number % 10))
        under_way -= 1
        return number

    found = await fan_out.each(range(20), call, [], at_once=3, path="devices")
    assert found == list(range(20))
    assert most == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.NotFound("gone"), "the vendor does not know this line"),
        (errors.ResponseInvalid("the usage is no number"), "the usage is no number"),
    ],
)
async def test_a_line_that_fails_is_rejected_by_itself(error: errors.CollectorError, reason: str) -> None:
    async def call(number: int) -> int:
        if number == 2:
            raise error
        return number

    rejected: list[readings.Rejection] = []
    assert await fan_out.each(range(4), call, rejected, at_once=2, path="devices") == [0, 1, 3]
    assert rejected == [readings.Rejection("devices[2]", reason)]


async def test_where_every_line_fails_the_vendor_does() -> None:
    async def call(number: int) -> int:
        raise errors.ResponseInvalid("odd")

    with pytest.raises(errors.ResponseInvalid, match="odd"):
        await fan_out.each(range(fan_out.MANY), call, [], at_once=2, path="devices")
    rejected: list[readings.Rejection] = []
    assert await fan_out.each(range(3), call, rejected, at_once=2, path="devices") == []
    assert len(rejected) == 3  # a few may all be odd


async def test_a_fault_of_the_vendor_ends_all_calls() -> None:
    asked = []

    async def call(number: int) -> int:
        asked.append(number)
        if number == 1:
            raise errors.Unavailable("away")
        await asyncio.sleep(0.01)
        return number

    with pytest.raises(errors.Unavailable, match="away"):
        await fan_out.each(range(100), call, [], at_once=2, path="devices")
    assert len(asked) < 10
