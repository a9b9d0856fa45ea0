"""What the decision core calls things, in the words people read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.cli.tamed import on_one_line
from engine.clock import moment
from engine.runtime.reasons import KEPT, REASONS, capped_by

NOTES = {
    "absorbed": "late triggers absorbed by a journey that had acted",
    "missing_field": "triggers without a field the rule compares",
    "self_caused": "triggers caused by the rule's own actions",
    "chain_cut": "triggers at the end of too long a chain of rules",
    "before_live": "triggers from before the rule went live, which start no journey",
    "too_old": "triggers that count as history, which start no journey",
    "state_rebuilt": "journeys whose stored state could not be read and was worked out again from the timeline",
    "late_after_fire": "journeys that a late event would have changed after they acted",
}
"""What is only counted."""


def reason(code: str | None) -> str:
    return REASONS.get(code or "", code or "")


def why(code: str | None) -> str:
    """Why an action does not leave."""
    if (cap := capped_by(code)) is not None:
        return f"as many as the cap '{cap}' allows"
    return KEPT.get(code or "", reason(code))


def at(when: int | None) -> str:
    """A moment for people: UTC, seconds only where there are some."""
    if when is None:
        return ""
    shown = moment(when)
    return shown.strftime("%Y-%m-%d %H:%M:%S" if shown.second or shown.microsecond else "%Y-%m-%d %H:%M")


def shown(value: Any) -> str:
    """A value for people, on one line: text as it is, anything else as JSON."""
    return on_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def pairs(values: Mapping[str, Any]) -> str:
    """``a = 1, b = x``."""
    return ", ".join(f"{shown(name)} = {shown(value)}" for name, value in values.items())
