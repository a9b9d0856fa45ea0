"""ISO 8601 as people and databases write it."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.iso8601 import LONGEST, read_iso

DATES = st.dates(min_value=datetime.date(1, 1, 1))
TIMES = st.times().filter(lambda time: time.fold == 0)


def spellings_of_date(date: datetime.date) -> list[str]:
    week = date.isocalendar()
    year = f"{date.year:04d}"
    ordinal = f"{date.timetuple().tm_yday:03d}"
    iso_week = f"{week.year:04d}", f"W{week.week:02d}", str(week.weekday)
    return [
        date.isoformat(),
        date.isoformat().replace("-", ""),
        f"{year}-{ordinal}",
        f"{year}{ordinal}",
        "-".join(iso_week),
        "".join(iso_week),
    ]


@given(DATES, TIMES, st.sampled_from([None, 0, 90, -570]))
def test_every_spelling_of_a_moment_says_the_same(date: datetime.date, time: datetime.time, east: int | None) -> None:
    offset = None if east is None else datetime.timedelta(minutes=east)
    sign = "-" if (east or 0) < 0 else "+"
    hours, minutes = divmod(abs(east or 0), 60)
    suffixes = [""] if east is None else [f"{sign}{hours:02d}:{minutes:02d}", f" {sign}{hours:02d}{minutes:02d}"]
    wall = datetime.datetime.combine(date, time)
    for written in spellings_of_date(date):
        for clock in (time.isoformat(), time.isoformat().replace(":", "").replace(".", ",")):
            for suffix in suffixes:
                text = f"{written}T{clock}{suffix}"
                assert read_iso(text) == (wall, True, offset), text
        assert read_iso(written) == (datetime.datetime.combine(date, datetime.time()), False, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-11",
        "202611",
        "26-11-30",
        "2026-W49",
        "2026-W54-1",
        "2026-366",
        "2026-000",
        "2026-11-31",
        "2026-11-30T",
        "2026-11-30T25:00Z",
        "2026-11-30T10:60Z",
        "2026-11-30T10:00:61Z",
        "2026-11-30T24:00:00.1Z",
        "2026-11-30T10:00+24:00",
        "2026-11-30T10:00 CET",
        "2026-11-30 10:00 PM",
        "30/11/2026",
        "2026-11-30T10:00:00Z\n",
        "9999-12-31T24:00Z",
        "2026-11-30T10:00:00." + "0" * LONGEST + "Z",
    ],
)
def test_what_is_no_moment_or_leaves_doubt_is_not_read(text: str) -> None:
    assert read_iso(text) is None


@given(st.text())
def test_any_text_is_read_or_not_and_never_raises(text: str) -> None:
    read_iso(text)
