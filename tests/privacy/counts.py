"""What must stay hidden, listed here from the definitions and apart from the product: the numbers of students
from 1 to 9 that a school, or the district, has of every kind that is told or derivable."""

from collections.abc import Mapping
from dataclasses import dataclass

FUNNEL = ("need", "loaned", "active_30", "active_7", "adequate", "unknown")
BESIDE = ("answered", "waitlist", "idle_30", "idle_60", "idle_90", "lost_month")
COUNTS = FUNNEL + BESIDE

SMALL = range(1, 10)

Truth = Mapping[
    str, int | None
]  # of a school in a month: enrolled and the counts; None: not known to anybody


@dataclass(frozen=True, slots=True)
class Quantity:
    """Some counts less others; never below 0."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " - ".join((*self.plus, *self.minus))

    def of(self, truth: Truth) -> int | None:
        plus, minus = [truth[n] for n in self.plus], [truth[n] for n in self.minus]
        if None in plus or None in minus:
            return None
        return max(0, sum(n or 0 for n in plus) - sum(n or 0 for n in minus))

    def is_small(self, truth: Truth) -> bool:
        return self.of(truth) in SMALL


def _differences(larger: str, *smaller: str) -> list[Quantity]:
    return [Quantity((larger,), (name,)) for name in smaller]


OF_SCHOOLS = (
    *(Quantity((name,)) for name in COUNTS),
    *_differences("enrolled", "answered", "need"),
    *_differences("answered", "need"),
    *_differences("need", "loaned", "active_30", "active_7", "adequate", "unknown"),
    *_differences("loaned", "need", "active_30", "active_7", "adequate", "unknown"),
    *_differences("active_30", "need", "active_7", "adequate"),
    *_differences("active_7", "need", "adequate"),
    *_differences("adequate", "need"),
    *_differences("idle_30", "idle_60", "idle_90"),
    *_differences("idle_60", "idle_90"),
    Quantity(("loaned",), ("adequate", "unknown")),
    Quantity(("need",), ("adequate", "unknown")),
)
# One school's surplus is not taken from another's need.
OF_THE_DISTRICT = tuple(
    quantity
    for quantity in OF_SCHOOLS
    if not {"enrolled", "answered"} & {*quantity.plus, *quantity.minus} and quantity.minus != ("need",)
)
