"""Texts that a spreadsheet would calculate: names come from files that anybody may have written."""

import re

# Also behind spaces; a wide sign counts as its narrow one.
_FORMULA = re.compile(r"[\t\r]|[\s\u200b\ufeff]*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")  # there is nothing to calculate in it


def harmless(text: str) -> str:
    """With an apostrophe before it, where it would be taken for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
