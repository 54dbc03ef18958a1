"""The running service sends what is due, with nobody's help."""

import asyncio
from datetime import timedelta
from pathlib import Path

from service import app, config, serving
from service.alerting import deliver
from service.metrics import Metrics
from tests import files
from tests.alerts import flipping, sinks

WAIT_SECONDS = 60.0


async def test_a_service_sends_what_is_due_and_writes_its_channels_down(
    database: str, tmp_path: Path
) -> None:
    async with sinks.mail_sink() as sink:
        path = files.written(
            tmp_path,
            "afterbell.toml",
            f'database.url = "{database}"',
            "web.port = 0",
            f'[mail]\nhost = "{sinks.HOST}"\nport = {sink.port}\nencryption = "none"\nsender = "a@b.example"',
            f'[[districts]]\nid = 1\nname = "Northfield Schools"\ntime_zone = "{flipping.ZONE}"',
            "[districts.alerts]\nquiet_starts = 00:00:00\nquiet_ends = 00:00:00",  # whatever the time is
            '[[districts.alerts.channels]]\nkey = "office"\nkind = "mail"\nto = ["o@b.example"]',
            'roles = ["coordinator"]',
        )
        async with app.with_config(config.load(path)) as ready:
            assert await ready.pool.fetchval("SELECT channel_key FROM channels WHERE is_in_use") == "office"
            await flipping.flip(ready.pool, "held", at=app.utc_now() - timedelta(days=2))
            office = flipping.told(flipping.mailbox(sink, "office"))
            await deliver.queue(ready.pool, office, now=app.utc_now() - timedelta(days=1))
            async with serving.Service(ready, [], Metrics()).serving(), asyncio.timeout(WAIT_SECONDS):
                while not sink.mails:
                    await asyncio.sleep(0.05)
                while await ready.pool.fetchval("SELECT state FROM notifications") != "sent":
                    await asyncio.sleep(0.05)
    assert sink.mails[0]["To"] == "o@b.example"
