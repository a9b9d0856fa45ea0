"""What a pause sets aside."""

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "set_aside",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("rule", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("since", WHOLE, nullable=False),
        sa.Column("merged", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name=op.f("fk_set_aside_rule")),
        sa.PrimaryKeyConstraint("workspace_id", "rule", "person_id", name=op.f("pk_set_aside")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("set_aside")
