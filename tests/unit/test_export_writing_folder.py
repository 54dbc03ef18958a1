"""A package appears whole or not at all."""

import asyncio
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import xlsxwriter.exceptions

from service import errors
from service.exports.writing import archive, folder, package
from tests import written

ROOT = Path(__file__).parents[2]


def _fill(work: Path) -> None:
    (work / "csv").mkdir()
    (work / "csv/a.csv").write_bytes(b"a\r\n")
    archive.write(work)


def _left(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "7" / "2026-10-shareable-r1"


def test_a_package_and_its_archive_appear_at_the_end(target: Path) -> None:
    with folder.building(target) as work:
        _fill(work)
        assert work.name == target.name
        assert not target.exists()
        [area] = _left(target.parent)
        assert area.startswith(".building-2026-10-shareable-r1-")
    assert _left(target.parent) == ["2026-10-shareable-r1", "2026-10-shareable-r1.zip"]
    assert (target / "csv/a.csv").read_bytes() == b"a\r\n"


async def test_it_is_built_beside_an_event_loop_too(target: Path) -> None:
    async with folder.building(target) as work:
        await asyncio.to_thread(_fill, work)
    assert _left(target.parent) == ["2026-10-shareable-r1", "2026-10-shareable-r1.zip"]


def test_who_may_read_it_does_not_hang_on_the_umask(target: Path) -> None:
    before = os.umask(0)
    try:
        with folder.building(target) as work:
            _fill(work)
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o750
    assert (target / "csv").stat().st_mode & 0o777 == 0o750
    assert (target / "csv/a.csv").stat().st_mode & 0o777 == 0o640
    assert archive.beside(target).stat().st_mode & 0o777 == 0o640


def test_an_error_leaves_nothing_behind(target: Path) -> None:
    def build() -> None:
        with folder.building(target) as work:
            _fill(work)
            raise KeyError

    with pytest.raises(KeyError):
        build()
    assert _left(target.parent) == []


async def test_a_task_that_is_cancelled_leaves_nothing_behind(target: Path) -> None:
    started = asyncio.Event()

    async def build() -> None:
        async with folder.building(target) as work:
            _fill(work)
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(build())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _left(target.parent) == []


async def test_a_task_that_is_cancelled_as_it_begins_leaves_nothing_behind(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, swept = threading.Event(), folder.sweep

    def sweep(place: Path) -> None:
        begun.set()
        time.sleep(0.2)
        swept(place)

    async def build() -> None:
        async with folder.building(target):
            pytest.fail("it was begun")

    monkeypatch.setattr(folder, "sweep", sweep)
    task = asyncio.create_task(build())
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _left(target.parent) == []


def test_what_goes_on_after_it_was_cleared_makes_nothing_anew(target: Path) -> None:
    with folder.building(target) as work:
        writer = package.Writer(work, title="October")
    shutil.rmtree(target)
    for name in ("report-en.html", "ed-fi/answers.json"):
        with pytest.raises(FileNotFoundError):
            writer.file(name, b"")
    assert _left(target.parent) == []


def test_writing_ends_where_its_pulse_says_so(target: Path) -> None:
    class Ended(Exception):
        pass

    def pulse() -> None:
        raise Ended

    with folder.building(target) as work:
        _fill(work)
        archive.beside(work).unlink()
        with pytest.raises(Ended):
            archive.write(work, pulse)
        archive.beside(work).unlink()
        with pytest.raises(Ended):
            package.Writer(work, title="October").finish(pulse)


@pytest.mark.parametrize("there", ["folder", "archive"])
def test_what_is_there_already_is_not_overwritten(target: Path, there: str) -> None:
    target.parent.mkdir()
    if there == "folder":
        target.mkdir()
    else:
        archive.beside(target).write_bytes(b"old")
    with pytest.raises(errors.ExportRefused, match="is there already"), folder.building(target):
        pytest.fail("it was begun")


def test_what_appeared_in_the_meantime_is_not_overwritten(target: Path) -> None:
    def build() -> None:
        with folder.building(target) as work:
            _fill(work)
            target.mkdir()
            (target / "other").touch()

    with pytest.raises(errors.ExportRefused, match="is there already"):
        build()
    assert _left(target.parent) == ["2026-10-shareable-r1"]
    assert _left(target) == ["other"]


def test_a_package_is_built_anew_where_its_crash_left_half(target: Path) -> None:
    target.mkdir(parents=True)
    (target / "other").touch()
    with folder.building(target, is_replacing=True) as work:
        _fill(work)
    assert _left(target.parent) == ["2026-10-shareable-r1", "2026-10-shareable-r1.zip"]
    assert _left(target) == ["csv"]


def test_a_folder_that_is_not_there_is_named(target: Path) -> None:
    missing = target.parent / "gone" / "7" / "x"
    with pytest.raises(errors.ExportRefused, match=r"gone does not exist: make it, or .* exports\.folder"):
        folder.building(missing).__enter__()


@pytest.mark.parametrize("refused", [errno.EACCES, errno.EROFS])
def test_a_folder_that_is_read_only_is_named(
    target: Path, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """As the kernel says it; root may write anywhere, so that modes alone would not show it."""

    def mkdir(path: Path, *args: object, **options: object) -> None:
        raise OSError(refused, os.strerror(refused), str(path))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(errors.ExportRefused, match=f"cannot write into {target.parent}: "):
        folder.building(target).__enter__()


def test_another_failure_inside_is_told_as_what_it_is(target: Path) -> None:
    with pytest.raises(FileNotFoundError), folder.building(target):
        Path("/nowhere/roster.csv").read_bytes()


LIMITED = """
import os, resource, signal, sys
from pathlib import Path
from service import errors
from service.exports.writing import folder
from tests import written

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
target = Path(sys.argv[1])
try:
    with folder.building(target) as work:
        rows = [("2026-10", f"{number:012d}", *written.ROWS[0][2:]) for number in range(2000)]
        if int(sys.argv[2]) > 500_000:
            rows = []
            (work / "report-en.pdf").write_bytes(os.urandom(500_000))
        written.write(work, rows=rows)
except errors.ExportRefused as refused:
    print(refused)
"""


@pytest.mark.parametrize("limit", [100, 5_000, 100_000, 200_000, 400_000, 510_000])
def test_a_disk_that_fills_leaves_nothing_half_written(target: Path, limit: int) -> None:
    """By the limit of a file's size, which fails as a full disk does: in Parquet, CSV, the workbook, the archive."""
    target.parent.mkdir()
    command = [sys.executable, "-X", "dev", "-c", LIMITED, str(target), str(limit)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert "the disk is full" in found.stdout
    assert found.stderr == ""
    assert _left(target.parent) == []


def test_a_full_disk_is_seen_behind_what_a_library_says_of_it(target: Path) -> None:
    def build() -> None:
        with folder.building(target):
            wrapped = xlsxwriter.exceptions.FileCreateError("as XlsxWriter says it")
            wrapped.__context__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise wrapped

    with pytest.raises(errors.ExportRefused, match=r"the disk is full \(No space left on device\)"):
        build()
    assert _left(target.parent) == []


KILLED = """
import sys, time
from pathlib import Path
from service.exports.writing import folder
from tests import written

with folder.building(Path(sys.argv[1])) as work:
    written.write(work)
    print("building", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_by_the_next(target: Path) -> None:
    target.parent.mkdir()
    command = [sys.executable, "-c", KILLED, str(target)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "building\n"
        folder.sweep(target.parent)
        [area] = _left(target.parent)  # it lives, so it is left alone
        child.send_signal(signal.SIGKILL)
    assert _left(target.parent) == [area]
    with folder.building(target) as work:
        _fill(work)
    assert _left(target.parent) == ["2026-10-shareable-r1", "2026-10-shareable-r1.zip"]


def test_leftovers_without_a_lock_are_swept_after_a_day(tmp_path: Path) -> None:
    young, old = tmp_path / ".building-a-1", tmp_path / ".building-b-2"
    young.mkdir()
    old.mkdir()
    long_ago = time.time() - 90_000
    os.utime(old, (long_ago, long_ago))
    folder.sweep(tmp_path)
    assert _left(tmp_path) == [young.name]


def test_two_packages_are_built_beside_each_other(target: Path) -> None:
    with folder.building(target) as work, folder.building(target.with_name("other")) as other:
        written.write(work)
        written.write(other)
    assert _left(target.parent) == sorted([target.name, f"{target.name}.zip", "other", "other.zip"])


def test_a_building_place_is_locked_while_it_is_built_in(target: Path) -> None:
    with folder.building(target) as work, (work.parent / "lock").open("rb") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _fill(work)
