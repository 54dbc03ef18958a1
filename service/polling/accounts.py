"""An account as polling knows it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from collectors import base, entry
from service.store import source as sources

Clock = Callable[[], datetime]  # the present instant, UTC: a demo's is not the wall's


@dataclass(frozen=True)
class Account:
    """The keys of its rows, and its collector."""

    key: str
    source: sources.Source
    collector: base.Collector
    spending: entry.Spending | None = None  # None: a pretend vendor has no limit

    @property
    def name(self) -> str:
        return f"district {self.source.district_id}, account {self.key}"
