"""What tables are made of: the metadata and its naming, and the kinds of column."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, ForeignKey, Index, Integer, LargeBinary, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Whole: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits; SQLite aliases its row id only under the name INTEGER."""

STRICT: Final[dict[str, Any]] = {"sqlite_strict": True}
"""SQLite refuses a value of another type than its column's."""

KEYED: Final[dict[str, Any]] = {"sqlite_strict": True, "sqlite_with_rowid": False}
"""The table is its primary key's tree: for natural keys, one lookup instead of two."""


def key() -> Column[int]:
    return Column("id", Whole, primary_key=True)


def whole(name: str, *, null: bool = False, default: str | None = None) -> Column[int]:
    return Column(name, Whole, nullable=null, server_default=default)


def text(name: str, *, null: bool = False, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=null, server_default=default)


def octets(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def workspace() -> Column[int]:
    return whole("workspace_id")


def refers(name: str, target: str) -> Column[int]:
    return Column(name, Whole, ForeignKey(target), nullable=False)


def partial(name: str, over: Column[int], *columns: Column[int]) -> Index:
    """An index over ``columns`` of the rows in which ``over`` is set.

    A query uses it when it compares ``over`` with anything: that alone says that it is not null. A list of
    states in the condition would be missed, and so would a bound state on PostgreSQL.
    """
    is_set = over.is_not(None)
    return Index(name, *columns, sqlite_where=is_set, postgresql_where=is_set)


def some(name: str, condition: ColumnElement[bool], *columns: Column[Any]) -> Index:
    """An index over ``columns`` of the rows that meet a condition. A query uses it when it says the very same."""
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)
