"""What lines cost in a period, by what is known of their use. Money that is not known is counted apart, never 0."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from service.model import retention

# What is known of a line's use over the period, in the order it is shown.
USES = (
    "used",
    "idle",  # every day is known, and none has a byte
    "partly_known",  # no byte on the days that are known
    "unknown",  # no day is known
)
NOT_IN_SERVICE = "not_in_service"  # deactivated, or not yet active, as far as it was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Some lines; ``cost`` is that of the ``with_cost`` whose plan's cost is known, for the whole period."""

    lines: int = 0
    with_cost: int = 0
    cost: Decimal = Decimal(0)

    @property
    def without_cost(self) -> int:
        return self.lines - self.with_cost

    def __add__(self, other: "Lines") -> "Lines":
        return Lines(
            lines=self.lines + other.lines,
            with_cost=self.with_cost + other.with_cost,
            cost=self.cost + other.cost,
        )


NONE = Lines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a school, of lines that no school lent (``ncessch`` None), or of the district."""

    ncessch: str | None
    name: str | None
    used: Lines = NONE
    idle: Lines = NONE
    partly_known: Lines = NONE
    unknown: Lines = NONE
    adequate: int | None = None  # students, on the day of the period's figure; None: there is no such day

    @property
    def all_lines(self) -> Lines:
        return self.used + self.idle + self.partly_known + self.unknown

    @property
    def per_covered_student(self) -> Decimal | None:
        """None: not applicable, or a line's cost or the students are not known."""
        if not self.adequate or not self.all_lines.with_cost or self.all_lines.without_cost:
            return None
        return (self.all_lines.cost / self.adequate).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """``last_on`` is before the last month's end while the period goes on: idle so far, at whole months' cost."""

    district_id: int
    first_on: date
    last_on: date
    months: int
    is_complete: bool
    figure_on: date | None  # the day whose adequate connections count
    district: Cost
    schools: tuple[Cost, ...]  # by name; the lines that no school lent last
    other_lines: Lines  # of bus routers and laptops: no home connection, in no figure above
    not_in_service: Lines  # likewise
    lowest_price: Decimal | None = None  # a month, of one line at home that was in service
    highest_price: Decimal | None = None


def latest_month(reported_on: date) -> date:
    """The first day of the latest month that is complete."""
    following = retention.month(reported_on, 1)
    return retention.month(reported_on, 0 if reported_on == following - timedelta(days=1) else -1)
