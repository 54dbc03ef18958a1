"""``afterbell import roster`` as a technician runs it; and what never leaves the export."""

import asyncio
import csv
import io
import logging
import re
import shlex
import shutil
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import errors
from service.commands import imports as import_commands
from tests import factories, files, rosters

DOCS = Path(__file__).parents[2] / "docs" / "rosters.md"
FILE_BLOCK = re.compile(r"^```csv (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^afterbell import (roster .*)$", re.MULTILINE)
PERSONAL = (
    *("username", "userIds", "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone"),
    *(
        "password",
        "preferredGivenName",
        "preferredMiddleName",
        "preferredFamilyName",
        "birthDate",
        "cityOfBirth",
    ),
    *("sourcedId", "userSourcedId"),
)
PEOPLE = ("users.csv", "demographics.csv")


@pytest.fixture
async def pool(pool: asyncpg.Pool) -> asyncpg.Pool:
    await rosters.district(pool)
    return pool


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    return configured(database, tmp_path, 'student_key = "identifier"')


def configured(database: str, folder: Path, *lines: str) -> Path:
    key = files.written(folder, "pseudonym.key", rosters.KEY.key.decode())
    return files.written(
        folder,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
        f'pseudonym_key_file = "{key}"',
        *lines,
    )


async def afterbell_import(config_path: Path, *arguments: str) -> Result:
    """Run in a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": "200"})
    result = await asyncio.to_thread(runner.invoke, import_commands.app, [*arguments], obj=config_path)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def personal(folder: Path) -> set[str]:
    """Every cell of an export that tells of a person."""
    found = set()
    for name in PEOPLE:
        for row in csv.DictReader(io.StringIO((folder / name).read_text("utf-8"))):
            found |= {row[column] for column in PERSONAL if row.get(column)}
    numbers = {number for cell in found for number in re.findall(r":(\w+)", cell)}
    return {cell for cell in found | numbers if len(cell) > 3}


@pytest.mark.parametrize("version", rosters.VERSIONS)
async def test_no_name_number_birth_date_phone_or_password_is_kept_logged_or_printed(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    export = rosters.Export(tmp_path, version)
    header, rows = export.rows("users.csv")
    secret = personal(export.path)
    assert {"Zephyrine", "pw-eniryhpez", "2008-01-10", "503-555-0101", "S-204401", "F001", "u-01"} <= secret
    # what goes wrong must not tell of anyone either: a shifted row, one cut off, a contradiction
    shifted = rows[0] | {"enabledUser": "Zephyrine", "status": "Quillfeather", "grades": "503-555-0101"}
    export.write("users.csv", header, [*rows, shifted, rows[2] | {"grades": "04"}])
    export.set("users.csv", "u-05", identifier="", grades="Wilhelmina")
    export.text("users.csv", lambda text: text + "u-90,Zephyrine,Quillfeather\n")

    result = await afterbell_import(config_path, "roster", str(export.zipped()))

    assert result.exit_code == 4
    assert "12 students enrolled at 3 schools" in result.output
    told = {
        "database": "\n".join((await files.contents(pool)).values()),
        "log": "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records),
        "output": result.output,
    }
    assert told["database"].count(rosters.student("S-204401")) >= 1
    assert {(where, cell) for where, text in told.items() for cell in secret if cell in text} == set()


async def test_the_table_of_schools_and_bands_is_printed(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path
) -> None:
    result = await afterbell_import(config_path, "roster", str(rosters.Export(tmp_path).path))
    lines = {line.split("  ")[0].strip("│ "): re.findall(r"\d+", line) for line in result.output.splitlines()}
    assert result.exit_code == 0
    assert lines["Alder Creek Elementary"] == ["3", "0", "0", "1", "0", "4"]
    assert lines["Birch Hill High"] == ["0", "0", "4", "0", "1", "5"]
    assert "13 students enrolled at 3 schools, 13 new, 0 changed school, 0 left the district" in result.output


async def test_the_table_is_printed_although_rows_were_rejected(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path
) -> None:
    export = rosters.Export(tmp_path)
    export.set("users.csv", "u-05", identifier="")
    result = await afterbell_import(config_path, "roster", str(export.path))
    assert result.exit_code == 4
    assert "Alder Creek Elementary" in result.output


async def test_the_key_of_the_command_line_goes_before_the_district_s(
    pool: asyncpg.Pool, database: str, config_path: Path, tmp_path: Path
) -> None:
    export = rosters.Export(tmp_path)
    await afterbell_import(config_path, "roster", str(export.path), "--dry-run")
    assert await pool.fetchval("SELECT count(*) FROM enrollments") == 0
    await afterbell_import(config_path, "roster", str(export.path), "--key", "userId:SIS")
    known = {row["student"] for row in await pool.fetch("SELECT student FROM enrollments")}
    assert rosters.student("9001") in known
    assert rosters.student("S-204401") not in known


async def test_without_the_setting_the_student_key_is_the_sourced_id(
    pool: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    path = rosters.Export(tmp_path).path
    await afterbell_import(configured(database, tmp_path), "roster", str(path))
    known = {row["student"] for row in await pool.fetch("SELECT student FROM enrollments")}
    assert rosters.student("u-01") in known


async def test_a_wrong_student_key_in_the_configuration_is_named(database: str, tmp_path: Path) -> None:
    path = configured(database, tmp_path, 'student_key = "email"')
    with pytest.raises(errors.ConfigError, match="student_key"):
        await afterbell_import(path, "roster", str(tmp_path))


async def test_every_example_of_the_documentation_works(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(rosters.FIXTURES / "v1p2", tmp_path / "oneroster")
    rosters.Export(tmp_path).zipped().rename(tmp_path / "oneroster.zip")
    text = DOCS.read_text("utf-8")
    for name, block in FILE_BLOCK.findall(text):
        files.written(tmp_path, name, block.rstrip("\n"))
    commands = COMMAND.findall(text)
    assert len(commands) >= 4
    for command in commands:
        result = await afterbell_import(config_path, *shlex.split(command))
        assert (command, result.exit_code, result.output) == (command, 0, result.output)
        await pool.execute("DELETE FROM enrollments")
