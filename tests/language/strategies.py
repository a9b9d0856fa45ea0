"""Random rules over the whole language, all of them free of errors; others may use :func:`rules` too.

A :class:`Setting` says what may stand where a condition is drawn: windows that look forward, fields of the
trigger, races. Samples and splits are numbered at the end, in the order in which the canonical text has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, wraps
from itertools import chain, count
from typing import Any

from hypothesis import strategies as st

from engine.language import nodes
from engine.language.identity import identified

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND

BACK = ("last", "since trigger", "since last")
FORWARD = ("within", "next")


def kept(build: Callable[..., st.SearchStrategy[Any]]) -> Callable[..., st.SearchStrategy[Any]]:
    """Make each strategy once, and hide what it is made of: spelled out, the whole language is long."""
    once = cache(build)

    @st.composite
    def drawn(draw: st.DrawFn, *arguments: Any) -> Any:
        return draw(once(*arguments))

    return wraps(build)(drawn)


@dataclass(frozen=True)
class Setting:
    """What may stand in a condition: kinds of windows, whether there is a trigger event, and races."""

    windows: tuple[str, ...]
    trigger: bool
    races: bool


# ---------------------------------------------------------------------------------------------- words

_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
_COMMON = st.sampled_from(
    ["purchase", "order.paid", "cart-updated", "a", "x", "sum", "and", "within", "event", "person.x", "last.y", "set",
     "trigger", "żółw", "two words", "monday", "none", "day", "it's", 'say "x"', "3rd", "5%", "a#b", "d;e", "f: g"]
)  # fmt: skip

texts = st.one_of(_COMMON, st.text(_LETTERS, max_size=8).filter(lambda text: not set(text) >= set("\"'”")))
names = texts.filter(bool)
parts = st.lists(names, min_size=1, max_size=3).map(tuple)
titles = st.text(_LETTERS, min_size=1, max_size=20).map(str.strip).filter(bool)

# --------------------------------------------------------------------------------------------- values

_seconds = st.one_of(
    st.sampled_from([60, 90, 3600, 5400, 86_400, 129_600, 172_800, 604_800, 2_592_000]),
    st.integers(1, 9_000 * 86_400),
)
durations = st.one_of(
    _seconds.map(lambda seconds: nodes.Duration(seconds * _SECOND)),
    st.integers(1, 30).map(lambda months: nodes.Duration(0, months)),
    st.builds(lambda months, days: nodes.Duration(days * _DAY, months), st.integers(1, 30), st.integers(1, 400)),
)
times = st.builds(nodes.TimeOfDay, st.integers(0, 23), st.integers(0, 59))
dates = st.dates().map(lambda day: nodes.Date(day.year, day.month, day.day))
percents = st.one_of(st.integers(0, 100).map(float), st.integers(0, 1000).map(lambda number: number / 10))
weekdays = st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
person_paths = parts.map(lambda names: nodes.Path("person", names))
bare_paths = parts.map(lambda names: nodes.Path("bare", names))
event_paths = parts.map(lambda names: nodes.Path("event", names))
zones = st.one_of(
    st.sampled_from(["Europe/Warsaw", "UTC", "America/New_York", "Etc/GMT+3"]).map(lambda name: nodes.Zone(name=name)),
    person_paths.map(lambda path: nodes.Zone(path=path)),
)
optional = st.none
numbers = st.one_of(st.integers(-(10**20), 10**20), st.integers(-(10**6), 10**6).map(lambda number: number / 1000))
literals = st.one_of(texts, numbers, st.booleans()).map(nodes.Literal)


def trigger_paths(setting: Setting) -> st.SearchStrategy[nodes.Path]:
    """Fields of the trigger, where there is one; else attributes."""
    return parts.map(lambda names: nodes.Path("trigger", names)) if setting.trigger else person_paths


def scoped(setting: Setting) -> st.SearchStrategy[nodes.Path]:
    return st.one_of(person_paths, trigger_paths(setting))


def operands(setting: Setting) -> st.SearchStrategy[nodes.Operand]:
    return st.one_of(literals, scoped(setting))


@kept
def comparisons(setting: Setting, lefts: st.SearchStrategy[nodes.Path]) -> st.SearchStrategy[nodes.Comparison]:
    one = st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "contains", "starts with", "ends with"])
    right = operands(setting)
    several = st.lists(right, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(nodes.Comparison, lefts, one, right.map(lambda operand: (operand,))),
        st.builds(nodes.Comparison, lefts, st.sampled_from(["in", "not in"]), several),
        st.builds(nodes.Comparison, lefts, st.just("between"), st.tuples(right, right)),
        st.builds(nodes.Comparison, lefts, st.sampled_from(["is set", "is not set"]), st.just(())),
    )


@kept
def patterns(setting: Setting) -> st.SearchStrategy[nodes.Pattern]:
    where = st.lists(comparisons(setting, event_paths), max_size=2).map(tuple)
    excluding = st.lists(names, max_size=2).map(tuple)
    return st.one_of(
        st.builds(nodes.Pattern, names, where),
        st.builds(nodes.Pattern, names, where),
        st.builds(nodes.Pattern, st.none(), where, excluding),
    )


# ----------------------------------------------------------------------------------------- conditions


@kept
def windows(setting: Setting, kinds: tuple[str, ...] | None = None) -> st.SearchStrategy[nodes.Window]:
    def of(kind: str) -> st.SearchStrategy[nodes.Window]:
        if kind == "since trigger":
            return st.just(nodes.Window("since trigger"))
        if kind == "since last":
            return st.builds(nodes.Window, st.just(kind), st.none(), patterns(setting))
        return st.builds(nodes.Window, st.just(kind), durations)

    return st.sampled_from(kinds or setting.windows).flatmap(of)


def counts() -> st.SearchStrategy[nodes.Count]:
    kinds = st.sampled_from(["at least", "at most", "exactly", "more than", "fewer than"])
    return st.builds(nodes.Count, kinds, st.integers(1, 99))


@kept
def totals(setting: Setting) -> st.SearchStrategy[nodes.Total]:
    window = st.one_of(optional(), windows(setting))
    functions = st.sampled_from(["sum", "average", "min", "max", "count of different"])
    return st.one_of(
        st.builds(nodes.Total, functions, event_paths, patterns(setting), window),
        st.builds(nodes.Total, st.just("count"), st.none(), patterns(setting), window),
    )


@kept
def total_facts(setting: Setting) -> st.SearchStrategy[nodes.TotalFact]:
    tests = comparisons(setting, st.just(nodes.Path("bare", ("x",)))).filter(lambda test: bool(test.right))
    return st.builds(lambda total, test: nodes.TotalFact(total, test.operator, test.right), totals(setting), tests)


@kept
def chains(setting: Setting, window: st.SearchStrategy[Any]) -> st.SearchStrategy[nodes.Chain]:
    links = st.builds(nodes.Link, patterns(setting), st.booleans(), window)
    return st.lists(links, min_size=2, max_size=3).map(lambda links: nodes.Chain(tuple(links)))


@kept
def items(setting: Setting) -> st.SearchStrategy[nodes.Expression]:
    """Conditions without AND, OR, NOT."""
    window = st.one_of(optional(), windows(setting))
    facts = comparisons(setting, st.one_of(scoped(setting), bare_paths)).map(nodes.Fact)
    found: list[st.SearchStrategy[Any]] = [
        st.builds(nodes.Happened, patterns(setting), st.one_of(optional(), counts()), window),
        facts,
        total_facts(setting),
        st.builds(nodes.DateFact, scoped(setting), st.sampled_from(["next", "last"]), durations),
        st.builds(nodes.DateFact, st.one_of(scoped(setting), bare_paths), st.just("ago"), durations),
        st.builds(nodes.LastEvent, patterns(setting), durations),
        st.builds(nodes.Sample, percents, st.one_of(optional(), texts), st.just(0)),
        chains(setting, windows(setting)),
        st.builds(nodes.Group, chains(setting, window), windows(setting)),
    ]
    if setting.races:
        rivals = st.lists(patterns(setting), min_size=1, max_size=2).map(tuple)
        found.append(st.builds(nodes.Race, patterns(setting), rivals, windows(setting, FORWARD)))
    return st.one_of(found)


@kept
def expressions(setting: Setting) -> st.SearchStrategy[nodes.Expression]:
    def extend(inner: st.SearchStrategy[nodes.Expression]) -> st.SearchStrategy[nodes.Expression]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            several.map(nodes.And),
            several.map(nodes.Or),
            inner.map(nodes.Not),
            st.builds(nodes.Group, inner, windows(setting)),
        )

    return st.recursive(items(setting), extend, max_leaves=4)


# ---------------------------------------------------------------------------------------------- steps


@kept
def waits(setting: Setting) -> st.SearchStrategy[nodes.Wait]:
    zone = st.one_of(optional(), zones)
    path = st.one_of(scoped(setting), bare_paths)
    shift = st.one_of(st.tuples(st.none(), st.none()), st.tuples(durations, st.sampled_from(["before", "after"])))
    return st.one_of(
        durations.map(nodes.WaitFor),
        st.builds(nodes.WaitUntilTime, st.one_of(optional(), weekdays), times, zone),
        st.builds(nodes.WaitUntilEvent, patterns(setting), durations),
        st.builds(
            lambda path, shift, time, now, zone: nodes.WaitUntilDate(path, shift[0], shift[1], time, now, zone),
            path,
            shift,
            st.one_of(optional(), times),
            st.booleans(),
            zone,
        ),
    )


@kept
def effects(setting: Setting) -> st.SearchStrategy[nodes.Effect]:
    back = replace(setting, windows=BACK)
    values = st.one_of(operands(setting), totals(back))
    arguments = st.dictionaries(names, values, max_size=3).map(lambda found: tuple(found.items()))
    path = st.one_of(optional(), scoped(setting), bare_paths)
    return st.one_of(
        st.builds(nodes.Action, names, st.one_of(optional(), texts), path, path, arguments),
        st.builds(nodes.SetAttribute, person_paths, values),
        st.builds(nodes.TrackEvent, names, arguments),
    )


@kept
def step_lists(setting: Setting, depth: int = 2, split: bool = True) -> st.SearchStrategy[tuple[nodes.Step, ...]]:
    """Steps in a row. An arm of a split holds no split directly: its first line would read as the next arm."""
    plain = [expressions(setting).map(nodes.Condition), waits(setting), effects(setting)]
    nested: list[st.SearchStrategy[Any]] = []
    if depth:
        nested.append(_ifs(setting, depth - 1))
        if split:
            nested.append(_splits(setting, depth - 1))
    return st.lists(st.one_of(*plain, *nested), max_size=3).map(tuple)


@kept
def _ifs(setting: Setting, depth: int) -> st.SearchStrategy[nodes.If]:
    branches = st.builds(nodes.Branch, expressions(setting), step_lists(setting, depth))
    return st.builds(nodes.If, st.lists(branches, min_size=1, max_size=2).map(tuple), step_lists(setting, depth))


@kept
def _splits(setting: Setting, depth: int) -> st.SearchStrategy[nodes.Split]:
    def arms(shares: tuple[float, ...]) -> st.SearchStrategy[tuple[nodes.Arm, ...]]:
        steps = step_lists(setting, depth, False)
        return st.tuples(
            *(st.builds(nodes.Arm, st.just(share), st.one_of(optional(), texts), steps) for share in shares)
        )

    shares = st.sampled_from([(100.0,), (50.0, 50.0), (33.3, 33.3, 33.4), (0.5, 99.5)])
    return st.builds(nodes.Split, shares.flatmap(arms), st.just(0))


# ------------------------------------------------------------------------------------- rule-wide clauses


def triggers() -> st.SearchStrategy[nodes.Trigger]:
    zone = st.one_of(optional(), zones)
    setting = Setting((), True, False)
    return st.one_of(
        st.lists(patterns(setting), min_size=1, max_size=2).map(lambda found: nodes.EventTrigger(tuple(found))),
        st.just(nodes.NoTrigger()),
        st.builds(nodes.Schedule, st.just("day"), times, zone=zone),
        st.builds(nodes.Schedule, st.just("week"), times, weekday=weekdays, zone=zone),
        st.builds(nodes.Schedule, st.just("month"), times, day=st.integers(1, 31), zone=zone),
        st.builds(nodes.Schedule, st.just("year"), times, path=st.one_of(person_paths, bare_paths), zone=zone),
        st.builds(nodes.Schedule, st.just("once"), times, date=dates, zone=zone),
    )


def limits(setting: Setting) -> st.SearchStrategy[nodes.Limit]:
    length = st.one_of(optional(), durations)
    number = st.integers(1, 1000)
    found = [
        st.builds(nodes.Limit, number, st.sampled_from(["person", "all"]), st.none(), length),
    ]
    if setting.trigger:
        found.append(st.builds(nodes.Limit, number, st.just("value"), trigger_paths(setting), length))
    return st.one_of(found)


def quiet_hours() -> st.SearchStrategy[nodes.QuietHours]:
    days = st.lists(weekdays, unique=True, max_size=2).map(tuple)
    some = st.lists(weekdays, unique=True, min_size=1, max_size=2).map(tuple)
    zone = st.one_of(optional(), zones)
    both = st.tuples(times, times).filter(lambda pair: pair[0] != pair[1])
    timed = st.builds(lambda pair, days, zone: nodes.QuietHours(pair[0], pair[1], days, zone), both, days, zone)
    return st.one_of(timed, st.builds(nodes.QuietHours, days=some, zone=zone))


def actives() -> st.SearchStrategy[nodes.Active]:
    both = st.tuples(st.dates(), st.dates()).map(sorted)
    spelled = both.map(lambda pair: [nodes.Date(day.year, day.month, day.day) for day in pair])
    return st.one_of(
        spelled.map(lambda pair: nodes.Active(pair[0], pair[1])),
        dates.map(lambda day: nodes.Active(day, None)),
        dates.map(lambda day: nodes.Active(None, day)),
    )


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), strategy)


def _several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, unique=True, max_size=2).map(tuple)


def _agains() -> st.SearchStrategy[nodes.Again]:
    kinds = st.sampled_from(["restart", "ignore", "each", "replace"])
    return st.one_of(st.builds(nodes.Again, kinds), st.builds(nodes.Again, st.just("restart"), durations))


_triggers = triggers()


@cache
def _clauses(event: bool, followed: bool) -> dict[str, st.SearchStrategy[Any]]:
    """All of a rule beside its trigger, made once: to make strategies takes longer than to draw from them.

    ``event``: it has a trigger event. ``followed``: a condition must follow, since the rule has no trigger.
    """
    opening = Setting(("within", "last", "since last", *(() if followed else ("next",))), event, event)
    later = Setting((*FORWARD, *BACK), event, True)
    gates = st.lists(expressions(opening).map(nodes.Condition), min_size=int(followed), max_size=2).map(tuple)
    first_step = st.one_of(waits(later), effects(later)).map(lambda step: (step,))
    return {
        "id": names,
        "named": st.booleans(),
        "title": _maybe(titles),
        "notes": st.lists(titles, max_size=2).map(tuple),
        "steps": st.tuples(gates, first_step, step_lists(later)).map(lambda found: tuple(chain.from_iterable(found))),
        "only_while": _maybe(expressions(Setting(BACK, event, False))),
        "exit": _maybe(st.lists(patterns(later), max_size=2).map(lambda found: nodes.Exit(tuple(found)))),
        "limits": _several(limits(later)),
        "again": _maybe(_agains()),
        "for_each": _maybe(trigger_paths(later)) if event else st.none(),
        "zone": _maybe(zones),
        "quiet": _several(quiet_hours()),
        "purpose": _maybe(names),
        "goal": _maybe(st.builds(nodes.Goal, patterns(later), durations)),
        "holdout": _maybe(st.builds(nodes.Holdout, percents, st.one_of(optional(), texts))),
        "active": _maybe(actives()),
        "existing": _maybe(st.sampled_from(["skip", "include"])),
        "late": _maybe(st.one_of(durations, st.none()).map(nodes.Late)),
        "tags": _several(names),
    }


@st.composite
def rules(draw: st.DrawFn) -> nodes.Rule:
    """Any rule that reads without an error."""
    trigger = draw(_triggers)
    clauses = _clauses(isinstance(trigger, nodes.EventTrigger), isinstance(trigger, nodes.NoTrigger))
    rule = nodes.Rule(trigger=trigger, **{name: draw(clause) for name, clause in clauses.items()})
    numbered: nodes.Rule = number(rule)
    return numbered if numbered.named else identified(numbered)


def number(rule: nodes.Rule) -> nodes.Rule:
    """The rule with its samples and splits counted in the order of its canonical text."""
    ordinals = count(1)
    only_while = _numbered(rule.only_while, ordinals)
    return replace(rule, only_while=only_while, steps=_numbered(rule.steps, ordinals))


def _numbered(node: Any, ordinals: Iterator[int]) -> Any:
    if isinstance(node, tuple):
        return tuple(_numbered(part, ordinals) for part in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    own = {"ordinal": next(ordinals)} if isinstance(node, nodes.Sample | nodes.Split) else {}
    inner = {part.name: _numbered(getattr(node, part.name), ordinals) for part in fields(node) if part.name not in own}
    rebuild: Callable[..., Any] = type(node)
    return rebuild(**{**inner, **own})
