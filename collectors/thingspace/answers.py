"""What the ThingSpace stand-in writes: the vendor's JSON, and its refusals."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web

from collectors import simulation
from collectors.thingspace import world

LIST_FIELDS = frozenset(
    {
        "accountName",
        "deviceId",
        "filter",
        "currentState",
        "customFields",
        "groupName",
        "servicePlan",
        "earliest",
        "latest",
        "maxNumberOfDevices",
        "largestDeviceIdSeen",
    }
)
HISTORY_FIELDS = frozenset({"deviceId", "earliest", "latest"})
KINDS = frozenset({"esn", "eid", "iccid", "imei", "imsi", "mdn", "meid", "msisdn"})


def page(name: str, rows: Sequence[object], has_more: bool) -> web.Response:
    """A page that is not the last comes with 202."""
    status = HTTPStatus.ACCEPTED if has_more else HTTPStatus.OK
    return simulation.answer({"hasMoreData": has_more, name: rows}, status=status)


def device(line: world.Line) -> dict[str, Any]:
    """A row of the list. What is not told is left out."""
    row = {
        "accountName": line.account_name,
        "billingCycleEndDate": "2026-12-09T20:00:00-05:00",
        "carrierInformations": [
            {"carrierName": "Verizon Wireless", "servicePlan": "m2m4G", **_told("state", state)}
            for state in line.states
        ],
        "connected": line.connected,
        "createdAt": "2026-08-07T10:42:15-04:00",
        "customFields": [{"key": "CustomField1", "value": line.custom_field}],
        "deviceIds": [{"id": identifier, "kind": kind} for kind, identifier in line.ids],
        "extendedAttributes": _attributes(line),
        "groupNames": [line.group_name],
        "ipAddress": line.ip_address,
        "lastActivationBy": line.activated_by,
        "lastActivationDate": "2026-08-07T10:42:34-04:00",
        "lastConnectionDate": line.last_connection,
    }
    return {name: value for name, value in row.items() if value is not None}


def use(told: world.Use) -> dict[str, Any]:
    return {
        "bytesUsed": told.bytes_used,
        "extendedAttributes": [{"key": "MoSms", "value": "0"}],
        "servicePlan": "m2m4G",
        "smsUsed": 0,
        **_told("source", told.source),
        "timestamp": written(told.day),
    }


def event(told: world.Event) -> dict[str, Any]:
    """An event's attributes are strings, numbers and all."""
    return {
        "connectionEventAttributes": [
            {"key": "BytesUsed", "value": str(told.bytes_used)},
            {"key": "Event", "value": told.word},
            {"key": "Msisdn", "value": "15086303371"},
        ],
        "extendedAttributes": [],
        "occurredAt": told.at.isoformat(timespec="seconds"),
    }


def refused(code: str) -> web.Response:
    """Nearly every refusal is a 400."""
    return simulation.answer(
        {"errorCode": f"UnifiedWebService.{code}", "errorMessage": "The request was refused."}, status=400
    )


def oauth_refused(status: int, error: str) -> web.Response:
    return simulation.answer({"error": error, "error_description": "The request was refused."}, status=status)


def instant(text: object) -> datetime | None:
    """An instant as the vendor takes it, with its offset."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def written(at: datetime) -> str:
    """UTC as Z, any other offset as it is."""
    text = at.isoformat(timespec="seconds")
    return f"{text[:-6]}Z" if at.tzinfo is UTC else text


def _attributes(line: world.Line) -> list[dict[str, str]]:
    """The DeviceId stands among what must never be read."""
    private = [{"key": key, "value": value} for key, value in line.private.items()]
    number = [] if line.device_id is None else [{"key": "DeviceId", "value": str(line.device_id)}]
    return [*private[:1], *number, *private[1:]]


def _told(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}
