"""The way to a mail server, to a real one on loopback: protected, refused, or not there."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parvis.server.mail import Letter, Rejected, SmtpCarrier, compose
from parvis.server.settings import MailSettings
from tests.server.mail.mail_server import USER, WORD, MailServer, certificate, mail_server

HELLO = Letter("ada@example.org", "en", "Hello", ("Ça va ?",))


async def send(settings: MailSettings, to: str = HELLO.to) -> str:
    """Send a letter."""
    carrier = SmtpCarrier(settings, here="parvis.test")
    try:
        message = compose(HELLO, sender="Parvis <parvis@example.org>", now=0, id="id1")
        return await carrier.carry(message, to)
    finally:
        carrier.close()


def plain(server: MailServer) -> MailSettings:
    return MailSettings(host="127.0.0.1", port=server.port, security="none")


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    """A mail server without any protection."""
    async with mail_server() as server:
        yield server


@pytest.fixture
def protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for loopback that this process trusts."""
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return context


async def test_a_letter_arrives(server: MailServer) -> None:
    assert await send(plain(server)) == f"127.0.0.1:{server.port}"
    [envelope], [letter] = server.received, server.letters()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("parvis@example.org", ["ada@example.org"])
    assert (letter["To"], letter["Subject"]) == ("ada@example.org", "Hello")
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Ça va ?"
    assert (server.secure, server.signed_in) == ([False], [None])


async def test_a_letter_goes_over_starttls_with_a_password(protected: ssl.SSLContext) -> None:
    async with mail_server(starttls=protected) as server:
        settings = MailSettings(host="127.0.0.1", port=server.port, user=USER, password=WORD)
        await send(settings)
        assert (server.secure, server.signed_in) == ([True], [USER])


async def test_a_letter_goes_over_tls_with_a_password(protected: ssl.SSLContext) -> None:
    async with mail_server(tls=protected) as server:
        await send(
            MailSettings(
                host="127.0.0.1", port=server.port, security="tls", user=USER, password=WORD
            )
        )
        assert (server.secure, server.signed_in) == ([True], [USER])


async def test_nothing_is_said_in_clear_if_the_server_cannot_protect_it(
    server: MailServer,
) -> None:
    settings = MailSettings(host="127.0.0.1", port=server.port, user=USER, password=WORD)
    with pytest.raises(OSError, match="STARTTLS"):
        await send(settings)
    assert server.received == []


async def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    async with mail_server(starttls=context) as server:
        with pytest.raises(OSError, match="certificate"):
            await send(MailSettings(host="127.0.0.1", port=server.port))
        assert server.received == []


async def test_a_certificate_is_for_the_server_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path, "mail.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with mail_server(starttls=context) as server:
        with pytest.raises(OSError, match="certificate"):
            await send(MailSettings(host="127.0.0.1", port=server.port))
        assert server.received == []


async def test_a_wrong_password_is_the_operators_matter_and_not_the_letters(
    protected: ssl.SSLContext,
) -> None:
    async with mail_server(starttls=protected) as server:
        settings = MailSettings(host="127.0.0.1", port=server.port, user=USER, password="wrong")
        with pytest.raises(OSError, match="does not know us"):
            await send(settings)


@pytest.mark.parametrize("where", ["refuse_to", "refuse_data"])
async def test_a_refusal_for_good_is_told_from_one_for_now(server: MailServer, where: str) -> None:
    setattr(server, where, "550 5.1.1 nobody of that name")
    with pytest.raises(Rejected, match=r"550 .*nobody of that name"):
        await send(plain(server))
    setattr(server, where, "451 4.7.1 come back later")
    with pytest.raises(OSError, match=r"451 .*come back later"):
        await send(plain(server))
    setattr(server, where, "")
    await send(plain(server))
    assert len(server.received) == 1


async def test_a_server_that_is_not_there_takes_nothing() -> None:
    async with mail_server() as server:
        settings = plain(server)
    with pytest.raises(OSError, match="refused"):
        await send(settings)


async def test_a_server_that_hangs_up_takes_nothing() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(OSError, match="closed"):
        await send(MailSettings(host="127.0.0.1", port=port, security="none"))
    server.close()
    await server.wait_closed()


async def test_an_operator_can_look_whether_letters_would_be_taken(server: MailServer) -> None:
    carrier = SmtpCarrier(plain(server), here="parvis.test")
    assert await carrier.look() == f"127.0.0.1:{server.port} answers, none"
    assert server.received == []
    carrier.close()


def test_each_protection_has_its_port() -> None:
    for security, port in (("starttls", 587), ("tls", 465), ("none", 25)):
        carrier = SmtpCarrier(MailSettings(host="x", security=security), here="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  the words are a Literal's
        assert carrier.port == port
        carrier.close()
