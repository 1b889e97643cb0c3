"""The accounts open, tell, freeze and close holders' accounts for the people's base, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from node.federation import store as federation_store
from node.holders.checks import check_holders
from node.holders.numbers import OFFERS_MAX, derive_number, is_holder_of
from node.holders.service import HolderDesk
from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.openings import ChangeState, OpenAccount, ShowName
from node.ledger.reading_service import find_account
from node.ledger.reservations import Reserve
from node.people.requests import Erase
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.cession import CessionState
from protocol.house import (
    AskHolder,
    CloseHolder,
    FreezeHolder,
    HolderBusy,
    HolderClosed,
    HolderKind,
    HolderOpened,
    HolderTold,
    HouseMessage,
    OpenHolder,
    Refused,
)
from protocol.identifiers import AccountNumber, Id16, make_account_number
from protocol.times import Instant
from tests.people.people_world import ACCOUNTS, PEOPLE, PeopleWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PeopleWorld]:
    made = PeopleWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()


def ask(world: PeopleWorld, *messages: HouseMessage, sender: str = PEOPLE) -> list[HouseMessage]:
    """Have the accounts hear messages in one page; return their answers."""
    desk = HolderDesk(world.ledger, in_flight=lambda _line, number: world.in_flight.get(number, 0))

    def apply(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[list[HouseMessage]]:
        return [desk.apply(page, sender, item) for item in items]

    answers: list[HouseMessage] = world.books[ACCOUNTS].write_now(apply, messages)
    return answers


def open_one(world: PeopleWorld, kind: HolderKind = HolderKind.PERSON) -> AccountNumber:
    [opened] = ask(world, OpenHolder(world.id(), kind))
    assert isinstance(opened, HolderOpened)
    return AccountNumber(opened.number)


def test_an_account_is_opened_once_whatever_is_asked_again(world: PeopleWorld) -> None:
    asked = OpenHolder(world.id(), HolderKind.PERSON)
    [first], [again] = ask(world, asked), ask(world, asked)
    assert first == again == HolderOpened(asked.id, derive_number(Id16(asked.id), 0))
    assert ask(world, OpenHolder(asked.id, HolderKind.GROUP)) == [Refused(asked.id, "id_mismatch")]
    group = open_one(world, HolderKind.GROUP)
    view = world.books[ACCOUNTS].read_now(lambda line: find_account(line, group))
    assert view is not None
    assert (view.kind, view.shown_name) == (AccountKind.GROUP, None)


def test_a_number_that_somebody_has_is_not_given_twice(world: PeopleWorld) -> None:
    asked = OpenHolder(world.id(), HolderKind.PERSON)
    taken = OpenAccount(op=world.id(), number=derive_number(Id16(asked.id), 0), kind=AccountKind.PERSON)
    world.ledger.write_now(world.ledger.open_accounts, taken)
    assert ask(world, asked) == [HolderOpened(asked.id, derive_number(Id16(asked.id), 1))]
    by_hand = OpenAccount(op=world.id(), number=make_account_number(world.entropy(16)), kind=AccountKind.PERSON)
    world.ledger.write_now(world.ledger.open_accounts, by_hand)
    assert ask(world, OpenHolder(by_hand.op, HolderKind.PERSON)) == [Refused(by_hand.op, "id_mismatch")]
    assert not is_holder_of(Id16(asked.id), derive_number(Id16(asked.id), OFFERS_MAX))


def test_nobody_but_the_people_is_heard(world: PeopleWorld) -> None:
    number = open_one(world)
    questions = (
        OpenHolder(world.id(), HolderKind.PERSON),
        AskHolder(world.id(), number),
        FreezeHolder(world.id(), number, True),
        CloseHolder(world.id(), number, ""),
    )
    for sender in ("PARTNERS", "THE-FUND", "PROJECTS"):
        assert ask(world, *questions, sender=sender) == [Refused(one.id, "not_the_people") for one in questions]
    [told] = ask(world, AskHolder(world.id(), number))
    assert isinstance(told, HolderTold)
    assert told.state == "open"


def test_what_there_is_of_an_account_is_told_without_the_name_that_it_shows(world: PeopleWorld) -> None:
    number = open_one(world)
    world.give(number, 500)
    world.ledger.write_now(world.ledger.show_names, ShowName(account=number, shown_name="Zélie"))
    reserve = Reserve(op=world.id(), account=number, cents=Cents(30), expires_at=Instant(world.time + 10_000_000))
    world.ledger.write_now(world.ledger.reserve, reserve)
    world.in_flight[number] = 7
    [told] = ask(world, AskHolder(world.id(), number))
    assert isinstance(told, HolderTold)
    assert (told.cents, told.reserved, told.in_flight, told.movements, told.shows_name) == (500, 30, 7, 1, True)
    assert "Zélie" not in repr(told)
    for wrong in (world.pool, make_account_number(world.entropy(16))):
        asked = AskHolder(world.id(), wrong)
        assert ask(world, asked) == [Refused(asked.id, "account_unknown")]


def test_an_account_closes_empty_or_after_its_rights_went_where_its_holder_said(world: PeopleWorld) -> None:
    number, other = open_one(world), open_one(world)
    world.give(number, 500)
    world.ledger.write_now(world.ledger.show_names, ShowName(account=number, shown_name="Zélie"))
    held = CloseHolder(world.id(), number, "")
    assert ask(world, held) == [HolderBusy(held.id, number, 500, 0, 0)]
    world.in_flight[number] = 9
    moving = CloseHolder(world.id(), number, other)
    assert ask(world, moving) == [HolderBusy(moving.id, number, 500, 0, 9)]
    world.in_flight.clear()
    for into, code in ((number, "malformed"), (make_account_number(world.entropy(16)), "account_unknown")):
        wrong = CloseHolder(world.id(), number, into)
        assert ask(world, wrong) == [Refused(wrong.id, code)]
    assert world.balance(number) == 500
    done = CloseHolder(world.id(), number, other)
    assert ask(world, done) == [HolderClosed(done.id, number, 500)]
    assert ask(world, done) == [HolderClosed(done.id, number, 0)]
    assert (world.balance(number), world.balance(other)) == (0, 500)
    view = world.books[ACCOUNTS].read_now(lambda line: find_account(line, number))
    assert view is not None
    assert (view.state, view.shown_name) == ("closed", None)


def test_rights_of_a_frozen_account_go_where_they_must_and_it_stays_frozen_where_they_cannot(
    world: PeopleWorld,
) -> None:
    number, other = open_one(world), open_one(world)
    world.give(number, 500)
    [told] = ask(world, FreezeHolder(world.id(), number, True))
    assert isinstance(told, HolderTold)
    assert told.state == "frozen"
    world.ledger.write_now(world.ledger.change_states, ChangeState(account=other, event=AccountEvent.FREEZE))
    refused = CloseHolder(world.id(), number, other)
    assert ask(world, refused) == [Refused(refused.id, "account_frozen")]
    [told] = ask(world, AskHolder(world.id(), number))
    assert isinstance(told, HolderTold)
    assert (told.state, told.cents) == ("frozen", 500)
    done = CloseHolder(world.id(), number, world.pool)
    assert ask(world, done) == [HolderClosed(done.id, number, 500)]
    assert ask(world, FreezeHolder(world.id(), other, False))[0].state == "open"  # type: ignore[union-attr]


def test_what_is_in_flight_is_what_was_ceded_abroad_and_has_not_ended(world: PeopleWorld) -> None:
    number = "D715K6AF"
    slips = ((1, CessionState.CLEARED), (2, CessionState.DELIVERED))
    rows = (  # slip, place, cents, exception
        *((1, 0, 10, None), (1, 1, 20, CessionState.RETURNED), (2, 0, 40, None), (2, 1, 80, CessionState.HANDED_OVER)),
    )

    def write(page: Page, items: Sequence[None]) -> Sequence[None]:
        for index, state in slips:
            federation_store.insert_sent(
                page.connection, epoch=1, index=index, taker="200046977", count=2, cents=100, now=page.now
            )
            page.connection.execute(
                text("UPDATE sent_slips SET state = :s WHERE ix = :i"), {"s": str(state), "i": index}
            )
        for index, place, cents, exception in rows:
            page.connection.execute(
                text(
                    "INSERT INTO cessions (op, epoch, ix, place, account, beneficiary, cents, term, code, exception,"
                    " recall) VALUES (:op, 1, :ix, :place, :account, '', :cents, 0, '', :exception, '')"
                ),
                {
                    "op": world.id(),
                    "ix": index,
                    "place": place,
                    "account": number,
                    "cents": cents,
                    "exception": None if exception is None else str(exception),
                },
            )
        return items

    world.books[ACCOUNTS].write_now(write, None)
    read = world.books[ACCOUNTS].read_now
    assert read(lambda line: federation_store.load_in_flight(line, number)) == 10 + 80
    assert read(lambda line: federation_store.load_in_flight(line, "12345678")) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET kind = 'group' WHERE number = :number",
        "UPDATE accounts SET op = zeroblob(16) WHERE number = :number",
        "UPDATE accounts SET shown_name = 'Zélie' WHERE number = :number",
        "UPDATE accounts SET state = 'open', closed_at = NULL WHERE number = :number",
    ],
)
async def test_an_account_changed_by_hand_is_found(world: PeopleWorld, change: str) -> None:
    world.found()
    person = world.enter()
    number = await world.open_account(person)
    world.write(world.people.erasures.erase, Erase(**world.by(person), person=person))
    await world.exchange()

    def tamper(page: Page, items: Sequence[str]) -> Sequence[str]:
        for item in items:
            page.connection.execute(text(item), {"number": number})
        return items

    def find() -> list[str]:
        checked = world.books[ACCOUNTS].read_now(check_holders)
        return [finding.place for one in checked for finding in one.findings]

    assert find() == []
    world.books[ACCOUNTS].write_now(tamper, change)
    assert find()[0].startswith("log ACCOUNTS to PEOPLE, leaf ")
