"""Normal forms of what names a device, a SIM or a line. No reason here ever holds the value itself."""

import re

_SEPARATORS = re.compile(r"[\s\-./]")
_PHONE_SEPARATORS = re.compile(r"[\s\-.()]")
_PLACEHOLDERS = frozenset({"NA", "N/A", "NONE", "NULL", "UNKNOWN", "TBD", "-", "?"})
_LONGEST_SERIAL = 64
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # twice the digit, less 9 where that has two digits


class Invalid(ValueError):
    """The text is not such an identifier. The message is the reason, without the text."""


def imei(text: str) -> str:
    """14 digits and the check digit, from 14 (no check digit), 15 or 16 digits (with software version)."""
    digits = _digits(text)
    if len(digits) not in (14, 15, 16):
        raise Invalid(f"an IMEI has 15 digits, this has {len(digits)}")
    whole = with_luhn(digits[:14])
    if len(digits) == 15 and digits != whole:
        raise Invalid("the last digit does not check: a digit of this IMEI is wrong")
    return whole


def iccid(text: str) -> str:
    """18 to 20 digits, with the check digit. One that lacks it gets it, where there is room."""
    digits = _digits(text.strip().rstrip("Ff"))
    if not 18 <= len(digits) <= 20:
        raise Invalid(f"an ICCID has 18 to 20 digits, this has {len(digits)}")
    return digits if is_luhn(digits) or len(digits) == 20 else with_luhn(digits)


def iccid_forms(text: str) -> tuple[str, ...]:
    """Every form the same SIM may be stored under, the likeliest first.

    One number in ten that lacks its check digit passes for one that has it, so the form alone cannot tell.
    """
    digits = _digits(text.strip().rstrip("Ff"))
    forms = [iccid(text)]
    if is_luhn(digits):
        forms += [with_luhn(digits), digits[:-1]]
    return tuple(dict.fromkeys(form for form in forms if 18 <= len(form) <= 20))


def mdn(text: str) -> str:
    """E.164. Ten digits, or eleven with a leading 1, are a North American number."""
    compact = _PHONE_SEPARATORS.sub("", text)
    number = compact.removeprefix("+")
    if not number.isascii() or not number.isdigit():
        raise Invalid("a phone number has digits only")
    if compact.startswith("+"):
        return _international(number)
    if len(number) == 11 and number.startswith("1"):
        number = number[1:]
    if len(number) != 10:
        raise Invalid(f"a phone number has 10 digits, or a + and its country's code; this has {len(number)}")
    return _international("1" + number)


def _international(number: str) -> str:
    if number.startswith("1"):
        if len(number) != 11 or number[1] in "01":
            raise Invalid("there is no such North American area code and number")
    elif not 8 <= len(number) <= 15 or number.startswith("0"):
        raise Invalid("an international number has a country's code and 8 to 15 digits in all")
    return "+" + number


def serial(text: str) -> str:
    """Trimmed and upper-cased."""
    trimmed = text.strip().upper()
    if not trimmed or trimmed in _PLACEHOLDERS or not trimmed.strip("0"):
        raise Invalid("is empty or stands for none")
    if len(trimmed) > _LONGEST_SERIAL:
        raise Invalid(f"is longer than {_LONGEST_SERIAL} characters")
    if not trimmed.isprintable() or re.search(r"\s", trimmed):
        raise Invalid("a serial number has no spaces or control characters")
    if not re.search(r"\d", trimmed):
        raise Invalid("a serial number has a digit; what has none may be a name")
    return trimmed


def is_luhn(digits: str) -> bool:
    return with_luhn(digits[:-1]) == digits


def with_luhn(digits: str) -> str:
    """The digits and their check digit (ISO/IEC 7812-1, annex B)."""
    doubled, single = digits[-1::-2].encode().translate(_DOUBLED), digits[-2::-2].encode()
    return digits + str((len(digits) * ord("0") - sum(doubled) - sum(single)) % 10)


def _digits(text: str) -> str:
    digits = text if text.isdigit() else _SEPARATORS.sub("", text)
    if not digits:
        raise Invalid("is empty")
    if not digits.isascii() or not digits.isdigit():
        raise Invalid("has characters that are not digits")
    if len(set(digits)) == 1:
        raise Invalid("is a placeholder: every digit is the same")
    return digits
