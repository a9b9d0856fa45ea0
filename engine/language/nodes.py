"""The syntax tree of a rule: what a marketer wrote, as frozen values.

Every node carries ``span``, its half-open ``(start, end)`` character offsets in the file; spans take no
part in equality, so two nodes are equal when they mean the same text. Durations are microseconds and
calendar months, never mixed into one figure, because a month has no fixed length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf

Span = tuple[int, int]
NOWHERE: Span = (0, 0)

Scalar = str | int | float | bool


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)


# --------------------------------------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the rule. ``bare`` text was written without quotes (``plan = free``)."""

    value: Scalar
    bare: bool = field(default=False, compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Path:
    """A field: ``trigger.x``, ``person.x``, an item's own event field, or a bare ``x`` (ruling 37)."""

    scope: OneOf["trigger", "person", "event", "bare"]
    parts: tuple[str, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: ``months`` calendar months (12 to the year) plus ``micros`` microseconds."""

    micros: int = 0
    months: int = 0
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A wall-clock time, minute precise."""

    hour: int
    minute: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar date written in a rule."""

    year: int
    month: int
    day: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Zone:
    """An IANA zone by name, or the person's own zone by a ``person.`` path."""

    name: str | None = None
    path: Path | None = None
    span: Span = _span()


Weekday = OneOf["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

Operator = OneOf[
    "=", "!=", ">", ">=", "<", "<=", "in", "not in", "between",
    "contains", "starts with", "ends with", "is set", "is not set",
]  # fmt: skip
"""``is`` and ``is not`` before a value read as ``=`` and ``!=``."""

Operand = Literal | Path


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left op right``; ``in`` has any number of right sides, ``between`` two, ``is set`` none.

    ``same x`` in a ``where`` is ``Comparison(Path("event", x), "=", (Path("trigger", x),))``.
    """

    left: Path
    operator: Operator
    right: tuple[Operand, ...]
    span: Span = _span()


# --------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Pattern:
    """Events of one name (``None``: any event the person made, but for ``excluding``) whose fields pass ``where``."""

    name: str | None
    where: tuple[Comparison, ...] = ()
    excluding: tuple[str, ...] = ()
    span: Span = _span()


# ----------------------------------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class Window:
    """Which stretch of the timeline an item looks at.

    ``within`` looks forward; in the opening Conditions of a ``None`` or schedule rule and in ``Only while``, back;
    ``next`` forward; ``last`` back; ``since trigger``; ``since last`` occurrence of ``anchor``.
    """

    kind: OneOf["within", "next", "last", "since trigger", "since last"]
    duration: Duration | None = None
    anchor: Pattern | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Count:
    """``more than 2 times`` is ``Count("more than", 2)``; ``once`` and ``twice`` are ``at least`` 1 and 2."""

    kind: OneOf["at least", "at most", "exactly", "more than", "fewer than"]
    number: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class And:
    items: tuple[Expression, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple[Expression, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Not:
    item: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Group:
    """A bracketed expression with a window of its own, which fills and caps the windows inside (ruling 8)."""

    item: Expression
    window: Window
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Happened:
    """``event [where] [count] [window]``."""

    pattern: Pattern
    count: Count | None = None
    window: Window | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Link:
    """One item of a chain: an event that comes, or (``negated``) one that stays away for its window."""

    pattern: Pattern
    negated: bool = False
    window: Window | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Chain:
    """``a then b within D then NOT c within D``: at least two links."""

    links: tuple[Link, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Race:
    """``a before any b within D``, or ``a before any (b OR c) within D``."""

    first: Pattern
    rivals: tuple[Pattern, ...]
    window: Window | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Total:
    """``sum of amount from event [where] [window]``: a number. ``path`` is absent for a plain ``count``."""

    function: OneOf["sum", "average", "min", "max", "count", "count of different"]
    path: Path | None
    pattern: Pattern
    window: Window | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class TotalFact:
    """A total compared with values, as in ``Comparison``."""

    total: Total
    operator: Operator
    right: tuple[Operand, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Fact:
    comparison: Comparison
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class DateFact:
    """``PATH in the next D`` (``next``), ``in the last D`` (``last``), ``more than D ago`` (``ago``)."""

    path: Path
    kind: OneOf["next", "last", "ago"]
    duration: Duration
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class LastEvent:
    """``last event [where] more than D ago``; false for someone without one."""

    pattern: Pattern
    duration: Duration
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Sample:
    """``in P% sample ["name"]``. ``ordinal`` is its place, from 1, among a rule's samples and splits."""

    percent: float
    name: str | None
    ordinal: int
    span: Span = _span()


Expression = And | Or | Not | Group | Happened | Chain | Race | TotalFact | Fact | DateFact | LastEvent | Sample

# ---------------------------------------------------------------------------------------------- steps


@dataclass(frozen=True, slots=True)
class Condition:
    expression: Expression
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class WaitFor:
    """``Wait: 2 days``."""

    duration: Duration
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class WaitUntilTime:
    """``Wait: until [monday] 09:00 [in ZONE]``: the next such moment at or after entry, always the next one."""

    weekday: Weekday | None
    time: TimeOfDay
    zone: Zone | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class WaitUntilEvent:
    """``Wait: until event [where] for at most D``."""

    pattern: Pattern
    at_most: Duration
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class WaitUntilDate:
    """``Wait: until [D before|after] PATH [at 09:00] [in ZONE] [or now]``."""

    path: Path
    offset: Duration | None = None
    side: OneOf["before", "after"] | None = None
    time: TimeOfDay | None = None
    or_now: bool = False
    zone: Zone | None = None
    span: Span = _span()


Argument = tuple[str, Literal | Path | Total]


@dataclass(frozen=True, slots=True)
class Action:
    """``Action: name ["template"] [in PATH] [to PATH] [with a = 1, ...]``."""

    name: str
    template: str | None = None
    variant: Path | None = None
    to: Path | None = None
    arguments: tuple[Argument, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """``Action: set person.x = v``."""

    path: Path
    value: Literal | Path | Total
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """``Action: track event [with a = 1]``."""

    name: str
    arguments: tuple[Argument, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Branch:
    """One ``If:`` or ``Else if:`` with its steps."""

    expression: Expression
    steps: tuple[Step, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Arm:
    """One ``Split: 34% "short"`` with its steps."""

    percent: float
    name: str | None
    steps: tuple[Step, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Split:
    """Weighted arms; ``ordinal`` as in :class:`Sample`."""

    arms: tuple[Arm, ...]
    ordinal: int
    span: Span = _span()


Wait = WaitFor | WaitUntilTime | WaitUntilEvent | WaitUntilDate
Effect = Action | SetAttribute | TrackEvent
Step = Condition | Wait | Effect | If | Split

# --------------------------------------------------------------------------------- rule-wide clauses


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """``Trigger: a where ... OR b``."""

    patterns: tuple[Pattern, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class NoTrigger:
    """``Trigger: None``."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Schedule:
    """``every day | WEEKDAY | month on day N | year on PATH at TIME``, ``on DATE at TIME``, each ``[in ZONE]``."""

    kind: OneOf["day", "week", "month", "year", "once"]
    time: TimeOfDay
    weekday: Weekday | None = None
    day: int | None = None
    path: Path | None = None
    date: Date | None = None
    zone: Zone | None = None
    span: Span = _span()


Trigger = EventTrigger | NoTrigger | Schedule


@dataclass(frozen=True, slots=True)
class Limit:
    """``once per person``, ``3 per person per 30 days``, ``once per cart_id``, ``1000 per day over all people``.

    ``per`` is ``person``, ``all`` or ``value`` (then ``path`` names the trigger's field).
    """

    number: int
    per: OneOf["person", "value", "all"]
    path: Path | None = None
    duration: Duration | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Again:
    """``Triggered again:``."""

    kind: OneOf["restart", "ignore", "each", "replace"]
    at_most: Duration | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class QuietHours:
    """One ``Quiet hours:`` line: ``[start, end)`` of each day (may span midnight), and whole days."""

    start: TimeOfDay | None = None
    end: TimeOfDay | None = None
    days: tuple[Weekday, ...] = ()
    zone: Zone | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Goal:
    pattern: Pattern
    within: Duration
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Holdout:
    percent: float
    name: str | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Active:
    """``from DATE until DATE``, either end optional, the last day included, in the rule's zone."""

    start: Date | None = None
    end: Date | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Late:
    """``skip after D``; ``duration`` absent: ``always``."""

    duration: Duration | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Exit:
    """``Exit: event OR ...``; no patterns: ``none``."""

    patterns: tuple[Pattern, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as written. ``None`` in a clause's place means the clause was not written."""

    id: str
    title: str | None
    notes: tuple[str, ...]
    trigger: Trigger
    steps: tuple[Step, ...] = ()
    named: bool = False
    only_while: Expression | None = None
    exit: Exit | None = None
    limits: tuple[Limit, ...] = ()
    again: Again | None = None
    for_each: Path | None = None
    zone: Zone | None = None
    quiet: tuple[QuietHours, ...] = ()
    purpose: str | None = None
    goal: Goal | None = None
    holdout: Holdout | None = None
    active: Active | None = None
    existing: OneOf["skip", "include"] | None = None
    late: Late | None = None
    tags: tuple[str, ...] = ()
    span: Span = _span()
