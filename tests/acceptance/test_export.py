"""A month's package by the running service: made by the schedule, listed, downloaded, and as it was issued."""

import asyncio
import hashlib
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from service import app, serving
from service import config as configs
from service.metrics import Metrics
from service.store import releases
from tests import exporting

WITHIN_SECONDS = 120


async def test_the_service_makes_a_package_and_serves_it_while_it_goes_on(
    pool: asyncpg.Pool, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "EXPORTS_AFTER", timedelta(0))
    await exporting.insert(pool)
    path = exporting.configured(tmp_path, database, "[web]\nport = 0", languages=["en"])
    async with app.with_config(configs.load(path)) as ready:
        service = serving.Service(ready, [], Metrics(), clock=lambda: exporting.NOW)
        async with service.serving() as address, aiohttp.ClientSession() as session:
            archive = await _downloaded(session, address)
    (release,) = await releases.all_of(pool, exporting.DISTRICT)
    assert hashlib.sha256(archive).hexdigest() == release.archive_sha256
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert f"{release.folder}/report-en.pdf" in names
    assert f"{release.folder}/csv/school_month.csv" in names
    entries = await pool.fetch("SELECT actor, action FROM audit_log ORDER BY entry_id")
    assert [tuple(entry) for entry in entries] == [
        ("schedule", "export_created"),
        ("loopback", "export_downloaded"),
    ]


async def _downloaded(session: aiohttp.ClientSession, address: str) -> bytes:
    """As soon as the page leads to it; the probe answers all the while."""
    page = f"{address}districts/{exporting.DISTRICT}/exports"
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            async with asyncio.timeout(10), session.get(f"{address}healthz") as probe:
                assert probe.status == 200
            async with session.get(page) as listed:
                text = await listed.text()
            if "2026-10-shareable-r1.zip" in text and "not in the folder" not in text:
                async with session.get(f"{page}/2026-10-shareable-r1.zip") as answer:
                    return await answer.read()
            await asyncio.sleep(0.2)
