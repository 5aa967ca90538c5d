"""Notices: what a person should know of, kept, shown in the app, and mailed if it is not read."""

from .keeping import START, Notices, Signals
from .rows import Kept

__all__ = ["START", "Kept", "Notices", "Signals"]
