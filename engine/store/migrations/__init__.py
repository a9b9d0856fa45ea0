"""How a store's tables come up to date: Alembic, run by the program itself, one transaction for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event

from engine.errors import StoreError

_MAKING: Final[dict[str, list[tuple[str, Any]]]] = {}
"""The statements that made the first new store of this process, by dialect."""


def is_current(connection: Connection) -> bool:
    """Whether the tables are up to date."""
    return revision(connection) == _revisions()[0]


def revision(connection: Connection) -> str | None:
    """Return the revision of a store's tables; None where it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Return whether this program has a revision."""
    return revision in _revisions()


def upgrade_to(connection: Connection, revision: str) -> None:
    """Bring the tables up to one revision, for whoever compares them."""
    with connection.begin():
        _migrate(connection, revision)


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date. Raises StoreError for a store that a newer Lapse has written.

    What makes a new store is remembered, and makes the next one without Alembic: rule tests open them by the dozen.
    """
    with connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
        if current == _revisions()[0]:
            return
        if current is not None:
            if current not in _revisions():
                raise StoreError("this store was written by a newer Lapse; install that version to open it")
            _migrate(connection)
        elif connection.dialect.name in _MAKING:
            for statement, values in _MAKING[connection.dialect.name]:
                connection.exec_driver_sql(statement, values).close()
        else:
            with _listening(connection) as statements:
                _migrate(connection)
            _MAKING[connection.dialect.name] = statements


def _migrate(connection: Connection, revision: str = "head") -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@contextmanager
def _listening(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """What is executed meanwhile, in order, with its values."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        heard.append((statement, values))

    event.listen(connection, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(connection, "before_cursor_execute", hear)


@cache
def _revisions() -> tuple[str, ...]:
    """The revisions this program knows, the newest first."""
    return tuple(one.revision for one in ScriptDirectory.from_config(configuration()).walk_revisions())


def configuration() -> Config:
    """Alembic's settings: where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
