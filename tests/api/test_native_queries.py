"""Bodies and queries of the native API are closed: what it does not know is refused, not dropped."""

from __future__ import annotations

import pytest

from engine.api import native
from tests.api.conftest import Api
from tests.api.matrix import SECRET
from tests.api.test_matrix import ROWS


@pytest.mark.parametrize(
    ("path", "field", "told"),
    [
        ("deliveries?stat=dead", "stat", "did you mean 'state'?"),
        ("events?historical=true", "historical", "parameters are person, event"),
        ("rules?limit=3", "limit", "has none"),
        ("deliveries?rule=", "rule", "rule is empty"),
        ("events?since=", "since", "since is empty"),
        ("journeys?limit=", "limit", "limit is empty"),
    ],
)
def test_a_query_it_does_not_know_is_refused(api: Api, path: str, field: str, told: str) -> None:
    answer = api.get(f"/v1/{path}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, "malformed", field)
    assert told in error["message"]


@pytest.mark.parametrize("route", native.DIALECT.routes, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_closed(api: Api, route: native.Route) -> None:
    row = ROWS["native", route.method, route.path]
    path = f"/native{route.path.format(**row.prepare(api))}?no_parameter={SECRET}"
    answer = api.ask(route.method, path, row.body, headers=row.headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "no_parameter")


def test_an_empty_after_asks_for_the_first_page(api: Api) -> None:
    for path in ("events", "journeys", "deliveries", "event-types", "quarantine", "addresses"):
        assert api.get(f"/v1/{path}?after=").json() == api.get(f"/v1/{path}").json()


def test_a_word_that_upload_complete_does_not_have_is_refused(api: Api) -> None:
    headers = {"Content-Type": "application/x-ndjson", "Upload-Complete": "true"}
    answer = api.post("/v1/imports", b"", headers=headers)
    assert answer.status_code == 400
    assert "Upload-Complete must be ?1" in answer.json()["error"]["message"]


def test_a_member_that_a_batch_does_not_have_is_refused(api: Api) -> None:
    answer = api.post("/v1/events/batch", {"events": [{"event": "seen", "user_id": "ann"}], "historical": True})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "historical")
    assert api.engine.person("ann") is None
