"""How often somebody may try to sign in."""

import pytest

from parvis.plugins import Buckets, network_of
from parvis.plugins.limits import MOST
from parvis.server.identity import TooManyAttempts, Unauthenticated
from parvis.server.identity.attempts import Attempts
from tests.clocks import SetClock
from tests.identities import CHEAP, OTHER_PASSWORD, PASSWORD, Scene


def tries(attempts: Attempts, email: str, address: str) -> int:
    """Count the attempts that are allowed in a row."""
    for count in range(1000):
        try:
            attempts.begin(email, address)
        except TooManyAttempts:
            return count
    raise AssertionError("there is no end to the attempts")


async def test_guessing_a_password_is_slowed_down_even_for_the_right_one(scene: Scene) -> None:
    ada = await scene.person()
    people = scene.identity.people
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await people.authenticate(ada.email, OTHER_PASSWORD, "192.0.2.1")
    with pytest.raises(TooManyAttempts) as refused:
        await people.authenticate(ada.email, PASSWORD, "192.0.2.1")
    assert refused.value.retry_after == 60
    scene.clock.pass_time(60)
    assert await people.authenticate(ada.email, PASSWORD, "192.0.2.1") == ada


def test_what_is_no_address_takes_no_room() -> None:
    attempts = Attempts(SetClock(), CHEAP)
    assert tries(attempts, "a" * 60_000 + "1", "192.0.2.1") == 5
    assert tries(attempts, "a" * 60_000 + "2", "192.0.2.2") == 0
    assert len(network_of("x" * 8000)) < 300


async def test_the_spelling_of_an_address_gives_no_more_attempts(scene: Scene) -> None:
    ada = await scene.person()
    for spelling in ("ada@example.org", "ADA@example.org", "Ada@Example.Org", "aDA@example.org"):
        with pytest.raises(Unauthenticated):
            await scene.identity.people.authenticate(spelling, OTHER_PASSWORD, "192.0.2.1")
    with pytest.raises(Unauthenticated):
        await scene.identity.people.authenticate(ada.email, OTHER_PASSWORD, "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        await scene.identity.people.authenticate(" ada@example.org ", OTHER_PASSWORD, "192.0.2.1")


def test_one_address_cannot_go_through_many_accounts() -> None:
    attempts = Attempts(SetClock(), CHEAP)
    allowed = 0
    for number in range(100):
        try:
            attempts.begin(f"user{number}@example.org", "2001:db8::1")
        except TooManyAttempts:
            continue
        allowed += 1
    assert allowed == CHEAP.login_attempts_per_address


def test_a_household_of_ipv6_is_one_address() -> None:
    assert (
        network_of("2001:db8:1:2::1")
        == network_of("2001:db8:1:2:ffff::9")
        != (network_of("2001:db8:1:3::1"))
    )
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("fe80::1%eth0") == network_of("fe80::2")
    assert network_of("") == ""


def test_a_stranger_cannot_keep_the_owner_out() -> None:
    clock = SetClock()
    attempts = Attempts(clock, CHEAP)
    attempts.begin("ada@example.org", "192.0.2.1")
    attempts.succeeded("ada@example.org", "192.0.2.1")
    assert tries(attempts, "ada@example.org", "198.51.100.7") == 5
    assert tries(attempts, "ada@example.org", "192.0.2.1") == 5


def test_a_sign_in_that_succeeds_costs_nothing() -> None:
    attempts = Attempts(SetClock(), CHEAP)
    for _ in range(200):
        attempts.begin("ada@example.org", "192.0.2.1")
        attempts.succeeded("ada@example.org", "192.0.2.1")


def test_attempts_come_back_one_by_one() -> None:
    clock = SetClock()
    buckets = Buckets(clock.monotonic, burst=2, refill=10)
    assert [buckets.take("a"), buckets.take("a"), buckets.take("a")] == [0, 0, 10]
    clock.pass_time(4)
    assert buckets.take("a") == pytest.approx(6)
    clock.pass_time(6)
    assert [buckets.take("a"), buckets.take("a")] == [0, pytest.approx(10)]
    clock.pass_time(1e9)
    assert [buckets.take("a"), buckets.take("a"), buckets.take("a")] == [0, 0, 10]


def test_no_number_of_names_fills_the_memory() -> None:
    buckets = Buckets(SetClock().monotonic, burst=1, refill=1)
    for number in range(MOST + 100):
        buckets.take(str(number))
    assert len(buckets) == MOST
