"""Looking over templates, and the rules that name them, without rendering anything.

What can be known beforehand: that a template is there, is Liquid, and names only variables, filters, tags and
arguments that there are. What a person or an event holds cannot.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from engine.delivery_settings import TemplateSettings
from engine.language import Diagnostic, Reading
from engine.language.nodes import Action, Rule, Span
from engine.language.source import Source
from engine.language.suggest import nearest
from engine.language.walk import walk
from engine.strict_json import shown
from engine.templates.codes import finding
from engine.templates.folder import BODIES, Folder, Wording

Finding = tuple[Source, Diagnostic]


class Use(NamedTuple):
    """A place where a rule names a template. ``mails``: what it makes is a mail."""

    template: str
    rule: str
    arguments: tuple[str, ...]
    mails: bool
    source: Source
    span: Span


@dataclass(frozen=True)
class Looked:
    """What looking over a folder gave, in the order of files and lines."""

    files: int
    findings: tuple[Finding, ...]

    def joined(self, readings: Iterable[Reading]) -> tuple[Reading, ...]:
        """The readings with what was found in their files, and one without rules for each template with findings."""
        by_file: dict[str, list[Diagnostic]] = defaultdict(list)
        sources = {source.name: source for source, _ in self.findings}
        for source, one in self.findings:
            by_file[source.name].append(one)
        known = tuple(reading.with_findings(by_file.pop(reading.source.name, ())) for reading in readings)
        return (*known, *(Reading((), tuple(found), sources[name]) for name, found in by_file.items()))


def look_over(
    settings: TemplateSettings, readings: Iterable[Reading], mails: Callable[[str], bool], *, only_used: bool = False
) -> Looked:
    """Everything wrong or doubtful in the folder of templates, and where rules name what is not there.

    ``mails`` says whether an action of a name goes out as mail. With ``only_used``, files that no rule comes to are
    left alone: the folder may be somebody else's too. Findings are of rule files or of template files.
    """
    uses = [use for reading in readings for rule in reading.written for use in _uses(reading.source, rule, mails)]
    folder = Folder(settings.folder)
    bare = (one for reading in readings for rule in reading.written for one in _unnamed(reading.source, rule, mails))
    found = [*bare, *_missing(folder, uses), *_incomplete(folder, uses)]
    files = folder.files()
    if files:
        from engine.templates.analysis import analysed

        by_name: dict[str, list[Use]] = defaultdict(list)
        for use in uses:
            by_name[use.template].append(use)
        found += analysed(settings, by_name, only_used=only_used)
    found = sorted(dict.fromkeys(found), key=lambda one: (one[0].name, one[1].span, one[1].code))
    return Looked(len(files), tuple(found))


def _uses(source: Source, rule: Rule, mails: Callable[[str], bool]) -> Iterator[Use]:
    for node in walk(rule):
        if isinstance(node, Action) and node.template is not None:
            given = tuple(name for name, _ in node.arguments)
            span = _named_at(node.template, source.text, node.span)
            yield Use(node.template, rule.id, given, mails(node.name), source, span)


def _unnamed(source: Source, rule: Rule, mails: Callable[[str], bool]) -> Iterator[Finding]:
    """Mails that no template is named for: nothing could be sent."""
    for node in walk(rule):
        if isinstance(node, Action) and node.template is None and mails(node.name):
            start = node.span[0]
            message = f"'{shown(node.name)}' sends mail, and names no template to make it by"
            advice = f'name one behind it, as in {node.name} "welcome"'
            yield source, finding("template-unnamed", message, (start, start + len(node.name)), advice)


def _named_at(template: str, text: str, span: Span) -> Span:
    """Where an action names its template: in quotes, behind its own name."""
    found = re.compile(rf"(?<=[^\w\s]){re.escape(template)}(?=[^\w\s])").search(text, *span)
    return found.span() if found else span


def _missing(folder: Folder, uses: Iterable[Use]) -> Iterator[Finding]:
    """Only who keeps templates, or sends mail, is told that one is missing."""
    known = folder.names()
    for use in uses:
        if folder.wordings(use.template) or not (use.mails or folder.path.is_dir()):
            continue
        near = nearest(use.template, known)
        files = f"{folder.path / use.template}.txt or .html" if not near else None
        advice = f"did you mean '{near}'?" if near else f"write {files}"
        yield use.source, finding("template-missing", f"there is no template '{shown(use.template)}'", use.span, advice)


def _incomplete(folder: Folder, uses: Iterable[Use]) -> Iterator[Finding]:
    for use in uses:
        wordings = folder.wordings(use.template)
        if wordings and wordings[0].language is not None:
            message = f"the template '{use.template}' is there in single languages only"
            advice = f"write {folder.path / use.template}.txt or .html for everybody else"
            yield use.source, finding("template-no-default", message, use.span, advice)
        for wording in wordings:
            file = ".".join(filter(None, (str(folder.path / use.template), wording.language)))
            if not any(part in wording.files for part in BODIES):
                message = f"the template '{use.template}' has a subject and nothing else"
                yield use.source, finding("template-empty", message, use.span, f"write {file}.txt or .html")
            if use.mails and (lacking := _lacking_subject(folder, wording)) is not None:
                yield use.source, finding("template-no-subject", lacking, use.span, f"write {file}.subject")


def _lacking_subject(folder: Folder, wording: Wording) -> str | None:
    """What is wrong with the subject of a mail, in words: it has none, or none in its language."""
    spoken = "" if wording.language is None else f" in '{wording.language}'"
    path = folder.subject(wording)
    if path is None:
        return f"the mail '{wording.name}' has no subject{spoken}"
    if wording.language is None or path != folder.partial(wording.name, "subject", None):
        return None
    return f"the mail '{wording.name}' has no subject{spoken}; there it goes under the one without a language"
