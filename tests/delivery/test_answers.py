"""What an answer means, and when its sender wants to be asked again."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import micros
from engine.delivery.answers import Answer, judge, retry_after
from engine.delivery.channels import SendError

NOW = micros(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (" 7 ", 7),
        ("86400", 86_400),
        ("9999999999", 9_999_999_999),
        ("10000000000", None),
        ("9" * 5_000, None),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("Thursday, 01-Jan-26 00:02:00 GMT", 120),
        ("Thu Jan  1 00:02:00 2026", 120),
        ("Thu, 01 Jan 2026 01:02:00 +0100", 120),
        ("Wed, 31 Dec 2025 23:59:59 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("7, 8", None),
        ("", None),
        ("Thu, 99 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


def test_a_date_counts_from_the_answers_own() -> None:
    """The receiver's clock is an hour behind, and what it asks for is ten minutes."""
    headers = {"date": "Wed, 31 Dec 2025 23:00:00 GMT", "retry-after": "Wed, 31 Dec 2025 23:10:00 GMT"}
    assert retry_after(headers, NOW) == 600


def test_a_date_that_is_none_does_not_count() -> None:
    assert retry_after({"date": "today", "retry-after": "Thu, 01 Jan 2026 00:10:00 GMT"}, NOW) == 600


def test_without_the_header_nothing_is_said() -> None:
    assert retry_after({}, NOW) is None


@given(st.text(), st.text())
def test_garbage_is_ignored(text: str, date: str) -> None:
    found = retry_after({"retry-after": text, "date": date}, NOW)
    assert found is None or found >= 0


@pytest.mark.parametrize("status", [101, 103, 199])
def test_what_is_no_answer_is_final(status: int) -> None:
    with pytest.raises(SendError, match=str(status)) as caught:
        judge(Answer(status, {}), NOW)
    assert caught.value.permanent


@pytest.mark.parametrize("status", [600, 999])
def test_what_no_standard_knows_is_worth_another_try(status: int) -> None:
    with pytest.raises(SendError, match=str(status)) as caught:
        judge(Answer(status, {}), NOW)
    assert not caught.value.permanent
