"""How a portal's usage file is laid out: a TOML map, shipped by name or written by the district."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from service.imports import amounts, map_files

EVERYTHING_ELSE = "*"
_FOLDER = "usage"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as America/New_York") from error
    return name


def _known_unit(name: str) -> str:
    amounts.unit_bytes(name, kilobyte=1000)
    return name


Header = Annotated[str, Field(min_length=1)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(Section):
    """The account that the figures are kept under."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    carrier: str = Field(min_length=1)


class File(Section):
    skip_rows: int = Field(default=0, ge=0, le=100)  # above the header
    sheet: str | None = None  # of a spreadsheet; default: the first
    footer: tuple[Header, ...] = ()  # how the rows begin that are no lines, such as "Total"
    ignore: tuple[Header, ...] = ()  # columns that are not used; "*": all others


class Line(Section):
    """The columns that name the line; the SIM decides where several are given."""

    iccid: Header | None = None
    mdn: Header | None = None
    imei: Header | None = None

    @model_validator(mode="after")
    def _any(self) -> Self:
        if not self.columns:
            raise ValueError("name the column of the iccid, the mdn or the imei")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for column in (self.iccid, self.mdn, self.imei) if column is not None)


class Usage(Section):
    """Where the bytes are. Several columns are added: up and down, roaming and domestic."""

    columns: tuple[Header, ...] = Field(min_length=1)
    unit: Annotated[str, AfterValidator(_known_unit)] | None = None
    unit_column: Header | None = None
    unit_in_cell: bool = False  # such as "1.5 GB"
    kilobyte: Literal[1000, 1024] = 1000  # what the carrier calls a KB; a KiB is always 1024
    thousands: Literal[",", ".", " ", "'", ""] = ","
    decimal: Literal[".", ","] = "."
    empty_is_zero: bool = False

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.unit is not None) + (self.unit_column is not None) + self.unit_in_cell != 1:
            raise ValueError("give one of unit, unit_column and unit_in_cell")
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same")
        return self


class Period(Section):
    """What a row's figure is of: a day, a month, a billing cycle, or the days from one column to another."""

    day: Header | None = None
    month: Header | None = None
    cycle_end: Header | None = None  # the cycle's last day
    starts: Header | None = None
    ends: Header | None = None  # the period's last day
    formats: tuple[Header, ...] = ()  # as in Python's strptime; default: 2026-10-31 and 10/31/2026

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.starts is None) != (self.ends is None):
            raise ValueError("starts and ends go together")
        ways = (self.day, self.month, self.cycle_end, self.starts)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of day, month, cycle_end, or starts with ends")
        if self.month is not None and not self.formats:
            raise ValueError('a month needs its formats, such as ["%B %Y"]')
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        every = (self.day, self.month, self.cycle_end, self.starts, self.ends)
        return tuple(column for column in every if column is not None)


class UsageMap(Section):
    account: Account
    zone: TimeZone | None = None  # of the carrier's day; default: the district's
    file: File = File()
    line: Line
    usage: Usage
    period: Period | None = None  # None: given on the command line

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is used."""
        unit = (self.usage.unit_column,) if self.usage.unit_column else ()
        period = self.period.columns if self.period else ()
        return (*self.line.columns, *self.usage.columns, *unit, *period)


def shipped() -> list[str]:
    """The names of the maps that come with afterbell."""
    return map_files.shipped(_FOLDER)


def load(name: str) -> UsageMap:
    """A shipped map by name, or a file's. Raises ConfigError that lists every mistake in it."""
    return map_files.load(UsageMap, _FOLDER, name)
