"""One export under way: what it is made from, and what it is told as it goes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import asyncpg

from service.exports import terms as export_terms
from service.exports import threads
from service.model import months
from service.store import leases

Result = TypeVar("Result")


class Stopped(Exception):
    """Nobody waits for it any more."""


def silent(step: str, done: int, total: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    pool: asyncpg.Pool
    terms: export_terms.Terms
    asked: export_terms.Asked
    facts: months.Facts
    is_partial: bool
    now: datetime
    lease: leases.Lease
    progress: export_terms.Progress = field(default=silent)

    @property
    def mark(self) -> str:
        return export_terms.PARTIAL if self.is_partial else ""

    def name(self, revision: int) -> str:
        return export_terms.folder_name(self.asked, is_partial=self.is_partial, revision=revision)


async def aside(progress: export_terms.Progress, work: Callable[[export_terms.Progress], Result]) -> Result:
    """Run what takes long in a thread, so that whoever serves pages goes on. Where nobody waits for it any more, it
    ends at the next step that it tells of, and not minutes later: until then it is waited for."""
    is_stopped = False

    def told(step: str, done: int, total: int) -> None:
        if is_stopped:
            raise Stopped
        progress(step, done, total)

    def stop() -> None:
        nonlocal is_stopped
        is_stopped = True

    return await threads.run(lambda: work(told), stop=stop)
