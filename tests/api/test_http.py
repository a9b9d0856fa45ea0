"""HTTP taken at its word: HEAD, several headers of one name, codings, uploads that drip."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from engine.api import bodies
from tests.api.conftest import Api


@pytest.mark.parametrize("path", [
    "/health", "/ready", "/metrics", "/openapi.json", "/v1/rules", "/v1/nowhere", "/v1/people/nobody",
])  # fmt: skip
def test_head_is_get_without_a_body(api: Api, path: str) -> None:
    got, head = api.get(path), api.ask("HEAD", path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "content-length") if path != "/metrics" else ("content-type",):
        assert head.headers[name] == got.headers[name]


def test_head_where_there_is_no_get_is_refused(api: Api) -> None:
    assert api.ask("HEAD", "/segment/v1/batch").status_code == 405


@pytest.mark.parametrize("path", ["/v1/rules", "/segment/v1/track", "/metrics"])
def test_two_authorization_headers_are_one_too_many(api: Api, path: str) -> None:
    method = "POST" if "segment" in path else "GET"
    for values in ([api.key, api.key], [api.key, "other"], ["other", api.key]):
        headers = [("Authorization", f"Bearer {value}") for value in values]

        async def ask(sent: list[tuple[str, str]] = headers) -> httpx2.Response:
            return await api._client.request(method, path, headers=sent)

        assert api.portal.call(ask).status_code == 400


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "chunked, chunked", "identity"])
@pytest.mark.parametrize("path", ["/v1/events", "/segment/v1/batch", "/unsubscribe/x"])
def test_codings_of_the_transfer_are_not_taken(api: Api, coding: str, path: str) -> None:
    answer = api.post(path, b"{}", headers={"Transfer-Encoding": coding})
    assert answer.status_code == 501


def test_chunks_are(api: Api) -> None:
    event = {"event": "x", "user_id": "ann"}
    assert api.post("/v1/events", event, headers={"Transfer-Encoding": "Chunked"}).status_code == 200


LINE = b'{"event":"x","user_id":"ann","timestamp":"2026-01-01T00:00:00Z"}\n'


@pytest.mark.parametrize(("rate", "status"), [(64, 200), (66, 408)])
def test_an_upload_that_drips_is_cut_and_keeps_what_has_come(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, rate: int, status: int
) -> None:
    """A line of 65 bytes a second, after the 15 that a body may take."""
    api = make_api(api={"upload_rate": rate, "body_seconds": "1 second"})
    assert len(LINE) == 65
    seconds = itertools.chain.from_iterable((place, place + 1) for place in itertools.count())
    monkeypatch.setattr(bodies, "monotonic", lambda: next(seconds))
    created = api.post("/v1/imports", b"", headers={"Content-Type": "application/x-ndjson"}).json()["id"]
    seconds = itertools.chain.from_iterable((place, place + 1) for place in itertools.count())

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(90):
            yield LINE

    async def ask() -> httpx2.Response:
        headers = {"Authorization": f"Bearer {api.key}", "Upload-Offset": "0"}
        return await api._client.request("PATCH", f"/v1/imports/{created}", content=drip(), headers=headers)

    answer = api.portal.call(ask)
    assert answer.status_code == status, answer.text
    offset = api.get(f"/v1/imports/{created}").json()["offset"]
    assert offset == 90 * len(LINE) if status == 200 else 0 < offset < 90 * len(LINE)


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": ["array", "null"]}, {"type": "null"}])
def test_a_schema_of_no_object_is_refused_in_the_dialect_s_shape(api: Api, schema: dict[str, object]) -> None:
    answer = api.post("/flownally/v1/event-types", {"name": "x", "payloadSchema": schema})
    assert answer.status_code == 400
    assert "payloadSchema" in answer.text
    assert api.post("/v1/event-types", {"name": "x", "schema": schema}).status_code == 400
    good = {"type": ["object", "null"]}
    assert api.post("/flownally/v1/event-types", {"name": "x", "payloadSchema": good}).status_code == 201
