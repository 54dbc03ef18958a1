"""Every example of docs/need.md, as a technician would run it; the API of the example is a stand-in."""

import asyncio
import re
import shlex
import tomllib
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from service import __main__ as command_line
from service import config as configs
from service.imports import answer_maps
from service.model import need
from tests import factories, files

DOCS = Path(__file__).parents[2] / "docs" / "need.md"
FILE_BLOCK = re.compile(r"^```(?:csv|toml) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^afterbell import answers .*$", re.MULTILINE)


async def test_every_file_of_the_documentation_is_taken(
    pool: asyncpg.Pool, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await factories.district(pool)
    for ncessch in ("410192000001", "410192000002"):
        await factories.school(pool, ncessch)
    text = DOCS.read_text("utf-8")
    for name, block in FILE_BLOCK.findall(text):
        files.written(tmp_path, name, block.rstrip("\n"))
    key = files.written(tmp_path, "pseudonym.key", "0123456789abcdef0123456789abcdef")
    config = files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        "id = 1",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
        f'pseudonym_key_file = "{key}"',
    )
    commands = COMMAND.findall(text)
    assert len(commands) == 3
    outputs = []
    for command in commands:
        runner = CliRunner(env={"COLUMNS": "200"})
        arguments = ["--config", str(config), *shlex.split(command)[1:]]
        result = await asyncio.to_thread(runner.invoke, command_line.app, arguments)
        assert (command, result.exit_code, result.exception) == (command, 0, None)
        assert " 0 rejected" in result.output
        outputs.append(result.output)
    assert outputs[0].strip() in text
    assert await pool.fetchval("SELECT count(*) FROM need_answers") == 4 + 2 + 3
    assert await pool.fetchval("SELECT count(*) FROM need_answers WHERE barrier = 'not_affordable'") == 3


def test_the_settings_of_the_documentation_fit() -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    told = tomllib.loads(block)["districts"]["ed_fi"]
    assert configs.EdFi(**told).options().token_address == "https://api.district.example/v7.2/api/oauth/token"
    uncommented = tomllib.loads(block.replace("# school_year", "school_year").replace("# map", "map"))
    both = configs.EdFi(**uncommented["districts"]["ed_fi"])
    assert (both.school_year, both.map) == (2026, "minnesota")


def test_every_map_and_every_kind_is_documented() -> None:
    text = DOCS.read_text("utf-8")
    assert [name for name in answer_maps.shipped() if f"| `{name}` |" not in text] == []
    kinds = {kind.value for kinds in (need.AccessType, need.Barrier, need.Performance) for kind in kinds}
    assert {kind for kind in kinds if not re.search(rf"\b{kind}\b", text)} == set()


def test_every_reason_of_a_rejection_is_explained() -> None:
    text = DOCS.read_text("utf-8")
    for words in ("belongs to no school", "there is no such school", "says otherwise", "has no date"):
        assert words in text
