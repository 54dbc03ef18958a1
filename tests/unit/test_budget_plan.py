"""Do the sweeps fit what the vendors allow, and what gives way where they do not?"""

from datetime import timedelta
from typing import Any

import pytest

from collectors import base, budget, entry
from service.polling import accounts, budget_plan
from service.store import source
from tests import scripted

MINUTES = timedelta(minutes=1)


def account(
    key: str = "verizon", rate: float = 3.0, credential: str = "one", *groups: base.EndpointGroup
) -> Any:
    spending = entry.Spending(credential, budget.Terms(rate))
    return accounts.Account(
        key, source.Source(1, hash(key)), scripted.Source(endpoint_groups=groups), spending
    )


def per_line(name: str, minutes: int, priority: int = 1) -> base.EndpointGroup:
    cadence = minutes * MINUTES
    return scripted.group(
        name, cadence=cadence, page_size=2000, line_cost=1, priority=priority, lists_lines=False
    )


def listing(minutes: int, page_size: int = 100) -> base.EndpointGroup:
    return scripted.group("devices", cadence=minutes * MINUTES, page_size=page_size)


def plan(lines: int, *polled: accounts.Account) -> dict[str, budget_plan.Planned]:
    made = budget_plan.of_accounts(polled, {one.source: lines for one in polled})
    return {f"{planned.account.key} {planned.group.name}": planned for planned in made}


def test_what_fits_is_left_as_it_was_asked_for() -> None:
    planned = plan(5_000, account("verizon", 3.0, "one", listing(15)))["verizon devices"]
    assert (planned.requests, planned.is_stretched) == (50, False)
    assert planned.every == 15 * MINUTES


def test_what_cannot_fit_says_so_in_plain_words_and_is_stretched() -> None:
    planned = plan(5_000, account("verizon", 3.0, "one", per_line("usage", 15)))["verizon usage"]
    assert str(planned) == (
        "district 1, account verizon, usage: 5,000 lines need 28 minutes at this vendor's limit; cadence is 15 minutes"
    )
    assert planned.every >= planned.takes / budget_plan.USABLE
    assert planned.every < planned.takes / budget_plan.USABLE + MINUTES


def test_the_lowest_priority_is_stretched_first_and_the_list_last() -> None:
    groups = (listing(15), per_line("usage", 60), per_line("sessions", 60, priority=2))
    planned = plan(5_000, account("verizon", 3.0, "one", *groups))
    assert not planned["verizon devices"].is_stretched
    assert not planned["verizon usage"].is_stretched
    assert planned["verizon sessions"].is_stretched
    assert sum(one.load for one in planned.values()) <= budget_plan.USABLE


def test_accounts_that_share_a_credential_share_its_budget_on_the_stricter_terms() -> None:
    first = account("east", 10.0, "shared", per_line("usage", 30))
    second = account("west", 2.0, "shared", per_line("usage", 30))
    planned = plan(2_000, first, second)
    assert {one.spending.terms.requests_per_second for one in planned.values()} == {2.0}
    assert sum(one.load for one in planned.values()) <= budget_plan.USABLE
    alone = plan(2_000, account("east", 10.0, "own", per_line("usage", 30)))
    assert not alone["east usage"].is_stretched


def test_what_no_stretching_makes_fit_is_overloaded() -> None:
    made = budget_plan.of_accounts(
        [hopeless := account("verizon", 0.01, "one", per_line("usage", 60))], {hopeless.source: 100_000}
    )
    assert made[0].every == budget_plan.LONGEST
    assert budget_plan.overload(made) > 1
    assert budget_plan.overload([]) == 0


def test_the_plan_is_in_the_order_of_the_accounts_whatever_their_credentials() -> None:
    polled = [
        account(key, 10.0, credential, listing(15))
        for key, credential in (("b", "z"), ("a", "y"), ("c", "x"))
    ]
    made = budget_plan.of_accounts(polled, {one.source: 1 for one in polled})
    assert [planned.account.key for planned in made] == ["b", "a", "c"]


def test_pretend_accounts_have_no_plan() -> None:
    pretend = accounts.Account("demo", source.Source(1, 1), scripted.Source())
    assert budget_plan.of_accounts([pretend], {pretend.source: 10}) == []


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=45), "45 seconds"),
        (timedelta(minutes=28), "28 minutes"),
        (timedelta(hours=6), "6 hours"),
        (timedelta(minutes=149), "2.5 hours"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(days=7), "7 days"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_spans_are_spoken(span: timedelta, words: str) -> None:
    assert budget_plan.spoken(span) == words
