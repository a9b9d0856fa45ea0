"""The matrix's rows of the native dialect."""

from __future__ import annotations

from tests.api.matrix import SECRET, row

EVENT = {"event": "signed_up", "user_id": SECRET}

ROWS = [
    row("POST", "/v1/events", "event:create", body=EVENT),
    row("POST", "/v1/events/batch", "event:create", body={"events": [EVENT]}),
]
