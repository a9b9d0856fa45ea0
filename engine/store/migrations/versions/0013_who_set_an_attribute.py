"""What a key that may stand in web pages sets is told from what anything else sets."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("attribute_changes", sa.Column("page", sa.Integer(), nullable=False, server_default="0"))
