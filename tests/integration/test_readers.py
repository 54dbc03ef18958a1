"""``afterbell reader``: roles are made, let in, listed and dropped, and nobody else's role is touched."""

import asyncio
import base64
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import errors
from service.commands import readers as reader_commands
from service.model import scram
from service.store import migrations, readers
from service.store import pool as pools
from tests import factories, files, reporting

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ENDED = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.InterfaceError)


@pytest.fixture
def config_path(database: str, tmp_path: Path) -> Path:
    of_other = ("[[districts]]", "id = 2", 'name = "Other District"', f'time_zone = "{factories.ZONE}"')
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        "[[districts]]",
        f"id = {factories.DISTRICT}",
        'name = "Lab District"',
        f'time_zone = "{factories.ZONE}"',
        *of_other,
    )


@pytest.fixture
async def role(pool: asyncpg.Pool) -> AsyncIterator[str]:
    """A name for a role, which is gone after the test."""
    name = f"reader_{uuid.uuid4().hex[:12]}"
    yield name
    if await pool.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
        await pool.execute(f"DROP OWNED BY {name}")
        await pool.execute(f"DROP ROLE {name}")


async def run(config_path: Path, *arguments: str) -> Result:
    """In a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": "300"})
    result = await asyncio.to_thread(runner.invoke, reader_commands.app, arguments, obj=config_path)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def enters(url: str, role: str, password: str) -> list[int]:
    """The districts that somebody with the password sees."""
    connection = await asyncpg.connect(reporting.as_role(url, role, password))
    try:
        return [row[0] for row in await connection.fetch("SELECT district_id FROM reporting.districts")]
    finally:
        await connection.close()


async def test_a_reader_is_made_with_a_password_that_is_shown_once(
    config_path: Path, database: str, role: str
) -> None:
    result = await run(config_path, "create", "1", "--role", role)
    assert result.exit_code == 0
    password = result.output.splitlines()[-1]
    assert re.fullmatch(r"[\w-]{43}", password)
    assert await enters(database, role, password) == []  # nothing is computed yet
    listed = await run(config_path, "list")
    assert f"{role}: district 1 (Lab District)" in listed.output
    assert password not in listed.output


async def test_the_server_never_sees_the_password(config_path: Path, pool: asyncpg.Pool, role: str) -> None:
    result = await run(config_path, "create", "1", "--role", role)
    password = result.output.splitlines()[-1]
    kept = await pool.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
    salt = base64.b64decode(kept.split("$")[1].partition(":")[2])
    assert kept == scram.verifier(password, salt)
    assert password not in kept


async def test_a_password_file_is_made_for_its_owner_alone_and_taken_the_next_time(
    config_path: Path, database: str, role: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    first = await run(config_path, "create", "1", "--role", role, "--password-file", str(file))
    password = file.read_text().strip()
    assert password not in first.output
    assert file.stat().st_mode & 0o777 == 0o600
    await run(config_path, "create", "1", "--role", role, "--password-file", str(file))
    assert file.read_text().strip() == password
    assert await enters(database, role, password) == []


@pytest.mark.parametrize(
    "text", ["short", "pässword-of-enough-characters", "two lines of\nenough characters"]
)
async def test_a_password_file_that_cannot_be_used_is_refused(
    config_path: Path, role: str, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "password"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(errors.ConfigError, match="password") as caught:
        await run(config_path, "create", "1", "--role", role, "--password-file", str(file))
    assert text not in str(caught.value)


async def test_made_again_a_reader_gets_a_new_password_and_the_old_one_is_refused(
    config_path: Path, database: str, role: str
) -> None:
    first = (await run(config_path, "create", "1", "--role", role)).output.splitlines()[-1]
    second = (await run(config_path, "create", "1", "--role", role)).output.splitlines()[-1]
    assert first != second
    assert await enters(database, role, second) == []
    with pytest.raises(asyncpg.InvalidPasswordError):
        await enters(database, role, first)


async def test_a_role_that_an_administrator_made_is_let_in_as_it_is(
    config_path: Path, database: str, pool: asyncpg.Pool, role: str
) -> None:
    await pool.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'theirs'")
    with pytest.raises(errors.ConfigError, match="is no reader of this database"):
        await run(config_path, "create", "1", "--role", role)
    await run(config_path, "create", "1", "--role", role, "--keep-password")
    assert await enters(database, role, "theirs") == []


async def test_a_role_that_is_to_be_kept_must_be_there(config_path: Path, role: str) -> None:
    with pytest.raises(errors.ConfigError, match="CREATE ROLE"):
        await run(config_path, "create", "1", "--role", role, "--keep-password")


@pytest.mark.parametrize(
    "power", ["SUPERUSER", "CREATEDB", "CREATEROLE", "BYPASSRLS", "IN ROLE pg_read_all_data"]
)
async def test_a_role_that_may_do_more_than_read_is_refused(
    config_path: Path, pool: asyncpg.Pool, role: str, power: str
) -> None:
    await pool.execute(f"CREATE ROLE {role} LOGIN {power}")
    for option in ((), ("--keep-password",)):
        with pytest.raises(errors.ConfigError, match="more than read"):
            await run(config_path, "create", "1", "--role", role, *option)


async def test_a_role_reads_one_district(config_path: Path, role: str) -> None:
    await run(config_path, "create", "1", "--role", role)
    with pytest.raises(errors.ConfigError, match="reads district 1"):
        await run(config_path, "create", "2", "--role", role)


async def test_a_district_that_is_not_configured_is_refused(config_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="the configuration has 1, 2"):
        await run(config_path, "create", "3")


@pytest.mark.parametrize(
    "name", ["pg_reader", "Reader", "a b", 'x"; DROP TABLE loans; --', "", "r" * 64, "1reader"]
)
async def test_a_name_that_is_no_plain_role_is_refused(
    config_path: Path, pool: asyncpg.Pool, name: str
) -> None:
    with pytest.raises(errors.ConfigError, match="cannot be a reader's role"):
        await readers.create(pool, 1, name, password="p" * 20, now=NOW)
    assert await pool.fetchval("SELECT count(*) FROM reader_roles") == 0


async def test_a_dropped_reader_is_gone_and_dropping_it_again_says_so(
    config_path: Path, database: str, pool: asyncpg.Pool, role: str
) -> None:
    password = (await run(config_path, "create", "1", "--role", role)).output.splitlines()[-1]
    assert f"{role} is dropped" in (await run(config_path, "drop", role)).output
    with pytest.raises(asyncpg.InvalidPasswordError):
        await enters(database, role, password)
    with pytest.raises(errors.ConfigError, match="there is no reader"):
        await run(config_path, "drop", role)
    assert "there is no reader" in (await run(config_path, "list")).output


async def test_a_role_that_is_no_reader_cannot_be_dropped_here(
    config_path: Path, pool: asyncpg.Pool, role: str
) -> None:
    await pool.execute(f"CREATE ROLE {role} LOGIN")
    with pytest.raises(errors.ConfigError, match="there is no reader"):
        await run(config_path, "drop", role)
    assert await pool.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)


async def test_a_reader_whose_role_somebody_dropped_is_told_of_and_can_be_dropped(
    config_path: Path, pool: asyncpg.Pool, role: str
) -> None:
    await run(config_path, "create", "1", "--role", role)
    await pool.execute(f"DROP OWNED BY {role}")
    await pool.execute(f"DROP ROLE {role}")
    assert "the role is gone" in (await run(config_path, "list")).output
    assert "is dropped" in (await run(config_path, "drop", role)).output


async def test_a_role_that_owns_something_loses_its_access_and_is_dropped_once_it_does_not(
    config_path: Path, database: str, pool: asyncpg.Pool, role: str
) -> None:
    password = (await run(config_path, "create", "1", "--role", role)).output.splitlines()[-1]
    number = await pool.fetchval("SELECT lo_create(0)")
    await pool.execute(f"ALTER LARGE OBJECT {number} OWNER TO {role}")
    with pytest.raises(errors.ConfigError, match=f"owner of large object {number}.*DROP OWNED BY {role}"):
        await run(config_path, "drop", role)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="not permitted to log in"):
        await enters(database, role, password)
    assert not await has_grants(pool, role)
    assert role in (await run(config_path, "list")).output
    await pool.execute(f"DROP OWNED BY {role}")
    assert "is dropped" in (await run(config_path, "drop", role)).output


async def has_grants(pool: asyncpg.Pool, role: str) -> bool:
    """By a grant of its own, for everybody may connect to a database unless that is forbidden."""
    may: bool = await pool.fetchval(
        "SELECT has_schema_privilege($1, 'reporting', 'USAGE')"
        " OR EXISTS (SELECT FROM pg_database, aclexplode(datacl) AS a WHERE a.grantee = $1::regrole)",
        role,
    )
    return may


async def test_a_reader_that_was_shut_out_can_be_let_in_again(
    config_path: Path, database: str, pool: asyncpg.Pool, role: str
) -> None:
    await run(config_path, "create", "1", "--role", role)
    await pool.execute(f"CREATE SCHEMA of_theirs AUTHORIZATION {role}")
    with pytest.raises(errors.ConfigError, match="owner of schema of_theirs"):
        await run(config_path, "drop", role)
    password = (await run(config_path, "create", "1", "--role", role)).output.splitlines()[-1]
    assert await enters(database, role, password) == []


async def test_the_sessions_of_a_dropped_reader_are_ended(
    config_path: Path, database: str, role: str
) -> None:
    password = (await run(config_path, "create", "1", "--role", role)).output.splitlines()[-1]
    theirs = await asyncpg.connect(reporting.as_role(database, role, password))
    try:
        assert await theirs.fetch("SELECT * FROM reporting.districts") == []
        await run(config_path, "drop", role)
        with pytest.raises(ENDED):
            await theirs.fetch("SELECT * FROM reporting.districts")
    finally:
        await theirs.close()


async def test_what_was_granted_is_taken_back_from_a_role_that_afterbell_may_not_change(
    empty_url: str, pool: asyncpg.Pool, role: str
) -> None:
    """As where an administrator makes the roles."""
    owner, name = f"owner_{uuid.uuid4().hex[:12]}", empty_url.partition("?")[0].rpartition("/")[2]
    await pool.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'theirs'")
    await pool.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'theirs'")
    await pool.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    await pool.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")
    try:
        async with pools.connected(reporting.as_role(empty_url, owner, "theirs"), size=2) as theirs:
            await migrations.migrate(theirs)
            await factories.district(theirs)
            await readers.create(theirs, 1, role, password=None, now=NOW)
            assert await enters(empty_url, role, "theirs") == []
            with pytest.raises(errors.ConfigError, match="have an administrator make or drop"):
                await readers.drop(theirs, role)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
                await enters(empty_url, role, "theirs")
            await pool.execute(f"DROP ROLE {role}")
            assert await readers.drop(theirs, role)
    finally:
        await given_back(pool, empty_url, owner)


async def given_back(pool: asyncpg.Pool, url: str, owner: str) -> None:
    """The database of an owner who is to be gone after the test."""
    await pool.execute(f"ALTER DATABASE {url.partition('?')[0].rpartition('/')[2]} OWNER TO CURRENT_USER")
    async with pools.connected(url, size=1) as emptied:
        await emptied.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER")
        await emptied.execute(f"DROP OWNED BY {owner}")
    await pool.execute(f"DROP ROLE {owner}")


async def test_a_database_user_who_may_make_no_roles_is_told_what_to_do(
    database: str, pool: asyncpg.Pool, role: str
) -> None:
    """As many databases are run: afterbell owns its own, and an administrator makes the roles."""
    owner = f"owner_{uuid.uuid4().hex[:12]}"
    await pool.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'theirs'")
    await factories.district(pool)
    try:
        await pool.execute(f"GRANT ALL ON SCHEMA public, reporting TO {owner}")
        await pool.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {owner}")
        async with pools.connected(reporting.as_role(database, owner, "theirs"), size=1) as theirs:
            with pytest.raises(errors.ConfigError, match="CREATEROLE"):
                await readers.create(theirs, 1, role, password="p" * 20, now=NOW)
    finally:
        await pool.execute(f"DROP OWNED BY {owner}")
        await pool.execute(f"DROP ROLE {owner}")


async def test_an_owner_who_may_make_roles_and_nothing_more_makes_and_drops_readers(
    empty_url: str, pool: asyncpg.Pool, role: str
) -> None:
    """As the composition runs it: no superuser, and a database that others may not enter."""
    owner, name = f"owner_{uuid.uuid4().hex[:12]}", empty_url.partition("?")[0].rpartition("/")[2]
    await pool.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'theirs'")
    await pool.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    await pool.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")
    try:
        async with pools.connected(reporting.as_role(empty_url, owner, "theirs"), size=2) as theirs:
            await migrations.migrate(theirs)
            await reporting.seed(theirs, schools=12, days=2)
            for password in ("p" * 20, "q" * 20):
                await readers.create(theirs, 1, role, password=password, now=NOW)
                assert await enters(empty_url, role, password) == [1]
            still = await asyncpg.connect(reporting.as_role(empty_url, role, password))
            assert await readers.drop(theirs, role)
            with pytest.raises(ENDED):
                await still.fetch("SELECT * FROM reporting.districts")
            await still.close()
            assert await theirs.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = $1", role) == 0
    finally:
        await given_back(pool, empty_url, owner)
