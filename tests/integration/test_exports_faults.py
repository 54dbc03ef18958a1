"""What an export leaves behind where it is killed, where the disk fills, and where two are made at once."""

import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from tests import exporting

KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
BEFORE_THE_LEDGER = f"""
from service.store import releases
async def record(*given, **more):
    {KILLED}
releases.record = record
"""
BEFORE_THE_FILES = f"""
from service.exports.writing import folder
def publish(building):
    {KILLED}
folder.Building._publish = publish
"""
NO_ROOM = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
DRAWING = """
import subprocess
from service.exports.report import drawn
class Drawing(subprocess.Popen):
    def __init__(self, command, **options):
        super().__init__([sys.executable, "-c", "import time; time.sleep(60)"], **options)
        print(self.pid, flush=True)
drawn.subprocess.Popen = Drawing
"""
ARCHIVING = """
import time
from service.exports.writing import archive
add = archive._add
def slowly(*given):
    print(0, flush=True)
    time.sleep(1)
    add(*given)
archive._add = slowly
"""
STOPPED_WITHIN = 6.0  # seconds, of which a second is the process's own end
HELD = """
import time
from service.exports import protecting
decide = protecting.decide
def slowly(*given, **more):
    print("deciding", flush=True)
    sys.stdin.readline()
    return decide(*given, **more)
protecting.decide = slowly
"""


@pytest.fixture
async def config_path(database: str, tmp_path: Path, pool: asyncpg.Pool) -> Path:
    await exporting.insert(pool)
    return exporting.configured(tmp_path, database)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return tmp_path / "packages" / str(exporting.DISTRICT)


async def made(config_path: Path, pool: asyncpg.Pool) -> str:
    """As the next run says, once the dead process's lease has run out; in other surroundings."""
    await pool.execute("UPDATE export_leases SET until_at = now() - interval '1 second'")
    elsewhere = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    code, out, err = await exporting.ended(
        exporting.child(config_path, "export", exporting.MONTH, env=elsewhere)
    )
    assert code == 0, err
    return out.splitlines()[0]


async def test_killed_before_it_is_in_the_ledger_nothing_was_issued(
    config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    process = exporting.child(config_path, "export", exporting.MONTH, before=BEFORE_THE_LEDGER)
    assert (await exporting.ended(process))[0] == -signal.SIGKILL
    assert await pool.fetchval("SELECT count(*) FROM releases") == 0
    assert [path for path in packages.iterdir() if not path.name.startswith(".")] == []
    assert (await made(config_path, pool)).endswith("revision 1: made")
    assert [path.name for path in packages.glob(".*")] == []


async def test_killed_before_its_files_appear_the_next_run_makes_the_same(
    config_path: Path, packages: Path, database: str, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    exporting.configured(tmp_path, database, languages=["en"])  # the report too
    process = exporting.child(config_path, "export", exporting.MONTH, before=BEFORE_THE_FILES)
    assert (await exporting.ended(process))[0] == -signal.SIGKILL
    issued = await pool.fetchval("SELECT archive_sha256 FROM releases")
    assert [path for path in packages.iterdir() if not path.name.startswith(".")] == []
    said = await made(config_path, pool)
    assert said.endswith("revision 1: its files were gone, and are made again")
    assert [tuple(row) for row in await pool.fetch("SELECT revision, archive_sha256 FROM releases")] == [
        (1, issued)
    ]
    assert (packages / "2026-10-shareable-r1.zip").exists()


async def test_a_disk_that_fills_leaves_nothing(
    config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    process = exporting.child(config_path, "export", exporting.MONTH, before=NO_ROOM)
    code, _, err = await exporting.ended(process)
    assert (code, "the disk is full" in err) == (5, True), err
    assert list(packages.iterdir()) == []
    assert await pool.fetchval("SELECT count(*) FROM releases") == 0
    assert await pool.fetchval("SELECT count(*) FROM export_leases") == 0


@pytest.mark.parametrize("where", [DRAWING, ARCHIVING], ids=["drawing", "archiving"])
async def test_told_to_stop_in_the_middle_it_stops_soon_and_leaves_nothing(
    config_path: Path, packages: Path, database: str, tmp_path: Path, pool: asyncpg.Pool, where: str
) -> None:
    if where is DRAWING:
        exporting.configured(tmp_path, database, languages=["en"])
    process = exporting.child(config_path, "export", exporting.MONTH, before=where)
    assert process.stdout is not None
    drawing = int(process.stdout.readline())
    assert [path.name for path in packages.iterdir()] != []
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    code, _, err = await exporting.ended(process)
    assert (code, err) == (130, "")
    assert time.monotonic() - began < STOPPED_WITHIN
    assert list(packages.iterdir()) == []
    assert not drawing or not _lives(drawing)
    assert await pool.fetchval("SELECT count(*) FROM releases") == 0
    assert await pool.fetchval("SELECT count(*) FROM export_leases") == 0


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_is_made_again_is_in_the_audit_log_before_its_files_appear(
    config_path: Path, packages: Path, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    again = "export", exporting.MONTH, "--profile", "inventory"
    assert (await exporting.ended(exporting.child(config_path, *again)))[0] == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    process = exporting.child(config_path, *again, "--folder", str(elsewhere), before=BEFORE_THE_FILES)
    assert (await exporting.ended(process))[0] == -signal.SIGKILL
    assert list(elsewhere.glob("*/2026*")) == []
    logged = await pool.fetch("SELECT action FROM audit_log ORDER BY entry_id")
    assert [row["action"] for row in logged] == ["export_created", "export_rebuilt"]


async def test_of_two_at_once_the_second_is_refused_and_says_why(
    config_path: Path, packages: Path, pool: asyncpg.Pool
) -> None:
    first = exporting.child(config_path, "export", exporting.MONTH, before=HELD)
    assert first.stdout is not None
    assert first.stdout.readline() == "deciding\n"
    code, _, err = await exporting.ended(exporting.child(config_path, "export", exporting.MONTH))
    assert (code, "another export of district 7 is being made" in err) == (5, True), err
    out, err = first.communicate("\n")
    assert first.returncode == 0, err
    assert "revision 1: made" in out
    assert await pool.fetchval("SELECT count(*) FROM releases") == 1
    assert (packages / "2026-10-shareable-r1.zip").exists()
