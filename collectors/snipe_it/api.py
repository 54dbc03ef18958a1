"""Snipe-IT's calls: lists of assets and users. Only reads."""

from collections.abc import Mapping

from collectors import budget, client, entry, sign_in
from collectors.snipe_it import options as snipe_it_options

HARDWARE, USERS = "hardware", "users"


class Api:
    """One token at one server. The token has the rights of the user who made it."""

    def __init__(
        self,
        options: snipe_it_options.Options,
        token: str,
        *,
        budgets: budget.Budgets,
        transport: client.Transport | None = None,
        limits: client.Limits | None = None,
    ) -> None:
        fingerprint = budget.fingerprint("snipe_it", options.address, token)
        spending = entry.Spending(fingerprint, budget.Terms(options.requests_per_second))
        self._headers = sign_in.bearer(token)
        self._http = entry.Wires(budgets, transport, limits=limits).client(options.address, spending)
        self.options = options

    async def page(self, resource: str, offset: int, filters: Mapping[str, str | int]) -> bytes:
        """One page of a list, by rising id. Raises CollectorError."""
        size = self.options.page_size
        place: dict[str, str | int] = {"limit": size, "offset": offset, "sort": "id", "order": "asc"}
        url = f"{self.options.address}/api/v1/{resource}"
        answer = await self._http.get(url, params={**filters, **place}, headers=self._headers)
        return answer.body

    async def aclose(self) -> None:
        await self._http.aclose()
