"""Every route with every scope and with the key of another workspace."""

from __future__ import annotations

import importlib
import pkgutil

import httpx2
import pytest

import tests.api
from engine.access import Scope
from engine.api.dialects import DIALECTS
from tests.api.conftest import Api
from tests.api.matrix import SECRET, Row

PREFIX = "rows_"
ROWS: dict[tuple[str, str, str], Row] = {
    (module.name.removeprefix(PREFIX), one.method, one.path): one
    for module in pkgutil.iter_modules(tests.api.__path__)
    if module.name.startswith(PREFIX)
    for one in importlib.import_module(f"tests.api.{module.name}").ROWS
}
ROUTES = [(dialect.name, route.method, route.path) for dialect in DIALECTS for route in dialect.routes]
EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=" ".join)


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert sorted(ROWS) == sorted(ROUTES)


def ask(api: Api, route: tuple[str, str, str], key: str | None, prefix: str | None = None) -> httpx2.Response:
    dialect, method, path = route
    row = ROWS[route]
    filled = path.format(**row.prepare(api)) + row.query
    body = None if method in ("GET", "DELETE") else row.body
    return api.ask(method, (f"/{dialect}" if prefix is None else prefix) + filled, body, key=key, headers=row.headers)


@EVERY_ROUTE
def test_nobody_comes_in_without_a_good_key(api: Api, route: tuple[str, str, str]) -> None:
    expired = api.make_key(*Scope, expires_at=api.clock.now())
    for key in (None, "nonsense", "lapse_" + "0" * 26 + "_" + "a" * 40, expired):
        assert ask(api, route, key).status_code == 401


@EVERY_ROUTE
def test_just_the_scopes_it_needs(api: Api, route: tuple[str, str, str]) -> None:
    needed = {Scope(name) for name in ROWS[route].scopes}
    answer = ask(api, route, api.make_key(*needed))
    assert answer.status_code == ROWS[route].good, answer.text
    for one in needed:
        assert ask(api, route, api.make_key(*set(Scope) - {one})).status_code == 403


@EVERY_ROUTE
def test_nothing_of_one_workspace_shows_in_another(api: Api, route: tuple[str, str, str]) -> None:
    row = ROWS[route]
    row.prepare(api)
    answer = ask(api, route, api.other_key)
    assert answer.status_code == (row.foreign or row.good), answer.text
    sent_itself = row.body is not None and row.method not in ("GET", "DELETE")
    assert sent_itself or SECRET not in answer.text


@EVERY_ROUTE
def test_refusals_are_json_with_the_request_s_id(api: Api, route: tuple[str, str, str]) -> None:
    for key in (None, api.make_key()):
        answer = ask(api, route, key)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()
        assert answer.headers["x-request-id"].startswith("req_")
