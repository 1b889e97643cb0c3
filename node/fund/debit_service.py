"""Monthly gifts: mandates, the one collection of a month, and what the bank says of each debit.

The state is in the base: a job may run twice, or after days off, and announces and orders each month once. The message
for the bank is written and kept in the page that orders its debits.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree
from sqlalchemy import Connection, func, insert, select, update

from node.fund.books_service import Books
from node.fund.days import day_at, day_of, number_of
from node.fund.deposits import DepositState, deposit_id
from node.fund.direct_debits import SCHEMA, Debit, DebitRules, Mandate, choose_sequence, write_direct_debits
from node.fund.fund_errors import AppealNotAuthorised, FundUnknown, MandateRefused, MandateStepRefused, NumbersNotStated
from node.fund.matching import Order
from node.fund.monthly_gifts import (
    NEXT_MANDATE_STATE,
    NEXT_STATE,
    CollectionState,
    DebitEvent,
    DebitState,
    MandateState,
    choose_collection_day,
    choose_month,
    compute_order_day,
    debit_end_to_end_id,
    debit_id,
    read_shares,
    write_shares,
)
from node.fund.payment_order import OwnAccount
from node.fund.payment_schema_store import require_schema
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport
from node.fund.recovery_service import find_unstated
from node.fund.references import NAME_MAX, EndToEndId, Iban, require_sepa_iban, write_for_banks
from node.fund.seal_store import change
from node.fund.settings import FundSettings
from node.fund.statements import Movement
from node.fund.tables import collections, debits, deposits, donors, mandates
from node.fund.target_days import TargetCalendar
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16

CREDITED: Final = (DebitState.COLLECTED, DebitState.RETURNED)
Unreceipt = Callable[[Page, str, str], object]  # a page, a receipt's number, why it cannot stand


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMandate:
    """What a donor signed: one debit a month, and what each project gets of it. `umr` empty: the fund gives one."""

    id: Id16
    donor: Id16
    holder_name: str
    iban: Iban
    signed_on: datetime.date
    shares: tuple[tuple[str, Cents], ...]
    umr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMandate:
    id: Id16
    state: MandateState


@dataclass(slots=True, kw_only=True)
class CollectionRun:
    """What a run did: the months that it announced, ordered and left out; mandates that lapsed."""

    announced: list[int]
    ordered: list[int]
    left_out: list[int]
    lapsed: list[str]


class DebitDesk:
    """Everything that the fund collects."""

    def __init__(
        self,
        *,
        settings: FundSettings,
        books: Books,
        fund: str,
        sepa_countries: frozenset[str],
        calendar: TargetCalendar,
        rules: DebitRules,
        unreceipt: Unreceipt,
    ) -> None:
        self._settings = settings
        self._books = books
        self._fund = fund
        self._countries = sepa_countries
        self._calendar = calendar
        self._rules = rules
        self._unreceipt = unreceipt

    # What donors signed.

    def keep_mandates(self, page: Page, items: Sequence[NewMandate]) -> list[Any]:
        """Keep mandates; return their rows. The same again is the same."""
        results: list[Any] = []
        for one in items:
            try:
                results.append(self._keep_mandate(page, one))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _keep_mandate(self, page: Page, one: NewMandate) -> Any:
        if not self._settings.takes_from_public:
            raise AppealNotAuthorised
        if not self._settings.creditor_id:
            raise MandateRefused(reason="the fund has no creditor identifier (creditor_id in fund.toml)")
        connection = page.connection
        require_sepa_iban(one.iban, self._countries)
        write_for_banks(one.holder_name, field="holder_name", length_max=NAME_MAX)
        if one.signed_on > day_at(page.now):
            raise MandateRefused(reason="it is signed on a day to come")
        kind = connection.execute(select(donors.c.kind).where(donors.c.id == one.donor)).scalar()
        if kind is None:
            raise FundUnknown(path=f"donor {one.donor.hex()}")
        if kind != "individual":
            raise MandateRefused(reason="a monthly gift is a citizen's; a company pays what it is called for")
        shares = write_shares(one.shares)
        known = connection.execute(select(mandates).where(mandates.c.id == one.id)).first()
        if known is not None:
            for field, told in (
                ("donor", one.donor),
                ("iban", one.iban),
                ("shares", shares),
                ("umr", one.umr or known.umr),
                ("holder_name", one.holder_name),
                ("signed_on", number_of(one.signed_on)),
            ):
                if getattr(known, field) != told:
                    raise IdMismatch(id=one.id.hex(), field=field)
            return known
        number = int(connection.execute(select(func.coalesce(func.max(mandates.c.number), 0))).scalar_one()) + 1
        made = Mandate(
            umr=one.umr or f"{self._fund}-{number:08d}",
            signed_on=one.signed_on,
            holder_name=one.holder_name,
            iban=one.iban,
        )
        if connection.execute(select(mandates.c.id).where(mandates.c.umr == made.umr)).first() is not None:
            raise MandateRefused(reason=f"another mandate is called {made.umr}")
        connection.execute(
            insert(mandates).values(
                number=number,
                id=one.id,
                umr=made.umr,
                donor=one.donor,
                holder_name=one.holder_name,
                iban=one.iban,
                signed_on=number_of(one.signed_on),
                cents=sum(cents for _, cents in one.shares),
                shares=shares,
                state=MandateState.ACTIVE,
                changed_at=page.now,
                at=page.now,
            )
        )
        return _load_mandate(connection, one.id)

    def change_mandates(self, page: Page, items: Sequence[ChangeMandate]) -> list[Any]:
        """Pause, resume or end mandates; what is with the bank already goes on."""
        results: list[Any] = []
        for asked in items:
            try:
                row = _load_mandate(page.connection, asked.id)
                if row.state != asked.state:
                    if asked.state not in NEXT_MANDATE_STATE[MandateState(row.state)]:
                        raise MandateStepRefused(mandate=row.umr, state=row.state, wished=str(asked.state))
                    change(
                        page.connection,
                        update(mandates)
                        .where(mandates.c.id == asked.id)
                        .values(state=asked.state, changed_at=page.now),
                    )
                results.append(_load_mandate(page.connection, asked.id))
            except Refusal as refusal:
                results.append(refusal)
        return results

    # The collection of a month.

    def catch_up(self, page: Page, items: Sequence[datetime.date]) -> list[CollectionRun | Refusal]:
        """Announce and order what is due on a day. Run twice, it does it once."""
        if find_unstated(page.connection) is not None:
            return [NumbersNotStated() for _ in items]
        results: list[CollectionRun | Refusal] = []
        for today in items:
            run = CollectionRun(announced=[], ordered=[], left_out=[], lapsed=[])
            self._order_due(page, today, run)
            self._announce(page, today, run)
            self._order_due(page, today, run)
            results.append(run)
        return results

    def _announce(self, page: Page, today: datetime.date, run: CollectionRun) -> None:
        if not self._settings.takes_from_public:
            return
        connection = page.connection
        while True:
            last = int(connection.execute(select(func.coalesce(func.max(collections.c.month), 0))).scalar_one())
            due = choose_month(
                today, last=last, gift_day=self._settings.gift_day, rules=self._rules, calendar=self._calendar
            )
            if due is None:
                return
            chosen = []
            for row in connection.execute(
                select(mandates).where(mandates.c.state == MandateState.ACTIVE).order_by(mandates.c.number)
            ).all():
                try:
                    choose_sequence(_make_mandate(connection, row), due.collected_on, self._rules)
                    chosen.append(row)
                except Refusal:  # 36 months without a debit: what was signed holds no longer
                    run.lapsed.append(row.umr)
            if not chosen:
                return
            connection.execute(
                insert(collections).values(
                    month=due.month,
                    id=f"{self._fund}-D-{due.month}",
                    announced_on=number_of(today),
                    collected_on=number_of(due.collected_on),
                    state=CollectionState.ANNOUNCED,
                    debits=len(chosen),
                    cents=sum(row.cents for row in chosen),
                    body=None,
                    at=page.now,
                )
            )
            no = int(connection.execute(select(func.coalesce(func.max(debits.c.no), 0))).scalar_one())
            for place, row in enumerate(chosen, 1):
                id_ = debit_id(bytes(row.id), due.month)
                connection.execute(
                    insert(debits).values(
                        no=no + place,
                        id=id_,
                        mandate=row.id,
                        month=due.month,
                        cents=row.cents,
                        shares=row.shares,
                        end_to_end_id=debit_end_to_end_id(id_),
                        batch_id="",
                        sequence="",
                        state=DebitState.ANNOUNCED,
                        code="",
                    )
                )
            run.announced.append(due.month)

    def _order_due(self, page: Page, today: datetime.date, run: CollectionRun) -> None:
        connection = page.connection
        for row in connection.execute(
            select(collections).where(collections.c.state == CollectionState.ANNOUNCED).order_by(collections.c.month)
        ).all():
            announced = day_of(row.collected_on)
            if today < compute_order_day(announced, rules=self._rules, calendar=self._calendar):
                continue
            day = choose_collection_day(announced, today, rules=self._rules, calendar=self._calendar)
            (run.ordered if self._order(page, row, day) else run.left_out).append(row.month)

    def _order(self, page: Page, collection: Any, day: datetime.date | None) -> bool:
        """Write the message of a month from the debits whose mandates still stand; tell whether there was any."""
        connection = page.connection
        sent: list[Debit] = []
        for row in _load_debits(connection, collection.month):
            if row.mandate_state != MandateState.ACTIVE or day is None:
                code = "too_late" if day is None else row.mandate_state
                _set_debit(connection, row.id, _next(row, DebitEvent.DROP), code=code)
                continue
            mandate = _make_mandate(connection, row, id_=bytes(row.mandate))
            sent.append(
                Debit(
                    mandate=mandate,
                    end_to_end_id=EndToEndId(row.end_to_end_id),
                    shares=read_shares(row.shares),
                    text=f"{self._settings.name[:90]} don {collection.month // 100}-{collection.month % 100:02d}",
                    collected_on=day,
                )
            )
            _set_debit(
                connection,
                row.id,
                _next(row, DebitEvent.ORDER),
                sequence=choose_sequence(mandate, day, self._rules),
            )
        values: dict[str, Any] = {"state": CollectionState.LEFT_OUT, "debits": 0, "cents": 0}
        if sent and day is not None:
            body = write_direct_debits(
                sent,
                message_id=collection.id,
                made_at=page.now,
                creditor=self._account,
                creditor_id=self._settings.creditor_id,
                rules=self._rules,
                calendar=self._calendar,
                sepa_countries=self._countries,
            )
            require_schema(body, SCHEMA)
            for batch, ids in read_batches(body):
                change(connection, update(debits).where(debits.c.end_to_end_id.in_(ids)).values(batch_id=batch))
            values = {
                "state": CollectionState.ORDERED,
                "collected_on": number_of(day),
                "debits": len(sent),
                "cents": sum(one.cents for one in sent),
                "body": body,
            }
        change(connection, update(collections).where(collections.c.month == collection.month).values(**values))
        return bool(sent)

    @property
    def _account(self) -> OwnAccount:
        return self._settings.account

    # The bank's word.

    def load_orders(self, connection: Connection, end_to_end: str) -> list[Order]:
        """Return the debit that was ordered under an EndToEndId, or the batch that is called so."""
        if not end_to_end:
            return []
        ordered = debits.c.state.notin_((DebitState.ANNOUNCED, DebitState.DROPPED))
        one = connection.execute(
            select(debits.c.id, debits.c.cents).where(debits.c.end_to_end_id == end_to_end, ordered)
        ).first()
        if one is not None:
            return [Order(id=bytes(one.id).hex(), cents=Cents(one.cents), end_to_end_id=end_to_end)]
        cents = connection.execute(
            select(func.sum(debits.c.cents)).where(debits.c.batch_id == end_to_end, ordered)
        ).scalar()
        return [] if cents is None else [Order(id=end_to_end, cents=Cents(int(cents)), end_to_end_id=end_to_end)]

    def collect(self, page: Page, subject: str, movement: Movement, *, was_waiting: bool) -> int:
        """Make gifts of a debit, or of a whole batch, that the bank credited; return cents, 0 where it cannot be."""
        assert movement.booked_on is not None
        connection = page.connection
        asked = debits.c.end_to_end_id == movement.end_to_end_id
        if subject == movement.end_to_end_id:
            asked = debits.c.batch_id == subject
        rows = connection.execute(
            select(debits, mandates.c.donor)
            .join(mandates, mandates.c.id == debits.c.mandate)
            .where(asked)
            .order_by(debits.c.no)
        ).all()
        if any(DebitEvent.COLLECT not in NEXT_STATE[DebitState(row.state)] for row in rows):
            return 0
        no = int(connection.execute(select(func.coalesce(func.max(deposits.c.no), 0))).scalar_one())
        for place, row in enumerate(rows, 1):
            _set_debit(connection, row.id, _next(row, DebitEvent.COLLECT), movement=movement.id, code="")
            connection.execute(
                insert(deposits).values(
                    no=no + place,
                    id=deposit_id(movement.id, bytes(row.id), 0),
                    expectation=None,
                    debit=row.id,
                    movement=movement.id,
                    donor=row.donor,
                    cents=row.cents,
                    received_on=number_of(movement.booked_on),
                    state=DepositState.GIFT,
                    lot_ref=None,
                    code="",
                    receipt=None,
                )
            )
        gifts = [(bytes(row.donor), Cents(row.cents)) for row in rows]
        self._books.collect(page, movement, gifts, was_waiting=was_waiting)
        return sum(cents for _, cents in gifts)

    def give_back(self, page: Page, subject: str, movement: Movement, *, was_waiting: bool) -> int:
        """Undo the gift of a debit that the bank took back; return its cents, 0 where it was never credited.

        A receipt that covered it cannot stand: it is cancelled, and what else it covered waits for another.
        """
        assert movement.booked_on is not None
        connection = page.connection
        row = connection.execute(
            select(debits, mandates.c.donor)
            .join(mandates, mandates.c.id == debits.c.mandate)
            .where(debits.c.id == bytes.fromhex(subject) if len(subject) == 32 else debits.c.end_to_end_id == subject)
        ).first()
        if row is None or DebitEvent.RETURN not in NEXT_STATE[DebitState(row.state)]:
            return 0
        _set_debit(
            connection,
            row.id,
            _next(row, DebitEvent.RETURN),
            returned_by=movement.id,
            code=movement.return_reason[:40],
        )
        deposit = connection.execute(select(deposits).where(deposits.c.debit == row.id)).one()
        if deposit.receipt is not None:
            day = movement.booked_on.isoformat()
            self._unreceipt(page, deposit.receipt, f"prélèvement repris par la banque le {day}")
        change(
            connection,
            update(deposits).where(deposits.c.id == deposit.id).values(state=DepositState.UNDONE, receipt=None),
        )
        self._books.give_back(page, movement, bytes(row.donor), Cents(row.cents), was_waiting=was_waiting)
        return int(row.cents)

    def take_report(self, page: Page, items: Sequence[StatusReport]) -> list[int | Refusal]:
        """Note what a status report rejects of a collection; return how many debits it changed."""
        results: list[int | Refusal] = []
        for report in items:
            changed = 0
            rows = page.connection.execute(
                select(debits)
                .join(collections, collections.c.month == debits.c.month)
                .where(collections.c.id == report.message_id, debits.c.state == DebitState.ORDERED)
            ).all()
            for row in rows:
                verdict = report.find_verdict(end_to_end_id=row.end_to_end_id, group=row.batch_id)
                if verdict is not None and verdict.state is BankState.REJECTED:
                    _set_debit(page.connection, row.id, _next(row, DebitEvent.REJECT), code=verdict.reason[:40])
                    changed += 1
            results.append(changed)
        return results


def read_batches(body: bytes) -> list[tuple[str, list[str]]]:
    """Return the groups of a message: their ids, and the EndToEndIds in each."""
    return [
        (group.findtext("{*}PmtInfId") or "", [one.text or "" for one in group.iterfind(".//{*}EndToEndId")])
        for group in etree.fromstring(body).iterfind(".//{*}PmtInf")
    ]


def _next(row: Any, event: DebitEvent) -> DebitState:
    return NEXT_STATE[DebitState(row.state)][event]


def _set_debit(connection: Connection, id_: bytes, state: DebitState, **values: Any) -> None:
    change(connection, update(debits).where(debits.c.id == id_).values(state=state, **values))


def _load_mandate(connection: Connection, id_: bytes) -> Any:
    row = connection.execute(select(mandates).where(mandates.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"mandate {id_.hex()}")
    return row


def _make_mandate(connection: Connection, row: Any, *, id_: bytes | None = None) -> Mandate:
    last = connection.execute(
        select(func.max(collections.c.collected_on))
        .join(debits, debits.c.month == collections.c.month)
        .where(debits.c.mandate == (id_ or row.id), debits.c.state.in_(CREDITED))
    ).scalar()
    return Mandate(
        umr=row.umr,
        signed_on=day_of(row.signed_on),
        holder_name=row.holder_name,
        iban=Iban(row.iban),
        last_collected_on=None if last is None else day_of(last),
    )


def _load_debits(connection: Connection, month: int) -> list[Any]:
    return list(
        connection.execute(
            select(
                debits,
                mandates.c.umr,
                mandates.c.signed_on,
                mandates.c.holder_name,
                mandates.c.iban,
                mandates.c.donor,
                mandates.c.state.label("mandate_state"),
            )
            .join(mandates, mandates.c.id == debits.c.mandate)
            .where(debits.c.month == month)
            .order_by(debits.c.no)
        ).all()
    )


def find_mandate(connection: Connection, name: str) -> Id16:
    """Return the id of a mandate named by its UMR or its id. Raises FundUnknown."""
    wanted = mandates.c.umr == name
    if len(name) == 32:
        with contextlib.suppress(ValueError):
            wanted |= mandates.c.id == bytes.fromhex(name)
    found = connection.execute(select(mandates.c.id).where(wanted)).scalar()
    if found is None:
        raise FundUnknown(path=f"mandate {name[:40]}")
    return Id16(bytes(found))


def load_mandates(connection: Connection) -> list[Any]:
    """Return mandates as rows, with the name of who gives."""
    asked = select(mandates, donors.c.name).join(donors, donors.c.id == mandates.c.donor)
    return list(connection.execute(asked.order_by(mandates.c.number)).all())


def load_collections(connection: Connection) -> list[Any]:
    """Return collections as rows, in the order of their months."""
    return list(connection.execute(select(collections).order_by(collections.c.month)).all())


def find_last_ordered(connection: Connection) -> Any:
    """Return the row of the newest collection that is in the bank's hands, or None."""
    asked = select(collections).where(collections.c.state == CollectionState.ORDERED)
    return connection.execute(asked.order_by(collections.c.month.desc()).limit(1)).first()


def load_debits(connection: Connection, month: int) -> list[Any]:
    """Return the debits of a month as rows, with mandate and day: what donors are told beforehand."""
    return _load_debits(connection, month)
