"""Ericsson Cradlepoint NetCloud Manager, for the registry."""

from collections.abc import Sequence

from collectors import base, budget
from collectors.entry import Credentials, Entry, Source, Spending, Wires
from collectors.netcloud.api import CREDENTIALS, Api, suffixes
from collectors.netcloud.collector import Collector, endpoint_groups
from collectors.netcloud.options import Options


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    http = wires.client(options.base_url, spending, suffixes=suffixes(options.base_url))
    return Collector(options, Api(http, options, credentials))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    return ("netcloud", options.base_url, *(credentials[name] for name in sorted(CREDENTIALS)))


ENTRY = Entry(
    source=Source.ROUTER,
    options=Options,
    credentials=lambda options: CREDENTIALS,
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second),
    shared=_shared,
    make=_make,
)
