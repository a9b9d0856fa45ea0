"""Comments that speak to ``lapse check``: ``# lapse: allow no-window because we mean the whole history``.

A directive stands above a clause or at its end, silences warnings of one code in the rule it stands in, and is neither
title nor note: it changes nothing of what a rule is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .codes import CODES, OTHER_WARNINGS, finding
from .diagnostics import Diagnostic
from .nodes import Span
from .suggest import nearest

_DIRECTIVE = re.compile(r"#\s*lapse\s*:", re.IGNORECASE)
_ALLOW = re.compile(r"#\s*lapse\s*:\s*allow\s+(?P<code>\S+)(?:\s+because\s+(?P<reason>\S.*?))?\s*", re.IGNORECASE)
_HOW = "write '# lapse: allow CODE because REASON'"


class Allowed(NamedTuple):
    """Warnings of a code that a rule is allowed, at its place in the file; ``rule`` is the stretch of the rule."""

    code: str
    reason: str
    span: Span
    rule: Span

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding is one that this allows."""
        inside = self.rule[0] <= diagnostic.span[0] <= self.rule[1]
        return inside and diagnostic.code == self.code and diagnostic.severity == "warning"


def is_directive(comment: str) -> bool:
    """Whether a comment is one."""
    return _DIRECTIVE.match(comment) is not None


def read_directive(comment: str, span: Span, rule: Span) -> Allowed | Diagnostic:
    """Return what a directive allows, or what is wrong with it."""
    match = _ALLOW.fullmatch(comment)
    if match is None:
        return finding("bad-directive", "invalid directive", span, _HOW)
    code, reason = match["code"].casefold(), match["reason"]
    if reason is None:
        return finding("bad-directive", "the directive gives no reason", span, _HOW)
    if code in CODES and CODES[code].severity == "error":
        return finding("bad-directive", f"'{code}' is an error, which cannot be allowed", span, "mend what it says")
    if code not in CODES and code not in OTHER_WARNINGS:
        close = nearest(code, [*CODES, *OTHER_WARNINGS])
        return finding(
            "bad-directive",
            f"unknown code '{code}'",
            span,
            f"did you mean '{close}'?" if close else "see the language page",
        )
    return Allowed(code, reason, span, rule)


def without_allowed(
    findings: Iterable[Diagnostic], allowed: Sequence[Allowed]
) -> tuple[list[Diagnostic], set[Allowed]]:
    """Return the findings that nothing allows, and the directives that allowed one of the others."""
    kept, used = [], set()
    for diagnostic in findings:
        covering = next((one for one in allowed if one.covers(diagnostic)), None)
        if covering is None:
            kept.append(diagnostic)
        else:
            used.add(covering)
    return kept, used


def unused(allowed: Allowed) -> Diagnostic:
    """Return the warning of a directive that allows nothing."""
    return finding("unused-directive", f"nothing here is '{allowed.code}'", allowed.span, "take the directive out")
