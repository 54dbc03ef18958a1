"""Verizon ThingSpace, for the registry."""

from collections.abc import Sequence

from collectors import base, budget
from collectors.entry import Credentials, Entry, Source, Spending, Wires
from collectors.thingspace.api import Api
from collectors.thingspace.collector import Collector, endpoint_groups
from collectors.thingspace.options import Options
from collectors.thingspace.refusals import judge

LAG_DAYS = 2  # rated figures are two days in arrears


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    http = wires.client(options.base_url, spending, judge=judge)
    return Collector(options, Api(http, options, credentials))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    """What the vendor counts is not published: accounts that share an application share its budget."""
    return ("thingspace", options.base_url, credentials["key"])


ENTRY = Entry(
    source=Source.CARRIER,
    lag_days=LAG_DAYS,
    options=Options,
    credentials=lambda options: frozenset({"key", "secret", "username", "password"}),
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second),
    shared=_shared,
    make=_make,
)
