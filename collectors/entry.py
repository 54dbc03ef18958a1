"""What the registry needs to know of a collector, and what connects one with the world."""

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from collectors import base, budget, client, hosts

Rate = Annotated[float, msgspec.Meta(gt=0, le=100_000)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=10_080)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Source(enum.IntEnum):
    """Whose word a line's day is taken from where several speak of it: the lowest, unless configured."""

    CARRIER = 1
    ROUTER = 2
    STUDENT_DEVICES = 3


@dataclass(frozen=True)
class Wires:
    """What connects a collector with the world. ``transport`` stands in for the network in tests."""

    budgets: budget.Budgets
    transport: client.Transport | None = None
    observer: client.Observer | None = None
    limits: client.Limits | None = None

    def client(
        self,
        base_url: str,
        spending: "Spending",
        *,
        suffixes: Sequence[str] = (),
        judge: client.Judge | None = None,
    ) -> client.Client:
        """A client that spends this budget, and follows the vendor only to hosts that end in a suffix."""
        transport = self.transport or (client.direct() if hosts.is_local(base_url) else None)
        return client.Client(
            self.budgets.of(spending.fingerprint, spending.terms),
            limits=self.limits,
            transport=transport,
            observer=self.observer,
            hosts=hosts.Hosts(base_url, suffixes),
            judge=judge,
        )


@dataclass(frozen=True)
class Spending:
    """A credential by its fingerprint, and what it may do."""

    fingerprint: str
    terms: budget.Terms


Credentials = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """How to make one vendor's collector. Every function takes the vendor's checked options.

    ``credentials`` names those that the options ask for; ``shared`` tells which parts of options and credentials
    make two accounts share one budget.
    """

    source: Source
    lag_days: int = 0  # how long the vendor needs before a day's figure is complete, unless configured
    options: type[msgspec.Struct]
    credentials: Callable[[Any], Collection[str]]
    groups: Callable[[Any], Sequence[base.EndpointGroup]]
    terms: Callable[[Any], budget.Terms]
    shared: Callable[[Any, Credentials], Sequence[str]]
    make: Callable[[Any, Credentials, Wires, Spending], base.Collector]

    def spending(self, options: Any, credentials: Credentials) -> Spending:
        return Spending(budget.fingerprint(*self.shared(options, credentials)), self.terms(options))
