"""The post: letters that wait, are tried again, are not needed any more, or never get there."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from parvis.server.mail import QUEUE
from parvis.server.settings import MailSettings, ServerSettings, Settings
from tests.identities import CHEAP, PASSWORD
from tests.server.mail.mail_server import MailServer, mail_server
from tests.server.site import Site, secret_in, serve, text_of

PUBLIC = "https://parvis.example.org"


@asynccontextmanager
async def site_with(port: int) -> AsyncGenerator[Site]:
    """Serve a node whose letters go to a port."""
    settings = Settings(
        auth=CHEAP,
        server=ServerSettings(public_url=PUBLIC),
        mail=MailSettings(host="127.0.0.1", port=port, security="none"),
    )
    async for site in serve(settings, "memory:"):
        yield site


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def site(server: MailServer) -> AsyncIterator[Site]:
    async with site_with(server.port) as site:
        yield site


async def invite(site: Site) -> dict[str, object]:
    token = site.identity.access_token(
        await site.identity.people.by_email("ada@example.org") or await site.person(admin=True)
    ).token
    _, answer, _ = await site.ask("POST", "/invitations", {"email": "new@example.org"}, token=token)
    assert set(answer) == {"invitation"}  # the link is in the letter only
    return dict(answer["invitation"])


async def test_an_invitation_goes_through_the_mail_server(server: MailServer, site: Site) -> None:
    await invite(site)
    await site.rest()
    [letter] = server.letters()
    assert (letter["From"], letter["To"]) == (
        "Parvis <parvis@parvis.example.org>",
        "new@example.org",
    )
    secret = secret_in(letter, f"{PUBLIC}/invite")
    body = {"secret": secret, "name": "N", "password": PASSWORD}
    assert (await site.ask("POST", "/invitations/accept", body))[0] == 201
    assert not (site.folder / "mail").exists()


async def test_a_link_in_a_letter_follows_no_header(server: MailServer, site: Site) -> None:
    await site.person()
    await site.ask(
        "POST",
        "/password/forgot",
        {"email": "ada@example.org"},
        Host="evil.example",
        origin="http://evil.example",
    )
    await site.rest()
    [letter] = server.letters()
    assert "evil" not in letter.as_string()
    assert f"{PUBLIC}/reset#" in text_of(letter)


async def test_a_session_says_that_letters_reach_people(site: Site) -> None:
    token = site.identity.access_token(await site.person()).token
    _, answer, _ = await site.ask("GET", "/session", token=token)
    assert answer["mail"] is True


async def test_no_secret_waits_in_the_queue() -> None:
    async with mail_server() as server:
        port = server.port
    async with site_with(port) as site:
        await invite(site)
        await site.rest()
        await site.queues.close()
        site.clock.pass_time(3600)
        now = site.clock.time()
        [job] = await site.store.claim("local", QUEUE, now=now, lease=60)
        [link] = await site.identity.links.list("invitation", "local")
        assert link.id.encode() in job.payload
        assert b"#" not in job.payload
        assert set(job.payload.split(b'"')) & {b"secret", b"digest"} == set()


async def test_a_letter_waits_for_a_mail_server_that_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with mail_server() as server:
        port = server.port
    async with site_with(port) as site:
        with caplog.at_level(logging.WARNING):
            await invite(site)
            for _ in range(20):
                await site.pass_time(60)
        tries = [each for each in caplog.messages if "not taken now" in each]
        assert 3 < len(tries) < 15  # later and later
        async with mail_server(port=port) as server:
            for _ in range(60):
                await site.pass_time(60)
            [letter] = server.letters()
            secret = secret_in(letter, "/invite")
            assert (await site.ask("POST", "/invitations/look", {"secret": secret}))[0] == 200


async def test_a_letter_that_no_server_takes_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with mail_server() as server:
        port = server.port
    async with site_with(port) as site:
        with caplog.at_level(logging.WARNING):
            await invite(site)
            await site.rest()
            site.clock.pass_time(3 * 86_400)
            for _ in range(10):
                await site.pass_time(60)
        given_up = [each for each in caplog.messages if "is given up" in each]
        assert len(given_up) == 1
        assert "new@example.org" in given_up[0]


async def test_a_letter_that_is_refused_for_good_is_tried_once(
    server: MailServer, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    server.refuse_to = "550 nobody of that name"
    with caplog.at_level(logging.WARNING):
        await invite(site)
        for _ in range(20):
            await site.pass_time(60)
    refused = [each for each in caplog.messages if "refused for good" in each]
    assert len(refused) == 1
    assert "550 nobody of that name" in refused[0]
    assert "invite#" not in caplog.text


async def test_a_letter_that_is_not_needed_any_more_is_not_sent(
    server: MailServer, site: Site
) -> None:
    server.refuse_to = "451 come back later"
    invitation = await invite(site)
    await site.rest()
    token = site.identity.access_token(
        await site.identity.people.by_email("ada@example.org") or await site.person()
    ).token
    status, _, _ = await site.ask("DELETE", f"/invitations/{invitation['id']}", token=token)
    assert status == 204
    server.refuse_to = ""
    for _ in range(10):
        await site.pass_time(60)
    assert server.received == []


async def test_a_letter_tried_again_has_the_link_that_counts(
    server: MailServer, site: Site
) -> None:
    await site.person()
    server.refuse_data = "451 come back later"
    await site.ask("POST", "/password/forgot", {"email": "ada@example.org"})
    await site.rest()
    server.refuse_data = ""
    await site.pass_time(60)
    [letter] = server.letters()
    secret = secret_in(letter, "/reset")
    body = {"secret": secret, "password": "four lamps on a pier"}
    assert (await site.ask("POST", "/password/reset", body))[0] == 200
