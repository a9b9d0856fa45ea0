"""What delivery keeps: what an action is sent as, what is stopped, how much rules do, which addresses take no mail."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_READY = sa.text("ready_at IS NOT NULL")
_LEFT = sa.text("left_at IS NOT NULL")
_EMAIL = sa.text("email IS NOT NULL")
_STRICT = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    op.add_column("outbox", sa.Column("purpose", sa.Text(), nullable=False, server_default="marketing"))
    op.add_column("outbox", sa.Column("tags", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("outbox", sa.Column("channel", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("recipient", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("body", sa.LargeBinary(), nullable=True))
    op.add_column("outbox", sa.Column("redriven_at", sa.Integer(), nullable=True))
    op.create_index("ix_outbox_left", "outbox", ["person_id", "left_at"], sqlite_where=_LEFT, postgresql_where=_LEFT)
    _index("workspace_id", "name", "ready_at", "moment", "person_id")
    op.add_column("attribute_changes", sa.Column("email", sa.Text(), nullable=True))
    _note_emails()
    op.create_index(
        "ix_attribute_changes_email",
        "attribute_changes",
        ["workspace_id", "email", "person_id"],
        sqlite_where=_EMAIL,
        postgresql_where=_EMAIL,
    )
    op.create_table(
        "switches",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "name", name="pk_switches"),
        **_STRICT,
    )
    op.create_table(
        "rule_hours",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("acted", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name="fk_rule_hours_rule"),
        sa.PrimaryKeyConstraint("workspace_id", "rule", "hour", name="pk_rule_hours"),
        **_STRICT,
    )
    op.create_table(
        "unreachable",
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "digest", name="pk_unreachable"),
        **_STRICT,
    )


def downgrade() -> None:
    for table in ("unreachable", "rule_hours", "switches"):
        op.drop_table(table)
    _index("workspace_id", "ready_at", "moment", "person_id")
    op.drop_index("ix_outbox_left", "outbox")
    op.drop_index("ix_attribute_changes_email", "attribute_changes")
    op.drop_column("attribute_changes", "email")
    for column in ("redriven_at", "body", "recipient", "channel", "tags", "purpose"):
        op.drop_column("outbox", column)


def _index(*columns: str) -> None:
    op.drop_index("ix_outbox_ready", "outbox")
    op.create_index("ix_outbox_ready", "outbox", list(columns), sqlite_where=_READY, postgresql_where=_READY)


def _note_emails() -> None:
    changes = sa.table("attribute_changes", sa.column("id"), sa.column("properties"), sa.column("email"))
    mentioned = sa.select(changes.c.id, changes.c.properties).where(changes.c.properties.contains('"email"'))
    for id, properties in op.get_bind().execute(mentioned).all():
        found = json.loads(properties)
        email = found.get("email") if isinstance(found, dict) else None
        if isinstance(email, str):
            op.get_bind().execute(changes.update().where(changes.c.id == id).values(email=email.lower()))
