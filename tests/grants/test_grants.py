"""The accounts do what the companies' base signed: once, to the cent, from its own pools, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import text

from node.deposits.service import DepositDesk
from node.grants.checks import check_grants
from node.grants.pools import derive_number, is_pool_of
from node.grants.service import GrantDesk
from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.lots import LotClass
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import find_account
from node.ledger.service import Ledger
from node.partners import letters
from protocol.amounts import Cents
from protocol.book import log_store
from protocol.book.worker import Page
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import (
    BaseName,
    Deposit,
    Granted,
    Grants,
    HouseMessage,
    OpenPool,
    PoolOpened,
    Refused,
    TakeBack,
    TakenBack,
    house_of,
    make_neighbours,
)
from protocol.identifiers import AccountNumber, Id16, make_account_number
from protocol.keys import Keyring, make_keys
from tests.ledger.world import HOME, World

ACCOUNTS, FUND, PARTNERS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PARTNERS)


class Accounts:
    """An accounts base; what the companies' base signs is put into its log, as the exchange would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledger = Ledger(world.book, HOME)
        self.desk = GrantDesk(self.ledger)
        self.deposits = DepositDesk(self.ledger, entropy=lambda count: world.id()[:count])
        keys = make_keys(bytes(64))
        # Two sides of one log on one book: the leaves are where the exchange would put them.
        self.log = PeerExchange(
            world.book,
            Identity(house_of(HOME), PARTNERS, Keyring(keys)),
            make_neighbours({}),
            lambda _page, _sender, _messages: [],
        )
        self.answering = PeerExchange(
            world.book,
            Identity(house_of(HOME), ACCOUNTS, Keyring(keys)),
            make_neighbours({}),
            lambda _page, _sender, _messages: [],
        )

    def hear(self, *messages: HouseMessage, sender: str = PARTNERS) -> list[HouseMessage]:
        """Take one slip and answer it, in one page."""

        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[list[HouseMessage]]:
            answers = []
            for item in items:
                if sender == PARTNERS:
                    self.log.tell(page, ACCOUNTS, item)
                told = self.desk.apply(page, sender, item)
                if told and sender == PARTNERS:
                    self.answering.tell(page, PARTNERS, told)
                answers.append(told)
            return answers

        answers: list[HouseMessage] = self.world.book.write_now(write, messages)
        return answers

    def open_pool(self, cents: int = 10_000) -> AccountNumber:
        [opened] = self.hear(OpenPool(self.world.id(), "Pain et miles"))
        assert isinstance(opened, PoolOpened)
        if cents:
            self.fill(opened.number, cents)
        return AccountNumber(opened.number)

    def fill(self, pool: str, cents: int) -> None:
        deposit = Deposit(
            id=self.world.id(),
            donor=b"a donor, opaque.",
            campaign="bread",
            month=202611,
            lot_class=int(LotClass.ELIGIBLE),
            restriction="",
            into=pool,
            cents=cents,
        )
        self.world.book.write_now(lambda page, items: [self.deposits.apply(page, FUND, items)], deposit)

    def grants(self, pool: str, *lines: tuple[bytes, str, int], words: str = "Pain") -> Grants:
        ids, accounts, cents = zip(*lines, strict=True)
        return Grants(pool, ids, accounts, cents, tuple(words for _ in lines))

    def find_wrongs(self) -> list[Finding]:
        checked = self.world.book.read_now(check_grants)
        return [finding for one in checked for finding in one.findings]


@pytest.fixture
def accounts(book_url: str) -> Iterator[Accounts]:
    world = World(book_url)
    made = Accounts(world)
    yield made
    wrongs: list[object] = [*made.find_wrongs(), *world.findings()]
    world.close()
    assert wrongs == []


def test_a_pool_has_the_number_that_its_id_says_and_the_same_id_has_the_same_pool(accounts: Accounts) -> None:
    id_ = accounts.world.id()
    [first] = accounts.hear(OpenPool(id_, "Pain et miles"))
    [again] = accounts.hear(OpenPool(id_, "Pain et miles"))
    assert first == again == PoolOpened(id_, derive_number(id_, 0))
    found = accounts.world.book.read_now(lambda line: find_account(line, derive_number(id_, 0)))
    assert found is not None
    assert (found.kind, found.shown_name) == (AccountKind.POOL, "Pain et miles")


def test_a_number_that_somebody_has_is_offered_again_as_another(accounts: Accounts) -> None:
    id_ = accounts.world.id()
    taken = OpenAccount(op=accounts.world.id(), number=derive_number(id_, 0), kind=AccountKind.PERSON)
    accounts.ledger.write_now(accounts.ledger.open_accounts, taken)
    assert accounts.hear(OpenPool(id_, "Pain")) == [PoolOpened(id_, derive_number(id_, 1))]


def test_a_pool_that_cannot_be_is_refused_by_its_reason(accounts: Accounts) -> None:
    id_ = accounts.world.id()
    assert accounts.hear(OpenPool(id_, "a\nb")) == [Refused(id_, "invalid_text")]
    by_hand = OpenAccount(op=id_, number=make_account_number(b"n" * 16), kind=AccountKind.POOL)
    accounts.ledger.write_now(accounts.ledger.open_accounts, by_hand)
    assert accounts.hear(OpenPool(id_, "Pain")) == [Refused(id_, "id_mismatch")]


def test_a_column_is_credited_and_each_line_that_cannot_be_is_refused_alone(accounts: Accounts) -> None:
    pool = accounts.open_pool(100)
    alice, bob = accounts.world.open(), accounts.world.open()
    accounts.ledger.write_now(accounts.ledger.change_states, ChangeState(account=bob, event=AccountEvent.FREEZE))
    good, nobody, frozen, much, itself, last = (accounts.world.id() for _ in range(6))
    answers = accounts.hear(
        accounts.grants(
            pool,
            (good, alice, 30),
            (nobody, "ZZZZZZZZ", 1),
            (frozen, bob, 1),
            (much, alice, 71),
            (itself, pool, 1),
            (last, alice, 70),
        )
    )
    assert answers[0] == Granted((good, last))
    assert {(one.id, one.code) for one in answers if isinstance(one, Refused)} == {
        (nobody, "account_unknown"),
        (frozen, "account_frozen"),
        (much, "insufficient_rights"),
        (itself, "malformed"),
    }
    assert accounts.world.balance(alice) == 100


def test_whole_columns_are_answered_by_one_message(accounts: Accounts) -> None:
    pool = accounts.open_pool()
    people = [accounts.world.open() for _ in range(3)]
    ids = [accounts.world.id() for _ in range(3)]
    grants = accounts.grants(pool, *((id_, one, 5) for id_, one in zip(ids, people, strict=True)))
    assert accounts.hear(grants) == [Granted(tuple(ids))]
    assert accounts.hear(grants) == [Granted(tuple(ids))], "told again, it is answered as before"
    assert [accounts.world.balance(one) for one in people] == [5, 5, 5]


def test_another_content_under_a_known_id_is_refused(accounts: Accounts) -> None:
    pool = accounts.open_pool()
    alice = accounts.world.open()
    id_ = accounts.world.id()
    accounts.hear(accounts.grants(pool, (id_, alice, 5)))
    assert accounts.hear(accounts.grants(pool, (id_, alice, 6))) == [Refused(id_, "id_mismatch")]
    assert accounts.world.balance(alice) == 5


def test_words_that_are_no_text_refuse_their_line_only(accounts: Accounts) -> None:
    pool = accounts.open_pool()
    alice = accounts.world.open()
    bad, good = accounts.world.id(), accounts.world.id()
    grants = Grants(pool, (bad, good), (alice, alice), (5, 6), ("a\x00b", "Pain"))
    assert accounts.hear(grants) == [Granted((good,)), Refused(bad, "invalid_text")]


def test_a_refund_takes_back_what_is_still_there(accounts: Accounts) -> None:
    pool = accounts.open_pool()
    alice, project = accounts.world.open(), accounts.world.open(AccountKind.PROJECT)
    grant, first, second, third = (accounts.world.id() for _ in range(4))
    accounts.hear(accounts.grants(pool, (grant, alice, 50)))
    accounts.ledger.write_now(
        accounts.ledger.post,
        Posting(op=accounts.world.id(), kind=PostingKind.ORIENTATION, debit=alice, credit=project, cents=Cents(20)),
    )
    assert accounts.hear(TakeBack(first, grant, 10)) == [TakenBack(first, 10)]
    assert accounts.hear(TakeBack(second, grant, 40)) == [TakenBack(second, 20)]
    assert accounts.hear(TakeBack(third, grant, 1)) == [TakenBack(third, 0)]
    assert accounts.hear(TakeBack(second, grant, 40)) == [TakenBack(second, 20)], "told again, answered as before"
    assert accounts.world.balance(alice) == 0
    assert accounts.world.balance(pool) == 10_000 - 20


def test_what_was_granted_in_the_same_slip_can_be_taken_back_in_it(accounts: Accounts) -> None:
    pool = accounts.open_pool()
    alice = accounts.world.open()
    grant, back, unknown = (accounts.world.id() for _ in range(3))
    answers = accounts.hear(
        accounts.grants(pool, (grant, alice, 50)), TakeBack(back, grant, 50), TakeBack(unknown, bytes(15) + b"x", 5)
    )
    assert answers == [Granted((grant,)), TakenBack(back, 50), Refused(unknown, "posting_unknown")]


def test_only_pools_of_the_companies_are_drawn_from_and_only_their_grants_taken_back(accounts: Accounts) -> None:
    """A pool that the municipality opened, and what it gave, are none of the companies' business."""
    other = accounts.world.open(AccountKind.POOL)
    accounts.fill(other, 500)
    alice = accounts.world.open()
    theirs, given, back = (accounts.world.id() for _ in range(3))
    accounts.world.post(other, alice, 40, op=given)
    assert accounts.hear(accounts.grants(other, (theirs, alice, 5))) == [Refused(theirs, "account_unknown")]
    assert accounts.hear(TakeBack(back, given, 5)) == [Refused(back, "posting_unknown")]
    assert accounts.world.balance(alice) == 40


def test_what_another_pool_gave_in_the_same_page_is_not_taken_back_either(accounts: Accounts) -> None:
    """Nothing of that credit is in SQL yet when the question comes."""
    other = accounts.world.open(AccountKind.POOL)
    accounts.fill(other, 500)
    alice = accounts.world.open()
    given, back = accounts.world.id(), accounts.world.id()

    def write(page: Page) -> list[HouseMessage]:
        accounts.ledger.post(page, [accounts.world.posting(other, alice, 40, op=given)])
        return accounts.desk.apply(page, PARTNERS, [TakeBack(back, given, 5)])

    assert accounts.world.run_in_page(write) == [Refused(back, "posting_unknown")]
    assert accounts.world.balance(alice) == 40


@pytest.mark.parametrize("sender", [FUND, ACCOUNTS, "242900314"])
def test_nobody_else_opens_grants_or_takes_back(accounts: Accounts, sender: str) -> None:
    pool = accounts.open_pool()
    alice = accounts.world.open()
    opening, grant, back = (accounts.world.id() for _ in range(3))
    answers = accounts.hear(
        OpenPool(opening, "Pain"), accounts.grants(pool, (grant, alice, 5)), TakeBack(back, grant, 5), sender=sender
    )
    assert answers == [Refused(id_, "not_the_partners") for id_ in (opening, grant, back)]
    assert accounts.world.balance(alice) == 0


def test_what_the_accounts_say_themselves_is_passed_over(accounts: Accounts) -> None:
    assert accounts.hear(Granted((accounts.world.id(),)), TakenBack(accounts.world.id(), 1)) == []


def test_an_id_of_zeros_is_refused_and_raises_nothing(accounts: Accounts) -> None:
    pool = accounts.open_pool()
    zeros = bytes(16)
    answers = accounts.hear(
        OpenPool(zeros, "Pain"), accounts.grants(pool, (zeros, accounts.world.open(), 5)), TakeBack(zeros, zeros, 5)
    )
    assert [(type(one), one.code) for one in answers if isinstance(one, Refused)] == [(Refused, "invalid_id")] * 3


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE transfers SET cents = cents + 1 WHERE kind = 'credit'", "log PARTNERS to ACCOUNTS, leaf 1"),
        ("UPDATE transfers SET cents = cents - 1 WHERE kind = 'reversal'", "log PARTNERS to ACCOUNTS, leaf 2"),
        ("UPDATE transfers SET op = :other WHERE kind = 'credit'", "operation 6f74686572206f7065726174696f6e21"),
        ("UPDATE transfers SET op = :other WHERE kind = 'reversal'", "operation 6f74686572206f7065726174696f6e21"),
    ],
)
def test_what_was_changed_by_hand_is_found_and_named(book_url: str, statement: str, place: str) -> None:
    world = World(book_url)
    accounts = Accounts(world)
    pool = accounts.open_pool()
    grant, back = world.id(), world.id()
    accounts.hear(accounts.grants(pool, (grant, world.open(), 50)))
    accounts.hear(TakeBack(back, grant, 20))
    assert accounts.find_wrongs() == []

    def tamper(page: Page, items: Sequence[str]) -> Sequence[str]:
        values = {"other": b"other operation!"} if ":other" in statement else {}
        for item in items:
            page.connection.execute(text(item), values)
        return items

    world.book.write_now(tamper, statement)
    assert place in [finding.place for finding in accounts.find_wrongs()]
    world.close()


def test_a_credit_by_hand_from_a_pool_of_theirs_is_found(book_url: str) -> None:
    world = World(book_url)
    accounts = Accounts(world)
    pool = accounts.open_pool()
    op = world.id()
    world.post(pool, world.open(), 7, op=op)
    assert [finding.place for finding in accounts.find_wrongs()] == [f"operation {op.hex()}"]
    world.close()


def test_a_derived_number_is_known_by_its_id_and_by_no_other() -> None:
    first, second = Id16(b"a" * 16), Id16(b"b" * 16)
    assert all(is_pool_of(first, derive_number(first, offer)) for offer in range(8))
    assert not is_pool_of(second, derive_number(first, 0))


def test_the_flags_of_a_lot_are_those_of_the_ledger() -> None:
    """The companies' base may not import the ledger: the two are held together here."""
    assert (letters.ELIGIBLE, letters.SOUTH_FIT, letters.RESTRICTED) == (
        LotClass.ELIGIBLE,
        LotClass.SOUTH_FIT,
        LotClass.RESTRICTED,
    )


def test_the_logs_hold_what_was_said(accounts: Accounts) -> None:
    accounts.open_pool()
    sizes = accounts.world.book.read_now(
        lambda line: [
            log_store.open_log_or_empty(line, *pair).size for pair in ((PARTNERS, ACCOUNTS), (ACCOUNTS, PARTNERS))
        ]
    )
    assert sizes == [1, 1]
