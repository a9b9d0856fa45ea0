"""The read face of an engine: events page by page, and how often each came about."""

from __future__ import annotations

import datetime

import pytest

from engine import ConfigError
from engine.clock import iso
from engine.errors import RefusedError
from engine.runtime import browsing
from engine.runtime.engine import Engine

from .conftest import Lab


def add(engine: Engine, *events: tuple[str, str, str], **ids: str) -> None:
    """Events given as person, name and time."""
    items = [{"event": name, "user_id": user, "timestamp": at, **ids} for user, name, at in events]
    assert engine.ingest(items, historical=True).ok


def test_events_of_all_and_of_one_newest_first(lab: Lab) -> None:
    with lab() as here:
        add(
            here.engine,
            ("ann", "a", "2026-01-01T00:00:00Z"),
            ("bob", "b", "2025-12-31T00:00:00Z"),
            ("ann", "c", "2025-12-30T00:00:00Z"),
        )
        assert [(one.person, one.event) for one in here.engine.events().events] == [
            ("ann", "a"), ("bob", "b"), ("ann", "c"),
        ]  # fmt: skip
        assert [one.event for one in here.engine.events("ann").events] == ["a", "c"]
        assert [one.event for one in here.engine.events(names="b").events] == ["b"]
        assert [one.event for one in here.engine.events(names=["c", "b", "c", "unheard"]).events] == ["b", "c"]
        assert [one.event for one in here.engine.events("ann", names=["b", "c"]).events] == ["c"]
        between = here.engine.events(
            since="2025-12-31T01:00:00+01:00", until=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        )
        assert [one.event for one in between.events] == ["b"]
        assert here.engine.events("nobody") == here.engine.events(names=[])


def test_an_event_shows_all_that_is_known_of_it(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: track b with why = x") as here:
        receipt = here.engine.ingest(
            {"event": "a", "anonymous_id": "v", "properties": {"x": [1, None]}, "message_id": "m1"}
        )
        tracked, given = here.engine.events().events
        assert (given.id, given.person, given.message_id, given.properties) == (
            receipt.ids[0], "v", "m1", {"x": [1, None]},
        )  # fmt: skip
        assert (given.source, given.historical, given.caused_by) == ("api", False, ())
        assert (tracked.event, tracked.source, tracked.caused_by) == ("b", "action", ("r",))
        assert given.plain()["at"] == "2026-01-01T00:00:00Z"


def test_pages_hold_while_events_arrive_on_either_side(lab: Lab) -> None:
    with lab() as here:
        add(here.engine, *(("ann", "a", f"2025-12-{day:02}T00:00:00Z") for day in range(1, 10)))
        first = here.engine.events(limit=4)
        assert [one.at for one in first.events] == sorted((one.at for one in first.events), reverse=True)
        add(here.engine, ("ann", "new", "2025-12-20T00:00:00Z"), ("ann", "old", "2025-12-02T12:00:00Z"))
        second = here.engine.events(limit=4, after=first.after)
        third = here.engine.events(limit=4, after=second.after)
        seen = [iso(one.at)[8:13] for page in (first, second, third) for one in page.events]
        assert seen == ["09T00", "08T00", "07T00", "06T00", "05T00", "04T00", "03T00", "02T12", "02T00", "01T00"]
        assert third.after is None


def test_a_page_is_never_larger_than_the_setting(lab: Lab) -> None:
    with lab(page_limit=3) as here:
        add(here.engine, *(("ann", "a", f"2025-12-{day:02}T00:00:00Z") for day in range(1, 5)))
        assert [len(here.engine.events(limit=limit).events) for limit in (2, 3, 4, 0)] == [2, 3, 3, 1]


def test_merged_people_keep_their_ids(lab: Lab) -> None:
    with lab() as here:
        add(here.engine, ("ann", "a", "2025-12-01T00:00:00Z"))
        here.engine.ingest({"event": "seen", "anonymous_id": "v"})
        here.engine.ingest({"event": "logged_in", "user_id": "ann", "anonymous_id": "v"})
        assert {one.event for one in here.engine.events("v").events} == {"a", "seen", "logged_in"}
        assert here.engine.events("v") == here.engine.events("ann")
        assert {one.person for one in here.engine.events().events} == {"ann"}


def test_what_is_no_cursor_or_moment_is_refused(lab: Lab) -> None:
    with lab() as here:
        with pytest.raises(ConfigError, match="cursor"):
            here.engine.events(after="next")
        with pytest.raises(RefusedError, match="offset"):
            here.engine.events(since="2026-01-01T00:00:00")
        with pytest.raises(ConfigError, match="time zone"):
            here.engine.event_counts("day", zone="Mars/Base")
        with pytest.raises(ConfigError, match="per hour, day or week, not 'month'"):
            here.engine.event_counts("month")  # type: ignore[arg-type]


def test_counts_follow_the_calendar_of_their_zone(lab: Lab) -> None:
    """Clocks in Warsaw went forward on 2025-03-30 (a Sunday) and back on 2025-10-26."""
    with lab(zone="Europe/Warsaw") as here:
        add(
            here.engine,
            ("ann", "a", "2025-03-29T22:59:00Z"),
            ("ann", "a", "2025-03-29T23:00:00Z"),
            ("ann", "a", "2025-03-30T21:59:00Z"),
            ("ann", "a", "2025-03-30T22:00:00Z"),
            ("bob", "b", "2025-03-30T12:00:00Z"),
        )
        days = [(iso(one.start), one.event, one.times) for one in here.engine.event_counts("day")]
        assert days == [
            ("2025-03-28T23:00:00Z", "a", 1),
            ("2025-03-29T23:00:00Z", "a", 2),
            ("2025-03-29T23:00:00Z", "b", 1),
            ("2025-03-30T22:00:00Z", "a", 1),
        ]
        weeks = [(iso(one.start), one.times) for one in here.engine.event_counts("week", names="a")]
        assert weeks == [("2025-03-23T23:00:00Z", 3), ("2025-03-30T22:00:00Z", 1)]
        utc = [(iso(one.start), one.times) for one in here.engine.event_counts("day", names=["a"], zone="UTC")]
        assert utc == [("2025-03-29T00:00:00Z", 2), ("2025-03-30T00:00:00Z", 2)]


def test_an_hour_that_comes_twice_is_counted_twice(lab: Lab) -> None:
    with lab() as here:
        add(here.engine, ("ann", "a", "2025-10-26T00:30:00Z"), ("ann", "a", "2025-10-26T01:30:00Z"))
        found = here.engine.event_counts("hour", zone="Europe/Warsaw", since="2025-10-26T00:00:00Z")
        assert [(iso(one.start), one.times) for one in found] == [
            ("2025-10-26T00:00:00Z", 1), ("2025-10-26T01:00:00Z", 1),
        ]  # fmt: skip
        later = here.engine.event_counts(
            "hour", since="2025-10-26T00:30:00.000001Z", until="2025-10-26T01:30:00.000001Z"
        )
        assert [one.times for one in later] == [1]


def test_what_counts_cost_is_told_by_what_there_is_not_by_what_is_asked_for(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    plain = browsing._ahead
    monkeypatch.setattr(browsing, "_ahead", lambda at, zone: (looked.append(at), plain(at, zone))[1])
    with lab(zone="Europe/Warsaw") as here:
        ever = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}
        assert here.engine.event_counts("hour", **ever) == []
        add(here.engine, ("ann", "a", "2025-03-28T12:00:00Z"), ("ann", "a", "2025-04-01T12:00:00Z"))
        assert [one.times for one in here.engine.event_counts("week", **ever)] == [1, 1]
        assert here.engine.event_counts("hour", since=ever["until"]) == []
    assert 0 < len(looked) < 100


def test_events_ahead_of_now_are_counted(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest({"event": "a", "user_id": "ann", "timestamp": "2026-01-01T00:05:00Z"})
        assert [one.times for one in here.engine.event_counts("week")] == [1]
