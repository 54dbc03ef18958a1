"""Turns Snipe-IT's answers into assets. Pure. Names, e-mails and notes of people are never decoded."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from collectors import decoding, errors, readings

ERROR = "error"


class Named(msgspec.Struct, frozen=True, gc=False):
    """A model, a category or a location."""

    name: decoding.Word | None = None


class Status(msgspec.Struct, frozen=True, gc=False):
    """``status_meta``: deployed for whatever is with somebody, else the type of the label."""

    name: decoding.Word | None = None
    status_meta: decoding.Word | None = None


class Assignee(msgspec.Struct, frozen=True, gc=False):
    """Who or what has the asset. A server before version 5 does not tell the number of a user here."""

    id: int
    type: decoding.Word | None = None
    employee_number: decoding.Word | int | msgspec.UnsetType | None = msgspec.UNSET


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """A date in the time zone of the server; ``formatted`` is as the server's users like it."""

    datetime: decoding.Word | None = None
    date: decoding.Word | None = None


class CustomField(msgspec.Struct, frozen=True, gc=False):
    value: decoding.Word | int | None = None


class Row(msgspec.Struct, frozen=True, gc=False):
    """An asset as the server tells it."""

    id: int
    serial: decoding.Word | None = None
    model: Named | None = None
    category: Named | None = None
    location: Named | None = None
    status_label: Status | None = None
    assigned_to: Assignee | None = None
    last_checkout: Stamp | None = None
    expected_checkin: Stamp | None = None
    custom_fields: msgspec.Raw = msgspec.Raw(b"{}")


class User(msgspec.Struct, frozen=True, gc=False):
    id: int
    employee_num: decoding.Word | int | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A list, or what stands in its place: trouble comes with the status 200 too."""

    total: int | None = None
    rows: msgspec.Raw = msgspec.Raw()
    status: str | None = None


ENVELOPES = msgspec.json.Decoder(Envelope)
ROWS = decoding.Rows(Row, "rows")
USERS = decoding.Rows(User, "rows")
FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
VALUES = msgspec.json.Decoder(CustomField)


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset in plain text. Dates are as the server writes them; what it does not tell is ''.

    ``user_id``: of the user who has it; ``number``: the user's, None where the server does not tell it here.
    """

    id: int
    serial: str
    imei: str
    model: str
    category: str
    location: str
    status: str
    assigned_type: str
    user_id: int | None
    number: str | None
    checked_out_at: str
    due_on: str


@dataclass(frozen=True, slots=True)
class Assets:
    total: int
    assets: list[Asset]
    rejected: list[readings.Rejection]

    @property
    def count(self) -> int:
        return len(self.assets) + len(self.rejected)


@dataclass(frozen=True, slots=True)
class Users:
    """The number of each user, by the user's id."""

    total: int
    numbers: dict[int, str]
    count: int


def assets(body: bytes, *, imei_field: str | None) -> Assets:
    """Read a page of assets; a bad one is rejected by itself. Raises ResponseInvalid for a bad page."""
    total, rows = _listed(body)
    rejected: list[readings.Rejection] = []
    read = ROWS.read(rows, rejected)
    return Assets(total, [_asset(row, imei_field) for row in read], rejected)


def users(body: bytes) -> Users:
    """Read a page of users. Raises ResponseInvalid for a bad page, and for a user that cannot be read."""
    total, rows = _listed(body)
    rejected: list[readings.Rejection] = []
    read: Sequence[User] = USERS.read(rows, rejected)
    if rejected:
        raise errors.ResponseInvalid(f"a user has another shape than expected: {rejected[0].path}")
    return Users(total, {user.id: _text(user.employee_num) for user in read}, len(read))


def _listed(body: bytes) -> tuple[int, msgspec.Raw]:
    envelope = decoding.whole(ENVELOPES, body)
    if envelope.status == ERROR:
        raise errors.PermissionDenied(
            "Snipe-IT answered with an error in place of the list: give the token's user the right to view assets "
            "and users"
        )
    if envelope.total is None or not bytes(envelope.rows):
        raise errors.ResponseInvalid("the list has another shape than expected: total and rows: missing")
    return envelope.total, envelope.rows


def _asset(row: Row, imei_field: str | None) -> Asset:
    holder = row.assigned_to
    is_user = holder is not None and holder.type == "user"
    return Asset(
        row.id,
        serial=_text(row.serial),
        imei=_custom(row.custom_fields, imei_field),
        model=_name(row.model),
        category=_name(row.category),
        location=_name(row.location),
        status=_status(row.status_label),
        assigned_type=_text(holder.type) if holder else "",
        user_id=holder.id if holder and is_user else None,
        number=_number(holder) if holder and is_user else "",
        checked_out_at=_text(row.last_checkout.datetime if row.last_checkout else None),
        due_on=_text(row.expected_checkin.date if row.expected_checkin else None),
    )


def _number(holder: Assignee) -> str | None:
    told = holder.employee_number
    return None if isinstance(told, msgspec.UnsetType) else _text(told)


def _status(status: Status | None) -> str:
    """As Snipe-IT's own report writes it: "On Loan (deployed)"."""
    return f"{_text(status.name)} ({_text(status.status_meta)})" if status else ""


def _name(named: Named | None) -> str:
    return _text(named.name) if named else ""


def _custom(fields: msgspec.Raw, name: str | None) -> str:
    """One custom field; the others, which may be about people, are not decoded. Without any it is a list."""
    if name is None or bytes(fields).lstrip()[:1] != b"{":
        return ""
    found = FIELDS.decode(fields).get(name)
    try:
        return "" if found is None else _text(VALUES.decode(found).value)
    except msgspec.ValidationError:
        return ""


def _text(value: str | int | None) -> str:
    """Plain text: Snipe-IT escapes what it tells as if for a page."""
    return html.unescape(decoding.text(value) or "").strip()
