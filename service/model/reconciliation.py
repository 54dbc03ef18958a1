"""What reconciliation looks for: each kind, what it means and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    name: str
    title: str
    meaning: str
    advice: str
    urgent_days: int | None = None  # from so many days on it should not be put off
    has_cost: bool = False  # its findings are lines that are paid for
    is_about_coverage: bool = False  # while there are any, coverage itself is doubtful


KINDS = (
    Kind(
        name="line_without_loan",
        title="Active line with no loan",
        meaning="A line is active, and nobody has its hotspot on loan.",
        advice="lend the hotspot, or have the line suspended at the carrier",
        urgent_days=30,
        has_cost=True,
    ),
    Kind(
        name="lost_but_billed",
        title="Lost, but still billed",
        meaning="A hotspot was reported lost, and its line is still active.",
        advice="have the line suspended at the carrier, or record the return if the hotspot was found",
        urgent_days=60,
        has_cost=True,
    ),
    Kind(
        name="use_after_return",
        title="Returned, but in use",
        meaning="A hotspot that is recorded as returned moved data in the last seven days.",
        advice="look for the hotspot; correct the return if it is still out",
        has_cost=True,
    ),
    Kind(
        name="loan_on_suspended_line",
        title="On loan, but suspended",
        meaning="A hotspot is on loan, and its line is suspended or deactivated.",
        advice="have the line restored, or record the return if the hotspot came back",
    ),
    Kind(
        name="sim_moved",
        title="SIM in another device",
        meaning="The SIM of a hotspot on loan was moved to another device, or the hotspot holds none.",
        advice="ask for the hotspot and look which SIM is in it",
    ),
    Kind(
        name="loan_after_leaving",
        title="Borrower at another school, or gone",
        meaning="The roster says that the student has left the district, or is at another school than the loan.",
        advice="ask for the hotspot back, or record the loan at the student's school",
    ),
    Kind(
        name="duplicate_loan",
        title="More than one hotspot for one",
        meaning="A student has more than one hotspot on loan; where loans serve homes, a home has.",
        advice="ask for the ones that are not needed, or record the return of those that came back",
        has_cost=True,
        is_about_coverage=True,
    ),
    Kind(
        name="overlapping_loans",
        title="Lent twice at a time",
        meaning="A hotspot was lent anew while an earlier loan of it was open, and that one is open still.",
        advice="give the earlier loan the day of its return",
        is_about_coverage=True,
    ),
    Kind(
        name="need_stale",
        title="Need count is stale",
        meaning="The count of students in need is of few answers, old, no longer valid, or smaller than what was "
        "found working.",
        advice="ask the school's families again, and import the answers",
        is_about_coverage=True,
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}


def is_urgent(kind: str, days: int) -> bool:
    """Whether what was found so many days ago should not be put off any longer."""
    most = BY_NAME[kind].urgent_days
    return most is not None and days >= most


# Why, in words: what the column reason of a finding holds.
REASONS = {
    "never_lent": "never lent",
    "returned": "returned",
    "loan_desk": "suspended at the loan desk",
    "season": "suspended for a season",
    "carrier": "suspended at the carrier",
    "deactivated": "deactivated",
    "no_sim": "it holds no SIM",
    "another_sim": "it holds another SIM",
    "left_district": "left the district",
    "another_school": "at another school",
    "expired": "no longer valid",
    "exceeded": "more found working than counted in need",
    "old": "more than a year old",
    "few_answers": "fewer than 7 of 10 have answered",
}
