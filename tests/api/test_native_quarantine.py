"""The quarantine over HTTP: what was refused is looked at, tried again, let go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.access import Role
from engine.api.native_quarantine import RETRIED
from tests.api.conftest import Api

PATH = "/native/v1/quarantine"
RULES = "Rule: thanks\nTrigger: paid\nAction: mail\n"
UNKNOWN = "qua_01HV8Z5R5RFMS0TFK6PKF9H2S8"


def refuse(api: Api, *messages: dict[str, Any]) -> None:
    """Send messages to Segment's door, which keeps what the engine refuses."""
    assert api.post("/segment/v1/batch", {"batch": messages}).status_code == 200


def track(user: str = "ann", event: str = "paid") -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": user, "messageId": f"m-{user}"}


def listed(api: Api, query: str = "") -> dict[str, Any]:
    answer = api.get(PATH + query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(api: Api) -> list[str]:
    return [one["id"] for one in listed(api)["items"]]


def retry(api: Api, *ids: Any, key: str | None = "") -> list[dict[str, Any]]:
    answer = api.post(f"{PATH}/retry", {"ids": ids}, key=key)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["outcomes"]
    return found


def test_what_breaks_a_schema_fires_its_rule_once_the_schema_takes_it(api: Api) -> None:
    api.load(RULES)
    kind = api.engine.types.create("paid", schema={"type": "object", "required": ["amount"]})
    refuse(api, track())
    (item,) = listed(api)["items"]
    assert item == {
        "id": item["id"],
        "received_at": "2026-01-01T00:00:00Z",
        "source": "segment",
        "code": "breaks_schema",
        "reason": "Missing required field: amount",
        "field": "properties.amount",
        "item": item["item"],
    }
    assert (item["item"]["event"], item["item"]["user_id"]) == ("paid", "ann")

    still = {name: item[name] for name in ("id", "code", "reason", "field")}
    assert retry(api, item["id"]) == [{**still, "status": "rejected"}]
    assert listed(api)["total"] == 1

    changed = api.ask("PATCH", f"/native/v1/event-types/{kind.id}", {"schema": None})
    assert changed.status_code == 200
    (told,) = retry(api, item["id"])
    (stored,) = api.get("/native/v1/events").json()["events"]
    assert told == {"id": item["id"], "status": "accepted", "event": stored["id"]}
    assert (stored["event"], stored["person"], stored["source"]) == ("paid", "ann", "segment")
    assert listed(api) == {"items": [], "after": None, "total": 0}
    api.move("1 minute")
    assert [(one.action, one.person) for one in api.actions] == [("mail", "ann")]
    assert retry(api, item["id"]) == [{"id": item["id"], "status": "not_found"}]


def test_what_is_stored_by_now_is_a_duplicate(api: Api) -> None:
    kind = api.engine.types.create("paid", schema={"type": "object", "required": ["amount"]})
    refuse(api, track())
    api.engine.types.update(kind.id, schema=None)
    refuse(api, track())
    (id,) = ids(api)
    (stored,) = api.engine.events().events
    assert retry(api, id) == [{"id": id, "status": "duplicate", "event": stored.id}]
    assert ids(api) == []


def test_outcomes_stand_in_the_order_of_the_ids_whatever_these_look_like(api: Api) -> None:
    refuse(api, track(event=""), track("bob", event=""))
    second, first = ids(api)
    asked = [first, "nonsense", second.lower(), UNKNOWN, second[4:], first, ""]
    told = retry(api, *asked)
    assert [one["id"] for one in told] == asked
    refused, missing = "rejected", "not_found"
    assert [one["status"] for one in told] == [refused, missing, refused, missing, refused, refused, missing]
    assert retry(api, "half \ud800") == [{"id": "half \\ud800", "status": missing}]


@pytest.mark.parametrize(
    "odd",
    [{"x": "half \ud83d"}, {"half \ud83d": 1}, json.loads(f"{'[' * 500}{']' * 500}"), {"x": 10**30}],
    ids=["value", "name", "levels", "integer"],
)
def test_an_odd_item_is_shown_too(api: Api, odd: Any) -> None:
    refuse(api, {**track(), "properties": odd})
    item = listed(api)["items"][0]["item"]
    assert json.loads(item) if isinstance(item, str) else item
    assert retry(api, *ids(api))[0]["status"] == "rejected"


def test_a_page_leads_to_the_next(api: Api) -> None:
    refuse(api, *(track(f"u{number}", event="") for number in range(5)))
    seen, after = [], ""
    for _ in range(3):
        page = listed(api, f"?limit=2{after}")
        assert page["total"] == 5
        seen += [one["item"]["user_id"] for one in page["items"]]
        after = f"&after={page['after']}"
    assert page["after"] is None
    assert seen == ["u4", "u3", "u2", "u1", "u0"]
    answer = api.get(f"{PATH}?after=nonsense")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "after")


def test_items_are_let_go_one_by_one(api: Api) -> None:
    refuse(api, track(event=""), track("bob", event=""))
    kept, gone = ids(api)
    assert api.ask("DELETE", f"{PATH}/{gone}").status_code == 204
    assert ids(api) == [kept]
    for id in (gone, UNKNOWN, "nonsense", "%00"):
        answer = api.ask("DELETE", f"{PATH}/{id}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_another_workspace_s_items_are_not_there(api: Api) -> None:
    refuse(api, track(event=""))
    (id,) = ids(api)
    assert api.get(PATH, key=api.other_key).json()["total"] == 0
    assert retry(api, id, key=api.other_key) == [{"id": id, "status": "not_found"}]
    assert api.ask("DELETE", f"{PATH}/{id}", key=api.other_key).status_code == 404
    assert ids(api) == [id]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": "qua_"},
        {"ids": [1]},
        {"ids": [UNKNOWN], "all": True},
        {"ids": [UNKNOWN] * (RETRIED + 1)},
    ],
    ids=["nothing", "none", "text", "number", "more", "too many"],
)
def test_what_is_no_list_of_ids_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api.post(f"{PATH}/retry", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
    assert answer.json()["error"]["field"] == "ids"


def test_as_many_as_may_be_are_tried_at_once(api: Api) -> None:
    assert len(retry(api, *[UNKNOWN] * RETRIED)) == RETRIED


def test_an_agent_tries_again_but_lets_nothing_go(api: Api) -> None:
    refuse(api, track(event=""))
    (id,) = ids(api)
    agent = api.make_key(role=Role.AGENT)
    assert api.get(PATH, key=agent).status_code == 200
    assert retry(api, id, key=agent)[0]["status"] == "rejected"
    assert api.ask("DELETE", f"{PATH}/{id}", key=agent).status_code == 403
