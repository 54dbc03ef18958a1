"""The files of a package, read back by the programs that their receivers use."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import frictionless
import pytest
from pyarrow import parquet

from service.exports import tables
from service.exports.writing import package, workbook
from tests import conftest, written

SCRIPTS = Path(sysconfig.get_path("scripts"))
ROOT = Path(__file__).parents[2]
SUMMED = [
    "csv/notes.csv",
    "csv/school_month.csv",
    "datapackage.json",
    "parquet/notes.parquet",
    "parquet/school_month.parquet",
    "report-en.html",
    "workbook.xlsx",
]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-10-shareable-r1"
    folder.mkdir()
    written.write(folder)
    return folder


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_csv_is_rfc_4180_in_utf_8_without_a_mark(work: Path) -> None:
    content = (work / "csv/school_month.csv").read_bytes()
    assert content.startswith(b"month,school_ncessch,")
    assert content.endswith(b"\r\n")
    assert content.replace(b"\r\n", b"").count(b"\n") == 0
    assert "Ñandú" in content.decode("utf-8")


def test_csv_says_values_in_one_way(work: Path) -> None:
    header, first, second, third = _csv(work / "csv/school_month.csv")
    assert header == list(written.SCHOOLS.names)
    assert first[1:4] == ["010000000001", "'=HYPERLINK(1)", "24"]
    assert first[7:] == ["0.8333", "1234.50", "4.2500", "true", "frl", "2026-10-30", "2026-11-01T04:30:00Z"]
    assert second[2] == 'Ñandú "East"\r\nHigh, K–5'
    assert second[3:7] == ["", "5 to 9", "5", "9"]
    assert third[3:] == ["0", "", "0", "0", "", "0.00", "0.0000", "false", "", "", ""]


def test_parquet_has_types_and_the_same_values(work: Path) -> None:
    table = parquet.read_table(work / "parquet/school_month.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types["need"] == "int64"
    assert types["coverage"] == "double"
    assert types["figure_on"] == "date32[day]"
    assert types["is_high_needs"] == "bool"
    assert types["updated_at"] == "timestamp[us, tz=UTC]"
    first, second, third = table.to_pylist()
    assert first["school_name"] == "=HYPERLINK(1)"
    assert first["coverage"] == 0.8333
    assert first["figure_on"] == date(2026, 10, 30)
    assert first["updated_at"] == datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    assert (second["need"], second["need_symbol"]) == (None, "5 to 9")
    assert str(third["gb"]) == "0.0"  # and not minus zero
    assert table.schema.field("coverage").metadata[b"unit"] == b"share from 0 to 1"


def _frictionless(work: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / "frictionless", "validate", "datapackage.json"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_frictionless_accepts_the_package(work: Path) -> None:
    found = _frictionless(work)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("VALID") == len(SUMMED) - 1


def _broken(work: Path, old: bytes, new: bytes) -> None:
    """With the right sum and size: only the cell itself is wrong."""
    path, described = work / "csv/school_month.csv", work / "datapackage.json"
    before, after = path.read_bytes(), path.read_bytes().replace(old, new)
    assert before != after
    path.write_bytes(after)
    told = described.read_text().replace(
        hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest()
    )
    described.write_text(told.replace(f'"bytes": {len(before)}', f'"bytes": {len(after)}'))


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b",0.8333,", b",much,", "type-error"),
        (b",0.8333,", b",1.8333,", "constraint-error"),
        (b",frl,", b",guess,", "constraint-error"),
        (b"2026-10,", b"October,", "type-error"),
        (b"010000000001", b"10000000001", "constraint-error"),
        (b"010000000001", b"010000000002", "primary-key"),
        (b",5 to 9,5,", b",5 to 9,-5,", "constraint-error"),
    ],
)
def test_a_validator_finds_a_broken_cell(
    work: Path, monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes, error: str
) -> None:
    _broken(work, old, new)
    monkeypatch.chdir(work)
    found = frictionless.validate("datapackage.json").flatten(["type"])
    assert {kind for [kind] in found} == {error}


def test_frictionless_refuses_a_package_with_a_broken_cell(work: Path) -> None:
    _broken(work, b",0.8333,", b",much,")
    found = _frictionless(work)
    assert found.returncode == 1
    assert "type-error" in found.stdout


@pytest.mark.parametrize(
    "name", ["csv/notes.csv", "parquet/notes.parquet", "report-en.html", "workbook.xlsx"]
)
def test_a_validator_finds_a_file_that_was_changed(
    work: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(work)
    with (work / name).open("ab") as file:
        file.write(b"settled,no\r\n")
    assert not frictionless.validate("datapackage.json").valid


def test_the_description_has_units_and_constraints(work: Path) -> None:
    described = json.loads((work / "datapackage.json").read_text())
    schools = next(one for one in described["resources"] if one["name"] == "school_month")
    fields = {field["name"]: field for field in schools["schema"]["fields"]}
    assert fields["need"]["unit"] == "students"
    assert fields["need"]["constraints"] == {"minimum": 0}
    assert fields["coverage"]["unit"] == tables.SHARE
    assert fields["coverage"]["constraints"] == {"minimum": 0, "maximum": 1}
    assert fields["month"] == {
        "name": "month",
        "type": "yearmonth",
        "description": "The month.",
        "constraints": {"required": True},
    }
    assert fields["updated_at"]["type"] == "datetime"
    assert schools["schema"]["primaryKey"] == ["month", "school_ncessch"]
    assert schools["schema"]["missingValues"] == [""]
    assert described["description"] == "District: Example."


def test_sha256sum_agrees_with_the_sums(work: Path) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        conftest.missing_program("sha256sum", "it comes with the GNU core utilities")
        return
    command = [program, "--check", "--strict", "SHA256SUMS"]
    found = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [f"{name}: OK" for name in SUMMED]
    (work / "csv/notes.csv").write_bytes(b"")
    assert subprocess.run(command, cwd=work, capture_output=True, check=False).returncode == 1


def test_finish_tells_every_file_with_its_sum(tmp_path: Path) -> None:
    with package.Writer(tmp_path, title="x") as writer:
        writer.table(written.NOTES, [("a", "b")])
        files = writer.finish()
    assert [file.path for file in files] == [
        "csv/notes.csv",
        "datapackage.json",
        "parquet/notes.parquet",
        "workbook.xlsx",
    ]
    content = (tmp_path / "csv/notes.csv").read_bytes()
    assert (files[0].bytes, files[0].sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_archive_unpacks_into_a_folder_of_its_name(work: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(f"{work}.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(f"{work.name}/{name}" for name in [*SUMMED, "SHA256SUMS"])
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100640}
        archive.extractall(tmp_path / "out")
    for name in SUMMED:
        assert (tmp_path / "out" / work.name / name).read_bytes() == (work / name).read_bytes()


def test_the_same_package_has_the_same_bytes_in_another_process_zone_and_language(tmp_path: Path) -> None:
    made = []
    for number, settings in enumerate(
        (
            {"TZ": "America/New_York", "LANG": "C.UTF-8", "PYTHONHASHSEED": "1"},
            {"TZ": "Asia/Tokyo", "LANG": "C", "LC_ALL": "C", "PYTHONHASHSEED": "77", "TMPDIR": str(tmp_path)},
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir(mode=0o700 if number else 0o755)
        command = [sys.executable, "-m", "tests.written", str(folder)]
        subprocess.run(
            command, env=os.environ | settings, cwd=ROOT, check=True, timeout=60, umask=0o77 * number
        )
        made.append(folder)
    names = [path.relative_to(made[0]) for path in sorted(made[0].rglob("*")) if path.is_file()]
    assert len(names) == len(SUMMED) + 2  # the sums and the archive
    for name in names:
        assert (made[0] / name).read_bytes() == (made[1] / name).read_bytes(), name


async def test_how_rows_come_does_not_change_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 1_000)
    rows = [(f"line-{number}", "x" if number % 3 else None) for number in range(25_001)]

    async def batches(size: int) -> AsyncIterator[list[tables.Row]]:
        for at in range(0, len(rows), size):
            yield list(rows[at : at + size])

    made = []
    for size in (1_000, 7_777, 0):
        folder = tmp_path / str(size)
        folder.mkdir()
        with package.Writer(folder, title="x") as writer:
            if size:
                await writer.stream(written.NOTES, batches(size))
            else:
                writer.table(written.NOTES, iter(rows))
            made.append(writer.finish())
    assert made[0] == made[1] == made[2]
    assert len(_csv(tmp_path / "1000/csv/notes.csv")) == 25_002


def test_a_table_without_rows_is_written_with_its_header(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    written.write(folder, rows=())
    assert _csv(folder / "csv/school_month.csv") == [list(written.SCHOOLS.names)]
    assert parquet.read_table(folder / "parquet/school_month.parquet").num_rows == 0
    assert _frictionless(folder).returncode == 0


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../b", ".hidden", "a b", "a\nb", ""])
def test_a_file_stays_inside_the_package(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        package.Writer(tmp_path, title="x").file(name, b"")


def test_without_the_extra_an_error_names_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['xlsxwriter'] = None\n"
        "from service import errors\n"
        "try:\n    from service.exports.writing import package\n"
        "except errors.ExportRefused as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 'xlsxwriter, which is not installed: pip install "afterbell[exports]"' in found.stdout


MEASURED = """
import asyncio, resource, sys
from pathlib import Path
from service.exports import tables
from service.exports.writing import archive, package

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

columns = [tables.Column(name=f"c{n}", kind="integer", says="n") for n in range(6)]
columns += [tables.Column(name=f"t{n}", kind="text", says="t") for n in range(4)]
table = tables.Table(name="wide", title="w", says="w", columns=tuple(columns), key=("c0",))

async def batches():
    for start in range(0, 200_000, 5_000):
        yield [(*range(n, n + 6), *(f"text-{n}-{k}" for k in range(4))) for n in range(start, start + 5_000)]

async def main():
    before, work = used(), Path(sys.argv[1])
    with package.Writer(work, title="x") as writer:
        await writer.stream(table, batches())
        writer.finish()
    archive.write(work)
    print(used() - before)

asyncio.run(main())
"""


def test_200_000_rows_are_written_in_the_memory_of_a_few(tmp_path: Path) -> None:
    """They are 50 MB as CSV, and several times that as objects."""
    work = tmp_path / "wide"
    work.mkdir()
    command = [sys.executable, "-c", MEASURED, str(work)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    assert int(found.stdout) < 150  # MB
    assert (work / "csv/wide.csv").read_bytes().count(b"\r\n") == 200_001
