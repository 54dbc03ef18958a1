"""Flips to messages: what queueing, composing and sending cost.

python -m tests.performance.messages [--flips 100000] [--messages 500]
"""

import argparse
import asyncio
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from service.alerting import deliver, messages, texts
from service.store import embedded, migrations
from service.store import pool as pools
from tests.alerts import flipping, sinks

SCHOOLS = 500
RULES = [flipping.rule(f"rule_{number}", owner="school", urgency="weekly") for number in range(20)]
LATER = timedelta(days=8)

# Benchmarks write rows as the service never does, so their statements stand here, not in sql/queries.
_SCHOOLS = """
INSERT INTO schools (district_id, school_id, ncessch, name)
OVERRIDING SYSTEM VALUE
SELECT 1, n, lpad((410100000000 + n)::text, 12, '0'), 'School ' || n FROM generate_series(1, $1::integer) AS n
"""
_ALERTS = """
INSERT INTO alerts (district_id, rule, subject, school_id, state, severity, breached_since_at, judged_at, value)
SELECT 1, 'rule_' || n % 20, 'loan:' || n, 1 + n % $2::integer, 'firing', 'warning', $3, $3, 31
FROM generate_series(1, $1::integer) AS n
"""
_FLIPS = """
INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, evidence, created_at)
SELECT 1, alert_id, 'fired', 'pending', 'firing', 'breach', '{"value": 31}', $1 FROM alerts
"""


class Nowhere:
    """Takes every message, written in full."""

    async def send(self, message: messages.Message, *, now: datetime) -> str | None:
        texts.plain(message)
        texts.html(message)
        return None


async def seed(pool: asyncpg.Pool, flips: int) -> None:
    await flipping.district(pool)
    await pool.execute(_SCHOOLS, SCHOOLS)
    await pool.execute(_ALERTS, flips, SCHOOLS, flipping.NOW)
    await pool.execute(_FLIPS, flipping.NOW)
    await pool.execute("ANALYZE")


async def measure(pool: asyncpg.Pool, flips: int, asked: int) -> None:
    await seed(pool, flips)
    teachers = flipping.channel(Nowhere(), "teachers", "school")
    office = flipping.channel(Nowhere(), "office", "coordinator", "school", digest="daily")
    district = flipping.told(teachers, office, rules=RULES)
    began = time.perf_counter()
    queued = await deliver.queue(pool, district, now=flipping.NOW)
    seconds = time.perf_counter() - began
    print(
        f"queue:    {queued.flips:,} flips into {queued.notifications:,} notifications: {seconds:.2f} s",
        end="",
    )
    print(f" ({queued.flips / seconds:,.0f} flips/s)")
    await pool.execute("ANALYZE")
    began = time.perf_counter()
    outcome = await deliver.deliver(pool, district, clock=lambda: flipping.NOW + LATER)
    seconds = time.perf_counter() - began
    print(
        f"deliver:  {outcome.sent:,} messages of {2 * flips:,} flips, handed to nobody: {seconds:.2f} s",
        end="",
    )
    print(f" ({outcome.sent / seconds:,.0f} messages/s)")
    await _by_mail(pool, asked)


async def _by_mail(pool: asyncpg.Pool, asked: int) -> None:
    async with sinks.mail_sink() as sink:
        rules = [flipping.rule(f"one_{number}") for number in range(asked)]
        for rule in rules:
            await flipping.flip(pool, rule=rule.name)
        district = flipping.told(flipping.mailbox(sink), rules=rules)
        await deliver.queue(pool, district, now=flipping.NOW)
        began = time.perf_counter()
        outcome = await deliver.deliver(pool, district, clock=lambda: flipping.NOW + LATER)
        seconds = time.perf_counter() - began
        print(
            f"by mail:  {outcome.sent:,} messages to a mail server in this process: {seconds:.2f} s", end=""
        )
        print(f" ({outcome.sent / seconds:,.0f} messages/s)")


async def main(flips: int, asked: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="afterbell-messages-"))
    folder.chmod(0o711)
    async with (
        embedded.Server(folder / "server") as server,
        pools.connected(server.dsn(), size=6) as pool,
    ):
        await migrations.migrate(pool)
        await measure(pool, flips, asked)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=500)
    given = parser.parse_args()
    asyncio.run(main(given.flips, given.messages))
