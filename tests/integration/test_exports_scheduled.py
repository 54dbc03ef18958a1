"""Packages that the schedule makes, and the messages that tell of them."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from service import config as configs
from service import exporting as exporter
from service import metrics
from service.store import releases
from tests import exporting, files
from tests.alerts import sinks

DAY = timedelta(days=1)


@dataclass
class Clock:
    now: datetime = exporting.NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def made() -> metrics.Metrics:
    return metrics.Metrics()


@pytest.fixture
async def mails() -> AsyncIterator[sinks.MailSink]:
    async with sinks.mail_sink() as sink:
        yield sink


@pytest.fixture
async def web() -> AsyncIterator[sinks.WebSink]:
    async with sinks.web_sink() as sink:
        yield sink


@pytest.fixture
async def district(pool: asyncpg.Pool) -> None:
    await exporting.insert(pool)


def config(tmp_path: Path, database: str, *more: str, exports: str = "", top: str = "") -> configs.Config:
    path = exporting.configured(tmp_path, database, *more, exports=exports)
    path.write_text(f"{top}\n{path.read_text('utf-8')}", "utf-8")
    return configs.load(path)


def told(tmp_path: Path, database: str, mails: sinks.MailSink, web: sinks.WebSink) -> configs.Config:
    """With a mailbox in English and one in Spanish, and a webhook."""
    hook = files.written(tmp_path, "hook", web.url)
    mailbox = '[[districts.alerts.channels]]\nkey = "{0}"\nkind = "mail"\nto = ["{0}@district.example"]\n'
    return config(
        tmp_path,
        database,
        mailbox.format("lead") + 'roles = ["coordinator"]',
        mailbox.format("jefa") + 'roles = ["coordinator"]\nlanguage = "es"',
        f'[[districts.alerts.channels]]\nkey = "hook"\nkind = "webhook"\nurl_file = "{hook}"\nroles = ["it"]',
        f'[mail]\nhost = "{sinks.HOST}"\nport = {mails.port}\nencryption = "none"\nsender = "a@district.example"',
        exports='channels = ["lead", "jefa", "hook"]',
        top='page_address = "https://afterbell.district.example"',
    )


def scheduled(
    config: configs.Config, pool: asyncpg.Pool, made: metrics.Metrics, clock: Clock
) -> exporter.Scheduled:
    return exporter.Scheduled(config, pool, made, clock)


async def issued(pool: asyncpg.Pool) -> list[tuple[str, str, str]]:
    found = await releases.all_of(pool, exporting.DISTRICT)
    return [(str(one.month), one.profile, one.pilot) for one in found]


def count(made: metrics.Metrics, profile: str, state: str) -> float | None:
    labels = {"district": "7", "profile": profile, "state": state}
    return made.registry.get_sample_value("afterbell_exports_total", labels)


# The schedule


async def test_the_latest_settled_month_is_made_with_its_profiles_and_pilots(
    district: None, database: str, tmp_path: Path, pool: asyncpg.Pool, made: metrics.Metrics, clock: Clock
) -> None:
    settings = config(
        tmp_path,
        database,
        exports=f'scheduled = ["shareable", "internal"]\npilots = ["{exporting.PILOT}"]',
    )
    schedule = scheduled(settings, pool, made, clock)
    await schedule.run()
    assert await issued(pool) == [
        ("2026-10", "shareable", ""),
        ("2026-10", "internal", ""),
        ("2026-10", "shareable", exporting.PILOT),
    ]
    assert count(made, "shareable", "made") == 2
    labels = {"district": "7", "profile": "internal"}
    at = made.registry.get_sample_value("afterbell_export_last_success_timestamp_seconds", labels)
    assert at == exporting.NOW.timestamp()
    assert {one.created_by for one in await releases.all_of(pool, 7)} == {"schedule"}


async def test_a_month_is_not_made_before_it_has_settled(
    district: None, database: str, tmp_path: Path, pool: asyncpg.Pool, made: metrics.Metrics, clock: Clock
) -> None:
    clock.now = exporting.NOW.replace(day=4)
    await scheduled(config(tmp_path, database), pool, made, clock).run()
    assert [month for month, _, _ in await issued(pool)] == ["2026-09"]
    clock.now += DAY
    await scheduled(config(tmp_path, database), pool, made, clock).run()
    assert [month for month, _, _ in await issued(pool)] == ["2026-09", "2026-10"]


async def test_a_month_that_is_not_known_to_its_end_or_not_at_all_is_waited_for_in_silence(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = scheduled(config(tmp_path, database), pool, made, clock)
    await pool.execute("UPDATE districts SET computed_through_on = '2026-10-20'")
    await schedule.run()
    await pool.execute("UPDATE districts SET computed_through_on = '2026-11-17'")
    await pool.execute("DELETE FROM school_days WHERE on_day < '2026-11-01'")
    await schedule.run()
    assert await issued(pool) == []
    assert (count(made, "shareable", "failed"), caplog.records) == (None, [])


async def test_what_is_there_is_looked_at_once_a_day_and_made_anew_where_figures_changed(
    district: None, database: str, tmp_path: Path, pool: asyncpg.Pool, made: metrics.Metrics, clock: Clock
) -> None:
    schedule = scheduled(config(tmp_path, database), pool, made, clock)
    await schedule.run()
    await pool.execute("UPDATE school_days SET answered = answered - 30 WHERE answered > 60")
    clock.now += timedelta(hours=1)
    await schedule.run()
    assert len(await issued(pool)) == 1
    clock.now += DAY
    await schedule.run()
    found = await releases.all_of(pool, 7)
    assert [one.revision for one in found] == [1, 2]
    clock.now += DAY
    await schedule.run()
    assert (count(made, "shareable", "made"), count(made, "shareable", "unchanged")) == (2, 1)


async def test_a_failure_is_told_once_and_tried_again(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = config(tmp_path, database)
    (tmp_path / "packages").rmdir()
    schedule = scheduled(settings, pool, made, clock)
    with caplog.at_level(logging.ERROR, "service"):
        await schedule.run()
        await schedule.run()
    assert [record.levelname for record in caplog.records if record.name == "service.exporting"] == ["ERROR"]
    assert "does not exist: make it" in caplog.text
    (tmp_path / "packages").mkdir()
    await schedule.run()
    assert (count(made, "shareable", "failed"), count(made, "shareable", "made")) == (2, 1)


async def test_a_district_without_a_folder_makes_nothing(
    database: str, tmp_path: Path, pool: asyncpg.Pool, made: metrics.Metrics, clock: Clock
) -> None:
    settings = config(tmp_path, database)
    (of,) = settings.districts
    bare = of.model_copy(update={"exports": of.exports.model_copy(update={"folder": None})})
    settings = settings.model_copy(update={"districts": (bare,)})
    await scheduled(settings, pool, made, clock).run()
    assert await issued(pool) == []
    assert exporter.folders(settings) == {}


# Messages


async def test_a_new_package_is_told_of_once_in_the_channels_language(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    mails: sinks.MailSink,
    web: sinks.WebSink,
) -> None:
    settings = told(tmp_path, database, mails, web)
    schedule = scheduled(settings, pool, made, clock)
    await schedule.run()
    await schedule.run()
    by_subject = {str(mail["Subject"]): mail for mail in mails.mails}
    assert set(by_subject) == {
        "The package of October 2026 is ready · Sonoran",
        "El paquete de octubre de 2026 está listo · Sonoran",
    }
    english = by_subject["The package of October 2026 is ready · Sonoran"]
    text = sinks.text_of(english)
    assert "See the packages: https://afterbell.district.example/districts/7/exports" in text
    assert list(english.iter_attachments()) == []
    spanish = sinks.text_of(by_subject["El paquete de octubre de 2026 está listo · Sonoran"])
    assert "Ver los paquetes: https://afterbell.district.example/districts/7/exports" in spanish
    (post,) = web.posts
    assert b'"kind": "package"' in post.body
    (release,) = await releases.all_of(pool, 7)
    assert english["Message-ID"].startswith(f"<afterbell.7.package.{release.release_id}.202610.lead@")
    assert release.announced_at == exporting.NOW


async def test_where_no_channel_takes_it_it_is_told_of_later(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    mails: sinks.MailSink,
    web: sinks.WebSink,
) -> None:
    settings = told(tmp_path, database, mails, web)
    mails.answers = ["451 later", "451 later"]
    web.statuses = [500]
    schedule = scheduled(settings, pool, made, clock)
    await schedule.run()
    assert (mails.mails, (await releases.all_of(pool, 7))[0].announced_at) == ([], None)
    await schedule.run()
    assert len(mails.mails) == 2


async def test_at_night_nobody_is_told(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    mails: sinks.MailSink,
    web: sinks.WebSink,
) -> None:
    schedule = scheduled(told(tmp_path, database, mails, web), pool, made, clock)
    clock.now = exporting.NOW + timedelta(hours=9)  # 10 PM in Phoenix
    await schedule.run()
    assert (len(await issued(pool)), mails.mails) == (1, [])
    clock.now += timedelta(hours=10)
    await schedule.run()
    assert len(mails.mails) == 2


async def test_two_processes_tell_of_it_once(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    mails: sinks.MailSink,
    web: sinks.WebSink,
) -> None:
    settings = told(tmp_path, database, mails, web)
    bare = settings.districts[0].exports.model_copy(update={"channels": ()})
    quiet = settings.model_copy(
        update={"districts": (settings.districts[0].model_copy(update={"exports": bare}),)}
    )
    await scheduled(quiet, pool, made, clock).run()
    assert mails.mails == []
    numbers = [await exporter.announce(settings, pool, clock=clock) for _ in range(2)]
    assert (numbers, len(mails.mails), len(web.posts)) == ([1, 0], 2, 1)


async def test_what_was_issued_long_ago_or_is_not_in_the_folder_is_not_told_of(
    district: None,
    database: str,
    tmp_path: Path,
    pool: asyncpg.Pool,
    made: metrics.Metrics,
    clock: Clock,
    mails: sinks.MailSink,
    web: sinks.WebSink,
) -> None:
    settings = told(tmp_path, database, mails, web)
    clock.now = exporting.NOW + timedelta(hours=9)  # made while it is quiet
    await scheduled(settings, pool, made, clock).run()
    clock.now = exporting.NOW + 8 * DAY
    assert await exporter.announce(settings, pool, clock=clock) == 0
    clock.now = exporting.NOW + DAY
    archive = tmp_path / "packages" / "7" / "2026-10-shareable-r1.zip"
    archive.rename(tmp_path / "away.zip")
    assert await exporter.announce(settings, pool, clock=clock) == 0
    (tmp_path / "away.zip").rename(archive)
    assert await exporter.announce(settings, pool, clock=clock) == 1
