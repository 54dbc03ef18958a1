"""``afterbell export``, ``exports`` and ``audit``, as they are run."""

import asyncio
import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import asyncpg
import pytest

from service import app, errors
from service.exports import restricted
from service.exports.writing import package
from tests import exporting, program


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    return exporting.configured(tmp_path, database)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return tmp_path / "packages" / str(exporting.DISTRICT)


@pytest.fixture(autouse=True)
def _the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "utc_now", lambda: exporting.NOW)


@pytest.fixture
async def district(pool: asyncpg.Pool) -> None:
    await exporting.insert(pool)


async def released(pool: asyncpg.Pool) -> list[tuple[str, int]]:
    return [
        tuple(row) for row in await pool.fetch("SELECT folder, revision FROM releases ORDER BY release_id")
    ]


def school_rows(folder: Path) -> str:
    return (folder / "csv" / "school_month.csv").read_text("utf-8")


# Made


async def test_a_package_is_made_with_its_report_and_told_of(
    district: None, database: str, tmp_path: Path, packages: Path
) -> None:
    config_path = exporting.configured(tmp_path, database, languages=["en", "es"])
    result = await exporting.run(config_path, "export", "last")
    assert result.exit_code == 0
    made = packages / "2026-10-shareable-r1"
    archive = packages / "2026-10-shareable-r1.zip"
    assert "2026-10 shareable revision 1: made" in result.stdout
    assert f"folder:  {made}\n" in result.stdout
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in result.stdout
    assert "12 schools: " in result.stdout
    reports = {f"report-{language}.{kind}" for language in ("en", "es") for kind in ("html", "pdf")}
    tables = ("school_month", "district_month", "notes")
    assert set(exporting.bytes_of(made)) >= reports | {
        "README.txt", "workbook.xlsx", "datapackage.json", "SHA256SUMS", *(f"csv/{it}.csv" for it in tables)
    }  # fmt: skip
    assert {path.name for path in packages.iterdir()} == {made.name, archive.name}
    checked = await asyncio.create_subprocess_exec("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=made)
    assert await checked.wait() == 0
    assert "  README.txt\n" in (made / "SHA256SUMS").read_text("utf-8")
    described = json.loads((made / "datapackage.json").read_text("utf-8"))["resources"]
    (readme,) = (one for one in described if one["path"] == "README.txt")
    assert (readme["type"], readme["mediatype"]) == ("file", "text/plain")


async def test_the_same_again_changes_nothing(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    first = await exporting.told(config_path, "export", "2026-10")
    before = exporting.bytes_of(packages)
    again = await exporting.told(config_path, "export", "2026-10")
    assert (first["state"], again["state"]) == ("made", "nothing has changed")
    assert (again["revision"], again["levels"]) == (1, first["levels"])
    assert exporting.bytes_of(packages) == before
    assert await released(pool) == [("2026-10-shareable-r1", 1)]


@pytest.mark.parametrize("lost", ["all", "the archive", "a byte of the archive"])
async def test_files_that_are_lost_are_made_again_to_the_byte(
    district: None, config_path: Path, packages: Path, lost: str, pool: asyncpg.Pool
) -> None:
    await exporting.told(config_path, "export", "2026-10", "--pilot", exporting.PILOT)
    before = exporting.bytes_of(packages)
    (folder,) = (path for path in packages.iterdir() if path.is_dir())
    archive = folder.with_name(f"{folder.name}.zip")
    if lost == "a byte of the archive":
        archive.write_bytes(archive.read_bytes()[:-1] + b"?")
    else:
        archive.unlink()
    if lost == "all":
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
    again = await exporting.told(config_path, "export", "2026-10", "--pilot", exporting.PILOT)
    assert again["state"] == "its files were gone, and are made again"
    assert exporting.bytes_of(packages) == before
    assert len(await released(pool)) == 1


async def test_late_figures_make_a_second_revision_that_lists_them(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    await exporting.told(config_path, "export", "2026-10")
    before = exporting.bytes_of(packages / "2026-10-shareable-r1")
    await pool.execute(
        "UPDATE school_days SET active_30 = active_30 + 20, active_7 = active_7 + 20, adequate = adequate + 20, "
        "loaned = loaned + 20 FROM schools AS s WHERE school_days.school_id = s.school_id AND s.ncessch = $1",
        program.SCHOOLS[1],
    )
    again = await exporting.told(config_path, "export", "2026-10")
    assert (again["state"], again["revision"]) == ("made", 2)
    assert again["reasons"]
    assert exporting.bytes_of(packages / "2026-10-shareable-r1") == before
    with (packages / "2026-10-shareable-r2" / "csv" / "changes.csv").open(encoding="utf-8") as file:
        changed = list(csv.DictReader(file))
    assert any(program.SCHOOLS[1] in row["key"] for row in changed)
    assert all(row["why"] for row in changed)
    # and its own files come back just so
    second = exporting.bytes_of(packages / "2026-10-shareable-r2")
    (packages / "2026-10-shareable-r2.zip").unlink()
    assert (await exporting.told(config_path, "export", "2026-10"))["revision"] == 2
    assert exporting.bytes_of(packages / "2026-10-shareable-r2") == second


async def test_a_package_with_a_pilot_tells_of_schools_what_the_one_without_tells(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    await exporting.told(config_path, "export", "2026-10")
    made = await exporting.told(config_path, "export", "2026-10", "--pilot", exporting.PILOT)
    assert made["pilot"] == exporting.PILOT
    plain, with_pilot = packages / "2026-10-shareable-r1", packages / made["package"]
    assert school_rows(plain) == school_rows(with_pilot)
    assert (with_pilot / "csv" / "pilot_periods.csv").exists()
    assert not (plain / "csv" / "pilot_periods.csv").exists()
    told = "SELECT count(DISTINCT (school_id, level, cells::text, band)) FROM release_schools"
    assert await pool.fetchval(told) == 12


async def test_a_pilot_of_one_school_is_made_with_a_warning(district: None, config_path: Path) -> None:
    made = await exporting.told(config_path, "export", "2026-10", "--pilot", "Lone")
    one_school = "pilot: One side is a single school: whatever else happened there is in the figure."
    assert one_school in made["notes"]


async def test_a_month_that_has_not_settled_is_refused_with_the_day_from_which_it_has(
    district: None, config_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        errors.ExportRefused, match=r"2026-11 is not over: it ends on 2026-11-30.* 2026-12-05"
    ):
        await exporting.run(config_path, "export", "2026-11")
    monkeypatch.setattr(app, "utc_now", lambda: exporting.NOW.replace(day=3))
    with pytest.raises(errors.ExportRefused, match=r"2026-10 has not settled.* 2026-11-05 on"):
        await exporting.run(config_path, "export", "2026-10")
    assert not packages.exists()


async def test_a_month_that_is_not_computed_to_its_end_has_not_settled(
    district: None, config_path: Path, pool: asyncpg.Pool
) -> None:
    await pool.execute("UPDATE districts SET computed_through_on = '2026-10-20'")
    with pytest.raises(errors.ExportRefused, match=r"2026-10 is known as far as 2026-10-20 only"):
        await exporting.run(config_path, "export", "2026-10")
    made = await exporting.told(config_path, "export", "2026-10", "--partial")
    assert made["package"] == "2026-10-shareable-partial-r1"


@pytest.mark.parametrize("marked", ["a line's day", "a loan's day"])
async def test_days_that_wait_to_be_computed_are_told_and_nothing_is_made_of_stale_figures(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool, marked: str
) -> None:
    """As after an import, before poll or serve has worked it in."""
    if marked == "a line's day":
        await pool.execute(
            "INSERT INTO dirty_line_days SELECT 7, min(account_id), '2026-10-07' FROM accounts"
        )
    else:
        await pool.execute("INSERT INTO dirty_loan_days VALUES (7, '2026-09-30'), (7, '2026-11-02')")
    waiting = r"figures of 1 day up to the end of 2026-10 wait to be computed.* run afterbell poll"
    for options in ([], ["--partial"], ["--profile", "internal"]):
        with pytest.raises(errors.ExportRefused, match=waiting):
            await exporting.run(config_path, "export", "2026-10", *options)
    assert not packages.exists()


async def test_the_present_day_and_what_comes_after_the_month_need_not_be_computed(
    district: None, config_path: Path, pool: asyncpg.Pool
) -> None:
    await pool.execute("INSERT INTO dirty_loan_days VALUES (7, '2026-11-18')")  # today
    assert (await exporting.told(config_path, "export", "2026-11", "--partial"))["state"] == "made"
    await pool.execute("INSERT INTO dirty_loan_days VALUES (7, '2026-11-01')")
    assert (await exporting.told(config_path, "export", "2026-10"))["state"] == "made"


async def test_where_nothing_was_computed_since_the_import_the_days_that_wait_are_told(
    district: None, config_path: Path, pool: asyncpg.Pool
) -> None:
    await pool.execute("UPDATE districts SET computed_through_on = NULL")
    await pool.execute("INSERT INTO dirty_loan_days VALUES (7, '2026-10-01')")
    with pytest.raises(errors.ExportRefused, match="wait to be computed"):
        await exporting.run(config_path, "export", "2026-10")


async def test_a_partial_package_says_so_everywhere_and_is_another_than_the_settled_one(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    made = await exporting.told(config_path, "export", "2026-11", "--partial")
    assert (made["is_partial"], made["package"]) == (True, "2026-11-shareable-partial-r1")
    described = json.loads((packages / made["package"] / "datapackage.json").read_text("utf-8"))
    assert "PARTIAL" in json.dumps(described)
    settled = await exporting.told(config_path, "export", "2026-10", "--partial")  # it has settled
    assert (settled["is_partial"], settled["package"]) == (False, "2026-10-shareable-r1")


async def test_a_month_of_which_nothing_is_known_is_refused(district: None, config_path: Path) -> None:
    for month in ("2025-01", "2027-03"):
        with pytest.raises(errors.ExportRefused, match=month):
            await exporting.run(config_path, "export", month, "--partial")


@pytest.mark.parametrize(
    "arguments", [["export", "last", "--profile", "nonsense"], ["audit", "--since", "nonsense"]]
)
async def test_a_value_that_is_none_is_told_without_the_words_of_a_library(
    config_path: Path, arguments: list[str]
) -> None:
    result = await exporting.run(config_path, *arguments)
    assert result.exit_code == 2
    assert f"Invalid value for '{arguments[-2]}': 'nonsense'" in result.stderr
    assert "Value error" not in result.output


async def test_a_month_that_is_issued_after_a_later_one_says_so(
    district: None, config_path: Path, packages: Path
) -> None:
    later = await exporting.told(config_path, "export", "2026-10")
    assert not [note for note in later["notes"] if "order" in note]
    said = "2026-10 was issued before this month, and tells it as not released. Issue months in their order"
    earlier = await exporting.told(config_path, "export", "2026-09")
    assert [note for note in earlier["notes"] if note.startswith(said)]
    pilots = await exporting.told(config_path, "export", "2026-09", "--pilot", exporting.PILOT)
    assert not [note for note in pilots["notes"] if note.startswith(said)]  # by now September is told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2026-13"], "'2026-13' is not a month: months go from 01 to 12, or last"),
        (["last", "--pilot", "Nobody's"], "there is no pilot \"Nobody's\"; known: 'Autumn lessons', 'Lone'"),
        (["last", "--roster", "people.csv"], "--roster goes with --profile inventory only"),
        (["last", "--deidentified"], "--deidentified goes with --profile inventory only"),
        (["last", "--strict", "--profile", "internal"], "--strict goes with --profile shareable only"),
        (["last", "--pilot", "Lone", "--profile", "internal"], "--pilot goes with --profile shareable only"),
        (
            ["last", "--roster", "people.csv", "--profile", "inventory"],
            "a roster says who is who by pseudonym_key_file, and there is none",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
async def test_what_does_not_go_together_is_refused(
    config_path: Path, packages: Path, arguments: list[str], said: str
) -> None:
    with pytest.raises(errors.ConfigError) as refused:
        await exporting.run(config_path, "export", *arguments)
    assert said in str(refused.value)
    assert not packages.exists()


async def test_a_folder_that_is_not_there_is_told(district: None, config_path: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.ExportRefused, match="does not exist: make it"):
        await exporting.run(config_path, "export", "last", "--folder", str(tmp_path / "nowhere"))


async def test_without_a_folder_the_way_out_is_told(config_path: Path) -> None:
    text = config_path.read_text("utf-8")
    config_path.write_text("\n".join(line for line in text.splitlines() if not line.startswith("folder")))
    with pytest.raises(errors.ConfigError, match="Name a folder with --folder, or set folder"):
        await exporting.run(config_path, "export", "last")


# The other profiles


async def test_an_internal_package_is_made_anew_only_when_a_file_of_it_differs(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    first = await exporting.told(config_path, "export", "last", "--profile", "internal")
    again = await exporting.told(config_path, "export", "last", "--profile", "internal")
    assert (first["state"], again["state"], again["revision"]) == ("made", "nothing has changed", 1)
    before = exporting.bytes_of(packages)
    (packages / "2026-10-internal-r1.zip").unlink()
    await exporting.told(config_path, "export", "last", "--profile", "internal")
    assert exporting.bytes_of(packages) == before
    await pool.execute("UPDATE line_days SET used_bytes = 5 WHERE line_id = 1 AND used_bytes IS NOT NULL")
    late = await exporting.told(config_path, "export", "last", "--profile", "internal")
    assert (late["revision"], late["reasons"]) == (2, ["late_data"])
    assert [path.name for path in packages.glob(".*")] == []


async def test_an_inventory_without_a_roster_names_nobody(
    district: None, config_path: Path, packages: Path
) -> None:
    made = await exporting.told(config_path, "export", "last", "--profile", "inventory", "--deidentified")
    assert made["package"] == "2026-10-inventory-deidentified-r1"
    assert (packages / made["package"] / "csv" / "asset_inventory.csv").exists()


async def test_an_inventory_into_another_folder_is_the_same_and_in_the_audit_log(
    district: None, config_path: Path, packages: Path, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    asked = "export", "last", "--profile", "inventory"
    made = await exporting.told(config_path, *asked)
    (tmp_path / "elsewhere").mkdir()
    copy = await exporting.told(config_path, *asked, "--folder", str(tmp_path / "elsewhere"))
    assert (copy["state"], copy["revision"]) == ("the same again, in this folder", 1)
    assert exporting.bytes_of(packages) == exporting.bytes_of(tmp_path / "elsewhere" / packages.name)
    again, first = (await exporting.told(config_path, "audit"))["entries"]
    assert (first["action"], again["action"], again["actor"]) == (
        "export_created", "export_rebuilt", "command"
    )  # fmt: skip
    assert again["subject"] == "2026-10 inventory revision 1"
    assert again["details"] == {"folder": made["package"], "archive_sha256": made["archive_sha256"]}


async def test_an_internal_package_whose_files_are_gone_is_built_once(
    district: None,
    config_path: Path,
    packages: Path,
    pool: asyncpg.Pool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await exporting.told(config_path, "export", "last", "--profile", "internal")
    before = exporting.bytes_of(packages)
    shutil.rmtree(packages)
    built = []
    written = restricted.Contents.write

    async def write(contents: restricted.Contents, writer: package.Writer) -> None:
        built.append(contents)
        await written(contents, writer)

    monkeypatch.setattr(restricted.Contents, "write", write)
    again = await exporting.told(config_path, "export", "last", "--profile", "internal")
    assert (again["state"], len(built)) == ("its files were gone, and are made again", 1)
    assert exporting.bytes_of(packages) == before
    logged = await pool.fetch("SELECT action FROM audit_log ORDER BY entry_id")
    assert [row["action"] for row in logged] == ["export_created", "export_rebuilt"]


async def test_an_archive_that_is_not_what_was_issued_never_takes_its_name(
    district: None, config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    """As where another version of a library packs the same files in other bytes."""
    await exporting.told(config_path, "export", "last", "--profile", "internal")
    shutil.rmtree(packages)
    await pool.execute("UPDATE releases SET archive_sha256 = repeat('0', 64)")
    again = await exporting.told(config_path, "export", "last", "--profile", "internal")
    assert (again["state"], again["revision"], again["reasons"]) == ("made", 2, ["files_lost"])
    assert {path.name for path in packages.iterdir()} == {"2026-10-internal-r2", "2026-10-internal-r2.zip"}
    third = await exporting.told(config_path, "export", "last", "--profile", "internal")
    assert (third["state"], third["revision"]) == ("nothing has changed", 2)


# Lists


async def test_the_ledger_and_the_audit_log_are_listed(
    district: None, config_path: Path, tmp_path: Path
) -> None:
    assert "no package was issued yet" in (await exporting.run(config_path, "exports")).stdout
    assert "nothing is written down" in (await exporting.run(config_path, "audit")).stdout
    made = await exporting.told(config_path, "export", "2026-10")
    shown = (await exporting.run(config_path, "exports")).stdout
    zoned = re.compile(r"2026-11-18 13:00(:00)? MST")
    assert zoned.search(shown)
    assert zoned.search((await exporting.run(config_path, "audit")).stdout)
    assert "2026-10 shareable revision 1" in shown
    assert made["archive_sha256"][:12] in shown
    (listed,) = (await exporting.told(config_path, "exports"))["packages"]
    assert listed["levels"] == made["levels"]
    assert (listed["month"], listed["created_by"]) == ("2026-10", "command")
    (entry,) = (await exporting.told(config_path, "audit"))["entries"]
    assert (entry["actor"], entry["action"]) == ("command", "export_created")
    assert entry["details"]["archive_sha256"] == made["archive_sha256"]
    file = tmp_path / "audit_log.csv"
    await exporting.run(config_path, "audit", "--csv", str(file))
    with file.open(encoding="utf-8") as opened:
        (row,) = csv.DictReader(opened)
    assert row["subject"] == "2026-10 shareable revision 1"
    assert made["archive_sha256"] in row["details"]
    assert (await exporting.told(config_path, "audit", "--since", "2026-11-19"))["entries"] == []


@pytest.mark.parametrize("command", ["exports", "audit"])
async def test_a_district_that_is_not_there_is_told(config_path: Path, command: str) -> None:
    with pytest.raises(errors.ConfigError, match="there is no district 8: the configuration has 7"):
        await exporting.run(config_path, command, "--district", "8")
