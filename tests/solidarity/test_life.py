"""The life of an operation: what is given, who is taken, how it is shared, what goes back, what remains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.errors import KindMisfit, NotReversible
from node.ledger.openings import ChangeState
from node.ledger.postings import PostingKind
from node.ledger.reversals import Reverse
from node.solidarity.errors import (
    AskedBefore,
    GiftNotReturnable,
    GiftUnknown,
    NobodyToShareWith,
    NothingToShare,
    OperationEnded,
    OperationNotShared,
    OperationRunning,
    OperationUnknown,
    PoolUnknown,
)
from node.solidarity.operations import OperationEvent
from node.solidarity.reading_service import load_count
from node.solidarity.rules import Givers, PoolRule, Sharing
from node.solidarity.service import Enrol, OpenOperation, OpenPool, Order
from protocol.errors import IdMismatch
from protocol.identifiers import Id16
from tests.solidarity.world import ANYBODY, EQUAL, LAST_DAY, TODAY, SolidarityTown

SHARE, CANCEL, CLOSE = OperationEvent.SHARE, OperationEvent.CANCEL, OperationEvent.CLOSE


@pytest.fixture
def town(tmp_path: Path) -> Iterator[SolidarityTown]:
    made = SolidarityTown(f"sqlite:///{tmp_path / 'accounts.db'}", at_once=3)
    yield made
    made.close()


def test_what_is_given_is_shared_in_equal_parts_page_by_page_and_each_cent_arrives(town: SolidarityTown) -> None:
    pool = town.new_pool()
    receivers = town.people(7)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    for cents in (300, 401):
        town.give(operation, cents)
    town.pass_days()
    town.order(operation, SHARE)
    seen = [town.go_on(operation) for _ in range(4)]
    assert [(one.state, one.done, one.total, one.moved) for one in seen] == [
        ("sharing", 3, 7, 3),
        ("sharing", 6, 7, 3),
        ("shared", 7, 7, 1),
        ("shared", 7, 7, 0),
    ]
    done = town.operation(operation.op)
    assert (done.shared, done.receivers, done.handed, done.missed) == (701, 7, 701, 0)
    assert (done.given, done.gifts, done.givers) == (701, 2, 2)
    assert [share.cents for share in town.shares(operation)] == [101] + [100] * 6
    assert {share.account: share.cents for share in town.shares(operation)} == {
        one: town.balance(one) for one in receivers
    }
    assert town.balance(operation.number) == town.balance(operation.outlet) == 0
    assert town.findings() == []


def test_the_oldest_lots_are_drawn_first_and_each_receiver_has_the_lots_of_his_place(town: SolidarityTown) -> None:
    pool = town.new_pool()
    town.enrol(pool, *town.people(3))
    operation = town.new_operation(pool)
    old = town.give(operation, 40, month=202601, campaign="old")[1]
    new = town.give(operation, 50, month=202611, campaign="new")[1]
    [old_lot], [new_lot] = town.draws(old), town.draws(new)
    town.share(operation)
    found = [town.lots(share.account) for share in town.shares(operation)]
    assert found == [{old_lot: 30}, {old_lot: 10, new_lot: 20}, {new_lot: 30}]


def test_many_lots_leave_in_several_postings(town: SolidarityTown) -> None:
    pool = town.new_pool()
    receivers = town.people(2)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    for at in range(1, 6):  # the room of these tests lets two lots go at once
        town.give(operation, 20, month=202600 + at, campaign=str(at))
    town.share(operation)
    hands = [entry for entry in town.entries(operation.number) if entry.kind is PostingKind.GIFT]
    assert len({entry.op for entry in hands}) == 3
    assert [len(town.lots(one)) for one in receivers] == [3, 3]
    assert [town.balance(one) for one in receivers] == [50, 50]
    assert town.findings() == []


def test_shares_follow_the_units_of_classes_a_ceiling_and_a_level(town: SolidarityTown) -> None:
    weighted = PoolRule(givers=ANYBODY, classes=2, sharing=Sharing.WEIGHTED, units=(10, 20), ceiling=150)
    filled = PoolRule(givers=ANYBODY, classes=1, sharing=Sharing.FILL, level=500)
    one, two, three, rich = town.open(), town.open(), town.open(), town.holder(900)
    pool = town.new_pool(weighted)
    town.enrol(pool, one, two)
    town.enrol(pool, three, number=2)
    town.enrol(pool, one, number=2)  # a class may change
    operation = town.new_operation(pool)
    town.give(operation, 250)
    town.share(operation)
    assert [town.balance(account) for account in (one, two, three)] == [100, 50, 100]
    pool = town.new_pool(filled)
    town.enrol(pool, one, two, three, rich)
    operation = town.new_operation(pool, until=20261231)
    town.give(operation, 2_000)
    done = town.share(operation)
    assert [town.balance(account) for account in (one, two, three, rich)] == [500, 500, 500, 900]
    assert (done.shared, town.balance(operation.number)) == (1_250, 750)
    assert town.findings() == []


def test_what_remains_goes_into_the_next_operation_of_the_pool(town: SolidarityTown) -> None:
    pool = town.new_pool(PoolRule(givers=ANYBODY, classes=1, sharing=Sharing.EQUAL, ceiling=100))
    receivers = town.people(2)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    town.give(operation, 350)
    with pytest.raises(OperationNotShared):
        town.order(operation, CLOSE)
    town.share(operation)
    assert town.balance(operation.number) == 150
    before_closing = town.new_operation(pool, until=20270131)
    assert town.balance(before_closing.number) == 0
    town.order(operation, CLOSE)
    following = town.new_operation(pool, until=20270131)
    assert (town.balance(operation.number), town.balance(following.number)) == (0, 150)
    town.work()
    assert [(gift.origin, gift.state, gift.giver, gift.cents) for gift in town.gifts(following)] == [
        ("carried", "kept", "", 150)
    ]
    assert town.operation(following.op).given == 0
    town.pass_days(70)
    town.order(following, SHARE)
    town.finish(following)
    assert [town.balance(one) for one in receivers] == [175, 175]
    assert town.findings() == []


def test_gifts_outside_the_days_or_of_who_may_not_give_go_back_lot_by_lot(town: SolidarityTown) -> None:
    pool = town.new_pool(PoolRule(givers=(Givers.LISTED,), classes=1, sharing=Sharing.EQUAL))
    town.enrol(pool, town.open())
    operation = town.new_operation(pool, starts=20261119)
    early, early_gift = town.give(operation, 30)
    town.list_giver(pool, early)
    town.work()
    town.pass_days(2)
    listed, stranger = town.holder(40), town.holder(50)
    town.list_giver(pool, listed)
    town.list_giver(pool, stranger)
    town.list_giver(pool, stranger, is_listed=False)
    taken, refused = town.cede(listed, operation.number, 40), town.cede(stranger, operation.number, 50)
    before = town.draws(refused)
    town.work()
    states = {gift.op: (gift.state, gift.code) for gift in town.gifts(operation)}
    assert states == {
        early_gift: ("back", "gift_too_early"),
        taken: ("held", ""),
        refused: ("back", "giver_not_taken"),
    }
    assert [town.balance(one) for one in (early, listed, stranger)] == [30, 0, 50]
    assert town.lots(stranger) == before
    assert town.entries(stranger)[0].reference == "giver_not_taken"
    town.pass_days(20)
    late = town.holder(60)
    town.list_giver(pool, late)
    town.cede(late, operation.number, 60)
    town.work()
    assert (town.balance(late), town.operation(operation.op).given) == (60, 40)
    assert town.gifts(operation)[-1].code == "gift_too_late"
    town.order(operation, SHARE)
    later, _ = town.give(operation, 70)
    town.finish(operation)
    assert town.balance(later) == 70
    assert town.findings() == []


def test_companies_give_where_the_pool_takes_from_them_and_their_gift_is_final(town: SolidarityTown) -> None:
    pool = town.new_pool()
    receiver = town.open()
    town.enrol(pool, receiver)
    operation = town.new_operation(pool)
    gift = town.give_as_company(operation, 500)
    person, own = town.give(operation, 30)
    town.work()
    assert (town.operation(operation.op).given, town.operation(operation.op).givers) == (530, 2)
    with pytest.raises(NotReversible):
        town.ledger.write_now(town.ledger.reverse, Reverse(op=town.id(), undone=gift))
    with pytest.raises(GiftNotReturnable):
        town.take_gift_back(gift)
    town.order(operation, CANCEL)
    assert town.finish(operation).state == "cancelled"
    assert (town.balance(person), town.balance(town.pool), town.balance(operation.number)) == (30, 0, 500)
    assert {one.op: one.state for one in town.gifts(operation)} == {gift: "held", own: "back"}
    only_people = town.new_pool(PoolRule(givers=ANYBODY, classes=1, sharing=Sharing.EQUAL))
    town.enrol(only_people, receiver)
    other = town.new_operation(only_people)
    town.give_as_company(other, 80)
    town.work()
    [kept] = town.gifts(other)
    assert (kept.state, kept.code, town.operation(other.op).given) == ("kept", "giver_not_taken", 0)
    following = town.new_operation(pool)
    assert town.balance(following.number) == 500
    assert town.findings() == []


def test_a_cancelled_operation_gives_each_giver_his_very_lots(town: SolidarityTown) -> None:
    pool = town.new_pool()
    operation = town.new_operation(pool)
    givers = [town.give(operation, 10 * at, campaign=f"campaign {at}") for at in range(1, 9)]
    gone, _ = town.give(operation, 7)
    town.change(gone, AccountEvent.CLOSE)
    frozen, _ = town.give(operation, 5)
    town.change(frozen, AccountEvent.FREEZE)
    town.order(operation, CANCEL)
    seen = [town.go_on(operation).moved for _ in range(5)]
    assert seen == [3, 3, 3, 1, 0]
    assert town.operation(operation.op).state == "cancelled"
    for giver, gift in givers:
        assert town.lots(giver) == town.draws(gift)
    assert town.balance(frozen) == 5
    assert town.balance(operation.number) == 0
    assert town.book.read_now(lambda line: load_count(line, operation.op, people_min=3)).operation.given == 0
    with pytest.raises(OperationEnded):
        town.order(operation, SHARE)
    assert town.findings() == []


def test_a_giver_takes_back_until_it_is_shared_and_not_while_it_is(town: SolidarityTown) -> None:
    pool = town.new_pool()
    town.enrol(pool, *town.people(5))
    operation = town.new_operation(pool)
    giver, gift = town.give(operation, 40)
    other, kept = town.give(operation, 60)
    op = town.id()
    view = town.take_gift_back(gift, op)
    assert (view.cents, view.giver, view.is_repeat) == (40, giver, False)
    assert town.take_gift_back(gift, op).is_repeat
    assert town.lots(giver) == town.draws(gift)
    assert (town.operation(operation.op).given, town.operation(operation.op).gifts) == (60, 1)
    with pytest.raises(GiftNotReturnable):
        town.take_gift_back(gift)
    with pytest.raises(GiftUnknown):
        town.take_gift_back(town.id())
    with pytest.raises(IdMismatch):
        town.take_gift_back(kept, op)
    town.pass_days()
    town.order(operation, SHARE)
    town.go_on(operation)
    late = town.id()
    with pytest.raises(OperationEnded):
        town.take_gift_back(kept, late)
    town.finish(operation)
    with pytest.raises(AskedBefore, match="solidarity_operation_ended"):
        town.take_gift_back(kept, late)
    assert (town.balance(other), town.findings()) == (0, [])


def test_it_is_shared_when_its_days_are_over_or_its_target_is_reached_and_once(town: SolidarityTown) -> None:
    pool = town.new_pool()
    town.enrol(pool, town.open())
    operation = town.new_operation(pool, target=100)
    town.give(operation, 99)
    with pytest.raises(OperationRunning) as refusal:
        town.order(operation, SHARE)
    assert refusal.value.facts == {
        "id": operation.op.hex(),
        "until": LAST_DAY,
        "cents": 99,
        "target": 100,
    }
    town.give(operation, 1)
    op = town.id()
    assert not town.order(operation, SHARE, op).is_repeat
    town.finish(operation)
    assert town.order(operation, SHARE, op).is_repeat
    with pytest.raises(OperationEnded):
        town.order(operation, SHARE)
    with pytest.raises(OperationEnded):
        town.order(operation, CANCEL)
    with pytest.raises(IdMismatch):
        town.order(operation, CANCEL, op)


def test_nothing_or_nobody_is_not_shared(town: SolidarityTown) -> None:
    pool = town.new_pool()
    operation = town.new_operation(pool)
    town.give(operation, 10)
    town.pass_days()
    with pytest.raises(NobodyToShareWith):
        town.order(operation, SHARE)
    closed = town.open()
    town.enrol(pool, closed)
    town.change(closed, AccountEvent.CLOSE)
    with pytest.raises(NobodyToShareWith):
        town.order(operation, SHARE)
    town.enrol(pool, town.open())
    empty = town.new_operation(pool, starts=TODAY)
    town.pass_days()
    with pytest.raises(NothingToShare):
        town.order(empty, SHARE)
    with pytest.raises(OperationUnknown):
        town.book.write_now(town.room.decide, Order(op=town.id(), operation=Id16(b"no such operatio"), event=SHARE))
    with pytest.raises(PoolUnknown):
        town.new_operation(Id16(b"no such pool, no"))


def test_an_account_that_closes_or_freezes_while_it_is_shared_misses_and_the_lots_remain(town: SolidarityTown) -> None:
    pool = town.new_pool()
    receivers = town.people(8)
    town.enrol(pool, *receivers)
    operation = town.new_operation(pool)
    town.give(operation, 800)
    town.pass_days()
    town.order(operation, SHARE)
    town.go_on(operation)
    waiting = [share.account for share in town.shares(operation) if share.state == "due"]
    erased, frozen = waiting[1], waiting[-1]
    town.change(erased, AccountEvent.CLOSE)
    town.change(frozen, AccountEvent.FREEZE)
    done = town.finish(operation)
    assert (done.state, done.missed, done.handed) == ("shared", 200, 800)
    assert [town.balance(one) for one in (erased, frozen)] == [0, 0]
    assert town.balance(operation.number) == 200
    assert town.book.read_now(lambda line: load_count(line, operation.op, people_min=3)).shared == 600
    # Who was erased is in no pool any more; who is frozen still is.
    assert town.book.write_now(town.room.forget_closed, "") == ""
    assert town.enrolled(pool) == sorted(set(receivers) - {erased})
    assert town.findings() == []


def test_a_frozen_operation_waits_and_goes_on_where_it_was(town: SolidarityTown) -> None:
    pool = town.new_pool()
    town.enrol(pool, *town.people(4))
    operation = town.new_operation(pool)
    town.give(operation, 400)
    town.pass_days()
    town.order(operation, SHARE)
    town.go_on(operation)
    town.change(operation.number, AccountEvent.FREEZE)
    assert (town.go_on(operation).moved, town.work()) == (0, 0)
    town.change(operation.number, AccountEvent.REOPEN)
    town.change(operation.outlet, AccountEvent.FREEZE)
    assert town.go_on(operation).moved == 0
    town.change(operation.outlet, AccountEvent.REOPEN)
    assert town.finish(operation).state == "shared"
    assert town.findings() == []


def test_what_a_receiver_sends_to_where_it_came_from_is_the_pools_again(town: SolidarityTown) -> None:
    pool = town.new_pool()
    receiver = town.open()
    town.enrol(pool, receiver)
    operation = town.new_operation(pool)
    town.give(operation, 100)
    town.share(operation)
    [entry] = town.entries(receiver)
    assert entry.other == operation.outlet
    town.cede(receiver, operation.outlet, 60)
    town.work()
    assert (town.balance(operation.outlet), town.balance(operation.number)) == (0, 60)
    assert town.findings() == []


def test_rights_leave_an_operation_by_its_rule_only(town: SolidarityTown) -> None:
    pool = town.new_pool()
    operation = town.new_operation(pool)
    giver, _ = town.give(operation, 100)
    for kind in (PostingKind.CESSION, PostingKind.CREDIT, PostingKind.ORIENTATION):
        with pytest.raises(KindMisfit):
            town.ledger.write_now(town.ledger.post, town.posting(operation.number, giver, 10, kind))
    with pytest.raises(KindMisfit):
        town.cede(operation.number, giver, 10)


def test_only_open_accounts_of_people_and_groups_are_enrolled_and_a_bad_line_harms_no_other(
    town: SolidarityTown,
) -> None:
    pool = town.new_pool()
    good, group, shop, closed = town.open(), town.open(AccountKind.GROUP), town.open(AccountKind.ENTITY), town.open()
    town.change(closed, AccountEvent.CLOSE)
    nobody = town.people(1)[0].replace("0", "9")
    view = town.enrol(pool, good, group, shop, closed, nobody)  # type: ignore[arg-type]
    assert view.codes == ("", "", "kind_misfit", "account_closed", "account_unknown")
    assert town.enrol(pool, good, number=2).codes == ("receiver_class_unknown",)
    assert town.enrolled(pool) == sorted([good, group])
    asked = Enrol(op=town.id(), pool=pool, lines=((good, 0), (shop, 0)))
    assert town.book.write_now(town.room.enrol, asked).codes == ("", "")
    assert town.book.write_now(town.room.enrol, asked).is_repeat
    assert town.enrolled(pool) == [group]


def test_the_same_id_is_answered_as_before_and_with_another_content_refused(town: SolidarityTown) -> None:
    op = town.id()
    asked = OpenPool(op=op, title="Le pot", rule=EQUAL)
    assert not town.book.write_now(town.room.open_pools, asked).is_repeat
    assert town.book.write_now(town.room.open_pools, asked).is_repeat
    with pytest.raises(IdMismatch, match="title"):
        town.book.write_now(town.room.open_pools, OpenPool(op=op, title="Un autre", rule=EQUAL))
    terms = {"pool": op, "title": "Noël", "starts": TODAY, "until": LAST_DAY, "target": 5}
    first = OpenOperation(op=town.id(), salt=bytes(16), **terms)  # type: ignore[arg-type]
    opened = town.book.write_now(town.room.open_operations, first)
    # A fresh salt is no other content: who lost the answer asks again with one.
    again = OpenOperation(op=first.op, salt=b"another salt....", **terms)  # type: ignore[arg-type]
    repeated = town.book.write_now(town.room.open_operations, again)
    assert (repeated.is_repeat, repeated.number) == (True, opened.number)
    with pytest.raises(IdMismatch, match="target"):
        town.book.write_now(
            town.room.open_operations,
            OpenOperation(op=first.op, salt=bytes(16), **terms | {"target": 6}),  # type: ignore[arg-type]
        )
    with pytest.raises(IdMismatch, match="kind"):
        town.order(town.operation(first.op), CANCEL, op)


def test_few_people_are_not_counted_in_public_nor_is_anything_told_while_it_is_shared(town: SolidarityTown) -> None:
    pool = town.new_pool()
    town.enrol(pool, *town.people(4))
    operation = town.new_operation(pool)
    for _ in range(3):
        town.give(operation, 40)
    town.work()

    def count(people_min: int) -> tuple[int | None, int | None, int]:
        told = town.book.read_now(lambda line: load_count(line, operation.op, people_min=people_min))
        return told.givers, told.receivers, told.shared

    assert (count(3), count(4)) == ((3, None, 0), (None, None, 0))
    town.pass_days()
    town.order(operation, SHARE)
    town.go_on(operation)
    assert count(3) == (3, None, 0)
    town.finish(operation)
    assert (count(3), count(4), count(5)) == ((3, 4, 120), (None, 4, 120), (None, None, 120))


def test_an_account_of_an_operation_that_somebody_closed_lets_nothing_in(town: SolidarityTown) -> None:
    operation = town.new_operation(town.new_pool())
    town.ledger.write_now(town.ledger.change_states, ChangeState(account=operation.number, event=AccountEvent.CLOSE))
    giver = town.holder(10)
    with pytest.raises(Exception, match="account_closed"):
        town.cede(giver, operation.number, 10)
    assert (town.work(), town.findings()) == (0, [])
