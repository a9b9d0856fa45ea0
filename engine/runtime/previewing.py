"""An action as it would leave if it came about now: for looking at a message before anybody gets it.

Nothing is decided and nothing written. The variables are those a real one is frozen with (``journeys/payload.py``),
read from the person's timeline as it stands; what keeps it from leaving is asked as of a real one (``pressure.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.config import Settings
from engine.delivery.routing import LOG
from engine.errors import ConfigError
from engine.journeys import payload, rulebook
from engine.journeys.conditions import Scene
from engine.journeys.consent import ATTRIBUTE
from engine.journeys.timeline import Event, Timeline
from engine.language import nodes
from engine.language.program import MARKETING, Program
from engine.language.suggest import nearest
from engine.language.walk import walk
from engine.runtime.live import Live
from engine.runtime.loading import change_of, event_of
from engine.runtime.pressure import Pressure
from engine.store import Connection, events, people
from engine.store.rows import OutboxRow

Fields = Mapping[str, Any]


class Asked(NamedTuple):
    """A template, the id of a person, and what may be said of the action: its rule, the fields of its trigger."""

    template: str
    person: str
    rule: str | None = None
    fields: Fields | None = None


@dataclass(frozen=True)
class Previewed:
    """What an action would be. ``rule`` is None where no live rule names the template; ``trigger`` is the event.

    ``kept`` is why it would not leave, in the words of the outbox; ``unbound`` is that it has no channel.
    """

    person: str
    rule: str | None
    purpose: str
    action: str | None
    trigger: Event | None
    moment: int
    variables: dict[str, Any]
    kept: str | None = None


class _Way(NamedTuple):
    """The name and the kind of the channel that an action is bound to."""

    name: str
    kind: str


def preview(
    connection: Connection,
    workspace: int,
    live: Live,
    settings: Settings,
    deciding: rulebook.Settings,
    asked: Asked,
    now: int,
) -> Previewed | None:
    """The action of a rule that names the template, for a person; None for an id nobody has.

    Without a rule it is the first by id that names it. The trigger is the last event that would start the rule, or one
    with the fields. Raises ConfigError for a rule that is not live, or does not name the template.
    """
    fields = asked.fields
    row = people.find(connection, workspace, asked.person)
    if row is None:
        return None
    program, action = _named(live, asked.template, asked.rule)
    person = _person(connection, row)
    if program is None or action is None:
        trigger = None if fields is None else _event(now, None, fields)
        bare: dict[str, Any] = {
            "trigger": {} if trigger is None else dict(trigger.fields),
            "person": dict(person.timeline.attributes(now)),
            "with": {},
            "journey": {},
        }
        return Previewed(person.name, None, MARKETING, None, trigger, now, bare)
    zone = rulebook.zone_of(None, program.rule, person, deciding, now)
    scene = Scene(person.timeline, program.id, person.name, zone, now)
    trigger = _last(program.triggers, scene, now) if fields is None else _event(now, program, fields)
    start = now if trigger is None else trigger.at
    scene = Scene(person.timeline, program.id, person.name, zone, start, trigger)
    variables = payload.frozen(action, scene, now, start=start, moment=now, step="preview")
    purpose = program.rule.purpose or MARKETING
    waiting = _row(workspace, row, action, program.rule, variables, now)
    missing = payload.lacks_recipient(action, scene, now)
    kept = "no_recipient" if missing else _kept(connection, settings, waiting, person)
    return Previewed(person.name, program.id, purpose, action.name, trigger, now, variables, kept)


def _named(live: Live, template: str, rule: str | None) -> tuple[Program | None, nodes.Action | None]:
    """The program and its first action that names the template."""
    programs = {one.id: one.program for one in live.rules.values()}
    if rule is not None and rule not in programs:
        near = nearest(rule, programs)
        raise ConfigError(f"no rule '{rule}' is live" + (f"; did you mean '{near}'?" if near else ""))
    for id in [rule] if rule is not None else sorted(programs):
        for node in walk(programs[id].rule):
            if isinstance(node, nodes.Action) and node.template == template:
                return programs[id], node
    if rule is not None:
        raise ConfigError(f"the rule '{rule}' does not name the template '{template}'")
    return None, None


def _kept(connection: Connection, settings: Settings, row: OutboxRow, person: rulebook.Person) -> str | None:
    """Why an action would not leave: for want of a channel, or as :class:`Pressure` says."""
    actions = settings.actions
    name = actions.channel_of(row.name)
    if name is None and actions.exhaustive:
        return "unbound"
    channel = settings.channels.get(name or LOG)
    way = _Way(name or LOG, (name or LOG) if channel is None else channel.type)
    pressure = Pressure(connection, row.workspace_id, settings.cap_of, row.moment)
    failed: dict[int, Exception] = {}
    pressure.load([row], lambda _: way, failed)
    for error in failed.values():
        raise error
    return pressure.refusal(row, way, person.timeline.attributes(row.moment).get(ATTRIBUTE))


def _row(
    workspace: int, person: int, action: nodes.Action, rule: nodes.Rule, variables: Mapping[str, Any], now: int
) -> OutboxRow:
    """The action as it would stand in the outbox."""
    return OutboxRow(
        id=0,
        workspace_id=workspace,
        key="preview",
        journey_id=0,
        rule=0,
        person_id=person,
        step="preview",
        name=action.name,
        template=action.template,
        moment=now,
        due_at=now,
        status="pending",
        reason=None,
        attempts=0,
        left_at=None,
        error=None,
        causes="[]",
        variables=json.dumps(variables),
        created_at=now,
        purpose=rule.purpose or MARKETING,
        tags=json.dumps(rule.tags),
    )


def _person(connection: Connection, row: int) -> rulebook.Person:
    happened = map(event_of, events.timelines(connection, [(row, 0)], None))
    changes = map(change_of, events.changes(connection, [row]))
    name = people.names(connection, [row])[row]
    return rulebook.Person(name, Timeline(list(happened), list(changes), people.first_seen(connection, [row]).get(row)))


def _last(triggers: Iterable[nodes.Pattern], scene: Scene, now: int) -> Event | None:
    found = (scene.last(pattern, now) for pattern in triggers)
    return max((one for one in found if one is not None), key=lambda one: one.order, default=None)


def _event(now: int, program: Program | None, fields: Fields) -> Event:
    names = [pattern.name for pattern in program.triggers if pattern.name] if program else []
    return Event(now, names[0] if names else "", "preview", json.dumps(fields))
