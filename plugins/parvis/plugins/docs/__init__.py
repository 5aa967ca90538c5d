"""Documents: rich text that people write together, with comments, history and sharing."""

from .room_type import Docs
from .settings import DocsSettings

__all__ = ["Docs", "DocsSettings"]
