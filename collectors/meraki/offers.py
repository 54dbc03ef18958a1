"""Lists that Meraki may not offer an organisation, as it does not own the product."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from collectors import errors
from collectors.meraki import api as meraki_api

Found = TypeVar("Found")

logger = logging.getLogger(__name__)


class Offers:
    """What one sweep finds to be offered. ``told`` keeps, over all sweeps, what the log has been told is not.

    A list is not offered where its first call is refused and yet Meraki knows the organisation.
    """

    def __init__(self, api: meraki_api.Api, told: set[str]) -> None:
        self._api = api
        self._told = told
        self._given: set[str] = set()
        self._refused: set[str] = set()

    async def of(self, what: str, call: Callable[[], Awaitable[Found]], otherwise: Found) -> Found:
        """What the call finds; ``otherwise`` where it is not offered. Raises CollectorError."""
        if what in self._refused:
            return otherwise
        try:
            found = await call()
        except errors.NotFound as error:
            await self.refuse(what, error)
            return otherwise
        self.give(what)
        return found

    def give(self, what: str) -> None:
        self._given.add(what)
        if what in self._told:
            self._told.discard(what)
            logger.info("Meraki now offers %s", what, extra={"action": "offer_found"})

    async def refuse(self, what: str, error: errors.NotFound) -> None:
        """Raises NotFound where the list was there before in this sweep, or the organisation is not."""
        if what in self._given:
            raise error
        await self._api.check_organization()
        self._refused.add(what)
        if what not in self._told:
            self._told.add(what)
            logger.warning(
                "Meraki does not offer %s to this organisation: nothing is read of it",
                what,
                extra={"action": "offer_missing"},
            )
