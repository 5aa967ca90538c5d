"""A real mail server on loopback, which can be told what to answer."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, WORD = "parvis", "the word at the mail server"


@dataclass
class MailServer:
    """What came, and how the next letters are answered.

    Attributes:
        received: Envelopes that were taken.
        refuse_to: Answers every recipient; empty: they are taken.
        refuse_data: Answers every letter; empty: it is taken.
        secure: Whether each letter came over TLS.
        signed_in: As whom each letter came; None: as nobody.
        came: Set when a letter has been taken.
    """

    port: int = 0
    received: list[Envelope] = field(default_factory=list[Envelope])
    refuse_to: str = ""
    refuse_data: str = ""
    secure: list[bool] = field(default_factory=list[bool])
    signed_in: list[object] = field(default_factory=list[object])
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_to:
            return self.refuse_to
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data
        self.received.append(envelope)
        transport = server.transport
        assert transport is not None  # while somebody speaks
        self.secure.append(transport.get_extra_info("ssl_object") is not None)
        self.signed_in.append(session.auth_data)
        self.came.set()
        return "250 taken"

    def letters(self) -> list[EmailMessage]:
        """Return the letters that were taken."""
        contents = [each.content for each in self.received]
        return [
            message_from_bytes(content, policy=default)
            for content in contents
            if isinstance(content, bytes)
        ]


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    """Let one user in."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        WORD.encode(),
    )
    return AuthResult(success=right, handled=False, auth_data=USER if right else None)


@asynccontextmanager
async def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncGenerator[MailServer]:
    """Run a mail server while the block runs.

    Args:
        starttls: Offered, and then needed to sign in.
        tls: Spoken from the first byte.
        port: 0 takes a free one.
    """
    mail, loop = MailServer(), asyncio.get_running_loop()

    def speak() -> SMTP:
        return SMTP(
            mail,
            hostname="mail.test",
            tls_context=starttls,
            authenticator=authenticate,
            auth_require_tls=tls is None,
            loop=loop,
        )

    server = await loop.create_server(speak, "127.0.0.1", port, ssl=tls)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for a host; return a server's context, and what a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    alternative: x509.GeneralName = (
        x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    )
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted = folder / "certificate.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted
