"""Quiet hours that stand outside of a rule, in a setting: read by the grammar of the clause."""

from __future__ import annotations

from .clauses import Clause
from .nodes import QuietHours
from .reader import parse


def read_quiet_hours(text: str) -> QuietHours:
    """What a line such as ``21:00 to 09:00, saturday in Europe/Warsaw`` means, as it does after ``Quiet hours:``.

    Raises ValueError, in plain words, where it means nothing.
    """
    node, problems = parse("quiet", Clause("quiet hours", (0, 0), text, 0))
    if not problems:
        assert isinstance(node, QuietHours)
        return node
    advice = f"; {problems[0].help}" if problems[0].help else ""
    raise ValueError(f"'{text}' are no quiet hours: {problems[0].message}{advice}")
