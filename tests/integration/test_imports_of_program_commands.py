"""The commands of a program's records, and every example of their documents, as a technician would run them."""

import asyncio
import re
import shlex
import shutil
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import errors
from service.commands import imports as import_commands
from tests import factories, files

ROOT = Path(__file__).parents[2]
FILE_BLOCK = re.compile(r"^```(?:csv|toml) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^afterbell import (.*)$", re.MULTILINE)
FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture
async def config_path(pool: asyncpg.Pool, database: str, tmp_path: Path) -> Path:
    await factories.district(pool)
    for ncessch in ("410192000001", "410192000002"):
        await factories.school(pool, ncessch)
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
    )


async def afterbell_import(config_path: Path, *arguments: str) -> Result:
    """Run in a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": "200"})
    result = await asyncio.to_thread(
        runner.invoke, import_commands.app, [*arguments], obj=config_path, catch_exceptions=True
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize("name", ["high-needs.md", "plans-and-supports.md"])
async def test_every_example_of_the_documents_works(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / name).read_text("utf-8")
    for file_name, block in FILE_BLOCK.findall(text):
        files.written(tmp_path, file_name, block.rstrip("\n"))
    for fixture in (FIXTURES / "ccd").glob("*.csv"):
        shutil.copy(fixture, tmp_path)
    await factories.line(pool, iccid="8901260000000000014")
    await factories.line(pool, mdn="+15035550102")
    commands = COMMAND.findall(text)
    assert commands
    for command in commands:
        result = await afterbell_import(config_path, *shlex.split(command))
        assert (command, result.exit_code, result.output) == (command, 0, result.output)
        assert " 0 rejected" in result.output


async def test_a_dry_run_of_a_rule_tells_the_difference(pool: asyncpg.Pool, config_path: Path) -> None:
    folder = FIXTURES / "ccd"
    given = ("--rule", "title1", "--year", "2024-2025", "--characteristics", str(folder / "ccd_sch_129.csv"))
    result = await afterbell_import(config_path, "high-needs", *given, "--dry-run")
    assert "1 become high-needs, 1 not high-needs" in result.output
    assert "nothing was kept" in result.output
    assert await pool.fetchval("SELECT count(*) FROM schools WHERE is_high_needs IS NOT NULL") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rule", "frpl>=75", "--year", "2024-25"), "--rule frpl>=75: the share is between 0 and 2"),
        (("--rule", "title1", "--year", "2024"), "--year 2024 is not a school year such as 2024-25"),
        (("--rule", "title1", "--year", "2024-26"), "is not a school year"),
        (("--rule", "title1", "--year", "2024-25"), "needs --characteristics"),
    ],
)
async def test_a_rule_that_cannot_be_is_a_mistake_of_the_command_line(
    config_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(errors.ConfigError, match=message):
        await afterbell_import(config_path, "high-needs", *arguments)


async def test_an_icalendar_file_is_told_by_its_name(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path
) -> None:
    path = FIXTURES / "icalendar" / "district.ics"
    result = await afterbell_import(config_path, "calendar", str(path))
    assert result.exit_code == 4  # one event is broken
    assert "Presidents" in result.output
    assert await pool.fetchval("SELECT count(*) FROM calendar_days WHERE kind = 'break'") == 17
    words = files.written(tmp_path, "words.toml", 'break = ["winter break"]', 'spoils = ["photo"]')
    given = ("--words", str(words), "--first", "2026-09-08", "--last", "2027-06-01")
    await afterbell_import(config_path, "calendar", str(path), *given)
    assert await pool.fetchval("SELECT count(*) FROM calendar_days WHERE kind = 'break'") == 12


async def test_options_of_an_icalendar_file_go_with_no_other(config_path: Path, tmp_path: Path) -> None:
    path = files.written(tmp_path, "calendar.csv", "starts_on,kind", "2026-09-01,holiday")
    with pytest.raises(errors.ConfigError, match="go with an iCalendar file"):
        await afterbell_import(config_path, "calendar", str(path), "--first", "2026-09-01")
