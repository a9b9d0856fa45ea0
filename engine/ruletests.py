"""Running the tests that stand beside rules: each on the real engine, in memory, under a clock of its own.

0h is a Monday's midnight in the workspace's zone, or what ``Start:`` says. What is given is known just before; the
rule, and those named by ``With:``, go live at 0h.
"""

from __future__ import annotations

import datetime
import tempfile
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.checking import Finding, test_files
from engine.clock import DAY, MICROSECOND, SECOND, micros
from engine.config import Settings, load_settings
from engine.delivery.channels import Outgoing
from engine.journeys.rehearsal import person_drawn
from engine.language import layout, nodes, read_cases
from engine.language.case_nodes import (
    Acts,
    Case,
    Changes,
    Happening,
    Listed,
    Occurs,
    Sets,
    Silent,
    Stated,
    Tracks,
    Value,
)
from engine.language.case_nodes import Day as CalendarDay
from engine.language.layout import clause_text, duration_text
from engine.language.source import Source
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import SUFFIX, TESTS, RuleFiles, text_of
from engine.runtime.why import Question
from engine.testing import Clock, travel

PERSON = "person"
"""The user id of the one person of a test, unless its draws have to come out otherwise."""

LOOK_AHEAD = 400 * DAY
"""How long after its last line a test that expects nothing, with no end named, goes on."""

_MONDAY = datetime.datetime(2026, 1, 5)  # noqa: DTZ001


@dataclass(frozen=True)
class Fault:
    """One thing that was not as expected, and why where that is known. ``at`` is microseconds on the test's clock."""

    text: str
    at: int
    why: str | None = None


@dataclass(frozen=True)
class Sent:
    """One thing that a rule did, and when on the test's clock.

    ``kind`` is ``action``, ``set`` or ``track``: of the last two ``name`` is the event's, or empty, and ``arguments``
    are what was set or tracked.
    """

    at: int
    name: str
    template: str | None = None
    to: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    variant: Any = None
    kind: str = "action"
    held_since: int | None = None
    """The moment at which its step was reached, where quiet hours held it."""


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

    A test is of its rule: what the settings have over all rules, their quiet hours and caps, does not hold in it
    unless it states them.
    """
    settings = load_settings(store="sqlite://", grace=datetime.timedelta(0))
    settings = settings.model_copy(update={"quiet_hours": [], "caps": {}})
    results = Results()
    for path in test_files(paths):
        results.files += 1
        _run_file(path, settings, results)
    return results


def _run_file(path: Path, settings: Settings, results: Results) -> None:
    """Run one file of tests against the rules in the files beside it."""
    reading = read_cases(text_of(path), str(path))
    beside = sorted(one for one in path.parent.glob(f"*{SUFFIX}") if not one.name.endswith(TESTS))
    rules = RuleFiles(tuple(beside)).load()
    results.findings += ((reading.source, finding) for finding in reading.diagnostics)
    results.findings += ((rule.source, finding) for rule in rules.readings for finding in rule.diagnostics)
    if not (reading.ok and rules.ok):
        return
    known = {program.id: program.rule for program in rules.programs}
    for case in reading.cases:
        results.results.append(_run_case(case, reading.source, known, settings))


def _run_case(case: Case, source: Source, known: Mapping[str, nodes.Rule], settings: Settings) -> Result:
    line = source.place(case.span[0]).line
    missing = next((name for name in (case.rule, *case.companions) if name not in known), None)
    if missing is not None:
        faults = [Fault(f"no rule '{missing}' stands in the files beside the test", 0)]
        return Result(case, source.name, line, tuple(faults))
    start = _start_of(case, settings)
    timed = _timed(case, start)
    early = [one.time for one in timed.happenings if isinstance(one.time, int) and one.time < 0]
    if early:
        return Result(case, source.name, line, (Fault("a day of the test lies before its start", min(early)),))
    rules = [known[name] for name in (case.rule, *case.companions)]
    person = person_drawn(rules, case.draws, PERSON)
    if person is None:
        return Result(case, source.name, line, (Fault("the rule draws nothing that could come out so", 0),))
    stage = Stage(timed, rules, settings, micros(start), person)
    return Result(timed, source.name, line, tuple(stage.faults), tuple(stage.sent))


# ------------------------------------------------------------------------------------------ the calendar


def _start_of(case: Case, settings: Settings) -> datetime.datetime:
    """Return the moment of 0h."""
    if case.start is None:
        return _MONDAY.replace(tzinfo=zoneinfo.ZoneInfo(settings.zone))
    zone = case.start.zone.name if case.start.zone is not None and case.start.zone.name else settings.zone
    return _local(CalendarDay(case.start.date, case.start.time), zoneinfo.ZoneInfo(zone))


def _local(day: CalendarDay, zone: datetime.tzinfo) -> datetime.datetime:
    hour, minute = (day.time.hour, day.time.minute) if day.time is not None else (0, 0)
    return datetime.datetime(day.date.year, day.date.month, day.date.day, hour, minute, tzinfo=zone)


def _timed(case: Case, start: datetime.datetime) -> Case:
    """Return the test with every day of the calendar as a moment of its clock."""

    def moment(when: Any) -> Any:
        if isinstance(when, CalendarDay):
            assert start.tzinfo is not None
            return micros(_local(when, start.tzinfo)) - micros(start)
        return when

    expectations = tuple(
        replace(one, until=moment(one.until)) if isinstance(one, Silent) else replace(one, time=moment(one.time))
        for one in case.expectations
    )
    happenings = tuple(replace(one, time=moment(one.time)) for one in case.happenings)
    return replace(case, happenings=happenings, expectations=expectations)


# --------------------------------------------------------------------------------------------- the stage


class Stage:
    """One test played through: what is given, what happens, and what left."""

    def __init__(self, case: Case, rules: Sequence[nodes.Rule], settings: Settings, start: int, person: str) -> None:
        self.start = start
        self.person = person
        self.sent: list[Sent] = []
        self.faults: list[Fault] = []
        self._clock = Clock(start - MICROSECOND)
        self._leaving: dict[str, int] = {}
        caps = {cap.name: f"{cap.number} per person per {duration_text(cap.duration)}" for cap in case.caps}
        quiet = [clause_text(line) for line in case.quiet]
        held = settings.model_copy(update={"caps": caps, "quiet_hours": quiet})
        with Engine.open(settings=held, clock=self._clock, fallback=self) as engine:
            self._play(engine, case, rules)
            self.sent = [self._seen(one) for one in engine.sent() if one.action not in ("set", "track")]
            self.sent += [
                Sent(_second(one.at - start), one.name, arguments=one.values, kind="track" if one.name else "set")
                for one in engine.caused(person)
            ]
            self.sent.sort(key=lambda one: one.at)
            self.faults = judge(case, self.sent, lambda wanted, others: self._why(engine, case, wanted, others))

    def send(self, action: Outgoing) -> None:
        """Take an action: this is the channel of all of them."""
        self._leaving.setdefault(action.key, self._clock.now())

    def _play(self, engine: Engine, case: Case, rules: Sequence[nodes.Rule]) -> None:
        if case.givens:
            engine.identify(self.person, nested((one.path.parts, one.value) for one in case.givens))
        self._clock.set(self.start)
        with tempfile.TemporaryDirectory() as folder:
            for number, rule in enumerate(rules):
                Path(folder, f"rule-{number}{SUFFIX}").write_text(layout(replace(rule, named=True)), "utf-8")
            engine.load(Path(folder))
        happenings = sorted(case.happenings, key=_moment)
        for time, together in groupby(happenings, key=_moment):
            travel(engine, self._clock, self.start + time - MICROSECOND)
            self._clock.set(self.start + time)
            engine.ingest([self._item(one) for one in together])
            engine.run_due()
        travel(engine, self._clock, self.start + end_of(case))

    def _item(self, happening: Happening) -> dict[str, Any]:
        match happening:
            case Occurs(name=name, values=values):
                return {"event": name, "user_id": self.person, "properties": nested(values)}
            case Changes(path=path, value=value):
                return {"type": "identify", "user_id": self.person, "traits": nested([(path.parts, value)])}

    def _seen(self, action: Outgoing) -> Sent:
        at = self._leaving.get(action.key, action.moment)
        arguments = {name: value for name, value in action.arguments.items() if value is not None}
        held = _second(action.moment - self.start) if at > action.moment else None
        variant = action.variables.get("variant")
        left = _second(at - self.start)
        return Sent(left, action.action, action.template, action.to, arguments, variant, held_since=held)

    def _why(self, engine: Engine, case: Case, wanted: Acts, others: Sequence[Sent]) -> str | None:
        """Return why an action that was expected did not leave; ``others`` are those that nothing else expects."""
        near = [one for one in others if (one.kind, one.name) == ("action", wanted.name)]
        near = [one for one in near if wanted.template in (None, one.template)]
        if near:
            return _difference(min(near, key=lambda one: abs(one.at - _moment(wanted))), wanted)
        until = self.start + max(_moment(wanted), 0)
        question = Question(self.person, case.rule, wanted.name, wanted.template, until)
        return engine.why_not(question, lambda at: time_text(at - self.start))


def _difference(sent: Sent, wanted: Acts) -> str:
    """Return how an action that left is another one than the one that was expected."""
    if sent.at != wanted.time:
        held = f": quiet hours held it since {time_text(sent.held_since)}" if sent.held_since is not None else ""
        return f"it left at {time_text(sent.at)}{held}"
    if wanted.to is not None and sent.to != wanted.to.value:
        return f"it left to {sent.to}"
    if wanted.variant is not None and sent.variant != wanted.variant.value:
        return f"it left in {sent.variant or 'no variant'}"
    differing = [
        f"{'.'.join(path)} = {_reads(sent.arguments, path)}"
        for path, value in wanted.values
        if _reads(sent.arguments, path) != plain(value)
    ]
    return f"it left with {', '.join(differing)}"


def end_of(case: Case) -> int:
    """Up to when a test is judged: the last moment that an ``Expect:`` names."""
    named = [one.until if isinstance(one, Silent) else one.time for one in case.expectations]
    moments = [one for one in named if isinstance(one, int)]
    if None not in named:
        return max(moments)
    return LOOK_AHEAD + max([0, *moments, *(_moment(one) for one in case.happenings)])


Why = Callable[[Acts, Sequence[Sent]], str | None]
"""Says why an action is missing, given those that nothing else expects."""


def judge(case: Case, sent: Sequence[Sent], why: Why = lambda _wanted, _others: None) -> list[Fault]:
    """Return what is not as expected: actions that are missing, and those that nobody expected.

    What a rule sets and tracks is held against what is expected of it, and never unexpected.
    """
    left = list(sent)
    missing = []
    for wanted in case.expectations:
        if isinstance(wanted, Silent):
            continue
        met = next((one for one in left if _meets(one, wanted)), None)
        if met is not None:
            left.remove(met)
        else:
            missing.append(wanted)
    faults = [
        Fault(
            f"expected {_wanted_text(wanted)}",
            _moment(wanted),
            why(wanted, left) if isinstance(wanted, Acts) else None,
        )
        for wanted in missing
    ]
    end = end_of(case)
    unexpected = [one for one in left if one.kind == "action" and one.at <= end]
    faults += [Fault(f"not expected: {sent_text(one)}", one.at) for one in unexpected]
    return sorted(faults, key=lambda one: one.at)


def _meets(sent: Sent, wanted: Acts | Sets | Tracks) -> bool:
    if sent.at != wanted.time:
        return False
    match wanted:
        case Sets(path=path, value=value):
            return sent.kind == "set" and _reads(sent.arguments, path.parts) == plain(value)
        case Tracks(name=name, values=values):
            return (sent.kind, sent.name) == ("track", name) and _holds(sent.arguments, values)
        case Acts():
            return (
                (sent.kind, sent.name) == ("action", wanted.name)
                and wanted.template in (None, sent.template)
                and (wanted.to is None or sent.to == wanted.to.value)
                and (wanted.variant is None or sent.variant == wanted.variant.value)
                and _holds(sent.arguments, wanted.values)
            )


def _holds(arguments: Mapping[str, Any], values: Iterable[Value]) -> bool:
    return all(_reads(arguments, path) == plain(value) for path, value in values)


def _reads(arguments: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return what stands at a path; a name that has dots itself goes before its parts."""
    whole = ".".join(path)
    if whole in arguments:
        return arguments[whole]
    held: Any = arguments
    for part in path:
        if isinstance(held, list) and part.isdecimal():
            held = held[int(part) - 1] if 0 < int(part) <= len(held) else None
        else:
            held = held.get(part) if isinstance(held, Mapping) else None
    return held


# ------------------------------------------------------------------------------------------- plain values


def plain(value: Stated) -> Any:
    """Return what a test states as plain data."""
    return [one.value for one in value.items] if isinstance(value, Listed) else value.value


def nested(values: Iterable[Value]) -> dict[str, Any]:
    """Return values under their paths; parts that are whole numbers are places in a list, from 1."""
    tree: dict[str, Any] = {}
    for (*way, last), value in values:
        inner = tree
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = plain(value)
    return {name: _as_lists(held) for name, held in tree.items()}


def _as_lists(held: Any) -> Any:
    if not isinstance(held, dict):
        return held
    within = {name: _as_lists(one) for name, one in held.items()}
    if within and all(name.isdecimal() for name in within):
        return [within[name] for name in sorted(within, key=int)]
    return within


def _moment(one: Happening | Acts | Sets | Tracks) -> int:
    """Return a moment of the test's clock; days have become such by now."""
    assert isinstance(one.time, int)
    return one.time


def _second(at: int) -> int:
    """A moment to the second: what is given lies a microsecond before 0h."""
    return (at + SECOND // 2) // SECOND * SECOND


# -------------------------------------------------------------------------------------------------- texts


def _wanted_text(wanted: Acts | Sets | Tracks) -> str:
    match wanted:
        case Sets(path=path, value=value):
            return sent_text(Sent(_moment(wanted), "", arguments=nested([(path.parts, value)]), kind="set"))
        case Tracks(name=name, values=values):
            return sent_text(Sent(_moment(wanted), name, arguments=_flat(values), kind="track"))
        case Acts():
            to = wanted.to.value if wanted.to else None
            variant = wanted.variant.value if wanted.variant else None
            return sent_text(Sent(_moment(wanted), wanted.name, wanted.template, to, _flat(wanted.values), variant))


def _flat(values: Iterable[Value]) -> dict[str, Any]:
    return {".".join(path): plain(value) for path, value in values}


def sent_text(sent: Sent) -> str:
    """Return what a rule did as a test would name it."""
    if sent.kind == "set":
        assigned = ", ".join(f"person.{name} = {value}" for name, value in sent.arguments.items())
        return f"set {assigned} at {time_text(sent.at)}"
    words = [sent.name] if sent.kind == "action" else ["track", sent.name]
    words += [f'"{sent.template}"'] if sent.template is not None else []
    words += [f"in {sent.variant}"] if sent.variant is not None else []
    words += [f"to {sent.to}"] if sent.to is not None else []
    if sent.arguments:
        words.append("with " + ", ".join(f"{key} = {value}" for key, value in sent.arguments.items()))
    return " ".join([*words, f"at {time_text(sent.at)}"])


def time_text(at: int) -> str:
    """A moment on a test's clock: ``27h``, ``2h30m``, ``90s``."""
    hours, rest = divmod(at // SECOND, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if count]
    return "".join(parts) or "0h"
