"""One pretend fleet for every vendor's stand-in: number 7 is the same SIM in the same device everywhere."""

from service.model import identifiers


def iccid(number: int) -> str:
    """19 digits, with the check digit."""
    return identifiers.with_luhn(f"890148{number:012d}")


def imei(number: int) -> str:
    """15 digits, with the check digit."""
    return identifiers.with_luhn(f"35573736{number:06d}")


def mdn(number: int) -> str:
    """E.164."""
    return f"+1503{2_000_000 + number:07d}"


def serial(number: int) -> str:
    return f"AB{number:08d}"
