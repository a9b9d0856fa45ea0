"""Whom a rule sent to of late is found by index.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SENT = sa.text("channel IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_outbox_sent", "outbox", ["rule", "left_at"], sqlite_where=_SENT, postgresql_where=_SENT)


def downgrade() -> None:
    op.drop_index("ix_outbox_sent", "outbox")
