"""From flips to messages that are sent: one step queues, another claims, sends and records."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from service.alerting import channels, composing, messages
from service.model import alert_rules, due_times
from service.store import notifications

SEND_SECONDS = 120.0  # for one message, whatever its channel allows itself
LEASE = timedelta(minutes=5)  # longer than a message may take; who dies with one frees it by then
DISTRICTS_AT_ONCE = 8
WORKERS = 4  # so that a channel that does not answer holds up no other
# Until the next try, after each that failed; together a day. After the last it is given up.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480, 480))

Clock = Callable[[], datetime]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district that is told: its rules by name (in force or not), its channels by key."""

    sender: messages.Sender
    rules: Mapping[str, alert_rules.Rule]
    channels: Mapping[str, channels.Channel]
    timing: due_times.Timing

    @property
    def district_id(self) -> int:
        return self.sender.district_id


@dataclass(slots=True)
class Outcome:
    """What became of what was due."""

    sent: int = 0
    put_off: int = 0
    given_up: int = 0


@dataclass(slots=True)
class _Run:
    """One message at a time for each channel of this process."""

    outcome: Outcome = field(default_factory=Outcome)
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: set[str] = field(default_factory=set)


async def districts(pool: asyncpg.Pool, told: Sequence[District], *, clock: Clock) -> list[Outcome]:
    """Queue and deliver for every district, each on its own. Raises DatabaseUnavailable."""
    for district in told:
        await queue(pool, district, now=clock())
    limit = asyncio.Semaphore(DISTRICTS_AT_ONCE)

    async def delivered(district: District) -> Outcome:
        async with limit:
            return await deliver(pool, district, clock=clock)

    return await asyncio.gather(*(delivered(district) for district in told))


async def queue(pool: asyncpg.Pool, district: District, *, now: datetime) -> notifications.Queued:
    """Put flips into notifications, each for its time. Raises DatabaseUnavailable."""
    return await notifications.queue(
        pool,
        district.district_id,
        rules=district.rules.values(),
        routes=[channel.route for channel in district.channels.values()],
        due=due_times.due(district.timing, now=now, zone=district.sender.zone),
        now=now,
    )


async def deliver(pool: asyncpg.Pool, district: District, *, clock: Clock) -> Outcome:
    """Send what is due, and write down what came of it. Raises DatabaseUnavailable."""
    run = _Run()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(WORKERS, max(1, len(district.channels)))):
                group.create_task(_work(pool, district, run, clock))
    except ExceptionGroup as failed:  # the database is away for all of them
        raise failed.exceptions[0] from None
    return run.outcome


async def _work(pool: asyncpg.Pool, district: District, run: _Run, clock: Clock) -> None:
    while (claimed := await _claimed(pool, district, run, clock())) is not None:
        try:
            await _one(pool, district, claimed, run.outcome, clock)
        finally:
            run.busy.discard(claimed.channel_key)


async def _claimed(
    pool: asyncpg.Pool, district: District, run: _Run, now: datetime
) -> notifications.Claimed | None:
    async with run.claiming:
        claimed = await notifications.claim(
            pool, district.district_id, now=now, lease=LEASE, without=sorted(run.busy)
        )
        if claimed is not None:
            run.busy.add(claimed.channel_key)
        return claimed


async def _one(
    pool: asyncpg.Pool,
    district: District,
    claimed: notifications.Claimed,
    outcome: Outcome,
    clock: Clock,
) -> None:
    channel = district.channels.get(claimed.channel_key)
    if channel is None:
        await notifications.drop(pool, claimed, error="its channel is no longer configured")
        outcome.given_up += 1
        return
    message = await _message(pool, district, claimed, channel)
    leaves_at = _leaves_at(district, claimed, message, clock())
    if leaves_at is not None:
        await notifications.put_off(pool, claimed, until=leaves_at)
        outcome.put_off += 1
        return
    try:
        amiss = await sent(channel, message, clock())
    except channels.NotDelivered as error:
        await _not_sent(pool, claimed, error, outcome, clock())
        return
    if await notifications.sent(pool, claimed, now=clock(), amiss=amiss):
        _log.info("%s takes messages again", _name(claimed), extra={"action": "channel_recovered"})
    outcome.sent += 1


async def _message(
    pool: asyncpg.Pool, district: District, claimed: notifications.Claimed, channel: channels.Channel
) -> messages.Message:
    content = await notifications.content(pool, claimed, minimum_cell_size=district.sender.minimum_cell_size)
    return composing.composed(
        claimed,
        content,
        begun_by=await notifications.thread(pool, claimed) if _goes_on(content) else None,
        rules=district.rules,
        sender=district.sender,
        audience=channel.audience,
    )


def _leaves_at(
    district: District, claimed: notifications.Claimed, message: messages.Message, now: datetime
) -> datetime | None:
    """Late, as after a failure or a restart, it may have come into quiet hours. None: it leaves now."""
    if message.severity == "critical" and claimed.topic.startswith("rule:"):
        return None
    leaves_at = due_times.after_quiet(district.timing, now, district.sender.zone)
    return leaves_at if leaves_at > now else None


def _goes_on(content: Iterable[notifications.Content]) -> bool:
    """Whether any of it was told of before."""
    return any(row.outcome not in ("new", "passed") for row in content)


async def sent(channel: channels.Channel, message: messages.Message, now: datetime) -> str | None:
    """Raises NotDelivered, whatever goes wrong: a fault of one channel's is not to stop the others."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await channel.transport.send(message, now=now)
    except channels.NotDelivered:
        raise
    except TimeoutError:
        raise channels.NotDelivered("it did not answer in time") from None
    except Exception as error:
        _log.error(
            "channel %s failed: %s",
            channel.route.key,
            type(error).__name__,
            extra={"action": "channel_fault"},
        )
        raise channels.NotDelivered(f"it failed ({type(error).__name__})") from error


async def _not_sent(
    pool: asyncpg.Pool,
    claimed: notifications.Claimed,
    error: channels.NotDelivered,
    outcome: Outcome,
    now: datetime,
) -> None:
    again_at = None if error.is_permanent else _again_at(claimed.attempts, error.again_after, now)
    is_new = await notifications.not_sent(
        pool, claimed, now=now, error=str(error), again_at=again_at, is_refused=error.is_refused
    )
    if is_new:
        _log.warning(
            "%s does not take messages: %s", _name(claimed), error, extra={"action": "channel_failing"}
        )
    if again_at is None:
        _log.error("a message to %s is given up: %s", _name(claimed), error, extra={"action": "given_up"})
        outcome.given_up += 1
    else:
        outcome.put_off += 1


def _again_at(attempts: int, asked: timedelta | None, now: datetime) -> datetime | None:
    if attempts > len(BACKOFF):
        return None
    return now + max(BACKOFF[attempts - 1], asked or timedelta(0))


def _name(claimed: notifications.Claimed) -> str:
    return f"district {claimed.district_id}, channel {claimed.channel_key}"
