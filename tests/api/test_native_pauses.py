"""Pauses in the native API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.access import Role
from tests.api.conftest import Api


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api("Rule: welcome\nTrigger: signed_up\nAction: hello\n")


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [({"rule": "welcome"}, "rule", "welcome"), ({"channel": "log"}, "channel", "log"), ({"all": True}, "all", None)],
)
def test_what_is_paused_is_shown_until_it_goes_on(api: Api, body: dict[str, Any], kind: str, name: str | None) -> None:
    assert [api.post("/v1/pauses", body).json()["changed"] for _ in range(2)] == [True, False]
    shown = {"kind": kind, "name": name, "since": "2026-01-01T00:00:00Z", "reason": "by hand"}
    assert api.get("/v1/pauses").json() == {"pauses": [shown]}
    assert [api.post("/v1/pauses/end", body).json()["changed"] for _ in range(2)] == [True, False]
    assert api.get("/v1/pauses").json() == {"pauses": []}


@pytest.mark.parametrize(("body", "field", "said"), [
    ({}, "rule", "has one of"),
    ({"rule": "welcome", "all": True}, "rule", "has one of"),
    ({"all": False}, "all", "has one of"),
    ({"rule": None}, "rule", "has one of"),
    ({"channels": "log"}, "channels", "has one of"),
], ids=str)  # fmt: skip
def test_what_it_does_not_take(api: Api, body: dict[str, Any], field: str, said: str) -> None:
    for path in ("/v1/pauses", "/v1/pauses/end"):
        answer = api.post(path, body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
        assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(("field", "name", "near"), [("rule", "wellcome", "welcome"), ("channel", "lgo", "log")])
def test_a_name_that_nothing_has_is_not_found(api: Api, field: str, name: str, near: str) -> None:
    for path in ("/v1/pauses", "/v1/pauses/end"):
        answer = api.post(path, {field: name})
        assert (answer.status_code, answer.json()["error"]["field"]) == (404, field)
        assert f"did you mean '{near}'?" in answer.json()["error"]["message"]


def test_a_rule_tells_since_when_and_why_it_is_paused(api: Api) -> None:
    api.post("/v1/pauses", {"rule": "welcome"})
    (rule,) = api.get("/v1/rules").json()["rules"]
    assert (rule["paused"], rule["paused_since"], rule["paused_why"]) == (True, "2026-01-01T00:00:00Z", "by hand")


def test_an_agent_sees_pauses_and_makes_none(api: Api) -> None:
    key = api.make_key(role=Role.AGENT)
    assert api.get("/v1/pauses", key=key).status_code == 200
    assert api.post("/v1/pauses", {"all": True}, key=key).status_code == 403
    assert api.post("/v1/pauses/end", {"all": True}, key=key).status_code == 403
