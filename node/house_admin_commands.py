"""What the process that holds a base's book does for the house: tell how far its way back is, and begin it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from node.app import NodeApp
from node.house_part_app import HousePart
from protocol.exchange.peer_recovery import TalkStage
from protocol.exchange.peer_service import PeerExchange
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.running.settings import NotConfigured

Asked = Mapping[str, Any]
DRAWN_BYTES: Final = 32


def _exchange_of(app: NodeApp | HousePart) -> PeerExchange:
    exchange = app.house_exchange if isinstance(app, NodeApp) else app.exchange
    if exchange is None:
        raise NotConfigured(reason="this node is in no house: there is nobody to recover from")
    return exchange


def tell_recovery(exchange: PeerExchange) -> dict[str, Any]:
    """Return how far the way back of a base is."""
    recovery = exchange.recovery
    talks = {} if recovery is None else recovery.talks
    return {
        "base": exchange.code.lower(),
        "phase": "none" if not exchange.is_behind else "behind" if recovery is None else "recovering",
        "slips_back": sum(talk.end - talk.start for talk in talks.values()),
        "waits_for": sorted(code.lower() for code, talk in talks.items() if talk.stage is not TalkStage.HEARD),
        "stages": {code.lower(): str(talk.stage) for code, talk in talks.items()},
        "trouble": "" if recovery is None else recovery.trouble,
    }


async def _recover(app: NodeApp | HousePart, _asked: Asked) -> Any:
    exchange = _exchange_of(app)
    await app.book.write(exchange.begin_recovery, clock_service.entropy(DRAWN_BYTES))
    return tell_recovery(exchange)


async def _recovery(app: NodeApp | HousePart, _asked: Asked) -> Any:
    return tell_recovery(_exchange_of(app))


HOUSE_COMMANDS: Final[Mapping[str, Command]] = {"house_recover": _recover, "house_recovery": _recovery}
