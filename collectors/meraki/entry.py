"""Cisco Meraki, for the registry."""

import urllib.parse
from collections.abc import Sequence

from collectors import base, budget
from collectors.entry import Credentials, Entry, Source, Spending, Wires
from collectors.meraki.api import Api, judge
from collectors.meraki.collector import Collector, endpoint_groups
from collectors.meraki.options import Options


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    http = wires.client(options.base_url, spending, suffixes=options.suffixes(), judge=judge)
    return Collector(options, Api(http, options, credentials))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    """Meraki counts an organisation's requests, whatever key they come with."""
    return ("meraki", urllib.parse.urlsplit(options.base_url).netloc, options.organization_id)


ENTRY = Entry(
    source=Source.ROUTER,
    options=Options,
    credentials=lambda options: ("api_key",),
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second),
    shared=_shared,
    make=_make,
)
