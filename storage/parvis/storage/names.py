"""Names in order: prefixes as ranges of names, which treat ``%`` and ``_`` like any letter."""


def end_of_prefix(prefix: str) -> str | None:
    """Return the first name, in code point order, after all that start with a prefix.

    None if there is no such name: for the empty prefix, and one of U+10FFFF only.
    """
    for place in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[place])
        if point == 0x10FFFF:
            continue
        following = 0xE000 if point == 0xD7FF else point + 1  # surrogates are no characters
        return prefix[:place] + chr(following)
    return None
