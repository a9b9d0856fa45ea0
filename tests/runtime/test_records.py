"""People and events as the doors ask for them."""

from __future__ import annotations

from uuid import UUID

import pytest
from ulid import ULID

from engine.errors import ConfigError
from engine.runtime.contacts import PersonRef
from engine.runtime.engine import Engine
from engine.runtime.once import Once
from engine.runtime.records import DoorEvent
from engine.testing import Travel

from .conftest import Lab

TRACKS = "Rule: r\nTrigger: a\nAction: track seen_by_rule"


def found(engine: Engine, text: str, *kinds: str) -> PersonRef:
    person = engine.find(text, kinds) if kinds else engine.find(text)
    assert person is not None
    return person


def names(events: tuple[DoorEvent, ...]) -> list[str]:
    return [one.name for one in events]


# --------------------------------------------------------------------------------------------- people


def test_a_person_is_found_by_every_spelling_of_their_id(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest({"event": "a", "user_id": "u", "contact_id": "con_1"})
        ann = found(here.engine, "u")
        ulid = str(ULID(ann.id))
        for text in (ulid, ulid.lower(), f"con_{ulid}", f"con_{ulid.lower()}", str(UUID(bytes=ann.id)), ann.id.hex()):
            assert found(here.engine, text, "contact") == ann, text
        assert here.engine.find(str(ULID())) is None
        assert here.engine.find("con_") is None


def test_other_ids_are_found_among_the_kinds_that_are_asked_in_their_order(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([{"event": "a", "user_id": "x"}, {"event": "a", "contact_id": "x"}])
        user, contact = found(here.engine, "x", "user"), found(here.engine, "x", "contact")
        assert user != contact
        assert found(here.engine, "x") == found(here.engine, "x", "user", "contact") == user
        assert found(here.engine, "x", "contact", "user") == contact
        assert here.engine.find("x", ("anonymous",)) is None


def test_a_person_is_shown_with_their_oldest_ids_first(lab: Lab) -> None:
    with lab() as here:
        for contact in ("con_b", "con_a"):
            here.engine.identify("u", contact_id=contact)
            here.move("1 minute")
        ann = found(here.engine, "u")
        assert ann.identifiers == {"user": ("u",), "anonymous": (), "contact": ("con_b", "con_a")}
        assert (ann.user, ann.contact) == ("u", "con_b")


@pytest.mark.parametrize(
    ("ids", "item"),
    [
        ({"user_id": "u", "contact_id": "c", "anonymous_id": "a"}, {"user_id": "u"}),
        ({"contact_id": "c", "anonymous_id": "a"}, {"contact_id": "c"}),
        ({"anonymous_id": "a"}, {"anonymous_id": "a"}),
    ],
)
def test_an_item_names_a_person_by_what_says_most(lab: Lab, ids: dict[str, str], item: dict[str, str]) -> None:
    with lab() as here:
        here.engine.ingest({"event": "a", **ids})
        person = found(here.engine, next(iter(ids.values())))
        assert person.item() == item
        assert here.engine.ingest({"event": "b", **person.item()}).ok
        assert here.engine.arrivals(person).total == 2


def test_merged_people_are_found_by_what_they_were(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([{"event": "a", "contact_id": "c"}, {"event": "b", "user_id": "u"}])
        was = found(here.engine, "c")
        here.engine.identify("u", contact_id="c")
        is_now = found(here.engine, str(ULID(was.id)))
        assert is_now == found(here.engine, "u")
        assert names(here.engine.arrivals(was).events) == ["b", "a"]


def test_people_of_another_workspace_are_not_found(lab: Lab, tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url, workspace="one") as one, Engine.open(url, workspace="two") as two:
        receipt = one.ingest({"event": "a", "user_id": "u"})
        ann, id = found(one, "u"), receipt.outcomes[0]
        assert two.find(str(ULID(ann.id))) is None
        assert two.find("u") is None
        assert two.event(id.public_id) is None  # type: ignore[union-attr]
        assert two.arrivals(ann).events == ()
        assert two.arrivals(type_id=one.types.get("a").public_id).total == 0
        assert two.happenings(ann).total == 0


# --------------------------------------------------------------------------------------------- events


def test_an_event_by_its_id(lab: Lab) -> None:
    with lab(TRACKS) as here:
        once = Once("flownally", "k-1", None, b"")
        item = {"event": "a", "contact_id": "con_1", "properties": {"x": [1, None]}, "message_id": "m"}
        receipt = here.engine.ingest(item, source="flownally", once=once)
        (id,) = (one.public_id for one in receipt.outcomes)  # type: ignore[union-attr]
        shown = here.engine.event(id, "flownally")
        assert shown == DoorEvent(
            id=id,
            person=found(here.engine, "con_1"),
            type_id=here.engine.types.get("a").public_id,
            name="a",
            at=here.clock.now(),
            received_at=here.clock.now(),
            source="flownally",
            message_id="m",
            properties={"x": [1, None]},
            key="k-1",
        )
        other = here.engine.event(id, "another door")
        assert other is not None
        assert other.key is None
        assert here.engine.event(bytes(16)) is None
        here.engine.identify("u", {"plan": "free"})
        here.move("1 minute")
        assert [one.event for one in here.engine.events(names="seen_by_rule").events] == ["seen_by_rule"]
        tracked = here.engine.events(names="seen_by_rule").events[0]
        assert here.engine.event(ULID.from_str(tracked.id[4:]).bytes) is None
        assert here.engine.arrivals().total == 1


def fill(here: Travel) -> None:
    """Events that arrive in another order than they happened in."""
    for place, (name, who) in enumerate([("a", "u"), ("b", "u"), ("a", "v"), ("b", "v"), ("a", "u"), ("c", "u")]):
        at = f"2025-12-31T{(place * 5) % 6:02}:00:00Z"
        here.engine.ingest({"event": name, "user_id": who, "timestamp": at, "properties": {"n": place}})


@pytest.mark.parametrize(
    ("who", "kind", "numbers"),
    [(None, None, [5, 4, 3, 2, 1, 0]), ("u", None, [5, 4, 1, 0]), (None, "a", [4, 2, 0]), ("v", "b", [3])],
)
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_events_are_listed_newest_arrival_first(
    lab: Lab, who: str | None, kind: str | None, numbers: list[int], limit: int
) -> None:
    with lab() as here:
        fill(here)
        person = None if who is None else found(here.engine, who)
        type_id = None if kind is None else here.engine.types.get(kind).public_id
        seen: list[int] = []
        page = here.engine.arrivals(person, type_id, limit)
        while True:
            seen += [one.properties["n"] for one in page.events]
            assert page.total == len(numbers)
            assert len(page.events) <= limit
            if page.after is None:
                break
            page = here.engine.arrivals(person, type_id, limit, page.after)
        assert seen == numbers


def test_what_arrives_between_two_pages_moves_nothing(lab: Lab) -> None:
    with lab() as here:
        fill(here)
        first = here.engine.arrivals(limit=2)
        here.engine.ingest({"event": "late", "user_id": "u", "timestamp": "2025-01-01T00:00:00Z"})
        rest = here.engine.arrivals(limit=50, after=first.after)
        assert [one.properties["n"] for one in (*first.events, *rest.events)] == [5, 4, 3, 2, 1, 0]
        assert rest.total == 7


def test_a_page_is_never_longer_than_the_setting(lab: Lab) -> None:
    with lab(page_limit=2) as here:
        fill(here)
        assert len(here.engine.arrivals(limit=50).events) == 2
        assert len(here.engine.happenings(found(here.engine, "u"), limit=50).events) == 2


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "٣", "9" * 30, "1_0"])
def test_a_cursor_that_no_page_gave_is_refused(lab: Lab, after: str) -> None:
    with lab() as here, pytest.raises(ConfigError, match="is no cursor"):
        here.engine.arrivals(after=after)


def test_a_person_or_type_without_events_has_none(lab: Lab) -> None:
    with lab() as here:
        here.engine.identify("u", {"plan": "free"})
        here.engine.ingest({"event": "a", "user_id": "v"})
        assert here.engine.arrivals(found(here.engine, "u")).events == ()
        assert here.engine.arrivals(found(here.engine, "u")).total == 0
        assert here.engine.arrivals(type_id=bytes(16)).total == 0
        assert here.engine.happenings(found(here.engine, "u")).events == ()
        assert here.engine.happenings(found(here.engine, "v"), name="unheard of").total == 0


def test_a_persons_events_by_time_between_two_moments_both_left_out(lab: Lab) -> None:
    with lab() as here:
        moments = []
        for place in range(5):
            here.engine.ingest({"event": "ab"[place % 2], "user_id": "u", "properties": {"n": place}})
            here.engine.ingest({"event": "a", "user_id": "v"})
            moments.append(here.clock.now())
            here.move("1 hour")
        here.engine.ingest({"event": "a", "user_id": "u", "timestamp": "2025-12-31T00:00:00Z", "properties": {"n": -1}})
        ann = found(here.engine, "u")

        def asked(**filters: object) -> tuple[list[int], int]:
            page = here.engine.happenings(ann, **filters)  # type: ignore[arg-type]
            return [one.properties["n"] for one in page.events], page.total

        assert asked() == ([4, 3, 2, 1, 0, -1], 6)
        assert asked(limit=2, offset=1) == ([3, 2], 6)
        assert asked(offset=6) == ([], 6)
        assert asked(name="a") == ([4, 2, 0, -1], 4)
        assert asked(since=moments[1]) == ([4, 3, 2], 3)
        assert asked(until=moments[1]) == ([0, -1], 2)
        assert asked(since=moments[0], until=moments[4], name="b", limit=1) == ([3], 2)
