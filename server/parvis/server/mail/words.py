"""What the node's own letters say, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from .letters import Action, Letter

LANGUAGES: Final = ("en", "fr")
OTHERWISE: Final = "en"
"""For people who have not said what they read."""

Kind = Literal["invitation", "reset", "changed", "notice", "notices", "test"]


@dataclass(frozen=True, slots=True)
class Wording:
    """A kind of letter in one language; ``{name}`` in braces is filled in."""

    subject: str
    paragraphs: tuple[str, ...] = ()
    label: str = ""
    foot: tuple[str, ...] = ()


WORDS: Final[Mapping[Kind, Mapping[str, Wording]]] = {
    "invitation": {
        "en": Wording(
            "{inviter} invites you to Parvis",
            (
                "Hello,",
                "{inviter} invites you to work together at {base}.",
                "Make your account with the link below. It works once, for {days} days.",
            ),
            "Make my account",
            ("If you do not know who this is, you need not do anything.",),
        ),
        "fr": Wording(
            "{inviter} vous invite sur Parvis",
            (
                "Bonjour,",
                "{inviter} vous invite à travailler ensemble sur {base}.",
                "Créez votre compte avec le lien ci-dessous. Il fonctionne une seule fois,"
                " pendant {days} jours.",
            ),
            "Créer mon compte",
            ("Si vous ne savez pas de qui il s’agit, vous n’avez rien à faire.",),
        ),
    },
    "reset": {
        "en": Wording(
            "Choose a new password",
            (
                "Hello {name},",
                "somebody, probably you, said that you have forgotten your password for {base}.",
                "Choose a new one with the link below. It works once, for one hour.",
            ),
            "Choose a new password",
            ("If it was not you, you need not do anything: your password stays as it is.",),
        ),
        "fr": Wording(
            "Choisissez un nouveau mot de passe",
            (
                "Bonjour {name},",
                "quelqu’un, sans doute vous, a signalé l’oubli de votre mot de passe pour {base}.",
                "Choisissez-en un nouveau avec le lien ci-dessous. Il fonctionne une seule fois,"
                " pendant une heure.",
            ),
            "Choisir un nouveau mot de passe",
            (
                "Si ce n’était pas vous, vous n’avez rien à faire\u00a0: votre mot de passe ne"
                " change pas.",
            ),
        ),
    },
    "changed": {
        "en": Wording(
            "Your password was changed",
            (
                "Hello {name},",
                "the password of your account at {base} was changed a moment ago."
                " Everybody who was signed in with the old one has been signed out.",
                "If it was not you, choose a new one now, and tell your administrator.",
            ),
            "I have forgotten my password",
            ("You get this letter whenever your password changes.",),
        ),
        "fr": Wording(
            "Votre mot de passe a été changé",
            (
                "Bonjour {name},",
                "le mot de passe de votre compte sur {base} vient d’être changé."
                " Toutes les connexions ouvertes avec l’ancien ont été fermées.",
                "Si ce n’était pas vous, choisissez-en un nouveau maintenant et prévenez votre"
                " administrateur.",
            ),
            "J’ai oublié mon mot de passe",
            ("Vous recevez cette lettre chaque fois que votre mot de passe change.",),
        ),
    },
    "notice": {
        "en": Wording(
            "{subject}",
            ("{text}",),
            "Open",
            ("You get this because you have an account at {base} and have not read it there yet.",),
        ),
        "fr": Wording(
            "{subject}",
            ("{text}",),
            "Ouvrir",
            (
                "Vous recevez ceci parce que vous avez un compte sur {base} et ne l’y avez pas"
                " encore lu.",
            ),
        ),
    },
    "notices": {
        "en": Wording(
            "{count} things you have not read yet",
            ("Hello {name},",),
            "Open",
            ("You get this because you have an account at {base} and have not read it there yet.",),
        ),
        "fr": Wording(
            "{count} nouvelles que vous n’avez pas encore lues",
            ("Bonjour {name},",),
            "Ouvrir",
            (
                "Vous recevez ceci parce que vous avez un compte sur {base} et ne l’y avez pas"
                " encore lu.",
            ),
        ),
    },
    "test": {
        "en": Wording(
            "A letter from Parvis",
            ("Letters from Parvis at {base} reach you.",),
            "Open Parvis",
            ("The operator asked for this letter with parvis mail test.",),
        ),
        "fr": Wording(
            "Une lettre de Parvis",
            ("Les lettres de Parvis sur {base} vous parviennent.",),
            "Ouvrir Parvis",
            ("L’opérateur a demandé cette lettre avec parvis mail test.",),
        ),
    },
}


def spoken(language: str) -> str:
    """Return the language of a letter to somebody who reads `language`."""
    return language if language in LANGUAGES else OTHERWISE


def letter(kind: Kind, to: str, language: str, url: str, **facts: object) -> Letter:
    """Return a letter of the node's own.

    Args:
        language: Of the receiver; may be empty.
        url: What its button opens; empty: it has none.
        facts: What stands in braces in its words.
    """
    language = spoken(language)
    words = WORDS[kind][language]
    paragraphs = tuple(filled for each in words.paragraphs if (filled := each.format(**facts)))
    return Letter(
        to,
        language,
        words.subject.format(**facts),
        paragraphs,
        (Action(words.label, url),) if url else (),
        tuple(each.format(**facts) for each in words.foot),
    )
