"""A journey: one run of a rule for one person from one trigger, standing at one step.

What is kept of it is a cache: all of it follows from the person's timeline, the rule, and what has left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import orjson

from engine.journeys.conditions import EVENTS, Entry, Point, Scene

Reason = Literal[
    "finished", "false", "exit", "only_while", "limited", "no_date", "overtaken", "replaced", "inactive",
    "merged", "rule_removed", "erased",
]  # fmt: skip

Taken = Literal[
    "pending", "left", "held_out", "skipped_late", "skipped_history", "no_recipient", "date_passed", "suppressed",
]  # fmt: skip
"""What became of an effect. The first three are actions that count; the others were not taken.

``suppressed``: what does not follow from the rule spoke against it when it was about to leave, such as consent.
"""

ACTED: frozenset[Taken] = frozenset(("pending", "left", "held_out"))
FINAL: frozenset[Taken] = frozenset(("left", "held_out"))
CLOSED: frozenset[Reason] = frozenset(("rule_removed", "erased", "merged"))


FORMAT = 2
"""The version of what :func:`dump` writes. What names none is of the first, which only lacks what came later."""
_READABLE = (None, FORMAT)


class StateError(ValueError):
    """Cached state that is spoiled, or of a version that is not known: it follows from the timeline anew."""


class Recorded(NamedTuple):
    """What is on record of an effect: what became of it, when it left, until when it is held, its journey's row."""

    taken: Taken
    left_at: int | None
    held: int | None
    journey: int


@dataclass(slots=True)
class Effect:
    """An effect a journey came to. Not to be changed.

    ``moment`` is when its step was reached, ``leave`` when quiet hours let it go.
    ``known`` is the latest arrival of the events that decided it: lateness is never counted from before.
    ``after`` is the entry of the next step, from which a journey goes on when later decisions are taken again.
    ``held`` is when the first quiet hours ended that held it, where they came between its moment and its leaving.
    ``scene`` is what its step saw, earlier effects of the journey included; only the call that decided it knows it.
    """

    place: int
    step: str
    key: str
    moment: int
    leave: int
    known: int
    after: Entry
    taken: Taken
    gate: tuple[int, Entry] | None = None
    not_after: int | None = None
    left_at: int | None = None
    held: int | None = None
    scene: Scene | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Journey:
    """``trigger`` is the id of the trigger event (empty for a moment); times are microseconds UTC.

    ``version`` is the digest of the rule's version it runs on, ``first_at`` its first trigger before restarts
    moved it, ``place`` the instruction it stands at, ``gate`` the last gate it passed, ``due`` the next moment
    at which it may go on without another event.
    """

    version: str
    value: str
    trigger: str
    first_at: int
    start: int
    entry: Entry
    row: int | None = None
    limit_values: tuple[str, ...] = ()
    """The trigger's value of each ``Limit: once per FIELD``, in their order."""
    place: int = 0
    gate: tuple[int, Entry] | None = None
    opened: int | None = None
    """When it passed its opening Conditions: the exits that follow from them count from then on."""
    waited: int | None = None
    """When a wait of it last ended, where that is the instant at which its step was entered."""
    not_after: int | None = None
    effects: list[Effect] = field(default_factory=list)
    ended_at: int | None = None
    reason: Reason | None = None
    held_out: bool = False
    goal_at: int | None = None
    late_after_fire: bool = False
    due: int | None = None
    refused: tuple[str, int] | None = None
    """The key of the action because of which it ended as that was about to leave, and when that was asked."""
    spoiled: bool = False
    """Its state could not be read: only what stands in columns of its own is known."""
    fixed: bool = False
    """Set while journeys are decided again: it stands as it is."""

    @property
    def waiting(self) -> bool:
        return self.ended_at is None

    @property
    def acted(self) -> bool:
        """Whether an action left or is about to."""
        return any(effect.taken in ACTED for effect in self.effects)

    @property
    def acted_at(self) -> int | None:
        """When the first action left, or would have."""
        return min((one.left_at for one in self.effects if one.left_at is not None), default=None)

    @property
    def left_at(self) -> int | None:
        """When the last action left."""
        return max((one.left_at for one in self.effects if one.left_at is not None), default=None)

    @property
    def decided_at(self) -> int:
        """The latest moment anything was decided."""
        moments = [self.start, self.entry.point[0], *(effect.leave for effect in self.effects)]
        return max(*moments, self.ended_at or 0)

    def enter(self, place: int, point: Point, events: frozenset[str] = frozenset()) -> None:
        """Go to another step; events that led there stay out of the windows that open at their instant."""
        kept = self.entry.left_out if point[0] == self.entry.point[0] else frozenset()
        self.place, self.entry = place, Entry(point, kept | events)

    def went_on(self, at: int) -> bool:
        """Return whether an action or a wait of the journey ended at ``at``, so that its time of day is used up."""
        return self.waited == at or any(effect.leave == at for effect in self.effects)

    def end(self, at: int, reason: Reason) -> None:
        self.ended_at, self.reason, self.due = max(at, self.start), reason, None

    def hold(self, held: Mapping[str, int]) -> None:
        """Remember when what first held effects ended, by their keys: it is no decision that could be taken again."""
        if held:
            self.effects = [replace(one, held=held.get(one.key, one.held)) for one in self.effects]

    def back_to_last_left(self) -> None:
        """Forget every decision after the last action that left."""
        last = max(index for index, effect in enumerate(self.effects) if effect.taken in FINAL)
        effect = self.effects[last]
        self.effects = self.effects[: last + 1]
        self.place, self.entry = effect.place + 1, effect.after
        self.gate, self.not_after, self.waited = effect.gate, effect.not_after, None
        self.ended_at = self.reason = None

    def copy(self) -> Journey:
        return replace(self, effects=list(self.effects), fixed=False)


# ---------------------------------------------------------------------------------------------- codec


def dump(journey: Journey) -> str:
    """What of a journey has no column of its own, as JSON; empty for one that has just begun to wait."""
    state: dict[str, Any] = {}
    if journey.place:
        state["place"] = journey.place
    if journey.entry.point != (journey.start, EVENTS):
        state["point"] = journey.entry.point
    if journey.entry.left_out:
        state["out"] = sorted(journey.entry.left_out)
    if journey.gate is not None:
        state["gate"] = (journey.gate[0], *_entry(journey.gate[1]))
    if journey.opened is not None:
        state["opened"] = journey.opened
    if journey.waiting and journey.waited is not None and journey.waited == journey.entry.point[0]:
        state["waited"] = True
    if journey.not_after is not None:
        state["not_after"] = journey.not_after
    if journey.effects:
        state["effects"] = [_effect(one) for one in journey.effects]
    if journey.limit_values:
        state["limits"] = journey.limit_values
    if journey.late_after_fire:
        state["late_after_fire"] = True
    if journey.refused is not None:
        state["refused"] = journey.refused
    return orjson.dumps({"v": FORMAT, **state}).decode() if state else ""


def restore(journey: Journey, text: str) -> Journey:
    """``journey`` with what :func:`dump` wrote. Raises StateError for anything else."""
    if not text:
        return journey
    try:
        return _restored(journey, orjson.loads(text))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise StateError(type(error).__name__) from error


def _restored(journey: Journey, state: Any) -> Journey:
    if type(state) is not dict or state.get("v") not in _READABLE:
        raise StateError("another format")
    journey.place = state.get("place", 0)
    point = tuple(state["point"]) if "point" in state else (journey.start, EVENTS)
    journey.entry = Entry(point, frozenset(state.get("out", ())))
    if "gate" in state:
        place, *entry = state["gate"]
        journey.gate = (place, _read_entry(entry))
    journey.opened = state.get("opened")
    journey.waited = journey.entry.point[0] if "waited" in state else None
    journey.not_after = state.get("not_after")
    journey.effects = [_read_effect(one) for one in state.get("effects", ())]
    journey.limit_values = tuple(state.get("limits", ()))
    journey.late_after_fire = "late_after_fire" in state
    if "refused" in state:
        key, at = state["refused"]
        journey.refused = (key, at)
    _check(journey)
    return journey


def _check(journey: Journey) -> None:
    """Raise StateError where something is of another kind than it was written with."""
    gate, effects = journey.gate, journey.effects
    if not (
        type(journey.place) is int
        and _is_entry(journey.entry)
        and (gate is None or (type(gate[0]) is int and _is_entry(gate[1])))
        and _is_moment(journey.opened)
        and _is_moment(journey.not_after)
        and (not journey.limit_values or all(type(one) is str for one in journey.limit_values))
        and (not effects or all(map(_is_effect, effects)))
        and (journey.refused is None or tuple(map(type, journey.refused)) == (str, int))
    ):
        raise StateError("another kind of value")


def _is_effect(one: Effect) -> bool:
    return (
        one.taken in _TAKEN
        and type(one.step) is str
        and type(one.key) is str
        and type(one.place) is int
        and type(one.moment) is int
        and type(one.leave) is int
        and type(one.known) is int
        and _is_entry(one.after)
        and _is_moment(one.not_after)
        and _is_moment(one.left_at)
        and _is_moment(one.held)
    )


def _is_entry(entry: Entry) -> bool:
    at, phase = entry.point
    left_out = entry.left_out
    return type(at) is int and type(phase) is int and (not left_out or all(type(one) is str for one in left_out))


def _is_moment(at: object) -> bool:
    return at is None or type(at) is int


_TAKEN = frozenset(get_args(Taken))


def _entry(entry: Entry) -> tuple[int, int, list[str]]:
    return (*entry.point, sorted(entry.left_out))


def _read_entry(parts: list[Any]) -> Entry:
    at, phase, left_out = parts
    return Entry((at, phase), frozenset(left_out))


def _effect(one: Effect) -> list[Any]:
    gate = None if one.gate is None else (one.gate[0], *_entry(one.gate[1]))
    return [
        one.place, one.step, one.key, one.moment, one.leave, one.known, _entry(one.after), one.taken, gate,
        one.not_after, one.left_at, *([] if one.held is None else [one.held]),
    ]  # fmt: skip


def _read_effect(parts: list[Any]) -> Effect:
    place, step, key, moment, leave, known, after, taken, gate, *rest = parts
    passed = None if gate is None else (gate[0], _read_entry(gate[1:]))
    return Effect(place, step, key, moment, leave, known, _read_entry(after), taken, passed, *rest)
