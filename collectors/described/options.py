"""What an account of a described platform may be told. What is left out is as the description says."""

import functools
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

from collectors import entry, hosts, readings
from collectors.described import description as descriptions

Days = Annotated[int, msgspec.Meta(ge=1, le=3_660)]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One account. ``statuses`` adds to the description's words, and goes before them."""

    platform: ClassVar[str] = ""

    base_url: str | None = None
    page_size: descriptions.PageSize | None = None
    requests_per_second: entry.Rate | None = None
    cadence_minutes: entry.Minutes = 60
    usage_cadence_minutes: entry.Minutes = 720
    history_days: Days = 31  # told of by the first sweep of usage
    reread_days: Days = 4  # before the last sweep, told of again: a day may still change
    megabyte_bytes: Literal[1_000_000, 1_048_576] = 1_000_000
    statuses: dict[str, readings.LineStatus] = {}

    def __post_init__(self) -> None:
        told = self.description()
        if self.base_url is not None:
            hosts.check_base_url(self.base_url)
        if self.page_size is not None and self.page_size > told.lines.page_size:
            raise ValueError(f"page_size: {told.name} takes {told.lines.page_size} at most")
        if told.usage is not None and self.history_days > told.usage.most_days:
            raise ValueError(f"history_days: {told.name} tells of {told.usage.most_days} days at most")

    def description(self) -> descriptions.Description:
        return _shipped(self.platform)


class OneNce(Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    platform: ClassVar[str] = "1nce"


class Emnify(Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    platform: ClassVar[str] = "emnify"


class Soracom(Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    platform: ClassVar[str] = "soracom"


class Telnyx(Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    platform: ClassVar[str] = "telnyx"


class Described(Options, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A platform of the district's own description, at ``path``."""

    path: entry.Name

    def description(self) -> descriptions.Description:
        return descriptions.load(Path(self.path))


@functools.cache
def _shipped(name: str) -> descriptions.Description:
    return descriptions.shipped(name)


class Settings(msgspec.Struct, frozen=True):
    """A description, and what the account says otherwise."""

    description: descriptions.Description
    options: Options

    @classmethod
    def of(cls, options: Options) -> "Settings":
        return cls(options.description(), options)

    @property
    def base_url(self) -> str:
        return (self.options.base_url or self.description.base_url).rstrip("/")

    @property
    def page_size(self) -> int:
        return self.options.page_size or self.description.lines.page_size

    @property
    def requests_per_second(self) -> float:
        return self.options.requests_per_second or self.description.requests_per_second
