"""Schools' months as the auditor judges them, for tests."""

from datetime import date

from service.exports import auditor, protecting
from service.model import protection

NAMES = protection.COUNTS


def facts(
    school: int = 1, month: int = 10, /, *, enrolled: int | None = 400, **counts: int | None
) -> protection.Facts:
    """Unless told: nobody waits, is idle or lost, and everyone in need answered."""
    told: dict[str, int | None] = dict.fromkeys(NAMES, 0)
    told["answered"] = enrolled
    return protection.Facts(
        ncessch=f"{school:012d}", month_on=date(2026, month, 1), enrolled=enrolled, counts={**told, **counts}
    )


def used(
    need: int, loaned: int, active: int, *, school: int = 1, month: int = 10, **more: int | None
) -> protection.Facts:
    """A school whose active students are all adequate."""
    counts: dict[str, int | None] = {
        "need": need,
        "loaned": loaned,
        "active_30": active,
        "active_7": active,
        "adequate": active,
        **more,
    }
    return facts(school, month, **counts)


def row(one: protection.Facts, level: protection.Level) -> auditor.Row:
    return auditor.Row(one, protecting.published(one, level))


def earlier(rows: list[protection.Facts], decision: protecting.Decision) -> protecting.Earlier:
    """A decision as the ledger keeps it."""
    totals = {name: cell for name, cell in decision.totals.items() if name not in decision.cells_only}
    return protecting.Earlier(rows=tuple(zip(rows, decision.rows, strict=True)), totals=totals)
