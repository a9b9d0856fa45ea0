"""From a parser's complaint to plain words."""

from __future__ import annotations

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from .codes import finding
from .diagnostics import Diagnostic


def explain(body: str, problem: UnexpectedInput) -> Diagnostic:
    """What is wrong with a clause, at the place where the parser stopped."""
    at = problem.pos_in_stream or 0
    return finding("syntax", f"unexpected {problem}", (at, at + 1))
