"""Postings: what moves, what is refused, and what the same id is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from sqlalchemy import text as sql

from node.ledger.accounts import BORDER, TRANSIT, UNCLAIMED, AccountEvent, AccountKind, abroad
from node.ledger.credits import CreditBatch
from node.ledger.errors import (
    AccountClosed,
    AccountFrozen,
    AccountUnknown,
    InsufficientRights,
    KindMisfit,
    LotMisplaced,
    LotUnknown,
)
from node.ledger.fingerprints import compute_fingerprint
from node.ledger.lots import LotId
from node.ledger.postings import (
    ALLOWED,
    ASKED_FIELDS,
    Kept,
    Posted,
    Posting,
    PostingKind,
    asked_values,
    find_difference,
    require_reference,
)
from node.ledger.reading_service import find_operation, load_balance, load_history, load_totals
from protocol.amounts import CENTS_MAX, Cents
from protocol.errors import IdMismatch, InvalidAmount, InvalidId, InvalidText, Malformed, Refusal
from protocol.identifiers import AccountNumber, Id16
from tests.ledger.world import HOME, OTHER_PEER, PEER, START, World

K = PostingKind


def refusal_of(world: World, posting: Posting) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        world.ledger.write_now(world.ledger.post, posting)
    return refusal.value


def test_a_credit_moves_cents_from_a_pool_to_a_person(world: World) -> None:
    pool, person = world.pool(1_000), world.open()
    posted = world.post(pool, person, 300)
    assert (world.balance(pool), world.balance(person)) == (700, 300)
    assert (posted.debit_after, posted.credit_after) == (700, 300)
    assert (posted.at, posted.cents, posted.is_repeat) == (world.clock(), 300, False)


def test_a_posting_over_several_lots_is_several_transfers_of_one_id_oldest_lot_first(world: World) -> None:
    pool, person = world.pool(), world.open()
    young = world.endow(pool, 100, month=202611).lot
    old = world.endow(pool, 100, month=202601).lot
    posted = world.post(pool, person, 150)
    assert posted.draws == ((old, 100), (young, 50))
    assert len(posted.transfers) == 2
    held = world.ledger.read_now(load_balance, person).lots
    assert [(lot.lot, lot.cents, lot.month) for lot in held] == [(old, 100, 202601), (young, 50, 202611)]


def test_draws_named_by_the_caller_are_taken_as_they_are(world: World) -> None:
    pool, person = world.pool(), world.open()
    young = world.endow(pool, 100, month=202611).lot
    old = world.endow(pool, 100, month=202601).lot
    assert world.post(pool, person, 120, draws=((young, Cents(100)), (old, Cents(20)))).draws == (
        (young, 100),
        (old, 20),
    )
    refused = refusal_of(world, world.posting(pool, person, 1, draws=((young, Cents(1)),)))
    assert isinstance(refused, InsufficientRights)
    assert refused.facts == {"available": 0, "asked": 1, "missing": 1, "lot": young}
    assert isinstance(refusal_of(world, world.posting(pool, person, 1, draws=((LotId(999), Cents(1)),))), LotUnknown)


def test_a_shortfall_is_refused_with_its_numbers_and_moves_nothing(world: World) -> None:
    pool, person = world.pool(100), world.open()
    refused = refusal_of(world, world.posting(pool, person, 130))
    assert isinstance(refused, InsufficientRights)
    assert refused.facts == {"available": 100, "asked": 130, "missing": 30}
    assert (world.balance(pool), world.balance(person)) == (100, 0)


def test_an_unknown_account_is_named(world: World) -> None:
    pool = world.pool(100)
    refused = refusal_of(world, world.posting(pool, AccountNumber("ZZZZZZZZ"), 1))
    assert isinstance(refused, AccountUnknown)
    assert refused.facts == {"account": "ZZZZZZZZ"}


def test_text_from_outside_never_names_an_account_of_the_book_itself(world: World) -> None:
    world.pool(100)
    for text in ("transit", "issuance", "('issuance', '')", "SystemAccount(kind=<AccountKind.TRANSIT: 'transit'>"):
        assert isinstance(refusal_of(world, world.posting(AccountNumber(text), world.open(), 1)), AccountUnknown)


def test_a_frozen_account_neither_gives_nor_receives_and_a_closed_one_is_closed_for_ever(world: World) -> None:
    pool, person = world.pool(100), world.open()
    world.change(person, AccountEvent.FREEZE)
    assert isinstance(refusal_of(world, world.posting(pool, person, 1)), AccountFrozen)
    world.change(person, AccountEvent.REOPEN)
    world.post(pool, person, 1)
    world.change(pool, AccountEvent.FREEZE)
    assert isinstance(refusal_of(world, world.posting(pool, person, 1)), AccountFrozen)
    empty = world.open()
    world.change(empty, AccountEvent.CLOSE)
    assert isinstance(refusal_of(world, world.posting(person, empty, 1, K.CESSION)), AccountClosed)


def test_each_kind_joins_only_the_accounts_it_is_for(world: World) -> None:
    pool, person, project = world.pool(100), world.open(), world.open(AccountKind.PROJECT)
    world.post(pool, person, 50)
    for debit, credit, kind in (
        (person, pool, K.CREDIT),  # only a pool credits
        (pool, project, K.CREDIT),  # and never a project
        (person, project, K.CESSION),  # a project is reached by orientation
        (person, world.open(), K.ORIENTATION),
        (person, TRANSIT, K.CESSION),
        (person, abroad(PEER), K.CEDE_OUT),
    ):
        refused = refusal_of(world, world.posting(debit, credit, 1, kind))
        assert isinstance(refused, KindMisfit)
        assert refused.facts["kind"] == kind
    world.post(person, project, 20, K.ORIENTATION)
    assert isinstance(refusal_of(world, world.posting(project, person, 1, K.CESSION)), KindMisfit)


def test_a_malformed_posting_is_refused_before_it_reaches_the_book(world: World) -> None:
    a, b = AccountNumber("AAAAAAAA"), AccountNumber("BBBBBBBB")
    good: dict[str, Any] = {"op": world.id(), "kind": K.CREDIT, "debit": a, "credit": b, "cents": 5}
    Posting(**good)
    wrongs: list[tuple[dict[str, Any], type[Refusal], str | None]] = [
        ({"cents": 0}, InvalidAmount, None),
        ({"cents": -5}, InvalidAmount, None),
        ({"cents": CENTS_MAX + 1}, InvalidAmount, None),
        ({"cents": True}, InvalidAmount, None),
        ({"cents": 5.0}, InvalidAmount, None),
        ({"op": b"short"}, InvalidId, None),
        ({"op": "0" * 16}, InvalidId, None),
        ({"credit": a}, Malformed, "credit"),
        ({"draws": ((LotId(1), 4),)}, Malformed, "draws"),
        ({"draws": ((LotId(1), 5.0),)}, InvalidAmount, None),
        ({"draws": ((LotId(1), 2), (LotId(1), 3))}, Malformed, "draws"),
        ({"draws": ((LotId(1), 5), (LotId(2), 1))}, Malformed, "draws"),
        ({"draws": ((LotId(1), 6), (LotId(2), -1))}, InvalidAmount, None),
        ({"draws": ()}, Malformed, "draws"),
        ({"reference": "x" * 281}, InvalidText, "reference"),
        ({"reference": b"ticket"}, InvalidText, "reference"),
        ({"reference": "line\nline"}, InvalidText, "reference"),
    ]
    for wrong, error, field in wrongs:
        with pytest.raises(error) as refusal:
            Posting(**{**good, **wrong})
        assert refusal.value.facts.get("field") == field
    bugs: list[dict[str, Any]] = [{"kind": K.ENDOWMENT}, {"kind": K.REVERSAL}, {"debit": TRANSIT}]
    for bug in bugs:
        with pytest.raises(ValueError):
            Posting(**{**good, **bug})


def test_the_largest_posting_that_is_taken_is_taken_whole() -> None:
    a, b, op = AccountNumber("AAAAAAAA"), AccountNumber("BBBBBBBB"), Id16(b"o" * 16)
    draws = tuple((LotId(lot), Cents(1)) for lot in range(8_000))
    assert Posting(op=op, kind=K.CREDIT, debit=a, credit=b, cents=Cents(8_000), draws=draws).reference == ""
    assert Posting(op=op, kind=K.CREDIT, debit=a, credit=b, cents=Cents(CENTS_MAX), reference="x" * 280).draws is None
    assert Posting(op=op, kind=K.CESSION, debit=UNCLAIMED, credit=b, cents=Cents(1)).debit == UNCLAIMED
    assert require_reference("ticket 7 \u00e0 midi") == "ticket 7 \u00e0 midi"
    with pytest.raises(Malformed) as refusal:
        Posting(op=op, kind=K.CREDIT, debit=a, credit=b, cents=Cents(8_001), draws=(*draws, (LotId(9_000), Cents(1))))
    assert refusal.value.facts["field"] == "draws"


def test_a_posting_is_of_one_of_thirteen_kinds_each_joining_what_it_is_for() -> None:
    holders, members = "person entity group pool", "person entity group"
    home = f"{holders} project solidarity unclaimed"
    expected = {
        "endowment": ("issuance", "pool"),
        "credit": ("pool", f"{members} solidarity"),
        "cession": (f"{holders} unclaimed", f"{holders} solidarity"),
        "gift": (f"{holders} solidarity", f"{holders} solidarity"),
        "orientation": (holders, "project"),
        "cede_out": (f"{holders} unclaimed", "transit issuance border"),
        "delivered": ("transit", "abroad border"),
        "returned": ("transit project solidarity converted", home),
        "given_back": ("project solidarity", "transit"),
        "conversion": ("project abroad", "converted"),
        "cede_in": ("abroad border issuance", home),
        "moved": ("abroad", "abroad"),
        "reversal": (members, f"{holders} project unclaimed"),
    }
    assert [str(kind) for kind in K] == list(expected)
    assert {(str(kind), str(debit), str(credit)) for kind, debit, credit in ALLOWED} == {
        (kind, debit, credit)
        for kind, (debits, credits) in expected.items()
        for debit in debits.split()
        for credit in credits.split()
    }


def test_a_resend_differs_in_the_first_field_that_is_not_what_was_done() -> None:
    asked = Posting(
        op=Id16(b"o" * 16),
        kind=K.CESSION,
        debit=AccountNumber("AAAAAAAA"),
        credit=AccountNumber("BBBBBBBB"),
        cents=Cents(5),
        draws=((LotId(2), Cents(3)), (LotId(1), Cents(2))),
        reference="ticket 7",
        reservation=Id16(b"r" * 16),
    )
    done = Posted(
        op=asked.op,
        at=START,
        cents=Cents(5),
        draws=((LotId(1), Cents(2)), (LotId(2), Cents(3))),
        first=4,
        debit_after=None,
        credit_after=Cents(5),
    )
    others: dict[str, Any] = {
        "kind": K.GIFT,
        "debit": AccountNumber("CCCCCCCC"),
        "credit": AccountNumber("CCCCCCCC"),
        "cents": Cents(6),
        "draws": done.draws[:1],
        "reference": "",
        "reservation": None,
    }
    assert list(others) == list(ASKED_FIELDS)
    assert asked_values(asked) == tuple(getattr(asked, name) for name in others)
    assert find_difference(asked, asked, done) is None
    assert find_difference(msgspec.structs.replace(asked, draws=None), asked, done) is None
    for name, other in others.items():
        if name == "draws":
            drawn = msgspec.structs.replace(done, draws=other)
            assert find_difference(asked, asked, drawn) == "draws"
        else:
            kept = Kept(**{field: getattr(asked, field) for field in others if field != "draws"})
            assert find_difference(asked, msgspec.structs.replace(kept, **{name: other}), done) == name
    assert list(done.transfers) == [4, 5]
    assert (done.is_unclaimed, done.is_repeat) == (False, False)


# The same id


def test_the_same_id_with_the_same_content_is_answered_again_and_done_once(world: World) -> None:
    pool, person = world.pool(1_000), world.open()
    posting = world.posting(pool, person, 300, reference="ticket 7")
    first = world.ledger.write_now(world.ledger.post, posting)
    world.clock.now += 5_000
    world.post(pool, person, 1)
    world.reopen()
    again = world.ledger.write_now(world.ledger.post, posting)
    assert again.is_repeat
    assert (again.at, again.draws, again.first) == (first.at, first.draws, first.first)
    assert (again.debit_after, again.credit_after) == (700, 300)
    assert world.balance(person) == 301


CHANGES: list[dict[str, Any]] = [
    {"kind": K.GIFT},
    {"debit": "other"},
    {"credit": "other"},
    {"cents": 31},
    {"reference": "else"},
    {"reservation": Id16(b"r" * 16)},
    {"draws": "other"},
]


@pytest.mark.parametrize("is_reopened", [False, True])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_the_same_id_with_another_content_names_the_first_field_that_differs(
    world: World, change: dict[str, Any], is_reopened: bool
) -> None:
    pool, person, other = world.pool(), world.open(), world.pool(100)
    world.endow(pool, 30)
    elsewhere = world.endow(pool, 30, donor=2).lot
    posting = world.posting(pool, person, 30)
    world.ledger.write_now(world.ledger.post, posting)
    if is_reopened:
        world.reopen()
    meant = {"other": other} if "draws" not in change else {"other": ((elsewhere, Cents(30)),)}
    fields = {name: meant.get(value, value) if isinstance(value, str) else value for name, value in change.items()}
    content = {name: getattr(posting, name) for name in posting.__struct_fields__}
    refused = refusal_of(world, Posting(**{**content, **fields}))
    assert isinstance(refused, IdMismatch)
    assert refused.facts == {"id": posting.op.hex(), "field": next(iter(change))}


def test_one_id_twice_in_one_page_is_done_once_or_refused_as_another_content(world: World) -> None:
    pool, person = world.pool(1_000), world.open()
    posting = world.posting(pool, person, 10)
    other = world.posting(pool, person, 11, op=posting.op)
    first, again, mismatch = world.post_together([posting, posting, other])
    assert isinstance(first, Posted)
    assert not first.is_repeat
    assert isinstance(again, Posted)
    assert again.is_repeat
    assert isinstance(mismatch, IdMismatch)
    assert mismatch.facts["field"] == "cents"
    assert world.balance(person) == 10


@pytest.mark.parametrize("is_reopened", [False, True])
def test_a_refused_id_is_refused_for_ever_with_the_same_words(world: World, is_reopened: bool) -> None:
    pool, person = world.pool(100), world.open()
    posting = world.posting(pool, person, 130)
    first = refusal_of(world, posting)
    world.endow(pool, 1_000)
    if is_reopened:
        world.reopen()
    again = refusal_of(world, posting)
    assert (type(again), again.facts) == (type(first), first.facts)
    other = refusal_of(world, world.posting(pool, person, 131, op=posting.op))
    assert isinstance(other, IdMismatch)
    assert other.facts["field"] == "cents"
    assert world.ledger.read_now(find_operation, posting.op).state == "refused"
    assert world.balance(person) == 0


def test_one_bad_item_in_a_group_harms_no_neighbour(world: World) -> None:
    pool, person = world.pool(100), world.open()
    answers = world.post_together(
        [
            world.posting(pool, person, 40),
            world.posting(pool, AccountNumber("ZZZZZZZZ"), 10),
            world.posting(pool, person, 90),
            world.posting(pool, person, 60),
        ]
    )
    assert [type(answer) for answer in answers] == [Posted, AccountUnknown, InsufficientRights, Posted]
    assert (world.balance(pool), world.balance(person)) == (0, 100)


def test_a_page_is_decided_in_order_so_that_rights_just_received_can_be_given(world: World) -> None:
    pool, a, b, c = world.pool(100), world.open(), world.open(), world.open()
    answers = world.post_together(
        [
            world.posting(a, b, 10, K.CESSION),  # nothing there yet
            world.posting(pool, a, 100),
            world.posting(a, b, 70, K.CESSION),
            world.posting(b, c, 70, K.CESSION),
            world.posting(b, c, 1, K.CESSION),
        ]
    )
    assert [type(answer).__name__ for answer in answers] == [
        "InsufficientRights",
        "Posted",
        "Posted",
        "Posted",
        "InsufficientRights",
    ]
    assert [world.balance(account) for account in (pool, a, b, c)] == [0, 30, 0, 70]


def test_an_older_lot_that_comes_later_is_still_drawn_first(world: World) -> None:
    pool, person, other = world.pool(), world.open(), world.open()
    young = world.endow(pool, 100, month=202611).lot
    world.post(pool, person, 50)
    assert world.post(person, other, 10, K.CESSION).draws == ((young, 10),)
    old = world.endow(pool, 100, month=202601).lot
    world.post(pool, person, 30)  # from the older lot, to an account that is laid out already
    assert world.post(person, other, 40, K.CESSION).draws == ((old, 30), (young, 10))


def test_what_just_came_is_given_on_in_the_same_page_however_it_came(world: World) -> None:
    pool, ana, bob, eve = world.pool(100), world.open(), world.open(), world.open()
    batch = CreditBatch(pool=pool, ops=[world.id()], accounts=[ana], cents=[Cents(7)], references=[""])

    def work(page: Any) -> list[Any]:
        world.ledger.credit(page, [batch])
        answers = world.ledger.post(page, [world.posting(ana, bob, 7, K.CESSION)])
        return [*answers, *world.ledger.post(page, [world.posting(bob, eve, 7, K.CESSION)])]

    assert [type(answer) for answer in world.run_in_page(work)] == [Posted, Posted]
    assert [world.balance(account) for account in (ana, bob, eve)] == [0, 0, 7]


def test_more_of_a_lot_that_is_held_already_can_be_given_whole(world: World) -> None:
    pool, ana, bob = world.pool(100), world.open(), world.open()
    lot = world.post(pool, ana, 10).draws[0][0]
    world.post(ana, bob, 1, K.CESSION)  # from here on Ana's lots are laid out
    world.post(pool, ana, 5)
    assert world.post(ana, bob, 14, K.CESSION).draws == ((lot, 14),)
    assert isinstance(refusal_of(world, world.posting(ana, bob, 1, K.CESSION)), InsufficientRights)


def test_of_one_month_the_lot_that_came_first_is_drawn_first_however_large(world: World) -> None:
    pool, person = world.pool(), world.open()
    first, second = world.endow(pool, 100).lot, world.endow(pool, 50, donor=2).lot
    assert world.post(pool, person, 120).draws == ((first, 100), (second, 20))


def test_a_draw_that_is_short_names_what_is_held_and_what_is_missing(world: World) -> None:
    pool, person = world.pool(100), world.open()
    lot = world.endow(pool, 30, donor=2).lot
    refused = refusal_of(world, world.posting(pool, person, 40, draws=((lot, Cents(40)),)))
    assert isinstance(refused, InsufficientRights)
    assert refused.facts == {"available": 30, "asked": 40, "missing": 10, "lot": lot}


def test_an_endowment_carries_no_reference(world: World) -> None:
    assert world.ledger.read_now(load_history, world.pool(100)).entries[0].reference == ""


def test_a_refused_posting_is_kept_as_what_was_asked_of_post(world: World) -> None:
    posting = world.posting(world.pool(1), world.open(), 2)
    refusal_of(world, posting)
    kept = world.ledger.read_now(lambda connection: connection.execute(sql("SELECT op, asked FROM refusals")).all())
    assert [tuple(row) for row in kept] == [(posting.op, compute_fingerprint("post", asked_values(posting)))]


# Across territories


def test_rights_leave_wait_in_transit_and_are_held_abroad(world: World) -> None:
    pool, person = world.pool(100), world.open()
    world.post(pool, person, 100)
    left = world.post(person, TRANSIT, 60, K.CEDE_OUT)
    assert world.balance(TRANSIT) == 60
    world.post(TRANSIT, abroad(PEER), 60, K.DELIVERED, draws=left.draws)
    world.post(abroad(PEER), abroad(OTHER_PEER), 20, K.MOVED, draws=((left.draws[0][0], Cents(20)),))
    world.post(abroad(OTHER_PEER), person, 5, K.CEDE_IN, draws=((left.draws[0][0], Cents(5)),))
    totals = world.ledger.read_now(load_totals, HOME)
    assert (totals.issued, totals.home_held, totals.home_in_transit) == (100, 45, 0)
    assert {peer.territory: peer.cents for peer in totals.abroad} == {PEER: 40, OTHER_PEER: 15}
    assert totals.credited == 100


def test_foreign_rights_come_in_and_go_out_over_the_border(world: World) -> None:
    person = world.open()
    lot = world.foreign_lot()
    assert world.foreign_lot() == lot
    arrived = world.post(BORDER, person, 50, K.CEDE_IN, draws=((lot, Cents(50)),))
    assert (arrived.debit_after, arrived.credit_after) == (None, 50)
    left = world.post(person, TRANSIT, 20, K.CEDE_OUT)
    world.post(TRANSIT, BORDER, 20, K.DELIVERED, draws=left.draws)
    totals = world.ledger.read_now(load_totals, HOME)
    assert totals.issued == 0
    assert [(peer.territory, peer.cents) for peer in totals.foreign_held] == [(PEER, 30)]


def test_a_lot_never_stands_where_its_issuer_does_not_put_it(world: World) -> None:
    pool, person, foreign = world.pool(100), world.open(), world.foreign_lot()
    world.post(pool, person, 100)
    home = world.ledger.read_now(load_balance, person).lots[0].lot
    refused = refusal_of(world, world.posting(BORDER, person, 1, K.CEDE_IN, draws=((home, Cents(1)),)))
    assert isinstance(refused, LotMisplaced)
    world.post(BORDER, person, 10, K.CEDE_IN, draws=((foreign, Cents(10)),))
    world.post(person, TRANSIT, 10, K.CEDE_OUT, draws=((foreign, Cents(10)),))
    misplaced = world.posting(TRANSIT, abroad(PEER), 10, K.DELIVERED, draws=((foreign, Cents(10)),))
    assert isinstance(refusal_of(world, misplaced), LotMisplaced)


def test_a_peer_never_gives_back_more_than_it_holds(world: World) -> None:
    pool, person = world.pool(100), world.open()
    world.post(pool, person, 100)
    left = world.post(person, TRANSIT, 40, K.CEDE_OUT)
    world.post(TRANSIT, abroad(PEER), 40, K.DELIVERED, draws=left.draws)
    too_much = world.posting(abroad(PEER), person, 41, K.CEDE_IN, draws=((left.draws[0][0], Cents(41)),))
    assert isinstance(refusal_of(world, too_much), InsufficientRights)


def test_a_return_reaches_a_frozen_account_and_waits_unclaimed_where_the_account_has_closed(world: World) -> None:
    pool, person, leaver = world.pool(100), world.open(), world.open()
    world.post(pool, person, 30)
    world.post(pool, leaver, 30)
    out = [world.post(account, TRANSIT, 30, K.CEDE_OUT) for account in (person, leaver)]
    world.change(person, AccountEvent.FREEZE)
    world.change(leaver, AccountEvent.CLOSE)
    assert not world.post(TRANSIT, person, 30, K.RETURNED, draws=out[0].draws).is_unclaimed
    back = world.posting(TRANSIT, leaver, 30, K.RETURNED, draws=out[1].draws)
    assert world.ledger.write_now(world.ledger.post, back).is_unclaimed
    assert (world.balance(person), world.balance(leaver), world.balance(UNCLAIMED)) == (30, 0, 30)
    world.reopen()
    again = world.ledger.write_now(world.ledger.post, back)
    assert again.is_repeat
    assert again.is_unclaimed
    heir = world.open()
    world.post(UNCLAIMED, heir, 30, K.CESSION)
    assert world.balance(heir) == 30


# In the middle of another room's operation


@dataclass
class _Seen:
    draws: object = None


def test_another_room_posts_inside_its_own_operation_and_has_the_draws_at_once(world: World) -> None:
    pool, person = world.pool(100), world.open()
    world.post(pool, person, 100)
    seen = _Seen()

    def cede(page: Any) -> str:
        (left,) = world.ledger.post(page, [world.posting(person, TRANSIT, 60, K.CEDE_OUT)])
        assert isinstance(left, Posted)
        seen.draws = left.draws
        page.at_close("slip", lambda: world.ledger.post(page, [world.posting(person, TRANSIT, 5, K.CEDE_OUT)]))
        return "ceded"

    assert world.run_in_page(cede) == "ceded"
    assert seen.draws == ((1, 60),)
    assert world.balance(TRANSIT) == 65


def test_a_page_that_fails_leaves_nothing_behind_on_the_desk(world: World) -> None:
    pool, person = world.pool(100), world.open()
    world.post(pool, person, 10)

    def fail(page: Any) -> None:
        world.ledger.post(page, [world.posting(pool, person, 50)])
        raise RuntimeError("a bug in another room")

    with pytest.raises(RuntimeError):
        world.run_in_page(fail)
    assert world.post(pool, person, 20).debit_after == 70
    assert (world.balance(pool), world.balance(person)) == (70, 30)


def test_the_time_of_the_book_never_runs_backwards(world: World) -> None:
    pool, person = world.pool(100), world.open()
    late = world.post(pool, person, 1).at
    world.clock.now -= 60_000
    assert world.post(pool, person, 1).at == late
    world.reopen()
    assert world.post(pool, person, 1).at == late
