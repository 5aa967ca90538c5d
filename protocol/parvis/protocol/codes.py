"""Numbers that tell a client what went wrong and whether to try again.

The number alone says what to do; names and reasons are for people.

Refusals (`ErrorCode`): 100-499 repeating the request will not help, 500-599 the same request may
succeed later, 900-999 a fault of the server.

Closes (`CloseCode`): 1012, 1013 and 3000-3499 come back, 3500-3999 do not. Stock dialects:
44xx final and 45xx transient; 4401 says refresh the token, then come back.
"""

import enum


class ErrorCode(enum.IntEnum):
    """Why one request was refused. SPEC.md section 7."""

    # The request makes no sense.
    MALFORMED = 100
    OUT_OF_ORDER = 101
    NOT_JOINED = 102
    ALREADY_JOINED = 103
    UNKNOWN_COMMAND = 104
    TOO_LARGE = 105

    # The caller may not do this.
    UNAUTHENTICATED = 200
    PERMISSION_DENIED = 201

    # The room is not there, or not the one the client knows.
    ROOM_NOT_FOUND = 300
    ROOM_DELETED = 301
    UNKNOWN_ROOM_TYPE = 302
    INVALID_NAME = 303
    STALE_INCARNATION = 304
    SCHEMA_MISMATCH = 305

    # What was sent was looked at and turned down.
    INVALID_UPDATE = 400
    POISON = 401
    CONFLICT = 402
    REFUSED = 403

    # Not now.
    TRY_AGAIN = 500
    RATE_LIMITED = 501
    STORE_UNAVAILABLE = 502
    TOO_MANY_ROOMS = 503
    DRAINING = 504

    INTERNAL = 900

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return 500 <= self < 600

    @property
    def slug(self) -> str:
        """The name in JSON errors, e.g. ``room_not_found``."""
        return self.name.lower()


class CloseCode(enum.IntEnum):
    """Why a session ended. SPEC.md section 8."""

    RESTART = 1012
    TRY_LATER = 1013

    # Come back.
    SLOW = 3000
    SILENT = 3001
    TOKEN_EXPIRED = 3002
    NO_HELLO = 3003
    KICKED = 3004

    # Do not come back as you are.
    MALFORMED = 3500
    UNAUTHENTICATED = 3501
    POISON = 3502
    TOO_LARGE = 3503
    UNSUPPORTED_VERSION = 3504
    SIGNED_OUT = 3505

    # Stock dialects, final.
    STOCK_MALFORMED = 4400
    STOCK_REFRESH_TOKEN = 4401
    STOCK_FORBIDDEN = 4403
    STOCK_NOT_FOUND = 4404
    STOCK_TIMEOUT = 4408
    STOCK_RELOAD = 4409
    STOCK_TOO_LARGE = 4413
    STOCK_POISON = 4422

    # Stock dialects, transient.
    STOCK_TRY_LATER = 4503
    STOCK_SLOW = 4508

    @property
    def comes_back(self) -> bool:
        """Whether a client should connect again by itself."""
        return (
            self in (CloseCode.RESTART, CloseCode.TRY_LATER, CloseCode.STOCK_REFRESH_TOKEN)
            or 3000 <= self < 3500
            or 4500 <= self < 4600
        )
