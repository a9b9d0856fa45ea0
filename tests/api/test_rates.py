"""Rate limits keep to time as it passes: a clock that is set back closes no door for long."""

from __future__ import annotations

import time

import pytest

from engine.api.dialect import Refused
from engine.api.rates import Rates

DAY = 86_400.0


def test_requests_of_a_time_that_was_taken_back_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    rates = Rates({}, "2/minute")
    now[0] += DAY
    for _ in range(2):
        rates.count_keyless("192.0.2.1")
    now[0] -= DAY
    for _ in range(2):
        rates.count_keyless("192.0.2.1")
    with pytest.raises(Refused) as refused:
        rates.count_keyless("192.0.2.1")
    assert int(refused.value.headers["Retry-After"]) <= 60
    now[0] -= 0.5
    with pytest.raises(Refused):
        rates.count_keyless("192.0.2.1")
