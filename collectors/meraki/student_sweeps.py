"""Sweeps of the networks of Systems Manager."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from collectors import base, fan_out, readings
from collectors.meraki import api as meraki_api
from collectors.meraki import lists, offers, rows, students, windows
from collectors.meraki import options as meraki_options

AT_ONCE = 4

Pages = AsyncGenerator[readings.Page, None]


@dataclass(frozen=True)
class Listed:
    """A page of one network's devices."""

    network_id: str
    students: list[rows.Student]
    rejected: list[readings.Rejection]
    cursor: str | None


class StudentSweeps:
    def __init__(
        self,
        options: meraki_options.Options,
        api: meraki_api.Api,
        offered: Callable[[], offers.Offers],
    ) -> None:
        self._options = options
        self._api = api
        self._offered = offered

    async def devices(self, sweep: base.Sweep) -> Pages:
        async with contextlib.aclosing(self._pages(sweep, with_sims=False)) as pages:
            async for listed in pages:
                devices, rejected = students.devices(listed.students, listed.network_id, sweep.instant)
                yield readings.Page(
                    student_devices=devices, rejected=listed.rejected + rejected, cursor=listed.cursor
                )

    async def usage(self, sweep: base.Sweep) -> Pages:
        async with contextlib.aclosing(self._pages(sweep, with_sims=True)) as pages:
            async for listed in pages:
                yield await self._usage_of(listed, sweep)

    async def _usage_of(self, listed: Listed, sweep: base.Sweep) -> readings.Page:
        rejected = list(listed.rejected)
        found = await fan_out.each(
            [student for student in listed.students if students.has_sim(student)],
            lambda student: self._usage_of_one(listed.network_id, student, sweep),
            rejected,
            at_once=AT_ONCE,
            path="students",
        )
        return readings.Page(
            sightings=[sighting for sighting, _ in found],
            rejected=rejected + [rejection for _, bad in found for rejection in bad],
            cursor=listed.cursor,
        )

    async def _usage_of_one(
        self, network_id: str, student: rows.Student, sweep: base.Sweep
    ) -> tuple[readings.Sighting, Sequence[readings.Rejection]]:
        url = self._api.student_use(network_id, students.key(student))
        batch = await self._api.whole(url, rows.STUDENT_DAYS.read)
        since = windows.days_since(sweep, first=timedelta(days=self._options.history_days))
        days = students.usage(
            batch.rows, since=since, until=sweep.instant, kilobyte_bytes=self._options.kilobyte_bytes
        )
        return students.sighting(student, network_id, days), batch.rejected

    async def _pages(self, sweep: base.Sweep, *, with_sims: bool) -> AsyncGenerator[Listed, None]:
        networks, size = self._options.systems_manager_networks, self._options.page_size
        sources = [
            lists.Source(
                f"Systems Manager in network {network_id}",
                self._api.students(network_id, size, with_sims=with_sims),
            )
            for network_id in networks
        ]
        walk = lists.walk(self._api, self._offered(), sources, rows.STUDENTS.read, sweep.cursor)
        async with contextlib.aclosing(walk) as steps:
            async for step in steps:
                yield Listed(networks[step.at], step.batch.rows, step.batch.rejected, step.cursor)
