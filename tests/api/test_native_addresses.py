"""Addresses in the native API: looked at, let go, and ended only by bounces of what was sent to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.access import Role, Scope
from engine.runtime.deliveries import Asked
from engine.runtime.engine import Engine
from tests.api.conftest import Api

RULES = 'Rule: hello\nTrigger: go\nAction: send_email "hello"\n'
MAIL: dict[str, Any] = {
    "channels": {"mail": {"type": "email", "host": "localhost", "from": "a@shop.example"}},
    "actions": {"send_email": "mail"},
}


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """Two workspaces that send mail on the event ``go``, and keep it to themselves."""
    return make_api(RULES, other_rules=RULES, **MAIL)


def mailed(api: Api, user: str, engine: Engine | None = None) -> tuple[str, str]:
    """The key and the state of a mail to somebody at example.com, or of what was kept from it; a minute later."""
    api.clock.move("1 minute")
    engine = engine or api.engine
    engine.identify(user, {"email": f"{user}@example.com"})
    engine.ingest({"event": "go", "user_id": user})
    engine.run_due()
    newest = engine.deliveries(Asked(person=user)).items[0]
    return newest.key, newest.state


def bounce(api: Api, *users: str) -> None:
    for user in users:
        report = {"event": "email_bounced", "user_id": user, "caused_by": mailed(api, user)[0]}
        api.engine.ingest({**report, "properties": {"hard": True, "reason": "550"}})


def test_they_are_listed_page_by_page(api: Api) -> None:
    assert api.get("/v1/addresses").json() == {"addresses": [], "after": None}
    bounce(api, "a", "b")
    first = api.get("/v1/addresses?limit=1").json()
    assert first["addresses"] == [
        {"address": "b@example.com", "channel_type": "email", "since": "2026-01-01T00:02:00Z", "reason": "550"}
    ]
    second = api.get(f"/v1/addresses?limit=1&after={first['after']}").json()
    assert ([one["address"] for one in second["addresses"]], second["after"]) == (["a@example.com"], None)
    answer = api.get("/v1/addresses?after=x")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "after")


def test_one_is_let_go(api: Api) -> None:
    bounce(api, "a")
    assert api.post("/v1/addresses/forget", {"address": "A@example.com"}).status_code == 204
    assert api.post("/v1/addresses/forget", {"address": "a@example.com"}).status_code == 404
    assert api.get("/v1/addresses").json()["addresses"] == []


@pytest.mark.parametrize("body", [{}, {"address": 1}, {"address": None}, {"address": "a@b.c", "all": True}], ids=str)
def test_what_it_does_not_take(api: Api, body: dict[str, Any]) -> None:
    answer = api.post("/v1/addresses/forget", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "address")


def test_an_agent_looks_and_lets_nothing_go(api: Api) -> None:
    key = api.make_key(role=Role.AGENT)
    assert api.get("/v1/addresses", key=key).status_code == 200
    assert api.post("/v1/addresses/forget", {"address": "a@example.com"}, key=key).status_code == 403


# ----------------------------------------------------------- reports by whoever has the key of a browser


def reported(api: Api, key: str | None, *, engine: Engine | None = None) -> list[str | None]:
    """The addresses that take no mail after a browser's report of a hard bounce, which names somebody's address."""
    report = {"event": "email_bounced", "user_id": "eve", "properties": {"hard": True, "email": "ann@example.com"}}
    browser = api.make_key(Scope.EVENT_CREATE, engine=engine)
    answer = api.post("/v1/events", report if key is None else {**report, "caused_by": key}, key=browser)
    assert answer.status_code == 200
    told = (engine or api.engine).events("eve", names="email_bounced").events
    assert [one.properties["email"] for one in told] == ["ann@example.com"]
    return [one.address for one in (engine or api.engine).unreachable().items]


def test_a_report_of_no_action_ends_nothing(api: Api) -> None:
    mailed(api, "ann")
    assert reported(api, None) == []
    assert mailed(api, "ann")[1] == "sent"


def test_nor_does_one_through_a_tracker(api: Api) -> None:
    browser = api.make_key(Scope.EVENT_CREATE)
    track = {"event": "email_bounced", "userId": "eve", "properties": {"hard": True, "email": "ann@example.com"}}
    answer = api.post("/segment/v1/track", track, key=browser, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert len(api.engine.events("eve", names="email_bounced").events) == 1
    assert mailed(api, "ann")[1] == "sent"


def test_nor_does_one_of_an_action_that_was_not_sent(api: Api) -> None:
    api.engine.ingest({"event": "unsubscribed", "user_id": "eve"})
    key, state = mailed(api, "eve")
    assert state == "suppressed"
    assert reported(api, key) == []
    assert mailed(api, "ann")[1] == "sent"


def test_nor_does_one_of_another_workspace_s_action(api: Api) -> None:
    key, state = mailed(api, "ann", api.other)
    assert state == "sent"
    assert reported(api, key) == []
    assert mailed(api, "ann")[1] == mailed(api, "ann", api.other)[1] == "sent"
    assert reported(api, key, engine=api.other) == ["ann@example.com"]


def test_one_of_one_s_own_action_ends_mail_to_oneself_whomever_it_names(api: Api) -> None:
    key, state = mailed(api, "eve")
    assert state == "sent"
    assert reported(api, key) == ["eve@example.com"]
    assert mailed(api, "ann")[1] == "sent"
    assert mailed(api, "eve")[1] == "suppressed"
