"""One-time tickets."""

import pytest

from parvis.server.identity import Identified, Unauthenticated
from parvis.server.identity.tickets import MOST, MOST_PER_CALLER, PREFIX
from tests.identities import HERE, OTHER_PASSWORD, Scene


async def signed_in(scene: Scene, email: str = "ada@example.org") -> tuple[str, Identified]:
    """Return a cookie's secret and whom it identifies."""
    user = await scene.person(email)
    secret, _ = await scene.identity.people.sign_in(user)
    return secret, await scene.identity.by_cookie(secret)


async def test_a_ticket_speaks_for_whoever_asked_for_it(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    ticket = scene.identity.ticket(ada, HERE)
    redeemed = await scene.identity.native(ticket, HERE)
    assert redeemed.caller == ada.caller
    assert redeemed.proof == ada.proof
    assert redeemed.expires == scene.clock.time() + 900


async def test_a_ticket_has_256_bits(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    tickets = {scene.identity.ticket(ada, HERE) for _ in range(20)}
    assert len(tickets) == 20
    assert {len(ticket) for ticket in tickets} == {len(PREFIX) + 43}


async def test_a_ticket_is_good_once(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    ticket = scene.identity.ticket(ada, HERE)
    await scene.identity.by_ticket(ticket, HERE)
    with pytest.raises(Unauthenticated) as refused:
        await scene.identity.by_ticket(ticket, HERE)
    assert refused.value.expired


async def test_a_ticket_is_good_for_30_seconds(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    early, late = scene.identity.ticket(ada, HERE), scene.identity.ticket(ada, HERE)
    scene.clock.pass_time(29.9)
    await scene.identity.by_ticket(early, HERE)
    scene.clock.pass_time(0.2)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_ticket(late, HERE)


@pytest.mark.parametrize("origin", [None, "http://evil.test", "https://parvis.test", "null", ""])
async def test_a_ticket_from_another_origin_is_refused_and_used_up(
    scene: Scene, origin: str | None
) -> None:
    _, ada = await signed_in(scene)
    ticket = scene.identity.ticket(ada, HERE)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_ticket(ticket, origin)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_ticket(ticket, HERE)


async def test_a_ticket_without_origin_is_for_no_page(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    ticket = scene.identity.ticket(ada, None)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_ticket(ticket, HERE)


async def test_a_ticket_does_not_outlive_the_sign_in(scene: Scene) -> None:
    secret, ada = await signed_in(scene)
    ticket = scene.identity.ticket(ada, HERE)
    await scene.identity.people.sign_out(secret)
    with pytest.raises(Unauthenticated):
        await scene.identity.by_ticket(ticket, HERE)


async def test_a_session_by_ticket_ends_with_the_sign_in(scene: Scene) -> None:
    secret, ada = await signed_in(scene)
    session = await scene.identity.by_ticket(scene.identity.ticket(ada, HERE), HERE)
    assert not scene.identity.is_void(session.proof)
    await scene.identity.people.sign_out(secret)
    assert scene.identity.is_void(session.proof)


async def test_a_session_by_ticket_ends_with_the_password(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    session = await scene.identity.by_ticket(scene.identity.ticket(ada, HERE), HERE)
    user = await scene.accounts.user(ada.caller.user)
    assert user is not None
    await scene.identity.people.set_password(user, OTHER_PASSWORD)
    assert scene.identity.is_void(session.proof)


@pytest.mark.parametrize("ticket", ["pt_", "pt_x", "pt_\ud800", "pt_" + "a" * 100_000])
async def test_what_is_no_ticket_is_refused(scene: Scene, ticket: str) -> None:
    with pytest.raises(Unauthenticated):
        await scene.identity.native(ticket, HERE)


async def test_one_caller_cannot_push_out_the_tickets_of_others(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    _, bob = await signed_in(scene, "bob@example.org")
    of_bob = scene.identity.ticket(bob, HERE)
    newest = [scene.identity.ticket(ada, HERE) for _ in range(MOST_PER_CALLER * 3)][-1]
    assert len(scene.identity.tickets) == MOST_PER_CALLER + 1
    await scene.identity.by_ticket(of_bob, HERE)
    await scene.identity.by_ticket(newest, HERE)


async def test_unused_tickets_are_forgotten(scene: Scene) -> None:
    _, ada = await signed_in(scene)
    for _ in range(10):
        scene.identity.ticket(ada, HERE)
    scene.clock.pass_time(31)
    scene.identity.ticket(ada, HERE)
    assert len(scene.identity.tickets) == 1
    assert MOST == 10_000
