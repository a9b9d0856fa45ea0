"""Why an action of a rule did not leave for a person: read from what is stored, and from the rule asked once more."""

from __future__ import annotations

from dataclasses import dataclass

from engine.journeys import why
from engine.journeys.journey import Journey
from engine.journeys.rulebook import Settings, quiet_lines
from engine.journeys.standing import scene_of
from engine.journeys.why import Clock
from engine.language import program
from engine.language.layout import clause_text
from engine.runtime.live import Live, LiveRule
from engine.runtime.loading import Loaded, Pair, Touch, load
from engine.runtime.reasons import KEPT, REASONS, capped_by
from engine.store import Connection, outbox, people
from engine.store.rows import OutboxRow

_KEPT = {
    **KEPT,
    "holdout": "held out: the person is in the comparison group",
    "history": "its trigger counted as history",
    "unsubscribed": "the person unsubscribed",
}
_ENDED = {
    **REASONS,
    "overtaken": "what its gate forbids came while it was held",
    "merged": "the journey was merged with another person's",
    "finished": "the journey came to its end without it",
}


@dataclass(frozen=True)
class Question:
    """An action that was looked for: whose, under which rule, and up to when (microseconds UTC)."""

    person: str
    rule: str
    action: str
    template: str | None
    until: int


def why_not(
    connection: Connection, workspace: int, live: Live, settings: Settings, question: Question, clock: Clock
) -> str | None:
    """Return the first reason for which an action did not leave, in plain words; None where nothing is known.

    In this order: no trigger, its filter, a gate that is false or not decided, held out, limited, late, capped, quiet.
    """
    rule = next((one for one in live.rules.values() if one.id == question.rule), None)
    person = people.find(connection, workspace, question.person)
    if rule is None or person is None:
        return None if rule is None else "no trigger: nothing is known of the person"
    pair = (person, rule.row)
    loaded = load(connection, workspace, live, {pair: Touch(0)})
    row = _nearest(outbox.of_person(connection, person), pair, question)
    if row is not None:
        return _of_action(row, rule, settings, clock)
    journeys = [one for one in loaded.journeys.get(pair, ()) if one.start <= question.until]
    journey = max(journeys, key=lambda one: one.start, default=None)
    if journey is not None and journey.reason not in (None, "false"):
        return _of_end(journey, rule, loaded, pair, clock)
    return _of_gates(journey, rule, loaded, pair, settings, question.until, clock)


def _nearest(rows: list[OutboxRow], pair: Pair, question: Question) -> OutboxRow | None:
    """Return the last row of the action that was looked for, among those that did not leave."""
    wanted = [
        row
        for row in rows
        if row.rule == pair[1]
        and row.name == question.action
        and question.template in (None, row.template)
        and row.status in ("pending", "suppressed", "skipped_late")
        and row.moment <= question.until
    ]
    return max(wanted, key=lambda row: row.moment, default=None)


def _of_action(row: OutboxRow, rule: LiveRule, settings: Settings, clock: Clock) -> str:
    """Return what became of an action that was decided."""
    at = clock(row.moment)
    if row.status == "skipped_late":
        return f"late: its moment, {at}, was missed by more than 'Late:' allows"
    if row.status == "pending":
        return _quiet(rule, settings, at, clock(max(row.due_at, row.moment)))
    if (cap := capped_by(row.reason)) is not None:
        return f"capped: as many as the cap '{cap}' allows had left by {at}"
    return f"{_KEPT.get(row.reason or '', row.reason or 'kept from leaving')} at {at}"


def _of_end(journey: Journey, rule: LiveRule, loaded: Loaded, pair: Pair, clock: Clock) -> str:
    """Return why a journey ended before the action."""
    at = journey.ended_at or journey.start
    if journey.reason == "limited":
        limits = "; ".join(clause_text(limit) for limit in rule.program.rule.limits)
        return f"limited at {clock(at)}: {limits}"
    if journey.reason == "exit":
        timeline = loaded.person(pair).timeline
        names = [event.name for event in timeline.between(None, at, at)]
        return f"the journey left by an exit at {clock(at)}" + (f": '{names[0]}'" if names else "")
    reason = _ENDED.get(journey.reason or "", journey.reason or "")
    return f"{reason} at {clock(at)}"


def _of_gates(
    journey: Journey | None,
    rule: LiveRule,
    loaded: Loaded,
    pair: Pair,
    settings: Settings,
    until: int,
    clock: Clock,
) -> str | None:
    """Return what of the trigger or a gate spoke against the action."""
    rules, person = rule.program, loaded.person(pair)
    if journey is None and not rules.stands:
        unmet = why.unmet_filter(rule.life, person, settings, until, clock)
        if unmet is not None:
            return unmet
    if rules.stands and (journey is None or journey.reason == "false"):
        return _of_opening(rule, loaded, pair, settings, until, clock)
    trigger = None
    if journey is None:
        scene = scene_of(rule.life, person, settings, until)
        triggers = [
            event
            for pattern in rules.triggers
            for event in person.timeline.between(pattern.name, 0, until)
            if scene.matches(pattern, event)
        ]
        trigger = max(triggers, key=lambda event: event.order)
    elif journey.trigger:
        instant = person.timeline.between(None, journey.start, journey.start)
        trigger = next((event for event in instant if event.id == journey.trigger), None)
    start = trigger.at if trigger is not None else journey.start if journey is not None else until
    asked = why.stopping_gate(rule.life, person, settings, trigger, start, until)
    if asked is None:
        return None if journey is None else _of_waiting(journey, rule, settings, clock)
    part = why.unmet_part(asked)
    if asked.due is not None:
        return f"a gate is not decided before {clock(asked.due)}" + (f": {part}" if part is not None else "")
    return "a gate is false" + (f": {part}" if part is not None else "")


def _of_waiting(journey: Journey, rule: LiveRule, settings: Settings, clock: Clock) -> str | None:
    """Return what a journey that passed its gates waits for."""
    if journey.due is None:
        return None
    code = rule.life.version(journey.version).code
    if journey.place < len(code) and isinstance(code[journey.place], program.Do):
        return _quiet(rule, settings, clock(journey.entry.point[0]), clock(journey.due))
    return f"the journey that began at {clock(journey.start)} waits until {clock(journey.due)}"


def _quiet(rule: LiveRule, settings: Settings, since: str, until: str) -> str:
    lines = "; ".join(clause_text(line) for line in quiet_lines(rule.program.rule, settings))
    return f"quiet hours ({lines}) hold it from {since} until {until}"


def _of_opening(rule: LiveRule, loaded: Loaded, pair: Pair, settings: Settings, until: int, clock: Clock) -> str | None:
    """Return which of the Conditions that a rule without a trigger begins with is not true."""
    scene = scene_of(rule.life, loaded.person(pair), settings, until)
    part = why.unmet_now(rule.program.opening, scene, until)
    if part is None:
        return None
    unknown = "is not known to be true" if part.value is None else "is false"
    return f"the opening Condition {unknown} at {clock(until)}: {part}"
