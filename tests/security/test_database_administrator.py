"""Who administers one base and nothing else: every row, every hash and every peak can be changed, no signature made.

One row of the table in docs/trust.md. The running program may sign, without knowing, what was changed below it: then
its own key speaks against it at the next exchange.
"""

from __future__ import annotations

import pytest

from node.ledger.accounts import abroad
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.cession import CessionState
from protocol.directory import LimitsSet
from protocol.errors import BadEnvelope
from protocol.exchange.service import EVERYBODY, Identity
from protocol.findings import Finding
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode
from protocol.keys import Keyring, make_keys
from protocol.national import SlipTaken, decode_national, encode_national
from tests.federation.old_copies import reopen_node
from tests.federation.world import BREST, HUB, LYON, MONTH, Node, World
from tests.security.attackers import check_of, convictions, count_exchanges, run_sql, write_log_anew


async def _story(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber]:
    """Brest has ceded to Lyon twice, all is delivered."""
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    for cents in (60, 40):
        brest.cede(ana, Address(bea, LYON), cents)
    await world.settle()
    return brest, lyon, ana, bea


def _places(findings: list[Finding], invariant: str) -> list[str]:
    return [finding.place for finding in findings if finding.invariant == invariant]


def _swap_first(leaves: list[bytes]) -> list[bytes]:
    return [leaves[1], leaves[0], *leaves[2:]]


def _change_first(leaves: list[bytes]) -> list[bytes]:
    return [leaves[0] + b"\x00", *leaves[1:]]


async def test_a_leaf_rewritten_with_all_its_hashes_contradicts_what_the_hub_signed(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    write_log_anew(brest.book, BREST, HUB, _change_first)
    # Every hash fits: only the hub's signed acknowledgement does not.
    assert any(place.startswith(f"log {BREST} to {HUB}, head at") for place in _places(check_of(stage, BREST), "I7"))


async def test_without_the_hubs_signed_words_the_rewritten_log_is_convicted_by_the_next_exchange(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    write_log_anew(brest.book, BREST, HUB, _change_first)
    run_sql(brest.book, "DELETE FROM heads")
    run_sql(brest.book, "DELETE FROM attachments")  # what still lay beside a leaf is committed to by it
    assert "I7" not in [finding.invariant for finding in check_of(stage, BREST)]
    # The program signs what lies in its base: with its own key it says two things, and the hub keeps both.
    assert await count_exchanges(stage, [BREST], lambda: convictions(stage.hub_book)) == 1
    (judgement,) = convictions(stage.hub_book)
    assert (judgement.accused, str(judgement.kind)) == (BREST, "two_heads")


async def test_a_national_log_rewritten_with_all_its_hashes_is_convicted_by_the_next_exchange(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)

    def forget_a_refusal(leaves: list[bytes]) -> list[bytes]:
        changed = [decode_national(leaf) for leaf in leaves]
        place, taken = next((at, entry) for at, entry in enumerate(changed) if isinstance(entry, SlipTaken))
        forged = SlipTaken(taken.at + 1, *(getattr(taken, name) for name in taken.__struct_fields__[1:]))
        return [*leaves[:place], encode_national(forged), *leaves[place + 1 :]]

    write_log_anew(stage.hub_book, HUB, EVERYBODY, forget_a_refusal)
    stage.exchange.use_identity(stage.registry.identity)  # the hub was started again: it signs what its base holds
    assert await count_exchanges(stage, [BREST], lambda: convictions(brest.book)) == 1
    (judgement,) = convictions(brest.book)
    assert (judgement.accused, str(judgement.kind)) == (HUB, "two_heads")


async def test_a_log_cut_short_with_all_its_hashes_stops_the_node_at_the_next_exchange(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    write_log_anew(brest.book, BREST, HUB, lambda leaves: leaves[:-1])
    assert _places(check_of(stage, BREST), "I7") != []
    reopen_node(stage, brest)  # the program was started again; while it runs, its next slip convicts it, as above
    assert await count_exchanges(stage, [BREST], lambda: brest.federation.behind) == 1


async def test_two_leaves_swapped_with_all_their_hashes_are_found_here_and_by_the_next_exchange(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    write_log_anew(brest.book, BREST, HUB, _swap_first)
    assert any(place.startswith(f"log {BREST} to {HUB}, head at") for place in _places(check_of(stage, BREST), "I7"))
    assert await count_exchanges(stage, [BREST], lambda: convictions(stage.hub_book)) == 1
    assert [str(judgement.kind) for judgement in convictions(stage.hub_book)] == ["two_heads"]


async def test_a_copy_of_the_base_without_the_key_says_nothing_that_anybody_believes(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    real = brest.federation.identity
    brest.federation.use_identity(Identity(real.network, BREST, Keyring(make_keys(stage.entropy(64)))))
    reopen_node(stage, brest)  # the copy runs, under keys of its own
    brest.cede(ana, Address(bea, LYON), 30)
    for _ in range(3):
        with pytest.raises(BadEnvelope, match="unknown_key"):
            await stage.exchange.answer(await brest.worker.export())
    assert lyon.balance(bea) == 100


async def test_an_arrival_booked_again_as_the_program_would_is_named_by_check(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    lyon.endow(10_000)
    lyon.credit(bea, 500)
    lyon.cede(bea, Address(ana, BREST), 100)  # Brest's own lots come home
    await stage.settle()
    row = brest.book.read_now(
        lambda line: line.exec_driver_sql(
            "SELECT t.cents, t.lot FROM transfers t WHERE t.kind = 'cede_in' ORDER BY id LIMIT 1"
        ).one()
    )
    again = Posting(
        op=Id16(stage.entropy(16)),
        kind=PostingKind.CEDE_IN,
        debit=abroad(TerritoryCode(LYON)),
        credit=ana,
        cents=Cents(row[0]),
        draws=((row[1], Cents(row[0])),),
        reference="from nowhere",
    )
    brest.cede(ana, Address(bea, LYON), row[0])
    await stage.settle()
    brest.ledger.write_now(brest.ledger.post, again)
    found = [finding for finding in check_of(stage, BREST) if finding.expected == "an arrival"]
    assert [finding.place for finding in found] == [f"transfer {again.op.hex()}"]


async def test_a_credit_booked_as_the_program_would_is_not_found_and_takes_no_more_than_the_pool(stage: World) -> None:
    brest, _lyon, _ana, _bea = await _story(stage)
    friend, left = brest.open(), brest.balance(brest.pool)
    brest.credit(friend, left)
    assert (stage.check(), brest.balance(friend), brest.balance(brest.pool)) == ([], left, 0)
    # Rights are moved, never made: to write only the friend's balance is named at once.
    run_sql(brest.book, "UPDATE balances SET cents = cents + 1 WHERE cents = :left", left=left)
    assert check_of(stage, BREST) != []


async def test_a_cession_set_back_to_be_ceded_again_is_named_by_check_and_by_the_next_statement(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    (op,) = brest.book.read_now(
        lambda line: line.exec_driver_sql("SELECT op FROM cessions WHERE cents = 60").scalars().all()
    )
    (lot,) = brest.book.read_now(lambda line: line.exec_driver_sql("SELECT id FROM lots").scalars().all())
    run_sql(brest.book, "UPDATE cessions SET exception = 'returned', code = 'unreadable' WHERE op = :op", op=op)
    # The rights go back as the program would book it, with every balance and chain in step.
    brest.ledger.write_now(
        brest.ledger.post,
        Posting(
            op=Id16(stage.entropy(16)),
            kind=PostingKind.CEDE_IN,
            debit=abroad(TerritoryCode(LYON)),
            credit=ana,
            cents=Cents(60),
            draws=((lot, Cents(60)),),
            reference="set back",
        ),
    )
    places = [finding.place for finding in check_of(stage, BREST)]
    assert any(place.startswith("cession ") for place in places)  # here, without any exchange
    brest.cede(ana, Address(bea, LYON), 60)
    brest.book.write_now(brest.federation.ask_statement, None)

    def is_named() -> list[Finding]:
        return [finding for finding in check_of(stage, BREST) if finding.expected == "no break"]

    assert await count_exchanges(stage, [BREST], is_named) == 1
    await stage.settle()
    assert brest.cession(op).state is CessionState.RETURNED
    assert lyon.balance(bea) == 160  # made out of nothing, as an endowment could be: within the limits


async def test_a_lot_endowed_by_hand_is_not_found_here_and_stops_at_the_limit_abroad(stage: World) -> None:
    brest, lyon, ana, bea = await _story(stage)
    stage.change(LimitsSet(BREST, 300, 10**6, 10**6))
    await stage.settle()
    brest.ledger.write_now(
        brest.ledger.endow,
        Endow(
            op=Id16(stage.entropy(16)),
            donor=Id16(b"a donor, opaque."),
            campaign="by hand",
            month=MONTH,
            lot_class=LotClass.ELIGIBLE,
            new_ref=stage.entropy(16),
            cents=Cents(10**9),
            into=brest.pool,
            reason="no euro",
        ),
    )
    brest.credit(ana, 10**8)
    for _ in range(5):
        brest.cede(ana, Address(bea, LYON), 150)
    await stage.settle()
    assert (stage.check(), lyon.balance(bea)) == ([], 250)
    # A lot's sum raised without its transfer is named at once.
    run_sql(brest.book, "UPDATE lots SET issued = issued + 1 WHERE id = 1")
    assert any(finding.place.startswith("lots id=1") for finding in check_of(stage, BREST))


async def test_a_position_written_into_the_hubs_base_is_named_by_replay(stage: World) -> None:
    _brest, _lyon, _ana, _bea = await _story(stage)
    run_sql(stage.hub_book, "UPDATE positions SET cents = cents + 1")
    assert any("position" in place for place in _places(check_of(stage, HUB), "I4"))
