"""Metrics of which every family has a series."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from service import metrics
from service.model import alert_rules, costs, equity
from service.store import alert_counts, coverage, hourly, queues, reclaim, reconciliation
from tests import snapshots

DISTRICT = 7


def observed(
    *,
    minimum_cell_size: int = metrics.MINIMUM_CELL_SIZE,
    rows: Sequence[snapshots.SchoolRow] = snapshots.SCHOOLS,
) -> metrics.Metrics:
    made = metrics.Metrics(minimum_cell_size=minimum_cell_size)
    made.request_observed(district=DISTRICT, account="carrier", outcome="ok", seconds=0.2)
    made.sweep_finished(
        district=DISTRICT, account="carrier", outcome="succeeded", seconds=40, rows=1200, rejected=3
    )
    made.poll_skipped(district=DISTRICT, account="carrier")
    made.gap_recorded(district=DISTRICT, account="carrier", seconds=5400)
    made.budget_planned(district=DISTRICT, account="carrier", share=0.4, requests_per_second=2)
    made.export_tried(district=DISTRICT, profile="shareable", outcome="made", at=snapshots.NOW.timestamp())
    made.rules_known(DISTRICT, [rule("idle_30"), rule("data_stale", owner="it", severity="high")])
    made.show(snapshot(rows))
    return made


def value(made: metrics.Metrics, name: str, **labels: str) -> float | None:
    return made.registry.get_sample_value(f"afterbell_{name}", {"district": str(DISTRICT), **labels})


def snapshot(rows: Sequence[snapshots.SchoolRow] = snapshots.SCHOOLS) -> coverage.Snapshot:
    plain = snapshots.snapshot(rows)
    return replace(plain, districts=tuple(whole(district) for district in plain.districts))


def whole(district: coverage.District) -> coverage.District:
    """With all that is read beside coverage."""
    schools = [_with_devices(school) for school in district.schools]
    return replace(
        district,
        schools=tuple(schools),
        day=None if district.day is None else replace(district.day, served_outside_need=9, unattributed=2),
        program=program(district.schools),
        equity=equity.of(_for_equity(school, at) for at, school in enumerate(district.schools)),
        reconciliation=found(),
        alerts=alerts(),
        queues=queued(),
    )


def _with_devices(school: coverage.School) -> coverage.School:
    return replace(
        school,
        served_outside_need=3,
        student_devices=40,
        student_devices_active=30,
        student_devices_elsewhere=20,
    )


def _for_equity(school: coverage.School, at: int) -> equity.School:
    return equity.School(
        ncessch=school.ncessch,
        name=school.name,
        enrolled=school.enrolled,
        need=school.need,
        loaned=school.loaned or 0,
        adequate=school.adequate or 0,
        unknown=school.unknown or 0,
        coverage=school.coverage,
        is_high_needs=school.is_high_needs,
        indicator="isp",
        indicator_value=at / 12,
        indicator_year="2026-27",
    )


def program(schools: Sequence[coverage.School]) -> hourly.Program:
    """Each school has 50 lines in use, 4 idle, and 2 of which nothing is known, at $15 a line."""
    each = [_cost(school.ncessch, school.name) for school in schools]
    total = sum((one.idle for one in each), costs.NONE)
    used = sum((one.used for one in each), costs.NONE)
    unknown = sum((one.unknown for one in each), costs.NONE)
    return hourly.Program(
        read_at=snapshots.NOW,
        costs=costs.Costs(
            district_id=DISTRICT,
            first_on=date(2026, 10, 1),
            last_on=date(2026, 10, 31),
            months=1,
            is_complete=True,
            figure_on=date(2026, 10, 30),
            district=costs.Cost(
                ncessch=None, name=None, used=used, idle=total, unknown=unknown, adequate=500
            ),
            schools=tuple(each),
            other_lines=costs.NONE,
            not_in_service=costs.NONE,
        ),
        reclaim=reclaim.Reclaim(
            district_id=DISTRICT, on_day=snapshots.REPORTED_ON, days=30, items=(), unheard=0
        ),
        pilots=(),
    )


def _cost(ncessch: str, name: str) -> costs.Cost:
    return costs.Cost(
        ncessch=ncessch,
        name=name,
        used=costs.Lines(lines=50, with_cost=50, cost=Decimal(750)),
        idle=costs.Lines(lines=4, with_cost=4, cost=Decimal(60)),
        unknown=costs.Lines(lines=2, with_cost=2, cost=Decimal(30)),
        adequate=40,
    )


def found() -> reconciliation.Summary:
    counts = [
        reconciliation.Count(
            kind="line_without_loan",
            ncessch=ncessch,
            school=None,
            findings=findings,
            oldest_on=snapshots.REPORTED_ON,
            monthly_cost=None,
            without_cost=findings,
        )
        for ncessch, findings in ((snapshots.ncessch(0), 5), (None, 2))
    ]
    return reconciliation.Summary(
        on_day=snapshots.REPORTED_ON,
        computed_at=snapshots.NOW,
        lines=900,
        lines_untold=3,
        lines_in_no_device=1,
        counts=tuple(counts),
    )


def alerts() -> alert_counts.Alerts:
    """idle_30 has alerts; data_stale ran, found nothing, and failed."""

    def count(state: str, alerts: int, quiet: int) -> alert_counts.Count:
        return alert_counts.Count(rule="idle_30", severity="warning", state=state, alerts=alerts, quiet=quiet)

    return alert_counts.Alerts(
        counts=(count("pending", 4, 0), count("firing", 12, 5)),
        runs=(run("idle_30", breached=16), run("data_stale", is_failing=True)),
    )


def run(rule: str, *, breached: int = 0, is_failing: bool = False) -> alert_counts.Run:
    return alert_counts.Run(
        rule=rule,
        evaluated_at=snapshots.NOW - timedelta(minutes=2),
        judged_on=snapshots.REPORTED_ON,
        seconds=0.25,
        breached=breached,
        unjudged=1,
        failing_since_at=snapshots.NOW if is_failing else None,
    )


def queued() -> queues.Queues:
    hour = timedelta(hours=1)
    mail = queues.Channel(
        channel_key="it-mail",
        last_success_at=snapshots.NOW - hour,
        failing_since_at=None,
        waiting=3,
        oldest_due_at=snapshots.NOW + hour,
        sent=8,
        given_up=1,
    )
    return queues.Queues(
        days=2,
        first_day_on=snapshots.REPORTED_ON - timedelta(days=1),
        flips=6,
        oldest_flip_at=snapshots.NOW - timedelta(minutes=1),
        channels=(mail,),
    )


def rule(name: str, *, owner: str = "coordinator", severity: str = "warning") -> alert_rules.Rule:
    text = f"""-- title: A title
-- about: family
-- severity: {severity}
-- owner: {owner}
-- action: do it
-- why: because
SELECT 1"""
    return alert_rules.parse(name, text, profile="local")
