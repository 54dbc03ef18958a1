"""What becomes of each platform's JSON, as documented."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import client, errors, readings
from collectors.described import description, options, parse, simulator
from tests.contract import cases
from tests.contract.cases import INSTANT, described

FIXTURES = Path(__file__).parent.parent / "fixtures" / "described"
HEADERS = {"X-Total-Pages": "3", "X-Total-Count": "45"}
PRIVATE = [*cases.PRIVATE.values(), "Placeholder", "'1234'", "'12345678'"]
ACTIVE, SUSPENDED = readings.LineStatus.ACTIVE, readings.LineStatus.SUSPENDED


def answer(body: bytes, headers: dict[str, str] = HEADERS) -> client.Answer:
    return client.Answer(200, headers, body)


def parser(platform: str, **given: Any) -> parse.Parser:
    chosen = msgspec.convert(given, described.OPTIONS[platform])
    return parse.Parser(options.Settings.of(chosen))


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def lines(platform: str, **given: Any) -> parse.Lines:
    return parser(platform, **given).lines(answer(fixture(f"{platform}_lines")), instant=INSTANT)


def patched(platform: str, change: Any) -> bytes:
    body = msgspec.json.decode(fixture(f"{platform}_lines"))
    change(body["data"][0] if isinstance(body, dict) else body[0])
    return msgspec.json.encode(body)


def days(platform: str, body: bytes | None = None, *, megabyte_bytes: int = 1_000_000) -> Any:
    usage = description.shipped(platform).usage
    assert usage is not None
    found = body if body is not None else fixture(f"{platform}_usage")
    return parse.UsageParser(usage, megabyte_bytes).days(answer(found), instant=INSTANT)


def day(month_day: tuple[int, int], total_bytes: int) -> readings.Usage:
    starts_at = datetime(2026, *month_day, tzinfo=UTC)
    kind, series = readings.UsageKind.INTERVAL, readings.UsageSeries.DAY
    return readings.Usage(kind, series, starts_at, total_bytes, starts_at + timedelta(days=1))


def state(status: readings.LineStatus, raw: str, *, is_online: bool | None = None) -> readings.State:
    by = readings.SuspendedBy.CARRIER if status is SUSPENDED else None
    return readings.State(INSTANT, status, raw, by, is_online)


def cycle(total_bytes: int) -> readings.Usage:
    return readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, INSTANT, total_bytes)


def test_1nce_lines_are_read() -> None:
    page = lines("1nce")
    assert (page.total, page.total_pages, page.count, page.rejected, page.unmapped) == (45, 3, 2, [], {})
    assert page.sightings == [
        readings.Sighting(
            provider_key="8988303000123456789",
            iccid="8988303000123456789",
            imei="355737360734620",
            states=(state(ACTIVE, "Enabled"),),
        ),
        readings.Sighting(
            provider_key="8988303000123456790",
            iccid="8988303000123456790",
            states=(state(SUSPENDED, "Disabled"),),
        ),
    ]


def test_emnify_endpoints_are_read_with_their_sims() -> None:
    page = lines("emnify")
    assert (page.total, page.total_pages, page.rejected) == (45, 3, [])
    assert page.sightings == [
        readings.Sighting(
            provider_key="1450193",
            iccid="8988228066612345678",
            imei="35573736073462",
            states=(state(ACTIVE, "Enabled"),),
        ),
        readings.Sighting(
            provider_key="1450194", states=(state(readings.LineStatus.DEACTIVATED, "Deleted"),)
        ),
    ]


def test_soracom_sims_are_read_with_their_sessions() -> None:
    page = lines("soracom")
    assert (page.total, page.total_pages, page.rejected) == (None, None, [])
    assert page.sightings == [
        readings.Sighting(
            provider_key="8942310000000000012",
            iccid="8942310000000000012",
            imei="355737360734620",
            states=(state(ACTIVE, "active", is_online=False),),
            last_seen_at=datetime(2026, 11, 20, 17, 0, 0, 500_000, tzinfo=UTC),
            last_seen_by=readings.LastSeenBy.SESSION,
        ),
        readings.Sighting(
            provider_key="8942310000000000020",
            iccid="8942310000000000020",
            states=(state(readings.LineStatus.PRE_ACTIVE, "ready"),),
        ),
    ]


def test_a_soracom_session_that_goes_on_is_seen_at_present() -> None:
    body = patched("soracom", lambda row: row["sessionStatus"].update(online=True))
    line = parser("soracom").lines(answer(body), instant=INSTANT).sightings[0]
    assert line.states == (state(ACTIVE, "active", is_online=True),)
    assert (line.last_seen_at, line.last_seen_by) == (INSTANT, readings.LastSeenBy.SESSION)


def test_telnyx_sim_cards_are_read_with_use_and_limit() -> None:
    page = lines("telnyx")
    assert (page.total, page.total_pages, page.rejected, page.unmapped) == (45, 3, [], {})
    assert page.sightings == [
        readings.Sighting(
            provider_key="6a09cdc3-8948-47f0-aa62-74ac943d6c58",
            mdn="+13109976224",
            iccid="89310410106543789301",
            imei="355737360734620",
            cycle_limit_bytes=30_500_000_000,
            usage=(cycle(2_049_000_000),),
            states=(state(ACTIVE, "enabled", is_online=True),),
        ),
        readings.Sighting(
            provider_key="6a09cdc3-8948-47f0-aa62-74ac943d6c59",
            iccid="89310410106543789319",
            usage=(cycle(1_024_000),),
            states=(state(ACTIVE, "data_limit_exceeded"),),
        ),
    ]


@pytest.mark.parametrize(
    ("amount", "unit", "megabyte_bytes", "expected"),
    [
        ("17", "B", 1_000_000, 17),
        ("1.5", "KB", 1_000_000, 1_500),
        ("0.000001", "MB", 1_000_000, 1),
        ("2.5", "GB", 1_000_000, 2_500_000_000),
        ("1.5", "KB", 1_048_576, 1_536),
        ("1", "MB", 1_048_576, 1_048_576),
        ("1", "GB", 1_048_576, 1_073_741_824),
        ("1", "mb", 1_000_000, 1_000_000),
        (3, "MB", 1_000_000, 3_000_000),
        (0.25, "MB", 1_000_000, 250_000),
        ("0", "B", 1_000_000, 0),
        (None, None, 1_000_000, None),
    ],
)
def test_telnyx_tells_the_unit_of_every_amount(
    amount: object, unit: object, megabyte_bytes: int, expected: int | None
) -> None:
    told = {"amount": amount, "unit": unit}
    body = patched("telnyx", lambda row: row.update(current_billing_period_consumed_data=told))
    page = parser("telnyx", megabyte_bytes=megabyte_bytes).lines(answer(body), instant=INSTANT)
    assert page.sightings[0].usage == (() if expected is None else (cycle(expected),))
    assert page.rejected == []


@pytest.mark.parametrize(
    "limit",
    [
        None,
        {},
        {"amount": None, "unit": "MB"},
        {"amount": "0", "unit": "MB"},
        {"amount": "-1", "unit": "GB"},
        {"amount": "99999999999", "unit": "GB"},
    ],
)
def test_a_limit_of_nothing_or_beyond_reason_is_none(limit: object) -> None:
    page = parser("telnyx").lines(
        answer(patched("telnyx", lambda row: row.update(data_limit=limit))), instant=INSTANT
    )
    assert page.sightings[0].cycle_limit_bytes is None
    assert page.rejected == []


CONSUMED = "current_billing_period_consumed_data"


@pytest.mark.parametrize(
    ("platform", "change", "path", "reason"),
    [
        ("telnyx", {"id": None}, "data[0].id", "found nothing (lines.provider_key)"),
        ("telnyx", {"id": " "}, "data[0].id", "found a blank (lines.provider_key)"),
        ("telnyx", {"id": True}, "data[0].id", "found true or false (lines.provider_key)"),
        ("telnyx", {"id": "x" * 65}, "data[0].id", "found a longer one (lines.provider_key)"),
        ("telnyx", {"status": {"value": " "}}, "data[0].status.value", "found nothing (lines.status.path)"),
        ("telnyx", {"status": {"value": 3}}, "data[0].status.value", "found a whole number (lines.status.path)"),
        ("telnyx", {"status": "enabled"}, "data[0].status.value", "found nothing (lines.status.path)"),
        ("telnyx", {"msisdn": 1.5}, "data[0].msisdn", "found a number (lines.mdn)"),
        ("telnyx", {CONSUMED: {"amount": "-1", "unit": "B"}}, f"data[0].{CONSUMED}.amount", "found less than 0"),
        ("telnyx", {CONSUMED: {"amount": "1e999999", "unit": "B"}}, f"data[0].{CONSUMED}.amount", "a petabyte"),
        ("telnyx", {CONSUMED: {"amount": "NaN", "unit": "B"}}, f"data[0].{CONSUMED}.amount", "found other text"),
        ("telnyx", {CONSUMED: {"amount": "1,5", "unit": "B"}}, f"data[0].{CONSUMED}.amount", "found other text"),
        ("telnyx", {CONSUMED: {"amount": True, "unit": "B"}}, f"data[0].{CONSUMED}.amount", "found true or false"),
        ("telnyx", {CONSUMED: {"amount": "1"}}, f"data[0].{CONSUMED}.unit", "found nothing"),
        ("telnyx", {CONSUMED: {"amount": "1", "unit": 5}}, f"data[0].{CONSUMED}.unit", "found a whole number"),
        ("soracom", {"sessionStatus": {"lastUpdatedAt": "soon"}}, "lines[0].sessionStatus.lastUpdatedAt",
         "expected milliseconds since 1970, a whole number, found text (lines.last_seen.path)"),
        ("soracom", {"sessionStatus": {"lastUpdatedAt": 10**18}}, "lines[0].sessionStatus.lastUpdatedAt",
         "found a number that is no instant"),
        ("soracom", {"profiles": {"a": {"iccid": {}}}}, "lines[0].profiles.*.iccid | [0]", "found an object"),
        ("emnify", {"id": 4.5}, "lines[0].id", "found a number (lines.provider_key)"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_rejected_with_its_place(
    platform: str, change: dict[str, object], path: str, reason: str
) -> None:
    body = patched(platform, lambda row: row.update(change))
    page = parser(platform).lines(answer(body), instant=INSTANT)
    (rejection,) = page.rejected
    assert rejection.path == path
    assert reason in rejection.reason
    assert (page.count, len(page.sightings)) == (2, 1)


@pytest.mark.parametrize("platform", sorted(simulator.BY_NAME))
def test_names_labels_places_and_codes_are_not_carried_over(platform: str) -> None:
    page = lines(platform)
    told = repr(page) + repr(parser(platform).doubts(answer(fixture(f"{platform}_lines"))))
    assert len(page.sightings) == 2
    assert not [word for word in PRIVATE if word in told]


@pytest.mark.parametrize("platform", sorted(simulator.BY_NAME))
def test_names_and_labels_are_not_even_decoded(platform: str) -> None:
    """A name that is no valid text at all does no harm to its line."""
    body = fixture(f"{platform}_lines")
    if platform == "telnyx":  # its reason stands inside the status, which is decoded
        body = body.replace(b'"reason": "Wilhelmina Placeholder"', b'"reason": null')
    broken = body.replace(b"Wilhelmina Placeholder", b"\xff\xfe")
    assert broken != body
    assert len(parser(platform).lines(answer(broken), instant=INSTANT).sightings) == 2


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("registering", readings.LineStatus.PRE_ACTIVE),
        ("enabling", readings.LineStatus.PENDING),
        ("disabling", readings.LineStatus.PENDING),
        ("disabled", SUSPENDED),
        ("setting_standby", readings.LineStatus.PENDING),
        ("standby", SUSPENDED),
        ("unauthorized_imei", SUSPENDED),
        ("ENABLED", ACTIVE),
    ],
)
def test_every_documented_status_of_telnyx_is_known(word: str, expected: readings.LineStatus) -> None:
    body = patched("telnyx", lambda row: row["status"].update(value=word))
    page = parser("telnyx").lines(answer(body), instant=INSTANT)
    assert page.sightings[0].states[0].status is expected
    assert page.unmapped == {}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("inactive", SUSPENDED),
        ("standby", SUSPENDED),
        ("suspended", SUSPENDED),
        ("terminated", readings.LineStatus.DEACTIVATED),
    ],
)
def test_every_documented_status_of_soracom_is_known(word: str, expected: readings.LineStatus) -> None:
    body = patched("soracom", lambda row: row.update(status=word))
    page = parser("soracom").lines(answer(body), instant=INSTANT)
    assert page.sightings[0].states[0].status is expected
    assert page.unmapped == {}


def test_statuses_of_the_options_go_before_those_of_the_description() -> None:
    page = lines("1nce", statuses={"enabled": "pending"})
    assert page.sightings[0].states[0].status is readings.LineStatus.PENDING


def test_a_word_for_online_that_is_not_known_is_counted_and_never_guessed() -> None:
    body = patched("telnyx", lambda row: row.update(live_data_session="ATTACHED"))
    page = parser("telnyx").lines(answer(body), instant=INSTANT)
    assert page.sightings[0].states == (state(ACTIVE, "enabled"),)
    assert page.unmapped == {"online: ATTACHED": 1}


def test_1nce_volumes_are_decimal_text_and_lose_no_byte() -> None:
    assert days("1nce") == ([day((11, 19), 2_803), day((11, 20), 1_234_567_891)], [])


def test_1nce_megabytes_are_as_configured() -> None:
    found, _ = days("1nce", megabyte_bytes=1_048_576)
    assert [each.total_bytes for each in found] == [2_939, 1_294_538_261]


def test_emnify_volumes_are_megabytes() -> None:
    assert days("emnify") == ([day((11, 19), 123), day((11, 20), 812_345_678)], [])


def test_soracom_sums_all_speed_classes_up_and_down() -> None:
    assert days("soracom") == ([day((11, 19), 4_321_000), day((11, 20), 0)], [])


def stats(**fields: object) -> bytes:
    """Two days of 1NCE, the second with other fields."""
    body = msgspec.json.decode(fixture("1nce_usage"))
    body["stats"][1].update(fields)
    return msgspec.json.encode(body)


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"date": None}, "stats[1].date", "found nothing (usage.day.path)"),
        ({"date": "20.11.2026"}, "stats[1].date", "found other text"),
        ({"date": "2026-11-31"}, "stats[1].date", "found other text"),
        ({"date": "2026-11-20T22:00:00.000Z"}, "stats[1].date", "or midnight of it in UTC, found other text"),
        ({"date": "2026-11-19"}, "stats[1].date", "found a day that was told before"),
        ({"data": None}, "stats[1].data.volume", "found nothing (usage.amount.path)"),
        ({"data": {"volume": "1"}}, "stats[1].data.traffic_type.unit", "found nothing (usage.amount.unit_path)"),
        ({"data": {"volume": "1", "traffic_type": {"unit": "SMS"}}}, "stats[1].data.traffic_type.unit",
         "expected one of B, KB, MB, GB, found another word"),
    ],
)  # fmt: skip
def test_a_day_that_does_not_fit_is_rejected_with_its_place(
    fields: dict[str, object], path: str, reason: str
) -> None:
    found, (rejection,) = days("1nce", stats(**fields))
    assert found == [day((11, 19), 2_803)]
    assert rejection.path == path
    assert reason in rejection.reason


def test_soracom_days_are_whole_days_of_utc() -> None:
    body = msgspec.json.decode(fixture("soracom_usage"))
    body[0]["unixtime"] += 9 * 3600
    found, (rejection,) = days("soracom", msgspec.json.encode(body))
    assert found == [day((11, 20), 0)]
    assert "found another time of day" in rejection.reason


def test_a_speed_class_without_a_number_is_no_number_of_its_day() -> None:
    body = msgspec.json.decode(fixture("soracom_usage"))
    del body[0]["dataTrafficStatsMap"]["s1.slow"]["uploadByteSizeTotal"]
    found, (rejection,) = days("soracom", msgspec.json.encode(body))
    assert found == [day((11, 20), 0)]
    assert "found what the expression cannot be applied to" in rejection.reason


def test_days_that_all_do_not_fit_are_an_error_that_names_the_field() -> None:
    body = fixture("1nce_usage").replace(b'"date"', b'"day"')
    with pytest.raises(
        errors.ResponseInvalid, match=r"usage.day.path = date: expected a date .*, found nothing"
    ):
        days("1nce", body)


def test_no_days_are_no_error() -> None:
    assert days("1nce", b'{"stats": []}') == ([], [])
    assert days("emnify", b"[]") == ([], [])


def test_a_day_that_is_not_over_is_no_day_without_use() -> None:
    def today(volume: float) -> Any:
        return days("emnify", msgspec.json.encode([{"date": "2026-11-21", "data": {"volume": volume}}]))

    assert today(0.0) == ([], [])
    assert today(0.5) == ([day((11, 21), 500_000)], [])


@pytest.mark.parametrize("platform", sorted(simulator.BY_NAME))
def test_the_stand_in_lists_every_field_that_the_description_names(platform: str) -> None:
    """A stand-in that lacks a field would prove nothing about it."""
    body, _ = described.parsing(platform, 3)
    assert parser(platform).doubts(answer(body)) == []
