"""What the page of packages says, in words. The command line says the same."""

from collections.abc import Iterable, Mapping

from service.store import releases

LEVELS = {
    "exact": "exact",
    "five": "in ranges of five",
    "ten": "in ranges of ten",
    "band": "coverage only",
    "withheld": "withheld",
}
PARTLY_HIDDEN = "with something hidden"  # by the strict rule, which has no ranges of ten
REASONS = {
    "late_data": "figures came in late",
    "need_corrected": "need was corrected, or came late",
    "loans_corrected": "loans were corrected, or came late",
    "roster_corrected": "the number of students was corrected",
    "calendar_corrected": "the calendar was corrected",
    "prices_corrected": "prices were corrected",
    "settings_changed": "settings were changed",
    "new_version": "made by another version of afterbell",
    "protection_changed": "told otherwise, to protect students",
    "no_visible_change": "what changed is within what was told",
    "files_lost": "the files of the one before were gone",
}
_PROFILES = {
    "shareable": "Shareable: may leave the district",
    "internal": "Internal: lines and devices without names",
    "inventory": "Inventory: may hold names, restricted",
}
_KILO = 1000


def title(release: releases.Release) -> str:
    """``October 2026, shareable, pilot Lessons, revision 2, partial``: no two packages have the same."""
    marks = (
        ("partial", release.is_partial),
        ("strict", release.is_strict),
        ("de-identified", release.is_deidentified),
    )
    told = [f"{release.month.first_on:%B %Y}", release.profile]
    told += [f"pilot {release.pilot}"] if release.pilot else []
    told += [f"revision {release.revision}"]
    return ", ".join(told + [mark for mark, is_so in marks if is_so])


def superseded(found: Iterable[releases.Release]) -> dict[int, int]:
    """The latest revision of the same package, by the ids of those that came before it."""
    latest: dict[tuple[object, ...], releases.Release] = {}
    earlier: dict[int, tuple[object, ...]] = {}
    for release in sorted(found, key=lambda one: one.revision):
        kind = package(release)
        if kind in latest:
            earlier[latest[kind].release_id] = kind
        latest[kind] = release
    return {release_id: latest[kind].revision for release_id, kind in earlier.items()}


def package(release: releases.Release) -> tuple[object, ...]:
    """What revisions of one package have alike."""
    marks = release.is_partial, release.is_strict, release.is_deidentified
    return release.month, release.profile, release.pilot, *marks


def profile(release: releases.Release) -> str:
    return _PROFILES[release.profile]


def needs(release: releases.Release) -> str:
    more = "" if release.profile == releases.SHAREABLE else " and admin"
    return f"To take it, sign in with a token for export{more}."


def levels(schools: Mapping[str, int], *, is_strict: bool = False) -> str:
    """``12 schools: 7 exact, 4 in ranges of five, 1 withheld``."""
    worded = LEVELS | ({"ten": PARTLY_HIDDEN} if is_strict else {})
    if not schools:
        return "–"
    total = sum(schools.values())
    told = ", ".join(f"{schools[level]:,} {words}" for level, words in worded.items() if schools.get(level))
    return f"{total:,} school{'' if total == 1 else 's'}: {told}"


def reasons(release: releases.Release) -> str:
    told = [REASONS.get(reason, reason.replace("_", " ")) for reason in release.reasons]
    return f"Why again: {'; '.join(told)}"


def size(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < _KILO:
            return f"{count:,.0f} {unit}"
        count = round(count / _KILO)
    return f"{count:,.0f} GB"
