"""The accounts of the caller's tenant."""

import logging
from dataclasses import dataclass, field

from aiohttp import web

from .contract import Api, Call
from .sessions import shown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to make."""

    email: str
    password: str = field(metadata={"secret": True})
    name: str = ""
    admin: bool = False


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
