"""The gateways of one sweep, and what other lists tell of those of a page."""

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from collectors import decoding, readings
from collectors.meraki import api as meraki_api
from collectors.meraki import lines, lists, offers, parse, rows
from collectors.meraki.windows import Window

GATEWAYS = "the list of gateways"
SLOTS = "the bytes of the current cycle"
HISTORY = "the history of bytes"
CHANGES = "the history of availability"


@dataclass(frozen=True)
class Listed:
    """A page of gateways with their slots and lines, by serial; ``cursor`` is where the list goes on."""

    gateways: list[rows.Gateway]
    slots: lines.SlotsOf
    lines: Mapping[str, Sequence[lines.Line]]
    rejected: list[readings.Rejection]
    cursor: str | None

    @property
    def serials(self) -> list[str]:
        return list(self.lines)

    @property
    def counted(self) -> list[str]:
        """The serials of gateways whose bytes are told by SIM."""
        return [serial for serial in self.serials if self.slots.get(serial)]


class Fleet:
    """Walks the gateways. Every endpoint group reads them so: one rule says which lines there are.

    Other lists are asked for the serials of the page at hand, so that memory does not grow with the fleet.
    """

    def __init__(
        self, api: meraki_api.Api, offered: offers.Offers, parser: parse.Parser, page_size: int
    ) -> None:
        self._api = api
        self._offered = offered
        self._parser = parser
        self._source = lists.Source(GATEWAYS, api.gateways(page_size))

    async def pages(self, cursor: str | None) -> AsyncGenerator[Listed, None]:
        """Raises CollectorError."""
        walk = lists.walk(self._api, self._offered, [self._source], rows.GATEWAYS.read, cursor)
        async with contextlib.aclosing(walk) as steps:
            async for step in steps:
                yield await self._listed(step)

    async def facts(self, listed: Listed) -> tuple[parse.Facts, list[readings.Rejection]]:
        """Whether the page's gateways are online, and their IMEIs. Raises CollectorError."""
        if not listed.serials:
            return parse.Facts(), []
        states = await self._api.whole(self._api.availabilities(listed.serials), rows.AVAILABILITIES.read)
        devices = await self._api.whole(self._api.inventory(listed.serials), rows.INVENTORY.read)
        facts = parse.Facts(
            listed.slots,
            {row.serial: row.status for row in states.rows},
            {row.serial: decoding.text(row.imei) for row in devices.rows},
        )
        return facts, states.rejected + devices.rejected

    async def history(self, serials: Sequence[str], window: Window) -> rows.Batch[rows.History]:
        """The bytes of ten gateways at most. Raises CollectorError."""
        return await self._offered.of(
            HISTORY,
            lambda: self._api.whole(self._api.history(serials, window), rows.HISTORY.read),
            rows.Batch([], []),
        )

    async def changes(self, serials: Sequence[str], window: Window) -> rows.Batch[rows.Change]:
        """Raises CollectorError."""
        if not serials:
            return rows.Batch([], [])
        return await self._offered.of(
            CHANGES,
            lambda: self._api.whole(self._api.changes(serials, window), rows.CHANGES.read),
            rows.Batch([], []),
        )

    async def _listed(self, step: lists.Step[rows.Gateway]) -> Listed:
        gateways = step.batch.rows
        told = await self._slots([gateway.serial for gateway in gateways])
        slots = {row.serial: row.by_slot or () for row in told.rows}
        return Listed(
            gateways,
            slots,
            self._parser.lines(gateways, slots),
            step.batch.rejected + told.rejected,
            step.cursor,
        )

    async def _slots(self, serials: Sequence[str]) -> rows.Batch[rows.Slots]:
        # Without a serial every device of the organisation would be meant.
        if not serials:
            return rows.Batch([], [])
        return await self._offered.of(
            SLOTS,
            lambda: self._api.whole(self._api.slots(serials), rows.SLOTS.read),
            rows.Batch([], []),
        )
