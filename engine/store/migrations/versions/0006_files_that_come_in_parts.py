"""Files of events that come in parts."""

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("historical", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("updated_at", WHOLE, nullable=False),
        sa.Column("completed_at", WHOLE, nullable=True),
        sa.Column("received", WHOLE, nullable=False),
        sa.Column("settled", WHOLE, nullable=False),
        sa.Column("waiting", sa.LargeBinary(), nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("header", sa.Text(), nullable=True),
        sa.Column("stored", WHOLE, nullable=False),
        sa.Column("duplicates", WHOLE, nullable=False),
        sa.Column("conflicts", WHOLE, nullable=False),
        sa.Column("rejected", WHOLE, nullable=False),
        sa.Column("rejections", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("workspace_id", "public_id", name=op.f("uq_imports_workspace_id_public_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "import_lines",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("import_id", WHOLE, nullable=False),
        sa.Column("digest", WHOLE, nullable=False),
        sa.Column("times", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_lines_import_id")),
        sa.PrimaryKeyConstraint("workspace_id", "import_id", "digest", name=op.f("pk_import_lines")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("import_lines")
    op.drop_table("imports")
