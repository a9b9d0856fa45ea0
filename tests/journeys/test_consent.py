"""Consent: what events say of it, what an attribute refuses, and the journeys that a no ends."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from engine.journeys.consent import ends, refuses, said
from engine.journeys.timeline import Timeline
from tests.oracle.build import attr, ev, hour, was

from .comparing import entry_of
from .story import Story, late, outcome, table


def no(hours: float, **fields: Any) -> Any:
    return ev(hours, "unsubscribed", **fields)


def yes(hours: float, **fields: Any) -> Any:
    return ev(hours, "resubscribed", **fields)


def standing(*entries: Any) -> Any:
    """``person.unsubscribed`` after all of them, put on the timeline one by one as an effect of a step would be."""
    line = Timeline(())
    for one in entries:
        line = line.with_entry(entry_of(one))
    return line.attributes(hour(99)).get("unsubscribed")


@pytest.mark.parametrize(
    ("entries", "value"),
    [
        pytest.param((no(1),), True, id="no to everything"),
        pytest.param((no(1, channel="sms"),), ["sms"], id="a channel"),
        pytest.param((no(1, topic="news"),), ["news"], id="a topic"),
        pytest.param((no(1, channel="sms", topic="news"),), ["news", "sms"], id="both, sorted"),
        pytest.param((no(1, channel="sms"), no(2, channel="mail"), no(3, channel="sms")), ["mail", "sms"], id="once"),
        pytest.param((no(1, channel="sms"), no(2)), True, id="all after one"),
        pytest.param((no(1), no(2, channel="sms")), True, id="true stays true"),
        pytest.param((no(1), yes(2)), None, id="all taken back"),
        pytest.param((no(1, channel="sms"), no(2, topic="news"), yes(3)), None, id="a list taken back"),
        pytest.param((no(1, channel="sms"), no(2, topic="news"), yes(3, topic="news")), ["sms"], id="one taken back"),
        pytest.param((no(1, channel="sms"), yes(2, channel="sms")), None, id="an empty list is absent"),
        pytest.param((no(1), yes(2, channel="sms")), True, id="a no to everything is taken back as a whole only"),
        pytest.param((yes(1, channel="sms"),), None, id="nothing to take back"),
        pytest.param((no(1, channel=5),), True, id="what cannot be read does not limit a no"),
        pytest.param((no(1, channel=""),), True, id="nor does what is empty"),
        pytest.param((no(1, channel="sms"), yes(2, channel=5)), ["sms"], id="and takes nothing back"),
        pytest.param((no(1, channel="sms"), yes(2, topic="")), ["sms"], id="nor does what is empty take back"),
        pytest.param((no(1, channel="sms"), yes(2, topic=None)), None, id="null is left out"),
        pytest.param((no(1), attr(2, unsubscribed=["sms"])), ["sms"], id="an attribute that is set stands"),
        pytest.param((attr(1, unsubscribed="sms"), no(2, channel="mail")), ["mail", "sms"], id="added to a text"),
        pytest.param((attr(1, unsubscribed="true"), yes(2, channel="mail")), "true", id="the text true is true"),
        pytest.param((attr(1, unsubscribed=7), no(2, channel="mail")), ["mail"], id="added to nonsense"),
        pytest.param((no(1), attr(2, unsubscribed=None)), None, id="taken away"),
        pytest.param((attr(1, unsubscribed=None), no(1)), True, id="at one instant the event comes after"),
        pytest.param((yes(1), no(1)), True, id="at one instant the no stands"),
        pytest.param((no(1, channel="sms"), no(1, topic="a"), yes(1, topic="a")), ["a", "sms"], id="a limited no, too"),
        pytest.param((was(1, "unsubscribed"),), True, id="history counts"),
        pytest.param((ev(1, "unsubscribed_from_list"),), None, id="another name says nothing"),
    ],
)
def test_the_attribute_follows_from_the_timeline_in_any_order(entries: tuple[Any, ...], value: object) -> None:
    assert {repr(standing(*one)) for one in permutations(entries)} == {repr(value)}


def test_what_was_said_holds_from_its_own_time() -> None:
    line = Timeline(()).with_entry(entry_of(no(5))).with_entry(entry_of(attr(0, plan="free")))
    assert [line.attributes(hour(at)) for at in (4, 5)] == [{"plan": "free"}, {"plan": "free", "unsubscribed": True}]


@pytest.mark.parametrize(
    ("unsubscribed", "purpose", "refused"),
    [
        (None, None, False),
        (False, None, False),
        ([], None, False),
        (True, None, True),
        ("true", "news", True),
        (True, "transactional", False),
        (["mail", "marketing"], "transactional", False),
        (["mail"], None, True),
        (["email"], "news", True),
        ("email", None, True),
        (["sms"], None, False),
        (["marketing"], None, True),
        (["marketing"], "marketing", True),
        (["marketing"], "news", False),
        (["news"], "news", True),
        (["news"], None, False),
        (["Email", 5, None, {}], None, False),
    ],
)
def test_what_an_attribute_refuses(unsubscribed: object, purpose: str | None, refused: bool) -> None:
    assert refuses(unsubscribed, purpose, ("mail", "email")) is refused


@pytest.mark.parametrize(
    ("fields", "purpose", "ended"),
    [
        ({}, None, True),
        ({}, "news", True),
        ({}, "transactional", False),
        ({"channel": "sms"}, None, True),
        ({"topic": "news"}, "news", True),
        ({"topic": "news"}, None, False),
        ({"topic": "marketing"}, None, True),
        ({"topic": "marketing"}, "marketing", True),
        ({"topic": "transactional"}, "transactional", False),
        ({"topic": 5}, "news", True),
    ],
)
def test_whose_journeys_a_no_ends(fields: dict[str, object], purpose: str | None, ended: bool) -> None:
    assert ends(fields, purpose) is ended


def test_only_two_events_say_anything() -> None:
    assert said("unsubscribed", {"channel": "b", "topic": "a"}) == ("unsubscribed", ("a", "b"))
    assert said("resubscribed", {}) == ("resubscribed", ())
    assert said("resubscribed", {"topic": []}) is None


# --------------------------------------------------------------------------------------- journeys

WAITS = "Trigger: cart\nWait: 5h\nAction: mail"
ABSENT = "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail"


@table(
    Story("it ends a journey that waits", WAITS, (ev(0, "cart"), no(2)), ("0 exit@2",)),
    Story("before the opening gate is decided, too", ABSENT, (ev(0, "cart"), no(2)), ("0 exit@2",)),
    Story("and the gate is decided no more", ABSENT, (ev(0, "cart"), no(2), ev(3, "buy")), ("0 exit@2",)),
    Story("a gate that was false before is", ABSENT, (ev(0, "cart"), ev(2, "buy"), no(3)), ("0 false@2",)),
    Story("whatever the exits are", WAITS + "\nExit: none", (ev(0, "cart"), no(2)), ("0 exit@2",)),
    Story("at the deadline it comes first", WAITS, (ev(0, "cart"), no(5)), ("0 exit@5",)),
    Story("one from before the journey does not", WAITS, (no(-1), ev(0, "cart")), ("0 mail@5 finished@5",)),
    Story(
        "not a transactional one", WAITS + "\nPurpose: transactional", (ev(0, "cart"), no(2)), ("0 mail@5 finished@5",)
    ),
    Story(
        "nor another topic's",
        WAITS + "\nPurpose: news",
        (ev(0, "cart"), no(2, topic="offers")),
        ("0 mail@5 finished@5",),
    ),
    Story("its own topic's", WAITS + "\nPurpose: news", (ev(0, "cart"), no(2, topic="news")), ("0 exit@2",)),
    Story("without a purpose that of marketing", WAITS, (ev(0, "cart"), no(2, topic="marketing")), ("0 exit@2",)),
    Story("come late it does as in time", WAITS, (ev(0, "cart"), late(4, no(2))), ("0 exit@2",)),
    Story(
        "history ends what waits",
        WAITS,
        (ev(0, "cart"), late(4, was(2, "unsubscribed"))),
        ("0 exit@2",),
    ),
    Story(
        "a journey that it began goes on",
        "Trigger: unsubscribed\nWait: 1h\nAction: mail",
        (no(0),),
        ("0 mail@1 finished@1",),
    ),
    Story(
        "until the next one, which begins another",
        "Trigger: unsubscribed\nWait: 5h\nAction: mail",
        (no(0), no(2)),
        ("0 exit@2", "2 mail@7 finished@7"),
    ),
    Story(
        "nor does it end what became true by it",
        "Trigger: None\nCondition: person.unsubscribed = true\nWait: 1h\nAction: mail",
        (ev(-1, "seen"), no(0)),
        ("0 mail@1 finished@1",),
    ),
    Story(
        "after an action what follows does not come",
        "Trigger: cart\nAction: mail\nWait: 5h\nAction: push",
        (ev(0, "cart"), no(2)),
        ("0 mail@0 exit@2",),
    ),
    Story(
        "what quiet hours hold is withdrawn",
        "Trigger: cart\nAction: mail\nQuiet hours: 00:00 to 09:00",
        (ev(1, "cart"), no(2)),
        ("1 exit@2",),
    ),
    Story(
        "conditions see it",
        "Trigger: cart\nCondition: person.unsubscribed contains sms\nAction: mail",
        (no(0, channel="sms"), ev(1, "cart")),
        ("1 mail@1 finished@1",),
    ),
    Story(
        "and so does what a rule tracks, from the next step on",
        "Trigger: cart\nAction: track unsubscribed with topic = a\nCondition: person.unsubscribed = a\nAction: mail",
        (ev(0, "cart"),),
        ("0 track@0 mail@0 finished@0",),
    ),
)
def test_who_unsubscribes_leaves(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected
