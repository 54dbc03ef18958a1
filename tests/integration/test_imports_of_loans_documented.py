"""Every example of docs/loans.md works, and every rejection in it is one that afterbell gives."""

import re
import shlex
from pathlib import Path

import asyncpg
import pytest

from service.imports import loan_writing
from tests import factories, files
from tests.integration import test_imports_commands as commands

DOCS = Path(__file__).parents[2] / "docs" / "loans.md"


config_path = commands.config_path


async def test_every_example_works(
    pool: asyncpg.Pool, config_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text("utf-8")
    for name, block in commands.FILE_BLOCK.findall(text):
        files.written(tmp_path, name, block.rstrip("\n"))
    await factories.district(pool)
    for ncessch in ("410192000001", "410192000002"):
        await factories.school(pool, ncessch)
    examples = [line for line in commands.COMMAND.findall(text) if line != "snipe-it"]
    assert len(examples) == 5
    told = []
    for command in examples:
        result = await commands.afterbell_import(config_path, *shlex.split(command))
        assert (command, result.exit_code, result.output) == (command, 0, result.output)
        assert " 0 rejected" in result.output
        told.append(result.output)
    assert "2 loans opened, 1 added that are over" in told[0]
    assert "no loan changed" in told[2]
    assert "2 loans opened, 1 added that are over, 1 lost" in told[3]
    assert "1 loan opened, 1 rows of other things left out" in told[4]
    assert await pool.fetchval("SELECT count(*) FROM loans WHERE returned_on IS NULL") == 5


@pytest.mark.parametrize("reason", loan_writing.REASONS.values())
def test_every_reason_to_refuse_a_loan_is_explained(reason: str) -> None:
    _, after = DOCS.read_text("utf-8").split("| rejection | what to do |\n|---|---|\n")
    told = [line.split("|")[1].strip() for line in after.split("\n\n")[0].splitlines()]
    given = reason.format(other_row=7, other_on="2026-09-01", other_until="2026-10-01")
    patterns = [
        re.escape(one).replace("N\\ ", r"\d+\ ").replace(r"\.\.\.", ".*").replace("NCESSCH", ".*")
        for one in told
    ]
    assert any(re.match(pattern, given) for pattern in patterns)
