"""Pledges: accepted by two officers, issued as a called lot, called month by month as they are converted."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.books_service import Books
from node.fund.days import day_at, day_of, number_of
from node.fund.expectation_service import Announce, announce
from node.fund.expectations import Purpose
from node.fund.fund_errors import FundUnknown, PledgeRefused
from node.fund.outgoing_payments import WORDS_VERSION, PledgeWords
from node.fund.pledges import CALLED, PledgeState, call_id, choose_month, compute_limit, issue_id, month_of
from node.fund.receipt_service import ELIGIBLE
from node.fund.seal_store import change
from node.fund.settings import FundSettings
from node.fund.signature_service import Sheet, SignatureDesk, Signed
from node.fund.tables import calls, donors, due_lots, dues, expectations, pledge_signatures, pledges
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import (
    PLEDGES_MAX,
    BaseName,
    Deposit,
    DepositTaken,
    HouseMessage,
    PaymentCalled,
    Pledge,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    Refused,
)
from protocol.identifiers import Id16

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
LETTER_BYTES: Final = 32
PLEDGE_SHEET: Final = Sheet(kinds=(PledgeWords,), name="pledge", table=pledge_signatures, subject="pledge")
_COMPARED: Final = ("donor", "campaign", "lot_class", "restriction", "into", "cents", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclinePledge:
    """The fund does not take a pledge. `by` and `reason` in a line."""

    id: Id16
    by: str
    reason: str

    def __post_init__(self) -> None:
        text = f"{self.by}: {self.reason}"
        if not self.by or not self.reason or len(text) > 200 or not text.isprintable():
            raise PledgeRefused(reason="who declines it and why, in a line")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRun:
    """What a run of the job called: how many calls, and cents."""

    calls: int
    cents: int


class PledgeDesk:
    """Everything of called campaigns but the payments of dues."""

    def __init__(self, settings: FundSettings, fund: str, books: Books, tell: Tell, signatures: SignatureDesk) -> None:
        self._settings = settings
        self._fund = fund
        self._books = books
        self._tell = tell
        self._signatures = signatures

    # What the companies' base says.

    def keep(self, page: Page, sender: str, told: Pledge) -> HouseMessage | None:
        """Keep a pledge that waits for two officers; the same again is answered as far as it is. Raises Refusal."""
        connection = page.connection
        known = connection.execute(select(pledges).where(pledges.c.id == told.id)).first()
        if known is not None:
            for field in _COMPARED:
                if getattr(known, "pool" if field == "into" else field) != getattr(told, field):
                    raise IdMismatch(id=told.id.hex(), field=field)
            if known.state == PledgeState.REFUSED:
                return Refused(told.id, known.code)
            return PledgeAccepted(told.id) if known.lot_ref is not None else None
        if connection.execute(select(donors.c.kind).where(donors.c.id == told.donor)).scalar() != "company":
            raise PledgeRefused(reason="a pledge is a company's, which is introduced first")
        if not told.lot_class & CALLED:
            raise PledgeRefused(reason="its lot has no flag of called lots")
        if day_of(told.until) < day_at(page.now):
            raise PledgeRefused(reason="it is over before it begins")
        other = select(pledges.c.id).where(pledges.c.donor == told.donor, pledges.c.campaign == told.campaign)
        if connection.execute(other).first() is not None:
            raise PledgeRefused(reason="this campaign has a pledge")
        number = int(connection.execute(select(func.coalesce(func.max(pledges.c.number), 0))).scalar_one()) + 1
        connection.execute(
            insert(pledges).values(
                number=number,
                id=told.id,
                donor=told.donor,
                campaign=told.campaign,
                lot_class=told.lot_class,
                restriction=told.restriction,
                pool=told.into,
                cents=told.cents,
                until=told.until,
                asked_by=sender,
                at=page.now,
                state=PledgeState.ASKED,
                letter=None,
                issued_month=None,
                lot_ref=None,
                given=None,
                code="",
            )
        )
        return None

    def end(self, page: Page, told: PledgeSpent) -> PledgeEnded:
        """The campaign is over: release what it did not give. Raises Refusal. Told again with another sum, that counts."""
        row = load_pledge(page.connection, told.pledge)
        if row.state not in (PledgeState.ISSUED, PledgeState.ENDED):
            raise PledgeRefused(reason=f"it is {row.state}")
        converted = load_converted(page.connection).get(bytes(row.id), 0)
        if not converted <= told.cents <= row.cents:
            raise PledgeRefused(reason=f"{converted} cents were converted, of {row.cents}")
        released = compute_limit(row.cents, row.given) - told.cents
        change(
            page.connection,
            update(pledges).where(pledges.c.id == row.id).values(state=PledgeState.ENDED, given=told.cents),
        )
        if released:
            self._books.change_pledge(page, row, -released, f"pledge-released {told.id.hex()}")
        return PledgeEnded(told.id, row.cents - told.cents, told.cents - converted)

    # What officers do.

    def make_words(self, connection: Connection, id_: Id16, letter: bytes) -> PledgeWords:
        """Return what two officers are to sign. Raises FundUnknown, PledgeRefused."""
        row = load_pledge(connection, id_)
        if len(letter) != LETTER_BYTES:
            raise PledgeRefused(reason="the digest of the engagement letter is 32 bytes (SHA-256)")
        return words_of_pledge(row, self._fund, letter)

    def sign(self, page: Page, items: Sequence[Signed]) -> list[PledgeState | Refusal]:
        """Take officers' signatures: with the second the fund accepts, and the accounts are told to issue."""
        return self._signatures.take(page, items, self)

    @property
    def sheet(self) -> Sheet:
        return PLEDGE_SHEET

    def know(self, page: Page, signed: Signed) -> PledgeState:
        """Keep the letter that the first officer read, and return how far the pledge is. Raises FundUnknown, IdMismatch."""
        words = _pledge(signed)
        row = load_pledge(page.connection, words.id)
        letter = words.letter if row.letter is None else bytes(row.letter)
        if words != words_of_pledge(row, self._fund, letter) or len(letter) != LETTER_BYTES:
            raise IdMismatch(id=words.id.hex(), field="words")
        if row.letter is None and row.state == PledgeState.ASKED:
            change(page.connection, update(pledges).where(pledges.c.id == words.id).values(letter=letter))
        return PledgeState(row.state)

    def require_open(self, signed: Signed, state: PledgeState) -> None:
        """Raises PledgeRefused."""
        if state is not PledgeState.ASKED:
            raise PledgeRefused(reason=f"it is {state}")

    def accept(self, page: Page, signed: Signed) -> PledgeState:
        """Accept a pledge: its ceiling may be called, and its lot is of this month."""
        connection, id_ = page.connection, signed.words.id
        month = month_of(day_at(page.now))
        change(
            connection,
            update(pledges).where(pledges.c.id == id_).values(state=PledgeState.ACCEPTED, issued_month=month),
        )
        row = load_pledge(connection, id_)
        self._books.change_pledge(page, row, row.cents, f"pledge {bytes(row.id).hex()}")
        self._tell(page, BaseName.ACCOUNTS, [make_issue(row)])
        return PledgeState.ACCEPTED

    def decline(self, page: Page, items: Sequence[DeclinePledge]) -> list[PledgeState | Refusal]:
        """Do not take pledges; who asked is told. The same again is the same."""
        results: list[PledgeState | Refusal] = []
        for asked in items:
            try:
                row = load_pledge(page.connection, asked.id)
                if row.state == PledgeState.ASKED:
                    self._refuse(page, row, PledgeRefused.code)
                elif row.state != PledgeState.REFUSED:
                    raise PledgeRefused(reason=f"it is {row.state}")
                results.append(PledgeState.REFUSED)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _refuse(self, page: Page, row: Any, code: str) -> None:
        change(
            page.connection, update(pledges).where(pledges.c.id == row.id).values(state=PledgeState.REFUSED, code=code)
        )
        self._tell(page, row.asked_by, [Refused(bytes(row.id), code)])

    # What the accounts answer.

    def hear(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Keep whether lots were issued. Answers to anything else are passed over."""
        answers = {one.id: one for one in messages if isinstance(one, DepositTaken | Refused)}
        if not answers:
            return
        waiting = page.connection.execute(select(pledges).where(pledges.c.state == PledgeState.ACCEPTED)).all()
        for row in waiting:
            answer = answers.get(issue_id(bytes(row.id)))
            if isinstance(answer, DepositTaken):
                change(
                    page.connection,
                    update(pledges).where(pledges.c.id == row.id).values(state=PledgeState.ISSUED, lot_ref=answer.ref),
                )
                self._tell(page, row.asked_by, [PledgeAccepted(bytes(row.id))])
            elif isinstance(answer, Refused):
                self._books.change_pledge(page, row, -row.cents, f"pledge-refused {bytes(row.id).hex()}")
                self._refuse(page, row, answer.code)

    # Calls.

    def catch_up(self, page: Page, items: Sequence[datetime.date]) -> list[CallRun]:
        """Call what was converted before this month and is not called. Run twice is run once, after days off as well."""
        return [self._catch_up(page, today) for today in items]

    def _catch_up(self, page: Page, today: datetime.date) -> CallRun:
        connection = page.connection
        rows = connection.execute(
            select(due_lots.c.due, due_lots.c.ix, due_lots.c.cents, dues.c.at, pledges)
            .join(dues, dues.c.no == due_lots.c.due)
            .join(pledges, pledges.c.id == due_lots.c.pledge)
            .where(due_lots.c.call.is_(None))
            .order_by(due_lots.c.due, due_lots.c.ix)
        ).all()
        called: dict[tuple[bytes, int], set[int]] = defaultdict(set)
        for row in connection.execute(select(calls)):
            called[bytes(row.donor), row.lot_class].add(row.month)
        groups: dict[tuple[bytes, int, int], list[Any]] = defaultdict(list)
        for row in rows:
            key = (bytes(row.donor), row.lot_class & ELIGIBLE)
            month = choose_month(month_of(day_at(row[3])), today, frozenset(called[key]))
            of_call = {} if month is None else {bytes(one.id) for one in groups[*key, month]}
            if month is not None and (len(of_call) < PLEDGES_MAX or bytes(row.id) in of_call):
                groups[*key, month].append(row)
        total = 0
        for (donor, lot_class, month), parts in groups.items():
            if parts:
                total += self._call(page, donor, lot_class, month, parts, today)
        return CallRun(calls=sum(1 for parts in groups.values() if parts), cents=total)

    def _call(
        self, page: Page, donor: bytes, lot_class: int, month: int, parts: Sequence[Any], today: datetime.date
    ) -> int:
        sums: dict[bytes, int] = {}
        for part in parts:
            sums[bytes(part.id)] = sums.get(bytes(part.id), 0) + part[2]
        id_ = call_id(donor, month, lot_class)
        due = number_of(today + datetime.timedelta(days=self._settings.call_days))
        expectation = announce(
            page,
            Announce(
                id=id_,
                purpose=Purpose.CALL,
                donor=Id16(donor),
                cents=Cents(sum(sums.values())),
                due=due,
                lot_class=lot_class,
                asked_by=parts[0].asked_by,
            ),
        )
        page.connection.execute(insert(calls).values(id=id_, donor=donor, month=month, lot_class=lot_class))
        for part in parts:
            change(
                page.connection,
                update(due_lots).where(due_lots.c.due == part.due, due_lots.c.ix == part.ix).values(call=id_),
            )
        told = PaymentCalled(
            id_,
            donor,
            month,
            expectation.cents,
            due,
            expectation.reference,
            self._settings.account.iban,
            tuple(sums),
            tuple(sums.values()),
        )
        self._tell(page, expectation.asked_by, [told])
        return expectation.cents


def _pledge(signed: Signed) -> PledgeWords:
    """The desk of signatures takes no other words for this sheet."""
    assert isinstance(signed.words, PledgeWords)
    return signed.words


def make_issue(row: Any) -> Deposit:
    """Return what the accounts are told of an accepted pledge: its lot is of the month in which it was accepted."""
    return Deposit(
        id=issue_id(bytes(row.id)),
        donor=bytes(row.donor),
        campaign=row.campaign,
        month=row.issued_month,
        lot_class=row.lot_class,
        restriction=row.restriction,
        into=row.pool,
        cents=row.cents,
    )


def words_of_pledge(row: Any, fund: str, letter: bytes) -> PledgeWords:
    """Return what officers sign of the pledge of a row."""
    return PledgeWords(
        version=WORDS_VERSION,
        fund=fund,
        id=bytes(row.id),
        donor=bytes(row.donor),
        campaign=row.campaign,
        cents=row.cents,
        until=row.until,
        letter=letter,
    )


def load_pledge(connection: Connection, id_: bytes) -> Any:
    """Raises FundUnknown."""
    row = connection.execute(select(pledges).where(pledges.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"pledge {id_.hex()}")
    return row


def load_pledges(connection: Connection) -> list[Any]:
    """Return pledges as rows with their donors' names, in their order."""
    return list(
        connection.execute(
            select(pledges, donors.c.name).join(donors, donors.c.id == pledges.c.donor).order_by(pledges.c.number)
        ).all()
    )


def load_converted(connection: Connection) -> dict[bytes, int]:
    """Return what was converted of each pledge."""
    return _sum_by_pledge(connection)


def load_called(connection: Connection) -> dict[bytes, int]:
    """Return what was called of each pledge."""
    return _sum_by_pledge(connection, due_lots.c.call.is_not(None))


def _sum_by_pledge(connection: Connection, *where: Any) -> dict[bytes, int]:
    return {
        bytes(row[0]): int(row[1])
        for row in connection.execute(
            select(due_lots.c.pledge, func.sum(due_lots.c.cents))
            .where(due_lots.c.pledge.is_not(None), *where)
            .group_by(due_lots.c.pledge)
        )
    }


def load_calls(connection: Connection) -> list[Any]:
    """Return calls as rows, with what came of each."""
    return list(
        connection.execute(
            select(calls.c.id, calls.c.month, donors.c.name, donors.c.siren, expectations)
            .join(expectations, expectations.c.id == calls.c.id)
            .join(donors, donors.c.id == calls.c.donor)
            .order_by(expectations.c.number)
        ).all()
    )
