"""What goes wrong with a template, told with its place."""

from __future__ import annotations

from engine.errors import LapseError
from engine.language.diagnostics import Diagnostic
from engine.language.source import Source
from engine.templates.codes import finding


class TemplateError(LapseError):
    """A template that cannot be rendered: which file, where in it, why, and what to do."""

    def __init__(self, source: Source, diagnostic: Diagnostic) -> None:
        line, column = source.place(diagnostic.span[0])
        advice = f"; {diagnostic.help}" if diagnostic.help else ""
        super().__init__(f"{source.name}:{line}:{column}: {diagnostic.message}{advice}")
        self.source = source
        self.diagnostic = diagnostic


def unreadable(file: str, why: str) -> TemplateError:
    """A file that is no template at all."""
    return TemplateError(Source(file, ""), finding("template-unreadable", why, (0, 0)))
