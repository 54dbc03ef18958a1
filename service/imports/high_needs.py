"""Decides by a rule which schools are high-needs: from NCES's national files, or from a list of shares."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from service import errors
from service.imports import ccd, cells, columns, frame, outcomes, rows, shares, tables, unique
from service.model import high_needs
from service.model.high_needs import Indicator
from service.store import high_needs as store
from service.store import pool as pools
from service.store import records

LIST_SOURCE = "the district's list"
LIST_COLUMNS = ("ncessch", "indicator", "value")
_NATIONAL = {
    Indicator.FRPL: ("lunch", "membership", "characteristics"),
    Indicator.DIRECT_CERT: ("lunch", "membership"),
    Indicator.TITLE1: ("characteristics",),
}

_NO_FILES = ccd.Files()

Shares = dict[Indicator, high_needs.Share]


@dataclass(frozen=True, slots=True)
class Request:
    """``in_cep``: the rule for CEP schools, where FRPL says nothing. ``year``: a school year, as 2024-25."""

    usual: high_needs.Rule
    in_cep: high_needs.Rule | None
    year: str
    files: ccd.Files = _NO_FILES
    list_path: Path | None = None

    @property
    def rules(self) -> tuple[high_needs.Rule, ...]:
        return (self.usual,) if self.in_cep is None else (self.usual, self.in_cep)


def check(request: Request) -> None:
    """Raises ConfigError where the rule needs a file that is not given."""
    if request.in_cep is not None and request.usual.indicator is not Indicator.FRPL:
        raise errors.ConfigError(
            "--cep-rule goes with a rule of FRPL: the other indicators hold in CEP schools too"
        )
    if request.in_cep is not None and request.in_cep.indicator is Indicator.FRPL:
        raise errors.ConfigError(
            "--cep-rule is of FRPL, which says nothing of CEP schools: use direct_cert or isp"
        )
    for rule in request.rules:
        lacking = _lacking(rule.indicator, request)
        if lacking:
            raise errors.ConfigError(f"the rule {rule} needs {' and '.join(lacking)}")


def _lacking(indicator: Indicator, request: Request) -> list[str]:
    national = _NATIONAL.get(indicator)
    if request.list_path is not None and indicator is not Indicator.TITLE1:
        return []
    if national is None:
        return ["--list, as no national file has it"]
    return [f"--{name}" for name in national if getattr(request.files, name) is None]


async def run(
    pool: pools.Pool,
    district_id: int,
    request: Request,
    *,
    today: date,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    check(request)
    async with frame.opened(
        pool, district_id, "high-needs", _checksum(request), tables=("schools",), today=today, dry_run=dry_run
    ) as importing:
        schools = frozenset(await records.school_ids(importing.connection, district_id))
        if not schools:
            raise errors.ImportRejected("the district has no school yet: import the schools first")
        facts = _facts(importing, schools, request, progress)
        decided = {school: _decided(request, facts[school]) for school in sorted(schools)}
        importing.warn([_unknown(school, one) for school, one in decided.items() if one.reason is not None])
        written = await store.write(importing.connection, district_id, decided, request.year)
        importing.say(*_said(written))
        importing.finish(added=0, changed=written.changed, unchanged=len(decided) - written.changed)
    return importing.outcome


def _checksum(request: Request) -> str:
    """Of all files together, in the order of their options."""
    paths = (*request.files.given, *(() if request.list_path is None else (request.list_path,)))
    return hashlib.sha256("".join(map(frame.checksum, paths)).encode()).hexdigest()


def _facts(
    importing: frame.Frame, schools: frozenset[str], request: Request, progress: rows.Progress | None
) -> dict[str, high_needs.Facts]:
    national = ccd.Reader(schools, request.year, importing.tally, progress).facts(request.files)
    if request.list_path is None:
        return national
    listed = _listed(importing, schools, request.list_path)
    return {
        school: replace(known, shares={**known.shares, **listed.get(school, {})})
        for school, known in national.items()
    }


def _listed(importing: frame.Frame, schools: frozenset[str], path: Path) -> dict[str, Shares]:
    """What the district's own list says; it stands before the national files."""

    def read(row: rows.Row) -> unique.Keyed[tuple[str, Indicator, float]] | None:
        school = row.read("ncessch", cells.required_ncessch)
        indicator = row.read("indicator", cells.one_of(Indicator))
        value = row.read("value", shares.share)
        for column, told in (("indicator", indicator), ("value", value)):
            if told is None and not row.problems:
                row.refuse(column, "is empty")
        if indicator is Indicator.TITLE1:
            row.refuse("indicator", "title1 has no share: name the schools in schools.csv")
        if school is not None and school not in schools:
            row.refuse("ncessch", "there is no such school: import it with the schools first")
        if school is None or indicator is None or value is None:
            return None
        return unique.Keyed(row.number, "value", (school, indicator), (school, indicator, value))

    with tables.opened(path) as table:
        found = columns.match(table.header, required=LIST_COLUMNS)
        importing.ignore(found.ignored)
        kept, _ = unique.kept(rows.read(table, found, importing.tally, read), importing.tally)
    listed: dict[str, Shares] = {}
    for school, indicator, value in kept:
        listed.setdefault(school, {})[indicator] = high_needs.Share(value, LIST_SOURCE)
    return listed


def _decided(request: Request, facts: high_needs.Facts) -> high_needs.Decision:
    source = ccd.SOURCE if request.files.given else LIST_SOURCE
    return high_needs.decide(request.usual, request.in_cep, facts, year=request.year, source=source)


def _unknown(school: str, decision: high_needs.Decision) -> outcomes.Problem:
    return outcomes.Problem(0, "ncessch", f"not known whether it is high-needs: {decision.reason}", school)


def _said(written: store.Written) -> tuple[str, ...]:
    told = (
        (written.become, "become high-needs"),
        (written.no_longer, "no longer high-needs"),
        (written.unknown, "unknown"),
        (written.stay, "stay high-needs"),
        (written.others, "not high-needs"),
    )
    return tuple(f"{count:,} {what}" for count, what in told if count)
