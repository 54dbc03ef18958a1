"""The sections of the configuration that alerts are made and sent by."""

from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from service import sections

Severity = Literal["info", "warning", "high", "critical"]
Role = Literal["it", "coordinator", "school", "finance"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _page_address(url: str | None) -> str | None:
    parts = urlsplit(url or "")
    if url is not None and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
        raise ValueError("write where people reach the pages, as https://afterbell.district.example")
    return None if url is None else url.rstrip("/")


class Mail(sections.Section):
    """The district's mail server."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: Path | None = None
    sender: str = Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    timeout_seconds: float = Field(default=30, gt=0, le=300)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.user is None) != (self.password_file is None):
            raise ValueError("give user and password_file, or neither")
        if self.user is not None and self.encryption == "none":
            raise ValueError('encryption = "none" would send the password in the clear')
        return self


class Channel(sections.Section):
    """Where messages go: a mailbox, whatever Apprise knows, or a webhook, for some roles and schools."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    kind: Literal["mail", "apprise", "webhook"]
    to: tuple[Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")], ...] = ()  # of mail
    url_file: Path | None = None  # of apprise and webhook: the address holds a secret
    roles: tuple[Role, ...] = Field(min_length=1)
    schools: tuple[sections.NcesId, ...] = ()  # none: every school
    language: Literal["en", "es"] = "en"
    least_severity: Severity = "info"
    digest: Literal["rule", "daily", "weekly", "none"] = "rule"  # rule: as urgent as the rule says

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind == "mail" and (not self.to or self.url_file):
            raise ValueError(f"channel {self.key!r}: mail needs to, and no url_file")
        if self.kind != "mail" and (self.to or not self.url_file):
            raise ValueError(f"channel {self.key!r}: {self.kind} needs url_file, and no to")
        return self


class Maintenance(sections.Section):
    """A time in which the district works on its fleet: no alert about a family."""

    starts_at: datetime
    ends_at: datetime
    account: str | None = None  # None: everything

    @model_validator(mode="after")
    def _has_a_zone_and_a_length(self) -> Self:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("maintenance: write instants with their zone, as 2026-11-26T18:00:00-08:00")
        if self.ends_at <= self.starts_at:
            raise ValueError("maintenance: ends_at must be after starts_at")
        return self


class Alerts(sections.Section):
    """How a district is told."""

    profile: Literal["local", "ecf", "erate_2024"] = "local"
    rules_folder: Path | None = None  # of the district's own
    off: tuple[str, ...] = ()  # rules that are not evaluated
    thresholds: dict[str, float] = Field(default_factory=dict)  # rule -> in place of its own
    digest_at: time = time(7, 0)  # local
    digest_on: Weekday = "monday"  # the weekly
    quiet_starts: time = time(20, 0)  # local; what is not critical waits
    quiet_ends: time = time(7, 0)
    channels: tuple[Channel, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        sections.unique("alerts.channels", [channel.key for channel in self.channels])
        return self


PageAddress = Annotated[str | None, AfterValidator(_page_address)]
