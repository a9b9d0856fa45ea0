"""When a warning is given, and when it is held back; their words stand in the golden files."""

from __future__ import annotations

import pytest

from engine.language import Catalog, read

T = "Trigger: t\n"
W = "Trigger: t\nWait: 1 day\n"

WARNED = [
    # positive gates
    ("waits-for-event", T + "Condition: a within 1 day"),
    ("waits-for-event", T + "Condition: plan = free AND a at least 2 times within 1 day"),
    ("waits-for-event", T + "Condition: (a OR b) within 1 day"),
    ("waits-for-event", W + "Condition: a in the next 3 days"),
    # OR behind a where
    ("or-inside-where", T + "Condition: a where x = y OR z"),
    ("or-inside-where", T + "Condition: a where x = 1 OR x = 2"),
    ("or-inside-where", T + "Exit: a where x = y OR z"),
    # AND behind a where
    ("and-inside-where", W + "Condition: a where x = 1 AND y = 2"),
    ("and-inside-where", W + "Condition: NOT a where same id AND y is set"),
    ("and-inside-where", W + "Condition: c OR (a where x in (1, 2) AND y contains b)"),
    ("and-inside-where", T + "Only while: any event where x = 1 AND y = 2"),
    ("and-inside-where", T + "If: a where x = 1 AND y = 2 AND z = 3\nEnd:"),
    # OR behind a value
    ("value-as-event", T + "Condition: plan = pro OR free"),
    ("value-as-event", T + "Condition: person.plan is not pro OR free"),
    ("value-as-event", T + "Only while: person.plan in (pro, business) OR free"),
    ("value-as-event", T + "If: person.tags contains vip OR staff\nEnd:"),
    ("value-as-event", T + "Condition: (NOT person.plan = pro OR free) AND a in the last 3 days"),
    # words that are names and texts
    ("word-as-event", W + "Condition: nothing in the last 3 days"),
    ("word-as-event", W + "Condition: NOT anything in the last 3 days"),
    ("word-as-event", "Trigger: anything"),
    ("word-as-event", "Trigger: Nothing"),
    ("word-as-event", T + "Exit: something"),
    ("word-as-event", T + "Goal: anything within 3 days"),
    ("word-as-event", T + "Wait: until something for at most 3 days"),
    ("word-as-name", T + "Wait: until tomorrow at 09:00"),
    ("word-as-name", T + "Wait: until noon"),
    ("word-as-name", T + "Wait: until Midnight in Europe/Warsaw"),
    ("word-as-text", W + "Condition: person.age > three"),
    ("word-as-text", W + "Condition: a where n between one and ten"),
    ("never-equal", W + "Condition: count of a > three"),
    ("never-equal", W + "Condition: sum of x from a in the last 3 days = 'many'"),
    # what nobody sees in quotes
    ("odd-in-quotes", 'Trigger: "sign\u00a0up"'),
    ("odd-in-quotes", T + 'Condition: plan = "pro\u00a0"'),
    ("odd-in-quotes", T + 'Condition: plan = "p\u200bro"'),
    ("odd-in-quotes", T + 'Condition: plan in (free, "pro ")'),
    ("odd-in-quotes", T + 'Action: x "wel\ufeffcome"'),
    ("odd-in-quotes", T + 'Action: x with a = "\u00adb"'),
    ("odd-in-quotes", T + 'Tags: "a\u2009b"'),
    ("odd-in-quotes", T + 'Wait: until "\u200bday" for at most 3 days'),
    # AND and OR
    ("mixed-and-or", W + "Condition: a OR b AND c"),
    ("mixed-and-or", W + "Condition: a OR (b) AND (c)"),
    ("mixed-and-or", T + "If: a OR b AND c\nEnd:"),
    ("mixed-and-or", T + "Only while: a OR b AND c"),
    # windows
    ("window-covers-last", W + "Condition: a AND b in the last 3 days"),
    ("window-covers-last", T + "Condition: NOT a AND NOT b within 3 days"),
    ("no-window", T + "Condition: NOT a"),
    ("no-window", T + "Condition: NOT a where same id AND plan = free"),
    # people of whom nothing is known
    ("includes-none", W + "Condition: a fewer than 2 times"),
    ("includes-none", W + "Condition: NOT a at least 2 times"),
    ("includes-none", W + "Condition: NOT a more than once"),
    ("includes-none", W + "Condition: NOT last a more than 3 days ago"),
    ("includes-none", W + "Condition: count of a < 3"),
    ("includes-none", W + "Condition: NOT sum of x from a >= 3"),
    ("includes-none", W + "Condition: (a fewer than 2 times) within 3 days"),
    ("includes-unset", T + "Condition: plan != free"),
    ("includes-unset", T + "Condition: person.plan not in (free, pro)"),
    ("includes-unset", T + "Condition: NOT plan = free"),
    ("includes-unset", T + "Condition: NOT (plan = free OR plan != pro)"),
    ("includes-unset", T + "Only while: plan != free OR plan is set"),
    # whole rules
    ("each-without-same", T + "For each: id\nCondition: NOT a within 1 day"),
    ("each-without-same", T + "For each: id\nCondition: NOT a where x = 1 within 1 day"),
    ("each-without-same", T + "For each: id\nWait: until a for at most 1 day"),
    ("each-without-same", T + "For each: id\nWait: 1 day\nExit: a"),
    ("earlier-events", W + "Condition: NOT a within 1 day"),
    ("earlier-events", T + "Action: x\nWait: 1 day\nIf: NOT a within 1 day\nEnd:"),
    ("goal-not-exit", W + "Action: x\nGoal: a within 1 day"),
    ("goal-not-exit", W + "Action: x\nGoal: a within 1 day\nExit: b"),
    ("trigger-left-alone", "Trigger: t where x > 3\nWait: 1 day\nAction: x"),
    ("trigger-left-alone", "Trigger: t where x > 3\nCondition: NOT a within 1 day"),
    ("trigger-while-waiting", T + "Action: x\nWait: 1 day\nAction: y"),
    ("trigger-while-waiting", T + "If: plan = free\nAction: x\nEnd:\nWait: 1 day"),
    ("trigger-while-waiting", T + "Split: 100%\nAction: x\nWait: 1 day\nEnd:"),
    ("longer-than-schedule", "Trigger: every day at 09:00\nAction: a\nWait: 25 hours"),
    ("longer-than-schedule", "Trigger: every day at 09:00\nWait: until a for at most 2 days"),
    ("longer-than-schedule", "Trigger: every monday at 09:00\nAction: a\nCondition: NOT a within 8 days"),
    ("longer-than-schedule", "Trigger: every day at 09:00\nCondition: NOT a in the next 2 days"),
    ("longer-than-schedule", "Trigger: every month on day 1 at 09:00\nSplit: 100%\nWait: 1 month\nEnd:"),
    ("unlimited", "Trigger: None\nCondition: a twice within 3 days"),
    ("unlimited", "Trigger: None\nCondition: count of a in the last 3 days > 3"),
]

SILENT = [
    W + "Condition: a where x = 1 in the last 3 days AND y = 2",
    W + "Condition: a where x = 1, y = 2 AND person.z = 3",
    W + "Condition: a where x = 1 AND trigger.y = 2",
    W + "Condition: a where x = 1 AND b",
    T + "Condition: plan = pro OR a in the last 3 days",
    T + "Condition: plan = pro OR a where x = 1",
    T + "Condition: total > 3 OR a",
    T + "Condition: plan = pro AND a",
    T + "Condition: plan in (pro, free)",
    T + "Condition: plan = free OR t",
    W + 'Condition: "nothing" in the last 3 days',
    'Trigger: "anything"\nExit: none',
    T + "Wait: until trigger.tomorrow at 09:00",
    T + "Wait: until 12:00",
    W + "Condition: plan = 'three'",
    W + "Condition: person.bio contains ' a '",
    T + 'Condition: mood = "\u2764\ufe0f"',
    T + 'Condition: flag = "\U0001f3f4\U000e0067\U000e0062\U000e007f"',
    T + 'Condition: wish = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"',
    T + 'Condition: city = "\u6771\u4eac\u3000\u90fd"',
    T + 'Action: x with a = "Bonjour\u00a0!"',
    T + "Condition: NOT a within 1 day",
    T + "Condition: a at most 2 times within 1 day",
    T + "Condition: a in the last 3 days",
    W + "Condition: a since trigger",
    "Trigger: None\nCondition: a within 3 days",
    T + "Condition: a where same x OR b",
    T + "Condition: a where x = y in the last 3 days OR z",
    "Trigger: t where same_x is set OR u",
    W + "Condition: a OR (b AND c)",
    W + "Condition: (a OR b) AND c",
    W + "Condition: a AND (b OR c) in the last 3 days",
    W + "Condition: (a AND b) in the last 3 days",
    W + "Condition: a in the last 3 days AND b",
    "Trigger: None\nCondition: NOT a",
    W + "Condition: NOT a",
    W + "Condition: a AND a fewer than 2 times",
    W + "Condition: a fewer than 1 time",
    W + "Condition: a at most 3 times",
    T + "Condition: plan is set AND plan != free",
    T + "Condition: plan is set AND NOT plan = free",
    T + "Condition: NOT plan is set",
    T + "For each: id\nCondition: NOT a where same id within 1 day",
    T + "For each: id\nCondition: NOT a where other = trigger.id within 1 day",
    T + "Action: x\nCondition: NOT a within 1 day",
    W + "Condition: NOT a since trigger AND NOT a within 1 day",
    W + "Condition: NOT a within 1 day\nExit: a",
    T + "Action: x\nGoal: a within 1 day",
    W + "Action: x\nGoal: a within 1 day\nExit: a",
    T + "Condition: NOT a within 1 day\nAction: x\nGoal: a within 3 days",
    "Trigger: t where x > 3\nAction: x",
    "Trigger: t where x > 3\nWait: 1 day\nAction: x\nExit: none",
    "Trigger: t where x > 3\nWait: 1 day\nAction: x\nTriggered again: each",
    T + "Action: x\nWait: 1 day\nAction: y\nTriggered again: restart",
    T + "Wait: 1 day\nAction: x",
    "Trigger: every day at 09:00\nAction: a\nWait: 23 hours",
    "Trigger: every day at 09:00\nAction: a\nWait: 2 days\nTriggered again: each",
    "Trigger: every day at 09:00\nCondition: NOT a within 30 days",
    "Trigger: on 2026-11-27 at 09:00\nWait: 60 days",
    "Trigger: None\nCondition: a twice within 3 days\nLimit: once per person per 30 days",
]


def codes(text: str, catalog: Catalog | None = None) -> set[str]:
    reading = read(text, catalog=catalog)
    assert reading.ok, "\n".join(found.render(reading.source) for found in reading.diagnostics)
    return {found.code for found in reading.diagnostics}


@pytest.mark.parametrize(("code", "text"), WARNED)
def test_warned(code: str, text: str) -> None:
    assert code in codes(text)


@pytest.mark.parametrize("text", SILENT)
def test_silent(text: str) -> None:
    # One gate that waits for its event is the point of some of these, and no part of the matter.
    assert codes(text) - {"waits-for-event"} == set()


def test_an_or_before_a_known_event_is_no_slip() -> None:
    text = "Trigger: t\nCondition: a where x = y OR z"
    assert codes(text, Catalog(events={"t": {}, "a": {}, "z": {}})) == set()
    assert codes(text + "\n\nTrigger: z") == set()


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("Condition: a where total > 3 AND plan = free", False),
        ("Condition: a where total > 3 AND total < 9", True),
        ("Condition: a where total > 3 AND unheard_of = 1", True),
        ("Condition: u where total > 3 AND plan = free", True),
    ],
)
def test_an_and_before_what_only_others_have_is_no_slip(text: str, warned: bool) -> None:
    assert ("and-inside-where" in codes(T + text, KNOWN)) is warned


def test_an_or_before_a_known_event_adds_no_value() -> None:
    text = "Trigger: t\nCondition: plan = pro OR z"
    assert "value-as-event" in codes(text)
    assert codes(text + "\n\nTrigger: z") == set()


KNOWN = Catalog(
    events={
        "t": {"total": "number", "id": "text", "cart": "object", "plan": "text"},
        "a": {"total": "number"},
        "u": {},
    },
    attributes={"plan": "text", "age": "number", "address": "object"},
)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("unknown-event", "Trigger: tt"),
        ("unknown-event", T + "Exit: b"),
        ("unknown-field", "Trigger: t where totl > 3"),
        ("unknown-field", T + "Action: x with a = trigger.totl"),
        ("unknown-attribute", T + "Action: x with a = person.mail"),
        ("never-equal", T + "Condition: trigger.id in (1, 2)"),
        ("never-equal", T + "Condition: total = many"),
        ("never-equal", T + "Condition: person.age = '18'"),
        ("ambiguous-name", T + "Condition: plan = free"),
    ],
)
def test_names_against_the_catalog(code: str, text: str) -> None:
    assert codes(text, KNOWN) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "Trigger: t where total > 3, id = '4827'",
        "Trigger: u where anything = 3",
        "Trigger: u\nCondition: trigger.anything = 3",
        "Trigger: t OR u\nCondition: trigger.anything = 3",
        T + "Condition: trigger.cart.items.sku = 3",
        T + "Condition: person.address.city = Warsaw",
        T + "Condition: trigger.id = true",
        T + "Condition: unheard_of = 3",
        T + "Condition: trigger.plan = free",
        T + "Wait: until id or now",
    ],
)
def test_names_that_agree_with_the_catalog(text: str) -> None:
    assert codes(text, KNOWN) == set()
