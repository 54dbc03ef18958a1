"""Meraki's words for whether a gateway can be reached."""

from collections.abc import Mapping
from types import MappingProxyType

from collectors import vocabulary

ONLINE = "online"
# Alerting: it complains, but over a connection that works. Dormant: not reached for long.
KNOWN: Mapping[str, str] = MappingProxyType(
    {"online": ONLINE, "alerting": ONLINE, "offline": "offline", "dormant": "offline"}
)


class Words:
    """What is known of one account's words, and how often others were met."""

    def __init__(self, further: Mapping[str, str]) -> None:
        self.unmapped: dict[str, int] = {}
        self._known = {vocabulary.fold(word): state == ONLINE for word, state in {**KNOWN, **further}.items()}
        self._met: dict[str, bool | None] = {}  # folding is slow, and words are few

    def is_online(self, word: str | None) -> bool | None:
        """None where the vendor told nothing, or a word that is not known: the latter is counted."""
        if not word:
            return None
        if word not in self._met:
            self._met[word] = self._known.get(vocabulary.fold(word.strip()))
        known = self._met[word]
        if known is None:
            self.count("availability", word)
        return known

    def count(self, what: str, word: str) -> None:
        told = f"{what}: {word.strip()[: vocabulary.RAW_STATUS_CHARACTERS]}"
        self.unmapped[told] = self.unmapped.get(told, 0) + 1
