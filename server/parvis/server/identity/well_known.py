"""Passwords that are tried first: well-known words, keyboard walks, repetitions, one's own name.

The list beside this file holds the words that the published breaches have most often in them, and
short combinations of them; it is small, because nearly every long password in those lists is such
a word with digits, repeated, or walked on the keyboard, and that is judged by rule.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

ROWS: Final = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertzuiop",
    "yxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8i9j0",
)
LEET: Final = str.maketrans("@4831!05$7+", "aabeiiosstt")

FRESH: Final = 5
"""Characters that must be left when everything well known is taken out of a password."""

FREE_DIGITS: Final = 6
"""Digits beside a word that count for nothing: a year, a date of birth."""


@cache
def words() -> frozenset[str]:
    """Return the list, in lower case."""
    text = (files("parvis.server.identity") / "well_known.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def why_well_known(password: str, *about: str) -> str | None:
    """Say why a password would be guessed at once, or None.

    Args:
        password: Normalised.
        about: E-mail address and name of the person; their pieces count as well known.
    """
    plain = password.casefold()
    if re.fullmatch(r"(.{1,5}?)\1+.{0,4}", plain, re.DOTALL):
        return "is a short piece repeated"
    own = {
        piece for text in about for piece in re.split(r"[^\w]+", text.casefold()) if len(piece) > 2
    }
    for spelling in (plain, plain.translate(LEET)):
        if len(_without_walks(spelling)) < FRESH:
            return "is a walk on the keyboard"
        if len(_without(spelling, words())) < FRESH:
            return "is made of well-known words"
        if own and len(_without(spelling, own | words())) < FRESH:
            return "is made of your own name or address"
    return None


def _without(text: str, known: frozenset[str] | set[str]) -> str:
    """Take known words out, the longest first, then signs and a date's worth of digits."""
    for word in sorted((word for word in known if word in text), key=len, reverse=True):
        text = text.replace(word, " ")
    digits = sum(character.isdecimal() for character in text)
    return re.sub(r"[\W\d_]+", "", text) + "0" * max(0, digits - FREE_DIGITS)


def _without_walks(text: str) -> str:
    """Take out stretches of four or more keys that lie side by side, in either direction."""
    for row in ROWS:
        for walk in (row + row, (row + row)[::-1]):
            start = 0
            while start + 4 <= len(text):
                length = 4
                if text[start : start + length] not in walk:
                    start += 1
                    continue
                while start + length < len(text) and text[start : start + length + 1] in walk:
                    length += 1
                text = text[:start] + text[start + length :]
    return re.sub(r"[\W_]+", "", text)
