"""A column of values as one text, taken apart by the server.

The driver looks at every element of an array for nested ones; at a fleet's size that costs more than the query.
"""

from collections.abc import Iterable

SEPARATOR = "\x1f"  # ASCII unit separator
NULL = "\x1e"
_NUL = "\x00"


def joined(values: Iterable[object | None]) -> str:
    """Join values for ``string_to_array($n, U&'\\001F', U&'\\001E')``. Separators within a value become spaces."""
    texts = [NULL if value is None else str(value) for value in values]
    whole = SEPARATOR.join(texts)
    if whole.count(SEPARATOR) == len(texts) - 1 and whole.count(NULL) == texts.count(NULL):
        return whole if _NUL not in whole else whole.replace(_NUL, " ")
    return SEPARATOR.join(text if text == NULL else storable(text) for text in texts)


def storable(text: str) -> str:
    """The text with a space for each character that PostgreSQL, or the joining, cannot hold."""
    return text.replace(SEPARATOR, " ").replace(NULL, " ").replace(_NUL, " ")
