"""Makes a package: decides which revision it is, builds it aside, writes it down, and lets it appear.

A package is written into the ledger before its files appear. A crash before that leaves nothing; one after it leaves a
release without files, and the next run makes the same bytes again.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Protocol

import asyncpg

from service.exports import months_told, restricted, shareables, steps
from service.exports import terms as export_terms
from service.exports.writing import archive, folder, package, sums
from service.model import protection
from service.store import audit, leases, releases

LATE_DATA = "late_data"
REBUILT = "export_rebuilt"  # in the audit log


class Contents(Protocol):
    """What goes into one revision of a package, and what the ledger keeps of it."""

    @property
    def rows(self) -> Sequence[releases.Row]: ...

    @property
    def totals(self) -> Mapping[str, protection.Cell]: ...

    def tables(self) -> Iterable[tuple[str, releases.Cells]]:
        """In parts."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]: ...

    @property
    def told(self) -> tuple[str, ...]:
        """Sentences for whoever made it; known once it is written."""
        ...

    async def write(self, writer: package.Writer) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """``told``: what is missing or worth a look, in sentences. Neither new nor rebuilt: it was there already."""

    release: releases.Release
    folder: Path
    is_new: bool = False
    is_rebuilt: bool = False
    levels: Mapping[str, int] = field(default_factory=dict)  # schools by level, of a shareable one
    told: tuple[str, ...] = ()

    @property
    def archive(self) -> Path:
        return archive.beside(self.folder)


class _Differs(Exception):
    """What was built again is not what was issued; ``is_same_inside``: but for the archive, byte for byte."""

    def __init__(self, *, is_same_inside: bool) -> None:
        super().__init__()
        self.is_same_inside = is_same_inside


class _Same(Exception):
    """What was built is what was issued last, and is there."""

    def __init__(self, release: releases.Release) -> None:
        super().__init__()
        self.release = release


async def make(
    pool: asyncpg.Pool,
    terms: export_terms.Terms,
    asked: export_terms.Asked,
    *,
    clock: Callable[[], datetime],
    progress: export_terms.Progress = steps.silent,
) -> Made:
    """Raises ExportRefused where there is nothing to tell, where the month may still change, or where the disk does not
    take it; ConfigError; DatabaseUnavailable."""
    now = clock()
    district = await months_told.district(pool, terms, now)
    await months_told.check_computed(pool, district, asked, now)
    is_partial = months_told.is_partial(terms, asked, district, now)
    async with leases.held(pool, terms.district_id) as lease:
        progress("reading the month", 0, 1)
        facts = await months_told.facts(pool, terms, asked, district)
        progress("reading the month", 1, 1)
        job = steps.Job(
            pool=pool,
            terms=terms,
            asked=asked,
            facts=facts,
            is_partial=is_partial,
            now=now,
            lease=lease,
            progress=progress,
        )
        return await (_told_digest(job) if asked.profile == "shareable" else _told_by_its_files(job))


# Of a shareable package everything is known before it is built.


async def _told_digest(job: steps.Job) -> Made:
    found = await _revisions(job)
    digest, latest = shareables.digest(job), found[-1] if found else None
    reasons: tuple[str, ...] = ()
    if latest is not None and (latest.facts_digest, latest.version) == (digest, job.terms.version):
        if await _is_there(job, latest):
            return await _as_it_was(job, latest)
        try:
            return await _again(job, latest, await shareables.again(job, latest))
        except _Differs:
            reasons = (shareables.FILES_LOST,)
    contents = await shareables.contents(job, latest, _revision(latest), reasons=reasons)
    return await _issue(job, contents, latest, digest)


async def _as_it_was(job: steps.Job, release: releases.Release) -> Made:
    rows = await shareables.rows_of(job, release)
    return Made(
        release=release,
        folder=job.terms.place / release.folder,
        levels=_levels([told for _, told in rows]),
    )


# Of the others it is known by their files: they are read line by line.


async def _told_by_its_files(job: steps.Job) -> Made:
    found = await _revisions(job)
    latest = found[-1] if found else None
    reasons = _reasons(job, latest)
    if latest is not None and not await _is_there(job, latest):
        try:
            return await _again(job, latest, restricted.Contents(job, latest.reasons))
        except _Differs as differs:
            reasons = (shareables.FILES_LOST,) if differs.is_same_inside else reasons
    try:
        return await _issue(job, restricted.Contents(job, reasons), latest, None)
    except _Same as same:
        return Made(release=same.release, folder=job.terms.place / same.release.folder)


def _reasons(job: steps.Job, latest: releases.Release | None) -> tuple[str, ...]:
    if latest is None:
        return ()
    return (LATE_DATA,) if latest.version == job.terms.version else (shareables.NEW_VERSION,)


# Building, for all of them


async def _again(job: steps.Job, release: releases.Release, contents: Contents) -> Made:
    """The same bytes, of which the files are gone, or which are asked for elsewhere. Raises _Differs."""
    target = job.terms.place / release.folder
    async with folder.building(target, is_replacing=True) as work:
        written = await _built(job, contents, work, release.revision)
        if written.sha256 != release.archive_sha256:
            raise _Differs(is_same_inside=_of_files(work) == release.facts_digest)
        await audit.entry(job.pool, job.terms.district_id, _rebuilt(job, release))
    return Made(
        release=release,
        folder=target,
        is_rebuilt=True,
        levels=_levels([told for _, told in contents.rows]),
        told=contents.told,
    )


def _rebuilt(job: steps.Job, release: releases.Release) -> audit.Entry:
    """Written down before the files are there: whoever asks for names is never left out."""
    return audit.Entry(
        happened_at=job.now,
        actor=job.asked.by,
        action=REBUILT,
        subject=release.subject,
        details={"folder": release.folder, "archive_sha256": release.archive_sha256},
    )


def _of_files(work: Path) -> str:
    return hashlib.sha256((work / sums.NAME).read_bytes()).hexdigest()


async def _issue(
    job: steps.Job, contents: Contents, latest: releases.Release | None, digest: str | None
) -> Made:
    """``digest`` None: that of the files."""
    revision = _revision(latest)
    target = job.terms.place / job.name(revision)
    async with folder.building(target) as work:
        written = await _built(job, contents, work, revision)
        of_files = _of_files(work)
        is_same = digest is None and latest is not None and latest.facts_digest == of_files
        if latest is not None and is_same and shareables.FILES_LOST not in contents.reasons:
            raise _Same(latest)
        new = _new(job, revision, written, digest or of_files, contents.reasons)
        release_id = await releases.record(
            job.pool,
            new,
            rows=contents.rows,
            totals=contents.totals,
            tables=contents.tables(),
            under=job.lease,
        )
    release = releases.Release(
        **{one.name: getattr(new, one.name) for one in fields(new)}, release_id=release_id
    )
    return Made(
        release=release,
        folder=target,
        is_new=True,
        levels=_levels([told for _, told in contents.rows]),
        told=contents.told,
    )


async def _built(job: steps.Job, contents: Contents, work: Path, revision: int) -> archive.Written:
    writer = package.Writer(work, title=_title(job), mark=job.mark, about=_about(job, revision))
    job.progress("writing files", 0, 1)
    await contents.write(writer)

    def finish(told: export_terms.Progress) -> archive.Written:
        pulse = functools.partial(told, "writing files", 0, 1)
        writer.finish(pulse)
        return archive.write(work, pulse)

    written = await steps.aside(job.progress, finish)
    job.progress("writing files", 1, 1)
    return written


def _new(
    job: steps.Job, revision: int, written: archive.Written, digest: str, reasons: tuple[str, ...]
) -> releases.New:
    return releases.New(
        district_id=job.terms.district_id,
        profile=job.asked.profile,
        pilot=job.asked.pilot_name,
        month=job.asked.month,
        is_partial=job.is_partial,
        is_strict=job.asked.is_strict,
        is_deidentified=job.asked.is_deidentified,
        revision=revision,
        version=job.terms.version,
        facts_digest=digest,
        reasons=reasons,
        folder=job.name(revision),
        archive_sha256=written.sha256,
        archive_bytes=written.bytes,
        created_at=job.now,
        created_by=job.asked.by,
    )


def _title(job: steps.Job) -> str:
    return f"{job.facts.district_name}, {job.asked.month}: {job.asked.profile} package"


def _about(job: steps.Job, revision: int) -> dict[str, str]:
    """Of a package without a digest of its own the revision is told by its folder's name alone."""
    told = {
        "District": job.facts.district_name,
        "Month": str(job.asked.month),
        "Profile": job.asked.profile,
        "Figures as of": str(job.facts.figure_on or "no day was heard from enough"),
        "Time zone": job.facts.time_zone,
        "Made by": f"afterbell {job.terms.version}",
    }
    if job.asked.profile == "shareable":
        told["Revision"] = str(revision)
    if job.asked.pilot is not None:
        told["Pilot"] = job.asked.pilot.name
    return told


async def _revisions(job: steps.Job) -> tuple[releases.Release, ...]:
    return await releases.find(
        job.pool,
        job.terms.district_id,
        profile=job.asked.profile,
        month=job.asked.month,
        pilot=job.asked.pilot_name,
        is_partial=job.is_partial,
        is_strict=job.asked.is_strict,
        is_deidentified=job.asked.is_deidentified,
    )


def _revision(latest: releases.Release | None) -> int:
    return 1 if latest is None else latest.revision + 1


async def _is_there(job: steps.Job, release: releases.Release) -> bool:
    """Folder and archive, and that as it was issued."""
    target = job.terms.place / release.folder

    def look(_: export_terms.Progress) -> bool:
        found = archive.beside(target)
        if not target.is_dir() or not found.is_file() or found.stat().st_size != release.archive_bytes:
            return False
        return sums.digest(found) == release.archive_sha256

    return await steps.aside(job.progress, look)


def _levels(rows: Iterable[protection.Published]) -> dict[str, int]:
    """A school without a figure day has no counts, and so no level."""
    levels: dict[str, int] = {}
    for told in rows:
        if told.cells or told.level is not protection.Level.EXACT:
            levels[told.level] = levels.get(told.level, 0) + 1
    return levels
