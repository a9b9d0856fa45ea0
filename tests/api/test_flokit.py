"""FloKit's three documents, to the letter; docs/flokit.md says which statement is held by which test.

Answers are compared after this: an event's id, ``evt_`` and 20 characters in the documents, ``evt_`` and the 26 of a
ULID in small letters here, becomes ``evt_``. Nothing else is normalised. ``NOT_AS_PRINTED`` lists what cannot be
reproduced.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.access import Scope
from engine.api.flokit import BATCH
from engine.files import EventFile
from engine.ingesting import ingest_file
from tests.api import flokit_document as printed
from tests.api.conftest import Api
from tests.corpus.odd_inputs import FINE, ODD
from tests.corpus.odd_inputs import NOW as NOW_OF_CORPUS

NOT_AS_PRINTED = {
    "$FLOKIT_API_KEY": "a placeholder: the tests send keys of their own",
    "https://api.flokit.ai": "the vendor's host; the paths behind it are the same",
    "new Date().toISOString()": "a placeholder: the test fills in the present moment as JavaScript writes it",
    "evt_01hx4j7k9m2n3p5q6r8s": "20 characters, of which a ULID, 26, cannot be made; one of them holds a 'u'",
    "the request of the partial answer": "is not printed: the test leaves the currency out of the one that is",
    "[event taxonomy](/send-data/event-taxonomy)": "a page that is not among the documents",
}

NOW = "2026-01-01T00:00:00Z"
EVENT = {"event": "paywall_viewed", "user_id": "usr_abc123", "timestamp": NOW}


def normal(text: str, form: str = "[0-9a-z]{26}") -> Any:
    """An answer with its ids made alike."""
    return json.loads(re.sub(f'"evt_{form}"', '"evt_"', text))


def documented(text: str) -> Any:
    return normal(text, "[0-9a-z]{20}")


def single(api: Api, body: Any, **more: Any) -> httpx2.Response:
    return api.post("/flokit/v1/events", body, **more)


def batch(api: Api, events: Any, **more: Any) -> httpx2.Response:
    return api.post("/flokit/v1/batch/events", {"events": events}, **more)


def refused(answer: httpx2.Response, status: int, error: str) -> str:
    """The message of a refusal, which has the documented shape."""
    body = answer.json()
    assert (answer.status_code, list(body), body["error"]) == (status, ["error", "message"], error)
    return str(body["message"])


def stored(api: Api, person: str = "usr_abc123") -> list[tuple[str, dict[str, Any]]]:
    """A person's events, oldest first."""
    return [(one.event, one.properties) for one in reversed(api.engine.events(person).events)]


# ------------------------------------------------------------------------------------------ as printed


@pytest.mark.parametrize(
    "body",
    [
        printed.SINGLE_BOTH_IDS,
        printed.SINGLE_WITH_KEY,
        printed.REFERENCE_PAYWALL,
        printed.REFERENCE_SUBSCRIPTION,
        printed.REFERENCE_TYPESCRIPT % b"2026-01-01T00:00:00.000Z",
    ],
)
def test_single_events_as_printed(api: Api, body: bytes) -> None:
    answer = single(api, body)
    assert answer.status_code == 200
    assert normal(answer.text) == documented(printed.ANSWER)
    sent = json.loads(body)
    assert stored(api) == [(sent["event"], sent["properties"])]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (printed.BATCH, printed.BATCH_ANSWER),
        (printed.REFERENCE_BATCH, printed.REFERENCE_BATCH_ANSWER),
        (printed.REFERENCE_TYPESCRIPT_BATCH, printed.REFERENCE_BATCH_ANSWER),
    ],
)
def test_batches_as_printed(api: Api, body: bytes, shown: str) -> None:
    answer = api.post("/flokit/v1/batch/events", body)
    assert answer.status_code == 200
    assert normal(answer.text) == documented(shown)
    assert stored(api) == [(one["event"], one["properties"]) for one in json.loads(body)["events"]]


def test_the_partial_answer_as_printed(api: Api) -> None:
    events = json.loads(printed.BATCH)["events"]
    del events[2]["properties"]["currency"]
    answer = batch(api, events)
    assert answer.status_code == 200
    assert normal(answer.text) == documented(printed.PARTIAL_ANSWER)
    assert [name for name, _ in stored(api)] == ["paywall_viewed", "trial_started"]


def test_at_the_root_not_even_the_path_changes(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"root": "flokit"})
    assert api.post("/v1/events", printed.SINGLE_BOTH_IDS).status_code == 200
    assert api.post("/v1/batch/events", printed.BATCH).status_code == 200


# ------------------------------------------------------------------------------------------ fields


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ("event", "Missing required field: event"),
        ("user_id", "Missing required field: user_id or anonymous_id"),
        ("timestamp", "Missing required field: timestamp"),
    ],
)
def test_required_fields(api: Api, without: str, message: str) -> None:
    body = {name: value for name, value in EVENT.items() if name != without}
    assert refused(single(api, body), 400, "validation_error") == message
    assert batch(api, [body]).json()["errors"] == [{"index": 0, "event": body.get("event"), "reason": message}]
    assert stored(api) == []


def test_an_anonymous_id_will_do(api: Api) -> None:
    body = {"event": "paywall_viewed", "anonymous_id": "anon_xyz789", "timestamp": NOW}
    assert single(api, body).status_code == 200
    assert stored(api, "anon_xyz789") == [("paywall_viewed", {})]


def test_both_ids_in_one_event_are_linked(api: Api) -> None:
    single(api, {"event": "app_opened", "anonymous_id": "anon_xyz789", "timestamp": NOW})
    single(api, printed.SINGLE_BOTH_IDS)
    assert [name for name, _ in stored(api)] == ["paywall_viewed", "app_opened"]
    assert stored(api) == stored(api, "anon_xyz789")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2025-12-31T14:22:00Z", "2025-12-31T14:22:00Z"),
        ("2025-12-31T14:22:00.123Z", "2025-12-31T14:22:00.123000Z"),
        ("2025-12-31T14:22:00.123456Z", "2025-12-31T14:22:00.123456Z"),
        ("2025-12-31T15:22:00+01:00", "2025-12-31T14:22:00Z"),
        ("2025-12-31T15:22:00+0100", "2025-12-31T14:22:00Z"),
        ("2025-12-31T14:22Z", "2025-12-31T14:22:00Z"),
    ],
)
def test_timestamps_as_they_may_be_written(api: Api, written: str, at: str) -> None:
    assert single(api, {**EVENT, "timestamp": written}).status_code == 200
    assert [one.plain()["at"] for one in api.engine.events("usr_abc123").events] == [at]


@pytest.mark.parametrize("written", ["2025-12-31", "2025-12-31T14:22:00", "yesterday", 1_767_225_600, None, ""])
def test_timestamps_that_are_refused(api: Api, written: Any) -> None:
    refused(single(api, {**EVENT, "timestamp": written}), 400, "validation_error")


def test_the_time_of_the_event_counts_not_that_of_the_request(api: Api) -> None:
    single(api, {**EVENT, "timestamp": "2025-12-30T00:00:00Z"})
    (event,) = api.engine.events("usr_abc123").events
    assert (event.plain()["at"], event.plain()["received_at"]) == ("2025-12-30T00:00:00Z", NOW)


@pytest.mark.parametrize("properties", [None, {}])
def test_properties_may_be_left_out(api: Api, properties: Any) -> None:
    assert single(api, {**EVENT, "properties": properties}).status_code == 200
    assert single(api, EVENT).status_code == 200
    assert stored(api) == [("paywall_viewed", {})] * 2


def test_names_of_ones_own_are_taken(api: Api) -> None:
    assert single(api, {**EVENT, "event": "Dogs Walked!"}).status_code == 200


@pytest.mark.parametrize("name", ["message_id", "type", "caused_by", "traits", "userId", "context"])
def test_fields_the_document_lacks_are_refused(api: Api, name: str) -> None:
    message = refused(single(api, {**EVENT, name: "x"}), 400, "validation_error")
    assert message.startswith(f"'{name}' is not a field; fields are anonymous_id, event, ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", pytest.param(b"[" * 100_000, id="deep")])
def test_bodies_that_are_no_object(api: Api, body: bytes) -> None:
    for path in ("/flokit/v1/events", "/flokit/v1/batch/events"):
        refused(api.post(path, body), 400, "validation_error")


def test_the_content_type_does_not_matter(api: Api) -> None:
    for kind in ("application/json; charset=utf-8", "text/plain"):
        assert single(api, EVENT, headers={"Content-Type": kind}).status_code == 200


def test_the_currency_is_required_at_this_door_alone(api: Api) -> None:
    body = {**EVENT, "event": "subscription_started", "properties": {"revenue": 49.99}}
    assert refused(single(api, body), 400, "validation_error") == "Missing required field: currency"
    assert api.post("/native/v1/events", body).status_code == 200


def test_what_cannot_be_stored_is_refused_before_the_currency_is_missed(api: Api) -> None:
    for odd in (10**100, "\ud800", [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]):
        body = {**EVENT, "event": "subscription_started", "properties": {"x": odd}}
        assert "currency" not in refused(single(api, body), 400, "validation_error")


# ------------------------------------------------------------------------------------------ batches


@pytest.mark.parametrize(
    "events", [None, {}, "x", [], [EVENT] * (BATCH + 1)], ids=["none", "object", "text", "0", "1001"]
)
def test_a_batch_holds_one_to_a_thousand(api: Api, events: Any) -> None:
    message = refused(batch(api, events), 400, "validation_error")
    assert message == "events must be a list of 1 to 1000 events"
    assert stored(api) == []


def test_a_batch_of_a_thousand(api: Api) -> None:
    body = batch(api, [EVENT] * BATCH).json()
    assert (body["accepted"], len(set(body["event_ids"]))) == (1000, 1000)


def test_each_event_of_a_batch_has_its_own_verdict(api: Api) -> None:
    events = [7, EVENT, {**EVENT, "event": 7}, {**EVENT, "user_id": 1}, {**EVENT, "event": "x", "context": 1}, EVENT]
    answer = batch(api, events)
    body = answer.json()
    assert (answer.status_code, body["status"], body["accepted"], body["rejected"]) == (200, "ok", 2, 4)
    assert [(one["index"], one["event"]) for one in body["errors"]] == [
        (0, None), (2, None), (3, "paywall_viewed"), (4, "x"),
    ]  # fmt: skip
    assert all(list(one) == ["index", "event", "reason"] for one in body["errors"])
    assert len(body["event_ids"]) == 2


def test_a_batch_of_which_nothing_is_accepted_is_answered_alike(api: Api) -> None:
    body = batch(api, [{"event": "x"}]).json()
    assert (body["status"], body["accepted"], body["rejected"], body["event_ids"]) == ("ok", 0, 1, [])


def test_odd_events_get_the_verdict_they_get_everywhere(api: Api) -> None:
    api.clock.set(NOW_OF_CORPUS)
    events = [one for one in ODD if one.name != "100,000 levels"]  # deeper than a client can write
    odd = [one.item for one in events if not (isinstance(one.item, dict) and one.item.get("type") == "identify")]
    for start in range(0, len(odd), 50):
        some = odd[start : start + 50]
        body = batch(api, some, headers={"Idempotency-Key": str(start)}).json()
        assert (body["accepted"], body["rejected"]) == (0, len(some))
        assert batch(api, some, headers={"Idempotency-Key": str(start)}).json() == body
    fields = {"event", "user_id", "anonymous_id", "timestamp", "properties"}
    fine = [one.item for one in FINE if one.item.get("timestamp") and fields >= one.item.keys()]
    assert len(fine) > 10
    assert batch(api, fine).json()["errors"] == []


# ------------------------------------------------------------------------------------------ refusals


def test_without_a_good_key(api: Api) -> None:
    for key in (None, "wrong"):
        for path in ("/flokit/v1/events", "/flokit/v1/batch/events"):
            answer = api.post(path, EVENT, key=key)
            assert refused(answer, 401, "unauthorized") == "Invalid or missing API key"


def test_without_the_scope(api: Api) -> None:
    refused(single(api, EVENT, key=api.make_key(Scope.EVENT_READ)), 403, "forbidden")
    assert single(api, EVENT, key=api.make_key(Scope.EVENT_CREATE)).status_code == 200


def test_every_other_refusal_has_the_same_shape(api: Api) -> None:
    refused(api.get("/flokit/v1/events"), 405, "method_not_allowed")
    refused(api.post("/flokit/v1/nothing", EVENT), 404, "not_found")
    refused(single(api, b" " * 1_000_001), 413, "too_large")
    refused(single(api, EVENT, headers={"Content-Encoding": "br"}), 415, "unsupported_encoding")


def test_a_hundred_batches_a_minute(api: Api) -> None:
    for left in range(99, -1, -1):
        answer = batch(api, [EVENT])
        assert answer.status_code == 200
        assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("100", str(left))
    answer = batch(api, [EVENT])
    refused(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert int(answer.headers["x-ratelimit-reset"]) > 0
    assert len(stored(api)) == 50  # a page; the refused batch is not the point here
    assert single(api, EVENT).status_code == 200
    assert batch(api, [EVENT], key=api.other_key).status_code == 200


def test_a_workspace_may_be_given_more(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"rates": {"flokit.batch": "2/minute", "flokit": "3/minute"}})
    assert [batch(api, [EVENT]).status_code for _ in range(3)] == [200, 200, 429]
    assert [single(api, EVENT).status_code for _ in range(4)] == [200, 200, 200, 429]


# ------------------------------------------------------------------------------------------ time and history

ORDERED = """\
Rule: cart
Trigger: cart_updated
Condition: not purchase_completed within 24 hours
Action: send_email
"""


def test_events_out_of_order_are_processed_correctly(make_api: Callable[..., Api]) -> None:
    api = make_api(ORDERED)
    api.move("1 day")
    cart = {**EVENT, "event": "cart_updated", "timestamp": "2026-01-01T11:00:00Z"}
    batch(api, [{**EVENT, "event": "purchase_completed", "timestamp": "2026-01-01T12:00:00Z"}, cart])
    batch(api, [{**cart, "user_id": "bob"}])
    api.move("2 days")
    assert [one.person for one in api.actions] == ["bob"]


def test_a_backfill_is_history_and_starts_nothing(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: r\nTrigger: paywall_viewed\nAction: send_email\n")
    api.post("/flokit/v1/batch/events", printed.BATCH)
    api.move("1 day")
    assert api.actions == []
    batch(api, [EVENT])
    api.move("1 hour")
    assert [one.action for one in api.actions] == ["send_email"]


def test_the_csv_import_of_large_backfills(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "event,user_id,anonymous_id,timestamp,paywall_id,revenue\n"
        "paywall_viewed,usr_abc123,anon_xyz789,2024-03-15T14:20:00Z,pw_annual_v3,\n"
        "subscription_started,usr_abc123,,2024-03-22T14:22:00Z,,49.99\n"
    )
    with EventFile(path) as file:
        assert ingest_file(api.engine, file, historical=True).stored == 2
    assert stored(api, "anon_xyz789") == [
        ("paywall_viewed", {"paywall_id": "pw_annual_v3"}), ("subscription_started", {"revenue": 49.99}),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------ idempotency

KEY = {"Idempotency-Key": printed.IDEMPOTENCY_KEY}


def test_a_repeated_request_gets_the_original_answer(api: Api) -> None:
    first = single(api, printed.SINGLE_WITH_KEY, headers=KEY)
    assert normal(first.text) == documented(printed.ANSWER)
    again = single(api, printed.SINGLE_WITH_KEY, headers=KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert len(stored(api)) == 1


def test_a_repeated_batch_gets_the_original_answer(api: Api) -> None:
    events = [EVENT, {**EVENT, "event": "subscription_started"}, {**EVENT, "event": 7}, {**EVENT, "x": 1}, EVENT]
    first = batch(api, events, headers=KEY)
    assert (first.json()["accepted"], first.json()["rejected"]) == (2, 3)
    for body in (events, [EVENT], [{}] * 9):
        again = batch(api, body, headers=KEY)
        assert (again.status_code, again.content) == (200, first.content)
    assert len(stored(api)) == 2


def test_whatever_comes_under_a_used_key_gets_the_original_answer(api: Api) -> None:
    first = single(api, EVENT, headers=KEY)
    for body in ({**EVENT, "user_id": "bob"}, {"event": "nobody's"}):
        assert single(api, body, headers=KEY).content == first.content
    assert api.engine.events("bob").events == ()
    for body in (b"{", b"[]"):
        refused(single(api, body, headers=KEY), 400, "validation_error")


def test_a_key_holds_for_24_hours(api: Api) -> None:
    first = single(api, EVENT, headers=KEY).content
    api.move("24 hours")
    api.clock.set(api.clock.now() - 1)
    assert single(api, EVENT, headers=KEY).content == first
    api.clock.set(api.clock.now() + 1)
    second = single(api, EVENT, headers=KEY).content
    assert second != first
    assert single(api, EVENT, headers=KEY).content == second
    assert len(stored(api)) == 2


def test_a_refused_request_uses_no_key_up(api: Api) -> None:
    for _ in range(2):
        refused(single(api, {"event": "x"}, headers=KEY), 400, "validation_error")
        refused(batch(api, [], headers=KEY), 400, "validation_error")
        refused(single(api, EVENT, headers=KEY, key=None), 401, "unauthorized")
    assert single(api, EVENT, headers=KEY).status_code == batch(api, [EVENT], headers=KEY).status_code == 200
    assert len(stored(api)) == 2


def test_a_batch_of_which_all_is_rejected_uses_its_key_up(api: Api) -> None:
    first = batch(api, [{"event": "x"}], headers=KEY)
    assert batch(api, [EVENT], headers=KEY).content == first.content
    assert stored(api) == []


def test_routes_and_workspaces_have_keys_of_their_own(api: Api) -> None:
    single(api, EVENT, headers=KEY)
    batch(api, [EVENT], headers=KEY)
    single(api, EVENT, headers=KEY, key=api.other_key)
    api.post("/native/v1/events", {**EVENT, "message_id": printed.IDEMPOTENCY_KEY})
    assert (len(stored(api)), len(api.other.events("usr_abc123").events)) == (3, 1)


def test_how_long_a_key_may_be(api: Api) -> None:
    for key, times in (("k" * 255, 1), ("", 2)):
        for _ in range(2):
            assert single(api, {**EVENT, "user_id": f"u{times}"}, headers={"Idempotency-Key": key}).status_code == 200
        assert len(stored(api, f"u{times}")) == times
    message = refused(single(api, EVENT, headers={"Idempotency-Key": "k" * 256}), 400, "validation_error")
    assert message == "Idempotency-Key has 256 characters; it has at most 255"


def test_of_many_requests_at_once_with_one_key_one_is_carried_out(api: Api) -> None:
    async def all_at_once() -> list[httpx2.Response]:
        headers = {**KEY, "Authorization": f"Bearer {api.key}"}
        ask = [api._client.post("/flokit/v1/events", json=EVENT, headers=headers) for _ in range(100)]
        return await asyncio.gather(*ask)

    answers = api.portal.call(all_at_once)
    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == len(stored(api)) == 1
