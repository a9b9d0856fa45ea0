"""Flameup's document, to the letter; docs/flameup.md says which statement is held by which test.

Answers are compared after this: ids become their form (``evt_`` and 32 hex digits, a UUID, ``ws_`` and six characters
in the document, ``ws_`` and the 26 of a ULID here), and the two times of an event become their form, for a request
without a time happens when it is sent. ``NOT_AS_PRINTED`` lists what cannot be reproduced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from engine.access import SPELLINGS, Scope, scopes_named
from engine.api import spellings
from engine.api.flameup import BATCH, LONGEST_PAGE, PAGE
from engine.schemas.predefined import PREDEFINED
from tests.api import flameup_document as printed
from tests.api.conftest import Api

NOT_AS_PRINTED = {
    "your_api_key": "a placeholder: the tests send keys of their own",
    "https://api.flameup.ai": "the vendor's host; the paths behind it are the same",
    "{person_id}": "a placeholder: the tests fill in ids of people they made",
    "ws_abc123": "6 characters; a workspace's id is a ULID here",
    "2024-01-15T10:30:01Z": "the arrival of the event that is shown, whose request is not: the test's is its own",
    "items: [...]": "is no JavaScript that can be run: the purchase with a payment method cannot be sent",
    "the answers of the batch and of the list": "are not printed; only the fields 'events' and 'total' are named",
}

NOW = "2026-01-01T00:00:00Z"
EVENT = {"external_id": "user_123", "event": "page_viewed"}
FORMS = {
    "evt_": r'"evt_[0-9a-f]{32}"',
    "uuid": r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"',
    "ws_": r'"ws_([0-9a-z]{6}|[0-9A-HJKMNP-TV-Z]{26})"',
    "time": r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"',
}


def normal(text: str) -> Any:
    """An answer with its ids and times made alike."""
    for form, pattern in FORMS.items():
        text = re.sub(pattern, f'"{form}"', text)
    return json.loads(text)


def track(api: Api, body: Any, **more: Any) -> httpx2.Response:
    return api.post("/flameup/api/v1/track", body, **more)


def batch(api: Api, events: Any, **more: Any) -> httpx2.Response:
    return api.post("/flameup/api/v1/track/batch", {"events": events}, **more)


def listed(api: Api, person: str = "user_123", key: str = "", **query: Any) -> httpx2.Response:
    more = f"?{urlencode(query)}" if query else ""
    return api.get(f"/flameup/api/v1/people/{person}/events{more}", key=key)


def shown(api: Api, person: str = "user_123", **query: Any) -> list[str]:
    """The names of the events in a list."""
    return [one["event"] for one in listed(api, person, **query).json()["events"]]


def refused(answer: httpx2.Response, status: int, kind: str) -> str:
    """The message of a refusal, which has the shape that stands on the page."""
    body = answer.json()
    assert (answer.status_code, body["success"], body["error"]["type"]) == (status, False, kind)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert set(body) == {"success", "error", "request_id"}
    return str(body["error"]["message"])


# ------------------------------------------------------------------------------------------ as printed


@pytest.mark.parametrize("body", [printed.CURL, *printed.JAVASCRIPT, *printed.PYTHON])
def test_single_events_as_printed(api: Api, body: bytes) -> None:
    answer = track(api, body)
    assert answer.status_code == 200
    assert normal(answer.text) == normal(printed.ANSWER)
    sent = json.loads(body)
    (event,) = listed(api).json()["events"]
    assert (event["event"], event["parameters"]) == (sent["event"], sent["parameters"])
    assert event["id"] == answer.json()["event_id"]


@pytest.mark.parametrize("body", [printed.CURL_BATCH, printed.JAVASCRIPT_BATCH, printed.PYTHON_BATCH])
def test_batches_as_printed(api: Api, body: bytes) -> None:
    answer = api.post("/flameup/api/v1/track/batch", body)
    assert answer.status_code == 200
    sent = json.loads(body)["events"]
    assert normal(answer.text) == {
        "success": True, "accepted": len(sent), "rejected": 0, "event_ids": ["evt_"] * len(sent), "errors": [],
    }  # fmt: skip
    for person in {one["external_id"] for one in sent}:
        assert sorted(shown(api, person)) == sorted(one["event"] for one in sent if one["external_id"] == person)


def test_the_event_object_as_printed(api: Api) -> None:
    fields = json.loads(printed.EVENT)
    body = {"external_id": "user_123", **{name: fields[name] for name in ("event", "parameters", "timestamp")}}
    assert track(api, body).status_code == 200
    answer = listed(api)
    assert list(answer.json()) == ["events", "total"]
    assert normal(answer.text)["events"] == [normal(printed.EVENT)]
    (event,) = answer.json()["events"]
    assert list(event) == list(fields)
    assert (event["timestamp"], event["created_at"]) == (fields["timestamp"], NOW)
    assert event["workspace_id"] == spellings.workspace(api.workspaces.rows[0].public_id)


def test_the_lists_as_printed(api: Api) -> None:
    track(api, {**EVENT, "event": "purchase_completed", "timestamp": "2024-01-01T00:00:01Z"})
    track(api, {**EVENT, "event": "purchase_completed", "timestamp": "2024-01-01T00:00:00Z"})
    track(api, EVENT)
    javascript = "limit=100&event=purchase_completed&since=2024-01-01T00%3A00%3A00Z"
    for query, total in ((javascript, 1), ("limit=100&event=purchase_completed", 2)):
        body = api.get(f"/flameup/api/v1/people/user_123/events?{query}").json()
        assert (len(body["events"]), body["total"]) == (total, total)


def test_at_the_root_not_even_the_path_changes(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"root": "flameup"})
    assert api.post("/api/v1/track", printed.CURL).status_code == 200
    assert api.post("/api/v1/track/batch", printed.CURL_BATCH).status_code == 200
    assert api.get("/api/v1/people/user_123/events").json()["total"] == 3


# ------------------------------------------------------------------------------------------ fields


@pytest.mark.parametrize("without", ["external_id", "event"])
def test_required_fields(api: Api, without: str) -> None:
    body = {name: value for name, value in EVENT.items() if name != without}
    message = f"Missing required field: {without}"
    assert refused(track(api, body), 422, "validation_error") == message
    assert batch(api, [body]).json()["errors"] == [{"index": 0, "event": body.get("event"), "reason": message}]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("external_id", 7, "external_id is a number; ids are text, such as 'u-123'"),
        ("external_id", "u" * 256, "external_id has 256 characters; an id has at most 255"),
        ("parameters", [], "parameters is a list; it is an object, such as {'plan': 'free'}"),
        ("parameters", {"x": [{"y": 10**100}]}, "parameters.x[0].y is an integer beyond 64 bits; send it as text"),
        ("timestamp", "2026-01-01", "timestamp '2026-01-01' has no offset; add 'Z' for UTC, or one such as '+02:00'"),
        ("event", 7, "event is a number; it is the event's name, such as 'signed_up'"),
        ("user_id", "x", "'user_id' is not a field; fields are event, external_id, parameters, timestamp"),
        ("message_id", "x", "'message_id' is not a field; fields are event, external_id, parameters, timestamp"),
    ],
)
def test_reasons_are_in_the_document_s_words(api: Api, field: str, value: Any, reason: str) -> None:
    assert refused(track(api, {**EVENT, field: value}), 422, "validation_error") == reason


def test_without_a_timestamp_it_is_now(api: Api) -> None:
    track(api, EVENT)
    track(api, {**EVENT, "timestamp": None})
    assert [one["timestamp"] for one in listed(api).json()["events"]] == [NOW, NOW]


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2025-12-31T14:22:00Z", "2025-12-31T14:22:00Z"),
        ("2025-12-31T14:22:00.120Z", "2025-12-31T14:22:00.120000Z"),
        ("2025-12-31T15:22:00+01:00", "2025-12-31T14:22:00Z"),
    ],
)
def test_timestamps_as_they_may_be_written(api: Api, written: str, at: str) -> None:
    track(api, {**EVENT, "timestamp": written})
    assert [one["timestamp"] for one in listed(api).json()["events"]] == [at]


@pytest.mark.parametrize("parameters", [None, {}])
def test_parameters_may_be_left_out(api: Api, parameters: Any) -> None:
    track(api, EVENT)
    track(api, {**EVENT, "parameters": parameters})
    assert [one["parameters"] for one in listed(api).json()["events"]] == [{}, {}]


def test_lists_of_objects_can_be_asked_for_in_rules(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: r\nTrigger: purchase_completed where items.sku = 'PROD-002'\nAction: send_email\n")
    track(api, printed.JAVASCRIPT[1])
    api.move("1 minute")
    assert [one.action for one in api.actions] == ["send_email"]


def test_two_equal_calls_are_two_events(api: Api) -> None:
    ids = {track(api, EVENT).json()["event_id"] for _ in range(2)}
    assert len(ids) == listed(api).json()["total"] == 2


def test_names_of_ones_own_are_taken_without_a_word(api: Api) -> None:
    for name in ("UserSignedUp", "user-signed-up", "Purchase", "open", "signup"):
        assert normal(track(api, {**EVENT, "event": name}).text) == normal(printed.ANSWER)


def test_the_standard_events_are_predefined(api: Api) -> None:
    table = {
        "signed_up": "User created an account",
        "logged_in": "User authenticated",
        "logged_out": "User ended session",
        "purchase_completed": "User made a purchase",
        "subscription_started": "User started a subscription",
        "subscription_cancelled": "User cancelled subscription",
    }
    assert table.items() <= PREDEFINED.items()
    for name, meaning in table.items():
        found = api.engine.types.get(name)
        assert (found.predefined, found.description, found.suggested_name) == (True, meaning, None)


def test_a_subscription_needs_no_currency_here(api: Api) -> None:
    assert track(api, {**EVENT, "event": "subscription_started"}).status_code == 200


def test_naming_conventions_are_told_where_types_are_looked_at(api: Api) -> None:
    for name in ("UserSignedUp", "user-signed-up", "order.paid", "user_signed_up"):
        track(api, {**EVENT, "event": name})
    told = [api.engine.types.get(name).suggested_name for name in ("UserSignedUp", "user-signed-up")]
    assert told == ["user_signed_up", "user_signed_up"]
    assert [api.engine.types.get(name).suggested_name for name in ("order.paid", "user_signed_up")] == [None, None]


# ------------------------------------------------------------------------------------------ batches


@pytest.mark.parametrize("events", [None, {}, [], [EVENT] * (BATCH + 1)], ids=["none", "object", "0", "101"])
def test_a_batch_holds_one_to_a_hundred(api: Api, events: Any) -> None:
    message = refused(batch(api, events), 400, "validation_error")
    assert message == "events must be a list of 1 to 100 events"
    assert listed(api).status_code == 404


def test_a_batch_of_a_hundred(api: Api) -> None:
    body = batch(api, [EVENT] * BATCH).json()
    assert (body["accepted"], len(set(body["event_ids"]))) == (100, 100)


def test_each_event_of_a_batch_has_its_own_verdict(api: Api) -> None:
    answer = batch(api, [7, EVENT, {"external_id": "a"}, {**EVENT, "parameters": 1}])
    body = answer.json()
    assert (answer.status_code, body["success"], body["accepted"], body["rejected"]) == (200, True, 1, 3)
    assert [(one["index"], one["event"]) for one in body["errors"]] == [(0, None), (2, None), (3, "page_viewed")]
    assert all(list(one) == ["index", "event", "reason"] for one in body["errors"])


# ------------------------------------------------------------------------------------------ lists


def several(api: Api, count: int) -> None:
    """Events ``e0``, ``e1``, ... a second apart, sent in an order of their own."""
    events = [
        {**EVENT, "event": f"e{n}", "timestamp": f"2025-12-31T10:{n // 60:02}:{n % 60:02}Z"} for n in range(count)
    ]
    for start in range(0, count, BATCH):
        assert batch(api, events[start : start + BATCH][::-1]).json()["rejected"] == 0


def test_the_latest_comes_first(api: Api) -> None:
    several(api, 3)
    track(api, {**EVENT, "event": "earlier", "timestamp": "2025-12-30T00:00:00Z"})
    assert shown(api) == ["e2", "e1", "e0", "earlier"]


def test_limits_and_offsets(api: Api) -> None:
    several(api, LONGEST_PAGE + 10)
    assert listed(api).json()["total"] == LONGEST_PAGE + 10
    assert len(shown(api)) == PAGE == 50
    assert len(shown(api, limit=LONGEST_PAGE)) == len(shown(api, limit=LONGEST_PAGE + 1)) == 500
    assert shown(api, limit=2) == ["e509", "e508"]
    assert shown(api, limit=2, offset=2) == ["e507", "e506"]
    assert shown(api, offset=508) == ["e1", "e0"]
    assert shown(api, offset=510) == []
    assert listed(api, limit=2, offset=2).json()["total"] == 510


def test_by_name(api: Api) -> None:
    several(api, 3)
    answer = listed(api, event="e1").json()
    assert ([one["event"] for one in answer["events"]], answer["total"]) == (["e1"], 1)
    assert listed(api, event="unheard").json() == {"events": [], "total": 0}


def test_since_and_until_are_strict_and_of_the_event_s_own_time(api: Api) -> None:
    several(api, 5)
    assert shown(api, since="2025-12-31T10:00:02Z") == ["e4", "e3"]
    assert shown(api, until="2025-12-31T10:00:02Z") == ["e1", "e0"]
    between = listed(api, since="2025-12-31T10:00:00Z", until="2025-12-31T11:00:02+01:00", limit=1).json()
    assert ([one["event"] for one in between["events"]], between["total"]) == (["e1"], 1)
    assert shown(api, since="2025-12-31T10:00:00.999999Z", until="2025-12-31T10:00:01.000001Z") == ["e1"]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": -1}, {"limit": "x"}, {"offset": -1}, {"since": "2025"}, {"until": "now"}]
)
def test_queries_that_are_refused(api: Api, query: dict[str, Any]) -> None:
    track(api, EVENT)
    message = refused(listed(api, **query), 400, "validation_error")
    assert message.startswith(next(iter(query)))


def test_attribute_changes_and_actions_are_no_events(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: r\nTrigger: page_viewed\nAction: send_email\n")
    api.engine.identify("user_123", {"plan": "free"})
    track(api, EVENT)
    api.move("1 minute")
    assert shown(api) == ["page_viewed"]


def test_events_of_other_doors_are_listed_too(api: Api) -> None:
    api.engine.ingest({"event": "paywall_viewed", "user_id": "user_123", "timestamp": NOW, "anonymous_id": "anon"})
    assert shown(api) == ["paywall_viewed"]


# ------------------------------------------------------------------------------------------ people


def test_a_person_by_uuid_or_external_id(api: Api) -> None:
    track(api, EVENT)
    (event,) = listed(api).json()["events"]
    for spelt in (event["person_id"], event["person_id"].upper()):
        assert listed(api, spelt).json() == listed(api).json()


def test_an_external_id_may_look_like_a_uuid_or_hold_a_slash(api: Api) -> None:
    for person in ("550e8400-e29b-41d4-a716-446655440000", "a%2Fb", "x%20y"):
        track(api, {**EVENT, "external_id": httpx2.URL(f"http://x/{person}").path[1:]})
        assert shown(api, person) == ["page_viewed"]


def test_an_anonymous_id_is_no_external_id(api: Api) -> None:
    api.engine.ingest({"event": "page_viewed", "anonymous_id": "anon"})
    refused(listed(api, "anon"), 404, "not_found")


def test_unknown_and_foreign_people_are_not_found(api: Api) -> None:
    track(api, EVENT)
    (event,) = listed(api).json()["events"]
    for person, key in (("nobody", ""), (event["person_id"][:-1], ""), (event["person_id"], api.other_key)):
        refused(listed(api, person, key=key), 404, "not_found")


# ------------------------------------------------------------------------------------------ refusals


def test_scopes(api: Api) -> None:
    assert SPELLINGS["events:write"] == {Scope.EVENT_CREATE}
    writer, reader = (api.make_key(*scopes_named([name])) for name in ("events:write", "events:read"))
    assert track(api, EVENT, key=writer).status_code == 200
    assert listed(api, key=reader).status_code == 200
    refused(track(api, EVENT, key=reader), 403, "forbidden")
    refused(batch(api, [EVENT], key=reader), 403, "forbidden")
    refused(listed(api, key=writer), 403, "forbidden")


def test_every_refusal_is_json_in_one_shape(api: Api) -> None:
    refused(track(api, EVENT, key=None), 401, "unauthorized")
    refused(track(api, b"{"), 400, "validation_error")
    refused(track(api, b"[]"), 400, "validation_error")
    refused(api.get("/flameup/api/v1/track"), 405, "method_not_allowed")
    refused(api.get("/flameup/api/v2"), 404, "not_found")
    refused(track(api, b" " * 1_000_001), 413, "too_large")


def test_a_rate_where_the_settings_have_one(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"rates": {"flameup": "1/minute"}})
    assert track(api, EVENT).status_code == 200
    answer = track(api, EVENT)
    refused(answer, 429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1


# ------------------------------------------------------------------------------------------ campaigns


def campaigns() -> str:
    """The document's four rules, each with an action of its own behind what is printed."""
    return re.sub(r"(?m)^# (\S+).*\n((?:\w.*\n)+)", r"Rule: \1\n\2Action: \1_sent\n\n", printed.CAMPAIGNS).replace(
        "-", "_"
    )


def test_its_four_campaigns(make_api: Callable[..., Api]) -> None:
    api = make_api(campaigns())
    api.engine.identify("user_123", {"plan": "free"})
    for event in ("signed_up", "logged_in", "cart_updated", "feature_limit_reached"):
        track(api, {**EVENT, "event": event})
    batch(api, [{"external_id": "buyer", "event": name} for name in ("cart_updated", "purchase_completed")])
    api.move("1 hour")
    assert sorted(one.action for one in api.actions) == ["Upsell_sent", "Welcome_sent"]
    api.move("1 day")
    assert [(one.action, one.person) for one in api.actions[2:]] == [("Abandoned_sent", "user_123")]
    api.move("30 days")
    assert sorted((one.action, one.person) for one in api.actions[3:]) == [
        ("Re_engagement_sent", "buyer"), ("Re_engagement_sent", "user_123"),
    ]  # fmt: skip


def test_conditions_and_personalization(make_api: Callable[..., Api]) -> None:
    api = make_api(
        "Rule: r\nTrigger: purchase_completed\nCondition: page_viewed within 7 days\n"
        "Action: send_email with amount = trigger.amount\n"
    )
    track(api, printed.CURL)
    batch(api, [{"external_id": "eve", "event": "page_viewed"}])
    track(api, {**json.loads(printed.CURL), "external_id": "eve"})
    api.move("1 minute")
    assert [(one.person, one.arguments) for one in api.actions] == [("eve", {"amount": 99.99})]
