"""What can go wrong when somebody says who they are.

IdentityError            the base
├── Unauthenticated      the proof does not hold; `expired` says whether a fresh one would
├── TooManyAttempts      not now; `retry_after` says when
├── KeysUnavailable      an application's keys cannot be had at the moment
├── TooBusy              too many passwords are being checked already
├── WeakPassword         this password will not do
├── InvalidAccount       this e-mail address or name will not do
├── LinkInvalid          the one-time link was used, taken back, replaced, or is too old
└── SetUpClosed          there is an administrator already, or the set-up secret is wrong
"""

from ..errors import ServerError


class IdentityError(ServerError):
    """Base of all errors of identity. The text is for people and gives no secret away."""


class Unauthenticated(IdentityError):
    """The proof does not hold.

    Attributes:
        reason: For people; never says whether an account exists.
        expired: The proof was good once: a fresh one of the same kind will do.
    """

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expired = expired


class TooManyAttempts(IdentityError):
    """Too many sign-ins for this account or from this address; `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("too many attempts")
        self.retry_after = retry_after


class KeysUnavailable(IdentityError):
    """An application's key set cannot be fetched; the same token may be good a moment later."""


class TooBusy(IdentityError):
    """As many passwords are being checked as the machine can take."""


class WeakPassword(IdentityError):
    """The password is too short, too long or too well known."""


class InvalidAccount(IdentityError):
    """The e-mail address or the name of an account is not well-formed."""


class LinkInvalid(IdentityError):
    """A one-time link was used, taken back, replaced or is too old; or there never was one."""


class SetUpClosed(IdentityError):
    """The one-time set-up is over, or was never offered with this secret."""
