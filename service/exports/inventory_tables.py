"""The tables of the inventory: restricted. The de-identified variant leaves out the columns that tell a person."""

import dataclasses

from service.exports import tables

_NCESSCH = r"\d{12}"
PERSONAL = frozenset(
    {"person_full_name", "person_type", "student_source_id", "line_id"}
)  # a line's number rings at a family's home

# What the rules ask for and this service does not keep: the district's own records have it.
_NOT_KEPT = "Empty: it is not kept here."


def _text(name: str, says: str, *, is_required: bool = False, pattern: str = "") -> tables.Column:
    return tables.Column(name=name, kind="text", says=says, is_required=is_required, pattern=pattern)


def _date(name: str, says: str, *, is_required: bool = False) -> tables.Column:
    return tables.Column(name=name, kind="date", says=says, is_required=is_required)


def _person(says: str) -> tuple[tables.Column, ...]:
    return (
        tables.Column(
            name="person_number",
            kind="integer",
            says="The same for the same person in this package; counted anew for each month. Empty: nobody named.",
            minimum=1,
        ),
        _text("person_full_name", says),
    )


ASSETS = tables.Table(
    name="asset_inventory",
    title="Devices and who had them",
    says="A row for every loan so far, and one for every device that was never lent, as it stood at the month's end.",
    key=("record_key",),
    columns=(
        _text("record_key", "The loan, or the device that was never lent.", is_required=True),
        _text("device_key", "The device, by its internal id.", is_required=True, pattern=r"device-\d+"),
        tables.Column(
            name="device_type",
            kind="text",
            says="A mobile hotspot, a router that stays at home, a bus router, or a laptop.",
            is_required=True,
            choices=("hotspot", "fixed_router", "bus_router", "laptop"),
        ),
        _text("make", _NOT_KEPT),
        _text("model", _NOT_KEPT),
        _text("serial_number", "As sources tell it; empty: none does."),
        _text("imei", "As sources tell it; empty: none does.", pattern=r"\d{15}"),
        _text("funding_source", _NOT_KEPT),
        _date("purchase_date", _NOT_KEPT),
        _date("in_service_from", "First day on which a line was seen in it; empty: none ever was."),
        _date(
            "in_service_until",
            "The day its last line left it; empty: it had one at the month's end, or never.",
        ),
        *_person("Who had it on loan, from the roster files; empty: listed in missing_names, or never lent."),
        tables.Column(
            name="person_type",
            kind="text",
            says="As the roster says; empty: it does not, or nobody is named.",
            choices=("student", "staff", "patron"),
        ),
        _text("student_source_id", "The id in the roster that the loan was found by."),
        _text("school_ncessch", "Who lent it; empty: never lent.", pattern=_NCESSCH),
        _date("date_loaned", "First day on loan."),
        _date("date_due", "When it is to come back; empty: not told."),
        _date("date_returned", "First day it was no longer out; empty: it was, at the month's end."),
        _date(
            "date_reported_missing_lost_damaged",
            "When the district was told; empty: not by the month's end.",
        ),
        tables.Column(
            name="condition_status",
            kind="text",
            says="At the month's end.",
            is_required=True,
            choices=("on loan", "returned", "missing, lost or damaged", "never lent"),
        ),
        _text(
            "unmet_need_basis",
            "What of the student's answer, or the staff's word, shows the need; empty: none does.",
        ),
        _date("unmet_need_date", "Of that answer: the newest up to the loan, else the first after it."),
        _text("consent_on_file", _NOT_KEPT),
        _text("aup_version", _NOT_KEPT),
        tables.Column(name="record_created_at", kind="instant", says=_NOT_KEPT),
        _date(
            "retain_until",
            "Ten years after it came back or was reported lost, the later; out or never lent, after the month's end.",
            is_required=True,
        ),
    ),
)

SERVICES = tables.Table(
    name="service_inventory",
    title="Lines and whom they served",
    says="A row for every line and loan that it served so far, and one for every line that served none.",
    key=("record_key",),
    columns=(
        _text("record_key", "The line, and the loan.", is_required=True),
        _text("line_key", "The line, by its internal id.", is_required=True, pattern=r"line-\d+"),
        _text("device_key", "The device that it was in; empty: no source names one.", pattern=r"device-\d+"),
        tables.Column(
            name="service_type",
            kind="text",
            says="Every line is one with a SIM.",
            is_required=True,
            choices=("mobile wireless",),
        ),
        _text("provider", "As the plan says; empty: not told."),
        _text(
            "line_id",
            "The line's number (MSISDN, without a plus); empty: no source tells it.",
            pattern=r"\d{8,15}",
        ),
        _text("iccid", "Of the SIM; empty: no source tells it.", pattern=r"\d{18,20}"),
        _text("device_serial", "As sources tell it; empty: none does."),
        _text("school_ncessch", "Who lent the device; empty: nobody.", pattern=_NCESSCH),
        _text("plan_name", "As configured or imported; empty: not told."),
        tables.Column(
            name="download_mbps",
            kind="number",
            says="Of the plan; empty: not told.",
            unit="Mbit/s",
            decimals=3,
            minimum=0,
        ),
        tables.Column(
            name="upload_mbps", kind="number", says="Likewise.", unit="Mbit/s", decimals=3, minimum=0
        ),
        tables.Column(
            name="monthly_data_cap_gb",
            kind="number",
            says="The plan's allowance where it is for a month or billing cycle; empty: it is not, or not told.",
            unit="GB",
            decimals=3,
            minimum=0,
        ),
        tables.Column(
            name="data_cap_gb",
            kind="number",
            says="The plan's allowance for the period in cap_period; empty: unlimited, or not told.",
            unit="GB",
            decimals=3,
            minimum=0,
        ),
        tables.Column(
            name="cap_period",
            kind="text",
            says="What the allowance is for.",
            choices=("day", "month", "cycle", "year"),
        ),
        tables.Column(
            name="on_cap",
            kind="text",
            says="What happens at the allowance.",
            choices=("stop", "throttle", "charge", "none"),
        ),
        tables.Column(
            name="monthly_cost",
            kind="number",
            says="Of the plan; empty: not told.",
            unit=tables.MONEY,
            minimum=0,
        ),
        _date("service_start", "First day on which the line served the loan; without a loan, was seen."),
        _date("service_end", "The day it no longer did; empty: it did, at the month's end."),
        *_person("Whom it served, from the roster files; empty: listed in missing_names, or nobody."),
        _text("service_address", "Empty: asked of fixed broadband only."),
        _date("installation_date", "Empty: asked of fixed broadband only."),
        _date("last_service_date", "Empty: asked of fixed broadband only."),
        tables.Column(
            name="filter_profile",
            kind="text",
            says="Whether its traffic is filtered as the law asks, as known at the export; empty: not told.",
            choices=("filtered", "not filtered"),
        ),
    ),
)

MISSING = tables.Table(
    name="missing_names",
    title="Loans without a name",
    says="Loans whose borrower the roster files do not name: look them up in the loan desk's own records.",
    key=("record_key",),
    columns=(
        _text("record_key", "The loan.", is_required=True, pattern=r"loan-\d+"),
        _text("device_key", "The device, by its internal id.", is_required=True, pattern=r"device-\d+"),
        _text("school_ncessch", "Who lent it.", is_required=True, pattern=_NCESSCH),
        _date("date_loaned", "First day on loan.", is_required=True),
        _date("date_returned", "First day it was no longer out."),
        tables.Column(
            name="reason",
            kind="text",
            says="The borrower is in no roster file, or the loan's record names no borrower.",
            is_required=True,
            choices=("not in the roster files", "the loan names no borrower"),
        ),
    ),
)


def without_people(table: tables.Table) -> tables.Table:
    columns = tuple(column for column in table.columns if column.name not in PERSONAL)
    return dataclasses.replace(table, columns=columns)
