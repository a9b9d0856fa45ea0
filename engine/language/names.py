"""Names against what is known: the catalog, and the events the rules themselves name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from . import nodes
from .asked import Survey
from .catalog import Catalog, Kind
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .joins import facts_behind_where
from .layout import name_text, operand_text, path_text, time_text
from .nodes import Comparison, Path, Pattern, Rule, Span
from .suggest import nearest
from .words import CLOCK_WORDS

_WORD = re.compile(r"[^\W\d][\w.-]*")


class Names:
    """Checks the names of rules; without a catalog only what the file itself gives away."""

    def __init__(self, surveys: Iterable[Survey], catalog: Catalog, text: str) -> None:
        self.catalog = catalog
        self._used: set[str | None] = set()
        for survey in surveys:
            # The first event of a trigger is one beyond doubt; a later one may be a slip, as in 'a where x = y OR z'.
            self._used |= {pattern.name for pattern in _triggers(survey.rule)[:1]}
            if not survey.knows("trigger"):
                self._used |= set(_WORD.findall(text, *survey.rule.trigger.span))

    @property
    def _knows(self) -> bool:
        return bool(self.catalog.events or self.catalog.attributes or self.catalog.actions)

    def is_event(self, name: str) -> bool:
        """Whether a name is known to be an event."""
        return name in self.catalog.events or name in self._used

    def check(self, survey: Survey) -> Iterator[Diagnostic]:
        """Everything to be said about the names in a rule."""
        rule = survey.rule
        bare = self._bare_meaning(survey)
        for node in survey.parts if self._knows or survey.doubtful else ():
            match node:
                case Pattern():
                    yield from self._event(node)
                case nodes.WaitUntilDate() if node.path.scope == "bare" and self._knows_meaning(survey, node.path):
                    yield from self._wait(rule, node)
                case nodes.Action():
                    yield from self._action(node)
                case nodes.Fact():
                    yield from self._comparison(node.comparison, bare.get(node.comparison.left))
                case nodes.Happened() if node.window and node.window.kind in ("next", "last"):
                    yield from self._date_as_event(node)
                case nodes.DateFact() if node.path.scope == "bare" and self.is_event(".".join(node.path.parts)):
                    yield from _event_as_date(node)
                case Path():
                    yield from self._path(rule, node)
                case _:
                    pass

    def facts_of_their_own(self, survey: Survey) -> Iterator[Span]:
        """Return the places of comparisons behind an AND after a ``where`` that cannot be about the event."""
        for item in survey.of(nodes.And) if self.catalog.events else ():
            for pattern, fact in facts_behind_where(item):
                left = fact.comparison.left
                declared = self.catalog.events.get(pattern.name or "")
                elsewhere = declared and self.catalog.field_kind(pattern.name, left.parts) is None
                if elsewhere and self._known_fields(survey.rule, left):
                    yield fact.span

    # ---------------------------------------------------------------------------------------- events

    def _event(self, pattern: Pattern) -> Iterator[Diagnostic]:
        events = self.catalog.events
        if pattern.name is None or not events:
            return
        if pattern.name not in events and pattern.name not in self.catalog.attributes:
            span = (pattern.span[0], pattern.span[0] + len(name_text(pattern.name)))
            yield _unknown("unknown-event", "no event type is called", pattern.name, events, span)
        fields = events.get(pattern.name)
        for comparison in pattern.where if fields else ():
            kind = self.catalog.field_kind(pattern.name, comparison.left.parts)
            if kind is None:
                name = ".".join(comparison.left.parts)
                message = f"'{pattern.name}' declares no field"
                yield _unknown("unknown-field", message, name, fields or (), comparison.left.span)
            yield from self._comparison(comparison, kind)

    def _date_as_event(self, item: nodes.Happened) -> Iterator[Diagnostic]:
        name = item.pattern.name
        if name is None or item.pattern.where or self.is_event(name) or name not in self.catalog.attributes:
            return
        message = f"'{name}' is read as an event here, and is an attribute of the person"
        advice = f"write person.{name}"
        yield finding("event-or-date", message, item.pattern.span, advice, Fix(item.pattern.span, f"person.{name}"))

    def _wait(self, rule: Rule, wait: nodes.WaitUntilDate) -> Iterator[Diagnostic]:
        name = ".".join(wait.path.parts)
        if self._known_fields(rule, wait.path):
            return
        if (name in self._used or not self.catalog.learnt) and self.is_event(name) and wait.offset is None:
            message = f"'{name}' is an event, and this wait would have no end"
            advice = f"write 'until {name} for at most 3 days'"
            yield finding("wait-without-end", message, wait.path.span, advice)
        elif name.casefold() in CLOCK_WORDS:
            yield _word_of_the_clock(wait, name)
        else:
            message = f"'{name}' is read as a date of the trigger or the person"
            advice = f"write trigger.{name} or person.{name}; an event needs 'for at most 3 days'"
            yield finding("event-or-date", message, wait.path.span, advice)

    # ---------------------------------------------------------------------------------------- fields

    def _known_fields(self, rule: Rule, path: Path) -> tuple[Kind | None, ...]:
        """The kinds a bare path could have: as a field of the triggers, as an attribute."""
        kinds = [self.catalog.field_kind(pattern.name, path.parts) for pattern in _triggers(rule)]
        return tuple(kind for kind in (*kinds, self.catalog.attribute_kind(path.parts)) if kind)

    def _knows_meaning(self, survey: Survey, path: Path) -> bool:
        """Whether a bare path means the same whatever is still to be found out of the trigger."""
        return survey.knows("trigger") or not any(
            self.catalog.field_kind(event, path.parts) for event in self.catalog.events
        )

    def _bare_meaning(self, survey: Survey) -> dict[Path, Kind]:
        """The kind of each left side, where the catalog leaves no doubt about it."""
        found = {}
        for fact in survey.of(nodes.Fact) if self._knows else ():
            left, rule = fact.comparison.left, survey.rule
            if left.scope == "bare" and not self._knows_meaning(survey, left):
                continue
            kinds = self._scoped(rule, left) if left.scope != "bare" else self._known_fields(rule, left)
            if len(set(kinds)) == 1 and kinds[0]:
                found[left] = kinds[0]
        return found

    def _scoped(self, rule: Rule, path: Path) -> tuple[Kind | None, ...]:
        if path.scope == "person":
            return (self.catalog.attribute_kind(path.parts),)
        return tuple(self.catalog.field_kind(pattern.name, path.parts) for pattern in _triggers(rule))

    def _path(self, rule: Rule, path: Path) -> Iterator[Diagnostic]:
        attributes = self.catalog.attributes
        name = ".".join(path.parts)
        if path.scope == "person" and attributes and self.catalog.attribute_kind(path.parts) is None:
            yield _unknown("unknown-attribute", "people have no attribute", name, attributes, path.span, "person.")
        elif path.scope == "trigger":
            yield from self._trigger_field(rule, path)
        elif path.scope == "bare":
            yield from self._bare(rule, path)

    def _trigger_field(self, rule: Rule, path: Path) -> Iterator[Diagnostic]:
        declared = [self.catalog.events.get(pattern.name or "") for pattern in _triggers(rule)]
        if not declared or not all(declared):
            return
        if all(self.catalog.field_kind(pattern.name, path.parts) is None for pattern in _triggers(rule)):
            known = {name for fields in declared for name in fields or ()}
            yield _unknown("unknown-field", "the trigger declares no field", ".".join(path.parts), known, path.span)

    def _bare(self, rule: Rule, path: Path) -> Iterator[Diagnostic]:
        in_trigger = any(self.catalog.field_kind(pattern.name, path.parts) for pattern in _triggers(rule))
        if in_trigger and self.catalog.attribute_kind(path.parts):
            name = path_text(path)
            message = f"'{name}' could be the trigger's field or the person's attribute, and is the trigger's"
            advice = f"write trigger.{name} or person.{name}"
            yield finding("ambiguous-name", message, path.span, advice, Fix(path.span, f"trigger.{name}"))

    # ---------------------------------------------------------------------------- values and actions

    def _comparison(self, comparison: Comparison, kind: Kind | None) -> Iterator[Diagnostic]:
        for operand in comparison.right if comparison.operator in ("=", "!=", "in", "not in") else ():
            if isinstance(operand, nodes.Literal) and kind in ("text", "number") and _differs(operand, kind):
                name, value = path_text(comparison.left), operand_text(operand)
                held, other = ("a text", "number") if kind == "text" else ("a number", "text")
                advice = f'write "{value}"' if kind == "text" else "write the number without quotes"
                message = f"'{name}' holds {held}, which never equals the {other} {value}"
                yield finding("never-equal", message, operand.span, advice)

    def _action(self, action: nodes.Action) -> Iterator[Diagnostic]:
        known = self.catalog.actions
        if known and action.name not in known:
            span = (action.span[0], action.span[0] + len(name_text(action.name)))
            yield _unknown(
                "unknown-action", "nothing is bound to the action", action.name, known, span, otherwise=_BIND
            )


_BIND: Final = "name its channel under [actions] in lapse.toml, or a default for all actions there"


def _triggers(rule: Rule) -> tuple[Pattern, ...]:
    return rule.trigger.patterns if isinstance(rule.trigger, nodes.EventTrigger) else ()


def _differs(literal: nodes.Literal, kind: Kind) -> bool:
    if isinstance(literal.value, bool):
        return False
    return isinstance(literal.value, str) != (kind == "text")


def _word_of_the_clock(wait: nodes.WaitUntilDate, name: str) -> Diagnostic:
    """Return the warning of ``until noon``, ``until tomorrow``, which read as the names of fields."""
    message = f"'{name}' is read as a date of the trigger or the person"
    time = CLOCK_WORDS[name.casefold()]
    quoted = f"trigger.{name} or person.{name} for a field of that name"
    if wait.offset is not None:
        advice = f"write {quoted}; the time of the day stands behind 'at'"
        return finding("word-as-name", message, wait.path.span, advice)
    if time is None:
        shown = time_text(wait.time) if wait.time else "09:00"
        advice = f"'until {shown}' is the next {shown}, today's if it is still to come; or write {quoted}"
        return finding("word-as-name", message, wait.path.span, advice)
    alone = wait.time is None and not wait.or_now
    fix = Fix(wait.path.span, time) if alone else None
    return finding("word-as-name", message, wait.path.span, f"write 'until {time}', or {quoted}", fix)


def _event_as_date(fact: nodes.DateFact) -> Iterator[Diagnostic]:
    name = path_text(fact.path)
    message = f"'{name}' is an event, and is read as a date here"
    advice = f"write 'last {name} more than ... ago'"
    yield finding("event-or-date", message, fact.path.span, advice, Fix(fact.path.span, f"last {name}"))


def _unknown(
    code: str, message: str, name: str, known: Iterable[str], span: Span, prefix: str = "", otherwise: str | None = None
) -> Diagnostic:
    best = nearest(name, known)
    advice = f"did you mean '{prefix}{best}'?" if best else otherwise
    return finding(code, f"{message} '{name}'", span, advice, Fix(span, prefix + best) if best else None)
