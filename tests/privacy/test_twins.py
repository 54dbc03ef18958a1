"""Two districts that the attacker cannot tell apart have the same package, byte for byte: its tables in every format,
the report's words and numbers, and the charts."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.exports import published, report, shareable
from service.exports.writing import package
from tests import exporting
from tests.privacy import attacking, districts, made

SCHOOLS = {
    districts.ncessch(0): {
        "need": 23,
        "loaned": 17,
        "active_30": 13,
        "active_7": 12,
        "adequate": 11,
        "unknown": 1,
    },
    districts.ncessch(1): {
        "need": 14,
        "loaned": 12,
        "active_30": 11,
        "active_7": 7,
        "adequate": 7,
        "unknown": 0,
    },
    districts.ncessch(2): {
        "need": 8,
        "loaned": 6,
        "active_30": 6,
        "active_7": 5,
        "adequate": 3,
        "unknown": 3,
    },
}
BESIDE = {
    "enrolled": 60,
    "answered": 31,
    "waitlist": 3,
    "idle_30": 3,
    "idle_60": 2,
    "idle_90": 1,
    "lost_month": 1,
}


def district(*, is_strict: bool) -> districts.District:
    schools: districts.Schools = {name: {**BESIDE, **told} for name, told in SCHOOLS.items()}
    first = districts.moment(districts.FIRST_ON[0], schools, extra=2)
    second = replace(first, month_on=districts.FIRST_ON[1])
    names = sorted(schools)
    return districts.District(
        (first, second),
        high_needs=frozenset(names[:1]),
        pilot=frozenset(names[1:2]),
        profiles=(is_strict,),
    )


def files(folder: Path, told: published.Published) -> dict[str, bytes]:
    folder.mkdir()
    with package.Writer(folder, title="Pretend") as writer:
        for table, rows in shareable.tables(told):
            writer.table(table, rows)
        writer.charts(shareable.charts(told))
        for language in ("en", "es"):
            made_report = report.made(told, language=language)
            writer.file(f"report-{language}.html", made_report.html)
            writer.file(f"report-{language}.pdf", made_report.pdf)
        writer.finish()
    return exporting.bytes_of(folder)


@pytest.mark.parametrize("is_strict", [False, True])
def test_worlds_that_stay_possible_have_the_same_files(tmp_path: Path, is_strict: bool) -> None:
    one = district(is_strict=is_strict)
    found = attacking.attack(one)
    assert not found.findings
    assert found.twins
    twin = max(found.twins, key=lambda world: _moved(one, world))
    assert _moved(one, twin) > 3
    again = made.again(twin, found.packages)
    assert files(tmp_path / "one", found.packages[-1].told_with_pilot) == files(
        tmp_path / "other", again[-1].told_with_pilot
    )


def _moved(one: districts.District, other: districts.District) -> int:
    """How many counts of the last month differ."""
    told, twin = one.moments[-1].schools, other.moments[-1].schools
    return sum(
        twin[school][name] != count for school, counts in told.items() for name, count in counts.items()
    )
