"""CloudEvents 1.0: binary, structured and batch, all the same event."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.api.conftest import Api

CLOUD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A234-1234",
    "source": "/shop/carts",
    "type": "com.example.cart.updated",
    "subject": "ann",
    "time": "2025-12-31T23:00:00+01:00",
    "datacontenttype": "application/json",
    "partitionkey": "7",
    "data": {"total": 80.5, "items": ["a", "b"]},
}
STORED = {
    "event": "com.example.cart.updated",
    "person": "ann",
    "at": "2025-12-31T22:00:00Z",
    "message_id": "/shop/carts A234-1234",
    "properties": {"total": 80.5, "items": ["a", "b"], "partitionkey": "7"},
}
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def stored(api: Api) -> list[dict[str, Any]]:
    return [{name: one[name] for name in STORED} for one in api.get("/v1/events").json()["events"]]


def binary(fields: dict[str, Any]) -> dict[str, str]:
    attributes = {f"ce-{name}": value for name, value in fields.items() if name not in ("data", "datacontenttype")}
    return {**attributes, "Content-Type": fields.get("datacontenttype", "application/json")}


def test_binary_structured_and_batch_say_the_same(api: Api) -> None:
    first = api.post("/v1/events", CLOUD["data"], headers=binary(CLOUD))
    assert (first.status_code, first.json()["status"]) == (200, "accepted")
    again = api.post("/v1/events", CLOUD, headers=STRUCTURED)
    assert again.json() == {**first.json(), "status": "duplicate"}
    for path in ("/v1/events", "/v1/events/batch"):
        batch = api.post(path, [CLOUD, {**CLOUD, "id": path}], headers=BATCH).json()
        assert [one["status"] for one in batch["outcomes"]] == ["duplicate", "accepted"]
    assert stored(api)[-1] == STORED
    assert len(stored(api)) == 3


@pytest.mark.parametrize(
    ("more", "properties"),
    [
        ({"data": "text"}, {"data": "text"}),
        ({"data": [1, 2]}, {"data": [1, 2]}),
        ({"data": None}, {}),
        ({"data_base64": base64.b64encode(b'{"a":1}').decode()}, {"a": 1}),
        ({"data_base64": "AAE=", "datacontenttype": "image/png"}, {"data": "AAE="}),
    ],
)
def test_data_of_any_kind(api: Api, more: dict[str, Any], properties: dict[str, Any]) -> None:
    plain = {name: value for name, value in CLOUD.items() if name not in ("data", "partitionkey")}
    assert api.post("/v1/events", {**plain, **more}, headers=STRUCTURED).status_code == 200
    assert stored(api)[0]["properties"] == properties


@pytest.mark.parametrize(
    ("body", "kind", "properties"),
    [(b"hello", "text/plain", {"data": "hello"}), (b"\x00\x01", "image/png", {"data": "AAE="}), (b"", "", {})],
)
def test_binary_data_of_any_kind(api: Api, body: bytes, kind: str, properties: dict[str, Any]) -> None:
    plain = {name: value for name, value in CLOUD.items() if name not in ("data", "partitionkey")}
    answer = api.post("/v1/events", body, headers={**binary(plain), "Content-Type": kind})
    assert answer.status_code == 200, answer.text
    assert stored(api)[0]["properties"] == properties


def test_header_values_are_percent_encoded(api: Api) -> None:
    answer = api.post("/v1/events", {}, headers={**binary(CLOUD), "ce-subject": "J%C3%BCrgen%20M"})
    assert answer.status_code == 200
    assert stored(api)[0]["person"] == "Jürgen M"


def test_an_anonymous_id_may_come_as_an_extension(api: Api) -> None:
    api.post("/v1/events", {**CLOUD, "anonymousid": "device"}, headers=STRUCTURED)
    assert api.get("/v1/people/device").json()["identifiers"][0] == {"kind": "user", "value": "ann"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"), ({"id": ""}, "id"), ({"source": 1}, "source"), ({"type": None}, "type"),
        ({"specversion": "0.3"}, "specversion"), ({"specversion": None}, "specversion"),
        ({"time": "noon"}, "timestamp"), ({"data_base64": "*", "data": None}, "data_base64"),
    ],
)  # fmt: skip
def test_what_is_no_cloud_event(api: Api, change: dict[str, Any], field: str) -> None:
    wrong = {**CLOUD, **change}
    answer = api.post("/v1/events", wrong, headers=STRUCTURED)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    batch = api.post("/v1/events", [{**CLOUD, "id": "first"}, wrong, {**CLOUD, "id": "last"}, 7], headers=BATCH).json()
    assert [one["status"] for one in batch["outcomes"]] == ["accepted", "rejected", "accepted", "rejected"]
    assert [one["index"] for one in batch["outcomes"]] == [0, 1, 2, 3]
    assert batch["outcomes"][1]["field"] == field


def test_an_event_nobody_did_is_refused(api: Api) -> None:
    nobody = {name: value for name, value in CLOUD.items() if name != "subject"}
    answer = api.post("/v1/events", nobody, headers=STRUCTURED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_person")


def test_bodies_that_are_not_what_they_say(api: Api) -> None:
    assert api.post("/v1/events", b"{", headers=binary(CLOUD)).status_code == 400
    assert api.post("/v1/events", b"\xff", headers={**binary(CLOUD), "Content-Type": "text/plain"}).status_code == 400
    assert api.post("/v1/events", json.dumps(CLOUD).encode(), headers=BATCH).status_code == 400
