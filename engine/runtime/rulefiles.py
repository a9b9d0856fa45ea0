"""Rule files to programs: every finding of every file at once, and nothing read twice that has not changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from engine.config import Settings
from engine.errors import ConfigError
from engine.language import Catalog, Diagnostic, Reading, read
from engine.language.nodes import Rule
from engine.language.program import Program
from engine.language.source import decoded

Stamp = tuple[int, int, int]
"""What of a file changes when it does: which it is on the disk, when it was written (ns), its size (bytes)."""

SUFFIX = ".rules"
TESTS = ".test.rules"

STAYING: Final = "the rules have errors, so the rules that were live stay live; 'lapse check' shows what to put right"
"""What is said where a wrong file is passed over."""

NO_FILES: Final = (
    "there is no rule file, so the rules that were live stay live; to take them all out, leave one file without rules"
)
"""What is said where a folder is empty while rules are live."""


@dataclass(frozen=True)
class Found:
    """What lies under the given paths: the programs, and the findings with the file each is of."""

    programs: tuple[Program, ...]
    readings: tuple[Reading, ...]

    @property
    def ok(self) -> bool:
        return all(reading.ok for reading in self.readings)

    @property
    def rules(self) -> list[Rule]:
        """The rules where they stand now; those of the programs may have been read elsewhere."""
        return [rule for reading in self.readings for rule in reading.rules]

    def warned(self, warnings: Mapping[str, Diagnostic]) -> Found:
        """The same with warnings about rules, by their ids."""
        if not warnings:
            return self
        found = ((one, [warnings[rule.id] for rule in one.rules if rule.id in warnings]) for one in self.readings)
        return replace(self, readings=tuple(reading.with_findings(of_it) for reading, of_it in found))

    @property
    def findings(self) -> list[tuple[Reading, Diagnostic]]:
        return [(reading, one) for reading in self.readings for one in reading.diagnostics]

    def log_to(self, log: logging.Logger) -> None:
        """Write every finding as a line, with its place; and of errors, that they change nothing."""
        for reading, one in self.findings:
            level = logging.ERROR if one.severity == "error" else logging.WARNING
            line, column = reading.source.place(one.span[0])
            log.log(level, "%s:%s:%s: %s", reading.source.name, line, column, one.message)
        if not self.ok:
            log.error(STAYING)


@dataclass
class RuleFiles:
    """The rule files of an engine: files, or folders of ``*.rules``. Remembers what it has read last."""

    paths: tuple[Path, ...]
    catalog: Catalog | None = None
    _readings: dict[Path, Reading] = field(default_factory=dict)
    _programs: dict[str, Program] = field(default_factory=dict)
    """By the text of their rules: what they have worked out is kept when a rule moves in its file, or to another."""
    _read: dict[Path, Stamp] | None = None
    """The files as they were when they were read last."""
    _seen: dict[Path, Stamp] | None = None
    """The files as they were when it was last asked whether they have changed."""

    def have_changed(self) -> bool:
        """Whether a file has come, gone or changed since they were read last, and none has since this was last asked.

        A file that is just being written is left to rest first: half of it, or nothing yet, may be rules without an
        error too, and the journeys of those that are missing would end.
        """
        before, self._seen = self._seen, self._stamped()
        return self._seen != self._read and self._seen == before

    def know(self, catalog: Catalog | None) -> None:
        """Check names against what is known from now on."""
        if catalog != self.catalog:
            self.catalog = catalog
            self._readings = {}

    def load(self) -> Found:
        """Read what has changed since the last call; a rule id used in two files is an error of the second.

        Raises ConfigError for a path that does not exist, and for a file that changes meanwhile.
        """
        self._read = self._stamped()
        self._refuse_missing()
        self._readings = {path: self._reading(path) for path in self._read}
        if self._stamped() != self._read:
            raise ConfigError("the rule files changed while they were read; try again when they are written")
        readings = _refusing_repeats(self._readings.values())
        rules = [(reading.text_of(rule), rule) for reading in readings for rule in reading.rules]
        self._programs = {text: self._programs.get(text) or Program(rule) for text, rule in rules}
        return Found(tuple(self._programs[text] for text, _ in rules), tuple(readings))

    def forget(self) -> None:
        """What was read last did not go live: the files count as changed."""
        self._read = None

    def _refuse_missing(self) -> None:
        for path in self.paths:
            if not path.exists():
                raise ConfigError(f"there are no rules at '{path}'; name a rule file or a folder of '*{SUFFIX}' files")

    def _present(self) -> list[Path]:
        """Every rule file that is there, in order."""
        found: list[Path] = []
        for path in self.paths:
            if path.is_dir():
                found += [one for one in sorted(path.rglob(f"*{SUFFIX}")) if not one.name.endswith(TESTS)]
            elif path.exists():
                found.append(path)
        return found

    def _stamped(self) -> dict[Path, Stamp]:
        """The files as they are now; one that goes away meanwhile is not there."""
        stamps = {}
        for path in self._present():
            with suppress(FileNotFoundError):
                found = path.stat()
                stamps[path] = (found.st_ino, found.st_mtime_ns, found.st_size)
        return stamps

    def _reading(self, path: Path) -> Reading:
        text = text_of(path)
        known = self._readings.get(path)
        return known if known and known.source.text == text else read(text, str(path), catalog=self.catalog)


def text_of(path: Path) -> str:
    """The text of a file of rules or tests; what is no UTF-8 in it is found when it is read."""
    return decoded(path.read_bytes())


def catalog_of(settings: Settings, functions: Iterable[str] = ()) -> Catalog | None:
    """What rules may name: once the settings bind actions and give no default, those that are bound, and functions."""
    actions = settings.actions
    if not actions.exhaustive:
        return None
    return Catalog(actions=frozenset((*actions.bindings, *functions)))


def _refusing_repeats(readings: Iterable[Reading]) -> list[Reading]:
    """The readings, with an error where a rule's id stands in an earlier file already."""
    where: dict[str, str] = {}
    checked = []
    for reading in readings:
        repeats = [rule for rule in reading.written if rule.id in where]
        for rule in repeats:
            reading = reading.refusing(rule, where[rule.id])  # noqa: PLW2901
        for rule in reading.written:
            if rule.id:
                where.setdefault(rule.id, reading.source.name)
        checked.append(reading)
    return checked
