"""A node with a bug planted: whatever readable comes back, it takes what it sent for acknowledged. Only a bad line shows it.

Where every answer is the hub's own to this very question the bug does nothing: killing alone does not find it.
"""

from __future__ import annotations

import sys
from typing import Any

from node.federation.worker import ExchangeWorker
from protocol.book import log_store
from protocol.commands import main
from protocol.envelopes import open_envelope
from protocol.errors import BadEnvelope
from protocol.exchange.client import HubUnreachable

try_call = ExchangeWorker._try_call


async def believe(self: Any, question: Any, wait_ms: int) -> Any:
    """Call, and acknowledge for the hub where its answer is bent, or an old one."""
    sent = open_envelope(question.envelope)[1].log_size
    try:
        return await try_call(self, question, wait_ms)
    except (BadEnvelope, HubUnreachable) as refusal:
        if isinstance(refusal, BadEnvelope) or "old answer" in str(refusal):
            federation = self._federation

            def acknowledge(page: Any, items: Any) -> list[None]:
                own = log_store.open_log(page.connection, federation.identity.code, federation.hub.hub)
                log_store.save_acked(page.connection, own, min(sent, own.size))
                return [None for _ in items]

            await self._book.write(acknowledge, None)
        raise


ExchangeWorker._try_call = believe  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main())
