"""Looking rules over without running them: everything wrong or doubtful in all files at once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import FILE, Settings
from engine.errors import ConfigError
from engine.language import Catalog, Diagnostic, Reading, read_cases
from engine.language.cases import CaseReading
from engine.language.codes import finding
from engine.language.directives import unused
from engine.language.layout import date_text
from engine.language.naming import event_names
from engine.language.nodes import Date, Rule, Schedule, Span
from engine.language.slips import slips
from engine.language.source import Source
from engine.language.suggest import nearest
from engine.runtime.rulefiles import SUFFIX, TESTS, RuleFiles, text_of
from engine.runtime.unmatched import Unmatched, unmatched
from engine.schemas.naming import suggested_name
from engine.strict_json import shown
from engine.templates.checking import Looked

Finding = tuple[Source, Diagnostic]


@dataclass(frozen=True)
class Checked:
    """What looking through some files gave; findings in the order of files and lines."""

    files: int
    rules: int
    cases: int
    templates: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(one.severity == "error" for _, one in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    def plain(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "rules": self.rules,
            "tests": self.cases,
            "templates": self.templates,
            "errors": self.errors,
            "warnings": self.warnings,
            "findings": [one.to_dict(source) for source, one in self.findings],
        }


def check(
    paths: Iterable[Path],
    catalog: Catalog | None = None,
    templates: Callable[[Iterable[Reading]], Looked] | None = None,
    settings: Settings | None = None,
    today: datetime.date | None = None,
) -> Checked:
    """Look through rule files, test files, and folders of both, and at names that are not in the ``catalog``.

    ``templates`` looks over what the rules name, where anybody keeps any. Where the ``settings``' rules are among what
    is looked through, so are the names that the settings have of rules. ``today`` tells which dates are past. Raises
    ConfigError for a path that does not exist.
    """
    paths = list(paths)
    found = RuleFiles(tuple(path for path in paths if not path.name.endswith(TESTS)), catalog).load()
    tests = [read_cases(text_of(path), str(path)) for path in test_files(paths)]
    readings = [reading.with_findings(_event_names(reading.written)) for reading in found.readings]
    readings = [reading.with_findings(_past_dates(reading.written, today)) for reading in readings]
    if catalog is None or not catalog.learnt:
        written = [rule for reading in readings for rule in reading.written]
        readings = [reading.with_findings(_slips(reading.written, written)) for reading in readings]
    findings = [(reading.source, one) for reading in tests for one in reading.diagnostics]
    findings += [finding for reading in tests for finding in _unknown_rules(reading)]
    looked = templates(found.readings) if templates else Looked(0, ())
    readings = [reading.with_findings(_beside(looked.findings, reading)) for reading in readings]
    named = {reading.source.name for reading in readings}
    findings += [finding for finding in looked.findings if finding[0].name not in named]
    findings += [(reading.source, one) for reading in readings for one in reading.diagnostics]
    findings += [
        (reading.source, unused(one)) for reading in readings for one in reading.allowed if one not in reading.used
    ]
    if settings is not None and settings.rules.resolve() in {path.resolve() for path in paths}:
        findings += _names_of_rules(settings)
    findings.sort(key=lambda one: (one[0].name, one[1].span))
    files = len(found.readings) + len(tests)
    cases = sum(len(one.cases) for one in tests)
    rules = sum(len(reading.written) for reading in found.readings)
    return Checked(files, rules, cases, looked.files, tuple(findings))


def _slips(rules: Iterable[Rule], every: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Yield a warning for each name of some rules that looks like a slip of a name of the others."""
    for rule in rules:
        yield from slips(rule, [other for other in every if other is not rule])


def _past_dates(rules: Iterable[Rule], today: datetime.date | None) -> Iterator[Diagnostic]:
    """Yield a warning for each rule that can start nothing any more."""
    if today is None:
        return
    for rule in rules:
        trigger, active = rule.trigger, rule.active
        if isinstance(trigger, Schedule) and trigger.date is not None and _is_past(trigger.date, today):
            message = f"{date_text(trigger.date)} is past, so the rule starts nothing any more"
            yield finding("past-date", message, trigger.span, "write a date to come")
        if active is not None and active.end is not None and _is_past(active.end, today):
            message = f"the last active day, {date_text(active.end)}, is past, so the rule starts nothing any more"
            yield finding("past-date", message, active.span, "write a day to come, or take the line out")


def _is_past(date: Date, today: datetime.date) -> bool:
    return (date.year, date.month, date.day) < (today.year, today.month, today.day)


def _beside(findings: Iterable[Finding], reading: Reading) -> list[Diagnostic]:
    """Return those of some findings that are in the file of a reading."""
    return [diagnostic for source, diagnostic in findings if source.name == reading.source.name]


def _unknown_rules(reading: CaseReading) -> Iterator[Finding]:
    """Yield an error for each rule that a test names and no file beside it has; none while those have errors."""
    path = Path(reading.source.name)
    beside = [one for one in path.parent.glob(f"*{SUFFIX}") if not one.name.endswith(TESTS)]
    rules = RuleFiles(tuple(sorted(beside))).load()
    if not rules.ok:
        return
    known = sorted(program.id for program in rules.programs)
    for case in reading.cases:
        for name in (case.rule, *case.companions):
            if name not in known:
                close = nearest(name, known)
                advice = f"did you mean '{shown(close)}'?" if close else "name a rule of the files beside the test"
                yield reading.source, finding("unknown-rule", f"no rule '{shown(name)}'", case.rule_span, advice)


def _event_names(rules: Iterable[Rule]) -> Iterator[Diagnostic]:
    """A warning for each event whose name is not by the convention, at the first place of a rule that names it."""
    for rule in rules:
        places: dict[str, Span] = {}
        for name, span in event_names(rule):
            places.setdefault(name, span)
        for name, span in places.items():
            if (better := suggested_name(name)) is not None:
                message = f"events are best named in snake_case, and '{shown(name)}' is not"
                advice = f"if the event is yours to name, send and write '{shown(better)}'"
                yield Diagnostic("event-name", "warning", message, span, advice)


def _names_of_rules(settings: Settings) -> Iterator[Finding]:
    """A warning for each name in the settings that no rule of any workspace has; none while rules have errors."""
    folders = dict.fromkeys((settings.rules, *(one.rules for one in settings.workspaces.values())))
    found = [RuleFiles((folder,)).load() for folder in folders if folder.exists()]
    if all(one.ok for one in found):
        for one in unmatched(settings, [program for each in found for program in each.programs]):
            source, span = _place(one)
            yield source, Diagnostic(one.code, "warning", one.message, span, one.help)


def _place(one: Unmatched) -> tuple[Source, Span]:
    """Where a setting stands: in the file, behind its table's head; or nowhere, as in the environment."""
    path = Path(FILE)
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    head, name = rf"^\s*\[\s*{re.escape(one.table)}\s*\]", re.escape(one.name)
    key, item = rf"^\s*[\"']?(?={name}[\"']?\s*=)", rf"[\"'](?={name}[\"'])"
    found = re.search(rf"{head}(?:(?!^\s*\[).)*?(?:{key}|{item})({name})", text, re.MULTILINE | re.DOTALL)
    if found is not None:
        return Source(FILE, text), found.span(1)
    shown_as = f"[{one.table}] {shown(one.name)}"
    return Source("settings", shown_as), (0, len(shown_as))


def test_files(paths: Iterable[Path]) -> list[Path]:
    """The test files among some paths: those named, those inside folders, and those beside a rule file named.

    Raises ConfigError for a path that does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ConfigError(f"there is nothing at '{path}'; name a file or folder of rules")
        if path.is_dir():
            found += sorted(path.rglob(f"*{TESTS}"))
        elif path.name.endswith(TESTS):
            found.append(path)
        else:
            beside = path.with_name(path.name.removesuffix(SUFFIX) + TESTS)
            found += [beside] if beside.exists() else []
    return list(dict.fromkeys(found))
