"""Accounts: unique addresses, sign-ins that expire, secrets that are taken once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from parvis.storage.accounts import Accounts, EmailTaken, SignIn, User
from parvis.storage.api import Store

ANN = User("u_ann", "acme", "Ann@Example.org", "Ann", "#aa0000", "$argon2id$…", True, 10.5)
BOB = User("u_bob", "acme", "bob@example.org", "Bob", "#00bb00", "", False, 5)
EVE = User("u_eve", "globex", "eve@example.org", "Ève", "#0000cc", "", False, 7, True, 3)


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
        await accounts.save_user(changed)
        assert await accounts.user("u_ann") == changed
        assert await accounts.user_by_email("ann@example.org") is None
        assert await accounts.user_by_email("ann@new.org") == changed

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
        await accounts.revoke("token", until=30)
        await accounts.secret("key", fresh=b"secret")
        await store.close()
        store, accounts = await self.open(tmp_path)
        assert await accounts.users() == [ANN]
        assert await accounts.sign_in(b"1", now=11) == sign_in
        assert await accounts.revoked(now=11) == ["token"]
        assert await accounts.secret("key", fresh=b"other") == b"secret"
        await store.close()
