"""What `afterbell check` says of the channels that messages go to."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from service import __main__ as command_line
from service import checks
from tests import factories, files

SCHOOL = "410192000001"


def channel(key: str, *roles: str, schools: tuple[str, ...] = ()) -> checks.Channel:
    return checks.Channel(key=key, roles=roles, schools=schools)


@pytest.fixture
async def district(pool: asyncpg.Pool) -> asyncpg.Pool:
    await factories.district(pool)
    await factories.school(pool, SCHOOL)
    return pool


@pytest.mark.parametrize(
    ("channels", "is_good", "found"),
    [
        ([], True, "none: alerts are on the pages alone, and nobody is told"),
        ([channel("all", "it", "coordinator", "school", "finance")], True, "every role has one"),
        (
            [channel("a", "it"), channel("b", "coordinator")],
            True,
            "none for school, finance: their alerts go to those of coordinator",
        ),
        (
            [channel("a", "it", "school")],
            True,
            "none for coordinator, finance: their alerts go to those of it",
        ),
        (
            [channel("a", "finance")],
            False,
            "none for it, coordinator, school: nobody is told of their alerts",
        ),
    ],
)
async def test_roles_without_a_channel_are_named(
    district: asyncpg.Pool, channels: list[checks.Channel], is_good: bool, found: str
) -> None:
    (finding,) = await checks.channels(district, factories.DISTRICT, channels)
    assert (finding.what, finding.is_good, finding.found) == ("district 1: channels", is_good, found)


async def test_a_channel_of_a_school_that_is_not_there_is_wrong(
    district: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    url_file = tmp_path / "url"
    url_file.write_text("https://hooks.example/x\n")
    config_path = files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        f'[[districts]]\nid = {factories.DISTRICT}\nname = "Lab"\ntime_zone = "{factories.ZONE}"',
        *(
            f'[[districts.alerts.channels]]\nkey = "{key}"\nkind = "webhook"\nurl_file = "{url_file}"\n'
            f'roles = ["it", "school"]\nschools = {schools}'
            for key, schools in (("lost", [SCHOOL, "999999999999"]), ("kept", [SCHOOL]))
        ),
    )
    runner = CliRunner(env={"COLUMNS": "300"})
    given = ["--config", str(config_path), "check"]
    result = await asyncio.to_thread(runner.invoke, command_line.app, given)
    text = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "wrong │ district 1: channel lost │ no school is imported with the NCES id 999999999999" in text
    assert "channel kept" not in text
    assert "none for coordinator, finance: their alerts go to those of it" in text
