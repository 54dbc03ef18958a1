"""JMESPath compiled to plain functions means what the library says that it means."""

from typing import Any

import hypothesis
import jmespath
import msgspec
import pytest
from hypothesis import strategies

from collectors.described import description, expressions, rows

NAMES = ("a", "b", "c d")
SHIPPED = ("1nce", "emnify", "soracom", "telnyx")

scalars = strategies.one_of(
    strategies.none(), strategies.booleans(), strategies.integers(-5, 5), strategies.text("xy", max_size=2)
)
values = strategies.recursive(
    scalars,
    lambda inner: strategies.one_of(
        strategies.lists(inner, max_size=3), strategies.dictionaries(strategies.sampled_from(NAMES), inner)
    ),
    max_leaves=12,
)
objects = strategies.dictionaries(strategies.sampled_from(NAMES), values)
steps = strategies.sampled_from(
    [".a", ".b", '."c d"', ".*", "[0]", "[-1]", " | [0]", " | a", "[]", "[*]", "[1:]"]
)
paths = strategies.tuples(
    strategies.sampled_from(["a", "b", '"c d"']), strategies.lists(steps, max_size=4)
).map(lambda parts: parts[0] + "".join(parts[1]))


def read(text: str, row: dict[str, Any]) -> Any:
    expression = expressions.compiled(text)
    shape = rows.Shape([expression])
    return shape.getter(expression)(msgspec.json.decode(msgspec.json.encode(row), type=shape.kind))


@hypothesis.given(paths, objects)
@hypothesis.example("a.*", {"a": {"a": None, "b": 1}})
@hypothesis.example("a.*.b | [0]", {"a": {"a": {"a": 1}, "b": {"b": 2}}})
@hypothesis.example("a.*[0]", {"a": {"a": [3], "b": 4}})
@hypothesis.example("a.*.*.b", {"a": {"a": {"a": {"b": 1}}}})
@hypothesis.example("a[-1]", {"a": [1, 2]})
@hypothesis.example("a[-3]", {"a": [1, 2]})
@hypothesis.settings(max_examples=300)
def test_a_path_finds_what_the_library_finds(path: str, row: dict[str, Any]) -> None:
    assert read(path, row) == jmespath.search(path, row)


@hypothesis.given(
    strategies.sampled_from(["a || b", "[a, b]", "a && b", "not_null(a, b)", "a == b", "a[?b].a"]), objects
)
def test_other_expressions_are_left_to_the_library(text: str, row: dict[str, Any]) -> None:
    assert read(text, row) == jmespath.search(text, row)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("status.value", {"status"}),
        ("profiles.*.iccid | [0]", {"profiles"}),
        ("sum(used.*.[up, down][])", {"used"}),
        ("a.b || c.d", {"a", "c"}),
        ("max_by(days, &used).date", {"days"}),
        ("days[?date == '2026-11-20'].used | [0]", {"days"}),
    ],
)
def test_only_members_at_which_an_expression_begins_are_decoded(text: str, members: set[str]) -> None:
    assert expressions.compiled(text).members == members


def test_a_member_that_is_not_named_is_not_even_decoded() -> None:
    """A name that is no valid text at all does no harm to its row."""
    expression = expressions.compiled("status")
    shape = rows.Shape([expression])
    (row,) = rows.Rows(shape).read(b'[{"name": "\xff\xfe", "status": "active"}]')
    assert shape.getter(expression)(row) == "active"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.", "is no JMESPath expression"),
        ("a[", "is no JMESPath expression"),
        ("a b", "is no JMESPath expression"),
        ("@", "takes the whole row"),
        ("*.name", "takes the whole row"),
        ("keys(@)", "takes the whole row"),
        ("[0].a", "takes the whole row"),
        ("lower(a)", r"calls lower\(\), which JMESPath does not know"),
    ],
)
def test_an_expression_that_cannot_be_used_says_why(text: str, words: str) -> None:
    with pytest.raises(expressions.Invalid, match=words) as caught:
        expressions.compiled(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("platform", SHIPPED)
def test_no_list_of_a_shipped_description_needs_the_library(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would take most of the time of a list: only usage, a line at a time, may."""

    def interpreted(self: expressions.Expression, attributes: object) -> None:
        raise AssertionError(self.text)

    monkeypatch.setattr(expressions.Expression, "_interpreted", interpreted)
    for place, text in description.named_expressions(description.shipped(platform)):
        if place.startswith("lines."):
            expression = expressions.compiled(text)
            assert rows.Shape([expression]).getter(expression) is not None
