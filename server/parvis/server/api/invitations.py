"""Invitations: sent, listed, taken back, looked at, accepted."""

from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from parvis.storage import Link

from ..mail.words import LANGUAGES
from ..settings import setting
from .contract import Api, Call
from .faults import Fault
from .languages import preferred
from .sessions import begin
from .users import who


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """Whom to invite."""

    email: str
    admin: bool = setting(False, "Whether the account is to administer; administrators only.")
    path: str = setting("/", "Where the person is led when the account is made.")
    language: Literal["en", "fr"] | None = setting(
        None, "Of the letter, and of the account until its owner chooses; null: the inviter's."
    )


@dataclass(frozen=True, slots=True)
class Secret:
    """What stands behind the # of the link."""

    secret: str = field(metadata={"secret": True})


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts an invitation; the address of the account is the invitation's."""

    secret: str = field(metadata={"secret": True})
    name: str
    password: str = field(metadata={"secret": True})
    language: Literal["en", "fr"] | None = setting(
        None, "Of letters and notices; null: what the browser prefers, or else the invitation's."
    )


async def invite(api: Api, call: Call) -> web.Response:
    """Invite somebody; without a mail server administrators get the link, to pass it on."""
    given: NewInvitation = call.body
    caller = call.who.caller
    link, address = await api.members.invitation(
        caller,
        given.email,
        path=given.path,
        admin=given.admin,
        language=given.language or "",
        base=api.gate.base(call.request),
    )
    answer: dict[str, Any] = {"invitation": await described(api, link)}
    if address and caller.admin:
        answer["link"] = address
    return web.json_response(answer, status=201)


async def list_invitations(api: Api, call: Call) -> web.Response:
    """List who was invited and has not come yet, oldest first: all for administrators."""
    links = await api.members.invitations(call.who.caller)
    return web.json_response({"invitations": [await described(api, link) for link in links]})


async def withdraw(api: Api, call: Call) -> web.Response:
    """Take an invitation back; its link is worth nothing from then on."""
    if not await api.members.withdraw(call.who.caller, call.request.match_info["id"]):
        raise Fault(404, "invitation_not_found", "there is no such invitation of yours")
    return web.Response(status=204)


async def look(api: Api, call: Call) -> web.Response:
    """Say what an invitation is for, to whoever holds its link."""
    api.gate.require_own_page(call.request)
    given: Secret = call.body
    link = await api.identity.links.look("invitation", given.secret)
    inviter = await who(api, link.tenant, link.inviter)
    return web.json_response({"email": link.email, "inviter": inviter, "path": link.path})


async def accept(api: Api, call: Call) -> web.Response:
    """Make the account that an invitation is for, and begin its session."""
    api.gate.require_own_page(call.request)
    given: Acceptance = call.body
    language = given.language or preferred(call.request, LANGUAGES)
    user, link = await api.members.accept(
        given.secret, name=given.name, password=given.password, language=language
    )
    return await begin(api, call, user, 201, path=link.path)


async def described(api: Api, link: Link) -> dict[str, Any]:
    """Return what the API shows of an invitation."""
    return {
        "id": link.id,
        "email": link.email,
        "admin": link.admin,
        "path": link.path,
        "inviter": await who(api, link.tenant, link.inviter),
        "created": link.created,
        "expires": link.expires,
    }
