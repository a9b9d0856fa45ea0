"""What stands before every handler."""

from __future__ import annotations

from tests.api.conftest import Api

EVENT = {"event": "signed_up", "user_id": "ann"}


def test_an_event_is_stored(api: Api) -> None:
    answer = api.post("/native/v1/events", EVENT)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "accepted"
    assert api.get("/health").json() == {"status": "ok"}
    assert api.post("/v1/events", EVENT).status_code == 200


def test_without_a_key_nobody_comes_in(api: Api) -> None:
    for key in (None, "x", api.key[:-1] + ("a" if api.key[-1] != "a" else "b")):
        answer = api.post("/native/v1/events", EVENT, key=key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


def test_unknown_routes_and_methods(api: Api) -> None:
    answer = api.get("/native/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = api.ask("PUT", "/native/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
