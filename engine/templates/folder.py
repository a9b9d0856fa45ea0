"""The folder of templates: which files make up a template, and in which language."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

from engine.templates.names import is_name, language, languages

Part = Literal["subject", "txt", "html"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
BODIES: Final[tuple[Part, ...]] = ("txt", "html")


@dataclass(frozen=True, slots=True)
class Wording:
    """The files of a template in one language, or in none: its bodies are used together or not at all."""

    name: str
    language: str | None
    files: dict[Part, Path]


class _Reading(NamedTuple):
    """One way to read a file's name."""

    template: str
    language: str | None
    part: Part


@dataclass(frozen=True)
class Folder:
    """The files under ``path``. Nothing of them is remembered, so whatever is edited counts at once."""

    path: Path

    def find(self, name: str, variant: Any = None) -> Wording | None:
        """The template of a name in the language that ``variant`` is, else in none; None where it has no file.

        All files are of the first language that has any, so no message mixes two; but for a subject that is missing in
        it, which is then that of the language without its region, else the one without a language.
        """
        wordings = {one.language: one for one in self.wordings(name)}
        found = next((wordings[one] for one in (*languages(variant), None) if one in wordings), None)
        subject = None if found is None else self.subject(found)
        if found is None or subject is None:
            return found
        return replace(found, files={"subject": subject, **found.files})

    def subject(self, wording: Wording) -> Path | None:
        """The subject that a message in a language goes under."""
        return self.partial(wording.name, "subject", wording.language)

    def wordings(self, name: str) -> list[Wording]:
        """A template in all its languages, the one without a language first."""
        found: dict[str | None, Wording] = {}
        if not is_name(name):
            return []
        for path in self._beside(name):
            for one in self._readings(path):
                if one.template == name:
                    wording = found.setdefault(one.language, Wording(name, one.language, {}))
                    wording.files.setdefault(one.part, path)
        return sorted(found.values(), key=lambda one: one.language or "")

    def partial(self, name: str, part: Part, spoken: str | None) -> Path | None:
        """The file that one of this kind and language takes in under ``name``: in its own language, else in none."""
        files = {one.language: one.files.get(part) for one in self.wordings(name)}
        found = (files.get(one) for one in (*languages(spoken), None))
        return next((path for path in found if path is not None), None)

    def files(self) -> list[Path]:
        """Every file of every template, in order."""
        found = (path for part in PARTS for path in self.path.rglob(f"*.{part}"))
        return sorted(path for path in found if path.is_file() and self._readings(path))

    def names(self) -> list[str]:
        """Every template there is. What ends like a language counts as one."""
        return sorted({self._readings(path)[-1].template for path in self.files()})

    def _beside(self, name: str) -> list[Path]:
        """The files that may be of a template, by the beginning of their names."""
        whole = self.path / name
        try:
            near = sorted(one for one in os.listdir(whole.parent) if one.startswith(f"{whole.name}."))
        except OSError:
            return []
        return [path for path in map(whole.parent.joinpath, near) if path.is_file()]

    def _readings(self, path: Path) -> list[_Reading]:
        """What a file may be: of the template called all that stands before its kind, or of one in a language."""
        return list(self._read(path.relative_to(self.path).as_posix()))

    def _read(self, file: str) -> Iterator[_Reading]:
        whole, _, ending = file.rpartition(".")
        part = next((one for one in PARTS if one == ending), None)
        if part is None or not is_name(whole):
            return
        yield _Reading(whole, None, part)
        name, dot, ending = whole.rpartition(".")
        spoken = language(ending) if dot else None
        if spoken is not None and is_name(name):
            yield _Reading(name, spoken, part)
