"""What goes into a shareable package, and what the ledger keeps of it."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.exports import (
    changes,
    earlier,
    notes,
    protecting,
    published,
    readme,
    report,
    shareable,
    shares,
    steps,
    threads,
)
from service.exports import terms as export_terms
from service.exports.writing import package
from service.model import months, protection
from service.store import releases

FILES_LOST = "files_lost"  # why there is a new revision: what was issued is gone, and would not be the same
NEW_VERSION = "new_version"
_DECISION = "_decision"  # beside the tables in the ledger: what was decided beyond rows and totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    published: published.Published
    languages: tuple[str, ...]
    rows: Sequence[releases.Row]
    totals: Mapping[str, protection.Cell]
    decided: releases.Cells
    reasons: tuple[str, ...]
    told: tuple[str, ...]
    progress: export_terms.Progress

    def tables(self) -> Iterator[tuple[str, releases.Cells]]:
        yield from changes.in_parts(shareable.tables(self.published))
        yield _DECISION, self.decided

    async def write(self, writer: package.Writer) -> None:
        await steps.aside(self.progress, lambda told: self._written(writer, told))

    def _written(self, writer: package.Writer, told: export_terms.Progress) -> None:
        for table, rows in shareable.tables(self.published):
            writer.table(table, rows)
        writer.charts(shareable.charts(self.published))
        for at, language in enumerate(self.languages):
            told("report", at, len(self.languages))
            pulse = functools.partial(told, "report", at, len(self.languages))
            files = report.made(self.published, language=language, pulse=pulse)
            writer.file(f"report-{language}.html", files.html)
            writer.file(f"report-{language}.pdf", files.pdf)
        told("report", len(self.languages), len(self.languages))
        writer.file(readme.NAME, readme.of(self.published, self.languages))


def digest(job: steps.Job) -> str:
    """Of everything that the package is made from, but for what was issued before."""
    asked, terms = job.asked, job.terms
    return months.digest(
        job.facts,
        asked.pilot,
        job.is_partial,
        asked.is_strict,
        terms.protect_width,
        terms.min_n,
        terms.languages,
    )


# What counts over every school is done in threads: with thousands of them it takes seconds.


async def contents(
    job: steps.Job, latest: releases.Release | None, revision: int, *, reasons: tuple[str, ...] = ()
) -> Contents:
    """Of a new revision."""
    before = await releases.earlier(job.pool, job.terms.district_id)
    facts = _facts(job)
    decision = await _alike(job, facts, before)
    if decision is None:
        decision = await _decided(job, facts, before)
    made = await threads.run(functools.partial(_published, job, decision, before, revision))
    if latest is None:
        first = _contents(job, facts, decision, made, ())
        return replace(first, told=(*first.told, *_out_of_order(job, before)))
    old, new = await _cells(job, latest), await threads.run(functools.partial(_as_cells, made))
    if not reasons:
        reasons = _reasons(job, latest, changes.reasons(old, new))
    made = replace(made, changes=changes.of(old, new, _why(reasons)))
    return _contents(job, facts, decision, made, reasons)


async def again(job: steps.Job, release: releases.Release) -> Contents:
    """Of a revision that was issued: as it was decided then, beside what had been issued by then."""
    known = await releases.earlier(job.pool, job.terms.district_id)
    own = next(one for one in known if one.release.release_id == release.release_id)
    before = [one for one in known if one.release.release_id < release.release_id]
    decision = await _kept(job, own, [row.ncessch for row in job.facts.schools])
    made = await threads.run(functools.partial(_published, job, decision, before, release.revision))
    previous = [one.release for one in before if _is_same_package(one.release, release)]
    if previous:
        old, new = await _cells(job, previous[-1]), await threads.run(functools.partial(_as_cells, made))
        made = replace(made, changes=changes.of(old, new, _why(release.reasons)))
    facts = [facts for facts, _ in own.rows]
    return _contents(job, facts, decision, made, release.reasons)


def _as_cells(made: published.Published) -> Mapping[str, releases.Cells]:
    return changes.as_cells(shareable.tables(made))


def _why(reasons: tuple[str, ...]) -> str:
    """Of cells that do not say by themselves what has changed."""
    return NEW_VERSION if reasons[0] == FILES_LOST else changes.default(reasons)


def _reasons(job: steps.Job, latest: releases.Release, own: tuple[str, ...]) -> tuple[str, ...]:
    """Of another version alone every difference comes; beside other facts, what cells say of themselves counts too."""
    if latest.version == job.terms.version:
        return own
    return (NEW_VERSION,) if latest.facts_digest == digest(job) else changes.both(own, NEW_VERSION)


async def rows_of(job: steps.Job, release: releases.Release) -> tuple[releases.Row, ...]:
    for one in await releases.earlier(job.pool, job.terms.district_id):
        if one.release.release_id == release.release_id:
            return one.rows
    return ()


def _is_same_package(one: releases.Release, other: releases.Release) -> bool:
    def kind(release: releases.Release) -> tuple[object, ...]:
        return release.month, release.pilot, release.is_partial, release.is_strict

    return kind(one) == kind(other)


# Deciding


def _facts(job: steps.Job) -> list[protection.Facts]:
    return [
        protection.Facts(
            ncessch=school.ncessch,
            month_on=job.asked.month.first_on,
            enrolled=school.enrolled,
            counts=school.counts,
        )
        for school in job.facts.schools
    ]


async def _decided(
    job: steps.Job, facts: Sequence[protection.Facts], before: Sequence[releases.EarlierRows]
) -> protecting.Decision:
    asked = _protecting(job)
    known: list[protecting.Earlier] = []
    for one in before:  # a pilot's package says of schools what the district's does: once is enough
        if (told := protecting.Earlier(rows=one.rows, totals=one.totals)) not in known:
            known.append(told)

    def decide(progress: export_terms.Progress) -> protecting.Decision:
        return protecting.decide(facts, known, money=_money(job), terms=asked, progress=progress)

    return await steps.aside(job.progress, decide)


def _money(job: steps.Job) -> dict[str, int]:
    return {"lines": job.facts.money.lines, "idle_lines": job.facts.money.idle_lines}


async def _alike(
    job: steps.Job, facts: Sequence[protection.Facts], before: Sequence[releases.EarlierRows]
) -> protecting.Decision | None:
    """What was decided of the same counts before, as for the package without the pilot: the same counts are never told
    in two ways, from which together more could be learned."""
    wanted = {one.ncessch: one for one in facts}
    for one in reversed(before):
        is_kind = one.release.month == job.asked.month and one.release.is_strict == job.asked.is_strict
        if is_kind and _holds(one, _money(job)) and {row.ncessch: row for row, _ in one.rows} == wanted:
            kept = await _kept(job, one, list(wanted))
            if kept.limits == _protecting(job).limits:
                return kept
    return None


def _protecting(job: steps.Job) -> protecting.Terms:
    return protecting.Terms(
        width=job.terms.protect_width,
        is_strict=job.asked.is_strict,
        min_n=job.terms.min_n,
        seconds=job.terms.solver_seconds,
        floor=job.terms.floor,
    )


def _holds(one: releases.EarlierRows, money: Mapping[str, int]) -> bool:
    """Whether what was told of the lines is still true."""
    told = [(one.totals[name], count) for name, count in money.items() if name in one.totals]
    return all(cell.least <= count <= cell.most for cell, count in told)


async def _kept(job: steps.Job, one: releases.EarlierRows, order: Sequence[str]) -> protecting.Decision:
    told = {row.ncessch: row for _, row in one.rows}
    kept = await releases.tables_of(job.pool, job.terms.district_id, one.release.release_id)
    decided = kept.get(_DECISION, {}).get("decision", {})
    return protecting.Decision(
        rows=tuple(told[ncessch] for ncessch in order),
        totals=one.totals,
        cells_only=frozenset(json.loads(decided.get("cells_only", "[]"))),
        limits=decided.get("limits", ""),
        solved=int(decided.get("solved", "0")),
        unsettled=int(decided.get("unsettled", "0")),
        notes=json.loads(decided.get("notes", "{}")),
    )


def _as_kept(decision: protecting.Decision) -> releases.Cells:
    told = {
        "cells_only": json.dumps(sorted(decision.cells_only)),
        "limits": decision.limits,
        "solved": str(decision.solved),
        "unsettled": str(decision.unsettled),
        "notes": json.dumps(dict(decision.notes), sort_keys=True),
    }
    return {"decision": told}


# Telling


def _published(
    job: steps.Job,
    decision: protecting.Decision,
    before: Sequence[releases.EarlierRows],
    revision: int,
) -> published.Published:
    return published.of(
        job.facts,
        replace(decision, seconds=0.0),  # it differs from machine to machine
        earlier=_earlier(job, before),
        pilot=job.asked.pilot,
        version=job.terms.version,
        revision=revision,
        is_partial=job.is_partial,
        is_strict=job.asked.is_strict,
        min_n=job.terms.min_n,
        floor=job.terms.floor,
    )


def _earlier(job: steps.Job, before: Sequence[releases.EarlierRows]) -> list[published.EarlierMonth]:
    """Of each month before, what was told last when it had settled."""
    latest: dict[months.Month, releases.EarlierRows] = {}
    for one in before:
        release = one.release
        is_told = not release.is_partial and release.is_strict == job.asked.is_strict
        if is_told and release.month < job.asked.month:
            latest[release.month] = one
    chosen = shares.Terms(floor=job.terms.floor, is_strict=job.asked.is_strict, min_n=job.terms.min_n)
    return [
        earlier.of(month, latest[month].rows, latest[month].totals, terms=chosen) for month in sorted(latest)
    ]


def _out_of_order(job: steps.Job, before: Sequence[releases.EarlierRows]) -> Iterator[str]:
    """What was issued of later months stays as it is, without this month."""
    month, is_strict = job.asked.month, job.asked.is_strict
    found = [one.release for one in before]
    issued = {one.month for one in found if one.is_strict == is_strict and not one.is_partial}
    if later := sorted(one for one in issued if one > month and not job.is_partial and month not in issued):
        yield (
            f"{', '.join(map(str, later))} was issued before this month, and tells it as not released. Issue months "
            "in their order: a package's trend has what was released by then"
        )


def _contents(
    job: steps.Job,
    facts: Sequence[protection.Facts],
    decision: protecting.Decision,
    made: published.Published,
    reasons: tuple[str, ...],
) -> Contents:
    by_school = {row.ncessch: row for row in decision.rows}
    return Contents(
        published=made,
        languages=job.terms.languages,
        rows=[(one, by_school[one.ncessch]) for one in facts],
        totals=decision.totals,
        decided=_as_kept(decision),
        reasons=reasons,
        told=_told(job, decision, made),
        progress=job.progress,
    )


async def _cells(job: steps.Job, release: releases.Release) -> dict[str, releases.Cells]:
    found = await releases.tables_of(job.pool, job.terms.district_id, release.release_id)
    return {name: rows for name, rows in found.items() if name != _DECISION}


def _told(job: steps.Job, decision: protecting.Decision, made: published.Published) -> tuple[str, ...]:
    told = []
    if job.facts.figure_on is None:
        told.append("no instructional day of the month was heard from enough: there are no counts of schools")
    if decision.unsettled:
        told.append(
            f"{decision.unsettled} schools and totals are told more coarsely than needed, as the time for the audit "
            f"(solver_seconds = {job.terms.solver_seconds:g}) ran out"
        )
    if made.pilot is not None:
        told += [f"pilot: {notes.WARNINGS[warning]}" for warning in made.pilot.warnings]
    return tuple(told)
