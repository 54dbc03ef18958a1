"""Telnyx's own SDK against the stand-in, and its requests beside ours."""

import httpx
import pytest
import telnyx

from collectors import simulation
from tests.contract import cases
from tests.contract.cases import LINES, described
from tests.contract.towards import Sent, Towards

CASE = next(case for case in described.CASES if case.collector == "telnyx")
ADDRESS = "https://api.telnyx.com/v2"
KEY = CASE.credentials["api_key"]


class Seen(Towards):
    """Also hands out an SDK client that speaks through it."""

    def sdk(self, key: str = KEY) -> telnyx.AsyncTelnyx:
        http = httpx.AsyncClient(transport=self)
        return telnyx.AsyncTelnyx(api_key=key, base_url=ADDRESS, http_client=http, max_retries=0)


async def test_the_sdk_reads_the_whole_list_from_the_stand_in() -> None:
    async with simulation.serve(CASE.stand(LINES)) as url:
        client = Seen(url).sdk()
        found = [card async for card in client.sim_cards.list(page_size=10)]
        await client.close()
    assert {card.id for card in found} == CASE.keys(LINES)
    first = found[0]
    # every member of the model is optional: a stand-in that lacks one would go unnoticed
    assert first.status is not None
    assert first.current_billing_period_consumed_data is not None
    assert first.data_limit is not None
    assert (first.iccid, first.status.value) == (described.line(0, "telnyx").iccid, "enabled")
    consumed = first.current_billing_period_consumed_data
    assert (consumed.amount, consumed.unit) == ("2049.25", "MB")
    assert (first.data_limit.amount, first.data_limit.unit) == ("30", "GB")
    assert first.msisdn == described.line(0, "telnyx").msisdn


async def test_the_sdks_type_of_the_list_lacks_what_its_type_of_one_card_has() -> None:
    """Why online and IMEI are described as fields that may be missing."""
    of_the_list = telnyx.types.shared.SimpleSimCard.model_fields
    of_one = telnyx.types.SimCard.model_fields
    assert {"live_data_session", "current_imei"} <= of_one.keys() - of_the_list.keys()
    assert {
        "id",
        "iccid",
        "msisdn",
        "status",
        "current_billing_period_consumed_data",
        "data_limit",
    } <= of_the_list.keys()


async def test_a_wrong_key_is_refused_as_the_sdk_expects() -> None:
    async with simulation.serve(CASE.stand(LINES)) as url:
        client = Seen(url).sdk("another")
        with pytest.raises(telnyx.AuthenticationError):
            await client.sim_cards.list()
        await client.close()


async def test_the_collector_asks_as_the_sdk_does() -> None:
    """The same method, path, query and credentials. The SDK adds headers about itself, and asks for any size."""
    async with simulation.serve(CASE.stand(LINES)) as url:
        network = Seen(url)
        client = network.sdk()
        page = await client.sim_cards.list(page_number=1, page_size=10)
        await page.get_next_page()
        await client.close()
        theirs = [shown(sent) for sent in network.sent]
    async with cases.reading(CASE) as read:
        await read.pages("lines")
        ours = [shown(sent) for sent in read.network.sent]
    assert ours[:2] == theirs
    assert len(ours) == 3


def shown(sent: Sent) -> tuple[object, ...]:
    url = httpx.URL(sent.url)
    return (
        sent.method,
        url.host,
        url.raw_path.split(b"?")[0],
        sorted(url.params.multi_items()),
        sent.headers["authorization"],
        sent.headers["accept"],
        sent.body,
    )
