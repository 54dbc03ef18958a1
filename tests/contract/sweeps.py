"""What holds for the sweeps of any endpoint group: taken up anywhere, side by side, stopped in their midst."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from collectors import readings, simulation
from tests.contract.cases import Reading


def told(pages: Sequence[readings.Page]) -> dict[str, Counter[Any]]:
    """What pages say of each line, in whatever order they come. Lines that are only named are left out."""
    found: dict[str, Counter[Any]] = {}
    for page in pages:
        for seen in page.sightings:
            said = (*seen.usage, *seen.states, *seen.sessions, seen.last_seen_at)
            if any(said):
                found.setdefault(seen.provider_key, Counter()).update(said)
    return found


async def check_taken_up_anywhere(read: Reading, group: str, since: datetime) -> int:
    """A sweep goes on after every page that can be the last stored one; returns how many were tried."""
    whole = await read.pages(group, since=since)
    tried = 0
    for place, page in enumerate(whole):
        if page.cursor is not None:
            rest = await read.pages(group, since=since, cursor=page.cursor)
            assert told(rest) == told(whole[place + 1 :])
            tried += 1
    return tried


async def check_side_by_side(read: Reading, group: str, since: datetime) -> None:
    alone = told(await read.pages(group, since=since))
    together = await asyncio.gather(*(read.pages(group, since=since) for _ in range(3)))
    assert alone
    assert [told(pages) for pages in together] == [alone] * 3


async def check_stopped_in_the_midst(read: Reading, group: str, since: datetime) -> None:
    """No request goes out after a sweep was stopped, and the next one reads the same."""
    whole = told(await read.pages(group, since=since))
    hangs = asyncio.Event()

    async def hang(call: simulation.Call) -> Any:
        hangs.set()
        return await simulation.hang(call)

    faults = read.stand.faults
    faults.next(hang, endpoint=None, after=1)
    sweep = asyncio.create_task(read.pages(group, since=since))
    await asyncio.wait_for(hangs.wait(), 5)
    sweep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweep
    faults.clear()
    sent = len(read.network.sent)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.05)
    assert len(read.network.sent) == sent
    assert told(await read.pages(group, since=since)) == whole
