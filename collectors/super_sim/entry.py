"""Super SIM at KORE and at Twilio, for the registry."""

from collections.abc import Sequence

from collectors import base, budget
from collectors.entry import Credentials, Entry, Source, Spending, Wires
from collectors.super_sim.api import Api, judge
from collectors.super_sim.collector import Collector, endpoint_groups
from collectors.super_sim.options import Options


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    http = wires.client(options.address, spending, judge=judge)
    return Collector(options, Api(http, options, credentials))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    return ("super_sim", options.address, *(credentials[name] for name in sorted(options.credentials())))


ENTRY = Entry(
    source=Source.CARRIER,
    lag_days=1,
    options=Options,
    credentials=Options.credentials,
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second),
    shared=_shared,
    make=_make,
)
