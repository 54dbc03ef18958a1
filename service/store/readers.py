"""Database roles that may read one district's figures, through the views of the schema ``reporting``."""

import contextlib
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg

import sql
from service import errors
from service.model import scram
from service.store import pool as pools

_NAME = re.compile(r"^(?!pg_)[a-z_][a-z0-9_]{0,62}$")
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    district_id: int
    district: str
    role_name: str
    created_at: datetime
    is_there: bool  # false: somebody dropped the role


def default_name(district_id: int) -> str:
    return f"afterbell_reader_{district_id}"


def new_password() -> str:
    return secrets.token_urlsafe(32)


async def create(
    pool: asyncpg.Pool,
    district_id: int,
    role: str,
    *,
    password: str | None,
    now: datetime,
) -> bool:
    """Make a reader of the district, or give one a new password; returns whether the role is new.

    Without a password the role must be there, as an administrator made it, and is only let in. Raises ConfigError where
    the role is somebody else's or the database user may not do it, DatabaseUnavailable.
    """
    if not _NAME.match(role):
        raise errors.ConfigError(
            f"{role!r} cannot be a reader's role: use small letters, digits and _, at most 63, not beginning with pg_"
        )
    queries = sql.queries()
    with pools.translated(), _explained(role):
        async with pool.acquire() as connection, connection.transaction():
            known = await connection.fetchrow(queries["reader_role"], role)
            _check(role, known, district_id, has_password=password is not None)
            if password is not None:
                await _set_up(connection, role, password, is_new=known is None)
            await _run(connection, await connection.fetch(queries["let_reader_in"], role))
            await connection.execute(queries["write_reader"], district_id, role, now)
    return known is None


@contextlib.contextmanager
def _explained(role: str) -> Iterator[None]:
    """What the server refuses, as what to do about it."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise errors.ConfigError(
            f"the database user of afterbell may not do this ({error}). Either let it make roles (ALTER ROLE ... "
            f"CREATEROLE), or have an administrator make or drop {role}: see docs/grafana.md"
        ) from error
    except asyncpg.DependentObjectsStillExistError as error:
        raise errors.ConfigError(
            f"the role {role} can no longer log in and its sessions are ended, but it cannot be dropped, as it owns "
            f"something, or may do something in another database: {'; '.join((error.detail or '').splitlines())}. "
            f"Have an administrator take that away in each database (DROP OWNED BY {role}), then drop it here again"
        ) from error


def _check(role: str, known: asyncpg.Record | None, district_id: int, *, has_password: bool) -> None:
    if known is None:
        if not has_password:
            raise errors.ConfigError(
                f"there is no role {role}: without --keep-password it is made, or an administrator makes it "
                f"(CREATE ROLE {role} LOGIN)"
            )
        return
    if known["is_powerful"] or known["is_member"]:
        raise errors.ConfigError(
            f"the role {role} may do more than read, or is a member of others: choose another with --role"
        )
    if known["district_id"] not in (None, district_id):
        raise errors.ConfigError(
            f"the role {role} reads district {known['district_id']}: a role reads one district, choose another "
            "with --role"
        )
    if known["district_id"] is None and has_password:
        raise errors.ConfigError(
            f"the role {role} is there already and is no reader of this database: choose another with --role, or "
            "let it in as it is with --keep-password"
        )


async def _set_up(connection: asyncpg.Connection, role: str, password: str, *, is_new: bool) -> None:
    queries = sql.queries()
    made = scram.verifier(password, secrets.token_bytes(_SALT_BYTES))
    statement = queries["make_reader" if is_new else "change_reader"]
    await _run(connection, await connection.fetch(statement, role, made))
    await _run(connection, await connection.fetch(queries["limit_reader"], role))


async def _run(connection: asyncpg.Connection, statements: Iterable[asyncpg.Record]) -> None:
    """Statements that name a role take no parameters: the server wrote them, names quoted."""
    for (statement,) in statements:
        await connection.execute(statement)


async def drop(pool: asyncpg.Pool, role: str) -> bool:
    """Drop a reader and its role; False: there is no such reader. Raises ConfigError, DatabaseUnavailable.

    Its access ends first and for good, whether or not the server lets go of the role.
    """
    queries = sql.queries()
    with pools.translated(), _explained(role):
        async with pool.acquire() as connection:
            if not await connection.fetchval(queries["is_reader"], role):
                return False
            is_there = await connection.fetchrow(queries["reader_role"], role) is not None
            if is_there:
                await _shut_out(connection, role)
            async with connection.transaction():
                await connection.execute(queries["forget_reader"], role)
                if is_there:
                    await _run(connection, await connection.fetch(queries["drop_reader"], role))
    return True


async def _shut_out(connection: asyncpg.Connection, role: str) -> None:
    queries = sql.queries()
    await _run(connection, await connection.fetch(queries["shut_reader_out"], role))
    async with connection.transaction():  # after the above is committed: no session can begin any more
        await _run(connection, await connection.fetch(queries["end_sessions_of_reader"], role))


async def listed(pool: asyncpg.Pool) -> list[Reader]:
    """Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["readers"])
    return [Reader(**row) for row in rows]
