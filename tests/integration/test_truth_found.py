"""Cases that whole districts brought up: each small enough to be checked by hand."""

from dataclasses import replace
from datetime import date, timedelta

from tests.reference import compared, database, described, small
from tests.reference.small import MB

compute = database.compute

FIRST = date(2026, 9, 1)
DAY = timedelta(days=1)


def _on(offset: int) -> date:
    return FIRST + timedelta(days=offset)


def test_a_status_read_at_midnight_is_that_of_the_day_that_ends(compute: database.Compute) -> None:
    midnight = small.at(_on(2), 0)
    state = described.State(1, "carrier", midnight, midnight, "suspended", "loan_desk")
    district = small.district(FIRST, _on(2), usage=small.daily(FIRST, [0, 0, 0]), states=(state,))
    rows = compute(district)
    assert rows.line_days[_on(1), 1, "carrier"]["status"] == "suspended"
    assert rows.loan_days[_on(1), 1]["reason"] == "loan_desk"
    assert compared.differences(district, rows) == []


def test_a_day_total_that_falls_keeps_the_greatest_total(compute: database.Compute) -> None:
    noon = small.at(FIRST, 12)
    earlier = described.Usage(1, "carrier", "counter", "day", noon, 40 * MB, noon)
    district = small.district(
        FIRST, FIRST, usage=(earlier, *small.daily(FIRST, [3 * MB])), states=small.active(FIRST, FIRST)
    )
    rows = compute(district)
    assert rows.line_days[FIRST, 1, "carrier"]["used_bytes"] == 40 * MB
    assert compared.differences(district, rows) == []


def test_a_zero_that_was_read_a_day_before_its_day_ended_is_unknown(compute: database.Compute) -> None:
    """The evening that nobody saw may have been used: read at two in the morning, a sweep each six hours."""
    account = replace(small.CARRIER, cadence=timedelta(hours=6))
    early = small.at(_on(1), 2)
    district = small.district(
        FIRST,
        _on(2),
        accounts=(account,),
        usage=(
            *small.daily(FIRST, [0]),
            described.Usage(1, "carrier", "counter", "day", early, 0, early),
            *small.daily(_on(2), [0]),
        ),
        states=small.active(FIRST, _on(2)),
    )
    rows = compute(district)
    assert rows.line_days.get((_on(1), 1, "carrier"), {}).get("used_bytes") is None
    assert rows.line_days[_on(2), 1, "carrier"]["used_bytes"] == 0
    assert compared.differences(district, rows) == []


def test_parts_that_leave_most_of_a_day_out_do_not_make_it_a_day_of_zero(compute: database.Compute) -> None:
    account = replace(small.CARRIER, cadence=timedelta(hours=3))
    parts = tuple(
        described.Usage(1, "carrier", "interval", "part", starts, 0, ends, ends)
        for day, hours in ((FIRST, (12,)), (_on(1), (0, 6, 12, 18)))
        for hour in hours
        for starts in [small.at(day, hour)]
        for ends in [starts + timedelta(hours=6)]
    )
    district = small.district(
        FIRST,
        _on(1),
        accounts=(account,),
        usage=parts,
        states=small.active(FIRST, _on(1)),
        now=small.at(_on(2), 1),
    )
    rows = compute(district)
    assert rows.line_days.get((FIRST, 1, "carrier"), {}).get("used_bytes") is None
    assert rows.line_days[_on(1), 1, "carrier"]["used_bytes"] == 0
    assert compared.differences(district, rows) == []


def test_bytes_in_a_blind_window_start_the_clocks_anew(compute: database.Compute) -> None:
    """Idle for three days, four days unseen with 500 MB, idle again: the last use is in the window."""
    totals = [9 * MB, 9 * MB, 9 * MB, 9 * MB, None, None, None, 509 * MB, 509 * MB, 509 * MB]
    district = small.district(
        FIRST,
        _on(9),
        usage=small.daily(FIRST, totals, series="cycle"),
        states=small.active(FIRST, _on(9)),
    )
    rows = compute(district)
    assert rows.loan_days[_on(3), 1]["idle_days"] == 3
    assert rows.loan_days[_on(9), 1]["idle_days"] == 2
    assert compared.differences(district, rows) == []


def test_a_file_begun_in_other_hands_says_nothing_of_the_loan(compute: database.Compute) -> None:
    """Lent on the 5th: that the month's file has bytes may be the borrower before."""
    span = described.FileSpan(1, "carrier", FIRST, _on(20), 30 * MB, small.at(_on(20), 12))
    loans = (
        described.Loan(1, 1, 1, FIRST - 9 * DAY, _on(4), "s1"),
        described.Loan(2, 1, 1, _on(4), None, "s2"),
    )
    district = small.district(FIRST, _on(21), spans=(span,), loans=loans, states=small.active(FIRST, _on(21)))
    rows = compute(district)
    assert rows.loan_days[_on(10), 2]["is_used_7"] is None
    assert rows.loan_days[_on(10), 2]["state"] == "unknown"


def test_use_at_a_home_before_is_not_use_of_a_loan(compute: database.Compute) -> None:
    loans = (
        described.Loan(1, 1, 1, FIRST - DAY, _on(3), "s1"),
        described.Loan(2, 1, 2, _on(3), None, "s2"),
    )
    district = small.district(
        FIRST,
        _on(5),
        schools=(described.School(1), described.School(2)),
        loans=loans,
        usage=small.daily(FIRST, [5 * MB, 5 * MB, 5 * MB, 0, 0, 0]),
        states=small.active(FIRST, _on(5)),
    )
    rows = compute(district)
    assert rows.loan_days[_on(2), 1]["state"] == "adequate"
    assert rows.loan_days[_on(3), 2]["state"] == "never_used"
    assert compared.differences(district, rows) == []


def test_equal_ranks_are_settled_by_the_finer_figure_then_the_first_account(
    compute: database.Compute,
) -> None:
    second = described.Account("router", small.ZONE, rank=1, cadence=timedelta(hours=12))
    told = small.daily(FIRST, [3 * MB])
    again = tuple(replace(use, account="router", total_bytes=8 * MB) for use in told)
    district = small.district(
        FIRST,
        FIRST,
        accounts=(small.CARRIER, second),
        usage=(*told, *again),
        states=small.active(FIRST, FIRST),
    )
    rows = compute(district)
    assert rows.loan_days[FIRST, 1]["used_bytes"] == 3 * MB
    assert compared.differences(district, rows) == []


def test_a_later_zero_file_of_a_loan_begun_in_its_period_still_says_unused(compute: database.Compute) -> None:
    span = described.FileSpan(1, "carrier", FIRST, _on(20), 0, small.at(_on(20), 12))
    loans = (described.Loan(1, 1, 1, _on(4), None, "s1"),)
    district = small.district(FIRST, _on(21), spans=(span,), loans=loans, states=small.active(FIRST, _on(21)))
    assert compute(district).loan_days[_on(15), 1]["is_used_7"] is False


def test_a_suspension_without_a_reason_is_the_carriers(compute: database.Compute) -> None:
    district = small.district(
        FIRST,
        _on(1),
        usage=small.daily(FIRST, [0, 0]),
        states=small.active(FIRST, _on(1), status="suspended"),
    )
    rows = compute(district)
    assert rows.loan_days[_on(1), 1]["state"] == "suspended"
    assert rows.loan_days[_on(1), 1]["reason"] == "carrier"
    assert compared.differences(district, rows) == []


def test_a_file_of_zero_bytes_makes_its_days_known_and_the_clocks_run(compute: database.Compute) -> None:
    span = described.FileSpan(1, "carrier", FIRST, _on(20), 0, small.at(_on(20), 12))
    district = small.district(FIRST, _on(20), spans=(span,), states=small.active(FIRST, _on(20)))
    rows = compute(district)
    assert rows.line_days[_on(9), 1, "carrier"]["used_bytes"] == 0
    assert rows.loan_days[_on(19), 1]["idle_days"] == 20
    assert rows.loan_days[_on(19), 1]["state"] == "never_used"
    assert compared.differences(district, rows) == []


def test_a_daily_cap_counts_in_every_sort_of_figure(compute: database.Compute) -> None:
    """40 MB a day by the cycle's counter alone, where 40 MB is the day's allowance."""
    totals = [MB, 41 * MB, 81 * MB, 121 * MB, 161 * MB]
    plan = described.Plan("daily", allowance_bytes=40 * MB, period="day", at_allowance="stop")
    district = small.district(
        FIRST,
        _on(4),
        plans=(plan,),
        lines=(described.Line(1, small.at(FIRST, 6), plan="daily"),),
        usage=small.daily(FIRST, totals, series="cycle"),
        states=small.active(FIRST, _on(4)),
    )
    rows = compute(district)
    assert rows.loan_days[_on(2), 1]["state"] != "exhausted"
    assert rows.loan_days[_on(3), 1]["reason"] == "day_allowance"
    assert compared.differences(district, rows) == []


def test_signal_at_a_home_before_does_not_make_a_new_loan_weak(compute: database.Compute) -> None:
    faint = tuple(
        described.Signal(1, "carrier", measured, measured, -120.0)
        for offset in range(3)
        for minute in range(10)
        for measured in [small.at(_on(offset), 12, minute)]
    )
    loans = (
        described.Loan(1, 1, 1, FIRST - DAY, _on(3), "s1"),
        described.Loan(2, 1, 1, _on(3), None, "s2"),
    )
    district = small.district(
        FIRST,
        _on(4),
        loans=loans,
        usage=small.daily(FIRST, [5 * MB] * 5),
        states=small.active(FIRST, _on(4)),
        signals=faint,
    )
    rows = compute(district)
    assert rows.loan_days[_on(2), 1]["reason"] == "signal"
    assert rows.loan_days[_on(3), 2]["state"] == "adequate"
    assert compared.differences(district, rows) == []


def test_parts_of_a_day_belong_to_the_districts_day(compute: database.Compute) -> None:
    """Evening on the Pacific coast, told by a provider whose days are of UTC."""
    account = replace(small.CARRIER, zone="UTC")
    starts = small.at(FIRST, 17)  # midnight in UTC
    ends = starts + timedelta(hours=6)
    district = small.district(
        FIRST,
        _on(1),
        accounts=(account,),
        usage=(described.Usage(1, "carrier", "interval", "part", starts, 7 * MB, ends, ends),),
        states=small.active(FIRST, _on(1)),
    )
    rows = compute(district)
    assert rows.line_days[FIRST, 1, "carrier"]["used_bytes"] == 7 * MB
    assert compared.differences(district, rows) == []


def test_bytes_of_a_line_before_it_came_into_the_device_are_not_the_loans(compute: database.Compute) -> None:
    """Blind for four days with 9 MB while the line was in no device; then only zeros, in the lent one."""
    came = small.at(_on(5), 9)
    totals = [MB, None, None, None, 10 * MB, *[10 * MB] * 8]
    district = small.district(
        FIRST,
        _on(12),
        links=(described.Link(1, 1, came),),
        usage=small.daily(FIRST, totals, series="cycle"),
        states=small.active(FIRST, _on(12)),
    )
    rows = compute(district)
    assert rows.loan_days[_on(12), 1]["state"] == "never_used"
    assert compared.differences(district, rows) == []


def test_an_answer_that_is_corrected_changes_the_days_since_it_was_given(compute: database.Compute) -> None:
    said = described.Answer("s1", FIRST - 100 * DAY, school=1, has_access=True)
    district = small.district(
        FIRST,
        _on(9),
        totals=(),
        answers=(replace(said, has_access=False),),
        unedited=(said,),
        usage=small.daily(FIRST, [5 * MB] * 10),
        states=small.active(FIRST, _on(9)),
        refreshes=(small.at(_on(5), 3),),
    )
    rows = compute(district)
    assert rows.school_days[_on(1), 1]["need"] == 1
    assert rows.school_days[_on(1), 1]["coverage"] == 1
    assert compared.differences(district, rows) == []


def test_a_loan_that_is_told_late_changes_the_days_since_it_began(compute: database.Compute) -> None:
    loan = described.Loan(1, 1, 1, _on(2), None, "s1", is_told_late=True)
    district = small.district(
        FIRST,
        _on(9),
        loans=(loan,),
        usage=small.daily(FIRST, [5 * MB] * 10),
        states=small.active(FIRST, _on(9)),
        refreshes=(small.at(_on(5), 3),),
    )
    rows = compute(district)
    assert (_on(1), 1) not in rows.loan_days
    assert rows.school_days[_on(3), 1]["adequate"] == 1
    assert compared.differences(district, rows) == []
