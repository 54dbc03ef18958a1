"""manifest.csv: which version of OneRoster the files have, and which of them are whole."""

from dataclasses import dataclass
from enum import StrEnum

from service import errors
from service.imports import oneroster_package, oneroster_tables

NAME = "manifest.csv"
USERS, ORGS, ROLES = "users.csv", "orgs.csv", "roles.csv"
ENROLLMENTS, SESSIONS = "enrollments.csv", "academicSessions.csv"
READ = (NAME, USERS, ORGS, ROLES, ENROLLMENTS, SESSIONS)  # no other file is opened

_MISSING = (
    "manifest.csv is missing: it says whether users.csv has everyone (bulk) or only what changed (delta). Have "
    "the export made with it, or write one: a line propertyName,value, then a line file.users,bulk"
)


class Version(StrEnum):
    V1_1 = "1.1"
    V1_2 = "1.2"


class Mode(StrEnum):
    BULK = "bulk"  # everyone: who is absent has left
    DELTA = "delta"  # what has changed
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Manifest:
    version: Version
    modes: dict[str, Mode]  # of the files that are there

    def has(self, name: str) -> bool:
        return name in self.modes

    @property
    def is_bulk(self) -> bool:
        return self.modes[USERS] is Mode.BULK


def read(package: oneroster_package.Package) -> Manifest:
    """Raises ImportRejected where the files cannot be read as OneRoster 1.1 or 1.2."""
    if NAME not in package:
        raise errors.ImportRejected(_MISSING)
    told = _properties(package)
    modes: dict[str, Mode] = {
        name: mode for name in READ[1:] if (mode := _mode(package, told, name)) is not Mode.ABSENT
    }
    if USERS not in modes:
        raise errors.ImportRejected(f"{USERS} is absent: there are no students to read")
    version = _version(package, told.get("oneroster.version", ""))
    if version is Version.V1_1:
        modes.pop(ROLES, None)
    elif modes[USERS] is Mode.BULK and modes.get(ROLES) is not Mode.BULK:
        raise errors.ImportRejected(
            f"{USERS} has everyone (bulk) and {ROLES} is {modes.get(ROLES, 'absent')}: in OneRoster 1.2 it says who is "
            "a student, so export it in bulk too"
        )
    return Manifest(version, modes)


def _properties(package: oneroster_package.Package) -> dict[str, str]:
    with oneroster_tables.opened(package, NAME, required=("propertyName", "value")) as table:
        return {row.text("propertyName").lower(): row.text("value").lower() for row in table.good()}


def _mode(package: oneroster_package.Package, told: dict[str, str], name: str) -> Mode:
    """What the manifest says of a file; where it says nothing, a file beside users.csv is read as it is."""
    said = told.get(f"file.{name.removesuffix('.csv')}".lower(), "")
    if not said:
        if name == USERS:
            raise errors.ImportRejected(f"{NAME} has no line file.users that says bulk or delta")
        return Mode.BULK if name in package else Mode.ABSENT
    if said not in list(Mode):
        raise errors.ImportRejected(f"{NAME} says of {name} neither bulk, delta nor absent")
    if said != Mode.ABSENT and name not in package:
        raise errors.ImportRejected(f"{name} is missing: {NAME} says that it is {said}")
    return Mode(said)


def _version(package: oneroster_package.Package, told: str) -> Version:
    if told:
        known = next(
            (version for version in Version if told == version or told.startswith(f"{version}.")), None
        )
        if known is None:
            shown = told if len(told) < 20 else "another"  # a cell of the wrong column may be longer
            raise errors.ImportRejected(
                f"{NAME} says OneRoster version {shown}: 1.1 and 1.2 are read; choose one of them in the export"
            )
        return known
    header = oneroster_tables.header(package, USERS)
    if header & {"primaryorgsourcedid", "usermasteridentifier"}:
        return Version.V1_2
    if {"orgsourcedids", "role", "enableduser"} <= header:
        return Version.V1_1
    raise errors.ImportRejected(
        f"{NAME} has no line oneroster.version, and {USERS} has the columns of neither 1.1 nor 1.2 (perhaps it is 1.0)"
    )
