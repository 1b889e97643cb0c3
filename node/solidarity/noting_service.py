"""What reached an operation's account is read from the ledger's chain and noted, once, in order; what does not fit goes back.

Nothing is asked of a gift before it is credited: a cession here, an arrival, a company's credit and what a deceased
leaves all end in the chain of the operation's account, and nowhere else does anybody have to think of solidarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection

from node.federation import store as federation_store
from node.federation.cessions import AskCession
from node.federation.outgoing import derive_op
from node.federation.senders import SENDER_NUMBER, name_arrival, read_giver
from node.federation.service import Federation
from node.ledger.accounts import SystemAccount
from node.ledger.draws import Draws
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_draws, load_entries_after
from node.ledger.service import Ledger
from node.ledger.statements import Entry
from node.solidarity import store
from node.solidarity.operations import GiftState, Operation, Origin, judge_gift, place_gift
from node.solidarity.rules import PoolRule
from node.solidarity.store import Gift
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, parse_address, write_address
from protocol.times import day_at, write_day

# More than a posting has lots, so that each reading ends behind a whole one.
ENTRIES_AT_ONCE: Final = 10_000


class Noting:
    """Keeps the gifts of operations."""

    def __init__(self, ledger: Ledger, federation: Federation) -> None:
        self._ledger = ledger
        self._federation = federation

    def note(self, page: Page, operation: Operation) -> Operation:
        """Note all that reached the operation's account since the last time; return the operation as it stands then."""
        self._bring_from_outlet(page, operation)
        while entries := self._read(page, operation):
            pool = store.load_pool(page.connection, operation.pool_id)
            came = [entry for entry in entries if entry.cents > 0]
            rows = [
                self._make_gift(page, operation, list(parts))
                for _, parts in groupby(came, key=lambda entry: bytes(entry.op))
            ]
            listed = store.find_listed(page.connection, pool.id, {row.giver for row in rows})
            first = store.load_next_gift(page.connection)
            judged = [
                _judge(pool.rule, operation, row._replace(id=id_), is_listed=row.giver in listed)
                for id_, row in enumerate(rows, first)
            ]
            store.insert_gifts(page.connection, judged)
            store.save_operation(page.connection, operation.id, noted=entries[-1].seq)
            operation = self.count(page, operation)
        return operation

    def count(self, page: Page, operation: Operation) -> Operation:
        """Bring the figures of the operation to what it holds; return it as it stands then."""
        cents, gifts, givers = store.sum_gifts(page.connection, operation.id)
        store.save_operation(page.connection, operation.id, given=cents, gifts=gifts, givers=givers)
        return store.load_operation(page.connection, operation.id)

    def _read(self, page: Page, operation: Operation) -> list[Entry]:
        """Return entries of the account that were not looked at yet, ending behind a whole posting."""
        self._ledger.flush(page)
        entries = load_entries_after(page.connection, operation.number, operation.noted, ENTRIES_AT_ONCE)
        if len(entries) == ENTRIES_AT_ONCE:
            last = entries[-1].op
            entries = [entry for entry in entries if entry.op != last]
        return entries

    def _bring_from_outlet(self, page: Page, operation: Operation) -> None:
        """A receiver may send something to where his share came from: it is the operation's."""
        sheet = self._ledger.look_at(page, operation.outlet)
        assert sheet is not None, "an operation has its accounts"
        if not sheet.available or not self.may_move(page, operation):
            return
        posting = Posting(
            op=Id16(derive_op("from outlet", operation.op.hex(), sheet.length)),
            kind=PostingKind.CESSION,
            debit=operation.outlet,
            credit=operation.number,
            cents=Cents(sheet.available),
        )
        self._ledger.post(page, [posting])

    def may_move(self, page: Page, operation: Operation) -> bool:
        """Tell whether anything may leave the operation's accounts: somebody may have frozen one."""
        return all(self._ledger.is_open(page, number) for number in (operation.number, operation.outlet))

    def _make_gift(self, page: Page, operation: Operation, parts: Sequence[Entry]) -> Gift:
        origin, giver = self._find_giver(page.connection, operation, parts[0])
        return Gift(
            id=0,
            op=bytes(parts[0].op),
            operation_id=operation.id,
            origin=str(origin),
            giver=giver,
            cents=sum(part.cents for part in parts),
            state="",
            code="",
            back_op=None,
            at=parts[0].at,
        )

    def _find_giver(self, connection: Connection, operation: Operation, entry: Entry) -> tuple[Origin, str]:
        """Return where it came from and who gave: an account, an address, or one arrival of somebody."""
        if entry.kind is PostingKind.CEDE_IN:
            row = self._load_arrival(connection, bytes(entry.op))
            return Origin.ABROAD, _giver_of(row) or f"arrival {bytes(row.op).hex()}"
        if isinstance(entry.other, SystemAccount) or entry.other == operation.outlet:
            return Origin.CARRIED, ""
        match entry.kind:
            case PostingKind.CESSION:
                return Origin.HOME, entry.other
            case PostingKind.CREDIT:
                return Origin.COMPANY, entry.other
            case _:
                return Origin.CARRIED, ""

    def _load_arrival(self, connection: Connection, op: bytes) -> Any:
        arrival = _arrival_of(op)
        return federation_store.find_arrivals(connection, [arrival])[arrival]

    def require_roads(self, page: Page, gifts: Sequence[Gift]) -> None:
        """Raise why no road is open to where these gifts came from: all of them go, or none."""
        for gift in gifts:
            row = self._load_arrival(page.connection, bytes(gift.op))
            self._federation.require_road(TerritoryCode(row.origin))

    def return_some(self, page: Page, operation: Operation, *, limit: int) -> int:
        """Let gifts that wait go back, some `limit` of them; return how many went. Who cannot be reached harms no other."""
        gone = last = 0
        while gone < limit and self.may_move(page, operation):
            waits = str(GiftState.WAITS)
            waiting = store.list_gifts(page.connection, operation.id, state=waits, after=last, limit=limit)
            if not waiting:
                break
            last = waiting[-1].id
            gone += sum(not isinstance(answer, Refusal) for answer in self.send_back(page, operation, waiting))
        return gone

    def send_back(self, page: Page, operation: Operation, gifts: Sequence[Gift]) -> list[Refusal | bytes]:
        """Let gifts go back to who gave them, the very lots: to an account here at once, elsewhere by a cession.

        Returns, for each, the id under which it went, or why it did not.
        """
        lots = {gift.op: load_draws(page.connection, Id16(gift.op)) for gift in gifts}
        home = [gift for gift in gifts if gift.origin == Origin.HOME]
        abroad = [gift for gift in gifts if gift.origin == Origin.ABROAD]
        postings = [
            Posting(
                op=_derive_back(gift),
                kind=PostingKind.RETURNED,
                debit=operation.number,
                credit=AccountNumber(gift.giver),
                cents=Cents(gift.cents),
                draws=lots[gift.op],
                reference=gift.code,
            )
            for gift in home
        ]
        done: dict[bytes, object] = dict(
            zip([gift.op for gift in home], self._ledger.post(page, postings), strict=True)
        )
        asked = [self._ask_cession(page, operation, gift, lots[gift.op]) for gift in abroad]
        done.update(zip([gift.op for gift in abroad], self._federation.cede(page, asked), strict=True))
        gone = [gift for gift in gifts if not isinstance(done[gift.op], Refusal)]
        store.save_back(page.connection, [(gift.code, _derive_back(gift), gift.id) for gift in gone])
        if any(gift.state == GiftState.HELD for gift in gone):
            self.count(page, operation)
        answers: list[Refusal | bytes] = []
        for gift in gifts:
            answer = done[gift.op]
            answers.append(answer if isinstance(answer, Refusal) else _derive_back(gift))
        return answers

    def _ask_cession(self, page: Page, operation: Operation, gift: Gift, draws: Draws) -> AskCession:
        """Return the cession that gives an arrival back: to its giver's address, or to 'who sent us this'."""
        row = self._load_arrival(page.connection, gift.op)
        giver = _giver_of(row)
        cession = AskCession(
            op=_derive_back(gift),
            account=operation.number,
            beneficiary=parse_address(giver) if giver else Address(SENDER_NUMBER, TerritoryCode(row.origin)),
            cents=gift.cents,
            words=name_arrival(row.epoch, row.ix, row.place, gift.code),
            giver=write_address(operation.number, self._ledger.home),
        )
        cession.draws, cession.is_from_project = draws, True
        return cession


def _judge(rule: PoolRule, operation: Operation, gift: Gift, *, is_listed: bool) -> Gift:
    origin = Origin(gift.origin)
    code = judge_gift(rule, operation, origin, write_day(day_at(gift.at)), is_listed=is_listed)
    return gift._replace(state=str(place_gift(origin, code)), code=code)


def _derive_back(gift: Gift) -> Id16:
    return Id16(derive_op("solidarity back", gift.op.hex()))


def _giver_of(row: Any) -> str:
    """Return the address of an arrival's giver; nothing where its node wrote none, or none of its own territory."""
    address = read_giver(row.giver)
    return row.giver if address is not None and address.territory == row.origin else ""


def _arrival_of(op: bytes) -> bytes:
    """Return the id of the arrival that a posting is of: its home lots came under this id, lots of others beside it."""
    return op[:14] + bytes((op[14] & 0x7F, op[15]))
