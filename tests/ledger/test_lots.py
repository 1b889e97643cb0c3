"""Endowments issue lots at home; foreign lots are noted at first sight."""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack
import msgspec
import pytest

from node.ledger.endowments import Endow, origin_of
from node.ledger.errors import AccountUnknown, KindMisfit, LotClassMismatch, LotUnknown
from node.ledger.lots import LotClass, LotName, compute_seal, require_lot_class, require_lot_name, require_month
from node.ledger.postings import PostingKind
from node.ledger.reading_service import find_operation, load_balance
from protocol.amounts import Cents
from protocol.errors import IdMismatch, InvalidAmount, InvalidId, InvalidText, Malformed, Refusal
from protocol.identifiers import AccountNumber
from tests.ledger.world import HOME, MONTH, PEER, World


def asked(world: World, pool: AccountNumber, **changes: Any) -> Endow:
    content: dict[str, Any] = {
        "op": world.id(),
        "donor": b"d" * 16,
        "campaign": "spring",
        "month": MONTH,
        "lot_class": LotClass.ELIGIBLE,
        "into": pool,
        "cents": Cents(100),
        "reason": "bank line 12",
        "new_ref": world.id(),
    }
    return Endow(**{**content, **changes})


def endow(world: World, item: Endow) -> Any:
    return world.ledger.write_now(world.ledger.endow, item)


def test_an_endowment_of_the_same_donor_campaign_month_and_class_grows_the_same_lot(world: World) -> None:
    pool = world.pool()
    first = endow(world, asked(world, pool))
    second = endow(world, asked(world, pool))
    assert second.lot == first.lot
    assert (first.after, second.after) == (100, 200)
    for change in (
        {"donor": b"e" * 16},
        {"campaign": "autumn"},
        {"month": MONTH + 1},
        {"lot_class": LotClass.ELIGIBLE | LotClass.SOUTH_FIT},
        {"lot_class": LotClass.RESTRICTED, "restriction": "rivers"},
        {"lot_class": LotClass.RESTRICTED, "restriction": "hedges"},
    ):
        other = endow(world, asked(world, pool, **change))
        assert other.lot > second.lot
        assert endow(world, asked(world, pool, **change)).lot == other.lot
    assert len(world.ledger.read_now(load_balance, pool).lots) == 7


def test_an_endowment_is_made_once_and_names_what_differs(world: World) -> None:
    pool, other_pool = world.pool(), world.pool()
    item = asked(world, pool)
    first = endow(world, item)
    world.reopen()
    again = endow(world, msgspec.structs.replace(item, new_ref=b"z" * 16))
    assert again.is_repeat
    assert (again.lot, again.transfer, again.after, again.at) == (first.lot, first.transfer, first.after, first.at)
    for change in (
        {"donor": b"e" * 16},
        {"campaign": "autumn"},
        {"month": MONTH + 1},
        {"lot_class": LotClass.SOUTH_FIT},
        {"into": other_pool},
        {"cents": Cents(7)},
        {"reason": "another line"},
    ):
        with pytest.raises(IdMismatch) as refusal:
            endow(world, msgspec.structs.replace(item, **change))
        assert refusal.value.facts["field"] == next(iter(change))
    assert world.balance(pool) == 100


def test_an_endowment_asked_again_under_another_restriction_names_it(world: World) -> None:
    item = asked(world, world.pool(), lot_class=LotClass.RESTRICTED, restriction="rivers")
    endow(world, item)
    with pytest.raises(IdMismatch) as refusal:
        endow(world, msgspec.structs.replace(item, restriction="hedges"))
    assert refusal.value.facts["field"] == "restriction"


def test_the_id_of_an_endowment_is_not_free_for_a_posting_nor_the_other_way_round(world: World) -> None:
    pool, person = world.pool(), world.open()
    item = asked(world, pool)
    endow(world, item)
    with pytest.raises(IdMismatch):
        world.post(pool, person, 100, op=item.op)
    posted = world.post(pool, person, 10)
    with pytest.raises(IdMismatch) as refusal:
        endow(world, asked(world, pool, op=posted.op))
    assert refusal.value.facts["field"] == "kind"


def test_only_a_pool_is_endowed_and_the_refusal_is_remembered(world: World) -> None:
    person, pool = world.open(), world.pool()
    item = asked(world, person)
    with pytest.raises(KindMisfit):
        endow(world, item)
    with pytest.raises(KindMisfit):
        endow(world, item)
    with pytest.raises(IdMismatch) as refusal:
        endow(world, asked(world, pool, op=item.op))
    assert refusal.value.facts["field"] == "into"
    with pytest.raises(AccountUnknown):
        endow(world, asked(world, AccountNumber("ZZZZZZZZ")))
    assert world.ledger.read_now(find_operation, item.op).code == "kind_misfit"


CONTENT: dict[str, Any] = {
    "op": b"o" * 16,
    "donor": b"d" * 16,
    "campaign": "spring",
    "month": MONTH,
    "lot_class": LotClass.ELIGIBLE,
    "into": AccountNumber("AAAAAAAA"),
    "cents": Cents(100),
    "reason": "bank line 12",
    "new_ref": b"r" * 16,
}


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"op": b"short"}, InvalidId, None),
        ({"donor": b"short"}, InvalidId, None),
        ({"cents": 0}, InvalidAmount, None),
        ({"month": 202613}, Malformed, "month"),
        ({"month": 26}, Malformed, "month"),
        ({"lot_class": 32}, Malformed, "lot_class"),
        ({"lot_class": LotClass.RESTRICTED}, Malformed, "restriction"),
        ({"restriction": "rivers"}, Malformed, "restriction"),
        ({"lot_class": LotClass.RESTRICTED, "restriction": "x" * 201}, InvalidText, "restriction"),
        ({"reason": ""}, InvalidText, "reason"),
        ({"reason": "x" * 281}, InvalidText, "reason"),
        ({"reason": 12}, InvalidText, "reason"),
        ({"campaign": "x" * 81}, InvalidText, "campaign"),
        ({"campaign": "spring\n"}, InvalidText, "campaign"),
        ({"new_ref": b"short"}, Malformed, "new_ref"),
        ({"new_ref": "r" * 16}, Malformed, "new_ref"),
    ],
)
def test_a_malformed_endowment_never_reaches_the_book(
    change: dict[str, Any], error: type[Refusal], field: str | None
) -> None:
    with pytest.raises(error) as refusal:
        Endow(**{**CONTENT, **change})
    assert refusal.value.facts.get("field") == field


def test_the_longest_words_of_an_endowment_are_taken() -> None:
    longest = {"campaign": "x" * 80, "reason": "x" * 280, "restriction": "x" * 200, "lot_class": LotClass.RESTRICTED}
    made = Endow(**{**CONTENT, **longest})
    assert origin_of(made) == (b"d" * 16, "x" * 80, MONTH, 8, "x" * 200)
    assert Endow(**{**CONTENT, "campaign": ""}).restriction == ""


def test_the_flags_of_a_class_are_those_that_travel() -> None:
    assert {flag.name: int(flag) for flag in LotClass} == {
        "ELIGIBLE": 1,
        "PUBLIC_GENEROSITY": 2,
        "SOUTH_FIT": 4,
        "RESTRICTED": 8,
        "CALLED": 16,
    }


@pytest.mark.parametrize("month", [190001, 190012, 202611, 999912])
def test_a_month_from_1900_to_9999_is_taken(month: int) -> None:
    assert require_month(month) == month


@pytest.mark.parametrize("month", [-1, 0, 26, 189912, 190000, 202600, 202613, 999913, 1000001])
def test_what_is_no_month_is_refused(month: int) -> None:
    with pytest.raises(Malformed) as refusal:
        require_month(month)
    assert refusal.value.facts["field"] == "month"


def test_a_class_holds_any_of_the_known_flags_and_no_other() -> None:
    assert [require_lot_class(flags) for flags in range(32)] == [LotClass(flags) for flags in range(32)]
    for flags in (-1, 32, 33):
        with pytest.raises(Malformed) as refusal:
            require_lot_class(flags)
        assert refusal.value.facts["field"] == "lot_class"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ref": b"r" * 15}, "ref"),
        ({"ref": b"r" * 17}, "ref"),
        ({"ref": "r" * 16}, "ref"),
        ({"lot_class": 32}, "lot_class"),
        ({"month": 202613}, "month"),
    ],
)
def test_a_lot_is_named_by_a_reference_a_class_and_a_month(change: dict[str, Any], field: str) -> None:
    name = LotName(PEER, b"r" * 16, 5, MONTH)
    assert require_lot_name(name) == name
    with pytest.raises(Malformed) as refusal:
        require_lot_name(name._replace(**change))
    assert refusal.value.facts["field"] == field


def test_the_seal_of_a_lot_is_the_digest_of_all_four_parts() -> None:
    written = msgpack.packb([PEER, b"r" * 16, 5, MONTH])
    expected = hashlib.blake2b(written, digest_size=8, person=b"cm-lot").digest()
    assert compute_seal(LotName(PEER, b"r" * 16, 5, MONTH)) == expected


def test_a_foreign_lot_keeps_the_class_and_month_under_which_it_was_first_seen(world: World) -> None:
    name = LotName(PEER, b"r" * 16, int(LotClass.ELIGIBLE), MONTH)
    answers = world.book.write_all_now(
        world.ledger.ensure_lots,
        [
            name,
            name,
            name._replace(lot_class=int(LotClass.SOUTH_FIT)),
            name._replace(month=MONTH - 1),
            name._replace(ref=b"s" * 16),
            name._replace(ref=b"short"),
            LotName(HOME, b"r" * 16, 1, MONTH),
        ],
    )
    assert answers[0] == answers[1]
    assert isinstance(answers[2], LotClassMismatch)
    assert answers[2].facts["field"] == "lot_class"
    assert isinstance(answers[3], LotClassMismatch)
    assert answers[3].facts["field"] == "month"
    assert answers[4] != answers[0]
    assert isinstance(answers[5], Malformed)
    assert isinstance(answers[6], LotUnknown)
    world.reopen()
    assert world.ledger.write_now(world.ledger.ensure_lots, name) == answers[0]


def test_a_home_lot_is_known_again_when_it_comes_back(world: World) -> None:
    pool = world.pool()
    item = asked(world, pool)
    lot = endow(world, item).lot
    name = LotName(HOME, item.new_ref, int(item.lot_class), MONTH)
    assert world.ledger.write_now(world.ledger.ensure_lots, name) == lot


def test_an_endowment_in_the_page_of_another_posting_keeps_every_balance(world: World) -> None:
    pool, person = world.pool(100), world.open()

    def both(page: Any) -> None:
        world.ledger.post(page, [world.posting(pool, person, 60)])
        world.ledger.endow(page, [asked(world, pool, cents=Cents(40))])
        world.ledger.post(page, [world.posting(pool, person, 80)])

    world.run_in_page(both)
    assert (world.balance(pool), world.balance(person)) == (0, 140)
    assert PostingKind.ENDOWMENT in world.ledger.read_now(find_operation, world.endow(pool, 1).op).kind  # type: ignore[operator]
