"""When event types were changed."""

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("event_types", sa.Column("updated_at", WHOLE, nullable=True))


def downgrade() -> None:
    op.drop_column("event_types", "updated_at")
