"""Stores to test on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from engine.store import sqlite
from engine.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lapse.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A connection inside a writing transaction."""
    writing = store.engine.execution_options(**{sqlite.WRITES: True})
    with writing.connect() as connection, connection.begin():
        yield connection
