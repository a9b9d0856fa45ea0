"""How many bytes the refused items of a workspace have is told from an index."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE quarantine SET size = length(CAST(body AS BLOB))")
    op.create_index("ix_quarantine_size", "quarantine", ["workspace_id", "id", "size"])
