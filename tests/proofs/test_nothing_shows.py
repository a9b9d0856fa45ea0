"""What goes wrong inside stays inside: no trace, statement or path in answers and logs, no key in logs and URLs."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from engine.api.dialect import Call
from engine.cli.logs import JsonLines
from engine.store.prepared import Prepared
from tests.api.conftest import Api
from tests.api.test_matrix import EVERY_ROUTE, ROWS, ask

STATEMENT = "SELECT digest FROM api_keys WHERE id = 4111"
CAUSE = "disk image is malformed: /srv/shop/lapse.db"
INNARDS = (
    "select",
    "from api",
    "4111",
    "/srv",
    "malformed:",
    "lapse.db",
    "sqlite",
    "sqlalchemy",
    "traceback",
    ".py",
    "line ",
)


def fail(*_: Any) -> NoReturn:
    raise OperationalError(STATEMENT, {"id": 4111}, sqlite3.OperationalError(CAUSE))


@contextmanager
def broken(api: Api, owner: type, name: str) -> Iterator[None]:
    """Inside, a function fails, loudly."""
    api.app.state.service.recognise(api.key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, fail)
        yield


@EVERY_ROUTE
def test_a_fault_inside_shows_nothing_of_itself(
    api: Api, route: tuple[str, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    dialect, method, path = route
    row = ROWS[route]
    url = f"/{dialect}{path.format(**row.prepare(api))}{row.query}"
    failed = 0
    for owner, name in ((Call, "read"), (Prepared, "text")):
        with caplog.at_level(logging.DEBUG), broken(api, owner, name):
            answer = api.ask(method, url, row.body, headers=row.headers)
        if answer.status_code >= 500:
            failed += 1
            shows_nothing(answer)
    assert failed, "nothing failed"
    for line in lines(caplog):
        assert not [one for one in (STATEMENT, CAUSE, "4111", "/srv/shop") if one in line], line


def shows_nothing(answer: httpx2.Response) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()
    shown = [answer.text, *map(str, answer.headers.values())]
    assert not [one for one in INNARDS for text in shown if one in text.lower()], shown


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The service's log as it is written."""
    return [JsonLines().format(one) for one in caplog.records if one.name.startswith("lapse")]


@EVERY_ROUTE
def test_keys_are_not_logged_and_not_read_from_urls(
    api: Api, route: tuple[str, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    dialect, method, path = route
    row = ROWS[route]
    url = f"/{dialect}{path.format(**row.prepare(api))}"
    with caplog.at_level(logging.DEBUG):
        assert ask(api, route, api.key).status_code == row.good
        names = ("key", "api_key", "apikey", "token", "access_token", "writeKey", "authorization")
        for query in (f"?{name}={api.key}" for name in names):
            assert api.ask(method, url + query, row.body, key=None, headers=row.headers).status_code == 401
    secret = api.key.rpartition("_")[2]
    assert len(lines(caplog)) > len(names)
    assert not [line for line in lines(caplog) if secret in line]
