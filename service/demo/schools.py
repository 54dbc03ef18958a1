"""The twelve pretend schools: who needs a connection, and how the hotspots lent there fare."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

DISTRICT_NAME = "Larkspur County Schools"
LEAID = "9900001"  # no state has the number 99
HIGH_NEEDS_BASIS = "Pilot list 2026-27"
INDICATOR_YEAR = "2025-26"
COMPARISON = ("Elm Fork Middle", "Ironwood Middle", "Juniper Flats K-8")  # of the pilot


class Persona(StrEnum):
    """How a hotspot is used, and what is wrong with it."""

    REGULAR = "regular"
    SCHOOL_DAYS = "school_days"  # rests at weekends and in breaks
    IDLE = "idle"  # in a drawer since some day
    NEVER_USED = "never_used"
    DAY_CAPPED = "day_capped"  # at its daily limit on most days
    MONTH_CAPPED = "month_capped"  # its month's allowance lasts a week
    AT_DESK = "at_desk"  # checked in at the loan desk by mistake
    ASLEEP = "asleep"  # suspended for the summer and not woken
    CUT_OFF = "cut_off"  # suspended at the carrier
    ROUTER = "router"  # a fixed one
    WEAK_ROUTER = "weak_router"  # a fixed one that is mostly offline in the evening
    UNLISTED = "unlisted"  # the vendor does not list it
    SHELVED = "shelved"  # returned
    SPARE = "spare"  # not lent yet


@dataclass(frozen=True)
class Mix:
    """How many hotspots of each persona are on loan; the fields bear the personas' names."""

    regular: int
    idle: int = 0
    never_used: int = 0
    day_capped: int = 0
    month_capped: int = 0
    at_desk: int = 0
    asleep: int = 0
    cut_off: int = 0
    router: int = 0
    weak_router: int = 0
    unlisted: int = 0

    def __iter__(self) -> Iterator[Persona]:
        for field in fields(self):
            yield from [Persona(field.name)] * getattr(self, field.name)


@dataclass(frozen=True)
class School:
    """``need`` None: no survey was made there."""

    name: str
    number: int
    enrolled: int
    answered: int
    need: int | None
    on_loan: Mix
    is_high_needs: bool = False
    isp: float | None = None  # identified students / enrolled
    waitlist: int | None = None
    library_hours: float | None = None  # a week

    @property
    def ncessch(self) -> str:
        return f"{LEAID}{self.number:05d}"

    @property
    def group_key(self) -> str:
        """Of its device group at the vendor."""
        return f"88{self.number:04d}"


_HIGH_NEEDS = (
    School(
        "Alder Creek Elementary", 101, 412, 321, 96, Mix(43, 6, 6, 2, 1, 2, 1, 1, 2, 1, 1), True, 0.81, 14, 10
    ),
    School("Brook Hollow Middle", 102, 655, 478, 118, Mix(58, 8, 6, 3, 2, 2, 2, 1, 4, 2), True, 0.77, 9),
    School("Cinder Ridge High", 103, 873, 690, 74, Mix(50, 5, 3, 2, 1, 1, 0, 1, 3, 1, 1), True, 0.69, 2, 6),
)
_OTHERS = (
    School(
        "Dogwood Elementary", 104, 388, 349, 32, Mix(26, idle=1, never_used=1, at_desk=1, router=1), isp=0.38
    ),
    School("Elm Fork Middle", 105, 602, 530, 48, Mix(33, 2, 2, 1, 1, 0, 1, 0, 3, 1), isp=0.44, waitlist=3),
    School("Foxglove Elementary", 106, 341, 317, 22, Mix(25, idle=1), isp=0.21, waitlist=0),
    School(
        "Granite Pass High",
        107,
        1204,
        987,
        84,
        Mix(54, 4, 3, 2, 1, 1, 0, 1, 6, 1),
        isp=0.41,
        library_hours=12.5,
    ),
    School("Heron Lake Elementary", 108, 296, 281, 15, Mix(14, idle=1), isp=0.18),
    School("Ironwood Middle", 109, 580, 464, 56, Mix(36, 3, 2, 1, 1, 0, 1, 1, 2, 1, 1), isp=0.55, waitlist=5),
    School("Juniper Flats K-8", 110, 467, 415, 41, Mix(31, 1, 2, 0, 1, 1, 0, 0, 1), isp=0.47),
    School("Kestrel High", 111, 990, 832, 67, Mix(44, 3, 2, 1, 1, 1, 1, 1, 3), isp=0.34),
    School("Lantern Hill Elementary", 112, 365, 0, None, Mix(17, 2, 1, 1, asleep=1, router=1), isp=0.29),
)
SCHOOLS = _HIGH_NEEDS + _OTHERS
