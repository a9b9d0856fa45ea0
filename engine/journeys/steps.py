"""One journey forward: from step to step, as far as the timeline shows.

A journey stops where it must wait for more to be known. What ends it from outside, an exit, is looked for at
every call, so an event that only ends journeys need not be told to them when it comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

from engine.journeys import calendar, conditions, payload, rulebook, standing, values, waits
from engine.journeys.calendar import Zone
from engine.journeys.conditions import ENDS, EVENTS, Point, Scene
from engine.journeys.draws import drawn, drawn_holdout
from engine.journeys.journey import FINAL, Effect, Journey, Taken
from engine.journeys.leaving import Ends, Leaves, Skips, exit_event, leaving, settle
from engine.journeys.misread import Misread
from engine.journeys.rulebook import Acted, Ledger, Person, RuleLife, Settings
from engine.journeys.timeline import Change, Event
from engine.language import nodes, program

EXITS_BEFORE, TRIGGERS, EXITS_AFTER = 0, 1, 2
"""The phases of an instant before its gates: exits of journeys started earlier, triggers, exits of those just
started. ``conditions.EVENTS`` and ``ENDS`` follow."""


@dataclass
class Steps:
    """The steps of a rule's journeys for one person, at a reading of the clock (``now``)."""

    life: RuleLife
    person: Person
    settings: Settings
    ledger: Ledger
    now: int
    misread: set[Misread] | None = None
    suppressed: Mapping[str, Effect] = field(default_factory=dict)
    """Effects, by their keys, against whose leaving something spoke that does not follow from the rule."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """When actions were asked, by their keys, whose journeys ended instead of their leaving."""
    _scenes: dict[tuple[str, str, int, Zone], Scene] = field(default_factory=dict)
    """Those of the timeline as it is: a journey is asked of the same one again and again."""

    def scene(self, journey: Journey) -> Scene:
        """What a journey's conditions are asked of."""
        rules = self.life.version(journey.version)
        zone = rulebook.zone_of(None, rules.rule, self.person, self.settings, journey.entry.point[0])
        key = (journey.version, journey.trigger, journey.start, zone)
        if key not in self._scenes:
            self._scenes[key] = self._scene(rules, journey, zone)
        return self._scenes[key]

    def _scene(self, rules: program.Program, journey: Journey, zone: Zone) -> Scene:
        base = Scene(self.person.timeline, rules.id, self.person.name, zone, journey.start, misread=self.misread)
        if not journey.trigger:
            return base._replace(causes=standing.causes(rules, base, journey.start)) if rules.follows else base
        instant = self.person.timeline.between(None, journey.start, journey.start)
        trigger = next((event for event in instant if event.id == journey.trigger), None)
        others = [event for event in instant if event is not trigger and self._triggers(rules, base, event)]
        companions = frozenset((journey.trigger, *(event.id for event in others)))
        return base._replace(trigger=trigger, companions=companions)

    def begin(self, trigger: Event | None, at: int, value: str, rules: program.Program) -> Journey:
        """A journey of a version of the rule from a trigger event or, where it starts by itself, a moment."""
        journey = Journey(rules.digest, value, "", at, at, conditions.Entry((at, EVENTS)))
        journey.held_out = self._held_out(rules.rule.holdout)
        self.restart(journey, trigger, at, rules)
        return journey

    def restart(self, journey: Journey, trigger: Event | None, at: int, rules: program.Program) -> None:
        """Begin again at the first step with a new trigger, under the version that the trigger belongs to.

        What was skipped on the way stays told, unless its place is one of another version.
        """
        if journey.version != rules.digest:
            journey.effects = []
        journey.version, journey.trigger, journey.start = rules.digest, trigger.id if trigger else "", at
        journey.place, journey.not_after, journey.waited = 0, None, None
        opens = rules.exits_by_default and isinstance(rules.code[0], program.Gate)
        journey.opened = None if opens else at
        journey.entry = conditions.Entry((at, EVENTS))
        scene = self.scene(journey)
        journey.entry = conditions.Entry((at, EVENTS), scene.companions or self._showing(rules, scene, at))
        journey.gate = (-1, journey.entry) if rules.follows else None
        journey.limit_values = tuple(
            values.text(scene.values(limit.path, at)) for limit in rules.rule.limits if limit.path is not None
        )

    def rebuild(self, journey: Journey, until: int) -> Journey:
        """Work a journey out again, up to ``until``, from its trigger and what is on record of its effects.

        That it began, and how it ended where it has, stands in columns of its own.
        """
        found = replace(journey, spoiled=False, ended_at=None, reason=None, effects=[], version="")
        instant = self.person.timeline.between(None, journey.start, journey.start)
        trigger = next((event for event in instant if event.id == journey.trigger), None)
        self.restart(found, trigger, journey.start, self.life.version(journey.version))
        found.trigger = journey.trigger
        left = (one.left_at for one in self.person.record.values() if one.journey == journey.row)
        last = max((at for at in left if at is not None), default=until)
        self.admit(found)
        self.run(found, (max(until, last) if journey.ended_at is None else journey.ended_at, ENDS))
        if journey.ended_at is not None:
            found.ended_at, found.reason, found.due = journey.ended_at, journey.reason, None
        return found

    def admit(self, journey: Journey) -> None:
        """Ask ``Only while`` of a journey that has just begun."""
        only, at = self.life.version(journey.version).only_while, journey.start
        if only is not None and conditions.ask(only, self.scene(journey), (at, ENDS), {}) is not True:
            journey.end(at, "only_while")

    def _showing(self, rules: program.Program, scene: Scene, at: int) -> frozenset[str]:
        """The events of an instant that may have made the opening Conditions true (ruling 5)."""
        if not rules.follows:
            return frozenset()
        looked = [pattern for item in program.parts(rules.opening) for pattern in program.patterns(item)]
        instant = scene.timeline.between(None, at, at)
        return frozenset(event.id for event in instant if any(scene.matches(one, event) for one in looked))

    def run(self, journey: Journey, limit: Point) -> None:
        """Take every decision up to ``limit``; an exit on the way ends the journey."""
        if not journey.waiting:
            return
        scene = self.scene(journey)
        out = self._exit_point(journey, scene, limit)
        if journey.opened is None and self._open(journey, scene, limit if out is None else out):
            out = self._exit_point(journey, scene, limit)
        if journey.opened is not None:
            self._walk(journey, scene, limit if out is None else out)
        if out is not None and journey.waiting:
            at = journey.entry.point
            # what came late may lie before the last step, which an action that left has decided for good
            done = out < at <= limit and journey.place >= len(self.life.version(journey.version).code)
            journey.end(max(out[0], at[0]), "finished" if done else "exit")

    def _open(self, journey: Journey, scene: Scene, limit: Point) -> bool:
        """Pass the opening Conditions, where exits that follow from them count only afterwards."""
        self._walk(journey, scene, limit, stop=1)
        if journey.waiting and journey.due is None:
            journey.opened = journey.entry.point[0]
        return journey.opened is not None

    def reach_goal(self, journey: Journey, until: int) -> None:
        """Note the first conversion after the first action (ruling 34)."""
        goal, acted = self.life.version(journey.version).rule.goal, journey.acted_at
        if goal is None or acted is None or journey.goal_at is not None:
            return
        scene = self.scene(journey)
        found = scene.seen(goal.pattern, acted + 1, min(until, scene.add(acted, goal.within)))
        journey.goal_at = found[0].at if found else None

    def _triggers(self, rules: program.Program, scene: Scene, event: Event) -> bool:
        if event.historical or rules.id in event.causes:
            return False
        return any(scene.matches(pattern, event) for pattern in rules.triggers)

    def _held_out(self, holdout: nodes.Holdout | None) -> bool:
        if holdout is None:
            return False
        return drawn_holdout(self.life.current.id, holdout.name, self.person.name) < holdout.percent

    def _exit_point(self, journey: Journey, scene: Scene, limit: Point) -> Point | None:
        """Where an exit stands in its instant: before the triggers for a journey that started earlier."""
        at = exit_event(self.life.version(journey.version), scene, journey, limit[0])
        if at is None:
            return None
        point = (at, EXITS_BEFORE if journey.start < at else EXITS_AFTER)
        return point if point <= limit else None

    # -------------------------------------------------------------------------------------- the walk

    def _walk(self, journey: Journey, scene: Scene, horizon: Point, stop: float = inf) -> None:
        """Go from step to step, at most up to the one at ``stop``."""
        code = self.life.version(journey.version).code
        journey.due = None
        while journey.waiting and journey.due is None and journey.place < stop:
            if journey.entry.point > horizon:
                journey.due = journey.entry.point[0]
            elif journey.place >= len(code):
                journey.end(journey.entry.point[0], "finished")
            else:
                if scene.timeline is not self.person.timeline:
                    scene = scene._replace(timeline=self.person.timeline)
                self._step(journey, scene, code[journey.place], horizon)

    def _step(self, journey: Journey, scene: Scene, step: program.Instruction, horizon: Point) -> None:
        match step:
            case program.Gate() | program.Choose():
                self._decide(journey, scene, step, horizon)
            case program.Pause():
                self._wait(journey, scene, step, horizon)
            case program.Do():
                self._act(journey, scene, step, horizon)
            case program.Draw(ordinal=ordinal, bounds=bounds, targets=targets):
                draw = drawn(scene.rule, ordinal, scene.person)
                arm = next(target for bound, target in zip(bounds, targets, strict=True) if draw < bound)
                journey.enter(arm, journey.entry.point)
            case program.Jump(target=target):
                journey.enter(target, journey.entry.point)

    def _decide(self, journey: Journey, scene: Scene, step: program.Gate | program.Choose, horizon: Point) -> None:
        found = conditions.decide(step.condition, scene, journey.entry, horizon)
        if isinstance(found, conditions.Unsettled):
            journey.due = found.due
            return
        if found.value:
            if isinstance(step, program.Gate):
                journey.gate = (journey.place, journey.entry)
            journey.enter(journey.place + 1, found.point, found.events)
        elif isinstance(step, program.Choose):
            journey.enter(step.otherwise, found.point, found.events)
        else:
            journey.enter(journey.place, found.point, found.events)
            journey.end(found.point[0], "false")

    def _wait(self, journey: Journey, scene: Scene, step: program.Pause, horizon: Point) -> None:
        rule = self.life.version(journey.version).rule
        own = step.wait.zone if isinstance(step.wait, nodes.WaitUntilTime | nodes.WaitUntilDate) else None

        def zone_at(at: int) -> calendar.Zone:
            return rulebook.zone_of(own, rule, self.person, self.settings, at)

        later = journey.went_on(journey.entry.point[0])
        found = waits.ending(step.wait, scene, journey.entry, horizon, zone_at, later=later)
        match found:
            case waits.Until(due=due):
                journey.due = due
            case waits.NoDate(at=at):
                journey.end(at, "no_date")
            case waits.Over(point=point, events=events, past=past, not_after=not_after):
                skips = past and not (isinstance(step.wait, nodes.WaitUntilDate) and step.wait.or_now)
                journey.enter(step.skip if skips else journey.place + 1, point, events)
                journey.waited = point[0]
                journey.not_after = not_after

    # -------------------------------------------------------------------------------------- effects

    def _act(self, journey: Journey, scene: Scene, step: program.Do, horizon: Point) -> None:
        moment = journey.entry.point[0]
        leave = self._quiet_end(journey, scene, moment, horizon)
        point = journey.entry.point if leave == moment else (leave, ENDS)
        if point > horizon:
            journey.due = leave
            return
        deciding = self._deciding(journey, moment)
        effect = Effect(
            journey.place, step.step, self._key(journey, scene, step), moment, leave,
            max((event.arrived for event in deciding), default=0),
            conditions.Entry(point, journey.entry.left_out if leave == moment else frozenset()),
            self._taken(journey, scene, step, deciding, leave), journey.gate, journey.not_after, scene=scene,
        )  # fmt: skip
        recorded = self.person.record.get(effect.key) if self.person.record else None
        if recorded is not None:
            known = replace(effect, taken=recorded.taken, left_at=recorded.left_at, held=recorded.held)
            journey.effects.append(known)
        elif self._was_suppressed(effect):
            journey.effects.append(replace(effect, taken="suppressed"))
        elif effect.taken in FINAL:
            self._at_once(journey, scene, effect, step.effect)
        else:
            journey.effects.append(effect)
            self._ask_as_before(journey, scene, effect)
        if journey.waiting:
            journey.enter(journey.place + 1, point)

    def _was_suppressed(self, effect: Effect) -> bool:
        """Return whether it was about to leave before, at the same moment, and something spoke against it."""
        before = self.suppressed.get(effect.key)
        return before is not None and effect.taken == "pending" and before.moment == effect.moment

    def _ask_as_before(self, journey: Journey, scene: Scene, effect: Effect) -> None:
        """Have what ended the journey as an action of it was about to leave end it again, by what is known now."""
        asked = self.refused.get(effect.key)
        if asked is None or effect.taken != "pending" or asked < effect.moment:
            return
        answer = leaving(journey, effect, self.life, self.person, scene, self.settings, self.ledger, asked)
        if isinstance(answer, Ends):
            settle(journey, len(journey.effects) - 1, answer, asked)

    def _at_once(self, journey: Journey, scene: Scene, effect: Effect, written: nodes.Effect | program.Match) -> None:
        """An effect that leaves in the deciding transaction, or would have for the comparison group."""
        at = max(effect.leave + self.settings.grace, self.now)
        answer = leaving(journey, effect, self.life, self.person, scene, self.settings, self.ledger, at)
        match answer:
            case Leaves():
                first = journey.acted_at is None
                journey.effects.append(replace(effect, left_at=at))
                if first:
                    self.note_acted(journey, at)
                if effect.taken == "left":
                    self._put(payload.caused(written, effect, scene))
            case Skips(taken=taken):
                journey.effects.append(replace(effect, taken=taken))
            case Ends(at=ended, reason=reason):
                journey.end(ended, reason)

    def note_acted(self, journey: Journey, at: int) -> None:
        """Count the journey for limits from ``at`` on."""
        self.ledger.record(self.life.current.id, at)
        one = Acted(at, journey.trigger, journey.start, journey.limit_values)
        self.person = self.person._replace(acted=(*self.person.acted, one))

    def _put(self, entry: Event | Change | None) -> None:
        """See what an effect did from the next step on; whoever carries the effect out puts it into the store."""
        if entry is not None:
            self.person = self.person._replace(timeline=self.person.timeline.with_entry(entry))
            self._scenes.clear()

    def _taken(self, journey: Journey, scene: Scene, step: program.Do, deciding: list[Event], leave: int) -> Taken:
        decided = [event for event in deciding if event.id not in scene.companions]
        if decided and all(event.historical for event in decided):
            return "skipped_history"
        effect = step.effect
        if isinstance(effect, nodes.Action) and payload.lacks_recipient(effect, scene, leave):
            return "no_recipient"
        if journey.held_out:
            return "held_out"
        return "pending" if isinstance(effect, nodes.Action) else "left"

    def _deciding(self, journey: Journey, moment: int) -> list[Event]:
        """The events at whose own time the step was reached."""
        if journey.entry.point[1] != EVENTS:
            return []
        instant = self.person.timeline.between(None, moment, moment)
        return [event for event in instant if event.id in journey.entry.left_out]

    def _quiet_end(self, journey: Journey, scene: Scene, moment: int, horizon: Point) -> int:
        """When no quiet hours hold, worked out again when the person's zone changes."""
        rule = self.life.version(journey.version).rule
        leave = moment
        lines = rulebook.quiet_lines(rule, self.settings)
        for start, end in waits.stretches(scene, moment, horizon) if lines else ():
            leave = rulebook.quiet_end(rule, self.person, self.settings, start)
            if end is None or leave < end:
                break
        return leave

    def _key(self, journey: Journey, scene: Scene, step: program.Do) -> str:
        """Ruling 28: what the action is, whoever the person becomes later."""
        decided = scene.trigger.identity if scene.trigger else journey.trigger or f"{journey.start}\0{scene.person}"
        parts = (self.settings.workspace, scene.rule, decided, step.name)
        return "act_" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
