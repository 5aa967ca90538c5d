"""One's own account over HTTP: forgotten passwords, new ones, name, colour, language."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parvis.server.identity.errors import Unauthenticated
from parvis.server.identity.people import COLORS
from parvis.server.settings import Settings
from parvis.storage import User
from tests.identities import CHEAP, OTHER_PASSWORD, PASSWORD
from tests.server.site import Site, code, cookies, secret_in, serve, text_of


@pytest.fixture(params=["memory", "sqlite"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A node without a mail server."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}"
    async for site in serve(Settings(auth=CHEAP), url):
        yield site


async def forgot(site: Site, email: str) -> tuple[int, Any]:
    status, answer, _ = await site.ask(
        "POST", "/password/forgot", {"email": email}, origin=site.here
    )
    return status, answer


async def reset(site: Site, secret: str, password: str = OTHER_PASSWORD) -> tuple[int, Any]:
    status, answer, _ = await site.ask(
        "POST", "/password/reset", {"secret": secret, "password": password}, origin=site.here
    )
    return status, answer


async def signs_in(site: Site, password: str, email: str = "ada@example.org") -> bool:
    status, _, _ = await site.ask("POST", "/token", {"email": email, "password": password})
    return status == 200


# Forgotten passwords


async def test_a_forgotten_password_is_replaced_by_letter(site: Site) -> None:
    ada = await site.person(name="Ada")
    assert await forgot(site, "ADA@example.org") == (202, {})
    [letter] = await site.letters()
    assert (letter["To"], letter["Subject"]) == ("ada@example.org", "Choose a new password")
    secret = secret_in(letter, f"{site.here}/reset")

    status, answer, response = await site.ask(
        "POST",
        "/password/reset",
        {"secret": secret, "password": OTHER_PASSWORD},
        origin=site.here,
    )
    assert (status, answer["user"]["id"]) == (200, ada.id)
    cookie = cookies(response)["parvis"].value
    assert (await site.ask("GET", "/session", cookie=cookie))[0] == 200
    assert await signs_in(site, OTHER_PASSWORD)
    assert not await signs_in(site, PASSWORD)

    [_, told] = await site.letters()
    assert (told["To"], told["Subject"]) == ("ada@example.org", "Your password was changed")
    assert OTHER_PASSWORD not in text_of(told)
    assert f"{site.here}/forgot" in text_of(told)


async def test_letters_about_passwords_speak_the_language_of_the_account(site: Site) -> None:
    await site.person(language="fr")
    await forgot(site, "ada@example.org")
    [letter] = await site.letters()
    assert letter["Subject"] == "Choisissez un nouveau mot de passe"
    await reset(site, secret_in(letter, "/reset"))
    assert (await site.letters())[1]["Subject"] == "Votre mot de passe a été changé"


async def test_a_new_password_ends_all_that_rested_on_the_old_one(site: Site) -> None:
    ada = await site.person()
    cookie = await site.cookie_of(ada)
    token = site.identity.access_token(ada).token
    room = site.identity.tokens.room(
        ada, rooms=("plain/a",), capabilities=("view",), seconds=60
    ).token
    identified = await site.identity.by_cookie(cookie)
    told: list[bool] = []
    site.identity.subscribe(lambda: told.append(site.identity.is_void(identified.proof)))
    _, secret = await site.identity.links.forgotten(ada)
    assert (await reset(site, secret))[0] == 200
    assert told == [True]
    assert (await site.ask("GET", "/session", cookie=cookie))[0] == 401
    assert (await site.ask("GET", "/session", token=token))[0] == 401
    with pytest.raises(Unauthenticated):
        await site.identity.by_room_token(room)


async def test_a_link_for_a_password_works_once_for_an_hour(site: Site) -> None:
    ada = await site.person()
    _, secret = await site.identity.links.forgotten(ada)
    site.clock.pass_time(3599)
    assert (await reset(site, secret, "short"))[0] == 422
    assert (await reset(site, secret))[0] == 200
    status, answer = await reset(site, secret, PASSWORD)
    assert (status, code(answer)) == (410, "link_gone")
    _, secret = await site.identity.links.forgotten(ada)
    site.clock.pass_time(3600)
    assert (await reset(site, secret))[0] == 410


async def test_the_last_letter_has_the_link_that_counts(site: Site) -> None:
    await site.person()
    for _ in range(2):
        await forgot(site, "ada@example.org")
        await site.rest()
        site.clock.pass_time(1)
    first, second = [secret_in(letter, "/reset") for letter in await site.letters()]
    assert (await reset(site, first))[0] == 410
    assert (await reset(site, second))[0] == 200


async def test_a_new_password_voids_links_for_another(site: Site) -> None:
    ada = await site.person()
    _, secret = await site.identity.links.forgotten(ada)
    await site.identity.people.set_password(ada, OTHER_PASSWORD)
    assert (await reset(site, secret))[0] == 410


async def test_an_invitation_is_no_link_for_a_password(site: Site) -> None:
    _, secret = await site.identity.links.invite("new@example.org")
    assert (await reset(site, secret))[0] == 410


async def test_nobody_learns_who_has_an_account(site: Site) -> None:
    ada = await site.person()
    gone = await site.person("gone@example.org")
    await site.identity.people.save(replace(gone, disabled=True))
    emails = ("ada@example.org", "nobody@example.org", "gone@example.org", "no address", "")
    assert {str(await forgot(site, email)) for email in emails} == {"(202, {})"}
    assert [letter["To"] for letter in await site.letters()] == [ada.email]


async def test_the_answer_does_not_wait_for_the_account(site: Site) -> None:
    """Nothing is looked up before the answer, so its time cannot tell."""
    await site.person()
    site.members.forgot("ada@example.org", "192.0.2.1", site.here)
    assert not (site.folder / "mail").exists()
    assert await site.identity.links.list("reset", "local") == []
    await site.rest()
    assert len(await site.identity.links.list("reset", "local")) == 1


async def test_letters_are_limited_by_account_and_by_address(site: Site) -> None:
    await site.person()
    statuses = [(await forgot(site, "ada@example.org"))[0] for _ in range(6)]
    assert statuses == [202] * 5 + [429]
    # An unknown address is counted just the same.
    statuses = [(await forgot(site, "nobody@example.org"))[0] for _ in range(6)]
    assert statuses == [202] * 5 + [429]
    statuses = [(await forgot(site, f"n{number}@example.org"))[0] for number in range(20)]
    assert statuses == [202] * 18 + [429] * 2
    site.clock.pass_time(600)
    assert (await forgot(site, "ada@example.org"))[0] == 202
    # Signing in has attempts of its own.
    assert await signs_in(site, PASSWORD)


async def test_a_foreign_page_asks_for_no_letters_and_sets_no_passwords(site: Site) -> None:
    ada = await site.person()
    _, secret = await site.identity.links.forgotten(ada)
    evil = "https://evil.example"
    status, _, _ = await site.ask("POST", "/password/forgot", {"email": ada.email}, origin=evil)
    assert status == 401
    body = {"secret": secret, "password": OTHER_PASSWORD}
    status, _, _ = await site.ask("POST", "/password/reset", body, origin=evil)
    assert status == 401
    assert await site.letters() == []
    assert await signs_in(site, PASSWORD)


async def test_an_account_disabled_meanwhile_gets_no_password(site: Site) -> None:
    ada = await site.person()
    _, secret = await site.identity.links.forgotten(ada)
    await site.identity.people.save(replace(ada, disabled=True))
    assert (await reset(site, secret))[0] == 410


# A new password by the current one


async def change_password(site: Site, cookie: str, **wanted: str) -> tuple[int, Any, str]:
    body = {"current": PASSWORD, "password": OTHER_PASSWORD} | wanted
    status, answer, response = await site.ask(
        "POST", "/account/password", body, cookie=cookie, origin=site.here
    )
    found = cookies(response)
    return status, answer, found["parvis"].value if "parvis" in found else ""


async def test_a_changed_password_leaves_this_browser_signed_in(site: Site) -> None:
    ada = await site.person()
    here, elsewhere = await site.cookie_of(ada), await site.cookie_of(ada)
    status, answer, fresh = await change_password(site, here)
    assert (status, answer["user"]["id"]) == (200, ada.id)
    found = [(await site.ask("GET", "/session", cookie=each))[0] for each in (
        fresh, here, elsewhere
    )]  # fmt: skip
    assert found == [200, 401, 401]
    assert await signs_in(site, OTHER_PASSWORD)
    assert [letter["Subject"] for letter in await site.letters()] == ["Your password was changed"]


async def test_of_two_passwords_that_are_set_at_once_one_holds_and_the_other_is_refused(
    site: Site,
) -> None:
    cookie = await site.cookie_of(await site.person())
    wanted = [OTHER_PASSWORD, f"{OTHER_PASSWORD} too"]
    answers = await asyncio.gather(
        *[change_password(site, cookie, password=password) for password in wanted]
    )
    assert sorted(status for status, _, _ in answers) == [200, 409]
    refused = next(answer for status, answer, _ in answers if status == 409)
    assert code(refused) == "conflict"
    holds = [await signs_in(site, password) for password in wanted]
    assert holds == [status == 200 for status, _, _ in answers]
    assert len(await site.letters()) == 1


async def test_the_current_password_is_needed_and_cannot_be_guessed(site: Site) -> None:
    cookie = await site.cookie_of(await site.person())
    statuses = [(await change_password(site, cookie, current=OTHER_PASSWORD))[0] for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    site.clock.pass_time(60)
    assert (await change_password(site, cookie, password="short"))[0] == 422
    assert (await site.ask("GET", "/session", cookie=cookie))[0] == 200


# Name, colour, language


async def change(site: Site, user: User, **wanted: object) -> tuple[int, Any]:
    status, answer, _ = await site.ask(
        "PATCH", "/account", wanted, cookie=await site.cookie_of(user), origin=site.here
    )
    return status, answer


async def test_people_choose_their_name_colour_and_language(site: Site) -> None:
    ada = await site.person()
    color = next(color for color in COLORS if color != ada.color)
    status, answer = await change(
        site, ada, name="  Ada   Lovelace ", color=color.upper(), language="fr"
    )
    user = answer["user"]
    assert status == 200
    assert (user["name"], user["color"], user["language"]) == ("Ada Lovelace", color, "fr")
    cookie = await site.cookie_of(ada)
    _, session, _ = await site.ask("GET", "/session", cookie=cookie)
    assert session["user"] == user
    assert await change(site, ada) == (200, {"user": user})


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": " "}, 422),
        ({"name": "x" * 101}, 422),
        ({"name": "a\x00b"}, 422),
        ({"color": "#000000"}, 422),
        ({"color": "red"}, 422),
        ({"language": "de"}, 400),
        ({"language": ""}, 400),
        ({"email": "eve@example.org"}, 400),
        ({"admin": True}, 400),
        ({"password": OTHER_PASSWORD}, 400),
    ],
)
async def test_what_people_may_not_choose_is_refused(
    site: Site, wanted: dict[str, object], status: int
) -> None:
    ada = await site.person()
    assert (await change(site, ada, **wanted))[0] == status
    assert await site.identity.people.accounts.user(ada.id) == ada


async def test_a_foreign_page_changes_nothing(site: Site) -> None:
    cookie = await site.cookie_of(await site.person())
    for method, path, body in (
        ("PATCH", "/account", {"name": "Eve"}),
        ("POST", "/account/password", {"current": PASSWORD, "password": OTHER_PASSWORD}),
    ):
        status, _, _ = await site.ask(
            method, path, body, cookie=cookie, origin="https://evil.example"
        )
        assert status == 401


# People


async def test_people_of_the_tenant_are_found_by_name_and_address(site: Site) -> None:
    people = {
        name: await site.person(f"{address}@example.org", name=name)
        for name, address in (
            ("Ada Lovelace", "ada"),
            ("Élodie Martin", "elodie"),
            ("Bob Adams", "bob"),
        )
    }
    await site.person("far@example.org", name="Adam Far", tenant="acme")
    gone = await site.person("gone@example.org", name="Adam Gone")
    await site.identity.people.save(replace(gone, disabled=True))
    cookie = await site.cookie_of(people["Bob Adams"])

    async def found(**query: str) -> list[str]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        status, answer, _ = await site.ask("GET", f"/people?{asked}", cookie=cookie)
        assert status == 200
        return [each["name"] for each in answer["people"]]

    assert sorted(await found()) == sorted(people)
    assert await found(q="ada") == ["Ada Lovelace", "Bob Adams"]
    assert await found(q="elo") == ["Élodie Martin"]
    assert await found(q="MARTIN") == ["Élodie Martin"]
    assert await found(q="bob@") == ["Bob Adams"]
    assert await found(q="ovel") == ["Ada Lovelace"]
    assert await found(q="zz") == []
    assert len(await found(limit="2")) == 2
    _, answer, _ = await site.ask("GET", "/people?q=elo", cookie=cookie)
    elodie = people["Élodie Martin"]
    assert answer["people"] == [
        {
            "id": elodie.id,
            "name": "Élodie Martin",
            "email": "elodie@example.org",
            "color": elodie.color,
        }
    ]
    status, _, _ = await site.ask("GET", "/people?limit=0", cookie=cookie)
    assert status == 400
    assert (await site.ask("GET", "/people"))[0] == 401
