"""What people do with their own account: forgotten passwords, new ones, name, colour, language."""

from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from parvis.storage import User

from ..settings import setting
from .contract import Api, Call
from .faults import Fault
from .sessions import begin, shown


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whose password is forgotten."""

    email: str


@dataclass(frozen=True, slots=True)
class Reset:
    """A new password, by the secret in the link of a letter."""

    secret: str = field(metadata={"secret": True})
    password: str = field(metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A new password, by the current one."""

    current: str = field(metadata={"secret": True})
    password: str = field(metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to change; what is left away stays."""

    name: str | None = setting(None, "As others see it, up to 100 characters.")
    color: str | None = setting(None, "Of the cursor: one of the sixteen that accounts may have.")
    language: Literal["en", "fr"] | None = setting(None, "Of letters and notices.")


async def forgot(api: Api, call: Call) -> web.Response:
    """Send a link for a new password; the answer is the same whether there is such an account."""
    api.gate.require_own_page(call.request)
    given: Forgotten = call.body
    api.members.forgot(given.email, api.gate.address(call.request), api.gate.base(call.request))
    return web.json_response({}, status=202)


async def reset(api: Api, call: Call) -> web.Response:
    """Set a new password by a link; everybody else is signed out, this browser is signed in."""
    api.gate.require_own_page(call.request)
    given: Reset = call.body
    user = await api.members.reset(given.secret, given.password, api.gate.base(call.request))
    return await begin(api, call, user, 200)


async def change(api: Api, call: Call) -> web.Response:
    """Change one's own name, colour or language."""
    given: Changes = call.body
    user = await own(api, call)
    changed = await api.identity.people.change(
        user, name=given.name, color=given.color, language=given.language
    )
    return web.json_response({"user": shown(changed)})


async def change_password(api: Api, call: Call) -> web.Response:
    """Change one's own password; all other sign-ins end, this browser gets a new cookie."""
    given: NewPassword = call.body
    user = await api.members.change_password(
        await own(api, call),
        given.current,
        given.password,
        api.gate.address(call.request),
        api.gate.base(call.request),
    )
    return await begin(api, call, user, 200)


async def own(api: Api, call: Call) -> User:
    """Return the account of whoever asks."""
    user = await api.identity.people.accounts.user(call.who.caller.user)
    if user is None:
        raise Fault(401, "unauthenticated", "the account is gone")
    return user
