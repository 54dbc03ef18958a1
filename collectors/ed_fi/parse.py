"""Turns the API's items into what they say of internet access at home. Pure: bytes in, items out.

Only what is listed here is ever decoded: no name, birth date, address, e-mail or phone number.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec

from collectors import decoding

NCES = "nces"
Word = Annotated[str, msgspec.Meta(max_length=400)]  # a descriptor: a namespace and a code
Number = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]

T = TypeVar("T")


class _Student(msgspec.Struct, frozen=True, gc=False):
    number: Number = msgspec.field(name="studentUniqueId")


class _Organization(msgspec.Struct, frozen=True, gc=False):
    key: int = msgspec.field(name="educationOrganizationId")


class _Indicator(msgspec.Struct, frozen=True, gc=False):
    """An indicator of any kind. What it says stays undecoded until its name is one that is wanted."""

    name: Word = msgspec.field(name="indicatorName")
    value: msgspec.Raw = msgspec.field(name="indicator")


class _Association(msgspec.Struct, frozen=True, gc=False):
    """Since Data Standard 3.3-b the answers are fields; before, and in some states still, indicators."""

    student: _Student = msgspec.field(name="studentReference")
    organization: _Organization = msgspec.field(name="educationOrganizationReference")
    modified_at: datetime | None = msgspec.field(name="_lastModifiedDate", default=None)
    has_access: bool | None = msgspec.field(name="internetAccessInResidence", default=None)
    barrier: Word | None = msgspec.field(name="barrierToInternetAccessInResidenceDescriptor", default=None)
    access_type: Word | None = msgspec.field(name="internetAccessTypeInResidenceDescriptor", default=None)
    performance: Word | None = msgspec.field(name="internetPerformanceInResidenceDescriptor", default=None)
    indicators: list[_Indicator] | None = msgspec.field(name="studentIndicators", default=None)


class _Code(msgspec.Struct, frozen=True, gc=False):
    system: Word = msgspec.field(name="educationOrganizationIdentificationSystemDescriptor")
    code: Word = msgspec.field(name="identificationCode")


class _School(msgspec.Struct, frozen=True, gc=False):
    key: int = msgspec.field(name="schoolId")
    codes: list[_Code] | None = msgspec.field(name="identificationCodes", default=None)


@dataclass(frozen=True, slots=True)
class Association:
    """What a student's association with a school or district says. ``told`` by the API's names, made plain."""

    student: str
    organization: int
    modified_at: datetime | None
    told: dict[str, str]

    @property
    def key(self) -> object:
        return self.student, self.organization


@dataclass(frozen=True, slots=True)
class School:
    """``nces`` None: the host does not tell the school's NCES id."""

    number: int
    nces: str | None

    @property
    def key(self) -> object:
        return self.number


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that cannot be read: its place in the page, and where and why, never what it holds."""

    index: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The good items, each with its place in the page."""

    items: Sequence[tuple[int, T]]
    refused: Sequence[Refused]

    @property
    def count(self) -> int:
        return len(self.items) + len(self.refused)


_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_ASSOCIATIONS = msgspec.json.Decoder(_Association)
_SCHOOLS = msgspec.json.Decoder(_School)
_TEXT = msgspec.json.Decoder(str)


def plain(name: str) -> str:
    """A name without case, spaces, hyphens or underscores: hosts spell the names of indicators as they like."""
    return re.sub(r"[\s_-]+", "", name).lower()


def associations(body: bytes, *, wanted: Collection[str]) -> Page[Association]:
    """Read a page; ``wanted``: plain names of the indicators that are answers. Raises ResponseInvalid for a bad one."""
    return _page(body, lambda raw: _association(_ASSOCIATIONS.decode(raw), wanted))


def schools(body: bytes) -> Page[School]:
    """Read a page. Raises ResponseInvalid for a bad one."""
    return _page(body, lambda raw: _school(_SCHOOLS.decode(raw)))


def _page(body: bytes, read: Callable[[msgspec.Raw], T]) -> Page[T]:
    items: list[tuple[int, T]] = []
    refused: list[Refused] = []
    raws: list[msgspec.Raw] = decoding.whole(_RAWS, body)
    for index, raw in enumerate(raws):
        try:
            items.append((index, read(raw)))
        except msgspec.MsgspecError as error:
            refused.append(Refused(index, *decoding.explain(error)))
    return Page(items, refused)


def _association(item: _Association, wanted: Collection[str]) -> Association:
    fields = {
        "internetAccessInResidence": None if item.has_access is None else str(item.has_access).lower(),
        "barrierToInternetAccessInResidenceDescriptor": item.barrier,
        "internetAccessTypeInResidenceDescriptor": item.access_type,
        "internetPerformanceInResidenceDescriptor": item.performance,
    }
    told = {name: _TEXT.decode(value) for name, value in _wanted(item, wanted)}
    told |= {plain(name): value for name, value in fields.items() if value}
    return Association(item.student.number, item.organization.key, _utc(item.modified_at), told)


def _wanted(item: _Association, wanted: Collection[str]) -> list[tuple[str, msgspec.Raw]]:
    named = [(plain(each.name), each.value) for each in item.indicators or ()]
    return [(name, value) for name, value in named if name in wanted]


def _utc(at: datetime | None) -> datetime | None:
    """Hosts before version 5 leave the zone out: they mean UTC."""
    if at is None:
        return None
    return decoding.utc(at) if at.tzinfo else at.replace(tzinfo=UTC)


def _school(item: _School) -> School:
    codes = [code.code.strip() for code in item.codes or () if _system(code.system) == NCES]
    return School(item.key, next((code for code in codes if code), None))


def _system(descriptor: str) -> str:
    return descriptor.rpartition("#")[2].strip().lower()
