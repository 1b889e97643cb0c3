"""A lot is issued by what the fund signed: once, to the cent, whatever the line does, and by nobody else."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, func, select, text

from node.deposits.checks import check_deposits
from node.deposits.service import DepositDesk, reason_of
from node.ledger.accounts import AccountKind
from node.ledger.checks import check_ledger
from node.ledger.lots import LotClass
from node.ledger.openings import OpenAccount
from node.ledger.reading_service import load_balance, load_totals
from node.ledger.service import Ledger, ledger_history
from node.ledger.tables import endowments
from protocol.book import log_store
from protocol.book.checks import check_logs
from protocol.book.service import Book, Page
from protocol.book.tables import evidence
from protocol.errors import BadEnvelope
from protocol.exchange.client import HubUnreachable
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import BaseName, Deposit, DepositTaken, HouseMessage, Refused, house_of, make_neighbours
from protocol.identifiers import AccountNumber, Id16, TerritoryCode, make_account_number
from protocol.keys import Keyring, make_keys
from protocol.times import Instant

BREST = TerritoryCode("242900314")
FUND, ACCOUNTS = str(BaseName.FUND), str(BaseName.ACCOUNTS)
DONOR = b"a donor, opaque."


@dataclass
class Line:
    """Carries an envelope to the other base and its answer back; `drops` says which of them get lost."""

    answerer: PeerExchange
    drops: Callable[[str], bool] = lambda _what: False
    carried: list[bytes] = field(default_factory=list)

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.carried.append(envelope)
        if self.drops("question"):
            raise HubUnreachable(reason="the question was lost")
        answer = await self.answerer.answer(envelope)
        if self.drops("answer"):
            raise HubUnreachable(reason="the answer was lost")
        return answer


class House:
    """The two bases of one territory, on books of their own."""

    def __init__(self, url_of: Callable[[str], str]) -> None:
        self.dice = random.Random(1)
        self._now = 1_795_000_000_000
        keys = {name: make_keys(self.entropy(64)) for name in (FUND, ACCOUNTS)}
        neighbours = make_neighbours({name: [secret.public] for name, secret in keys.items()})
        self.neighbours = neighbours
        self.answers: list[HouseMessage] = []
        self.books = {name: Book(url_of(name), history=ledger_history(), clock=self.clock) for name in keys}
        self.ledger = Ledger(self.books[ACCOUNTS], BREST)
        desk = DepositDesk(self.ledger, entropy=self.entropy)
        network = house_of(BREST)
        self.accounts = PeerExchange(
            self.books[ACCOUNTS], Identity(network, ACCOUNTS, Keyring(keys[ACCOUNTS])), neighbours, desk.apply
        )
        self.fund = PeerExchange(self.books[FUND], Identity(network, FUND, Keyring(keys[FUND])), neighbours, self._hear)
        opening = OpenAccount(
            op=Id16(self.entropy(16)),
            number=make_account_number(self.entropy(16)),
            kind=AccountKind.POOL,
            shown_name=None,
        )
        self.pool = self.ledger.write_now(self.ledger.open_accounts, opening).number

    def clock(self) -> Instant:
        self._now += 1
        return Instant(self._now)

    def entropy(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def _hear(self, _page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        assert sender == ACCOUNTS
        self.answers += messages
        return []

    def deposit(self, cents: int, *, id_: bytes = b"", campaign: str = "bread", into: str = "") -> Deposit:
        return Deposit(
            id=id_ or self.entropy(16),
            donor=DONOR,
            campaign=campaign,
            month=202611,
            lot_class=int(LotClass.ELIGIBLE),
            restriction="",
            into=into or self.pool,
            cents=cents,
        )

    def tell(self, teller: PeerExchange, reader: str, *messages: HouseMessage) -> None:
        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[int]:
            return [teller.tell(page, reader, item) for item in items]

        teller.book.write_now(write, messages)

    def balance(self) -> int:
        return self.books[ACCOUNTS].read_now(lambda line: int(load_balance(line, AccountNumber(self.pool)).cents))

    def issued(self) -> int:
        return self.books[ACCOUNTS].read_now(lambda line: int(load_totals(line, BREST).issued))

    def find_wrongs(self) -> list[object]:
        def look(connection: Connection) -> list[object]:
            checked = check_logs(connection, self.neighbours, lambda _where: None)
            return [finding for one in checked for finding in one.findings]

        wrongs = [wrong for book in self.books.values() for wrong in book.read_now(look)]
        ledger = self.books[ACCOUNTS].read_now(lambda line: check_ledger(line, home=BREST))
        wrongs += [finding for one in ledger for finding in one.findings]
        return [*wrongs, *self.find_unequal()]

    def find_unequal(self) -> list[Finding]:
        checked = self.books[ACCOUNTS].read_now(check_deposits)
        return [finding for one in checked for finding in one.findings]

    def close(self) -> None:
        for book in self.books.values():
            book.close()


@pytest.fixture
def house(request: pytest.FixtureRequest, book_url: str) -> Iterator[House]:
    """The fund on SQLite or PostgreSQL as the test says, the accounts on the same kind."""
    urls = {ACCOUNTS: book_url}
    if book_url.startswith("sqlite"):
        urls[FUND] = book_url.replace("book.db", "fund.db")
    else:
        urls[FUND] = request.getfixturevalue("postgres_url")()
    made = House(urls.__getitem__)
    yield made
    wrongs = made.find_wrongs()
    made.close()
    assert wrongs == []


async def test_what_the_fund_signed_is_issued_and_the_fund_is_told_the_lot(house: House) -> None:
    first, second = house.deposit(1_000), house.deposit(234)
    house.tell(house.fund, ACCOUNTS, first, second)
    await house.fund.call(ACCOUNTS, Line(house.accounts))
    assert house.balance() == house.issued() == 1_234
    assert [type(answer) for answer in house.answers] == [DepositTaken, DepositTaken]
    assert [answer.id for answer in house.answers] == [first.id, second.id]
    assert len({answer.ref for answer in house.answers if isinstance(answer, DepositTaken)}) == 1, "one lot, which grew"
    kept = house.books[ACCOUNTS].read_now(lambda line: line.execute(select(endowments.c.reason)).scalars().all())
    assert kept == [reason_of(first), reason_of(second)]


async def test_it_is_the_same_whoever_calls(house: House) -> None:
    house.tell(house.fund, ACCOUNTS, house.deposit(50))
    await house.accounts.call(FUND, Line(house.fund))
    assert house.balance() == 50
    assert [type(answer) for answer in house.answers] == [DepositTaken]


async def test_what_cannot_be_issued_is_refused_by_its_reason_and_harms_no_other(house: House) -> None:
    nowhere = house.deposit(10, into=make_account_number(house.entropy(16)))
    bent = house.deposit(10, campaign="a\nb")
    good = house.deposit(10)
    house.tell(house.fund, ACCOUNTS, nowhere, bent, good)
    await house.fund.call(ACCOUNTS, Line(house.accounts))
    assert house.balance() == 10
    told = {answer.id: answer for answer in house.answers}
    assert told[nowhere.id] == Refused(nowhere.id, "account_unknown")
    assert told[bent.id] == Refused(bent.id, "invalid_text")
    assert isinstance(told[good.id], DepositTaken)


async def test_one_deposit_told_twice_is_issued_once_and_another_under_its_id_is_refused(house: House) -> None:
    deposit = house.deposit(100)
    house.tell(house.fund, ACCOUNTS, deposit)
    house.tell(house.fund, ACCOUNTS, deposit)
    house.tell(house.fund, ACCOUNTS, house.deposit(999, id_=deposit.id))
    await house.fund.call(ACCOUNTS, Line(house.accounts))
    assert house.balance() == house.issued() == 100
    assert house.answers[2] == Refused(deposit.id, "id_mismatch")


async def test_whatever_the_line_loses_each_deposit_is_issued_once(house: House) -> None:
    total = 0
    for number in range(40):
        cents = house.dice.randint(1, 10_000)
        total += cents
        house.tell(house.fund, ACCOUNTS, house.deposit(cents, campaign=f"c{number % 3}"))
        line = Line(house.accounts, drops=lambda _what: house.dice.random() < 0.5)
        with contextlib.suppress(HubUnreachable):
            await house.fund.call(ACCOUNTS, line)
        for envelope in line.carried:  # and what was carried comes once more
            await house.accounts.answer(envelope)
    await house.fund.call(ACCOUNTS, Line(house.accounts))
    assert house.balance() == house.issued() == total
    assert len(house.answers) == 40
    counting = select(func.count()).select_from(endowments)
    assert house.books[ACCOUNTS].read_now(lambda line: line.execute(counting).scalar_one()) == 40
    assert not house.books[FUND].read_now(lambda line: log_store.count_unacked(line, FUND, ACCOUNTS))


async def test_nobody_but_the_fund_has_anything_issued(house: House) -> None:
    """A Deposit in the log of another base, and an envelope signed by keys that the house does not know."""
    house.tell(house.accounts, FUND, DepositTaken(house.entropy(16), house.entropy(16)))
    stranger = PeerExchange(
        house.books[FUND],
        Identity(house_of(BREST), FUND, Keyring(make_keys(house.entropy(64)))),
        house.neighbours,
        lambda _page, _sender, _messages: [],
    )
    house.tell(house.fund, ACCOUNTS, house.deposit(7))
    with pytest.raises(BadEnvelope, match="unknown_key"):
        await stranger.call(ACCOUNTS, Line(house.accounts))
    assert house.issued() == 0
    desk = DepositDesk(house.ledger, entropy=house.entropy)
    deposit = house.deposit(5)

    def apply(page: Page, items: Sequence[Deposit]) -> list[HouseMessage]:
        return desk.apply(page, "PARTNERS", items)

    assert house.books[ACCOUNTS].write_now(apply, deposit) == Refused(deposit.id, "not_the_fund")
    assert house.issued() == 0
    await house.fund.call(ACCOUNTS, Line(house.accounts))
    assert house.issued() == 7


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE transfers SET cents = cents + 1 WHERE kind = 'endowment'", "log THE-FUND to ACCOUNTS, leaf 0"),
        ("DELETE FROM transfers WHERE kind = 'endowment'", "log THE-FUND to ACCOUNTS, leaf 0"),
        ("UPDATE endowments SET op = :other", "endowment 6f74686572206f7065726174696f6e21"),
    ],
)
async def test_what_was_issued_by_hand_is_found_and_named(house: House, statement: str, place: str) -> None:
    house.tell(house.fund, ACCOUNTS, house.deposit(40), house.deposit(2, into=make_account_number(b"n" * 16)))
    await house.fund.call(ACCOUNTS, Line(house.accounts))
    assert house.find_unequal() == []

    def tamper(page: Page, items: Sequence[str]) -> Sequence[str]:
        if page.connection.dialect.name == "sqlite":
            page.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        else:
            page.connection.exec_driver_sql("SET session_replication_role = replica")
        for item in items:
            values = {"other": b"other operation!"} if ":other" in item else {}
            page.connection.execute(text(item), values)
        return items

    if "DELETE" in statement:  # its rows are held by foreign keys: whoever cuts them out switches those off
        house.books[ACCOUNTS].write_now(tamper, "DELETE FROM endowments")
    house.books[ACCOUNTS].write_now(tamper, statement)
    assert place in [finding.place for finding in house.find_unequal()]
    house.find_wrongs = list  # type: ignore[method-assign] - it is wrong, by design


async def test_a_fund_that_tells_two_histories_is_convicted(house: House) -> None:
    house.tell(house.fund, ACCOUNTS, house.deposit(7))
    await house.fund.call(ACCOUNTS, Line(house.accounts))

    def rewrite(page: Page, items: Sequence[None]) -> Sequence[None]:
        log = log_store.open_log(page.connection, FUND, ACCOUNTS)
        log_store.cut_back(page.connection, log, 0, log.epoch)
        house.fund.tell(page, ACCOUNTS, [house.deposit(9_999)])
        return items

    house.books[FUND].write_now(rewrite, None)
    with pytest.raises(BadEnvelope, match="fork"):
        await house.fund.call(ACCOUNTS, Line(house.accounts))
    kept = house.books[ACCOUNTS].read_now(lambda line: line.execute(select(evidence.c.accused)).scalars().all())
    assert kept == [FUND]
    assert house.issued() == 7
    house.find_wrongs = list  # type: ignore[method-assign] - what was written by hand is found, by design
