"""Queries of the native API are closed: a name that a route does not have, and one without a value, are refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import wraps
from typing import Final

from starlette.datastructures import QueryParams

from engine.api.dialect import Answer, Call, Refused, Route
from engine.files.reading import near
from engine.strict_json import shown

TEXT: Final = {"type": "string", "minLength": 1}
"""The schema of a parameter that is any text."""

TIME_ZONE: Final = {**TEXT, "format": "time-zone"}
"""The schema of a name from the IANA list of time zones."""

FIRST_PAGE: Final = "after"
"""The parameter that may be empty: it asks for the first page then."""


def closed(route: Route) -> Route:
    """Return the route with its query checked against what is described of it."""
    names = tuple(one.name for one in route.described.query) if route.described is not None else ()
    inner = route.handler

    @wraps(inner)
    async def handler(call: Call) -> Answer:
        _check_query(call.query, names)
        return await inner(call)

    return replace(route, handler=handler)


def _check_query(query: QueryParams, names: Iterable[str]) -> None:
    """Raise Refused (400, ``malformed``) for an unknown parameter and for an empty one."""
    for name, value in query.multi_items():
        if name not in names:
            known = f"; parameters are {', '.join(names)}" if names else "; this route has none"
            reason = f"unknown query parameter '{shown(name)}'{near(name, names) or known}"
            raise Refused(400, "malformed", reason, field=shown(name))
        if not value and name != FIRST_PAGE:
            raise Refused(400, "malformed", f"{name} is empty; give it a value or leave it out", field=name)
