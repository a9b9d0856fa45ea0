"""Everything that can be wrong with a template, or doubtful; ``severity`` comes from here and nowhere else."""

from __future__ import annotations

from typing import Final

from engine.language.codes import Code
from engine.language.diagnostics import Diagnostic
from engine.language.nodes import Span

CODES: Final[dict[str, Code]] = {
    "template-syntax": Code("error", "the text is not Liquid"),
    "template-unreadable": Code("error", "a template is UTF-8 text of a stated largest size"),
    "template-unknown-tag": Code("error", "there is no such tag"),
    "template-unknown-filter": Code("error", "there is no such filter"),
    "template-unknown-variable": Code("error", "templates know only what stands in 'person', 'trigger', ..."),
    "template-unknown-argument": Code("error", "no rule that names the template gives the argument"),
    "template-missing-argument": Code("error", "a rule does not give what its template writes out"),
    "template-unknown-partial": Code("error", "a template takes in one that is not there"),
    "template-empty": Code("error", "a message has a text, or HTML, or both"),
    "template-unnamed": Code("error", "a mail is made by a template that its rule names"),
    "template-missing": Code("warning", "a rule names a template that is not there"),
    "template-no-default": Code("warning", "a template is also there for people of any other language"),
    "template-no-subject": Code("warning", "a mail has a subject"),
    "template-limit": Code("error", "a template makes only so much, in so much time"),
    "template-value": Code("error", "a value cannot be used the way the template uses it"),
}


def finding(code: str, message: str, span: Span, help: str | None = None) -> Diagnostic:
    """A diagnostic of one of these codes."""
    return Diagnostic(code, CODES[code].severity, message, span, help)
