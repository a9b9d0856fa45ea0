"""The native API does what its description says: schemathesis asks every operation whatever comes to its mind."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis.strategies import booleans
from schemathesis import GenerationMode, checks
from starlette.types import Receive, Scope, Send

from engine.api import native
from tests.api.conftest import Api
from tests.api.test_matrix import ROWS

OPERATIONS = [(route.method, route.path) for route in native.DIALECT.routes]
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
FEW, MANY = 8, 250


@pytest.fixture
def described(api: Api) -> Any:
    """The description as it is served, and the service behind it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await api.app(scope, receive, send)

    return schemathesis.openapi.from_asgi("/openapi.json", app)


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
        if there:
            case.path_parameters = {**case.path_parameters, **row.prepare(api)}
            case.headers = {**case.headers, **row.headers}
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
