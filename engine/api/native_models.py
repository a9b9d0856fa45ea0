"""What the native API takes and gives, as OpenAPI tells it. Requests are judged by the engine, not by these."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engine.access import SPELLINGS, Role


class Stored(BaseModel):
    """The item is stored, or was before."""

    index: int
    status: Literal["accepted", "duplicate"]
    id: str
    conflict: bool = Field(False, description="Whether it says something else than the one that is held.")
    withheld: list[str] = Field(
        default_factory=list, description="Traits that a key which may stand in web pages cannot set."
    )
    historical: bool = Field(False, description="Whether it counts as history, and so starts no journey.")
    before_live: list[str] = Field(
        default_factory=list, description="Rules whose journeys it would start, had they been live at its time."
    )


class NotStored(BaseModel):
    """The item is refused."""

    index: int
    status: Literal["rejected"]
    code: str
    reason: str
    field: str | None


class BatchAnswer(BaseModel):
    """What became of each item, in order."""

    accepted: int
    duplicates: int
    rejected: int
    outcomes: list[Stored | NotStored]


class EventShown(BaseModel):
    id: str
    person: str = Field(description="The user id, else the anonymous id, else a contact.")
    event: str
    at: str
    received_at: str
    source: str
    historical: bool
    message_id: str | None
    caused_by: list[str]
    properties: dict[str, Any]


class EventsShown(BaseModel):
    events: list[EventShown]
    after: str | None = Field(description="What to ask the next page with; null where there is none.")


class EventCountShown(BaseModel):
    start: str
    event: str
    times: int


class EventCountsShown(BaseModel):
    counts: list[EventCountShown]


class Identifier(BaseModel):
    kind: Literal["user", "anonymous", "contact"]
    value: str


class TimelineEntry(BaseModel):
    at: str
    event: str = Field(description="Empty for a change of attributes.")
    properties: dict[str, Any]


class ActionShown(BaseModel):
    action: str
    at: str
    status: str


class PersonJourney(BaseModel):
    rule: str
    removed: bool = Field(description="Whether the rule is live no more.")
    start: str | None
    ended_at: str | None
    due_at: str | None
    goal_at: str | None
    reason: str | None
    held_out: bool
    actions: list[ActionShown]


class UnstartedShown(BaseModel):
    """Why the latest trigger of a rule that a person has started no journey."""

    rule: str
    event: str
    at: str
    reason: Literal["before_live", "too_old"]


class PersonShown(BaseModel):
    identifiers: list[Identifier]
    attributes: dict[str, Any]
    timeline: list[TimelineEntry]
    journeys: list[PersonJourney]
    unstarted: list[UnstartedShown] = Field(description="Rules whose triggers the person has, and that started none.")


class MisreadingShown(BaseModel):
    """A field whose value was of another kind than a rule asks for, so that what it asks was false."""

    field: str
    kind: Literal["text_and_number", "unreadable_date", "unknown_zone"]
    times: int = Field(description="Decisions that met it.")


class FaultShown(BaseModel):
    """An error for which people are set aside."""

    error: str = Field(description="Its kind and place.")
    stage: str = Field(description="`decide`, `seal`, `claim` or `record`.")
    people: int
    since: str
    next_at: str | None = Field(description="When the first of them is tried again; null while the rule is paused.")
    examples: list[str] = Field(description="A few of them, by their ids.")


class RuleShown(BaseModel):
    """A live rule and what it has done: started = acted + ended + waiting."""

    rule: str
    title: str | None
    paused: bool
    paused_since: str | None
    paused_why: str | None
    started: int
    acted: int = Field(description="Journeys that acted, or would have in the holdout.")
    ended: int = Field(description="Journeys that ended without acting.")
    waiting: int
    exited: int = Field(description="Journeys that left by an exit.")
    people: int = Field(description="People acted on.")
    goal: bool = Field(description="Whether it has a goal.")
    converted: int = Field(description="Journeys that acted and reached the goal, the holdout apart.")
    conversion_rate: float | None = Field(description="Their share, of 1.")
    held_out: int = Field(description="Journeys of the holdout.")
    held_out_acted: int = Field(description="Journeys of the holdout that would have acted.")
    held_out_converted: int = Field(description="Journeys of the holdout that would have acted and reached the goal.")
    held_out_rate: float | None = Field(description="Their share, of 1.")
    uplift: float | None = Field(description="By how many percentage points the first share is above the second.")
    delivered: int = Field(description="Actions that were sent.")
    failed: int = Field(description="Actions that failed: to be tried again, dead or parked.")
    suppressed: int = Field(description="Actions that were kept from leaving.")
    outbox: dict[str, int] = Field(description="Actions by state.")
    suppressed_by: dict[str, int] = Field(description="Actions that were kept from leaving, by reason.")
    notes: dict[str, int]
    misread: list[MisreadingShown] = Field(description="Values of another kind than the rule asks for.")
    set_aside: int = Field(description="People for whom the rule fails; they are tried again, all others go on.")
    faults: list[FaultShown] = Field(description="Why they are set aside, the most people first.")


class RuleText(BaseModel):
    rule: str
    title: str | None
    text: str = Field(description="The rule as it is live, in its canonical form.")


class RulesShown(BaseModel):
    rules: list[RuleShown]


class JourneyShown(BaseModel):
    rule: str
    person: str
    started_at: str
    due_at: str | None
    ended_at: str | None
    acted_at: str | None
    goal_at: str | None
    reason: str | None
    held_out: bool


class JourneysShown(BaseModel):
    journeys: list[JourneyShown]
    after: str | None


_GRANTS: Final[list[JsonValue]] = [
    {"required": ["role"], "properties": {"role": {"type": "string"}}},
    {"required": ["scopes"], "properties": {"scopes": {"type": "array", "minItems": 1}}},
]


class NewKey(BaseModel):
    """What a key may do comes from its role, its scopes, or both."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"anyOf": _GRANTS})

    role: Role | None = None
    scopes: list[Annotated[str, Field(json_schema_extra={"enum": sorted(SPELLINGS)})]] | None = None
    name: str | None = Field(None, max_length=200)
    expires_at: str | None = Field(
        None, description="ISO 8601 with an offset, still to come.", json_schema_extra={"format": "date-time"}
    )


class KeyShown(BaseModel):
    id: str
    name: str | None
    role: Role | None
    scopes: list[str] = Field(description="What it may do beside what its role grants.")
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class KeyMade(KeyShown):
    key: str = Field(description="The key itself. It cannot be had again.")


class KeysShown(BaseModel):
    keys: list[KeyShown]
