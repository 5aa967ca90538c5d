"""What an operator can set, section by section."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit

from parvis.storage import StorageError
from parvis.storage.s3_place import s3_place

from .filling import setting

LOCAL_TENANT: Final = "local"
"""The tenant of ``--open`` and of accounts that were given no other."""

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""Of room types and of applications."""

DEFAULT_DATA: Final = "./data"

MIN_SECRET: Final = 32
"""Bytes of a shared secret: as many as HS256 puts out (RFC 7518 section 3.2)."""


def _public_url(url: str) -> str | None:
    parts = urlsplit(url)
    if not url or (parts.scheme in ("http", "https") and parts.hostname and not parts.query):
        return None
    return "an address like https://parvis.example.org"


def _store_url(url: str) -> str | None:
    if url in ("", "memory:") or url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        return None
    return "sqlite:///DIR, postgresql://USER:PASSWORD@HOST/DATABASE or memory:"


def _s3_url(url: str) -> str | None:
    try:
        if url:
            s3_place(url)
    except StorageError:
        return "s3://BUCKET/PREFIX?endpoint=https://…&region=… without keys in it"
    return None


def _blobs_url(url: str) -> str | None:
    if url == "folder":
        return None
    wrong = _s3_url(url or "s3:")
    return wrong and f"folder, or {wrong}"


def _redis_url(url: str) -> str | None:
    return None if not url or url.startswith(("redis://", "rediss://")) else "redis://HOST:PORT"


def _networks(networks: tuple[str, ...]) -> str | None:
    for network in networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            return f"addresses or networks like 10.0.0.0/8, which {network!r} is not"
    return None


def _patterns(patterns: tuple[str, ...]) -> str | None:
    for pattern in patterns:
        if "*" in pattern[:-1] or not (pattern == "*" or NAME.match(pattern)):
            return f"names like plain/notes or plain/shop-*, which {pattern!r} is not"
    return None


def _key_set(source: str) -> str | None:
    parts = urlsplit(source)
    if source.startswith("{"):
        try:
            keys = json.loads(source).get("keys")
        except ValueError:
            keys = None
        return None if isinstance(keys, list) else 'JSON like {"keys": […]}'
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        return "https://…, since whoever changes the keys on the way can grant anything"
    return None


MAILABLE: Final = re.compile(
    r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"
)
"""An address that means the same in a letter's header as in a dialogue with a mail server."""

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def _sender(sender: str) -> str | None:
    addresses = getaddresses([sender])
    if not sender or (len(addresses) == 1 and sender.isprintable()
                      and MAILABLE.fullmatch(addresses[0][1])):  # fmt: skip
        return None
    return "an address like Parvis <parvis@example.org>"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the node listens, what it takes in, and how long it waits."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8000, "Port to listen on; 0 takes a free one.", low=0, high=65535)
    data: str = setting(DEFAULT_DATA, "Folder for the SQLite files and the node's own state.")
    public_url: str = setting(
        "", "Address under which browsers reach the node; empty: as they ask.", check=_public_url
    )
    workers: int = setting(1, "Worker processes.", low=1, high=256, hidden=True)
    redis: str = setting(
        "", "Redis that joins several workers or nodes.", check=_redis_url, hidden=True
    )
    open: bool = setting(False, "Anyone may do anything in tenant local. Loopback only.")
    trusted_proxies: tuple[str, ...] = setting(
        (), "Proxies whose X-Forwarded-For and -Proto are believed.", check=_networks
    )
    max_frame: int = setting(
        8 * 2**20,
        "Largest websocket message from a client.",
        unit="bytes",
        low=64 * 2**10,
        high=64 * 2**20,
    )
    hello_timeout: float = setting(
        10.0, "Until a socket must have said who it is.", unit="seconds", low=0.1, high=300
    )
    heartbeat: float = setting(
        25.0,
        "A quiet socket is pinged after; closed if it does not answer within half of that.",
        unit="seconds",
        low=1,
        high=3600,
    )
    max_connections: int = setting(50_000, "Sockets at a time.", low=1, high=1_000_000)
    max_connections_per_address: int = setting(
        1_000, "Sockets at a time from one address; loopback is not counted.", low=1, high=1_000_000
    )
    max_rooms_per_session: int = setting(200, "Rooms joined by one session.", low=1, high=100_000)
    outbox_bound: int = setting(
        256 * 2**10,
        "Queued for one session before it is fed differences instead of updates.",
        unit="bytes",
        low=4 * 2**10,
        high=2**30,
    )
    outbox_hard_bound: int = setting(
        8 * 2**20,
        "Queued for one session before it is closed.",
        unit="bytes",
        low=64 * 2**10,
        high=2**32,
    )
    slow_deadline: float = setting(
        60.0, "A session over its bound for so long is closed.", unit="seconds", low=1, high=3600
    )
    drain_deadline: float = setting(
        20.0, "After SIGTERM, until the node ends at the latest.", unit="seconds", low=0, high=600
    )

    def __post_init__(self) -> None:
        if self.outbox_hard_bound < self.outbox_bound:
            raise ValueError("outbox_hard_bound is below outbox_bound")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where everything durable goes."""

    url: str = setting(
        "",
        "sqlite:///DIR, postgresql://USER:PASSWORD@HOST/DATABASE, or memory: for a trial;"
        " empty: SQLite in the data folder.",
        check=_store_url,
    )


@dataclass(frozen=True, slots=True)
class BlobSettings:
    """Where images and other files go."""

    url: str = setting(
        "folder",
        "folder: in the data folder; or s3://BUCKET/PREFIX?endpoint=https://…&region=….",
        check=_blobs_url,
    )
    access_key: str = setting("", "Key of S3; empty: AWS_ACCESS_KEY_ID, or the machine's role.")
    secret_key: str = setting("", "Secret of that key.", secret=True)

    def __post_init__(self) -> None:
        if bool(self.access_key) != bool(self.secret_key):
            raise ValueError("expected both access_key and secret_key, or neither")


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """What ``parvis backup`` does unless it is told otherwise."""

    folder: str = setting("", "Where backups are written; empty: backups in the data folder.")
    key: str = setting("", "Key file; to make backups its public lines will do.")
    keep: tuple[str, ...] = setting(
        (), "Which backups stay: the newest 14, those of 30d, or both; empty: all."
    )
    upload: str = setting("", "Where they are sent, too, like s3://BUCKET/PREFIX.", check=_s3_url)
    access_key: str = setting("", "Key of S3; empty: AWS_ACCESS_KEY_ID, or the machine's role.")
    secret_key: str = setting("", "Secret of that key.", secret=True)
    lock_days: float = setting(
        0.0, "Nobody deletes what was sent for so long; 0: no lock.", unit="days", low=0, high=36500
    )
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = setting(
        "COMPLIANCE", "COMPLIANCE: nobody at all; GOVERNANCE: who has a special right does."
    )

    def __post_init__(self) -> None:
        if bool(self.access_key) != bool(self.secret_key):
            raise ValueError("expected both access_key and secret_key, or neither")


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What the core knows of a room type's settings; `options` belong to the type."""

    create: Literal["anyone", "members", "admins", "nobody"] = setting(
        "members", "Who creates a room by joining one that does not exist."
    )
    idle: float = setting(
        30.0, "A room that everybody left is unloaded after.", unit="seconds", low=0, high=86_400
    )
    max_update: int = setting(8 * 2**20, "Largest update.", unit="bytes", low=1024, high=64 * 2**20)
    max_part: int = setting(
        32 * 2**20,
        "Largest document; then only deletions are taken.",
        unit="bytes",
        low=64 * 2**10,
        high=2**40,
    )
    history_days: float = setting(
        0.0,
        "Each change stays in the log for so long, for history and blame; 0: for ever.",
        unit="days",
        low=0,
        high=36_500,
    )
    options: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class AppSettings:
    """An application whose own backend signs room tokens."""

    secret: str = setting("", "Shared secret for HS256, 32 bytes or more.", secret=True)
    jwks: str = setting("", "Key set: a file, an https address or the JSON itself.", check=_key_set)
    issuer: str = setting("", "The tokens' iss; empty: the application's id.")
    audience: str = setting("parvis", "The tokens' aud.")
    tenant: str = setting(LOCAL_TENANT, "The tenant whose rooms the tokens open.")
    rooms: tuple[str, ...] = setting(
        (), "Rooms the application may grant: plain/notes, or plain/shop-*.", check=_patterns
    )
    capabilities: tuple[str, ...] = setting(
        ("view", "comment", "suggest", "edit", "history"),
        "Capabilities the application may grant; * for all.",
    )

    def __post_init__(self) -> None:
        if not (self.secret or self.jwks):
            raise ValueError("expected secret or jwks, got neither")
        if self.secret and len(self.secret.encode()) < MIN_SECRET:
            got = len(self.secret.encode())
            raise ValueError(f"secret: expected at least {MIN_SECRET} bytes, got {got}")
        if not self.rooms:
            raise ValueError("rooms: expected the rooms the application may grant, got none")


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Passwords, tokens and the applications that may sign their own."""

    access_token_seconds: float = setting(
        900.0, "Life of an access token.", unit="seconds", low=30, high=86_400
    )
    sign_in_days: float = setting(
        30.0, "Life of a browser's sign-in.", unit="days", low=0.01, high=366
    )
    room_token_days: float = setting(
        90.0, "Longest life of a room token.", unit="days", low=0.001, high=3660
    )
    password_min: int = setting(12, "Fewest characters of a password.", low=8, high=128)
    password_max: int = setting(128, "Most characters of a password.", low=64, high=1024)
    argon2_memory: int = setting(
        19 * 2**20, "Memory of one password hash.", unit="bytes", low=8 * 2**20, high=2**30
    )
    argon2_time: int = setting(2, "Passes of one password hash.", low=1, high=20)
    argon2_lanes: int = setting(1, "Lanes of one password hash.", low=1, high=16)
    login_attempts: int = setting(
        5, "Sign-ins per account before they are slowed down.", low=1, high=1000
    )
    login_attempts_per_address: int = setting(
        30, "Sign-ins per network address before they are slowed down.", low=1, high=100_000
    )
    login_refill: float = setting(
        60.0, "Until one more sign-in per account is allowed.", unit="seconds", low=0.1, high=3600
    )
    invite: Literal["members", "admins"] = setting(
        "members", "Who may invite people to make an account."
    )
    apps: Mapping[str, AppSettings] = field(default_factory=dict[str, AppSettings])


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server that letters go through. Without `host` they are written to ``DATA/mail``."""

    host: str = setting("", "Mail server; empty: letters are written to DATA/mail.")
    port: int = setting(
        0, "Its port; 0: 587 with starttls, 465 with tls, 25 with none.", low=0, high=65535
    )
    security: Literal["starttls", "tls", "none"] = setting(
        "starttls", "How the way there is protected; its certificate is checked."
    )
    user: str = setting("", "Account at the mail server; empty: letters are taken without.")
    password: str = setting("", "Password of that account.", secret=True)
    from_: str = setting(
        "", "Sender, like Parvis <parvis@example.org>; empty: at the public host.", check=_sender
    )
    notice_delay: float = setting(
        120.0,
        "A notice that was not read in the app is mailed after.",
        unit="seconds",
        low=0,
        high=7 * 86_400,
    )

    def __post_init__(self) -> None:
        if self.password and self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("security: expected starttls or tls, the password would be in clear")
        if self.user and not self.password:
            raise ValueError("password: expected one for the user, got none")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What the node says about itself."""

    level: Literal["debug", "info", "warning", "error"] = setting("info", "What is logged.")
    format: Literal["auto", "text", "json"] = setting(
        "auto", "One line of text or of JSON per event; auto: text on a terminal, else JSON."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set."""

    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    blobs: BlobSettings = BlobSettings()
    backup: BackupSettings = BackupSettings()
    auth: AuthSettings = AuthSettings()
    mail: MailSettings = MailSettings()
    log: LogSettings = LogSettings()
    rooms: Mapping[str, RoomSettings] = field(default_factory=dict[str, RoomSettings])

    def room(self, type: str) -> RoomSettings:
        """Return the settings of a room type, which may have none of its own."""
        return self.rooms.get(type) or RoomSettings()

    def __post_init__(self) -> None:
        if self.mail.host and not self.server.public_url:
            # The name under which a request came is its sender's choice: whoever asks for somebody
            # else's new password could have the link lead to a server of their own.
            raise ValueError("mail.host needs server.public_url, for the links in letters")
        folder = self._store_folder
        if folder is not None and self.server.data not in (DEFAULT_DATA, str(folder)):
            raise ValueError(
                f"server.data ({self.server.data}) and store.url ({self.store.url}) name different "
                "folders; with SQLite one folder holds everything, so one of them is enough"
            )

    @property
    def data(self) -> Path:
        """The data folder; with SQLite also that of the store, so that one lock keeps both."""
        return self._store_folder or Path(self.server.data)

    @property
    def store_url(self) -> str:
        """The store's URL, with the default filled in."""
        return self.store.url or f"sqlite:///{quote(self.server.data)}"

    @property
    def _store_folder(self) -> Path | None:
        scheme, found, folder = self.store.url.partition("sqlite:///")
        return Path(unquote(folder)) if found and not scheme and folder else None
