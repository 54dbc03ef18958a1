"""What the text that names a device may be: an IMEI, a SIM, a phone number or a serial."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from service.model import identifiers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DeviceName:
    """Every reading that the text allows: ten digits may be a phone number or a serial."""

    imei: str | None
    iccids: tuple[str, ...] | None
    mdn: str | None
    serial: str | None
    is_whole_imei: bool  # it came with its check digit


def read(text: str) -> DeviceName:
    imei = _or_none(identifiers.imei, text)
    serial = _or_none(identifiers.serial, text)
    if imei is not None and sum(map(str.isdigit, text)) == len(imei):
        return DeviceName(imei, None, None, serial, is_whole_imei=True)
    return DeviceName(
        imei,
        _or_none(identifiers.iccid_forms, text),
        _or_none(identifiers.mdn, text),
        serial,
        is_whole_imei=False,
    )


def _or_none(parse: Callable[[str], T], text: str) -> T | None:
    try:
        return parse(text)
    except identifiers.Invalid:
        return None
