"""Sweeps one Meraki organisation."""

import math
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

from collectors import base, errors, readings
from collectors.meraki import api as meraki_api
from collectors.meraki import fleet, gateway_sweeps, offers, parse, rows, student_sweeps
from collectors.meraki import options as meraki_options

GATEWAYS = "gateways"
USAGE = "usage"
CHANGES = "changes"
HISTORY = "history"
STUDENTS = "students"
STUDENT_USAGE = "student_usage"


def endpoint_groups(options: meraki_options.Options) -> Sequence[base.EndpointGroup]:
    """Every group of gateways first lists a page of them with their slots, by two requests.

    Changes are often asked for twice: again where the latest do not tell since when a gateway was online.
    """
    size = options.page_size
    gateways = base.EndpointGroup(
        name=GATEWAYS,
        cadence=timedelta(minutes=options.gateways_minutes),
        page_size=size,
        page_cost=4,
        overlaps=True,
    )
    usage = base.EndpointGroup(
        name=USAGE,
        cadence=timedelta(minutes=options.usage_minutes),
        page_size=size,
        page_cost=2,
        priority=1,
        lists_lines=False,
    )
    changes = base.EndpointGroup(
        name=CHANGES,
        cadence=timedelta(minutes=options.changes_minutes),
        page_size=size,
        page_cost=4,
        priority=2,
        lists_lines=False,
        overlaps=True,
    )
    history = base.EndpointGroup(
        name=HISTORY,
        cadence=timedelta(minutes=options.history_minutes),
        page_size=size,
        page_cost=2 + math.ceil(size / meraki_api.HISTORY_SERIALS),
        priority=2,
        lists_lines=False,
        overlaps=True,
    )
    return (gateways, usage, changes, history, *_student_groups(options))


def _student_groups(options: meraki_options.Options) -> Sequence[base.EndpointGroup]:
    students = base.EndpointGroup(
        name=STUDENTS,
        cadence=timedelta(minutes=options.students_minutes),
        page_size=options.page_size,
        page_cost=max(1, len(options.systems_manager_networks)),
        priority=3,
        lists_lines=False,
    )
    usage = base.EndpointGroup(
        name=STUDENT_USAGE,
        cadence=timedelta(minutes=options.student_usage_minutes),
        page_size=options.page_size,
        line_cost=1,
        priority=3,
        lists_lines=False,
        overlaps=True,
    )
    if not options.systems_manager_networks:
        return ()
    return (students, usage) if options.systems_manager_usage else (students,)


class Collector:
    """Gateways, their bytes and their changes; and, where asked for, students' devices."""

    def __init__(self, options: meraki_options.Options, api: meraki_api.Api) -> None:
        self._options = options
        self._api = api
        self._parser = parse.Parser(options)
        self._told: set[str] = set()  # what the log has been told is not offered
        self._gateways = gateway_sweeps.GatewaySweeps(options, self._fleet)
        self._students = student_sweeps.StudentSweeps(options, api, self._offers)

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        sweeps = {
            GATEWAYS: self._gateways.states,
            USAGE: self._gateways.usage,
            CHANGES: self._gateways.changes,
            HISTORY: self._gateways.history,
            STUDENTS: self._students.devices,
            STUDENT_USAGE: self._students.usage,
        }
        return sweeps[group.name](sweep)

    async def probe(self) -> base.Probe:
        """Read a few gateways, and a few devices of every network of students. Meraki tells no totals."""
        rejected = await self._doubts(self._api.gateways(meraki_api.FEWEST), rows.GATEWAYS.read, "gateways")
        for network_id in self._options.systems_manager_networks:
            start = self._api.students(network_id, meraki_api.FEWEST)
            rejected += await self._doubts(start, rows.STUDENTS.read, "students")
        return base.Probe(None, self._api.clock_skew_seconds, rejected)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _doubts(
        self, start: str, read: meraki_api.Read[rows.Row], path: str
    ) -> list[readings.Rejection]:
        try:
            return (await self._api.first(start, read)).rejected
        except errors.NotFound:
            await self._api.check_organization()
            return [readings.Rejection(path, "not offered to this organisation, or a wrong network id")]

    def _fleet(self) -> fleet.Fleet:
        return fleet.Fleet(self._api, self._offers(), self._parser, self._options.page_size)

    def _offers(self) -> offers.Offers:
        return offers.Offers(self._api, self._told)
