"""Deliveries in the native API: found by what they are, looked at whole, taken up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.access import Role
from engine.api.native_deliveries import KEYS
from engine.delivery.channels import SendError
from tests.api.conftest import Api

RULES = """\
Rule: one
Trigger: a
Action: hello

Rule: two
Trigger: a
Action: goodbye "bye"
"""


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """Somebody to whom `goodbye` went and `hello` did not."""
    made = make_api(RULES)

    @made.engine.action("hello")
    def refuse(_action: object) -> None:
        raise SendError("nobody is there", permanent=True)

    made.engine.ingest({"event": "a", "user_id": "ann", "properties": {"x": 1}})
    made.move("1 second")
    return made


def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v1/deliveries{query}").json()["deliveries"]
    return found


def test_by_state_by_action_and_page_by_page(api: Api) -> None:
    assert {(one["rule"], one["state"]) for one in listed(api)} == {("one", "dead"), ("two", "sent")}
    (dead,) = listed(api, "?state=dead&state=parked")
    assert (dead["error"], dead["attempts"], dead["next_attempt_at"]) == ("nobody is there", 1, None)
    assert [one["template"] for one in listed(api, "?action=goodbye&person=ann")] == ["bye"]
    assert listed(api, "?channel=log&state=dead") == []
    first = api.get("/v1/deliveries?limit=1&state=dead&state=sent").json()
    second = api.get(f"/v1/deliveries?limit=1&state=dead&state=sent&after={first['after']}").json()
    assert first["deliveries"] + second["deliveries"] == listed(api)
    assert second["after"] is None


@pytest.mark.parametrize(
    ("field", "name", "told"),
    [("rule", "oen", "'one'"), ("action", "helo", "'hello'"), ("channel", "lgo", "'log'")],
)
def test_a_name_that_nothing_has_is_told(api: Api, field: str, name: str, told: str) -> None:
    answer = api.get(f"/v1/deliveries?{field}={name}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (404, "not_found", field)
    assert told in error["message"]


def test_one_is_looked_at_whole(api: Api) -> None:
    (dead,) = listed(api, "?state=dead")
    whole = api.get(f"/v1/deliveries/{dead['key']}").json()
    assert {name: whole[name] for name in dead} == dead
    assert whole["variables"]["trigger"]["x"] == 1
    assert (whole["purpose"], whole["sealed"]) == ("marketing", None)
    assert api.get("/v1/deliveries/unknown").status_code == 404


def test_what_is_dead_is_taken_up_again(api: Api) -> None:
    (dead,) = listed(api, "?state=dead")
    asked = {"keys": [dead["key"], "unknown"], "dry_run": True}
    assert api.post("/v1/deliveries/redrive", asked).json() == {"redriven": 1, "dry_run": True, "missing": 1}
    assert listed(api, "?state=dead") == [dead]
    taken = api.post("/v1/deliveries/redrive", asked | {"dry_run": False}).json()
    assert taken == {"redriven": 1, "dry_run": False, "missing": 1}
    (again,) = listed(api, "?state=failed")
    assert again["key"] == dead["key"]
    assert again["next_attempt_at"] == again["redriven_at"] is not None
    api.move("1 second")
    assert api.post("/v1/deliveries/redrive", {"rule": "two"}).json()["redriven"] == 0
    assert api.post("/v1/deliveries/redrive", {"rule": "one", "states": ["parked"]}).json()["redriven"] == 0
    assert api.post("/v1/deliveries/redrive", {"all": True}).json() == {
        "redriven": 1, "dry_run": False, "missing": 0,
    }  # fmt: skip
    assert listed(api, "?state=failed")[0]["attempts"] == 2


@pytest.mark.parametrize(("body", "field"), [
    ({}, "keys"),
    ({"dry_run": True}, "keys"),
    ({"keys": []}, "keys"),
    ({"keys": ["x"] * (KEYS + 1)}, "keys"),
    ({"keys": [1]}, "keys"),
    ({"rule": None}, "rule"),
    ({"channel": 1}, "channel"),
    ({"all": False}, "all"),
    ({"all": True, "rule": "one"}, "all"),
    ({"all": True, "states": ["sent"]}, "states"),
    ({"all": True, "states": []}, "states"),
    ({"all": True, "dry_run": 1}, "dry_run"),
    ({"every": True}, "every"),
], ids=str)  # fmt: skip
def test_what_it_does_not_take(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.post("/v1/deliveries/redrive", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


@pytest.mark.parametrize("field", ["rule", "channel"])
def test_a_name_that_nothing_has_is_not_found(api: Api, field: str) -> None:
    answer = api.post("/v1/deliveries/redrive", {field: "none"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (404, "not_found", field)


def test_as_many_keys_as_it_says(api: Api) -> None:
    body = {"keys": [f"k{number}" for number in range(KEYS)]}
    assert api.post("/v1/deliveries/redrive", body).json()["redriven"] == 0


def test_an_agent_looks_and_takes_nothing_up(api: Api) -> None:
    key = api.make_key(role=Role.AGENT)
    assert api.get("/v1/deliveries", key=key).status_code == 200
    assert api.post("/v1/deliveries/redrive", {"all": True}, key=key).status_code == 403
