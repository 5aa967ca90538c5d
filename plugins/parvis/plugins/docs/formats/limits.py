"""How much a converter takes."""


class TooLarge(ValueError):
    """There is more of something than a converter takes; the text says of what."""
