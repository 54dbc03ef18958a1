"""The CSV export of Kajeet's portal, for districts without access to its interface: one file is one sweep."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TextIO

from collectors import errors as collector_errors
from collectors import readings
from collectors.kajeet import export_csv
from service import errors
from service.imports import frame, outcomes, rows
from service.model import retention
from service.store import polls, sightings
from service.store import pool as pools
from service.store import readings as reading_rows
from service.store import source as sources

KIND = "kajeet"
_BATCH = 2_500  # rows, each of some four readings
_SLACK = timedelta(minutes=5)  # between the portal's clock and ours
_DAY = timedelta(days=1)


async def run(
    pool: pools.Pool,
    source: sources.Source,
    path: Path,
    *,
    as_of: datetime,
    now: datetime,
    today: date,
    reading_months: int = 13,
    layout: export_csv.Layout | None = None,
    dry_run: bool = False,
    progress: rows.Progress | None = None,
) -> outcomes.Outcome:
    """Read an export that was made at ``as_of``. Raises ImportRejected for a header not to be trusted."""
    _check_instant(as_of, now, reading_months)
    async with frame.opened(
        pool, source.district_id, KIND, frame.checksum(path), tables=(), today=today, dry_run=dry_run
    ) as opened:
        await reading_rows.ensure_partitions(opened.connection, as_of.date() - _DAY, as_of.date() + _DAY)
        added = 0
        with _open(path) as file:
            for batch in _batches(export_csv.read(file, instant=as_of, layout=layout), opened.tally):
                stored = await _store(opened, source, batch, as_of)
                added += stored.lines
                if progress is not None:
                    progress(opened.tally.rows)
        await polls.mark_dirty(opened.connection, source, as_of - sightings.LONGEST_DIFFERENCE, as_of)
        opened.finish(added=added, changed=0)
    return opened.outcome


def _check_instant(as_of: datetime, now: datetime, reading_months: int) -> None:
    first_kept = retention.first_kept(now.date(), reading_months)
    if as_of.date() < first_kept or as_of > now + _SLACK:
        raise errors.ImportRejected(
            f"--as-of {as_of.isoformat()} is not between {first_kept} and now: "
            "give the instant at which the portal made the file"
        )


def _open(path: Path) -> TextIO:
    try:
        return path.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise errors.ImportRejected(f"cannot read {path}: {error.strerror or error}") from error


def _batches(
    told: Iterator[readings.Sighting | readings.Rejection], tally: outcomes.Tally
) -> Iterator[list[readings.Sighting]]:
    """Sightings in batches; rejections go into the tally."""
    try:
        while some := list(islice(told, _BATCH)):
            tally.rows += len(some)
            for one in some:
                if isinstance(one, readings.Rejection):
                    tally.reject([_problem(one)])
            yield [one for one in some if isinstance(one, readings.Sighting)]
    except (collector_errors.ResponseInvalid, collector_errors.OptionsInvalid) as error:
        raise errors.ImportRejected(str(error)) from error
    except UnicodeDecodeError as error:
        raise errors.ImportRejected("the file is not UTF-8: export it again as CSV UTF-8") from error


def _problem(rejection: readings.Rejection) -> outcomes.Problem:
    """``rows[17].MDN`` as row 17, column MDN."""
    row, _, column = rejection.path.removeprefix("rows[").partition("]")
    return outcomes.Problem(int(row) if row.isdigit() else 0, column.removeprefix("."), rejection.reason)


async def _store(
    opened: frame.Frame, source: sources.Source, batch: list[readings.Sighting], as_of: datetime
) -> sightings.Stored:
    stored = await sightings.store(
        opened.connection,
        source,
        batch,
        instant=as_of,
        may_overlap=True,
    )
    await polls.mark_lines_dirty(opened.connection, source, stored.away, as_of)
    opened.warn([outcomes.Problem(0, one.path, one.reason) for one in stored.rejected])
    return stored
