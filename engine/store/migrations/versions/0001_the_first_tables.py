"""The first tables."""

import sqlalchemy as sa
from alembic import op

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attribute_changes",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("historical", WHOLE, nullable=False),
        sa.Column("known", WHOLE, nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute_changes")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("attribute_changes", schema=None) as batch_op:
        batch_op.create_index("ix_attribute_changes_timeline", ["person_id", "at"], unique=False)

    op.create_table(
        "counters",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("rule", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "rule", "name", name=op.f("pk_counters")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_types",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("schema", sa.Text(), nullable=True),
        sa.Column("predefined", WHOLE, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_types")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_event_types_workspace_id_name")),
        sa.UniqueConstraint("workspace_id", "public_id", name=op.f("uq_event_types_workspace_id_public_id")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("event_types", schema=None) as batch_op:
        batch_op.create_index("ix_event_types_name", ["name"], unique=False)

    op.create_table(
        "events",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("type_id", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("received_at", WHOLE, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("historical", WHOLE, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("workspace_id", "public_id", name=op.f("uq_events_workspace_id_public_id")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_by_name", ["workspace_id", "type_id", "at"], unique=False)
        batch_op.create_index("ix_events_by_time", ["workspace_id", "at", "type_id"], unique=False)
        batch_op.create_index("ix_events_timeline", ["person_id", "at", "type_id"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "namespace", "key", name=op.f("pk_idempotency")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(
            "ix_idempotency_expires_at",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("expires_at IS NOT NULL"),
            postgresql_where=sa.text("expires_at IS NOT NULL"),
        )

    op.create_table(
        "meta",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("pk_meta")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("journey_id", WHOLE, nullable=False),
        sa.Column("rule", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=True),
        sa.Column("moment", WHOLE, nullable=False),
        sa.Column("due_at", WHOLE, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("left_at", WHOLE, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("causes", sa.Text(), nullable=False),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("ready_at", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("workspace_id", "key", name=op.f("uq_outbox_workspace_id_key")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_person_id", ["person_id", "rule"], unique=False)
        batch_op.create_index(
            "ix_outbox_ready",
            ["workspace_id", "ready_at"],
            unique=False,
            sqlite_where=sa.text("ready_at IS NOT NULL"),
            postgresql_where=sa.text("ready_at IS NOT NULL"),
        )
        batch_op.create_index("ix_outbox_status", ["workspace_id", "status", "rule"], unique=False)

    op.create_table(
        "people",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen", WHOLE, nullable=True),
        sa.Column("first_arrived", WHOLE, nullable=False),
        sa.Column("merged_into", WHOLE, nullable=True),
        sa.Column("erased_at", WHOLE, nullable=True),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("workspace_id", "public_id", name=op.f("uq_people_workspace_id_public_id")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(
            "ix_people_merged_into",
            ["merged_into"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NOT NULL"),
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )

    op.create_table(
        "rules",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("opening", sa.Text(), nullable=False),
        sa.Column("live_at", WHOLE, nullable=True),
        sa.Column("opened_at", WHOLE, nullable=True),
        sa.Column("removed_at", WHOLE, nullable=True),
        sa.Column("pauses", sa.Text(), nullable=False),
        sa.Column("worked_to", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
        sa.UniqueConstraint("workspace_id", "rule_id", name=op.f("uq_rules_workspace_id_rule_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "tombstones",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("until", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "digest", name=op.f("pk_tombstones")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workspaces",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("public_id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
        sa.UniqueConstraint("name", name=op.f("uq_workspaces_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_workspaces_public_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "identifiers",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("linked_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identifiers_person_id")),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "value", name=op.f("pk_identifiers")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("identifiers", schema=None) as batch_op:
        batch_op.create_index("ix_identifiers_person_id", ["person_id"], unique=False)

    op.create_table(
        "journeys",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("rule", WHOLE, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("trigger_key", sa.Text(), nullable=False),
        sa.Column("first_at", WHOLE, nullable=False),
        sa.Column("start", WHOLE, nullable=False),
        sa.Column("decided_at", WHOLE, nullable=False),
        sa.Column("due_at", WHOLE, nullable=True),
        sa.Column("ended_at", WHOLE, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("acted_at", WHOLE, nullable=True),
        sa.Column("left_at", WHOLE, nullable=True),
        sa.Column("held_out", WHOLE, nullable=False),
        sa.Column("goal_at", WHOLE, nullable=True),
        sa.Column("limit_values", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name=op.f("fk_journeys_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journeys")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("journeys", schema=None) as batch_op:
        batch_op.create_index("ix_journeys_acted", ["rule", "acted_at", "ended_at"], unique=False)
        batch_op.create_index(
            "ix_journeys_due",
            ["workspace_id", "due_at", "person_id"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_journeys_person", ["person_id", "rule", "ended_at"], unique=False)

    op.create_table(
        "rule_versions",
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("rule", WHOLE, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("loaded_at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name=op.f("fk_rule_versions_rule")),
        sa.PrimaryKeyConstraint("workspace_id", "rule", "digest", name=op.f("pk_rule_versions")),
        sqlite_strict=True,
    )
    op.create_table(
        "watches",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("workspace_id", WHOLE, nullable=False),
        sa.Column("rule", WHOLE, nullable=False),
        sa.Column("person_id", WHOLE, nullable=False),
        sa.Column("due_at", WHOLE, nullable=True),
        sa.Column("followed", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name=op.f("fk_watches_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
        sa.UniqueConstraint("workspace_id", "person_id", "rule", name=op.f("uq_watches_workspace_id_person_id_rule")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("watches", schema=None) as batch_op:
        batch_op.create_index(
            "ix_watches_due",
            ["workspace_id", "due_at", "person_id"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_watches_rule", ["rule"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("watches", schema=None) as batch_op:
        batch_op.drop_index("ix_watches_rule")
        batch_op.drop_index(
            "ix_watches_due", sqlite_where=sa.text("due_at IS NOT NULL"), postgresql_where=sa.text("due_at IS NOT NULL")
        )

    op.drop_table("watches")
    op.drop_table("rule_versions")
    with op.batch_alter_table("journeys", schema=None) as batch_op:
        batch_op.drop_index("ix_journeys_person")
        batch_op.drop_index(
            "ix_journeys_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_journeys_acted")

    op.drop_table("journeys")
    with op.batch_alter_table("identifiers", schema=None) as batch_op:
        batch_op.drop_index("ix_identifiers_person_id")

    op.drop_table("identifiers")
    op.drop_table("workspaces")
    op.drop_table("tombstones")
    op.drop_table("rules")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_people_merged_into",
            sqlite_where=sa.text("merged_into IS NOT NULL"),
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )

    op.drop_table("people")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_status")
        batch_op.drop_index(
            "ix_outbox_ready",
            sqlite_where=sa.text("ready_at IS NOT NULL"),
            postgresql_where=sa.text("ready_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_outbox_person_id")

    op.drop_table("outbox")
    op.drop_table("meta")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_idempotency_expires_at",
            sqlite_where=sa.text("expires_at IS NOT NULL"),
            postgresql_where=sa.text("expires_at IS NOT NULL"),
        )

    op.drop_table("idempotency")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index("ix_events_timeline")
        batch_op.drop_index("ix_events_by_time")
        batch_op.drop_index("ix_events_by_name")

    op.drop_table("events")
    with op.batch_alter_table("event_types", schema=None) as batch_op:
        batch_op.drop_index("ix_event_types_name")

    op.drop_table("event_types")
    op.drop_table("counters")
    with op.batch_alter_table("attribute_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_attribute_changes_timeline")

    op.drop_table("attribute_changes")
