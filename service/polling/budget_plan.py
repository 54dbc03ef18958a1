"""Whether an account's sweeps fit what its vendor allows, and what gives way where they do not."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

from collectors import base, entry
from service.polling import accounts
from service.store import source as sources

USABLE = 0.9  # of a budget: the rest is for sign-ins and for requests that are tried again
LONGEST = timedelta(days=7)  # no group is stretched beyond this


@dataclass(frozen=True)
class Planned:
    """An endpoint group of one account: what a sweep takes, and how often it can be made.

    ``cadence`` is the one that was asked for, ``every`` the one that the budget allows.
    """

    account: accounts.Account
    group: base.EndpointGroup
    lines: int
    spending: entry.Spending
    every: timedelta

    @property
    def requests(self) -> int:
        return self.group.requests(self.lines)

    @property
    def takes(self) -> timedelta:
        """How long a sweep takes at the vendor's limit."""
        return timedelta(seconds=self.requests / self.spending.terms.requests_per_second)

    @property
    def load(self) -> float:
        """The share of the credential's budget that it takes."""
        return self.takes / self.every

    @property
    def is_stretched(self) -> bool:
        return self.every > self.group.cadence

    def __str__(self) -> str:
        return (
            f"{self.account.name}, {self.group.name}: {self.lines:,} lines need {spoken(self.takes)} "
            f"at this vendor's limit; cadence is {spoken(self.group.cadence)}"
        )


def made(asked: Iterable[Planned]) -> list[Planned]:
    """The plan: within each credential's budget, the groups of the lowest priority stretched first."""
    by_credential = sorted(asked, key=lambda planned: planned.spending.fingerprint)
    plan: list[Planned] = []
    for _, sharing in groupby(by_credential, key=lambda planned: planned.spending.fingerprint):
        plan += _fitted(_on_the_strictest_terms(list(sharing)))
    return plan


def of_accounts(polled: Sequence[accounts.Account], lines: Mapping[sources.Source, int]) -> list[Planned]:
    """The plan of accounts that have shown so many lines, in the order of the accounts."""
    plan = made(
        Planned(account, group, lines.get(account.source, 0), account.spending, group.cadence)
        for account in polled
        if account.spending is not None
        for group in account.collector.endpoint_groups
    )
    places = {account.source: place for place, account in enumerate(polled)}
    return sorted(plan, key=lambda planned: places[planned.account.source])


def loads(plan: Sequence[Planned]) -> dict[str, float]:
    """By credential, the share of its budget that the plan takes: above 1 it cannot be kept."""
    found: dict[str, float] = {}
    for planned in plan:
        found[planned.spending.fingerprint] = found.get(planned.spending.fingerprint, 0.0) + planned.load
    return found


def overload(plan: Sequence[Planned]) -> float:
    """The largest share of a credential's budget that the plan takes."""
    return max(loads(plan).values(), default=0.0)


def _on_the_strictest_terms(sharing: list[Planned]) -> list[Planned]:
    terms = sharing[0].spending.terms
    for planned in sharing:
        terms = terms.strictest(planned.spending.terms)
    return [replace(planned, spending=replace(planned.spending, terms=terms)) for planned in sharing]


def _fitted(sharing: list[Planned]) -> list[Planned]:
    """Stretch one group after another, until all fit or none can give more."""
    fitted = {id(planned): planned for planned in sharing}
    for planned in sorted(sharing, key=lambda planned: (-planned.group.priority, -planned.load)):
        others = sum(other.load for key, other in fitted.items() if key != id(planned))
        if others + planned.load <= USABLE:
            break
        fitted[id(planned)] = replace(planned, every=_stretched(planned, USABLE - others))
    return list(fitted.values())


def _stretched(planned: Planned, share: float) -> timedelta:
    """How often the group can be swept within a share of the budget, in whole minutes."""
    longest = max(LONGEST, planned.group.cadence)
    if share <= 0 or planned.takes / share >= longest:
        return longest
    minutes = math.ceil(planned.takes / share / timedelta(minutes=1))
    return max(planned.group.cadence, timedelta(minutes=minutes))


def spoken(span: timedelta) -> str:
    """A time span as people say it: 45 seconds, 28 minutes, 2.5 hours."""
    seconds = span.total_seconds()
    for size, unit, digits in ((86_400, "days", 1), (3_600, "hours", 1), (60, "minutes", 0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.{digits}f} {unit}".replace(".0 ", " ")
    return "1 second" if round(seconds) == 1 else f"{seconds:,.0f} seconds"
