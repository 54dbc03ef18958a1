"""JMESPath, compiled once. Paths of members become plain functions; any other expression is left to the library.

The library interprets an expression anew for every row, at some 5 microseconds a member.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from jmespath import exceptions, functions

Getter = Callable[[Any], Any]  # raises NotApplicable
NotApplicable = exceptions.JMESPathError  # its message holds the value: it is never shown
Node = dict[str, Any]

_KNOWN_FUNCTIONS = functions.Functions.FUNCTION_TABLE
_STEPWISE = frozenset(
    {"subexpression", "pipe", "index_expression"}
)  # each child reads what the last one found
_FROM_THE_FIRST = _STEPWISE | {"value_projection", "projection", "filter_projection", "flatten"}


class Invalid(ValueError):
    """The text is no expression that can be used. The message says why."""


@dataclass(frozen=True)
class Expression:
    """A compiled expression, and which members of a row it begins at."""

    text: str
    members: frozenset[str]
    node: Node = field(repr=False)

    def bound(self, attributes: Mapping[str, str]) -> Getter:
        """A function that reads it off a row whose members are these attributes; None where there is nothing."""
        try:
            return _compiled(self.node, lambda name: operator.attrgetter(attributes[name]))
        except _NotPlain:
            return self._interpreted({name: attributes[name] for name in self.members})

    def search(self, whole: object) -> object:
        """Read it off decoded JSON. Raises NotApplicable."""
        return jmespath.compile(self.text).search(whole)

    def _interpreted(self, attributes: Mapping[str, str]) -> Getter:
        search = jmespath.compile(self.text).search

        def get(row: object) -> Any:
            return search({name: getattr(row, attribute) for name, attribute in attributes.items()})

        return get


def compiled(text: str) -> Expression:
    """Compile an expression that begins at a member of the row. Raises Invalid."""
    try:
        node: Any = jmespath.compile(text).parsed
    except exceptions.JMESPathError as error:
        raise Invalid(f"is no JMESPath expression: {_said(error)}") from None
    if unknown := sorted(set(_functions(node)) - _KNOWN_FUNCTIONS.keys()):
        raise Invalid(f"calls {unknown[0]}(), which JMESPath does not know")
    return Expression(text, frozenset(_members(node)), node)


def _said(error: exceptions.JMESPathError) -> str:
    """The library's first line; those after it draw the expression again."""
    return (str(error).splitlines() or ["it is empty"])[0].removesuffix(":")


def _members(node: Node) -> Iterable[str]:
    """The members of a row that an expression begins at: nothing else of the row is decoded."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return [node["value"]]
    if kind in {"current", "identity"}:
        raise Invalid("takes the whole row: begin with the name of a member")
    if kind == "expref":  # it is about the elements of something else
        return []
    begins = children[:1] if kind in _FROM_THE_FIRST else children
    return [name for child in begins for name in _members(child)]


def _functions(node: Node) -> Iterable[str]:
    own = [node["value"]] if node["type"] == "function_expression" else []
    children = [] if node["type"] == "slice" else node["children"]  # a slice's are numbers
    return own + [name for child in children for name in _functions(child)]


class _NotPlain(Exception):
    pass


def _compiled(node: Node, member: Callable[[str], Getter]) -> Getter:
    """``member`` makes the function for a member's name. Raises _NotPlain for what only the library can do."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return member(node["value"])
    if kind in _STEPWISE:
        return _in_turn(
            [_compiled(children[0], member), *(_compiled(each, _of_object) for each in children[1:])]
        )
    if kind == "value_projection":
        return _of_every_value(_compiled(children[0], member), _compiled(children[1], _of_object))
    if kind == "index":
        return _at(node["value"])
    if kind == "identity":
        return _itself
    raise _NotPlain


def _itself(value: Any) -> Any:
    return value


def _of_object(name: str) -> Getter:
    return lambda value: value.get(name) if type(value) is dict else None


def _in_turn(getters: list[Getter]) -> Getter:
    getters = [getter for getter in getters if getter is not _itself]
    if len(getters) == 2:
        first, second = getters
        return lambda value: second(first(value))

    def get(value: Any) -> Any:
        for getter in getters:
            value = getter(value)
        return value

    return get


def _of_every_value(base: Getter, each: Getter) -> Getter:
    """What each value of an object gives, where it gives anything."""

    def get(value: Any) -> Any:
        found = base(value)
        if type(found) is not dict:
            return None
        return [kept for item in found.values() if (kept := each(item)) is not None]

    return get


def _at(index: int) -> Getter:
    def get(value: Any) -> Any:
        if type(value) is not list or not -len(value) <= index < len(value):
            return None
        return value[index]

    return get
