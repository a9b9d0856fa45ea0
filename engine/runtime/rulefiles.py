"""Rule files to programs: every finding of every file at once, and nothing read twice that has not changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import ConfigError
from engine.language import Catalog, Diagnostic, Reading, read
from engine.language.program import Program

SUFFIX = ".rules"
TESTS = ".test.rules"


@dataclass(frozen=True)
class Found:
    """What lies under the given paths: the programs, and the findings with the file each is of."""

    programs: tuple[Program, ...]
    readings: tuple[Reading, ...]

    @property
    def ok(self) -> bool:
        return all(reading.ok for reading in self.readings)

    @property
    def findings(self) -> list[tuple[Reading, Diagnostic]]:
        return [(reading, one) for reading in self.readings for one in reading.diagnostics]


@dataclass
class RuleFiles:
    """The rule files of an engine: files, or folders of ``*.rules``. Remembers what it has read."""

    paths: tuple[Path, ...]
    catalog: Catalog | None = None
    _read: dict[Path, tuple[tuple[int, int], Reading]] = field(default_factory=dict)
    _programs: dict[int, Program] = field(default_factory=dict)

    def files(self) -> list[Path]:
        """Every rule file, in order. Raises ConfigError for a path that does not exist."""
        found: list[Path] = []
        for path in self.paths:
            if path.is_dir():
                found += [one for one in sorted(path.rglob(f"*{SUFFIX}")) if not one.name.endswith(TESTS)]
            elif path.exists():
                found.append(path)
            else:
                raise ConfigError(f"there are no rules at '{path}'; name a rule file or a folder of '*{SUFFIX}' files")
        return found

    def signature(self) -> tuple[tuple[str, int, int], ...]:
        """Changes whenever a file does."""
        return tuple((str(path), *_stamp(path)) for path in self.files())

    def load(self) -> Found:
        """Read what has changed since the last call; a rule id used in two files is an error of the second."""
        readings = [self._reading(path) for path in self.files()]
        readings = _refusing_repeats(readings)
        programs = [self._program(rule) for reading in readings for rule in reading.rules]
        return Found(tuple(programs), tuple(readings))

    def _reading(self, path: Path) -> Reading:
        stamp = _stamp(path)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            text = path.read_text(encoding="utf-8", errors="replace")
            known = (
                stamp,
                read(text, str(path)) if self.catalog is None else read(text, str(path), catalog=self.catalog),
            )
            self._read[path] = known
        return known[1]

    def _program(self, rule: object) -> Program:
        """One program for each rule object, so that what it works out for itself is kept over a reload."""
        return self._programs.setdefault(id(rule), Program(rule))  # type: ignore[arg-type]


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _refusing_repeats(readings: Iterable[Reading]) -> list[Reading]:
    """The readings, with an error where a rule's id stands in an earlier file already."""
    where: dict[str, str] = {}
    checked = []
    for reading in readings:
        repeats = [rule for rule in reading.rules if rule.id in where]
        for rule in repeats:
            reading = reading.refusing(rule, where[rule.id])  # noqa: PLW2901
        for rule in reading.rules:
            where.setdefault(rule.id, reading.source.name)
        checked.append(reading)
    return checked
