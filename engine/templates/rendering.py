"""From a template and what is known of an action to the parts of a message.

Unknown variables are empty unless the template says otherwise (``| default: "there"``). Values are never read as
Liquid. In HTML they are escaped. The same values give the same bytes: nothing here reads a clock or the environment.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, TemplateNotFoundError

from engine.clock import iso
from engine.delivery_settings import TemplateSettings
from engine.language.source import Source
from engine.templates.codes import finding
from engine.templates.dialect import Dialect, variables
from engine.templates.faults import TemplateError, unreadable
from engine.templates.folder import BODIES, PARTS, Folder, Part, Wording
from engine.templates.limits import Making, Scope
from engine.templates.wording import explained

_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


class Facts(NamedTuple):
    """What a message is made from: the variables an action was frozen with, and its moment, microseconds UTC."""

    variables: Mapping[str, Any]
    moment: int
    unsubscribe_url: str | None = None

    def named(self) -> dict[str, Any]:
        """The variables as templates name them; times of the journey are ISO 8601, in UTC."""
        journey = dict(self.variables.get("journey") or {})
        journey |= {name: iso(journey[name]) for name in ("start", "moment") if isinstance(journey.get(name), int)}
        found = {name: self.variables.get(name) or {} for name in ("person", "trigger", "with")}
        url = {} if self.unsubscribe_url is None else {"unsubscribe_url": self.unsubscribe_url}
        return {**found, "journey": journey, **url}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message; a part is None where the template has none. ``missing`` are the unknown variables in it."""

    wording: Wording
    subject: str | None
    text: str | None
    html: str | None
    missing: tuple[str, ...]


class _Stamp(NamedTuple):
    """What changes when a file does."""

    changed: int
    size: int
    file: int


@dataclass
class Reader:
    """Reads the templates of a folder, each again only when it has changed. Safe to use from any thread."""

    settings: TemplateSettings
    _dialects: dict[tuple[Part, str | None], Dialect] = field(default_factory=dict)
    _read: dict[tuple[Part, str | None, Path], tuple[_Stamp, str, BoundTemplate]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def folder(self) -> Folder:
        return Folder(self.settings.folder)

    def template(self, path: Path, part: Part, spoken: str | None) -> BoundTemplate:
        """The template in a file, which takes others in of the same kind and language. Raises TemplateError."""
        key = (part, spoken, path)
        try:
            found = path.stat()
            stamp = _Stamp(found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._read.get(key)
            if known is not None and known[0] == stamp:
                return known[2]
            text = self._text(path, stamp.size)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise unreadable(str(path), f"the template cannot be read: {why}") from None
        dialect = self.dialect(part, spoken)
        source = Source(str(path), text)
        try:
            made = dialect.read(text, path)
        except LiquidError as error:
            raise TemplateError(source, explained(error, source, dialect)) from None
        with self._lock:
            self._read[key] = (stamp, text, made)
        return made

    def source(self, path: Path) -> Source:
        """A template's text as it was last read."""
        texts = (text for (_, _, of), (_, text, _) in list(self._read.items()) if of == path)
        return Source(str(path), next(texts, ""))

    def dialect(self, part: Part, spoken: str | None) -> Dialect:
        """How files of a kind and language are read."""
        with self._lock:
            if (part, spoken) not in self._dialects:

                def taken_in(name: str) -> BoundTemplate:
                    path = self.folder.partial(name, part, spoken)
                    if path is None:
                        raise TemplateNotFoundError(f"{name}.{part}")
                    return self.template(path, part, spoken)

                self._dialects[part, spoken] = Dialect(escapes=part == "html", partial=taken_in)
            return self._dialects[part, spoken]

    def _text(self, path: Path, size: int) -> str:
        if size > self.settings.file_bytes:
            raise unreadable(
                str(path), f"a template has at most {self.settings.file_bytes:,} bytes, and this one {size:,}"
            )
        return path.read_text("utf-8-sig")


class Renderer:
    """Makes messages from the templates of a folder. Safe to use from any thread."""

    def __init__(self, settings: TemplateSettings) -> None:
        self.settings = settings
        self._reader = Reader(settings)

    def render(self, name: str, facts: Facts) -> Rendered | None:
        """The message of a template, in the language of ``variant``; None where no file of that name is there.

        Raises TemplateError, with file and line, for whatever is wrong with the template.
        """
        folder = self._reader.folder
        wording = folder.find(name, facts.variables.get("variant"))
        if wording is None:
            others = folder.wordings(name)
            if others:
                raise unreadable(str(folder.path / name), "the template is there in other languages only")
            return None
        if not any(part in wording.files for part in BODIES):
            path = next(iter(wording.files.values()))
            why = "the template has a subject and nothing else; write a .txt or .html beside it"
            raise TemplateError(Source(str(path), ""), finding("template-empty", why, (0, 0)))
        making = Making(self.settings, facts.moment)
        named = variables(facts.named())
        made = {part: self._part(wording, part, making, named) for part in PARTS if part in wording.files}
        subject = made.get("subject")
        return Rendered(
            wording,
            subject=None if subject is None else _BREAKS.sub(" ", subject).strip(),
            text=made.get("txt"),
            html=made.get("html"),
            missing=tuple(making.missing),
        )

    def _part(self, wording: Wording, part: Part, making: Making, named: Mapping[str, Any]) -> str:
        template = self._reader.template(wording.files[part], part, wording.language)
        buffer = making.buffer()
        try:
            scope = Scope(template, globals=template.make_globals(named), making=making)
            template.render_with_context(scope, buffer)
        except LiquidError as error:
            source = Source(str(error.template_name or template.path), error.token.source if error.token else "")
            raise TemplateError(source, explained(error, source, template.env)) from None
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            said = finding("template-value", f"it cannot be rendered: {type(error).__name__}", (0, 0))
            raise TemplateError(Source(str(template.path), ""), said) from error
        return making.written(buffer)
