"""``lapse replay``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"

RULES = """\
# Abandoned cart
# One mail after a quiet day, a push two days later.
Rule: abandoned-cart
Trigger: cart_updated
Triggered again: replace
Condition: NOT purchase_completed within 24 hours
Action: send_email "cart_reminder"
Wait: 2 days
Action: send_push "still_here"

# Nobody signs up in this log
Rule: welcome
Trigger: signed_up
"""
LOG = """\
{"event": "cart_updated", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z"}
{"event": "cart_updated", "user_id": "bob", "timestamp": "2026-01-01T01:00:00Z"}
{"event": "purchase_completed", "user_id": "bob", "timestamp": "2026-01-01T10:00:00Z"}
{"event": "cart_updated", "anonymous_id": "a-1", "timestamp": "2026-01-01T12:00:00Z"}
{"event": "cart_updated", "anonymous_id": "a-1", "timestamp": "2026-01-01T12:30:30Z"}
{"event": "cart_updated", "user_id": "cid", "timestamp": "2026-01-05T00:00:00Z"}
"""
BAD = '{"event": "cart_updated", "user_id": "dan", "timestamp": "yesterday"}\n{oh\n'


@pytest.fixture(autouse=True)
def files(place):
    (place / "some.rules").write_text(RULES)
    (place / "log.jsonl").write_text(LOG)


def test_people_see_what_fired_and_what_was_cancelled_rule_by_rule(lapse):
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules")
    assert (ran.code, ran.err) == (0, "")
    assert re.sub(r"in \d+\.\d s", "in 0.0 s", ran.out) == (GOLDEN / "replay.txt").read_text()


def test_json_has_the_counts_of_each_rule(lapse):
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--format", "json")
    assert ran.code == 0
    assert ran.json == {
        "rules": {
            "abandoned-cart": {"started": 5, "acted": 2, "ended": 2, "waiting": 1, "actions": 4, "people": 2},
            "welcome": {"started": 0, "acted": 0, "ended": 0, "waiting": 0, "actions": 0, "people": 0},
        },
        "events": 6,
        "until": "2026-01-05T00:00:00Z",
        "duplicates": 0,
        "conflicts": [],
        "rejected": [],
    }


def test_actions_are_written_as_json_lines(lapse, place):
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--actions", "actions.jsonl")
    assert ran.code == 0
    written = [json.loads(row) for row in (place / "actions.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in row if name != "key"} for row in written] == [
        {"rule": "abandoned-cart", "person": person, "at": at, "action": action, "step": step}
        for person, at, action, step in (
            ("ann", "2026-01-02T00:00:00Z", "send_email", "2"),
            ("a-1", "2026-01-02T12:30:30Z", "send_email", "2"),
            ("ann", "2026-01-04T00:00:00Z", "send_push", "4"),
            ("a-1", "2026-01-04T12:30:30Z", "send_push", "4"),
        )
    ]
    assert list(written[0]) == ["rule", "person", "at", "action", "step", "key"]
    assert len({row["key"] for row in written}) == 4


def test_the_clock_can_stop_before_the_log_ends_and_after(lapse):
    early = lapse("replay", "log.jsonl", "--rules", "some.rules", "--until", "2026-01-02T00:00:00Z", "--format", "json")
    assert early.json["until"] == "2026-01-02T00:00:00Z"
    assert (early.json["events"], early.json["rules"]["abandoned-cart"]["actions"]) == (5, 1)
    late = lapse(
        "replay", "log.jsonl", "--rules", "some.rules", "--until", "2026-02-01T01:00:00+01:00", "--format", "json"
    )
    assert late.json["until"] == "2026-02-01T00:00:00Z"
    assert late.json["rules"]["abandoned-cart"]["actions"] == 6


def test_a_moment_without_offset_is_refused(lapse):
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--until", "2026-01-02")
    assert ran.code == 2
    assert "--until" in ran.err


def test_refused_lines_are_named_and_the_others_replayed(lapse, place):
    (place / "log.jsonl").write_text(LOG + BAD)
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules")
    assert ran.code == 1
    assert ran.out.startswith("6 events until 2026-01-05 00:00 UTC, replayed in ")
    assert ran.out.splitlines()[1] == "left out: 2 rejected lines"
    assert "log.jsonl:7: rejected: " in ran.err
    assert "log.jsonl:8: rejected: " in ran.err


AT = "2026-01-01T00:00:00Z"
MIXED = [
    {"event": "cart_updated", "user_id": "ann", "timestamp": AT},
    "garbage",
    {"event": "cart_updated", "user_id": "bob", "timestamp": AT},
    {"event": "", "user_id": "bob", "timestamp": AT},
    {"event": "cart_updated", "user_id": 7, "timestamp": AT},
    {"event": "cart_updated", "user_id": "cid"},
    {"event": "cart_updated", "timestamp": "yesterday"},
    {"event": "cart_updated", "user_id": "cid", "timestamp": "1969-01-01T00:00:00Z"},
    {"event": "cart_updated", "user_id": "cid", "timestamp": AT, "colour": "red"},
    {"event": "cart_updated", "user_id": "cid", "timestamp": "2025-12-31T00:00:00Z", "properties": 1},
    {"event": "", "user_id": "cid", "timestamp": "2027-01-01T00:00:00Z"},
]
"""Lines of many kinds, whose order of time is not that of the file."""


def written(lines: list[object]) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)


def test_json_has_every_refused_line_as_ingest_has_it(lapse, place):
    (place / "log.jsonl").write_text(written(MIXED))
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--format", "json")
    taken = lapse("ingest", "log.jsonl", "--rules", "some.rules", "--format", "json")
    assert (ran.code, ran.err) == (1, "")
    assert [(one["line"], one["code"]) for one in ran.json["rejected"]] == [
        (2, "invalid_json"), (4, "name_missing"), (5, "id_not_text"), (6, "timestamp_missing"), (7, "no_person"),
        (8, "timestamp_too_early"), (9, "unknown_field"), (10, "properties_not_object"), (11, "name_missing"),
    ]  # fmt: skip
    assert ran.json["rejected"] == taken.json["files"][0]["rejected"]
    assert ran.json["events"] == taken.json["files"][0]["stored"] == 2


def test_refused_lines_move_no_clock(lapse, place):
    (place / "log.jsonl").write_text(written(MIXED))
    (place / "some.rules").write_text("Rule: daily\nTrigger: every day at 12:00\n")
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--format", "json")
    assert ran.json["until"] == AT
    assert ran.json["rules"]["daily"]["started"] == 0


def test_a_log_of_which_no_line_is_taken(lapse, place):
    (place / "log.jsonl").write_text("garbage\n" * 12)
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules")
    assert ran.code == 1
    assert ran.out.startswith("0 events, replayed in ")
    assert ran.err.splitlines()[-1] == "... and 2 lines more; --format json names them all"
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--format", "json")
    assert (ran.json["events"], ran.json["until"], len(ran.json["rejected"])) == (0, None, 12)


def test_lines_whose_message_id_is_taken_are_told_apart(lapse, place):
    first = {"event": "cart_updated", "user_id": "ann", "timestamp": AT, "message_id": "m1"}
    later = {**first, "user_id": "bob", "timestamp": "2026-01-02T00:00:00Z"}
    (place / "log.jsonl").write_text(written([later, first, {**first, "event": "other"}, first]))
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--format", "json")
    assert (ran.code, ran.err) == (1, "")
    assert (ran.json["events"], ran.json["duplicates"], ran.json["rejected"]) == (1, 1, [])
    assert ran.json["conflicts"] == [{"line": 1, "message_id": "m1"}, {"line": 3, "message_id": "m1"}]
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules")
    assert ran.code == 1
    assert ran.out.startswith("1 event until 2026-01-02 00:00 UTC, replayed in ")
    assert ran.out.splitlines()[1] == "left out: 1 duplicate and 2 conflicts"
    assert ran.err.splitlines() == [
        f"log.jsonl:{line}: conflict: another event with the message_id 'm1' is held; this one is lost"
        for line in (1, 3)
    ]


def test_duplicates_alone_are_no_problem(lapse, place):
    one = {"event": "cart_updated", "user_id": "ann", "timestamp": AT, "message_id": "m1"}
    (place / "log.jsonl").write_text(written([one, one]))
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--format", "json")
    assert (ran.code, ran.json["events"], ran.json["duplicates"]) == (0, 1, 1)


def test_a_file_for_actions_that_cannot_be_written_is_told_before_the_replay(lapse, monkeypatch):
    monkeypatch.setattr("engine.replay.replay", lambda *_, **__: pytest.fail("it was replayed"))
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules", "--actions", "absent/actions.jsonl")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: absent/actions.jsonl cannot be written: No such file or directory\n"


def test_actions_take_the_place_of_what_the_file_held_once_they_are_known(lapse, place):
    (place / "actions.jsonl").write_text("before\n" * 100)
    ran = lapse("replay", "absent.jsonl", "--rules", "some.rules", "--actions", "actions.jsonl")
    assert ran.code == 2
    assert (place / "actions.jsonl").read_text().startswith("before\n")
    assert lapse("replay", "log.jsonl", "--rules", "some.rules", "--actions", "actions.jsonl").code == 0
    assert len((place / "actions.jsonl").read_text().splitlines()) == 4
    assert "before" not in (place / "actions.jsonl").read_text()


def test_wrong_rules_are_shown_and_nothing_is_replayed(lapse, place):
    (place / "some.rules").write_text("Trigger: a\nConditon: b\n")
    ran = lapse("replay", "log.jsonl", "--rules", "some.rules")
    assert (ran.code, ran.out) == (2, "")
    assert "some.rules:2:1: error: " in ran.err
    assert ran.err.endswith("error: the rules have 1 error; nothing was done\n")


def test_columns_of_other_names(lapse, place):
    (place / "log.csv").write_text("Date;event;user_id\n2026-01-01T00:00:00Z;cart_updated;ann\n")
    ran = lapse("replay", "log.csv", "--rules", "some.rules", "--map", "timestamp=Date", "--format", "json")
    assert (ran.code, ran.json["events"]) == (0, 1)


def test_as_a_process_from_standard_input(process, place):
    ran = process("replay", "-", "--rules", "some.rules", "--format", "json", stdin=LOG.encode())
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["rules"]["abandoned-cart"]["acted"] == 2
    assert sorted(one.name for one in place.iterdir()) == ["log.jsonl", "some.rules"]
