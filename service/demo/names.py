"""Invented children's names, as districts write them into a vendor's notes: none may ever be stored."""

_FIRST = ("Wilhelmina", "Thaddeus", "Xiomara", "Leopold", "Odalys", "Ignatius", "Saoirse", "Balthazar")
_LAST = ("Fakenham", "Pretendez", "Mockridge", "Fictwright", "Imaginova", "Notreal", "Wunderlich-Doe")

CHILDREN = tuple(f"{first} {last}" for first in _FIRST for last in _LAST)


def child(number: int) -> str:
    return CHILDREN[number % len(CHILDREN)]
