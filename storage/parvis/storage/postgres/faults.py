"""What an error of PostgreSQL means for the caller: a passing fault, bad SQL, or a wrong set-up."""

from asyncpg import InterfaceError, InternalClientError, PostgresError

from parvis.storage.errors import StorageError, StoreUnavailable

MIGRATE = "Run parvis store migrate --store URL, with the URL of the owner of the database."

PASSING: dict[str, str] = {
    "08": "Is PostgreSQL running, and the way to it open?",
    "25006": "The server takes no writes: is it a standby, or set to read only?",
    "40": "",
    "53100": "Free some space on the volume of PostgreSQL.",
    "53200": "PostgreSQL's machine is out of memory.",
    "53300": "Raise max_connections of PostgreSQL, or lower the connections of each node.",
    "53": "PostgreSQL lacks some resource.",
    "55": "Somebody holds a lock, or the database takes no connections.",
    "57": "PostgreSQL is starting, ending, or was told to cancel.",
    "58": "Look at PostgreSQL's log and volume: is it faulty?",
}
"""How SQLSTATEs begin after which the same call may succeed → what the operator may do."""

SET_UP: dict[str, str] = {
    "28": "Check the user and password of the store's URL, and pg_hba.conf.",
    "3D000": "Make the database: CREATE DATABASE parvis TEMPLATE template0 ENCODING 'UTF8'.",
    "3F000": MIGRATE,
    "42P01": MIGRATE,
    "42703": MIGRATE,
    "42883": MIGRATE,
    "42501": "The role of the store's URL must be a member of parvis_app: GRANT parvis_app TO it.",
    "XX001": "The database is damaged: restore a backup.",
    "XX002": "An index is damaged: REINDEX DATABASE mends it.",
}
"""How SQLSTATEs begin that only an operator can mend → how."""

NOT_ALLOWED = "42501"

STALE_PLAN = "0A000"
"""A prepared statement that a migration made stale; preparing it again helps."""

CONNECTION_LOST = (OSError, EOFError, TimeoutError, InterfaceError, InternalClientError)

FAULTS = (PostgresError, *CONNECTION_LOST)
"""All that asyncpg raises."""


def code_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error, or an empty string if the server said none."""
    return getattr(error, "sqlstate", None) or ""


def _begins(table: dict[str, str], code: str) -> str | None:
    return next((hint for start, hint in table.items() if code.startswith(start)), None)


def is_passing(error: BaseException) -> bool:
    """Tell whether the same call may succeed later."""
    code = code_of(error)
    if not code:
        # A value that cannot be sent is no fault of the connection, though asyncpg mixes them.
        return isinstance(error, CONNECTION_LOST) and not isinstance(error, ValueError)
    return _begins(PASSING, code) is not None or (
        code == STALE_PLAN and "cached" in str(error).lower()
    )


def is_contention(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed at once: others were in its way."""
    code = code_of(error)
    return code.startswith("40") or (code == STALE_PLAN and "cached" in str(error).lower())


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection cannot be used any more."""
    code = code_of(error)
    if not code:
        return isinstance(error, CONNECTION_LOST) and not isinstance(error, ValueError)
    return code[:2] == "08" or code in ("57P01", "57P02", "57P03", "57P05")


def translated(error: BaseException) -> StorageError:
    """Return the error of ours that says what happened."""
    if isinstance(error, StorageError):
        return error
    code = code_of(error)
    said = str(error) or type(error).__name__
    if is_passing(error):
        hint = _begins(PASSING, code or "08") or ""
        return StoreUnavailable(f"PostgreSQL: {said}", hint=hint)
    return StorageError(f"PostgreSQL: {said}", hint=_begins(SET_UP, code) or "")
