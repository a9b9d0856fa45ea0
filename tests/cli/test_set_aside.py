"""A rule that fails for somebody, as it is told to people."""

from __future__ import annotations

from engine.clock import WallClock, iso
from engine.journeys import payload


def test_rules_and_doctor_say_who_is_set_aside_and_why(lapse, place, monkeypatch):
    def variables(effect, done, journey, scene):
        raise ZeroDivisionError

    monkeypatch.setattr(payload, "variables", variables)
    (place / "rules").mkdir(exist_ok=True)
    (place / "rules" / "hello.rules").write_text("Rule: hello\nTrigger: hi\nAction: hello\n")
    assert lapse("rules", "--rules", "rules").code == 0
    (place / "log.jsonl").write_text(
        '{"event": "hi", "user_id": "ann", "timestamp": "' + iso(WallClock().now()) + '"}\n'
    )
    assert lapse("ingest", "log.jsonl").code == 0
    told = " ".join(lapse("rules").out.split())
    assert "hello: 1 set aside because it fails for them; 'lapse rules hello' shows the errors" in told
    told = " ".join(lapse("rules", "hello").out.split())
    assert "set aside 1" in told
    assert "error ZeroDivisionError at engine/runtime/deciding.py" in told
    assert "1 person, such as ann; tried again at" in told
    assert lapse("rules", "--format", "json").json["rules"]["hello"]["faults"][0]["people"] == 1
    ran = lapse("doctor")
    assert ran.code == 1
    told = " ".join(ran.out.split())
    assert "problem: the rule 'hello' fails for 1 person, who is set aside and tried again" in told
