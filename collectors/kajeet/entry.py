"""Kajeet Sentinel, for the registry."""

from collections.abc import Sequence

from collectors import base, budget
from collectors.entry import Credentials, Entry, Source, Spending, Wires
from collectors.kajeet.api import Api
from collectors.kajeet.collector import Collector, endpoint_groups
from collectors.kajeet.options import Options


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    http = wires.client(options.base_url, spending)
    return Collector(options, Api(http, options, credentials))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    return ("kajeet", options.base_url, *(credentials[name] for name in sorted(options.credentials())))


ENTRY = Entry(
    source=Source.CARRIER,
    options=Options,
    credentials=Options.credentials,
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second),
    shared=_shared,
    make=_make,
)
