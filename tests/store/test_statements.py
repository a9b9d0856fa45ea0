"""Every prepared statement compiles, is accepted by the database, and binds what it says it binds."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from engine import store
from engine.store.prepared import Prepared
from engine.store.store import Store

MODULES = [one.name for one in pkgutil.iter_modules(store.__path__) if not one.ispkg]


def statements() -> list[tuple[str, Prepared]]:
    found = []
    for name in MODULES:
        for variable, value in vars(importlib.import_module(f"engine.store.{name}")).items():
            several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
            found += [(f"{name}.{variable}", one) for one in several if isinstance(one, Prepared)]
    return found


@pytest.mark.parametrize(("name", "statement"), statements())
def test_a_statement_is_accepted(name: str, statement: Prepared) -> None:
    opened = Store("sqlite://")
    with opened.read() as connection:
        text, _ = statement.text(connection)
        marks = text.count("?")
        connection.exec_driver_sql(f"EXPLAIN {text}", ("[]",) * marks if marks else ())
    opened.close()
