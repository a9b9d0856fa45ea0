"""A rule that fails for somebody is told over HTTP, and the service stays ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.journeys import payload
from tests.api.conftest import Api
from tests.api.test_metrics import figures

RULES = "Rule: hello\nTrigger: a\nAction: hello\n\nRule: other\nTrigger: a\nAction: other\n"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The people for whom actions named ``hello`` cannot be made."""
    people: set[str] = set()
    original = payload.variables

    def variables(effect: Any, done: Any, journey: Any, scene: Any) -> dict[str, Any]:
        if effect.name == "hello" and scene.person in people:
            raise ZeroDivisionError
        return original(effect, done, journey, scene)

    monkeypatch.setattr(payload, "variables", variables)
    return people


def test_ready_and_degraded_while_a_rule_fails_for_somebody(make_api: Callable[..., Api], broken: set[str]) -> None:
    api = make_api(RULES)
    broken.add("p7")
    assert api.engine.ingest([{"event": "a", "user_id": f"p{one}"} for one in (6, 7, 8)]).ok
    answer = api.get("/ready", key=None)
    assert (answer.status_code, answer.json()["status"], answer.json()["set_aside"]) == (200, "degraded", 1)
    (rule, other) = api.get("/v1/rules").json()["rules"]
    assert (rule["rule"], rule["set_aside"], other["set_aside"], other["faults"]) == ("hello", 1, 0, [])
    (fault,) = rule["faults"]
    assert (fault["stage"], fault["people"], fault["examples"]) == ("decide", 1, ["p7"])
    assert fault["error"].startswith("ZeroDivisionError at engine/")
    assert figures(api, "lapse_set_aside") == [({"workspace": "default", "rule": "hello"}, 1)]
    broken.clear()
    api.clock.move("1 minute")
    api.engine.run_due()
    assert api.get("/ready", key=None).json()["status"] == "ready"
    assert figures(api, "lapse_set_aside") == []
