"""Segment's tracking API: what its clients rely on; docs/segment.md says which fact is held by which test."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from engine.access import Scope
from engine.api.segment import BATCH
from engine.clock import SECOND, iso
from engine.timestamps import parse_timestamp
from tests.api.conftest import START, Api, basic

SUCCESS = b'{"success":true}'
NOW = parse_timestamp(START)
SORTS = ("track", "identify", "page", "screen", "group", "alias")


def post(api: Api, path: str, body: Any, **more: Any) -> httpx2.Response:
    return api.post(f"/segment/v1/{path}", body, **more)


def sent(api: Api, path: str, body: Any, **more: Any) -> None:
    """Send what has to be answered with success, to the byte."""
    answer = post(api, path, body, **more)
    assert (answer.status_code, answer.content) == (200, SUCCESS)


def track(user: str | None = "ann", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "signed_up", "userId": user, **more}


def events(api: Api, person: str = "ann") -> list[tuple[str, dict[str, Any]]]:
    """A person's events, oldest first."""
    return [(one.event, one.properties) for one in reversed(api.engine.events(person).events)]


def moment(api: Api, person: str = "ann") -> str:
    """When a person's only event happened."""
    (one,) = api.engine.events(person).events
    return iso(one.at)


def attributes(api: Api, person: str) -> dict[str, Any]:
    found = api.engine.person(person)
    assert found is not None
    return dict(found.attributes)


# ------------------------------------------------------------------------------------------------ who calls


@pytest.mark.parametrize(
    "headers",
    [basic, lambda key: {"Authorization": f"Bearer {key}"}],
    ids=["basic", "bearer"],
)
def test_the_key_stands_in_a_header(api: Api, headers: Callable[[str], dict[str, str]]) -> None:
    sent(api, "track", track(), key=None, headers=headers(api.key))
    assert events(api) == [("signed_up", {})]


@pytest.mark.parametrize("path", ["t", "track"])
def test_or_the_key_stands_in_the_body(api: Api, path: str) -> None:
    sent(api, path, track(writeKey=api.key), key=None)
    sent(api, "batch", {"batch": [track()], "writeKey": api.key}, key=None)
    assert len(events(api)) == 2
    assert post(api, path, track(writeKey="nonsense"), key=None).status_code == 401


def test_an_address_may_bring_keys_in_bodies_only_so_often(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"keyless_rate": "2/minute"})
    body = track(writeKey=api.key)
    assert [post(api, "t", body, key=None).status_code for _ in range(3)] == [200, 200, 429]
    sent(api, "t", track())


def test_only_who_is_known_may_send_much_at_once(api: Api) -> None:
    many = {"batch": [track(properties={"x": "x" * 32_000})] * 32, "writeKey": api.key}
    assert post(api, "batch", many, key=None).status_code == 413
    sent(api, "batch", many)
    few = {**many, "batch": many["batch"][:31]}
    sent(api, "batch", few, key=None)


def test_the_key_says_whose_the_message_is_and_nothing_else_does(api: Api) -> None:
    sent(api, "t", track(writeKey=api.other_key))
    assert len(events(api)) == 1
    assert not api.other.events("ann").events


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
def test_any_content_type_stands_on_json(api: Api, kind: str) -> None:
    sent(api, "t", track(), headers={"Content-Type": kind})
    assert len(events(api)) == 1


def test_bodies_may_be_packed(api: Api) -> None:
    packed = gzip.compress(json.dumps({"batch": [track()]}).encode())
    sent(api, "batch", packed, headers={"Content-Encoding": "gzip"})
    assert len(events(api)) == 1


@pytest.mark.parametrize("path", ["batch", "b", *SORTS, *"tipsga"])
def test_browsers_may_call(api: Api, path: str) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    answer = api.ask("OPTIONS", f"/segment/v1/{path}", key=None, headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "x-retry-count"} <= set(allowed)
    browser = api.make_key(Scope.EVENT_CREATE)
    answer = post(api, path, {"batch": [], **track()}, key=browser, headers={"Origin": "https://shop.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_the_paths_may_stand_at_the_root(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"root": "segment"})
    for path in ("/v1/batch", "/segment/v1/batch"):
        assert api.post(path, {"batch": [track()]}).content == SUCCESS
    assert len(events(api)) == 2


# ------------------------------------------------------------------------------------------------ refusals


def refused(answer: httpx2.Response, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (status, False, code)
    assert isinstance(body["message"], str)


def test_refusals_carry_a_code_and_a_message(api: Api) -> None:
    refused(post(api, "batch", {}, key="nonsense"), 401, "unauthorized")
    refused(post(api, "batch", {}, key=api.make_key(Scope.EVENT_LIST)), 403, "forbidden")
    refused(api.get("/segment/v1/batch"), 405, "method_not_allowed")
    refused(post(api, "nowhere", {}), 404, "not_found")
    refused(post(api, "track", b"x" * 1_000_001), 413, "too_large")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"data=%7B%7D"])
@pytest.mark.parametrize("path", ["batch", "track"])
def test_what_is_no_object_cannot_be_read(api: Api, path: str, body: bytes) -> None:
    refused(post(api, path, body), 400, "malformed")


def test_a_client_that_asks_too_often_is_told_when_to_come_back(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"rates": {"segment": "2/minute"}})
    for _ in range(2):
        sent(api, "t", track())
    answer = post(api, "t", track())
    refused(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_a_batch_has_a_thousand_messages_at_most(api: Api) -> None:
    sent(api, "batch", {"batch": [track(str(number)) for number in range(BATCH)]})
    assert len(events(api, str(BATCH - 1))) == 1
    refused(post(api, "batch", {"batch": [track()] * (BATCH + 1)}), 400, "malformed")
    sent(api, "batch", {"batch": []})
    for other in (None, {}, "x", 5):
        refused(post(api, "batch", {"batch": other}), 400, "malformed")


# ------------------------------------------------------------------------------------------------ messages


@pytest.mark.parametrize("sort", SORTS)
def test_each_call_has_its_own_path_a_letter_and_its_sort_in_batches(api: Api, sort: str) -> None:
    rest = {"event": "signed_up", "previousId": "before", "traits": {"plan": "free"}}
    for place, path in enumerate((sort, sort[0])):
        sent(api, path, {"userId": f"u{place}", **rest})
    sent(api, "batch", {"batch": [{"type": sort, "userId": "u2", **rest}]})
    sent(api, "b", {"batch": [{"type": sort, "userId": "u3", **rest}]})
    found = [(events(api, f"u{place}"), attributes(api, f"u{place}")) for place in range(4)]
    assert found == [found[0]] * 4
    names = {"identify": [], "alias": [], "track": ["signed_up"]}.get(sort, [sort])
    assert [name for name, _ in found[0][0]] == names


def test_a_message_of_a_batch_that_does_not_say_what_it_is_is_a_track(api: Api) -> None:
    message = {key: value for key, value in track(properties={"total": 1}).items() if key != "type"}
    sent(api, "batch", {"batch": [message, {**message, "type": None}]})
    assert events(api) == [("signed_up", {"total": 1})] * 2


def test_on_a_path_of_its_own_the_path_says_what_it_is(api: Api) -> None:
    sent(api, "page", track())
    assert events(api) == [("page", {})]


def test_track(api: Api) -> None:
    sent(api, "track", track(properties={"total": 12.5}, context={"ip": "192.0.2.1"}, integrations={"All": True}))
    assert events(api) == [("signed_up", {"total": 12.5})]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"traits": {"plan": "pro"}}, {"plan": "pro"}),
        ({"context": {"traits": {"plan": "pro"}}}, {"plan": "pro"}),
        ({"traits": {}, "context": {"traits": {"plan": "pro"}}}, {"plan": "pro"}),
        ({"traits": {"plan": "pro"}, "context": {"traits": {"city": "Graz"}}}, {"plan": "pro"}),
        ({"traits": None, "context": None}, {}),
        ({"context": "x"}, {}),
        ({}, {}),
    ],
)
def test_identify_has_traits_here_or_there(api: Api, said: dict[str, Any], known: dict[str, Any]) -> None:
    sent(api, "identify", {"userId": "ann", **said})
    assert attributes(api, "ann") == known


def test_traits_of_the_context_change_nothing_but_with_identify(api: Api) -> None:
    for sort in SORTS:
        if sort != "identify":
            sent(api, sort, track(context={"traits": {"plan": "pro"}}))
    assert attributes(api, "ann") == {}


@pytest.mark.parametrize("sort", ["page", "screen"])
def test_page_and_screen_are_events_with_name_and_category(api: Api, sort: str) -> None:
    sent(api, sort, {"userId": "ann", "name": "Cart", "category": "Shop", "properties": {"url": "/cart"}})
    sent(api, sort, {"userId": "ann", "name": None, "properties": {"name": "Home"}})
    sent(api, sort, {"userId": "ann", "name": "Cart", "properties": {"name": "Home"}})
    sent(api, sort, {"userId": "ann"})
    assert events(api) == [
        (sort, {"url": "/cart", "name": "Cart", "category": "Shop"}),
        (sort, {"name": "Home"}),
        (sort, {"name": "Cart"}),
        (sort, {}),
    ]


def test_group_is_an_event_with_its_id_and_its_traits(api: Api) -> None:
    sent(api, "group", {"userId": "ann", "groupId": "acme", "traits": {"seats": 12}})
    assert events(api) == [("group", {"group_id": "acme", "seats": 12})]
    assert attributes(api, "ann") == {}


def test_a_person_without_a_user_id_is_somebody_too(api: Api) -> None:
    sent(api, "track", track(None, anonymousId="browser-1"))
    sent(api, "identify", {"userId": None, "anonymousId": "browser-1", "traits": {"plan": "free"}})
    assert events(api, "browser-1") == [("signed_up", {})]
    assert attributes(api, "browser-1") == {"plan": "free"}


@pytest.mark.parametrize("sort", SORTS)
def test_a_user_id_and_an_anonymous_id_together_are_one_person(api: Api, sort: str) -> None:
    sent(api, "track", track(None, anonymousId="browser-1"))
    sent(api, sort, {"userId": "ann", "anonymousId": "browser-1", "event": "x", "previousId": "cookie-1"})
    assert ("signed_up", {}) in events(api, "ann")


def test_alias_joins_who_somebody_was_with_who_they_are(api: Api) -> None:
    sent(api, "track", track(None, anonymousId="cookie-1"))
    sent(api, "alias", {"previousId": "cookie-1", "userId": "ann", "messageId": "m-1"})
    assert events(api, "ann") == [("signed_up", {})]
    sent(api, "track", track(None, anonymousId="cookie-1", event="cart_updated"))
    assert events(api, "ann") == [("signed_up", {}), ("cart_updated", {})]


def test_alias_makes_two_users_one(api: Api) -> None:
    sent(api, "track", track("old"))
    sent(api, "track", track("ann", event="cart_updated"))
    message = {"previousId": "old", "userId": "ann", "anonymousId": "browser-1", "messageId": "m-1"}
    for _ in range(2):
        sent(api, "alias", message)
        assert sorted(events(api, "browser-1")) == [("cart_updated", {}), ("signed_up", {})]
    found = api.engine.find("old")
    assert found is not None
    assert found.identifiers == {"user": ("ann", "old"), "anonymous": ("browser-1",), "contact": ()}


def test_alias_takes_no_browser_from_another_user(api: Api) -> None:
    for user in ("ann", "bob"):
        sent(api, "alias", {"previousId": "shared", "userId": user, "anonymousId": "shared"})
        sent(api, "track", track(user))
    sent(api, "track", track(None, anonymousId="shared", event="cart_updated"))
    assert events(api, "ann") == [("signed_up", {}), ("cart_updated", {})]
    assert events(api, "bob") == [("signed_up", {})]


def test_alias_without_a_previous_id_links_like_every_call(api: Api) -> None:
    for previous in (None, ""):
        sent(api, "alias", {"previousId": previous, "userId": "ann", "anonymousId": "browser-1"})
    sent(api, "track", track(None, anonymousId="browser-1"))
    assert events(api, "ann") == [("signed_up", {})]


def test_a_message_id_is_taken_once(api: Api) -> None:
    for user in ("ann", "ann", "bob"):
        sent(api, "track", track(user, messageId="m-1"))
    sent(api, "batch", {"batch": [track(messageId="m-2"), track(messageId="m-2"), track(messageId="m-1")]})
    assert len(events(api)) == 2
    assert events(api, "bob") == []


# ------------------------------------------------------------------------------------------------ bad messages


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "track", "userId": "ann"}, "name_missing"),
        ({"type": "track", "event": "signed_up"}, "no_person"),
        ({"type": "page", "userId": None, "anonymousId": None}, "no_person"),
        (track(userId=5), "id_not_text"),
        (track(messageId="m" * 256), "id_too_long"),
        (track(timestamp="yesterday"), "timestamp_invalid"),
        (track(timestamp="2026-01-01T00:00:00"), "timestamp_no_offset"),
        (track(timestamp="2026-01-02T00:00:00Z"), "timestamp_in_future"),
        (track(properties=[]), "properties_not_object"),
        ({"type": "page", "userId": "ann", "properties": "x", "name": "Home"}, "properties_not_object"),
        ({"type": "group", "userId": "ann", "groupId": "g", "traits": "x"}, "properties_not_object"),
        ({"type": "identify", "userId": "ann", "traits": "x"}, "properties_not_object"),
        ({"type": "alias", "userId": "ann", "previousId": 5}, "id_not_text"),
        ({"type": "alias", "previousId": "old"}, "no_person"),
        ({"type": "alias", "anonymousId": "browser-1", "previousId": "old"}, "user_missing"),
        (track(properties={"x": "x" * 32_768}), "event_too_large"),
        (track(properties={"x": "\ud800"}), "lone_surrogate"),
        (track(type="import"), "unknown_type"),
        (track(type=5), "unknown_type"),
        (5, "not_object"),
        (None, "not_object"),
    ],
)
def test_a_bad_message_spoils_no_other_and_is_kept(api: Api, message: Any, code: str) -> None:
    sent(api, "batch", {"batch": [track("before"), message, track("after")]})
    assert len(events(api, "before")) == len(events(api, "after")) == 1
    (kept,) = api.engine.quarantined().items
    assert (kept.plain()["code"], kept.source) == (code, "segment")
    assert events(api) == []


def test_alone_on_its_path_it_is_kept_too(api: Api) -> None:
    sent(api, "track", {"userId": "ann"})
    assert [one.plain()["code"] for one in api.engine.quarantined().items] == ["name_missing"]


def test_what_breaks_a_schema_is_taken_in_once_the_schema_takes_it(api: Api) -> None:
    kind = api.engine.types.create("order.paid", schema={"type": "object", "required": ["total"]})
    sent(api, "batch", {"batch": [track(), track(event="order.paid", messageId="m-1", timestamp=START)]})
    (kept,) = api.engine.quarantined().items
    assert kept.plain()["reason"] == "Missing required field: total"
    api.engine.types.update(kind.id, schema=None)
    api.engine.reingest([kept.id])
    assert sorted(events(api)) == [("order.paid", {}), ("signed_up", {})]
    assert api.engine.quarantined().total == 0


# ------------------------------------------------------------------------------------------------ time


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("2025-12-31T12:00:00Z", "2025-12-31T12:00:00Z"),
        ("2025-12-31T12:00:00.5+05:30", "2025-12-31T06:30:00.500000Z"),
        ("2025-12-31T12:00:00.123-0800", "2025-12-31T20:00:00.123000Z"),
        ("2025-12-31T12:00:00.123456+00:00", "2025-12-31T12:00:00.123456Z"),
        (None, START),
    ],
)
def test_timestamps_have_any_offset_and_up_to_six_digits(api: Api, said: str | None, when: str) -> None:
    sent(api, "track", track(timestamp=said))
    assert moment(api) == when


def test_without_a_timestamp_the_original_one_holds(api: Api) -> None:
    sent(api, "track", track(originalTimestamp="2025-12-31T12:00:00Z"))
    assert moment(api) == "2025-12-31T12:00:00Z"


@pytest.mark.parametrize("ahead", [-86_400, -3_600, 3_600, 400 * 86_400])
def test_a_wrong_clock_is_put_right(api: Api, ahead: int) -> None:
    """The event was ten minutes before the request, whatever the clock showed."""
    wrong = NOW + ahead * SECOND
    body = {"batch": [track(timestamp=iso(wrong - 600 * SECOND))], "sentAt": iso(wrong)}
    sent(api, "batch", body)
    assert moment(api) == iso(NOW - 600 * SECOND)


def test_a_message_may_say_itself_when_it_was_sent(api: Api) -> None:
    wrong = iso(NOW + 3_600 * SECOND)
    sent(api, "t", track(timestamp=wrong, sentAt=wrong))
    assert moment(api) == START
    sent(api, "b", {"batch": [track("bob", timestamp=wrong, sentAt=wrong)], "sentAt": START})
    assert moment(api, "bob") == START


def test_a_clock_is_right_as_far_as_a_request_may_be_on_its_way(make_api: Callable[..., Api]) -> None:
    """Else nothing that is sent again would be what it was."""
    api = make_api(api={"sent_at_tolerance": "30 seconds"})
    at = iso(NOW - SECOND)
    for off, user in ((-30 * SECOND, "a"), (30 * SECOND, "b"), (-30 * SECOND - 1, "c"), (30 * SECOND + 1, "d")):
        sent(api, "t", track(user, timestamp=at, sentAt=iso(NOW + off)))
    assert [moment(api, user) for user in "abcd"] == [at, at, iso(NOW + 29 * SECOND + 1), iso(NOW - 31 * SECOND - 1)]


@pytest.mark.parametrize("sent_at", ["yesterday", 5, {}, "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", None])
def test_a_sending_time_that_says_nothing_changes_nothing(api: Api, sent_at: Any) -> None:
    sent(api, "t", track(timestamp="0001-01-01T00:00:00Z", sentAt=sent_at))
    sent(api, "t", track("bob", sentAt=sent_at))
    assert events(api) == []
    assert moment(api, "bob") == START


def test_a_timestamp_that_cannot_be_read_is_not_put_right(api: Api) -> None:
    sent(api, "t", track(timestamp="yesterday", sentAt=iso(NOW + 3_600 * SECOND)))
    assert events(api) == []
