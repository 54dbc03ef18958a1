"""What titles of a school calendar mean."""

from pathlib import Path

import pytest

from service import errors
from service.imports import calendar_words
from service.imports.calendar_words import Meaning
from tests import files

ENGLISH = calendar_words.load(calendar_words.SHIPPED)


@pytest.mark.parametrize(
    ("title", "meaning"),
    [
        ("First Day of School!", "first_day"),
        ("1st day of school - Grades 1-12", "first_day"),
        ("LAST DAY OF SCHOOL", "last_day"),
        ("Winter Break", "break"),
        ("Winter Break - No School", "break"),
        ("Mid-Winter Recess", "break"),
        ("NO SCHOOL: Veterans’ Day", "holiday"),
        ("Non-Student Day", "holiday"),
        ("New Year's Day", "holiday"),
        ("Early-Release Wednesday", "half_day"),
        ("Early Release before Winter Break", "half_day"),
        ("Snow make-up day", "instructional"),
        ("Último día de clases", "last_day"),
        ("No hay clases", "holiday"),
    ],
)
def test_a_title_says_one_thing(title: str, meaning: str) -> None:
    assert ENGLISH.meanings(title) == {Meaning(meaning)}


def test_a_last_day_may_be_a_half_day_too() -> None:
    assert ENGLISH.meanings("Last Day of School (Early Dismissal)") == {Meaning.LAST_DAY, Meaning.HALF_DAY}


@pytest.mark.parametrize(
    "title",
    [
        "Last day of school before Winter Break",
        "First day of school after Winter Break",
        "Spring Break begins",
        "Classes resume after Spring Break",
        "Winter Break Camp",
        "No School - Elementary only",
        "No School for Kindergarten",
        "Make-up day: no school unless it snows",
        "Half day for staff, no school",
        "Presidents’ Day",
        "Holiday",
    ],
)
def test_what_cannot_be_decided_is_unclear(title: str) -> None:
    assert ENGLISH.meanings(title) == {Meaning.UNCLEAR}


@pytest.mark.parametrize("title", ["", "Board meeting", "Breakfast with the principal", "Breakout session"])
def test_other_titles_say_nothing(title: str) -> None:
    assert ENGLISH.meanings(title) == frozenset()


def test_a_district_may_replace_the_words(tmp_path: Path) -> None:
    path = files.written(tmp_path, "words.toml", 'break = ["semana blanca"]')
    own = calendar_words.load(str(path))
    assert own.meanings("Semana Blanca") == {Meaning.BREAK}
    assert own.meanings("Winter Break") == frozenset()


def test_a_mistake_in_the_words_is_named(tmp_path: Path) -> None:
    path = files.written(tmp_path, "words.toml", 'brake = ["x"]', 'holiday = [""]')
    with pytest.raises(errors.ConfigError, match="2 mistake") as caught:
        calendar_words.load(str(path))
    assert "brake: there is no such setting" in str(caught.value)


def test_the_words_of_the_documentation_are_words(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "imports.md").read_text("utf-8")
    block = text.split("```toml words.toml\n")[1].split("```")[0]
    own = calendar_words.load(str(files.written(tmp_path, "words.toml", block)))
    assert own.meanings("Winter Break begins") == {Meaning.UNCLEAR}
    assert own.meanings("Veterans Day") == {Meaning.UNCLEAR}
