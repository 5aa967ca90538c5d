"""What people are told: that something was shared, that they were mentioned or answered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from parvis.plugins import Caller, Notice, Person, Words, straight

from .office import Office
from .rights import Rights, SpaceStanding, Standing

EXCERPT: Final = 280
"""Characters of a comment in a notice."""

Texts = Mapping[str, str]
"""What is said, by language."""

UNTITLED: Final[Texts] = MappingProxyType({"en": "Untitled", "fr": "Sans titre"})
SOMEBODY: Final[Texts] = MappingProxyType({"en": "Somebody", "fr": "Quelqu’un"})
GUEST: Final[Texts] = MappingProxyType({"en": "{name} (guest)", "fr": "{name} (invité)"})
"""How somebody is named who chose their name themselves."""

ROLE: Final[Mapping[str, Texts]] = MappingProxyType(
    {
        "viewer": {"en": "read it", "fr": "le lire"},
        "commenter": {"en": "comment on it", "fr": "le commenter"},
        "editor": {"en": "edit it", "fr": "le modifier"},
    }
)

SAID: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = MappingProxyType(
    {
        "shared": {
            "en": ("{actor} shared “{title}” with you", "You may {may}."),
            "fr": ("{actor} a partagé «\u00a0{title}\u00a0» avec vous", "Vous pouvez {may}."),
        },
        "space": {
            "en": (
                "{actor} shared the space “{title}” with you",
                "You will find all its documents there.",
            ),
            "fr": (
                "{actor} a partagé l’espace «\u00a0{title}\u00a0» avec vous",
                "Vous y trouverez tous ses documents.",
            ),
        },
        "owned": {
            "en": (
                "{actor} made you the owner of “{title}”",
                "It is yours now: only you may move it, put it into the bin and delete it.",
            ),
            "fr": (
                "{actor} vous a confié «\u00a0{title}\u00a0»",
                "Il est à vous désormais\u00a0: vous seul pouvez le déplacer, le mettre à la"
                " corbeille et le supprimer.",
            ),
        },
        "disowned": {
            "en": (
                "{actor} gave “{title}” another owner",
                "It belongs to {owner} now. You may edit it.",
            ),
            "fr": (
                "{actor} a confié «\u00a0{title}\u00a0» à quelqu’un d’autre",
                "{owner} en est désormais propriétaire. Vous pouvez le modifier.",
            ),
        },
        "mentioned": {
            "en": ("{actor} mentioned you in “{title}”", ""),
            "fr": ("{actor} vous a mentionné dans «\u00a0{title}\u00a0»", ""),
        },
        "replied": {
            "en": ("{actor} replied to a comment in “{title}”", ""),
            "fr": ("{actor} a répondu à un commentaire dans «\u00a0{title}\u00a0»", ""),
        },
        "invalid": {
            "en": (
                "Your last change to “{title}” cannot be shown everywhere",
                "The document now holds something that Parvis does not know: {problem}."
                " Nothing is lost; the history lets you go back.",
            ),
            "fr": (
                "Votre dernière modification de «\u00a0{title}\u00a0» ne peut pas être affichée"
                " partout",
                "Le document contient maintenant quelque chose que Parvis ne connaît pas\u00a0:"
                " {problem}. Rien n’est perdu\u00a0; l’historique permet de revenir en arrière.",
            ),
        },
    }
)
"""Subject and text of each notice, by language."""


class Notices:
    """Tells people, in each language; only those who may view what it is about."""

    def __init__(self, office: Office, rights: Rights) -> None:
        self._office = office
        self._rights = rights

    async def shared(
        self,
        caller: Caller,
        at: Standing | SpaceStanding,
        person: Person,
        role: str,
        message: str,
    ) -> None:
        """Tell somebody that they may see a document or a space now; once per place and role."""
        if isinstance(at, Standing):
            what, place, title, path = "shared", at.key, at.title, path_of(at.key)
        else:
            what, place, title, path = "space", at.id, at.name, f"/docs?space={at.id}"
        words = _words(what, caller, title, before=message.strip(), may=ROLE[role])
        notice = Notice(
            person.id, f"shared:{place}:{role}", "docs.shared", words, path, caller.user
        )
        await self._office.node.notify(caller.tenant, notice)

    async def handed_over(self, caller: Caller, at: Standing, to: Person) -> None:
        """Tell the new owner of a document, and the old one if they did not do it themselves."""
        node = self._office.node
        time = node.now()
        for user, what in ((to.id, "owned"), (at.owner, "disowned")):
            words = _words(what, caller, at.title, owner=straight(to.name))
            key, path = f"owner:{at.key}:{time}", path_of(at.key)
            notice = Notice(user, key, "docs.owner", words, path, caller.user)
            await node.notify(caller.tenant, notice)

    async def commented(
        self,
        caller: Caller,
        key: str,
        *,
        thread: str,
        message: str,
        text: str,
        mentioned: frozenset[str],
        participants: frozenset[str],
    ) -> None:
        """Tell those mentioned in a comment, and those whom it answers."""
        standing = await self._rights.standing(caller, key)
        viewers = await self._rights.viewers(caller.tenant, key)
        if standing is None:
            return
        path = f"{path_of(key)}#comment={thread}"
        for person in sorted((mentioned | participants) & viewers - {caller.user}):
            kind, what = (
                ("docs.mention", "mentioned") if person in mentioned else ("docs.reply", "replied")
            )
            words = _words(what, caller, standing.title, before=text[:EXCERPT])
            notice = Notice(person, f"comment:{key}:{message}", kind, words, path, caller.user)
            await self._office.node.notify(caller.tenant, notice)

    async def mentioned(
        self, tenant: str, key: str, title: str, author: Person | None, people: frozenset[str]
    ) -> None:
        """Tell those who were mentioned in a text; once for each document."""
        actor = Caller(tenant, author.id, author.name) if author else Caller(tenant, "")
        for person in sorted(people & await self._rights.viewers(tenant, key)):
            words = _words("mentioned", actor, title)
            notice = Notice(
                person, f"mention:{key}", "docs.mention", words, path_of(key), actor.user
            )
            await self._office.node.notify(tenant, notice)

    async def invalid(self, tenant: str, key: str, title: str, person: str, problem: str) -> None:
        """Tell somebody that what they wrote does not fit the schema; once a day at most."""
        words = _words("invalid", Caller(tenant, ""), title, problem=problem[:200])
        day = int(self._office.node.now() // 86_400)
        notice = Notice(
            person, f"invalid:{key}:{day}", "docs.invalid", words, path_of(key), mail=False
        )
        await self._office.node.notify(tenant, notice)


def path_of(key: str) -> str:
    """Return the path of a document's page."""
    return f"/docs/{key}"


def _words(
    what: str, actor: Caller, title: str, *, before: str = "", **facts: str | Texts
) -> dict[str, Words]:
    """Return what a notice of `SAID` says in each language.

    Args:
        before: Somebody's own words, which stand above the text.
        facts: What stands in braces there; what depends on the language by language.
    """
    made: dict[str, Words] = {}
    for language, (subject, text) in SAID[what].items():
        name = straight(actor.name) or SOMEBODY[language]
        names = {
            "actor": GUEST[language].format(name=name) if actor.guest else name,
            "title": straight(title) or UNTITLED[language],
        }
        known = {
            fact: value if isinstance(value, str) else value[language]
            for fact, value in facts.items()
        }
        text = "\n\n".join(filter(None, (before, text.format(**known))))
        made[language] = Words(subject.format(**names), text)
    return made
