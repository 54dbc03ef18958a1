"""Decodes answers: of a row, and of what surrounds the rows, only the members that a description names."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from collectors import decoding, errors
from collectors.described import expressions, units

Found = TypeVar("Found")


class Misfit(Exception):
    """A row does not fit its description. The message names the field and two kinds, never the value."""

    def __init__(self, field: "Field[Any]", found: str) -> None:
        super().__init__(f"{field.name} = {field.path}: expected {field.kind.expected}, found {found}")
        self.path = field.path
        self.reason = f"expected {field.kind.expected}, found {found} ({field.name})"


class Shape:
    """An object of which some members are read, under attributes of our own. ``more`` are further fields."""

    def __init__(
        self, asked: Iterable[expressions.Expression], more: Sequence[tuple[str, str, Any]] = ()
    ) -> None:
        members = sorted({member for expression in asked for member in expression.members})
        self._attributes = {member: f"member_{index}" for index, member in enumerate(members)}
        fields: list[Any] = [(attribute, kind) for attribute, _, kind in more]
        fields += [(attribute, Any, None) for attribute in self._attributes.values()]
        rename = {attribute: member for member, attribute in self._attributes.items()}
        rename |= {attribute: member for attribute, member, _ in more}
        self.kind: Any = msgspec.defstruct("Row", fields, rename=rename, gc=False)

    def getter(self, expression: expressions.Expression) -> expressions.Getter:
        return expression.bound(self._attributes)


class Rows:
    """Decodes the rows of a list: all at once, and only where that fails one by one."""

    def __init__(self, shape: Shape) -> None:
        self._together = msgspec.json.Decoder(list[shape.kind])  # type: ignore[name-defined]
        self._raw = msgspec.json.Decoder(list[msgspec.Raw])
        self._one = msgspec.json.Decoder(shape.kind)

    def read(self, rows: bytes | msgspec.Raw) -> list[Any]:
        """A row each, in its place; for one that cannot be read the reason, as text. Raises ResponseInvalid."""
        try:
            found: list[Any] = self._together.decode(rows)
        except msgspec.ValidationError:
            return [self._alone(raw) for raw in decoding.whole(self._raw, bytes(rows))]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise errors.ResponseInvalid("the list is not whole JSON: the answer was cut short") from error
        return found

    def _alone(self, raw: msgspec.Raw) -> Any:
        try:
            return self._one.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return decoding.explain(error)[1] if isinstance(error, msgspec.MsgspecError) else "no text"


class Field(Generic[Found]):
    """One field of a description: where it is in a row, and what it is to be."""

    def __init__(
        self, name: str, path: str, getter: expressions.Getter, kind: units.Kind[Found], *, is_required: bool
    ) -> None:
        self.name = name
        self.path = path
        self.kind = kind
        self._getter = getter
        self._read = kind.read
        self._is_required = is_required

    def of(self, row: object) -> Found | None:
        """Raises Misfit."""
        try:
            value = self._getter(row)
            found = None if value is None else self._read(value)
        except units.Unfit as error:
            raise self.misfit(error.found) from None
        except expressions.NotApplicable:
            raise self.misfit("what the expression cannot be applied to") from None
        if found is None and self._is_required:
            raise self.misfit("nothing")
        return found

    def is_absent(self, row: object) -> bool:
        """Whether the row says nothing of it."""
        try:
            return self.of(row) is None
        except Misfit:
            return False

    def misfit(self, found: str) -> Misfit:
        return Misfit(self, found)


class Amount:
    """A number and its unit, which each row may tell by itself, in bytes."""

    def __init__(self, number: Field[units.Number], unit: Field[int] | int) -> None:
        self.number = number
        self._unit = unit

    def of(self, row: object) -> tuple[units.Number, int] | None:
        """The number, and how many bytes one of it is; None where the row tells none. Raises Misfit."""
        number = self.number.of(row)
        if number is None:
            return None
        if isinstance(self._unit, int):
            return number, self._unit
        size = self._unit.of(row)
        if size is None:
            raise self._unit.misfit("nothing")
        return number, size

    def in_bytes(self, row: object) -> int | None:
        """Raises Misfit."""
        if (told := self.of(row)) is None:
            return None
        try:
            return units.in_bytes(*told)
        except units.Unfit as error:
            raise self.number.misfit(error.found) from None

    def limit(self, row: object) -> int | None:
        """Raises Misfit."""
        return None if (told := self.of(row)) is None else units.limit(*told)


class Untold:
    """A field, or an amount, that a description does not describe."""

    def of(self, row: object) -> None:
        return None

    def in_bytes(self, row: object) -> None:
        return None

    def limit(self, row: object) -> None:
        return None
