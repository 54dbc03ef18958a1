"""Says of a description file that does not fit where that is, and what is allowed there."""

import enum
import re
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from collectors import decoding

UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
STEP = re.compile(r"\w+|\[\.\.\.\]|\[\d+\]")


def of(error: msgspec.ValidationError, whole: type[msgspec.Struct]) -> str:
    """The place in the file, what is wrong, and what is allowed."""
    path, reason = decoding.explain(error)
    if unknown := UNKNOWN.search(str(error)):
        return (
            f"{_joined(path, unknown['field'])} is not known; known there: {', '.join(_fields(whole, path))}"
        )
    if reason == "missing":
        return f"{path} is missing"
    if reason.startswith(("invalid enum value", "invalid value")) and (
        allowed := list(_choices(whole, path))
    ):
        return f"{path} must be one of {', '.join(allowed)}"
    return f"{path}: {reason}" if path else reason


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _fields(whole: type[msgspec.Struct], path: str) -> list[str]:
    """The names that the table at a path may hold."""
    found = []
    for kind in _structs(_at([whole], path)):
        tag = kind.__struct_config__.tag_field
        found += ([tag] if tag else []) + [field.encode_name for field in msgspec.structs.fields(kind)]
    return list(dict.fromkeys(found))


def _choices(whole: type[msgspec.Struct], path: str) -> Iterator[str]:
    """The words that may stand at a path: of an enum, a literal, or the tag of a table."""
    parent, _, last = path.rpartition(".")
    for kind in _structs(_at([whole], parent)):
        if kind.__struct_config__.tag_field == last:
            yield str(kind.__struct_config__.tag)
    for kind in _at([whole], path):
        if isinstance(kind, enum.EnumType):
            members: list[enum.Enum] = list(kind)
            yield from (str(member.value) for member in members)
        if typing.get_origin(kind) is typing.Literal:
            yield from (str(value) for value in typing.get_args(kind))


def _at(kinds: list[Any], path: str) -> list[Any]:
    """The types that may stand at a path."""
    for step in STEP.findall(path):
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    return [single for kind in kinds for single in _singles(kind)]


def _inside(kind: Any, step: str) -> Iterator[Any]:
    for single in _singles(kind):
        if step.startswith("["):
            yield from [inner for inner in typing.get_args(single) if inner is not ...][-1:]
        elif isinstance(single, type) and issubclass(single, msgspec.Struct):
            yield from (field.type for field in msgspec.structs.fields(single) if field.encode_name == step)


def _singles(kind: Any) -> Iterator[Any]:
    """The members of a union, without annotations."""
    if typing.get_origin(kind) is typing.Annotated:
        yield from _singles(typing.get_args(kind)[0])
    elif typing.get_origin(kind) in {typing.Union, types.UnionType}:
        for each in typing.get_args(kind):
            yield from _singles(each)
    else:
        yield kind


def _structs(kinds: list[Any]) -> list[type[msgspec.Struct]]:
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
