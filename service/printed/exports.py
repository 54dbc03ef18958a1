"""Packages and the audit log, for the terminal and for scripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.printed import csv_files
from service.store import audit, releases
from service.web import export_views

_FIELDS = ("happened_at", "actor", "action", "subject", "details")
_SUM = 12  # digits of a SHA-256 in a table


def show_made(
    console: Console,
    release: releases.Release,
    *,
    state: str,
    folder: Path,
    levels: Mapping[str, int],
    told: Sequence[str],
) -> None:
    """What was made, where it is, what it tells, and what is missing."""
    console.print(f"{release.subject}: {state}", markup=False)
    console.print(f"  folder:  {folder}", markup=False, soft_wrap=True)
    archive = folder.with_name(f"{folder.name}.zip")
    size = export_views.size(release.archive_bytes)
    console.print(f"  archive: {archive} ({size})", markup=False, soft_wrap=True)
    console.print(f"  SHA-256: {release.archive_sha256}", markup=False, soft_wrap=True)
    if levels:
        console.print(f"  {export_views.levels(levels, is_strict=release.is_strict)}", markup=False)
    if release.reasons:
        console.print(f"  {export_views.reasons(release)}", markup=False)
    for sentence in told:
        console.print(f"  note: {sentence}", markup=False, soft_wrap=True)


def made_as_json(
    release: releases.Release,
    *,
    state: str,
    folder: Path,
    levels: Mapping[str, int],
    told: Sequence[str],
) -> dict[str, Any]:
    return {
        **as_json(release, levels),
        "state": state,
        "folder": str(folder),
        "archive": str(folder.with_name(f"{folder.name}.zip")),
        "notes": list(told),
    }


def as_json(release: releases.Release, levels: Mapping[str, int]) -> dict[str, Any]:
    return {
        "district": release.district_id,
        "month": str(release.month),
        "profile": release.profile,
        "pilot": release.pilot or None,
        "revision": release.revision,
        "is_partial": release.is_partial,
        "is_strict": release.is_strict,
        "is_deidentified": release.is_deidentified,
        "reasons": list(release.reasons),
        "package": release.folder,
        "archive_sha256": release.archive_sha256,
        "archive_bytes": release.archive_bytes,
        "version": release.version,
        "created_at": release.created_at.isoformat(),
        "created_by": release.created_by,
        "levels": dict(levels),
    }


def show(
    console: Console,
    district_name: str,
    zone: ZoneInfo,
    found: Sequence[releases.Release],
    levels: Mapping[int, Mapping[str, int]],
) -> None:
    """A district's packages, as they were issued."""
    if not found:
        console.print(f"{district_name}: no package was issued yet", markup=False)
        return
    table = Table(title=escape(district_name), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("package", "issued", "by", "SHA-256", "what it tells"):
        table.add_column(heading, overflow="fold")
    for release in found:
        issued = f"{release.created_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        told = export_views.levels(levels.get(release.release_id, {}), is_strict=release.is_strict)
        short = f"{release.archive_sha256[:_SUM]}..."
        table.add_row(escape(release.subject), issued, release.created_by, short, told)
    console.print(table)


def show_audit(console: Console, district_name: str, zone: ZoneInfo, entries: Sequence[audit.Entry]) -> None:
    if not entries:
        console.print(f"{district_name}: nothing is written down", markup=False)
        return
    table = Table(title=escape(district_name), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("when", "who", "what", "of what"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        when = f"{entry.happened_at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
        table.add_row(when, escape(entry.actor), entry.action.replace("_", " "), escape(entry.subject))
    console.print(table)


def audit_as_json(district_id: int, entry: audit.Entry) -> dict[str, Any]:
    return {
        "district": district_id,
        "happened_at": entry.happened_at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": dict(entry.details),
    }


def write_audit(path: Path, entries: Sequence[tuple[int, audit.Entry]]) -> int:
    """Returns how many rows. Raises ConfigError where the file cannot be written."""
    told = [audit_as_json(district_id, entry) for district_id, entry in entries]
    rows = [[one["district"], *(_text(one[name]) for name in _FIELDS)] for one in told]
    return csv_files.write(path, ("district", *_FIELDS), rows)


def _text(value: object) -> object:
    if isinstance(value, dict):
        return "; ".join(f"{name}={one}" for name, one in sorted(value.items()) if one not in ("", []))
    return value
