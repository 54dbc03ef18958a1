"""Real parts for every test: a PostgreSQL server, a template database, and a clone of it per test."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from service.store import embedded, migrations
from service.store import pool as pools

IN_CI = os.environ.get("CI") == "true"
# A shell that runs us in the background has Ctrl-C ignored, and whatever we start would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A console that is made while its module is imported keeps the width that it finds; each test says its own.
os.environ.pop("COLUMNS", None)

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def test_binaries() -> Path | None:
    """Which PostgreSQL to test on: AFTERBELL_TEST_POSTGRES names a folder of binaries; else the wheel."""
    named = os.environ.get("AFTERBELL_TEST_POSTGRES")
    return Path(named) if named else None


test_binaries.__test__ = False  # type: ignore[attr-defined]


def missing_program(name: str, hint: str) -> None:
    """Skip a test whose outside program is not there; in CI that is a failure."""
    reason = f"{name} is not installed: {hint}"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def reachable_path() -> Iterator[Path]:
    """A folder that the database server's user can reach too (pytest's own is closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="afterbell-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(reachable_path: Path) -> AsyncIterator[embedded.Server]:
    async with embedded.Server(
        reachable_path / "server", binaries=test_binaries(), settings={**FAST, "max_connections": "60"}
    ) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server: embedded.Server) -> str:
    """The name of a database that has the schema; tests clone it."""
    name = "template_afterbell"
    await _execute(server, f"CREATE DATABASE {name}")
    async with pools.connected(database_url(server, name), size=1) as pool:
        await migrations.migrate(pool)
    return name


@pytest.fixture
async def empty_url(server: embedded.Server) -> AsyncIterator[str]:
    """The URL of a new database without a schema."""
    async for url in _database(server, "template0"):
        yield url


@pytest.fixture
async def database(server: embedded.Server, template: str) -> AsyncIterator[str]:
    """The URL of a new database with the schema."""
    async for url in _database(server, template):
        yield url


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with pools.connected(database, size=6) as opened:
        yield opened


async def _database(server: embedded.Server, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield database_url(server, name)
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def database_url(server: embedded.Server, name: str) -> str:
    """The server's URL with another database in it."""
    before, _, query = server.dsn().partition("?")
    return f"{before.rpartition('/')[0]}/{name}?{query}"


async def _execute(server: embedded.Server, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def folder(reachable_path: Path) -> Callable[[str], Path]:
    """Makes a new folder that the database server's user can reach."""

    def make(name: str) -> Path:
        made = reachable_path / f"{name}-{uuid.uuid4().hex[:8]}"
        made.mkdir(mode=0o711)
        return made

    return make
