"""The matrix's rows of Flameup."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.api.matrix import SECRET, row

EVENT = {"event": "page_viewed", "external_id": SECRET}


def somebody(api: Api) -> dict[str, str]:
    api.engine.ingest({"event": "page_viewed", "user_id": SECRET, "properties": {"page": SECRET}})
    return {"person_id": SECRET}


ROWS = [
    row("POST", "/api/v1/track", "event:create", body=EVENT),
    row("POST", "/api/v1/track/batch", "event:create", body={"events": [EVENT]}),
    row(
        "GET", "/api/v1/people/{person_id}/events", "event:list", "event:read",
        prepare=somebody, foreign=404, query="?event=page_viewed",
    ),
]  # fmt: skip
