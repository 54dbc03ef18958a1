"""A family of series as a row of a table: its name, its help, and how its values are found."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")
Labels = tuple[str, ...]

STABLE = "stable"  # name, labels and meaning stay within a major version
EXPERIMENTAL = "experimental"  # may change in a minor version; the changelog says so


@dataclass(frozen=True)
class Gauge(Generic[Subject]):
    """A family of one series a subject. Its value is None where it is not known: the series is absent then."""

    name: str
    help: str
    value: Callable[[Subject], float | None]
    stability: str = STABLE

    labels = ()

    def series(self, key: Labels, subject: Subject) -> Iterator[tuple[Labels, float | None]]:
        yield key, self.value(subject)


@dataclass(frozen=True)
class By(Generic[Subject]):
    """A family with one label more than its subject has, as ``state``: values by that label."""

    name: str
    help: str
    label: str
    values: Callable[[Subject], Mapping[str, float | None]]
    stability: str = STABLE

    @property
    def labels(self) -> Labels:
        return (self.label,)

    def series(self, key: Labels, subject: Subject) -> Iterator[tuple[Labels, float | None]]:
        for word, value in self.values(subject).items():
            yield (*key, word), value


Family = Gauge[Any] | By[Any]
Subjects = Iterable[tuple[Labels, Subject]]


@dataclass(frozen=True, slots=True)
class Described:
    """A family as documents and tests know it."""

    name: str  # as the text format has it: counters end in _total
    kind: str
    labels: frozenset[str]
    stability: str
    help: str


def field(name: str, path: str, text: str, stability: str = STABLE) -> Gauge[Any]:
    """A family whose value is a field of the subject."""
    return Gauge(name, text, operator.attrgetter(path), stability)


def instant(value: datetime | None) -> float | None:
    return None if value is None else value.timestamp()


def midnight(day: date | None, zone: tzinfo) -> float | None:
    return None if day is None else datetime.combine(day, time(), zone).timestamp()
