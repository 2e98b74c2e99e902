"""Every exception that Tunebreeder raises on purpose.

::

    TunebreederError
    ├── UserError            the text is safe to show, says what, where and what to do
    │   ├── NotFoundError    the run, round or clip that was asked for is not there (any more)
    │   ├── BusyError        somebody else holds it, or a cap is reached: try again later
    │   ├── ForbiddenError   this person may not do this
    │   ├── UsageError       an argument of a command is wrong
    │   ├── UploadError      a file that somebody sent cannot be listened to; names what is wrong with it
    │   └── DescriptionError a piece of music is described that cannot be; names the place
    ├── ConfigError          a setting is unknown or wrong; names it and the nearest right one
    ├── PromptError          a template or vocabulary file is wrong
    ├── LanguageModelError   no usable answer from a language model
    │   ├── UnreachableError the server is down, too slow or refuses; later it may work
    │   └── OverBudgetError  a server's budget or rate for today is used up
    ├── GenerationError      a generator cannot work at all (one failed clip is a value instead)
    │   └── NoRoomError      a batch does not fit into memory; half of it may
    ├── ScoringError         audio or an embedding cannot be scored
    └── StorageError         the database or the audio store cannot do what was asked
        ├── ClosedError      the bot is ending: nothing more can be saved until it is back
        ├── CorruptError     the file is damaged
        ├── DiskFullError    no room left
        └── MigrationError   the file is of a schema that this version cannot open
"""

from enum import StrEnum


class TunebreederError(Exception):
    """Root of the tree."""


class UserError(TunebreederError):
    """A sentence for the person who asked."""


class NotFoundError(UserError):
    """What was asked for is not there (any more)."""


class BusyError(UserError):
    """Held by somebody else or over a cap; later it may work."""


class ForbiddenError(UserError):
    """This person may not do this."""


class UsageError(UserError):
    """An argument of a command is out of range or does not exist."""


class UploadFault(StrEnum):
    """What is wrong with a file that somebody sent."""

    WRONG_TYPE = "wrong_type"
    CORRUPT = "corrupt"
    TOO_BIG = "too_big"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    SILENT = "silent"


class UploadError(UserError):
    """A file that somebody sent cannot be listened to.

    Args:
        fault: What is wrong.
        message: The sentence for the person who sent it.
    """

    def __init__(self, fault: UploadFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class DescriptionError(UserError):
    """A description, or a part of one, says something that cannot be played.

    Args:
        where: The place, such as ``"bars[3].chords"``.
        what: What is wrong and what would be right.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class ConfigError(TunebreederError):
    """A setting is unknown or has a wrong value."""


class PromptError(TunebreederError):
    """A template or vocabulary file is wrong."""


class LanguageModelError(TunebreederError):
    """No usable answer came from a language model. The text is safe to show and names no key."""


class UnreachableError(LanguageModelError):
    """The server is down, too slow, busy or refuses the key or the request."""


class OverBudgetError(LanguageModelError):
    """What a guild may spend or ask in its time is used up; says when that changes."""


class GenerationError(TunebreederError):
    """A generator cannot work at all."""


class NoRoomError(GenerationError):
    """A batch does not fit into the memory of the device; a smaller one may."""


class ScoringError(TunebreederError):
    """Audio or an embedding cannot be scored."""


class StorageError(TunebreederError):
    """The database or the audio store cannot do what was asked."""


class ClosedError(StorageError):
    """The database has been closed, because the bot is ending."""


class CorruptError(StorageError):
    """The file is damaged."""


class DiskFullError(StorageError):
    """There is no room left on the disk."""


class MigrationError(StorageError):
    """The database has a schema that this version cannot open."""
