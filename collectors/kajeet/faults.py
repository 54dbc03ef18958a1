"""What can go wrong with the rows of the Sentinel stand-in's list, on request."""

import random
from typing import Any

from collectors.simulation import Fault, changed


def fewer_rows(count: int) -> Fault:
    return changed(lambda body: body.update(devices=body["devices"][:count]))


def other_total(difference: int) -> Fault:
    return changed(lambda body: body.update(totalCount=body["totalCount"] + difference))


def reordered(seed: int = 0) -> Fault:
    return changed(lambda body: random.Random(seed).shuffle(body["devices"]))  # noqa: S311


def spoiled_row(index: int, **fields: object) -> Fault:
    """Give a device's fields (under their JSON names) other values; ``...`` takes a field away."""

    def change(body: dict[str, Any]) -> None:
        row = body["devices"][index] | fields
        body["devices"][index] = {name: value for name, value in row.items() if value is not ...}

    return changed(change)
