"""Alembic's entry for every base: the connection and the history come from `migration_service`."""

from __future__ import annotations

from alembic import context

from protocol.book.migration_service import _options

history = context.config.attributes["history"]
context.configure(connection=context.config.attributes["connection"], **_options(history))
with context.begin_transaction():
    context.run_migrations()
