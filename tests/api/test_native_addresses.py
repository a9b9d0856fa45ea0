"""Addresses in the native API: looked at, and let go."""

from __future__ import annotations

from typing import Any

import pytest

from engine.access import Role
from tests.api.conftest import Api


def bounce(api: Api, *addresses: str) -> None:
    for address in addresses:
        properties = {"hard": True, "email": address, "reason": "550"}
        api.engine.ingest({"event": "email_bounced", "user_id": address, "properties": properties})
        api.move("1 minute")


def test_they_are_listed_page_by_page(api: Api) -> None:
    assert api.get("/v1/addresses").json() == {"addresses": [], "after": None}
    bounce(api, "a@example.com", "b@example.com")
    first = api.get("/v1/addresses?limit=1").json()
    assert first["addresses"] == [
        {"address": "b@example.com", "channel_type": "email", "since": "2026-01-01T00:01:00Z", "reason": "550"}
    ]
    second = api.get(f"/v1/addresses?limit=1&after={first['after']}").json()
    assert ([one["address"] for one in second["addresses"]], second["after"]) == (["a@example.com"], None)
    answer = api.get("/v1/addresses?after=x")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "after")


def test_one_is_let_go(api: Api) -> None:
    bounce(api, "a@example.com")
    assert api.post("/v1/addresses/forget", {"address": "A@example.com"}).status_code == 204
    assert api.post("/v1/addresses/forget", {"address": "a@example.com"}).status_code == 404
    assert api.get("/v1/addresses").json()["addresses"] == []


@pytest.mark.parametrize("body", [{}, {"address": 1}, {"address": None}, {"address": "a@b.c", "all": True}], ids=str)
def test_what_it_does_not_take(api: Api, body: dict[str, Any]) -> None:
    answer = api.post("/v1/addresses/forget", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "address")


def test_an_agent_looks_and_lets_nothing_go(api: Api) -> None:
    key = api.make_key(role=Role.AGENT)
    assert api.get("/v1/addresses", key=key).status_code == 200
    assert api.post("/v1/addresses/forget", {"address": "a@example.com"}, key=key).status_code == 403
