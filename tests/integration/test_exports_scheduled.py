"""Packages that the schedule makes, and the messages that tell of them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from service import config as configs
from service import errors, metrics, package_messages
from service import exporting as exporter
from service.alerting import deliver
from service.exports import packages
from service.exports import terms as export_terms
from service.store import audit, releases
from tests import exporting, files
from tests.alerts import sinks

DAY = timedelta(days=1)


@dataclass
class Clock:
    now: datetime = exporting.NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Stage:
    """A district with figures, where its packages go, and who is told."""

    folder: Path
    database: str
    pool: asyncpg.Pool
    mails: sinks.MailSink
    web: sinks.WebSink
    made: metrics.Metrics = field(default_factory=metrics.Metrics)
    clock: Clock = field(default_factory=Clock)

    def config(self, *more: str, exports: str = "", top: str = "") -> configs.Config:
        path = exporting.configured(self.folder, self.database, *more, exports=exports)
        path.write_text(f"{top}\n{path.read_text('utf-8')}", "utf-8")
        return configs.load(path)

    def told(self, *, scheduled: str = "") -> configs.Config:
        """With a mailbox in English and one in Spanish, and a webhook."""
        hook = files.written(self.folder, "hook", self.web.url)
        mailbox = '[[districts.alerts.channels]]\nkey = "{0}"\nkind = "mail"\nto = ["{0}@district.example"]\n'
        return self.config(
            mailbox.format("lead") + 'roles = ["coordinator"]',
            mailbox.format("jefa") + 'roles = ["coordinator"]\nlanguage = "es"',
            f'[[districts.alerts.channels]]\nkey = "hook"\nkind = "webhook"\nurl_file = "{hook}"\nroles = ["it"]',
            f'[mail]\nhost = "{sinks.HOST}"\nport = {self.mails.port}\nencryption = "none"\n'
            'sender = "a@district.example"',
            exports=f'channels = ["lead", "jefa", "hook"]\n{scheduled}',
            top='page_address = "https://afterbell.district.example"',
        )

    def scheduled(self, config: configs.Config) -> exporter.Scheduled:
        return exporter.Scheduled(config, self.pool, self.made, self.clock)

    async def announce(self, config: configs.Config) -> int:
        return await package_messages.announce(config, self.pool, exporter.folders(config), clock=self.clock)

    async def issued(self) -> list[tuple[str, str, str]]:
        found = await releases.all_of(self.pool, exporting.DISTRICT)
        return [(str(one.month), one.profile, one.pilot) for one in found]

    def count(self, profile: str, state: str) -> float | None:
        labels = {"district": "7", "profile": profile, "state": state}
        return self.made.registry.get_sample_value("afterbell_exports_total", labels)


@pytest.fixture
async def stage(tmp_path: Path, database: str, pool: asyncpg.Pool) -> AsyncIterator[Stage]:
    await exporting.insert(pool)
    async with sinks.mail_sink() as mails, sinks.web_sink() as web:
        yield Stage(tmp_path, database, pool, mails, web)


# The schedule


async def test_the_latest_settled_month_is_made_with_its_profiles_and_pilots(stage: Stage) -> None:
    settings = stage.config(exports=f'scheduled = ["shareable", "internal"]\npilots = ["{exporting.PILOT}"]')
    schedule = stage.scheduled(settings)
    await schedule.run()
    assert await stage.issued() == [
        ("2026-10", "shareable", ""),
        ("2026-10", "internal", ""),
        ("2026-10", "shareable", exporting.PILOT),
    ]
    assert stage.count("shareable", "made") == 2
    labels = {"district": "7", "profile": "internal"}
    at = stage.made.registry.get_sample_value("afterbell_export_last_success_timestamp_seconds", labels)
    assert at == exporting.NOW.timestamp()
    assert {one.created_by for one in await releases.all_of(stage.pool, 7)} == {"schedule"}


async def test_a_month_is_not_made_before_it_has_settled(stage: Stage) -> None:
    stage.clock.now = exporting.NOW.replace(day=4)
    await stage.scheduled(stage.config()).run()
    assert [month for month, _, _ in await stage.issued()] == ["2026-09"]
    stage.clock.now += DAY
    await stage.scheduled(stage.config()).run()
    assert [month for month, _, _ in await stage.issued()] == ["2026-09", "2026-10"]


async def test_days_that_wait_to_be_computed_are_waited_for_in_silence(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = stage.scheduled(stage.config())
    await stage.pool.execute("INSERT INTO dirty_loan_days VALUES (7, '2026-10-07')")
    await schedule.run()
    assert await stage.issued() == []
    assert caplog.records == []
    assert stage.count("shareable", "failed") is None
    await stage.pool.execute("DELETE FROM dirty_loan_days")
    await schedule.run()
    assert await stage.issued() == [("2026-10", "shareable", "")]


async def test_a_month_that_is_not_known_to_its_end_or_not_at_all_is_waited_for_in_silence(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = stage.scheduled(stage.config())
    await stage.pool.execute("UPDATE districts SET computed_through_on = '2026-10-20'")
    await schedule.run()
    await stage.pool.execute("UPDATE districts SET computed_through_on = '2026-11-17'")
    await stage.pool.execute("DELETE FROM school_days WHERE on_day < '2026-11-01'")
    await schedule.run()
    assert await stage.issued() == []
    assert (stage.count("shareable", "failed"), caplog.records) == (None, [])


async def test_what_is_there_is_looked_at_once_a_day_and_made_anew_where_figures_changed(
    stage: Stage,
) -> None:
    schedule = stage.scheduled(stage.config())
    await schedule.run()
    await stage.pool.execute("UPDATE school_days SET answered = answered - 30 WHERE answered > 60")
    stage.clock.now += timedelta(hours=1)
    await schedule.run()
    assert len(await stage.issued()) == 1
    stage.clock.now += DAY
    await schedule.run()
    found = await releases.all_of(stage.pool, 7)
    assert [one.revision for one in found] == [1, 2]
    stage.clock.now += DAY
    await schedule.run()
    assert (stage.count("shareable", "made"), stage.count("shareable", "unchanged")) == (2, 1)


async def test_a_failure_is_told_once_and_tried_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    settings = stage.config()
    (stage.folder / "packages").rmdir()
    schedule = stage.scheduled(settings)
    with caplog.at_level(logging.ERROR, "service"):
        await schedule.run()
        await schedule.run()
    assert [record.levelname for record in caplog.records if record.name == "service.exporting"] == ["ERROR"]
    assert "does not exist: make it" in caplog.text
    (stage.folder / "packages").mkdir()
    await schedule.run()
    assert (stage.count("shareable", "failed"), stage.count("shareable", "made")) == (2, 1)


@pytest.mark.parametrize(
    ("fault", "is_traced"),
    [(errors.AfterbellError("the report was not drawn"), False), (KeyError("a fault of ours"), True)],
    ids=["told", "a fault"],
)
async def test_a_package_that_fails_stops_no_other_package_and_no_message(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    is_traced: bool,
) -> None:
    settings = stage.told(scheduled='scheduled = ["internal", "shareable"]')
    make = packages.make

    async def failing(pool: object, terms: object, asked: export_terms.Asked, **more: object) -> object:
        if asked.profile == "internal":
            raise fault
        return await make(pool, terms, asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(packages, "make", failing)
    schedule = stage.scheduled(settings)
    with caplog.at_level(logging.ERROR, "service"):
        await schedule.run()
        await schedule.run()
    assert [profile for _, profile, _ in await stage.issued()] == ["shareable"]
    assert len(stage.mails.mails) == 2
    assert stage.count("internal", "failed") == 2
    (record,) = [record for record in caplog.records if record.name == "service.exporting"]
    assert "the internal package of 2026-10 was not made" in record.getMessage()
    assert (record.exc_info is not None) is is_traced


async def test_a_database_that_is_away_is_the_services_concern(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*given: object, **more: object) -> None:
        raise errors.DatabaseUnavailable("the database is away")

    monkeypatch.setattr(packages, "make", away)
    with pytest.raises(errors.DatabaseUnavailable):
        await stage.scheduled(stage.config()).run()
    assert stage.count("shareable", "failed") is None


async def test_a_district_without_a_folder_makes_nothing(stage: Stage) -> None:
    settings = stage.config()
    (of,) = settings.districts
    bare = of.model_copy(update={"exports": of.exports.model_copy(update={"folder": None})})
    settings = settings.model_copy(update={"districts": (bare,)})
    await stage.scheduled(settings).run()
    assert await stage.issued() == []
    assert exporter.folders(settings) == {}


# Messages


async def test_a_new_package_is_told_of_once_in_the_channels_language(stage: Stage) -> None:
    settings = stage.told()
    schedule = stage.scheduled(settings)
    await schedule.run()
    await schedule.run()
    by_subject = {str(mail["Subject"]): mail for mail in stage.mails.mails}
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
    (post,) = stage.web.posts
    assert b'"kind": "package"' in post.body
    (release,) = await releases.all_of(stage.pool, 7)
    assert english["Message-ID"].startswith(f"<afterbell.7.package.{release.release_id}.202610.lead@")
    assert release.announced_at == exporting.NOW


async def test_where_no_channel_takes_it_it_is_told_of_later(stage: Stage) -> None:
    settings = stage.told()
    stage.mails.answers = ["451 later", "451 later"]
    stage.web.statuses = [500]
    schedule = stage.scheduled(settings)
    await schedule.run()
    assert (stage.mails.mails, (await releases.all_of(stage.pool, 7))[0].announced_at) == ([], None)
    await schedule.run()
    assert len(stage.mails.mails) == 2


async def test_a_channel_that_failed_alone_is_tried_again_alone(stage: Stage) -> None:
    stage.mails.answers = ["451 later"]
    schedule = stage.scheduled(stage.told())
    for _ in range(3):
        await schedule.run()
        stage.clock.now += timedelta(hours=1)
    assert (len(stage.mails.mails), len(stage.web.posts)) == (2, 1)
    assert len({str(mail["Message-ID"]) for mail in stage.mails.mails}) == 2
    entries = [one for one in await audit.read(stage.pool, 7) if one.action == "export_announced"]
    assert {(one.actor, one.subject) for one in entries} == {("schedule", "2026-10 shareable revision 1")}
    assert {str(one.details["channel"]) for one in entries} == {"lead", "jefa", "hook"}
    assert min(one.happened_at for one in entries) < max(one.happened_at for one in entries)


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_what_was_being_sent_as_the_service_ended_is_sent_after_its_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settings = stage.told()
    started = asyncio.Event()

    async def hangs(*given: object) -> None:
        started.set()
        await asyncio.Event().wait()

    async def nothing(*given: object) -> None:
        """Nobody is left to give the claim back."""

    with monkeypatch.context() as until_the_end:
        until_the_end.setattr(deliver, "sent", hangs)
        if how == "killed":
            until_the_end.setattr(releases, "unclaim", nothing)
        running = asyncio.create_task(stage.scheduled(settings).run())
        await started.wait()
        running.cancel()
        await asyncio.wait([running])
    stage.clock.now += timedelta(hours=1)
    await stage.scheduled(settings).run()
    assert (len(stage.mails.mails), len(stage.web.posts)) == (2, 1)


async def test_a_channel_that_cannot_be_used_stops_no_package_and_is_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    settings = stage.told()
    (stage.folder / "hook").unlink()
    schedule = stage.scheduled(settings)
    with caplog.at_level(logging.ERROR, "service"):
        await schedule.run()
        await schedule.run()
    assert len(await stage.issued()) == 1
    (record,) = [record for record in caplog.records if record.name == "service.exporting"]
    assert "nobody can be told of packages" in record.getMessage()


async def test_at_night_nobody_is_told(stage: Stage) -> None:
    schedule = stage.scheduled(stage.told())
    stage.clock.now = exporting.NOW + timedelta(hours=9)  # 10 PM in Phoenix
    await schedule.run()
    assert (len(await stage.issued()), stage.mails.mails) == (1, [])
    stage.clock.now += timedelta(hours=10)
    await schedule.run()
    assert len(stage.mails.mails) == 2


async def test_two_processes_tell_of_it_once(stage: Stage) -> None:
    settings = stage.told()
    bare = settings.districts[0].exports.model_copy(update={"channels": ()})
    quiet = settings.model_copy(
        update={"districts": (settings.districts[0].model_copy(update={"exports": bare}),)}
    )
    await stage.scheduled(quiet).run()
    assert stage.mails.mails == []
    numbers = [await stage.announce(settings) for _ in range(2)]
    assert (numbers, len(stage.mails.mails), len(stage.web.posts)) == ([1, 0], 2, 1)


async def test_what_was_issued_long_ago_or_is_not_in_the_folder_is_not_told_of(stage: Stage) -> None:
    settings = stage.told()
    stage.clock.now = exporting.NOW + timedelta(hours=9)  # made while it is quiet
    await stage.scheduled(settings).run()
    stage.clock.now = exporting.NOW + 8 * DAY
    assert await stage.announce(settings) == 0
    stage.clock.now = exporting.NOW + DAY
    archive = stage.folder / "packages" / "7" / "2026-10-shareable-r1.zip"
    archive.rename(stage.folder / "away.zip")
    assert await stage.announce(settings) == 0
    (stage.folder / "away.zip").rename(archive)
    assert await stage.announce(settings) == 1
