"""``lapse ingest``."""

from __future__ import annotations

import gzip
import json

import pytest

from engine.cli.progress import ImportProgress, bars
from engine.clock import HOUR, WallClock, iso
from engine.files import EventFile
from engine.ingesting import Summary

RULES = """\
Rule: abandoned-cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
"""


def line(user: str, at: str, event: str = "cart_updated", **more: object) -> str:
    return json.dumps({"event": event, "user_id": user, "timestamp": at, **more}) + "\n"


GOOD = line("u1", "2024-01-01T10:00:00Z") + line("u2", "2024-01-01T11:00:00Z") + line("u2", "2024-01-01T11:00:00Z")


@pytest.fixture(autouse=True)
def rules(place):
    (place / "rules").mkdir()
    (place / "rules" / "cart.rules").write_text(RULES)


def stored(ran) -> list[tuple[int, int, int, int]]:
    return [
        (one["stored"], one["duplicates"], len(one["conflicts"]), len(one["rejected"])) for one in ran.json["files"]
    ]


def test_a_file_is_stored_once_however_often_it_runs(lapse, place):
    (place / "log.jsonl").write_text(GOOD)
    first = lapse("ingest", "log.jsonl", "--format", "json")
    assert (first.code, stored(first)) == (0, [(3, 0, 0, 0)])
    again = lapse("ingest", "log.jsonl", "--format", "json")
    assert (again.code, stored(again)) == (0, [(0, 3, 0, 0)])


def test_refused_lines_are_named_and_the_others_kept(lapse, place):
    bad = (
        "{not json\n" + line("u3", "yesterday") + line("u4", "2024-01-01T10:00:00Z") + line("", "2024-01-01T10:00:00Z")
    )
    (place / "log.jsonl").write_text(bad)
    ran = lapse("ingest", "log.jsonl")
    assert ran.code == 1
    assert "log.jsonl:1: rejected: " in ran.err
    assert "log.jsonl:2: rejected: " in ran.err
    assert "log.jsonl:4: rejected: " in ran.err
    head, _, row = ran.out.splitlines()
    assert head.split() == ["File", "Stored", "Duplicates", "Conflicts", "Rejected"]
    assert row.split() == ["log.jsonl", "1", "0", "0", "3"]


def test_json_names_every_refused_line(lapse, place):
    (place / "log.jsonl").write_text("{\n" * 25)
    told = lapse("ingest", "log.jsonl")
    assert "... and 15 lines more" in told.err
    ran = lapse("ingest", "log.jsonl", "--format", "json")
    assert [one["line"] for one in ran.json["files"][0]["rejected"]] == list(range(1, 26))
    assert {one["code"] for one in ran.json["files"][0]["rejected"]} == {"invalid_json"}


def test_a_message_id_with_other_content_is_a_conflict(lapse, place):
    (place / "one.jsonl").write_text(line("u1", "2024-01-01T10:00:00Z", message_id="m1"))
    (place / "two.jsonl").write_text(line("u2", "2024-01-01T10:00:00Z", message_id="m1"))
    ran = lapse("ingest", "one.jsonl", "two.jsonl", "--format", "json")
    assert (ran.code, stored(ran)) == (1, [(1, 0, 0, 0), (0, 0, 1, 0)])
    assert ran.json["files"][1]["conflicts"] == [{"line": 1, "message_id": "m1"}]


def test_a_line_may_say_who_somebody_was_before(lapse, place):
    at = "2024-01-01T12:00:00Z"
    alias = {"type": "identify", "user_id": "u1", "previous_id": "u2", "timestamp": at}
    (place / "log.jsonl").write_text(GOOD + json.dumps(alias) + "\n")
    assert lapse("ingest", "log.jsonl", "--format", "json").code == 0
    person = lapse("person", "u2", "--format", "json").json
    assert [one["value"] for one in person["identifiers"]] == ["u1", "u2"]
    assert len(person["timeline"]) == 3


def test_csv_with_columns_of_other_names_gzipped(lapse, place):
    table = "Date,event,user_id,total\n2024-01-01T10:00:00Z,order,u1,9.5\n"
    (place / "orders.csv.gz").write_bytes(gzip.compress(table.encode()))
    ran = lapse("ingest", "orders.csv.gz", "--map", "timestamp=Date", "--format", "json")
    assert (ran.code, stored(ran)) == (0, [(1, 0, 0, 0)])
    person = lapse("person", "u1", "--format", "json").json
    assert person["timeline"] == [{"at": "2024-01-01T10:00:00Z", "event": "order", "properties": {"total": 9.5}}]


def test_a_mapping_that_names_no_field_is_refused(lapse, place):
    (place / "log.jsonl").write_text(GOOD)
    ran = lapse("ingest", "log.jsonl", "--map", "when=Date")
    assert ran.code == 2
    assert "unknown field 'when'; fields are type, event, " in ran.err


def test_a_file_that_is_not_there_is_told_plainly(lapse):
    ran = lapse("ingest", "absent.jsonl")
    assert (ran.code, ran.out) == (2, "")
    assert "absent.jsonl cannot be read: No such file or directory" in ran.err


def test_as_a_process_from_standard_input(process):
    """With pipes on both sides, and none of a terminal's colours."""
    ran = process("ingest", "-", stdin=GOOD.encode() + b"{\n")
    assert ran.code == 1
    assert ran.out.split()[-5:] == ["-", "3", "0", "0", "1"]
    assert "invalid_json" in ran.err
    assert "\x1b" not in ran.out + ran.err


def test_events_of_now_start_journeys_and_history_does_not(lapse, place):
    assert lapse("rules", "--rules", "rules").code == 0  # the rule is live from here on
    (place / "now.jsonl").write_text(line("u1", iso(WallClock().now())))
    assert lapse("ingest", "now.jsonl", "--history").code == 0
    assert lapse("rules", "--format", "json").json["rules"]["abandoned-cart"]["started"] == 0
    (place / "more.jsonl").write_text(line("u2", iso(WallClock().now())))
    assert lapse("ingest", "more.jsonl").code == 0
    assert lapse("rules", "--format", "json").json["rules"]["abandoned-cart"]["waiting"] == 1


def test_what_counts_as_history_is_told_with_why(lapse, place):
    (place / "log.jsonl").write_text(GOOD + line("u3", iso(WallClock().now())) + line("", "2024-01-01T10:00:00Z"))
    ran = lapse("ingest", "log.jsonl")
    assert ran.err.splitlines()[-2:] == [
        "log.jsonl: 3 of 4 stored count as history, being older than 3 days (max_event_age): they start no journey",
        "log.jsonl: 1 of 4 stored lie before 'abandoned-cart' went live: they start no journey of it",
    ]
    assert "history" not in lapse("ingest", "log.jsonl").err  # nothing is stored again
    (place / "more.jsonl").write_text(line("u4", iso(WallClock().now())) + line("u5", "2024-01-01T10:00:00Z"))
    ran = lapse("ingest", "more.jsonl", "--history")
    assert ran.err == "more.jsonl: 2 of 2 stored count as history, as --history says: they start no journey\n"


def test_json_has_how_many_count_as_history(lapse, place, monkeypatch):
    monkeypatch.setenv("LAPSE_MAX_EVENT_AGE", "1 hour")
    now = WallClock().now()
    (place / "log.jsonl").write_text(line("u1", iso(now)) + line("u2", iso(now - 2 * HOUR)))
    ran = lapse("ingest", "log.jsonl", "--format", "json")
    assert (ran.json["files"][0]["stored"], ran.json["files"][0]["historical"], ran.err) == (2, 1, "")


def test_events_from_before_their_rule_went_live_are_told(lapse, place):
    (place / "rules" / "cart.rules").write_text("Rule: new\nTrigger: cart\n")
    at = iso(WallClock().now() - 2 * HOUR)
    (place / "log.jsonl").write_text(json.dumps({"event": "cart", "user_id": "ann", "timestamp": at}))
    ran = lapse("ingest", "log.jsonl")
    assert ran.err == "log.jsonl: 1 of 1 stored lie before 'new' went live: they start no journey of it\n"
    assert "1 triggers from before the rule went live, which start no journey" in lapse("rules").out
    told = " ".join(lapse("person", "ann").out.split())
    assert f"no journey: cart of {at} lies before 'new' went live: it starts no journey of 'new'" in told
    found = lapse("person", "ann", "--format", "json").json
    assert found["unstarted"] == [{"rule": "new", "event": "cart", "at": at, "reason": "before_live"}]


def test_wrong_rules_stop_it_before_anything_is_stored(lapse, place):
    (place / "log.jsonl").write_text(GOOD)
    (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")
    ran = lapse("ingest", "log.jsonl")
    assert ran.code == 2
    assert "Conditon" in ran.err
    assert "nothing was done" in ran.err
    (place / "rules" / "wrong.rules").unlink()
    assert stored(lapse("ingest", "log.jsonl", "--format", "json")) == [(3, 0, 0, 0)]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("rules/wrong.rules", "Trigger: a\nConditon: b\n", "wrong.rules:2:1: error: "),
        ("templates/cart.txt", "Dear {{ person.name", "cart.txt:1:6: error: "),
    ],
    ids=["rules", "template"],
)
@pytest.mark.parametrize("named", [(), ("--rules", "rules")], ids=["usual", "named"])
def test_where_rules_are_live_they_stay_and_events_come_in(lapse, place, file, text, told, named):
    (place / "rules" / "cart.rules").write_text(RULES + 'Action: send_email "cart"\n')
    (place / "templates").mkdir()
    (place / "templates" / "cart.txt").write_text("Hello")
    assert lapse("rules", "--rules", "rules").code == 0
    (place / file).write_text(text)
    (place / "log.jsonl").write_text(line("u1", iso(WallClock().now())))
    ran = lapse("ingest", "log.jsonl", "--format", "json", *named)
    assert (ran.code, stored(ran)) == (0, [(1, 0, 0, 0)])
    assert told in ran.err
    assert "warning: the rules have errors, so the rules that were live stay live; 'lapse check'" in ran.err
    assert lapse("rules", "--format", "json").json["rules"]["abandoned-cart"]["waiting"] == 1


SHOP = """\
Name,Email,Financial Status,Total,Created at,Lineitem name
#1,ana@example.com,paid,"59,90",2024-01-01 11:00:00 +0100,Lamp
#1,ana@example.com,,,2024-01-01 11:00:00 +0100,Bulb
"""


def test_a_vendors_export_is_stored_and_what_was_done_to_it_told(lapse, place):
    (place / "orders.csv").write_text(SHOP)
    ran = lapse("ingest", "orders.csv", "--from", "shopify", "--history")
    assert ran.code == 0
    assert "orders.csv: 1 line left out, as the preset says" in ran.err
    assert "orders.csv: 1 cell of 'Total' such as 12,50 stay text; --decimal-comma reads them as numbers" in ran.err
    (event,) = lapse("person", "ana@example.com", "--format", "json").json["timeline"]
    assert (event["at"], event["event"], event["properties"]["total"]) == (
        "2024-01-01T10:00:00Z",
        "order_placed",
        "59,90",
    )


def test_fields_that_a_file_does_not_have_come_from_options(lapse, place):
    (place / "sales.csv").write_text('when,card,sum,zip\n1704103200,c1,"7,5",08001\n')
    ran = lapse(
        "ingest", "sales.csv", "--map", "timestamp=when", "--map", "user_id=card", "--constant", "event=sale",
        "--time-unit", "seconds", "--decimal-comma", "--number", "zip", "--format", "json",
    )  # fmt: skip
    assert (ran.code, stored(ran)) == (0, [(1, 0, 0, 0)])
    (event,) = lapse("person", "c1", "--format", "json").json["timeline"]
    assert event == {"at": "2024-01-01T10:00:00Z", "event": "sale", "properties": {"sum": 7.5, "zip": 8001}}


def test_unknown_keys_are_refused_ignored_or_folded(lapse, place):
    text = line("u1", "2024-01-01 10:00:00", color="red", message_id="m1")
    (place / "log.jsonl").write_text(text)
    assert lapse("ingest", "log.jsonl", "--zone", "UTC").code == 1
    ran = lapse("ingest", "log.jsonl", "--zone", "Europe/Warsaw", "--unknown", "fold", "--format", "json")
    assert (ran.code, stored(ran)) == (0, [(1, 0, 0, 0)])
    (event,) = lapse("person", "u1", "--format", "json").json["timeline"]
    assert (event["at"], event["properties"]) == ("2024-01-01T09:00:00Z", {"color": "red"})
    (place / "log.jsonl").write_text(text.replace("m1", "m2"))
    assert lapse("ingest", "log.jsonl", "--zone", "UTC", "--unknown", "ignore").code == 0
    assert lapse("person", "u1", "--format", "json").json["timeline"][1]["properties"] == {}


def test_people_rows_of_csv_without_a_time_are_known_from_now_on(lapse, place):
    (place / "people.csv").write_text("type,user_id,timestamp,event,plan\nidentify,u1,,,pro\n")
    for _ in range(2):
        assert lapse("ingest", "people.csv").code == 0
    shown = lapse("person", "u1", "--format", "json").json
    assert shown["attributes"]["plan"] == "pro"


def test_a_dry_run_shows_the_first_lines_with_kinds_and_makes_nothing(lapse, place):
    (place / "sales.csv").write_text(
        "event,user_id,timestamp,sum,zip\n paid ,u1,2024-01-01T10:00:00Z,7.5,08001\n,u2,,,\n"
    )
    ran = lapse("ingest", "sales.csv", "--dry-run")
    assert ran.code == 1
    assert "sum = 7.5 (a number)" in ran.out
    assert "zip = 08001 (text)" in ran.out
    assert "1 cell of event had blanks around them: trimmed" in ran.err
    assert "sales.csv:3: rejected" in ran.err
    told = lapse("ingest", "sales.csv", "--dry-run", "--format", "json").json["files"][0]["lines"]
    assert told[0]["kinds"] == {"sum": "a number", "zip": "text"}
    assert [one["status"] for one in told] == ["taken", "rejected"]
    assert not list(place.glob("*.db"))


def test_a_file_that_cannot_be_read_stops_it_before_rules_go_live(lapse, place):
    (place / "log.jsonl").write_text(GOOD)
    (place / "orders.csv").write_text("Order,Sum\n1,2\n")
    ran = lapse("ingest", "log.jsonl", "orders.csv")
    assert ran.code == 2
    assert "orders.csv: line 1 must name the columns" in ran.err
    assert not list(place.glob("*.db"))


def test_a_line_a_minute_where_nobody_watches(capsys, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(GOOD)
    moments = iter([0.0, 59.0, 60.0, 61.0])
    with EventFile(path) as file:
        list(file)
        progress = ImportProgress(bars(), file, lambda: next(moments))
        for lines in (1_000, 121_000, 122_000):
            progress.advance(Summary(str(path), stored=lines - 1_000, lines=lines, duplicates=1_000))
    (told,) = capsys.readouterr().err.splitlines()
    assert told.endswith(
        "log.jsonl: 121,000 lines, 100% of the file: 120,000 stored, 1,000 held already, 0 lost; 2,017 lines/s"
    )
