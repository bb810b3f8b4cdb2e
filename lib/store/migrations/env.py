"""Alembic's way in: the steps run on the connection, and in the transaction, that the store hands over."""

from alembic import context

from lib.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
