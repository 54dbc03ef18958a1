"""A district that lends hotspots, and loan files of it."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from service.imports import loan_maps, loans, outcomes
from service.model import identifiers, pseudonyms
from tests import factories, files

TODAY = date(2026, 10, 15)
CEDAR, ALDER = "410192000001", "410192000002"
KEY = pseudonyms.Pseudonymizer(b"correct horse battery staple, and more of it")
IMEI = [identifiers.with_luhn(f"8600000000000{n}") for n in range(10)]
HEADER = ("device", "ncessch", "borrower", "checked_out_on", "returned_on", "lost_on")

Row = Sequence[str]


def row(
    n: int, borrower: str, out: str, back: str = "", *, lost: str = "", ncessch: str = CEDAR
) -> list[str]:
    return [IMEI[n], ncessch, borrower, out, back, lost]


async def district(pool: asyncpg.Pool) -> None:
    """Two schools, and hotspots that a source has seen."""
    await factories.district(pool)
    await factories.school(pool, CEDAR)
    await factories.school(pool, ALDER)
    for imei in IMEI:
        await factories.line(pool, device_id=await factories.device(pool, imei))


class Desk:
    """Imports files of one district. Each tells its source, if any."""

    def __init__(self, pool: asyncpg.Pool, folder: Path) -> None:
        self.pool = pool
        self._folder = folder

    async def tells(
        self,
        *rows: Row,
        source: str = "",
        full: bool = False,
        today: date = TODAY,
        header: Sequence[str] = HEADER,
        dry_run: bool = False,
    ) -> outcomes.Outcome:
        path = files.csv_file(self._folder, "loans.csv", header, rows)
        layout = loans.from_source(loan_maps.load("generic"), source)
        return await loans.run(
            self.pool,
            factories.DISTRICT,
            path,
            pseudonymizer=KEY,
            today=today,
            layout=layout,
            full=full,
            dry_run=dry_run,
        )

    async def loans(self) -> list[tuple[Any, ...]]:
        """(device, borrower, out, back, lost, source), by device and date."""
        rows = await self.pool.fetch(
            "SELECT imei, borrower, checked_out_on::text, returned_on::text, lost_on::text, source"
            " FROM loans JOIN devices USING (district_id, device_id) ORDER BY imei, checked_out_on"
        )
        names = {KEY.borrower(name): name for name in ("a", "b", "c", "d")}
        return [
            (IMEI.index(found["imei"]), names.get(found["borrower"], ""), *list(found)[2:]) for found in rows
        ]
