"""Alembic's entry: runs the versions on the connection that `migrate()` hands over."""

from alembic import context
from sqlalchemy import Connection

from knowledge.models import metadata


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
