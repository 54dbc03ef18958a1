"""Mail: one message to the recipients of a channel, as text and as HTML."""

import email.utils
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email import header, policy
from email.message import EmailMessage

import aiosmtplib

from service.alerting import channels, messages, texts

_PERMANENT = 500  # SMTP's 5yz: the same will be refused again


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The district's mail server. ``encryption``: starttls, tls or none."""

    host: str
    port: int
    encryption: str
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: float = 30.0


class Subject(str):
    """A subject as a header. Folded by the library, one with other than ASCII may show a second space at the fold."""

    __slots__ = ()
    name = "Subject"  # by which the library knows that this is a header already

    def fold(self, *, policy: policy.EmailPolicy) -> str:
        encoded = header.Header(str(self), None if self.isascii() else "utf-8", header_name=self.name)
        return f"{self.name}: {encoded.encode(linesep=policy.linesep)}{policy.linesep}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A channel of kind mail."""

    server: Server
    to: tuple[str, ...] = field(repr=False)

    async def send(self, message: messages.Message, *, now: datetime) -> str | None:
        written = written_mail(message, sender=self.server.sender, to=self.to, now=now)
        refused: dict[str, aiosmtplib.SMTPResponse] | None = None
        try:
            async with self._connection() as connection:
                refused, _ = await connection.send_message(
                    written, sender=self.server.sender, recipients=list(self.to)
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            if refused is None:  # else it was accepted, and only the goodbye went wrong
                raise _not_delivered(error) from None
        return _amiss(refused or {}, len(self.to))

    def _connection(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.server.host,
            port=self.server.port,
            use_tls=self.server.encryption == "tls",
            start_tls=self.server.encryption == "starttls",
            username=self.server.user,
            password=self.server.password,
            timeout=self.server.timeout_seconds,
        )


def written_mail(
    message: messages.Message, *, sender: str, to: tuple[str, ...], now: datetime
) -> EmailMessage:
    """As it goes over the wire. The Message-ID tells a message that comes twice from two messages."""
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = email.utils.formataddr(("afterbell", sender))
    mail["To"] = ", ".join(to)
    mail["Subject"] = Subject(message.subject)
    mail["Date"] = now
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    if message.begun_by is not None:
        mail["In-Reply-To"] = mail["References"] = f"<{message.begun_by}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.severity == "critical" and not message.is_over:
        mail["Importance"] = "high"
    mail.set_content(texts.plain(message), cte="quoted-printable")
    mail.add_alternative(texts.html(message), subtype="html", cte="quoted-printable")
    mail["Content-Language"] = (
        message.audience.language
    )  # after the text: setting it drops what tells of another
    return mail


def _amiss(refused: dict[str, aiosmtplib.SMTPResponse], recipients: int) -> str | None:
    if not refused:
        return None
    codes = ", ".join(sorted({str(response.code) for response in refused.values()}))
    return f"the mail server refused {len(refused)} of {recipients} recipients ({codes}): correct the channel's to"


def _not_delivered(error: Exception) -> channels.NotDelivered:
    """In our own words: what a server says may hold addresses."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refusal.code for refusal in error.recipients]
        told = ", ".join(sorted(set(map(str, codes))))
        return channels.NotDelivered(
            f"the mail server refused every recipient ({told}): correct the channel's to",
            is_permanent=min(codes) >= _PERMANENT,
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answered(error)
    if isinstance(error, aiosmtplib.SMTPException) and not isinstance(error, OSError):
        return channels.NotDelivered(
            "the mail server does not offer what is configured: correct mail.encryption, mail.user and mail.port",
            is_refused=True,
        )
    return channels.NotDelivered(_unreachable(error), is_refused=_untrusted(error) is not None)


def _answered(error: aiosmtplib.SMTPResponseException) -> channels.NotDelivered:
    is_permanent = error.code >= _PERMANENT
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # The message is fine, and leaves once the password is: it is kept.
        return channels.NotDelivered(
            f"the mail server refused the sign-in ({error.code}): correct mail.user and mail.password_file",
            is_refused=is_permanent,
        )
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return channels.NotDelivered(
            f"the mail server refused the sender ({error.code}): correct mail.sender, or sign in as it",
            is_refused=is_permanent,
        )
    if isinstance(error, aiosmtplib.SMTPDataError):
        return channels.NotDelivered(
            f"the mail server refused the message ({error.code})", is_permanent=is_permanent
        )
    return channels.NotDelivered(f"the mail server answered {error.code}", is_refused=is_permanent)


def _unreachable(error: Exception) -> str:
    if (untrusted := _untrusted(error)) is not None:
        return f"the mail server's certificate is not trusted ({untrusted}): correct mail.host, or trust its issuer"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time: check mail.host, mail.port and mail.encryption"
    return "the mail server cannot be reached: check mail.host, mail.port and mail.encryption"


def _untrusted(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
