"""People: their ids, names, first sight, and two that turn out to be one."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from ulid import ULID

from engine.store import answers, events, journeys, outbox, people, watches
from engine.store.answers import AnswerRow
from engine.store.rows import WatchRow
from engine.store.schema import metadata
from engine.store.schema import people as table
from tests.store.rows import WORKSPACE, action, add_events, add_people, add_rule, change, event, journey


def test_ids_resolve_exactly(connection: Connection) -> None:
    ann, bob = add_people(connection, "ann", "bob")
    people.link(connection, WORKSPACE, [(("anonymous", "x"), ann), (("contact", "a@b"), bob)], 1)
    people.create(connection, WORKSPACE, [(9, b"9" * 16)], 0)
    people.link(connection, WORKSPACE, [(("anonymous", "visitor"), 9)], 1)
    keys = [("user", "ann"), ("user", "Ann"), ("anonymous", "x"), ("contact", "a@b"), ("anonymous", "visitor")]
    assert people.resolve(connection, WORKSPACE, keys) == {
        ("user", "ann"): (ann, True, False),
        ("anonymous", "x"): (ann, True, False),
        ("contact", "a@b"): (bob, True, True),
        ("anonymous", "visitor"): (9, False, False),
    }
    assert people.resolve(connection, WORKSPACE + 1, keys) == {}
    assert people.resolve(connection, WORKSPACE, []) == {}


def test_odd_ids_survive_the_batch(connection: Connection) -> None:
    odd = ["0012", "null", "1e3", 'a"b', "é\u2028", "😀", "[1]", " ", "\\"]
    rows = add_people(connection, *odd)
    found = people.resolve(connection, WORKSPACE, [("user", one) for one in odd])
    assert [found["user", one][0] for one in odd] == rows


def test_names_prefer_the_user_id_then_the_oldest_anonymous_one(connection: Connection) -> None:
    (ann,) = add_people(connection, "ann")
    people.create(connection, WORKSPACE, [(7, b"7" * 16), (8, b"8" * 16)], 0)
    people.link(connection, WORKSPACE, [(("anonymous", "0"), ann), (("anonymous", "b"), 7)], 1)
    people.link(connection, WORKSPACE, [(("anonymous", "a"), 7)], 2)
    assert people.names(connection, [ann, 7, 8]) == {ann: "ann", 7: "b", 8: ""}
    assert people.identifiers(connection, ann) == [("user", "ann"), ("anonymous", "0")]


def test_first_seen_only_goes_down(connection: Connection) -> None:
    ann, bob = add_people(connection, "ann", "bob")
    assert people.first_seen(connection, [ann]) == {ann: None}
    assert people.lower_first_seen(connection, {ann: 9, bob: 5}) == {ann, bob}
    assert people.lower_first_seen(connection, {ann: 3, bob: 7}) == {ann}
    assert people.first_seen(connection, [ann, bob]) == {ann: 3, bob: 5}
    assert people.lower_first_seen(connection, {}) == frozenset()


def test_merging_moves_everything_and_old_ids_keep_resolving(connection: Connection) -> None:
    rule = add_rule(connection)
    winner, loser, bystander = add_people(connection, "w", "l", "b")
    people.lower_first_seen(connection, {winner: 9, loser: 4, bystander: 1})
    for person in (winner, loser, bystander):
        add_events(connection, event(person, "seen", 10 + person))
        events.insert_changes(connection, WORKSPACE, [change(person, 5)])
        journeys.insert(connection, [journey(person, person, rule)])
        watches.save_watches(connection, [WatchRow(0, WORKSPACE, rule, person, 5, 0, "")])
        outbox.insert(connection, [action(f"k{person}", person, rule)])
        answers.keep(connection, WORKSPACE, [AnswerRow("door", f"k{person}", b"", "[]", person, 9)])
    public = ULID.from_bytes(connection.scalar(select(table.c.public_id).where(table.c.id == loser)))

    people.merge(connection, winner, loser)

    assert people.resolve(connection, WORKSPACE, [("user", "l")]) == {("user", "l"): (winner, True, False)}
    assert people.first_seen(connection, [winner, bystander]) == {winner: 4, bystander: 1}
    assert {row.at for row in events.timelines(connection, [(winner, 0)])} == {10 + winner, 10 + loser}
    assert len(events.changes(connection, [winner])) == 2
    assert {row.id for row in journeys.of_person(connection, winner)} == {winner, loser}
    assert {row.key for row in outbox.of_person(connection, winner)} == {f"k{winner}", f"k{loser}"}
    left = {"people", "set_aside", "faults"}  # where it stays with the loser, and is the winner's when it is taken up
    for one in metadata.tables.values():
        if "person_id" in one.c and one.name not in left:
            count = select(func.count()).select_from(one)
            assert connection.scalar(count.where(one.c.person_id == loser)) == 0, one.name
            assert connection.scalar(count.where(one.c.person_id == bystander)) == 1, one.name
    assert people.find(connection, WORKSPACE, str(public)) == winner
    assert people.find(connection, WORKSPACE, f"con_{public}") == winner

    people.merge(connection, bystander, winner)
    assert people.find(connection, WORKSPACE, str(public)) == bystander


def test_merging_keeps_the_known_first_sight(connection: Connection) -> None:
    winner, loser = add_people(connection, "w", "l")
    people.lower_first_seen(connection, {loser: 4})
    people.merge(connection, winner, loser)
    assert people.first_seen(connection, [winner]) == {winner: 4}


def test_whom_others_become_goes_by_their_own_name(connection: Connection) -> None:
    first, second, third, new = add_people(connection, "first", "second", "third", "new")
    people.link(connection, WORKSPACE, [(("anonymous", "visitor"), first)], 5)
    for winner, loser in ((second, first), (second, third), (new, second)):
        people.merge(connection, winner, loser)
    assert people.names(connection, [new]) == {new: "new"}
    assert {name: at for _, name, at in people.links(connection, new)}["visitor"] == 5


def test_find_prefers_user_ids(connection: Connection) -> None:
    ann, bob = add_people(connection, "ann", "bob")
    people.link(connection, WORKSPACE, [(("anonymous", "bob"), ann), (("contact", "c"), ann)], 0)
    assert people.find(connection, WORKSPACE, "bob") == bob
    assert people.find(connection, WORKSPACE, "c") == ann
    assert people.find(connection, WORKSPACE, "nobody") is None
