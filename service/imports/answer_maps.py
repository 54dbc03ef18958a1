"""How a file of answers is laid out and worded: a TOML map, shipped by name or written by the district."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from service.imports import cells, columns, map_files
from service.model import need

FOLDER = "answers"
Value = bool | StrEnum
Meaning = tuple[tuple[str, Value], ...]  # what each element is, by one answer

_YES_NO: Mapping[str, bool] = {"yes": True, "no": False}
ELEMENTS: Mapping[str, Mapping[str, Value]] = {
    "has_access": _YES_NO,
    "barrier": {kind.value: kind for kind in need.Barrier},
    "access_type": {kind.value: kind for kind in need.AccessType},
    "performance": {kind.value: kind for kind in need.Performance},
    "documented_by_staff": _YES_NO,
}
OTHERS = ("student", "ncessch", "answered_on", "household")
_USUAL_YES_NO = {
    "Yes": "yes",
    "Y": "yes",
    "True": "yes",
    "1": "yes",
    "No": "no",
    "N": "no",
    "False": "no",
    "0": "no",
}


@functools.lru_cache(maxsize=4096)  # a file has few wordings and many rows
def plain(wording: str) -> str:
    """A wording as it is compared: a descriptor by its code alone, without case, spaces or dashes."""
    code = wording.rpartition("#")[2] if "://" in wording else wording
    return re.sub(r"[\s_\-\u2010-\u2014]+", "", code).lower()


def _listed(headers: object) -> object:
    return (headers,) if isinstance(headers, str) else headers


def _known(element: str, told: str) -> Value:
    known = ELEMENTS.get(element)
    if known is None:
        raise ValueError(f"there is no element {element}: known are {', '.join(ELEMENTS)}")
    if told not in known:
        raise ValueError(f"{told!r} is no {element}: known are {', '.join(known)}")
    return known[told]


Header = Annotated[str, Field(min_length=1)]
Headers = Annotated[tuple[Header, ...], BeforeValidator(_listed)]  # any of which may be the file's
Wordings = dict[Header, str | dict[str, str]]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(Section):
    """The headers. ``student`` is needed; of the others the file may lack what it does not tell."""

    student: Headers
    ncessch: Headers = ()
    answered_on: Headers = ()
    household: Headers = ()
    has_access: Headers = ()
    barrier: Headers = ()
    access_type: Headers = ()
    performance: Headers = ()
    documented_by_staff: Headers = ()

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not any(getattr(self, element) for element in ELEMENTS):
            raise ValueError(f"name the column of one at least of {', '.join(ELEMENTS)}")
        every = [columns.plain(header) for name in (*OTHERS, *ELEMENTS) for header in getattr(self, name)]
        if len(set(every)) != len(every):
            raise ValueError("a header is named twice")
        return self

    def of(self, name: str) -> tuple[str, ...]:
        headers: tuple[str, ...] = getattr(self, name)
        return headers


class File(Section):
    skip_rows: int = Field(default=0, ge=0, le=100)  # above the header
    sheet: str | None = None  # of a spreadsheet; default: the first
    date_formats: tuple[Header, ...] = ()  # as in Python's strptime; default: 2026-10-31 and 10/31/2026
    blank: tuple[Header, ...] = ()  # wordings that say as little as an empty cell


@dataclass(frozen=True, slots=True)
class Question:
    """What each wording of an answer means, by its plain form."""

    element: str
    wordings: Mapping[str, Meaning]
    known: str  # the wordings as the map has them

    @property
    def elements(self) -> set[str]:
        """All that an answer may tell of."""
        return {self.element}.union(name for meaning in self.wordings.values() for name, _ in meaning)

    def meaning(self, cell: cells.Cell) -> Meaning:
        """Nothing where the cell is empty. Raises Invalid for a wording that the map does not have."""
        wording = plain(cells.text(cell))
        found = self.wordings.get(wording) if wording else ()
        if found is None:
            raise cells.Invalid(f"is none of the answers that the map knows: {self.known}")
        return found


def _checked(wordings: Wordings) -> Wordings:
    if len({plain(wording) for wording in wordings}) != len(wordings):
        raise ValueError("a wording is there twice, spaces, dashes and case aside")
    return wordings


CheckedWordings = Annotated[Wordings, AfterValidator(_checked)]


class AnswerMap(Section):
    """A table of wordings replaces the usual ones: yes and no, or the names of the kinds."""

    file: File = File()
    columns: Columns
    has_access: CheckedWordings = {}
    barrier: CheckedWordings = {}
    access_type: CheckedWordings = {}
    performance: CheckedWordings = {}
    documented_by_staff: CheckedWordings = {}

    @model_validator(mode="after")
    def _meanings(self) -> Self:
        for element in ELEMENTS:
            self.question(element)
        return self

    def question(self, element: str) -> Question:
        """Raises ValueError where a wording means nothing that is known."""
        told: Wordings = getattr(self, element) or _usual(element)
        wordings = {plain(wording): _meaning(element, means) for wording, means in told.items()}
        blank: dict[str, Meaning] = {plain(wording): () for wording in self.file.blank}
        return Question(element, blank | wordings, ", ".join(told))


def _usual(element: str) -> dict[str, Any]:
    if ELEMENTS[element] is _YES_NO:
        return dict(_USUAL_YES_NO)
    return {kind: kind for kind in ELEMENTS[element]}


def _meaning(element: str, means: str | Mapping[str, str]) -> Meaning:
    told = {element: means} if isinstance(means, str) else means
    return tuple((name, _known(name, value)) for name, value in told.items())


def of_a_list(answer_map: AnswerMap, *, student: str, ncessch: str, answered_on: str) -> AnswerMap:
    """The same questions and wordings, in a table with these headers and plain dates."""
    named = {"student": (student,), "ncessch": (ncessch,), "answered_on": (answered_on,), "household": ()}
    return answer_map.model_copy(
        update={
            "columns": answer_map.columns.model_copy(update=named),
            "file": File(blank=answer_map.file.blank),
        }
    )


def shipped() -> list[str]:
    """The names of the maps that come with afterbell."""
    return map_files.shipped(FOLDER)


def load(name: str) -> AnswerMap:
    """A shipped map by name, or a file's. Raises ConfigError that lists every mistake in it."""
    return map_files.load(AnswerMap, FOLDER, name)
