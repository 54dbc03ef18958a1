"""A source that says what a test has it say, swept by the real runner into a real database."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from collectors import base, readings
from service.polling import accounts
from service.store import accounts as account_rows
from tests.fleet import DISTRICT, ZONE


def group(name: str = "lines", **given: Any) -> base.EndpointGroup:
    return base.EndpointGroup(**{"name": name, "cadence": timedelta(hours=1), "page_size": 100, **given})


@dataclass
class Source:
    """A collector whose groups tell the pages that they are given, each sweep the same."""

    told: dict[str, Sequence[readings.Page]] = field(default_factory=dict)
    endpoint_groups: Sequence[base.EndpointGroup] = (group(),)

    def says(self, *sightings: readings.Sighting, of: str = "lines") -> None:
        self.told[of] = [readings.Page(sightings=list(sightings))]

    def named(self, name: str) -> base.EndpointGroup:
        return next(known for known in self.endpoint_groups if known.name == name)

    async def pages(
        self, group: base.EndpointGroup, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        for page in self.told.get(group.name, ()):
            yield page

    async def probe(self) -> base.Probe:
        return base.Probe(None, None)

    async def aclose(self) -> None:
        return


async def accounts_of(pool: asyncpg.Pool, **sources: Source) -> dict[str, accounts.Account]:
    """An account for each source, by its key; ranked as they are given, carriers first."""
    rows = [
        account_rows.Account(
            key=key,
            collector="file",
            time_zone=ZONE,
            lag_days=0,
            rank=place,
            cadence=min(group.cadence for group in source.endpoint_groups),
            plan_key=None,
        )
        for place, (key, source) in enumerate(sources.items(), start=1)
    ]
    district = account_rows.District(
        district_id=DISTRICT, name="Northfield", time_zone=ZONE, school_year_starts="07-01", accounts=rows
    )
    known = await account_rows.sync(pool, [district])
    return {key: accounts.Account(key, known[DISTRICT, key], source) for key, source in sources.items()}
