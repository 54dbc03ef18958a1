"""What the pages say of reconciliation."""

from collections.abc import Sequence
from datetime import date

from service.model import cost_words, reconciliation
from service.store import reconciliation as rows
from service.web import words

LISTED = 20  # schools of each kind

_Counted = tuple[reconciliation.Kind, rows.Count | None]


def by_kind(summary: rows.Summary) -> list[_Counted]:
    """Every kind; None: nothing was found."""
    return [(kind, summary.total(kind.name)) for kind in reconciliation.KINDS]


def found(summary: rows.Summary) -> list[_Counted]:
    """The kinds that something was found of."""
    return [(kind, count) for kind, count in by_kind(summary) if count is not None]


def since(value: date, on_day: date) -> str:
    """``Oct 3``, with its year where that is not the present one."""
    return words.short_day(value) if value.year == on_day.year else f"{words.short_day(value)}, {value.year}"


def cost(count: rows.Count) -> str:
    """What is not known is said, and is never 0."""
    if count.monthly_cost is None:
        return words.NOT_KNOWN
    told = cost_words.money(count.monthly_cost)
    return f"{told} + {count.without_cost:,} not known" if count.without_cost else told


def rest(counts: Sequence[rows.Count]) -> int:
    """How many were found at the schools that are not listed."""
    return sum(count.findings for count in counts[LISTED:])


def said_nothing_of(summary: rows.Summary) -> str:
    """Of how many lines nothing could be said: they are not among what was found, and not among the good ones."""
    if is_all_known(summary):
        return f"The status of all {summary.lines:,} lines was known."
    parts = []
    if not summary.lines:
        parts.append("no line is known to be in a hotspot or a home router")
    elif summary.lines_untold == summary.lines:
        parts.append(
            f"no source tells whether the {summary.lines:,} lines are active, so no contradiction that turns on it "
            "can be found"
        )
    elif summary.lines_untold:
        parts.append(f"the status of {summary.lines_untold:,} of {summary.lines:,} lines was not known")
    if summary.lines_in_no_device:
        parts.append(f"{summary.lines_in_no_device:,} active lines are in no device that any source names")
    return f"Not judged: {'; '.join(parts)}."


def is_all_known(summary: rows.Summary) -> bool:
    """There are lines, and each could be judged."""
    return bool(summary.lines) and not summary.lines_untold and not summary.lines_in_no_device
