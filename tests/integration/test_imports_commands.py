"""The import commands, and every example of docs/imports.md, as a technician would run them."""

import asyncio
import re
import shlex
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import errors
from service.commands import imports as import_commands
from tests import factories, files

DOCS = Path(__file__).parents[2] / "docs" / "imports.md"
FILE_BLOCK = re.compile(r"^```(?:csv|toml) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^afterbell import (.*)$", re.MULTILINE)


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    key = files.written(tmp_path, "pseudonym.key", "0123456789abcdef0123456789abcdef")
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
        f'pseudonym_key_file = "{key}"',
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


async def test_every_example_of_the_documentation_works(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text("utf-8")
    for name, block in FILE_BLOCK.findall(text):
        files.written(tmp_path, name, block.rstrip("\n"))
    schools_first = COMMAND.findall(text)
    assert {command.split()[0] for command in schools_first} == {
        "schools",
        "need",
        "calendar",
        "usage",
    }
    await afterbell_import(config_path, "schools", "schools.csv")
    await factories.line(pool, mdn="+15035550101", iccid="8901260000000000014")
    await factories.line(pool, mdn="+15035550102")
    for command in schools_first:
        result = await afterbell_import(config_path, *shlex.split(command))
        assert (command, result.exit_code, result.output) == (command, 0, result.output)
        assert " 0 rejected" in result.output
    assert (
        await pool.fetchval("SELECT sum(total_bytes) FROM usage_spans") == 5368709120 + 1816750000 + 250000000
    )


async def test_rejected_rows_are_listed_and_give_exit_code_4(config_path: Path, tmp_path: Path) -> None:
    path = files.written(
        tmp_path, "s.csv", "ncessch,name", "410192000001,Cedar", "10192000001,[b]Alder\x1b[1m"
    )
    result = await afterbell_import(config_path, "schools", str(path))
    assert result.exit_code == 4
    assert "schools: 1 rows accepted, 1 rejected; 1 added" in result.output
    assert "10192000001" in result.output
    assert "leading zero" in result.output
    assert "\x1b" not in result.output


async def test_only_so_many_problems_are_printed(config_path: Path, tmp_path: Path) -> None:
    path = files.written(tmp_path, "s.csv", "ncessch,name", *["1,Cedar"] * 7)
    result = await afterbell_import(config_path, "schools", str(path), "--limit", "3")
    assert "4 more" in result.output
    assert result.output.count("12 digits") == 3


async def test_a_dry_run_says_so_and_keeps_nothing(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path
) -> None:
    path = files.written(tmp_path, "s.csv", "ncessch,name", "410192000001,Cedar")
    result = await afterbell_import(config_path, "schools", str(path), "--dry-run")
    assert (result.exit_code, "nothing was kept" in result.output) == (0, True)
    assert await pool.fetchval("SELECT count(*) FROM schools") == 0


async def test_an_unknown_district_lists_those_that_are(config_path: Path, tmp_path: Path) -> None:
    path = files.written(tmp_path, "s.csv", "ncessch,name", "410192000001,Cedar")
    with pytest.raises(errors.ConfigError, match="Lab District"):
        await afterbell_import(config_path, "schools", str(path), "--district", "9")
