"""The accounts of the caller's tenant, for administrators, and its people, for everybody there."""

import logging
from dataclasses import dataclass, field

from aiohttp import web

from parvis.plugins import Person

from ..identity.people import folded
from .contract import Api, Call
from .queries import number
from .sessions import shown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to make."""

    email: str
    password: str = field(metadata={"secret": True})
    name: str = ""
    admin: bool = False


async def list_people(api: Api, call: Call) -> web.Response:
    """List who has an account, by name; with ``q`` those whose name or address begins so first."""
    sought = folded(call.request.query.get("q", "").strip())
    limit = number(call.request, "limit", 20, low=1, high=100)
    found = [
        (rank, person)
        for person in await api.members.people(call.who.caller.tenant)
        if (rank := _rank(sought, person)) is not None
    ]
    found.sort(key=lambda pair: pair[0])  # stable: by name within
    people = [
        {"id": person.id, "name": person.name, "email": person.email, "color": person.color}
        for _, person in found[:limit]
    ]
    return web.json_response({"people": people})


async def who(api: Api, tenant: str, id: str) -> dict[str, str] | None:
    """Return what the API shows of somebody who did something; None if there is nobody."""
    person = await api.members.person(tenant, id) if id else None
    if person is None:
        return None
    return {"id": person.id, "name": person.name, "color": person.color}


def _rank(sought: str, person: Person) -> int | None:
    """Say how well somebody matches, the best first; None: not at all."""
    name, email = folded(person.name), folded(person.email)
    if name.startswith(sought):
        return 0
    if any(word.startswith(sought) for word in name.split()) or email.startswith(sought):
        return 1
    return 2 if sought in name or sought in email else None


async def list_users(api: Api, call: Call) -> web.Response:
    """List the accounts, oldest first."""
    users = await api.identity.people.accounts.users(call.who.caller.tenant)
    return web.json_response({"users": [shown(user) for user in users]})


async def add_user(api: Api, call: Call) -> web.Response:
    """Make an account."""
    new: NewUser = call.body
    people = api.identity.people
    # `add` takes an account without password, for those who will sign in elsewhere.
    people.passwords.check(new.password, new.email, new.name)
    user = await people.add(
        new.email,
        name=new.name,
        password=new.password,
        admin=new.admin,
        tenant=call.who.caller.tenant,
    )
    logger.info("%s: made by %s", user.id, call.who.caller.user)
    return web.json_response({"user": shown(user)}, status=201)
