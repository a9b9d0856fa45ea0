"""``lapse events``."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(autouse=True)
def log(lapse, place):
    lines = [
        {"event": "a", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z", "properties": {"total": 5, "name": "x"}},
        {"event": "b", "user_id": "bob", "timestamp": "2026-01-01T12:00:00Z"},
        {"event": "a", "user_id": "bob", "timestamp": "2026-01-02T00:00:00Z"},
    ]
    (place / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert lapse("ingest", "log.jsonl").code == 0


def shown(ran) -> list[tuple[str, str]]:
    assert ran.code == 0
    return [(one["person"], one["event"]) for one in ran.json["events"]]


def test_all_events_newest_first(lapse):
    ran = lapse("events")
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[-3:] == [
        ["2026-01-02", "00:00", "bob", "a"],
        ["2026-01-01", "12:00", "bob", "b"],
        ["2026-01-01", "00:00", "ann", "a", "name", "=", "x,", "total", "=", "5"],
    ]


def test_those_of_a_person_of_a_name_of_a_time(lapse):
    assert shown(lapse("events", "bob", "--format", "json")) == [("bob", "a"), ("bob", "b")]
    assert shown(lapse("events", "--event", "a", "--format", "json")) == [("bob", "a"), ("ann", "a")]
    both = ("--event", "a", "--event", "b", "--until", "2026-01-02T00:00:00Z")
    assert shown(lapse("events", *both, "--format", "json")) == [("bob", "b"), ("ann", "a")]
    assert shown(lapse("events", "--since", "2026-01-01T13:00:00+01:00", "--format", "json"))[-1] == ("bob", "b")
    assert lapse("events", "eve").out == "no events\n"


def test_page_after_page(lapse):
    first = lapse("events", "--limit", "2", "--format", "json")
    second = lapse("events", "--limit", "2", "--after", first.json["after"], "--format", "json")
    assert shown(first) + shown(second) == [("bob", "a"), ("bob", "b"), ("ann", "a")]
    assert second.json["after"] is None
    assert lapse("events", "--limit", "2").out.endswith(f"older ones: --after {first.json['after']}\n")


def test_counts(lapse):
    ran = lapse("events", "--counts", "day", "--format", "json")
    assert ran.json["counts"] == [
        {"start": "2026-01-01T00:00:00Z", "event": "a", "times": 1},
        {"start": "2026-01-01T00:00:00Z", "event": "b", "times": 1},
        {"start": "2026-01-02T00:00:00Z", "event": "a", "times": 1},
    ]
    rows = [line.split() for line in lapse("events", "--counts", "week", "--event", "a").out.splitlines()]
    assert rows[-1] == ["2025-12-29", "00:00", "a", "2"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--after", "x"), "'x' is no cursor"),
        (("--since", "2026-01-01"), "--since"),
        (("--limit", "0"), "--limit"),
        (("ann", "--counts", "day"), "leave the person out"),
        (("--counts", "month"), "month"),
    ],
)
def test_what_cannot_be_asked_is_told_plainly(lapse, words, told):
    ran = lapse("events", *words)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
