"""Pairs of person and rule that are set aside.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITS = sa.text("next_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "faults",
        sa.Column("workspace_id", _WHOLE, nullable=False),
        sa.Column("rule", _WHOLE, nullable=False),
        sa.Column("person_id", _WHOLE, nullable=False),
        sa.Column("action", _WHOLE, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("since", _WHOLE, nullable=False),
        sa.Column("merged", _WHOLE, nullable=False),
        sa.Column("failed_at", _WHOLE, nullable=False),
        sa.Column("tries", _WHOLE, nullable=False),
        sa.Column("next_at", _WHOLE),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name=op.f("fk_faults_rule")),
        sa.PrimaryKeyConstraint("workspace_id", "rule", "person_id", "action", name=op.f("pk_faults")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_faults_next_at", "faults", ["workspace_id", "next_at"], sqlite_where=_WAITS, postgresql_where=_WAITS
    )


def downgrade() -> None:
    op.drop_index("ix_faults_next_at", "faults")
    op.drop_table("faults")
