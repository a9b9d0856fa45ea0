"""Everything Lapse raises on purpose.

    LapseError
    ├── ConfigError      settings that cannot be used
    ├── InputFileError   a file of events that cannot be read at all
    ├── ImportMoved      a part of a file that is not the next one
    ├── RefusedError     one piece of input that is not taken, with a stable code
    └── EventTypeError   an event type that cannot be made, changed or removed as asked

Bad events in a call or a file are not raised: they are reported, one by one, beside those that were taken.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final


class LapseError(Exception):
    """The root of all errors Lapse raises on purpose; its text says what to do next."""


class ConfigError(LapseError):
    """Settings from the environment, ``lapse.toml`` or a call that cannot be used; names each of them."""


class InputFileError(LapseError):
    """A file of events that cannot be read at all: absent, or its header names no usable columns."""


class RefusedError(LapseError):
    """A piece of input that is not taken.

    ``code`` is stable and one of :data:`engine.model.CODES`; ``reason`` is for people; ``field`` is the path
    of what is wrong, such as ``properties.items[2].price``, or None.
    """

    def __init__(self, code: str, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.field = field


class StoreError(LapseError):
    """The database cannot be opened, read or written as asked."""


class StoreLocked(StoreError):  # noqa: N818
    """Another daemon works on this database. ``holder`` is its process id, where it could be read."""

    def __init__(self, text: str, holder: int | None = None) -> None:
        super().__init__(text)
        self.holder = holder


class StoreUnavailable(StoreError):  # noqa: N818
    """The database cannot be used just now: nothing of the call is stored, and the same call may succeed later.

    ``reason`` is SQLite's name of it, such as ``SQLITE_FULL``; or, of a file that was taken away, ``FILE_MOVED``,
    ``FILE_REPLACED``, ``FILE_LINKED`` or ``FILE_EMPTIED``.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason

    @property
    def is_of_disk(self) -> bool:
        """Whether its disk has no room, or fails: what was to be done may be done once it has, with no new start."""
        return self.reason.startswith(("SQLITE_FULL", "SQLITE_IOERR"))


class ImportMoved(LapseError):  # noqa: N818
    """A file that comes in parts has come further than its sender believes, or is complete. Nothing was taken in."""


class EventTypeError(LapseError):
    """An event type that cannot be made, changed or removed as asked. Nothing has changed."""


class UnknownType(EventTypeError):  # noqa: N818
    """The workspace has no event type of this id or name."""


class TypeExists(EventTypeError):  # noqa: N818
    """The name is another event type's already."""


class TypeInUse(EventTypeError):  # noqa: N818
    """Events of the type are stored, or live rules name it. ``rules`` are those rules' ids."""

    def __init__(self, text: str, rules: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.rules = rules


class Predefined(EventTypeError):  # noqa: N818
    """The event type came with Lapse: it keeps its name, and stays."""


class BadSchema(EventTypeError):  # noqa: N818
    """What was given is no JSON Schema, or one that Lapse does not take."""


class NotForObjects(BadSchema):
    """A schema that no properties can satisfy, because they are an object and it is of something else."""


class Incompatible(EventTypeError):  # noqa: N818
    """A schema that refuses what its type took before.

    ``reason`` says what. ``example`` are properties that were taken and would be refused now, or None; ``event`` is
    the id of the stored event they are of, or None.
    """

    def __init__(self, reason: str, example: dict[str, Any] | None = None, event: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.example = example
        self.event = event


ALIKE: Final = 0.6
"""How alike two names are, of 1, before one counts as a slip of the other."""


def nearly(name: str, known: Iterable[str], alike: float = ALIKE) -> str | None:
    """Return which of the ``known`` names a name nearly is, if any."""
    return next(iter(difflib.get_close_matches(name, list(known), 1, alike)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to do about a name that is none of those known: which of them is nearly it, else ``otherwise``."""
    near = nearly(name, known)
    return otherwise if near is None else f"did you mean '{near}'?"
