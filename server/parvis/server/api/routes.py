"""The table of the HTTP API, and how it is put into an application."""

from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web

from parvis.plugins import ErrorCode, Refused, Route

from . import account, bodies, history, invitations, notices, room_tokens, rooms, sessions, users
from .contract import Api, Call, Endpoint, Who
from .faults import Handler
from .openapi import document

BASE: Final = "/api/v1"

LIMIT: Final = "At most so many."

ROOM: Final = "/rooms/{type}/{key:.+}"

ENDPOINTS: Final = (
    Endpoint("POST", "/session", sessions.sign_in, Who.ANYONE,
             "Sign in; sets the session cookie.", 200, sessions.Credentials),
    Endpoint("GET", "/session", sessions.who_am_i, Who.ANYONE,
             "Who is signed in; nobody, if the request shows nothing."),
    Endpoint("DELETE", "/session", sessions.sign_out, Who.ANYONE,
             "Sign out; the session's websockets close.", 204),
    Endpoint("POST", "/setup", sessions.set_up, Who.ANYONE,
             "Make the first administrator with the one-time secret.", 201, sessions.FirstAdmin),
    Endpoint("POST", "/ticket", sessions.ticket, Who.CALLER,
             "Get a one-time ticket for the native websocket."),
    Endpoint("POST", "/token", sessions.access_token, Who.ANYONE,
             "Get an access token, for clients that are no browser.", 200, sessions.Credentials),
    Endpoint("POST", "/room-tokens", room_tokens.mint, Who.MEMBER,
             "Sign a room token within one's own rights.", 201, room_tokens.NewRoomToken),
    Endpoint("DELETE", "/room-tokens/{id}", room_tokens.revoke, Who.MEMBER,
             "Revoke a room token.", 204),
    Endpoint("PATCH", "/account", account.change, Who.MEMBER,
             "Change one's own name, colour or language.", 200, account.Changes),
    Endpoint("POST", "/account/password", account.change_password, Who.MEMBER,
             "Change one's own password; all other sign-ins end.", 200, account.NewPassword),
    Endpoint("POST", "/password/forgot", account.forgot, Who.ANYONE,
             "Have a link for a new password sent, if there is such an account.", 202,
             account.Forgotten),
    Endpoint("POST", "/password/reset", account.reset, Who.ANYONE,
             "Set a new password by such a link; all sign-ins end, and a new one begins.", 200,
             account.Reset),
    Endpoint("GET", "/people", users.list_people, Who.MEMBER, "List who has an account, by name.",
             query={"q": "What a name or an address begins with or has in it.", "limit": LIMIT}),
    Endpoint("GET", "/invitations", invitations.list_invitations, Who.MEMBER,
             "List who was invited: by anybody for administrators, else by oneself."),
    Endpoint("POST", "/invitations", invitations.invite, Who.MEMBER,
             "Invite somebody to make an account, by mail.", 201, invitations.NewInvitation),
    Endpoint("DELETE", "/invitations/{id}", invitations.withdraw, Who.MEMBER,
             "Take an invitation back.", 204),
    Endpoint("POST", "/invitations/look", invitations.look, Who.ANYONE,
             "Say what an invitation is for.", 200, invitations.Secret),
    Endpoint("POST", "/invitations/accept", invitations.accept, Who.ANYONE,
             "Make the account that an invitation is for; sets the session cookie.", 201,
             invitations.Acceptance),
    Endpoint("GET", "/notices", notices.list_notices, Who.MEMBER,
             "List one's notices, newest first, a page at a time.",
             query={"after": "The next of the page before.", "limit": LIMIT}),
    Endpoint("POST", "/notices/read", notices.read_notices, Who.MEMBER,
             "Note that notices have been read.", 200, notices.ReadNotices),
    Endpoint("GET", "/users", users.list_users, Who.ADMIN, "List the tenant's accounts."),
    Endpoint("POST", "/users", users.add_user, Who.ADMIN, "Make an account.", 201, users.NewUser),
    Endpoint("GET", "/rooms", rooms.list_rooms, Who.CALLER,
             "List rooms that one may read, by prefix, a page at a time.",
             query={"prefix": "What their names begin with.", "limit": LIMIT,
                    "after": "The next of the page before."}),
    # Before those of the room itself, whose key may hold slashes.
    Endpoint("GET", f"{ROOM}/history", history.list_history, Who.CALLER,
             "Say who wrote in a document when, newest first, a page at a time.",
             query={"before": "The next of the page before.", "limit": LIMIT,
                    "pause": "Seconds without a change that begin a new entry; 300 if missing."}),
    Endpoint("GET", f"{ROOM}/history/at", history.show_state, Who.CALLER,
             "Get a document as it was, as a Yjs update.", query=history.MOMENT),
    Endpoint("GET", f"{ROOM}/history/blame", history.show_blame, Who.CALLER,
             "Say who wrote which range of a document, as it is or as it was.",
             query={**history.MOMENT, "root": "Of one root only.",
                    "pause": "Seconds up to which an author's changes are one run."}),
    Endpoint("GET", f"{ROOM}/history/versions", history.list_versions, Who.CALLER,
             "List the named versions of a document, newest moment first."),
    Endpoint("POST", f"{ROOM}/history/versions", history.add_version, Who.CALLER,
             "Name a moment of a document, and keep it.", 201, history.NewVersion),
    Endpoint("PATCH", f"{ROOM}/history/versions/{{id}}", history.rename_version, Who.CALLER,
             "Give a version another name.", 204, history.NewName),
    Endpoint("DELETE", f"{ROOM}/history/versions/{{id}}", history.delete_version, Who.CALLER,
             "Forget a version; the moment stays in the history.", 204),
    Endpoint("POST", f"{ROOM}/history/restore", history.restore, Who.CALLER,
             "Change a document back to what it was, by one more update.", 200, history.Moment),
    Endpoint("POST", f"{ROOM}/history/rollback", history.rollback, Who.CALLER,
             "Take back what one author did in a period, and nobody else's work.", 200,
             history.Period),
    Endpoint("GET", ROOM, rooms.show_room, Who.CALLER, "Describe a room."),
    Endpoint("DELETE", ROOM, rooms.delete_room, Who.CALLER,
             "Delete a room for everybody.", 204),
)  # fmt: skip


def add_api(app: web.Application, api: Api) -> None:
    """Add every endpoint, and the description of them and of the room types' own routes."""
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, BASE + endpoint.path, _handler(api, endpoint))
    described = document(BASE, ENDPOINTS, _routes(api))

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(described)

    app.router.add_get(f"{BASE}/openapi.json", openapi)


def _routes(api: Api) -> Iterator[tuple[str, Route]]:
    for kind in api.registry:
        for route in kind.routes:
            yield kind.name, route


async def _call(api: Api, request: web.Request, who: Who) -> Call:
    """Let in who may. Raises `Unauthenticated` or `Refused`."""
    if who is Who.ANYONE:
        return Call(request)
    identified = await api.gate.http(request)
    caller = identified.caller
    if who is Who.ADMIN and not (caller.admin or caller.anyone):
        raise Refused(ErrorCode.PERMISSION_DENIED, "only administrators may do this")
    if who is Who.MEMBER and not caller.member:
        raise Refused(ErrorCode.PERMISSION_DENIED, "only people with an account may do this")
    return Call(request, identified)


def _handler(api: Api, endpoint: Endpoint) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        call = await _call(api, request, endpoint.who)
        if endpoint.body is not None:
            body: Any = await bodies.read(request, endpoint.body)
            call = Call(request, call.identified, body)
        return await endpoint.handle(api, call)

    return handle
