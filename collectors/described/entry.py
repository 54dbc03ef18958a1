"""The described platforms, for the registry."""

from collections.abc import Collection, Mapping, Sequence

from collectors import base, budget, errors
from collectors.described import options as kinds
from collectors.described.api import Api
from collectors.described.collector import Collector, endpoint_groups
from collectors.described.options import Options, Settings
from collectors.entry import Credentials, Entry, Source, Spending, Wires


def _settings(options: Options) -> Settings:
    """Raises OptionsInvalid: a district's own file may have changed since the options were checked."""
    try:
        return Settings.of(options)
    except ValueError as error:
        raise errors.OptionsInvalid(str(error)) from error


def _credentials(options: Options) -> Collection[str]:
    return _settings(options).description.sign_in.credentials()


def _terms(options: Options) -> budget.Terms:
    return budget.Terms(_settings(options).requests_per_second)


def _shared(options: Options, credentials: Credentials) -> Sequence[str]:
    settings = _settings(options)
    asked = sorted(settings.description.sign_in.credentials())
    return (settings.description.name, settings.base_url, *(credentials[name] for name in asked))


def _make(options: Options, credentials: Credentials, wires: Wires, spending: Spending) -> base.Collector:
    settings = _settings(options)
    http = wires.client(settings.base_url, spending)
    return Collector(settings, Api(http, settings, credentials))


def _entry(options: type[Options]) -> Entry:
    return Entry(
        source=Source.CARRIER,
        options=options,
        credentials=_credentials,
        groups=lambda chosen: endpoint_groups(_settings(chosen)),
        terms=_terms,
        shared=_shared,
        make=_make,
    )


ENTRIES: Mapping[str, Entry] = {
    "1nce": _entry(kinds.OneNce),
    "described": _entry(kinds.Described),
    "emnify": _entry(kinds.Emnify),
    "soracom": _entry(kinds.Soracom),
    "telnyx": _entry(kinds.Telnyx),
}
