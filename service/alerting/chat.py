"""Whatever Apprise knows: Teams, Slack, Google Chat, SMS gateways. It is large: imported where it is configured."""

import asyncio
import logging
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import apprise

from service.alerting import channels, messages, texts

TIMEOUT = 30.0  # seconds, for each address
_STATUS = re.compile(r"error=(\d{3})\b")
_LATER = (408, 429)


class AddressInvalid(ValueError):
    """A line that is none of Apprise's addresses; the text tells its number alone, for it holds a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A channel of kind apprise: each address gets the message."""

    services: tuple[apprise.Apprise, ...] = field(repr=False)

    async def send(self, message: messages.Message, *, now: datetime) -> str | None:
        # Apprise asks with requests, which waits: in threads of its own
        faults = await asyncio.gather(
            *(asyncio.to_thread(_notify, service, message) for service in self.services)
        )
        found = [fault for fault in faults if fault is not None]
        if not found:
            return None
        if len(found) < len(faults):  # those who got it are not to get it again
            return f"{len(found)} of {len(faults)} addresses did not take it: {found[0]}"
        raise next((fault for fault in found if not fault.is_permanent), found[0])


def opened(urls: Sequence[str]) -> Chat:
    """For these addresses. Raises AddressInvalid."""
    services = []
    for number, url in enumerate(urls, start=1):
        service = apprise.Apprise(asset=_asset())
        with warnings.catch_warnings():  # its modules are loaded now, one with a part that Python 3.13 drops
            warnings.simplefilter("ignore", DeprecationWarning)
            is_known = service.add(url)
        if not is_known:
            raise AddressInvalid(f"line {number} is no address that Apprise knows")
        services.append(service)
    return Chat(services=tuple(services))


def _asset() -> apprise.AppriseAsset:
    """No pictures from elsewhere, no files, no addresses in the log."""
    return apprise.AppriseAsset(
        app_id="afterbell",
        app_desc="afterbell",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        secure_logging=True,
    )


def _notify(service: apprise.Apprise, message: messages.Message) -> channels.NotDelivered | None:
    title, body = _fitting(service, message)
    with service.notify(
        title=title,
        body=body,
        notify_type=_kind(message),
        body_format=apprise.NotifyFormat.TEXT,
        timeout=TIMEOUT,
    ) as result:
        return None if result else _fault(result)


def _fitting(service: apprise.Apprise, message: messages.Message) -> tuple[str, str]:
    """All of it where it has room; else, as in an SMS, what the subject says and where to read on."""
    room = min((plugin.body_maxlen for plugin in service), default=0)
    body = texts.chat(message)
    if len(message.subject) + len(body) + 1 > room:
        return "", texts.brief(message)
    return message.subject, body


def _kind(message: messages.Message) -> apprise.NotifyType:
    if message.is_over:
        return apprise.NotifyType.SUCCESS
    kinds = {"warning": apprise.NotifyType.WARNING, "high": apprise.NotifyType.WARNING}
    return {**kinds, "critical": apprise.NotifyType.FAILURE}.get(message.severity, apprise.NotifyType.INFO)


def _fault(result: apprise.AppriseResult) -> channels.NotDelivered:
    """By the status that Apprise's own log tells; where there is none, nothing answered."""
    found = [_STATUS.search(entry.message) for entry in result.logs()]
    status = next((int(match[1]) for match in found if match), None)
    if status is None:
        return channels.NotDelivered("it cannot be reached, or did not answer in time: check its url_file")
    is_permanent = 300 <= status < 500 and status not in _LATER
    told = f"it answered {status}"
    return channels.NotDelivered(
        f"{told}: check its url_file" if is_permanent else told, is_permanent=is_permanent
    )


def _keep_urls_out_of_logs() -> None:
    """Apprise and the requests it makes log addresses, which are secrets: what it says is told in our words."""
    logger = logging.getLogger("apprise")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logging.getLogger("urllib3.connectionpool").addFilter(lambda record: False)


_keep_urls_out_of_logs()
