"""Opening, freezing, closing, and showing a name."""

from __future__ import annotations

from typing import Any

import pytest

from node.ledger.accounts import (
    NEXT_STATE,
    TRANSIT,
    AccountEvent,
    AccountKind,
    AccountState,
    abroad,
    advance,
    describe,
)
from node.ledger.errors import AccountClosed, AccountNotEmpty, AccountUnknown, NumberTaken
from node.ledger.openings import ChangeState, OpenAccount, ShowName, require_shown_name
from node.ledger.reading_service import find_account, load_history
from node.ledger.reservations import Reserve
from protocol.amounts import Cents
from protocol.errors import IdMismatch, InvalidId, InvalidText, Malformed, Refusal
from protocol.identifiers import AccountNumber, Id16
from protocol.times import Instant
from tests.ledger.world import PEER, START, World


def test_every_state_answers_every_event_or_says_that_the_account_is_closed() -> None:
    number = AccountNumber("AAAAAAAA")
    for state in AccountState:
        for event in AccountEvent:
            if state is AccountState.CLOSED and event is not AccountEvent.CLOSE:
                with pytest.raises(AccountClosed):
                    advance(state, event, account=number)
            else:
                assert advance(state, event, account=number) in AccountState
    assert all(AccountState.CLOSED in after.values() for after in NEXT_STATE.values())


def test_kinds_states_and_events_are_stored_and_sent_in_their_own_words() -> None:
    assert [str(kind) for kind in AccountKind] == [
        *("person", "entity", "group", "project", "pool", "solidarity"),
        *("issuance", "border", "transit", "abroad", "unclaimed", "converted"),
    ]
    assert [str(state) for state in AccountState] == ["open", "frozen", "closed"]
    assert [str(event) for event in AccountEvent] == ["freeze", "reopen", "close"]


def test_findings_name_an_account_by_its_number_or_by_its_kind_and_peer() -> None:
    named = [describe(key) for key in (AccountNumber("AAAAAAAA"), TRANSIT, abroad(PEER))]
    assert named == ["AAAAAAAA", "transit", f"abroad/{PEER}"]


def test_an_opened_account_is_empty_open_and_shows_what_its_holder_chose(world: World) -> None:
    number = world.open(AccountKind.ENTITY, shown_name="Boulangerie du Port")
    account = world.ledger.read_now(find_account, number)
    assert account is not None
    assert (account.number, account.kind, account.state) == (number, AccountKind.ENTITY, AccountState.OPEN)
    assert (account.cents, account.reserved, account.length) == (0, 0, 0)
    assert (account.opened_at, account.closed_at) == (START, None)
    assert account.shown_name == "Boulangerie du Port"
    assert world.ledger.read_now(find_account, AccountNumber("ZZZZZZZZ")) is None


def test_opening_again_under_the_same_id_gives_the_first_number_whatever_number_is_offered(world: World) -> None:
    asked = OpenAccount(op=world.id(), number=AccountNumber("AAAAAAAA"), kind=AccountKind.PERSON)
    assert not world.ledger.write_now(world.ledger.open_accounts, asked).is_repeat
    other = OpenAccount(op=asked.op, number=AccountNumber("BBBBBBBB"), kind=AccountKind.PERSON)
    again = world.ledger.write_now(world.ledger.open_accounts, other)
    assert (again.is_repeat, again.number) == (True, "AAAAAAAA")
    with pytest.raises(IdMismatch) as refusal:
        world.ledger.write_now(
            world.ledger.open_accounts,
            OpenAccount(op=asked.op, number=AccountNumber("BBBBBBBB"), kind=AccountKind.POOL),
        )
    assert refusal.value.facts["field"] == "kind"


def test_a_number_is_given_once_and_another_may_be_offered_under_the_same_id(world: World) -> None:
    taken = world.open()
    op = world.id()
    with pytest.raises(NumberTaken):
        world.ledger.write_now(world.ledger.open_accounts, OpenAccount(op=op, number=taken, kind=AccountKind.PERSON))
    free = OpenAccount(op=op, number=AccountNumber("FREEFREE"), kind=AccountKind.PERSON)
    assert world.ledger.write_now(world.ledger.open_accounts, free).number == "FREEFREE"


def test_one_page_opens_many_accounts_and_sees_its_own_repeats(world: World) -> None:
    op, number = world.id(), AccountNumber("AAAAAAAA")
    answers = world.book.write_all_now(
        world.ledger.open_accounts,
        [
            OpenAccount(op=op, number=number, kind=AccountKind.PERSON),
            OpenAccount(op=op, number=number, kind=AccountKind.PERSON),
            OpenAccount(op=world.id(), number=number, kind=AccountKind.PERSON),
        ],
    )
    assert [isinstance(answer, Refusal) for answer in answers] == [False, False, True]
    assert answers[1].is_repeat


def test_an_account_of_the_book_itself_is_not_opened_by_anybody() -> None:
    for kind in (AccountKind.TRANSIT, AccountKind.ISSUANCE, AccountKind.UNCLAIMED):
        with pytest.raises(Malformed):
            OpenAccount(op=b"x" * 16, number=AccountNumber("AAAAAAAA"), kind=kind)  # type: ignore[arg-type]


def test_an_account_closes_only_when_nothing_is_left_in_it_nor_reserved(world: World) -> None:
    pool, person = world.pool(100), world.open()
    with pytest.raises(AccountNotEmpty) as refusal:
        world.change(pool, AccountEvent.CLOSE)
    assert refusal.value.facts == {"account": pool, "cents": 100, "reserved": 0}
    asked = Reserve(op=world.id(), account=pool, cents=Cents(10), expires_at=Instant(START + 1_000))
    world.ledger.write_now(world.ledger.reserve, asked)
    with pytest.raises(AccountNotEmpty):
        world.change(pool, AccountEvent.CLOSE)
    world.change(person, AccountEvent.CLOSE)
    account = world.ledger.read_now(find_account, person)
    assert account is not None
    assert (account.state, account.closed_at) == (AccountState.CLOSED, START)
    world.change(person, AccountEvent.CLOSE)
    with pytest.raises(AccountClosed):
        world.change(person, AccountEvent.REOPEN)


def test_closing_sees_what_was_posted_earlier_in_the_same_page(world: World) -> None:
    pool, person = world.pool(100), world.open()

    def credit_then_close(page: object) -> object:
        world.ledger.post(page, [world.posting(pool, person, 10)])  # type: ignore[arg-type]
        closing = ChangeState(account=person, event=AccountEvent.CLOSE)
        return world.ledger.change_states(page, [closing])[0]  # type: ignore[arg-type]

    with pytest.raises(AccountNotEmpty):
        world.run_in_page(credit_then_close)
    assert world.balance(person) == 10


def test_a_state_of_an_unknown_account_is_refused(world: World) -> None:
    with pytest.raises(AccountUnknown):
        world.change(AccountNumber("ZZZZZZZZ"), AccountEvent.FREEZE)


def test_a_payer_sees_the_name_that_the_holder_chose_and_no_other(world: World) -> None:
    pool, person = world.pool(100), world.open()
    world.post(pool, person, 10)
    assert world.ledger.read_now(load_history, pool).entries[0].other_name is None
    world.ledger.write_now(world.ledger.show_names, ShowName(account=person, shown_name="Léa"))
    assert world.ledger.read_now(load_history, pool).entries[0].other_name == "Léa"
    world.ledger.write_now(world.ledger.show_names, ShowName(account=person, shown_name=None))
    assert world.ledger.read_now(load_history, pool).entries[0].other_name is None


@pytest.mark.parametrize("name", ["", " ", " Léa", "Léa ", "a\nb", "x" * 81, 7])
def test_a_shown_name_is_short_printable_text(name: Any) -> None:
    with pytest.raises(InvalidText) as refusal:
        ShowName(account=AccountNumber("AAAAAAAA"), shown_name=name)
    assert refusal.value.facts["field"] == "shown_name"
    with pytest.raises(InvalidText):
        OpenAccount(op=Id16(b"o" * 16), number=AccountNumber("AAAAAAAA"), kind=AccountKind.PERSON, shown_name=name)


@pytest.mark.parametrize("name", [None, "L", "Marché de la Lune & fils", "x" * 80])
def test_a_name_that_may_be_shown_is_taken_as_it_is(name: str | None) -> None:
    assert require_shown_name(name) == name


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"op": b"short"}, InvalidId, None),
        ({"kind": AccountKind.BORDER}, Malformed, "kind"),
        ({"number": "AAAAAAA"}, Malformed, "number"),
        ({"number": "AAAAAAAAA"}, Malformed, "number"),
        ({"number": b"AAAAAAAA"}, Malformed, "number"),
    ],
)
def test_a_malformed_opening_never_reaches_the_book(
    change: dict[str, Any], error: type[Refusal], field: str | None
) -> None:
    content: dict[str, Any] = {"op": b"o" * 16, "number": "AAAAAAAA", "kind": AccountKind.PERSON}
    OpenAccount(**content)
    with pytest.raises(error) as refusal:
        OpenAccount(**{**content, **change})
    assert refusal.value.facts.get("field") == field
