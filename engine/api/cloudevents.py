"""CloudEvents 1.0 over HTTP: binary, structured and batch, turned into the engine's own events.

    CloudEvents   here
    type          event
    subject       user_id
    time          timestamp; left out, it is now
    id + source   message_id: "source id", since together they are unique
    data          properties; a value that is no object is put under "data"

The extension ``anonymousid`` is the anonymous id, ``causedby`` the key of the action that led to it. Other extensions
become properties of the same name, where ``data`` has none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from starlette.datastructures import Headers

from engine.api.dialect import Refused

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_REQUIRED: Final = ("id", "source", "type", "specversion")
_KNOWN: Final = frozenset(
    {*_REQUIRED, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64", "anonymousid", "causedby"}
)
_PREFIX: Final = "ce-"
_JSON: Final = re.compile(r"(application|text)/([\w.-]+\+)?json")

Parse = Callable[[bytes], Any]
"""Reads JSON that came in a request. Raises Refused."""


def media_type(headers: Headers) -> str:
    """The content's type, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_binary(headers: Headers) -> bool:
    """Whether the event's attributes stand in headers and the body is its data."""
    return f"{_PREFIX}specversion" in headers


def attributes(headers: Headers) -> dict[str, str]:
    """The attributes that stand in headers, by name."""
    return {name[len(_PREFIX) :]: unquote(value) for name, value in sorted(headers.items()) if name.startswith(_PREFIX)}


def of_headers(headers: Headers, raw: bytes, parse: Parse) -> dict[str, Any]:
    """The event of a binary request. Raises Refused (400) for a body that is not the JSON it says it is."""
    fields: dict[str, Any] = attributes(headers)
    if raw:
        fields["data"] = _data(raw, media_type(headers), parse)
    return fields


def _data(raw: bytes, kind: str, parse: Parse) -> Any:
    try:
        if not kind or _JSON.fullmatch(kind):
            return parse(raw)
        return raw.decode() if kind.startswith("text/") else base64.b64encode(raw).decode()
    except UnicodeDecodeError:
        raise Refused(400, "malformed", "the body is not UTF-8") from None


def to_event(fields: Mapping[str, Any], parse: Parse) -> dict[str, Any]:
    """The engine's event of a CloudEvent. Raises Refused (422) for one that is none."""
    for name in _REQUIRED:
        value = fields.get(name)
        if not isinstance(value, str) or not value:
            raise Refused(422, "not_a_cloud_event", f"a CloudEvent needs '{name}', which is text", field=name)
    if fields["specversion"] != "1.0":
        raise Refused(422, "not_a_cloud_event", "specversion must be 1.0", field="specversion")
    return {
        "event": fields["type"],
        "user_id": fields.get("subject"),
        "anonymous_id": fields.get("anonymousid"),
        "timestamp": fields.get("time"),
        "message_id": f"{fields['source']} {fields['id']}",
        "caused_by": fields.get("causedby"),
        "properties": _properties(fields, parse),
    }


def _properties(fields: Mapping[str, Any], parse: Parse) -> dict[str, Any]:
    extensions = {name: value for name, value in fields.items() if name not in _KNOWN}
    data = fields.get("data")
    if "data_base64" in fields:
        data = _decoded(fields["data_base64"], fields.get("datacontenttype"), parse)
    if data is None:
        return extensions
    return {**extensions, **(data if isinstance(data, dict) else {"data": data})}


def _decoded(value: Any, kind: Any, parse: Parse) -> Any:
    """JSON that came as Base64 is read; anything else stays as it came."""
    if not isinstance(value, str) or not isinstance(kind, str) or not _JSON.fullmatch(kind.lower()):
        return value
    try:
        return parse(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        raise _not_packed() from None
    except Refused as refused:
        raise (_not_packed() if refused.code == "malformed" else refused) from None


def _not_packed() -> Refused:
    message = "data_base64 is not JSON in Base64, or holds too many values"
    return Refused(422, "not_a_cloud_event", message, field="data_base64")
