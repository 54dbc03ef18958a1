"""What `afterbell check` says of the monthly packages."""

import asyncio
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service import __main__ as command_line
from service import checks
from tests import exporting


def packages(
    folder: Path | None,
    *,
    is_told: bool = False,
    page_address: str | None = None,
    missing_libraries: tuple[str, ...] = (),
) -> list[checks.Finding]:
    configured = checks.Packages(
        folder=folder, is_told=is_told, page_address=page_address, missing_libraries=missing_libraries
    )
    return checks.packages(7, configured)


def test_a_folder_that_can_be_written_to_is_good(tmp_path: Path) -> None:
    (finding,) = packages(tmp_path, is_told=True, page_address="https://afterbell.district.example")
    assert (finding.what, finding.is_good) == ("district 7: packages", True)
    assert finding.found == f"made in {tmp_path}"


def test_where_no_packages_are_made_nothing_is_said() -> None:
    assert packages(None, is_told=True) == []


@pytest.mark.parametrize("how", ["does not exist", "is a file", "cannot be written to"])
def test_a_folder_that_cannot_be_used_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    folder = tmp_path / "packages"
    if how == "is a file":
        folder.touch()
    elif how == "cannot be written to":
        folder.mkdir()
        # root may write everywhere: the question itself is answered with no
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    (finding,) = packages(folder)
    assert (finding.is_good, finding.found) == (False, f"{folder} {how}")


def test_everything_amiss_is_told(tmp_path: Path) -> None:
    found = packages(tmp_path / "none", is_told=True, missing_libraries=("typst", "highspy"))
    assert [finding.is_good for finding in found] == [False] * 3
    assert found[0].found == "not installed: typst, highspy"
    assert found[0].advice == 'pip install "afterbell[exports]"'
    assert "page_address is not set" in found[2].found


async def test_check_looks_at_the_folder_that_the_configuration_names(database: str, tmp_path: Path) -> None:
    config = exporting.configured(tmp_path, database)
    (tmp_path / "packages").rmdir()
    runner = CliRunner(env={"COLUMNS": "300"})
    result = await asyncio.to_thread(runner.invoke, command_line.app, ["--config", str(config), "check"])
    assert result.exit_code == 1
    assert f"{tmp_path / 'packages'} does not exist" in result.stdout
