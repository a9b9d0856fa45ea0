"""Names in the settings that no rule has: caps of a tag that is none, exceptions from the guard for what is not there.

Nothing is wrong with such a setting by itself, but it does nothing, and most likely a name is misspelt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from engine.config import Settings
from engine.errors import did_you_mean
from engine.language.program import MARKETING, TRANSACTIONAL, Program
from engine.strict_json import shown


class Unmatched(NamedTuple):
    """A name in a ``table`` of the settings. ``message`` says what is the matter, ``help`` what to do about it."""

    table: str
    name: str
    code: str
    message: str
    help: str

    def __str__(self) -> str:
        return f"[{self.table}]: {self.message}; {self.help}"


def unmatched(settings: Settings, rules: Sequence[Program]) -> list[Unmatched]:
    """The names that none of the rules has; none where there are no rules."""
    return [*_caps(settings, rules), *_exempt(settings, rules), *_limits(settings, rules)] if rules else []


def _caps(settings: Settings, rules: Iterable[Program]) -> Iterator[Unmatched]:
    """Tags count as far as they are of rules that caps hold for."""
    capped = [one.rule for one in rules if one.rule.purpose != TRANSACTIONAL]
    known = {MARKETING, *(name for rule in capped for name in (rule.purpose, *rule.tags) if name is not None)}
    for name in settings.caps:
        if name == TRANSACTIONAL:
            message = "what is transactional passes every cap, so this one holds for nothing"
            yield Unmatched("caps", name, "cap-unused", message, "take it out, or name a tag or another purpose")
        elif name not in known:
            message = f"no rule that caps hold for has the tag or purpose '{shown(name)}', so its cap holds for nothing"
            advice = did_you_mean(name, known, "write it behind 'Tags:' in a rule, or take the cap out")
            yield Unmatched("caps", name, "cap-unused", message, advice)


def _exempt(settings: Settings, rules: Sequence[Program]) -> Iterator[Unmatched]:
    ids = {one.id for one in rules}
    known = {*settings.actions.bindings, *(name for one in rules for name in one.declared_actions)}
    for name in settings.guard.exempt:
        if name not in known:
            message = f"no rule has an action '{shown(name)}', so nothing is exempt by that name"
            advice = did_you_mean(name, known, "write the name of an action, or take it out of 'exempt'")
            if name in ids:
                advice = "it is a rule's: a rule has a limit of its own in [guard.rules]"
            yield Unmatched("guard", name, "guard-unused", message, advice)


def _limits(settings: Settings, rules: Iterable[Program]) -> Iterator[Unmatched]:
    known = {one.id for one in rules}
    for name in settings.guard.rules:
        if name not in known:
            message = f"there is no rule '{shown(name)}', so its limit holds for nothing"
            advice = did_you_mean(name, known, "write a rule's id, as 'lapse rules' shows it, or take the line out")
            yield Unmatched("guard.rules", name, "guard-unused", message, advice)
