"""A webhook: the message as JSON by POST, signed where there is a secret."""

import hashlib
import hmac
import importlib.metadata
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

import httpx

from service.alerting import channels, messages, texts

TIMEOUT = 15.0  # seconds, for each step of a request
SIGNATURE = "X-Afterbell-Signature"
_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_LONGEST_WAIT = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A channel of kind webhook. Its address is a secret as well."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    timeout_seconds: float = TIMEOUT

    async def send(self, message: messages.Message, *, now: datetime) -> str | None:
        body = texts.as_json(message)
        try:
            async with httpx.AsyncClient(timeout=self.timeout_seconds) as client:
                answer = await client.post(self.url, content=body, headers=self._headers(message, body))
        except httpx.TimeoutException:
            raise channels.NotDelivered("the webhook did not answer in time") from None
        except httpx.RequestError:
            raise channels.NotDelivered(
                "the webhook cannot be reached: check the address in its url_file"
            ) from None
        if not answer.is_success:
            raise _refused(answer)
        return None

    def _headers(self, message: messages.Message, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": message.id,
            "User-Agent": f"afterbell/{importlib.metadata.version('afterbell')}",
        }
        if self.secret is not None:
            headers[SIGNATURE] = f"sha256={signature(self.secret, body)}"
        return headers


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, in hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _refused(answer: httpx.Response) -> channels.NotDelivered:
    status = answer.status_code
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return channels.NotDelivered(f"the webhook answered {status}", again_after=_asked_wait(answer))
    what = "sends elsewhere" if answer.is_redirect else "refused the message"
    return channels.NotDelivered(
        f"the webhook {what} ({status}): check the address in its url_file", is_permanent=True
    )


def _asked_wait(answer: httpx.Response) -> timedelta | None:
    asked = answer.headers.get("Retry-After", "")
    return (
        min(timedelta(seconds=int(asked)), _LONGEST_WAIT) if asked.isdecimal() and len(asked) < 10 else None
    )


def _keep_urls_out_of_logs() -> None:
    """httpx logs every address at INFO, httpcore more at DEBUG: a webhook's address is a secret."""
    logging.getLogger("httpx").addFilter(_is_warning)
    for name in ("connection", "http11", "http2", "proxy", "socks"):
        logging.getLogger(f"httpcore.{name}").addFilter(_is_warning)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


_keep_urls_out_of_logs()
