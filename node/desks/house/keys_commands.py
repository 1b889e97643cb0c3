"""The change of a base's key, as its commands lead it: beside the process that serves the base, or without one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from node.desks.house.admin_commands import read_rotation_id, tell_keys, tell_rotation
from node.desks.house.recovery_commands import find_database
from node.house.folders_store import base_folder, find_local
from node.house.settings import HouseSettings, read_neighbours
from node.house_app import open_house
from protocol.book.store import open_engine
from protocol.directory import Directory
from protocol.exchange.peer_keys_store import load_known
from protocol.house import BaseName
from protocol.running.admin_client import call_running, is_served
from protocol.running.settings import NotConfigured


def rotate_base(folder: Path, base: BaseName, id_: str) -> dict[str, Any]:
    """Change a base's key; where nothing is served, carry the news as far as neighbours can be reached.

    Raises its Refusal.
    """
    where = base_folder(folder, base)
    if is_served(where):
        return dict(call_running(where, "house_rotate", {"id": id_})[1])
    return asyncio.run(_rotate_quietly(folder, base, id_))


async def _rotate_quietly(folder: Path, base: BaseName, id_: str) -> dict[str, Any]:
    house = open_house(folder, find_local(folder))
    try:
        exchange = house.exchanges.get(base)
        if exchange is None:
            raise NotConfigured(reason=f"the base {base.lower()} does not live in {folder}, or is in no house")
        rotated = await house.parts[base][0].rotate_key(read_rotation_id(id_))
        await house.clearing.carry()
        return tell_rotation(exchange, rotated)
    finally:
        await house.close()


def show_keys(folder: Path, base: BaseName) -> list[dict[str, Any]]:
    """Return the changes of a base's key, by neighbour. Raises its Refusal."""
    where = base_folder(folder, base)
    if is_served(where):
        return list(call_running(where, "house_keys", {})[1])
    return asyncio.run(_show_quietly(folder, base))


async def _show_quietly(folder: Path, base: BaseName) -> list[dict[str, Any]]:
    house = open_house(folder, [base])
    try:
        exchange = house.exchanges.get(base)
        if exchange is None:
            raise NotConfigured(reason=f"the base {base.lower()} is in no house")
        return await exchange.book.read(lambda connection: tell_keys(exchange, connection))
    finally:
        await house.close()


def find_known(folder: Path, house: HouseSettings, local: Sequence[BaseName]) -> Directory:
    """Return the bases with the newest keys that any base of this folder believes."""
    known = read_neighbours(house)
    for base in local:
        try:
            engine = open_engine(find_database(folder, base), read_only=True, connections=1)
            with engine.connect() as connection:
                known = load_known(connection, known, base)
            engine.dispose()
        except (SQLAlchemyError, NotConfigured):
            continue  # it is not there yet: nobody told it anything
    return known
