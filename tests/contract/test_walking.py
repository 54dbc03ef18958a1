"""Lists are walked by what each page says of the next, and not round in circles."""

from collections.abc import Callable

import pytest

from collectors import errors, walking
from collectors.walking import Fetched

Rows = list[int]


def page(rows: Rows, following: str | None) -> Fetched[Rows]:
    return Fetched(rows, repr(rows).encode(), len(rows), following)


async def walked(fetch: Callable[[str], Fetched[Rows]], *, may_be_empty: bool = False) -> Rows:
    async def asked(at: str) -> Fetched[Rows]:
        return fetch(at)

    walk = walking.walk(asked, "0", may_be_empty=may_be_empty)
    return [row async for fetched in walk for row in fetched.page]


async def test_pages_come_in_order_until_the_last() -> None:
    pages = {"0": page([1, 2], "a"), "a": page([3], "b"), "b": page([4], None)}
    assert await walked(pages.__getitem__) == [1, 2, 3, 4]


async def test_a_list_that_leads_back_is_found_out() -> None:
    pages = {"0": page([1], "a"), "a": page([2], "0")}
    with pytest.raises(errors.ResponseInvalid, match="leads back"):
        await walked(pages.__getitem__)


async def test_the_same_rows_under_another_cursor_are_asked_for_once_more() -> None:
    answers = iter([page([1], "a"), page([1], "a"), page([2], None)])
    assert await walked(lambda at: next(answers)) == [1, 2]
    with pytest.raises(errors.ResponseInvalid, match="same page twice"):
        await walked(lambda at: page([1], f"{at}0"))


async def test_an_empty_page_before_the_end_is_asked_for_once_more() -> None:
    answers = iter([page([1], "a"), page([], "b"), page([2], "b"), page([3], None)])
    assert await walked(lambda at: next(answers)) == [1, 2, 3]
    with pytest.raises(errors.ResponseInvalid, match="empty before its end"):
        await walked(lambda at: page([], f"{at}0"))


async def test_where_pages_may_be_empty_a_few_are_passed_over() -> None:
    some = {"0": page([1], "a"), "a": page([], "b"), "b": page([], "c"), "c": page([2], None)}
    assert await walked(some.__getitem__, may_be_empty=True) == [1, 2]
    with pytest.raises(errors.ResponseInvalid, match="one empty page after another"):
        await walked(lambda at: page([], f"{at}0"), may_be_empty=True)


async def test_a_list_that_never_ends_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_PAGES", 20)
    with pytest.raises(errors.ResponseInvalid, match="never ends: it goes on after 20 pages"):
        await walked(lambda at: page([int(at)], str(int(at) + 1)))


async def test_an_empty_list_has_one_page() -> None:
    assert await walked(lambda at: page([], None)) == []
