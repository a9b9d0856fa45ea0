"""What the steps of a rule set at one moment counts in their order."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("attribute_changes", sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
