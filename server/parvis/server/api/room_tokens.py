"""Room tokens that Parvis signs: minted within one's own rights, and revoked."""

import logging
import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from parvis.plugins import Access, Caller, ErrorCode, Refused

from ..identity.claims import MAX_GRANTS, MAX_TEXT
from ..settings import setting
from .contract import Api, Call
from .faults import Fault
from .names import authorized, find

logger = logging.getLogger(__name__)

DAY = 86_400.0

CHANCE: Final = re.compile(r"[0-9a-f]{24}")
"""How the id of a room token of ours ends."""


@dataclass(frozen=True, slots=True)
class NewRoomToken:
    """What a new token is to grant."""

    rooms: tuple[str, ...]
    capabilities: tuple[str, ...] = setting(("view", "edit"), "In each of the rooms.")
    expires_in: float = setting(DAY, "How long it lasts.", unit="seconds", low=1)
    guest: str | None = setting(None, "Name of the person it is for, if not for yourself.")


async def mint(api: Api, call: Call) -> web.Response:
    """Sign a token that grants, in some rooms, no more than the caller may do there."""
    wanted: NewRoomToken = call.body
    caller = call.who.caller
    longest = api.identity.settings.room_token_days * DAY
    if wanted.expires_in > longest:
        raise Fault(422, "malformed", f"expected expires_in of up to {longest:.0f} seconds")
    if not 0 < len(wanted.rooms) <= MAX_GRANTS or not 0 < len(wanted.capabilities) <= MAX_GRANTS:
        raise Fault(422, "malformed", f"expected 1 to {MAX_GRANTS} rooms and capabilities")
    if wanted.guest is not None and not (
        0 < len(wanted.guest) <= MAX_TEXT and wanted.guest.isprintable()
    ):
        raise Fault(422, "malformed", f"expected a guest's name of up to {MAX_TEXT} characters")
    for room in wanted.rooms:
        await _require(api, caller, room, wanted)
    user = await api.identity.people.accounts.user(caller.user)
    if user is None:
        raise Fault(401, "unauthenticated", "the account is gone")
    signed = api.identity.tokens.room(
        user,
        rooms=wanted.rooms,
        capabilities=wanted.capabilities,
        seconds=wanted.expires_in,
        guest=wanted.guest,
    )
    logger.info("%s: %s minted a room token", signed.id, user.id)
    body = {"token": signed.token, "id": signed.id, "expires": signed.expires}
    return web.json_response(body, status=201)


async def revoke(api: Api, call: Call) -> web.Response:
    """Make a token void for good. Whoever minted it may, and administrators."""
    id = call.request.match_info["id"]
    caller = call.who.caller
    if not await _may_revoke(api, caller, id):
        raise Refused(ErrorCode.PERMISSION_DENIED, "this token is not yours to revoke")
    if not caller.admin and (wait := api.identity.revocations.take(caller.user)):
        raise Refused(ErrorCode.RATE_LIMITED, f"try again in {wait:.0f} seconds")
    until = api.clock.time() + api.identity.settings.room_token_days * DAY
    await api.identity.voids.revoke(id, until=until)
    logger.info("%s: revoked by %s", id, caller.user)
    return web.Response(status=204)


async def _require(api: Api, caller: Caller, room: str, wanted: NewRoomToken) -> None:
    if room.endswith("*"):
        # Nobody can be asked about rooms that are yet to come.
        if not caller.admin:
            raise Refused(ErrorCode.PERMISSION_DENIED, "only administrators grant by a pattern")
        return
    kind, name = find(api, room)
    needed = Access.of(wanted.capabilities)
    if wanted.guest is not None:
        needed |= Access.of(["share"])
    access = await authorized(kind, caller, name)
    missing = sorted(needed.capabilities - access.capabilities)
    if missing:
        reason = f"you may not {', '.join(missing)} in {room[:100]}"
        raise Refused(ErrorCode.PERMISSION_DENIED, reason)


async def _may_revoke(api: Api, caller: Caller, id: str) -> bool:
    family, _, rest = id.partition(":" if id.startswith("app:") else "-")
    if family == "app":
        return caller.admin and api.identity.apps.tenant(rest.partition(":")[0]) == caller.tenant
    minter, _, chance = rest.rpartition("-")
    if family != "rt" or not minter or not CHANCE.fullmatch(chance):
        return False
    if minter == caller.user:
        return True
    user = await api.identity.people.accounts.user(minter)
    return caller.admin and user is not None and user.tenant == caller.tenant
