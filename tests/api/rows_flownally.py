"""The matrix's rows of FlowNally's dialect."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.api.matrix import SECRET, row


def event_type(api: Api) -> dict[str, str]:
    """A type, made once for an api."""
    made = next((one for one in api.engine.types.list().types if one.name == SECRET), None)
    return {"id": (made or api.engine.types.create(SECRET)).id}


ROWS = [
    row("GET", "/v1/event-types", "event_type:list", prepare=event_type),
    row("POST", "/v1/event-types", "event_type:create", body={"name": SECRET}, good=201),
    row("GET", "/v1/event-types/{id}", "event_type:read", prepare=event_type, foreign=404),
    row("PATCH", "/v1/event-types/{id}", "event_type:update", body={"name": SECRET}, prepare=event_type, foreign=404),
    row("DELETE", "/v1/event-types/{id}", "event_type:delete", prepare=event_type, good=204, foreign=404),
]
