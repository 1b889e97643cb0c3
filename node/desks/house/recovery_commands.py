"""The way back of a base of a house, as its commands lead it: beside the process that serves it, or without one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from node.app import load_config, load_welcome
from node.desks.house.admin_commands import DRAWN_BYTES, tell_recovery
from node.federation.recovery import BEHIND as BEHIND_THE_HUB
from node.house.folders_store import base_folder, find_local
from node.house_app import open_house
from node.house_checks import DATABASES
from node.house_part_app import database_of
from protocol.book.store import open_engine
from protocol.exchange.peer_recovery import BEHIND, TalkStage
from protocol.exchange.peer_recovery_service import find_fact, load_recovery
from protocol.house import BaseName
from protocol.running import clock_service
from protocol.running.admin_client import call_running, is_served
from protocol.running.console_commands import word_way_back
from protocol.running.settings import NotConfigured

OnProgress = Callable[[int, int, str], None]
_LOOK_EVERY_SECONDS: Final = 0.2
_STAGES: Final = (TalkStage.PULLING, TalkStage.PULLED, TalkStage.TELLING, TalkStage.HEARD)


def find_database(folder: Path, base: BaseName) -> str:
    """Return where a base keeps its book. Raises NotConfigured."""
    if base is BaseName.ACCOUNTS:
        return load_config(folder).database or f"sqlite:///{folder / 'accounts.db'}"
    where = base_folder(folder, base)
    return database_of(folder, base, DATABASES[base](where))


def marks_of(folder: Path, base: BaseName) -> dict[str, str]:
    """Return how a copy that was put back is marked as old: for the house, and the accounts' for the hub too."""
    marks = {BEHIND: "0"}
    if base is BaseName.ACCOUNTS and load_welcome(folder) is not None:
        marks[BEHIND_THE_HUB] = '{"ours":0,"theirs":0}'
    return marks


def find_state(folder: Path, base: BaseName) -> str:
    """Return whether a base of this folder is whole, an old copy, or on its way back; nothing where it is not there yet."""
    try:
        engine = open_engine(find_database(folder, base), read_only=True, connections=1)
        with engine.connect() as connection:
            behind, recovery = load_recovery(connection)
        engine.dispose()
    except (SQLAlchemyError, NotConfigured):
        return "not there yet"
    if recovery is not None:
        return recovery.trouble or "recovering"
    return "present" if behind is None else "an old copy: recover it"


def waits_for_hub(folder: Path) -> bool:
    """Tell whether the accounts of this folder have yet to come back from the hub. Raises NotConfigured."""
    engine = open_engine(find_database(folder, BaseName.ACCOUNTS), read_only=True, connections=1)
    with engine.connect() as connection:
        behind = find_fact(connection, BEHIND_THE_HUB)
    engine.dispose()
    return behind is not None


def recover_base(folder: Path, base: BaseName, on_progress: OnProgress) -> dict[str, Any]:
    """Bring a base of this folder back to the present and return where it stands then; waits for neighbours elsewhere.

    Raises its Refusal.
    """
    where = base_folder(folder, base)
    if not is_served(where):
        return asyncio.run(_recover_quietly(folder, base, on_progress))
    _, told = call_running(where, "house_recover", {})
    back = 0
    while told["phase"] != "none" and not told["trouble"]:
        _show(told, on_progress)
        back = max(back, told["slips_back"])
        time.sleep(_LOOK_EVERY_SECONDS)
        is_running, told = call_running(where, "house_recovery", {})
        if not is_running:
            raise NotConfigured(reason="the process that served this base ended: begin again")
    return _with_slips(told, back)


async def _recover_quietly(folder: Path, base: BaseName, on_progress: OnProgress) -> dict[str, Any]:
    """The same where nothing is served: the bases of this folder talk here, and to those elsewhere as far as they answer."""
    house = open_house(folder, find_local(folder))
    try:
        if base not in house.exchanges:
            raise NotConfigured(reason=f"the base {base.lower()} does not live in {folder}")
        exchange = house.exchanges[base]
        await exchange.book.write(exchange.begin_recovery, clock_service.entropy(DRAWN_BYTES))
        back = 0
        while exchange.is_behind and await house.clearing.carry():
            told = tell_recovery(exchange)
            _show(told, on_progress)
            back = max(back, told["slips_back"])
        return _with_slips(tell_recovery(exchange), back)
    finally:
        await house.close()


def _show(told: Mapping[str, Any], on_progress: OnProgress) -> None:
    done = sum(_STAGES.index(TalkStage(stage)) for stage in told["stages"].values())
    words = word_way_back("house_slips", count=told["slips_back"])
    on_progress(done, max(len(told["stages"]) * (len(_STAGES) - 1), 1), words)


def _with_slips(told: Mapping[str, Any], back: int) -> dict[str, Any]:
    """Return how it ended, with the slips that came back: once the base is whole, nothing is on its way any more."""
    return {**told, "slips_back": max(back, told["slips_back"])}
