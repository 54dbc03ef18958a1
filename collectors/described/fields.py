"""The fields of a description, made ready to be read off rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from collectors import readings
from collectors.described import description as descriptions
from collectors.described import expressions, rows, units

SHORT_WORD = 64

Found = TypeVar("Found")
Described = descriptions.Lines | descriptions.Usage


class Maker:
    """Makes the fields of one kind of row. ``place`` is the table of the file that describes them."""

    def __init__(self, place: str, described: Described, required: tuple[str, ...]) -> None:
        self._place = place
        self._required = required
        named = descriptions.named_expressions(described)
        asked = [expressions.compiled(text) for name, text in named if not name.startswith("paging.")]
        self._shape = rows.Shape(asked)

    def reader(self) -> rows.Rows:
        return rows.Rows(self._shape)

    def field(self, name: str, path: str, kind: units.Kind[Found]) -> rows.Field[Found]:
        getter = self._shape.getter(expressions.compiled(path))
        is_required = name.split(".")[0] in self._required
        return rows.Field(f"{self._place}.{name}", path, getter, kind, is_required=is_required)

    def amount(self, name: str, described: descriptions.Amount, sizes: dict[str, int]) -> rows.Amount:
        number = self.field(f"{name}.path", described.path, units.NUMBER)
        if described.unit_path is None:
            return rows.Amount(number, sizes[described.unit or "B"])
        unit = self.field(f"{name}.unit_path", described.unit_path, units.unit_name(sizes))
        return rows.Amount(number, unit)


class LineFields:
    """What is read of a row of the list."""

    def __init__(self, described: descriptions.Lines, sizes: dict[str, int]) -> None:
        maker = Maker("lines", described, ("provider_key", *described.required))
        self.rows = maker.reader()
        self.key = maker.field("provider_key", described.provider_key, units.KEY)
        self.iccid = _identifier(maker, "iccid", described.iccid)
        self.imei = _identifier(maker, "imei", described.imei)
        self.mdn = _identifier(maker, "mdn", described.mdn)
        self.status: rows.Field[str] | rows.Untold = rows.Untold()
        if described.status is not None:
            self.status = maker.field("status.path", described.status.path, units.WORD)
        self.online = _Online(maker, described.online)
        self.last_seen = _LastSeen(maker, described.last_seen)
        self.cycle_usage = _amount(maker, "cycle_usage", described.cycle_usage, sizes)
        self.cycle_limit = _amount(maker, "cycle_limit", described.cycle_limit, sizes)

    def told(self) -> list[rows.Field[Any]]:
        """The described fields of a row."""
        amounts = [
            each.number for each in (self.cycle_usage, self.cycle_limit) if isinstance(each, rows.Amount)
        ]
        plain = [
            self.iccid,
            self.imei,
            self.mdn,
            self.status,
            self.online.field,
            self.last_seen.field,
            *amounts,
        ]
        return [each for each in plain if isinstance(each, rows.Field)]


class UsageFields:
    """What is read of a line's day."""

    def __init__(self, described: descriptions.Usage, sizes: dict[str, int]) -> None:
        maker = Maker("usage", described, ("day", "amount"))
        self.rows = maker.reader()
        self.day = maker.field("day.path", described.day.path, units.day(described.day.unit))
        self.amount = maker.amount("amount", described.amount, sizes)


class _Online:
    """Whether a line is online: true or false, or one of the words described. Others are counted."""

    def __init__(self, maker: Maker, described: descriptions.Online | None) -> None:
        self._meanings = _meanings(described)
        self.field: rows.Field[Any] | rows.Untold = rows.Untold()
        if described is not None:
            kind: units.Kind[Any] = units.WORD if self._meanings else units.TRUTH
            self.field = maker.field("online.path", described.path, kind)

    def of(self, row: object, unmapped: dict[str, int]) -> bool | None:
        told = self.field.of(row)
        if told is None or not self._meanings:
            return told
        if told not in self._meanings:
            word = f"online: {told[:SHORT_WORD]}"
            unmapped[word] = unmapped.get(word, 0) + 1
        return self._meanings.get(told)


class _LastSeen:
    """When a line was last seen, by what the platform means by it."""

    def __init__(self, maker: Maker, described: descriptions.LastSeen | None) -> None:
        self.by = None if described is None else described.by
        self.field: rows.Field[datetime] | rows.Untold = rows.Untold()
        if described is not None:
            self.field = maker.field("last_seen.path", described.path, units.instant(described.unit))

    def of(self, row: object, instant: datetime, *, is_online: bool | None) -> datetime | None:
        """While a session goes on, the line is seen at present: what is told then is an earlier change."""
        told = self.field.of(row)
        return instant if told is not None and is_online and self.by is readings.LastSeenBy.SESSION else told


def _identifier(maker: Maker, name: str, path: str | None) -> rows.Field[str] | rows.Untold:
    return rows.Untold() if path is None else maker.field(name, path, units.IDENTIFIER)


def _amount(
    maker: Maker, name: str, described: descriptions.Amount | None, sizes: dict[str, int]
) -> rows.Amount | rows.Untold:
    return rows.Untold() if described is None else maker.amount(name, described, sizes)


def _meanings(described: descriptions.Online | None) -> Mapping[str, bool | None]:
    if described is None:
        return {}
    words: dict[str, bool | None] = dict.fromkeys(described.not_told)
    words |= dict.fromkeys(described.online, True)
    return words | dict.fromkeys(described.offline, False)
