"""schema.sql is the sum of the migrations, and file names and texts obey their rules."""

import asyncio
import re
from importlib import resources

import asyncpg

import sql
from service.store import embedded, embedded_binaries
from tests import conftest

CATALOG = {
    "columns": """
        SELECT c.relname, c.relkind, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, a.attgenerated, a.attstorage, pg_get_expr(d.adbin, d.adrelid), c.reloptions,
               pg_get_partkeydef(c.oid)
        FROM pg_attribute AS a
        JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
            AND c.relkind IN ('r', 'p', 'v', 'm')
        ORDER BY 1, 3""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "functions": """
        SELECT p.proname, pg_get_functiondef(p.oid) FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "enums": """
        SELECT t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder)
        FROM pg_type AS t JOIN pg_enum AS e ON e.enumtypid = t.oid GROUP BY 1 ORDER BY 1""",
    "triggers and rules": """
        SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT tablename, rulename FROM pg_rules WHERE schemaname = 'public' ORDER BY 1, 2""",
}


def schema() -> str:
    return (resources.files("sql") / "schema.sql").read_text("utf-8")


async def catalog(url: str) -> dict[str, list[tuple[object, ...]]]:
    connection = await asyncpg.connect(url)
    try:
        return {
            name: [tuple(row) for row in await connection.fetch(query)] for name, query in CATALOG.items()
        }
    finally:
        await connection.close()


async def applied(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(schema())
    finally:
        await connection.close()


async def test_the_schema_is_the_sum_of_the_migrations(database: str, empty_url: str) -> None:
    await applied(empty_url)
    migrated, written = await catalog(database), await catalog(empty_url)
    assert len(written["columns"]) > 100
    for name in CATALOG:
        assert written[name] == migrated[name], name


async def test_a_dump_of_the_schema_is_a_dump_of_the_migrations(
    database: str, empty_url: str, server: embedded.Server
) -> None:
    await applied(empty_url)
    dumps = [await dumped(url) for url in (database, empty_url)]
    assert len(dumps[0]) > 200
    assert dumps[0] == dumps[1]


async def dumped(url: str) -> list[str]:
    """What pg_dump writes, but for its random keys and the name of the database."""
    program = embedded_binaries.find_binaries(conftest.test_binaries()).bin_dir / "pg_dump"
    if not program.exists():
        conftest.missing_program("pg_dump", f"it is not beside the other programs in {program.parent}")
    process = await asyncio.create_subprocess_exec(
        program, "--schema-only", "--no-owner", url, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [line for line in out.decode().splitlines() if not re.match(r"\\(un)?restrict ", line)]


def test_migrations_are_numbered_without_holes() -> None:
    names = [name for name, _ in sql.migrations()]
    assert [re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", name) is not None for name in names] == [True] * len(
        names
    )
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_no_migration_ends_its_own_transaction() -> None:
    """Each runs in one with its record: a COMMIT of its own would leave half of it behind."""
    for name, text in sql.migrations():
        words = re.sub(r"\$\$.*?\$\$|--[^\n]*", "", text, flags=re.DOTALL).upper()
        assert re.search(r"^\s*(BEGIN|COMMIT|ROLLBACK|END)\s*;|CONCURRENTLY", words, re.MULTILINE) is None, (
            name
        )


def test_the_schema_has_no_part_that_hides_work_or_cannot_be_distributed() -> None:
    """As docs and design promise: no trigger, no exclusion, no rule, no DEFAULT partition."""
    text = re.sub(r"--[^\n]*", "", schema())
    assert re.search(r"\b(TRIGGER|EXCLUDE|CREATE RULE)\b|PARTITION OF \S+ DEFAULT", text) is None


async def test_every_key_and_unique_index_of_a_district_begins_with_the_district(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS of,"
            " (SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0]) AS first"
            " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid"
            " WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"
        )
    finally:
        await connection.close()
    others = {row["of"]: row["name"] for row in rows if row["first"] != "district_id"}
    assert others.keys() <= {"schema_migrations", "credential_budgets"}


async def test_every_foreign_key_has_an_index_to_follow_it_back(database: str) -> None:
    """Else deleting or re-keying a parent reads the whole child. Partitioned tables lead with what they refer to."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT c.conrelid::regclass::text AS child, c.conname FROM pg_constraint AS c"
            " WHERE c.contype = 'f' AND c.conparentid = 0 AND NOT EXISTS ("
            " SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL"
            " AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)"
        )
    finally:
        await connection.close()
    assert sorted(row["conname"] for row in rows) == []
