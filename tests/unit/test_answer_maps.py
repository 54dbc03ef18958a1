"""What answers mean: Ed-Fi's codes, the wording of two states, and a district's own."""

from pathlib import Path

import pytest

from service import errors
from service.imports import answer_maps, cells
from service.model.need import AccessType, Barrier, Performance
from tests import files


def meaning(map_name: str, element: str, wording: cells.Cell) -> dict[str, object]:
    return dict(answer_maps.load(map_name).question(element).meaning(wording))


@pytest.mark.parametrize(
    ("element", "wording", "means"),
    [
        ("has_access", "true", True),
        ("has_access", True, True),
        ("has_access", "FALSE", False),
        ("access_type", "Residential Broadband", AccessType.RESIDENTIAL_BROADBAND),
        ("access_type", "Cellular Network", AccessType.CELLULAR_NETWORK),
        ("access_type", "Hot Spot", AccessType.HOT_SPOT),
        ("access_type", "Community Provided Wi-Fi", AccessType.COMMUNITY_WIFI),
        ("access_type", "Satellite", AccessType.SATELLITE),
        ("access_type", "Dial-up", AccessType.DIAL_UP),
        ("access_type", "Other", AccessType.OTHER),
        ("access_type", "None", AccessType.NONE),
        ("access_type", "Unknown", AccessType.UNKNOWN),
        ("access_type", " hotspot ", AccessType.HOT_SPOT),
        (
            "access_type",
            "uri://ed-fi.org/InternetAccessTypeInResidenceDescriptor#Hot Spot",
            AccessType.HOT_SPOT,
        ),
        ("access_type", "uri://doe.example.gov/InternetAccessType#Dial-up", AccessType.DIAL_UP),
        ("barrier", "Not Available", Barrier.NOT_AVAILABLE),
        ("barrier", "Not Affordable", Barrier.NOT_AFFORDABLE),
        ("barrier", "Not Desired", Barrier.NOT_DESIRED),
        ("barrier", "Other", Barrier.OTHER),
        ("performance", "Yes", Performance.YES),
        ("performance", "Sometimes", Performance.SOMETIMES),
        ("performance", "No", Performance.NO),
        ("documented_by_staff", "yes", True),
    ],
)
def test_every_code_of_ed_fi_is_known(element: str, wording: cells.Cell, means: object) -> None:
    assert meaning("ed-fi", element, wording) == {element: means}


@pytest.mark.parametrize(
    ("wording", "means"),
    [
        ("Yes", {"has_access": True}),
        ("No - Not Available", {"has_access": False, "barrier": Barrier.NOT_AVAILABLE}),
        ("No – Not Affordable", {"has_access": False, "barrier": Barrier.NOT_AFFORDABLE}),
        ("no-other", {"has_access": False, "barrier": Barrier.OTHER}),
    ],
)
def test_one_answer_of_minnesota_tells_two_things(wording: str, means: dict[str, object]) -> None:
    assert meaning("minnesota", "has_access", wording) == means


@pytest.mark.parametrize(
    ("map_name", "element", "wording", "means"),
    [
        ("minnesota", "access_type", "SchoolProvidedHotSpot", AccessType.HOT_SPOT),
        ("minnesota", "access_type", "ResidentialBroadband", AccessType.RESIDENTIAL_BROADBAND),
        ("minnesota", "performance", "Yes - No issues", Performance.YES),
        ("minnesota", "performance", "Yes - But not consistent", Performance.SOMETIMES),
        ("minnesota", "performance", "No", Performance.NO),
        ("wisconsin", "has_access", "False", False),
        ("wisconsin", "has_access", "Yes", True),
        ("wisconsin", "barrier", "Not Desired", Barrier.NOT_DESIRED),
        ("wisconsin", "access_type", "Community Provided Wi-Fi", AccessType.COMMUNITY_WIFI),
        ("wisconsin", "performance", "Sometimes", Performance.SOMETIMES),
    ],
)
def test_the_states_wordings_are_known(map_name: str, element: str, wording: str, means: object) -> None:
    assert meaning(map_name, element, wording) == {element: means}


def test_an_empty_cell_says_nothing() -> None:
    assert meaning("ed-fi", "access_type", "  ") == {}


@pytest.mark.parametrize("element", ["barrier", "performance"])
def test_unknown_is_an_answer_only_where_the_vocabulary_has_it(element: str) -> None:
    with pytest.raises(cells.Invalid, match="none of the answers that the map knows: "):
        meaning("ed-fi", element, "Unknown")


def test_a_wording_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(cells.Invalid, match="Yes, Sometimes, No") as caught:
        meaning("ed-fi", "performance", "Wilhelmina Placeholder")
    assert "Placeholder" not in str(caught.value)


def own(folder: Path, *lines: str) -> str:
    return str(files.written(folder, "own.toml", *lines))


def test_a_map_without_wordings_knows_yes_and_no_and_the_kinds(tmp_path: Path) -> None:
    name = own(tmp_path, "[columns]", 'student = "id"', 'has_access = "online"', 'access_type = "kind"')
    assert meaning(name, "has_access", "N") == {"has_access": False}
    assert meaning(name, "access_type", "Hot Spot") == {"access_type": AccessType.HOT_SPOT}


def test_a_map_may_name_what_is_as_good_as_empty(tmp_path: Path) -> None:
    lines = (
        "[file]",
        'blank = ["N/A", "Prefer not to say"]',
        "[columns]",
        'student = "id"',
        'has_access = "online"',
    )
    assert meaning(own(tmp_path, *lines), "has_access", "prefer not to say") == {}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("[columns]", 'has_access = "online"'), "columns.student: Field required"),
        (("[columns]", 'student = "id"'), "name the column of one at least of has_access, barrier"),
        (("[columns]", 'student = "id"', 'has_access = "ID"'), "a header is named twice"),
        (("[columns]", 'student = "id"', 'name = "who"'), "columns.name: there is no such setting"),
        (
            ("[columns]", 'student = "id"', 'has_access = "o"', "[has_access]", '"Oui" = "maybe"'),
            "'maybe' is no has_access: known are yes, no",
        ),
        (
            ("[columns]", 'student = "id"', 'has_access = "o"', "[has_access]", '"No" = { speed = "no" }'),
            "there is no element speed: known are has_access",
        ),
        (
            (
                "[columns]",
                'student = "id"',
                'has_access = "o"',
                "[has_access]",
                '"No" = "no"',
                '"N O" = "yes"',
            ),
            "a wording is there twice",
        ),
        (("[columns",), "not valid TOML"),
    ],
)
def test_the_mistakes_of_a_map_are_listed(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(errors.ConfigError, match=words):
        answer_maps.load(own(tmp_path, *lines))


def test_a_map_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(
        errors.ConfigError, match=r"no map iowa: name a file, or one of ed-fi, minnesota, wisconsin"
    ):
        answer_maps.load("iowa")
