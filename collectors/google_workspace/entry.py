"""Google Workspace, for the registry."""

from collections.abc import Sequence

from collectors import base, budget
from collectors.entry import Credentials, Entry, Source, Spending, Wires
from collectors.google_workspace import keys, refusals
from collectors.google_workspace.api import Api
from collectors.google_workspace.collector import Collector, endpoint_groups
from collectors.google_workspace.options import SERVICE_ACCOUNT_KEY, Options


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    account = keys.read(credentials[SERVICE_ACCOUNT_KEY])
    http = wires.client(options.base_url, spending, judge=refusals.judge)
    return Collector(options, Api(http, options, account))


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    """Google counts by project and user; accounts of one project share, whoever their user is."""
    return ("google_workspace", options.base_url, credentials[SERVICE_ACCOUNT_KEY])


ENTRY = Entry(
    source=Source.STUDENT_DEVICES,
    options=Options,
    credentials=lambda options: (SERVICE_ACCOUNT_KEY,),
    groups=endpoint_groups,
    terms=lambda options: budget.Terms(options.requests_per_second),
    shared=_shared,
    make=_make,
)
