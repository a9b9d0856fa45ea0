"""Rows as the store takes and gives them. The columns are those of :mod:`engine.store.schema`.

Moments are microseconds UTC, booleans 0 and 1, JSON is text.
"""

from __future__ import annotations

from typing import NamedTuple


class NewEvent(NamedTuple):
    """An event to store, with its type by row: just what the insert binds, so that nothing is copied for it."""

    workspace_id: int
    public_id: bytes
    person_id: int
    type_id: int
    at: int
    received_at: int
    source: str
    historical: int
    message_id: str | None
    cause: str | None
    properties: str


class EventRow(NamedTuple):
    """An event that is stored, with its type by name."""

    id: int
    public_id: bytes
    person_id: int
    name: str
    at: int
    received_at: int
    source: str
    historical: int
    message_id: str | None
    cause: str | None
    properties: str


class ChangeRow(NamedTuple):
    """A change of attributes. ``known``: it came with a user id. ``id`` is the store's to give.

    ``place`` is that of the ``set`` it comes from among the steps of its rule, from 1 on. ``page``: it came with a key
    that may stand in web pages.
    """

    id: int
    public_id: bytes
    person_id: int
    at: int
    received_at: int
    source: str
    historical: int
    known: int
    cause: str | None
    properties: str
    message_id: str | None = None
    place: int = 0
    page: int = 0


class JourneyRow(NamedTuple):
    """A journey; it waits exactly when ``ended_at`` is None."""

    id: int
    workspace_id: int
    rule: int
    version: str
    person_id: int
    value: str
    trigger_key: str
    first_at: int
    start: int
    decided_at: int
    due_at: int | None
    ended_at: int | None
    reason: str | None
    acted_at: int | None
    left_at: int | None
    held_out: int
    goal_at: int | None
    limit_values: str
    state: str


class WatchRow(NamedTuple):
    """When to look next at a person under a rule. ``id`` 0: not in the store yet; ``followed`` -1: not at all yet."""

    id: int
    workspace_id: int
    rule: int
    person_id: int
    due_at: int | None
    followed: int
    state: str


class OutboxRow(NamedTuple):
    """An action on its way. ``due_at``: when it may be taken up next, or when the claim on it is over."""

    id: int
    workspace_id: int
    key: str
    journey_id: int
    rule: int
    person_id: int
    step: str
    name: str
    template: str | None
    moment: int
    due_at: int
    status: str
    reason: str | None
    attempts: int
    left_at: int | None
    error: str | None
    causes: str
    variables: str
    created_at: int
    purpose: str = "marketing"
    tags: str = "[]"
    channel: str | None = None
    recipient: str | None = None
    body: bytes | None = None
    redriven_at: int | None = None
    sealed_as: str | None = None


class ActedRow(NamedTuple):
    """A journey that acted, for limits."""

    person_id: int
    rule: int
    acted_at: int
    trigger_key: str
    start: int
    limit_values: str


class RuleRow(NamedTuple):
    """A rule ever loaded. ``version`` and ``opening`` are digests, ``pauses`` a JSON list of [from, to or null].

    ``worked_to``: its schedule's occurrences up to then have been worked through.
    """

    id: int
    workspace_id: int
    rule_id: str
    version: str
    opening: str
    live_at: int | None
    opened_at: int | None
    removed_at: int | None
    pauses: str
    worked_to: int | None = None


class Holder(NamedTuple):
    """Who holds an idempotency key."""

    digest: bytes
    public_id: bytes


class Shown(NamedTuple):
    """An event as the read face shows it."""

    public_id: bytes
    person_id: int
    person_public_id: bytes
    name: str
    at: int
    received_at: int
    source: str
    historical: int
    message_id: str | None
    cause: str | None
    properties: str


class Stretch(NamedTuple):
    """A stretch of time, its end left out, in which the local clock is ``ahead`` of UTC by the same length."""

    since: int
    until: int
    ahead: int


class Bucket(NamedTuple):
    """How often an event came about in the hour, day or week that begins at ``start``."""

    start: int
    name: str
    times: int


class Tally(NamedTuple):
    """What became of a rule's journeys: started = acted + ended + waiting.

    Of all of them, ``exited`` left by an exit and ``held_out`` are of the holdout; of those that reached the goal, or
    acted, some are of the holdout too.
    """

    started: int = 0
    acted: int = 0
    ended: int = 0
    waiting: int = 0
    people: int = 0
    held_out: int = 0
    goals: int = 0
    exited: int = 0
    held_out_acted: int = 0
    held_out_goals: int = 0
