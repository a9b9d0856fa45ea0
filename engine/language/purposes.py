"""What a rule is for: two purposes have a meaning of their own, any other name is a topic."""

from __future__ import annotations

from collections.abc import Iterator

from .codes import finding
from .diagnostics import Diagnostic, Fix
from .program import MARKETING, TRANSACTIONAL
from .suggest import nearest
from .terms import Name

_KNOWN = (MARKETING, TRANSACTIONAL)


def check_purpose(name: Name) -> Iterator[Diagnostic]:
    """A topic that is nearly the name of a purpose was most likely meant to be it."""
    written = name.text.casefold()
    meant = written if written in _KNOWN else nearest(written, _KNOWN)
    if meant is not None and name.text != meant:
        advice = f"did you mean '{meant}'? a topic of your own is better called otherwise"
        yield finding("near-purpose", f"'{name.text}' is a topic here", name.span, advice, Fix(name.span, meant))
