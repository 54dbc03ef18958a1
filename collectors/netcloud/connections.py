"""What NetCloud's word for a router's state says of its connection."""

import enum
from collections.abc import Mapping

from collectors import vocabulary


class Connection(enum.Enum):
    ONLINE = "online"
    OFFLINE = "offline"
    NEVER = "initialized"  # set up, and never connected since

    @property
    def is_online(self) -> bool:
        return self is Connection.ONLINE


class Connections:
    """The words of one page. ``unmapped`` counts those that are not known."""

    def __init__(self, further: Mapping[str, str] | None = None) -> None:
        self.unmapped: dict[str, int] = {}
        self._known = {connection.value: connection for connection in Connection}
        for word, meaning in (further or {}).items():
            self._known[vocabulary.fold(word)] = Connection(meaning)

    def read(self, word: str | None) -> Connection | None:
        """None: not told, or a word that is not known."""
        if word is None:
            return None
        known = self._known.get(word) or self._known.get(vocabulary.fold(word))
        if known is None:
            reason = f"router state: {word.strip()[: vocabulary.RAW_STATUS_CHARACTERS]}"
            self.unmapped[reason] = self.unmapped.get(reason, 0) + 1
        return known
