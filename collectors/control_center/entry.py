"""Cisco IoT Control Center, for the registry."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from collectors import base, budget
from collectors.control_center import options as control_center_options
from collectors.control_center import refusals
from collectors.control_center.api import Api
from collectors.control_center.collector import Collector, endpoint_groups
from collectors.control_center.options import Options
from collectors.entry import Credentials, Entry, Source, Spending, Wires


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    http = wires.client(options.base_url, spending, judge=refusals.judge(options.throttling_codes))
    return Collector(options, Api(http, options, credentials))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    """The vendor counts calls by user, whatever the account."""
    host = urlsplit(options.base_url).netloc.lower()
    return ("control_center", host, credentials["username"], credentials["api_key"])


ENTRY = Entry(
    source=Source.CARRIER,
    options=Options,
    credentials=lambda options: control_center_options.CREDENTIALS,
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second, is_one_at_a_time=True),
    shared=_shared,
    make=_make,
)
