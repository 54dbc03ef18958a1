"""Days on which a source said nothing, by collector: how many, never which."""

from collections.abc import Mapping

from service.exports.report.words import Words
from service.model import months


def silent_days(facts: months.Facts) -> dict[str, int]:
    """Of each collector's worst account; those without a gap are left out."""
    found: dict[str, int] = {}
    for source in facts.sources:
        days = sum((last - first).days + 1 for first, last in source.gaps)
        found[source.collector] = max(days, found.get(source.collector, 0))
    return {name: days for name, days in sorted(found.items()) if days}


def said(gaps: Mapping[str, int], words: Words) -> str:
    return words.listed(
        words.say("sure_gaps_one", source=_name(collector), days=words.number_of("days", days))
        for collector, days in gaps.items()
    )


def _name(collector: str) -> str:
    return collector.replace("_", " ").title()
