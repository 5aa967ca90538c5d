"""People without an account, let in by a room token that rests on somebody's account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from parvis.plugins import ErrorCode, Guest, Refused
from parvis.storage import User

from ..identity import InvalidAccount
from ..identity.people import tidied
from ..identity.tokens import Tokens


class Guests:
    """Lets guests in, for room types.

    Args:
        tokens: Sign what a guest shows.
        account: Returns the account of an id.
    """

    def __init__(self, tokens: Tokens, account: Callable[[str], Awaitable[User | None]]) -> None:
        self._tokens = tokens
        self._account = account

    async def let_in(
        self,
        host: str,
        tenant: str,
        name: str,
        rooms: Sequence[str],
        capabilities: Sequence[str],
        *,
        seconds: float,
    ) -> Guest:
        """Sign a room token for somebody; see `parvis.plugins.Node.guest`.

        Raises:
            Refused: If the host has no account in the tenant any more, or that is no name.
        """
        try:
            name = tidied(name)
        except InvalidAccount as invalid:
            raise Refused(ErrorCode.REFUSED, str(invalid)) from None
        if not name:
            raise Refused(ErrorCode.REFUSED, "expected a name, got none")
        user = await self._account(host)
        if user is None or user.disabled or user.tenant != tenant:
            raise Refused(ErrorCode.PERMISSION_DENIED, "whoever let guests in has gone")
        signed = self._tokens.room(
            user,
            rooms=tuple(rooms),
            capabilities=tuple(capabilities),
            seconds=seconds,
            guest=name,
        )
        return Guest(self._tokens.read_room(signed.token).caller, signed.token, signed.expires)
