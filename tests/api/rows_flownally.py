"""The matrix's rows of FlowNally's dialect."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.api.matrix import SECRET, row
from tests.api.rows_native import event_type


def event(api: Api) -> dict[str, str]:
    """An event of a contact."""
    item = {"event": SECRET, "contact_id": f"con_{SECRET}", "properties": {"secret": SECRET}}
    return {"id": api.engine.ingest(item).ids[0], "contactId": f"con_{SECRET}"}


def contact(api: Api) -> dict[str, str]:
    """A person of a name that is no secret, of whom there is much to tell."""
    api.engine.ingest({"event": SECRET, "contact_id": "con_1", "user_id": SECRET, "properties": {"secret": SECRET}})
    return {"contactId": "con_1"}


ROWS = [
    row("GET", "/v1/event-types", "event_type:list", prepare=event_type),
    row("POST", "/v1/event-types", "event_type:create", body={"name": SECRET}, good=201),
    row("GET", "/v1/event-types/{id}", "event_type:read", prepare=event_type, foreign=404),
    row("PATCH", "/v1/event-types/{id}", "event_type:update", body={"name": SECRET}, prepare=event_type, foreign=404),
    row("DELETE", "/v1/event-types/{id}", "event_type:delete", prepare=event_type, good=204, foreign=404),
    row("GET", "/v1/events", "event:list", prepare=event),
    row("POST", "/v1/events", "event:create", body={"contactId": SECRET, "eventTypeName": "x"}, good=201),
    row("GET", "/v1/events/{id}", "event:read", prepare=event, foreign=404),
    row("GET", "/v1/contacts/{contactId}/events", "event:list", prepare=event, foreign=404),
    # the one exception: another workspace's contact makes a person of one's own, of whom nothing shows but the id
    row("POST", "/v1/contacts/{contactId}/events", "event:create", body={"name": "x"}, prepare=contact, good=201),
]
