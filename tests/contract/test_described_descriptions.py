"""Description files: the shipped ones, a district's own, and what is said of those that do not fit."""

import re
import typing
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, registry, simulation
from collectors.described import description, entry, options, simulator
from tests.contract import cases
from tests.contract.cases import LINES, described

SHIPPED = sorted(simulator.BY_NAME)
PAGE = (Path(__file__).parents[2] / "docs" / "collectors" / "described.md").read_text(encoding="utf-8")
TELNYX = (description.SHIPPED / "telnyx.toml").read_text(encoding="utf-8")


def case_of(platform: str) -> cases.Case:
    return next(case for case in described.CASES if case.collector == platform)


def own(path: Path, text: str) -> dict[str, object]:
    """Options of a district's own description with this text."""
    file = path / "own.toml"
    file.write_text(text, encoding="utf-8")
    return {"path": str(file)}


def changed(old: str, new: str) -> str:
    assert TELNYX.count(old) >= 1
    return TELNYX.replace(old, new, 1)


def shown(value: str) -> str:
    """A parameter's name: what is said, not the file."""
    return "" if value.startswith("# Telnyx") else value[:70]


def without(text: str, table: str) -> str:
    return re.sub(rf"\[{re.escape(table)}\][^\[]*", "", text)


def test_shipped_descriptions_are_in_the_package_and_each_has_a_name_and_a_stand_in() -> None:
    files = resources.files("collectors.described") / "platforms"
    shipped = {file.name.removesuffix(".toml") for file in files.iterdir() if file.name.endswith(".toml")}
    assert shipped == set(SHIPPED)
    assert shipped <= registry.COLLECTORS.keys()


@pytest.mark.parametrize("platform", SHIPPED)
def test_shipped_description_asks_for_the_credentials_of_its_stand_in(platform: str) -> None:
    asked = description.shipped(platform).sign_in.credentials()
    assert asked == simulator.BY_NAME[platform].credentials.keys()


@pytest.mark.parametrize("platform", SHIPPED)
async def test_a_districts_own_copy_of_a_description_reads_the_same(platform: str, tmp_path: Path) -> None:
    text = (description.SHIPPED / f"{platform}.toml").read_text(encoding="utf-8")
    case = case_of(platform)
    async with cases.reading(case) as read:
        expected = await read.pages("lines")
    copy = {**case.options, **own(tmp_path, text)}
    mine = cases.Case(**{**vars(case), "collector": "described", "options": copy})
    async with cases.reading(mine) as read:
        assert await read.pages("lines") == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "own.toml is no TOML: Invalid value (at end of document)"),
        (changed('[lines.status]\npath = "status.value"', '[lines.status]\npaht = "status.value"'),
         "own.toml: lines.status.paht is not known; known there: path, words"),
        (changed('page_size = 100', 'page_size = 100\nfilter = "x"'),
         "own.toml: lines.filter is not known; known there: path, rows, page_size, paging, provider_key"),
        (changed('page = "page[number]"', ""), "own.toml: lines.paging.page is missing"),
        (changed('page = "page[number]"', 'pages = "x"'),
         "own.toml: lines.paging.pages is not known; known there: by, page, size, total_pages, total"),
        (changed('by = "page"', 'by = "offset"'), "own.toml: lines.paging.by must be one of page, key"),
        (changed('enabling = "pending"', 'enabling = "going"'),
         "own.toml: lines.status.words[...] must be one of active, suspended, deactivated"),
        (changed('iccid = "iccid"', 'iccid = "iccid."'),
         "own.toml: lines.iccid = iccid.: is no JMESPath expression"),
        (changed('iccid = "iccid"', 'iccid = "@"'), "own.toml: lines.iccid = @: takes the whole row"),
        (changed('iccid = "iccid"', "iccid = 5"), "own.toml: lines.iccid: expected str | null, got int"),
        (changed("page_size = 100", "page_size = 0"), "own.toml: lines.page_size: expected int >= 1"),
        (changed('path = "/sim_cards"', 'path = "/sim_cards?include_pin_puk_codes=true"'),
         "own.toml: lines: path must begin with / and hold no query"),
        (changed('required = ["status"]', 'required = ["last_seen"]'),
         "own.toml: lines: required names last_seen, which is not described"),
        (changed('required = ["status"]', 'required = ["name"]'),
         "own.toml: lines.required[0] must be one of iccid, imei, mdn, status"),
        (changed('rows = "data"\n', ""), "own.toml: lines: a total has a path, but the answer is a list"),
        (changed('total_pages = { path = "meta.total_pages" }', "total_pages = {}"),
         "own.toml: lines.paging.total_pages: give either header or path"),
        (changed('unit_path = "data_limit.unit"', ""), "own.toml: lines.cycle_limit: give either unit or"),
        (changed('unit_path = "data_limit.unit"', 'unit = "TB"'),
         "own.toml: lines.cycle_limit.unit must be one of B, KB, MB, GB"),
        (changed('offline = ["disconnected"]', 'offline = ["connected"]'),
         "own.toml: lines.online: a word stands in two lists"),
        (changed("https://api.telnyx.com/v2", "http://api.telnyx.com/v2"), "base_url must begin with https"),
        (changed("requests_per_second = 5.0", "requests_per_second = 0"), "own.toml: requests_per_second"),
        (changed("[sign_in]", '[sign_in]\nlifetime = "x"'), "own.toml: sign_in: basic, body, answer and lifetime"),
        (changed("[sign_in]", '[sign_in]\npath = "/x"\nlifetime_jwt = "t"'),
         "own.toml: sign_in: lifetime_jwt must be a name in answer"),
        (changed('rows = "data"', 'rows = "meta"'), "own.toml: lines.paging looks for a total in the rows"),
        (without(TELNYX, "sign_in"), "own.toml: sign_in is missing"),
    ],
    ids=shown,
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_place_and_what_is_allowed(
    text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(errors.OptionsInvalid) as caught:
        registry.validate("described", own(tmp_path, text))
    assert words in str(caught.value)
    assert "$" not in str(caught.value)


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ('path = "/x"', "usage: path must hold {provider_key} once"),
        ('path = "/x/{provider_key}"\nparams = { a = "{from}" }', "usage: params must hold {from} once"),
        (
            'path = "/x/{provider_key}"\nparams = { a = "{from}", b = "{to}", c = "{x}" }',
            "nothing else in braces",
        ),
    ],
)
def test_a_wrong_call_for_single_lines_is_refused(usage: str, words: str, tmp_path: Path) -> None:
    rest = 'times = "date"\nday = { path = "d", unit = "date" }\namount = { path = "a", unit = "MB" }\n'
    params = "" if "params" in usage else 'params = { a = "{from}", b = "{to}" }\n'
    text = f"{TELNYX}\n[usage]\n{usage}\n{params}{rest}"
    with pytest.raises(errors.OptionsInvalid, match=re.escape(words)):
        registry.validate("described", own(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.OptionsInvalid, match=r"absent\.toml cannot be read: No such file"):
        registry.validate("described", {"path": str(tmp_path / "absent.toml")})


def test_a_file_that_goes_after_it_was_checked_is_named(tmp_path: Path) -> None:
    checked = registry.validate("described", own(tmp_path, TELNYX))
    (tmp_path / "own.toml").unlink()
    for use in (entry.ENTRIES["described"].groups, entry.ENTRIES["described"].credentials):
        with pytest.raises(errors.OptionsInvalid, match=r"own\.toml cannot be read"):
            use(checked)


def test_a_missing_credential_of_a_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.OptionsInvalid, match="needs the credentials password, username"):
        registry.validate("1nce", {}, {"api_key"})
    text = changed("{api_key}", "{account}:{secret}")
    with pytest.raises(errors.OptionsInvalid, match="needs the credentials account, secret"):
        registry.validate("described", own(tmp_path, text), set())


@pytest.mark.parametrize(
    ("platform", "given", "words"),
    [
        ("1nce", {"page_size": 101}, "page_size: 1NCE takes 100 at most"),
        ("1nce", {"history_days": 181}, "history_days: 1NCE tells of 180 days at most"),
        ("1nce", {"path": "own.toml"}, "options.path is not known"),
        ("telnyx", {"base_url": "http://api.telnyx.com"}, "base_url must begin with https"),
        ("telnyx", {"megabyte_bytes": 1000}, "options.megabyte_bytes must be one of 1000000, 1048576"),
        ("soracom", {"statuses": {"x": "gone"}}, "must be one of active, suspended"),
        ("described", {}, "options.path is missing"),
    ],
)
def test_an_option_that_does_not_fit_the_description_is_named(
    platform: str, given: dict[str, object], words: str
) -> None:
    with pytest.raises(errors.OptionsInvalid, match=words):
        registry.validate(platform, given)


async def own_telnyx(tmp_path: Path, text: str, fault: simulation.Fault | None = None) -> list[Any]:
    case = case_of("telnyx")
    mine = cases.Case(
        **{**vars(case), "collector": "described", "options": {"page_size": 10, **own(tmp_path, text)}}
    )
    async with cases.reading(mine) as read:
        if fault is not None:
            read.stand.faults.next(fault, endpoint="lines", times=99)
        return await read.pages("lines")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed('path = "status.value"', 'path = "state.value"'),
         "lines.status.path = state.value: expected text, of at most 200 characters, found nothing"),
        (changed('provider_key = "id"', 'provider_key = "tags"'),
         "lines.provider_key = tags: expected text or a whole number, not blank, of at most 64 characters, found a"),
        (changed('iccid = "iccid"', 'iccid = "data_limit"'),
         "lines.iccid = data_limit: expected text or a whole number, of at most 64 characters, found an object"),
        (changed('path = "data_limit.amount"', 'path = "data_limit.unit"'),
         "lines.cycle_limit.path = data_limit.unit: expected a number, or one written as text, found other text"),
        (changed('unit_path = "data_limit.unit"', 'unit_path = "data_limit.size"'),
         "lines.cycle_limit.unit_path = data_limit.size: expected one of B, KB, MB, GB, found nothing"),
        (changed('imei = "current_imei"', 'imei = "length(voice_enabled)"'),
         "of at most 64 characters, found what the expression cannot be applied to"),
        (re.sub(r"\n(online|offline|not_told) = .*", "", TELNYX),
         "lines.online.path = live_data_session: expected true or false, found text"),
        (changed("meta.total_pages", "meta.pages"),
         "lines.paging.total_pages = meta.pages: expected a whole number, found nothing"),
        (changed('{ path = "meta.total_pages" }', '{ header = "X-Pages" }'),
         "lines.paging.total_pages = header X-Pages: expected a whole number, found nothing"),
        (changed("meta.total_results", "meta"), "lines.paging.total = meta: expected a whole number, found an object"),
        (changed('rows = "data"', 'rows = "sims"'), "the list has another shape than expected: sims: missing"),
    ],
    ids=shown,
)  # fmt: skip
async def test_a_description_that_does_not_fit_its_answers_fails_with_path_and_expectation(
    text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(errors.ResponseInvalid) as caught:
        await own_telnyx(tmp_path, text)
    assert words in str(caught.value)
    for value in cases.PRIVATE.values():
        assert value not in f"{caught.value} {caught.value.__cause__!r}"


async def test_rows_that_are_no_list_are_told_with_what_was_expected(tmp_path: Path) -> None:
    fault = simulation.changed(lambda body: body.update(data={"surprise": 1}))
    with pytest.raises(
        errors.ResponseInvalid, match=r"the list has another shape than expected: .*expected array"
    ):
        await own_telnyx(tmp_path, TELNYX, fault)


async def test_what_does_not_fit_in_one_row_is_a_rejection_that_names_field_and_path(tmp_path: Path) -> None:
    def change(body: Any) -> None:
        body["data"][1]["status"] = {"reason": None}
        body["data"][2] = "no row"
        body["data"][4]["data_limit"]["unit"] = "firkins"

    pages = await own_telnyx(tmp_path, TELNYX, simulation.changed(change))
    first = pages[0]
    assert [(rejection.path, rejection.reason) for rejection in first.rejected] == [
        (
            "data[1].status.value",
            "expected text, of at most 200 characters, found nothing (lines.status.path)",
        ),
        ("data[2]", "expected object, got str"),
        (
            "data[4].data_limit.unit",
            "expected one of B, KB, MB, GB, found another word (lines.cycle_limit.unit_path)",
        ),
    ]
    assert len(first.sightings) == 7


async def test_a_last_page_of_one_bad_row_does_not_end_a_sweep_that_fitted_before() -> None:
    def change(body: Any) -> None:
        if len(body["data"]) == 1:
            body["data"][0]["id"] = None

    async with cases.reading(case_of("telnyx"), lines=range(21)) as read:
        read.stand.faults.next(simulation.changed(change), endpoint="lines", times=99)
        pages = await read.pages("lines")
    assert len(cases.keys(pages)) == 20
    assert [rejection.path for page in pages for rejection in page.rejected] == ["data[0].id"]


async def test_the_probe_names_fields_that_tell_nothing() -> None:
    def change(body: Any) -> None:
        for row in body["data"]:
            del row["live_data_session"], row["current_imei"]

    async with cases.reading(case_of("telnyx")) as read:
        read.stand.faults.next(simulation.changed(change), endpoint="lines")
        probe = await read.collector.probe()
    assert probe.lines == len(LINES)
    assert [(doubt.path, doubt.reason) for doubt in probe.rejected] == [
        ("current_imei", "absent: if it is absent everywhere, correct lines.imei"),
        ("live_data_session", "absent: if it is absent everywhere, correct lines.online.path"),
    ]


async def test_the_probe_says_nothing_of_an_empty_account() -> None:
    async with cases.reading(case_of("telnyx"), lines=range(0)) as read:
        assert await read.collector.probe() == await read.collector.probe()
        assert (await read.collector.probe()).rejected == []


def tables(kind: Any) -> set[type[msgspec.Struct]]:
    """The tables of the file that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {kind}.union(*(tables(field.type) for field in msgspec.structs.fields(kind)))
    return set().union(*(tables(part) for part in typing.get_args(kind)))


def test_every_word_of_the_language_is_in_the_page() -> None:
    names = {field.name for part in tables(description.Description) for field in msgspec.structs.fields(part)}
    assert {"provider_key", "next_header", "lifetime_jwt", "most_days", "unit_path"} <= names
    assert not [name for name in sorted(names) if f"`{name}`" not in PAGE and f"\n{name} = " not in PAGE]


def test_the_pages_example_is_a_description(tmp_path: Path) -> None:
    example = next(
        block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[sign_in]" in block
    )
    assert registry.validate("described", own(tmp_path, example)) is not None


def test_options_say_otherwise_than_the_description() -> None:
    told = options.Settings.of(options.Telnyx())
    assert (told.base_url, told.page_size, told.requests_per_second) == (
        "https://api.telnyx.com/v2",
        100,
        5.0,
    )
    own = options.Telnyx(base_url="https://sims.example/", page_size=7, requests_per_second=0.5)
    said = options.Settings.of(own)
    assert (said.base_url, said.page_size, said.requests_per_second) == ("https://sims.example", 7, 0.5)
