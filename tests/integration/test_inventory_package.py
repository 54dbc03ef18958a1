"""The inventory against the database: what an auditor asks for, with names that are kept nowhere else."""

import csv
import json
import logging
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from service import errors
from service.exports import inventory, inventory_tables
from service.exports.writing import package
from service.model import months, pseudonyms
from tests import factories, files, fleet, packaged, reconciled

MARIA, OMAR, LEE = "10001", "10002", "10003"
NAMES = {MARIA: "María Ångström-Delacroix", OMAR: "Omar Quillfeather", LEE: "Lee Yarborough"}
SEPTEMBER = date(2026, 9, 1)


def student(number: str) -> str:
    return packaged.KEY.borrower(number)


def roster(folder: Path, *numbers: str, name: str = "names.csv") -> Path:
    return files.csv_file(
        folder, name, ["student_id", "full_name"], [[number, NAMES[number]] for number in numbers]
    )


@pytest.fixture
async def district(pool: asyncpg.Pool) -> reconciled.District:
    made = await reconciled.district(pool)
    await pool.execute("UPDATE districts SET pseudonym_fingerprint = $1", packaged.KEY.fingerprint)
    await pool.execute(
        "UPDATE plans SET provider = 'Kajeet', download_mbps = 50, upload_mbps = 10.5, is_filtered = true,"
        " allowance_bytes = 10500000000, allowance_period = 'month', at_allowance = 'throttle'"
    )
    return made


async def hotspot(pool: asyncpg.Pool, district: reconciled.District, number: int) -> tuple[int, int]:
    device_id = await factories.device(pool, fleet.imei(number), serial=f"SN{number:04d}")
    line_id = await factories.line(
        pool,
        iccid=fleet.iccid(number),
        mdn=f"+121255{number:05d}",
        device_id=device_id,
        plan_id=district.plan_id,
        observed_since=datetime.fromisoformat("2026-08-01T12:00Z"),
    )
    return line_id, device_id


async def test_a_loan_is_told_in_every_column(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    line_id, device_id = await hotspot(pool, district, 1)
    loan_id = await factories.loan(
        pool, device_id, district.school_id, SEPTEMBER, borrower=student(MARIA), due_on=date(2027, 6, 10)
    )
    await pool.execute(
        "INSERT INTO need_answers (district_id, student, answered_on, has_access) VALUES ($1, $2, '2026-08-20', false)",
        factories.DISTRICT,
        student(MARIA),
    )
    found, made, _ = await packaged.inventory_tables(pool, roster(tmp_path, MARIA, OMAR))
    assert found["asset_inventory"] == [
        {
            "record_key": f"loan-{loan_id}",
            "device_key": f"device-{device_id}",
            "device_type": "hotspot",
            "make": None,
            "model": None,
            "serial_number": "SN0001",
            "imei": fleet.imei(1),
            "funding_source": None,
            "purchase_date": None,
            "in_service_from": "2026-08-01",
            "in_service_until": None,
            "person_number": 1,
            "person_full_name": NAMES[MARIA],
            "person_type": None,
            "student_source_id": MARIA,
            "school_ncessch": "410192000001",
            "date_loaned": "2026-09-01",
            "date_due": "2027-06-10",
            "date_returned": None,
            "date_reported_missing_lost_damaged": None,
            "condition_status": "on loan",
            "unmet_need_basis": "answer: no access at home",
            "unmet_need_date": "2026-08-20",
            "consent_on_file": None,
            "aup_version": None,
            "record_created_at": None,
            "retain_until": "2036-10-31",
        }
    ]
    assert found["service_inventory"] == [
        {
            "record_key": f"line-{line_id} loan-{loan_id}",
            "line_key": f"line-{line_id}",
            "device_key": f"device-{device_id}",
            "service_type": "mobile wireless",
            "provider": "Kajeet",
            "line_id": "12125500001",
            "iccid": fleet.iccid(1),
            "device_serial": "SN0001",
            "school_ncessch": "410192000001",
            "plan_name": "basic",
            "download_mbps": 50.0,
            "upload_mbps": 10.5,
            "monthly_data_cap_gb": 10.5,
            "data_cap_gb": 10.5,
            "cap_period": "month",
            "on_cap": "throttle",
            "monthly_cost": 15.0,
            "service_start": "2026-09-01",
            "service_end": None,
            "person_number": 1,
            "person_full_name": NAMES[MARIA],
            "service_address": None,
            "installation_date": None,
            "last_service_date": None,
            "filter_profile": "filtered",
        }
    ]
    assert found["missing_names"] == []
    assert (made.counts.borrowers, made.counts.named, made.counts.loans_without_name) == (1, 1, 0)


async def test_several_loans_of_one_device_are_told_each_as_it_stood_at_the_months_end(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    _, device_id = await hotspot(pool, district, 1)
    lend = factories.loan
    await lend(
        pool, device_id, district.school_id, SEPTEMBER, borrower=student(MARIA), returned_on=date(2026, 9, 20)
    )
    later = await lend(
        pool,
        device_id,
        district.school_id,
        date(2026, 9, 25),
        borrower=student(OMAR),
        returned_on=date(2026, 11, 3),
    )
    await lend(pool, device_id, district.school_id, date(2026, 11, 5), borrower=student(LEE))
    _, lost_device = await hotspot(pool, district, 2)
    lost = await lend(pool, lost_device, district.school_id, SEPTEMBER, borrower=student(MARIA))
    await pool.execute("UPDATE loans SET lost_on = '2026-10-09' WHERE loan_id = $1", lost)
    await pool.execute("UPDATE loans SET lost_on = '2026-11-02' WHERE loan_id = $1", later)
    found, _, _ = await packaged.inventory_tables(pool, roster(tmp_path, *NAMES))
    names = (
        "person_full_name",
        "date_returned",
        "date_reported_missing_lost_damaged",
        "condition_status",
        "retain_until",
    )
    assert [tuple(row[name] for name in names) for row in found["asset_inventory"]] == [
        (NAMES[MARIA], "2026-09-20", None, "returned", "2036-09-20"),
        (NAMES[OMAR], None, None, "on loan", "2036-10-31"),  # what came in November is not told
        (NAMES[MARIA], None, "2026-10-09", "missing, lost or damaged", "2036-10-09"),
    ]
    ends = [(row["person_full_name"], row["service_end"]) for row in found["service_inventory"]]
    assert ends == [(NAMES[MARIA], "2026-09-20"), (NAMES[OMAR], None), (NAMES[MARIA], None)]


async def test_devices_and_lines_that_nobody_had_are_listed_without_a_person(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, device_id = await hotspot(pool, district, 1)
    loose = await factories.line(pool)
    found, _, _ = await packaged.inventory_tables(pool)
    (asset,) = found["asset_inventory"]
    assert asset["record_key"] == asset["device_key"] == f"device-{device_id}"
    assert (asset["condition_status"], asset["person_number"], asset["date_loaned"]) == (
        "never lent",
        None,
        None,
    )
    told = {
        row["record_key"]: (row["device_key"], row["service_start"]) for row in found["service_inventory"]
    }
    assert told == {
        f"line-{line_id}": (f"device-{device_id}", "2026-08-01"),
        f"line-{loose}": (None, "2026-07-31"),  # in the district's zone
    }
    assert found["missing_names"] == []


async def test_what_was_not_known_by_the_months_end_is_not_in_it(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    device_id = await factories.device(pool, fleet.imei(1))
    late = datetime.fromisoformat("2026-11-02T12:00Z")
    await factories.line(pool, iccid=fleet.iccid(1), device_id=device_id, observed_since=late)
    await factories.loan(pool, device_id, district.school_id, date(2026, 11, 3), borrower=student(MARIA))
    found, made, _ = await packaged.inventory_tables(pool)
    assert found == {"asset_inventory": [], "service_inventory": [], "missing_names": []}
    assert made.counts.borrowers == 0


async def test_a_sim_that_moved_served_each_of_its_borrowers_for_a_time(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    line_id, old = await hotspot(pool, district, 1)
    new = await factories.device(pool, fleet.imei(2), serial="SN0002")
    moved_at = reconciled.at(date(2026, 10, 12))
    await pool.execute("UPDATE line_device_links SET ends_at = $1", moved_at)
    await factories.link(pool, line_id, new, starts_at=moved_at)
    await factories.loan(pool, old, district.school_id, SEPTEMBER, borrower=student(MARIA))
    await factories.loan(pool, new, district.school_id, date(2026, 9, 5), borrower=student(OMAR))
    found, _, _ = await packaged.inventory_tables(pool, roster(tmp_path, *NAMES))
    names = ("person_full_name", "device_serial", "service_start", "service_end")
    assert [tuple(row[name] for name in names) for row in found["service_inventory"]] == [
        (NAMES[MARIA], "SN0001", "2026-09-01", "2026-10-12"),
        (NAMES[OMAR], "SN0002", "2026-10-12", None),
    ]


async def test_the_need_is_that_of_the_newest_answer_that_shows_one_by_the_loan(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    told: list[tuple[str, dict[str, Any]]] = [
        ("2026-05-01", {"has_access": False}),
        ("2026-08-25", {"access_type": "dial_up"}),
        ("2026-08-30", {"has_access": True}),
        ("2026-09-10", {"is_documented_by_staff": True}),
    ]
    for day, answer in told:
        (name, value), kind = (
            next(iter(answer.items())),
            "internet_access_type" if "access_type" in answer else "boolean",
        )
        await pool.execute(
            f"INSERT INTO need_answers (district_id, student, answered_on, {name}) VALUES ($1, $2, $3, $4::{kind})",
            factories.DISTRICT,
            student(MARIA),
            date.fromisoformat(day),
            value,
        )
    for number, on in ((1, SEPTEMBER), (2, date(2026, 4, 1)), (3, date(2026, 10, 1))):
        _, device_id = await hotspot(pool, district, number)
        await factories.loan(pool, device_id, district.school_id, on, borrower=student(MARIA))
    found, _, _ = await packaged.inventory_tables(pool)
    assert [(row["unmet_need_basis"], row["unmet_need_date"]) for row in found["asset_inventory"]] == [
        ("access type: dial-up", "2026-08-25"),
        ("answer: no access at home", "2026-05-01"),  # the first after the loan
        ("documented by staff", "2026-09-10"),
    ]


async def test_whoever_the_rosters_miss_is_listed_and_counted_without_a_pseudonym(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    _, first = await hotspot(pool, district, 1)
    _, second = await hotspot(pool, district, 2)
    _, third = await hotspot(pool, district, 3)
    await factories.loan(pool, first, district.school_id, SEPTEMBER, borrower=student(MARIA))
    missed = await factories.loan(
        pool, second, district.school_id, SEPTEMBER, borrower=student(OMAR), returned_on=date(2026, 10, 5)
    )
    silent = await factories.loan(pool, third, district.other_school_id, date(2026, 10, 2))
    found, made, _ = await packaged.inventory_tables(pool, roster(tmp_path, MARIA, LEE))
    assert [tuple(row.values()) for row in found["missing_names"]] == [
        (
            f"loan-{missed}",
            f"device-{second}",
            "410192000001",
            "2026-09-01",
            "2026-10-05",
            "not in the roster files",
        ),
        (
            f"loan-{silent}",
            f"device-{third}",
            "410192000002",
            "2026-10-02",
            None,
            "the loan names no borrower",
        ),
    ]
    assert (made.counts.borrowers, made.counts.named, made.counts.loans_without_name) == (2, 1, 1)
    assert any("Of 2 borrowers 1 are named" in note for note in made.notes)
    assert student(OMAR) not in repr(found)


async def test_names_come_from_several_files_and_from_oneroster_with_a_byte_order_mark(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    for number, borrower in enumerate((MARIA, OMAR, LEE), start=1):
        _, device_id = await hotspot(pool, district, number)
        await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(borrower))
    users = tmp_path / "users.csv"
    users.write_bytes(
        "\ufeffsourcedId,status,role,userIds,givenName,familyName,identifier,password\r\n"
        f"{MARIA},,student,,María,Ångström-Delacroix,,secret\r\n"
        f"u-2,,teacher,{{SIS:{OMAR}}},Omar,Quillfeather,,secret\r\n".encode()
    )
    found, _, _ = await packaged.inventory_tables(pool, users, roster(tmp_path, LEE))
    names = ("person_full_name", "person_type", "student_source_id")
    assert [tuple(row[name] for name in names) for row in found["asset_inventory"]] == [
        (NAMES[MARIA], "student", MARIA),
        (NAMES[OMAR], "staff", OMAR),
        (NAMES[LEE], None, LEE),
    ]


async def test_a_row_that_cannot_be_used_is_told_by_its_line_without_its_values(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    _, device_id = await hotspot(pool, district, 1)
    await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(MARIA))
    _, other = await hotspot(pool, district, 2)
    await factories.loan(pool, other, district.school_id, SEPTEMBER, borrower=student(OMAR))
    path = files.written(
        tmp_path,
        "names.csv",
        "student_id,full_name",
        f"{MARIA},Maria A",
        "",
        f"{MARIA},Maria A",  # the same again
        f"{OMAR},",
        ",Nobody Known",
        "1.0001E+04,Rounded Number",
        "10004,Too,Many",
        "99999,Of No Interest",
    )
    found, made, _ = await packaged.inventory_tables(pool, path)
    assert [(one.file, one.line, one.reason) for one in made.problems] == [
        ("names.csv", 5, "has no name"),
        ("names.csv", 6, "has no student id"),
        (
            "names.csv",
            7,
            "has a student id that a spreadsheet has rounded: format the column as text, and save it again",
        ),
        ("names.csv", 8, "has another number of cells than the header"),
    ]
    assert made.counts.roster_problems == 4
    assert made.counts.roster_rows == 7
    assert [row["person_full_name"] for row in found["asset_inventory"]] == ["Maria A", None]


async def test_an_id_with_two_names_gives_none(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    _, device_id = await hotspot(pool, district, 1)
    await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(MARIA))
    path = files.written(
        tmp_path, "names.csv", "student_id,full_name", f"{MARIA},Ada One", f"{MARIA},Bea Two"
    )
    found, made, _ = await packaged.inventory_tables(pool, path)
    assert found["asset_inventory"][0]["person_full_name"] is None
    assert len(found["missing_names"]) == 1
    assert [one.line for one in made.problems] == [3]


async def test_another_key_is_refused_and_nothing_is_made(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    other = pseudonyms.Pseudonymizer(b"another key, which is as long as it has to be")
    with pytest.raises(errors.ConfigError, match="nobody would be found"):
        await packaged.inventory_tables(pool, roster(tmp_path, MARIA), pseudonymizer=other)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"student_id;full_name\n1;A B\n", "needs the columns student_id and full_name"),
        (b"10001,Secret Person\n", "needs the columns student_id and full_name"),
        (b"", "needs the columns student_id and full_name"),
        (b"student_id,full_name\n1,Mar\xeda\n", "is not UTF-8"),
        (b"student_id,full_name,Full Name\n", "has the column fullname twice"),
    ],
)
async def test_a_file_that_is_no_roster_is_refused_without_repeating_it(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(content)
    with pytest.raises(errors.ExportRefused, match=said) as raised:
        await packaged.inventory_tables(pool, path)
    assert "Secret" not in str(raised.value)
    with pytest.raises(errors.ExportRefused, match="cannot read the roster"):
        await packaged.inventory_tables(pool, tmp_path / "absent.csv")


async def test_the_deidentified_variant_tells_people_by_numbers_and_devices_by_theirs(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    for number, borrower in enumerate((OMAR, MARIA, OMAR), start=1):
        _, device_id = await hotspot(pool, district, number)
        await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(borrower))
    found, made, edfi = await packaged.inventory_tables(pool, roster(tmp_path, *NAMES), is_deidentified=True)
    assert set(found) == {"asset_inventory", "service_inventory"}
    numbers = [row["person_number"] for row in found["asset_inventory"]]
    assert numbers in ([1, 2, 1], [2, 1, 2])
    assert [row["person_number"] for row in found["service_inventory"]] == numbers
    for rows in found.values():
        assert not inventory_tables.PERSONAL & set(rows[0])
    text = repr(found)
    assert "SN0001" in text
    assert fleet.imei(1) in text
    for secret in (*NAMES.values(), *NAMES, student(OMAR), "12125500001"):
        assert secret not in text
    assert edfi is None
    assert any("de-identified" in note for note in made.notes)


async def test_people_are_numbered_anew_for_each_month_and_alike_within_it(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    for number in range(1, 9):
        _, device_id = await hotspot(pool, district, number)
        await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(str(number)))

    async def numbers(month: str) -> list[int]:
        of = packaged.facts(months.parse(month))
        found, _, _ = await packaged.inventory_tables(pool, of=of, is_deidentified=True)
        return [row["person_number"] for row in found["asset_inventory"]]

    september, october = await numbers("2026-09"), await numbers("2026-10")
    assert sorted(september) == sorted(october) == list(range(1, 9))
    assert september != october
    assert await numbers("2026-10") == october


async def test_a_device_that_was_lost_and_came_back_is_returned_and_kept_ten_years_from_then(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    cases = {
        "found": ("2026-03-01", "2026-10-01", "returned", "2036-10-01"),
        "found after the month": ("2026-03-01", "2026-11-04", "missing, lost or damaged", "2036-03-01"),
        "closed as lost": ("2026-10-01", "2026-10-01", "missing, lost or damaged", "2036-10-01"),
        "broken when it was back": ("2026-10-08", "2026-10-01", "missing, lost or damaged", "2036-10-08"),
    }
    for number, (lost, returned, _, _) in enumerate(cases.values(), start=1):
        _, device_id = await hotspot(pool, district, number)
        loan_id = await factories.loan(
            pool, device_id, district.school_id, date(2026, 2, 1), returned_on=date.fromisoformat(returned)
        )
        lost_on = date.fromisoformat(lost)
        await pool.execute("UPDATE loans SET lost_on = $1 WHERE loan_id = $2", lost_on, loan_id)
    found, _, _ = await packaged.inventory_tables(pool)
    told = [(row["condition_status"], row["retain_until"]) for row in found["asset_inventory"]]
    assert dict(zip(cases, told, strict=True)) == {name: case[2:] for name, case in cases.items()}


@pytest.mark.parametrize(
    ("period", "a_month"), [("day", None), ("month", 100.0), ("cycle", 100.0), ("year", None)]
)
async def test_an_allowance_is_one_of_a_month_only_where_the_plan_says_so(
    pool: asyncpg.Pool, district: reconciled.District, period: str, a_month: float | None
) -> None:
    await pool.execute(
        "UPDATE plans SET allowance_bytes = 100000000000, allowance_period = $1::text::allowance_period",
        period,
    )
    await hotspot(pool, district, 1)
    (row,) = (await packaged.inventory_tables(pool))[0]["service_inventory"]
    told = row["monthly_data_cap_gb"], row["data_cap_gb"], row["cap_period"]
    assert told == (a_month, 100.0, period)


async def test_a_device_that_nobody_borrowed_tells_when_it_had_a_line(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    await hotspot(pool, district, 1)
    line_id, _ = await hotspot(pool, district, 2)
    moved_at = reconciled.at(date(2026, 10, 12))
    await pool.execute("UPDATE line_device_links SET ends_at = $1 WHERE line_id = $2", moved_at, line_id)
    third, _ = await hotspot(pool, district, 3)
    later = reconciled.at(date(2026, 11, 2))
    await pool.execute("UPDATE line_device_links SET ends_at = $1 WHERE line_id = $2", later, third)
    lent = await factories.device(pool, fleet.imei(4))
    await factories.loan(pool, lent, district.school_id, SEPTEMBER)
    assets = (await packaged.inventory_tables(pool))[0]["asset_inventory"]
    assert [(row["in_service_from"], row["in_service_until"]) for row in assets] == [
        ("2026-08-01", None),
        ("2026-08-01", "2026-10-12"),
        ("2026-08-01", None),  # what came after the month is not told
        (None, None),
    ]


async def test_a_familys_answer_stands_where_staff_documented_the_need_after_it(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    insert = (
        "INSERT INTO need_answers (district_id, student, answered_on, has_access, is_documented_by_staff)"
        " VALUES ($1, $2, $3, $4, $5)"
    )
    await pool.execute(insert, factories.DISTRICT, student(MARIA), date(2026, 8, 20), False, False)
    await pool.execute(insert, factories.DISTRICT, student(MARIA), date(2026, 9, 20), None, True)
    told = (await packaged.inventory_tables(pool, roster(tmp_path, MARIA)))[2]
    assert told is not None
    (answer,) = json.loads(told)
    assert answer["internetAccessInResidence"] is False


async def test_ed_fi_tells_what_families_answered_of_students_in_the_roster_alone(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    insert = (
        "INSERT INTO need_answers (district_id, student, answered_on, has_access, barrier, access_type, performance,"
        " is_documented_by_staff) VALUES ($1, $2, $3, $4, $5::internet_barrier, $6::internet_access_type,"
        " $7::internet_performance, $8)"
    )
    answers: list[tuple[str, str, Any, Any, Any, Any, bool]] = [
        (MARIA, "2026-08-01", True, None, "satellite", None, False),
        (MARIA, "2026-09-01", True, None, "hot_spot", "sometimes", False),
        (MARIA, "2026-11-05", False, None, None, None, False),  # after the month
        (OMAR, "2026-09-02", False, "not_affordable", None, None, False),
        (LEE, "2026-09-03", None, None, None, None, True),  # staff's word is no answer
        ("10004", "2026-09-04", False, None, None, None, False),  # in no roster
    ]
    for number, on, *answer in answers:
        await pool.execute(insert, factories.DISTRICT, student(number), date.fromisoformat(on), *answer)
    _, device_id = await hotspot(pool, district, 1)
    await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(LEE))
    _, _, told = await packaged.inventory_tables(pool, roster(tmp_path, *NAMES))
    assert told is not None
    there = {"educationOrganizationReference": {"educationOrganizationId": 4101920}}
    uri = "uri://ed-fi.org"
    assert json.loads(told) == [
        {
            **there,
            "studentReference": {"studentUniqueId": MARIA},
            "internetAccessInResidence": True,
            "internetAccessTypeInResidenceDescriptor": f"{uri}/InternetAccessTypeInResidenceDescriptor#Hot Spot",
            "internetPerformanceInResidenceDescriptor": f"{uri}/InternetPerformanceInResidenceDescriptor#Sometimes",
        },
        {
            **there,
            "studentReference": {"studentUniqueId": OMAR},
            "internetAccessInResidence": False,
            "barrierToInternetAccessInResidenceDescriptor": (
                f"{uri}/BarrierToInternetAccessInResidenceDescriptor#Not Affordable"
            ),
        },
    ]
    assert (await packaged.inventory_tables(pool))[2] is None  # no roster: nobody's own id is known


async def write(pool: asyncpg.Pool, work: Path, *rosters: Path) -> None:
    asked = inventory.Roster(files=rosters, pseudonymizer=packaged.KEY)
    async with inventory.opened(pool, packaged.facts(), roster=asked) as made:
        with package.Writer(work, title="Inventory") as writer:
            for table, batches in made.parts:
                await writer.stream(table, batches)
            writer.finish()


async def test_names_are_in_the_named_columns_and_nowhere_else(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for number, borrower in enumerate((MARIA, OMAR), start=1):
        _, device_id = await hotspot(pool, district, number)
        await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(borrower))
    work = tmp_path / "package"
    work.mkdir()
    await write(pool, work, roster(tmp_path, *NAMES))
    stored = "\n".join((await files.contents(pool)).values())
    assert student(MARIA) in stored
    for student_id, name in NAMES.items():
        for word in (student_id, *name.split()):
            assert word not in stored
            assert word not in caplog.text
    found = {path.stem: path.read_text("utf-8") for path in (work / "csv").iterdir()}
    assert all(NAMES[MARIA] in found[name] for name in ("asset_inventory", "service_inventory"))
    assert NAMES[LEE] not in "".join(found.values())  # who borrowed nothing is in nothing
    for row in csv.DictReader(found["asset_inventory"].splitlines()):
        del row["person_full_name"]
        assert not any(name in cell for cell in row.values() for name in NAMES.values())
    for pseudonym in (student(MARIA), student(OMAR)):
        assert pseudonym not in "".join(found.values())


async def test_a_name_that_a_spreadsheet_would_calculate_is_written_as_text(
    pool: asyncpg.Pool, district: reconciled.District, tmp_path: Path
) -> None:
    _, device_id = await hotspot(pool, district, 1)
    await factories.loan(pool, device_id, district.school_id, SEPTEMBER, borrower=student(MARIA))
    path = files.csv_file(
        tmp_path, "names.csv", ["student_id", "full_name"], [[MARIA, '=HYPERLINK("http://x","Ann")']]
    )
    work = tmp_path / "package"
    work.mkdir()
    await write(pool, work, path)
    with (work / "csv" / "asset_inventory.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["person_full_name"] == """'=HYPERLINK("http://x","Ann")"""
    assert row["serial_number"] == "SN0001"
