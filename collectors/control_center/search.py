"""One search of devices: since a date, or since a later one where the vendor does not go back so far."""

from datetime import datetime, timedelta

from collectors import walking
from collectors.control_center import api as control_center_api
from collectors.control_center import parse, refusals

MARGIN = timedelta(hours=1)  # the limit counts from when a page is asked for, a while after the sweep began


class Search:
    """``is_cut_short``: the first page was refused for its date, and asked for again with ``days_at_most``."""

    def __init__(
        self,
        api: control_center_api.Api,
        parser: parse.Parser,
        *,
        since: datetime,
        instant: datetime,
        days_at_most: int,
    ) -> None:
        self.is_cut_short = False
        self._api = api
        self._parser = parser
        self._since = since
        self._latest = instant - timedelta(days=days_at_most) + MARGIN

    async def page(self, at: str) -> walking.Fetched[parse.Listed]:
        """Raises CollectorError."""
        number = int(at)
        body = await (self._first() if number == 1 else self._api.devices(self._since, number))
        listed = self._parser.listed(body)
        return walking.Fetched(listed, body, listed.count, None if listed.is_last else str(number + 1))

    async def _first(self) -> bytes:
        try:
            return await self._api.devices(self._since, 1)
        except refusals.BadRequest:
            if self._since >= self._latest:
                raise
        body = await self._api.devices(self._latest, 1)
        self._since, self.is_cut_short = self._latest, True
        return body
