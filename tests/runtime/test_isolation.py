"""One person's trouble is their own: whatever fails for one of a hundred, the others get what they get without it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StoreError
from engine.journeys import payload
from engine.testing import Travel

from . import faulting
from .conftest import Lab
from .faulting import Fault, Outcome, play

SOME = (
    "engine.journeys.advance:advance",
    "engine.journeys.advance:_Work._take_back",
    "engine.journeys.calendar:add",
    "engine.journeys.calendar:next_time",
    "engine.journeys.conditions:decide",
    "engine.journeys.draws:drawn_holdout",
    "engine.journeys.journey:dump",
    "engine.journeys.leaving:leaving",
    "engine.journeys.payload:variables",
    "engine.journeys.payload:said",
    "engine.journeys.standing:becoming_true",
    "engine.runtime.deciding:Deciding._outgoing",
    "engine.runtime.deciding:Deciding._watch_row",
    "engine.runtime.loading:revived",
    "engine.runtime.loading:event_of",
    "engine.runtime.outgoing:Claiming._ask",
    "engine.runtime.outgoing:Claiming._left",
    "engine.runtime.outgoing:Claiming._kept_back",
    "engine.runtime.outgoing:Claiming._route",
    "engine.runtime.pressure:Pressure.refusal",
    "engine.runtime.recording:_after",
    "engine.runtime.sealing:Sealer.sealed",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return play(tmp_path_factory.mktemp("sound"))


def check(name: str, folder: Path, sound: Outcome) -> Outcome:
    """Everybody else gets the same, byte for byte; the troubled one gets theirs once it is mended."""
    found = play(folder, Fault(name))
    assert found.others == sound.others
    assert found.actions == sound.actions
    return found


@pytest.mark.parametrize("name", SOME)
def test_the_other_99_get_what_they_get_without_the_fault(name: str, tmp_path: Path, sound: Outcome) -> None:
    found = check(name, tmp_path, sound)
    assert found.raised
    assert found.aside
    assert all(error.startswith("ZeroDivisionError at engine/") for _, error in found.aside)


@pytest.mark.long
@pytest.mark.parametrize("name", faulting.functions())
def test_whichever_function_it_is(name: str, tmp_path: Path, sound: Outcome) -> None:
    if not check(name, tmp_path, sound).raised:
        pytest.skip("it is not called for this person")


def test_the_scenario_is_worth_something(sound: Outcome) -> None:
    assert len(sound.people) == faulting.CROWD
    assert {row[3] for row in sound.actions} == {"'cart'", "None"}
    assert len(sound.actions) >= 6


RULES = """
Rule: cart
Trigger: cart
Condition: NOT bought within 1 hour
Action: mail with x = trigger.x

Rule: hello
Trigger: cart
Action: hello
"""


class Trouble:
    """Fails in the payload of chosen people's actions, for as long as ``error`` says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *people: str, action: str = "mail") -> None:
        self.people, self.action = set(people), action
        self.error: BaseException = ZeroDivisionError("p7's own words")
        self.tries: list[str] = []
        original = payload.variables

        def variables(effect: Any, done: Any, journey: Any, scene: Any) -> dict[str, Any]:
            if scene.person in self.people and effect.name == self.action:
                self.tries.append(scene.person)
                raise self.error
            return original(effect, done, journey, scene)

        monkeypatch.setattr("engine.journeys.payload.variables", variables)


def carts(*people: str) -> list[dict[str, object]]:
    return [{"event": "cart", "user_id": one, "message_id": f"m-{one}", "properties": {"x": one}} for one in people]


def got(here: Travel, action: str = "mail") -> list[str]:
    return sorted(one.person for one in here.engine.sent() if one.action == action)


def test_a_good_event_of_the_same_call_is_kept_and_so_is_the_troubled_ones(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lab(RULES) as here:
        trouble = Trouble(monkeypatch, "p7", action="hello")
        receipt = here.engine.ingest(carts("p6", "p7", "p8"))
        assert receipt.ok
        here.engine.run_due()
        assert got(here, "hello") == ["p6", "p8"]
        seen = here.engine.person("p7")
        assert seen is not None
        assert [name for _, name, _ in seen.timeline if name == "cart"] == ["cart"]
        trouble.people.clear()
        here.move("2 hours")
        assert got(here, "hello") == ["p6", "p7", "p8"]
        assert got(here) == ["p6", "p7", "p8"]


def test_it_is_tried_again_after_pauses_that_double(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(RULES, faults={"first_retry": "1 minute", "longest_retry": "10 minutes"}) as here:
        trouble = Trouble(monkeypatch, "p7")
        here.engine.ingest(carts("p7"))
        here.move("1 hour")
        tried = []
        for _ in range(31):
            tried.append(len(trouble.tries))
            here.move("1 minute")
        assert [minute for minute in range(1, 31) if tried[minute] > tried[minute - 1]] == [1, 3, 7, 15, 25]


def test_what_has_become_late_meanwhile_is_skipped_as_after_downtime(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(RULES, late="6 hours") as here:
        trouble = Trouble(monkeypatch, "p7", "p8")
        here.engine.ingest(carts("p6", "p7", "p8"))
        here.move("3 hours")
        trouble.people.discard("p8")
        here.move("5 hours")
        trouble.people.clear()
        here.move("2 hours")
        assert got(here) == ["p6", "p8"]
        counts = {one.rule: one for one in here.engine.counts_by_rule()}
        assert counts["cart"].outbox == {"sent": 2, "skipped_late": 1}
        assert here.engine.set_aside() == {}


def test_what_touches_somebody_set_aside_waits_with_them(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(RULES) as here:
        trouble = Trouble(monkeypatch, "p7", action="hello")
        here.engine.ingest(carts("p7"))
        tries = len(trouble.tries)
        here.clock.move("10 seconds")
        here.engine.ingest({"event": "cart", "user_id": "p7", "message_id": "m2"})
        here.engine.run_due()
        here.engine.person("p7")
        assert len(trouble.tries) == tries
        trouble.people.clear()
        here.move("1 hour")
        assert len(got(here, "hello")) == 2


@pytest.mark.parametrize("error", [MemoryError(), StoreError("no"), OSError("no"), KeyboardInterrupt()])
def test_errors_of_the_store_and_the_process_set_nobody_aside(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    with lab(RULES) as here:
        trouble = Trouble(monkeypatch, "p7")
        here.engine.ingest(carts("p6", "p7"))
        trouble.error = error
        here.clock.move("1 hour")
        with pytest.raises(type(error)):
            here.engine.run_due()
        assert here.engine.set_aside() == {}
        trouble.people.clear()
        here.engine.run_due()
        assert got(here) == ["p6", "p7"]


def test_an_error_is_told_once_and_without_its_words(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with lab(RULES) as here, caplog.at_level(logging.ERROR):
        Trouble(monkeypatch, "p7", "p8", "p9")
        here.engine.ingest(carts("p7", "p8"))
        here.move("3 hours")
        here.engine.ingest(carts("p9"))
        here.move("3 hours")
        told = [record.getMessage() for record in caplog.records if record.name == "lapse.faults"]
        assert len(told) == 1
        assert "'cart'" in told[0]
        assert "ZeroDivisionError at engine/runtime/deciding.py" in told[0]
        assert "p7" not in told[0]


def test_a_rule_that_fails_for_too_many_is_paused_and_goes_on_when_resumed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    people = [f"p{number}" for number in range(8)]
    with lab(RULES, faults={"people": 5}) as here, caplog.at_level(logging.ERROR):
        trouble = Trouble(monkeypatch, *people[:4])
        here.engine.ingest(carts(*people[:7]))
        here.move("2 hours")
        assert here.engine.set_aside() == {"cart": 4}
        assert not here.engine.pauses()
        trouble.people.add("p7")
        here.engine.ingest(carts("p7"))
        here.move("2 hours")
        (pause,) = here.engine.pauses()
        assert (pause.kind, pause.name) == ("rule", "cart")
        assert pause.reason.startswith("it failed for 5 people")
        assert [one for one in caplog.messages if "is paused" in one and "lapse resume cart" in one]
        tries = len(trouble.tries)
        here.move("3 hours")
        assert len(trouble.tries) == tries
        assert got(here, "hello") == people
        trouble.people.clear()
        here.engine.resume("cart")
        here.move("1 minute")
        assert got(here) == people
        assert here.engine.set_aside() == {}


def test_an_edit_of_the_rule_tries_it_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with lab(RULES, faults={"first_retry": "1 day", "longest_retry": "1 day"}) as here:
        trouble = Trouble(monkeypatch, "p7")
        here.engine.ingest(carts("p7"))
        here.move("2 hours")
        trouble.people.clear()
        here.engine.run_due()
        assert got(here) == []
        (tmp_path / "r0.rules").write_text(RULES.replace("with x = trigger.x", "with x = trigger.x, y = 1"))
        here.engine.reload()
        here.engine.run_due()
        assert got(here) == ["p7"]


def test_a_person_who_is_erased_or_becomes_another_is_set_aside_no_more(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lab(RULES) as here:
        trouble = Trouble(monkeypatch, "p7", "a1", action="hello")
        here.engine.ingest(carts("p7"))
        here.engine.ingest({"event": "cart", "anonymous_id": "a1", "message_id": "m-a1"})
        assert here.engine.set_aside() == {"hello": 2}
        here.engine.erase("p7")
        assert here.engine.set_aside() == {"hello": 1}
        trouble.people.clear()
        here.engine.identify("p8", {"plan": "free"})
        here.engine.identify("p8", anonymous_id="a1")
        here.engine.run_due()
        assert got(here, "hello") == ["p8"]
        assert here.engine.set_aside() == {}


def test_how_many_are_set_aside_and_why_is_shown(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(RULES) as here:
        Trouble(monkeypatch, "p7", "p8")
        here.engine.ingest(carts("p6", "p7", "p8"))
        here.move("1 hour")
        counts = {one.rule: one for one in here.engine.counts_by_rule()}
        assert (counts["cart"].set_aside, counts["hello"].set_aside) == (2, 0)
        (fault,) = counts["cart"].faults
        assert (fault.stage, fault.people, fault.examples) == ("decide", 2, ("p7", "p8"))
        assert fault.error.startswith("ZeroDivisionError at engine/runtime/deciding.py")
        assert json.loads(json.dumps(counts["cart"].plain()))["faults"][0]["people"] == 2
