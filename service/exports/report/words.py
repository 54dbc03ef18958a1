"""Wording in a language: texts by key, months, days, numbers and the symbols of figures that are not exact."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from service.exports import published
from service.exports.report import texts_en, texts_es
from service.model import months

Number = published.Number
TEXTS: Mapping[str, Mapping[str, str]] = {"en": texts_en.TEXTS, "es": texts_es.TEXTS}

_FIXED = {
    "withheld": "symbol_withheld",
    "unknown": "symbol_unknown",
    "not applicable": "symbol_not_applicable",
    "incomplete": "symbol_incomplete",
    "no figure day": "symbol_no_figure_day",
    "not measured": "symbol_not_measured",
    "fewer than 10 devices": "symbol_few_devices",
    "undefined": "symbol_undefined",
    "*": "symbol_hidden",
}
_AS_THEY_ARE = re.compile(r"n<\d+|[<>]\d+%")
_AT_AN_END = re.compile(r"([<>])(\d+%)")
_CONTRACTED = re.compile(r"\b(de|a) el (?=\d)")  # Spanish: de el 62% is del 62%
_LONG = re.compile(r"(?<![\d.,])\d{4,}")
_Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Words:
    language: str

    def say(self, key: str, **told: object) -> str:
        text = TEXTS[self.language][key].format(**told)
        return _CONTRACTED.sub(r"\1l ", text)

    def has(self, key: str) -> bool:
        return key in TEXTS[self.language]

    def number_of(self, key: str, number: int, **told: object) -> str:
        """The text for one thing, or for many."""
        return self.say(f"{key}_one" if number == 1 else f"{key}_many", n=f"{number:,}", **told)

    def month(self, month: months.Month) -> str:
        return self.say("month_year", month=self.month_name(month), year=month.first_on.year)

    def month_name(self, month: months.Month) -> str:
        return self.say(f"month_{month.first_on.month}")

    def month_in_short(self, month: months.Month) -> str:
        return f"{self.month_name(month)[:3]} {month.first_on.year}"

    def day(self, day: date) -> str:
        return self.say("day", day=day.day, month=self.say(f"month_{day.month}"), year=day.year)

    def listed(self, names: Iterable[str], *, most: int = 8) -> str:
        """Names in a row; beyond ``most``, how many more there are."""
        every = list(names)
        told = every[:most]
        if len(every) > most:
            told.append(self.number_of("more", len(every) - most))
        if len(told) < 2:
            return "".join(told)
        return self.say("list", first=", ".join(told[:-1]), last=told[-1])

    def count(self, number: Number) -> str:
        return self._told(number, lambda value: f"{value:,.0f}")

    def percent(self, number: Number) -> str:
        return self._told(number, percent)

    def count_in_text(self, number: Number) -> str:
        return self._in_text("count", number, lambda value: f"{value:,.0f}")

    def share_in_text(self, number: Number) -> str:
        """As a part of a sentence: between 60% and 70%."""
        return self._in_text("share", number, percent)

    def _in_text(self, kind: str, number: Number, write: _Write) -> str:
        if number.value is not None:
            key = f"{kind}_about" if number.symbol.startswith("about") else f"{kind}_exact"
            return self.say(key, figure=write(number.value))
        if end := _AT_AN_END.fullmatch(number.symbol):
            return self.say("share_below" if end[1] == "<" else "share_above", figure=end[2])
        ends = () if _is_told_otherwise(number.symbol) else _ends(number, write)
        if ends:
            return self.say(f"{kind}_between", least=ends[0], most=ends[1])
        return self.symbol(number, write)

    def points(self, number: Number) -> str:
        """A difference of shares, in percentage points and without its sign."""
        return self._points(self._told(number, lambda value: one_place(abs(value) * 100)))

    def change(self, number: Number) -> str:
        """A difference of shares, in percentage points and with its sign."""
        return self._points(self._told(number, signed))

    def _points(self, figure: str) -> str:
        return self.say("points_one" if figure in ("1", "+1", "-1") else "points_many", n=figure)

    def index(self, number: Number) -> str:
        return self._told(number, lambda value: f"{value:.2f}")

    def money(self, number: Number) -> str:
        return self._told(number, money)

    def _told(self, number: Number, write: _Write) -> str:
        if number.value is not None:
            text = write(number.value)
            return self.say("about", figure=text) if number.symbol.startswith("about") else text
        return self.symbol(number, write)

    def symbol(self, number: Number, write: _Write) -> str:
        """Why there is no figure, or between what it lies, in the words of the language."""
        symbol = number.symbol
        if symbol in _FIXED:
            return self.say(_FIXED[symbol])
        if _AS_THEY_ARE.fullmatch(symbol):
            return symbol
        if about := re.fullmatch(r"about ([\d.,$%-]+)", symbol):
            return self.say("about", figure=separated(about[1]))
        if most := re.fullmatch(r"at most (\d+)", symbol):
            return self.say("up_to", figure=separated(most[1]))
        if least := re.fullmatch(r"at least ([\d.,$]+)", symbol):
            return self.say("from", figure=least[1])
        if ends := _ends(number, write):
            return self.say("range", least=ends[0], most=ends[1])
        return self.say("symbol_not_told" if symbol else "symbol_unknown")


def _is_told_otherwise(symbol: str) -> bool:
    return (
        symbol in _FIXED
        or symbol.startswith(("about ", "at most "))
        or _AS_THEY_ARE.fullmatch(symbol) is not None
    )


def _ends(number: Number, write: _Write) -> tuple[str, ...]:
    """Between what a figure lies: two, or none."""
    if found := re.fullmatch(r"([\d.,$%-]+) to ([\d.,$%-]+)", number.symbol):
        return separated(found[1]), separated(found[2])
    if number.least is None or number.most is None:
        return ()
    return write(number.least), write(number.most)


def one_place(value: float) -> str:
    """To one decimal, and none where it is 0; -0 is 0."""
    text = f"{round(value, 1) + 0.0:,.1f}"
    return text.removesuffix(".0")


def percent(value: float) -> str:
    """To one decimal; a share that is not quite nothing, or not quite all, never reads as 0 or 100."""
    told = one_place(value * 100)
    if (told == "0" and value > 0) or (told == "100" and value < 1):
        told = f"{min(max(value * 100, 0.01), 99.99):.2f}"
    return f"{told}%"


def signed(value: float) -> str:
    """A difference of shares in percentage points."""
    text = one_place(value * 100)
    return text if text == "0" or text.startswith("-") else f"+{text}"


def money(value: float) -> str:
    return f"${value:,.0f}" if value == round(value) else f"${value:,.2f}"


def separated(text: str) -> str:
    """6330 as 6,330."""
    return _LONG.sub(lambda digits: f"{int(digits[0]):,}", text)
