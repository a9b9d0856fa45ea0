"""The native ``Idempotency-Key``: one key, one call, however many come and however close together."""

from __future__ import annotations

import json

import pytest

from engine.api.native import LASTS
from tests.api.conftest import Api

EVENT = {"event": "signed_up", "user_id": "ann"}
ROUTES = [("/native/v1/events", EVENT), ("/native/v1/events/batch", {"events": [EVENT, {"event": ""}]})]
EACH = pytest.mark.parametrize(("path", "body"), ROUTES, ids=["event", "batch"])


def key(text: str = "k-1") -> dict[str, str]:
    return {"Idempotency-Key": text}


def stored(api: Api) -> int:
    with api.engine.store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one())


@EACH
def test_the_first_answer_again_for_24_hours(api: Api, path: str, body: object) -> None:
    first = api.post(path, body, headers=key())
    api.clock.set(api.clock.now() + LASTS - 1)
    again = api.post(path, body, headers=key())
    assert (again.status_code, again.json()) == (200, first.json())
    assert stored(api) == 1
    api.clock.move("1 second")
    assert api.post(path, body, headers=key()).json() != first.json()
    assert stored(api) == 2


@EACH
def test_another_body_is_refused(api: Api, path: str, body: object) -> None:
    api.post(path, body, headers=key())
    answer = api.post(path, {"events": [EVENT]} if "batch" in path else {**EVENT, "user_id": "bob"}, headers=key())
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "key_differs")
    assert stored(api) == 1


def test_attributes_in_headers_are_of_the_body(api: Api) -> None:
    event = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "signed_up", "ce-subject": "ann"}
    assert api.post("/v1/events", b"", headers={**event, **key()}).status_code == 200
    assert api.post("/v1/events", b"", headers={**event, **key()}).status_code == 200
    assert api.post("/v1/events", b"", headers={**event, "ce-subject": "bob", **key()}).status_code == 422


def test_keys_of_other_workspaces_and_doors_are_others(api: Api) -> None:
    api.post("/native/v1/events", EVENT, headers=key())
    at = {"timestamp": "2026-01-01T00:00:00Z"}
    assert api.post("/native/v1/events", {**EVENT, "user_id": "bob"}, key=api.other_key, headers=key()).is_success
    assert api.post("/flokit/v1/events", {**EVENT, "user_id": "bob", **at}, headers=key()).is_success


def test_only_what_was_taken_uses_a_key_up(api: Api) -> None:
    assert api.post("/v1/events", {"event": ""}, headers=key()).status_code == 422
    assert api.post("/v1/events", EVENT, headers=key()).status_code == 200


def test_a_key_is_as_long_as_an_id(api: Api) -> None:
    longest = api.engine.settings.limits.id_length
    assert api.post("/v1/events", EVENT, headers=key("k" * longest)).status_code == 200
    answer = api.post("/v1/events", EVENT, headers=key("k" * (longest + 1)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert api.post("/v1/events", EVENT, headers=key("")).status_code == 200


def races(api: Api, rounds: int) -> None:
    for number in range(rounds):
        for path, body in ROUTES:
            before = stored(api)
            answers = api.at_once("POST", path, json.dumps(body).encode(), 100, **key(f"{path} {number}"))
            assert {one.status_code for one in answers} == {200}
            assert len({one.text for one in answers}) == 1
            assert stored(api) == before + 1


def test_a_hundred_at_once_are_one(api: Api) -> None:
    races(api, 3)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hundred_at_once_are_one_a_hundred_times(api: Api) -> None:
    races(api, 100)
