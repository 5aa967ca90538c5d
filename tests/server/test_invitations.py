"""Invitations over HTTP: who may send them, what the letter says, what its link is worth."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.server.identity.errors import LinkInvalid
from parvis.server.identity.links import LIFE, is_path
from parvis.server.members import INVITATIONS
from parvis.server.settings import AuthSettings, Settings
from parvis.storage import User
from tests.identities import CHEAP, PASSWORD
from tests.server.site import Site, code, cookies, secret_in, serve, text_of

NEW = "new@example.org"


@pytest.fixture(params=["memory", "sqlite"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A node without a mail server."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}"
    async for site in serve(Settings(auth=CHEAP), url):
        yield site


async def settled(auth: AuthSettings) -> AsyncIterator[Site]:
    async for site in serve(Settings(auth=auth), "memory:"):
        yield site


async def invite(site: Site, user: User, **wanted: object) -> tuple[int, Any]:
    """Invite somebody from one of our own pages."""
    cookie = await site.cookie_of(user)
    body = {"email": NEW} | wanted
    status, answer, _ = await site.ask(
        "POST", "/invitations", body, cookie=cookie, origin=site.here
    )
    return status, answer


async def accept(site: Site, secret: str, **wanted: object) -> tuple[int, Any]:
    body = {"secret": secret, "name": "Newton", "password": PASSWORD} | wanted
    status, answer, _ = await site.ask("POST", "/invitations/accept", body, origin=site.here)
    return status, answer


async def test_somebody_is_invited_by_letter_and_makes_an_account(site: Site) -> None:
    ada = await site.person(name="Ada Lovelace")
    status, answer = await invite(site, ada, path="/docs/k1")
    now = site.clock.time()
    assert status == 201
    assert answer == {
        "invitation": {
            "id": answer["invitation"]["id"],
            "email": NEW,
            "admin": False,
            "path": "/docs/k1",
            "inviter": {"id": ada.id, "name": "Ada Lovelace", "color": ada.color},
            "created": now,
            "expires": now + 14 * 86_400,
        }
    }
    [letter] = await site.letters()
    assert (letter["To"], letter["Subject"]) == (NEW, "Ada Lovelace invites you to Parvis")
    assert f"{site.here}/invite#" in text_of(letter)
    secret = secret_in(letter, "/invite")

    status, answer, _ = await site.ask("POST", "/invitations/look", {"secret": secret})
    inviter = {"id": ada.id, "name": "Ada Lovelace", "color": ada.color}
    assert (status, answer) == (200, {"email": NEW, "inviter": inviter, "path": "/docs/k1"})

    status, answer, response = await site.ask(
        "POST",
        "/invitations/accept",
        {"secret": secret, "name": "Newton", "password": PASSWORD},
        origin=site.here,
    )
    assert (status, answer["path"]) == (201, "/docs/k1")
    user = answer["user"]
    assert (user["email"], user["name"], user["admin"]) == (NEW, "Newton", False)
    cookie = cookies(response)["parvis"].value
    _, answer, _ = await site.ask("GET", "/session", cookie=cookie)
    assert answer["user"] == user


async def test_the_letter_speaks_the_language_of_who_invites(site: Site) -> None:
    ada = await site.person(name="Ada", language="fr")
    await invite(site, ada)
    [letter] = await site.letters()
    assert (letter["Subject"], letter["Content-Language"]) == ("Ada vous invite sur Parvis", "fr")
    _, answer = await accept(site, secret_in(letter, "/invite"))
    assert answer["user"]["language"] == "fr"


@pytest.mark.parametrize(
    ("invited_in", "header", "chosen", "letter_in", "account_in"),
    [
        (None, "", None, "en", "en"),
        ("fr", "", None, "fr", "fr"),
        ("fr", "de-DE, en-GB;q=0.8, fr;q=0.5", None, "fr", "en"),
        (None, "fr-CA,fr;q=0.9", None, "en", "fr"),
        (None, "fr;q=0, xx, ;;q=, fr;q=nan", None, "en", "en"),
        ("en", "en", "fr", "en", "fr"),
    ],
)
async def test_an_account_speaks_what_its_owner_chooses_or_their_browser_or_who_invited(
    site: Site,
    invited_in: str | None,
    header: str,
    chosen: str | None,
    letter_in: str,
    account_in: str,
) -> None:
    ada = await site.person(name="Ada", language="en")
    await invite(site, ada, language=invited_in)
    [letter] = await site.letters()
    assert letter["Content-Language"] == letter_in
    body = {
        "secret": secret_in(letter, "/invite"),
        "name": "Newton",
        "password": PASSWORD,
        "language": chosen,
    }
    status, answer, _ = await site.ask(
        "POST", "/invitations/accept", body, origin=site.here, Accept_Language=header
    )
    assert (status, answer["user"]["language"]) == (201, account_in)


async def test_a_link_makes_one_account_whoever_is_fast(site: Site) -> None:
    await invite(site, await site.person())
    secret = secret_in((await site.letters())[0], "/invite")
    answers = await asyncio.gather(*(accept(site, secret, name=f"N{at}") for at in range(3)))
    assert sorted(status for status, _ in answers) in ([201, 409, 409], [201, 409, 410],
                                                       [201, 410, 410])  # fmt: skip
    assert len(await site.identity.people.accounts.users()) == 2
    status, answer = await accept(site, secret)
    assert (status, code(answer)) == (410, "link_gone")


async def test_a_link_stays_good_while_its_form_is_not(site: Site) -> None:
    await invite(site, await site.person())
    secret = secret_in((await site.letters())[0], "/invite")
    assert (await accept(site, secret, password="short"))[0] == 422
    assert (await accept(site, secret, name="N" * 101))[0] == 422
    assert (await accept(site, secret, email="other@example.org"))[0] == 400
    assert (await accept(site, secret))[0] == 201


async def test_a_link_lasts_two_weeks(site: Site) -> None:
    await invite(site, await site.person())
    secret = secret_in((await site.letters())[0], "/invite")
    site.clock.pass_time(LIFE["invitation"] - 1)
    assert (await site.ask("POST", "/invitations/look", {"secret": secret}))[0] == 200
    site.clock.pass_time(1)
    for path in ("look", "accept"):
        more = {} if path == "look" else {"name": "N", "password": PASSWORD}
        status, answer, _ = await site.ask(
            "POST", f"/invitations/{path}", {"secret": secret} | more
        )
        assert (status, code(answer)) == (410, "link_gone")


async def test_a_newer_invitation_takes_the_place_of_the_first(site: Site) -> None:
    ada = await site.person()
    await invite(site, ada)
    site.clock.pass_time(1)
    await invite(site, ada, email="NEW@example.org")
    first, second = (secret_in(letter, "/invite") for letter in await site.letters())
    assert (await accept(site, first))[0] == 410
    assert (await accept(site, second))[0] == 201


async def test_a_link_for_a_password_is_no_invitation(site: Site) -> None:
    ada = await site.person()
    _, secret = await site.identity.links.forgotten(ada)
    assert (await accept(site, secret))[0] == 410
    assert (await site.ask("POST", "/invitations/look", {"secret": secret}))[0] == 410


async def test_guessed_links_are_worth_nothing(site: Site) -> None:
    for secret in ("", "x", "\ud800", "A" * 43):
        status, answer, _ = await site.ask("POST", "/invitations/look", {"secret": secret})
        assert (status, code(answer)) == (410, "link_gone")


async def test_whoever_has_an_account_is_not_invited(site: Site) -> None:
    ada = await site.person()
    status, answer = await invite(site, ada, email="ADA@example.org")
    assert (status, code(answer)) == (409, "email_taken")
    assert await site.letters() == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"email": "nobody"},
        {"email": "a@b\r\nBcc: c@d.org"},
        {"email": "a,b@example.org"},
        {"email": "<a@example.org>"},
        {"email": "a@example.org>"},
        {"email": '"a b"@example.org'},
        {"path": "//evil.example"},
        {"path": "https://evil.example"},
        {"path": "/\\evil.example"},
        {"path": "/a\nb"},
    ],
)
async def test_an_address_or_path_that_leads_elsewhere_is_refused(
    site: Site, wanted: dict[str, str]
) -> None:
    status, answer = await invite(site, await site.person(), **wanted)
    assert (status, code(answer)) == (422, "invalid_account")
    assert await site.letters() == []


def test_a_path_is_one_of_this_server() -> None:
    assert is_path("/")
    assert is_path("/docs/k1#comment=c3")
    assert not is_path("docs")
    assert not is_path("/" + "x" * 500)


# Who may


async def test_only_administrators_make_administrators(site: Site) -> None:
    ada, root = await site.person(), await site.person("root@example.org", admin=True)
    status, answer = await invite(site, ada, admin=True)
    assert (status, code(answer)) == (403, "permission_denied")
    assert (await invite(site, root, admin=True))[0] == 201
    _, answer = await accept(site, secret_in((await site.letters())[0], "/invite"))
    assert answer["user"]["admin"] is True


async def test_an_invitation_is_worth_what_its_inviter_still_may(site: Site) -> None:
    root = await site.person("root@example.org", admin=True)
    await invite(site, root, admin=True)
    secret = secret_in((await site.letters())[0], "/invite")
    await site.identity.people.save(replace(root, admin=False))
    assert (await accept(site, secret))[0] == 410
    await site.identity.people.save(replace(root, admin=True, disabled=True))
    assert (await accept(site, secret))[0] == 410
    await site.identity.people.save(root)
    assert (await accept(site, secret))[0] == 201


async def test_inviting_can_be_kept_to_administrators() -> None:
    async for site in settled(replace(CHEAP, invite="admins")):
        ada, root = await site.person(), await site.person("root@example.org", admin=True)
        status, answer = await invite(site, ada)
        assert (status, code(answer)) == (403, "permission_denied")
        assert (await invite(site, root))[0] == 201
        for user, may in ((ada, False), (root, True)):
            _, session, _ = await site.ask("GET", "/session", cookie=await site.cookie_of(user))
            assert session["invite"] is may


async def test_nobody_invites_a_crowd(site: Site) -> None:
    ada = await site.person()
    statuses = [(await invite(site, ada, email=f"n{at}@example.org"))[0] for at in range(51)]
    assert statuses == [201] * 50 + [429]
    site.clock.pass_time(60)
    assert (await invite(site, ada))[0] == 201


async def test_a_foreign_page_invites_nobody(site: Site) -> None:
    cookie = await site.cookie_of(await site.person())
    for origin in (None, "https://evil.example"):
        status, _, _ = await site.ask(
            "POST", "/invitations", {"email": NEW}, cookie=cookie, origin=origin
        )
        assert status == 401
    status, _, _ = await site.ask("POST", "/invitations", {"email": NEW})
    assert status == 401
    assert await site.letters() == []


async def test_a_foreign_page_accepts_nothing(site: Site) -> None:
    await invite(site, await site.person())
    secret = secret_in((await site.letters())[0], "/invite")
    body = {"secret": secret, "name": "N", "password": PASSWORD}
    status, _, _ = await site.ask(
        "POST", "/invitations/accept", body, origin="https://evil.example"
    )
    assert status == 401
    assert (await accept(site, secret))[0] == 201


# Without a mail server


async def test_without_a_mail_server_administrators_get_the_link_to_pass_on(site: Site) -> None:
    root = await site.person("root@example.org", admin=True)
    _, answer = await invite(site, root)
    [letter] = await site.letters()
    assert answer["link"] == f"{site.here}/invite#{secret_in(letter, '/invite')}"
    assert (await accept(site, answer["link"].partition("#")[2]))[0] == 201


# Listed and taken back


async def test_administrators_see_all_invitations_and_others_their_own(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    root = await site.person("root@example.org", admin=True)
    far = await site.person("far@example.org", tenant="acme", admin=True)
    for user, email in ((ada, "a@x.org"), (bob, "b@x.org"), (far, "f@x.org")):
        await invite(site, user, email=email)
        site.clock.pass_time(1)

    async def seen(user: User) -> list[str]:
        cookie = await site.cookie_of(user)
        _, answer, _ = await site.ask("GET", "/invitations", cookie=cookie)
        return [each["email"] for each in answer["invitations"]]

    assert await seen(root) == ["a@x.org", "b@x.org"]
    assert await seen(bob) == ["b@x.org"]
    assert await seen(far) == ["f@x.org"]


async def test_an_invitation_is_taken_back_by_who_sent_it_or_an_administrator(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    root = await site.person("root@example.org", admin=True)
    far = await site.person("far@example.org", tenant="acme", admin=True)

    async def withdraw(user: User, id: str) -> int:
        status, _, _ = await site.ask(
            "DELETE", f"/invitations/{id}", cookie=await site.cookie_of(user), origin=site.here
        )
        return status

    for who in (ada, root):
        _, answer = await invite(site, ada)
        id = answer["invitation"]["id"]
        assert [await withdraw(each, id) for each in (bob, far)] == [404, 404]
        assert await withdraw(who, id) == 204
        assert await withdraw(who, id) == 404
    for letter in await site.letters():
        assert (await accept(site, secret_in(letter, "/invite")))[0] == 410


# For room types


async def test_a_room_type_invites_in_somebodys_name(site: Site) -> None:
    ada = await site.person()
    caller = Caller("local", ada.id, ada.name, member=True)
    invited = await site.members.invite(caller, NEW, path="/docs/k1")
    assert (invited.email, invited.person) == (NEW, None)
    [letter] = await site.letters()
    assert "http://parvis.test/invite#" in text_of(letter)
    found = await site.identity.links.look("invitation", secret_in(letter, "/invite"))
    assert (found.path, found.inviter) == ("/docs/k1", ada.id)


async def test_a_room_type_learns_who_has_an_account_already(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    await site.person("far@example.org", tenant="acme")
    caller = Caller("local", ada.id, ada.name, member=True)
    person = (await site.members.invite(caller, "BOB@example.org")).person
    assert person is not None
    assert person.id == bob.id
    for _ in range(INVITATIONS + 1):
        assert (await site.members.invite(caller, "bob@example.org")).person == person
    with pytest.raises(Refused) as refused:
        await site.members.invite(caller, "far@example.org")
    assert refused.value.code is ErrorCode.CONFLICT
    with pytest.raises(Refused):
        await site.members.invite(caller, "nobody")
    with pytest.raises(Refused):
        await site.members.invite(Caller("local", "guest-1"), NEW)
    assert await site.letters() == []


async def test_only_the_digest_of_a_link_is_kept(site: Site) -> None:
    await invite(site, await site.person())
    secret = secret_in((await site.letters())[0], "/invite")
    [link] = await site.identity.links.list("invitation", "local")
    assert secret not in repr(link)
    with pytest.raises(LinkInvalid):
        await site.identity.links.look("invitation", link.digest.hex())
