"""Alembic's entry for every base: the connection and the history come from `migration_service`."""

from __future__ import annotations

from alembic import context

from protocol.book.migration_service import configure

configure(context.config.attributes)
with context.begin_transaction():
    context.run_migrations()
