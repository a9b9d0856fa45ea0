"""When a wait ends (section 2, ruling 22)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from engine.journeys import rulebook, waits
from engine.journeys.conditions import ENDS, EVENTS
from engine.journeys.rulebook import Person, Settings
from engine.language import nodes
from tests.oracle.build import attr, ev, hour
from tests.oracle.oracle import Change, Event

from .scenes import entry, in_hours, scene, wait
from .story import rule_of

PERSONS_ZONE = rule_of("Trigger: start\nZone: person.timezone\nAction: mail")


def ended(text: str, entries: tuple[Event | Change, ...], until: float, rule: nodes.Rule | None = None) -> str:
    """Of a wait from hour 0 on: ``over@9``, ``over@0 past``, ``over@24 not after 72``, ``until@9``, ``no_date@0``."""
    here = scene(*entries)
    asked = rule or rule_of("Trigger: start\nAction: mail")

    def zone_at(at: int) -> ZoneInfo:
        found = rulebook.zone_of(None, asked, Person("p", here.timeline), Settings(), at)
        assert isinstance(found, ZoneInfo)
        return found

    found = waits.ending(wait(text), here, entry(0), (hour(until), ENDS), zone_at)
    match found:
        case waits.Until(due=due):
            return f"until@{in_hours(due):g}"
        case waits.NoDate(at=at):
            return f"no_date@{in_hours(at):g}"
        case waits.Over(point=point, past=past, not_after=not_after):
            most = "" if not_after is None else f" not after {in_hours(not_after):g}"
            return f"over@{in_hours(point[0]):g}{' past' if past else ''}{most}"


RENEWS = attr(-1, renews="2026-01-04")  # hour 72


@pytest.mark.parametrize(
    ("text", "entries", "until", "outcome"),
    [
        pytest.param("2 days", (), 47, "until@48", id="a length, still waiting"),
        pytest.param("2 days", (), 48, "over@48", id="a length"),
        pytest.param("until 09:00", (), 100, "over@9", id="the next such moment"),
        pytest.param("until 00:00", (), 100, "over@0", id="ruling 22: at entry"),
        pytest.param("until monday 09:00", (), 200, "over@105", id="a weekday"),
        pytest.param("until view for at most 3 days", (), 71, "until@72", id="no event yet"),
        pytest.param("until view for at most 3 days", (), 72, "over@72", id="no event"),
        pytest.param("until view for at most 3 days", (ev(5, "view"),), 72, "over@5", id="at the event"),
        pytest.param("until view for at most 3 days", (ev(72, "view"),), 72, "over@72", id="at its last moment"),
        pytest.param("until person.renews", (RENEWS,), 100, "over@72", id="a date"),
        pytest.param("until person.renews", (), 100, "no_date@0", id="ruling 22: missing"),
        pytest.param("until person.renews", (attr(-1, renews="soon"),), 100, "no_date@0", id="ruling 22: unreadable"),
        pytest.param("until person.renews", (attr(-1, renews="2025-12-31"),), 100, "over@0 past", id="already past"),
        pytest.param("until person.renews", (attr(-1, renews="2026-01-01"),), 100, "over@0", id="now is not past"),
        pytest.param("until 1 day before person.renews", (RENEWS,), 100, "over@48 not after 72", id="before"),
        pytest.param(
            "until 4 days before person.renews", (RENEWS,), 100, "over@0 past not after 72", id="before, already past"
        ),
        pytest.param(
            "until 1 day before person.renews at 09:00", (RENEWS,), 100, "over@57 not after 72", id="at a time"
        ),
        pytest.param("until 2 hours after person.renews", (RENEWS,), 100, "over@74", id="after"),
        pytest.param("until 1 month after person.renews", (RENEWS,), 2000, "over@816", id="a month after"),
        pytest.param(
            "until person.renews", (RENEWS, attr(10, renews="2026-01-03")), 100, "over@48", id="ruling 22: read again"
        ),
        pytest.param(
            "until person.renews",
            (RENEWS, attr(60, renews="2026-01-02")),
            100,
            "over@60 past",
            id="changed to the past",
        ),
        pytest.param("until person.renews", (RENEWS, attr(60, renews=None)), 100, "no_date@60", id="taken away"),
        pytest.param(
            "until person.renews", (RENEWS, attr(72, renews="2026-01-09")), 100, "until@192", id="changed at its moment"
        ),
    ],
)
def test_a_wait(text: str, entries: tuple[Event | Change, ...], until: float, outcome: str) -> None:
    assert ended(text, entries, until) == outcome


@pytest.mark.parametrize(
    ("text", "entries", "outcome"),
    [
        pytest.param("until 09:00", (attr(-1, timezone="Europe/Warsaw"),), "over@8", id="the person's clock"),
        pytest.param(
            "until 09:00",
            (attr(-1, timezone="Europe/Warsaw"), attr(5, timezone="America/New_York")),
            "over@14",
            id="ruling 22: worked out again when the zone changes",
        ),
        pytest.param(
            "until person.renews",
            (attr(-1, timezone="Europe/Warsaw", renews="2026-01-04"),),
            "over@71",
            id="midnight there",
        ),
        pytest.param(
            "until person.renews",
            (attr(-1, renews="2026-01-04T00:00Z", timezone="Asia/Tokyo"),),
            "over@72",
            id="an offset",
        ),
    ],
)
def test_a_wait_in_the_persons_zone(text: str, entries: tuple[Event | Change, ...], outcome: str) -> None:
    assert ended(text, entries, 100, PERSONS_ZONE) == outcome


def test_ruling_5_the_event_a_wait_ended_at_is_named() -> None:
    here = scene(ev(5, "view"))
    found = waits.ending(wait("until view for at most 3 days"), here, entry(0), (hour(9), ENDS), lambda _: here.zone)
    assert isinstance(found, waits.Over)
    assert (found.point, found.events) == ((hour(5), EVENTS), frozenset((here.timeline.events[0].id,)))
