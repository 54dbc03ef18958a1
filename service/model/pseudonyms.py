"""Borrowers and households become pseudonyms, which only the holder of the district's key can compute."""

import hmac
from dataclasses import dataclass, field

SHORTEST_KEY = 32  # bytes
FEWEST_CHARACTERS = 8  # different ones: a run of one letter is no secret


class WeakKey(ValueError):
    """The key could be guessed."""


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """HMAC-SHA256 under the key. The kinds are kept apart: borrower 7 is not household 7."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY or len(set(self.key)) < FEWEST_CHARACTERS:
            raise WeakKey(f"a pseudonym key has at least {SHORTEST_KEY} random characters")

    def borrower(self, text: str) -> str:
        """64 hexadecimal digits; '' stays '': not told."""
        return self._pseudonym("borrower", text)

    def household(self, text: str) -> str:
        return self._pseudonym("household", text)

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart without telling either."""
        return self._digest("fingerprint", "")[:32]

    def _pseudonym(self, kind: str, text: str) -> str:
        normal = text.strip().upper()
        return self._digest(kind, normal) if normal else ""

    def _digest(self, kind: str, text: str) -> str:
        return hmac.digest(self.key, f"{kind}\0{text}".encode(), "sha256").hex()
