"""The pretend district's hotspots and routers, and who borrowed them when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import chain, count

from service.demo import schools, timeline
from service.demo.schools import Persona
from service.model import identifiers

AREA_CODES = (202, 209, 212, 303, 312, 404, 503, 602, 617, 702)  # 555-0100 to 555-0199 is no one's, in each
SECOND_SIM = 700  # added to a hotspot's number for the SIM it got later
SHELVED = 20  # hotspots that were returned
RESTLESS = 2  # of these, still moving bytes
SPARES = 7
_NEW_LOAN = 31  # every so many regular hotspots is newly lent
_LENT_BEFORE = 23  # every so many has had another borrower
_SCHOOL_DAYS = 8  # every so many rests in breaks
_SWAPPED = (41, 199)  # these numbers get another SIM


@dataclass(frozen=True)
class Sim:
    """One SIM, its number, and the vendor's own key for both."""

    number: int

    @cached_property
    def key(self) -> str:
        return f"9{self.number:06d}"

    @cached_property
    def uicc(self) -> str:
        return identifiers.with_luhn(f"89148000000{self.number:07d}")

    @cached_property
    def mdn(self) -> str:
        area, last = divmod(self.number, 100)
        return f"{AREA_CODES[area]}55501{last:02d}"


@dataclass(frozen=True)
class Hotspot:
    """``starts_on`` and ``quits_on``: the first day of use and the first without; None: no such day."""

    number: int
    persona: Persona
    school: schools.School
    starts_on: date | None = None
    quits_on: date | None = None
    is_swapped: bool = False

    @cached_property
    def imei(self) -> str:
        return identifiers.with_luhn(f"86123405{self.number:06d}")

    @property
    def is_router(self) -> bool:
        return self.persona in (Persona.ROUTER, Persona.WEAK_ROUTER)

    @property
    def is_listed(self) -> bool:
        return self.persona is not Persona.UNLISTED

    @property
    def sims(self) -> tuple[Sim, ...]:
        first = Sim(self.number)
        return (first, Sim(self.number + SECOND_SIM)) if self.is_swapped else (first,)

    def has_quit(self, day: date) -> bool:
        return self.quits_on is not None and day >= self.quits_on


@dataclass(frozen=True)
class Loan:
    hotspot: Hotspot
    student: str  # a number of the district's: only its pseudonym is stored
    checked_out_on: date
    returned_on: date | None = None


@dataclass(frozen=True)
class Fleet:
    hotspots: Sequence[Hotspot]
    loans: Sequence[Loan]


def build(dates: timeline.Timeline) -> Fleet:
    """The same fleet for the same dates."""
    numbers, students = count(), (f"S{number}" for number in count(410_001))
    lent = [
        _lent(next(numbers), persona, school, dates)
        for school in schools.SCHOOLS
        for persona in school.on_loan
    ]
    shelved = [_shelved(next(numbers), index, dates) for index in range(SHELVED)]
    spares = [Hotspot(next(numbers), Persona.SPARE, _school(index)) for index in range(SPARES)]
    lendings = chain(*(_loans(hotspot, students, dates) for hotspot in lent))
    returned = (_returned(hotspot, index, next(students), dates) for index, hotspot in enumerate(shelved))
    return Fleet([*lent, *shelved, *spares], [*lendings, *returned])


def _school(index: int) -> schools.School:
    return schools.SCHOOLS[index % len(schools.SCHOOLS)]


def _lent(number: int, persona: Persona, school: schools.School, dates: timeline.Timeline) -> Hotspot:
    hotspot = Hotspot(number, persona, school, is_swapped=number in _SWAPPED)
    match persona:
        case Persona.IDLE:
            return replace(hotspot, quits_on=dates.day(-9 - number * 7 % 60))
        case Persona.AT_DESK:
            return replace(hotspot, quits_on=dates.day(-4 - number % 17))
        case Persona.CUT_OFF:
            return replace(hotspot, quits_on=dates.day(-3 - number % 12))
        case Persona.REGULAR if number % _NEW_LOAN == 0:
            return replace(hotspot, starts_on=dates.day(-3 - number % 25))
        case Persona.REGULAR if number % _SCHOOL_DAYS == 0:
            return replace(hotspot, persona=Persona.SCHOOL_DAYS)
        case _:
            return hotspot


def _shelved(number: int, index: int, dates: timeline.Timeline) -> Hotspot:
    """The first of them go on moving bytes after their return."""
    hotspot = Hotspot(number, Persona.SHELVED, _school(index))
    return hotspot if index < RESTLESS else replace(hotspot, quits_on=_returned_on(index, dates))


def _returned_on(index: int, dates: timeline.Timeline) -> date:
    return dates.day(-12 - 3 * index)


def _loans(hotspot: Hotspot, students: Iterator[str], dates: timeline.Timeline) -> Iterator[Loan]:
    """The open loan of a hotspot, and the one before it where there was one."""
    before = dates.day(-95 - hotspot.number % 40)
    if hotspot.starts_on is not None:
        yield Loan(hotspot, next(students), hotspot.starts_on)
    elif hotspot.persona is Persona.REGULAR and hotspot.number % _LENT_BEFORE == 0:
        returned_on = dates.day(-50 - hotspot.number % 30)
        yield Loan(hotspot, next(students), before, returned_on)
        yield Loan(hotspot, next(students), returned_on + timedelta(days=4))
    else:
        yield Loan(hotspot, next(students), before)


def _returned(hotspot: Hotspot, index: int, student: str, dates: timeline.Timeline) -> Loan:
    return Loan(hotspot, student, dates.day(-120 + index), _returned_on(index, dates))
