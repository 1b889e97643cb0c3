"""What the process that holds a base's book does for the house: tell how far its way back is, and begin it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from node.app import NodeApp
from node.house_part_app import HousePart
from protocol.book import log_store
from protocol.errors import Malformed
from protocol.exchange.peer_keys_service import Rotated
from protocol.exchange.peer_recovery import TalkStage
from protocol.exchange.peer_service import PeerExchange
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.running.settings import NotConfigured

Asked = Mapping[str, Any]
DRAWN_BYTES: Final = 32
ID_BYTES: Final = 16


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


async def _rotate(app: NodeApp | HousePart, asked: Asked) -> Any:
    rotated = await app.rotate_key(read_rotation_id(asked["id"]))
    return tell_rotation(_exchange_of(app), rotated)


async def _keys(app: NodeApp | HousePart, _asked: Asked) -> Any:
    exchange = _exchange_of(app)
    return await app.book.read(lambda connection: tell_keys(exchange, connection))


def read_rotation_id(text: str) -> bytes:
    """Return the caller's id. Raises Malformed."""
    try:
        id_ = bytes.fromhex(text)
    except ValueError:
        id_ = b""
    if len(id_) != ID_BYTES:
        raise Malformed(field="id", reason="32 hexadecimal digits")
    return id_


def tell_rotation(exchange: PeerExchange, rotated: Rotated) -> dict[str, Any]:
    """Return what a change of keys came to."""
    return {
        "base": exchange.code.lower(),
        "number": rotated.number,
        "key": rotated.key.hex(),
        "repeated": rotated.is_repeated,
    }


def tell_keys(exchange: PeerExchange, connection: Connection) -> list[dict[str, Any]]:
    """Return the changes of a base's key by neighbour: at which leaf the old one was retired, and whether it was heard."""
    rows = []
    for other in exchange.others:
        acked = log_store.open_log_or_empty(connection, exchange.code, other).acked
        rows += [
            {
                "neighbour": other.lower(),
                "number": link.told.number,
                "old_key": link.told.before.hex(),
                "new_key": link.keys.id.hex(),
                "leaf": link.index,
                "heard": acked > link.index,
            }
            for link in exchange.links.get((exchange.code, other), ())
        ]
    return rows


HOUSE_COMMANDS: Final[Mapping[str, Command]] = {
    "house_recover": _recover,
    "house_recovery": _recovery,
    "house_rotate": _rotate,
    "house_keys": _keys,
}
