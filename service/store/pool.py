"""Connections to PostgreSQL, and the one place where its errors become ours."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg

import sql
from service import errors

CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 600.0  # the longest set-wise statement of a large district, with room
OLDEST_MAJOR = 15

Pool = asyncpg.Pool
Connection = asyncpg.Connection

UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server died while it was sending
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # a full disk, no memory, too many connections
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby
    asyncpg.QueryCanceledError,
    asyncpg.TransactionRollbackError,  # a deadlock: the other one got through, and we come again
)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises when the database is away or full into DatabaseUnavailable."""
    try:
        yield
    except UNAVAILABLE as error:
        raise errors.DatabaseUnavailable(f"the database is not usable: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncpg.DiskFullError) or "No space left on device" in str(error):
        return "its disk is full: make room, then nothing else needs to be done"
    return f"{type(error).__name__}: {error}"


@contextlib.asynccontextmanager
async def whole_sets(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that only reads, planned for statements that join whole sets. Raises DatabaseUnavailable."""
    with translated():
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(sql.queries()["join_whole_sets"])
            yield connection


@contextlib.asynccontextmanager
async def one_instant(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """As ``whole_sets``, and whatever is read is of one instant. Raises DatabaseUnavailable."""
    with translated():
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(sql.queries()["join_whole_sets"])
            yield connection


def place(dsn: str) -> str:
    """Where a database is, without its credentials, for logs and messages."""
    try:
        parts = urlsplit(dsn)
        host, port = parts.hostname or "local socket", parts.port or 5432
    except ValueError:
        return "the configured address"
    return f"{host}:{port}{parts.path}"


@contextlib.asynccontextmanager
async def connected(dsn: str, *, size: int = 8) -> AsyncIterator[asyncpg.Pool]:
    """A pool on the database. Raises DatabaseUnavailable, naming the place."""
    pool = await _open(dsn, size)
    try:
        yield pool
    finally:
        await _close(pool)


async def _open(dsn: str, size: int) -> asyncpg.Pool:
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={"application_name": "afterbell", "timezone": "UTC", "jit": "off"},
        )
    except (TimeoutError, *UNAVAILABLE) as error:
        raise errors.DatabaseUnavailable(
            f"cannot connect to the database at {place(dsn)}: {_reason(error)}. "
            "Check database.url, that the server runs, and that it lets this user in."
        ) from error
    await _check_version(pool)
    return pool


async def _check_version(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        version = connection.get_server_version()
    if version.major < OLDEST_MAJOR:
        await pool.close()
        raise errors.DatabaseUnavailable(
            f"the server is PostgreSQL {version.major}; afterbell needs {OLDEST_MAJOR} or later"
        )


async def _close(pool: asyncpg.Pool) -> None:
    """Close politely, but never wait for a connection that does not come back."""
    try:
        await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
    except TimeoutError:
        pool.terminate()
