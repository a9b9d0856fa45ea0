"""Random rules that are valid, and random timelines on a grid of hours, so that ties and edges are frequent.

:class:`Features` says which parts of the language take part; tests of one part leave the others out, and
failures shrink to few of them. Strategies are made once where they can be: to make one takes longer than to draw
from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from engine.language import nodes

from .build import days, hour, hours, months, path
from .timeline import Change, Entry, Event

T = TypeVar("T")
Draw = st.DrawFn

EVENTS = ("a", "b", "c", "d")
PLANS = ("free", "pro")
DATES: tuple[Any, ...] = (
    *("2026-01-01", "2026-01-02", "2026-01-03T12:00:00Z", "2026-01-04T06:00", "soon"),
    *(1_767_348_000, 1_767_434_400_000, "2026-01-03T00:00:00Z", " 2026-01-02 18:00:00+00", "1767348000", 20_260_102),
)
"""As senders write them: dates, times, unix seconds and milliseconds; the last two are none."""
CONSENT = ("unsubscribed", "unsubscribed", "resubscribed")
TOPICS = ("marketing", "news")
ZONES = ("Europe/Warsaw", "America/New_York", " europe/WARSAW ", "Mars/Olympus")
DURATIONS = (1, 2, 3, 6, 12, 24)
LAST_HOUR = 72


@dataclass(frozen=True)
class Features:
    """Which parts of the language random rules and timelines use."""

    triggers: Sequence[str] = ("event", "none", "schedule")
    items: Sequence[str] = ("happened", "count", "total", "chain", "race", "fact", "date", "last", "sample")
    logic: bool = True  # AND, OR, NOT
    groups: bool = True  # windows after brackets
    where: bool = True
    looking_back: bool = True  # `in the last`, no window, `since ...` in event rules
    steps: Sequence[str] = ("action", "condition", "wait", "time", "event", "date", "if", "split", "set")
    most_steps: int = 3
    depth: int = 1  # of branches in branches
    policies: Sequence[str] = (
        "again", "exit", "only_while", "limit", "for_each", "quiet", "holdout", "active", "goal", "purpose",
    )  # fmt: skip
    several_people: bool = False
    history: bool = True
    attributes: bool = True
    zones: bool = True
    months: bool = False
    own_actions: bool = False  # conditions on what the rule itself sent
    consent: int = 1  # of six events, those of people who unsubscribe and come back
    most_entries: int = 10


EVERYTHING = Features()
KERNEL = Features(
    triggers=("event",),
    items=("happened",),
    logic=False,
    groups=False,
    where=False,
    looking_back=False,
    steps=(),
    policies=("again",),
    history=False,
    attributes=False,
    zones=False,
    consent=0,
)
"""One event trigger, one window: the abandoned cart and nothing else."""

_BOOLEANS = st.booleans()
_OF_FIVE, _OF_SIX, _OF_TEN = st.integers(0, 4), st.integers(0, 5), st.integers(0, 9)


@cache
def among(options: tuple[T, ...]) -> st.SearchStrategy[T]:
    return st.sampled_from(options)


# -------------------------------------------------------------------------------------------- timelines


@cache
def moments() -> st.SearchStrategy[int]:
    return st.integers(0, LAST_HOUR).map(hour)


@cache
def properties() -> st.SearchStrategy[dict[str, Any]]:
    """``x`` a small number or text, ``k`` the id that tells things apart."""
    x = st.sampled_from([0, 1, 2, 3, 5, 0.1, 0.2, "1", "u", True, [1, "u"]])
    return st.fixed_dictionaries({}, optional={"x": x, "k": st.sampled_from([1, 2, "1", "z"])})


@st.composite
def events(draw: Draw, features: Features = EVERYTHING) -> Event:
    historical = draw(_OF_TEN) == 9 if features.history else False
    if draw(_OF_SIX) > 5 - features.consent:
        return Event(draw(moments()), draw(among(CONSENT)), draw(named()), historical=historical)
    return Event(draw(moments()), draw(among(EVENTS)), draw(properties()), historical=historical)


@cache
def named() -> st.SearchStrategy[dict[str, Any]]:
    """What an event of consent may be limited to; some of it cannot be read."""
    channel, topic = st.sampled_from(["mail", "sms", "", 5]), st.sampled_from([*TOPICS, None])
    return st.fixed_dictionaries({}, optional={"channel": channel, "topic": topic})


@cache
def attributes(features: Features) -> dict[str, st.SearchStrategy[Any]]:
    """The attributes that change, and their values."""
    possible: dict[str, st.SearchStrategy[Any]] = {
        "plan": st.sampled_from([*PLANS, None]),
        "country": st.sampled_from(["PL", "DE"]),
        "renews": st.sampled_from([*DATES, None]),
    }
    if features.zones:
        possible["timezone"] = st.sampled_from(ZONES)
    if features.consent:
        possible["unsubscribed"] = st.sampled_from([True, ["mail", "news"], "sms", [], None])
    return possible


@cache
@st.composite
def changes(draw: Draw, features: Features = EVERYTHING) -> Change:
    possible = attributes(features)
    name = draw(among(tuple(sorted(possible))))
    at = hour(0) if draw(_BOOLEANS) else draw(moments())
    return Change(at, {name: draw(possible[name])})


@cache
def entries_of(features: Features) -> st.SearchStrategy[list[Entry]]:
    """Twice as many events as changes."""
    entry: st.SearchStrategy[Entry] = events(features)
    if features.attributes:
        entry = st.one_of(entry, events(features), changes(features))
    most = features.most_entries
    return st.lists(entry, max_size=most) | st.lists(entry, min_size=most // 2, max_size=most)


@cache
@st.composite
def timelines(draw: Draw, features: Features = EVERYTHING) -> list[Entry]:
    """One person's entries. Half of the people have been known for long."""
    entries = draw(entries_of(features))
    if draw(_BOOLEANS):
        entries.append(Event(hour(-200), "d", historical=features.history and draw(_BOOLEANS)))
    return entries


@cache
def crowds(features: Features = EVERYTHING) -> st.SearchStrategy[dict[str, list[Entry]]]:
    """Several people by name."""
    names = ["p", "q", "r"] if features.several_people else ["p"]
    return st.fixed_dictionaries({name: timelines(features) for name in names})


@cache
def quiet_settings() -> st.SearchStrategy[tuple[nodes.QuietHours, ...]]:
    """Quiet hours of the workspace: most often none."""
    nights = nodes.QuietHours(nodes.TimeOfDay(20, 0), nodes.TimeOfDay(6, 0))
    travels = nodes.QuietHours(
        nodes.TimeOfDay(12, 0), nodes.TimeOfDay(15, 0), zone=nodes.Zone(path=path("person.timezone"))
    )
    return st.sampled_from([(), (), (), (nights,), (travels, nodes.QuietHours(days=("friday",)))])


@cache
def ends() -> st.SearchStrategy[int]:
    """The moment up to which the journeys are asked for."""
    return st.sampled_from([hour(LAST_HOUR), hour(LAST_HOUR + 24), hour(400)])


# ------------------------------------------------------------------------------------------- expressions


class Maker:
    """Draws one rule; remembers what the parts of it must agree on."""

    def __init__(self, draw: Draw, features: Features, trigger: nodes.Trigger) -> None:
        self.draw = draw
        self.features = features
        self.trigger = trigger
        self.by_event = isinstance(trigger, nodes.EventTrigger)
        self.ordinal = 0

    def one(self, options: Sequence[T]) -> T:
        return self.draw(among(tuple(options)))

    def rarely(self) -> bool:
        return self.draw(_OF_FIVE) == 4

    def of_consent(self) -> bool:
        return self.draw(_OF_TEN) > 9 - self.features.consent

    def duration(self) -> nodes.Duration:
        if self.features.months and self.rarely():
            return months(1)
        return hours(self.one(DURATIONS))

    def literal(self) -> nodes.Literal:
        possible: list[nodes.Scalar] = [0, 1, 2, 3, "1", "u", True]
        value = self.one(possible)
        return nodes.Literal(value, bare=value is True)

    def pattern(self, here: bool = True) -> nodes.Pattern:
        """An event, sometimes with a ``where``; ``same k`` only where there is a trigger with fields."""
        if self.rarely() and self.rarely():
            return nodes.Pattern(None, (), self.one([(), ("a",), ("b", "c")]))
        where: list[nodes.Comparison] = []
        if self.features.where and self.rarely():
            operator: Any = self.one(["=", "!=", ">", "<=", "is set"])
            right = () if operator == "is set" else (self.literal(),)
            where.append(nodes.Comparison(nodes.Path("event", ("x",)), operator, right))
        if self.features.where and here and self.by_event and self.rarely():
            where.append(nodes.Comparison(nodes.Path("event", ("k",)), "=", (nodes.Path("trigger", ("k",)),)))
        names = (*EVENTS, "mail") if self.features.own_actions else EVENTS
        if self.of_consent():
            names = CONSENT
        return nodes.Pattern(self.one(names), tuple(where))

    def window(self, place: str) -> nodes.Window | None:
        """A window that may stand in an item at this place: ``first`` gate, ``later`` gate, ``back`` only."""
        kinds = ["within", "within", "next"]
        if place == "back" or (place == "first" and not self.by_event):
            kinds = (
                ["within", "last", "none", "since last"] if place == "back" else ["within", "within", "last", "none"]
            )
            if place == "first" and isinstance(self.trigger, nodes.Schedule):
                kinds.append("next")
        elif self.features.looking_back:
            kinds += ["last", "none", "since last"] + ["since trigger"] * (place == "later")
        kind: Any = self.one(kinds)
        if kind == "none":
            return None
        if kind == "since trigger":
            return nodes.Window(kind)
        if kind == "since last":
            own = [one.name for one in self.trigger.patterns] if isinstance(self.trigger, nodes.EventTrigger) else []
            return nodes.Window(kind, None, nodes.Pattern(self.one([*EVENTS, *filter(None, own)])))
        return nodes.Window(kind, self.duration())

    def within(self) -> nodes.Window:
        return nodes.Window("within", self.duration())

    def expression(self, place: str) -> nodes.Expression:
        if not self.features.logic:
            item = self.item(place)
            negate = isinstance(item, nodes.Happened) and item.count is None and self.draw(_BOOLEANS)
            return nodes.Not(item) if negate else item
        shape = self.one(["item", "not", "not", "and", "or", "group"])
        if shape == "not":
            return nodes.Not(self.item(place))
        if shape in ("and", "or"):
            joined = (self.term(place), self.term(place))
            return nodes.And(joined) if shape == "and" else nodes.Or(joined)
        if shape == "group" and self.features.groups:
            return self.group()
        return self.item(place)

    def term(self, place: str) -> nodes.Expression:
        item = self.item(place)
        return nodes.Not(item) if self.draw(_BOOLEANS) else item

    def group(self) -> nodes.Expression:
        """Items without a window, or with one to be capped, in brackets that have one."""
        if "chain" in self.features.items and self.draw(_BOOLEANS):
            inner: nodes.Expression = self.chain(bare=True)
        else:
            items = tuple(
                nodes.Happened(self.pattern(), None, self.within() if self.rarely() else None) for _ in range(2)
            )
            inner = nodes.And(items) if self.draw(_BOOLEANS) else nodes.Or(items)
        group = nodes.Group(inner, self.within())
        return nodes.Not(group) if self.rarely() else group

    def item(self, place: str) -> nodes.Expression:
        possible = [name for name in self.features.items if self._may_stand(name, place)]
        match self.one(possible or ["happened"]):
            case "count":
                kind: Any = self.one(["at least", "at most", "exactly", "more than", "fewer than"])
                return nodes.Happened(self.pattern(), nodes.Count(kind, self.one([1, 2, 3])), self.window(place))
            case "total":
                return self.total(place)
            case "chain":
                return self.chain()
            case "race":
                rivals = tuple(nodes.Pattern(name) for name in self.one([("b",), ("c", "d"), ("a",)]))
                return nodes.Race(self.pattern(), rivals, self.within())
            case "fact":
                return self.fact()
            case "date":
                duration: Any = self.one([hours(12), days(1), days(2)])
                return nodes.DateFact(path("person.renews"), self.one(["next", "last", "ago"]), duration)
            case "last":
                return nodes.LastEvent(self.pattern(), self.duration())
            case "sample":
                self.ordinal += 1
                return nodes.Sample(self.one([10.0, 50.0, 90.0]), self.one([None, None, "some"]), self.ordinal)
        return nodes.Happened(self.pattern(), None, self.window(place))

    def _may_stand(self, name: str, place: str) -> bool:
        """Only while looks back alone and draws nothing; a race looks forward (ruling 9)."""
        if place == "back":
            return name in ("happened", "count", "total", "chain", "fact", "date", "last")
        return name != "race" or place == "later" or self.by_event

    def total(self, place: str) -> nodes.TotalFact:
        function: Any = self.one(["sum", "average", "min", "max", "count", "count of different"])
        where = None if function == "count" else nodes.Path("event", ("x",))
        total = nodes.Total(function, where, self.pattern(), self.window(place))
        return nodes.TotalFact(
            total, self.one([">=", ">", "<", "<=", "="]), (nodes.Literal(self.one([0, 1, 3, 4, 0.3])),)
        )

    def counted(self) -> nodes.Total:
        """A total that an effect carries: in it the trigger counts."""
        function: Any = self.one(["count", "count", "sum", "average"])
        where = None if function == "count" else nodes.Path("event", ("x",))
        kinds = [None, nodes.Window("last", self.duration()), nodes.Window("since last", None, self.pattern())]
        return nodes.Total(function, where, self.pattern(), self.one([*kinds, nodes.Window("since trigger")]))

    def chain(self, bare: bool = False) -> nodes.Chain:
        """In brackets its links may go without windows of their own."""
        links = []
        for number in range(self.one([2, 2, 3])):
            negated = number > 0 and self.rarely()
            window = self.within() if not bare or self.rarely() else None
            links.append(nodes.Link(self.pattern(), negated, window))
        return nodes.Chain(tuple(links))

    def fact(self) -> nodes.Fact:
        if self.by_event and self.draw(_BOOLEANS):
            left = self.one([nodes.Path("trigger", ("x",)), nodes.Path("bare", ("x",))])
            operator: Any = self.one(["=", "!=", ">", "<", "is set", "is not set"])
            right: tuple[nodes.Operand, ...] = () if operator.endswith("set") else (self.literal(),)
            return nodes.Fact(nodes.Comparison(left, operator, right))
        if self.of_consent():
            wanted = nodes.Literal(self.one([True, "mail", "news"]), bare=True)
            return nodes.Fact(nodes.Comparison(path("person.unsubscribed"), self.one(["=", "contains"]), (wanted,)))
        if "set" in self.features.steps and self.rarely():
            number = (nodes.Literal(self.one([0, 1, 2, 0.3])),)
            return nodes.Fact(nodes.Comparison(path("person.number"), self.one([">=", "=", "<"]), number))
        left = self.one([path("person.plan"), path("plan")])
        operator = self.one(["=", "!=", "in", "is not set"])
        right = () if operator == "is not set" else (nodes.Literal(self.one(PLANS), bare=True),)
        return nodes.Fact(nodes.Comparison(left, operator, right))

    # ------------------------------------------------------------------------------------------- steps

    def opening(self) -> list[nodes.Step]:
        """A None rule must open with a Condition; the others may."""
        fewest = 1 if isinstance(self.trigger, nodes.NoTrigger) or not self.features.steps else 0
        number = max(fewest, self.one([0, 1, 1, 1, 2]))
        return [nodes.Condition(self.expression("first")) for _ in range(number)]

    def steps(self, depth: int, opening: bool = False) -> tuple[nodes.Step, ...]:
        kinds = [kind for kind in self.features.steps if depth > 0 or kind not in ("if", "split")]
        if not kinds:
            return ()
        found: list[nodes.Step] = []
        for _ in range(self.draw(st.integers(0, self.features.most_steps))):
            kind = self.one(kinds)
            opening = opening and kind == "condition"  # it belongs to the opening Conditions still
            found.append(nodes.Condition(self.expression("first")) if opening else self.step(kind, depth))
        return tuple(found)

    def step(self, kind: str, depth: int) -> nodes.Step:
        match kind:
            case "condition":
                return nodes.Condition(self.expression("later"))
            case "wait":
                return nodes.WaitFor(self.duration())
            case "time":
                weekday: Any = self.one([None, None, "friday"])
                zone = nodes.Zone("America/New_York") if self.features.zones and self.rarely() else None
                return nodes.WaitUntilTime(weekday, self.one([nodes.TimeOfDay(0, 0), nodes.TimeOfDay(9, 0)]), zone)
            case "event":
                return nodes.WaitUntilEvent(self.pattern(), self.duration())
            case "date":
                return self.date_wait()
            case "if":
                return self.branches(depth)
            case "split":
                self.ordinal += 1
                ordinal = self.ordinal
                arms = tuple(nodes.Arm(50.0, None, self.steps(depth - 1)) for _ in range(2))
                return nodes.Split(arms, ordinal)
            case "set":
                if "total" in self.features.items and self.draw(_BOOLEANS):
                    return nodes.SetAttribute(path("person.number"), self.counted())
                return nodes.SetAttribute(path("person.plan"), nodes.Literal(self.one(PLANS), bare=True))
        return nodes.Action(self.one(["mail", "push"]), to=self.one([None, None, path("person.country")]))

    def date_wait(self) -> nodes.WaitUntilDate:
        side: Any = self.one([None, "before", "after"])
        offset = self.one([hours(6), days(1)]) if side else None
        time = nodes.TimeOfDay(9, 0) if side == "before" and self.draw(_BOOLEANS) else None
        return nodes.WaitUntilDate(path("person.renews"), offset, side, time, self.draw(_BOOLEANS))

    def branches(self, depth: int) -> nodes.If:
        branches = []
        for _ in range(self.one([1, 1, 2])):
            expression = self.expression("later")
            branches.append(nodes.Branch(expression, self.steps(depth - 1)))
        return nodes.If(tuple(branches), self.steps(depth - 1) if self.draw(_BOOLEANS) else ())

    # ----------------------------------------------------------------------------------------- clauses

    def clauses(self) -> dict[str, Any]:
        rare = ("only_while", "limit", "exit", "active")  # they end or stop much
        wanted = [name for name in self.features.policies if self.draw(st.integers(0, 5 if name in rare else 2)) == 0]
        found: dict[str, Any] = {}
        for name in wanted:
            found |= self.clause(name)
        if self.features.zones and self.rarely():
            found["zone"] = self.one([nodes.Zone(path=path("person.timezone")), nodes.Zone("Europe/Warsaw")])
        return found

    def clause(self, name: str) -> dict[str, Any]:
        match name:
            case "again":
                kind: Any = self.one(["restart", "restart", "ignore", "each", "replace"])
                at_most = self.duration() if kind == "restart" and self.draw(_BOOLEANS) else None
                return {"again": nodes.Again(kind, at_most)}
            case "exit":
                patterns = self.one([(), (self.pattern(),), (self.pattern(), self.pattern())])
                return {"exit": nodes.Exit(patterns)}
            case "only_while":
                return {"only_while": self.expression("back")}
            case "limit":
                return {"limits": tuple(dict.fromkeys(self.limit() for _ in range(self.one([1, 1, 2]))))}
            case "for_each" if self.by_event:
                return {"for_each": nodes.Path("trigger", ("k",))}
            case "quiet":
                line = nodes.QuietHours(nodes.TimeOfDay(21, 0), nodes.TimeOfDay(9, 0), self.one([(), ("saturday",)]))
                return {"quiet": (line,)}
            case "holdout":
                return {"holdout": nodes.Holdout(50.0, self.one([None, "some"]))}
            case "active":
                start = self.one([None, nodes.Date(2026, 1, 2)])
                end = self.one([nodes.Date(2026, 1, 2), nodes.Date(2026, 1, 3)])
                return {"active": nodes.Active(start, end)}
            case "goal":
                return {"goal": nodes.Goal(self.pattern(), self.duration())}
        return {"purpose": self.one(["transactional", *TOPICS])} if name == "purpose" else {}

    def limit(self) -> nodes.Limit:
        per = ["person", "person"] + ["value"] * self.by_event + ["all"] * self.features.several_people
        kind: Any = self.one(per)
        duration = self.one([None, hours(12), days(1)])
        if kind == "all" and duration is None:
            duration = days(1)
        field = nodes.Path("trigger", ("k",)) if kind == "value" else None
        return nodes.Limit(self.one([1, 1, 2]), kind, field, duration)


@cache
@st.composite
def triggers(draw: Draw, features: Features = EVERYTHING) -> nodes.Trigger:
    match draw(among(tuple(features.triggers))):
        case "none":
            return nodes.NoTrigger()
        case "schedule":
            return draw(schedules())
    maker = Maker(draw, features, nodes.NoTrigger())
    first = maker.pattern()
    return nodes.EventTrigger((first, maker.pattern()) if maker.rarely() else (first,))


@cache
@st.composite
def schedules(draw: Draw) -> nodes.Schedule:
    kind: Any = draw(among(("day", "day", "week", "month", "year", "once")))
    time = draw(among((nodes.TimeOfDay(9, 0), nodes.TimeOfDay(0, 0))))
    zone = draw(among((None, None, nodes.Zone("Europe/Warsaw"))))
    match kind:
        case "week":
            return nodes.Schedule(kind, time, weekday=draw(among(("friday", "monday"))), zone=zone)
        case "month":
            return nodes.Schedule(kind, time, day=draw(among((1, 2, 31))), zone=zone)
        case "year":
            return nodes.Schedule(kind, time, path=path("person.renews"), zone=zone)
        case "once":
            return nodes.Schedule(kind, time, date=nodes.Date(2026, 1, draw(st.integers(1, 4))), zone=zone)
    return nodes.Schedule(kind, time, zone=zone)


@cache
@st.composite
def rules(draw: Draw, features: Features = EVERYTHING) -> nodes.Rule:
    """A valid rule with the id ``r``."""
    trigger = draw(triggers(features))
    maker = Maker(draw, features, trigger)
    steps = (*maker.opening(), *maker.steps(features.depth, opening=True))
    return nodes.Rule("r", None, (), trigger, steps, named=True, **maker.clauses())
