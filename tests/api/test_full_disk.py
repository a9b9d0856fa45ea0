"""A disk with no room: nobody is told that an event is taken that is not, and everybody to come again."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from engine.api.dialects import DIALECTS
from tests.api.conftest import Api
from tests.api.test_matrix import EVERY_ROUTE, ROWS

NOTE = {"note": "long " * 6_000}
"""More than the store's pages have room for."""

EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "native": ("/v1/events", {"event": "signed_up", "user_id": "ann", "properties": NOTE}),
    "flokit": (
        "/v1/events",
        {"event": "signed_up", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z", "properties": NOTE},
    ),
    "flownally": ("/v1/events", {"contactId": "ann", "eventTypeName": "signed_up", "payload": NOTE}),
    "flameup": ("/api/v1/track", {"external_id": "ann", "event": "signed_up", "parameters": NOTE}),
    "segment": ("/v1/track", {"userId": "ann", "event": "signed_up", "properties": NOTE}),
}
Full = Callable[[Api], AbstractContextManager[None]]


@contextmanager
def no_page_more(api: Api) -> Iterator[None]:
    """Inside, the store can have no page more: SQLITE_FULL, as on a full disk."""
    _most_pages(api, 1)  # it cannot be less than there are
    yield
    _most_pages(api, 0xFFFF_FFFE)


@contextmanager
def no_byte_more(api: Api) -> Iterator[None]:
    """Inside, no file may grow beyond the size of the store's log: SQLITE_IOERR, as under a quota, at the commit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (api.workspaces.store.log_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _most_pages(api: Api, most: int) -> None:
    api.workspaces.desk.writer.run(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {most}"))


def stored(api: Api) -> list[str]:
    return [one.event for one in api.engine.events().events]


@pytest.mark.parametrize("full", [no_page_more, no_byte_more])
@pytest.mark.parametrize("dialect", [one.name for one in DIALECTS])
def test_an_event_that_finds_no_room_is_not_acknowledged_and_taken_when_there_is(
    api: Api, dialect: str, full: Full, caplog: pytest.LogCaptureFixture
) -> None:
    path, event = EVENTS[dialect]
    with full(api), caplog.at_level(logging.INFO, "lapse.api"):
        refused = api.post(f"/{dialect}{path}", event)
        assert refused.status_code == 503, refused.text
        assert refused.headers["retry-after"] == "1"
        assert "unavailable" in refused.text
        assert stored(api) == []
        ready = api.get("/ready", key=None)
        assert (ready.status_code, ready.json()["store"]) == (503, "unwritable")
    reason = "SQLITE_FULL" if full is no_page_more else "SQLITE_IOERR_WRITE"
    assert {one.fields["reason"] for one in caplog.records if one.msg == "store"} == {reason}
    assert api.post(f"/{dialect}{path}", event).status_code in (200, 201)
    assert stored(api) == ["signed_up"]
    assert api.get("/ready", key=None).status_code == 200


@EVERY_ROUTE
def test_no_route_calls_a_full_disk_a_fault(api: Api, route: tuple[str, str, str]) -> None:
    """Each says that it cannot just now, or does what needs no room; and with room again, what it always does."""
    dialect, method, path = route
    row = ROWS[route]
    url = f"/{dialect}{path.format(**row.prepare(api))}{row.query}"
    with no_byte_more(api):
        answer = api.ask(method, url, row.body, headers=row.headers)
    assert answer.status_code in (503, row.good), answer.text
    if answer.status_code == 503:
        assert api.ask(method, url, row.body, headers=row.headers).status_code == row.good
    assert answer.status_code == 503 or "event:create" not in row.scopes or method == "GET"
