"""Notices: kept once, told at once, mailed if nobody reads them, and read."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parvis.plugins import Notice, Words
from parvis.server.notices import rows
from parvis.server.settings import MailSettings, Settings
from parvis.storage import User
from tests.identities import CHEAP
from tests.server.site import HOME, Site, serve, text_of

DELAY = 120.0


@pytest.fixture(params=["memory", "sqlite"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A node whose letters are files."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}"
    async for site in serve(Settings(auth=CHEAP), url):
        yield site


def mention(user: User, key: str = "c1", **facts: Any) -> Notice:
    """Return a notice that somebody was mentioned."""
    words: Mapping[str, Words] = {
        "en": Words(f"Bob mentioned you in Plan {key}", "“Look at this, @Ada”"),
        "fr": Words(f"Bob vous a mentionné dans Plan {key}"),
    }
    given: dict[str, Any] = {
        "user": user.id,
        "key": key,
        "kind": "docs.mention",
        "words": words,
        "path": f"/docs/k1#comment={key}",
    } | facts
    return Notice(**given)


async def listed(site: Site, user: User, query: str = "") -> Any:
    token = site.identity.access_token(user).token
    status, answer, _ = await site.ask("GET", f"/notices{query}", token=token)
    assert status == 200
    return answer


async def read(site: Site, user: User, *ids: str) -> Any:
    token = site.identity.access_token(user).token
    body = {"ids": list(ids)} if ids else {}
    status, answer, _ = await site.ask("POST", "/notices/read", body, token=token)
    assert status == 200
    return answer


# Kept and told


async def test_a_notice_is_kept_and_told_to_whoever_it_is_for(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    await site.members.notify("local", mention(ada, actor=bob.id))
    answer = await listed(site, ada)
    [notice] = answer["notices"]
    assert (answer["unread"], answer["next"]) == (1, None)
    assert notice == {
        "id": notice["id"],
        "kind": "docs.mention",
        "words": {
            "en": {"subject": "Bob mentioned you in Plan c1", "text": "“Look at this, @Ada”"},
            "fr": {"subject": "Bob vous a mentionné dans Plan c1", "text": ""},
        },
        "path": "/docs/k1#comment=c1",
        "actor": {"id": bob.id, "name": bob.name, "color": bob.color},
        "time": site.clock.time(),
        "read": False,
    }
    assert site.signals.sent == [("local", ada.id, "notice", notice)]
    assert (await listed(site, bob))["notices"] == []


async def test_the_same_notice_is_kept_once(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    for _ in range(3):
        await site.members.notify("local", mention(ada))
    await site.members.notify("local", mention(bob))
    assert len((await listed(site, ada))["notices"]) == 1
    assert len((await listed(site, bob))["notices"]) == 1
    assert [user for _, user, _, _ in site.signals.sent] == [ada.id, bob.id]
    await site.pass_time(DELAY)
    assert [letter["To"] for letter in await site.letters()] == [ada.email, bob.email]


async def test_nobody_is_told_of_their_own_doings(site: Site) -> None:
    ada = await site.person()
    await site.members.notify("local", mention(ada, actor=ada.id))
    assert (await listed(site, ada))["notices"] == []
    assert site.signals.sent == []


async def test_only_people_of_the_tenant_are_told(site: Site) -> None:
    ada = await site.person()
    far = await site.person("far@example.org", tenant="acme")
    gone = await site.person("gone@example.org")
    await site.identity.people.save(replace(gone, disabled=True))
    for user in (far, gone, replace(ada, id="guest-1")):
        await site.members.notify("local", mention(user))
    await site.pass_time(DELAY)
    assert site.signals.sent == []
    assert await site.letters() == []
    assert (await listed(site, far))["notices"] == []


async def test_an_actor_of_another_tenant_has_no_name_here(site: Site) -> None:
    ada = await site.person()
    far = await site.person("far@example.org", tenant="acme")
    await site.members.notify("local", mention(ada, "1", actor=far.id))
    await site.members.notify("local", mention(ada, "2", actor="guest-1"))
    assert [each["actor"] for each in (await listed(site, ada))["notices"]] == [None, None]


async def test_a_notice_without_english_or_that_leads_elsewhere_is_a_mistake(site: Site) -> None:
    ada = await site.person()
    mistakes: list[dict[str, Any]] = [
        {"words": {"fr": Words("Bonjour")}},
        {"path": "//evil.example"},
    ]
    for facts in mistakes:
        with pytest.raises(ValueError, match=r"docs\.mention"):
            await site.members.notify("local", mention(ada, **facts))


async def test_only_the_newest_of_a_person_are_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST", 20)
    ada, bob = await site.person(), await site.person("bob@example.org")
    await site.members.notify("local", mention(bob, mail=False))
    for number in range(23):
        await site.members.notify("local", mention(ada, str(number), mail=False))
    found: list[str] = []
    query: str | None = "?limit=7"
    while query:
        page = await listed(site, ada, query)
        found += [each["path"].rpartition("=")[2] for each in page["notices"]]
        query = page["next"] and f"?limit=7&after={page['next']}"
    assert found == [str(number) for number in range(22, 2, -1)]
    assert (await listed(site, ada))["unread"] == 20
    assert len((await listed(site, bob))["notices"]) == 1


# Read


async def test_a_person_reads_some_and_then_all(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    for key in ("1", "2", "3"):
        await site.members.notify("local", mention(ada, key))
    await site.members.notify("local", mention(bob))
    first = (await listed(site, ada))["notices"][-1]["id"]
    site.signals.sent.clear()
    assert await read(site, ada, first, "n_unknown") == {"unread": 2}
    assert [each["read"] for each in (await listed(site, ada))["notices"]] == [False, False, True]
    assert await read(site, ada) == {"unread": 0}
    assert site.signals.sent == [
        ("local", ada.id, "notices_read", {"ids": [first, "n_unknown"], "unread": 2}),
        ("local", ada.id, "notices_read", {"ids": None, "unread": 0}),
    ]
    assert (await listed(site, bob))["unread"] == 1


async def test_nobody_reads_for_somebody_else(site: Site) -> None:
    ada, bob = await site.person(), await site.person("bob@example.org")
    await site.members.notify("local", mention(ada))
    id = (await listed(site, ada))["notices"][0]["id"]
    await read(site, bob, id)
    await read(site, bob)
    assert (await listed(site, ada))["unread"] == 1


async def test_a_page_has_bounds(site: Site) -> None:
    token = site.identity.access_token(await site.person()).token
    for query in ("limit=0", "limit=101", "limit=x", "after=0", "after=-1", "after=" + "9" * 30):
        status, _, _ = await site.ask("GET", f"/notices?{query}", token=token)
        assert status == 400
    body = {"ids": ["n"] * 101}
    assert (await site.ask("POST", "/notices/read", body, token=token))[0] == 422
    assert (await site.ask("POST", "/notices/read", {"ids": [1]}, token=token))[0] == 400
    assert (await site.ask("GET", "/notices"))[0] == 401


# Mailed


async def test_what_nobody_reads_is_mailed_after_a_while(site: Site) -> None:
    ada = await site.person(name="Ada")
    await site.members.notify("local", mention(ada))
    await site.pass_time(DELAY - 1)
    assert await site.letters() == []
    for _ in range(2):  # a queue is looked at every five seconds
        await site.pass_time(5)
    [letter] = await site.letters()
    assert (letter["To"], letter["Subject"]) == (ada.email, "Bob mentioned you in Plan c1")
    assert "“Look at this, @Ada”" in text_of(letter)
    assert f"{HOME}/docs/k1#comment=c1" in text_of(letter)
    await site.pass_time(3600)
    assert len(await site.letters()) == 1
    assert (await listed(site, ada))["unread"] == 1


async def test_what_is_read_in_time_is_not_mailed(site: Site) -> None:
    ada = await site.person()
    await site.members.notify("local", mention(ada))
    await site.pass_time(DELAY / 2)
    await read(site, ada)
    await site.pass_time(DELAY)
    assert await site.letters() == []


async def test_what_is_not_to_be_mailed_is_not(site: Site) -> None:
    ada = await site.person()
    await site.members.notify("local", mention(ada, mail=False))
    await site.pass_time(DELAY)
    assert await site.letters() == []


async def test_a_busy_hour_makes_one_letter(site: Site) -> None:
    ada = await site.person(language="fr")
    for key in ("1", "2", "3"):
        await site.members.notify("local", mention(ada, key))
        await site.pass_time(30)
    for _ in range(20):
        await site.pass_time(30)
    [letter] = await site.letters()
    assert letter["Subject"] == "3 nouvelles que vous n’avez pas encore lues"
    text = text_of(letter)
    assert [text.index(f"dans Plan {key}") for key in "123"] == sorted(
        text.index(f"dans Plan {key}") for key in "123"
    )
    assert all(f"#comment={key}" in text for key in "123")


async def test_a_letter_speaks_the_language_of_who_gets_it(site: Site) -> None:
    ada = await site.person(language="fr")
    await site.members.notify("local", mention(ada))
    await site.pass_time(DELAY)
    [letter] = await site.letters()
    assert letter["Subject"] == "Bob vous a mentionné dans Plan c1"
    assert "Ouvrir" in text_of(letter)


async def test_a_notice_sent_again_after_a_crash_is_mailed_all_the_same(site: Site) -> None:
    """Its row was kept, and then the node died before the letter was ordered."""
    ada = await site.person()
    await site.members.notify("local", mention(ada))
    [job] = await site.store.claim("local", "parvis-mail", now=site.clock.time() + 200, lease=1)
    await site.store.finish("local", job.id)
    await site.members.notify("local", mention(ada))
    await site.pass_time(DELAY)
    assert len(await site.letters()) == 1
    assert len(site.signals.sent) == 1


async def test_who_is_gone_by_then_gets_no_letter(site: Site) -> None:
    ada = await site.person()
    await site.members.notify("local", mention(ada))
    await site.identity.people.save(replace(ada, disabled=True))
    await site.pass_time(DELAY)
    assert await site.letters() == []


async def test_the_delay_is_a_setting() -> None:
    settings = Settings(auth=CHEAP, mail=MailSettings(notice_delay=0))
    async for site in serve(settings, "memory:"):
        await site.members.notify("local", mention(await site.person()))
        assert len(await site.letters()) == 1


# The way of room types


async def test_members_of_a_tenant_are_looked_up(site: Site) -> None:
    ada = await site.person(name="Ada", language="fr")
    far = await site.person("far@example.org", tenant="acme")
    [person] = await site.members.people("local")
    assert (person.id, person.name, person.email, person.language) == (
        ada.id, "Ada", "ada@example.org", "fr",
    )  # fmt: skip
    assert await site.members.person("local", ada.id) == person
    assert await site.members.person("local", far.id) is None


async def test_what_leads_to_a_page_that_is_gone_is_taken_back(site: Site) -> None:
    ada = await site.person()
    for key, facts in {
        "c1": {},
        "c2": {"path": "/docs/k1"},
        "c3": {"path": "/docs/k1?at=3"},
        "c4": {"path": "/docs/k12"},
        "c5": {"path": "/docs/k1", "kind": "docsy.mention"},
    }.items():
        await site.members.notify("local", mention(ada, key, **facts))
    read_one = (await listed(site, ada))["notices"][-1]["id"]
    await read(site, ada, read_one)
    site.signals.sent.clear()
    await site.members.recall("local", "docs", "/docs/k1")
    left = await listed(site, ada)
    assert [notice["path"] for notice in left["notices"]] == ["/docs/k1", "/docs/k12"]
    ((_, user, name, body),) = site.signals.sent
    assert (user, name, len(body["ids"]), body["unread"]) == (ada.id, "notices_read", 2, 2)
    await site.pass_time(DELAY + 1)
    letters = await site.letters()
    assert len(letters) == 1, "nothing is said of what was taken back"
    assert "/docs/k1?at=3" not in text_of(letters[0])
