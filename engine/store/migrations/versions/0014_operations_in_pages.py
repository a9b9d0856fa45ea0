"""Operations over many rows are carried out page by page, and their rows are found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_WAITING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "operations",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Integer(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("ready_at", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sqlite_strict=True,
    )
    _index("ix_operations_under_way", "operations", "workspace_id", "ready_at")
    _index("ix_journeys_waiting", "journeys", "rule", "version")


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), sqlite_where=_WAITING, postgresql_where=_WAITING)


def downgrade() -> None:
    op.drop_index("ix_journeys_waiting", "journeys")
    op.drop_table("operations")
