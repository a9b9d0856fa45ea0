"""What belongs to no dialect: health, readiness that tells the truth, metrics, the description."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from engine.access import Role, Scope
from engine.api.address import is_loopback
from engine.api.dialects import DIALECTS
from tests.api.conftest import Api

RULES = (
    'Rule: cart\nTrigger: cart_updated\nCondition: NOT purchase_completed within 1 hour\nAction: send_email "cart"\n'
)


def test_ready_with_a_writable_store(api: Api) -> None:
    answer = api.get("/ready", key=None)
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "store": "ok", "daemon": "none", "set_aside": 0},
    )
    assert api.get("/health", key=None).json() == {"status": "ok"}


def test_unready_without_a_writable_store(api: Api) -> None:
    api.workspaces.desk.writer.close()
    answer = api.get("/ready", key=None)
    assert (answer.status_code, answer.json()["store"]) == (503, "unwritable")
    assert api.get("/health", key=None).status_code == 200


@pytest.mark.parametrize(("well", "status", "said"), [(True, 200, "ok"), (False, 503, "unwell")])
def test_ready_with_a_daemon_that_is_well(make_api: Callable[..., Api], well: bool, status: int, said: str) -> None:
    answer = make_api(daemon=lambda: well).get("/ready", key=None)
    assert (answer.status_code, answer.json()["daemon"]) == (status, said)


def test_a_daemon_elsewhere_is_seen(api: Api) -> None:
    held = api.workspaces.store.lock()
    assert api.get("/ready", key=None).json()["daemon"] == "elsewhere"
    held.release()


def test_who_may_measure(api: Api) -> None:
    asked = {"far": api.get("/metrics", key=None), "owner": api.get("/metrics"), "wrong": api.get("/metrics", key="x")}
    assert {name: one.status_code for name, one in asked.items()} == {"far": 401, "owner": 200, "wrong": 401}
    assert api.get("/metrics", key=api.make_key(Scope.METRICS)).status_code == 200
    assert api.get("/metrics", key=api.make_key(role=Role.AGENT)).status_code == 403
    assert asked["far"].json()["error"]["code"] == "unauthorized"


def test_this_machine_needs_the_key_too(make_api: Callable[..., Api]) -> None:
    """A proxy on this machine speaks for everybody, with or without saying so."""
    assert make_api(address="127.0.0.1").get("/metrics", key=None).status_code == 401


def test_at_a_port_of_its_own_metrics_need_no_key_and_are_all_there_is(make_api: Callable[..., Api]) -> None:
    api = make_api(serve={"metrics_port": 9090})
    own = "http://lapse.test:9090"
    assert api.get(f"{own}/metrics", key=None).status_code == 200
    for path in ("/health", "/ready", "/openapi.json", "/v1/events", "/segment/v1/batch", "/unsubscribe/x"):
        assert api.get(f"{own}{path}").status_code == 404, path
    assert api.get("/metrics", key=None).status_code == 401
    assert api.get("/health", key=None).status_code == 200


def test_addresses_of_this_machine() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.0.2.1", "example.com", "", "localhost.example.com")))


def figures(api: Api) -> dict[str, float]:
    lines = api.get("/metrics").text.splitlines()
    found = [re.fullmatch(r"(\S+) (\S+)", line) for line in lines if not line.startswith("#")]
    return {one[1]: float(one[2]) for one in found if one is not None}


def test_what_is_measured(make_api: Callable[..., Api]) -> None:
    api = make_api(RULES)
    cart = {"event": "cart_updated", "user_id": "ann", "message_id": "m"}
    api.post("/v1/events/batch", {"events": [cart, cart, {"event": ""}]})
    api.get("/v1/nowhere")
    first = figures(api)
    for outcome in ("accepted", "duplicate", "rejected"):
        assert first[f'lapse_ingested_total{{dialect="native",outcome="{outcome}"}}'] == 1
    requests = 'lapse_request_seconds_count{dialect="native",method="%s",route="%s",status="%s"}'
    assert first[requests % ("POST", "/v1/events/batch", 200)] == 1
    assert first[requests % ("other", "unknown", 404)] == 1
    assert first["lapse_due_lag_seconds"] == 0
    api.clock.move("3 hours")
    assert figures(api)["lapse_due_lag_seconds"] == 2 * 60 * 60
    api.workspaces.run_due()
    last = figures(api)
    assert last["lapse_due_lag_seconds"] == 0
    assert last["lapse_decisions_total"] >= 1
    assert last['lapse_outbox{state="pending"}'] == 0


def test_what_is_noted_of_no_rule_is_told_of_all_workspaces_together(make_api: Callable[..., Api]) -> None:
    api = make_api(RULES, quarantine={"items": 1, "item_bytes": 100})
    noted = 'lapse_noted_total{what="%s"}'
    names = ("key_differs", "quarantine_dropped", "quarantine_too_large")
    assert [figures(api)[noted % name] for name in names] == [0, 0, 0]
    for key in (api.key, api.other_key):
        bad = [{"type": "track", "event": text} for text in ("", "", "x" * 100)]
        assert api.post("/segment/v1/batch", {"batch": bad}, key=key).status_code == 200
    for event in ("cart_updated", "viewed"):
        body = {"event": event, "user_id": "ann"}
        api.post("/native/v1/events", body, headers={"Idempotency-Key": "k"})
    assert [figures(api)[noted % name] for name in names] == [1, 2, 2]


def test_the_description_has_every_route_of_the_native_api(api: Api) -> None:
    document = api.get("/openapi.json", key=None).json()
    described = {(method.upper(), path) for path, said in document["paths"].items() for method in said}
    (native,) = (one for one in DIALECTS if one.name == "native")
    assert described == {(route.method, f"/native{route.path}") for route in native.routes}
    names = set(re.findall(r'"#/components/schemas/(\w+)"', api.get("/openapi.json").text))
    assert names <= set(document["components"]["schemas"])
