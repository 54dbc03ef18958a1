"""Every timed job in one table: coalesced, jittered, and never two runs of one job at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler import events
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

_JITTER_RATIO = 0.05  # so that jobs of one cadence do not wake together
_LONGEST_JITTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Job:
    """``run`` every ``every``, first after ``first_after``. ``skipped`` is told when a run was still going."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
    first_after: timedelta = timedelta(0)
    skipped: Callable[[], None] = lambda: None


class Schedule:
    """Starts and stops the jobs. ``stop`` lets no run begin; those that go on are the caller's to end."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._skipped = {job.name: job.skipped for job in jobs}
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._on_skip, events.EVENT_JOB_MAX_INSTANCES)
        for job in jobs:
            self._add(job)

    def _add(self, job: Job) -> None:
        self._scheduler.add_job(
            job.run,
            _trigger(job.every),
            id=job.name,
            next_run_time=datetime.now(UTC) + job.first_after,
        )

    def reschedule(self, name: str, every: timedelta) -> None:
        """Run a job at another pace, counted from its last run: a pace that changes often puts no run off."""
        job = self._scheduler.get_job(name)
        due = job.next_run_time - job.trigger.interval + every
        self._scheduler.modify_job(name, trigger=_trigger(every), next_run_time=due)

    def _on_skip(self, event: events.JobExecutionEvent) -> None:
        self._skipped[event.job_id]()

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)


def _trigger(every: timedelta) -> IntervalTrigger:
    jitter = min(every * _JITTER_RATIO, _LONGEST_JITTER)
    return IntervalTrigger(seconds=every.total_seconds(), jitter=jitter.total_seconds(), timezone=UTC)
