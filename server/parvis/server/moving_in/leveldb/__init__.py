"""A reader of LevelDB's folders, which changes nothing in them and takes no lock.

LevelDB's own library cannot open a folder without writing to it. Here only what a program left
behind is read: the newest value of each key. All checksums are verified. The format is that of
LevelDB's ``doc/table_format.md``, ``doc/log_format.md`` and ``doc/impl.md``; see
docs/decisions/0019.
"""

from .checks import Damaged
from .folder import Folder

__all__ = ["Damaged", "Folder"]
