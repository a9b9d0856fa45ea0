"""The matrix's rows of FlowNally's dialect."""

from __future__ import annotations

from tests.api.matrix import SECRET, row
from tests.api.rows_native import event_type

ROWS = [
    row("GET", "/v1/event-types", "event_type:list", prepare=event_type),
    row("POST", "/v1/event-types", "event_type:create", body={"name": SECRET}, good=201),
    row("GET", "/v1/event-types/{id}", "event_type:read", prepare=event_type, foreign=404),
    row("PATCH", "/v1/event-types/{id}", "event_type:update", body={"name": SECRET}, prepare=event_type, foreign=404),
    row("DELETE", "/v1/event-types/{id}", "event_type:delete", prepare=event_type, good=204, foreign=404),
]
