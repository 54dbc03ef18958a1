"""Timed jobs: none overlaps itself, none ends another; and the dead man's switch behind /healthz."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from service import schedule, serving

TICK = timedelta(milliseconds=40)
NEVER = timedelta(hours=1)


class Counted:
    """A job that counts its runs and how many went on at once."""

    def __init__(self, seconds: float = 0.0, *, fails: bool = False) -> None:
        self.runs = 0
        self.skipped = 0
        self.at_once = 0
        self.most_at_once = 0
        self._seconds = seconds
        self._fails = fails

    async def run(self) -> None:
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self._seconds)
            if self._fails:
                raise ValueError("on purpose")
        finally:
            self.at_once -= 1

    def skip(self) -> None:
        self.skipped += 1

    def job(
        self, name: str = "job", *, every: timedelta = TICK, first: timedelta = timedelta(0)
    ) -> schedule.Job:
        return schedule.Job(name, every, self.run, first_after=first, skipped=self.skip)


@contextlib.asynccontextmanager
async def scheduled(*jobs: schedule.Job) -> AsyncIterator[schedule.Schedule]:
    running = schedule.Schedule(jobs)
    running.start()
    try:
        yield running
    finally:
        running.stop()


async def test_a_job_whose_pace_changes_over_and_over_still_runs() -> None:
    job = Counted()
    async with scheduled(job.job(every=4 * TICK, first=4 * TICK)) as running:
        for number in range(12):
            running.reschedule("job", (4 + number % 2) * TICK)
            await asyncio.sleep(TICK.total_seconds())
    assert job.runs >= 2


async def test_a_job_that_may_run_more_often_does_not_wait_for_its_old_time() -> None:
    job = Counted()
    async with scheduled(job.job(every=NEVER, first=NEVER)) as running:
        running.reschedule("job", TICK)
        await asyncio.sleep(0.2)
    assert job.runs >= 2


async def test_a_job_runs_at_once_and_again() -> None:
    job = Counted()
    async with scheduled(job.job()):
        await asyncio.sleep(0.3)
    assert 2 <= job.runs <= 9


async def test_a_job_never_overlaps_itself_and_what_was_skipped_is_counted() -> None:
    slow, other = Counted(0.25), Counted()
    async with scheduled(slow.job("slow"), other.job("other")):
        await asyncio.sleep(0.4)
    assert slow.most_at_once == 1
    assert slow.runs <= 2
    assert slow.skipped >= 1
    assert (other.skipped, other.runs >= 3) == (0, True)


async def test_a_job_that_is_due_later_waits() -> None:
    job = Counted()
    async with scheduled(job.job(first=timedelta(milliseconds=150))):
        await asyncio.sleep(0.05)
        assert job.runs == 0
        await asyncio.sleep(0.2)
        assert job.runs >= 1


async def test_a_job_that_fails_is_run_again(caplog: pytest.LogCaptureFixture) -> None:
    job = Counted(fails=True)
    async with scheduled(job.job()):
        await asyncio.sleep(0.3)
    assert job.runs >= 2
    assert "on purpose" in caplog.text


async def test_after_a_stop_no_run_begins() -> None:
    job = Counted()
    async with scheduled(job.job()):
        await asyncio.sleep(0.1)
    runs = job.runs
    await asyncio.sleep(0.15)
    assert job.runs == runs


async def test_a_loop_that_was_busy_for_long_makes_one_run_of_those_it_missed() -> None:
    import time

    job = Counted()
    async with scheduled(job.job(every=timedelta(milliseconds=20), first=timedelta(milliseconds=20))):
        time.sleep(0.3)  # noqa: ASYNC251 - on purpose: a laptop that slept
        await asyncio.sleep(0.01)
        assert job.runs <= 2


# The dead man's switch.


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(serving, "time", clock)
    return clock


def test_health_trips_when_a_source_was_not_attempted_in_two_cadences_and_a_grace(clock: Clock) -> None:
    attempts = serving._Attempts()
    attempts.expect("district 1, account kajeet, devices", timedelta(hours=1))
    attempts.expect("district 1, account other, devices", timedelta(hours=6))
    assert attempts.health().is_alive
    clock.now += 2 * 3600 + serving.HEALTH_GRACE.total_seconds()
    assert attempts.health().is_alive
    clock.now += 1
    health = attempts.health()
    assert not health.is_alive
    assert health.reason == "not attempted in time: district 1, account kajeet, devices"


def test_an_attempt_resets_the_switch_whatever_came_of_it(clock: Clock) -> None:
    attempts = serving._Attempts()
    attempts.expect("devices", timedelta(hours=1))
    clock.now += 3 * 3600
    assert not attempts.health().is_alive
    attempts.made("devices")
    assert attempts.health().is_alive


def test_a_service_without_sources_is_healthy() -> None:
    assert serving._Attempts().health().is_alive
