"""How a store's tables come up to date: Alembic, run by the program itself, one transaction for all."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from engine.errors import StoreError


def upgrade(connection: Connection) -> None:
    """Bring the tables up to date. Raises StoreError for a store that a newer Lapse has written."""
    config = configuration()
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    with connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
        if current == head:
            return
        if current is not None and current not in {one.revision for one in scripts.walk_revisions()}:
            raise StoreError("this store was written by a newer Lapse; install that version to open it")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def configuration() -> Config:
    """Alembic's settings: where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
