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

UNTITLED: Final = MappingProxyType({"en": "Untitled", "fr": "Sans titre"})
SOMEBODY: Final = MappingProxyType({"en": "Somebody", "fr": "Quelqu’un"})
GUEST: Final = MappingProxyType({"en": "{name} (guest)", "fr": "{name} (invité)"})
"""How somebody is named who chose their name themselves."""

ROLE: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "viewer": {"en": "read it", "fr": "le lire"},
        "commenter": {"en": "comment on it", "fr": "le commenter"},
        "editor": {"en": "edit it", "fr": "le modifier"},
    }
)

SHARED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "{actor} shared “{title}” with you",
        "fr": "{actor} a partagé «\u00a0{title}\u00a0» avec vous",
    }
)
SHARED_TEXT: Final[Mapping[str, str]] = MappingProxyType(
    {"en": "You may {may}.", "fr": "Vous pouvez {may}."}
)
SPACE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "{actor} shared the space “{title}” with you",
        "fr": "{actor} a partagé l’espace «\u00a0{title}\u00a0» avec vous",
    }
)
SPACE_TEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "You will find all its documents there.",
        "fr": "Vous y trouverez tous ses documents.",
    }
)
OWNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "{actor} made you the owner of “{title}”",
        "fr": "{actor} vous a confié «\u00a0{title}\u00a0»",
    }
)
OWNED_TEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "It is yours now: only you may move it, put it into the bin and delete it.",
        "fr": "Il est à vous désormais\u00a0: vous seul pouvez le déplacer, le mettre à la "
        "corbeille et le supprimer.",
    }
)
DISOWNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "{actor} gave “{title}” another owner",
        "fr": "{actor} a confié «\u00a0{title}\u00a0» à quelqu’un d’autre",
    }
)
DISOWNED_TEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "It belongs to {owner} now. You may edit it.",
        "fr": "{owner} en est désormais propriétaire. Vous pouvez le modifier.",
    }
)
MENTIONED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "{actor} mentioned you in “{title}”",
        "fr": "{actor} vous a mentionné dans «\u00a0{title}\u00a0»",
    }
)
REPLIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "{actor} replied to a comment in “{title}”",
        "fr": "{actor} a répondu à un commentaire dans «\u00a0{title}\u00a0»",
    }
)
INVALID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "Your last change to “{title}” cannot be shown everywhere",
        "fr": "Votre dernière modification de «\u00a0{title}\u00a0» ne peut pas être affichée "
        "partout",
    }
)
INVALID_TEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en": "The document now holds something that Parvis does not know: {problem}. "
        "Nothing is lost; the history lets you go back.",
        "fr": "Le document contient maintenant quelque chose que Parvis ne connaît pas\u00a0: "
        "{problem}. Rien n’est perdu\u00a0; l’historique permet de revenir en arrière.",
    }
)


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
            place, title, path = at.key, at.title, path_of(at.key)
            subject, text = SHARED, SHARED_TEXT
        else:
            place, title, path = at.id, at.name, f"/docs?space={at.id}"
            subject, text = SPACE, SPACE_TEXT
        words = {
            language: Words(
                subject[language].format(**_names(language, caller, title)),
                _joined(message.strip(), text[language].format(may=ROLE[role][language])),
            )
            for language in subject
        }
        notice = Notice(
            person.id, f"shared:{place}:{role}", "docs.shared", words, path, caller.user
        )
        await self._office.node.notify(caller.tenant, notice)

    async def handed_over(self, caller: Caller, at: Standing, to: Person) -> None:
        """Tell the new owner of a document, and the old one if they did not do it themselves."""
        node = self._office.node
        time = node.now()
        for user, subject, text in (
            (to.id, OWNED, OWNED_TEXT),
            (at.owner, DISOWNED, DISOWNED_TEXT),
        ):
            words = {
                language: Words(
                    subject[language].format(**_names(language, caller, at.title)),
                    text[language].format(owner=to.name),
                )
                for language in subject
            }
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
            kind, subject = (
                ("docs.mention", MENTIONED) if person in mentioned else ("docs.reply", REPLIED)
            )
            words = {
                language: Words(
                    pattern.format(**_names(language, caller, standing.title)), text[:EXCERPT]
                )
                for language, pattern in subject.items()
            }
            notice = Notice(person, f"comment:{key}:{message}", kind, words, path, caller.user)
            await self._office.node.notify(caller.tenant, notice)

    async def mentioned(
        self, tenant: str, key: str, title: str, author: Person | None, people: frozenset[str]
    ) -> None:
        """Tell those who were mentioned in a text; once for each document."""
        actor = Caller(tenant, author.id, author.name) if author else Caller(tenant, "")
        for person in sorted(people & await self._rights.viewers(tenant, key)):
            words = {
                language: Words(pattern.format(**_names(language, actor, title)))
                for language, pattern in MENTIONED.items()
            }
            notice = Notice(
                person, f"mention:{key}", "docs.mention", words, path_of(key), actor.user
            )
            await self._office.node.notify(tenant, notice)

    async def invalid(self, tenant: str, key: str, title: str, person: str, problem: str) -> None:
        """Tell somebody that what they wrote does not fit the schema; once a day at most."""
        nobody = Caller(tenant, "")
        words = {
            language: Words(
                pattern.format(**_names(language, nobody, title)),
                INVALID_TEXT[language].format(problem=problem[:200]),
            )
            for language, pattern in INVALID.items()
        }
        day = int(self._office.node.now() // 86_400)
        notice = Notice(
            person, f"invalid:{key}:{day}", "docs.invalid", words, path_of(key), mail=False
        )
        await self._office.node.notify(tenant, notice)


def path_of(key: str) -> str:
    """Return the path of a document's page."""
    return f"/docs/{key}"


def _names(language: str, actor: Caller, title: str) -> dict[str, str]:
    name = actor.name or SOMEBODY[language]
    if actor.guest:
        name = GUEST[language].format(name=name)
    return {"actor": straight(name), "title": straight(title) or UNTITLED[language]}


def _joined(message: str, text: str) -> str:
    return f"{message}\n\n{text}" if message else text
