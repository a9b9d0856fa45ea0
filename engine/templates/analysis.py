"""What the text of a template shows by itself: mistakes in it, and names of what is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from liquid import BoundTemplate
from liquid.exceptions import LiquidError
from liquid.static_analysis import Variable

from engine.delivery_settings import TemplateSettings
from engine.language import Diagnostic
from engine.language.source import Source
from engine.language.suggest import nearest
from engine.strict_json import shown
from engine.templates.asking import Optional, optional
from engine.templates.checking import Finding, Use
from engine.templates.codes import finding
from engine.templates.dialect import passed_on, taken_in
from engine.templates.faults import TemplateError
from engine.templates.folder import Part
from engine.templates.rendering import Reader
from engine.templates.wording import explained, unknown_filter

ROOTS: Final = ("person", "trigger", "journey", "with", "unsubscribe_url")
"""The variables of every template."""

_JOURNEY: Final = ("rule", "step", "start", "moment")
"""What ``journey`` holds."""

_LOOPS: Final = ("forloop", "tablerowloop")
_PROPERTIES: Final = ("size", "first", "last")
"""What Liquid knows of any value."""


def analysed(settings: TemplateSettings, uses: Mapping[str, Sequence[Use]], *, only_used: bool) -> list[Finding]:
    """The findings of every file of the folder, or only of what is used. A file that others take in is looked over as a
    part of them.
    """
    reader = Reader(settings)
    broken: dict[str, list[Finding]] = {}
    read = list(_read(reader, broken))
    parts = {path for one in read for path in one.taken_in()}
    passed = {name for one in read for name in passed_on(one.template)}
    found = [one for name, ones in broken.items() if name in uses or not only_used for one in ones]
    for one in read:
        if one.name in uses or (one.path not in parts and not only_used):
            found += one.findings(uses.get(one.name, ()), passed)
    return found


@dataclass(frozen=True)
class _Looked:
    """A template file that is Liquid."""

    reader: Reader
    name: str
    part: Part
    language: str | None
    path: Path
    template: BoundTemplate

    def taken_in(self) -> Iterator[Path]:
        """The files it takes in."""
        for name in taken_in(self.template):
            path = self._partial(name)
            if path is not None:
                yield path

    def findings(self, uses: Sequence[Use], passed: Collection[str]) -> Iterator[Finding]:
        """What is wrong in it, and in what it takes in, when ``uses`` are all that name it.

        Whatever is ``passed`` to a template by any that takes it in may be left out by another.
        """
        try:
            seen = self.template.analyze()
        except TemplateError as error:  # of a file it takes in
            yield error.source, error.diagnostic
            return
        except LiquidError as error:
            source = self._source_of(error)
            yield source, explained(error, source, self.template.env)
            return
        for name, places in seen.filters.items():
            if name not in self.template.env.filters:
                said = unknown_filter(name, self.template.env)
                for place in places:
                    span = (place.index, place.index + len(name))
                    yield self._source(place.template_name), finding(said.code, said.message, span, said.help)
        yield from self._left_out(seen.globals.get("with", ()), uses)
        for root, variables in seen.globals.items():
            for variable in variables:
                here = variable.span.template_name == self.template.name
                fault = _of_variable(root, variable, uses, (*_LOOPS, *seen.locals, *(() if here else passed)))
                if fault is not None:
                    yield self._source(variable.span.template_name), fault

    def _left_out(self, variables: Iterable[Variable], uses: Sequence[Use]) -> Iterator[Finding]:
        """Arguments that are written out, and that some of the rules give and others do not: the places of those."""
        given = {name for use in uses for name in use.arguments}
        own = optional(self.template)
        for variable in variables:
            name, file = _argument(variable), variable.span.template_name
            if name not in given or name in own.names:
                continue
            there = own if file == self.template.name else self._optional(file)
            if name not in there.names and variable.span.index not in there.places:
                yield from (_not_given(self.name, name, use) for use in uses if name not in use.arguments)

    def _optional(self, name: str) -> Optional:
        """What may be missing in a file that it takes in."""
        path = self._partial(name)
        return optional(self.template if path is None else self.reader.template(path, self.part, self.language))

    def _partial(self, name: str) -> Path | None:
        return self.reader.folder.partial(name, self.part, self.language)

    def _source(self, name: str) -> Source:
        """The file that the library knows under a name: this one, or one that it takes in."""
        path = self.path if name == self.template.name else self._partial(name) or self.path
        return self.reader.source(path)

    def _source_of(self, error: LiquidError) -> Source:
        """The file of an error: the library knows its text only."""
        text = error.token.source if error.token else None
        files = (self.reader.source(path) for path in (self.path, *self.taken_in()))
        return next((one for one in files if one.text == text), self.reader.source(self.path))


def _read(reader: Reader, broken: dict[str, list[Finding]]) -> Iterator[_Looked]:
    """The files that are Liquid; what is wrong with the others is added to ``broken``, by the template's name."""
    for name in reader.folder.names():
        for wording in reader.folder.wordings(name):
            for part, path in wording.files.items():
                try:
                    template = reader.template(path, part, wording.language)
                except TemplateError as error:
                    broken.setdefault(name, []).append((error.source, error.diagnostic))
                else:
                    yield _Looked(reader, name, part, wording.language, path, template)


def _of_variable(root: str, variable: Variable, uses: Sequence[Use], more: Iterable[str]) -> Diagnostic | None:
    given = {name for use in uses for name in use.arguments}
    place = variable.span.index
    if root == "with":
        name = _argument(variable)
        if not uses or name is None or name in given or name in _PROPERTIES:
            return None
        return _no_argument(name, (place, place + len("with.") + len(name)), uses, given)
    if root == "journey":
        return _of_journey(_argument(variable), place)
    if root in ROOTS or root in more or not isinstance(variable.segments[0], str):
        return None
    message = f"there is no variable '{shown(root)}'; templates know {', '.join(ROOTS[:-1])} and {ROOTS[-1]}"
    return finding("template-unknown-variable", message, (place, place + len(root)), _advice(root, given, more))


def _argument(variable: Variable) -> str | None:
    """What stands behind the first dot, where it is a name."""
    name = variable.segments[1] if len(variable.segments) > 1 else None
    return name if isinstance(name, str) else None


def _of_journey(name: str | None, place: int) -> Diagnostic | None:
    if name is None or name in _JOURNEY or name in _PROPERTIES:
        return None
    message = f"'journey' has no '{shown(name)}'; it has {', '.join(_JOURNEY[:-1])} and {_JOURNEY[-1]}"
    near = nearest(name, _JOURNEY)
    advice = f"did you mean 'journey.{near}'?" if near else None
    return finding("template-unknown-variable", message, (place, place + len("journey.") + len(name)), advice)


def _not_given(template: str, name: str, use: Use) -> Finding:
    message = f"the template '{template}' writes out 'with.{shown(name)}', which the rule does not give here"
    advice = f"add 'with {name} = ...' here, or write 'with.{name} | default: ...' in the template"
    return use.source, finding("template-missing-argument", message, use.span, advice)


def _no_argument(name: str, span: tuple[int, int], uses: Sequence[Use], given: Iterable[str]) -> Diagnostic:
    rules = sorted({use.rule for use in uses})
    who = f"the rule '{rules[0]}' gives" if len(rules) == 1 else f"none of the rules {', '.join(rules)} gives"
    near = nearest(name, given)
    advice = f"did you mean 'with.{near}'?" if near else f"give it in the rule: ... with {name} = ..."
    message = f"{who} {'no ' if len(rules) == 1 else ''}'{shown(name)}'"
    return finding("template-unknown-argument", message, span, advice)


def _advice(root: str, given: Iterable[str], locals: Iterable[str]) -> str:
    if root in ("now", "today"):
        return f"the moment of the action is a text in quotes: '{root}' | date: '%Y'"
    if root in given:
        return f"did you mean 'with.{root}'?"
    near = nearest(root, (*ROOTS, *locals))
    if near is not None:
        return f"did you mean '{near}'?"
    return f"an attribute of the person is 'person.{root}', a field of the event 'trigger.{root}'"
