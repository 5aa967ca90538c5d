"""Something of everything that a store and its accounts keep, to be moved elsewhere."""

from collections.abc import Mapping, Sequence

from parvis.storage.accounts import Accounts, Link, SignIn, User
from parvis.storage.api import (
    Job,
    Migration,
    Quarantined,
    Snapshot,
    Statement,
    Store,
)
from parvis.storage.conformance.base import ROOM, TENANT, home_of

NOTES = (
    Migration(
        1,
        "notes",
        {
            "sqlite": (
                "CREATE TABLE note (author TEXT NOT NULL, id INTEGER NOT NULL, body BLOB,"
                " weight REAL, title TEXT NOT NULL DEFAULT 'none', PRIMARY KEY (author, id)) STRICT"
            ),
            "postgres": (
                "CREATE TABLE note ("
                ' tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),'
                ' author TEXT COLLATE "C" NOT NULL, id BIGINT NOT NULL, body BYTEA,'
                " weight DOUBLE PRECISION, title TEXT NOT NULL DEFAULT 'none',"
                " PRIMARY KEY (tenant, author, id))"
            ),
        },
    ),
    Migration(
        2,
        "drafts",
        {
            "sqlite": (
                "CREATE TABLE note_draft (author TEXT NOT NULL, id INTEGER NOT NULL,"
                " text TEXT NOT NULL, PRIMARY KEY (author, id),"
                " FOREIGN KEY (author, id) REFERENCES note (author, id)) STRICT"
            ),
            "postgres": (
                "CREATE TABLE note_draft ("
                ' tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),'
                ' author TEXT COLLATE "C" NOT NULL, id BIGINT NOT NULL, text TEXT NOT NULL,'
                " PRIMARY KEY (tenant, author, id),"
                " FOREIGN KEY (tenant, author, id) REFERENCES note (tenant, author, id))"
            ),
        },
    ),
)
"""A plugin's tables: notes of every type of value, in an order that collations get wrong."""

PLUGINS: Mapping[str, Sequence[Migration]] = {"notes": NOTES}

AUTHORS = ("", "B", "a", "z", "Ä", "ä", "\uffff", "\U0001f600")
"""In the order of their code points."""

ANN = User(
    id="u_ann",
    tenant=TENANT,
    email="Ann@example.org",
    name="Ann Ä",
    color="#123456",
    password="$argon2id$…",
    admin=True,
    created=1000.5,
    language="fr",
)

ALL_NOTES = Statement("SELECT author, id, body, weight, title FROM note ORDER BY id")


async def fill_store(store: Store) -> None:
    """Keep something of everything for a tenant, and a little for another one."""
    await store.migrate("notes", NOTES)
    home = await home_of(store)
    await home.log("a", "b", "c")
    assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"state", b"index"))
    await (await home_of(store, part="meta")).log("m")
    await (await home_of(store, "plain/other")).log("o")
    await store.open_room(TENANT, "plain/gone", creator="u_bob", now=1000)
    await store.delete_room(TENANT, "plain/gone", now=2000.25)
    await store.quarantine(
        TENANT, Quarantined(ROOM, "", 0, b"poison", b"d" * 32, "u_eve", 1500.5, "it broke")
    )
    await store.advance("index", home.address, 1)
    await store.enqueue(TENANT, Job("mail", "one", b"\x00payload", due=5.5))
    await store.enqueue(TENANT, Job("mail", "two", b"", due=6))
    notes = [
        Statement(
            "INSERT INTO note (author, id, body, weight, title) VALUES (?, ?, ?, ?, 't')",
            (author, at, b"\x00\xff" if at else None, None if at else 0.5),
        )
        for at, author in enumerate(AUTHORS)
    ]
    draft = Statement("INSERT INTO note_draft (author, id, text) VALUES ('a', 2, 'Ω')")
    await store.execute(TENANT, [*notes[::-1], draft])
    await home_of(store, tenant="Globex")


async def fill_accounts(accounts: Accounts) -> None:
    """Keep something of everything about people."""
    await accounts.add_user(ANN)
    await accounts.secret("key", fresh=b"secret")
    await accounts.revoke("token", until=5000)
    await accounts.add_sign_in(SignIn(b"digest", ANN.id, 1000, 9e9))
    await accounts.add_link(
        Link(
            id="l_1",
            kind="invitation",
            tenant=TENANT,
            email="bob@example.org",
            digest=b"link",
            created=1000,
            expires=9e9,
        )
    )
