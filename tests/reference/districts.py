"""Hypothesis strategies for whole districts, placed where dates are awkward."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from tests.reference import agreed, described, telling

T = TypeVar("T")

# Around these days: daylight saving begins and ends, a leap day, the ends of a year and of a school year.
AWKWARD = (date(2026, 3, 8), date(2026, 11, 1), date(2028, 2, 29), date(2027, 1, 1), date(2026, 7, 1))
ZONES = ("America/Los_Angeles", "America/New_York", "UTC")
MB = 1_000_000
LEVELS = (0, 1, 3 * MB, 40 * MB)
STUDENTS = ("s1", "s2", "s3", "s4", "s5")
ACCESS_TYPES = (
    "residential_broadband",
    "cellular_network",
    "hot_spot",
    "community_wifi",
    "satellite",
    "dial_up",
    "other",
    "none",
    "unknown",
)
STATUSES = (
    ("active", None),
    ("suspended", "loan_desk"),
    ("suspended", "season"),
    ("suspended", "carrier"),
    ("deactivated", None),
    ("pre_active", None),
    ("unknown", None),
    ("suspended", None),
)


@st.composite
def districts(draw: st.DrawFn) -> described.District:
    frame = draw(frames())
    plans = draw(st.lists(all_plans(), max_size=2, unique_by=lambda plan: plan.key))
    accounts = draw(sources(frame))
    fleet = draw(fleets(frame, plans))
    schools = tuple(described.School(number) for number in range(1, draw(st.integers(1, 4)) + 1))
    first_days = {line.number: draw(st.sampled_from((0, 0, 0, 4, 12))) for line in fleet.lines}
    told = [
        telling.tell(frame, source, line, draw(lives(frame, first_days[line.number])))
        for source in accounts
        for line in fleet.lines
        if source.is_sole or draw(st.booleans())
    ]
    now = frame.at(frame.length, draw(st.sampled_from((0, 5, 12, 20))), 5)
    refreshes = draw(st.lists(st.integers(3, frame.length - 1), max_size=3, unique=True))
    answers = draw(all_answers(frame, schools))
    return agreed.only(
        described.District(
            zone=frame.zone,
            first_on=frame.first,
            now=now,
            accounts=tuple(source.account for source in accounts),
            plans=tuple(plans),
            devices=fleet.devices,
            lines=fleet.lines,
            links=fleet.links,
            limits=draw(limits(fleet.lines, accounts)),
            usage=tuple(use for part in told for use in part.usage if use.told_at <= now),
            states=tuple(state for part in told for state in part.states if state.told_at <= now),
            signals=tuple(signal for part in told for signal in part.signals if signal.told_at <= now),
            spans=tuple(span for part in told for span in part.spans if span.told_at <= now),
            gaps=tuple(gap for source in accounts for gap in telling.gaps(frame, source)),
            schools=schools,
            loans=draw(all_loans(frame, fleet.devices, schools)),
            totals=draw(need_totals(frame, schools)),
            enrollments=draw(rosters(frame, schools)),
            answers=answers,
            unedited=draw(unedited(answers, schools)),
            calendar=draw(calendars(frame, schools)),
            need_mode=draw(st.sampled_from(("student", "household"))),
            refreshes=tuple(frame.at(offset, 3) for offset in refreshes),
        )
    )


@st.composite
def frames(draw: st.DrawFn) -> telling.Frame:
    length = draw(st.integers(20, 45))
    around = draw(st.sampled_from(AWKWARD))
    return telling.Frame(
        zone=draw(st.sampled_from(ZONES[:2])),
        first=around - timedelta(days=draw(st.integers(1, length - 5))),
        length=length,
    )


@st.composite
def all_plans(draw: st.DrawFn) -> described.Plan:
    periods = ["day", "month", "cycle", "year"]
    return described.Plan(
        key=draw(st.sampled_from("ab")),
        allowance_bytes=draw(st.sampled_from((None, 1, 3 * MB, 40 * MB, 100 * MB))),
        period=draw(st.sampled_from(periods)),
        cycle_day=draw(st.sampled_from((1, 5, 15, 28))),
        at_allowance=draw(st.sampled_from(("stop", "throttle", "charge", "none"))),
        is_pooled=draw(st.booleans()),
        starts_on=draw(st.sampled_from((None, date(2025, 3, 5), date(2024, 2, 29)))),
    )


@st.composite
def sources(draw: st.DrawFn, frame: telling.Frame) -> list[telling.Source]:
    """A carrier, and at times a router's manager or a portal's files."""
    found = [draw(source(frame, "carrier", rank=1, ways=telling.WAYS))]
    second = draw(st.sampled_from((None, None, "router", "file")))
    if second == "router":
        found.append(
            draw(
                source(
                    frame, "router", rank=draw(st.sampled_from((1, 2))), ways=(telling.CYCLE, telling.PARTS)
                )
            )
        )
    if second == "file":
        found.append(draw(source(frame, "file", rank=3, ways=(telling.FILES,))))
    return found


@st.composite
def source(
    draw: st.DrawFn, frame: telling.Frame, key: str, *, rank: int, ways: Sequence[str]
) -> telling.Source:
    way = draw(st.sampled_from(tuple(ways)))
    cadence = draw(st.sampled_from((6, 12) if way == telling.PARTS else (3, 6, 12)))
    blind = (
        draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=2)) if key != "file" else []
    )
    return telling.Source(
        account=described.Account(
            key=key,
            zone=draw(st.sampled_from(ZONES)),
            lag_days=draw(st.sampled_from((0, 0, 1, 2))),
            rank=rank,
            cadence=timedelta(hours=cadence),
        ),
        way=way,
        hours=tuple(range(draw(st.integers(0, 2)), 24, cadence)),
        minute=draw(st.sampled_from((0, 10, 55))),
        blind=tuple(blind),
        tells_status=key == "carrier",
        tells_online=key == "router" or draw(st.booleans()),
    )


@dataclass(frozen=True)
class Fleet:
    devices: tuple[described.Device, ...]
    lines: tuple[described.Line, ...]
    links: tuple[described.Link, ...]


@st.composite
def fleets(draw: st.DrawFn, frame: telling.Frame, plans: Sequence[described.Plan]) -> Fleet:
    kinds = draw(
        st.lists(
            st.sampled_from(("hotspot", "hotspot", "fixed_router", "bus_router", "laptop")),
            max_size=8 if draw(st.integers(0, 3)) == 0 else 4,
        )
    )
    keys = [None, *(plan.key for plan in plans)]
    lines = [
        described.Line(
            number=number,
            observed_since=frame.at(draw(st.sampled_from((0, 0, 0, 4, 12))), 6),
            plan=draw(st.sampled_from(keys)),
        )
        for number in range(1, len(kinds) + 1)
    ]
    devices = tuple(described.Device(number, kind) for number, kind in enumerate(kinds, 1))
    links = [link for line in lines for link in draw(links_of(frame, line.number, len(devices)))]
    return Fleet(devices, tuple(lines), tuple(links))


@st.composite
def links_of(draw: st.DrawFn, frame: telling.Frame, line: int, devices: int) -> list[described.Link]:
    """Most lines stay where they were; one may move to another device, or come out of its own."""
    where = draw(st.sampled_from(("stays", "stays", "stays", "moves", "leaves", "comes")))
    moved_at = frame.at(draw(st.integers(2, frame.length - 2)), draw(st.sampled_from((0, 9, 23))))
    if where == "stays":
        return [described.Link(line, line)]
    if where == "leaves":
        return [described.Link(line, line, None, moved_at)]
    if where == "comes":
        return [described.Link(line, line, moved_at)]
    other = draw(st.integers(1, devices))
    later = moved_at + timedelta(hours=draw(st.sampled_from((0, 0, 30))))
    return [described.Link(line, line, None, moved_at), described.Link(line, other, later)]


@st.composite
def lives(draw: st.DrawFn, frame: telling.Frame, first_day: int) -> telling.Life:
    """What a line goes through: its use, status and signal in runs of days."""
    return telling.Life(
        levels=draw(runs(frame, st.sampled_from(LEVELS))),
        statuses=draw(runs(frame, st.sampled_from((*(STATUSES[:1] * 6), *STATUSES)))),
        signals=draw(st.sampled_from((None, None, -120.0, -110.0, -109.0))),
        samples=draw(st.sampled_from((2, 3, 4))),
        evenings_off=draw(st.sampled_from((0, 1, 2, 3))),
        first_day=first_day,
        reset_on=draw(st.none() | st.integers(1, frame.length - 1)),
        late=draw(st.lists(st.tuples(st.integers(0, frame.length - 1), st.integers(1, 9)), max_size=2)),
        corrected=draw(
            st.lists(
                st.tuples(st.integers(0, frame.length - 1), st.integers(1, 9), st.sampled_from(LEVELS)),
                max_size=2,
            )
        ),
        file_days=draw(st.sampled_from((3, 7, 8, 30))),
    )


def runs(frame: telling.Frame, values: st.SearchStrategy[T]) -> st.SearchStrategy[list[T]]:
    """A value for each day, in runs."""
    run = st.tuples(st.integers(1, 15), values)
    return st.lists(run, min_size=1, max_size=6).map(lambda parts: _days(frame, parts))


def _days(frame: telling.Frame, parts: list[tuple[int, T]]) -> list[T]:
    found = [value for length, value in parts for _ in range(length)]
    return (found * frame.length)[: frame.length]


@st.composite
def limits(
    draw: st.DrawFn, lines: Sequence[described.Line], accounts: Sequence[telling.Source]
) -> tuple[described.Limit, ...]:
    figures = st.sampled_from((None, 1, 3 * MB, 40 * MB))
    return tuple(
        described.Limit(line.number, accounts[0].account.key, draw(figures), draw(figures))
        for line in lines
        if draw(st.sampled_from((False, False, True)))
    )


@st.composite
def all_loans(
    draw: st.DrawFn,
    frame: telling.Frame,
    devices: Sequence[described.Device],
    schools: Sequence[described.School],
) -> tuple[described.Loan, ...]:
    """One after another of each device, at times lent again on the day it came back."""
    found: list[described.Loan] = []
    for device in devices:
        at = draw(st.integers(-40, 15))
        for _ in range(draw(st.integers(0, 3))):
            length = draw(st.none() | st.integers(0, 40))
            found.append(
                described.Loan(
                    number=len(found) + 1,
                    device=device.number,
                    school=draw(st.sampled_from([school.number for school in schools])),
                    checked_out_on=frame.day(at),
                    returned_on=None if length is None else frame.day(at + length),
                    borrower=draw(st.sampled_from(("", "s1", "s2", "s3", "s4"))),
                    household=draw(st.sampled_from(("", "h1", "h2"))),
                    is_told_late=draw(st.sampled_from((False, False, True))),
                )
            )
            if length is None:
                break
            at += length + draw(st.sampled_from((0, 0, 1, 9)))
            if length == 0:
                at += 1
    return tuple(found)


@st.composite
def need_totals(
    draw: st.DrawFn, frame: telling.Frame, schools: Sequence[described.School]
) -> tuple[described.NeedTotal, ...]:
    found: dict[tuple[int, date], described.NeedTotal] = {}
    for school in schools:
        for _ in range(draw(st.integers(0, 2))):
            need = draw(st.integers(0, 3))
            answered = need + draw(st.integers(0, 3))
            as_of = frame.day(draw(st.sampled_from((-800, -600, -400, -20, 0, 7, 21))))
            enrolled = answered + draw(st.integers(0, 3))
            found[school.number, as_of] = described.NeedTotal(school.number, as_of, enrolled, answered, need)
    return tuple(found.values())


@st.composite
def rosters(
    draw: st.DrawFn, frame: telling.Frame, schools: Sequence[described.School]
) -> tuple[described.Enrollment, ...]:
    """At times none at all; students come, go and change schools."""
    found: list[described.Enrollment] = []
    for student in draw(st.sampled_from(((), STUDENTS))):
        at = draw(st.sampled_from((-400, -400, -10, 5)))
        for _ in range(draw(st.integers(0, 2))):
            length = draw(st.sampled_from((None, None, 15, 410)))
            found.append(
                described.Enrollment(
                    student=student,
                    school=draw(st.sampled_from(schools)).number,
                    starts_on=frame.day(at),
                    ends_on=None if length is None else frame.day(at + length),
                )
            )
            if length is None:
                break
            at += length + draw(st.sampled_from((0, 4)))
    return tuple(found)


@st.composite
def all_answers(
    draw: st.DrawFn, frame: telling.Frame, schools: Sequence[described.School]
) -> tuple[described.Answer, ...]:
    found: dict[tuple[str, date], described.Answer] = {}
    for student in draw(st.sampled_from(((), STUDENTS))):
        for _ in range(draw(st.integers(0, 2))):
            answered_on = frame.day(draw(st.sampled_from((-800, -600, -400, -20, 0, 7, 21))))
            found[student, answered_on] = draw(answers_of(student, answered_on, schools))
    return tuple(found.values())


@st.composite
def unedited(
    draw: st.DrawFn, answers: Sequence[described.Answer], schools: Sequence[described.School]
) -> tuple[described.Answer, ...]:
    return tuple(
        draw(answers_of(answer.student, answer.answered_on, schools))
        for answer in answers
        if draw(st.sampled_from((False, False, True)))
    )


def answers_of(
    student: str, answered_on: date, schools: Sequence[described.School]
) -> st.SearchStrategy[described.Answer]:
    return st.builds(
        described.Answer,
        student=st.just(student),
        answered_on=st.just(answered_on),
        school=st.sampled_from([None, *(school.number for school in schools)]),
        household=st.sampled_from(("", "h1", "h2")),
        has_access=st.sampled_from((None, None, True, False)),
        access_type=st.sampled_from((None, "hot_spot", "hot_spot", *ACCESS_TYPES)),
        performance=st.sampled_from((None, None, "yes", "sometimes", "no")),
        is_documented=st.sampled_from((False, False, False, True)),
    )


@st.composite
def calendars(
    draw: st.DrawFn, frame: telling.Frame, schools: Sequence[described.School]
) -> tuple[described.CalendarDay, ...]:
    """None at all, or school days with a break, a holiday and half days, that may begin late or end early."""
    if draw(st.booleans()):
        return ()
    first, last = draw(st.sampled_from(((-60, 60), (-60, 60), (5, 60), (-60, 10))))
    out = draw(st.tuples(st.integers(0, frame.length), st.integers(0, 9)))
    kinds: dict[tuple[int | None, date], str] = {}
    for offset in range(first, last):
        day = frame.day(offset)
        if out[0] <= offset < out[0] + out[1]:
            kinds[None, day] = "break"
        elif day.weekday() < 5:
            kinds[None, day] = draw(st.just("instructional")) if offset % 9 else "half_day"
    for offset in draw(st.lists(st.integers(0, frame.length - 1), max_size=3)):
        if (None, frame.day(offset)) in kinds:
            school = draw(st.sampled_from(schools)).number
            kinds[school, frame.day(offset)] = draw(
                st.sampled_from(("instructional", "half_day", "break", "holiday"))
            )
    return tuple(described.CalendarDay(day, kind, school) for (school, day), kind in kinds.items())
