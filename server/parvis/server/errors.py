"""What can go wrong in a node. Hooks and requests are turned down by `parvis.plugins.Refused`,
stores fail with `parvis.storage.StorageError`; the rest is this tree.

ServerError
├── StartRefused             worker.py: nothing starts until the operator changes something
├── SettingsInvalid          settings/: the settings cannot be used
├── CommandError             commands/: a `parvis …` command ends here
├── UnknownUser              operations.py: no account has this e-mail address
├── CannotExport             operations.py: the content does not exist in the wanted form
├── NotServing               operations.py: only a node that serves can do this
├── IdentityError            identity/, with a tree of its own
├── BackupError              backup/, with a tree of its own
├── SourceError              moving_in/: what is to be taken in cannot be read
├── DocumentBroken           moving_in/: one document of it cannot be read; the others can
├── Damaged                  moving_in/leveldb/: it is not what LevelDB writes, or not all of it
├── Fault                    api/: an answer of HTTP that is an error
├── Rejected                 mail/: a letter will never be taken
├── HelperStopped            ports.py: no result came from a helper process
│   ├── HelperDied           the input is not to be touched in this process
│   ├── HelperTimeout        the work took too long
│   └── HelperFailed         the work raised an exception
│       ├── HelperPanicked   in native code: the replica is not to be touched again
│       └── HelperMissing    no helper could be started; nothing is known about the input
├── CannotLoad               rooms/: a log could not be turned into a document
├── Broken                   rooms/: an update broke the document it was applied to
└── TakesLong                rooms/: a large document is to be made anew, elsewhere
"""


class ServerError(Exception):
    """Base of all errors of a node's own."""
