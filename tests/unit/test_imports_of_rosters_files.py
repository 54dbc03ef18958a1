"""What a OneRoster export is made of: the zip or folder, its manifest, and the number of a student."""

import struct
import zipfile
from pathlib import Path

import pytest

from service import errors
from service.imports import oneroster_keys, oneroster_manifest, oneroster_package, oneroster_tables
from service.imports.oneroster_manifest import Mode, Version
from tests import files, rosters


def manifest(path: Path) -> oneroster_manifest.Manifest:
    with oneroster_package.opened(path) as package:
        return oneroster_manifest.read(package)


def refused(path: Path) -> str:
    with pytest.raises(errors.ImportRejected) as raised:
        manifest(path)
    return str(raised.value)


@pytest.fixture
def export(tmp_path: Path) -> rosters.Export:
    return rosters.Export(tmp_path)


@pytest.mark.parametrize(("folder", "version"), [("v1p1", Version.V1_1), ("v1p2", Version.V1_2)])
def test_the_manifest_tells_the_version_and_what_is_whole(
    tmp_path: Path, folder: str, version: Version
) -> None:
    export = rosters.Export(tmp_path, folder)
    for path in (export.path, export.zipped()):
        found = manifest(path)
        assert found.version is version
        assert found.is_bulk
        assert found.has("roles.csv") is (version is Version.V1_2)


@pytest.mark.parametrize(
    ("folder", "version"), [("v1p1", Version.V1_1), ("v1p2", Version.V1_2)], ids=("1.1", "1.2")
)
def test_without_a_version_in_the_manifest_the_columns_tell_it(
    tmp_path: Path, folder: str, version: Version
) -> None:
    export = rosters.Export(tmp_path, folder)
    export.say("oneroster.version", None)
    assert manifest(export.path).version is version


def test_a_version_with_a_patch_number_is_that_version(export: rosters.Export) -> None:
    export.say("oneroster.version", "1.1.2")
    assert manifest(export.path).version is Version.V1_1


def test_version_1_0_is_refused_by_the_manifest_and_by_its_columns(export: rosters.Export) -> None:
    export.say("oneroster.version", "1.0")
    assert "version 1.0: 1.1 and 1.2 are read" in refused(export.path)
    export.say("oneroster.version", None)
    export.text("users.csv", lambda text: text.replace("enabledUser", "active", 1))
    assert "perhaps it is 1.0" in refused(export.path)


def test_delta_and_absent_are_told_by_the_manifest(export: rosters.Export) -> None:
    export.delta()
    export.say("file.enrollments", "absent")
    found = manifest(export.path)
    assert found.modes["users.csv"] is Mode.DELTA
    assert not found.is_bulk
    assert not found.has("enrollments.csv")


def test_without_a_manifest_nobody_guesses_whether_users_are_all_there(export: rosters.Export) -> None:
    (export.path / "manifest.csv").unlink()
    message = refused(export.path)
    assert "manifest.csv is missing" in message
    assert "file.users,bulk" in message


def test_a_manifest_that_does_not_tell_of_users_is_refused(export: rosters.Export) -> None:
    export.say("file.users", None)
    assert "no line file.users" in refused(export.path)
    export.say("file.users", "everyone")
    assert "neither bulk, delta nor absent" in refused(export.path)
    export.say("file.users", "absent")
    assert "no students to read" in refused(export.path)


def test_a_file_that_the_manifest_promises_must_be_there(export: rosters.Export) -> None:
    (export.path / "users.csv").unlink()
    assert "users.csv is missing: manifest.csv says that it is bulk" in refused(export.path)


def test_users_in_bulk_need_all_roles(tmp_path: Path) -> None:
    export = rosters.Export(tmp_path, "v1p2")
    export.say("file.roles", "delta")
    assert "roles.csv is delta" in refused(export.path)
    export.say("file.roles", "absent")
    assert "roles.csv is absent" in refused(export.path)


def test_what_is_neither_a_zip_nor_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is no zip" in refused(files.written(tmp_path, "roster.zip", "sourcedId,role"))
    assert "No such file" in refused(tmp_path / "nowhere.zip")


def test_files_in_a_folder_of_the_zip_are_refused(export: rosters.Export) -> None:
    assert "in a folder of the zip" in refused(export.zipped(inside="export/"))


def test_what_a_mac_adds_to_a_zip_is_no_file_of_the_export(export: rosters.Export) -> None:
    path = export.zipped()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._users.csv", b"\0")
    assert manifest(path).is_bulk


def test_a_file_that_is_there_twice_is_refused(export: rosters.Export) -> None:
    path = export.zipped()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("Users.csv", "sourcedId\n")
    assert "Users.csv is there twice" in refused(path)


def test_a_zip_that_unpacks_to_more_than_anyone_has_is_not_read(export: rosters.Export) -> None:
    """The size is told in front of the file: nothing is unpacked to find it out."""
    path = export.zipped()
    packed = bytearray(path.read_bytes())
    member = packed.rindex(b"PK\x01\x02", 0, packed.rindex(b"manifest.csv"))
    struct.pack_into("<L", packed, member + 24, oneroster_package.LARGEST_FILE + 1)
    path.write_bytes(packed)
    assert "bytes unpacked" in refused(path)


def test_a_zip_under_a_password_says_so(export: rosters.Export) -> None:
    path = export.zipped()
    packed = bytearray(path.read_bytes())
    member = packed.rindex(b"PK\x01\x02", 0, packed.rindex(b"manifest.csv"))
    packed[member + 8] |= 1
    path.write_bytes(packed)
    assert "protected by a password" in refused(path)


def test_a_damaged_zip_is_told_from_a_bad_file(export: rosters.Export) -> None:
    path = export.zipped()
    packed = bytearray(path.read_bytes())
    data = packed.index(b"manifest.csv") + len("manifest.csv")
    packed[data : data + 20] = b"\xff" * 20
    path.write_bytes(packed)
    assert "cannot be unpacked" in refused(path)


def test_a_line_without_an_end_does_not_fill_the_memory(export: rosters.Export) -> None:
    (export.path / "manifest.csv").write_text("x" * (oneroster_package.LONGEST_LINE + 1))
    assert "it is no CSV" in refused(export.path)


def test_no_file_but_the_six_is_ever_opened(export: rosters.Export) -> None:
    assert "demographics.csv" not in oneroster_manifest.READ
    with oneroster_package.opened(export.path) as package:
        before = package.checksum(oneroster_manifest.READ)
        (export.path / "demographics.csv").unlink()
        assert package.checksum(oneroster_manifest.READ) == before
        export.set("users.csv", "u-01", grades="01")
        assert package.checksum(oneroster_manifest.READ) != before


def test_only_the_wanted_columns_of_a_row_are_kept(export: rosters.Export) -> None:
    with (
        oneroster_package.opened(export.path) as package,
        oneroster_tables.opened(package, "users.csv", required=("role", "sourcedId")) as table,
    ):
        rows = list(table.good())
    assert rows[0].values == ["u-01", "student"]
    assert {len(row.values) for row in rows} == {2}


@pytest.mark.parametrize(
    ("key", "told", "number"),
    [
        ("sourcedId", {"sourcedId": "u-1"}, "u-1"),
        ("identifier", {"identifier": " 204417 "}, "204417"),
        ("userId:SIS", {"userIds": "{Fed:F1},{SIS:9001}"}, "9001"),
        ("userId:sis", {"userIds": "{Fed:F1}, {SIS: 9001 }"}, "9001"),
        ("userId:SIS", {"userIds": "SIS:9001"}, "9001"),
        ("userId:SIS", {"userIds": "{Fed:F1}"}, ""),
        ("userId:SIS", {"userIds": ""}, ""),
        ("userId:SIS", {"userIds": "{SIS:}"}, ""),
    ],
)
def test_one_number_of_a_user_is_the_student_key(key: str, told: dict[str, str], number: str) -> None:
    places = {name: place for place, name in enumerate(told)}
    row = oneroster_tables.Row(2, list(told.values()), places)
    assert oneroster_keys.named(key).of(row) == number
    assert row.problems == []


@pytest.mark.parametrize("key", ["identifier", "userId:SIS"])
def test_a_number_that_a_spreadsheet_spoiled_is_refused_and_not_shown(key: str) -> None:
    row = oneroster_tables.Row(2, ["3.55737E+14", "{SIS:3.55737E+14}"], {"identifier": 0, "userIds": 1})
    assert oneroster_keys.named(key).of(row) == ""
    (problem,) = row.problems
    assert "rounded" in problem.reason
    assert problem.value is None


@pytest.mark.parametrize("text", ["", "sourcedid", "username", "userId", "userId:", "userId:{SIS}"])
def test_another_student_key_is_refused(text: str) -> None:
    with pytest.raises(errors.ConfigError, match="userId:TYPE"):
        oneroster_keys.named(text)
