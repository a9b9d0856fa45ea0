"""Who an event belongs to, and two people who become one (ruling 27)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import iso
from engine.config import load_settings
from engine.testing import Travel

from .conftest import START, Lab

CART = """
Rule: cart
Trigger: cart
Condition: NOT buy within 24 hours
Action: mail
Triggered again: {}
"""
POLICIES = ["restart", "ignore", "each", "replace"]


def seen(name: str, user: str | None = None, anonymous: str | None = None) -> dict[str, Any]:
    return {"event": name, "user_id": user, "anonymous_id": anonymous}


def timeline(lab: Travel, id: str) -> list[str]:
    person = lab.engine.person(id)
    return [] if person is None else [name for _, name, _ in person.timeline]


def ids(lab: Travel, id: str) -> set[tuple[str, str]]:
    person = lab.engine.person(id)
    return set() if person is None else set(person.identifiers)


def left(lab: Travel) -> list[tuple[str, str]]:
    return [(one.person, iso(one.moment)) for one in lab.actions]


def reasons(lab: Travel, id: str) -> list[str | None]:
    person = lab.engine.person(id)
    return [] if person is None else [one.reason for one in person.journeys]


U1, U2, X, Y, Z = ("user", "u1"), ("user", "u2"), ("anonymous", "x"), ("anonymous", "y"), ("anonymous", "z")


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize(
    ("events", "people"),
    [
        pytest.param([seen("a", "u1", "x")], [({U1, X}, "a")], id="both at once"),
        pytest.param([seen("a", None, "x"), seen("b", "u1", "x")], [({U1, X}, "ab")], id="a visitor logs in"),
        pytest.param([seen("a", "u1"), seen("b", "u1", "x"), seen("c", None, "x")], [({U1, X}, "abc")], id="a new id"),
        pytest.param([seen("a", None, "x"), seen("b", "u1"), seen("c", "u1", "x")], [({U1, X}, "abc")], id="a merge"),
        pytest.param(
            [seen("a", None, "x"), seen("b", None, "y"), seen("c", "u1", "x"), seen("d", "u1", "y")],
            [({U1, X, Y}, "abcd")],
            id="a chain of links",
        ),
        pytest.param(
            [
                seen("a", None, "x"),
                seen("b", None, "y"),
                seen("c", None, "z"),
                seen("d", "u1"),
                seen("e", "u1", "x"),
                seen("f", "u1", "y"),
                seen("g", "u1", "z"),
                seen("h", None, "x"),
            ],
            [({U1, X, Y, Z}, "abcdefgh")],
            id="a chain of merges",
        ),
        pytest.param(
            [seen("a", "u1", "x"), seen("b", "u2", "x"), seen("c", None, "x")],
            [({U1, X}, "ac"), ({U2}, "b")],
            id="ruling 27: an anonymous id belongs to the first user",
        ),
        pytest.param(
            [seen("a", None, "x"), seen("b", "u1", "x"), seen("c", "u2"), seen("d", "u2", "x")],
            [({U1, X}, "ab"), ({U2}, "cd")],
            id="ruling 27: also for a user known before",
        ),
        pytest.param(
            [seen("a", "u1", "x"), seen("b", "u2", "y"), seen("c", "u1", "y"), seen("d", "u2", "x")],
            [({U1, X}, "ac"), ({U2, Y}, "bd")],
            id="ruling 27: two who both have a user id never merge",
        ),
        pytest.param(
            [seen("a", "x"), seen("b", None, "x")], [({("user", "x")}, "a")], id="kinds are names of their own"
        ),
    ],
)
def test_who_is_who(lab: Lab, events: list[Any], people: list[tuple[set[Any], str]], together: bool) -> None:
    with lab() as here:
        for part in [events] if together else [[one] for one in events]:
            assert here.engine.ingest(part).ok
        for known, names in people:
            for _, id in known:
                assert sorted(timeline(here, id)) == list(names)
                assert ids(here, id) == known


def test_ids_compare_exactly(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([seen("a", "u1"), seen("b", "U1"), seen("c", "u1 ")])
        assert (timeline(here, "u1"), timeline(here, "U1"), timeline(here, "u1 ")) == (["a"], ["b"], ["c"])


def test_attributes_merge_by_time_and_the_known_persons_win_at_one_instant(lab: Lab) -> None:
    with lab() as here:
        at, later = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
        here.move("2 hours")
        here.engine.identify(anonymous_id="x", traits={"plan": "visitor", "city": "Lodz", "lang": "pl"}, timestamp=at)
        here.engine.identify("u1", {"plan": "known"}, timestamp=at)
        here.engine.identify(anonymous_id="x", traits={"lang": "de"}, timestamp=later)
        here.engine.ingest(seen("login", "u1", "x"))
        person = here.engine.person("x")
        assert person is not None
        assert person.attributes == {"plan": "known", "city": "Lodz", "lang": "de"}


@pytest.mark.parametrize("again", POLICIES)
@pytest.mark.parametrize("before", [True, False], ids=["bought before the login", "bought after it"])
def test_a_cart_before_login_is_cancelled_by_the_purchase(lab: Lab, again: str, before: bool) -> None:
    with lab(CART.format(again)) as here:
        here.engine.ingest(seen("cart", None, "x"))
        here.move("1 hour")
        for one in (seen("buy", "u1"), seen("login", "u1", "x"))[:: 1 if before else -1]:
            here.engine.ingest(one)
            here.move("1 hour")
        here.move("3 days")
        assert left(here) == []
        assert reasons(here, "u1") == ["false"]


@pytest.mark.parametrize(
    ("again", "moments", "ended"),
    [
        ("restart", ["2026-01-02T03:00:00Z"], ["finished"]),
        ("ignore", ["2026-01-02T00:00:00Z"], ["finished"]),
        ("each", ["2026-01-02T00:00:00Z", "2026-01-02T03:00:00Z"], ["finished", "finished"]),
        ("replace", ["2026-01-02T03:00:00Z"], ["replaced", "finished"]),
    ],
)
@pytest.mark.parametrize("first", ["visitor", "user"])
def test_waiting_journeys_follow_the_rules_own_policy(
    lab: Lab, again: str, moments: list[str], ended: list[str], first: str
) -> None:
    with lab(CART.format(again)) as here:
        carts = [seen("cart", None, "x"), seen("cart", "u1")]
        for one in carts if first == "visitor" else carts[::-1]:
            here.engine.ingest(one)
            here.move("3 hours")
        here.engine.ingest(seen("login", "u1", "x"))
        here.move("3 days")
        assert left(here) == [("u1", moment) for moment in moments]
        assert reasons(here, "u1") == ended


def test_of_two_that_acted_and_wait_the_newer_trigger_goes_on(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: cart\nAction: mail\nWait: 10 hours\nAction: push") as here:
        here.engine.ingest(seen("cart", None, "x"))
        here.move("3 hours")
        here.engine.ingest(seen("cart", "u1"))
        here.move("1 hour")
        here.engine.ingest(seen("login", "u1", "x"))
        here.move("1 day")
        assert [(one.person, one.action) for one in here.actions] == [("x", "mail"), ("u1", "mail"), ("u1", "push")]
        assert reasons(here, "x") == ["merged", "finished"]


def test_two_that_have_ended_stay_as_they_were(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: cart\nAction: mail") as here:
        here.engine.ingest([seen("cart", None, "x"), seen("cart", "u1")])
        here.move("1 hour")
        here.engine.ingest(seen("login", "u1", "x"))
        here.move("1 day")
        assert len(here.actions) == 2
        assert reasons(here, "u1") == ["finished", "finished"]


def test_an_action_that_has_not_left_is_withdrawn_when_the_other_had_bought(lab: Lab) -> None:
    with lab(CART.format("restart")) as here:
        here.engine.ingest(seen("cart", None, "x"))
        here.engine.ingest(seen("seen", "u1"))
        here.move("5 hours")
        here.engine.ingest(seen("buy", "u1"))
        here.clock.move("20 hours")
        here.engine.decide_due()
        here.engine.ingest(seen("login", "u1", "x"))
        here.move("1 day")
        assert left(here) == []
        assert here.engine.counts_by_rule()[0].outbox == {"cancelled": 1}


def test_people_who_merge_are_followed_as_one(lab: Lab) -> None:
    with lab("Rule: quiet\nTrigger: None\nCondition: NOT any event within 24 hours\nAction: mail") as here:
        here.engine.ingest(seen("a", None, "x"))
        here.move("10 hours")
        here.engine.ingest(seen("a", "u1"))
        here.move("2 hours")
        here.engine.ingest(seen("login", "u1", "x"))
        here.move("3 days")
        assert left(here) == [("u1", "2026-01-02T12:00:00Z")]


STORIES = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["cart", "cart", "buy"]), st.booleans()), min_size=1, max_size=6
)


@pytest.mark.parametrize("again", POLICIES)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(story=STORIES, login=st.integers(0, 20))
def test_nothing_depends_on_who_they_were_before(
    again: str, story: list[tuple[int, str, bool]], login: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever did what before the login: once it is known, the journeys are those of one person."""
    path = tmp_path_factory.mktemp("rules") / "cart.rules"
    path.write_text(CART.format(again))
    happens = sorted([*story, (login, "login", True)], key=lambda one: (one[0], one[1]))
    apart = _lived(path, [(at, name, known or at > login) for at, name, known in happens])
    assert apart == _lived(path, [(at, name, True) for at, name, _ in happens])


def _lived(path: Any, happens: list[tuple[int, str, bool]]) -> tuple[list[tuple[str, str]], list[str | None]]:
    with Travel(path, start=START, settings=load_settings(store="sqlite://")) as here:
        for at, name, known in happens:
            here.move_to(f"2026-01-01T{at:02}:00:00Z")
            here.engine.ingest(seen(name, "u1" if known else None, None if known and name != "login" else "x"))
        here.move_to("2026-01-04T00:00:00Z")
        here.engine.settle()
        return left(here), sorted(map(str, reasons(here, "u1")))
