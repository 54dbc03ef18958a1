"""Rows as columns of settled values: cleaned, rounded, and held against what the table says of them."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

from service import errors
from service.exports import tables
from service.exports.writing import text
from service.model import formulas

Values = list[tables.Value]
_MOST = 2**63  # what a 64-bit integer holds
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def settled(table: tables.Table, rows: Sequence[tables.Row]) -> list[Values]:
    """One list per column. Raises ExportRefused where a value is not what its column says."""
    if any(len(row) != len(table.columns) for row in rows):
        raise errors.ExportRefused(f"table {table.name}: a row has not {len(table.columns)} values: {_FAULT}")
    columns = zip(*rows, strict=True) if rows else ([] for _ in table.columns)
    return [
        _column(table, column, list(values)) for column, values in zip(table.columns, columns, strict=True)
    ]


_FAULT = "this is a fault of afterbell, nothing was published"


def _column(table: tables.Table, column: tables.Column, values: Values) -> Values:
    try:
        done = _KINDS[column.kind](column, values)
        _hold(column, done)
    except (TypeError, ValueError) as wrong:
        # Without the value: it may be what this package must not tell. So not with its cause either.
        raise errors.ExportRefused(
            f"table {table.name}, column {column.name}: {_why(wrong)}: {_FAULT}"
        ) from None
    return done


class _Contradiction(ValueError):
    """Its text names no value."""


def _why(wrong: Exception) -> str:
    return str(wrong) if isinstance(wrong, _Contradiction) else "a value that cannot be read as its kind"


def _only(values: Values, *kinds: type) -> None:
    if not set(map(type, values)) <= {type(None), *kinds}:
        raise _Contradiction(f"a value that is not {' or '.join(kind.__name__ for kind in kinds)}")


def _texts(_column: tables.Column, values: Values) -> Values:
    """An empty text is no value: CSV cannot tell them apart, so no format does."""
    if not all(value is None or isinstance(value, str) for value in values):
        raise _Contradiction("a value that is not text")
    return _each(values, lambda value: text.clean(str(value)) or None)


def _integers(_column: tables.Column, values: Values) -> Values:
    _only(values, int)
    if any(isinstance(value, int) and not -_MOST <= value < _MOST for value in values):
        raise _Contradiction("a value that does not fit into 64 bits")
    return values


def _numbers(column: tables.Column, values: Values) -> Values:
    _only(values, int, float)
    done: Values = [None if value is None else round(float(value), column.places) + 0.0 for value in values]
    if not all(value is None or math.isfinite(float(value)) for value in done):
        raise _Contradiction("a value that is not finite")
    return done


def _booleans(_column: tables.Column, values: Values) -> Values:
    _only(values, bool)
    return values


def _dates(_column: tables.Column, values: Values) -> Values:
    _only(values, str)
    return _each(values, lambda value: date.fromisoformat(str(value)).isoformat())


def _months(_column: tables.Column, values: Values) -> Values:
    _only(values, str)
    if not all(value is None or _MONTH.fullmatch(str(value)) for value in set(values)):
        raise _Contradiction("a value that is not a month as 2026-10")
    return values


def _instants(_column: tables.Column, values: Values) -> Values:
    _only(values, str)
    return _each(values, _utc)


def _utc(value: tables.Value) -> str:
    instant = datetime.fromisoformat(str(value))
    if instant.tzinfo is None:
        raise _Contradiction("an instant without its offset from UTC")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _each(values: Values, turn: Callable[[tables.Value], tables.Value]) -> Values:
    """Many rows hold few different values: each is turned once."""
    turned = {value: turn(value) for value in set(values) if value is not None}
    return [None if value is None else turned[value] for value in values]


_KINDS: Mapping[tables.Kind, Callable[[tables.Column, Values], Values]] = {
    "text": _texts,
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "date": _dates,
    "month": _months,
    "instant": _instants,
}


def _hold(column: tables.Column, values: Values) -> None:
    if column.is_required and None in values:
        raise _Contradiction("no value, where one is required")
    if column.minimum is not None or column.maximum is not None:
        _hold_bounds(column, values)
    if column.choices or column.pattern:
        _hold_words(column, {formulas.harmless(value) for value in set(values) if isinstance(value, str)})


def _hold_bounds(column: tables.Column, values: Values) -> None:
    numbers = [value for value in values if isinstance(value, int | float)]
    if column.minimum is not None and min(numbers, default=column.minimum) < column.minimum:
        raise _Contradiction(f"a value below {column.minimum:g}")
    if column.maximum is not None and max(numbers, default=column.maximum) > column.maximum:
        raise _Contradiction(f"a value above {column.maximum:g}")


def _hold_words(column: tables.Column, words: set[str]) -> None:
    if column.choices and not words <= set(column.choices):
        raise _Contradiction("a value that is none of the choices")
    if column.pattern and not all(re.fullmatch(column.pattern, word) for word in words):
        raise _Contradiction("a value that is not of the pattern")
