"""Journeys, watches and counters."""

from __future__ import annotations

from sqlalchemy import Connection

from engine.store import counters, journeys, people, rule_pages, rules, watches
from engine.store.rows import Tally, WatchRow
from tests.store.rows import WORKSPACE, add_people, add_rule, journey


def test_load_gives_what_waits_and_what_ended_late_enough(connection: Connection) -> None:
    rule, other = add_rule(connection), add_rule(connection, "other")
    rows = [
        journey(1, 1, rule),
        journey(2, 1, rule, ended_at=5),
        journey(3, 1, rule, ended_at=6),
        journey(4, 1, other),
        journey(5, 2, rule, ended_at=5),
    ]
    journeys.insert(connection, rows)
    assert {row.id for row in journeys.load(connection, [(1, rule, 6)])} == {1, 3}
    assert {row.id for row in journeys.load(connection, [(1, rule, 9), (2, rule, 5), (1, other, 0)])} == {1, 4, 5}
    assert journeys.load(connection, []) == []
    assert journeys.by_id(connection, [3]) == [rows[2]]


def test_update_writes_every_field_and_delete_removes(connection: Connection) -> None:
    rule = add_rule(connection)
    journeys.insert(connection, [journey(1, 1, rule), journey(2, 2, rule)])
    changed = journey(
        1, 1, rule, version="w", value="v", trigger_key="k", first_at=1, start=2, decided_at=3, due_at=4, ended_at=5,
        reason="r", acted_at=6, left_at=7, held_out=1, goal_at=8, limit_values='["x"]', state="{}",
    )  # fmt: skip
    journeys.update(connection, [changed])
    assert journeys.of_person(connection, 1) == [changed]
    assert journeys.of_person(connection, 2) == [journey(2, 2, rule)]
    journeys.delete(connection, [1])
    assert journeys.of_person(connection, 1) == []
    assert journeys.next_id(connection) == 3


def test_due_is_oldest_first_over_journeys_and_watches(connection: Connection) -> None:
    rule, standing = add_rule(connection), add_rule(connection, "standing")
    journeys.insert(
        connection, [journey(row, row, rule, due_at=at) for row, at in ((1, 30), (2, 10), (3, None), (4, 99))]
    )
    watches.save_watches(connection, [WatchRow(0, WORKSPACE, standing, 7, 20, 0, "")])
    assert journeys.due(connection, WORKSPACE, 30, 10) == [(2, rule), (7, standing), (1, rule)]
    assert journeys.due(connection, WORKSPACE, 30, 2) == [(2, rule), (7, standing)]
    assert journeys.due(connection, WORKSPACE + 1, 30, 2) == []
    assert journeys.next_due(connection, WORKSPACE) == 10
    assert journeys.next_due(connection, WORKSPACE + 1) is None


def test_everybody_seen_can_be_watched_but_those_who_are_somebody_else(connection: Connection) -> None:
    seen, other, gone, _unseen = add_people(connection, "seen", "other", "gone", "unseen")
    people.lower_first_seen(connection, dict.fromkeys((seen, other, gone), 1))
    people.merge(connection, seen, gone)
    assert rule_pages.watchable(connection, WORKSPACE, 0, 9) == [seen, other]
    assert rule_pages.watchable(connection, WORKSPACE, 0, 1) == [seen]
    assert rule_pages.watchable(connection, WORKSPACE, seen, 1) == [other]
    assert rule_pages.watchable(connection, WORKSPACE + 1, 0, 9) == []


def test_watches_are_roused_and_dropped(connection: Connection) -> None:
    rule = add_rule(connection)
    watches.save_watches(connection, [WatchRow(0, WORKSPACE, rule, 5, None, 5, "state")])
    ((row, person),) = watches.watches_of(connection, rule, 0, 9)
    assert rule_pages.rouse_watches(connection, [row], 9) == 1
    (found,) = watches.load_watches(connection, WORKSPACE, [(person, rule)])
    assert (found.due_at, found.followed, found.state) == (9, 5, "state")
    watches.save_watches(connection, [found._replace(due_at=None, state="x")])
    assert watches.load_watches(connection, WORKSPACE, [(person, rule)]) == [found._replace(due_at=None, state="x")]
    watches.delete_watches(connection, [row])
    assert watches.load_watches(connection, WORKSPACE, [(person, rule)]) == []


def test_what_was_decided_since(connection: Connection) -> None:
    rule = add_rule(connection)
    journeys.insert(
        connection,
        [
            journey(1, 1, rule, decided_at=5),
            journey(2, 2, rule, decided_at=4),
            journey(3, 3, rule, decided_at=1, ended_at=5),
        ],
    )
    watches.save_watches(connection, [WatchRow(0, WORKSPACE, rule, 4, None, 5, "")])
    watches.save_watches(connection, [WatchRow(0, WORKSPACE, rule, person, 9, 4, "") for person in (5, 6)])
    asked = {(person, rule): 5 for person in (1, 2, 3, 4, 5, 7)} | {(6, rule): 4}
    assert sorted(journeys.decided_since(connection, WORKSPACE, asked)) == [(1, rule), (3, rule), (4, rule), (6, rule)]
    assert journeys.decided_since(connection, WORKSPACE, {}) == set()


def test_limits_see_what_acted(connection: Connection) -> None:
    rule = add_rule(connection)
    journeys.insert(connection, [journey(row, row % 2, rule, acted_at=at) for row, at in ((1, 5), (2, None), (3, 9))])
    assert [(row.acted_at, row.person_id) for row in journeys.acted(connection, [(1, rule)])] == [(5, 1), (9, 1)]
    assert journeys.acted(connection, [(0, rule)]) == []
    assert journeys.acted_times(connection, rule, 5) == [9]


def test_tally_adds_up(connection: Connection) -> None:
    rule = add_rule(connection)
    journeys.insert(
        connection,
        [
            journey(1, 1, rule),
            journey(2, 1, rule, ended_at=5, reason="exit"),
            journey(3, 2, rule, acted_at=5, held_out=1, goal_at=7),
            journey(4, 2, rule, acted_at=5, ended_at=5, reason="finished"),
            journey(5, 2, rule, acted_at=5, goal_at=8),
            journey(6, 3, rule, held_out=1),
        ],
    )
    assert journeys.tally(connection, WORKSPACE) == {
        rule: Tally(
            started=6, acted=3, ended=1, waiting=2, people=1, held_out=2, goals=2, exited=1, held_out_acted=1,
            held_out_goals=1,
        )
    }  # fmt: skip


def test_waiting_pairs_come_in_whole_people(connection: Connection) -> None:
    one, two = add_rule(connection), add_rule(connection, "two")
    rows = [journey(1, 1, one), journey(2, 1, two), journey(3, 2, one, ended_at=1), journey(4, 3, two)]
    journeys.insert(connection, rows)
    assert journeys.waiting(connection, WORKSPACE, 0, 1) == [(1, one), (1, two)]
    assert journeys.waiting(connection, WORKSPACE, 1, 1) == [(3, two)]


def test_what_waits_under_a_rule_is_found_page_by_page_over_its_versions(connection: Connection) -> None:
    rule, other = add_rule(connection), add_rule(connection, "other")
    rows = [
        journey(1, 1, rule)._replace(version="b"), journey(2, 2, rule, ended_at=1), journey(3, 3, rule),
        journey(4, 4, other), journey(5, 5, rule)._replace(version="b"),
    ]  # fmt: skip
    journeys.insert(connection, rows)
    found, place = [], rule_pages.BEGINNING
    while place is not None:
        page, place = rule_pages.waiting(connection, rule, place, 1)
        found += page
    assert sorted(found) == [1, 3, 5]
    assert rule_pages.waiting(connection, rule, rule_pages.BEGINNING, 9, but="b") == ([3], None)
    assert rule_pages.of_pairs(connection, [(1, rule), (2, rule), (4, rule)]) == [1]


def test_journeys_end_and_are_roused_by_their_rows(connection: Connection) -> None:
    rule = add_rule(connection)
    journeys.insert(connection, [journey(1, 1, rule, due_at=5), journey(2, 2, rule, ended_at=1)])
    assert rule_pages.rouse(connection, [1, 2], 3) == 1
    assert journeys.next_due(connection, WORKSPACE) == 3
    assert rule_pages.end(connection, [1, 2], 8, "removed") == 1
    (ended,) = journeys.of_person(connection, 1)
    assert (ended.ended_at, ended.reason, ended.due_at) == (8, "removed", None)


def test_counters_add_up(connection: Connection) -> None:
    counters.count(connection, WORKSPACE, {(1, "absorbed"): 2, (2, "absorbed"): 1})
    counters.count(connection, WORKSPACE, {(1, "absorbed"): 3, (1, "late"): 1})
    counters.count(connection, WORKSPACE, {})
    assert counters.counters(connection, WORKSPACE) == {(1, "absorbed"): 5, (2, "absorbed"): 1, (1, "late"): 1}


def test_versions_in_use_are_those_older_ones_with_a_journey_under_way(connection: Connection) -> None:
    rule = add_rule(connection)
    for digest in ("v", "older", "unused"):
        rules.save_version(connection, WORKSPACE, rule, digest, f"text of {digest}", 1)
        rules.save_version(connection, WORKSPACE, rule, digest, "said again", 2)
    journeys.insert(connection, [journey(1, 1, rule), journey(2, 1, rule, version="older")])
    assert rules.versions_in_use(connection, WORKSPACE) == [(rule, "older", "text of older")]
    (row,) = rules.every(connection, WORKSPACE).values()
    rules.update(connection, [row._replace(removed_at=5, worked_to=6)])
    assert rules.every(connection, WORKSPACE)["rule"].worked_to == 6
    assert rules.versions_in_use(connection, WORKSPACE) == []
