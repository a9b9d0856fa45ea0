"""``lapse rules`` and ``lapse person``."""

from __future__ import annotations

import json
import re

import pytest

from engine.clock import HOUR, WallClock, iso
from engine.runtime.engine import Engine
from engine.testing import Clock, Recorder

RULES = """\
# Abandoned cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours

# Welcome
Trigger: signed_up
Action: send_email "hello"
"""


@pytest.fixture
def store(lapse, place):
    """Two people: ann filled a cart and bought, bob filled one and signed up."""
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text(RULES)
    assert lapse("rules", "--rules", "rules").code == 0  # live from here on
    now = WallClock().now()
    events = [
        {"type": "identify", "user_id": "ann", "traits": {"plan": "free"}, "timestamp": iso(now - HOUR)},
        {"event": "cart_updated", "user_id": "ann", "timestamp": iso(now), "properties": {"total": 5}},
        {"event": "purchase_completed", "user_id": "ann", "timestamp": iso(now)},
        {"event": "cart_updated", "user_id": "bob", "anonymous_id": "b-1", "timestamp": iso(now)},
        {"event": "signed_up", "user_id": "bob", "timestamp": iso(now)},
    ]
    (place / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    assert lapse("ingest", "log.jsonl").code == 0
    return now


def test_rules_counts_what_each_has_done(lapse, store):
    ran = lapse("rules", "--format", "json")
    assert ran.code == 0
    cart, welcome = ran.json["rules"]["abandoned-cart"], ran.json["rules"]["welcome"]
    assert {name: cart[name] for name in ("started", "acted", "ended", "waiting")} == {
        "started": 2, "acted": 0, "ended": 1, "waiting": 1,
    }  # fmt: skip
    assert (welcome["started"], welcome["waiting"], welcome["paused"]) == (1, 1, False)
    assert welcome["outbox"] == {"pending": 1}


def test_rules_say_when_something_could_not_be_looked_at(lapse, store, monkeypatch):
    monkeypatch.setattr(Engine, "settle", lambda engine, patience: patience > 1)
    ran = lapse("rules")
    assert ran.code == 0
    assert "events nobody has looked at yet are left out of these figures" in " ".join(ran.err.split())


def test_rules_for_people(lapse, store):
    ran = lapse("rules")
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["abandoned-cart", "2", "0", "1", "1", "0", "0", "0", "0"] in rows
    assert any(row[:2] == ["welcome", "1"] for row in rows)


def test_a_person_as_json(lapse, store):
    ran = lapse("person", "ann", "--format", "json")
    assert ran.code == 0
    assert ran.json["identifiers"] == [{"kind": "user", "value": "ann"}]
    assert ran.json["attributes"] == {"plan": "free"}
    assert [one["event"] for one in ran.json["timeline"]] == ["", "cart_updated", "purchase_completed"]
    (journey,) = ran.json["journeys"]
    assert (journey["rule"], journey["ended_at"]) == ("abandoned-cart", iso(store))


def test_a_person_for_people(lapse, store):
    ran = lapse("person", "b-1")
    assert ran.code == 0
    assert "user bob" in ran.out
    assert "anonymous b-1" in ran.out
    assert "waiting until " in ran.out


def test_a_journey_of_a_rule_that_was_removed_keeps_its_name(lapse, store, place):
    (place / "rules" / "some.rules").write_text(RULES.partition("# Welcome")[0])
    assert lapse("rules", "--rules", "rules").code == 0
    ran = lapse("person", "bob", "--format", "json")
    assert {(one["rule"], one["removed"]) for one in ran.json["journeys"]} == {
        ("abandoned-cart", False), ("welcome", True),
    }  # fmt: skip
    told = lapse("person", "bob").out
    assert re.search(r"^welcome \(removed\) .* ended ", told, re.MULTILINE)
    assert re.search(r"^abandoned-cart  .* waiting until ", told, re.MULTILINE)


def test_an_id_nobody_has(lapse, store):
    ran = lapse("person", "eve")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "nobody has the id 'eve'\n"


def test_showing_what_is_live_makes_nothing_live(lapse, place, new_store):
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text(RULES)
    ran = lapse("rules")
    assert (ran.code, ran.out) == (0, "no rule is live; 'lapse run' makes those of a folder live\n")


def test_what_is_live_stays_so_wherever_it_is_looked_at_from(lapse, store, place):
    (place / "rules" / "some.rules").write_text("Rule: other\nTrigger: z\n")
    assert list(lapse("rules", "--format", "json").json["rules"]) == ["abandoned-cart", "welcome"]
    assert lapse("person", "ann").code == 0
    assert list(lapse("rules", "--format", "json").json["rules"]) == ["abandoned-cart", "welcome"]


def test_waiting_journeys_are_taken_along_when_asked_for(lapse, store, place):
    (place / "rules" / "some.rules").write_text(RULES.replace("# Abandoned cart", "# Abandoned cart\n# Edited."))
    ran = lapse("rules", "--rules", "rules", "--migrate")
    assert ran.code == 0
    assert ran.err == "abandoned-cart: of 1 waiting journey 1 moved, 0 stayed, 0 ended\n"
    (place / "rules" / "some.rules").write_text("Rule: other\nTrigger: z\n")
    ran = lapse("rules", "--rules", "rules", "--migrate")
    assert "abandoned-cart: of 1 waiting journey 0 moved, 0 stayed, 1 ended\n" in ran.err
    assert lapse("rules", "--migrate").code == 2


def test_figures_stand_below_one_another_however_long_their_names_are(lapse, place):
    (place / "some.rules").write_text("Rule: a\nTrigger: go\nAction: track go\n")
    with Engine.open("sqlite:///lapse.db", rules="some.rules") as engine:
        engine.ingest({"event": "go", "user_id": "ann"})
        engine.run_due()
    lines = lapse("rules", "a").out.splitlines()[1:]
    longest = "triggers caused by the rule's own actions"
    assert f"  {longest}  1" in lines
    assert {line[: len(longest) + 4].strip(): line[len(longest) + 4 :] for line in lines}["started"] == "1"


def test_all_figures_of_one_rule(lapse, place):
    (place / "some.rules").write_text(
        'Rule: offer\nTrigger: a\nAction: hello\nAction: mail "x" to person.email\nGoal: bought within 1 day\n'
        "Holdout: 50%\nExit: stop\n\nRule: other\nTrigger: z\n"
    )
    people = [f"u{number}" for number in range(20)]
    clock = Clock(WallClock().now() - HOUR)
    with Engine.open("sqlite:///lapse.db", rules="some.rules", clock=clock, fallback=Recorder()) as engine:
        engine.ingest([{"event": "a", "user_id": user} for user in people])
        engine.run_due()
        clock.move("1 second")
        engine.ingest([{"event": "bought", "user_id": user} for user in people[:8]])
    found = lapse("rules", "offer", "--format", "json").json["rules"]["offer"]
    mine, others = found["acted"] - found["held_out_acted"], found["held_out_acted"]
    assert found["converted"] + found["held_out_converted"] == 8
    assert found["conversion_rate"] == round(found["converted"] / mine, 6)
    assert found["held_out_rate"] == round(found["held_out_converted"] / others, 6)
    ran = lapse("rules", "offer")
    assert ran.code == 0
    told = {line[:14].strip(): line[14:] for line in ran.out.splitlines()[1:]}
    assert told["started"] == "20"
    assert told["acted"] == f"20, {others} of them in the holdout"
    assert told["goal"] == f"{found['converted']} of {mine}, {100 * found['conversion_rate']:.1f} %"
    assert told["holdout"] == f"{found['held_out_converted']} of {others}, {100 * found['held_out_rate']:.1f} %"
    assert told["uplift"].endswith(" percentage points")
    assert told["suppressed"] == f"{20 + others}: in the comparison group {others}, nobody to send it to 20"
    assert "reached the goal, " in lapse("rules").out
    ran = lapse("rules", "offr")
    assert (ran.code, ran.err) == (2, "error: no rule 'offr' is live; did you mean 'offer'?\n")


def test_a_value_of_another_kind_than_a_rule_asks_for_is_told(lapse, place):
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text("Rule: big\nTrigger: cart where total >= 50\n")
    assert lapse("rules", "--rules", "rules").code == 0
    item = {"event": "cart", "user_id": "ann", "timestamp": iso(WallClock().now()), "properties": {"total": "59.90"}}
    (place / "log.jsonl").write_text(json.dumps(item))
    assert lapse("ingest", "log.jsonl").code == 0
    told = (
        "'cart.total' held text where the rule has a number, or the other way round, in 1 decision, "
        "and what is asked of it was false"
    )
    assert told in " ".join(lapse("rules", "big").out.split())
    assert told in " ".join(lapse("rules").out.split())
    found = lapse("rules", "--format", "json").json["rules"]["big"]
    assert found["misread"] == [{"field": "cart.total", "kind": "text_and_number", "times": 1}]
    assert found["notes"] == {}
    examined = lapse("doctor", "--format", "json").json
    assert examined["misread"] == {"big text_and_number cart.total": 1}
    assert any(one.startswith(f"the rule 'big': {told}") for one in examined["warnings"])
