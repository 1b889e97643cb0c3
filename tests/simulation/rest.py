"""Rest: the network heals, everybody is awake, and all comes to an end; then everything must agree."""

from __future__ import annotations

from typing import Final

from protocol.directory import Reinstated
from protocol.errors import Refusal
from tests.simulation.copies import place_what_came_back
from tests.simulation.oracle import Wrong
from tests.simulation.readings import read_holdings, read_positions, read_unsent
from tests.simulation.stage import HUB, MINUTE, Party, Stage
from tests.simulation.standing import change, find_suspended, use_newest_key

# What still moves after so many calls, and so many rounds of everybody's calls, never comes to rest.
CALLS_TO_REST: Final = 25
ROUNDS_TO_REST: Final = 30


async def rest(stage: Stage) -> None:
    stage.tell("rest")
    for clock in stage.world.__dict__.get("clocks", {}).values():
        clock.set_right()
    for party in stage.parties.values():
        party.is_asleep = False
    for fault in stage.faults.values():
        fault.disarm()
    await _settle(stage)
    for code in find_suspended(stage):
        change(stage, Reinstated(code))
    for party in stage.parties.values():
        place_what_came_back(stage, party)
    stage.world.clock.now += 90 * MINUTE
    stage.ask(HUB, lambda: stage.world.sequencer.expire, None)
    await _settle(stage)
    _judge(stage)


async def _settle(stage: Stage) -> None:
    """Let everybody call until nothing moves any more: two quiet rounds in a row."""
    quiet = 0
    for _ in range(ROUNDS_TO_REST):
        calls = 0
        for party in stage.parties.values():
            use_newest_key(party)
            try:
                calls += await _call_all(stage, party)
            except Refusal as refusal:
                stage.note_refusal(party.code, refusal)
                calls += 2
        is_over = calls == len(stage.parties) and not stage.is_hub_recovering
        is_over = is_over and not any(party.is_away for party in stage.parties.values())
        quiet = quiet + 1 if is_over else 0
        if quiet == 2:
            return
    raise Wrong("the federation does not come to rest")


async def _call_all(stage: Stage, party: Party) -> int:
    """Call, or carry files, until neither side has anything new; return how many times."""
    worker = party.node.worker
    if party.has_line:
        return await worker.exchange_all(CALLS_TO_REST)
    for call in range(1, CALLS_TO_REST + 1):
        taken = await worker.take_reply(await stage.world.exchange.answer(await worker.export()))
        if not read_unsent(party.node.book) and (taken is None or not (taken.fresh or taken.cut_short)):
            return call
    return CALLS_TO_REST


def _judge(stage: Stage) -> None:
    """Hold what the books show against what the oracle says."""
    oracle = stage.oracle
    for party in stage.parties.values():
        stage.sync(party)
    for op, flying in oracle.cessions.items():
        oracle.end(op, str(stage.parties[flying.giver].node.cession(op).state))
    if oracle.flying:
        op = oracle.flying[0]
        raise Wrong(f"cession {op.hex()} of {oracle.cessions[op].giver} does not end")
    oracle.require_conserved()
    for code, party in stage.parties.items():
        oracle.compare(code, read_holdings(party.node.book), party.closed)
    oracle.compare_positions(read_positions(stage.world.hub_book))
    findings = stage.world.check()
    if findings:
        raise Wrong(f"check found {len(findings)}: {findings[0]}")
