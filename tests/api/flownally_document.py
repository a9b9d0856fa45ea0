"""What FlowNally's document prints: ten requests and their answers, to the byte.

The requests are shell commands; a body is what stands between the quotes of ``-d``. ``{id}``, ``{contactId}`` and
``{token}`` are the document's own placeholders, and so is the whole query of its three lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVENT_TYPE_BODY: Final = b"""{
  "name": "order.paid",
  "description": "Customer paid for an order.",
  "payloadSchema": {
    "type": "object",
    "properties": {
      "orderId": {
        "type": "string"
      },
      "total": {
        "type": "number"
      }
    },
    "required": [
      "orderId"
    ]
  }
}"""

EVENT_TYPE_PATCH: Final = b"""{
  "name": "order_ready",
  "description": "string",
  "payloadSchema": {}
}"""

EVENT_BODY: Final = b"""{
  "contactId": "con_01HV8Y5R5RFMS0TFK6PKF9H2S8",
  "eventTypeName": "order.paid",
  "payload": {
    "orderId": "4827",
    "total": 129.99,
    "currency": "PLN"
  },
  "idempotencyKey": "order-4827-paid"
}"""

CONTACT_EVENT_BODY: Final = b"""{
  "name": "order.paid",
  "payload": {
    "orderId": "4827",
    "total": 129.99,
    "currency": "PLN"
  },
  "idempotencyKey": "order-4827-paid"
}"""

EVENT_TYPE: Final = """{
  "id": "evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1",
  "tenantId": "tn_01HV8Y1N3QPY9X2HBQ1M9E8D0",
  "name": "order.paid",
  "description": "Customer paid for an order.",
  "payloadSchema": {
    "type": "object",
    "properties": {
      "orderId": {
        "type": "string"
      },
      "total": {
        "type": "number"
      }
    },
    "required": [
      "orderId"
    ]
  },
  "createdAt": "2026-04-30T09:30:00Z",
  "updatedAt": "2026-04-30T09:30:00Z"
}"""

EVENT_TYPES: Final = """{
  "eventTypes": [
    {
      "id": "evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1",
      "tenantId": "tn_01HV8Y1N3QPY9X2HBQ1M9E8D0",
      "name": "order.paid",
      "description": "Customer paid for an order.",
      "payloadSchema": {
        "type": "object",
        "properties": {
          "orderId": {
            "type": "string"
          },
          "total": {
            "type": "number"
          }
        },
        "required": [
          "orderId"
        ]
      },
      "createdAt": "2026-04-30T09:30:00Z",
      "updatedAt": "2026-04-30T09:30:00Z"
    }
  ],
  "nextPageToken": "string",
  "totalSize": 0
}"""

EVENT: Final = """{
  "id": "evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2",
  "tenantId": "tn_01HV8Y1N3QPY9X2HBQ1M9E8D0",
  "contactId": "con_01HV8Y5R5RFMS0TFK6PKF9H2S8",
  "eventTypeId": "evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1",
  "eventTypeName": "order.paid",
  "payload": {
    "orderId": "4827",
    "total": 129.99,
    "currency": "PLN"
  },
  "idempotencyKey": "order-4827-paid",
  "createdAt": "2026-04-30T10:40:00Z"
}"""

EVENTS: Final = """{
  "events": [
    {
      "id": "evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2",
      "tenantId": "tn_01HV8Y1N3QPY9X2HBQ1M9E8D0",
      "contactId": "con_01HV8Y5R5RFMS0TFK6PKF9H2S8",
      "eventTypeId": "evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1",
      "eventTypeName": "order.paid",
      "payload": {
        "orderId": "4827",
        "total": 129.99,
        "currency": "PLN"
      },
      "idempotencyKey": "order-4827-paid",
      "createdAt": "2026-04-30T10:40:00Z"
    }
  ],
  "nextPageToken": "string",
  "totalSize": 0
}"""

CONTACT: Final = "con_01HV8Y5R5RFMS0TFK6PKF9H2S8"
KEY: Final = "order-4827-paid"

TYPE_MADE_AT: Final = "2026-04-30T09:30:00Z"
EVENT_MADE_AT: Final = "2026-04-30T10:40:00Z"


@dataclass(frozen=True)
class Printed:
    """One of the ten: what is asked, which scope it needs, and what is answered."""

    method: str
    path: str
    scope: str
    status: int
    answer: str | None
    body: bytes | None = None


ENDPOINTS: Final = (
    Printed("GET", "/v1/event-types", "event_type:list", 200, EVENT_TYPES),
    Printed("POST", "/v1/event-types", "event_type:create", 201, EVENT_TYPE, EVENT_TYPE_BODY),
    Printed("GET", "/v1/event-types/{id}", "event_type:read", 200, EVENT_TYPE),
    Printed("PATCH", "/v1/event-types/{id}", "event_type:update", 200, EVENT_TYPE, EVENT_TYPE_PATCH),
    Printed("DELETE", "/v1/event-types/{id}", "event_type:delete", 204, None),
    Printed("GET", "/v1/events", "event:list", 200, EVENTS),
    Printed("POST", "/v1/events", "event:create", 201, EVENT, EVENT_BODY),
    Printed("GET", "/v1/events/{id}", "event:read", 200, EVENT),
    Printed("GET", "/v1/contacts/{contactId}/events", "event:list", 200, EVENTS),
    Printed("POST", "/v1/contacts/{contactId}/events", "event:create", 201, EVENT, CONTACT_EVENT_BODY),
)
"""In the document's order."""
