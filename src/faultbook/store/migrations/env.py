"""Alembic's entry: runs on the connection that `store.migrate` hands over, in its transaction."""

from alembic import context

from faultbook.store.schema_approvals import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
