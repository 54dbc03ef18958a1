"""Small pretend districts: the true counts of a few schools over a few months."""

import random
from dataclasses import dataclass
from datetime import date

from tests.privacy import counts

Schools = dict[str, dict[str, int | None]]  # by NCESSCH

FIRST_ON = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))


@dataclass(frozen=True, slots=True)
class Moment:
    """A month as its facts stood when a package was made of it."""

    month_on: date
    schools: Schools
    lines: int
    idle_lines: int
    revision: int = 1

    @property
    def name(self) -> str:
        return f"{self.month_on:%Y-%m} r{self.revision}"


@dataclass(frozen=True, slots=True)
class District:
    """``moments`` in the order of their release."""

    moments: tuple[Moment, ...]
    need_is_of_students: bool = True  # by answers of each student: loans to others stay outside
    high_needs: frozenset[str] = frozenset()
    pilot: frozenset[str] = frozenset()
    price: int = 15
    dear: tuple[str, int] | None = None  # a school whose lines have another price, and that
    profiles: tuple[bool, ...] = (False,)  # of the packages of each moment, in this order: strict or not

    @property
    def truths(self) -> dict[str, Schools]:
        return {moment.name: moment.schools for moment in self.moments}


def ncessch(place: int) -> str:
    return f"4101230{place + 1:05d}"


def school(
    draw: random.Random, *, need: int | None, enrolled: int, in_need_only: bool = True
) -> dict[str, int | None]:
    """A school with this need; the rest follows by chance, near what schools are like."""
    told: dict[str, int | None] = dict.fromkeys(counts.COUNTS, 0)
    told |= {"enrolled": enrolled, "need": need}
    answered = draw.randint(need or 0, enrolled)
    most = enrolled if need is None or not in_need_only else need
    loaned = draw.randint(most * draw.choice((0, 1, 1, 1)) * 2 // 3, most)
    active_30 = draw.randint(loaned * 2 // 3, loaned)
    active_7 = draw.randint(active_30 * 3 // 4, active_30)
    unknown = draw.choice((0, 0, min(loaned, draw.randint(0, 3)), draw.randint(0, loaned)))
    adequate = min(draw.randint(active_7 * 3 // 4, active_7), loaned - unknown)
    idle_30 = draw.randint(0, loaned - active_30)
    idle_60 = draw.randint(0, idle_30)
    told |= {"loaned": loaned, "active_30": active_30, "active_7": active_7, "adequate": adequate}
    told |= {"unknown": unknown, "answered": None if need is None else answered}
    told |= {"idle_30": idle_30, "idle_60": idle_60, "idle_90": draw.randint(0, idle_60)}
    told |= {
        "waitlist": draw.choice((None, 0, draw.randint(0, min(12, enrolled)))),
        "lost_month": draw.choice((0, 0, 1, 2)),
    }
    return told


def needs(draw: random.Random, kind: str, schools: int) -> list[int | None]:
    """``kind``: small, mixed, large, equal, zero, tiny, unknown."""
    if kind == "equal":
        return [draw.randint(1, 25)] * schools
    ranges = {"small": (1, 12), "mixed": (0, 30), "large": (15, 60), "zero": (0, 30), "tiny": (15, 40)}
    found: list[int | None] = [draw.randint(*ranges.get(kind, (0, 30))) for _ in range(schools)]
    if kind == "zero":
        found[0] = 0
    if kind == "tiny":
        found[0] = draw.randint(1, 9)
    if kind == "unknown":
        found[0] = None
    return found


KINDS = ("small", "mixed", "large", "equal", "zero", "tiny", "unknown", "full", "surplus")


def month(
    draw: random.Random, month_on: date, kind: str, schools: int, before: Schools | None = None
) -> Moment:
    """After a month before, need mostly stays."""
    made: Schools = {}
    for place, need in enumerate(needs(draw, kind, schools)):
        name = ncessch(place)
        old = before[name] if before else None
        stays = old is not None and draw.random() < 0.7
        kept = old["need"] if old and stays else need
        enrolled = (old or {}).get("enrolled") or draw.randint((need or 0) + 5, (need or 0) * 3 + 30)
        kept = None if kept is None else min(kept, enrolled)
        made[name] = school(draw, need=kept, enrolled=enrolled, in_need_only=kind != "surplus")
        if kind == "full" and kept is not None:
            made[name] |= dict.fromkeys(("loaned", "active_30", "active_7", "adequate"), kept)
            made[name] |= dict.fromkeys(("unknown", "idle_30", "idle_60", "idle_90"), 0)
    return moment(month_on, made, extra=draw.choice((0, 0, draw.randint(0, 5))))


def moment(month_on: date, schools: Schools, *, extra: int = 0, revision: int = 1) -> Moment:
    """``extra``: lines without a loan, all of them idle."""
    lines = sum(s["loaned"] or 0 for s in schools.values()) + extra
    idle = sum(s["idle_30"] or 0 for s in schools.values()) + extra
    return Moment(month_on, schools, lines, idle, revision)


def corrected(draw: random.Random, of: Moment) -> Moment:
    """The same month after late data: one school's use was more, or its need was told wrong."""
    schools = {name: dict(told) for name, told in of.schools.items()}
    told = schools[draw.choice(sorted(schools))]
    if draw.random() < 0.5 and told["need"] is not None and told["answered"] is not None:
        room = [need for need in range(told["need"] - 2, told["need"] + 3) if 0 <= need <= told["answered"]]
        told["need"] = draw.choice([need for need in room if need >= (told["loaned"] or 0)] or [told["need"]])
    else:
        told["adequate"] = draw.randint(
            0, min(told["active_7"] or 0, (told["loaned"] or 0) - (told["unknown"] or 0))
        )
    return Moment(of.month_on, schools, of.lines, of.idle_lines, of.revision + 1)


def any_district(seed: int, *, most_schools: int = 4, most_months: int = 3) -> District:
    draw = random.Random(seed)
    kind, schools = draw.choice(KINDS), draw.randint(2, most_schools)
    moments = [month(draw, FIRST_ON[0], kind, schools)]
    for month_on in FIRST_ON[1 : min(most_months, draw.choice((1, 1, 2, 3)))]:
        if draw.random() < 0.3:
            moments.append(corrected(draw, moments[-1]))
        moments.append(month(draw, month_on, kind, schools, moments[-1].schools))
    names = sorted(moments[0].schools)
    return District(
        tuple(moments),
        need_is_of_students=kind != "surplus",
        high_needs=frozenset(draw.sample(names, draw.randint(0, schools))),
        pilot=frozenset(draw.sample(names, draw.randint(1, schools))),
        profiles=draw.choice(((False,), (False,), (False,), (True,), (False, True), (True, False))),
        dear=draw.choice((None, (draw.choice(names), 31))),
    )
