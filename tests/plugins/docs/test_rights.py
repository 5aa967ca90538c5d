"""What listings show is what one may open, whatever way the right came."""

import os
import random

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.storage import Statement
from tests.plugins.docs.house import House, house

SEED = int(os.environ.get("SEED", "20261120"))
PEOPLE = ("ada", "bob", "cy", "eve")
ROLE = ("", "viewer", "commenter", "editor", "owner")


class Model:
    """The same rights, worked out one by one as the README says them."""

    def __init__(self) -> None:
        self.parent: dict[str, str | None] = {}
        self.owner: dict[str, str] = {}
        self.member: dict[tuple[str, str], int] = {}
        self.followed: dict[tuple[str, str], list[int]] = {}
        self.documents: list[str] = []

    def rank(self, person: str, place: str) -> int:
        found = [self.member.get((place, person), 0), *self.followed.get((place, person), [])]
        at: str | None = place
        while at is not None:
            found.append(self.member.get((at, person), 0))
            found.append(4 if self.owner[at] == person else 0)
            at = self.parent[at]
        return max(found)


async def random_house(docs: House, chance: random.Random) -> Model:
    """Fill the tables with spaces, documents, members and links."""
    model, node = Model(), docs.lobby.node
    statements: list[Statement] = []
    spaces: list[str] = []
    for n in range(12):
        id, owner = f"space{n}", chance.choice(PEOPLE)
        parent = chance.choice([*spaces, None])
        statements.append(
            Statement("INSERT INTO docs_space VALUES (?, ?, ?, ?, 0)", (id, id, parent, owner))
        )
        model.parent[id], model.owner[id] = parent, owner
        spaces.append(id)
    for n in range(40):
        key, owner = f"document{n}", chance.choice(PEOPLE)
        space = chance.choice([*spaces, None])
        statements.append(
            Statement(
                "INSERT INTO docs_document (key, title, owner, space, created, updated)"
                " VALUES (?, ?, ?, ?, 0, ?)",
                (key, key, owner, space, float(n)),
            )
        )
        model.parent[key], model.owner[key] = space, owner
        model.documents.append(key)
        if chance.random() < 0.3:
            rank, dead = chance.randint(1, 3), chance.random() < 0.3
            row = (key, key, key, rank, None, 1.0 if dead else None, 0.0, owner)
            sql = "INSERT INTO docs_link VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"
            statements.append(Statement(sql, row))
            for person in chance.sample(PEOPLE, 2):
                sql = "INSERT INTO docs_follower VALUES (?, ?, 0)"
                statements.append(Statement(sql, (person, key)))
                if not dead:
                    model.followed.setdefault((key, person), []).append(rank)
    for place in [*spaces, *model.documents]:
        for person in PEOPLE:
            if chance.random() < 0.12:
                rank = chance.randint(1, 3)
                sql = "INSERT INTO docs_member VALUES (?, ?, ?, 'ada', 0)"
                statements.append(Statement(sql, (place, person, rank)))
                model.member[place, person] = rank
    await node.execute("kit", *statements)
    return model


async def listed(docs: House, who: str) -> dict[str, str]:
    """Return key → role of all documents in the views that hold everything."""
    roles: dict[str, str] = {}
    for view in ("mine", "shared"):
        found = await docs.ask(who, "GET", "documents", b"", view=view, limit="100")
        roles |= {document["key"]: document["role"] for document in found["documents"]}
    return roles


async def test_listings_requests_and_the_rules_agree() -> None:
    chance = random.Random(SEED)
    for _ in range(6):
        async with house() as docs:
            model = await random_house(docs, chance)
            for who in PEOPLE:
                expected = {
                    key: ROLE[rank] for key in model.documents if (rank := model.rank(who, key))
                }
                assert await listed(docs, who) == expected, SEED
                caller = Caller("kit", who, member=True)
                for key in model.documents:
                    try:
                        access = await docs.lobby.kind.authorize(caller, key, "")
                    except Refused as refusal:
                        assert refusal.code is ErrorCode.ROOM_NOT_FOUND
                        assert key not in expected, SEED
                    else:
                        assert access.may("edit") is (expected[key] in ("editor", "owner")), SEED
                        assert access.may("comment") is (expected[key] != "viewer"), SEED
                        assert access.may("admin") is (expected[key] == "owner"), SEED
                seen = {
                    space["id"]: space["role"]
                    for space in (await docs.ask(who, "GET", "spaces"))["spaces"]
                }
                spaces = [place for place in model.parent if place not in model.documents]
                ranks = {id: model.rank(who, id) for id in spaces}
                assert seen == {id: ROLE[rank] for id, rank in ranks.items() if rank}, SEED
