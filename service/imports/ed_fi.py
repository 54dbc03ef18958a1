"""Answers of students from an Ed-Fi ODS/API: its items become a table of the headers that the map names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from collectors import errors as collector_errors
from collectors.ed_fi import api as ed_fi_api
from collectors.ed_fi import lists, parse
from service import errors
from service.imports import answer_maps, frame, need_answers, outcomes, rows, tables
from service.store import pool as pools

_STUDENT, _SCHOOL, _DAY = "studentUniqueId", "ncessch", "answeredOn"
_NCESSCH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Read:
    """What the API listed. ``schools``: the NCES id of each school, '' where nobody tells it."""

    associations: lists.Listed[parse.Association]
    schools: Mapping[int, str]


async def read(
    api: ed_fi_api.Api,
    answer_map: answer_maps.AnswerMap,
    schools: Mapping[str, str],
    progress: rows.Progress | None = None,
) -> Read:
    """Read the API, before any transaction is open. ``schools``: NCES ids that the district itself tells.

    Raises ImportRejected.
    """
    wanted = {parse.plain(header) for headers in _headers(answer_map).values() for header in headers}
    try:
        listed = await lists.schools(api)
        known = {school.number: _ncessch(school) for _, school in listed.items}
        associations = await lists.associations(api, wanted=wanted, progress=progress)
    except collector_errors.CollectorError as error:
        raise errors.ImportRejected(
            f"the Ed-Fi API could not be read, nothing was changed: {error}"
        ) from error
    return Read(associations, known | {int(key): ncessch for key, ncessch in schools.items()})


async def run(
    pool: pools.Pool,
    district_id: int,
    found: Read,
    terms: need_answers.Terms,
    *,
    dry_run: bool = False,
) -> outcomes.Outcome:
    answers = [
        (number, item) for number, item in found.associations.items if _is_answer(item, terms.answer_map)
    ]
    if not answers:
        raise errors.ImportRejected(_nothing(found))
    sha256 = found.associations.sha256
    async with frame.opened(
        pool, district_id, "ed-fi", sha256, tables=need_answers.TABLES, today=terms.today, dry_run=dry_run
    ) as importing:
        for number, refused in found.associations.refused:
            importing.tally.rows += 1
            importing.tally.reject([outcomes.Problem(number, refused.path, refused.reason)])
        zone = ZoneInfo(importing.district.time_zone)
        table = _Table(answers, terms.answer_map, found.schools, zone).table()
        await need_answers.take(importing, table, _as_listed(terms), progress=None)
        importing.say(f"{len(found.associations.items) - len(answers):,} associations without an answer")
        importing.warn(_doubts(found, answers))
    return importing.outcome


def _as_listed(terms: need_answers.Terms) -> need_answers.Terms:
    named = answer_maps.of_a_list(terms.answer_map, student=_STUDENT, ncessch=_SCHOOL, answered_on=_DAY)
    return terms._replace(answer_map=named)


class _Table:
    """The answers under the headers of those elements that any of them tells."""

    def __init__(
        self,
        answers: Sequence[tuple[int, parse.Association]],
        answer_map: answer_maps.AnswerMap,
        schools: Mapping[int, str],
        zone: ZoneInfo,
    ) -> None:
        self._answers = answers
        self._schools = schools
        self._zone = zone
        every = _headers(answer_map).values()
        self._elements = [headers for headers in every if any(_told(item, headers) for _, item in answers)]

    def table(self) -> tables.Table:
        header = [_STUDENT, _SCHOOL, _DAY, *(headers[0] for headers in self._elements)]
        return tables.Table(header, self._rows())

    def _rows(self) -> Iterator[tuple[int, tables.Cells]]:
        for number, item in self._answers:
            ncessch = self._schools.get(item.organization, "")  # a district has none: the roster decides
            told = [_told(item, headers) for headers in self._elements]
            yield number, [item.student, ncessch, self._day(item.modified_at), *told]

    def _day(self, at: datetime | None) -> str:
        return "" if at is None else at.astimezone(self._zone).date().isoformat()


def _headers(answer_map: answer_maps.AnswerMap) -> dict[str, tuple[str, ...]]:
    """The headers of each element that the map has."""
    every = {element: answer_map.columns.of(element) for element in answer_maps.ELEMENTS}
    return {element: headers for element, headers in every.items() if headers}


def _told(item: parse.Association, headers: tuple[str, ...]) -> str:
    return next((told for header in headers if (told := item.told.get(parse.plain(header)))), "")


def _is_answer(item: parse.Association, answer_map: answer_maps.AnswerMap) -> bool:
    """Most associations tell of other things: a student who was not asked has not answered."""
    return any(_told(item, headers) for headers in _headers(answer_map).values())


def _ncessch(school: parse.School) -> str:
    code = (school.nces or "").replace("-", "").replace(" ", "")
    return code if code.isdecimal() and len(code) == _NCESSCH_DIGITS else ""


def _nothing(found: Read) -> str:
    return (
        f"the Ed-Fi API lists {found.associations.count:,} associations of students, and none tells of internet "
        "access at home: does the student information system send it, and does the map fit? Nothing was changed"
    )


def _doubts(found: Read, answers: Sequence[tuple[int, parse.Association]]) -> list[outcomes.Problem]:
    nameless = {item.organization for _, item in answers if found.schools.get(item.organization) == ""}
    if not nameless:
        return []
    named = ", ".join(str(number) for number in sorted(nameless)[:10])
    reason = (
        f"{len(nameless):,} school(s) have no NCES id of 12 digits in the API ({named}): their students are counted "
        "where the roster has them; name them in ed_fi.schools of the configuration"
    )
    return [outcomes.Problem(0, "", reason)]
