"""Who an event belongs to, and two people who become one (ruling 27)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import iso
from engine.config import load_settings
from engine.store import counters
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


def alias(user: str, previous: str, anonymous: str | None = None) -> dict[str, Any]:
    return {"type": "identify", "user_id": user, "previous_id": previous, "anonymous_id": anonymous}


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


def conflicts(lab: Travel) -> int:
    with lab.engine.store.read() as connection:
        return counters.counters(connection, lab.engine.workspace).get((0, "identity_conflict"), 0)


U1, U2, U3 = ("user", "u1"), ("user", "u2"), ("user", "u3")
X, Y, Z = ("anonymous", "x"), ("anonymous", "y"), ("anonymous", "z")


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
        pytest.param(
            [seen("a", "u1"), seen("b", "u2"), alias("u1", "u2"), seen("c", "u2"), seen("d", "u1")],
            [({U1, U2}, "abcd")],
            id="an alias of two users",
        ),
        pytest.param([seen("a", "u2"), alias("u1", "u2"), seen("b", "u1")], [({U1, U2}, "ab")], id="of one user"),
        pytest.param([seen("a", None, "x"), alias("u1", "x")], [({U1, X}, "a")], id="of a visitor"),
        pytest.param([seen("a", "u1"), alias("u1", "x"), seen("b", None, "x")], [({U1, X}, "ab")], id="of nobody"),
        pytest.param([alias("u1", "u1"), seen("a", "u1"), alias("u1", "u1")], [({U1}, "a")], id="to oneself"),
        pytest.param(
            [seen("a", "u2", "x"), alias("u1", "u2", "y"), alias("u1", "x"), seen("b", None, "y")],
            [({U1, U2, X, Y}, "ab")],
            id="an alias that links a browser, and one that says what is known",
        ),
        pytest.param(
            [seen("a", "u1"), seen("b", "u2"), seen("c", "u3"), alias("u2", "u3"), alias("u1", "u2"), seen("d", "u3")],
            [({U1, U2, U3}, "abcd")],
            id="a chain of aliases",
        ),
        pytest.param(
            [seen("a", "u1"), seen("b", "u2"), seen("c", "u3"), alias("u1", "u2"), alias("u2", "u3"), seen("d", "u3")],
            [({U1, U2, U3}, "abcd")],
            id="a chain from its other end",
        ),
        pytest.param(
            [seen("a", "u1"), seen("b", "u2"), alias("u1", "u2"), alias("u2", "u1")], [({U1, U2}, "ab")], id="a circle"
        ),
        pytest.param(
            [seen("a", "u2", "x"), alias("u1", "x"), seen("b", "u1"), seen("c", None, "x")],
            [({U2, X}, "ac"), ({U1}, "b")],
            id="ruling 27: an alias gives nobody another user's anonymous id",
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


def test_a_previous_id_is_a_users_before_it_is_a_visitors(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([seen("a", "x"), seen("b", None, "x"), alias("u1", "x")])
        assert ids(here, "u1") == {U1, ("user", "x")}
        assert timeline(here, "u1") == ["a"]
        here.engine.ingest(seen("c", None, "x"))
        assert timeline(here, "u1") == ["a"]


BATCH = [seen("a", "u1"), seen("b", "u2"), seen("c", "u3"), alias("u1", "u2"), alias("u2", "u3")]


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7])
def test_the_order_within_a_batch_changes_nothing(lab: Lab, order: Sequence[int]) -> None:
    with lab("Rule: r\nTrigger: a OR b OR c\nTriggered again: each\nWait: 1 hour\nAction: mail") as here:
        here.engine.ingest([BATCH[place] for place in order])
        assert ids(here, "u3") == {U1, U2, U3}
        assert sorted(timeline(here, "u1")) == ["a", "b", "c"]
        here.move("1 day")
        assert [one.person for one in here.actions] == ["u1"] * 3


@pytest.mark.parametrize("again", POLICIES)
def test_an_alias_that_is_repeated_changes_nothing(lab: Lab, again: str) -> None:
    with lab(CART.format(again)) as here:
        here.engine.ingest(seen("cart", "u2"))
        here.move("1 hour")
        here.engine.ingest([seen("cart", "u1"), alias("u1", "u2")])
        before = here.engine.person("u2")
        for times in (1, 2):
            here.move("1 hour")
            assert here.engine.ingest([alias("u1", "u2")] * times).ok
            assert here.engine.person("u1") == here.engine.person("u2") == before
        here.move("3 days")
        with here.engine.store.read() as connection:
            merges = connection.exec_driver_sql("SELECT count(*) FROM people WHERE merged_into IS NOT NULL")
            assert merges.scalar() == 1
        assert len(here.actions) == (2 if again == "each" else 1)
        assert conflicts(here) == 0


@pytest.mark.parametrize("known", [["u1", "u2"], ["u2", "u1"], ["u2"]], ids=["first", "last", "new"])
def test_a_person_goes_by_who_they_are_and_not_by_who_they_were(lab: Lab, known: list[str]) -> None:
    with lab("Rule: r\nTrigger: cart\nAction: mail") as here:
        for user in known:
            here.engine.ingest(seen("seen", user))
            here.move("1 hour")
        here.engine.identify("u1", previous_id="u2")
        here.engine.ingest(seen("cart", "u2"))
        here.move("1 hour")
        assert [one.person for one in here.actions] == ["u1"]
        found = here.engine.find("u2")
        assert found is not None
        assert found.user == "u1"


def test_an_id_that_is_somebody_elses_is_counted(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([seen("a", "u1", "x"), seen("b", "u2", "x")])
        assert conflicts(here) == 1
        here.engine.ingest(alias("u2", "x"))
        assert conflicts(here) == 2
        here.engine.ingest([seen("c", "u1", "x"), alias("u1", "x"), alias("u1", "u2"), seen("d", "u2", "x")])
        assert conflicts(here) == 2
        assert ids(here, "x") == {U1, U2, X}


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


def test_attributes_of_two_users_merge_by_time(lab: Lab) -> None:
    with lab() as here:
        at, later = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
        here.move("2 hours")
        here.engine.identify("u1", {"plan": "new", "lang": "de"}, timestamp=at)
        here.engine.identify("u2", {"plan": "old", "city": "Lodz"}, timestamp=later)
        here.engine.identify("u1", {"plan": "pro"}, previous_id="u2")
        person = here.engine.person("u2")
        assert person is not None
        assert person.attributes == {"plan": "pro", "city": "Lodz", "lang": "de"}
        here.engine.identify("u3", {"lang": "fr", "city": "Graz"}, timestamp=at)
        here.engine.identify("u1", previous_id="u3")
        person = here.engine.person("u3")
        assert person is not None
        assert person.attributes["city"] == "Lodz"


JOINED = [
    ({"anonymous_id": "x"}, seen("login", "u1", "x")),
    ({"anonymous_id": "x"}, alias("u1", "x")),
    ({"user_id": "x"}, alias("u1", "x")),
]
"""Who somebody was, and what says that it was ``u1``."""


@pytest.mark.parametrize("again", POLICIES)
@pytest.mark.parametrize("before", [True, False], ids=["bought before the login", "bought after it"])
@pytest.mark.parametrize(("who", "joined"), JOINED, ids=["login", "alias of a visitor", "alias of a user"])
def test_a_cart_before_login_is_cancelled_by_the_purchase(
    lab: Lab, again: str, before: bool, who: dict[str, str], joined: dict[str, Any]
) -> None:
    with lab(CART.format(again)) as here:
        here.engine.ingest({"event": "cart", **who})
        here.move("1 hour")
        for one in (seen("buy", "u1"), joined)[:: 1 if before else -1]:
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
@pytest.mark.parametrize("first", ["who they were", "who they are"])
@pytest.mark.parametrize(("who", "joined"), JOINED, ids=["login", "alias of a visitor", "alias of a user"])
def test_waiting_journeys_follow_the_rules_own_policy(
    lab: Lab, again: str, moments: list[str], ended: list[str], first: str, who: dict[str, str], joined: dict[str, Any]
) -> None:
    with lab(CART.format(again)) as here:
        carts = [{"event": "cart", **who}, seen("cart", "u1")]
        for one in carts if first == "who they were" else carts[::-1]:
            here.engine.ingest(one)
            here.move("3 hours")
        here.engine.ingest(joined)
        here.move("3 days")
        assert left(here) == [("u1", moment) for moment in moments]
        assert reasons(here, "u1") == ended


@pytest.mark.parametrize(("who", "joined"), JOINED, ids=["login", "alias of a visitor", "alias of a user"])
def test_of_two_that_acted_and_wait_the_newer_trigger_goes_on(
    lab: Lab, who: dict[str, str], joined: dict[str, Any]
) -> None:
    with lab("Rule: r\nTrigger: cart\nAction: mail\nWait: 10 hours\nAction: push") as here:
        here.engine.ingest({"event": "cart", **who})
        here.move("3 hours")
        here.engine.ingest(seen("cart", "u1"))
        here.move("1 hour")
        here.engine.ingest(joined)
        here.move("1 day")
        assert [(one.person, one.action) for one in here.actions] == [("x", "mail"), ("u1", "mail"), ("u1", "push")]
        assert reasons(here, "x") == ["merged", "finished"]


@pytest.mark.parametrize(("who", "joined"), JOINED, ids=["login", "alias of a visitor", "alias of a user"])
def test_what_was_only_noted_is_not_lost_however_old(lab: Lab, who: dict[str, str], joined: dict[str, Any]) -> None:
    with lab("Rule: r\nTrigger: cart\nCondition: NOT buy within 5 days\nAction: mail") as here:
        here.engine.ingest(seen("seen", "u1"))
        here.engine.ingest({"event": "cart", **who})
        here.move("4 days")
        here.engine.ingest(joined)
        here.move("2 days")
        assert left(here) == [("u1", "2026-01-06T00:00:00Z")]


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
@pytest.mark.parametrize(("who", "joined"), JOINED, ids=["login", "alias of a visitor", "alias of a user"])
@settings(max_examples=6)
@given(story=STORIES, login=st.integers(0, 20))
def test_nothing_depends_on_who_they_were_before(
    again: str,
    who: dict[str, str],
    joined: dict[str, Any],
    story: list[tuple[int, str, bool]],
    login: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whoever did what before the login: once it is known, the journeys are those of one person."""
    path = tmp_path_factory.mktemp("rules") / "cart.rules"
    path.write_text(CART.format(again))
    happens = sorted([*story, (login, "login", True)], key=lambda one: (one[0], one[1]))
    apart = _lived(
        path, [(at, name, {"user_id": "u1"} if known or at > login else who) for at, name, known in happens], joined
    )
    assert apart == _lived(path, [(at, name, {"user_id": "u1"}) for at, name, _ in happens], joined)


def _lived(
    path: Any, happens: list[tuple[int, str, dict[str, str]]], joined: dict[str, Any]
) -> tuple[list[tuple[str, str]], list[str | None]]:
    with Travel(path, start=START, settings=load_settings(store="sqlite://")) as here:
        for at, name, who in happens:
            here.move_to(f"2026-01-01T{at:02}:00:00Z")
            here.engine.ingest(joined if name == "login" else {"event": name, **who})
        here.move_to("2026-01-04T00:00:00Z")
        here.engine.settle()
        return left(here), sorted(map(str, reasons(here, "u1")))
