"""What every kind of channel is: something that takes a message, or says why not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from service.alerting import messages
from service.store import notifications


class NotDelivered(Exception):
    """Nobody got the message. The text says what and what to do, without an address or a secret.

    ``is_permanent``: this message will not be taken at another time either. ``is_refused``: a person has to mend
    something before the channel takes any. ``again_after``: the receiver asked for that much time.
    """

    def __init__(
        self,
        text: str,
        *,
        is_permanent: bool = False,
        is_refused: bool = False,
        again_after: timedelta | None = None,
    ) -> None:
        super().__init__(text)
        self.is_permanent = is_permanent
        self.is_refused = is_refused or is_permanent
        self.again_after = again_after


class Transport(Protocol):
    async def send(self, message: messages.Message, *, now: datetime) -> str | None:
        """Hand it over; returns what was amiss nevertheless, as a recipient that was refused. Raises NotDelivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of a district, ready to send."""

    kind: str  # mail, apprise, webhook
    route: notifications.Route
    audience: messages.Audience
    transport: Transport
