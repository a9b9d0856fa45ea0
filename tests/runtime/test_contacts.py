"""People known by a contact: the third kind of id, linked as ruling 27 says of the others."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from engine.model import Event, Identify, validate

from .conftest import Lab
from .test_identity import ids, timeline

U1, U2 = ("user", "u1"), ("user", "u2")
C1, C2, X, Y = ("contact", "c1"), ("contact", "c2"), ("anonymous", "x"), ("anonymous", "y")


def seen(name: str, user: str | None = None, contact: str | None = None, anonymous: str | None = None) -> Any:
    return Event(event=name, user_id=user, contact_id=contact, anonymous_id=anonymous)


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize(
    ("events", "people"),
    [
        pytest.param([seen("a", None, "c1"), seen("b", None, "c1")], [({C1}, "ab")], id="a contact"),
        pytest.param([seen("a", "u1", "c1", "x")], [({U1, C1, X}, "a")], id="all at once"),
        pytest.param([seen("a", None, "c1"), seen("b", "u1", "c1")], [({U1, C1}, "ab")], id="a contact's user id"),
        pytest.param([seen("a", "u1"), seen("b", None, "c1"), seen("c", "u1", "c1")], [({U1, C1}, "abc")], id="merged"),
        pytest.param([seen("a", "u1", "c1"), seen("b", "u1", "c2")], [({U1, C1, C2}, "ab")], id="two contacts"),
        pytest.param(
            [seen("a", "u1", "c1"), seen("b", "u2", "c1"), seen("c", None, "c1")],
            [({U1, C1}, "ac"), ({U2}, "b")],
            id="a contact belongs to the first user",
        ),
        pytest.param(
            [seen("a", "u1", "c1"), seen("b", "u2", "c2"), seen("c", "u1", "c2"), seen("d", "u2", "c1")],
            [({U1, C1}, "ac"), ({U2, C2}, "bd")],
            id="two who both have a user id never merge",
        ),
        pytest.param([seen("a", None, "c1", "x")], [({C1, X}, "a")], id="a contact and a visitor at once"),
        pytest.param(
            [seen("a", None, None, "x"), seen("b", None, "c1"), seen("c", None, "c1", "x")],
            [({C1, X}, "abc")],
            id="a contact and a visitor merge",
        ),
        pytest.param(
            [seen("a", None, None, "x"), seen("b", None, "c1", "x")], [({C1, X}, "ab")], id="a visitor is a contact"
        ),
        pytest.param(
            [seen("a", None, "c1", "x"), seen("b", None, "c2", "x"), seen("c", None, None, "x")],
            [({C1, X}, "ac"), ({C2}, "b")],
            id="an anonymous id belongs to the first contact",
        ),
        pytest.param(
            [seen("a", "u1", "c1"), seen("b", "u1", None, "x"), seen("c", None, "c2", "x")],
            [({U1, C1, X}, "ab"), ({C2}, "c")],
            id="also when they were linked through a user",
        ),
        pytest.param(
            [seen("a", "u1", None, "x"), seen("b", None, "c1"), seen("c", None, "c1", "x")],
            [({U1, C1, X}, "abc")],
            id="the visitor's user is the contact's",
        ),
        pytest.param(
            [seen("a", "u1", "c1"), seen("b", "u2", None, "x"), seen("c", None, "c1", "x")],
            [({U1, C1}, "ac"), ({U2, X}, "b")],
            id="users do not merge through a contact and a visitor",
        ),
        pytest.param(
            [seen("a", "u1", "c1"), seen("b", "u2", "c1", "x")],
            [({U1, C1}, "a"), ({U2, X}, "b")],
            id="the other ids of a conflict are linked",
        ),
        pytest.param(
            [seen("a", "u1", None, "x"), seen("b", "u1", None, "y"), seen("c", None, "c1", "x"), seen("d", "u1", "c1")],
            [({U1, C1, X, Y}, "abcd")],
            id="a chain",
        ),
    ],
)  # fmt: skip
def test_who_is_who(lab: Lab, events: list[Any], people: list[tuple[set[Any], str]], together: bool) -> None:
    with lab() as here:
        for part in [events] if together else [[one] for one in events]:
            assert here.engine.ingest(part).ok
        for known, names in people:
            for _, id in known:
                assert sorted(timeline(here, id)) == list(names)
                assert ids(here, id) == known


@pytest.mark.parametrize(
    "order", list(permutations([seen("a", "u1"), seen("b", None, "c1"), seen("c", None, None, "x")]))
)
def test_identify_joins_whoever_came_first(lab: Lab, order: tuple[Any, ...]) -> None:
    with lab() as here:
        here.engine.ingest(order)
        here.engine.identify("u1", contact_id="c1")
        here.engine.identify(contact_id="c1", anonymous_id="x", traits={"plan": "free"})
        assert ids(here, "u1") == {U1, C1, X}
        assert sorted(timeline(here, "c1")) == ["", "a", "b", "c"]
        person = here.engine.person("x")
        assert person is not None
        assert person.attributes == {"plan": "free"}


def test_a_cart_of_a_contact_is_ended_by_the_purchase_of_the_user(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: cart\nCondition: NOT buy within 24 hours\nAction: mail") as here:
        here.engine.ingest(seen("cart", None, "c1"))
        here.engine.ingest(seen("buy", "u1"))
        here.engine.identify("u1", contact_id="c1")
        here.move("2 days")
        assert here.actions == []


def test_a_contact_has_its_part_in_what_an_item_says() -> None:
    bare = {"event": "e", "user_id": "u", "message_id": "m", "timestamp": "2026-01-01T00:00:00Z"}
    said = [
        validate(one, 0, 2**51)
        for one in (
            bare,
            {**bare, "contact_id": ""},
            {**bare, "contact_id": "c"},
            Identify(user_id="u"),
            Identify(user_id="u", contact_id="c"),
        )
    ]
    digests = [one.digest for one in said if hasattr(one, "digest")]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4
    assert digests[0].hex() == "1fa0f561ce29902e73da37e76df0a100", "a digest without a contact is what stores hold"


def test_an_event_named_twice_with_another_contact_conflicts(lab: Lab) -> None:
    with lab() as here:
        item = {"event": "e", "user_id": "u", "message_id": "m", "timestamp": "2025-12-31T00:00:00Z"}
        assert here.engine.ingest(item).ok
        assert here.engine.ingest({**item, "contact_id": "c"}).duplicates[0].conflict
