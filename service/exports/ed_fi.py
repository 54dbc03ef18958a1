"""What families answered, as Ed-Fi has it: studentEducationOrganizationAssociations of students in a roster."""

import json
from collections.abc import Mapping

import asyncpg

from service.exports import rosters
from service.model import months
from service.store import inventories

FILE = "edfi_seoa.json"
_NAMESPACE = "uri://ed-fi.org"
_BARRIERS = {
    "not_available": "Not Available",
    "not_affordable": "Not Affordable",
    "not_desired": "Not Desired",
    "other": "Other",
}
_TYPES = {
    "residential_broadband": "Residential Broadband",
    "cellular_network": "Cellular Network",
    "hot_spot": "Hot Spot",
    "community_wifi": "Community Provided Wi-Fi",
    "satellite": "Satellite",
    "dial_up": "Dial-up",
    "other": "Other",
    "none": "None",
    "unknown": "Unknown",
}
_PERFORMANCES = {"yes": "Yes", "sometimes": "Sometimes", "no": "No"}


async def document(
    connection: asyncpg.Connection, facts: months.Facts, people: Mapping[str, rosters.Person]
) -> bytes:
    """By student id. Only what a person answered: what a hotspot did is not an answer."""
    found = []
    async for batch in inventories.answers(connection, facts.district_id, facts.through_on):
        for student, _, *answer in batch:
            person = people.get(student)
            if person is not None:
                found.append(_association(facts, person.student_id, *answer))
    found.sort(key=lambda one: str(one["studentReference"]))
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def _association(
    facts: months.Facts,
    student_id: str,
    has_access: bool | None,
    barrier: str | None,
    access_type: str | None,
    performance: str | None,
) -> dict[str, object]:
    """Ed-Fi Data Standard 3.3-b and later. What was not answered is left out."""
    answered: dict[str, object | None] = {
        "educationOrganizationReference": {"educationOrganizationId": int(facts.leaid)}
        if facts.leaid
        else None,
        "studentReference": {"studentUniqueId": student_id},
        "internetAccessInResidence": has_access,
        "barrierToInternetAccessInResidenceDescriptor": _uri(
            "BarrierToInternetAccessInResidence", _BARRIERS, barrier
        ),
        "internetAccessTypeInResidenceDescriptor": _uri("InternetAccessTypeInResidence", _TYPES, access_type),
        "internetPerformanceInResidenceDescriptor": _uri(
            "InternetPerformanceInResidence", _PERFORMANCES, performance
        ),
    }
    return {name: value for name, value in answered.items() if value is not None}


def _uri(name: str, values: Mapping[str, str], answer: str | None) -> str | None:
    return None if answer is None else f"{_NAMESPACE}/{name}Descriptor#{values[answer]}"
