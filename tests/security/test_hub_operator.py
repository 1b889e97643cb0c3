"""The operator of the hub, with its key, its code and its base, against members that exchange as they always do.

One row of the table in docs/trust.md. Exchanges are counted from the attack on, over all honest members, by
`count_exchanges`: none where the lying answer itself is not needed, one where it is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub.directory.service import Registry
from hub.exchange.service import HubExchange
from hub.schema_service import HUB_HISTORY
from protocol import merkle
from protocol.book import log_store
from protocol.book.service import Book, Page
from protocol.canonical import decode_typed
from protocol.cession import CessionState
from protocol.clearing import Positions
from protocol.directory import KeyAdded, LimitsSet
from protocol.envelopes import CarriedSlip, Checkpoint, Payload, SignedCheckpoint, sign_checkpoint
from protocol.findings import Finding
from protocol.identifiers import AccountNumber, Address
from protocol.keys import make_keys
from protocol.messages import Forward, Lot, Slip, decode_slip, encode_slip
from protocol.national import clear_slip
from tests.federation.old_copies import back_up
from tests.federation.world import BREST, HUB, LILLE, LYON, DirectLine, Node, World
from tests.security.attackers import (
    check_of,
    convictions,
    count_exchanges,
    let_hub_lie,
    lie,
    make_cede,
    open_words,
    run_sql,
    write_leaf,
    write_log_anew,
)


async def _story(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber]:
    """Brest has ceded to Lyon, all is delivered."""
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    return brest, lyon, ana, bea


def _named(world: World, code: str, expected: str) -> list[Finding]:
    return [finding for finding in check_of(world, code) if expected in finding.expected]


def _move_verdict(payload: Payload) -> Payload:
    """Say something else in the first new slip than what the signed head was made of."""
    if not payload.slips:
        return payload
    slip = decode_slip(payload.slips[0].leaf)
    forged = CarriedSlip(encode_slip(msgspec.structs.replace(slip, at=slip.at + 1)), payload.slips[0].beside)
    return msgspec.structs.replace(payload, slips=(forged, *payload.slips[1:]))


def _other_root(world: World, answer: bytes, grows: int) -> SignedCheckpoint:
    statement, _ = open_words(answer)
    assert statement.checkpoint is not None
    honest = decode_typed(statement.checkpoint.body, Checkpoint, size_max=256)
    return sign_checkpoint(
        world.registry.identity.keyring.current,
        msgspec.structs.replace(honest, size=honest.size + grows, root=b"\x07" * 32),
    )


async def test_rewriting_a_slip_under_a_signed_head_convicts_the_hub_with_that_answer(stage: World) -> None:
    brest, _lyon, ana, bea = await _story(stage)
    brest.cede(ana, Address(bea, LYON), 50)
    before = brest.balance(ana)
    let_hub_lie(stage, brest, lambda answer: lie(stage, answer, _move_verdict))
    assert await count_exchanges(stage, [BREST], lambda: convictions(brest.book)) == 1
    (judgement,) = convictions(brest.book)
    assert (judgement.accused, str(judgement.kind)) == (HUB, "broken_log")
    assert brest.balance(ana) == before


async def test_rewriting_the_national_log_convicts_the_hub_at_the_next_call_of_anybody(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    let_hub_lie(stage, brest, lambda answer: lie(stage, answer, checkpoint=_other_root(stage, answer, 0)))
    assert await count_exchanges(stage, [BREST], lambda: convictions(brest.book)) == 1
    (judgement,) = convictions(brest.book)
    assert (judgement.accused, str(judgement.kind)) == (HUB, "two_heads")


async def test_forgetting_an_acknowledged_slip_convicts_the_hub_once_its_national_log_has_grown(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    stage.change(LimitsSet(LYON, 10**6, 10**6, 10**6))  # one leaf more: it tells which word came first
    let_hub_lie(stage, brest, lambda answer: lie(stage, answer, ack_size=0, ack_root=merkle.EMPTY_ROOT))
    assert await count_exchanges(stage, [BREST], lambda: convictions(brest.book)) == 1
    (judgement,) = convictions(brest.book)
    assert (judgement.accused, str(judgement.kind)) == (HUB, "rewound")


async def test_a_hub_that_holds_a_cession_back_is_not_found_but_the_rights_stay_named_and_come_back(
    stage: World,
) -> None:
    brest, lyon, ana, bea = await _story(stage)
    honest = stage.sequencer._choose_waiting
    stage.sequencer._choose_waiting = lambda desk, taker: []  # type: ignore[method-assign]
    view = brest.cede(ana, Address(bea, LYON), 70)
    for _ in range(20):
        await brest.worker.exchange_once()
        await lyon.worker.exchange_once()
    assert (stage.check(), lyon.balance(bea)) == ([], 100)  # nobody finds anything: the hub may be slow
    assert brest.cession(view.op).state is CessionState.CLEARED
    assert brest.totals().home_in_transit == 70
    brest.book.write_now(brest.federation.recall, view.op)
    await brest.worker.exchange_all()
    assert brest.balance(ana) == 4_900
    stage.sequencer._choose_waiting = honest  # type: ignore[method-assign]
    await stage.settle()
    assert (stage.check(), lyon.balance(bea)) == ([], 100)


async def test_taking_a_members_slips_in_another_order_convicts_the_hub_with_its_acknowledgement(
    stage: World,
) -> None:
    brest, _lyon, ana, bea = await _story(stage)
    held = brest.book.read_now(lambda line: log_store.open_log_or_empty(line, BREST, HUB)).size
    for cents in (10, 20):
        brest.cede(ana, Address(bea, LYON), cents)

    def swap(leaves: list[bytes]) -> list[bytes]:
        return [*leaves[:held], leaves[held + 1], leaves[held], *leaves[held + 2 :]]

    def acknowledge_swapped(answer: bytes) -> bytes:
        write_log_anew(stage.hub_book, BREST, HUB, swap)
        log = stage.hub_book.read_now(lambda line: log_store.open_log_or_empty(line, BREST, HUB))
        return lie(stage, answer, ack_size=log.size, ack_root=log.root)

    let_hub_lie(stage, brest, acknowledge_swapped)
    assert await count_exchanges(stage, [BREST], lambda: convictions(brest.book)) == 1
    (judgement,) = convictions(brest.book)
    assert (judgement.accused, str(judgement.kind)) == (HUB, "disputed_ack")


@pytest.mark.parametrize("first", [BREST, LILLE])
async def test_whose_slip_the_hub_takes_first_changes_no_verdict(stage: World, first: str) -> None:
    brest, lyon, ana, bea = await _story(stage)
    lille = stage.join(LILLE)
    await stage.settle()
    zoe = lille.open()
    lille.endow(10_000)
    lille.credit(zoe, 5_000)
    stage.change(LimitsSet(BREST, 200, 10**6, 10**6))  # of Brest's two only the first fits, whoever is before it
    await stage.settle()
    brest.cede(ana, Address(bea, LYON), 60)
    brest.cede(ana, Address(bea, LYON), 90)
    lille.cede(zoe, Address(bea, LYON), 80)
    for code in (first, BREST, LILLE):
        await stage.nodes[code].worker.exchange_all()
    await stage.settle()
    assert (brest.balance(ana), lille.balance(zoe), lyon.balance(bea)) == (4_840, 4_920, 240)
    assert stage.check() == []


async def _fork(stage: World, *, keeps_silent: bool) -> tuple[Node, Node, AccountNumber, Address, HubExchange]:
    """The operator runs a second hub on a copy of its base, and lets Lyon alone call there.

    It carries Brest's envelopes over, so that rights go on flowing; in the second national log the leaves from here on
    are others. With `keeps_silent` the second hub leaves out every proof that would show it.
    """
    brest, lyon, ana, bea = await _story(stage)
    copy = back_up(stage.hub_book)
    second_book = Book(f"sqlite:///{copy}", history=HUB_HISTORY, clock=stage.clock)
    registry = Registry(stage.registry.identity)
    second_book.read_now(registry.load)
    second = HubExchange(second_book, registry)
    second_book.read_now(second.load)
    second_book.write_now(registry.change, LimitsSet(LYON, 10**9, 10**9, 10**9))
    stage.change(LimitsSet(LYON, 5, 5, 5))

    class Line(DirectLine):
        async def call(self, envelope: bytes, wait_ms: int) -> bytes:
            answer = await self.exchange.answer(envelope, wait_ms=wait_ms)
            if not keeps_silent:
                return answer
            return lie(stage, answer, lambda payload: msgspec.structs.replace(payload, histories=()))

    class Both(DirectLine):
        async def call(self, envelope: bytes, wait_ms: int) -> bytes:
            await second.answer(envelope)  # and throws the answer away
            return await super().call(envelope, wait_ms)

    lyon.worker._transport = Line(second)
    brest.worker._transport = Both(stage.exchange)
    return brest, lyon, ana, Address(bea, LYON), second


async def test_two_national_logs_convict_the_hub_with_the_first_slip_between_their_readers(stage: World) -> None:
    brest, lyon, ana, to_bea, second = await _fork(stage, keeps_silent=False)
    for _ in range(5):  # as long as nothing passes between them, nobody can know
        await brest.worker.exchange_once()
        await lyon.worker.exchange_once()
    assert convictions(brest.book) == convictions(lyon.book) == []
    brest.cede(ana, to_bea, 50)
    # Brest's call brings the slip, Lyon's fetches it: with it the checkpoint that Brest was shown.
    assert await count_exchanges(stage, [BREST, LYON], lambda: convictions(lyon.book)) == 2
    (judgement,) = convictions(lyon.book)
    assert judgement.accused == HUB
    assert str(judgement.kind) in ("two_heads", "broken_history")
    second._book.close()


async def test_a_forked_hub_that_leaves_out_the_proofs_is_named_with_the_same_slip(stage: World) -> None:
    brest, _lyon, ana, to_bea, second = await _fork(stage, keeps_silent=True)
    await brest.worker.exchange_once()
    brest.cede(ana, to_bea, 50)

    def is_named() -> list[Finding]:
        return _named(stage, LYON, "continues the one that")

    assert await count_exchanges(stage, [BREST, LYON], is_named) == 2
    assert is_named()[0].place == "national log"
    second._book.close()


async def test_a_hub_that_never_proves_its_history_to_a_caller_is_named_by_the_first_call(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    stage.change(LimitsSet(LYON, 10**6, 10**6, 10**6))
    let_hub_lie(
        stage, brest, lambda answer: lie(stage, answer, lambda said: msgspec.structs.replace(said, histories=()))
    )

    def is_named() -> list[Finding]:
        return _named(stage, BREST, "continues the one we were shown")

    assert await count_exchanges(stage, [BREST], is_named) == 1


async def test_a_slip_handed_over_twice_is_credited_once_and_named(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    row = lyon.book.read_now(
        lambda line: next(
            message
            for leaf in log_store.load_leaves(line, log_store.open_log_or_empty(line, HUB, LYON).id, 0, 100)
            for message in decode_slip(leaf).messages
            if isinstance(message, Forward)
        )
    )

    def hand_over_again(page: Page, items: Any) -> list[int]:
        log = log_store.open_log(page.connection, HUB, LYON)
        return [log_store.append_leaves(page.connection, log, [encode_slip(Slip(1, LYON, page.now, (row,)))], page.now)]

    stage.hub_book.write_now(hand_over_again, None)
    assert await count_exchanges(stage, [LYON, BREST], lambda: _named(stage, LYON, "a slip once")) == 1
    assert lyon.balance(bea) == 100
    assert brest.totals().abroad[0].cents == 100


async def test_a_key_invented_in_a_members_name_is_named_by_its_next_call(stage: World) -> None:
    _brest, _lyon, _ana, _bea = await _story(stage)
    invented = make_keys(stage.entropy(64)).public
    stage.change(KeyAdded(BREST, invented.signing, invented.sealing))
    assert await count_exchanges(stage, [BREST], lambda: _named(stage, BREST, "our own keys")) == 1
    (finding,) = _named(stage, BREST, "our own keys")
    assert invented.id.hex() in finding.found


async def test_rights_let_through_twice_are_named_by_replay_and_by_their_issuer(stage: World) -> None:
    """The hub makes a common cause with Lyon: of Brest's 100 there, 100 go to Lille and 100 again."""
    brest, lyon, _ana, _bea = await _story(stage)
    lille = stage.join(LILLE)
    await stage.settle()
    zoe = lille.open()
    ref, kind, month = lyon.book.read_now(
        lambda line: line.exec_driver_sql("SELECT ref, lot_class, month FROM lots").one()
    )
    assert run_sql(stage.hub_book, "UPDATE positions SET cents = cents + 100 WHERE holder = :lyon", lyon=LYON) == 1
    for _ in range(2):
        write_leaf(lyon, *make_cede(stage, lyon, lille, [zoe], [Lot(BREST, bytes(ref), kind, month)], cents=100))
    await stage.exchange.answer(await lyon.worker.export())
    # Whoever replays the log sees it at once; the positions that nobody may see are not needed for it.
    assert any("is not the one the rule gives" in finding.found for finding in check_of(stage, HUB))
    # The issuer sees it when the second part arrived: it is told that more left Lyon than is there.
    codes = [LILLE, BREST]
    assert await count_exchanges(stage, codes, lambda: _named(stage, BREST, "moved of 100 cents")) == 4
    assert lille.balance(zoe) == 200  # the bound: what the hub lets through is spendable until somebody stops it
    assert brest.totals().abroad[0].cents == 100


async def test_positions_that_the_hub_makes_up_credit_nobody_and_part_from_the_next_statement(stage: World) -> None:
    brest, lyon, _ana, bea = await _story(stage)
    assert run_sql(stage.hub_book, "UPDATE positions SET cents = cents + 900 WHERE holder = :lyon", lyon=LYON) == 1
    assert _named(stage, HUB, "100") != []  # at the hub, by replay, without any exchange
    for node in (brest, lyon):
        node.book.write_now(node.federation.ask_statement, None)
    # One call each: the question goes, the Statement comes with the answer.
    assert await count_exchanges(stage, [BREST, LYON], lambda: _named(stage, BREST, "no break")) == 1
    assert await count_exchanges(stage, [LYON], lambda: _named(stage, LYON, "no break")) == 1
    assert lyon.balance(bea) == 100


async def test_a_limit_that_the_hub_overlooks_for_a_friend_is_named_by_replay(
    stage: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hub and node together: what the node minted goes further than everybody was told."""
    brest, lyon, ana, bea = await _story(stage)
    stage.change(LimitsSet(BREST, 300, 10**6, 10**6))
    await stage.settle()

    def overlook(positions: Positions, *rest: Any) -> Any:
        members = {
            code: replace(member, limits=replace(member.limits, abroad_max=10**9))
            for code, member in positions.members.items()
        }
        return clear_slip(replace(positions, members=members), *rest)

    monkeypatch.setattr("hub.clearing.service.clear_slip", overlook)
    brest.cede(ana, Address(bea, LYON), 201)
    await stage.settle()
    assert lyon.balance(bea) == 301  # one cent too many
    assert check_of(stage, LYON) == check_of(stage, BREST) == []
    assert any("is not the one the rule gives" in finding.found for finding in check_of(stage, HUB))


async def test_a_limit_that_the_hub_lifts_is_read_by_everybody_at_the_next_call(stage: World) -> None:
    _brest, lyon, _ana, _bea = await _story(stage)
    stage.change(LimitsSet(BREST, 10**12, 10**12, 10**12))

    def is_read() -> bool:
        return lyon.federation.directory.require(BREST).limits.abroad_max == 10**12

    assert await count_exchanges(stage, [LYON], is_read) == 1
