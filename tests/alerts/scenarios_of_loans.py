"""The stories of the rules about loans and families."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from tests.alerts.scenario import Scenario, Step, World, local
from tests.fleet import DISTRICT

LENT_ON = date(2026, 9, 1)  # a Tuesday
LAST_DAY = date(2027, 6, 11)  # of school


def _morning(after: date) -> str:
    return f"{after + timedelta(days=1)} 06:00"


async def _lend(world: World, *, on: date = LENT_ON, number: int = 1, borrower: str = "") -> None:
    """A school, and a hotspot lent by it."""
    if "school" not in world.ids:
        world.ids["school"] = await world.fleet.school("Alder Elementary", need=(400, 380, 60))
        await world.fleet.calendar(date(2026, 8, 31), LAST_DAY)
    world.ids[f"line {number}"] = await world.fleet.line(number, seen=f"{on} 00:00")
    world.ids[f"loan {number}"] = await world.fleet.lend(number, world.ids["school"], on, borrower=borrower)
    world.touched(on)


def _unused(
    rule: str,
    *,
    before: date,
    last: date,
    used_on: date | None,
    profile: str = "local",
    evaluated: date | None = None,
) -> Scenario:
    """A hotspot lent on LENT_ON whose line carries nothing (after ``used_on``) up to ``last``; then it is used."""

    async def setup(world: World) -> None:
        await _lend(world)
        await world.told(world.ids["line 1"], LENT_ON, before)
        if used_on is not None:
            await world.told(world.ids["line 1"], LENT_ON, used_on, 40.0)

    async def breach(world: World) -> None:
        await world.told(world.ids["line 1"], before + timedelta(days=1), last)

    async def recover(world: World) -> None:
        await world.told(world.ids["line 1"], last + timedelta(days=1), mb=120.0)

    return Scenario(
        rule=rule,
        setup=setup,
        breach=breach,
        recover=recover,
        before=local(_morning(before)),
        breached=local(_morning(last)),
        recovered=local(_morning(last + timedelta(days=1))),
        profile=profile,
        evaluated=() if evaluated is None else (local(_morning(evaluated)),),
    )


def _in_records(
    rule: str, *, setup: Step, breach: Step, recover: Step, before: date, breached: date, recovered: date
) -> Scenario:
    """What records alone tell, while the hotspot is in daily use."""

    def used(step: Step, last: date) -> Callable[[World], Awaitable[None]]:
        async def taken(world: World) -> None:
            await step(world)
            for name, line_id in world.ids.items():
                if name.startswith("line"):
                    await world.told(line_id, last - timedelta(days=1), last, 80.0)

        return taken

    return Scenario(
        rule=rule,
        setup=used(setup, before),
        breach=used(breach, breached),
        recover=used(recover, recovered),
        before=local(_morning(before)),
        breached=local(_morning(breached)),
        recovered=local(_morning(recovered)),
    )


async def _nothing(world: World) -> None:
    """Time alone does it."""


async def _lend_until(world: World) -> None:
    await _lend(world)
    await world.pool.execute(
        "UPDATE loans SET due_on = $2 WHERE district_id = $1", DISTRICT, date(2026, 10, 9)
    )


async def _return_on(world: World, on: date, number: int = 1) -> None:
    await world.pool.execute(
        "UPDATE loans SET returned_on = $3 WHERE district_id = $1 AND loan_id = $2",
        DISTRICT,
        world.ids[f"loan {number}"],
        on,
    )
    world.touched(on)


async def _returned_in_october(world: World) -> None:
    await _return_on(world, date(2026, 10, 13))


async def _enroll(world: World) -> None:
    await _lend(world, borrower="a pseudonym")
    await world.pool.execute(
        "INSERT INTO enrollments (district_id, student, starts_on, school_id)"
        " SELECT $1, student, $2, $3 FROM unnest(ARRAY['a pseudonym', 'another']) AS student",
        DISTRICT,
        date(2026, 8, 1),
        world.ids["school"],
    )


async def _leave(world: World) -> None:
    await world.pool.execute(
        "UPDATE enrollments SET ends_on = $2 WHERE district_id = $1 AND student = 'a pseudonym'",
        *(DISTRICT, date(2026, 10, 9)),
    )


async def _lend_one(world: World) -> None:
    await _lend(world, borrower="a pseudonym")


async def _lend_another(world: World) -> None:
    await _lend(world, on=date(2026, 10, 10), number=2, borrower="a pseudonym")


async def _return_the_other(world: World) -> None:
    await _return_on(world, date(2026, 10, 13), 2)


async def _lend_in_may(world: World) -> None:
    await _lend(world, on=date(2027, 5, 3))


def _collected(days: int) -> Scenario:
    """A hotspot lent in May, still out so many days before the last day of school, and back two days later."""
    judged = LAST_DAY - timedelta(days=days)

    async def recover(world: World) -> None:
        await _return_on(world, judged + timedelta(days=2))

    return _in_records(
        f"collection_{days}",
        setup=_lend_in_may,
        breach=_nothing,
        recover=recover,
        before=judged - timedelta(days=1),
        breached=judged,
        recovered=judged + timedelta(days=2),
    )


_OCTOBER = {"before": date(2026, 10, 9), "breached": date(2026, 10, 10), "recovered": date(2026, 10, 13)}

SCENARIOS = {
    scenario.rule: scenario
    for scenario in (
        _unused("never_used", before=date(2026, 9, 6), last=date(2026, 9, 7), used_on=None),
        # 14 and 60 days of school after the 4th, 30 days of any kind
        _unused("idle_early", before=date(2026, 9, 23), last=date(2026, 9, 24), used_on=date(2026, 9, 4)),
        _unused("idle_30", before=date(2026, 10, 3), last=date(2026, 10, 4), used_on=date(2026, 9, 4)),
        _unused(
            "idle_60_notice", before=date(2026, 11, 26), last=date(2026, 11, 27), used_on=date(2026, 9, 4)
        ),
        _unused(
            "idle_90_terminate",
            before=date(2026, 11, 2),
            last=date(2026, 12, 3),
            used_on=date(2026, 9, 4),
            profile="erate_2024",
            evaluated=date(2026, 11, 3),
        ),
        _in_records("overdue", setup=_lend_until, breach=_nothing, recover=_returned_in_october, **_OCTOBER),
        _in_records("left_district", setup=_enroll, breach=_leave, recover=_returned_in_october, **_OCTOBER),
        _in_records(
            "duplicate_loan", setup=_lend_one, breach=_lend_another, recover=_return_the_other, **_OCTOBER
        ),
        *(_collected(days) for days in (30, 14, 0)),
    )
}
