"""Reads where a list goes on out of a Link header."""

import re

LINK = re.compile(r"<(?P<url>[^>]*)>(?P<parameters>[^<]*)")
NEXT = re.compile(r';\s*rel\s*=\s*"?\s*next\s*(?:["\s;,]|$)', re.IGNORECASE)


def next_of(header: str | None) -> str | None:
    """The address of the next page; None: this was the last. Meraki leaves the quotes around next away."""
    for link in LINK.finditer(header or ""):
        if NEXT.search(link["parameters"]):
            return link["url"]
    return None
