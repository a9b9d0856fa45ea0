"""Whether an action may leave: asked at the moment it is about to, by whoever is about to send it.

One function answers for effects that are carried out in the deciding transaction and for those a sender claims
from the outbox later: exits, ``Active``, quiet hours, ``Only while``, the NOTs of the gate passed last, lateness and
limits. What is carried out at once no longer asks for quiet hours: its journey has waited for them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from engine.journeys import conditions, consent, rulebook
from engine.journeys.conditions import ENDS, Entry, Point, Scene, Settled
from engine.journeys.journey import Effect, Journey, Reason, Taken
from engine.journeys.rulebook import Acted, Ledger, Person, RuleLife, Settings
from engine.language import nodes, program


class Leaves(NamedTuple):
    """It leaves."""


class Skips(NamedTuple):
    """It is not taken; the journey goes on."""

    taken: Taken


class Ends(NamedTuple):
    """The journey ends instead."""

    at: int
    reason: Reason


class Holds(NamedTuple):
    """Quiet hours hold it until then, when it is asked again."""

    until: int


Answer = Leaves | Skips | Ends | Holds


def leaving(
    journey: Journey, effect: Effect, life: RuleLife, person: Person, scene: Scene, settings: Settings, ledger: Ledger,
    at: int,
) -> Answer:  # fmt: skip
    """The answer for an ``effect`` that would leave at ``at``."""
    rules = life.version(journey.version)
    out = exit_event(rules, scene, journey, at)
    if out is not None:
        return Ends(out, "exit")
    if rulebook.ended(rules.rule.active, at, scene.zone):
        return Ends(at, "inactive")
    if effect.not_after is not None and at > effect.not_after:
        return Skips("date_passed")
    late = late_after(rules.rule, scene, settings, effect)
    too_late = late is not None and at > late
    quiet = rulebook.quiet_end(rules.rule, person, settings, at) if effect.taken == "pending" else at
    if at < quiet and not too_late:
        return Holds(quiet)
    if rules.only_while is not None and conditions.ask(rules.only_while, scene, (at, ENDS), {}) is not True:
        return Ends(at, "only_while")
    if at > effect.moment and _overtaken(rules, scene, effect, at):
        return Ends(at, "overtaken")
    if too_late:
        return Skips("skipped_late")
    if journey.acted_at is None and _limited(journey, rules, person, scene, ledger, at):
        return Ends(at, "limited")
    return Leaves()


def exit_event(rules: program.Program, scene: Scene, journey: Journey, until: int) -> int | None:
    """The time of the first event that ends the journey, up to ``until``: an exit, or a no of the person's."""
    out, refused = _exit(rules, scene, journey, until), _refusal(rules, scene, journey, until)
    if out is None or refused is None:
        return refused if out is None else out
    return min(out, refused)


def _exit(rules: program.Program, scene: Scene, journey: Journey, until: int) -> int | None:
    """Exits that follow from the opening Conditions stand behind them: until then those decide themselves.

    Once it is known that the journey should not have acted, they count from its start: what came late may be one.
    """
    if journey.opened is None:
        return None
    start = journey.start
    if rules.exits_by_default:
        start = start + 1 if journey.late_after_fire else journey.opened + 1
    own = frozenset((journey.trigger,))
    found = [events[0].at for one in rules.exits if (events := scene.seen(one, start, until, own, 1))]
    return min(found, default=None)


def _refusal(rules: program.Program, scene: Scene, journey: Journey, until: int) -> int | None:
    """Whoever unsubscribes leaves, whatever a rule's exits are; only what began with that very event goes on."""
    start = journey.start + 1 if rules.follows else journey.start
    heard = scene.timeline.between(program.UNSUBSCRIBED, start, until)
    purpose = rules.rule.purpose
    return next((one.at for one in heard if one.id != journey.trigger and consent.ends(one.fields, purpose)), None)


def late_after(rule: nodes.Rule, scene: Scene, settings: Settings, effect: Effect) -> int | None:
    """The last moment at which an effect may still leave (ruling 19); nothing: always."""
    since = max(max(effect.moment, effect.leave, effect.known) + settings.grace, effect.held or 0)
    if rule.late is None:
        return since + settings.late
    return None if rule.late.duration is None else scene.add(since, rule.late.duration)


def _overtaken(rules: program.Program, scene: Scene, effect: Effect, at: int) -> bool:
    """Whether the gate passed last is false when the window of each plain NOT reaches to the leaving (ruling 21)."""
    if effect.gate is None:
        return False
    place, entry = effect.gate
    gate = rules.gate(place)
    verdict = conditions.decide(gate, scene, entry, (effect.moment, ENDS))
    if not isinstance(verdict, conditions.Verdict):
        return False
    found = dict(conditions.settled_by(gate, scene, entry, verdict.point))
    for item in _plain_nots(gate):
        if _came(item, scene, entry, verdict.point, at):
            found[id(item)] = Settled(True, verdict.point)
    return conditions.ask(gate, scene, verdict.point, found) is False


def _came(item: program.Seen, scene: Scene, entry: Entry, decided: Point, at: int) -> bool:
    """Whether what should not come had come by ``at``: since the entry, or since a look back was taken."""
    if item.reach.forward:
        return bool(scene.seen(item.pattern, entry.point[0], at, entry.left_out, 1))
    return bool(item.reach.lengths) and bool(scene.seen(item.pattern, decided[0] + 1, at, most=1))


def _plain_nots(condition: program.Condition) -> list[program.Seen]:
    """The items ``x`` of every ``NOT x``, brackets after a NOT included."""
    match condition:
        case program.All(items=items) | program.Any(items=items):
            return [item for inner in items for item in _plain_nots(inner)]
        case program.Negated(item=program.Seen(plain=True) as item):
            return [item]
        case program.Negated(item=program.Any(items=items)):
            return [item for inner in items for item in _plain_nots(program.Negated(inner))]
        case _:
            return []


def _limited(journey: Journey, rules: program.Program, person: Person, scene: Scene, ledger: Ledger, at: int) -> bool:
    """Whether as many journeys as a limit allows have acted in ``(at - D, at]`` (ruling 25)."""
    values = iter(range(len(journey.limit_values)))
    for limit in rules.rule.limits:
        if limit.per == "all":
            after = -1 if limit.duration is None else scene.add(at, limit.duration, -1)
            found = ledger.everyone(rules.id, after, at)
        else:
            others = [one for one in person.acted if not _same(one, journey) and _counts(one, limit, scene, at)]
            if limit.per == "value":
                place = next(values)
                others = [one for one in others if one.values[place] == journey.limit_values[place]]
            found = len(others)
        if found >= limit.number:
            return True
    return False


def _counts(one: Acted, limit: nodes.Limit, scene: Scene, at: int) -> bool:
    return one.at <= at and (limit.duration is None or at < scene.add(one.at, limit.duration))


def _same(one: Acted, journey: Journey) -> bool:
    return (one.trigger, one.start) == (journey.trigger, journey.start)


def held_back(effect: Effect, until: int) -> Effect:
    """Return an effect that quiet hours hold ``until`` then: lateness counts from the end of the first that did."""
    first = effect.leave if effect.leave > effect.moment else until
    return effect if effect.held is not None else replace(effect, held=first)


def settle(journey: Journey, place: int, answer: Answer, at: int) -> list[Effect]:
    """Write the answer for the effect at ``place`` into the journey; gives the pending effects that fall with it."""
    effect = journey.effects[place]
    match answer:
        case Leaves():
            journey.effects[place] = replace(effect, taken="left", left_at=at)
        case Skips(taken=taken):
            journey.effects[place] = replace(effect, taken=taken)
        case Holds(until=until):
            journey.effects[place] = held_back(effect, until)
        case Ends(at=ended, reason=reason):
            fallen = [one for one in journey.effects if one.taken == "pending"]
            journey.effects = [one for one in journey.effects if one.taken != "pending"]
            journey.ended_at, journey.refused = None, (effect.key, at)
            journey.end(max(ended, effect.moment), reason)
            return fallen
    return []
