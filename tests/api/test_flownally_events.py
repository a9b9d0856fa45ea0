"""FlowNally's events: whose they are, what is refused, used keys, and lists that stay right while events arrive."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import spellings
from engine.api.flownally.shapes import LONGEST_PAGE, PAGE
from tests.api.conftest import Api

ROOT = "/flownally/v1"
EVENTS = f"{ROOT}/events"
CONTACT = "con_01HV8Y5R5RFMS0TFK6PKF9H2S8"
UNKNOWN = "01HV8ZB8C3V5N6M7P8Q9R0S1T2"


def of(contact: str) -> str:
    return f"{ROOT}/contacts/{contact}/events"


def made(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    return answer.json()


def record(api: Api, contact: str = CONTACT, name: str = "order.paid", **more: Any) -> dict[str, Any]:
    return made(api.post(of(contact), {"name": name, **more}))


def refused(answer: httpx2.Response) -> tuple[int, str, str | None]:
    body = answer.json()
    assert body["requestId"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"], body.get("field")


def listed(api: Api, path: str = EVENTS, **query: Any) -> list[dict[str, Any]]:
    """A list, page by page."""
    found, token = [], None
    while token != "":
        asked = {**query, "pageToken": token or ""}
        page = api.get(f"{path}?{'&'.join(f'{name}={value}' for name, value in asked.items())}").json()
        found += page["events"]
        token = page["nextPageToken"]
    return found


# ------------------------------------------------------------------------------------------------ whose they are


def test_a_contact_nobody_knows_becomes_a_person_of_that_identifier(api: Api) -> None:
    event = record(api)
    assert event["contactId"] == CONTACT
    person = api.engine.person(CONTACT)
    assert person is not None
    assert list(person.identifiers) == [("contact", CONTACT)]
    assert record(api)["contactId"] == CONTACT
    assert len(listed(api, of(CONTACT))) == 2


def test_a_known_person_is_named_by_con_and_their_ulid(api: Api) -> None:
    first = record(api, "ann")
    contact = first["contactId"]
    assert spellings.read(contact, spellings.Kind.PERSON) is not None
    assert record(api, contact)["contactId"] == contact
    assert len(listed(api, of("ann"))) == len(listed(api, of(contact))) == 2
    person = api.engine.person("ann")
    assert person is not None
    assert list(person.identifiers) == [("user", "ann")]


def test_any_other_text_is_a_user_id_of_every_door(api: Api) -> None:
    api.post("/native/v1/events", {"event": "signed_up", "user_id": "ann"})
    record(api, "ann")
    body = {"contactId": "ann", "eventTypeName": "order.paid"}
    assert made(api.post(EVENTS, body))["contactId"] == listed(api, of("ann"))[0]["contactId"]
    assert [one["eventTypeName"] for one in listed(api, of("ann"))] == ["order.paid", "order.paid", "signed_up"]


def test_a_contact_that_is_joined_with_a_user_goes_on_by_its_oldest_contact_identifier(api: Api) -> None:
    record(api)
    api.engine.ingest({"type": "identify", "user_id": "ann", "contact_id": CONTACT})
    assert record(api, "ann")["contactId"] == CONTACT
    assert len(listed(api, of("ann"))) == len(listed(api, of(CONTACT))) == 2


def test_a_contact_of_another_workspace_is_a_person_of_one_s_own(api: Api) -> None:
    elsewhere = record(api, "ann")["contactId"]
    assert refused(api.get(of(elsewhere), key=api.other_key)) == (404, "not_found", None)
    own = made(api.post(of(elsewhere), {"name": "order.paid"}, key=api.other_key))
    assert own["contactId"] == elsewhere
    assert len(listed(api, of("ann"))) == 1


@pytest.mark.parametrize("contact", [CONTACT, "con_x", "con_", "ann", "%00", "x" * 1000])
def test_the_events_of_nobody_are_not_found(api: Api, contact: str) -> None:
    assert refused(api.get(of(contact))) == (404, "not_found", None)


def test_a_setting_refuses_contacts_nobody_knows(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"contacts": "refuse"})
    api.engine.ingest({"event": "signed_up", "user_id": "ann"})
    assert record(api, "ann")["eventTypeName"] == "order.paid"
    for contact in ("bob", CONTACT):
        assert refused(api.post(of(contact), {"name": "x"})) == (404, "not_found", None)
        body = {"contactId": contact, "eventTypeName": "x"}
        assert refused(api.post(EVENTS, body)) == (404, "not_found", None)


def test_a_journey_reacts_once_the_event_is_accepted(make_api: Callable[..., Api]) -> None:
    api = make_api('Rule: thanks\nTrigger: order.paid where total > 100\nAction: send_email "thanks"\n')
    record(api, payload={"total": 99})
    api.move("1 second")
    assert api.actions == []
    record(api, payload={"total": 129.99})
    api.move("1 second")
    assert [(one.action, one.person) for one in api.actions] == [("send_email", CONTACT)]


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"eventTypeName": "x"}, (422, "missing_field", "contactId")),
        ({"contactId": None, "eventTypeName": "x"}, (422, "missing_field", "contactId")),
        ({"contactId": "ann"}, (422, "missing_field", "eventTypeName")),
        ({"contactId": 7, "eventTypeName": "x"}, (422, "wrong_type", "contactId")),
        ({"contactId": "ann", "eventTypeName": ["x"]}, (422, "wrong_type", "eventTypeName")),
        ({"contactId": "ann", "eventTypeName": ""}, (422, "missing_field", "eventTypeName")),
        ({"contactId": "ann", "eventTypeName": " "}, (422, "name_missing", "eventTypeName")),
        ({"contactId": "ann", "eventTypeName": "x" * 201}, (422, "name_too_long", "eventTypeName")),
        ({"contactId": "a\0", "eventTypeName": "x"}, (422, "nul", "contactId")),
        ({"contactId": "con_\0", "eventTypeName": "x"}, (422, "nul", "contactId")),
        (b'{"contactId": "\\ud800", "eventTypeName": "x"}', (422, "lone_surrogate", "contactId")),
        ({"contactId": "", "eventTypeName": "x"}, (422, "missing_field", "contactId")),
        ({"contactId": "ann", "eventTypeName": "x", "payload": []}, (422, "properties_not_object", "payload")),
        ({"contactId": "ann", "eventTypeName": "x", "payload": {"a": {"b": "\0"}}}, (422, "nul", "payload.a.b")),
        ({"contactId": "ann", "eventTypeName": "x", "idempotencyKey": 7}, (422, "wrong_type", "idempotencyKey")),
        (
            {"contactId": "ann", "eventTypeName": "x", "idempotencyKey": "k" * 2000},
            (422, "id_too_long", "idempotencyKey"),
        ),
        ({"contactId": "ann", "eventTypeName": "x", "idempotencyKey": "\0"}, (422, "nul", "idempotencyKey")),
        ({"contactId": "ann", "eventTypeName": "x", "timestamp": 1}, (422, "unknown_field", "timestamp")),
        ({"contactId": "ann", "name": "x"}, (422, "unknown_field", "name")),
        ([], (400, "malformed", None)),
        (b'{"contactId": "ann", "eventTypeName": "x", "payload": {"a": NaN}}', (400, "malformed", None)),
        (b"\xff", (400, "malformed", None)),
    ],
)
def test_bodies_that_make_no_event(api: Api, body: Any, expected: tuple[int, str, str | None]) -> None:
    assert refused(api.post(EVENTS, body)) == expected
    assert listed(api) == []


def test_a_reason_names_the_field_as_the_document_does(api: Api) -> None:
    answer = api.post(of("ann"), {"name": "x", "payload": {"a": "\0"}})
    assert answer.json()["detail"].startswith("payload.a ")
    answer = api.post(of("ann"), {"name": " "})
    assert (answer.json()["field"], answer.json()["detail"].partition(" ")[0]) == ("name", "name")
    answer = api.post(of("x" * 2000), {"name": "x"})
    assert (answer.status_code, answer.json()["field"]) == (422, "contactId")


def test_a_payload_has_to_be_what_the_type_s_schema_takes(api: Api) -> None:
    schema = {"properties": {"total": {"type": "number"}}, "required": ["orderId"]}
    api.engine.types.create("order.paid", schema=schema)
    key = {"idempotencyKey": "k"}
    answer = api.post(of("ann"), {"name": "order.paid", "payload": {"total": 1}, **key})
    assert refused(answer) == (422, "breaks_schema", "payload.orderId")
    answer = api.post(of("ann"), {"name": "order.paid", "payload": {"orderId": "1", "total": "much"}, **key})
    assert refused(answer) == (422, "breaks_schema", "payload.total")
    more = {"orderId": "1", "total": 1, "currency": "PLN"}
    assert record(api, payload=more, **key)["payload"] == more


def test_names_without_a_type_become_types_or_are_refused(make_api: Callable[..., Api]) -> None:
    api = make_api()
    event = record(api, name="never met")
    assert api.get(f"{ROOT}/event-types/{event['eventTypeId']}").json()["name"] == "never met"
    strict = make_api(types={"unknown": "refuse"})
    answer = strict.post(of("ann"), {"name": "never met"})
    assert refused(answer) == (422, "unknown_event", "name")
    assert strict.post(of("ann"), {"name": "signed_up"}).status_code == 201


# ------------------------------------------------------------------------------------------------ used keys


def test_a_used_key_is_refused_whatever_comes_with_it(api: Api) -> None:
    first = record(api, idempotencyKey="k", payload={"a": 1})
    for path, body in [
        (of(CONTACT), {"name": "order.paid", "payload": {"a": 1}}),
        (of("ann"), {"name": "other"}),
        (EVENTS, {"contactId": "ann", "eventTypeName": "other"}),
    ]:
        answer = api.post(path, {**body, "idempotencyKey": "k"})
        assert refused(answer) == (409, "idempotency_key_used", "idempotencyKey")
        assert answer.json()["eventId"] == first["id"]
    api.move("1000 days")
    assert api.post(of("ann"), {"name": "x", "idempotencyKey": "k"}).status_code == 409
    assert listed(api) == [first]


def test_a_key_is_of_one_workspace_and_one_door(api: Api) -> None:
    record(api, idempotencyKey="k")
    made(api.post(of(CONTACT), {"name": "x", "idempotencyKey": "k"}, key=api.other_key))
    sent = {"event": "x", "user_id": "ann", "message_id": "k"}
    assert api.post("/native/v1/events", sent).json()["status"] == "accepted"
    assert api.post("/native/v1/events", {**sent, "message_id": "m"}).json()["status"] == "accepted"
    assert record(api, idempotencyKey="m")["idempotencyKey"] == "m"


def test_only_an_event_that_was_recorded_uses_its_key(api: Api) -> None:
    for body in ({"name": ""}, {"name": "x", "payload": []}, {"name": "x", "payload": {"a": "\0"}}):
        assert api.post(of("ann"), {**body, "idempotencyKey": "k"}).status_code == 422
    assert record(api, idempotencyKey="k")["idempotencyKey"] == "k"


def test_without_a_key_two_calls_are_two_events(api: Api) -> None:
    for nothing in ({}, {"idempotencyKey": None}, {"idempotencyKey": ""}):
        first, second = record(api, **nothing), record(api, **nothing)
        assert "idempotencyKey" not in first
        assert first["id"] != second["id"]
    assert len(listed(api)) == 6


def rush(api: Api, key: str, times: int) -> Counter[int]:
    """As many requests at once, all with one key; how often each status came."""
    body = json.dumps({"name": "order.paid", "idempotencyKey": key}).encode()
    answers = api.at_once("POST", of(CONTACT), body, times)
    return Counter(one.status_code for one in answers)


def a_hundred_requests_with_one_key(api: Api, rounds: int) -> None:
    for number in range(rounds):
        assert rush(api, f"key {number}", 100) == {201: 1, 409: 99}
        assert api.get(f"{EVENTS}?pageSize=1").json()["totalSize"] == number + 1


def test_of_a_hundred_requests_at_once_with_one_key_one_records_the_event(api: Api) -> None:
    a_hundred_requests_with_one_key(api, 3)


@pytest.mark.long
def test_of_a_hundred_requests_at_once_with_one_key_one_records_the_event_a_hundred_times(api: Api) -> None:
    a_hundred_requests_with_one_key(api, 100)


# ------------------------------------------------------------------------------------------------ reading


def test_an_event_is_read_by_any_spelling_of_its_id(api: Api) -> None:
    event = record(api, payload={"a": [1, {"b": None}]}, idempotencyKey="k")
    id = spellings.read(event["id"], spellings.Kind.EVENT)
    assert id is not None
    for spelling in (event["id"], spellings.event_lower(id), spellings.event_hex(id), event["id"][4:]):
        assert api.get(f"{EVENTS}/{spelling}").json() == event
    assert refused(api.get(f"{EVENTS}/{event['id']}", key=api.other_key)) == (404, "not_found", None)


@pytest.mark.parametrize("id", [f"evt_{UNKNOWN}", UNKNOWN, f"evt-type_{UNKNOWN}", "evt_", "x", "%2F", "evt_%00"])
def test_ids_that_are_unknown_or_none_are_not_found(api: Api, id: str) -> None:
    record(api)
    assert refused(api.get(f"{EVENTS}/{id}")) == (404, "not_found", None)


def test_what_other_doors_took_in_is_shown_with_its_arrival(api: Api) -> None:
    sent = {"event": "signed_up", "user_id": "ann", "timestamp": "2025-12-31T00:00:00Z", "message_id": "m"}
    id = api.post("/native/v1/events", sent).json()["id"]
    (event,) = listed(api)
    assert event == {
        "id": id,
        "tenantId": record(api)["tenantId"],
        "contactId": event["contactId"],
        "eventTypeId": api.engine.types.get("signed_up").id,
        "eventTypeName": "signed_up",
        "payload": {},
        "createdAt": "2026-01-01T00:00:00Z",
    }
    assert api.get(f"{EVENTS}/{id}").json() == event


def test_a_renamed_type_keeps_its_id_and_its_events_show_the_new_name(api: Api) -> None:
    event = record(api)
    assert api.ask("PATCH", f"{ROOT}/event-types/{event['eventTypeId']}", {"name": "order_paid"}).status_code == 200
    renamed = {**event, "eventTypeName": "order_paid"}
    assert (api.get(f"{EVENTS}/{event['id']}").json(), listed(api)) == (renamed, [renamed])


def test_changes_of_attributes_and_what_actions_record_are_in_no_list(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: note\nTrigger: order.paid\nAction: track noted\nAction: set person.plan = paid\n")
    event = record(api)
    api.move("1 minute")
    api.engine.identify("ann", {"plan": "free"})
    assert [one.event for one in api.engine.events(CONTACT).events] == ["noted", "order.paid"]
    assert listed(api) == listed(api, of(CONTACT)) == [event]
    assert api.get(EVENTS).json()["totalSize"] == 1
    noted = api.engine.events(names="noted").events[0]
    assert refused(api.get(f"{EVENTS}/{noted.id}")) == (404, "not_found", None)


# ------------------------------------------------------------------------------------------------ listing


def test_events_are_listed_newest_arrival_first(api: Api) -> None:
    first = record(api, "ann")
    sent = {"event": "x", "user_id": "ann", "timestamp": "2025-12-31T00:00:00Z"}
    second = api.post("/native/v1/events", sent).json()
    third = record(api, "bob")
    assert [one["id"] for one in listed(api)] == [third["id"], second["id"], first["id"]]
    assert [one["id"] for one in listed(api, of("ann"))] == [second["id"], first["id"]]


def test_a_list_may_be_of_one_type(api: Api) -> None:
    paid, lost = record(api, "ann"), record(api, "ann", "order.lost")
    other = record(api, "bob")
    kind = paid["eventTypeId"]
    assert [one["id"] for one in listed(api, eventTypeId=kind)] == [other["id"], paid["id"]]
    assert listed(api, of("ann"), eventTypeId=kind) == [paid]
    assert listed(api, of("ann"), eventTypeId=lost["eventTypeId"].lower()) == [lost]
    assert listed(api, of("bob"), eventTypeId=lost["eventTypeId"]) == []
    assert api.get(f"{EVENTS}?eventTypeId={kind}").json()["totalSize"] == 2


@pytest.mark.parametrize("id", [f"evt-type_{UNKNOWN}", "order.paid", "x", "evt-type_"])
def test_a_type_that_is_not_there_is_not_found(api: Api, id: str) -> None:
    record(api)
    for path in (EVENTS, of(CONTACT)):
        assert refused(api.get(f"{path}?eventTypeId={id}")) == (404, "not_found", None)


def test_a_type_of_another_workspace_is_not_found(api: Api) -> None:
    elsewhere = made(api.post(of(CONTACT), {"name": "order.paid"}, key=api.other_key))
    record(api)
    for path in (EVENTS, of(CONTACT)):
        assert refused(api.get(f"{path}?eventTypeId={elsewhere['eventTypeId']}")) == (404, "not_found", None)


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=-1", "pageSize=x", "pageToken=x", "pageToken=1.2.3"])
def test_queries_that_make_no_page(api: Api, query: str) -> None:
    record(api)
    for path in (EVENTS, of(CONTACT)):
        assert refused(api.get(f"{path}?{query}")) == (400, "malformed", query.partition("=")[0])


def test_a_page_has_fifty_events_unless_it_says_and_five_hundred_at_most(api: Api) -> None:
    api.engine.ingest([{"event": "x", "user_id": "ann"} for _ in range(LONGEST_PAGE + 1)])
    for path in (EVENTS, of("ann")):
        for query, size in [("", PAGE), ("pageSize=1", 1), ("pageSize=500", 500), ("pageSize=501", 500)]:
            page = api.get(f"{path}?{query}").json()
            assert (len(page["events"]), page["totalSize"]) == (size, LONGEST_PAGE + 1)


_fresh = count()
_arrivals = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=4)


@settings(max_examples=60)
@given(before=_arrivals, meanwhile=st.lists(_arrivals, max_size=6), size=st.integers(1, 5), data=st.data())
def test_a_list_stays_right_while_events_arrive(
    api: Api, before: list[tuple[str, str]], meanwhile: list[list[tuple[str, str]]], size: int, data: st.DataObject
) -> None:
    """Read page by page while others record: what was there at first comes once each, in order, and nothing else."""
    run = next(_fresh)
    arrived: list[tuple[str, str, str]] = []

    def arrive(some: list[tuple[str, str]]) -> None:
        for contact, name in some:
            event = record(api, f"{contact}{run}", f"{name}{run}")
            arrived.append((event["id"], contact, event["eventTypeId"]))

    arrive([("a", "x"), *before])
    kind = data.draw(st.sampled_from([None, arrived[0][2], arrived[-1][2]]))
    contact = data.draw(st.sampled_from([None, "a"])) if kind is not None else "a"
    path = (of(f"{contact}{run}") if contact else EVENTS) + f"?pageSize={size}&eventTypeId={kind or ''}"

    def matching() -> list[str]:
        return [id for id, whose, what in reversed(arrived) if contact in (None, whose) and kind in (None, what)]

    expected, found, token = matching(), [], None
    interludes = iter(meanwhile)
    while token != "":
        page = api.get(f"{path}&pageToken={token or ''}").json()
        assert page["totalSize"] == len(matching())
        assert len(page["events"]) <= size
        found += [one["id"] for one in page["events"]]
        token = page["nextPageToken"]
        arrive(next(interludes, []))
    assert found == expected
