"""A crowd of a hundred, and functions that fail for one of them."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import pkgutil
import re
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from engine import Engine
from engine.config import load_settings
from engine.delivery.channels import Outgoing, Sealed
from engine.journeys.conditions import Scene
from engine.journeys.rulebook import Person
from engine.journeys.timeline import Change, Event
from engine.runtime.sealing import Job
from engine.store.rows import ActedRow, ChangeRow, EventRow, JourneyRow, NewEvent, OutboxRow, WatchRow
from engine.testing import Clock, travel

CROWD = 100
TROUBLED = "p42"
FAULTY_UNTIL = "2026-01-01T04:00:00Z"
END = "2026-01-01T08:00:00Z"

RULES = """
Rule: abandoned
Trigger: cart where amount > 1
Condition: NOT bought within 30 minutes
Action: send_email "cart" to person.email with total = sum of amount from cart in the last 7 days

Rule: daily
Trigger: every day at 02:00 in person.zone
Condition: count of any event in the last 30 days >= 1
Action: send_push "cart"

Rule: idle
Trigger: None
Condition: NOT any event in the last 1 hours AND person.plan = free
Action: send_push "cart"
Limit: 2 per person per 7 days

Rule: order
Trigger: cart
Condition: (other then bought) within 2 hours OR bought before any (lost OR gone) within 2 hours OR person.plan is set
Wait: until 1 hours after trigger.ends or now
If: person.plan = free AND trigger.ends in the last 30 days
  Action: set person.seen.cart = trigger.amount
Else:
  Action: track cart_seen with amount = trigger.amount, who = person.who
End:
Goal: bought within 7 days
Quiet hours: 00:00 to 00:05

Rule: follows
Trigger: cart_seen
Wait: until 03:30
Split: 50%
  Action: send_email "cart" to person.email
Split: 50%
  Action: send_push "cart"
End:
Exit: bought
Holdout: 20%

Rule: totals
Trigger: cart
For each: sku
Condition: average of amount from cart where same sku in the last 30 days > 0
Condition: sum of amount from cart where same sku within 2 hours >= 1 OR last gone more than 1 hour ago
Only while: person.plan is set
Triggered again: ignore
Action: send_email "cart" to person.email
"""


class SealingRecorder:
    """A channel whose messages are sealed first, as those of a wire are."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def seal(self, action: Outgoing) -> Sealed:
        said = {"to": action.variables["to"], "text": action.message and action.message.text, "key": action.key}
        return Sealed(json.dumps(said, sort_keys=True).encode(), None)

    def send(self, action: Outgoing) -> None:
        self.sent.append(action)


class Outcome(NamedTuple):
    """What the crowd got, by person, and how often the fault was raised."""

    people: dict[str, list[list[str]]]
    raised: int
    aside: list[tuple[str, str]]

    @property
    def others(self) -> dict[str, list[list[str]]]:
        """Everybody but the troubled one."""
        return {name: rows for name, rows in self.people.items() if name != TROUBLED}

    @property
    def actions(self) -> list[list[str]]:
        """What the troubled one got: rule, step, name, template, moment, status, variables."""
        rows = [row[2:] for row in self.people[TROUBLED] if row[0] == "action"]
        return [[*row[0:5], row[6], row[12]] for row in rows]


class Fault:
    """Raises in one function, for one person."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.on = False
        self.raised = 0
        self.names: dict[int, str] = {}

    def check(self, values: Sequence[Any]) -> None:
        if self.on and self.whose(values) == TROUBLED:
            self.raised += 1
            raise ZeroDivisionError(f"planted in {self.name}")

    def whose(self, values: Sequence[Any]) -> str | None:
        """Whom the call is about: by its arguments, else by the nearest caller that says."""
        found = next((one for value in values if (one := self._owner(value)) is not None), None)
        frame = sys._getframe(3)
        while found is None and frame is not None:
            if "/engine/" in frame.f_code.co_filename:
                local = frame.f_locals
                arguments = [local.get(name) for name in inspect.getargs(frame.f_code).args]
                found = next((one for value in arguments if (one := self._owner(value)) is not None), None)
            frame = frame.f_back
        return found

    def _owner(self, value: Any) -> str | None:
        match value:
            case Person(name=name) | Scene(person=name):
                return name or None
            case OutboxRow() | JourneyRow() | WatchRow() | EventRow() | NewEvent() | ChangeRow() | ActedRow():
                return self.names.get(value.person_id)
            case Job(row=row):
                return self._owner(row)
            case Outgoing(person=name):
                return name
            case Event(content=content):
                return next((name for name in _who(content)), None)
            case Change(values=values):
                return values.get("who")
            case (int() as person, int()):
                return self.names.get(person)
            case list() if value:
                return self._owner(value[0]) if isinstance(value[0], Event | Change) else None
            case _:
                steps = getattr(value, "person", None)
                return self._owner(steps) if isinstance(steps, Person) else None


def _who(content: str) -> Iterator[str]:
    _, found, rest = content.partition('"who":"')
    if found:
        yield rest.partition('"')[0]


MODULES = (
    "engine.journeys",
    "engine.runtime.loading",
    "engine.runtime.deciding",
    "engine.runtime.outgoing",
    "engine.runtime.sealing",
    "engine.runtime.pressure",
    "engine.runtime.recording",
    "engine.delivery.sender",
    "engine.delivery.templates",
    "engine.templates.rendering",
)


def functions() -> list[str]:
    """Every function and method of the paths, as ``module:name``."""
    found = []
    for name in MODULES:
        module = importlib.import_module(name)
        inner = [f"{name}.{one.name}" for one in pkgutil.iter_modules(getattr(module, "__path__", []))]
        for one in [name, *inner]:
            found += [f"{one}:{path}" for path, _ in _functions_of(importlib.import_module(one))]
    return found


def _functions_of(module: types.ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield name, value
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            own = value.__dict__.items()
            yield from ((f"{name}.{key}", one) for key, one in own if inspect.isfunction(one) and _is_written(one))


def _is_written(function: types.FunctionType) -> bool:
    """Whether a method stands in the source: none that a dataclass or a named tuple made."""
    return "/engine/" in function.__code__.co_filename


@contextmanager
def failing(fault: Fault) -> Iterator[None]:
    """Have the function of a fault fail wherever it is called from."""
    module_name, _, path = fault.name.partition(":")
    module = importlib.import_module(module_name)
    owner, _, last = path.rpartition(".")
    holder: Any = getattr(module, owner) if owner else module
    original = vars(holder)[last]

    @functools.wraps(original)
    def wrapped(*given: Any, **named: Any) -> Any:
        fault.check([*given, *named.values()])
        return original(*given, **named)

    if inspect.isgeneratorfunction(original):

        @functools.wraps(original)
        def wrapped(*given: Any, **named: Any) -> Any:
            fault.check([*given, *named.values()])
            yield from original(*given, **named)

    places = [(holder, last)]
    if not owner:
        engines = [one for name, one in list(sys.modules.items()) if name.startswith("engine.") and one is not None]
        places += [(one, key) for one in engines for key, value in list(vars(one).items()) if value is original]
    for place, key in places:
        setattr(place, key, wrapped)
    try:
        yield
    finally:
        for place, key in places:
            setattr(place, key, original)


def play(folder: Path, fault: Fault | None = None, until: str = FAULTY_UNTIL) -> Outcome:
    """A crowd's two days, the fault on from the first event until it is mended."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crowd.rules").write_text(RULES)
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "cart.txt").write_text("{{ person.who }}: {{ with.total }}")
    clock = Clock("2026-01-01T00:00:00Z")
    caps = {"marketing": "40 per person per 1 day"}
    settings = load_settings(store="sqlite://", templates={"folder": str(folder / "templates")}, caps=caps)
    rules = folder / "crowd.rules"
    with Engine.open(rules=rules, clock=clock, settings=settings, fallback=SealingRecorder()) as engine:
        engine.ingest(list(_people()))
        engine.run_due()
        with engine.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT person_id, value FROM identifiers").all()
        fault = fault or Fault(":")
        fault.names = dict(rows)
        with failing(fault) if fault.name != ":" else _nothing():
            fault.on = True
            for minutes, name in ((1, "cart"), (2, "other"), (20, "bought"), (90, "cart")):
                travel(engine, clock, f"2026-01-01T{minutes // 60:02}:{minutes % 60:02}:00Z")
                receipt = engine.ingest(list(_events(name, minutes)))
                assert {one.status for one in receipt.outcomes} == {"accepted"}
                engine.run_due()
            travel(engine, clock, until)
            with engine.store.read() as connection:
                aside = connection.exec_driver_sql("SELECT stage, error FROM faults").all()
            fault.on = False
            travel(engine, clock, END)
        with engine.store.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM faults").scalar() == 0
            people = _results(connection, dict(rows))
        return Outcome(people, fault.raised, [(stage, error) for stage, error in aside])


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _people() -> Iterator[dict[str, Any]]:
    for number in range(CROWD):
        traits = {
            "who": f"p{number}", "email": f"p{number}@shop.example", "plan": "free" if number % 3 else "pro",
            "zone": "Europe/Warsaw" if number % 2 else "UTC",
        }  # fmt: skip
        yield {"type": "identify", "user_id": f"p{number}", "traits": traits, "message_id": f"i{number}"}


def _events(name: str, minutes: int) -> Iterator[dict[str, Any]]:
    for number in range(CROWD):
        if name == "bought" and number % 4:
            continue
        more = {"who": f"p{number}", "amount": 10 + number, "sku": f"s{number % 5}", "ends": "2026-01-01T02:00:00Z"}
        yield {"event": name, "user_id": f"p{number}", "message_id": f"{name}{minutes}-{number}", "properties": more}


_ID = re.compile(r"(?<![0-9a-zA-Z])(?:act_)?[0-9a-fA-F]{32}(?![0-9a-zA-Z])")
_JOURNEYS = (
    "SELECT person_id, rule, version, value, trigger_key, first_at, start, decided_at, due_at, ended_at, reason, "
    "acted_at, left_at, held_out, goal_at, limit_values, state FROM journeys ORDER BY rule, start, value"
)
_ACTIONS = (
    "SELECT person_id, key, rule, step, name, template, moment, due_at, status, reason, attempts, left_at, error, "
    "causes, variables, created_at, purpose, tags, channel, recipient, body, sealed_as, ready_at "
    "FROM outbox ORDER BY rule, step, moment"
)
_WATCHES = "SELECT person_id, rule, due_at, followed, state FROM watches ORDER BY rule"
_EVENTS = (
    "SELECT e.person_id, hex(e.public_id), t.name, e.at, e.received_at, e.source, e.cause, e.properties FROM events e "
    "JOIN event_types t ON t.id = e.type_id ORDER BY e.at, t.name, e.properties"
)


def _called(called: dict[str, str], found: re.Match[str]) -> str:
    return called.get(found[0].lower(), found[0])


def _results(connection: Any, names: dict[int, str]) -> dict[str, list[list[str]]]:
    """All rows of each person, public ids replaced by what they stand for: they are made by chance."""
    events = connection.exec_driver_sql(_EVENTS).all()
    called = {row[1].lower(): f"<{row[2]}@{row[3]}>" for row in events}
    actions = connection.exec_driver_sql("SELECT key, rule, step, moment FROM outbox").all()
    called |= {key: f"<{rule}/{step}@{moment}>" for key, rule, step, moment in actions}
    people: dict[str, list[list[str]]] = {name: [] for name in names.values()}
    for kind, statement in {"journey": _JOURNEYS, "action": _ACTIONS, "watch": _WATCHES, "event": _EVENTS}.items():
        for person, *rest in connection.exec_driver_sql(statement).all():
            row = [_ID.sub(partial(_called, called), repr(value)) for value in rest]
            people[names[person]].append([kind, *row])
    return people
