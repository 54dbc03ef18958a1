"""The documents have every kind of contradiction and no other, with the figures that are in force."""

import re

from service.model import reconciliation
from service.store import reconciliation as rows
from tests.unit import test_docs

TEXT = test_docs.read(test_docs.DOCS / "reconciliation.md")
SCHEMA = test_docs.read(test_docs.ROOT / "sql" / "schema.sql")


def view(kind: str) -> str:
    found = re.search(rf"CREATE VIEW reconciliation_{kind} AS.*?;\n", SCHEMA, re.DOTALL)
    assert found is not None, kind
    return found[0]


def told(kind: str) -> str:
    table = test_docs.table_with(TEXT, "kind", "is found when")
    return next(" ".join(row.values()) for row in table if row["kind"] == f"`{kind}`")


def test_the_kinds_are_those_of_the_documents() -> None:
    names = [row["kind"].strip("`") for row in test_docs.table_with(TEXT, "kind", "is found when")]
    assert sorted(names) == sorted(reconciliation.BY_NAME)


def test_the_days_of_the_documents_are_those_of_the_views() -> None:
    assert "last seven days" in told("use_after_return")
    assert "d.on_day - 7" in view("use_after_return")
    for kind in reconciliation.KINDS:
        urgent = re.findall(r"(\d+) days on", told(kind.name))
        assert urgent == ([str(kind.urgent_days)] if kind.urgent_days else [])
    assert "31 days at most" in told("loan_on_suspended_line")
    assert "d.on_day - 31" in view("loan_on_suspended_line")
    assert "fewer than 7 in 10" in told("need_stale")
    assert "0.7 * o.enrolled" in view("need_stale")
    assert "more than a year old" in told("need_stale")
    assert "interval '1 year'" in view("need_stale")
    assert rows.KEPT_FOR.total_seconds() == 600
    assert "within ten minutes" in TEXT


def test_every_reason_that_a_view_gives_has_its_words() -> None:
    given = {
        word for kind in reconciliation.BY_NAME for word in re.findall(r"(?:THEN|ELSE) '(\w+)'", view(kind))
    }
    suspended = re.search(r"CREATE TYPE state_reason AS ENUM \(\n(.*?)-- suspended", SCHEMA, re.DOTALL)
    assert suspended is not None
    assert given | set(re.findall(r"'(\w+)'", suspended[1])) == set(reconciliation.REASONS)


def test_what_the_check_calls_wrong_is_documented() -> None:
    (line,) = [line for line in TEXT.splitlines() if "afterbell check" in line]
    doubtful = {kind.name for kind in reconciliation.KINDS if kind.is_about_coverage}
    assert set(re.findall(r"`(\w+)`", line)) == doubtful
