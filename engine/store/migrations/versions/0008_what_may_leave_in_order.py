"""What may leave stands in the index in the order in which it leaves: none of it is sorted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NAME = "ix_outbox_ready"
_READY = sa.text("ready_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index(_NAME, "outbox")
    op.create_index(
        _NAME,
        "outbox",
        ["workspace_id", "ready_at", "moment", "person_id"],
        sqlite_where=_READY,
        postgresql_where=_READY,
    )


def downgrade() -> None:
    op.drop_index(_NAME, "outbox")
    op.create_index(_NAME, "outbox", ["workspace_id", "ready_at"], sqlite_where=_READY, postgresql_where=_READY)
