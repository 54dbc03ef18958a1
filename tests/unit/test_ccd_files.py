"""Only the district's own rows come out of a national file, however it is packed and cut."""

import zipfile
from pathlib import Path

import pytest

from service import errors
from service.imports import ccd_files

HEADER = "SCHOOL_YEAR,SCH_NAME,LEAID,NCESSCH,STUDENT_COUNT"
OURS = frozenset({"410192000001", "410192000002"})


def national(rows: int) -> str:
    """Every hundredth school is ours."""
    lines = [HEADER]
    for number in range(rows):
        school = "410192000001" if number % 100 == 7 else f"{number % 999:07d}00001"
        lines.append(f'2024-2025,"Peñasco, {number}",{school[:7]},{school},{number}')
    return "\r\n".join(lines) + "\r\n"


def found(path: Path, told: list[int] | None = None) -> list[tuple[int, str]]:
    with ccd_files.opened(path, OURS, None if told is None else told.append) as table:
        return [(number, str(cells[-1])) for number, cells in table.rows]


def written(folder: Path, text: str, name: str = "national.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode("latin-1"))
    return path


@pytest.mark.parametrize("few", [0, 10])
@pytest.mark.parametrize("block", [7, 61, 1000, 1 << 22])
def test_our_rows_are_found_wherever_blocks_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, few: int
) -> None:
    monkeypatch.setattr(ccd_files, "_BLOCK", block)
    monkeypatch.setattr(ccd_files, "_FEW", few)
    told: list[int] = []
    expected = [(number + 2, str(number)) for number in range(7, 1000, 100)]
    assert found(written(tmp_path, national(1000)), told) == expected
    assert told[-1] == 1000


def test_a_zip_is_read_as_its_one_csv(tmp_path: Path) -> None:
    path = tmp_path / "national.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "410192000001")
        archive.writestr("ccd_sch_033.csv", national(200).encode("latin-1"))
    assert found(path) == [(9, "7"), (109, "107")]


def test_a_row_that_only_speaks_of_our_district_is_not_ours(tmp_path: Path) -> None:
    text = f"\ufeff{HEADER}\n2024-2025,4101920 Annex,0100005,010000500001,3\n2024-2025,Ours,4101920,410192000002,4"
    path = tmp_path / "national.csv"
    path.write_text(text, "utf-8")
    assert found(path) == [(3, "4")]


def test_of_two_numbers_of_twelve_digits_side_by_side_either_may_be_the_schools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccd_files, "_FEW", 0)
    text = "ST_SCHID,NCESSCH,STUDENT_COUNT\nx,000000000001,1\nAL,410192000002,5\n"
    beside = "SCH_NAME,ST_SCHID,NCESSCH\nOurs,999999999999,410192000002\n"
    assert found(written(tmp_path, text)) == [(3, "5")]
    assert found(written(tmp_path, beside)) == [(2, "410192000002")]


def test_a_zip_of_several_files_or_none_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "national.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", "x")
    with pytest.raises(errors.ImportRejected, match=r"has 0 CSV files.*inner\.zip.*unzip it"):
        found(path)


@pytest.mark.parametrize("name", ["national.zip", "none.csv"])
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, name: str) -> None:
    if name.endswith("zip"):
        (tmp_path / name).write_bytes(b"PK not a zip")
    with pytest.raises(errors.ImportRejected, match=f"cannot read {name}"):
        found(tmp_path / name)


def test_a_zip_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "national.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", national(5000).encode("latin-1"))
    whole = bytearray(path.read_bytes())
    whole[2000:4000] = bytes(2000)
    path.write_bytes(whole)
    with pytest.raises(errors.ImportRejected, match="unzip it first"):
        found(path)
