"""A message: what is told of each rule, in words that any channel can carry."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.alerting import words

OUTCOMES = ("new", "escalated", "still", "held", "resolved", "passed")  # in the order in which they are told
OVER = ("resolved", "passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The district that speaks, and where its pages are (``page_address`` None: links are left out)."""

    district_id: int
    name: str
    zone: ZoneInfo
    page_address: str | None = None
    minimum_cell_size: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a channel reaches."""

    channel_key: str
    roles: tuple[str, ...]
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A school, or (``name`` None) those that are not named: few in need, or need not known (``is_small``)."""

    name: str | None
    is_small: bool | None
    words: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of some alerts of a rule."""

    outcome: str  # of OUTCOMES
    count: int
    counted: str  # 3 new
    when: str  # since Monday ...
    amount: str  # 30 to 41 days; empty where there is none, or where it is over
    note: str
    places: tuple[Place, ...]  # the most alerts first
    more: str  # and 12 more schools
    since_at: datetime
    latest_since_at: datetime
    until_at: datetime | None
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is told of one rule."""

    rule: str
    title: str
    severity: str
    severity_words: str
    threshold: float | None
    threshold_words: str  # Threshold: 30 days; empty where the rule has none in a unit, or where all is over
    why: str
    action: str
    unit: str
    link: str | None
    link_words: str
    changes: tuple[Change, ...]

    @property
    def is_over(self) -> bool:
        return all(change.outcome in OVER for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Ready to be written for a channel. ``id`` is the same at every try; ``begun_by`` is the earlier message's."""

    id: str
    begun_by: str | None
    kind: str  # alerts, package, or test
    sender: Sender
    audience: Audience
    topic: str
    subject: str
    heading: str
    severity: str
    sections: tuple[Section, ...]
    link: str | None
    text: str = ""  # of what is no alert
    action: str = "test_action"  # by the name of its phrase: what to do about that text
    open_words: str = "open_all"  # likewise: what the link leads to

    @property
    def is_over(self) -> bool:
        return bool(self.sections) and all(section.is_over for section in self.sections)


def test(sender: Sender, audience: Audience, *, now: datetime) -> Message:
    """One that says it is a test."""
    subject = words.phrase(audience.language, "test_subject")
    return Message(
        id=f"afterbell.{sender.district_id}.test.{now:%Y%m%dT%H%M%S%f}.{audience.channel_key}",
        begun_by=None,
        kind="test",
        sender=sender,
        audience=audience,
        topic="test",
        subject=f"{subject} · {sender.name}",
        heading=subject,
        severity="info",
        sections=(),
        link=address(sender, "alerts"),
        text=words.phrase(audience.language, "test_text"),
    )


def message_id(district_id: int, flip_id: int, flip_at: datetime, channel_key: str) -> str:
    """Of the first flip that it tells of. The instant sets apart what a database that was made anew counts again."""
    return f"afterbell.{district_id}.{flip_id}.{flip_at:%Y%m%dT%H%M%S}.{channel_key}"


def address(sender: Sender, path: str) -> str | None:
    """Of a district's page; None: nobody said where the pages are."""
    return (
        None
        if sender.page_address is None
        else f"{sender.page_address}/districts/{sender.district_id}/{path}"
    )
