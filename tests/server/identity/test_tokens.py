"""Tokens that Parvis signs: what is taken, and what is not, however it is made."""

import base64
import dataclasses
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings, strategies as st
from jwt.algorithms import ECAlgorithm

from parvis.plugins import Access, Caller, Grant
from parvis.server.identity import Identity, Unauthenticated, open_identity
from parvis.server.identity.people import COLORS
from parvis.server.identity.tokens import ACCESS, KEY_NAME, ROOM
from parvis.storage import User
from tests.identities import OTHER_PASSWORD, Scene, make_scene

DAY = 86_400


def encoded(value: object) -> str:
    """Return JSON as it stands in a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def private_key(scene: Scene) -> ec.EllipticCurvePrivateKey:
    """Return the key that this installation signs with."""
    kept = await scene.accounts.secret(KEY_NAME, fresh=b"")
    key = serialization.load_der_private_key(kept, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


async def resigned(scene: Scene, token: str, /, typ: str | None = None, **claims: Any) -> str:
    """Sign a token anew, with our own key, with other claims; None takes a claim out."""
    header = jwt.get_unverified_header(token)
    payload = jwt.decode(token, options={"verify_signature": False}) | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    headers = {"kid": header["kid"], "typ": typ or header["typ"]}
    return jwt.encode(payload, await private_key(scene), algorithm="ES256", headers=headers)


def room_token(identity: Identity, user: User, guest: str | None = None) -> str:
    """Sign a room token for some rooms."""
    return identity.tokens.room(
        user,
        rooms=("plain/notes", "plain/shared-*"),
        capabilities=("view", "edit"),
        seconds=DAY,
        guest=guest,
    ).token


async def test_an_access_token_speaks_for_its_user(scene: Scene) -> None:
    ada = await scene.person(admin=True, tenant="acme")
    identified = await scene.identity.by_access_token(scene.identity.access_token(ada).token)
    assert identified.caller == Caller(
        tenant="acme", user=ada.id, name="Ada", color=ada.color, member=True, admin=True
    )
    assert identified.expires == scene.clock.time() + 900


async def test_a_room_token_speaks_for_its_user_in_its_rooms_only(scene: Scene) -> None:
    ada = await scene.person()
    identified = await scene.identity.by_room_token(room_token(scene.identity, ada))
    access = Access.of(["view", "edit"])
    assert identified.caller == Caller(
        tenant="local",
        user=ada.id,
        name="Ada",
        color=ada.color,
        grants=(Grant("plain/notes", access), Grant("plain/shared-*", access)),
    )
    assert identified.caller.granted("plain/shared-plans") == access
    assert not identified.caller.granted("plain/other")


async def test_a_room_token_for_a_guest_speaks_for_a_guest(scene: Scene) -> None:
    ada = await scene.person()
    token = room_token(scene.identity, ada, guest="Grace")
    caller = (await scene.identity.by_room_token(token)).caller
    assert (caller.name, caller.member, caller.admin) == ("Grace", False, False)
    assert caller.user.startswith("guest-")
    assert caller.color in COLORS
    assert caller.host == ada.id
    own = (await scene.identity.by_room_token(room_token(scene.identity, ada))).caller
    assert own.host == ""


async def test_the_key_survives_a_restart(scene: Scene) -> None:
    ada = await scene.person()
    token = scene.identity.access_token(ada).token
    again = await open_identity(scene.settings, scene.accounts, scene.clock, scene.random)
    assert (await again.by_access_token(token)).caller.user == ada.id
    again.close()


async def test_a_room_token_is_no_access_token(scene: Scene) -> None:
    ada = await scene.person(admin=True)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_access_token(room_token(scene.identity, ada))


async def test_a_native_session_and_http_take_both_kinds_of_token(scene: Scene) -> None:
    ada, identity = await scene.person(admin=True), scene.identity
    access, room = identity.access_token(ada).token, room_token(identity, ada)
    for member, guest in (
        (await identity.by_token(access), await identity.by_token(room)),
        (await identity.native(access, None), await identity.native(room, None)),
    ):
        assert (member.caller.member, member.caller.admin, member.caller.grants) == (True, True, ())
        assert (guest.caller.member, guest.caller.admin) == (False, False)
        assert guest.caller.granted("plain/notes")
        assert guest.proof.kind == "room"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "pt_x"])
async def test_what_is_no_token_is_refused_as_a_bearer(scene: Scene, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await scene.identity.by_token(token)


async def test_a_token_cannot_choose_how_it_is_read(scene: Scene) -> None:
    ada = await scene.person(admin=True)
    room, access = room_token(scene.identity, ada), scene.identity.access_token(ada).token
    for forged in (
        await resigned(scene, room, typ=ACCESS.typ),
        await resigned(scene, access, typ=ROOM.typ),
        await resigned(scene, access, typ="JWT"),
    ):
        with pytest.raises(Unauthenticated):
            await scene.identity.by_token(forged)


async def test_a_room_token_ends_with_the_account_it_rests_on(scene: Scene) -> None:
    ada = await scene.person()
    token = room_token(scene.identity, ada, guest="Grace")
    await scene.identity.people.set_password(ada, OTHER_PASSWORD)
    with pytest.raises(Unauthenticated, match="has changed"):
        await scene.identity.by_token(token)


async def test_an_access_token_is_no_room_token(scene: Scene) -> None:
    ada = await scene.person(admin=True)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_room_token(scene.identity.access_token(ada).token)


async def test_neither_type_nor_audience_alone_turns_one_token_into_another(scene: Scene) -> None:
    ada = await scene.person(admin=True)
    token = room_token(scene.identity, ada)
    for forged in (
        await resigned(scene, token, typ=ACCESS.typ),
        await resigned(scene, token, aud=ACCESS.audience),
    ):
        with pytest.raises(Unauthenticated):
            await scene.identity.by_access_token(forged)
    access = scene.identity.access_token(ada).token
    for forged in (
        await resigned(scene, access, typ=ROOM.typ),
        await resigned(scene, access, aud=ROOM.audience),
    ):
        with pytest.raises(Unauthenticated):
            await scene.identity.by_room_token(forged)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256", "ES384", ""])
@pytest.mark.parametrize("signature", ["", "kept"])
async def test_a_token_cannot_choose_how_it_is_verified(
    scene: Scene, algorithm: str, signature: str
) -> None:
    ada = await scene.person()
    token = scene.identity.access_token(ada).token
    header = jwt.get_unverified_header(token) | {"alg": algorithm}
    _, payload, kept = token.split(".")
    forged = f"{encoded(header)}.{payload}.{kept if signature else ''}"
    with pytest.raises(Unauthenticated):
        await scene.identity.by_access_token(forged)


async def test_the_public_key_is_no_shared_secret(scene: Scene) -> None:
    ada = await scene.person()
    token = scene.identity.access_token(ada).token
    header = jwt.get_unverified_header(token) | {"alg": "HS256"}
    payload = token.split(".")[1]
    public = (await private_key(scene)).public_key()
    for form in (serialization.Encoding.PEM, serialization.Encoding.DER):
        secret = public.public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)
        signed = f"{encoded(header)}.{payload}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        with pytest.raises(Unauthenticated):
            await scene.identity.by_access_token(forged)


async def test_a_token_signed_with_another_key_is_refused(scene: Scene) -> None:
    ada = await scene.person()
    token = scene.identity.access_token(ada).token
    payload = jwt.decode(token, options={"verify_signature": False})
    other = ec.generate_private_key(ec.SECP256R1())
    forged = jwt.encode(payload, other, algorithm="ES256", headers=jwt.get_unverified_header(token))
    # A key that the token brings along is not looked at either.
    jwk = ECAlgorithm.to_jwk(other.public_key(), as_dict=True)
    brought = jwt.encode(
        payload, other, algorithm="ES256", headers=jwt.get_unverified_header(token) | {"jwk": jwk}
    )
    for each in (forged, brought):
        with pytest.raises(Unauthenticated):
            await scene.identity.by_access_token(each)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "parvis:room"},
        {"aud": None},
        {"aud": ["parvis:access", "another"]},
        {"iss": "another"},
        {"iss": None},
        {"exp": None},
        {"exp": True},
        {"exp": "tomorrow"},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"exp": -1},
        {"nbf": 4e9},
        {"nbf": "soon"},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "u_\ud800"},
        {"sub": "u_\x00"},
        {"sub": "u_nobody"},
        {"epoch": 0},
        {"epoch": 2},
        {"epoch": None},
        {"epoch": "1"},
        {"epoch": True},
        {"jti": None},
    ],
)
async def test_an_access_token_with_a_wrong_claim_is_refused(
    scene: Scene, claims: dict[str, Any]
) -> None:
    ada = await scene.person()
    token = scene.identity.access_token(ada).token
    assert await scene.identity.by_access_token(await resigned(scene, token, nbf=1))
    with pytest.raises(Unauthenticated):
        await scene.identity.by_access_token(await resigned(scene, token, **claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"rooms": None},
        {"rooms": "plain/notes"},
        {"rooms": [7]},
        {"rooms": [""]},
        {"rooms": ["plain/\ud800"]},
        {"rooms": ["plain/x"] * 101},
        {"capabilities": None},
        {"capabilities": ["view", None]},
        {"name": "n" * 257},
        {"name": "two\nlines"},
        {"by": None},
        {"tid": None},
    ],
)
async def test_a_room_token_with_a_wrong_claim_is_refused(
    scene: Scene, claims: dict[str, Any]
) -> None:
    ada = await scene.person()
    token = room_token(scene.identity, ada)
    with pytest.raises(Unauthenticated):
        forged = await resigned(scene, token, **dict(claims))
        await scene.identity.by_room_token(forged)


async def test_an_expired_token_says_that_a_fresh_one_will_do(scene: Scene) -> None:
    ada = await scene.person()
    access, room = scene.identity.access_token(ada).token, room_token(scene.identity, ada)
    scene.clock.pass_time(899)
    await scene.identity.by_access_token(access)
    scene.clock.pass_time(1)
    with pytest.raises(Unauthenticated) as refused:
        await scene.identity.by_access_token(access)
    assert refused.value.expired
    scene.clock.pass_time(DAY)
    with pytest.raises(Unauthenticated) as refused:
        await scene.identity.by_room_token(room)
    assert refused.value.expired


async def test_a_revoked_token_is_void_at_once_and_after_a_restart(scene: Scene) -> None:
    ada = await scene.person()
    token = room_token(scene.identity, ada)
    identified = await scene.identity.by_room_token(token)
    told: list[bool] = []
    end = scene.identity.subscribe(lambda: told.append(scene.identity.is_void(identified.proof)))
    await scene.identity.voids.revoke(identified.proof.id, until=scene.clock.time() + DAY)
    assert told == [True]
    with pytest.raises(Unauthenticated) as refused:
        await scene.identity.by_room_token(token)
    assert not refused.value.expired
    end()
    await scene.identity.voids.revoke("another", until=scene.clock.time() + DAY)
    assert told == [True]

    again = await open_identity(scene.settings, scene.accounts, scene.clock, scene.random)
    with pytest.raises(Unauthenticated):
        await again.by_room_token(token)
    again.close()


async def test_a_new_password_ends_all_that_the_old_one_began(scene: Scene) -> None:
    ada = await scene.person()
    access, room = scene.identity.access_token(ada).token, room_token(scene.identity, ada)
    secret, _ = await scene.identity.people.sign_in(ada)
    proofs = [
        (await scene.identity.by_access_token(access)).proof,
        (await scene.identity.by_room_token(room)).proof,
        (await scene.identity.by_cookie(secret)).proof,
    ]
    changed = await scene.identity.people.set_password(ada, OTHER_PASSWORD)
    assert [scene.identity.is_void(proof) for proof in proofs] == [True, True, True]
    for ask in (
        scene.identity.by_access_token(access),
        scene.identity.by_room_token(room),
        scene.identity.by_cookie(secret),
    ):
        with pytest.raises(Unauthenticated):
            await ask
    await scene.identity.by_access_token(scene.identity.access_token(changed).token)


async def test_a_disabled_account_is_out_at_once(scene: Scene) -> None:
    ada = await scene.person()
    token = scene.identity.access_token(ada).token
    proof = (await scene.identity.by_access_token(token)).proof
    await scene.identity.people.save(dataclasses.replace(ada, disabled=True))
    assert scene.identity.is_void(proof)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_access_token(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\ud800.\ud800.\ud800",
        "é.è.ê",
        "." * 20_000,
        "e30.e30.",
        encoded({"alg": "ES256", "kid": 7}) + ".e30.AA",
        encoded({"alg": ["ES256"]}) + ".e30.AA",
        encoded([]) + ".e30.AA",
        encoded({"alg": "ES256", "crit": ["b64"], "b64": False}) + ".e30.AA",
        base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.AA",
        encoded({"alg": "ES256", "typ": "at+jwt"})
        + "."
        + base64.urlsafe_b64encode(b'{"a":' * 1500).decode().rstrip("=")
        + ".AA",
        encoded({"alg": "ES256"})
        + "."
        + base64.urlsafe_b64encode(b'{"exp":' + b"9" * 5000 + b"}").decode().rstrip("=")
        + ".AA",
    ],
)
async def test_what_is_no_token_is_refused(scene: Scene, token: str) -> None:
    for ask in (
        scene.identity.by_access_token(token),
        scene.identity.by_room_token(token),
        scene.identity.native(token, None),
    ):
        with pytest.raises(Unauthenticated):
            await ask


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), letter=st.characters(max_codepoint=255))
async def test_a_token_changed_in_one_place_is_refused(at: int, letter: str) -> None:
    scene = await make_scene()
    try:
        ada = await scene.person()
        token = scene.identity.access_token(ada).token
        at %= len(token)
        changed = token[:at] + letter + token[at + 1 :]
        # The last letter of a base64 text has bits that say nothing.
        if changed == token or at == len(token) - 1:
            return
        with pytest.raises(Unauthenticated):
            await scene.identity.by_access_token(changed)
    finally:
        scene.identity.close()
