"""Texts of people, inside of others' sentences."""

from typing import Final

TURNING: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Embeddings, overrides and isolates (UAX #9 section 2): they turn around what stands behind.
Marks (U+200E, U+200F, U+061C), which only say how signs beside them are read, do not."""


def straight(text: str) -> str:
    """Return a text without the invisible signs that turn the words behind it around.

    For titles and names: ``Invoice \\u202efdp.exe`` would show as something else, and so would the
    rest of a sentence that it stands in.
    """
    return text.translate(TURNING)
