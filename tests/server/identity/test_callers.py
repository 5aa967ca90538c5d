"""Who asks: cookies, Origins, open nodes, the first administrator."""

import asyncio

import pytest

from parvis.plugins import Caller
from parvis.server.identity import (
    InvalidAccount,
    Proof,
    SetUpClosed,
    Unauthenticated,
    WeakPassword,
    open_identity,
)
from parvis.server.identity.origins import Origins, origin_of
from parvis.server.identity.people import digest
from parvis.storage import EmailTaken
from tests.identities import HERE, PASSWORD, Scene, make_scene, settings_with


async def test_a_cookie_from_our_own_page_speaks_for_who_signed_in(scene: Scene) -> None:
    ada = await scene.person()
    secret, sign_in = await scene.identity.people.sign_in(ada)
    identified = await scene.identity.stock(token="", cookie=secret, origin=HERE, here=HERE)
    assert identified.caller.user == ada.id
    assert identified.expires == sign_in.expires == scene.clock.time() + 30 * 86_400


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://evil.test",
        "https://parvis.test",
        "http://parvis.test:8080",
        "http://parvis.test.evil.test",
        "http://evil.test/http://parvis.test",
        "http://xparvis.test",
        "HTTP://PARVIS.TEST",
        "http://parvis.test/",
        "http://parvis.test\x00",
    ],
)
async def test_a_cookie_from_another_page_is_refused(scene: Scene, origin: str | None) -> None:
    secret, _ = await scene.identity.people.sign_in(await scene.person())
    with pytest.raises(Unauthenticated):
        await scene.identity.stock(token="", cookie=secret, origin=origin, here=HERE)


async def test_the_public_address_is_our_own_page_too() -> None:
    scene = await make_scene(settings_with(public_url="https://parvis.example.org/"))
    secret, _ = await scene.identity.people.sign_in(await scene.person())
    for origin in ("https://parvis.example.org", HERE):
        await scene.identity.stock(token="", cookie=secret, origin=origin, here=HERE)
    with pytest.raises(Unauthenticated):
        await scene.identity.stock(
            token="", cookie=secret, origin="http://parvis.example.org", here=HERE
        )
    scene.identity.close()


def test_an_origin_is_written_as_browsers_write_it() -> None:
    assert origin_of("https://parvis.example.org:443/path") == "https://parvis.example.org"
    assert origin_of("http://[::1]:8000") == "http://[::1]:8000"
    assert origin_of("http://host:80") == "http://host"
    assert origin_of("http://host:99999") == ""
    assert origin_of("http://") == origin_of("host") == origin_of("") == ""


def test_no_address_at_all_matches_no_origin() -> None:
    assert not Origins("").own("", "")
    assert not Origins("").own(None, "http://")


async def test_a_bad_token_is_not_made_good_by_a_cookie(scene: Scene) -> None:
    secret, _ = await scene.identity.people.sign_in(await scene.person())
    with pytest.raises(Unauthenticated):
        await scene.identity.stock(token="anything", cookie=secret, origin=HERE, here=HERE)


async def test_nothing_shown_is_nobody(scene: Scene) -> None:
    with pytest.raises(Unauthenticated):
        await scene.identity.stock(token="", cookie=None, origin=HERE, here=HERE)


@pytest.mark.parametrize("secret", ["", "1.", "2.x", "\ud800", "1." + "A" * 43, "²." + "A" * 43])
async def test_what_is_no_cookie_is_refused(scene: Scene, secret: str) -> None:
    await scene.person()
    with pytest.raises(Unauthenticated):
        await scene.identity.by_cookie(secret)


async def test_a_cookie_ends_with_the_sign_in(scene: Scene) -> None:
    secret, _ = await scene.identity.people.sign_in(await scene.person())
    proof = (await scene.identity.by_cookie(secret)).proof
    await scene.identity.people.sign_out(secret)
    assert scene.identity.is_void(proof)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_cookie(secret)


async def test_a_sign_out_with_a_cookie_of_nobody_leaves_no_trace(scene: Scene) -> None:
    told: list[None] = []
    scene.identity.subscribe(lambda: told.append(None))
    for secret in ("", "1.made-up", "x" * 5000):
        await scene.identity.people.sign_out(secret)
        assert not scene.identity.is_void(Proof("cookie", digest(secret).hex()))
    assert told == []


async def test_a_cookie_ends_by_itself(scene: Scene) -> None:
    secret, _ = await scene.identity.people.sign_in(await scene.person())
    scene.clock.pass_time(30 * 86_400 + 1)
    with pytest.raises(Unauthenticated) as refused:
        await scene.identity.by_cookie(secret)
    assert refused.value.expired


async def test_one_sign_out_leaves_the_other_browser_alone(scene: Scene) -> None:
    ada = await scene.person()
    laptop, _ = await scene.identity.people.sign_in(ada)
    phone, _ = await scene.identity.people.sign_in(ada)
    await scene.identity.people.sign_out(laptop)
    assert (await scene.identity.by_cookie(phone)).caller.user == ada.id


async def test_the_store_holds_neither_secrets_nor_passwords(scene: Scene) -> None:
    ada = await scene.person()
    secret, sign_in = await scene.identity.people.sign_in(ada)
    assert PASSWORD not in ada.password
    assert secret.encode() not in sign_in.digest
    with pytest.raises(Unauthenticated):
        await scene.identity.by_cookie(sign_in.digest.hex())


@pytest.mark.parametrize("shown", ["", "anything", "pt_x", "a.b.c", "\ud800"])
async def test_an_open_node_takes_whatever_is_shown(open_scene: Scene, shown: str) -> None:
    identity = open_scene.identity
    found = [
        await identity.native(shown, None),
        await identity.stock(token=shown, cookie=None, origin=None, here=HERE),
        await identity.by_access_token(shown),
        await identity.by_room_token(shown),
        await identity.by_cookie(shown),
    ]
    assert {each.expires for each in found} == {None}
    for each in found:
        assert each.caller == Caller("local", each.caller.user, anyone=True)
        assert each.caller.user.startswith("guest-")
        assert not identity.is_void(each.proof)
    assert len({each.caller.user for each in found}) == len(found)


@pytest.mark.parametrize(
    "origin", ["http://localhost:5173", "http://127.0.0.1:8000", "http://[::1]:3000"]
)
async def test_an_open_node_takes_pages_of_this_machine(open_scene: Scene, origin: str) -> None:
    await open_scene.identity.native("", origin)
    await open_scene.identity.stock(token="", cookie=None, origin=origin, here=HERE)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.test", "null", "", "http://localhost.evil.test", "http://[", "file://"],
)
async def test_an_open_node_takes_no_other_pages(open_scene: Scene, origin: str) -> None:
    with pytest.raises(Unauthenticated):
        await open_scene.identity.native("", origin)
    with pytest.raises(Unauthenticated):
        await open_scene.identity.stock(token="", cookie=None, origin=origin, here=HERE)


async def test_the_first_start_offers_to_make_the_administrator_once(scene: Scene) -> None:
    people = scene.identity.people
    secret = await people.set_up_secret()
    assert secret is not None and len(secret) == 43
    assert await people.set_up_secret() == secret
    ada = await people.set_up(secret, email="ada@example.org", name="Ada", password=PASSWORD)
    assert (ada.admin, ada.tenant) == (True, "local")
    assert await people.set_up_secret() is None
    with pytest.raises(SetUpClosed):
        await people.set_up(secret, email="eve@example.org", name="Eve", password=PASSWORD)
    assert [user.email for user in await scene.accounts.users()] == ["ada@example.org"]


async def test_the_offer_survives_a_restart(scene: Scene) -> None:
    secret = await scene.identity.people.set_up_secret()
    again = await open_identity(scene.settings, scene.accounts, scene.clock, scene.random)
    assert await again.people.set_up_secret() == secret
    again.close()


async def test_the_offer_ends_when_an_administrator_is_made_otherwise(scene: Scene) -> None:
    secret = await scene.identity.people.set_up_secret()
    assert secret is not None
    await scene.person(admin=True)
    with pytest.raises(SetUpClosed):
        await scene.identity.people.set_up(
            secret, email="eve@example.org", name="Eve", password=PASSWORD
        )
    assert await scene.identity.people.set_up_secret() is None


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "A" * 43])
async def test_a_wrong_secret_makes_nobody(scene: Scene, secret: str) -> None:
    offered = await scene.identity.people.set_up_secret()
    with pytest.raises(SetUpClosed):
        await scene.identity.people.set_up(
            secret, email="eve@example.org", name="Eve", password=PASSWORD
        )
    assert await scene.accounts.users() == []
    assert await scene.identity.people.set_up_secret() == offered


async def test_a_mistake_during_set_up_leaves_the_link_good(scene: Scene) -> None:
    people = scene.identity.people
    await scene.person("taken@example.org")
    secret = await people.set_up_secret()
    assert secret is not None
    for email, password, error in (
        ("ada@example.org", "short", WeakPassword),
        ("no address", PASSWORD, InvalidAccount),
        ("taken@example.org", PASSWORD, EmailTaken),
    ):
        with pytest.raises(error):
            await people.set_up(secret, email=email, name="Ada", password=password)
    assert (
        await people.set_up(secret, email="ada@example.org", name="Ada", password=PASSWORD)
    ).admin


async def test_of_two_who_hold_the_link_one_becomes_the_administrator(scene: Scene) -> None:
    people = scene.identity.people
    secret = await people.set_up_secret()
    assert secret is not None
    answers = await asyncio.gather(
        *(
            people.set_up(secret, email=f"p{number}@example.org", name="P", password=PASSWORD)
            for number in range(5)
        ),
        return_exceptions=True,
    )
    assert [isinstance(answer, SetUpClosed) for answer in answers].count(False) == 1
    assert len(await scene.accounts.users()) == 1


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("", "Ada"),
        ("ada", "Ada"),
        ("ada@", "Ada"),
        ("@example.org", "Ada"),
        ("ada@two@example.org", "Ada"),
        ("ada lovelace@example.org", "Ada"),
        ("ada\x00@example.org", "Ada"),
        ("ada\u202e@example.org", "Ada"),
        ("ada@" + "e" * 300, "Ada"),
        ("ada@example.org", "A\x1bda"),
        ("ada@example.org", "A" * 101),
        ("ada@example.org", "\ud800"),
    ],
)
async def test_an_account_that_cannot_be_shown_is_refused(
    scene: Scene, email: str, name: str
) -> None:
    with pytest.raises(InvalidAccount):
        await scene.identity.people.add(email, name=name, password=PASSWORD)


async def test_an_account_without_name_is_called_by_its_address(scene: Scene) -> None:
    user = await scene.identity.people.add(" grace@example.org ", password=PASSWORD)
    assert (user.email, user.name) == ("grace@example.org", "grace")
