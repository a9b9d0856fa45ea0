"""What an action is sent as is for one kind of channel."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("sealed_as", sa.Text()))
