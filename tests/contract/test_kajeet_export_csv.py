"""The portal's CSV export, for districts without API access."""

import contextlib
from collections.abc import Iterator

import msgspec
import pytest

from collectors import errors, readings
from collectors.kajeet import export_csv, options, simulator
from tests.contract import accounts


def read(
    text: str, layout: export_csv.Layout | None = None
) -> tuple[list[readings.Sighting], list[readings.Rejection]]:
    lines = text.splitlines(keepends=True)
    found = list(export_csv.read(lines, instant=accounts.INSTANT, layout=layout))
    return (
        [row for row in found if isinstance(row, readings.Sighting)],
        [row for row in found if isinstance(row, readings.Rejection)],
    )


def documented() -> str:
    return (accounts.FIXTURES / "export.csv").read_text(encoding="utf-8")


def test_documented_columns_are_read() -> None:
    lines, _ = read(documented())
    first, second = lines
    assert (first.provider_key, first.mdn, first.imei) == ("5212671508", "521-267-1508", "355737360073462")
    assert (first.iccid, first.group_key) == ("89148000001234567890", "5001")
    assert (first.day_limit_bytes, first.cycle_limit_bytes) == (500_000_000, 20_000_000_000)
    assert [(usage.series, usage.total_bytes) for usage in first.usage] == [
        (readings.UsageSeries.DAY, 12_500_000),
        (readings.UsageSeries.CYCLE, 31_245_430_000),
        (readings.UsageSeries.LAST_30_DAYS, 31_245_430_000),
    ]
    assert second.states[0].suspended_by is readings.SuspendedBy.LOAN_DESK
    assert second.day_limit_bytes is None


def test_bad_row_is_rejected_by_its_number_without_its_value() -> None:
    _, rejected = read(documented())
    assert rejected == [readings.Rejection("rows[4].LAST_30_DAYS_USED", "not a number of megabytes")]


def test_names_and_notes_are_dropped() -> None:
    lines, rejected = read(documented())
    encoded = msgspec.json.encode([lines, rejected])
    assert b"Wilhelmina" not in encoded


def test_export_and_list_call_the_same_line_by_the_same_key() -> None:
    row = accounts.device(7)
    text = simulator.export_csv([row], list(simulator.COLUMNS))
    lines, _ = read(text)
    assert [line.provider_key for line in lines] == [row.mdn.replace("-", "")]


def test_display_name_is_not_guessed() -> None:
    with pytest.raises(errors.ResponseInvalid, match="unknown headers: Last 30 Days Used") as caught:
        read("MDN,Last 30 Days Used\n521-267-1508,3\n")
    assert "LAST_30_DAYS_USED" in str(caught.value)


def test_display_name_is_read_where_it_is_mapped() -> None:
    layout = export_csv.Layout(headers={"Phone": "MDN", "Last 30 Days Used": "LAST_30_DAYS_USED"})
    lines, _ = read("Phone,Last 30 Days Used\n521-267-1508,3\n", layout)
    assert lines[0].usage[0].total_bytes == 3_000_000


def test_map_to_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(errors.OptionsInvalid, match="unknown columns LAST_MONTH"):
        read(documented(), export_csv.Layout(headers={"x": "LAST_MONTH"}))


def test_file_without_a_header_is_refused_without_repeating_its_first_line() -> None:
    with pytest.raises(errors.ResponseInvalid, match="is the header missing") as caught:
        read("521-267-1508,Wilhelmina\n")
    assert "Wilhelmina" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "header missing"),
        ("IMEI,STATUS\n", "MDN is missing"),
        ("MDN,MDN\n", "come twice: MDN"),
        ('MDN,STATUS\n"521', "row 2 is not CSV"),
    ],
)
def test_file_that_cannot_be_trusted_is_refused(text: str, words: str) -> None:
    with pytest.raises(errors.ResponseInvalid, match=words):
        read(text)


@pytest.mark.parametrize("cell", ["1,5", "-1", "nan", "inf", "1e5", "1_000", "2000000000", "\u0663"])
def test_amount_that_is_no_plain_number_is_rejected(cell: str) -> None:
    lines, rejected = read(f'MDN,DAY_AMOUNT_USED\n521-267-1508,"{cell}"\n')
    assert not lines
    assert rejected == [readings.Rejection("rows[2].DAY_AMOUNT_USED", "not a number of megabytes")]


def test_row_of_another_width_is_rejected_and_blank_lines_are_passed_over() -> None:
    lines, rejected = read("MDN,STATUS\n\n521-267-1508\n,active\n521-267-1509,\n")
    assert rejected == [
        readings.Rejection("rows[3]", "1 cells where the header has 2"),
        readings.Rejection("rows[4].MDN", "missing"),
    ]
    assert [line.states for line in lines] == [()]


def test_rows_are_read_one_at_a_time() -> None:
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for text in ("MDN,STATUS\n", "1,active\n", "2,active\n", "3,active\n"):
            taken.append(text)
            yield text

    with contextlib.closing(export_csv.read(lines(), instant=accounts.INSTANT)) as rows:
        next(rows)
        assert len(taken) == 2


def test_megabyte_and_status_words_are_the_accounts() -> None:
    chosen = options.Options(
        corp_ids=("5001",), megabyte_bytes=1_048_576, statuses={"resting": readings.LineStatus.SUSPENDED}
    )
    layout = export_csv.Layout(options=chosen)
    lines, _ = read("MDN,STATUS,DAY_AMOUNT_USED\n1,Resting,1\n", layout)
    assert lines[0].usage[0].total_bytes == 1_048_576
    assert lines[0].states[0].status is readings.LineStatus.SUSPENDED
