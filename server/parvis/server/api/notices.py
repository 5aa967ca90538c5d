"""What the caller should know of."""

from dataclasses import dataclass

from aiohttp import web

from ..notices import START
from ..settings import setting
from .contract import Api, Call
from .faults import Fault
from .queries import number

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class ReadNotices:
    """What has been read."""

    ids: tuple[str, ...] | None = setting(None, "Ids of notices; left away: all of them.")


async def list_notices(api: Api, call: Call) -> web.Response:
    """List the caller's notices, newest first."""
    caller, notices = call.who.caller, api.members.notices
    limit = number(call.request, "limit", 50, low=1, high=MAX_PAGE)
    after = number(call.request, "after", START, low=1, high=START)
    page, following = await notices.page(caller.tenant, caller.user, after=after, limit=limit)
    return web.json_response(
        {
            "notices": [await notices.shown(caller.tenant, each) for each in page],
            "unread": await notices.unread(caller.tenant, caller.user),
            "next": None if following is None else str(following),
        }
    )


async def read_notices(api: Api, call: Call) -> web.Response:
    """Note that the caller has read notices."""
    given: ReadNotices = call.body
    if given.ids is not None and len(given.ids) > MAX_PAGE:
        raise Fault(422, "malformed", f"expected up to {MAX_PAGE} ids, or none for all")
    caller = call.who.caller
    left = await api.members.notices.read(caller.tenant, caller.user, given.ids)
    return web.json_response({"unread": left})
