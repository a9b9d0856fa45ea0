"""The native API does what its description says: schemathesis asks every operation whatever comes to its mind."""

from __future__ import annotations

import datetime
import json
import uuid
import zoneinfo
from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis.strategies import booleans, builds, datetimes, integers, sampled_from
from schemathesis import GenerationMode, checks
from schemathesis.core.parameters import ParameterLocation
from starlette.types import Receive, Scope, Send

from engine.api import imports, native
from engine.strict_json import INTEGER_MAX, INTEGER_MIN
from tests.api.conftest import Api
from tests.api.test_matrix import ROWS

OPERATIONS = [(route.method, route.path) for route in native.DIALECT.routes]
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.positive_data_acceptance,
    checks.negative_data_rejection,
]
FEW, MANY = 12, 250


_FIRST, _LAST = datetime.datetime(1970, 1, 2), datetime.datetime(2025, 12, 30)  # noqa: DTZ001
MOMENTS = builds(lambda wall, hours: f"{wall.isoformat()}{hours:+03d}:30", datetimes(_FIRST, _LAST), integers(-11, 11))
schemathesis.openapi.format("date-time", MOMENTS)
schemathesis.openapi.format("time-zone", sampled_from(sorted(zoneinfo.available_timezones())))

LATER = "2027-01-01T00:00:00Z"
CSV = "event,user_id,timestamp\nsigned_up,u1,2025-12-30T00:00:00Z\n"
OF_NO_COLUMN = {"historical", "unknown", "decimal_comma"}
"""Queries of an upload that ask nothing of a file's columns."""


@pytest.fixture
def described(api: Api) -> Any:
    """The description as it is served, and the service behind it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await api.app(scope, receive, send)

    return schemathesis.openapi.from_asgi("/openapi.json", app)


def is_negative(case: Any, location: ParameterLocation) -> bool:
    component = case.meta.components.get(location)
    return component is not None and component.mode.is_negative


def make_real(case: Any, api: Api) -> None:
    """Put real values where a schema says only their form: a cursor, a new key, a moment within limits, a file.

    Values that break the schema stay.
    """
    query, body = case.query or {}, case.body
    if "after" in query and not is_negative(case, ParameterLocation.QUERY):
        page = api.get(f"{case.path}?limit=1")
        rest = {name: value for name, value in query.items() if name != "after"}
        case.query = rest if page.json()["after"] is None else {**rest, "after": page.json()["after"]}
    if "Idempotency-Key" in case.headers and not is_negative(case, ParameterLocation.HEADER):
        case.headers = {**case.headers, "Idempotency-Key": uuid.uuid4().hex}
    if is_negative(case, ParameterLocation.BODY):
        return
    if isinstance(body, dict) and case.path == "/native/v1/events":
        body = case.body = with_integers_in_range(body)
    if isinstance(body, dict) and str(body.get("timestamp")) >= LATER:
        case.body = {**body, "timestamp": None}
    if isinstance(body, dict) and isinstance(body.get("expires_at"), str):
        case.body = {**body, "expires_at": LATER}
    if isinstance(body, dict) and isinstance(body.get("schema"), dict):
        case.body = {**body, "schema": {"type": "object", "required": ["plan"], "title": str(body["schema"])}}
    kind = imports.KINDS.get(case.media_type) if case.path == "/native/v1/imports" else None
    if kind == "jsonl" and case.media_type != "application/json":
        case.body = json.dumps(body)
    if kind == "csv":
        case.body = CSV
        if not is_negative(case, ParameterLocation.QUERY):
            case.query = {name: value for name, value in query.items() if name in OF_NO_COLUMN}


def as_sent(case: Any) -> None:
    """Have a case judged as it is sent: one value of a parameter that may come several times is a list of one."""
    query = case.query or {}
    several = [item.name for item in case.operation.query if item.definition["schema"].get("type") == "array"]
    scalars = {name: query[name] for name in several if isinstance(query.get(name), str | int | float)}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in scalars.items()}
    case.query = {**query, **{name: [text] for name, text in texts.items()}}


def with_integers_in_range(value: Any) -> Any:
    """Return JSON whose integers have 64 bits; those beyond become numbers with an exponent."""
    if isinstance(value, dict):
        return {name: with_integers_in_range(member) for name, member in value.items()}
    if isinstance(value, list):
        return [with_integers_in_range(member) for member in value]
    beyond = isinstance(value, int) and not INTEGER_MIN <= value <= INTEGER_MAX
    return 1e30 if beyond else value


def ask(described: Any, api: Api, operation: tuple[str, str], examples: int) -> None:
    """Ask an operation what it is sure to do; then so many times with what its description allows, as often with what
    it does not, for what there is and for what there is not."""
    method, path = operation
    row = ROWS["native", method, path]
    asked = described[f"/native{path}"][method]

    def answered(case: Any) -> int:
        answer = case.call(headers={"Authorization": f"Bearer {api.key}"})
        case.validate_response(answer, checks=CHECKS)
        return int(answer.status_code)

    def any_case(case: Any, there: bool) -> None:
        if there and not is_negative(case, ParameterLocation.PATH):
            case.path_parameters = {**case.path_parameters, **row.prepare(api)}
        if there and not is_negative(case, ParameterLocation.HEADER):
            case.headers = {**case.headers, **row.headers}
        case.headers = {**case.headers, "Authorization": f"Bearer {api.key}"}
        make_real(case, api)
        as_sent(case)
        answered(case)

    sent = {} if row.body is None else {"body": row.body, "media_type": "application/json"}
    query = dict(parse_qsl(row.query.removeprefix("?")))
    good = asked.Case(path_parameters=row.prepare(api), query=query, headers=dict(row.headers), **sent)
    assert answered(good) == row.good
    for mode in GenerationMode:
        settings(max_examples=examples)(given(asked.as_strategy(generation_mode=mode), booleans())(any_case))()


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_it_does_as_described(described: Any, api: Api, operation: tuple[str, str]) -> None:
    ask(described, api, operation, FEW)


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_it_does_as_described_however_often_it_is_asked(described: Any, api: Api, operation: tuple[str, str]) -> None:
    ask(described, api, operation, MANY)
