"""What is paid and received between funds at the end of windows: proposed for two signatures, known again when it comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from node.fund.books_service import Books
from node.fund.card_service import find_settlement_account
from node.fund.days import number_of
from node.fund.due_payment_service import DEAD
from node.fund.dues import bearer_id
from node.fund.fund_errors import FundUnknown
from node.fund.matching import Expected
from node.fund.netting import net_payment_id, read_subject, write_subject
from node.fund.netting_store import load_unreceived
from node.fund.outgoing_payments import WORDS_VERSION, NetWords
from node.fund.references import Iban
from node.fund.seal_store import change
from node.fund.statements import Movement
from node.fund.tables import bearers, net_payments, net_receipts, payments
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch
from protocol.house import BaseName, HouseMessage, NetPaid
from protocol.identifiers import Id16
from protocol.messages import SettledState

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
FOREVER: Final = 99991231
CATEGORY: Final = "fonds de dotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLine:
    """One payment at the end of a window, as it stands. `payment` is its id where it is ours and proposed or known."""

    window: int
    other: str
    is_ours: bool
    cents: int
    received: int
    state: str
    said: int
    said_on: int
    payment: bytes


class NetPaymentDesk:
    """Only the book's writer thread runs its operations."""

    def __init__(self, *, home: str, fund: str, books: Books, tell: Tell) -> None:
        self._home = home
        self._fund = fund
        self._books = books
        self._tell = tell

    def load_expected(self, connection: Connection, movement: Movement, now: int) -> list[Expected]:
        """Return what other funds are to pay us, those whose account a movement comes from."""
        found = []
        for row in load_unreceived(connection):
            account = find_settlement_account(connection, row.other, now)
            if account is not None and account.iban == movement.counterpart_iban:
                subject = write_subject(row.window_no, row.other)
                found.append(
                    Expected(id=subject, cents=Cents(row.cents), received=Cents(row.received), iban=Iban(account.iban))
                )
        return found

    def receive(self, page: Page, movement: Movement, subject: str, cents: int, *, was_waiting: bool) -> int:
        """Take what another fund paid us of a window; return the cents that were still missing, at most those that came.

        Raises FundUnknown.
        """
        connection, named = page.connection, read_subject(subject)
        row = None if named is None else _find(connection, *named)
        if row is None or row.is_ours or named is None:
            raise FundUnknown(path=f"payment of a window {subject[:40]}")
        taken = min(cents, int(row.cents - row.received))
        if taken <= 0:
            return 0
        window, other = named
        connection.execute(
            insert(net_receipts).values(movement=movement.id, window_no=window, other=other, cents=taken)
        )
        change(
            connection,
            update(net_payments)
            .where(net_payments.c.window_no == window, net_payments.c.other == other)
            .values(received=row.received + taken),
        )
        self._books.receive_net(page, movement, other, Cents(taken), was_waiting=was_waiting)
        if row.received + taken == row.cents:
            assert movement.booked_on is not None
            told = NetPaid(window, other, SettledState.CONFIRMED, number_of(movement.booked_on))
            self._tell(page, BaseName.ACCOUNTS, [told])
        return taken

    def keep_payee(self, page: Page, words: NetWords) -> None:
        """Keep the other fund as a body that is paid. Raises FundUnknown, IdMismatch where these are not the words."""
        connection = page.connection
        wanted = self.find_words(connection, words.id, page.now)
        if wanted != words:
            raise IdMismatch(id=words.id.hex(), field="words")
        known = connection.execute(select(bearers.c.id).where(bearers.c.id == words.bearer)).first()
        account = find_settlement_account(connection, words.paid_fund, page.now)
        if known is None and account is not None:
            connection.execute(
                insert(bearers).values(
                    id=words.bearer,
                    name=account.name,
                    registry=account.siren,
                    category=CATEGORY,
                    proof=f"carte {account.number} de {account.territory}",
                    proven_until=FOREVER,
                    seat="",
                    mail="",
                    phone="",
                    holder_name=account.name,
                    iban=account.iban,
                    at=page.now,
                )
            )

    def find_words(self, connection: Connection, id_: bytes, now: int) -> NetWords:
        """Return the words of a payment that may be signed now. Raises FundUnknown."""
        found = next((words for words in self.load_proposals(connection, now) if words.id == id_), None)
        if found is None:
            raise FundUnknown(path=f"payment of a window {id_.hex()}")
        return found

    def load_proposals(self, connection: Connection, now: int) -> list[NetWords]:
        """Return what two officers may sign now: one payment for each fund that a window lets us pay.

        Where its account is not known, or is another than the one we paid before, nothing is proposed: see `load_lines`.
        """
        found = []
        for line in load_lines(connection, self._home, now):
            if line.state != "to sign":
                continue
            account = find_settlement_account(connection, line.other, now)
            assert account is not None, "a line is to be signed where its account is known"
            found.append(
                NetWords(
                    version=WORDS_VERSION,
                    fund=self._fund,
                    id=line.payment,
                    bearer=bearer_id(account.siren),
                    holder_name=account.name,
                    iban=account.iban,
                    cents=line.cents,
                    text=f"CITIZEN-MILES WINDOW {line.window} {self._home}",
                    decision=f"window {line.window}, {line.other}",
                    window=line.window,
                    paid_fund=line.other,
                )
            )
        return found


def load_lines(connection: Connection, home: str, now: int) -> list[NetLine]:
    """Return each payment at the end of a window: 'to sign', 'account' (its account waits), a payment's state, or 'open'.

    `home` is our own territory.
    """
    sent: Mapping[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(
        select(payments).where(payments.c.window_no.is_not(None)).order_by(payments.c.number)
    ):
        sent[row.window_no, row.paid_fund].append(row)
    lines = []
    for row in connection.execute(select(net_payments).order_by(net_payments.c.window_no, net_payments.c.other)):
        tried = sent[row.window_no, row.other]
        live = next((one for one in tried if one.state not in DEAD), None)
        id_ = net_payment_id(row.window_no, home, row.other, len(tried)) if live is None else Id16(bytes(live.id))
        if not row.is_ours:
            state = "received" if row.received == row.cents else "open"
        elif live is not None:
            state = str(live.state)
        else:
            state = "to sign" if _is_payable(connection, row.other, now) else "account"
        lines.append(
            NetLine(
                window=row.window_no,
                other=row.other,
                is_ours=row.is_ours,
                cents=row.cents,
                received=row.received,
                state=state,
                said=row.said,
                said_on=row.said_on,
                payment=id_ if row.is_ours else b"",
            )
        )
    return lines


def _is_payable(connection: Connection, other: str, now: int) -> bool:
    """Tell whether another fund's account is known, and is the one that we pay: another one is changed by two officers."""
    account = find_settlement_account(connection, other, now)
    if account is None:
        return False
    known = connection.execute(select(bearers).where(bearers.c.id == bearer_id(account.siren))).first()
    return known is None or (known.iban, known.holder_name) == (account.iban, account.name)


def _find(connection: Connection, window: int, other: str) -> Any:
    return connection.execute(
        select(net_payments).where(net_payments.c.window_no == window, net_payments.c.other == other)
    ).first()
