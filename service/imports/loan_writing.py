"""Staged loans against what is known: conflicts are refused, the rest is written and told of."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.imports import frame, outcomes, rows
from service.store import loan_imports as store

REASONS = {
    "unknown_device": "no source knows this device, and it is no whole IMEI that could name a new one",
    "several_devices": "fits several devices: name it by its IMEI",
    "unknown_school": "there is no such school: import it with the schools first",
    "no_school": "is empty, and the device is in no group that belongs to one school",
    "told_differently": "row {other_row} tells of the same loan and says otherwise",
    "overlaps": "row {other_row} has the device lent at the same time",
    "still_lent": (
        "the device is lent since {other_on} on a loan of an earlier file: give that loan its return date, or import "
        "a full file (--full) of the system that told of it"
    ),
    "was_lent": "an earlier file has the device lent from {other_on} to {other_until}: put the dates right",
}
_CONFLICTS = ("told_differently", "overlaps", "still_lent", "was_lent", "several_devices")
_OF_SCHOOL = ("unknown_school", "no_school")


@dataclass(frozen=True, slots=True)
class Names:
    """What the file calls the device and the school, for what is said of a row."""

    device: str
    school: str


@dataclass(frozen=True, slots=True)
class _Refused:
    repeated: int
    conflicts: int


async def write(importing: frame.Frame, told: store.Told, names: Names, *, full: bool) -> None:
    """Write what was staged. ``full``: the file has every open loan of its source."""
    refused = await _refuse(importing, told, names, full=full)
    connection, district_id = importing.connection, importing.district_id
    kinds = await store.write_kinds(connection, district_id)
    written = await store.write(connection, district_id, told, today=importing.today)
    returned = await store.return_in_stock(connection, district_id, told.source, importing.today)
    absent = await _close(importing, told) if full else store.Ended()
    for first_on in (kinds.first_on, written.first_on, returned.first_on, absent.first_on):
        importing.affects(first_on)
    importing.finish(
        added=written.added,
        changed=written.changed,
        repeated=refused.repeated,
        closed=returned.closed + absent.closed + absent.shortened,
    )
    importing.say(*sentence(written, returned, absent, refused.conflicts))
    await _warn(importing, names, kinds.changed)


def sentence(
    written: store.Written, returned: store.Ended, absent: store.Ended, conflicts: int
) -> Iterator[str]:
    """What happened to how many loans, such as "3 loans opened", "12 closed"; what did not happen is left out."""
    counted = (
        (written.opened, "opened"),
        (written.closed, "closed"),
        (written.added - written.opened, "added that are over"),
        (absent.closed, "closed as absent"),
        (returned.closed, "closed as the device is in stock"),
        (absent.shortened, "ended earlier, as the device was lent again"),
        (written.reopened, "reopened"),
        (written.moved, "changed school"),
        (written.lost, "lost"),
        (written.corrected, "corrected"),
        (conflicts, "conflicts" if conflicts > 1 else "conflict"),
    )
    happened = [(count, what) for count, what in counted if count]
    for place, (count, what) in enumerate(happened):
        noun = "" if place or what.startswith("conflict") else "loans " if count > 1 else "loan "
        yield f"{count:,} {noun}{what}"
    if not happened:
        yield "no loan changed"


async def _refuse(importing: frame.Frame, told: store.Told, names: Names, *, full: bool) -> _Refused:
    """Refuse what the rest of the file or the database contradicts."""
    connection, district_id = importing.connection, importing.district_id
    await store.match(connection, district_id, importing.district.time_zone)
    await store.refuse(connection, list(contradicting(await store.overlapping(connection))))
    await store.refuse_lent(connection, district_id, told.source, full=full)
    refusals = await store.refusals(connection)
    if full and (importing.tally.rejected or any(refusal.reason != "repeat" for refusal in refusals)):
        # absence closes nothing now, so a loan that is absent stands against the device's next one
        await store.refuse_lent(connection, district_id, told.source, full=False)
        refusals = await store.refusals(connection)
    refused = [refusal for refusal in refusals if refusal.reason != "repeat"]
    for refusal in refused:
        importing.tally.reject([_problem(refusal, names)])
    conflicts = sum(refusal.reason in _CONFLICTS for refusal in refused)
    return _Refused(len(refusals) - len(refused), conflicts)


def contradicting(spans: Sequence[store.Span]) -> Iterator[tuple[int, int]]:
    """The rows that lend a device which an earlier row has out, each with that row."""
    out: dict[int, list[store.Span]] = defaultdict(list)
    for span in spans:
        other = next((known for known in out[span.device_id] if _overlap(span, known)), None)
        if other is None:
            out[span.device_id].append(span)
        else:
            yield span.row_number, other.row_number


def _overlap(one: store.Span, other: store.Span) -> bool:
    return one.checked_out_on < other.until_on and other.checked_out_on < one.until_on


def _problem(refusal: store.Refusal, names: Names) -> outcomes.Problem:
    reason = REASONS[refusal.reason].format(
        other_row=refusal.other_row, other_on=refusal.other_on, other_until=refusal.other_until
    )
    if refusal.reason in _OF_SCHOOL:
        return outcomes.Problem(refusal.row_number, names.school, reason, refusal.ncessch)
    return outcomes.Problem(refusal.row_number, names.device, reason, rows.codes_only(refusal.device))


async def _close(importing: frame.Frame, told: store.Told) -> store.Ended:
    if importing.tally.rejected:
        reason = "rows were refused, so no absent loan was closed: put them right and import the file again"
        importing.warn([outcomes.Problem(0, "", reason)])
        return store.Ended()
    return await store.close_absent(importing.connection, importing.district_id, told.source, importing.today)


async def _warn(importing: frame.Frame, names: Names, kinds_changed: int) -> None:
    connection, district_id = importing.connection, importing.district_id
    reason = "no source has seen this device: its state is unknown"
    importing.warn(
        [
            outcomes.Problem(one.row_number, names.device, reason, rows.codes_only(one.device))
            for one in await store.unseen(connection, district_id)
        ]
    )
    importing.warn(list(_several(await store.several(connection, district_id))))
    if kinds_changed:
        reason = f"the kind of {kinds_changed} device(s) changed"
        importing.warn([outcomes.Problem(0, "device_kind", reason)])


def _several(found: Sequence[store.Several]) -> Iterator[outcomes.Problem]:
    """One borrower, two hotspots: rules allow one, but which of them is right is for people to say."""
    if found:
        borrowers = len({one.borrower_number for one in found})
        reason = f"{borrowers} borrower(s) have more than one open hotspot: federal rules paid for one each"
        yield outcomes.Problem(0, "borrower", reason)
    for one in found:
        yield outcomes.Problem(one.row_number, "borrower", f"the borrower has {one.hotspots} open hotspots")
