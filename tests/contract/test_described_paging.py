"""Lists that change while they are read, sweeps that were interrupted, and pages that are short or empty."""

from collections.abc import Callable
from typing import Any

import httpx
import hypothesis
import msgspec
import pytest
from hypothesis import strategies

from collectors import client, errors, simulation
from collectors.described import description, options, paging, parse
from collectors.described.stand_ins import soracom, telnyx
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, Reading, described

NUMBERED = ("1nce", "emnify", "telnyx")
PLATFORMS = (*NUMBERED, "soracom")


def case_of(platform: str) -> cases.Case:
    return next(case for case in described.CASES if case.collector == platform)


def on_page(read: Reading, page: int, act: Callable[[], object]) -> None:
    """Do something to the world just before this page of the list is answered."""
    read.stand.faults.next(simulation.first(act), endpoint="lines", after=page - 1)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("gone", "page"), [(1, 2), (1, 3), (4, 2), (12, 3), (12, 2)])
async def test_a_list_that_shrinks_while_it_is_read_loses_no_line(
    platform: str, gone: int, page: int
) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        lines = read.stand.lines  # type: ignore[attr-defined]
        on_page(read, page, lambda: lines.__delitem__(slice(0, gone)))
        found = await read.pages("lines")
    assert cases.keys(found) >= case.keys(range(gone, 25))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_lines_that_go_one_after_the_other_lose_no_line(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case, lines=range(60)) as read:
        lines = read.stand.lines  # type: ignore[attr-defined]
        for page in range(2, 9):
            on_page(read, page, lambda: lines.pop(0))
        found = await read.pages("lines")
    assert cases.keys(found) >= case.keys(range(7, 60))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_line_that_goes_from_behind_the_page_loses_no_line(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        lines = read.stand.lines  # type: ignore[attr-defined]
        on_page(read, 2, lines.pop)
        found = await read.pages("lines")
    assert cases.keys(found) == case.keys(range(24))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_list_that_grows_while_it_is_read_loses_no_line(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        lines = read.stand.lines  # type: ignore[attr-defined]
        on_page(read, 2, lambda: lines.insert(0, described.line(99, platform)))
        found = await read.pages("lines")
    assert cases.keys(found) >= case.keys(LINES)


async def test_without_a_total_a_list_that_loses_a_page_is_read_again() -> None:
    case = case_of("telnyx")
    stand = described.stand("telnyx", LINES)
    assert isinstance(stand, telnyx.Telnyx)
    stand.tells_total = False
    async with cases.reading(case, stand=stand) as read:
        on_page(read, 2, lambda: stand.lines.__delitem__(slice(0, 10)))
        found = await read.pages("lines")
        assert (await read.collector.probe()).lines is None
    assert cases.keys(found) >= case.keys(range(10, 25))
    assert {page.total for page in found} == {None}


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_an_interrupted_sweep_goes_on_after_its_last_stored_page(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        first, *_ = await read.pages("lines")
        before = read.stand.faults.seen("lines")
        rest = await read.pages("lines", cursor=first.cursor)
        assert read.stand.faults.seen("lines") - before == 2
    assert cases.keys(rest) == case.keys(LINES) - cases.keys([first])


@pytest.mark.parametrize("platform", NUMBERED)
async def test_lines_that_went_while_a_sweep_was_interrupted_hide_no_other(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        first, *_ = await read.pages("lines")
        del read.stand.lines[:3]  # type: ignore[attr-defined]
        rest = await read.pages("lines", cursor=first.cursor)
    assert cases.keys([first, *rest]) >= case.keys(range(3, 25))


@pytest.mark.parametrize("platform", NUMBERED)
@pytest.mark.parametrize("cursor", ["2:25:7", "0:25:10", "nonsense", "2:25", ""])
async def test_a_cursor_that_does_not_fit_begins_anew(platform: str, cursor: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        assert cases.keys(await read.pages("lines", cursor=cursor)) == case.keys(LINES)


async def test_a_resumed_sweep_may_end_with_a_bad_row() -> None:
    case = case_of("1nce")
    async with cases.reading(case, lines=range(21)) as read:
        *_, before, _ = await read.pages("lines")
        read.stand.faults.next(simulation.changed(lambda rows: rows[0].pop("status")), endpoint="lines")
        (page,) = await read.pages("lines", cursor=before.cursor)
    assert [rejection.path for rejection in page.rejected] == ["lines[0].status"]


@pytest.mark.parametrize("shortened", [3, 9])
async def test_a_short_page_of_soracom_is_not_the_end(shortened: int) -> None:
    stand = described.stand("soracom", LINES)
    assert isinstance(stand, soracom.Soracom)
    stand.shortened = shortened
    async with cases.reading(case_of("soracom"), stand=stand) as read:
        found = await read.pages("lines")
    assert cases.keys(found) == case_of("soracom").keys(LINES)


async def test_an_empty_last_page_of_soracom_is_no_error() -> None:
    stand = described.stand("soracom", range(20))
    assert isinstance(stand, soracom.Soracom)
    stand.ends_with_key = True
    async with cases.reading(case_of("soracom"), stand=stand) as read:
        found = await read.pages("lines")
        assert stand.faults.seen("lines") == 3
    assert cases.keys(found) == case_of("soracom").keys(range(20))


async def test_a_key_that_comes_back_is_found_out() -> None:
    async def again(call: simulation.Call) -> Any:
        answer: Any = await call.reply()
        answer.headers["x-soracom-next-key"] = "always the same"
        return answer

    async with cases.reading(case_of("soracom")) as read:
        read.stand.faults.next(again, endpoint="lines", times=99)
        with pytest.raises(errors.ResponseInvalid, match="leads back to a page that was read"):
            await read.pages("lines")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "found nothing"),
        ("many", "found other text"),
        ("-1", "found other text"),
        ("9" * 10, "found other text"),
    ],
)
async def test_pages_without_their_number_are_an_error(header: str | None, words: str) -> None:
    async def other(call: simulation.Call) -> Any:
        answer: Any = await call.reply()
        del answer.headers["X-Total-Pages"]
        if header is not None:
            answer.headers["X-Total-Pages"] = header
        return answer

    async with cases.reading(case_of("emnify")) as read:
        read.stand.faults.next(other, endpoint="lines")
        with pytest.raises(
            errors.ResponseInvalid, match="header X-Total-Pages: expected a whole number, " + words
        ):
            await read.pages("lines")


@pytest.mark.parametrize(
    ("platform", "first", "second"),
    [
        ("1nce", {"page": "1", "pageSize": "10"}, {"page": "2", "pageSize": "10"}),
        ("emnify", {"page": "1", "per_page": "10"}, {"page": "2", "per_page": "10"}),
        ("telnyx", {"page[number]": "1", "page[size]": "10"}, {"page[number]": "2", "page[size]": "10"}),
        ("soracom", {"limit": "10"}, {"limit": "10", "last_evaluated_key": "{key}"}),
    ],
)
async def test_pages_are_asked_for_with_these_parameters_and_no_others(
    platform: str, first: dict[str, str], second: dict[str, str]
) -> None:
    async with cases.reading(case_of(platform)) as read:
        await read.pages("lines")
        key = sorted(line.iccid for line in read.stand.lines)[9]  # type: ignore[attr-defined]
        asked = [dict(httpx.URL(sent.url).params) for sent in read.network.sent if sent.method == "GET"]
    assert asked[0] == first
    assert asked[1] == {name: value.replace("{key}", key) for name, value in second.items()}


@hypothesis.given(strategies.data())
async def test_numbered_pages_lose_no_line_that_stays(data: Any) -> None:
    """Lines go from anywhere, and come, before any page; those that stay all the while are all read."""
    size = data.draw(strategies.integers(1, 5))
    lines = list(range(data.draw(strategies.integers(0, 30))))
    stayed, seen = set(lines), set()
    described_paging = description.shipped("1nce").lines.paging
    assert isinstance(described_paging, description.ByPage)
    paged = paging.ByPage(described_paging, size)
    parser = parse.Parser(options.Settings.of(options.OneNce()))
    made = described.stand("1nce", range(0))

    async def get(params: paging.Params) -> client.Answer:
        if lines and data.draw(strategies.booleans()):
            for _ in range(data.draw(strategies.integers(0, 6))):
                if lines:
                    stayed.discard(lines.pop(data.draw(strategies.integers(0, len(lines) - 1))))
        number = int(params["page"])
        rows = [made.row(described.line(line, "1nce")) for line in lines]
        return _page(rows, number, size)

    at: str | None = paged.start(None)
    for _ in range(500):
        fetched = await paged.fetch(at or "", get, lambda answer: parser.lines(answer, instant=INSTANT))
        seen |= {sighting.provider_key for sighting in fetched.page.sightings}
        at = fetched.next
        if at is None:
            break
    assert at is None
    assert seen >= {made.key(described.line(line, "1nce")) for line in stayed}


def _page(rows: list[cases.Row], number: int, size: int) -> client.Answer:
    held = rows[(number - 1) * size : number * size]
    headers = {"X-Total-Pages": str(-(-len(rows) // size)), "X-Total-Count": str(len(rows))}
    return client.Answer(200, headers, msgspec.json.encode(held))
