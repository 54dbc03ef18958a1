"""The pages of alerts, over HTTP, from rows in PostgreSQL: what they say, and what their buttons do."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

import sql
from service.store import alert_lists, alerts, coverage
from service.web import alert_facts, alert_views, asking, pages
from tests import snapshots
from tests.integration import alert_rows as rows
from tests.integration import test_sign_in, test_web
from tests.integration.test_sign_in import Browser

AGAVE, CHOLLA = "Agave Elementary", "Cholla Elementary"
PAGE = "/districts/7/alerts"
FAR = timedelta(days=400)


@pytest.fixture
async def district(pool: asyncpg.Pool) -> asyncpg.Pool:
    await snapshots.insert_district(pool)
    for index, name in enumerate((AGAVE, CHOLLA)):
        await snapshots.insert_school(pool, snapshots.SchoolRow(name=name), index=index)
    await rows.run(pool, "idle_30")
    return pool


@pytest.fixture
async def browser(district: asyncpg.Pool) -> AsyncIterator[Browser]:
    async with rows.served(district) as address, test_sign_in.opened(address) as opened:
        yield opened


async def text(browser: Browser, path: str = PAGE) -> str:
    answer = await browser.get(path)
    assert answer.status == 200, answer.text
    test_web.Outline(answer.text)
    return test_web.text_of(answer.text)


async def press(browser: Browser, alert_id: int, act: str, **headers: str | None) -> test_sign_in.Answer:
    """A button of the alert's page, as it stands."""
    form = await form_of(browser, alert_id)
    return await browser.post(f"{PAGE}/{alert_id}", {"form": form, "act": act}, **headers)


async def form_of(browser: Browser, alert_id: int) -> str:
    """What the page's hidden field holds; "" where it has no form."""
    found = re.search(r'name="form" value="([^"]+)"', (await browser.get(f"{PAGE}/{alert_id}")).text)
    return found[1] if found else ""


# The overview


async def test_alerts_are_counted_by_rule_and_school_the_most_severe_rule_first(
    browser: Browser, district: asyncpg.Pool
) -> None:
    for number in range(3):
        await rows.alert(district, "idle_30", f"loan:{number}", school=AGAVE)
    await rows.alert(district, "idle_30", "loan:9", school=CHOLLA, state="held", since=rows.SINCE - FAR)
    await rows.alert(district, "data_stale", "account:carrier", severity="critical")
    await rows.alert(district, "never_used", "loan:1", school=AGAVE, state="pending")
    await rows.alert(district, "never_used", "loan:2", school=AGAVE, state="clear")
    page = await text(browser)
    assert "4 alerts are firing, and 1 is held back, for coming and going too often." in page
    assert "Agave Elementary 3 0 Nov 16" in page
    assert "Cholla Elementary 0 1 Oct 12, 2025" in page
    assert "Of no one school 1 0 Nov 16" in page
    stale, idle = rows.RULES["data_stale"], rows.RULES["idle_30"]
    assert page.index(f"{stale.title} critical") < page.index(f"{idle.title} warning")
    assert idle.why in page
    assert f"What to do: {idle.action}" in page
    assert f"{rows.RULES['never_used'].title} info" not in page
    assert "Rules last looked 3 minutes ago, at Tuesday, November 17, 2026." in page


async def test_no_alert_is_a_sentence(browser: Browser) -> None:
    page = await text(browser)
    assert "No alert is firing." in page
    assert "Resolved in the last 7 days None." in page


async def test_what_is_chosen_is_shown_and_nothing_else(browser: Browser, district: asyncpg.Pool) -> None:
    await rows.alert(district, "idle_30", "loan:1", school=AGAVE)
    await rows.alert(district, "idle_30", "loan:2", school=CHOLLA, state="held")
    await rows.alert(district, "never_used", "loan:3", school=CHOLLA, state="pending")
    school = snapshots.ncessch(1)
    own_id = await district.fetchval("SELECT school_id FROM schools WHERE name = $1", CHOLLA)
    for asked, expected in (
        ("rule=idle_30", ["Loan 1 ", "Loan 2 "]),
        (f"rule=idle_30&school={school}", ["Loan 2 "]),
        (f"rule=idle_30&school={own_id}", ["Loan 2 "]),
        ("rule=idle_30&state=firing", ["Loan 1 "]),
        ("rule=idle_30&school=&state=held", ["Loan 2 "]),
        ("rule=never_used&state=pending", ["Loan 3 "]),
        ("rule=never_used", []),
        ("rule=data_stale", []),
        ("rule=idle_30&school=999999999999", []),
    ):
        page = await text(browser, f"{PAGE}?{asked}")
        assert re.findall(r"Loan \d ", page) == expected, asked
    assert "Only those of Cholla Elementary." in await text(browser, f"{PAGE}?school={school}")
    chosen = (await browser.get(f"{PAGE}?rule=idle_30&school={school}&state=held")).text
    assert re.findall(r'value="([^"]*)" selected', chosen) == ["idle_30", school, "held"]


@pytest.mark.parametrize(
    "asked", ["rule=Robert');--", "school=x", "state=clear", "page=0", "page=x", "page=99999999"]
)
async def test_what_cannot_be_asked_is_not_found(browser: Browser, asked: str) -> None:
    assert (await browser.get(f"{PAGE}?{asked}")).status == 404


async def test_a_rule_that_is_not_there_is_not_found_and_said_so(
    browser: Browser, district: asyncpg.Pool
) -> None:
    answer = await browser.get(f"{PAGE}?rule=idle_3")
    assert answer.status == 404
    assert "There is no such rule No rule in force here is called idle_3" in test_web.text_of(answer.text)
    await rows.alert(district, "gone_since", "loan:1", school=AGAVE, state="clear")
    assert (await browser.get(f"{PAGE}?rule=gone_since")).status == 200


async def test_a_rules_list_has_pages_of_100(browser: Browser, district: asyncpg.Pool) -> None:
    for number in range(103):
        await rows.alert(
            district, "idle_30", f"loan:{number}", school=AGAVE, value=30.0, since=rows.SINCE - timedelta(hours=number)
        )  # fmt: skip
    await rows.alert(district, "idle_30", "loan:900", school=AGAVE, severity="high")
    first, second = [await text(browser, f"{PAGE}?rule=idle_30&page={page}") for page in (1, 2)]
    assert "1 to 100 of 104, the most severe first, then the oldest." in first
    listed = [re.findall(r"Loan (\d+) ", page) for page in (first, second)]
    assert listed[0] + listed[1] == ["900", *map(str, reversed(range(103)))]
    assert "Page 1 of 2 Next" in first
    assert "Before Page 2 of 2" in second
    assert "30 days" in first
    assert f'href="{PAGE}?rule=idle_30&amp;page=2#each"' in (await browser.get(f"{PAGE}?rule=idle_30")).text
    assert "There are no more." in await text(browser, f"{PAGE}?rule=idle_30&page=3")


async def test_many_schools_are_cut_until_the_rule_is_chosen(
    browser: Browser, district: asyncpg.Pool
) -> None:
    for number in range(25):
        row = snapshots.SchoolRow(name=f"School {number:02}")
        await snapshots.insert_school(district, row, index=100 + number)
        await rows.alert(district, "idle_30", f"loan:{number}", school=row.name)
    page = await text(browser)
    assert "School 19 1 0" in page
    assert "School 20 1 0" not in page
    assert "and 5 more schools." in page
    assert "School 24 1 0" in await text(browser, f"{PAGE}?rule=idle_30")


async def test_what_was_resolved_in_the_last_week_is_told(browser: Browser, district: asyncpg.Pool) -> None:
    one = await rows.alert(district, "idle_30", "loan:1", school=AGAVE, state="clear")
    other = await rows.alert(district, "gone_rule", "line:1", state="clear")
    for alert_id, days in ((one, 1), (one, 3), (one, 8), (other, 6)):
        at = snapshots.NOW - timedelta(days=days)
        await rows.flip(district, alert_id, "cleared", reason="recovered", at=at, states=("firing", "clear"))
    page = await text(browser)
    assert f"{rows.RULES['idle_30'].title} Agave Elementary 2 Nov 19" in page
    assert "Gone rule Of no one school 1 Nov 14" in page
    own_id = await district.fetchval("SELECT school_id FROM schools WHERE name = $1", AGAVE)
    linked = await text(browser, f"{PAGE}?rule=idle_30&school={own_id}")
    assert "No alert is firing. Only those of Agave Elementary." in linked
    only = await text(browser, f"{PAGE}?rule=idle_30&school={snapshots.ncessch(1)}")
    assert "Resolved in the last 7 days None." in only


async def test_a_rule_that_fails_is_told_with_what_the_database_said(
    browser: Browser, district: asyncpg.Pool
) -> None:
    await rows.run(district, "never_used", error='relation "x" does not exist')
    page = await text(browser)
    assert "1 rule cannot be evaluated , so its alerts stay as they were:" in page
    assert f'{rows.RULES["never_used"].title}, since Nov 20, 2:02 PM MST: relation "x" does not exist' in (
        page.replace("&#34;", '"')
    )


async def test_what_people_do_and_what_is_in_doubt_is_counted(
    browser: Browser, district: asyncpg.Pool
) -> None:
    for number in range(4):
        await rows.alert(district, "idle_30", f"loan:{number}", school=AGAVE, is_judged=number > 0)
    await district.execute(
        "UPDATE alerts SET acknowledged_at = $1 WHERE subject IN ('loan:1', 'loan:2')", rows.SINCE
    )
    await district.execute(
        "UPDATE alerts SET snoozed_until_at = $1::timestamptz + CASE subject WHEN 'loan:3' THEN interval '1 day' "
        "ELSE '-1 day' END WHERE subject IN ('loan:2', 'loan:3')",
        snapshots.NOW,
    )
    assert "2 acknowledged, 1 snoozed, 1 with too little known now to judge." in await text(browser)
    listed = await text(browser, f"{PAGE}?rule=idle_30")
    assert "Loan 1 Agave Elementary Firing acknowledged warning" in listed
    assert "Loan 3 Agave Elementary Firing snoozed warning" in listed
    assert "Loan 0 Agave Elementary Firing too little is known now warning" in listed


async def test_another_district_is_not_there(browser: Browser, district: asyncpg.Pool) -> None:
    await snapshots.insert_district(district, district_id=8, name="Other District")
    alert_id = await rows.alert(district, "idle_30", "loan:1", district_id=8)
    assert "Loan 1" not in await text(browser, f"{PAGE}?rule=idle_30")
    assert (await browser.get(f"{PAGE}/{alert_id}")).status == 404
    assert (await press(browser, alert_id, "acknowledge")).status == 404
    assert (await browser.get("/districts/9/alerts")).status == 404
    assert await rows.kinds(district) == []


async def test_names_are_escaped(browser: Browser, district: asyncpg.Pool) -> None:
    await snapshots.insert_school(district, snapshots.SchoolRow(name="<b>Bold</b> & School"), index=50)
    alert_id = await rows.alert(
        district,
        "idle_30",
        "loan:1",
        school="<b>Bold</b> & School",
        details={"<i>": "<script>alert(1)</script>"},
    )
    for path in (PAGE, f"{PAGE}?rule=idle_30", f"{PAGE}/{alert_id}"):
        html = (await browser.get(path)).text
        assert "<b>Bold" not in html
        assert "<script" not in html
        assert "&lt;b&gt;Bold" in html


# One alert


async def test_an_alert_is_told_from_its_beginning(browser: Browser, district: asyncpg.Pool) -> None:
    details = {
        "last_used_on": "2026-10-02",
        "is_at_least": True,
        "days_left": 4.0,
        "none": None,
        "kinds": ["a", 2],
    }
    alert_id = await rows.alert(district, "idle_30", "loan:12", school=AGAVE, value=46, details=details)
    await rows.flip(district, alert_id, value=46, threshold=30, unit="days", since=rows.SINCE.isoformat())
    late = rows.SINCE + timedelta(days=2)
    await rows.flip(
        district,
        alert_id,
        "acknowledged",
        reason="by_hand",
        at=late,
        states=("firing", "firing"),
        actor="staff",
    )
    page = await text(browser, f"{PAGE}/{alert_id}")
    rule = rows.RULES["idle_30"]
    assert f"Loan 12: {rule.title} warning Firing at Agave Elementary So since Nov 16, 2:05 PM MST." in page
    assert rule.action in page
    assert rule.why in page
    assert "Value 46 days Threshold 30 days" in page
    assert "None not known Kinds a, 2 Days left 4 At least yes Last used Oct 2, 2026" in page
    told = page[page.index("What happened") :]
    assert "Nov 16, 2:05 PM MST : Fired: 46 days, threshold 30, since 16 November 2026, 14:05." in told
    assert told.index("Fired") < told.index("Nov 18, 2:05 PM MST : Acknowledged by staff.")


UNUSED = {"state": "never_used", "idle_days": 46, "instructional_days": 31}


@pytest.mark.parametrize(
    ("told", "since", "said"),
    [
        ({"last_used_on": "2026-10-02"}, "Oct 3, 2026", "Last used Oct 2, 2026"),
        ({"known_since_on": "2025-12-31"}, "Dec 31, 2025", "Known since Dec 31, 2025"),
    ],
)
async def test_an_unused_hotspot_says_since_when_and_that_the_alert_began_later(
    browser: Browser, district: asyncpg.Pool, told: dict[str, object], since: str, said: str
) -> None:
    details = UNUSED | told
    alert_id = await rows.alert(district, "idle_30", "loan:12", value=46, details=details)
    page = await text(browser, f"{PAGE}/{alert_id}")
    assert (
        f"So since Nov 16, 2:05 PM MST. Unused since {since}; "
        "that crossed the rule’s threshold when this began." in page
    )
    found = page[page.index("What was found") : page.index("What happened")]
    assert f"Unused since {since} Over the threshold since Nov 16, 2:05 PM MST Value 46 days" in found
    assert said in found
    assert "State never used" in found
    assert "School days without use 31" in found
    assert found.count("46") == 1
    await district.execute("UPDATE alerts SET state = 'clear'")
    assert "crossed" not in await text(browser, f"{PAGE}/{alert_id}")


async def test_an_unused_hotspot_of_which_no_day_is_told_has_none(
    browser: Browser, district: asyncpg.Pool
) -> None:
    for number, details in enumerate((UNUSED, UNUSED | {"last_used_on": "2026-99-99"})):
        alert_id = await rows.alert(district, "idle_30", f"loan:{number}", value=46, details=details)
        page = await text(browser, f"{PAGE}/{alert_id}")
        assert "So since Nov 16, 2:05 PM MST" in page
        assert "Unused since" not in page


async def test_what_was_found_is_told_in_words(browser: Browser, district: asyncpg.Pool) -> None:
    details = {
        "used_mb": 25.5,
        "returned_on": "2026-09-12",
        "is_upper_bound": False,
        "was_on_loan": False,
        "is_in_lent_device": True,
        "last_read_at": "2026-11-20T21:05:00+00:00",
        "reason": "few_answers",
        "rule": "idle_30",
        "need": 12,
    }
    alert_id = await rows.alert(district, "own_rule", "line:12", value=25.54, details=details)
    page = await text(browser, f"{PAGE}/{alert_id}")
    found = page[page.index("Value") : page.index("Last changed")]
    for said in (
        "Value 25.5", "Returned Sep 12, 2026", "Was on loan no", "Now in a device on loan yes",
        "Last read Nov 20, 2:05 PM MST", "Reason few answers", "Rule idle_30", "Students in need 12",
    ):  # fmt: skip
        assert said in found
    assert "MB" not in found
    assert "At most" not in found


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("used_mb", "Used, MB"),
        ("forecast_percent", "Forecast, %"),
        ("median_rsrp_dbm", "Median rsrp, dBm"),
        ("known_since_on", "Known since"),
        ("is_shared", "Shared"),
        ("on", "On"),
        ("days_left", "Days left"),
    ],
)
def test_keys_are_names(key: str, name: str) -> None:
    assert alert_facts.name(key) == name


async def test_a_long_history_is_cut_and_says_where_the_rest_is(
    browser: Browser, district: asyncpg.Pool
) -> None:
    alert_id = await rows.alert(district, "idle_30", "loan:12")
    for number in range(60):
        await rows.flip(district, alert_id, at=rows.SINCE + timedelta(hours=number))
    answer = await browser.get(f"{PAGE}/{alert_id}")
    assert answer.text.count("Fired") == alert_views.FLIPS
    assert f"10 earlier changes left out: <code>afterbell alerts history {alert_id}</code>" in answer.text


async def test_an_alert_of_a_rule_that_is_gone_is_still_told(
    browser: Browser, district: asyncpg.Pool
) -> None:
    alert_id = await rows.alert(district, "own_rule", "district", severity="info", value=3)
    page = await text(browser, f"{PAGE}/{alert_id}")
    assert "The district: Own rule info Firing" in page
    assert "Value 3" in page
    assert "Threshold" not in page
    assert "This rule is no longer in force." in await text(browser)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("pending", "it fires once that has lasted as long as its rule waits."),
        ("held", "It has come and gone too often, so nobody is told until it is steady."),
        ("clear", "This is resolved."),
    ],
)
async def test_every_state_is_a_sentence(
    browser: Browser, district: asyncpg.Pool, state: str, said: str
) -> None:
    alert_id = await rows.alert(district, "idle_30", "loan:12", state=state)
    page = await text(browser, f"{PAGE}/{alert_id}")
    assert said in page
    assert ("Acknowledge: I see to it" in page) is (state == "held")


async def test_an_alert_that_is_not_there_is_not_found(browser: Browser) -> None:
    for alert_id in ("1", "999999999999999"):
        assert (await browser.get(f"{PAGE}/{alert_id}")).status == 404
    assert (await browser.get(f"{PAGE}/x")).status == 404


# What people do


async def test_buttons_do_what_they_say_and_each_can_be_taken_back(
    browser: Browser, district: asyncpg.Pool
) -> None:
    alert_id = await rows.alert(district, "idle_30", "loan:12")
    path = f"{PAGE}/{alert_id}"
    for act, said in (
        ("acknowledge", "Acknowledged Nov 20, 2:05 PM MST: somebody sees to it"),
        ("snooze-7", "Snoozed until Nov 27, 2:05 PM MST"),
        ("snooze-30", "Snoozed until Dec 20, 2:05 PM MST"),
    ):
        answer = await press(browser, alert_id, act)
        assert (answer.status, answer.headers["Location"]) == (303, path)
        assert said in await text(browser, path)
    await press(browser, alert_id, "unacknowledge")
    await press(browser, alert_id, "wake")
    page = await text(browser, path)
    assert "somebody sees to it" not in page
    assert "Snoozed until" not in page[: page.index("What happened")]
    assert "End the snooze" not in page
    assert await rows.kinds(district) == [
        f"{kind} by staff" for kind in ("acknowledged", "snoozed", "snoozed", "unacknowledged", "woken")
    ]


async def test_pressing_a_button_of_an_old_page_does_nothing_twice(
    browser: Browser, district: asyncpg.Pool
) -> None:
    alert_id = await rows.alert(district, "idle_30", "loan:12")
    await press(browser, alert_id, "acknowledge")
    again = await press(browser, alert_id, "acknowledge")
    assert again.status == 409
    assert "The alert had changed meanwhile, so nothing was done." in again.text
    form = await form_of(browser, alert_id)
    await district.execute("UPDATE alerts SET state = 'clear'")
    late = await browser.post(f"{PAGE}/{alert_id}", {"form": form, "act": "snooze-1"})
    assert late.status == 409
    assert "This is resolved." in late.text
    assert await rows.kinds(district) == ["acknowledged by staff"]


@pytest.mark.parametrize("act", ["", "delete", "snooze-0", "snooze-365", "snooze"])
async def test_there_are_no_other_buttons(browser: Browser, district: asyncpg.Pool, act: str) -> None:
    alert_id = await rows.alert(district, "idle_30", "loan:12")
    assert (await press(browser, alert_id, act)).status == 400
    assert await rows.kinds(district) == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": None}, {"Sec_Fetch_Site": "cross-site"}],
    ids=str,
)
async def test_a_form_of_another_site_does_nothing(
    browser: Browser, district: asyncpg.Pool, headers: dict[str, str | None]
) -> None:
    alert_id = await rows.alert(district, "idle_30", "loan:12")
    answer = await press(browser, alert_id, "acknowledge", **headers)
    assert answer.status == 403
    assert "nothing was changed" in answer.text
    assert (await browser.post(f"{PAGE}/{alert_id}", {"form": "x", "act": "acknowledge"})).status == 403
    assert await rows.kinds(district) == []


async def test_acting_needs_a_token_with_the_scope_admin(district: asyncpg.Pool, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    lines = (
        test_sign_in.line("office", ("read",), test_sign_in.READ),
        test_sign_in.line("lead", ("admin",), test_sign_in.ADMIN),
    )
    file.write_text("".join(f"{line}\n" for line in lines))
    alert_id = await rows.alert(district, "idle_30", "loan:12")
    async with rows.served(district, tokens_file=file) as address, test_sign_in.opened(address) as browser:
        assert (await press(browser, alert_id, "acknowledge")).status == 303  # to the sign-in
        await browser.sign_in(test_sign_in.READ)
        page = await text(browser, f"{PAGE}/{alert_id}")
        assert "sign in with a token that has the scope admin" in page
        form = await browser.form_token()
        refused = await browser.post(f"{PAGE}/{alert_id}", {"form": form, "act": "acknowledge"})
        assert refused.status == 403
        assert "needs a token with the scope admin" in refused.text
        assert await rows.kinds(district) == []
        await browser.sign_in(test_sign_in.ADMIN)
        stale = await browser.post(f"{PAGE}/{alert_id}", {"form": form, "act": "acknowledge"})
        assert stale.status == 403  # the form of another session
        assert (await press(browser, alert_id, "acknowledge")).status == 303
        assert await rows.kinds(district) == ["acknowledged by staff"]
        script = await browser.get(f"{PAGE}/{alert_id}", Authorization=f"Bearer {test_sign_in.ADMIN}")
        assert script.status == 200


# When the database is away, and the other pages


async def test_a_database_that_is_away_is_said_and_the_other_pages_go_on(
    browser: Browser, district: asyncpg.Pool
) -> None:
    await district.close()
    answer = await browser.get(PAGE)
    assert answer.status == 503
    assert "Alerts cannot be read now" in answer.text
    assert (await browser.get("/districts/7")).status == 200


async def test_a_database_that_does_not_answer_is_not_waited_for(
    browser: Browser, district: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "DEADLINE_SECONDS", 0.3)
    async with district.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE")
        assert (await browser.get(PAGE)).status == 503
    assert (await browser.get(PAGE)).status == 200


async def test_the_districts_page_counts_alerts_and_leads_to_them(district: asyncpg.Pool) -> None:
    for number in range(3):
        await rows.alert(district, "idle_30", f"loan:{number}", severity="high" if number else "warning")
    await district.execute("UPDATE alerts SET acknowledged_at = $1 WHERE subject = 'loan:1'", rows.SINCE)
    shown = await coverage.snapshot(district, now=snapshots.NOW)
    html = pages.district_page(shown, shown.districts[0], now=snapshots.NOW)
    assert (
        "3 alerts are firing, 2 of them of high or critical severity; 1 is acknowledged or snoozed."
        in test_web.text_of(html)
    )
    assert f'<a href="{PAGE}">' in html


async def test_a_district_whose_rules_never_ran_has_no_section_of_alerts() -> None:
    shown = snapshots.snapshot()
    assert "alerts" not in pages.district_page(shown, shown.districts[0], now=snapshots.NOW)


async def test_the_queries_of_the_pages_use_what_is_open(district: asyncpg.Pool) -> None:
    """A district keeps the alerts of years; the pages read those that are open, by their index."""
    for number in range(30):
        await rows.alert(district, "idle_30", f"loan:{number}", school=AGAVE)
    await district.execute(
        "INSERT INTO alerts (district_id, rule, subject, state, severity, breached_since_at, judged_at) "
        "SELECT 7, 'idle_30', 'line:' || n, 'clear', 'info', $1, $1 FROM generate_series(1, 20000) AS n",
        snapshots.NOW,
    )
    await district.execute("ANALYZE alerts")
    desk = alert_lists.Desk(district, lambda _: rows.RULES)
    chosen = alert_lists.Chosen(rule="idle_30")
    found = await desk.overview(7, chosen, first=0, now=snapshots.NOW)
    assert [(group.school, group.firing) for group in found.groups] == [(AGAVE, 30)]
    assert len(found.rows) == 30
    async with district.acquire() as connection:
        await connection.execute("SET plan_cache_mode = force_custom_plan")
        plan = await connection.fetch(
            f"EXPLAIN {sql.queries()['alert_groups']}", 7, None, None, list(alerts.OPEN), snapshots.NOW
        )
    assert "alerts_open" in "\n".join(row[0] for row in plan)
