"""The page of packages, and who may take one over HTTP."""

import dataclasses
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import yarl

from service import metrics, web
from service.model import months, protection, tokens
from service.store import audit, releases
from service.web import server
from tests import snapshots
from tests.integration import test_sign_in as signing

DISTRICT = 7
OCTOBER = months.parse("2026-10")
EXPORT, READ, ALL, OLD = (tokens.text(bytes([it] * 32)) for it in range(10, 14))
ARCHIVE = b"PK" + bytes(range(256)) * 400
SHAREABLE, INTERNAL = "2026-10-shareable-r1", "2026-10-internal-r1"
LIST = f"/districts/{DISTRICT}/exports"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # whatever their case
    body: bytes


@dataclass(frozen=True)
class Visitor:
    address: str
    session: aiohttp.ClientSession

    async def get(self, path: str, token: str | None = None, method: str = "GET", **headers: str) -> Answer:
        shown = {} if token is None else {"Authorization": f"Bearer {token}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = yarl.URL(f"{self.address}{path}", encoded=True)  # as it stands, with its dots
        asked = self.session.request(method, url, headers=shown | named, allow_redirects=False)
        async with asked as response:
            return Answer(response.status, response.headers, await response.read())

    async def sign_in(self, token: str) -> tuple[int, str | None]:
        """Where it leads."""
        asked = self.session.post(
            f"{self.address}/sign-in",
            data={"token": token, "next": LIST},
            headers={"Origin": self.address},
            allow_redirects=False,
        )
        async with asked as response:
            return response.status, response.headers.get("Location")

    async def package(self, name: str, token: str | None = None, **more: str) -> Answer:
        return await self.get(f"{LIST}/{name}.zip", token, **more)


@pytest.fixture
async def folder(pool: asyncpg.Pool, tmp_path: Path) -> Path:
    """Two packages that were issued, and something that was not."""
    await snapshots.insert_district(pool, district_id=DISTRICT)
    await snapshots.insert_school(pool, snapshots.SCHOOLS[0], index=0, district_id=DISTRICT)
    place = tmp_path / str(DISTRICT)
    place.mkdir()
    for profile, name in (("shareable", SHAREABLE), ("internal", INTERNAL)):
        (place / f"{name}.zip").write_bytes(ARCHIVE)
        await releases.record(pool, new(profile, name), rows=rows() if profile == "shareable" else ())
    (place / "2026-09-shareable-r1.zip").write_bytes(b"not in the ledger")
    (tmp_path / "secret.zip").write_bytes(b"outside")
    return place


def new(profile: str, name: str) -> releases.New:
    return releases.New(
        district_id=DISTRICT,
        profile=profile,
        month=OCTOBER,
        revision=1,
        version="0.1.0",
        facts_digest="0" * 64,
        folder=name,
        archive_sha256=hashlib.sha256(ARCHIVE).hexdigest(),
        archive_bytes=len(ARCHIVE),
        created_at=snapshots.NOW,
        created_by="schedule",
    )


def rows() -> list[releases.Row]:
    known = {"ncessch": snapshots.ncessch(0), "month_on": OCTOBER.first_on}
    counts = dict.fromkeys(protection.COUNTS, 20)
    facts = protection.Facts(**known, enrolled=400, counts=counts)  # type: ignore[arg-type]
    told = protection.Published(**known, level=protection.Level.TEN, cells={})  # type: ignore[arg-type]
    return [(facts, told)]


@asynccontextmanager
async def served(pool: asyncpg.Pool, folder: Path, tokens_file: Path | None) -> AsyncIterator[Visitor]:
    shown = snapshots.snapshot()
    application = web.build(
        metrics=metrics.Metrics(),
        snapshot=lambda: shown,
        health=lambda: web.Health(True, ""),
        ready=lambda: True,
        clock=lambda: snapshots.NOW,
        access=web.Access(tokens_file=tokens_file),
        packages=web.Packages(pool=pool, folders={DISTRICT: folder}),
    )
    async with (
        server.serving(application, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        yield Visitor(f"http://127.0.0.1:{port}", session)


@pytest.fixture
async def guarded(pool: asyncpg.Pool, folder: Path, tmp_path: Path) -> AsyncIterator[Visitor]:
    file = tmp_path / "tokens"
    lines = [
        signing.line("sponsor", ("export",), EXPORT),
        signing.line("desk", ("read",), READ),
        signing.line("office", ("export", "admin"), ALL),
        signing.line("gone", ("export",), OLD, expires_on=snapshots.NOW.date() - timedelta(days=1)),
    ]
    file.write_text("".join(f"{it}\n" for it in lines))
    async with served(pool, folder, file) as visitor:
        yield visitor


@pytest.fixture
async def opened(pool: asyncpg.Pool, folder: Path) -> AsyncIterator[Visitor]:
    async with served(pool, folder, None) as visitor:
        yield visitor


async def taken(pool: asyncpg.Pool) -> list[tuple[str, str]]:
    entries = await audit.read(pool, DISTRICT)
    return [(one.actor, one.subject) for one in entries if one.action == "export_downloaded"]


# With tokens


async def test_a_token_for_export_takes_a_shareable_package_and_is_written_down(
    guarded: Visitor, pool: asyncpg.Pool
) -> None:
    answer = await guarded.package(SHAREABLE, EXPORT)
    assert (answer.status, answer.body) == (200, ARCHIVE)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(ARCHIVE).hexdigest()}"'
    assert f'filename="{SHAREABLE}.zip"' in answer.headers["Content-Disposition"]
    assert await taken(pool) == [("sponsor", "2026-10 shareable revision 1")]


@pytest.mark.parametrize(
    ("token", "name", "status"),
    [
        (None, SHAREABLE, 303),
        ("afterbell_wrong", SHAREABLE, 401),
        (OLD, SHAREABLE, 401),
        (READ, SHAREABLE, 403),
        (EXPORT, INTERNAL, 403),
        (ALL, INTERNAL, 200),
    ],
    ids=["none", "wrong", "expired", "of another scope", "not for internal ones", "for all"],
)
async def test_who_may_take_what(
    guarded: Visitor, pool: asyncpg.Pool, token: str | None, name: str, status: int
) -> None:
    answer = await guarded.package(name, token)
    assert answer.status == status
    assert (answer.body == ARCHIVE) == (status == 200)
    assert len(await taken(pool)) == (status == 200)


async def test_a_token_for_export_lists_packages_and_reads_no_other_page(guarded: Visitor) -> None:
    assert (await guarded.get(LIST, EXPORT)).status == 200
    assert (await guarded.get(f"/districts/{DISTRICT}", EXPORT)).status == 403


@pytest.mark.parametrize(
    "path",
    [
        f"{LIST}/../../secret.zip",
        f"{LIST}/..%2F..%2Fsecret.zip",
        f"{LIST}/%2e%2e%2fsecret.zip",
        f"{LIST}/....//secret.zip",
        f"{LIST}/..zip",
        f"{LIST}/{SHAREABLE}",
        f"{LIST}/{SHAREABLE}.zip/",
        f"{LIST}/2026-09-shareable-r1.zip",
        f"/districts/8/exports/{SHAREABLE}.zip",
    ],
)
async def test_only_what_the_ledger_names_is_served(guarded: Visitor, pool: asyncpg.Pool, path: str) -> None:
    answer = await guarded.get(path, ALL)
    assert answer.status in (403, 404)
    assert b"outside" not in answer.body
    assert b"not in the ledger" not in answer.body
    assert await taken(pool) == []


# The transfer


async def test_a_download_goes_on_from_where_it_stopped(guarded: Visitor) -> None:
    answer = await guarded.package(SHAREABLE, EXPORT, Range="bytes=1000-1999")
    assert (answer.status, answer.body) == (206, ARCHIVE[1000:2000])
    assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(ARCHIVE)}"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(ARCHIVE).hexdigest()}"'


async def test_what_a_reader_has_already_is_not_sent_again(guarded: Visitor, pool: asyncpg.Pool) -> None:
    etag = f'"{hashlib.sha256(ARCHIVE).hexdigest()}"'
    answer = await guarded.package(SHAREABLE, EXPORT, If_None_Match=etag)
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", etag)
    assert (await guarded.package(SHAREABLE, EXPORT, method="HEAD")).status == 200
    assert await taken(pool) == []


SUM = hashlib.sha256(ARCHIVE).hexdigest()


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [
        ({"If-Match": f'"{SUM}"'}, 200, len(ARCHIVE)),
        ({"If-Match": "*"}, 200, len(ARCHIVE)),
        ({"If-Match": '"another"'}, 412, 0),
        ({"If-Match": f'W/"{SUM}"'}, 412, 0),
        ({"If-None-Match": f'W/"{SUM}"'}, 304, 0),
        ({"If-None-Match": f'"another", "{SUM}"'}, 304, 0),
        ({"If-None-Match": "*"}, 304, 0),
        ({"If-None-Match": '"another"'}, 200, len(ARCHIVE)),
        ({"Range": "bytes=10-19"}, 206, 10),
        ({"Range": "bytes=-10"}, 206, 10),
        ({"Range": "bytes=10-19", "If-Range": f'"{SUM}"'}, 206, 10),
        ({"Range": "bytes=10-19", "If-Range": '"another"'}, 200, len(ARCHIVE)),
        ({"Range": "bytes=10-19", "If-Range": "Wed, 18 Nov 2026 20:00:00 GMT"}, 200, len(ARCHIVE)),
        ({"Range": "bytes=999999-", "If-Range": '"another"'}, 200, len(ARCHIVE)),
        ({"Range": f"bytes={len(ARCHIVE)}-"}, 416, 0),
        ({"Range": "bytes=9-1"}, 416, 0),
        ({"If-Modified-Since": "Wed, 18 Nov 2037 20:00:00 GMT"}, 200, len(ARCHIVE)),
        ({"If-Unmodified-Since": "Wed, 18 Nov 1998 20:00:00 GMT"}, 200, len(ARCHIVE)),
    ],
    ids=str,
)
async def test_conditions_are_judged_by_the_sum_and_only_what_was_sent_is_written_down(
    guarded: Visitor, pool: asyncpg.Pool, asked: dict[str, str], status: int, length: int
) -> None:
    answer = await guarded.package(SHAREABLE, EXPORT, **asked)
    assert answer.status == status
    assert len(answer.body) == length
    assert len(await taken(pool)) == (status in (200, 206))
    if status != 416:
        assert answer.headers["ETag"] == f'"{SUM}"'
    assert "Last-Modified" not in answer.headers


async def test_a_file_beside_it_is_not_sent_in_its_place(guarded: Visitor, folder: Path) -> None:
    (folder / f"{SHAREABLE}.zip.gz").write_bytes(b"another")
    answer = await guarded.package(SHAREABLE, EXPORT, Accept_Encoding="gzip")
    assert (answer.status, answer.body) == (200, ARCHIVE)


async def test_an_archive_that_was_changed_is_not_served_until_it_is_as_it_was(
    guarded: Visitor, folder: Path, pool: asyncpg.Pool
) -> None:
    assert (await guarded.package(SHAREABLE, EXPORT)).status == 200
    archive = folder / f"{SHAREABLE}.zip"
    archive.write_bytes(ARCHIVE[:-1] + b"X")
    assert (await guarded.package(SHAREABLE, EXPORT)).status == 404
    assert b"Its archive is not in the folder." in (await guarded.get(LIST, EXPORT)).body
    assert len(await taken(pool)) == 1
    archive.write_bytes(ARCHIVE)
    assert (await guarded.package(SHAREABLE, EXPORT)).status == 200


@pytest.mark.parametrize("how", ["gone", "cut off"])
async def test_an_archive_that_is_not_as_it_was_issued_is_not_served(
    guarded: Visitor, folder: Path, pool: asyncpg.Pool, how: str
) -> None:
    archive = folder / f"{SHAREABLE}.zip"
    archive.unlink() if how == "gone" else archive.write_bytes(ARCHIVE[:-1])
    assert (await guarded.package(SHAREABLE, EXPORT)).status == 404
    assert await taken(pool) == []
    assert b"Its archive is not in the folder." in (await guarded.get(LIST, EXPORT)).body


# Without tokens


async def test_on_this_machine_without_tokens_everything_is_open_and_written_down(
    opened: Visitor, pool: asyncpg.Pool
) -> None:
    assert (await opened.package(INTERNAL)).body == ARCHIVE
    assert await taken(pool) == [("loopback", "2026-10 internal revision 1")]


async def test_the_page_tells_what_was_issued(opened: Visitor) -> None:
    page = (await opened.get(LIST)).body.decode()
    assert f'href="{LIST}/{SHAREABLE}.zip"' in page
    assert "October 2026, shareable, revision 1" in page
    assert "1 school: 1 in ranges of ten" in page
    assert f"{hashlib.sha256(ARCHIVE).hexdigest()}  {SHAREABLE}.zip" in page
    assert f'href="{LIST}"' in (await opened.get(f"/districts/{DISTRICT}")).body.decode()


@pytest.mark.parametrize(
    ("token", "sees_internal"), [(EXPORT, False), (ALL, True)], ids=["export", "export and admin"]
)
async def test_the_page_shows_only_what_its_reader_may_know_of(
    guarded: Visitor, token: str, sees_internal: bool
) -> None:
    page = (await guarded.get(LIST, token)).body.decode()
    assert f'href="{LIST}/{SHAREABLE}.zip"' in page
    assert (f'href="{LIST}/{INTERNAL}.zip"' in page) is sees_internal
    assert (INTERNAL in page) is sees_internal


async def test_whoever_signs_in_with_a_token_for_export_sees_and_takes_shareable_packages_and_nothing_else(
    guarded: Visitor, pool: asyncpg.Pool
) -> None:
    assert await guarded.sign_in(EXPORT) == (303, LIST)
    page = (await guarded.get(LIST)).body.decode()
    assert f'href="{LIST}/{SHAREABLE}.zip"' in page
    assert INTERNAL not in page
    assert f'href="/districts/{DISTRICT}"' not in page
    assert (await guarded.package(SHAREABLE)).body == ARCHIVE
    assert (await guarded.package(INTERNAL)).status == 403
    assert await taken(pool) == [("sponsor", "2026-10 shareable revision 1")]
    for path in ("/", f"/districts/{DISTRICT}", f"/districts/{DISTRICT}/equity", "/metrics"):
        answer = await guarded.get(path)
        assert answer.status in (401, 403), path
    assert b"you may see and take monthly packages." in (await guarded.get("/sign-in")).body


async def test_whoever_signs_in_to_read_is_told_what_taking_a_package_needs(guarded: Visitor) -> None:
    assert await guarded.sign_in(READ) == (303, LIST)
    page = (await guarded.get(LIST)).body.decode()
    assert "To take it, sign in with a token for export." in page
    assert INTERNAL not in page
    assert (await guarded.package(SHAREABLE)).status == 403


async def test_where_only_internal_packages_are_issued_others_are_told_of_none(
    guarded: Visitor, pool: asyncpg.Pool
) -> None:
    await pool.execute("DELETE FROM release_schools")
    await pool.execute("DELETE FROM releases WHERE profile = 'shareable'")
    assert b"None that may leave the district has been issued yet" in (await guarded.get(LIST, EXPORT)).body


async def test_a_district_without_packages_says_how_to_make_one(opened: Visitor, pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM release_schools")
    await pool.execute("DELETE FROM releases")
    assert b"afterbell export last" in (await opened.get(LIST)).body


async def issue(pool: asyncpg.Pool, name: str, **changed: object) -> None:
    told = dataclasses.replace(new("shareable", name), **changed)  # type: ignore[arg-type]
    await releases.record(pool, told, rows=rows())


async def test_a_revision_that_another_came_after_is_marked_and_each_link_reads_otherwise(
    opened: Visitor, pool: asyncpg.Pool, folder: Path
) -> None:
    lessons = {"pilot": "Lessons"}
    for name, changed in (
        ("2026-10-shareable-r2", {"revision": 2}),
        ("2026-10-shareable-lessons-r1", lessons),
        ("2026-10-shareable-lessons-r2", {**lessons, "revision": 2}),
        ("2026-10-shareable-partial-r1", {"is_partial": True}),
    ):
        (folder / f"{name}.zip").write_bytes(ARCHIVE)
        await issue(pool, name, **changed)
    page = (await opened.get(LIST)).body.decode()
    links = re.findall(r'<a href="[^"]*[.]zip">([^<]*)</a>', page)
    assert links == [
        "October 2026, shareable, revision 1, partial",
        "October 2026, shareable, pilot Lessons, revision 2",
        "October 2026, shareable, pilot Lessons, revision 1",
        "October 2026, shareable, revision 2",
        "October 2026, internal, revision 1",
        "October 2026, shareable, revision 1",
    ]
    marked = [row for row in page.split("<tr") if "Superseded: revision 2 is the latest." in row]
    assert [re.findall(r'[.]zip">([^<]*)<', row)[0] for row in marked] == [links[2], links[5]]


async def test_an_archive_that_is_gone_is_made_again_only_if_it_is_of_the_latest_revision(
    opened: Visitor, pool: asyncpg.Pool, folder: Path
) -> None:
    (folder / f"{SHAREABLE}.zip").unlink()
    answer = await opened.package(SHAREABLE)
    assert answer.status == 404
    assert b"afterbell export makes the same again" in answer.body
    await issue(pool, "2026-10-shareable-r2", revision=2)
    answer = await opened.package(SHAREABLE)
    assert answer.status == 404
    assert b"Only the latest revision is made again, which is 2" in answer.body
