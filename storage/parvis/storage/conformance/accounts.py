"""Accounts: unique addresses, sign-ins that expire, links and secrets that are taken once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from parvis.storage.accounts import Accounts, Link, SignIn, User
from parvis.storage.api import Store
from parvis.storage.errors import AccountChanged, EmailTaken, LinkGone

ANN = User("u_ann", "acme", "Ann@Example.org", "Ann", "#aa0000", "$argon2id$…", True, 10.5)
BOB = User("u_bob", "acme", "bob@example.org", "Bob", "#00bb00", "", False, 5)
EVE = User("u_eve", "globex", "eve@example.org", "Ève", "#0000cc", "", False, 7, True, 3, "fr")
INVITATION = Link(
    "i_1", "invitation", "acme", "New@Example.org", b"1" * 32, 10, 20, "", "u_ann", True, "/x", "fr"
)
RESET = Link("r_1", "reset", "acme", "Ann@Example.org", b"2" * 32, 10, 20, "u_ann")
NEW = User("u_new", "acme", "new@example.org", "New", "#00bb00", "$argon2id$…", True, 12)


class AccountsConformance:
    """What every adapter's accounts do. A test class overrides `open`."""

    async def open(self, place: Path) -> tuple[Store, Accounts]:
        """Open the accounts kept at a place, and the store that is closed to close them."""
        raise NotImplementedError

    @pytest.fixture
    async def accounts(self, tmp_path: Path) -> AsyncGenerator[Accounts]:
        """Accounts without anybody in them."""
        store, accounts = await self.open(tmp_path)
        yield accounts
        await store.close()

    async def test_an_account_comes_back_whole(self, accounts: Accounts) -> None:
        for user in (ANN, BOB, EVE):
            await accounts.add_user(user)
        assert [await accounts.user(user.id) for user in (ANN, BOB, EVE)] == [ANN, BOB, EVE]
        assert await accounts.user("u_nobody") is None

    async def test_an_address_is_found_whatever_its_case(self, accounts: Accounts) -> None:
        strasse = replace(BOB, id="u_s", email="Straße@example.org")
        for user in (ANN, strasse):
            await accounts.add_user(user)
        assert await accounts.user_by_email("ANN@example.ORG") == ANN
        assert await accounts.user_by_email("STRASSE@EXAMPLE.ORG") == strasse
        assert await accounts.user_by_email("ann@example") is None
        assert await accounts.user_by_email("%@example.org") is None

    async def test_an_address_is_unique_on_the_whole_server(self, accounts: Accounts) -> None:
        await accounts.add_user(ANN)
        with pytest.raises(EmailTaken):
            await accounts.add_user(replace(EVE, email="ann@example.org"))
        assert await accounts.users() == [ANN]
        await accounts.add_user(EVE)
        with pytest.raises(EmailTaken):
            await accounts.save_user(replace(EVE, email="ANN@EXAMPLE.ORG"))
        assert await accounts.user("u_eve") == EVE

    async def test_an_account_is_replaced_whole(self, accounts: Accounts) -> None:
        await accounts.add_user(ANN)
        changed = User("u_ann", "globex", "ann@new.org", "Anna", "#111111", "", False, 11, True, 2)
        changed = replace(changed, language="en")
        await accounts.save_user(changed)
        assert await accounts.user("u_ann") == changed
        assert await accounts.user_by_email("ann@example.org") is None
        assert await accounts.user_by_email("ann@new.org") == changed

    async def test_an_old_password_does_not_come_back(self, accounts: Accounts) -> None:
        await accounts.add_user(ANN)
        await accounts.add_link(RESET)
        renewed = replace(ANN, password="new", epoch=2)
        await accounts.save_user(renewed)
        await accounts.add_link(RESET)
        with pytest.raises(AccountChanged):
            await accounts.save_user(replace(ANN, name="Anna"), link=RESET.digest)
        assert await accounts.user("u_ann") == renewed
        assert await accounts.link(RESET.digest, now=11) == RESET

    async def test_an_unknown_account_cannot_be_saved(self, accounts: Accounts) -> None:
        with pytest.raises(KeyError):
            await accounts.save_user(ANN)
        assert not await accounts.users()

    async def test_accounts_are_listed_oldest_first(self, accounts: Accounts) -> None:
        for user in (ANN, BOB, EVE):
            await accounts.add_user(user)
        assert await accounts.users() == [BOB, EVE, ANN]
        assert await accounts.users("acme") == [BOB, ANN]
        assert not await accounts.users("initech")

    async def test_a_sign_in_lasts_until_it_expires(self, accounts: Accounts) -> None:
        sign_in = SignIn(b"\x00" * 32, "u_ann", 10, 20)
        await accounts.add_sign_in(sign_in)
        assert await accounts.sign_in(sign_in.digest, now=19.9) == sign_in
        assert await accounts.sign_in(sign_in.digest, now=20) is None
        assert await accounts.sign_in(b"\x01" * 32, now=10) is None

    async def test_a_sign_in_can_be_ended(self, accounts: Accounts) -> None:
        one, other = SignIn(b"1", "u_ann", 10, 20), SignIn(b"2", "u_ann", 10, 20)
        await accounts.add_sign_in(one)
        await accounts.add_sign_in(other)
        await accounts.end_sign_in(one.digest)
        await accounts.end_sign_in(one.digest)
        assert await accounts.sign_in(one.digest, now=11) is None
        assert await accounts.sign_in(other.digest, now=11) == other

    async def test_a_link_lasts_until_it_expires(self, accounts: Accounts) -> None:
        await accounts.add_link(INVITATION)
        await accounts.add_link(RESET)
        assert await accounts.link(INVITATION.digest, now=19.9) == INVITATION
        assert await accounts.link(RESET.digest, now=19.9) == RESET
        assert await accounts.link(INVITATION.digest, now=20) is None
        assert await accounts.link(b"3" * 32, now=10) is None

    async def test_links_are_listed_oldest_first(self, accounts: Accounts) -> None:
        later = replace(INVITATION, id="i_2", digest=b"3", email="b@b.org", created=11, expires=30)
        other = replace(INVITATION, id="i_3", digest=b"4", tenant="globex")
        for link in (later, INVITATION, RESET, other):
            await accounts.add_link(link)
        assert await accounts.links("invitation", "acme", now=12) == [INVITATION, later]
        assert await accounts.links("invitation", "acme", now=20) == [later]
        assert await accounts.links("invitation", "globex", now=12) == [other]
        assert await accounts.links("reset", "acme", now=12) == [RESET]

    async def test_a_newer_link_takes_the_place_of_an_earlier_one(self, accounts: Accounts) -> None:
        newer = replace(
            INVITATION, id="i_2", digest=b"3", email="NEW@example.org", created=11, admin=False
        )
        for link in (INVITATION, RESET, newer, INVITATION):
            await accounts.add_link(link)
        assert await accounts.links("invitation", "acme", now=12) == [newer]
        assert await accounts.link(INVITATION.digest, now=12) is None
        assert await accounts.link(RESET.digest, now=12) == RESET

    async def test_a_link_can_be_given_a_new_secret(self, accounts: Accounts) -> None:
        await accounts.add_link(INVITATION)
        renewed = replace(INVITATION, digest=b"3")
        await accounts.add_link(renewed)
        assert await accounts.links("invitation", "acme", now=12) == [renewed]

    async def test_a_link_can_be_taken_back(self, accounts: Accounts) -> None:
        await accounts.add_link(INVITATION)
        await accounts.add_link(RESET)
        await accounts.end_link(INVITATION.id)
        await accounts.end_link(INVITATION.id)
        assert await accounts.link(INVITATION.digest, now=11) is None
        assert await accounts.link(RESET.digest, now=11) == RESET

    async def test_an_account_is_made_by_a_link_exactly_once(self, accounts: Accounts) -> None:
        await accounts.add_link(INVITATION)
        people = [replace(NEW, id=f"u_{at}", email=f"{at}@example.org") for at in range(5)]
        link = INVITATION.digest
        made = await asyncio.gather(
            *(accounts.add_user(user, link=link) for user in people), return_exceptions=True
        )
        assert sorted(str(type(each).__name__) for each in made) == ["LinkGone"] * 4 + ["NoneType"]
        assert len(await accounts.users()) == 1
        assert await accounts.link(INVITATION.digest, now=11) is None

    async def test_a_link_stays_if_its_account_cannot_be_made(self, accounts: Accounts) -> None:
        await accounts.add_user(ANN)
        await accounts.add_link(INVITATION)
        with pytest.raises(EmailTaken):
            await accounts.add_user(replace(NEW, email=ANN.email), link=INVITATION.digest)
        assert await accounts.link(INVITATION.digest, now=11) == INVITATION

    async def test_an_account_ends_all_invitations_to_its_address(self, accounts: Accounts) -> None:
        elsewhere = replace(INVITATION, id="i_2", digest=b"3", tenant="globex")
        other = replace(INVITATION, id="i_3", digest=b"4", email="other@example.org")
        for link in (INVITATION, elsewhere, other):
            await accounts.add_link(link)
        await accounts.add_user(NEW)
        assert await accounts.links("invitation", "acme", now=11) == [other]
        assert await accounts.links("invitation", "globex", now=11) == []

    async def test_a_password_is_reset_by_a_link_exactly_once(self, accounts: Accounts) -> None:
        await accounts.add_user(ANN)
        await accounts.add_link(RESET)
        reset = replace(ANN, password="new", epoch=2)
        await accounts.save_user(reset, link=RESET.digest)
        with pytest.raises(LinkGone):
            await accounts.save_user(replace(reset, password="newer"), link=RESET.digest)
        assert await accounts.user("u_ann") == reset

    async def test_a_new_password_ends_links_to_the_account(self, accounts: Accounts) -> None:
        for user in (ANN, BOB):
            await accounts.add_user(user)
        other = replace(RESET, id="r_2", digest=b"3", email=BOB.email, user="u_bob")
        for link in (RESET, other):
            await accounts.add_link(link)
        await accounts.save_user(replace(ANN, name="Anna"))
        assert await accounts.link(RESET.digest, now=11) == RESET
        await accounts.save_user(replace(ANN, password="new", epoch=2))
        assert await accounts.links("reset", "acme", now=11) == [other]

    async def test_a_token_is_void_until_it_would_have_expired(self, accounts: Accounts) -> None:
        await accounts.revoke("b", until=30)
        await accounts.revoke("a", until=20)
        await accounts.revoke("b", until=25)
        assert sorted(await accounts.revoked(now=10)) == ["a", "b"]
        assert await accounts.revoked(now=20) == ["b"]
        assert await accounts.revoked(now=29.5) == ["b"]
        assert not await accounts.revoked(now=30)

    async def test_the_first_secret_of_a_name_stays(self, accounts: Accounts) -> None:
        offered = [bytes([number]) * 32 for number in range(10)]
        given = await asyncio.gather(*(accounts.secret("key", fresh=fresh) for fresh in offered))
        assert len(set(given)) == 1
        assert given[0] in offered
        assert await accounts.secret("other", fresh=b"x") == b"x"

    async def test_a_secret_is_taken_by_exactly_one(self, accounts: Accounts) -> None:
        secret = await accounts.secret("first start", fresh=b"link")
        assert not await accounts.take_secret("first start", b"guess")
        assert not await accounts.take_secret("other", secret)
        taken = await asyncio.gather(
            *(accounts.take_secret("first start", secret) for _ in range(5))
        )
        assert sorted(taken) == [False] * 4 + [True]
        assert await accounts.secret("first start", fresh=b"new") == b"new"


class DurableAccountsConformance(AccountsConformance):
    """Accounts that are there again after a restart."""

    async def test_accounts_outlive_a_restart(self, tmp_path: Path) -> None:
        store, accounts = await self.open(tmp_path)
        await accounts.add_user(ANN)
        sign_in = SignIn(b"1", "u_ann", 10, 20)
        await accounts.add_sign_in(sign_in)
        await accounts.add_link(INVITATION)
        await accounts.revoke("token", until=30)
        await accounts.secret("key", fresh=b"secret")
        await store.close()
        store, accounts = await self.open(tmp_path)
        assert await accounts.users() == [ANN]
        assert await accounts.sign_in(b"1", now=11) == sign_in
        assert await accounts.link(INVITATION.digest, now=11) == INVITATION
        assert await accounts.revoked(now=11) == ["token"]
        assert await accounts.secret("key", fresh=b"other") == b"secret"
        await store.close()
