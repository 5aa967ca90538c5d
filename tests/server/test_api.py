"""The HTTP API, on the real application with memory and SQLite underneath."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from parvis.plugins import Access, Grant
from parvis.server.api import parting
from parvis.server.identity.passwords import Passwords
from parvis.server.settings import ServerSettings, Settings
from parvis.storage import User
from tests.identities import CHEAP, OTHER_PASSWORD, PASSWORD
from tests.server.site import JSON, Site, code, cookies, serve


@pytest.fixture(params=["memory", "sqlite"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A node with accounts."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}"
    async for site in serve(Settings(auth=CHEAP), url):
        yield site


@pytest.fixture
async def open_site() -> AsyncIterator[Site]:
    """A node that runs with ``--open``."""
    async for site in serve(Settings(auth=CHEAP, server=ServerSettings(open=True)), "memory:"):
        yield site


# Sessions


async def test_somebody_signs_in_is_known_and_signs_out(site: Site) -> None:
    ada = await site.person(admin=True)
    status, answer, response = await site.ask(
        "POST", "/session", {"email": "ADA@example.org", "password": PASSWORD}, origin=site.here
    )
    assert status == 200
    assert answer["user"] == {
        "id": ada.id,
        "tenant": "local",
        "email": "ada@example.org",
        "name": "Ada",
        "color": ada.color,
        "language": "",
        "admin": True,
        "created": ada.created,
        "disabled": False,
    }
    morsel = cookies(response)["parvis"]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
    assert (morsel["secure"], morsel["max-age"], morsel["domain"]) == ("", "2592000", "")

    status, again, _ = await site.ask("GET", "/session", cookie=morsel.value)
    assert (status, again) == (
        200,
        answer | {"open": False, "mail": False, "invite": True},
    )

    status, _, response = await site.ask(
        "DELETE", "/session", cookie=morsel.value, origin=site.here
    )
    assert status == 204
    assert cookies(response)["parvis"]["max-age"] == "0"
    assert response.headers["Clear-Site-Data"] == '"cache"'
    status, answer, _ = await site.ask("GET", "/session", cookie=morsel.value)
    assert (status, code(answer)) == (401, "unauthenticated")


async def test_over_https_the_cookie_is_for_this_host_and_https_only() -> None:
    settings = Settings(auth=CHEAP, server=ServerSettings(public_url="https://parvis.example.org"))
    async for site in serve(settings, "memory:"):
        await site.person()
        _, _, response = await site.ask(
            "POST",
            "/session",
            {"email": "ada@example.org", "password": PASSWORD},
            origin="https://parvis.example.org",
        )
        morsel = cookies(response)["__Host-parvis"]
        assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_signing_in_again_ends_the_sign_in_before(site: Site) -> None:
    ada = await site.person()
    planted = await site.cookie_of(ada)
    _, _, response = await site.ask(
        "POST", "/session", {"email": ada.email, "password": PASSWORD}, cookie=planted
    )
    assert cookies(response)["parvis"].value != planted
    status, _, _ = await site.ask("GET", "/session", cookie=planted)
    assert status == 401


async def test_unknown_person_and_wrong_password_look_the_same(site: Site) -> None:
    await site.person()
    answers = [
        await site.ask("POST", "/session", {"email": email, "password": OTHER_PASSWORD})
        for email in ("ada@example.org", "nobody@example.org", "no address", "\ud800", "")
    ]
    assert {status for status, _, _ in answers} == {401}
    assert len({json.dumps(answer) for _, answer, _ in answers}) == 1
    assert all("Set-Cookie" not in response.headers for _, _, response in answers)


async def test_guessing_is_slowed_down_with_a_time_to_wait(site: Site) -> None:
    await site.person()
    wrong = {"email": "ada@example.org", "password": OTHER_PASSWORD}
    right = {"email": "ada@example.org", "password": PASSWORD}
    statuses = [(await site.ask("POST", "/token", wrong))[0] for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    status, answer, response = await site.ask("POST", "/session", right)
    assert (status, code(answer), response.headers["Retry-After"]) == (
        429,
        "too_many_attempts",
        "60",
    )
    site.clock.pass_time(60)
    assert (await site.ask("POST", "/session", right))[0] == 200


async def test_a_header_does_not_make_an_attempt_come_from_elsewhere(site: Site) -> None:
    statuses = [
        (
            await site.ask(
                "POST",
                "/token",
                {"email": f"user{number}@example.org", "password": OTHER_PASSWORD},
                X_Forwarded_For=f"192.0.2.{number}",
            )
        )[0]
        for number in range(31)
    ]
    assert statuses == [401] * 30 + [429]


async def test_behind_a_listed_proxy_each_client_has_its_own_address() -> None:
    settings = Settings(auth=CHEAP, server=ServerSettings(trusted_proxies=("127.0.0.0/8",)))
    async for site in serve(settings, "memory:"):
        statuses = [
            (
                await site.ask(
                    "POST",
                    "/token",
                    {"email": f"user{number}@example.org", "password": OTHER_PASSWORD},
                    X_Forwarded_For=f"spoofed, 192.0.2.{number}",
                )
            )[0]
            for number in range(31)
        ]
        assert statuses == [401] * 31


async def test_whoever_shows_nothing_is_nobody_which_is_no_error(site: Site) -> None:
    status, answer, _ = await site.ask("GET", "/session")
    assert (status, answer["user"], answer["open"]) == (200, None, False)
    assert (await site.ask("GET", "/session", cookie="not.mine"))[0] == 401
    assert (await site.ask("GET", "/session", token="not.mine"))[0] == 401


@pytest.mark.parametrize("path", ["/session", "/token", "/setup"])
async def test_another_sites_page_cannot_sign_its_visitor_in(site: Site, path: str) -> None:
    await site.person()
    body = {"email": "ada@example.org", "password": PASSWORD}
    if path == "/setup":
        body["secret"] = "x"
    for origin in ("http://evil.test", "null", "", site.here + ".evil.test"):
        status, answer, response = await site.ask("POST", path, body, origin=origin)
        assert (status, code(answer)) == (401, "unauthenticated")
        assert "Set-Cookie" not in response.headers


# Cookies and Origins (CSRF)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/ticket", None),
        ("POST", "/users", {"email": "eve@example.org", "password": PASSWORD}),
        ("POST", "/room-tokens", {"rooms": ["plain/notes"]}),
        ("DELETE", "/room-tokens/rt-x-1", None),
        ("DELETE", "/rooms/plain/notes", None),
    ],
)
async def test_a_cookie_changes_something_from_our_own_pages_only(
    site: Site, method: str, path: str, body: object
) -> None:
    cookie = await site.cookie_of(await site.person(admin=True))
    for origin in (None, "", "null", "http://evil.test", "https" + site.here[4:]):
        status, answer, _ = await site.ask(method, path, body, cookie=cookie, origin=origin)
        assert (status, code(answer)) == (401, "unauthenticated"), origin
    status, _, _ = await site.ask(method, path, body, cookie=cookie, origin=site.here)
    assert status != 401


async def test_another_sites_page_cannot_sign_its_visitor_out(site: Site) -> None:
    cookie = await site.cookie_of(await site.person())
    status, _, _ = await site.ask("DELETE", "/session", cookie=cookie, origin="http://evil.test")
    assert status == 401
    assert (await site.ask("GET", "/session", cookie=cookie))[0] == 200


async def test_a_form_of_another_site_is_no_request(site: Site) -> None:
    await site.person()
    body = b'{"email": "ada@example.org", "password": "' + PASSWORD.encode() + b'"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await site.client.post(
            "/api/v1/session", data=body, headers={"Content-Type": kind}
        )
        assert answer.status == 415
        assert code(await answer.json()) == "unsupported_media_type"


async def test_no_other_site_is_let_in_by_cors(site: Site) -> None:
    answer = await site.client.options(
        "/api/v1/ticket",
        headers={"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"},
    )
    assert answer.status == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# The first administrator


async def test_the_link_of_the_first_start_makes_the_administrator_once(site: Site) -> None:
    secret = await site.identity.people.set_up_secret()
    body = {
        "secret": secret,
        "email": "ada@example.org",
        "name": "Ada Lovelace",
        "password": PASSWORD,
    }
    status, answer, _ = await site.ask("POST", "/setup", body | {"secret": "x"})
    assert (status, code(answer)) == (403, "set_up_closed")
    status, answer, _ = await site.ask("POST", "/setup", body | {"password": "password1234"})
    assert (status, code(answer)) == (422, "weak_password")
    status, answer, response = await site.ask("POST", "/setup", body, origin=site.here)
    assert status == 201
    assert (answer["user"]["name"], answer["user"]["admin"]) == ("Ada Lovelace", True)
    cookie = cookies(response)["parvis"].value
    assert (await site.ask("GET", "/users", cookie=cookie))[0] == 200
    status, answer, _ = await site.ask("POST", "/setup", body | {"email": "eve@example.org"})
    assert (status, code(answer)) == (403, "set_up_closed")


# Tickets and tokens


async def test_a_ticket_is_bound_to_the_page_that_asked(site: Site) -> None:
    ada = await site.person()
    status, answer, _ = await site.ask(
        "POST", "/ticket", cookie=await site.cookie_of(ada), origin=site.here
    )
    assert (status, answer["expires_in"]) == (200, 30)
    identified = await site.identity.native(answer["ticket"], site.here)
    assert identified.caller.user == ada.id


async def test_a_client_that_is_no_browser_gets_a_token_and_a_ticket(site: Site) -> None:
    ada = await site.person()
    status, answer, _ = await site.ask("POST", "/token", {"email": ada.email, "password": PASSWORD})
    assert (status, answer["expires_in"]) == (200, 900)
    status, ticket, _ = await site.ask("POST", "/ticket", token=answer["token"])
    assert status == 200
    assert (await site.identity.native(ticket["ticket"], None)).caller.user == ada.id
    site.clock.pass_time(1000)
    status, answer, _ = await site.ask("POST", "/ticket", token=answer["token"])
    assert (status, code(answer)) == (401, "unauthenticated")


async def test_a_token_needs_no_origin_and_a_bad_one_no_cookie_can_mend(site: Site) -> None:
    ada = await site.person()
    token = site.identity.access_token(ada).token
    assert (await site.ask("POST", "/ticket", token=token, origin="http://app.test"))[0] == 200
    cookie = await site.cookie_of(ada)
    for bad in ("x", "", "a.b.c", token[:-2]):
        status, _, _ = await site.ask("POST", "/ticket", token=bad, cookie=cookie, origin=site.here)
        assert status == 401


# Room tokens


async def mint(site: Site, user: User, **wanted: object) -> tuple[int, Any]:
    """Ask for a room token."""
    token = site.identity.access_token(user).token
    status, answer, _ = await site.ask("POST", "/room-tokens", wanted, token=token)
    return status, answer


async def test_a_room_token_grants_what_its_minter_may(site: Site) -> None:
    ada = await site.person()
    status, answer = await mint(
        site, ada, rooms=["plain/notes"], capabilities=["view"], expires_in=60
    )
    assert (status, answer["expires"]) == (201, site.clock.time() + 60)
    caller = (await site.identity.by_room_token(answer["token"])).caller
    assert (caller.user, caller.member) == (ada.id, False)
    assert caller.grants == (Grant("plain/notes", Access.of(["view"])),)


@pytest.mark.parametrize(
    "wanted",
    [
        {"rooms": ["plain/notes"], "capabilities": ["admin"]},
        {"rooms": ["plain/notes"], "capabilities": ["view", "share"]},
        {"rooms": ["plain/notes"], "guest": "Grace"},
        {"rooms": ["plain/*"]},
        {"rooms": ["*"]},
        {"rooms": ["plain/notes", "plain/n*"]},
    ],
)
async def test_nobody_grants_what_they_may_not(site: Site, wanted: dict[str, Any]) -> None:
    status, answer = await mint(site, await site.person(), **wanted)
    assert (status, code(answer)) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("wanted", "status", "reason"),
    [
        ({}, 400, "malformed"),
        ({"rooms": []}, 422, "malformed"),
        ({"rooms": "plain/notes"}, 400, "malformed"),
        ({"rooms": ["plain/notes"], "capabilities": []}, 422, "malformed"),
        ({"rooms": ["plain/notes"], "expires_in": 0}, 400, "malformed"),
        ({"rooms": ["plain/notes"], "expires_in": 1e12}, 422, "malformed"),
        ({"rooms": ["plain/notes"], "guest": ""}, 422, "malformed"),
        ({"rooms": ["plain/notes"], "guest": "\n"}, 422, "malformed"),
        ({"rooms": ["plain/notes"], "admin": True}, 400, "malformed"),
        ({"rooms": ["plain/"]}, 400, "invalid_name"),
        ({"rooms": ["notes"]}, 400, "invalid_name"),
        ({"rooms": ["chess/notes"]}, 404, "unknown_room_type"),
    ],
)
async def test_a_room_token_that_makes_no_sense_is_refused(
    site: Site, wanted: dict[str, Any], status: int, reason: str
) -> None:
    found, answer = await mint(site, await site.person(admin=True), **wanted)
    assert (found, code(answer)) == (status, reason)


async def test_an_administrator_grants_by_pattern_and_to_guests(site: Site) -> None:
    status, answer = await mint(
        site, await site.person(admin=True), rooms=["plain/team-*"], guest="Grace"
    )
    assert status == 201
    caller = (await site.identity.by_room_token(answer["token"])).caller
    assert caller.name == "Grace"
    assert caller.granted("plain/team-7") == Access.of(["view", "edit"])


async def test_a_room_token_mints_no_other(site: Site) -> None:
    ada = await site.person(admin=True)
    _, answer = await mint(site, ada, rooms=["plain/notes"])
    status, refused, _ = await site.ask(
        "POST", "/room-tokens", {"rooms": ["plain/notes"]}, token=answer["token"]
    )
    assert (status, code(refused)) == (403, "permission_denied")


async def test_a_guest_is_told_under_which_name_they_are_here(site: Site) -> None:
    _, minted = await mint(site, await site.person(), rooms=["plain/notes"])
    status, answer, _ = await site.ask("GET", "/session", token=minted["token"])
    assert (status, answer["user"], answer["open"]) == (200, None, False)
    assert answer["guest"]["name"] == "Ada"
    for path in ("/people", "/notices", "/invitations"):
        status, answer, _ = await site.ask("GET", path, token=minted["token"])
        assert (status, code(answer)) == (403, "permission_denied")


async def test_a_room_token_is_revoked_by_its_minter_or_an_administrator(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    admin = await site.person("root@example.org", admin=True)
    stranger = await site.person("eve@example.org", admin=True, tenant="other")
    for revoker in (ada, admin):
        _, minted = await mint(site, ada, rooms=["plain/notes"])
        path = f"/room-tokens/{minted['id']}"
        for other in (bob, stranger):
            token = site.identity.access_token(other).token
            status, answer, _ = await site.ask("DELETE", path, token=token)
            assert (status, code(answer)) == (403, "permission_denied")
        proof = (await site.identity.by_room_token(minted["token"])).proof
        token = site.identity.access_token(revoker).token
        assert (await site.ask("DELETE", path, token=token))[0] == 204
        assert site.identity.is_void(proof)


async def test_nobody_fills_the_store_with_revocations(site: Site) -> None:
    ada = await site.person()
    token = site.identity.access_token(ada).token
    path = f"/room-tokens/rt-{ada.id}-{0:024x}"
    for number in range(100):
        path = f"/room-tokens/rt-{ada.id}-{number:024x}"
        assert (await site.ask("DELETE", path, token=token))[0] == 204
    status, answer, _ = await site.ask("DELETE", f"{path[:-1]}f", token=token)
    assert (status, code(answer)) == (429, "rate_limited")
    status, answer, _ = await site.ask("DELETE", f"/room-tokens/rt-{ada.id}-more", token=token)
    assert (status, code(answer)) == (403, "permission_denied")
    site.clock.pass_time(10)
    assert (await site.ask("DELETE", path, token=token))[0] == 204


async def test_a_body_that_does_not_come_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parting, "PATIENCE", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(site.here).port)
    writer.write(
        b"POST /api/v1/session HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()


@pytest.mark.parametrize(
    "id", ["x", "rt-", "rt--", "rt-u_1", "rt-u_1-x", "at-1", "app:shop:1", "%00"]
)
async def test_what_is_no_token_of_ours_is_not_revoked(site: Site, id: str) -> None:
    token = site.identity.access_token(await site.person(admin=True)).token
    status, answer, _ = await site.ask("DELETE", f"/room-tokens/{id}", token=token)
    assert (status, code(answer)) == (403, "permission_denied")


# Users


async def test_an_administrator_makes_and_lists_accounts_of_the_tenant(site: Site) -> None:
    admin = await site.person(admin=True, tenant="acme")
    await site.person("eve@example.org", tenant="other")
    token = site.identity.access_token(admin).token
    new = {"email": "bob@example.org", "name": "Bob", "password": OTHER_PASSWORD}
    status, answer, _ = await site.ask("POST", "/users", new, token=token)
    assert (status, answer["user"]["tenant"], answer["user"]["admin"]) == (201, "acme", False)
    status, listed, _ = await site.ask("GET", "/users", token=token)
    assert [user["email"] for user in listed["users"]] == ["ada@example.org", "bob@example.org"]
    assert "argon2" not in json.dumps(listed)

    for changed, status, reason in (
        ({}, 409, "email_taken"),
        ({"email": "BOB@Example.org"}, 409, "email_taken"),
        ({"email": "bob"}, 422, "invalid_account"),
        ({"email": "c@example.org", "password": "password1234"}, 422, "weak_password"),
        ({"email": "c@example.org", "password": ""}, 422, "weak_password"),
    ):
        found, answer, _ = await site.ask("POST", "/users", new | changed, token=token)
        assert (found, code(answer)) == (status, reason)


async def test_others_do_not_see_accounts(site: Site) -> None:
    token = site.identity.access_token(await site.person()).token
    for method, body in (("GET", None), ("POST", {"email": "x@x.org", "password": PASSWORD})):
        status, answer, _ = await site.ask(method, "/users", body, token=token)
        assert (status, code(answer)) == (403, "permission_denied")
        status, answer, _ = await site.ask(method, "/users", body)
        assert (status, code(answer)) == (401, "unauthenticated")


# Rooms


async def test_rooms_are_listed_a_page_at_a_time_in_ones_own_tenant(site: Site) -> None:
    for name in ("plain/a", "plain/b", "plain/c", "chess/a"):
        await site.room(name)
    await site.room("plain/secret", tenant="other")
    token = site.identity.access_token(await site.person()).token
    _, first, _ = await site.ask("GET", "/rooms?prefix=plain/&limit=2", token=token)
    assert [room["room"] for room in first["rooms"]] == ["plain/a", "plain/b"]
    assert first["next"] == "plain/b"
    _, second, _ = await site.ask("GET", "/rooms?prefix=plain/&after=plain/b", token=token)
    assert [room["room"] for room in second["rooms"]] == ["plain/c"]
    assert second["next"] is None
    _, all_of_them, _ = await site.ask("GET", "/rooms", token=token)
    assert [room["room"] for room in all_of_them["rooms"]] == ["plain/a", "plain/b", "plain/c"]


async def test_a_list_of_rooms_says_nothing_of_those_that_one_may_not_read(site: Site) -> None:
    hidden = [f"chess/{number}" for number in range(3)] + ["rugby/1"]
    for name in (*hidden, "plain/a", "plain/b"):
        await site.room(name)
    token = site.identity.access_token(await site.person()).token
    for path, seen, following in (
        ("/rooms?limit=1", ["plain/a"], "plain/a"),
        ("/rooms?limit=1&after=plain/a", ["plain/b"], None),
        ("/rooms?limit=1&prefix=chess", [], None),
    ):
        _, answer, _ = await site.ask("GET", path, token=token)
        assert [room["room"] for room in answer["rooms"]] == seen
        assert answer["next"] == following


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "1e3", "²", "9" * 400])
async def test_a_limit_that_is_none_is_refused(site: Site, limit: str) -> None:
    token = site.identity.access_token(await site.person()).token
    status, answer, _ = await site.ask("GET", f"/rooms?limit={limit}", token=token)
    assert (status, code(answer)) == (400, "malformed")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("notes", "notes"),
        ("a/b/c", "a/b/c"),
        ("a/b", "a%2Fb"),
        ("50% off", "50%25%20off"),
        ("%2F", "%252F"),
        ("doc:1", "doc:1"),
        ("été 🌞", "%C3%A9t%C3%A9%20%F0%9F%8C%9E"),
        ("a?b#c", "a%3Fb%23c"),
        ("a+b", "a+b"),
    ],
)
async def test_a_rooms_key_is_decoded_once(site: Site, key: str, path: str) -> None:
    await site.room(f"plain/{key}")
    token = site.identity.access_token(await site.person()).token
    answer = await site.client.get(
        URL(f"/api/v1/rooms/plain/{path}", encoded=True),
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status == 200
    room = (await answer.json())["room"]
    assert room["room"] == f"plain/{key}"
    assert room["parts"] == {"": {"incarnation": 1, "offset": 1}}
    assert room["capabilities"] == ["comment", "edit", "history", "suggest", "view"]


async def test_a_room_is_deleted_for_good_by_who_may(site: Site) -> None:
    await site.room("plain/notes")
    member = site.identity.access_token(await site.person()).token
    status, answer, _ = await site.ask("DELETE", "/rooms/plain/notes", token=member)
    assert (status, code(answer)) == (403, "permission_denied")
    admin = site.identity.access_token(await site.person("root@example.org", admin=True)).token
    assert (await site.ask("DELETE", "/rooms/plain/notes", token=admin))[0] == 204
    status, answer, _ = await site.ask("GET", "/rooms/plain/notes", token=admin)
    assert (status, code(answer)) == (410, "room_deleted")
    status, answer, _ = await site.ask("DELETE", "/rooms/plain/never", token=admin)
    assert (status, code(answer)) == (404, "room_not_found")


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/rooms/plain/nothing", 404, "room_not_found"),
        ("/rooms/chess/notes", 404, "unknown_room_type"),
        ("/rooms/PLAIN/notes", 400, "invalid_name"),
        ("/rooms/plain/%00", 400, "invalid_name"),
        ("/rooms/plain/" + "k" * 513, 400, "invalid_name"),
        ("/rooms/plain", 404, "not_found"),
        ("/rooms/plain/", 404, "not_found"),
    ],
)
async def test_a_room_that_is_none_is_refused(
    site: Site, path: str, status: int, reason: str
) -> None:
    token = site.identity.access_token(await site.person()).token
    found, answer, _ = await site.ask("GET", path, token=token)
    assert (found, code(answer)) == (status, reason)


# Errors, limits, headers


async def test_every_refusal_is_json(site: Site) -> None:
    for method, path, status, reason in (
        ("GET", "/nothing", 404, "not_found"),
        ("PUT", "/rooms", 405, "method_not_allowed"),
        ("POST", "/session", 415, "unsupported_media_type"),
        ("GET", "/rooms", 401, "unauthenticated"),
    ):
        found, answer, response = await site.ask(method, path)
        assert (found, code(answer)) == (status, reason)
        assert response.content_type == "application/json"
    _, answer, response = await site.ask("PUT", "/rooms")
    assert response.headers["Allow"] == "GET"
    assert "GET" in answer["error"]["hint"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"email":' * 5_000,
        b"9" * 10_000,
        b'{"email": "a"}',
        b'{"email": 7, "password": "x"}',
        b'{"email": "a", "password": null}',
        b'{"email": "a", "password": "b", "extra": 1}',
    ],
)
async def test_a_body_that_makes_no_sense_is_refused(site: Site, body: bytes) -> None:
    answer = await site.client.post("/api/v1/session", data=body, headers=JSON)
    assert answer.status == 400
    assert code(await answer.json()) == "malformed"


async def test_a_wrong_password_is_not_repeated_in_the_answer(site: Site) -> None:
    _, answer, _ = await site.ask("POST", "/session", {"email": "a", "password": [PASSWORD]})
    assert PASSWORD not in json.dumps(answer)


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    body = {"email": "ada@example.org", "password": "x" * 100_000}
    status, answer, _ = await site.ask("POST", "/session", body)
    assert (status, code(answer)) == (413, "too_large")


async def test_a_long_password_is_only_wrong(site: Site) -> None:
    await site.person()
    body = {"email": "ada@example.org", "password": "x" * 60_000}
    status, answer, _ = await site.ask("POST", "/session", body)
    assert (status, code(answer)) == (401, "unauthenticated")


async def test_a_bug_is_answered_without_telling_and_logged(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class NativePanic(BaseException):
        pass

    for bug in (ZeroDivisionError("a secret detail"), NativePanic("a secret detail")):

        async def verify(
            self: Passwords, phc: str, password: str, bug: BaseException = bug
        ) -> bool:
            raise bug

        monkeypatch.setattr(Passwords, "verify", verify)
        status, answer, _ = await site.ask(
            "POST", "/session", {"email": "ada@example.org", "password": PASSWORD}
        )
        assert (status, code(answer)) == (500, "internal")
        assert "secret" not in json.dumps(answer)
    assert caplog.text.count("POST /api/v1/session: not answered") == 2


async def test_every_answer_carries_the_headers_that_protect(site: Site) -> None:
    for path in ("/", "/api/v1/session", "/api/v1/nothing", "/nothing"):
        answer = await site.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Server"] == "Parvis"
        assert "Strict-Transport-Security" not in answer.headers
        if path.startswith("/api"):
            assert answer.headers["Cache-Control"] == "no-store"


async def test_the_api_describes_itself(site: Site) -> None:
    status, document, _ = await site.ask("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    operations = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert {
        "POST /api/v1/session",
        "GET /api/v1/session",
        "DELETE /api/v1/session",
        "POST /api/v1/setup",
        "POST /api/v1/ticket",
        "POST /api/v1/token",
        "POST /api/v1/room-tokens",
        "DELETE /api/v1/room-tokens/{id}",
        "GET /api/v1/users",
        "POST /api/v1/users",
        "GET /api/v1/rooms",
        "GET /api/v1/rooms/{type}/{key}",
        "DELETE /api/v1/rooms/{type}/{key}",
        "GET /api/v1/people",
        "PATCH /api/v1/account",
        "POST /api/v1/account/password",
        "POST /api/v1/password/forgot",
        "POST /api/v1/password/reset",
        "GET /api/v1/invitations",
        "POST /api/v1/invitations",
        "DELETE /api/v1/invitations/{id}",
        "POST /api/v1/invitations/look",
        "POST /api/v1/invitations/accept",
        "GET /api/v1/notices",
        "POST /api/v1/notices/read",
    } <= operations
    body = document["paths"]["/api/v1/session"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {
        "type": "object",
        "properties": {"email": {"type": "string"}, "password": {"type": "string"}},
        "required": ["email", "password"],
        "additionalProperties": False,
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            given = operation["parameters"]
            named = {each["name"] for each in given if each["in"] == "path"}
            assert all(f"{{{name}}}" in path for name in named)
            assert path.count("{") == len(named)


# Open nodes


async def test_on_an_open_node_anyone_may_do_anything(open_site: Site) -> None:
    await open_site.room("plain/notes")
    status, answer, _ = await open_site.ask("GET", "/session")
    assert (status, answer) == (
        200,
        {"user": None, "open": True, "mail": False, "invite": False},
    )
    assert (await open_site.ask("POST", "/ticket"))[0] == 200
    assert (await open_site.ask("GET", "/rooms"))[1]["rooms"][0]["room"] == "plain/notes"
    assert (await open_site.ask("DELETE", "/rooms/plain/notes"))[0] == 204


async def test_an_open_node_answers_no_page_of_another_site(open_site: Site) -> None:
    for headers in (
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Host": "evil.test"},
        {"Host": "evil.test:8000", "Origin": "http://evil.test:8000"},
        {"Host": ""},
    ):
        answer = await open_site.client.get("/api/v1/rooms", headers=headers)
        assert answer.status == 401, headers
    for origin in ("http://localhost:5173", "http://127.0.0.1:1"):
        answer = await open_site.client.get("/api/v1/rooms", headers={"Origin": origin})
        assert answer.status == 200
