"""Running the tests that stand beside rules: each on the real engine, in memory, under a clock of its own.

0h is a Monday's midnight in the workspace's zone. What is given is known just before; the rule goes live at 0h.
"""

from __future__ import annotations

import datetime
import tempfile
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.checking import Finding, test_files
from engine.clock import DAY, MICROSECOND, SECOND, micros
from engine.config import Settings, load_settings
from engine.delivery.channels import Outgoing
from engine.language import layout, nodes, read_cases
from engine.language.case_nodes import Acts, Case, Changes, Happening, Occurs, Silent
from engine.language.source import Source
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import SUFFIX, TESTS, RuleFiles, text_of
from engine.testing import Clock, travel

PERSON = "person"
"""The user id of the one person of a test."""

LOOK_AHEAD = 400 * DAY
"""How long after its last line a test that expects nothing, with no end named, goes on."""

_MONDAY = datetime.datetime(2026, 1, 5)  # noqa: DTZ001


@dataclass(frozen=True)
class Fault:
    """One thing that was not as expected. ``at`` is microseconds on the test's clock."""

    text: str
    at: int


@dataclass(frozen=True)
class Sent:
    """One action that left, and when on the test's clock."""

    at: int
    name: str
    template: str | None
    to: Any
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What came of one test: nothing in ``faults`` means it passed. ``sent`` is all that happened."""

    case: Case
    file: str
    line: int
    faults: tuple[Fault, ...]
    sent: tuple[Sent, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.faults

    @property
    def title(self) -> str:
        return self.case.title or f"a test of {self.case.rule}"


@dataclass
class Results:
    """What came of all tests, and what was wrong with their files or the rules'."""

    files: int = 0
    results: list[Result] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> list[Result]:
        return [one for one in self.results if not one.passed]

    @property
    def errors(self) -> list[Finding]:
        return [one for one in self.findings if one[1].severity == "error"]

    @property
    def ok(self) -> bool:
        return not self.failed and not self.errors


def run_tests(paths: Iterable[Path]) -> Results:
    """Run the tests among some files and folders. Raises ConfigError for a path that does not exist.

    A test is of its rule: what the settings have over all rules, their quiet hours and caps, does not hold in it.
    """
    settings = load_settings(store="sqlite://", grace=datetime.timedelta(0))
    settings = settings.model_copy(update={"quiet_hours": [], "caps": {}})
    results = Results()
    for path in test_files(paths):
        results.files += 1
        _run_file(path, settings, results)
    return results


def _run_file(path: Path, settings: Settings, results: Results) -> None:
    """One file of tests, against the rules in the files beside it."""
    reading = read_cases(text_of(path), str(path))
    beside = sorted(one for one in path.parent.glob(f"*{SUFFIX}") if not one.name.endswith(TESTS))
    found = RuleFiles(tuple(beside)).load()
    results.findings += ((reading.source, one) for one in reading.diagnostics)
    results.findings += ((rules.source, one) for rules in found.readings for one in rules.diagnostics)
    if not (reading.ok and found.ok):
        return
    known = {program.id: program.rule for program in found.programs}
    for case in reading.cases:
        results.results.append(_run_case(case, reading.source, known.get(case.rule), settings))


def _run_case(case: Case, source: Source, rule: nodes.Rule | None, settings: Settings) -> Result:
    line = source.place(case.span[0]).line
    if rule is None:
        faults: Sequence[Fault] = [Fault(f"no rule '{case.rule}' stands in the files beside the test", 0)]
        return Result(case, source.name, line, tuple(faults))
    stage = Stage(case, rule, settings)
    faults = judge(case, stage.sent)
    return Result(case, source.name, line, tuple(faults), tuple(stage.sent))


class Stage:
    """One test played through: what is given, what happens, and what left."""

    def __init__(self, case: Case, rule: nodes.Rule, settings: Settings) -> None:
        self.start = micros(_MONDAY.replace(tzinfo=zoneinfo.ZoneInfo(settings.zone)))
        self.sent: list[Sent] = []
        self._clock = Clock(self.start - MICROSECOND)
        self._leaving: dict[str, int] = {}
        with Engine.open(settings=settings, clock=self._clock, fallback=self) as engine:
            self._play(engine, case, rule)
            self.sent = [self._seen(one) for one in engine.sent() if one.action not in ("set", "track")]
        self.sent.sort(key=lambda one: one.at)

    def send(self, action: Outgoing) -> None:
        """The channel of every action."""
        self._leaving.setdefault(action.key, self._clock.now())

    def _play(self, engine: Engine, case: Case, rule: nodes.Rule) -> None:
        if case.givens:
            engine.identify(PERSON, _nested((one.path.parts, one.value) for one in case.givens))
        self._clock.set(self.start)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"rule{SUFFIX}")
            file.write_text(layout(replace(rule, named=True)), "utf-8")
            engine.load(file)
        happenings = sorted(case.happenings, key=lambda one: one.time)
        for time, together in groupby(happenings, key=lambda one: one.time):
            travel(engine, self._clock, self.start + time - MICROSECOND)
            self._clock.set(self.start + time)
            engine.ingest([_item(one) for one in together])
            engine.run_due()
        travel(engine, self._clock, self.start + end_of(case))

    def _seen(self, action: Outgoing) -> Sent:
        at = self._leaving.get(action.key, action.moment)
        arguments = {name: value for name, value in action.arguments.items() if value is not None}
        return Sent(_second(at - self.start), action.action, action.template, action.to, arguments)


def end_of(case: Case) -> int:
    """Up to when a test is judged: the last moment that an ``Expect:`` names."""
    named = [one.time if isinstance(one, Acts) else one.until for one in case.expectations]
    if None not in named:
        return max(one for one in named if one is not None)
    return LOOK_AHEAD + max([0, *(one for one in named if one is not None), *(one.time for one in case.happenings)])


def judge(case: Case, sent: Sequence[Sent]) -> list[Fault]:
    """What is not as expected: actions that are missing, and those that nobody expected."""
    left = list(sent)
    faults = []
    for wanted in case.expectations:
        if isinstance(wanted, Silent):
            continue
        met = next((one for one in left if _meets(one, wanted)), None)
        if met is None:
            faults.append(Fault(f"expected {_wanted_text(wanted)}", wanted.time))
        else:
            left.remove(met)
    end = end_of(case)
    faults += [Fault(f"not expected: {sent_text(one)}", one.at) for one in left if one.at <= end]
    return sorted(faults, key=lambda one: one.at)


def _meets(sent: Sent, wanted: Acts) -> bool:
    if (sent.at, sent.name) != (wanted.time, wanted.name):
        return False
    if wanted.template is not None and sent.template != wanted.template:
        return False
    if wanted.to is not None and sent.to != wanted.to.value:
        return False
    return all(sent.arguments.get(name) == value.value for name, value in wanted.values)


def _item(happening: Happening) -> dict[str, Any]:
    match happening:
        case Occurs(name=name, values=values):
            return {"event": name, "user_id": PERSON, "properties": _nested(((name,), one) for name, one in values)}
        case Changes(path=path, value=value):
            return {"type": "identify", "user_id": PERSON, "traits": _nested([(path.parts, value)])}


def _nested(values: Iterable[tuple[tuple[str, ...], nodes.Literal]]) -> dict[str, Any]:
    """Values under their paths."""
    found: dict[str, Any] = {}
    for (*way, last), value in values:
        inner = found
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = value.value
    return found


def _second(at: int) -> int:
    """A moment to the second: what is given lies a microsecond before 0h."""
    return (at + SECOND // 2) // SECOND * SECOND


def _wanted_text(wanted: Acts) -> str:
    return _action_text(
        wanted.time,
        wanted.name,
        wanted.template,
        wanted.to.value if wanted.to else None,
        {name: value.value for name, value in wanted.values},
    )


def sent_text(sent: Sent) -> str:
    """An action as a test would name it."""
    return _action_text(sent.at, sent.name, sent.template, sent.to, sent.arguments)


def _action_text(at: int, name: str, template: str | None, to: Any, arguments: dict[str, Any]) -> str:
    words = [name]
    words += [f'"{template}"'] if template is not None else []
    words += [f"to {to}"] if to is not None else []
    words += ["with " + ", ".join(f"{key} = {value}" for key, value in arguments.items())] if arguments else []
    return " ".join([*words, f"at {time_text(at)}"])


def time_text(at: int) -> str:
    """A moment on a test's clock: ``27h``, ``2h30m``, ``90s``."""
    hours, rest = divmod(at // SECOND, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if count]
    return "".join(parts) or "0h"
