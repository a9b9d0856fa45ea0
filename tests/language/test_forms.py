"""Every form of the language, with the node it reads as."""

from __future__ import annotations

from typing import Any

import pytest

from engine.language import layout, nodes, read
from engine.language.nodes import (
    Chain,
    Comparison,
    Count,
    Date,
    DateFact,
    Duration,
    Fact,
    Group,
    Happened,
    LastEvent,
    Link,
    Literal,
    Not,
    Path,
    Pattern,
    Race,
    Sample,
    TimeOfDay,
    Total,
    TotalFact,
    Window,
    Zone,
)

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


def days(number: int) -> Duration:
    return Duration(number * DAY)


def hours(number: int) -> Duration:
    return Duration(number * HOUR)


def person(*parts: str) -> Path:
    return Path("person", parts)


def trigger(*parts: str) -> Path:
    return Path("trigger", parts)


def bare(*parts: str) -> Path:
    return Path("bare", parts)


def field(*parts: str) -> Path:
    return Path("event", parts)


def where(*comparisons: Comparison) -> Pattern:
    return Pattern("buy", comparisons)


def is_(left: Path, operator: Any, *right: Any) -> Comparison:
    operands = (part if isinstance(part, Path) else Literal(part) for part in right)
    return Comparison(left, operator, tuple(operands))


def within(duration: Duration) -> Window:
    return Window("within", duration)


BUY = Pattern("buy")
LONG = "1234567890" * 4
LAST_30 = Window("last", days(30))

CONDITIONS: list[tuple[str, Any]] = [
    # happened
    ("buy", Happened(BUY)),
    ("order.paid", Happened(Pattern("order.paid"))),
    ("order-paid", Happened(Pattern("order-paid"))),
    ('"two words"', Happened(Pattern("two words"))),
    ("“two words”", Happened(Pattern("two words"))),
    ('"not"', Happened(Pattern("not"))),
    ("Buy", Happened(Pattern("Buy"))),
    ("android", Happened(Pattern("android"))),
    ("or-else", Happened(Pattern("or-else"))),
    ("buy once", Happened(BUY, Count("at least", 1))),
    ("buy twice", Happened(BUY, Count("at least", 2))),
    ("buy at least 3 times", Happened(BUY, Count("at least", 3))),
    ("buy at most 1 time", Happened(BUY, Count("at most", 1))),
    ("buy exactly 2 times", Happened(BUY, Count("exactly", 2))),
    ("buy more than once", Happened(BUY, Count("more than", 1))),
    ("buy fewer than 3 times in the last 30 days", Happened(BUY, Count("fewer than", 3), LAST_30)),
    ("any event within 3 days", Happened(Pattern(None), None, within(days(3)))),
    ("any event except (a, b)", Happened(Pattern(None, excluding=("a", "b")))),
    ("any event except a", Happened(Pattern(None, excluding=("a",)))),
    ("any event where x = 1", Happened(Pattern(None, (is_(field("x"), "=", 1),)))),
    # windows
    ("buy within 24 hours", Happened(BUY, None, within(hours(24)))),
    ("BUY Within 24H", Happened(Pattern("BUY"), None, within(hours(24)))),
    ("buy in the next 3 days", Happened(BUY, None, Window("next", days(3)))),
    ("buy in the last week", Happened(BUY, None, Window("last", days(7)))),
    ("buy since last login", Happened(BUY, None, Window("since last", None, Pattern("login")))),
    ("buy since last any event", Happened(BUY, None, Window("since last", None, Pattern(None)))),
    (
        "buy since last login where x = 1",
        Happened(BUY, None, Window("since last", None, Pattern("login", (is_(field("x"), "=", 1),)))),
    ),
    # where
    ("buy where total >= 50", Happened(where(is_(field("total"), ">=", 50)))),
    ("buy where a = x, b != y", Happened(where(is_(field("a"), "=", "x"), is_(field("b"), "!=", "y")))),
    ("buy where same cart_id", Happened(where(is_(field("cart_id"), "=", trigger("cart_id"))))),
    ("buy where same a.b", Happened(where(is_(field("a", "b"), "=", trigger("a", "b"))))),
    ("buy where items.sku = x", Happened(where(is_(field("items", "sku"), "=", "x")))),
    ('buy where "items.sku" = x', Happened(where(is_(field("items.sku"), "=", "x")))),
    ('buy where items."unit price" = 3', Happened(where(is_(field("items", "unit price"), "=", 3)))),
    ("buy where plan = trigger.plan", Happened(where(is_(field("plan"), "=", trigger("plan"))))),
    ("buy where a is x, b is not y", Happened(where(is_(field("a"), "=", "x"), is_(field("b"), "!=", "y")))),
    ("buy where a in (1, two, person.x)", Happened(where(is_(field("a"), "in", 1, "two", person("x"))))),
    ("buy where a between 1 and 3", Happened(where(is_(field("a"), "between", 1, 3)))),
    ("buy where a is set, b is not set", Happened(where(is_(field("a"), "is set"), is_(field("b"), "is not set")))),
    # boolean
    ("NOT buy", Not(Happened(BUY))),
    ("not not buy", Not(Not(Happened(BUY)))),
    ("a AND b AND c", nodes.And((Happened(Pattern("a")), Happened(Pattern("b")), Happened(Pattern("c"))))),
    (
        "a OR b and c",
        nodes.Or((Happened(Pattern("a")), nodes.And((Happened(Pattern("b")), Happened(Pattern("c")))))),
    ),
    ("(a OR b)", nodes.Or((Happened(Pattern("a")), Happened(Pattern("b"))))),
    ("(a) within 3 days", Group(Happened(Pattern("a")), within(days(3)))),
    ("NOT (a) within 3 days", Not(Group(Happened(Pattern("a")), within(days(3))))),
    # chains
    (
        "a within 1 day then b within 3 days then NOT c within 14 days",
        Chain(
            (
                Link(Pattern("a"), False, within(days(1))),
                Link(Pattern("b"), False, within(days(3))),
                Link(Pattern("c"), True, within(days(14))),
            )
        ),
    ),
    (
        "NOT a within 1 day then b within 1 day",
        Chain((Link(Pattern("a"), True, within(days(1))), Link(Pattern("b"), False, within(days(1))))),
    ),
    (
        "NOT (a then b) within 1 day",
        Not(Group(Chain((Link(Pattern("a")), Link(Pattern("b")))), within(days(1)))),
    ),
    # races
    ("a before any b within 1 hour", Race(Pattern("a"), (Pattern("b"),), within(hours(1)))),
    (
        "buy where x = 1 before any (b where y = 2 OR c) within 1 hour",
        Race(
            where(is_(field("x"), "=", 1)),
            (Pattern("b", (is_(field("y"), "=", 2),)), Pattern("c")),
            within(hours(1)),
        ),
    ),
    ("a before any event except (b) within 1 hour", Race(Pattern("a"), (Pattern(None, (), ("b",)),), within(hours(1)))),
    # totals
    (
        "sum of amount from buy in the last 30 days >= 500",
        TotalFact(Total("sum", field("amount"), BUY, LAST_30), ">=", (Literal(500),)),
    ),
    (
        "average of a.b from buy where x = 1 between 2 and 3",
        TotalFact(
            Total("average", field("a", "b"), where(is_(field("x"), "=", 1))), "between", (Literal(2), Literal(3))
        ),
    ),
    ("min of a from buy < 3", TotalFact(Total("min", field("a"), BUY), "<", (Literal(3),))),
    ("max of a from buy > person.x", TotalFact(Total("max", field("a"), BUY), ">", (person("x"),))),
    (
        "count of different product_id from view in (1, 2)",
        TotalFact(Total("count of different", field("product_id"), Pattern("view")), "in", (Literal(1), Literal(2))),
    ),
    ("count of buy = 3", TotalFact(Total("count", None, BUY), "=", (Literal(3),))),
    # facts
    ("plan = 'free'", Fact(is_(bare("plan"), "=", "free"))),
    ("plan is free", Fact(is_(bare("plan"), "=", "free"))),
    ("plan is not free", Fact(is_(bare("plan"), "!=", "free"))),
    ("cart.total > 5", Fact(is_(bare("cart", "total"), ">", 5))),
    ("trigger.a.b <= -5.5", Fact(is_(trigger("a", "b"), "<=", -5.5))),
    ('person."first name" != x', Fact(is_(person("first name"), "!=", "x"))),
    ("Person.Plan = Free", Fact(is_(person("Plan"), "=", "Free"))),
    ("person.country not in (DE, NO, IN, OR)", Fact(is_(person("country"), "not in", "DE", "NO", "IN", "OR"))),
    ("country = OR", Fact(is_(bare("country"), "=", "OR"))),
    (
        "country = NOT AND plan = in",
        nodes.And((Fact(is_(bare("country"), "=", "NOT")), Fact(is_(bare("plan"), "=", "in")))),
    ),
    ("zip = 007", Fact(is_(bare("zip"), "=", "007"))),
    ("phone = +48600", Fact(is_(bare("phone"), "=", "+48600"))),
    ("size = 0.5", Fact(is_(bare("size"), "=", 0.5))),
    (
        "id = 1234567890123456789012345678901234567890",
        Fact(is_(bare("id"), "=", "1234567890123456789012345678901234567890")),
    ),
    ("vip = true", Fact(is_(bare("vip"), "=", True))),
    ("vip = 'true'", Fact(is_(bare("vip"), "=", "true"))),
    ("tag = a#b", Fact(is_(bare("tag"), "=", "a#b"))),
    ("name = O'Brien", Fact(is_(bare("name"), "=", "O'Brien"))),
    ("mail ends with @example.com", Fact(is_(bare("mail"), "ends with", "@example.com"))),
    ("mail starts with x", Fact(is_(bare("mail"), "starts with", "x"))),
    ("tags contains 'a; b: # c'", Fact(is_(bare("tags"), "contains", "a; b: # c"))),
    ("age between 18 and person.limit", Fact(is_(bare("age"), "between", 18, person("limit")))),
    ("plan is set", Fact(is_(bare("plan"), "is set"))),
    ("person.plan is not set", Fact(is_(person("plan"), "is not set"))),
    # dates, last ones, samples
    ("person.trial_end in the next 3 days", DateFact(person("trial_end"), "next", days(3))),
    ("trigger.ends in the last 3 days", DateFact(trigger("ends"), "last", days(3))),
    ("person.joined more than 2 years ago", DateFact(person("joined"), "ago", Duration(0, 24))),
    ("joined more than 1h30m ago", DateFact(bare("joined"), "ago", Duration(90 * 60 * SECOND))),
    ("last login more than 30 days ago", LastEvent(Pattern("login"), days(30))),
    ("last buy where x = 1 more than a week ago", LastEvent(where(is_(field("x"), "=", 1)), days(7))),
    ("last any event more than 14 days ago", LastEvent(Pattern(None), days(14))),
    ("in 10% sample", Sample(10.0, None, 1)),
    ('NOT in 0.5% sample "pilot"', Not(Sample(0.5, "pilot", 1))),
]

DURATIONS = [
    ("90 seconds", Duration(90 * SECOND)),
    ("90s", Duration(90 * SECOND)),
    ("5 min", Duration(300 * SECOND)),
    ("5m", Duration(300 * SECOND)),
    ("5M", Duration(300 * SECOND)),
    ("5mo", Duration(0, 5)),
    ("5 MO", Duration(0, 5)),
    ("24h", hours(24)),
    ("1h30m", Duration(5_400 * SECOND)),
    ("1 day 12 hours", hours(36)),
    ("30 days", days(30)),
    ("a week", days(7)),
    ("an hour", hours(1)),
    ("2 months", Duration(0, 2)),
    ("a year", Duration(0, 12)),
    ("1 month 3 days", Duration(3 * DAY, 1)),
]

STEPS: list[tuple[str, Any]] = [
    ("Wait: 2 days", nodes.WaitFor(days(2))),
    ("Wait: until 09:00", nodes.WaitUntilTime(None, TimeOfDay(9, 0))),
    ("Wait: until 9:00 in person.timezone", nodes.WaitUntilTime(None, TimeOfDay(9, 0), Zone(path=person("timezone")))),
    ("Wait: until monday 09:30", nodes.WaitUntilTime("monday", TimeOfDay(9, 30))),
    (
        "Wait: until Monday at 09:30 in Europe/Warsaw",
        nodes.WaitUntilTime("monday", TimeOfDay(9, 30), Zone("Europe/Warsaw")),
    ),
    ("Wait: until buy for at most 3 days", nodes.WaitUntilEvent(BUY, days(3))),
    (
        "Wait: until buy where same id for at most 3 days",
        nodes.WaitUntilEvent(where(is_(field("id"), "=", trigger("id"))), days(3)),
    ),
    ("Wait: until person.renewal", nodes.WaitUntilDate(person("renewal"))),
    ("Wait: until trigger.starts or now", nodes.WaitUntilDate(trigger("starts"), or_now=True)),
    (
        "Wait: until 3 days before person.renewal at 09:00 in Europe/Warsaw or now",
        nodes.WaitUntilDate(person("renewal"), days(3), "before", TimeOfDay(9, 0), True, Zone("Europe/Warsaw")),
    ),
    ("Wait: until 2 hours after trigger.at", nodes.WaitUntilDate(trigger("at"), hours(2), "after")),
    ("Action: thank", nodes.Action("thank")),
    ('Action: send_email "cart"', nodes.Action("send_email", "cart")),
    (
        'Action: send_email "cart" in person.language to person.email with cut = 10, code = WELCOME, x = trigger.a',
        nodes.Action(
            "send_email",
            "cart",
            person("language"),
            person("email"),
            (("cut", Literal(10)), ("code", Literal("WELCOME")), ("x", trigger("a"))),
        ),
    ),
    (
        "Action: send with c = sum of amount from buy in the last 30 days, d = 1",
        nodes.Action("send", arguments=(("c", Total("sum", field("amount"), BUY, LAST_30)), ("d", Literal(1)))),
    ),
    (
        "Action: send with c = count of buy where x = 1, y = 2",
        nodes.Action(
            "send",
            arguments=(("c", Total("count", None, where(is_(field("x"), "=", 1), is_(field("y"), "=", 2)))),),
        ),
    ),
    (
        "Action: send with c = (count of buy where x = 1), y = 2",
        nodes.Action(
            "send", arguments=(("c", Total("count", None, where(is_(field("x"), "=", 1)))), ("y", Literal(2)))
        ),
    ),
    ("Action: set person.plan = pro", nodes.SetAttribute(person("plan"), Literal("pro"))),
    ("Action: set person.buys = count of buy", nodes.SetAttribute(person("buys"), Total("count", None, BUY))),
    ("Action: track done with a = 1", nodes.TrackEvent("done", (("a", Literal(1)),))),
    ('Action: "set"', nodes.Action("set")),
    (
        "If: plan = free\nAction: a\nElse if: plan = pro\nAction: b\nElse:\nAction: c\nEnd:",
        nodes.If(
            (
                nodes.Branch(Fact(is_(bare("plan"), "=", "free")), (nodes.Action("a"),)),
                nodes.Branch(Fact(is_(bare("plan"), "=", "pro")), (nodes.Action("b"),)),
            ),
            (nodes.Action("c"),),
        ),
    ),
    (
        'Split: 34% "short"\nAction: a\nSplit: 66%\nEnd:',
        nodes.Split((nodes.Arm(34.0, "short", (nodes.Action("a"),)), nodes.Arm(66.0, None, ())), 1),
    ),
]

TRIGGERS: list[tuple[str, Any]] = [
    ("signed_up", nodes.EventTrigger((Pattern("signed_up"),))),
    (
        "buy where total >= 50, currency = PLN",
        nodes.EventTrigger((where(is_(field("total"), ">=", 50), is_(field("currency"), "=", "PLN")),)),
    ),
    ("a OR b", nodes.EventTrigger((Pattern("a"), Pattern("b")))),
    ("any event", nodes.EventTrigger((Pattern(None),))),
    ("every day at 09:00", nodes.Schedule("day", TimeOfDay(9, 0))),
    ("every monday at 9:00", nodes.Schedule("week", TimeOfDay(9, 0), weekday="monday")),
    ("every month on day 31 at 09:00", nodes.Schedule("month", TimeOfDay(9, 0), day=31)),
    (
        "every year on person.birthday at 09:00 in person.timezone",
        nodes.Schedule("year", TimeOfDay(9, 0), path=person("birthday"), zone=Zone(path=person("timezone"))),
    ),
    (
        "on 2026-11-27 at 09:00 in Europe/Warsaw",
        nodes.Schedule("once", TimeOfDay(9, 0), date=Date(2026, 11, 27), zone=Zone("Europe/Warsaw")),
    ),
]

CLAUSES: list[tuple[str, str, Any]] = [
    ("Only while: plan = free", "only_while", Fact(is_(bare("plan"), "=", "free"))),
    ("Exit: buy where x = 1 OR b", "exit", nodes.Exit((where(is_(field("x"), "=", 1)), Pattern("b")))),
    ("Exit: none", "exit", nodes.Exit(())),
    ("Limit: once per person", "limits", (nodes.Limit(1, "person"),)),
    ("Limit: twice per person", "limits", (nodes.Limit(2, "person"),)),
    ("Limit: 3 per person per 30 days", "limits", (nodes.Limit(3, "person", None, days(30)),)),
    ("Limit: 3 times per person per week", "limits", (nodes.Limit(3, "person", None, days(7)),)),
    ("Limit: once per cart_id", "limits", (nodes.Limit(1, "value", trigger("cart_id")),)),
    (
        "Limit: once per trigger.cart.id per 7 days",
        "limits",
        (nodes.Limit(1, "value", trigger("cart", "id"), days(7)),),
    ),
    ("Limit: 1000 per day over all people", "limits", (nodes.Limit(1000, "all", None, hours(24)),)),
    ("Limit: 1000 over all people", "limits", (nodes.Limit(1000, "all"),)),
    (
        "Limit: once per person\nLimit: 9 over all people",
        "limits",
        (nodes.Limit(1, "person"), nodes.Limit(9, "all")),
    ),
    ("Triggered again: restart", "again", nodes.Again("restart")),
    ("Triggered again: restart for at most 3 days", "again", nodes.Again("restart", days(3))),
    ("Triggered again: ignore", "again", nodes.Again("ignore")),
    ("Triggered again: each", "again", nodes.Again("each")),
    ("Triggered again: replace", "again", nodes.Again("replace")),
    ("For each: order_id", "for_each", trigger("order_id")),
    ("For each: trigger.order.id", "for_each", trigger("order", "id")),
    ("Zone: person.timezone", "zone", Zone(path=person("timezone"))),
    ("Zone: Europe/Warsaw", "zone", Zone("Europe/Warsaw")),
    (
        "Quiet hours: 21:00 to 09:00, saturday, sunday",
        "quiet",
        (nodes.QuietHours(TimeOfDay(21, 0), TimeOfDay(9, 0), ("saturday", "sunday")),),
    ),
    ("Quiet hours: sunday in UTC", "quiet", (nodes.QuietHours(days=("sunday",), zone=Zone("UTC")),)),
    ("Purpose: topic-name", "purpose", "topic-name"),
    ("Goal: buy where same id within 7 days", "goal", nodes.Goal(where(is_(field("id"), "=", trigger("id"))), days(7))),
    ("Holdout: 10%", "holdout", nodes.Holdout(10.0)),
    ('Holdout: 10% "global"', "holdout", nodes.Holdout(10.0, "global")),
    (
        "Active: from 2026-11-20 until 2026-12-01",
        "active",
        nodes.Active(Date(2026, 11, 20), Date(2026, 12, 1)),
    ),
    ("Active: from 2026-11-20", "active", nodes.Active(Date(2026, 11, 20))),
    ("Active: until 2026-12-01", "active", nodes.Active(None, Date(2026, 12, 1))),
    ("Existing people: include", "existing", "include"),
    ("Existing people: skip", "existing", "skip"),
    ("Late: skip after 6 hours", "late", nodes.Late(hours(6))),
    ("Late: always", "late", nodes.Late(None)),
    ("Tags: winback, lifecycle", "tags", ("winback", "lifecycle")),
]


def one(text: str) -> nodes.Rule:
    """The rule in a text, which may draw warnings but no error; its canonical text must read back."""
    reading = read(text)
    assert reading.ok, "\n".join(found.render(reading.source) for found in reading.diagnostics)
    (rule,) = reading.rules
    assert read(layout(rule)).rules == (rule,)
    return rule


@pytest.mark.parametrize(("text", "node"), CONDITIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_conditions(text: str, node: Any) -> None:
    # A wait before it makes the gate one where everything may stand.
    assert one(f"Trigger: t\nWait: 1 day\nCondition: {text}").steps[1] == nodes.Condition(node)


def test_a_window_since_the_trigger() -> None:
    rule = one("Trigger: t\nWait: 1 day\nCondition: NOT buy since trigger")
    assert rule.steps[1] == nodes.Condition(Not(Happened(BUY, None, Window("since trigger"))))


@pytest.mark.parametrize(("text", "duration"), DURATIONS)
def test_durations(text: str, duration: Duration) -> None:
    assert one(f"Trigger: t\nWait: {text}").steps == (nodes.WaitFor(duration),)


@pytest.mark.parametrize(("text", "node"), STEPS, ids=lambda value: value if isinstance(value, str) else "")
def test_steps(text: str, node: Any) -> None:
    assert one(f"Trigger: t\n{text}").steps == (node,)


@pytest.mark.parametrize(("text", "node"), TRIGGERS, ids=lambda value: value if isinstance(value, str) else "")
def test_triggers(text: str, node: Any) -> None:
    assert one(f"Trigger: {text}").trigger == node


def test_no_trigger() -> None:
    assert one("Trigger: None\nCondition: NOT login within 30 days").trigger == nodes.NoTrigger()
    assert one('Trigger: "None"').trigger == nodes.EventTrigger((Pattern("None"),))


@pytest.mark.parametrize(("text", "name", "value"), CLAUSES, ids=lambda value: value if isinstance(value, str) else "")
def test_rule_wide_clauses(text: str, name: str, value: Any) -> None:
    assert getattr(one(f"Trigger: t\n{text}"), name) == value


def test_every_clause_is_none_or_empty_where_it_is_not_written() -> None:
    rule = one("Trigger: t")
    assert rule == nodes.Rule(rule.id, None, (), nodes.EventTrigger((Pattern("t"),)))


def test_samples_and_splits_are_numbered_in_the_order_of_the_text() -> None:
    rule = one(
        "Trigger: t\nCondition: in 10% sample\nSplit: 50%\nCondition: in 20% sample\nSplit: 50%\nEnd:\n"
        "Only while: in 30% sample"
    )
    first, split = rule.steps
    assert isinstance(first, nodes.Condition)
    assert first.expression == Sample(10.0, None, 1)
    assert isinstance(split, nodes.Split)
    assert split.ordinal == 2
    assert split.arms[0].steps == (nodes.Condition(Sample(20.0, None, 3)),)
    assert rule.only_while == Sample(30.0, None, 4)


def test_bare_text_and_numbers_know_that_they_were_bare() -> None:
    rule = one("Trigger: t\nCondition: a = free AND b = 'free' AND c = 3")
    literals = [item.comparison.right[0] for item in rule.steps[0].expression.items]  # type: ignore[union-attr]
    assert [literal.bare for literal in literals] == [True, False, True]  # type: ignore[union-attr]
