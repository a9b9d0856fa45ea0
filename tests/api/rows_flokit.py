"""The matrix's rows of FloKit."""

from __future__ import annotations

from tests.api.matrix import SECRET, row

EVENT = {"event": "paywall_viewed", "user_id": SECRET, "timestamp": "2026-01-01T00:00:00Z"}

ROWS = [
    row("POST", "/v1/events", "event:create", body=EVENT),
    row("POST", "/v1/batch/events", "event:create", body={"events": [EVENT]}),
]
