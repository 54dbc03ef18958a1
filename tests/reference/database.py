"""One database for all examples of a module; each district has a number of its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from uuid import uuid4

import asyncpg
import pytest

from service.store import embedded
from service.store import pool as pools
from tests import conftest
from tests.reference import described, stored

Compute = Callable[[described.District], stored.Rows]


@pytest.fixture(scope="module")
def compute(server: embedded.Server, template: str) -> Iterator[Compute]:
    """Writes a district, computes its days in the order of events, and reads them back."""
    numbers = count(1)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        pool = runner.run(_opened(stack, server, template))
        try:
            yield lambda district: runner.run(stored.computed(pool, next(numbers), district))
        finally:
            runner.run(stack.aclose())


async def _opened(stack: AsyncExitStack, server: embedded.Server, template: str) -> asyncpg.Pool:
    name = f"reference_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(server.dsn())
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await connection.close()
    return await stack.enter_async_context(pools.connected(conftest.database_url(server, name), size=2))
