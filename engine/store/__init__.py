"""The store: SQLAlchemy Core on SQLite, made so that another database is one more dialect file."""

from sqlalchemy import Connection

__all__ = ["Connection"]
