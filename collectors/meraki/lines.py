"""Which lines a gateway holds: one for each SIM.

Meraki tells the SIM in use (its ICCID and signal) by uplink, and bytes by slot, and never says which slot an uplink
stands for. The slot in use is the one that is active, or the only one.
"""

from collections.abc import Mapping, Sequence

import msgspec

from collectors.meraki import rows

CELLULAR = "cellular"

SlotsOf = Mapping[str, Sequence[rows.Slot]]  # by serial


class Line(msgspec.Struct, frozen=True, gc=False):
    """A SIM. ``uplink`` is known of the one in use; ``slot`` where Meraki counts its bytes."""

    provider_key: str
    is_in_use: bool
    uplink: rows.Uplink | None = None
    slot: rows.Slot | None = None


def of(gateway: rows.Gateway, slots: Sequence[rows.Slot], *, is_cellular: bool) -> list[Line]:
    """The gateway's lines. ``is_cellular``: it has a modem for certain, so there is a line even without a SIM."""
    cellular = [uplink for uplink in gateway.uplinks or () if _is_cellular(uplink)]
    if slots:
        return _by_slot(gateway.serial, cellular, slots)
    found = {_interface(uplink): uplink for uplink in reversed(cellular)}
    if not found and is_cellular:
        return [Line(f"{gateway.serial}:{CELLULAR}", True)]
    return [Line(f"{gateway.serial}:{interface}", True, uplink) for interface, uplink in found.items()]


def slot_key(serial: str, slot: str) -> str:
    return f"{serial}:{slot.strip()}"


def _by_slot(serial: str, cellular: Sequence[rows.Uplink], slots: Sequence[rows.Slot]) -> list[Line]:
    in_use = _in_use(slots)
    uplink = cellular[0] if len(cellular) == 1 else None
    return [
        Line(slot_key(serial, slot.name), slot is in_use, uplink if slot is in_use else None, slot)
        for slot in slots
    ]


def _in_use(slots: Sequence[rows.Slot]) -> rows.Slot | None:
    active = [slot for slot in slots if slot.is_active] or slots
    return active[0] if len(active) == 1 else None


def _is_cellular(uplink: rows.Uplink) -> bool:
    return uplink.iccid is not None or (uplink.interface or "").startswith(CELLULAR)


def _interface(uplink: rows.Uplink) -> str:
    return (uplink.interface or "").strip() or CELLULAR
