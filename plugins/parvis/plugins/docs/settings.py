"""``[rooms.docs]``: what an administrator may decide about documents."""

from dataclasses import dataclass

__all__ = ["DocsSettings"]


@dataclass(frozen=True, slots=True)
class DocsSettings:
    """``[rooms.docs]``.

    Attributes:
        max_upload: Bytes of an image, or of a file to import.
        max_files: Bytes of all images of one document together.
        editors_share: Whether editors may share a new document; its owner can change that.
        history_pause: Seconds without a change after which the history begins a new entry.
        index_pause: Seconds after a change before the search knows it; 0: at once.
        guest_hours: How long somebody without an account may stay before the link is asked again.
    """

    max_upload: int = 20 * 1024 * 1024
    max_files: int = 1024 * 1024 * 1024
    editors_share: bool = True
    history_pause: float = 300.0
    index_pause: float = 4.0
    guest_hours: float = 12.0
