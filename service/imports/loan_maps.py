"""How a loan file is laid out: a TOML map, shipped by name or written by the district."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.imports import map_files

GENERIC = "generic"

_FOLDER = "loans"

Header = Annotated[str, Field(min_length=1)]
Told = Literal[
    "device",
    "borrower",
    "household",
    "ncessch",
    "site",
    "due_on",
    "returned_on",
    "lost_on",
    "device_kind",
    "status",
]


class DeviceKind(StrEnum):
    HOTSPOT = "hotspot"
    FIXED_ROUTER = "fixed_router"
    BUS_ROUTER = "bus_router"
    LAPTOP = "laptop"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(Section):
    """Which header holds what. The first device column that is filled names the device."""

    device: tuple[Header, ...] = Field(min_length=1)
    checked_out_on: Header
    borrower: Header | None = None
    household: Header | None = None
    ncessch: Header | None = None  # the school by its 12 digits ...
    site: Header | None = None  # ... or by a name or code of the system, which [schools] explains
    due_on: Header | None = None
    returned_on: Header | None = None
    lost_on: Header | None = None
    device_kind: Header | None = None
    status: Header | None = None

    @model_validator(mode="after")
    def _one_school(self) -> Self:
        if self.ncessch and self.site:
            raise ValueError("give ncessch or site, not both")
        return self

    def present(self, headers: Collection[str]) -> "Columns":
        """Those that a file has."""
        kept = {
            told: [header for header in self.of(told) if header in headers]
            for told in type(self).model_fields
        }
        found = {told: next(iter(here), None) for told, here in kept.items()}
        return self.model_copy(update=found | {"device": tuple(kept["device"])})

    def of(self, told: str) -> tuple[str, ...]:
        """The headers that hold it."""
        found = getattr(self, told)
        return found if isinstance(found, tuple) else () if found is None else (found,)


class File(Section):
    skip_rows: int = Field(default=0, ge=0, le=100)  # above the header
    sheet: str | None = None  # of a spreadsheet; default: the first
    footer: tuple[Header, ...] = ()  # how the rows begin that are no loans, such as "Total"
    may_lack: tuple[
        Told, ...
    ] = ()  # what a file may have no column for; of several device columns one is enough


class Dates(Section):
    formats: tuple[Header, ...] = ()  # as in Python's strptime; default: 2026-10-31 and 10/31/2026
    times: bool = False  # a time of day may follow the date, and is left out


class Status(Section):
    """The words of the status column, with * for any text. The kinds are tried in this order."""

    lost: tuple[Header, ...] = ()
    out: tuple[Header, ...] = ()
    in_: tuple[Header, ...] = Field(default=(), alias="in")
    nobody: Told | None = None  # where this is empty the device is with nobody, unless it is lost


class LoanMap(Section):
    source: str = Field(
        default="", pattern=r"^([a-z0-9][a-z0-9_-]{0,40})?$"
    )  # a full file closes only its own
    columns: Columns
    file: File = File()
    dates: Dates = Dates()
    schools: dict[str, Annotated[str, Field(pattern=r"^\d{12}$")]] = {}  # a site's name or code: its NCESSCH
    status: Status = Status()
    device_kinds: dict[str, DeviceKind] = {}  # the system's word: ours
    only: dict[Header, tuple[str, ...]] = {}  # rows are read only where this column has one of these words

    @model_validator(mode="after")
    def _status_has_a_column(self) -> Self:
        has_words = bool(self.status.lost or self.status.out or self.status.in_)
        if has_words != (self.columns.status is not None):
            raise ValueError("a status column and its words in [status] go together")
        return self


def shipped() -> list[str]:
    """The names of the maps that come with afterbell."""
    return map_files.shipped(_FOLDER)


def load(name: str) -> LoanMap:
    """A shipped map by name, or a file's. Raises ConfigError that lists every mistake in it."""
    return map_files.load(LoanMap, _FOLDER, name)
