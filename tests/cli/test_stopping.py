"""Signals are heard from the start to the end, and a deadline ends whatever does not end by itself."""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter

import pytest

from engine.cli.stopping import Stopping, StopRequested, stopping

PATIENCE = 60.0


class Deadline:
    """A deadline that a test moves: ``pass_by`` lets it pass."""

    def __init__(self):
        self.asked = []
        self.passed = threading.Event()
        self.codes = []
        self.ended = threading.Event()
        self.stop = Stopping(end=self._end, wait=self._wait)

    def _wait(self, over, seconds):
        self.asked.append(seconds)
        assert self.passed.wait(PATIENCE)
        return over.is_set()

    def _end(self, code):
        self.codes.append(code)
        self.ended.set()


@pytest.fixture
def deadline():
    made = Deadline()
    yield made
    made.passed.set()


@pytest.fixture
def handlers():
    """The process' own handlers are put back: after a request they stay harmless."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def test_what_has_not_ended_at_the_deadline_is_ended_and_told_in_one_line(deadline, caplog):
    stop = deadline.stop
    stop.seconds = 3.5
    stop.under_way = lambda: Counter(at_least_once=8, at_most_once=3)
    with caplog.at_level(logging.INFO, "lapse"):
        stop.request()
        deadline.passed.set()
        assert deadline.ended.wait(PATIENCE)
    assert (deadline.asked, deadline.codes) == ([3.5], [0])
    assert [one.getMessage() for one in caplog.records] == [
        "stopped by force 3.5 seconds after the signal (stop_after) with 11 sends under way: 8 will be sent again "
        "with the same id when their lease is over, 3 at most once and will be parked"
    ]


def test_what_has_ended_by_itself_is_not_ended_again(deadline):
    deadline.stop.request()
    deadline.stop.finish()
    deadline.passed.set()
    assert not deadline.ended.wait(0.05)


def test_a_log_that_nobody_reads_does_not_hold_up_the_end(deadline, monkeypatch):
    monkeypatch.setattr("engine.cli.stopping.TELLING_SECONDS", 0.01)
    hanging = threading.Event()
    deadline.stop.under_way = lambda: hanging.wait(PATIENCE) and {}
    deadline.stop.request()
    deadline.passed.set()
    assert deadline.ended.wait(PATIENCE)
    hanging.set()


def test_a_second_request_begins_nothing_anew(deadline):
    begun = []
    deadline.stop.on_request(lambda: begun.append("early"))
    deadline.stop.request()
    deadline.stop.request()
    deadline.stop.on_request(lambda: begun.append("late"))
    deadline.passed.set()
    assert deadline.ended.wait(PATIENCE)
    assert begun == ["early", "late"]
    assert len(deadline.asked) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_start_and_further_ones_are_harmless(handlers, number):
    reached = []
    with stopping() as stop:
        reached.append("start")
        try:
            signal.raise_signal(number)
            reached.append("never")
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            reached.append("undone")
    signal.raise_signal(signal.SIGTERM)
    assert stop.requested.is_set()
    assert reached == ["start", "undone"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_the_start_a_signal_interrupts_nothing(handlers, number):
    with stopping() as stop:
        stop.started()
        signal.raise_signal(number)
        assert stop.requested.wait(PATIENCE)
        signal.raise_signal(number)


def test_a_signal_is_heard_while_the_main_thread_runs_no_handler(handlers, deadline):
    """As while it waits for the store: the handler alone would make no request."""
    with deadline.stop.listening():
        deadline.stop.started()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: None)
        signal.raise_signal(signal.SIGTERM)
        assert deadline.stop.requested.wait(PATIENCE)
    deadline.passed.set()


def test_without_a_signal_everything_is_as_before(handlers):
    before = signal.getsignal(signal.SIGTERM)
    with stopping() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert not stop.requested.is_set()


def test_it_is_no_error_that_others_catch():
    assert not issubclass(StopRequested, Exception)
