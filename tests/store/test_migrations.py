"""A store's tables are those of the schema, whichever way they came about."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from engine.errors import StoreError
from engine.store import migrations
from engine.store.columns import metadata
from engine.store.store import Store

VERSIONS = Path(migrations.__file__).parent / "versions"
DIGESTS = Path(__file__).with_name("migrations.sha256")


def test_migrations_and_schema_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_even_in_what_a_comparison_overlooks(path: Path, store: Store) -> None:
    """Partial indexes, strictness and tables without row ids are compared by their text."""
    other = path.with_name("other.db")
    engine = create_engine(f"sqlite:///{other}")
    metadata.create_all(engine)
    engine.dispose()
    assert _tables(path) == _tables(other)


def test_a_new_store_is_the_same_whether_or_not_it_is_the_first_of_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_MAKING", {})
    for name in ("first.db", "second.db"):
        Store(f"sqlite:///{tmp_path / name}").close()
        monkeypatch.setattr(command, "upgrade", lambda *_: pytest.fail("the second is made without Alembic"))
    assert _tables(tmp_path / "first.db") == _tables(tmp_path / "second.db")
    assert _revision(tmp_path / "first.db") == _revision(tmp_path / "second.db")


def _revision(path: Path) -> list[tuple[str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    return rows


def _tables(path: Path) -> dict[str, list[str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: sorted(re.findall(r"\w+", text)) for name, text in rows if name != "alembic_version"}


def test_every_table_has_a_workspace_and_keys_begin_with_it() -> None:
    for table in metadata.tables.values():
        assert "workspace_id" in table.c, table.name
        keys = [list(table.primary_key.columns)] + [
            list(one.columns) for one in table.constraints if one.__class__.__name__ == "UniqueConstraint"
        ]
        for columns in keys:
            natural = [column.name for column in columns] != ["id"] and table.name != "workspaces"
            assert not natural or columns[0].name == "workspace_id", (table.name, columns)


def test_an_existing_store_opens_again_as_it_was(path: Path) -> None:
    url = f"sqlite:///{path}"
    first = Store(url)
    with first.engine.begin() as connection:
        row = first.workspace(connection, "default", 5, b"1" * 16)
    first.close()
    again = Store(url)
    with again.engine.begin() as connection:
        assert again.workspace(connection, "default", 9, b"2" * 16) == row
    again.close()


def test_a_store_of_a_newer_version_is_refused(path: Path, store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer"):
        Store(f"sqlite:///{path}")


def test_a_file_that_is_no_store_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StoreError, match="is no SQLite database"):
        Store(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["nonsense", "postgresql://host/name", "sqlite:////no/such/folder/lapse.db"])
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        Store(url)


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_a_migration_that_has_landed_stays_as_it_is(path: Path) -> None:
    """Make a new one known in tests/store/migrations.sha256, with a line of its digest and its name.

    A store that an edited one made would differ from those that came through the first.
    """
    digests = dict(reversed(line.split()) for line in DIGESTS.read_text().splitlines())
    assert digests.get(path.name) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_migration_that_has_landed_is_removed() -> None:
    named = [line.split()[1] for line in DIGESTS.read_text().splitlines()]
    assert named == sorted(path.name for path in VERSIONS.glob("[0-9]*.py"))
