"""From nodes back to text: one canonical way to write each meaning.

Two equal nodes give the same text, and reading the text gives an equal node. The formatter, the identity of
an untitled rule and the keys of actions all rest on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import singledispatch
from typing import NamedTuple

from . import nodes, words
from .codepoints import is_odd
from .nodes import Argument, Arm, Expression, Literal, Path, Pattern, Rule, Step, Total
from .walk import walk

_INDENT = "  "
_CLOCK_UNITS = tuple(unit for unit in words.UNITS if unit.name in ("day", "hour", "minute", "second"))

# ------------------------------------------------------------------------------------- words and values


def quoted(text: str) -> str:
    """``text`` in the first pair of quotes that it does not contain the end of."""
    for opening, closings in words.QUOTES.items():
        if not any(mark in text for mark in closings + "\n\r"):
            return opening + text + closings[0]
    raise ValueError(f"no pair of quotes can hold {text!r}")


def name_text(name: str) -> str:
    """A name, in quotes where it would not be read as one."""
    plain = name.casefold()
    dotted = "." in name and plain.partition(".")[0] in ("trigger", "person", "last")
    return name if words.NAME.match(name) and not dotted and plain not in words.KEYWORDS else quoted(name)


def path_text(path: Path) -> str:
    """A field as the language writes it; the scope of an item's own event is left out."""
    if path.scope in ("trigger", "person"):
        return ".".join((path.scope, *map(_part, path.parts)))
    first, *rest = path.parts
    whole = ".".join(path.parts)
    if not rest:
        return name_text(first) if "." not in first else quoted(first)
    plain = words.NAME.match(first) and "." not in first and first.casefold() not in ("trigger", "person", "last")
    if plain and whole.casefold() not in words.KEYWORDS:
        return ".".join((first, *map(_part, rest)))
    return ".".join((quoted(first), *map(_part, rest)))


def _part(part: str) -> str:
    return part if words.PART.match(part) else quoted(part)


def number_text(number: float) -> str:
    """A number in plain figures."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent_text(share: float) -> str:
    return f"{number_text(share)}%"


def operand_text(operand: nodes.Operand) -> str:
    """A right-hand side."""
    if isinstance(operand, Path):
        return path_text(operand)
    value = operand.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return value if _stays_text(value) else quoted(value)


def _stays_text(value: str) -> bool:
    """Whether a text can stand without quotes and still be read as that text."""
    plain = value.casefold()
    return (
        words.BARE.match(value) is not None
        and not words.NUMBER.match(value)
        and plain not in ("true", "false")
        and not plain.startswith(("trigger.", "person.", "last."))
        and ((value.isascii() and value.isprintable()) or not is_odd(value))
    )


def duration_text(duration: nodes.Duration) -> str:
    """A length in the units people use: ``24 hours``, ``7 days``, ``90 minutes``.

    Equal lengths print alike, so no unit is kept from the text: a single day counts as hours, a single hour or
    minute with something left over as the next smaller unit.
    """
    years, months = divmod(duration.months, 12)
    parts = [(years, "year"), (months, "month")]
    left = duration.micros
    for unit in _CLOCK_UNITS:
        number, rest = divmod(left, unit.micros)
        if number > 1 or (number == 1 and not rest and unit.name != "day"):
            parts.append((number, unit.name))
            left = rest
    return " ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in parts if number) or "0 seconds"


def time_text(time: nodes.TimeOfDay) -> str:
    return f"{time.hour:02}:{time.minute:02}"


def date_text(date: nodes.Date) -> str:
    return f"{date.year:04}-{date.month:02}-{date.day:02}"


def zone_text(zone: nodes.Zone) -> str:
    return path_text(zone.path) if zone.path else zone.name or ""


def _in_zone(zone: nodes.Zone | None) -> str:
    return f" in {zone_text(zone)}" if zone else ""


# ---------------------------------------------------------------------------------------------- events


def comparison_text(comparison: nodes.Comparison) -> str:
    """``field op value``; ``field = trigger.field`` in a ``where`` is written ``same field``."""
    left = comparison.left
    if left.scope == "event" and comparison.operator == "=" and comparison.right == (Path("trigger", left.parts),):
        return f"same {path_text(left)}"
    return path_text(left) + _test(comparison.operator, comparison.right)


def _test(operator: nodes.Operator, right: tuple[nodes.Operand, ...]) -> str:
    if not right:
        return f" {operator}"
    values = [operand_text(operand) for operand in right]
    if operator == "between":
        return f" between {values[0]} and {values[1]}"
    return f" {operator} ({', '.join(values)})" if operator in ("in", "not in") else f" {operator} {values[0]}"


def pattern_text(pattern: Pattern) -> str:
    """An event with its ``where``."""
    if pattern.name is not None:
        text = name_text(pattern.name)
    elif pattern.excluding:
        text = f"any event except ({', '.join(map(name_text, pattern.excluding))})"
    else:
        text = "any event"
    if pattern.where:
        text += " where " + ", ".join(map(comparison_text, pattern.where))
    return text


def _patterns(patterns: Iterable[Pattern]) -> str:
    return " OR ".join(map(pattern_text, patterns))


def window_text(window: nodes.Window) -> str:
    """A window, without the blank in front of it."""
    if window.anchor:
        return f"since last {pattern_text(window.anchor)}"
    if window.duration is None:
        return "since trigger"
    opening = {"within": "within", "next": "in the next", "last": "in the last"}[window.kind]
    return f"{opening} {duration_text(window.duration)}"


def _window(window: nodes.Window | None) -> str:
    return f" {window_text(window)}" if window else ""


def count_text(count: nodes.Count) -> str:
    return f"{count.kind} {count.number} time{'' if count.number == 1 else 's'}"


def total_text(total: Total) -> str:
    """``sum of amount from event ...``."""
    function = f"{total.function} of" if total.function != "count of different" else total.function
    opening = function if total.path is None else f"{function} {path_text(total.path)} from"
    return f"{opening} {pattern_text(total.pattern)}{_window(total.window)}"


# ----------------------------------------------------------------------------------------- expressions


@singledispatch
def expression_text(expression: Expression) -> str:
    """A condition on one line."""
    raise TypeError(f"{type(expression).__name__} is no expression")


@expression_text.register
def _(item: nodes.Or) -> str:
    return " OR ".join(_inside(part, nodes.Or, nodes.And) for part in item.items)


@expression_text.register
def _(item: nodes.And) -> str:
    return " AND ".join(_inside(part, nodes.Or, nodes.And) for part in item.items)


@expression_text.register
def _(item: nodes.Not) -> str:
    return f"NOT {_inside(item.item, nodes.Or, nodes.And, nodes.Chain)}"


@expression_text.register
def _(item: nodes.Group) -> str:
    return f"({expression_text(item.item)}) {window_text(item.window)}"


@expression_text.register
def _(item: nodes.Happened) -> str:
    count = f" {count_text(item.count)}" if item.count else ""
    return f"{pattern_text(item.pattern)}{count}{_window(item.window)}"


@expression_text.register
def _(item: nodes.Chain) -> str:
    return " then ".join(
        f"{'NOT ' if link.negated else ''}{pattern_text(link.pattern)}{_window(link.window)}" for link in item.links
    )


@expression_text.register
def _(item: nodes.Race) -> str:
    rivals = _patterns(item.rivals)
    return f"{pattern_text(item.first)} before any ({rivals}){_window(item.window)}"


@expression_text.register
def _(item: nodes.TotalFact) -> str:
    return total_text(item.total) + _test(item.operator, item.right)


@expression_text.register
def _(item: nodes.Fact) -> str:
    return comparison_text(item.comparison)


@expression_text.register
def _(item: nodes.DateFact) -> str:
    length = duration_text(item.duration)
    ending = {"next": f"in the next {length}", "last": f"in the last {length}", "ago": f"more than {length} ago"}
    return f"{path_text(item.path)} {ending[item.kind]}"


@expression_text.register
def _(item: nodes.LastEvent) -> str:
    return f"last {pattern_text(item.pattern)} more than {duration_text(item.duration)} ago"


@expression_text.register
def _(item: nodes.Sample) -> str:
    name = f" {quoted(item.name)}" if item.name is not None else ""
    return f"in {percent_text(item.percent)} sample{name}"


def _inside(item: Expression, *kinds: type) -> str:
    """An item, in brackets when it is of a kind that would otherwise be read apart."""
    text = expression_text(item)
    return f"({text})" if isinstance(item, kinds) else text


# ----------------------------------------------------------------------------------------------- steps


@singledispatch
def step_text(step: Step) -> str:
    """One step on one line, its word included; of a branch or split, everything up to its ``End:``."""
    return "; ".join(line.text for line in _step_lines(step, ""))


@step_text.register
def _(step: nodes.Condition) -> str:
    return f"Condition: {expression_text(step.expression)}"


@step_text.register
def _(step: nodes.WaitFor) -> str:
    return f"Wait: {duration_text(step.duration)}"


@step_text.register
def _(step: nodes.WaitUntilTime) -> str:
    day = f"{step.weekday} " if step.weekday else ""
    return f"Wait: until {day}{time_text(step.time)}{_in_zone(step.zone)}"


@step_text.register
def _(step: nodes.WaitUntilEvent) -> str:
    return f"Wait: until {pattern_text(step.pattern)} for at most {duration_text(step.at_most)}"


@step_text.register
def _(step: nodes.WaitUntilDate) -> str:
    offset = f"{duration_text(step.offset)} {step.side} " if step.offset else ""
    time = f" at {time_text(step.time)}" if step.time else ""
    now = " or now" if step.or_now else ""
    return f"Wait: until {offset}{path_text(step.path)}{time}{_in_zone(step.zone)}{now}"


@step_text.register
def _(step: nodes.Action) -> str:
    template = f" {quoted(step.template)}" if step.template is not None else ""
    variant = f" in {path_text(step.variant)}" if step.variant else ""
    to = f" to {path_text(step.to)}" if step.to else ""
    return f"Action: {name_text(step.name)}{template}{variant}{to}{_arguments(step.arguments)}"


@step_text.register
def _(step: nodes.SetAttribute) -> str:
    return f"Action: set {path_text(step.path)} = {_assigned(step.value)}"


@step_text.register
def _(step: nodes.TrackEvent) -> str:
    return f"Action: track {name_text(step.name)}{_arguments(step.arguments)}"


def _assigned(value: Literal | Path | Total) -> str:
    return total_text(value) if isinstance(value, Total) else operand_text(value)


def _arguments(arguments: tuple[Argument, ...]) -> str:
    """`` with a = 1, ...``; a total stands in brackets, because a comma would continue its ``where``."""
    if not arguments:
        return ""
    pairs = (
        f"{name_text(name)} = {f'({total_text(value)})' if isinstance(value, Total) else operand_text(value)}"
        for name, value in arguments
    )
    return " with " + ", ".join(pairs)


# ----------------------------------------------------------------------------------- rule-wide clauses


@singledispatch
def clause_text(clause: object) -> str:
    """What follows the colon of a rule-wide clause."""
    raise TypeError(f"{type(clause).__name__} is no clause")


@clause_text.register
def _(clause: nodes.EventTrigger | nodes.Exit) -> str:
    return _patterns(clause.patterns) or "none"


@clause_text.register
def _(_clause: nodes.NoTrigger) -> str:
    return "None"


@clause_text.register
def _(clause: nodes.Schedule) -> str:
    opening = {
        "day": "every day",
        "week": f"every {clause.weekday}",
        "month": f"every month on day {clause.day}",
        "year": f"every year on {path_text(clause.path)}" if clause.path else "",
        "once": f"on {date_text(clause.date)}" if clause.date else "",
    }
    return f"{opening[clause.kind]} at {time_text(clause.time)}{_in_zone(clause.zone)}"


@clause_text.register
def _(clause: nodes.Limit) -> str:
    times = {1: "once", 2: "twice"}.get(clause.number, str(clause.number))
    length = f" per {duration_text(clause.duration)}" if clause.duration else ""
    if clause.per == "all":
        return f"{times}{length} over all people"
    return f"{times} per {_trigger_field(clause.path) if clause.path else 'person'}{length}"


@clause_text.register
def _(clause: nodes.Again) -> str:
    return f"{clause.kind} for at most {duration_text(clause.at_most)}" if clause.at_most else clause.kind


@clause_text.register
def _(clause: nodes.QuietHours) -> str:
    times = [f"{time_text(clause.start)} to {time_text(clause.end)}"] if clause.start and clause.end else []
    return ", ".join([*times, *clause.days]) + _in_zone(clause.zone)


@clause_text.register
def _(clause: nodes.Goal) -> str:
    return f"{pattern_text(clause.pattern)} within {duration_text(clause.within)}"


@clause_text.register
def _(clause: nodes.Holdout) -> str:
    return percent_text(clause.percent) + (f" {quoted(clause.name)}" if clause.name is not None else "")


@clause_text.register
def _(clause: nodes.Active) -> str:
    ends = (("from", clause.start), ("until", clause.end))
    return " ".join(f"{word} {date_text(date)}" for word, date in ends if date)


@clause_text.register
def _(clause: nodes.Late) -> str:
    return f"skip after {duration_text(clause.duration)}" if clause.duration else "always"


@clause_text.register
def _(clause: nodes.Zone) -> str:
    return zone_text(clause)


@clause_text.register
def _(clause: Path) -> str:
    return _trigger_field(clause)


def _trigger_field(path: Path) -> str:
    """A field without its prefix; one named like a unit takes quotes, since a limit may be 'per day'."""
    if len(path.parts) == 1 and path.parts[0].casefold() in words.UNIT_WORDS:
        return quoted(path.parts[0])
    return path_text(replace(path, scope="bare"))


# ----------------------------------------------------------------------------------------- whole rules


class Line(NamedTuple):
    """A line of a rule, and the node it writes, where that may be numbered."""

    text: str
    node: object = None

    @property
    def ordinal(self) -> int:
        """The number of the first sample or split in the line; 0: there is none."""
        numbered = (part.ordinal for part in walk(self.node) if isinstance(part, nodes.Sample | nodes.Split))
        return next(numbered, 0)


def layout(rule: Rule) -> str:
    """The rule in canonical form, title and notes included, ending in a line end."""
    title = [f"# {rule.title}"] if rule.title else []
    notes = [f"# {note}".rstrip() for note in rule.notes]
    first, *rest = _lines(rule)
    # Comments above an untitled rule would be its title, so its notes stand below its first line.
    lines = [*title, *notes, first, *rest] if title else [first, *notes, *rest]
    return "\n".join(lines) + "\n"


def canonical(rule: Rule) -> str:
    """What the rule does, in canonical form: its text without name, title and notes."""
    return layout(replace(rule, id="", named=False, title=None, notes=()))


def _lines(rule: Rule) -> list[str]:
    if rule.named:
        head = [f"Rule: {name_text(rule.id)}", f"Trigger: {clause_text(rule.trigger)}"]
    else:
        head = [f"Trigger: {clause_text(rule.trigger)}"]
    if rule.for_each:
        head.append(f"For each: {clause_text(rule.for_each)}")
    if rule.existing:
        head.append(f"Existing people: {rule.existing}")
    return [*head, *_body(rule), *_tail(rule)]


def _body(rule: Rule) -> list[str]:
    """The steps, with ``Only while`` above them, or as far down as its unnamed samples were numbered."""
    lines = [line for step in rule.steps for line in _step_lines(step, "")]
    if rule.only_while is not None:
        own = Line(f"Only while: {expression_text(rule.only_while)}", rule.only_while)
        later = (index for index, line in enumerate(lines) if line.ordinal > own.ordinal)
        place = 0 if not own.ordinal else next(later, len(lines))
        before = any(line.ordinal for line in lines[:place])
        lines.insert(place if before else 0, own)
    return [line.text for line in lines]


def _tail(rule: Rule) -> Iterator[str]:
    clauses: list[tuple[str, object]] = [
        ("Exit", rule.exit),
        *(("Limit", limit) for limit in rule.limits),
        ("Triggered again", rule.again),
        ("Zone", rule.zone),
        *(("Quiet hours", hours) for hours in rule.quiet),
    ]
    yield from (f"{word}: {clause_text(clause)}" for word, clause in clauses if clause is not None)
    if rule.purpose is not None:
        yield f"Purpose: {name_text(rule.purpose)}"
    clauses = [("Goal", rule.goal), ("Holdout", rule.holdout), ("Active", rule.active), ("Late", rule.late)]
    yield from (f"{word}: {clause_text(clause)}" for word, clause in clauses if clause is not None)
    if rule.tags:
        yield f"Tags: {', '.join(map(name_text, rule.tags))}"


def _step_lines(step: Step, indent: str) -> Iterator[Line]:
    if isinstance(step, nodes.If):
        word = "If"
        for branch in step.branches:
            text = f"{indent}{word}: {expression_text(branch.expression)}"
            yield Line(text, branch.expression)
            yield from _deeper(branch.steps, indent)
            word = "Else if"
        if step.otherwise:
            yield Line(f"{indent}Else:")
            yield from _deeper(step.otherwise, indent)
        yield Line(f"{indent}End:")
    elif isinstance(step, nodes.Split):
        for index, arm in enumerate(step.arms):
            yield Line(f"{indent}{arm_text(arm)}", None if index else step)
            yield from _deeper(arm.steps, indent)
        yield Line(f"{indent}End:")
    else:
        yield Line(indent + step_text(step), step)


def _deeper(steps: tuple[Step, ...], indent: str) -> Iterator[Line]:
    for step in steps:
        yield from _step_lines(step, indent + _INDENT)


def arm_text(arm: Arm) -> str:
    """The head of an arm."""
    name = f" {quoted(arm.name)}" if arm.name is not None else ""
    return f"Split: {percent_text(arm.percent)}{name}"
