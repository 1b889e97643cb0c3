"""A node with a bug planted: what it has sent it takes for acknowledged. On a line that never fails nobody notices."""

from __future__ import annotations

import sys
from typing import Any

from node.federation.worker import ExchangeWorker
from protocol.book import log_store
from protocol.commands import main

export = ExchangeWorker._export


async def export_and_forget(self: Any, whispers: list[Any]) -> Any:
    """Compose as the product does, and note at once that the hub holds all of it."""
    question, count = await export(self, whispers)
    if count:
        identity, hub = self._federation.identity, self._federation.hub.hub

        def forget(page: Any, items: Any) -> Any:
            own = log_store.open_log(page.connection, identity.code, hub)
            log_store.save_acked(page.connection, own, own.size)
            return items

        await self._book.write(forget, None)
    return question, count


ExchangeWorker._export = export_and_forget  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main())
