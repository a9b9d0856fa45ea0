"""Run by Alembic: revisions go through the connection that the store gives."""

from alembic import context

from engine.store import schema

context.configure(
    connection=context.config.attributes["connection"], target_metadata=schema.events.metadata, render_as_batch=True
)
context.run_migrations()
