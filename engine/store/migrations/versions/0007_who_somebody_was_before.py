"""Who the person of a refused item was before, so that it is found when they are erased."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("previous_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("quarantine", "previous_id")
