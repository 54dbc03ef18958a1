"""Takes out of a report's texts what no page can show: names come from files that anybody may have written."""

import dataclasses
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn"})  # control, halves of characters, private, none at all
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_Part = TypeVar("_Part")


def cleaned(part: _Part) -> _Part:
    """The same, with every text inside it cleaned: a document, its parts, the rows of its charts."""
    found: _Part = _cleaned(part)
    return found


def _cleaned(part: Any) -> Any:
    if isinstance(part, str):
        return text(part)
    if isinstance(part, tuple | list):
        return type(part)(_cleaned(one) for one in part)
    if isinstance(part, Mapping):
        return {name: _cleaned(one) for name, one in part.items()}
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        inside = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        return dataclasses.replace(part, **{name: _cleaned(one) for name, one in inside.items()})
    return part


def text(told: str) -> str:
    """Lines, tabs and runs of blanks become one blank; marks that turn the direction of writing are left out."""
    shown = "".join(one for one in " ".join(told.split()) if one not in _TURNING)
    return "".join(one for one in shown if unicodedata.category(one) not in _UNSEEN)
