"""Netting between our fund and others: agreements signed by two, dues that we net, windows, what is paid and received.

agreed (both say so) ── a due of ours for a project there is covered ──▶ netted ── window closed ──▶ paid, as the rest of it
a due of theirs for a project here ── OrderNetted ──▶ a due of ours, payable once all that comes of its window is here
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.books_service import Books
from node.fund.card_service import find_settlement_account
from node.fund.days import day_of, number_of
from node.fund.due_payment_service import DEAD, Wait, load_open_parts
from node.fund.due_service import DueDesk
from node.fund.dues import DueState, bearer_id
from node.fund.fund_errors import FundUnknown, NettingRefused
from node.fund.matching import Expected
from node.fund.netting import net_payment_id, read_subject, read_window, write_subject
from node.fund.outgoing_payments import SIGNERS, WORDS_VERSION, NettingWords, NetWords
from node.fund.references import Iban
from node.fund.seal_store import change
from node.fund.statements import Movement
from node.fund.tables import (
    bearers,
    dues,
    net_payments,
    net_receipts,
    netting_heard,
    netting_signatures,
    netting_words,
    payments,
    windows,
)
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.canonical import encode_typed
from protocol.errors import IdMismatch, Refusal
from protocol.house import BaseName, DueSettled, HouseMessage, NetPaid, NetState, NettedDue, NettingTold, WindowTold
from protocol.house import DueState as Settlement
from protocol.identifiers import Id16, require_territory

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
FOREVER: Final = 99991231
CATEGORY: Final = "fonds de dotation"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What two funds say of netting; `holds` where both want it. `since` is the later of both days, or None."""

    territory: str
    ours: bool | None
    theirs: bool | None
    since: int | None

    @property
    def holds(self) -> bool:
        return bool(self.ours and self.theirs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNetting:
    """An officer's signature over words of netting."""

    words: NettingWords
    officer: bytes
    signature: bytes


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


class NettingDesk:
    """Only the book's writer thread runs its operations."""

    def __init__(
        self,
        *,
        home: str,
        fund: str,
        books: Books,
        dues: DueDesk,
        tell: Tell,
        require_officer: Callable[[Connection, Any, str], str],
    ) -> None:
        self._home = home
        self._fund = fund
        self._books = books
        self._dues = dues
        self._tell = tell
        self._require_officer = require_officer

    # Agreements

    def make_words(self, id_: Id16, territory: str, *, is_netted: bool, today: datetime.date) -> NettingWords:
        """Return what two officers are to sign. Raises InvalidId, NettingRefused."""
        if require_territory(territory) == self._home:
            raise NettingRefused(reason="our own territory")
        return NettingWords(WORDS_VERSION, self._fund, id_, territory, is_netted, number_of(today))

    def sign(self, page: Page, items: Sequence[SignedNetting]) -> list[str | Refusal]:
        """Take officers' signatures: with the second the other fund is told. Return what it waits for, or 'said'."""
        results: list[str | Refusal] = []
        for signed in items:
            try:
                results.append(self._sign_one(page, signed))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _sign_one(self, page: Page, signed: SignedNetting) -> str:
        words, connection = signed.words, page.connection
        self._require_officer(connection, signed, self._fund)
        if require_territory(words.territory) == self._home:
            raise NettingRefused(reason="our own territory")
        day_of(words.since)
        row = connection.execute(select(netting_words).where(netting_words.c.id == words.id)).first()
        if row is None:
            number = int(connection.execute(select(func.coalesce(func.max(netting_words.c.number), 0))).scalar_one())
            connection.execute(
                insert(netting_words).values(
                    number=number + 1,
                    id=words.id,
                    territory=words.territory,
                    is_netted=words.is_netted,
                    since=words.since,
                    at=page.now,
                    said_at=None,
                )
            )
        elif (row.territory, row.is_netted, row.since) != (words.territory, words.is_netted, words.since):
            raise IdMismatch(id=words.id.hex(), field="words")
        by = set(
            connection.execute(
                select(netting_signatures.c.officer).where(netting_signatures.c.words == words.id)
            ).scalars()
        )
        if row is not None and row.said_at is not None:
            return "said"
        if signed.officer not in by:
            connection.execute(
                insert(netting_signatures).values(
                    words=words.id, officer=signed.officer, signature=signed.signature, at=page.now
                )
            )
            by.add(signed.officer)
        if len(by) < SIGNERS:
            return "a second officer"
        change(connection, update(netting_words).where(netting_words.c.id == words.id).values(said_at=page.now))
        self._tell(page, BaseName.ACCOUNTS, [NettingTold(words.territory, words.is_netted, words.since)])
        return "said"

    # What the accounts tell

    def hear(self, page: Page, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Keep what other funds say, take what they netted, and close windows; return what is to be answered."""
        answers: list[HouseMessage] = []
        for message in messages:
            match message:
                case NettingTold():
                    self._hear_word(page, message)
                case NettedDue():
                    answers += self._dues.take_netted(page, message)
                case WindowTold():
                    self._take_window(page, message)
                case NetPaid():
                    self._hear_paid(page, message)
                case _:
                    continue
        return answers

    def _hear_word(self, page: Page, told: NettingTold) -> None:
        number = int(page.connection.execute(select(func.coalesce(func.max(netting_heard.c.number), 0))).scalar_one())
        page.connection.execute(
            insert(netting_heard).values(
                number=number + 1,
                territory=told.other,
                is_netted=told.is_netted,
                since=told.since,
                at=page.now,
            )
        )

    def _take_window(self, page: Page, told: WindowTold) -> None:
        """Close a window here, if it is right: what is wrong with it `check` names, and nothing is paid."""
        connection = page.connection
        if connection.execute(select(windows.c.window_no).where(windows.c.window_no == told.window)).first():
            return
        outcome = read_window(told, self._home)
        if isinstance(outcome, str) or find_fault(connection, told) is not None:
            return
        connection.execute(insert(windows).values(window_no=told.window, told=encode_typed(told), at=page.now))
        for start in range(0, len(told.ids), _AT_ONCE):
            some = told.ids[start : start + _AT_ONCE]
            change(connection, update(dues).where(dues.c.id.in_(some)).values(window_no=told.window))
        rows = [
            {
                "window_no": told.window,
                "other": other,
                "is_ours": is_ours,
                "cents": cents,
                "received": 0,
                "said": 0,
                "said_on": 0,
            }
            for is_ours, side in ((True, outcome.pays), (False, outcome.receives))
            for other, cents in side.items()
        ]
        if rows:
            connection.execute(insert(net_payments), rows)
        self._books.close_window(page, outcome, day_of(told.on))

    def _hear_paid(self, page: Page, told: NetPaid) -> None:
        change(
            page.connection,
            update(net_payments)
            .where(net_payments.c.window_no == told.window, net_payments.c.other == told.other)
            .values(said=int(told.state), said_on=told.on),
        )

    # What we net

    def net_dues(self, page: Page, items: Sequence[datetime.date]) -> list[int]:
        """Net what we owe for projects of territories with which we agreed to, once all of it may be paid; return how many.

        Run twice is run once.
        """
        return [self._net_dues(page, today) for today in items]

    def _net_dues(self, page: Page, today: datetime.date) -> int:
        agreed = {one.territory for one in load_agreements(page.connection) if one.holds}
        if not agreed:
            return 0
        open_cents: dict[int, int] = defaultdict(int)
        held: set[int] = set()
        for part in load_open_parts(page.connection, today):
            open_cents[part.no] += part.cents
            if part.waits_for in (Wait.CALL, Wait.DONOR):
                held.add(part.no)
        rows = page.connection.execute(
            select(dues.c.no, dues.c.id, dues.c.territory, dues.c.cents)
            .where(
                dues.c.territory.in_(sorted(agreed)),
                dues.c.state == DueState.TAKEN,
                dues.c.debtor == "",
                dues.c.netted_on.is_(None),
            )
            .order_by(dues.c.no)
        ).all()
        told: list[HouseMessage] = []
        for row in rows:
            if row.no in held or open_cents[row.no] != row.cents:
                continue  # a part of it waits for its donor, or two officers pay it already
            on = number_of(today)
            change(page.connection, update(dues).where(dues.c.no == row.no).values(netted_on=on))
            told.append(DueSettled(bytes(row.id), Settlement.NETTED, row.cents, on))
        if told:
            self._tell(page, BaseName.ACCOUNTS, told)
        return len(told)

    # What is paid and received at the end of a window

    def load_expected(self, connection: Connection, movement: Movement, now: int) -> list[Expected]:
        """Return what other funds are to pay us, those whose account a movement comes from."""
        rows = connection.execute(
            select(net_payments).where(
                net_payments.c.is_ours.is_(False), net_payments.c.received < net_payments.c.cents
            )
        ).all()
        found = []
        for row in rows:
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
            told = NetPaid(window, other, NetState.CONFIRMED, number_of(movement.booked_on))
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
        for line in load_lines(connection, now):
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


def load_agreements(connection: Connection) -> list[Agreement]:
    """Return what each fund and ours say of netting, by territory."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    said = select(netting_words).where(netting_words.c.said_at.is_not(None))
    for row in connection.execute(said.order_by(netting_words.c.said_at, netting_words.c.number)):
        ours[row.territory] = row
    for row in connection.execute(select(netting_heard).order_by(netting_heard.c.number)):
        theirs[row.territory] = row
    found = []
    for territory in sorted({*ours, *theirs}):
        own, other = ours.get(territory), theirs.get(territory)
        days = [row.since for row in (own, other) if row is not None]
        found.append(
            Agreement(
                territory=territory,
                ours=None if own is None else own.is_netted,
                theirs=None if other is None else other.is_netted,
                since=max(days) if len(days) == 2 else None,
            )
        )
    return found


def find_fault(connection: Connection, told: WindowTold) -> str | None:
    """Return what a window says of our dues that our book does not, in words, or None."""
    known: dict[bytes, Any] = {}
    for start in range(0, len(told.ids), _AT_ONCE):
        some = told.ids[start : start + _AT_ONCE]
        known |= {bytes(row.id): row for row in connection.execute(select(dues).where(dues.c.id.in_(some)))}
    for id_, other, cents in zip(told.ids, told.others, told.cents, strict=True):
        row, name = known.get(id_), told.members[other]
        # What others owe us may be told before our projects' order of it came: then it is no due here yet.
        if row is None and cents > 0:
            continue
        if row is None or row.cents != abs(cents) or row.window_no not in (None, told.window):
            return f"due {id_.hex()} is not one of {abs(cents)} cents that no window holds"
        if cents < 0 and (row.netted_on is None or row.territory != name):
            return f"due {id_.hex()} is none that we net with {name}"
        if cents > 0 and row.debtor != name:
            return f"due {id_.hex()} is not owed by {name}"
    return None


def load_lines(connection: Connection, now: int) -> list[NetLine]:
    """Return each payment at the end of a window: 'to sign', 'account' (its account waits), a payment's state, or 'open'."""
    sent: Mapping[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(
        select(payments).where(payments.c.window_no.is_not(None)).order_by(payments.c.number)
    ):
        sent[row.window_no, row.paid_fund].append(row)
    lines = []
    for row in connection.execute(select(net_payments).order_by(net_payments.c.window_no, net_payments.c.other)):
        tried = sent[row.window_no, row.other]
        live = next((one for one in tried if one.state not in DEAD), None)
        id_ = net_payment_id(row.window_no, row.other, len(tried)) if live is None else Id16(bytes(live.id))
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
