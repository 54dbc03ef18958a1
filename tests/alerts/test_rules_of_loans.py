"""What each rule about loans and families finds on its day, and what it leaves alone."""

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from tests import factories
from tests.alerts import judging, lent
from tests.alerts.lent import DAY, NOW, Lent, ago

UNUSED = {"never_used": 7, "idle_early": 14, "idle_30": 30, "idle_60_notice": 60}
TAKEN_OVER = {
    "never_used": ("idle_early", "idle_30", "idle_60_notice"),
    "idle_early": ("idle_30", "idle_60_notice"),
    "idle_30": ("idle_60_notice",),
}
LAST_DAY = date(2027, 6, 11)  # of school


@pytest.fixture
async def loans(pool: asyncpg.Pool) -> Lent:
    return await lent.lent(pool)


def midnight(on: date) -> datetime:
    return datetime.combine(on, datetime.min.time(), ZoneInfo(factories.ZONE))


def state_of(rule: str) -> str:
    return "never_used" if rule == "never_used" else "idle"


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
async def test_a_hotspot_is_told_of_on_the_day_its_clock_is_full_and_not_the_day_before(
    loans: Lent, rule: str, days: int
) -> None:
    early = await loans.unused(days - 1, days - 1, state=state_of(rule))
    full = await loans.unused(days, days, state=state_of(rule))
    found = await loans.judge(rule)
    assert f"loan:{early}" not in found
    assert found[f"loan:{full}"].is_breached
    assert found[f"loan:{full}"].value == days
    assert found[f"loan:{full}"].school_id == loans.school_id


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
async def test_a_district_decides_itself_how_long_is_too_long(loans: Lent, rule: str, days: int) -> None:
    loan = await loans.unused(days - 3, days - 3, state=state_of(rule))
    assert await loans.breached(rule, threshold=days - 3) == [f"loan:{loan}"]
    assert await loans.breached(rule, threshold=days - 2) == []


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
async def test_what_is_unknown_is_never_unused_and_leaves_an_alert_as_it_stands(
    loans: Lent, rule: str, days: int
) -> None:
    blind = await loans.unused(days + 1, days + 1, state="unknown")
    await loans.pool.execute("UPDATE loan_days SET last_used_on = NULL WHERE loan_id = $1", blind)
    assert await loans.judge(rule) == {}
    await loans.alert(rule, f"loan:{blind}")
    assert (await loans.judge(rule))[f"loan:{blind}"].is_breached is None


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
async def test_use_puts_it_right(loans: Lent, rule: str, days: int) -> None:
    used = await loans.unused(0, 0, state="adequate")
    await loans.alert(rule, f"loan:{used}")
    found = (await loans.judge(rule))[f"loan:{used}"]
    assert found.is_breached is False
    assert found.details["state"] == "adequate"


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
@pytest.mark.parametrize("state", ["suspended", "exhausted", "weak"])
async def test_a_line_that_was_stopped_is_not_the_family_s_doing(
    loans: Lent, rule: str, days: int, state: str
) -> None:
    loan = await loans.unused(days + 5, days + 5, state=state)
    await loans.alert(rule, f"loan:{loan}")
    assert (await loans.judge(rule))[f"loan:{loan}"].is_breached is False


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
async def test_hotspots_that_are_back_or_lost_are_not_told_of(loans: Lent, rule: str, days: int) -> None:
    for told in ({"back": DAY + timedelta(days=1)}, {"lost": DAY}):
        await loans.unused(days, days, state=state_of(rule), **told)  # type: ignore[arg-type]
    kept = await loans.unused(days, days, state=state_of(rule), back=DAY + timedelta(days=2))
    assert list(await loans.judge(rule)) == [f"loan:{kept}"]


@pytest.mark.parametrize(("rule", "days"), UNUSED.items())
async def test_only_the_judged_day_of_the_judged_district_is_read(loans: Lent, rule: str, days: int) -> None:
    loan = await loans.unused(days, days, state=state_of(rule))
    for on in (ago(1), DAY + timedelta(days=1)):
        await loans.unused(0, 0, state="adequate", on=on, loan_id=loan)
    assert await loans.breached(rule) == [f"loan:{loan}"]
    assert await loans.breached(rule, on=ago(1)) == []
    await factories.district(loans.pool, 2)
    assert await judging.judge(loans.pool, rule, on=DAY, now=NOW, district_id=2) == []


@pytest.mark.parametrize(
    ("rule", "higher"), [(rule, higher) for rule, all_of in TAKEN_OVER.items() for higher in all_of]
)
async def test_of_several_rules_about_one_hotspot_only_the_last_is_told(
    loans: Lent, rule: str, higher: str
) -> None:
    loan = await loans.unused(70, 70, state="never_used")
    await loans.alert(higher, f"loan:{loan}")
    assert await loans.judge(rule) == {}
    await loans.alert(rule, f"loan:{loan}")
    taken = (await loans.judge(rule))[f"loan:{loan}"]
    assert taken.is_breached is False
    assert taken.details["taken_over_by"] == higher
    await loans.alert(higher, f"loan:{loan}", state="clear")
    assert await loans.breached(rule) == [f"loan:{loan}"]


async def test_the_rule_that_asks_for_most_is_the_one_that_takes_over(loans: Lent) -> None:
    loan = await loans.unused(70, 70, state="never_used")
    for rule in ("never_used", *TAKEN_OVER["never_used"]):
        await loans.alert(rule, f"loan:{loan}")
    assert (await loans.judge("never_used"))[f"loan:{loan}"].details["taken_over_by"] == "idle_60_notice"


async def test_a_loan_that_was_ever_used_is_not_never_used(loans: Lent) -> None:
    once = await loans.unused(9, 7, state="unknown")
    await loans.alert("never_used", f"loan:{once}")
    assert (await loans.judge("never_used"))[f"loan:{once}"].is_breached is False
    await loans.unused(9, 7, state="idle")
    assert await loans.breached("never_used") == []


async def test_days_without_school_do_not_count_before_two_weeks_of_school_are_over(loans: Lent) -> None:
    await loans.unused(29, 13)  # a break lay between
    due = await loans.unused(20, 14)
    assert await loans.breached("idle_early") == [f"loan:{due}"]


@pytest.mark.parametrize("rule", ["idle_early", "idle_60_notice"])
async def test_without_a_calendar_the_clock_of_school_days_is_unknown(loans: Lent, rule: str) -> None:
    loan = await loans.unused(200, None)
    assert await loans.judge(rule) == {}
    await loans.alert(rule, f"loan:{loan}")
    assert (await loans.judge(rule))[f"loan:{loan}"].is_breached is None


async def test_without_a_calendar_no_end_is_proposed_and_a_proposal_stands(loans: Lent) -> None:
    loan = await loans.unused(200, None)
    await loans.alert("idle_60_notice", f"loan:{loan}", fired_at=NOW - timedelta(days=40))
    assert await loans.breached("idle_90_terminate") == []
    await loans.alert("idle_90_terminate", f"loan:{loan}")
    assert (await loans.judge("idle_90_terminate"))[f"loan:{loan}"].is_breached is None


async def test_a_winter_break_gives_notice_under_erate_alone(loans: Lent) -> None:
    """An idle run of 62 days with 48 days of school in it."""
    loan = await loans.unused(62, 48)
    assert await loans.breached("idle_60_notice", profile="erate_2024") == [f"loan:{loan}"]
    for profile in ("local", "ecf"):
        assert await loans.judge("idle_60_notice", profile=profile) == {}
    assert judging.rule("idle_60_notice", "erate_2024").clock == "calendar"
    assert judging.rule("idle_60_notice", "local").clock == "instructional"


async def test_ten_blind_days_are_no_days_without_use(loans: Lent) -> None:
    """Idle for 55 days, then nothing was read for 10: the clock stands at 55 and goes on from there."""
    loan = await loans.unused(55, 55, state="unknown", on=ago(8))
    assert await loans.judge("idle_60_notice", profile="erate_2024", on=ago(8)) == {}
    await loans.unused(59, 59, on=ago(1), loan_id=loan)
    await loans.unused(60, 60, loan_id=loan)
    assert await loans.breached("idle_60_notice", profile="erate_2024", on=ago(1)) == []
    assert await loans.breached("idle_60_notice", profile="erate_2024") == [f"loan:{loan}"]


@pytest.mark.parametrize(("profile", "clock"), [("local", (130, 90)), ("erate_2024", (90, 64))])
async def test_ending_a_line_is_proposed_30_days_after_a_notice_that_still_stands(
    loans: Lent, profile: str, clock: tuple[int, int]
) -> None:
    loan = await loans.unused(*clock)
    subject = f"loan:{loan}"
    assert await loans.judge("idle_90_terminate", profile=profile) == {}
    await loans.alert("idle_60_notice", subject, fired_at=NOW - timedelta(days=29))
    assert await loans.judge("idle_90_terminate", profile=profile) == {}
    await loans.alert("idle_60_notice", subject, fired_at=NOW - timedelta(days=30))
    found = (await loans.judge("idle_90_terminate", profile=profile))[subject]
    assert found.is_breached
    assert found.details["noticed_on"] == ago(29).isoformat()
    await loans.alert("idle_60_notice", subject, fired_at=NOW - timedelta(days=40), state="clear")
    assert await loans.judge("idle_90_terminate", profile=profile) == {}


async def test_ending_a_line_is_not_proposed_before_90_days_and_not_after_use(loans: Lent) -> None:
    for days, state in ((89, "idle"), (0, "adequate"), (95, "suspended")):
        loan = await loans.unused(days, days, state=state)
        await loans.alert("idle_60_notice", f"loan:{loan}", fired_at=NOW - timedelta(days=40))
        await loans.alert("idle_90_terminate", f"loan:{loan}")
        assert (await loans.judge("idle_90_terminate"))[f"loan:{loan}"].is_breached is False


async def test_a_proposal_stands_while_nothing_is_known(loans: Lent) -> None:
    loan = await loans.unused(95, 95, state="unknown")
    await loans.alert("idle_60_notice", f"loan:{loan}", fired_at=NOW - timedelta(days=40))
    assert await loans.judge("idle_90_terminate") == {}
    await loans.alert("idle_90_terminate", f"loan:{loan}")
    assert (await loans.judge("idle_90_terminate"))[f"loan:{loan}"].is_breached is None


async def test_who_is_told_of_lines_to_end_depends_on_who_pays() -> None:
    owners = {
        profile: judging.rule("idle_90_terminate", profile).owner
        for profile in ("local", "ecf", "erate_2024")
    }
    assert owners == {"local": "it", "ecf": "finance", "erate_2024": "finance"}
    assert judging.rule("idle_30", "local").severity == "warning"
    assert judging.rule("idle_30", "ecf").severity == "high"


async def test_a_breach_began_at_the_midnight_of_the_day_that_filled_the_clock(loans: Lent) -> None:
    loan = await loans.unused(34, 22)  # used 34 days ago
    found = (await loans.judge("idle_30"))[f"loan:{loan}"]
    assert found.since_at == midnight(ago(34) + timedelta(days=30))
    assert found.details == {
        "state": "idle",
        "idle_days": 34,
        "instructional_days": 22,
        "last_used_on": ago(34).isoformat(),
    }


async def test_on_the_clock_of_school_days_a_breach_began_on_a_day_of_school(loans: Lent) -> None:
    await loans.calendar(ago(60), DAY)
    await loans.calendar(date(2026, 10, 12), date(2026, 10, 12), "holiday")
    loan = await loans.unused(27, 18)  # 14 four days of school before the 20th: the 19th, 16th, 15th, 14th
    found = (await loans.judge("idle_early"))[f"loan:{loan}"]
    assert found.since_at == midnight(date(2026, 10, 14))
    more = await loans.unused(29, 20)  # six before: the 13th, then over the holiday to the 9th
    assert (await loans.judge("idle_early"))[f"loan:{more}"].since_at == midnight(date(2026, 10, 9))


async def test_a_loan_without_use_says_since_when_it_is_watched(loans: Lent) -> None:
    loan = await loans.unused(9, 7, state="never_used")
    details = (await loans.judge("never_used"))[f"loan:{loan}"].details
    assert details["known_since_on"] == ago(120).isoformat()
    assert "last_used_on" not in details


async def test_a_loan_is_overdue_from_the_day_after_it_was_due(loans: Lent) -> None:
    await loans.lend(due_on=DAY)
    late = await loans.lend(due_on=ago(3))
    await loans.lend()
    found = await loans.judge("overdue")
    assert list(found) == [f"loan:{late}"]
    assert found[f"loan:{late}"].value == 3
    assert found[f"loan:{late}"].since_at == midnight(ago(2))
    assert found[f"loan:{late}"].details == {"overdue_days": 3, "due_on": ago(3).isoformat()}
    assert await loans.breached("overdue", on=ago(3)) == []
    assert await loans.breached("overdue", on=ago(2)) == [f"loan:{late}"]


async def test_days_of_grace_are_a_threshold(loans: Lent) -> None:
    loan = await loans.lend(due_on=ago(7))
    assert await loans.breached("overdue", threshold=7) == [f"loan:{loan}"]
    assert await loans.breached("overdue", threshold=8) == []


async def test_a_later_due_date_a_return_or_a_loss_ends_it(loans: Lent) -> None:
    await loans.lend(due_on=ago(3), back=ago(1))
    await loans.lend(due_on=ago(3), back=DAY + timedelta(days=1))
    await loans.lend(due_on=ago(3), lost=ago(1))
    await loans.lend(due_on=ago(3), kind="laptop")
    extended = await loans.lend(due_on=ago(3))
    assert await loans.breached("overdue") == [f"loan:{extended}"]
    await loans.pool.execute("UPDATE loans SET due_on = $2 WHERE loan_id = $1", extended, DAY)
    assert await loans.judge("overdue") == {}


async def enroll(loans: Lent, student: str, since: date, until: date | None = None) -> None:
    await loans.pool.execute(
        "INSERT INTO enrollments (district_id, student, starts_on, ends_on, school_id) VALUES (1, $1, $2, $3, $4)",
        student,
        since,
        until,
        loans.school_id,
    )


async def test_a_student_who_left_is_told_of_the_day_after(loans: Lent) -> None:
    await enroll(loans, "left", ago(100), ago(1))
    await enroll(loans, "leaves", ago(100), DAY)
    await enroll(loans, "stays", ago(100))
    left, _ = [await loans.lend(borrower=student) for student in ("left", "leaves")]
    found = await loans.judge("left_district")
    assert list(found) == [f"loan:{left}"]
    assert found[f"loan:{left}"].is_breached
    assert found[f"loan:{left}"].since_at == midnight(DAY)
    assert found[f"loan:{left}"].details == {"left_days": 1, "left_on": ago(1).isoformat()}
    assert await loans.breached("left_district", threshold=2) == []


async def test_who_is_here_comes_back_or_was_never_named_has_not_left(loans: Lent) -> None:
    await enroll(loans, "here", ago(100))
    await enroll(loans, "moved", ago(100), ago(10))
    await enroll(loans, "moved", ago(10))
    await enroll(loans, "goes soon", ago(100), ago(10))
    await enroll(loans, "goes soon", ago(10), DAY + timedelta(days=5))
    await enroll(loans, "comes", ago(100), ago(10))
    await enroll(loans, "comes", DAY + timedelta(days=20))
    for student in ("here", "moved", "goes soon", "comes", "stranger", ""):
        await loans.lend(borrower=student)
    assert await loans.judge("left_district") == {}


async def test_who_has_left_is_unknown_while_the_roster_has_nobody(loans: Lent) -> None:
    """As between two school years, where the next one's is not there yet."""
    for student in ("left", "stays"):
        await enroll(loans, student, ago(100), ago(10))
        await loans.lend(borrower=student)
    found = await loans.judge("left_district")
    assert [row.is_breached for row in found.values()] == [None, None]


async def test_leaving_counts_from_the_loan_where_that_came_later(loans: Lent) -> None:
    await enroll(loans, "left", ago(100), ago(50))
    late = await loans.lend(ago(4), borrower="left")
    found = (await loans.judge("left_district"))[f"loan:{late}"]
    assert found.value == 4
    assert found.since_at == midnight(ago(3))


async def test_a_hotspot_that_came_back_or_is_lost_left_with_nobody(loans: Lent) -> None:
    await enroll(loans, "left", ago(100), ago(50))
    await loans.lend(ago(90), borrower="left", back=ago(49))
    await loans.lend(ago(40), borrower="left", back=DAY + timedelta(days=1))
    await loans.lend(ago(30), borrower="left", lost=ago(20))
    assert await loans.judge("left_district") == {}


async def test_a_second_hotspot_of_a_student_is_told_of_and_the_first_is_not(loans: Lent) -> None:
    await loans.lend(ago(60), borrower="a")
    second = await loans.lend(ago(30), borrower="a")
    await loans.lend(ago(30), borrower="b")
    await loans.lend(ago(30))
    await loans.lend(ago(30))
    found = await loans.judge("duplicate_loan")
    assert list(found) == [f"loan:{second}"]
    assert found[f"loan:{second}"].value == 2
    assert found[f"loan:{second}"].since_at == midnight(ago(30))
    assert found[f"loan:{second}"].details == {"hotspots": 2, "counted_by": "student"}
    assert await loans.breached("duplicate_loan", on=ago(31)) == []
    assert await loans.breached("duplicate_loan", threshold=3) == []


async def test_a_router_a_laptop_a_lost_and_a_returned_hotspot_make_no_second_one(loans: Lent) -> None:
    await loans.lend(ago(60), borrower="a")
    await loans.lend(ago(50), borrower="a", kind="fixed_router")
    await loans.lend(ago(50), borrower="a", kind="laptop")
    await loans.lend(ago(50), borrower="a", lost=ago(10))
    await loans.lend(ago(50), borrower="a", back=DAY + timedelta(days=1))
    assert await loans.judge("duplicate_loan") == {}


async def test_siblings_share_a_hotspot_only_where_the_district_counts_homes(loans: Lent) -> None:
    await loans.lend(ago(60), borrower="a", household="home")
    sibling = await loans.lend(ago(50), borrower="b", household="home")
    alone = await loans.lend(ago(40), borrower="b")
    await loans.pool.execute("UPDATE loans SET household = 'home' WHERE loan_id = $1", sibling)
    assert await loans.breached("duplicate_loan") == [f"loan:{alone}"]
    await loans.pool.execute("UPDATE districts SET need_mode = 'household'")
    found = await loans.judge("duplicate_loan")
    assert list(found) == [f"loan:{sibling}"]
    assert found[f"loan:{sibling}"].details["counted_by"] == "household"


async def test_where_no_home_is_told_the_student_counts(loans: Lent) -> None:
    await loans.pool.execute("UPDATE districts SET need_mode = 'household'")
    await loans.lend(ago(60), borrower="a")
    second = await loans.lend(ago(50), borrower="a")
    await loans.lend(ago(40), borrower="b")
    assert await loans.breached("duplicate_loan") == [f"loan:{second}"]


async def test_two_students_of_one_hash_are_two_students(loans: Lent) -> None:
    alike = await loans.pool.fetchrow(
        "SELECT min(name) AS one, max(name) AS other"
        " FROM (SELECT 's' || number AS name FROM generate_series(1, 300000) AS number) AS made"
        " GROUP BY hashtext(name) HAVING count(*) > 1 LIMIT 1"
    )
    for student in (alike["one"], alike["other"]):
        await loans.lend(borrower=student)
    assert await loans.judge("duplicate_loan") == {}


async def test_who_pays_decides_how_serious_a_second_hotspot_is() -> None:
    assert judging.rule("duplicate_loan", "local").severity == "warning"
    assert judging.rule("duplicate_loan", "ecf").severity == "high"
    assert judging.rule("duplicate_loan", "erate_2024").severity == "high"


@pytest.mark.parametrize("days", [30, 14, 0])
async def test_collection_begins_on_its_day_before_the_last_day_of_school(loans: Lent, days: int) -> None:
    await loans.calendar(date(2026, 8, 31), LAST_DAY)
    await loans.lend()
    await loans.lend(due_on=LAST_DAY)
    rule, on = f"collection_{days}", ago(days, LAST_DAY)
    assert await loans.judge(rule, on=ago(1, on)) == {}
    (found,) = (await loans.judge(rule, on=on)).values()
    assert found.subject == f"school:{loans.school_id}"
    assert found.is_breached
    assert found.since_at == midnight(on)
    assert found.details == {"hotspots": 2, "days_left": days, "last_day_of_school": LAST_DAY.isoformat()}


@pytest.mark.parametrize("days", [30, 14, 0])
async def test_a_district_decides_itself_when_to_begin_collecting(loans: Lent, days: int) -> None:
    await loans.calendar(date(2026, 8, 31), LAST_DAY)
    await loans.lend()
    on = ago(days + 5, LAST_DAY)
    assert await loans.breached(f"collection_{days}", on=on) == []
    assert await loans.breached(f"collection_{days}", on=on, threshold=days + 5) == [
        f"school:{loans.school_id}"
    ]


@pytest.mark.parametrize("days", [30, 14, 0])
async def test_collection_is_over_when_all_is_back_lost_or_due_later(loans: Lent, days: int) -> None:
    await loans.calendar(date(2026, 8, 31), LAST_DAY)
    on = ago(days, LAST_DAY)
    await loans.lend(due_on=LAST_DAY + timedelta(days=1))
    await loans.lend(back=on + timedelta(days=1))
    await loans.lend(lost=on)
    await loans.lend(on + timedelta(days=1))
    await loans.lend(kind="laptop")
    assert await loans.judge(f"collection_{days}", on=on) == {}


async def test_of_several_rules_about_one_collection_only_the_last_is_told(loans: Lent) -> None:
    await loans.calendar(date(2026, 8, 31), LAST_DAY)
    await loans.lend()
    subject = f"school:{loans.school_id}"
    await loans.alert("collection_30", subject)
    for rule, later in (("collection_30", "collection_14"), ("collection_14", "collection_0")):
        assert await loans.breached(rule, on=LAST_DAY) == [subject]
        await loans.alert(later, subject)
        found = (await loans.judge(rule, on=LAST_DAY))[subject]
        assert (found.is_breached, found.details["taken_over_by"]) == (False, later)
    assert await loans.breached("collection_0", on=LAST_DAY + timedelta(days=9)) == [subject]


@pytest.mark.parametrize("last", [None, date(2026, 12, 18)])
@pytest.mark.parametrize("days", [30, 14, 0])
async def test_without_the_calendar_of_the_whole_year_its_last_day_is_unknown(
    loans: Lent, days: int, last: date | None
) -> None:
    await loans.lend()
    if last is not None:
        await loans.calendar(date(2026, 8, 31), last)
    on = ago(days, date(2026, 12, 18))
    assert await loans.judge(f"collection_{days}", on=on) == {}
    await loans.alert(f"collection_{days}", f"school:{loans.school_id}")
    assert (await loans.judge(f"collection_{days}", on=on))[f"school:{loans.school_id}"].is_breached is None


@pytest.mark.parametrize("days", [30, 14, 0])
async def test_a_school_ends_on_the_last_day_of_its_own_calendar(loans: Lent, days: int) -> None:
    await loans.calendar(date(2026, 8, 31), LAST_DAY)
    longer = await factories.school(loans.pool, "410192000002")
    shorter = await factories.school(loans.pool, "410192000003")
    for school_id, on, kind in (
        (longer, LAST_DAY + timedelta(days=3), "half_day"),
        (shorter, LAST_DAY, "break"),
    ):
        await loans.lend(school_id=school_id)
        await loans.pool.execute(
            "INSERT INTO school_calendar_days VALUES (1, $1, $2, $3::day_kind)", school_id, on, kind
        )
    await loans.lend()
    found = {
        row.school_id: row.details["last_day_of_school"]
        for row in (await loans.judge(f"collection_{days}", on=LAST_DAY, threshold=30)).values()
    }
    assert found == {
        loans.school_id: "2027-06-11",
        longer: "2027-06-14",
        shorter: "2027-06-10",
    }


async def test_collection_ends_with_the_school_year(loans: Lent) -> None:
    await loans.calendar(date(2026, 8, 31), LAST_DAY)
    await loans.calendar(date(2027, 8, 30), date(2028, 6, 9))
    await loans.lend()
    assert await loans.breached("collection_0", on=date(2027, 6, 30)) == [f"school:{loans.school_id}"]
    assert await loans.judge("collection_0", on=date(2027, 7, 1)) == {}


READ_BY_DAY = ["never_used", "idle_early", "idle_30", "idle_60_notice", "idle_90_terminate"]


@pytest.mark.parametrize("name", READ_BY_DAY)
async def test_a_rule_reads_one_month_of_loan_days(loans: Lent, name: str) -> None:
    await loans.pool.execute("SELECT ensure_partitions('2026-01-01', '2026-12-31')")
    await loans.unused(95, 95)
    rule = judging.rule(name)
    async with loans.pool.acquire() as connection, connection.transaction():
        plan = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {rule.query}",
            *_values(rule.query, DAY, rule.threshold, rule.clock),
        )
    tables = {table for table in _tables(json.loads(plan)[0]["Plan"]) if table.startswith("loan_days")}
    assert tables == {"loan_days_202610"}


def _values(query: str, on: date, threshold: float | None, clock: str) -> list[Any]:
    values = [1, on, NOW, threshold, clock]
    assert all(f"${place}" in query for place in range(1, 6))
    return values


def _tables(node: dict[str, Any]) -> set[str]:
    own = {node["Relation Name"]} if "Relation Name" in node else set()
    return own.union(*(_tables(child) for child in node.get("Plans", [])))
