"""What may be set about event types: the table ``[types]``."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field


class TypeSettings(BaseModel):
    """How names that no event type has are met, how schemas may change, and how large they may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unknown: Literal["accept", "refuse"] = Field(
        "accept",
        description="Events of a name that no type has: `accept` makes a type of the name, `refuse` refuses the event.",
    )
    changes: Literal["events", "schema"] = Field(
        "events",
        description="What a new schema must go on taking: `events`, every stored event, and the comparison with the "
        "old schema only warns; `schema`, also all that the old schema took, as far as the two can be compared.",
    )
    description_length: int = Field(1_000, ge=1, description="Characters of a type's description.")
    schema_bytes: int = Field(64 * 1024, ge=2, description="Bytes of a schema as compact JSON in UTF-8.")
    schema_depth: int = Field(
        32, ge=1, le=100, description="Objects and lists inside each other; the schema itself is the first level."
    )
    schema_pattern: int = Field(500, ge=1, description="Characters of a regular expression inside a schema.")
    schema_work: int = Field(
        256,
        ge=1,
        description="How many schemas inside a schema may ask about one and the same value, references followed; each "
        "value of an `enum` that is not of texts alone counts as four. With the size of an event this bounds the work "
        "of checking one.",
    )


TYPE_SETTINGS: Final = TypeSettings()
"""The settings that hold unless others are given."""
