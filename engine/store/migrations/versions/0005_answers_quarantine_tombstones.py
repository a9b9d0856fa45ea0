"""Answers kept for a time, what was refused and set aside, whose ids are refused; ways to find what is one person's."""

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("person_id", WHOLE, nullable=True),
        sa.Column("expires_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "namespace", "key", name=op.f("pk_answers")),
        sqlite_strict=True,
    )
    op.create_index("ix_answers_expires_at", "answers", ["expires_at"])
    _some("ix_answers_person_id", "answers", ["person_id"], "person_id IS NOT NULL")
    op.create_table(
        "quarantine",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("anonymous_id", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("workspace_id", "public_id", name=op.f("uq_quarantine_workspace_id_public_id")),
        sqlite_strict=True,
    )
    op.drop_table("tombstones")  # no version before this one wrote any
    op.create_table(
        "tombstones",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("until", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "digest", name=op.f("pk_tombstones")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tombstones_until", "tombstones", ["until"])
    op.add_column("attribute_changes", sa.Column("message_id", sa.Text(), nullable=True))
    _some("ix_events_arrivals", "events", ["workspace_id", "type_id", "id", "source"], "source != 'action'")
    _some("ix_idempotency_doors", "idempotency", ["public_id"], "namespace != 'message'")


def _some(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_idempotency_doors", "idempotency")
    op.drop_index("ix_events_arrivals", "events")
    op.drop_column("attribute_changes", "message_id")
    op.drop_table("tombstones")
    op.create_table(
        "tombstones",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("until", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "digest", name=op.f("pk_tombstones")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.drop_table("quarantine")
    op.drop_table("answers")
