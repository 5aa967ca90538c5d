"""Passwords: which ones are taken, how they are kept, how many are checked at a time."""

import asyncio
import base64
from dataclasses import replace

import argon2
import pytest

from parvis.server.identity import TooBusy, Unauthenticated, WeakPassword
from parvis.server.identity.passwords import MAX_WAITING, Passwords
from parvis.server.identity.well_known import why_well_known, words
from tests.clocks import SeededRandom
from tests.identities import CHEAP, OTHER_PASSWORD, PASSWORD, Scene


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "x" * 129,
        "password1234!",
        "P@ssw0rd2024!!",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "qwertyuiop12",
        "poiuytrewq!!",
        "1qaz2wsx3edc",
        "iloveyou1234",
        "welcometoparvis1",
        "correct horse battery staple",
        "ada.lovelace1815",
        "LovelaceAda!!",
    ],
)
def test_a_password_that_is_tried_first_is_refused(scene: Scene, password: str) -> None:
    with pytest.raises(WeakPassword):
        scene.identity.people.passwords.check(password, "ada@lovelace.org", "Ada Lovelace")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "482915730264",
        "3f9a8b7c6d5e",
        "purple monkey dishwasher",
        "Zk7#mQ9$vL2@",
        "пароль из шести слов",
        "一二三四五六七八九十甲乙",
        "".join(f"{number:02x}" for number in range(90, 154)),
    ],
)
def test_a_password_that_nobody_would_guess_is_taken(scene: Scene, password: str) -> None:
    scene.identity.people.passwords.check(password, "ada@lovelace.org", "Ada Lovelace")


def test_the_list_holds_words_only() -> None:
    assert len(words()) > 500
    assert all(word == word.casefold() and not word.startswith("#") for word in words())


def test_what_is_wrong_with_a_password_is_said() -> None:
    assert why_well_known("abababababab") == "is a short piece repeated"
    assert why_well_known("zxcvbnm,./;'") == "is a walk on the keyboard"
    assert why_well_known("dragonmonkey9") == "is made of well-known words"
    assert why_well_known("hopper-grace1906", "grace@hopper.dev") == (
        "is made of your own name or address"
    )


async def test_a_hash_is_argon2id_with_the_parameters_that_are_set(scene: Scene) -> None:
    phc = await scene.identity.people.passwords.hash(PASSWORD)
    assert phc.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert await scene.identity.people.passwords.verify(phc, PASSWORD)
    assert not await scene.identity.people.passwords.verify(phc, OTHER_PASSWORD)


async def test_the_same_password_from_another_keyboard_is_the_same(scene: Scene) -> None:
    phc = await scene.identity.people.passwords.hash("une journée à la mer")
    decomposed = "une journe\u0301e a\u0300 la mer"
    assert await scene.identity.people.passwords.verify(phc, decomposed)


async def test_a_password_with_half_a_character_is_only_wrong(scene: Scene) -> None:
    phc = await scene.identity.people.passwords.hash(PASSWORD)
    assert not await scene.identity.people.passwords.verify(phc, "\ud800" * 12)


async def test_an_unknown_person_costs_the_same_work_as_a_known_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = argon2.PasswordHasher.verify

    def note(self: argon2.PasswordHasher, hash: str, password: bytes) -> bool:
        verified.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", note)
    people = scene.identity.people
    ada = await scene.person()
    with pytest.raises(Unauthenticated) as of_known:
        await people.authenticate(ada.email, OTHER_PASSWORD, "192.0.2.1")
    with pytest.raises(Unauthenticated) as of_unknown:
        await people.authenticate("nobody@example.org", OTHER_PASSWORD, "192.0.2.1")
    assert verified == [ada.password, people.passwords.dummy]
    assert str(of_known.value) == str(of_unknown.value)
    costs = [argon2.extract_parameters(phc) for phc in verified]
    assert costs[0] == costs[1]


async def test_the_dummy_opens_nothing(scene: Scene) -> None:
    passwords = scene.identity.people.passwords
    digest = passwords.dummy.rpartition("$")[2]
    for password in (PASSWORD, "", digest, base64.b64decode(digest + "=").decode("latin-1")):
        assert not await passwords.verify("", password)


async def test_an_account_without_password_cannot_be_signed_in_to(scene: Scene) -> None:
    await scene.identity.people.add("robot@example.org")
    with pytest.raises(Unauthenticated):
        await scene.identity.people.authenticate("robot@example.org", "", "192.0.2.1")


async def test_a_sign_in_makes_an_outgrown_hash_anew(scene: Scene) -> None:
    ada = await scene.person()
    weak = Passwords(replace(CHEAP, argon2_time=1), SeededRandom())
    strong = Passwords(replace(CHEAP, argon2_time=2), SeededRandom())
    try:
        assert not weak.outgrown(ada.password)
        assert strong.outgrown(ada.password)
        assert not weak.outgrown(await strong.hash(PASSWORD))
        scene.identity.people.passwords.__dict__.update(strong.__dict__)
        signed_in = await scene.identity.people.authenticate(ada.email, PASSWORD, "192.0.2.1")
        assert ",t=2," in signed_in.password
        assert await scene.accounts.user(ada.id) == signed_in
        assert signed_in.epoch == ada.epoch
    finally:
        weak.close()


async def test_a_flood_of_sign_ins_is_turned_away(scene: Scene) -> None:
    passwords = scene.identity.people.passwords
    phc = await passwords.hash(PASSWORD)
    answers = await asyncio.gather(
        *(passwords.verify(phc, PASSWORD) for _ in range(MAX_WAITING + 5)), return_exceptions=True
    )
    assert [isinstance(answer, TooBusy) for answer in answers].count(True) == 5
    assert answers.count(True) == MAX_WAITING
    assert await passwords.verify(phc, PASSWORD)
