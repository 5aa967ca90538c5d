"""Room tokens signed by an application's own backend."""

import asyncio
import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from pytest_aiohttp import AiohttpServer

from parvis.plugins import Access, Caller, Grant
from parvis.server.identity import KeysUnavailable, Unauthenticated
from parvis.server.identity.claims import LEEWAY, narrowed
from parvis.server.identity.keysets import parse_keys
from parvis.server.settings import AppSettings
from tests.identities import Scene, make_scene, settings_with

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

SECRET = "a secret that is shared with the shop only"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def public_jwk(kid: str, key: PrivateKey) -> dict[str, object]:
    """Return a public key as it stands in a key set."""
    match key:
        case rsa.RSAPrivateKey():
            jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ec.EllipticCurvePrivateKey():
            jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ed25519.Ed25519PrivateKey():
            jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": kid}


KEY_SET = json.dumps(
    {"keys": [public_jwk("r", RSA_KEY), public_jwk("e", EC_KEY), public_jwk("d", ED_KEY)]}
)


@pytest.fixture
async def shop() -> AsyncIterator[Scene]:
    """A node that knows two applications: one with a secret, one with a key set."""
    scene = await make_scene(
        settings_with(
            apps={
                "shop": AppSettings(secret=SECRET, tenant="acme", rooms=("plain/shop-*",)),
                "wiki": AppSettings(
                    jwks=KEY_SET, issuer="https://wiki.test", rooms=("plain/page", "plain/w-*")
                ),
            }
        )
    )
    yield scene
    scene.identity.close()


def claims(scene: Scene, **changed: Any) -> dict[str, Any]:
    """Return the claims of a good token of the shop; None takes one out."""
    good = {
        "iss": "shop",
        "aud": "parvis",
        "sub": "42",
        "name": "Grace",
        "color": "#0e7490",
        "exp": int(scene.clock.time()) + 600,
        "rooms": ["plain/shop-7"],
        "capabilities": ["view", "edit"],
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(scene: Scene, secret: str = SECRET, **changed: Any) -> str:
    """Return a token of the shop."""
    return jwt.encode(claims(scene, **changed), secret, algorithm="HS256")


def of_wiki(scene: Scene, key: Any, algorithm: str, kid: str | None, **changed: Any) -> str:
    """Return a token of the wiki."""
    changed = {"iss": "https://wiki.test", "rooms": ["plain/page"]} | changed
    return jwt.encode(
        claims(scene, **changed), key, algorithm=algorithm, headers={"kid": kid} if kid else None
    )


async def test_an_application_speaks_for_its_own_users_only(shop: Scene) -> None:
    identified = await shop.identity.by_room_token(signed(shop))
    assert identified.caller == Caller(
        tenant="acme",
        user="app:shop:42",
        name="Grace",
        color="#0e7490",
        grants=(Grant("plain/shop-7", Access.of(["view", "edit"])),),
    )
    assert identified.expires == shop.clock.time() + 600 + LEEWAY


async def test_a_token_of_a_clock_that_is_slow_holds_as_long_as_it_is_accepted(shop: Scene) -> None:
    token = signed(shop)
    shop.clock.pass_time(600 + LEEWAY - 1)
    assert (await shop.identity.by_room_token(token)).expires == shop.clock.time() + 1
    shop.clock.pass_time(1)
    with pytest.raises(Unauthenticated) as refused:
        await shop.identity.by_room_token(token)
    assert refused.value.expired


async def test_it_cannot_name_a_tenant_or_an_account(shop: Scene) -> None:
    token = signed(shop, tid="local", tenant="local", member=True, admin=True, sub="u_1")
    caller = (await shop.identity.by_room_token(token)).caller
    assert (caller.tenant, caller.user, caller.member, caller.admin) == (
        "acme",
        "app:shop:u_1",
        False,
        False,
    )


async def test_it_grants_no_more_than_the_operator_lets_it(shop: Scene) -> None:
    token = signed(
        shop,
        rooms=["*", "plain/shop-7", "plain/other", "plain/sh*", "docs/shop-1"],
        capabilities=["view", "edit", "admin", "share"],
    )
    access = Access.of(["view", "edit"])
    caller = (await shop.identity.by_room_token(token)).caller
    assert caller.grants == (
        Grant("plain/shop-*", access),
        Grant("plain/shop-7", access),
        Grant("plain/shop-*", access),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"rooms": ["plain/other"]},
        {"rooms": ["docs/*"]},
        {"rooms": []},
        {"rooms": None},
        {"capabilities": ["admin"]},
        {"capabilities": []},
        {"capabilities": None},
        {"aud": None},
        {"aud": "another"},
        {"aud": ["parvis", "another"]},
        {"exp": None},
        {"exp": 1},
        {"exp": "never"},
        {"nbf": 4_000_000_000},
        {"iss": None},
        {"iss": "bank"},
        {"iss": "https://wiki.test"},
        {"iss": "parvis"},
        {"sub": None},
        {"sub": ""},
        {"sub": "\ud800"},
        {"sub": "s" * 300},
        {"name": 7},
    ],
)
async def test_a_wrong_claim_is_refused(shop: Scene, changed: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await shop.identity.by_room_token(signed(shop, **changed))


async def test_another_secret_is_refused(shop: Scene) -> None:
    with pytest.raises(Unauthenticated):
        await shop.identity.by_room_token(signed(shop, secret=SECRET[::-1]))


async def test_no_signature_is_refused(shop: Scene) -> None:
    with pytest.raises(Unauthenticated):
        await shop.identity.by_room_token(jwt.encode(claims(shop), "", algorithm="none"))


async def test_an_application_cannot_pass_for_parvis(shop: Scene) -> None:
    kid = shop.identity.tokens.kid
    for headers in ({"typ": "at+jwt"}, {"typ": "room+jwt"}, {"kid": kid}):
        token = jwt.encode(claims(shop), SECRET, algorithm="HS256", headers=headers)
        with pytest.raises(Unauthenticated):
            await shop.identity.by_room_token(token)
        with pytest.raises(Unauthenticated):
            await shop.identity.by_access_token(token)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA_KEY, "RS256", "r"), (EC_KEY, "ES256", "e"), (ED_KEY, "EdDSA", "d")],
)
async def test_each_key_of_a_key_set_verifies(
    shop: Scene, key: Any, algorithm: str, kid: str
) -> None:
    identified = await shop.identity.by_room_token(of_wiki(shop, key, algorithm, kid))
    assert (identified.caller.tenant, identified.caller.user) == ("local", "app:wiki:42")


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [
        (RSA_KEY, "RS256", "e"),
        (RSA_KEY, "RS512", "r"),
        (RSA_KEY, "PS256", "r"),
        (RSA_KEY, "RS256", "x"),
        (RSA_KEY, "RS256", None),
        (EC_KEY, "ES256", "r"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256", "e"),
        (SECRET, "HS256", "r"),
    ],
)
async def test_a_key_verifies_its_own_algorithm_only(
    shop: Scene, key: Any, algorithm: str, kid: str | None
) -> None:
    with pytest.raises(Unauthenticated):
        await shop.identity.by_room_token(of_wiki(shop, key, algorithm, kid))


async def test_a_public_key_of_a_key_set_is_no_secret(shop: Scene) -> None:
    # What an attacker would take for the secret: each public form of the key.
    forms = [
        RSA_KEY.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        for encoding in (Encoding.PEM, Encoding.DER)
    ]
    forms.append(json.dumps(public_jwk("r", RSA_KEY)).encode())
    good = of_wiki(shop, RSA_KEY, "RS256", "r")
    header = {"alg": "HS256", "typ": "JWT", "kid": "r"}
    for secret in forms:
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        text = f"{head}.{good.split('.')[1]}"
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        forged = f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        with pytest.raises(Unauthenticated):
            await shop.identity.by_room_token(forged)


async def test_an_applications_token_can_be_revoked(shop: Scene) -> None:
    for token in (signed(shop, jti="one"), signed(shop)):
        proof = (await shop.identity.by_room_token(token)).proof
        assert proof.id.startswith("app:shop:")
        await shop.identity.voids.revoke(proof.id, until=shop.clock.time() + 600)
        with pytest.raises(Unauthenticated):
            await shop.identity.by_room_token(token)


async def test_one_application_cannot_have_anothers_token_revoked_by_its_id(shop: Scene) -> None:
    wiki = await shop.identity.by_room_token(of_wiki(shop, EC_KEY, "ES256", "e", jti="one"))
    own = (await shop.identity.by_room_token(signed(shop, jti="one"))).proof
    await shop.identity.voids.revoke(own.id, until=shop.clock.time() + 600)
    assert shop.identity.is_void(own)
    assert not shop.identity.is_void(wiki.proof)


def test_what_two_patterns_share_is_granted() -> None:
    view = Access.of(["view"])
    cases = {
        ("plain/a", "plain/a"): "plain/a",
        ("plain/a", "plain/b"): None,
        ("plain/a", "plain/*"): "plain/a",
        ("plain/*", "plain/a"): "plain/a",
        ("plain/a*", "plain/ab*"): "plain/ab*",
        ("plain/ab*", "plain/a*"): "plain/ab*",
        ("plain/a*", "plain/b*"): None,
        ("plain/a*", "plain/a"): "plain/a",
        ("*", "plain/a*"): "plain/a*",
        ("plain/a", "*"): "plain/a",
        ("plain/", "plain/*"): "plain/",
        ("plain/ab", "plain/a"): None,
        ("plain/a", "plain/ab*"): None,
    }
    for (wanted, allowed), shared in cases.items():
        granted = narrowed([Grant(wanted, view)], [allowed], ["view"])
        assert granted == (() if shared is None else (Grant(shared, view),)), (wanted, allowed)


def test_a_star_lets_an_application_grant_every_capability() -> None:
    access = Access.of(["view", "calendar.freebusy"])
    assert narrowed([Grant("plain/a", access)], ["*"], ["*"]) == (Grant("plain/a", access),)


@pytest.mark.parametrize(
    "key",
    [
        7,
        {},
        {"kty": "oct", "k": "AAAA", "kid": "s"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "!", "e": "!"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        {"kty": "RSA", "alg": {}},
        public_jwk("e", EC_KEY) | {"alg": "HS256"},
        public_jwk("e", EC_KEY) | {"alg": "RS256"},
        public_jwk("r", RSA_KEY) | {"use": "enc"},
    ],
)
def test_a_key_that_is_of_no_use_is_passed_over(key: object) -> None:
    good = public_jwk("e", EC_KEY)
    keys = parse_keys(json.dumps({"keys": [key, good]}))
    assert [(each.kid, each.algorithm) for each in keys] == [("e", "ES256")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": 7}', "[" * 100_000, "\x00"])
def test_what_is_no_key_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_keys(text)


async def with_source(source: str) -> Scene:
    """Return a node whose only application has its keys somewhere."""
    return await make_scene(
        settings_with(
            apps={"wiki": AppSettings(jwks=source, issuer="https://wiki.test", rooms=("*",))}
        )
    )


class KeyServer:
    """Serves a key set, and counts how often it is asked."""

    def __init__(self) -> None:
        self.text = KEY_SET
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(text=self.text, status=self.status, headers=headers)


@pytest.fixture
async def key_server(aiohttp_server: AiohttpServer) -> tuple[KeyServer, str]:
    """A key server on loopback and its address."""
    keys = KeyServer()
    app = web.Application()
    app.router.add_get("/keys", keys.answer)
    server = await aiohttp_server(app)
    return keys, str(server.make_url("/keys"))


async def test_keys_are_fetched_once_for_many_tokens(key_server: tuple[KeyServer, str]) -> None:
    keys, address = key_server
    scene = await with_source(address)
    assert keys.asked == 0
    token = of_wiki(scene, EC_KEY, "ES256", "e")
    await asyncio.gather(*(scene.identity.by_room_token(token) for _ in range(20)))
    assert keys.asked == 1
    scene.identity.close()


async def test_a_new_key_is_found_but_unknown_ones_do_not_flood_the_application(
    key_server: tuple[KeyServer, str],
) -> None:
    keys, address = key_server
    scene = await with_source(address)
    keys.text = json.dumps({"keys": [public_jwk("e", EC_KEY)]})
    await scene.identity.by_room_token(of_wiki(scene, EC_KEY, "ES256", "e"))
    keys.text = KEY_SET
    for _ in range(50):
        with pytest.raises(Unauthenticated):
            await scene.identity.by_room_token(of_wiki(scene, RSA_KEY, "RS256", "r"))
    assert keys.asked == 1
    scene.clock.pass_time(31)
    await scene.identity.by_room_token(of_wiki(scene, RSA_KEY, "RS256", "r"))
    assert keys.asked == 2
    scene.identity.close()


async def test_a_key_that_was_taken_back_is_gone_after_ten_minutes(
    key_server: tuple[KeyServer, str],
) -> None:
    keys, address = key_server
    scene = await with_source(address)
    far = int(scene.clock.time()) + 10_000
    token = of_wiki(scene, EC_KEY, "ES256", "e", exp=far)
    await scene.identity.by_room_token(token)
    keys.text = json.dumps({"keys": [public_jwk("r", RSA_KEY)]})
    scene.clock.pass_time(601)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_room_token(token)
    scene.identity.close()


@pytest.mark.parametrize(
    ("status", "text"),
    [(500, KEY_SET), (302, KEY_SET), (200, "no keys"), (200, " " * 300_000 + KEY_SET)],
)
async def test_a_faulty_source_is_no_refusal_and_is_not_asked_in_a_storm(
    key_server: tuple[KeyServer, str], status: int, text: str
) -> None:
    keys, address = key_server
    keys.status, keys.text = status, text
    scene = await with_source(address)
    token = of_wiki(scene, EC_KEY, "ES256", "e")
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            await scene.identity.by_room_token(token)
    assert keys.asked == 1
    keys.status, keys.text = 200, KEY_SET
    scene.clock.pass_time(31)
    await scene.identity.by_room_token(token)
    scene.identity.close()


async def test_known_keys_stay_good_while_their_source_is_away(
    key_server: tuple[KeyServer, str],
) -> None:
    keys, address = key_server
    scene = await with_source(address)
    token = of_wiki(scene, EC_KEY, "ES256", "e", exp=int(scene.clock.time()) + 10_000)
    await scene.identity.by_room_token(token)
    keys.status = 503
    scene.clock.pass_time(601)
    await scene.identity.by_room_token(token)
    assert keys.asked == 2
    scene.identity.close()


async def test_keys_come_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    scene = await with_source(str(file))
    token = of_wiki(scene, EC_KEY, "ES256", "e")
    with pytest.raises(KeysUnavailable):
        await scene.identity.by_room_token(token)
    file.write_text(KEY_SET)
    scene.clock.pass_time(31)
    await scene.identity.by_room_token(token)
    scene.identity.close()


async def test_a_key_too_short_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = rsa.generate_private_key(65537, 1024)
        scene = await with_source(json.dumps({"keys": [public_jwk("s", short)]}))
        token = of_wiki(scene, short, "RS256", "s")
    with pytest.raises(Unauthenticated):
        await scene.identity.by_room_token(token)
    scene.identity.close()
