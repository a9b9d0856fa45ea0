"""What became of each item of a call: taken, held already, or refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from ulid import ULID

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "not_object": "the item is no object with the fields of an event",
        "unknown_type": "its type is neither track nor identify",
        "unknown_field": "it has a field that Lapse does not know",
        "name_missing": "the event has no name",
        "name_not_text": "the event's name is not text",
        "name_too_long": "the event's name is too long",
        "no_person": "neither user_id, anonymous_id nor contact_id says whose it is",
        "user_missing": "it has a previous_id, and no user_id whose it was",
        "id_not_text": "an id is not text",
        "id_too_long": "an id is too long",
        "timestamp_missing": "it has no timestamp, and here it needs one",
        "timestamp_invalid": "its timestamp is not ISO 8601",
        "timestamp_no_offset": "its timestamp does not say its offset from UTC",
        "timestamp_too_early": "its timestamp lies before 1970",
        "timestamp_in_future": "its timestamp lies ahead of now",
        "properties_not_object": "its properties or traits are not an object",
        "too_many_properties": "it has too many properties or traits",
        "too_deep": "its values stand too deep inside each other",
        "event_too_large": "it is too large",
        "key_not_text": "a key of an object is not text",
        "not_json": "a value has no counterpart in JSON",
        "integer_out_of_range": "an integer does not fit 64 bits",
        "not_finite": "a number is NaN, infinite or too large",
        "unknown_event": "no event type has its name, and the settings refuse such names",
        "erased": "an id it names is that of a person who was erased",
        "breaks_schema": "its properties are not what the schema of its event type takes",
        "nul": "a text holds a NUL character",
        "needs_server_key": "a key that may stand in web pages cannot say this; it takes one with more scopes",
        "lone_surrogate": "a text holds half a character",
        "not_utf8": "the text is not UTF-8",
        "invalid_json": "the text is not JSON",
        "unknown_shape": "no shape of the preset fits a record of a file",
        "bad_row": "a row of a CSV file does not fit its header",
        "broken_file": "the file is damaged and ends here",
    }
)
"""Every code a :class:`Rejection` may carry, with its meaning in plain words. Codes never change."""


NEEDS_SERVER_KEY: Final = "needs_server_key"
"""The code of what a key that may stand in web pages cannot say."""


@dataclass(slots=True)
class Accepted:
    """The item is stored. Not to be changed."""

    index: int
    """Its place in the call, from 0; in a file, its line, from 1."""
    public_id: bytes
    """The 16 bytes of the stored event's ULID."""
    historical: bool = False
    """Whether it counts as history: it starts no journey. An answer that is repeated does not say so."""
    withheld: tuple[str, ...] = ()
    """The traits that a key which may stand in web pages cannot set: the rest is stored, they are in quarantine. An
    answer that is repeated does not say so."""
    before_live: tuple[str, ...] = ()
    """The rules whose journeys it would start, had they been live at its time. An answer that is repeated does not say
    so."""
    status: Literal["accepted"] = "accepted"

    @property
    def id(self) -> str:
        """The id of the stored event: ``evt_`` and a ULID. Written only when asked for: a batch is large."""
        return "evt_" + str(ULID(self.public_id))


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An event with this ``message_id`` is held already; the first one stands."""

    index: int
    public_id: bytes
    """The 16 bytes of the ULID of the event that is held."""
    message_id: str
    conflict: bool = False
    """Whether this one says something else than the one held, and so is lost."""
    status: Literal["duplicate"] = "duplicate"

    @property
    def id(self) -> str:
        """The id of the event that is held: ``evt_`` and a ULID."""
        return "evt_" + str(ULID(self.public_id))


@dataclass(frozen=True, slots=True)
class Rejection:
    """The item is refused; nothing of it is stored."""

    index: int
    code: str
    """One of :data:`CODES`."""
    reason: str
    """What is wrong with this very item and what to do, for people."""
    field: str | None = None
    """The path of what is wrong, such as ``properties.items[2].price``, where it is one thing."""
    event: str | None = None
    """The event's name as it was sent, good or not."""
    status: Literal["rejected"] = "rejected"


Outcome = Accepted | Duplicate | Rejection
"""What became of one item."""


def plain_rejection(one: Rejection) -> dict[str, Any]:
    """A refused line of a file as plain data."""
    return {"line": one.index, "code": one.code, "reason": one.reason, "field": one.field}


def plain_conflict(one: Duplicate) -> dict[str, Any]:
    """A line of a file that is lost to another of its ``message_id``, as plain data."""
    return {"line": one.index, "message_id": one.message_id}


@dataclass(kw_only=True)
class LeftOut:
    """What of a file was not taken in. Indices are line numbers, from 1."""

    duplicates: int = 0
    """Lines whose ``message_id`` is held already, with the same content."""
    conflicts: list[Duplicate] = field(default_factory=list)
    """Lines whose ``message_id`` is held with other content, and so are lost."""
    rejected: list[Rejection] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.rejected and not self.conflicts

    def left_out(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "duplicates": self.duplicates,
            "conflicts": [plain_conflict(one) for one in self.conflicts],
            "rejected": [plain_rejection(one) for one in self.rejected],
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a call: one outcome for each item, in the order of the call."""

    outcomes: tuple[Outcome, ...]
    repeated: bool = False
    """Whether this is the answer to an earlier call under the same key, and this one was not carried out."""
    differs: bool = False
    """Whether that earlier call said something else."""

    @property
    def ids(self) -> list[str]:
        """The ids of the newly stored events, in the order of the call."""
        return [outcome.id for outcome in self.outcomes if isinstance(outcome, Accepted)]

    @property
    def stored(self) -> int:
        """How many events are newly stored."""
        return sum(isinstance(outcome, Accepted) for outcome in self.outcomes)

    @property
    def historical(self) -> int:
        """How many of these count as history, because the call says so or they were too old: they start no journey."""
        return sum(isinstance(outcome, Accepted) and outcome.historical for outcome in self.outcomes)

    @property
    def before_live(self) -> dict[str, int]:
        """By rule, how many of these would start its journeys, had they not happened before it went live."""
        accepted = (outcome for outcome in self.outcomes if isinstance(outcome, Accepted) and outcome.before_live)
        return dict(Counter(rule for outcome in accepted for rule in outcome.before_live))

    @property
    def duplicates(self) -> list[Duplicate]:
        """The items held already, conflicts included."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Duplicate)]

    @property
    def conflicts(self) -> list[Duplicate]:
        """The items whose ``message_id`` is held already with other content."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Duplicate) and outcome.conflict]

    @property
    def rejected(self) -> list[Rejection]:
        """The items refused, with their reasons."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Rejection)]

    @property
    def stored_whole(self) -> bool:
        """Whether nothing was refused, and nothing withheld of what is stored."""
        return not any(
            isinstance(one, Rejection) or (isinstance(one, Accepted) and one.withheld) for one in self.outcomes
        )

    @property
    def ok(self) -> bool:
        """Whether all that was sent is held: nothing was refused and no duplicate conflicts."""
        return not self.rejected and not self.conflicts
