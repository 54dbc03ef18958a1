"""Where messages arrive in tests: a real SMTP server and a real webhook, which can be told to fail."""

import asyncio
import contextlib
import datetime
import email
import email.policy
import ipaddress
import ssl
import warnings
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp.web
from aiosmtpd import smtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
USER, PASSWORD = "afterbell", "correct horse"


@dataclass
class MailSink:
    """What arrived, in order. ``answers`` are given, one each, to what comes next instead of taking it: a line of SMTP
    to the message's text, ``drop`` to break the connection, or a recipient's own by its address in ``refused``."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    recipients: list[list[str]] = field(default_factory=list)
    sender_answer: str = ""
    seconds: float = 0.0  # until it answers
    connections: int = 0
    signed_in: list[bool] = field(default_factory=list)

    def texts(self) -> list[str]:
        return [text_of(mail) for mail in self.mails]

    async def handle_EHLO(  # noqa: N802 - the library's names
        self,
        server: smtp.SMTP,
        session: smtp.Session,
        envelope: smtp.Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self,
        server: smtp.SMTP,
        session: smtp.Session,
        envelope: smtp.Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: smtp.SMTP,
        session: smtp.Session,
        envelope: smtp.Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: smtp.SMTP, session: smtp.Session, envelope: smtp.Envelope
    ) -> str:
        await asyncio.sleep(self.seconds)
        if self.answers:
            answer = self.answers.pop(0)
            if answer != "drop":
                return answer
            assert server.transport is not None
            server.transport.close()
            return "421 gone"
        assert isinstance(envelope.content, bytes)
        self.mails.append(parsed(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        self.signed_in.append(bool(session.authenticated))
        return "250 taken"


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None, f"the mail has no {kind} part"
    text: str = body.get_content()
    return text


@contextlib.asynccontextmanager
async def mail_sink(
    *, tls: ssl.SSLContext | None = None, is_implicit: bool = False, asks_password: bool = False
) -> AsyncIterator[MailSink]:
    """An SMTP server on a free port; with ``tls``, by STARTTLS or (``is_implicit``) from the first byte."""
    sink = MailSink()

    def authenticated(
        server: smtp.SMTP, session: smtp.Session, envelope: smtp.Envelope, mechanism: str, data: Any
    ) -> smtp.AuthResult:
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return smtp.AuthResult(success=is_right, handled=False)

    def server() -> smtp.SMTP:
        with warnings.catch_warnings():  # passwords in the clear: of a test, on this machine
            warnings.simplefilter("ignore", UserWarning)
            return smtp.SMTP(
                sink,
                hostname="sink",
                enable_SMTPUTF8=True,
                tls_context=None if is_implicit else tls,
                require_starttls=tls is not None and not is_implicit,
                authenticator=authenticated if asks_password else None,
                auth_required=asks_password,
                auth_require_tls=tls is not None and not is_implicit,
            )

    loop = asyncio.get_running_loop()
    running = await loop.create_server(server, HOST, 0, ssl=tls if is_implicit else None)
    sink.port = running.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        running.close()
        await running.wait_closed()


@dataclass(frozen=True)
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebSink:
    """What was posted, in order. ``statuses`` are answered, one each, to what comes next, and it is not kept."""

    url: str = ""
    posts: list[Posted] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    requests: int = 0

    async def take(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        body = await request.read()
        self.requests += 1
        await asyncio.sleep(self.seconds)
        if self.statuses:
            return aiohttp.web.Response(status=self.statuses.pop(0), headers=self.headers)
        self.posts.append(Posted(request.path_qs, dict(request.headers), body))
        return aiohttp.web.Response(text="taken")


@contextlib.asynccontextmanager
async def web_sink() -> AsyncIterator[WebSink]:
    sink = WebSink()
    application = aiohttp.web.Application()
    application.router.add_route("*", "/{path:.*}", sink.take)
    runner = aiohttp.web.AppRunner(application, access_log=None)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, HOST, 0)
    await site.start()
    sink.url = f"http://{HOST}:{runner.addresses[0][1]}"
    try:
        yield sink
    finally:
        await runner.cleanup()


def certificate(folder: Path, names: Sequence[str] = ("localhost",)) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS with a certificate of its own, and the file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "trusted.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
