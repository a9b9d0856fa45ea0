"""What is wrong with a text, or worth a second look: as a value, as text for people, as data for tools."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

from .nodes import Span
from .source import Source

Severity = Literal["error", "warning"]

_WIDEST = 110
"""Characters of a source line that are shown; a longer line is cut around the caret."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair: put ``text`` in the place of ``span``."""

    span: Span
    text: str


class PlainFix(TypedDict):
    start: int
    end: int
    text: str


class PlainDiagnostic(TypedDict):
    """A diagnostic as plain data, for JSON."""

    code: str
    severity: Severity
    message: str
    help: str | None
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    fix: PlainFix | None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. ``message`` says what is the matter, ``help`` what to do about it."""

    code: str
    severity: Severity
    message: str
    span: Span
    help: str | None = None
    fix: Fix | None = None

    def moved(self, by: int) -> Diagnostic:
        """The same finding ``by`` characters further on."""
        fix = self.fix and Fix((self.fix.span[0] + by, self.fix.span[1] + by), self.fix.text)
        return replace(self, span=(self.span[0] + by, self.span[1] + by), fix=fix)

    def render(self, source: Source) -> str:
        """The finding for people: place, words, the line with a caret, and the suggestion."""
        line, column = source.place(self.span[0])
        shown, before = _excerpt(source.line(line), column - 1)
        here = max(1, min(self.span[1] - self.span[0], len(shown) - before))
        gutter = " " * len(str(line))
        rows = [
            f"{source.name}:{line}:{column}: {self.severity}: {self.message} [{self.code}]",
            f" {line} | {shown}",
            f" {gutter} | {_blank(shown[:before])}{'^' * _width(shown[before : before + here], here)}",
        ]
        if self.help:
            rows.append(f" {gutter} = help: {self.help}")
        return "\n".join(rows)

    def to_dict(self, source: Source) -> PlainDiagnostic:
        """The finding for tools."""
        start, end = source.place(self.span[0]), source.place(self.span[1])
        fix: PlainFix | None = None
        if self.fix:
            fix = {"start": self.fix.span[0], "end": self.fix.span[1], "text": self.fix.text}
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "file": source.name,
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
            "fix": fix,
        }


def _excerpt(line: str, at: int) -> tuple[str, int]:
    """The part of ``line`` worth showing, and where ``at`` lies in it."""
    line = "".join(char if char.isprintable() or char == "\t" else "�" for char in line)
    if len(line) <= _WIDEST:
        return line, at
    start = max(0, min(at - _WIDEST // 2, len(line) - _WIDEST))
    head = "…" if start else ""
    tail = "…" if start + _WIDEST < len(line) else ""
    return head + line[start : start + _WIDEST] + tail, at - start + len(head)


def _columns(char: str) -> int:
    """How many columns of a terminal ``char`` takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _blank(text: str) -> str:
    """Blanks as wide as ``text``; tabs stay tabs, so that the caret stands under its word."""
    return "".join("\t" if char == "\t" else " " * _columns(char) for char in text)


def _width(text: str, least: int) -> int:
    return sum(map(_columns, text)) or least
