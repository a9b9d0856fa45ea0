"""Where a request carries its key."""

from __future__ import annotations

import base64
import binascii

from starlette.datastructures import Headers

from engine.api.dialect import Refused

IN_BODY = "writeKey"
"""The member of the body that carries the key, on routes that trackers call."""


def unauthorized(message: str = "Invalid or missing API key") -> Refused:
    return Refused(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})


def key_of_headers(headers: Headers, basic: bool) -> str | None:
    """The key that stands in ``Authorization``; nothing without that header.

    ``basic`` also takes it as the user name of Basic. Raises Refused: 401 for a header that carries none,
    400 for several headers.
    """
    several = headers.getlist("authorization")
    if not several:
        return None
    if len(several) > 1:
        raise Refused(400, "malformed", "there are several Authorization headers; send one")
    given = several[0]
    scheme, _, value = given.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if basic and scheme.lower() == "basic":
        return _user_name(value.strip())
    raise unauthorized()


def _user_name(encoded: str) -> str:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise unauthorized() from None
    return decoded.partition(":")[0]


def key_of_body(body: object) -> str:
    """The key that stands in a body. Raises Refused (401) where there is none."""
    found = body.get(IN_BODY) if isinstance(body, dict) else None
    if not isinstance(found, str):
        raise unauthorized()
    return found
