"""What a node tells programs and the command line, as typed structs: the same for both, and described by OpenAPI. Pure.

Cents are whole; instants are ISO 8601 in UTC; an account of this territory is shown by its number and its address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from msgspec import Struct, field

from node.federation.cessions import CEDED_AT_HOME, CessionView
from node.federation.whispers import Reply
from node.ledger.accounts import AccountKey, SystemAccount, describe
from node.ledger.credits import Credited
from node.ledger.openings import Opened
from node.ledger.postings import Posted, PostingKind
from node.ledger.reservations import Reserved
from node.ledger.reversals import Reversed
from node.ledger.statements import AccountView, Balance, Entry, HistoryPage, OperationView, Statement, Totals
from protocol.cession import CessionState
from protocol.directory import Directory
from protocol.errors import Fact, Refusal
from protocol.identifiers import Address, format_id, write_address
from protocol.running.explanations import explain
from protocol.times import format_instant

_SAID = {
    "nobody": (
        "Pas de réponse à temps : le nœud de ce territoire dort ou n'est pas joignable. Vous pouvez céder quand même.",
        "No answer in time: that territory's node sleeps or cannot be reached. You can cede all the same.",
    ),
    "takes": ("Ce compte peut recevoir des droits.", "This account takes rights."),
    "refuses": ("Aucun compte ouvert à cette adresse.", "No open account at this address."),
}


def _at(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)


def address_of(number: str, home: str) -> str:
    """Return the public address of an account of this territory."""
    return write_address(number, home)


def _name_of(key: AccountKey | None) -> str:
    return "" if key is None else describe(key)


# Accounts


class OpenedAnswer(Struct, frozen=True):
    """The account that an id opened."""

    id: str
    number: str
    address: str
    kind: str
    opened_at: str
    repeated: bool


def tell_opened(opened: Opened, home: str) -> OpenedAnswer:
    return OpenedAnswer(
        id=format_id(opened.op),
        number=opened.number,
        address=address_of(opened.number, home),
        kind=str(opened.kind),
        opened_at=format_instant(opened.opened_at),
        repeated=opened.is_repeat,
    )


class AccountAnswer(Struct, frozen=True):
    """An account as it stands."""

    number: str
    address: str
    kind: str
    state: str
    shown_name: str | None
    opened_at: str
    closed_at: str | None
    cents: int
    reserved_cents: int
    available_cents: int
    entries: int


def tell_account(account: AccountView, home: str) -> AccountAnswer:
    return AccountAnswer(
        number=account.number,
        address=address_of(account.number, home),
        kind=str(account.kind),
        state=str(account.state),
        shown_name=account.shown_name,
        opened_at=format_instant(account.opened_at),
        closed_at=_at(account.closed_at),
        cents=int(account.cents),
        reserved_cents=int(account.reserved),
        available_cents=int(account.available),
        entries=account.length,
    )


class StateAnswer(Struct, frozen=True):
    """The state that an account has now."""

    account: str
    state: str


class NameAnswer(Struct, frozen=True):
    """The name that payers see, masked."""

    account: str
    shown_name: str | None


class LotAnswer(Struct, frozen=True, rename={"lot_class": "class"}):
    """What an account holds of one lot; `lot` is its number in this book."""

    lot: int
    issuer: str
    month: int
    lot_class: int
    cents: int


class BalanceAnswer(Struct, frozen=True):
    """What an account holds now, the oldest lots first."""

    account: str
    cents: int
    reserved_cents: int
    available_cents: int
    lots: list[LotAnswer]


def tell_balance(account: str, balance: Balance) -> BalanceAnswer:
    return BalanceAnswer(
        account=account,
        cents=int(balance.cents),
        reserved_cents=int(balance.reserved),
        available_cents=int(balance.available),
        lots=[LotAnswer(lot.lot, lot.issuer, lot.month, int(lot.lot_class), int(lot.cents)) for lot in balance.lots],
    )


class PastBalanceAnswer(Struct, frozen=True):
    """What an account held right after an instant."""

    account: str
    at: str
    cents: int


class EntryAnswer(Struct, frozen=True):
    """One transfer as one account sees it: what came is positive, what went is negative."""

    seq: int
    at: str
    kind: str
    cents: int
    after_cents: int
    other: str
    reference: str
    id: str


def _tell_entry(entry: Entry) -> EntryAnswer:
    return EntryAnswer(
        seq=entry.seq,
        at=format_instant(entry.at),
        kind=str(entry.kind),
        cents=entry.cents,
        after_cents=int(entry.after),
        other=describe(entry.other),
        reference=entry.reference,
        id=format_id(entry.op),
    )


class HistoryAnswer(Struct, frozen=True):
    """A page of entries; `cursor` goes on from here, null at the end."""

    entries: list[EntryAnswer]
    cursor: int | None


def tell_history(page: HistoryPage) -> HistoryAnswer:
    return HistoryAnswer([_tell_entry(entry) for entry in page.entries], page.cursor)


class KindTotalAnswer(Struct, frozen=True):
    """What one kind of movement brought and took over a period."""

    kind: str
    entries: int
    received_cents: int
    given_cents: int


class StatementAnswer(Struct, frozen=True):
    """A period of an account: start <= at < end, the oldest entry first."""

    account: str
    start: str
    end: str
    opening_cents: int
    closing_cents: int
    entries: list[EntryAnswer]
    totals: list[KindTotalAnswer]


def tell_statement(statement: Statement) -> StatementAnswer:
    return StatementAnswer(
        account=statement.account,
        start=format_instant(statement.start),
        end=format_instant(statement.end),
        opening_cents=int(statement.opening),
        closing_cents=int(statement.closing),
        entries=[_tell_entry(entry) for entry in statement.entries],
        totals=[
            KindTotalAnswer(str(total.kind), total.entries, total.received, total.given) for total in statement.totals
        ],
    )


# Movements


class CreditLine(Struct, frozen=True, omit_defaults=True):
    """What became of one credit. `status` is done, repeated or refused; a refused one says why."""

    id: str
    status: str
    at: str = ""
    after_cents: int | None = None
    code: str = ""
    facts: dict[str, Fact] = {}
    explanation: str = ""


class DoneLine(Struct, frozen=True, gc=False):
    """A line of which there is nothing more to say: CreditLine without what only refusals have, for a third of its cost."""

    id: str
    status: str
    at: str
    after_cents: int


class CreditAnswer(Struct, frozen=True):
    """One line for each item, in the same order."""

    items: list[CreditLine]


def tell_credit(id_: str, posted: Posted | Refusal, language: str) -> CreditLine:
    if isinstance(posted, Refusal):
        told = explain(posted.code, posted.facts, language)
        return CreditLine(id_, "refused", code=posted.code, facts=posted.facts, explanation=told)
    after = None if posted.credit_after is None else int(posted.credit_after)
    return CreditLine(id_, "repeated" if posted.is_repeat else "done", format_instant(posted.at), after)


def tell_credited(ids: Sequence[str], credited: Credited) -> list[CreditLine]:
    """Tell of lines that were all done, for the first time."""
    at = format_instant(credited.at)
    lines = [DoneLine(id_, "done", at, after) for id_, after in zip(ids, credited.after, strict=True)]
    return cast(list[CreditLine], lines)  # to a caller they are


class ReversalAnswer(Struct, frozen=True):
    """What was taken back of a credit, and what was no longer there."""

    id: str
    credit: str
    at: str
    asked_cents: int
    taken_cents: int
    missing_cents: int
    after_cents: int
    repeated: bool


def tell_reversal(done: Reversed) -> ReversalAnswer:
    return ReversalAnswer(
        id=format_id(done.op),
        credit=format_id(done.undone),
        at=format_instant(done.at),
        asked_cents=int(done.asked),
        taken_cents=int(done.taken),
        missing_cents=int(done.missing),
        after_cents=int(done.after),
        repeated=done.is_repeat,
    )


class ReservationAnswer(Struct, frozen=True):
    """A sum set aside, and how it stands."""

    id: str
    account: str
    cents: int
    expires_at: str
    state: str
    repeated: bool


def tell_reservation(made: Reserved) -> ReservationAnswer:
    return ReservationAnswer(
        id=format_id(made.op),
        account=made.account,
        cents=int(made.cents),
        expires_at=format_instant(made.expires_at),
        state=str(made.state),
        repeated=made.is_repeat,
    )


class ReleaseAnswer(Struct, frozen=True):
    """The reservation holds nothing any more."""

    id: str
    state: str


class OperationAnswer(Struct, frozen=True, omit_defaults=True, rename={"giver": "from"}):
    """What became of an id: posted or refused."""

    id: str
    state: str
    at: str | None
    kind: str = ""
    cents: int | None = None
    giver: str = ""
    to: str = ""
    code: str = ""
    facts: dict[str, Fact] = {}
    explanation: str = ""


def tell_operation(view: OperationView, language: str) -> OperationAnswer:
    return OperationAnswer(
        id=format_id(view.op),
        state=view.state,
        at=_at(view.at),
        kind=str(view.kind or ""),
        cents=None if view.cents is None else int(view.cents),
        giver=_name_of(view.debit),
        to=_name_of(view.credit),
        code=view.code or "",
        facts=view.facts,
        explanation=explain(view.code, view.facts, language) if view.code else "",
    )


# The federation


class CessionAnswer(Struct, frozen=True, gc=False, rename={"giver": "from"}):
    """Where a cession stands, each step with its time; a step that did not happen has none."""

    id: str
    state: str
    cents: int
    giver: str
    to: str
    reference: str
    code: str
    explanation: str
    recall: str
    queued_at: str | None
    cleared_at: str | None
    handed_over_at: str | None
    ended_at: str | None
    national: int | None
    repeated: bool = False


def tell_cession(view: CessionView, home: str, language: str, id_: str = "") -> CessionAnswer:
    """Tell where a cession stands; `id_` is its id as the caller just wrote it, if he did."""
    return CessionAnswer(
        id=id_ or format_id(view.op),
        state=str(view.state),
        cents=view.cents,
        giver=address_of(view.account, home),
        to=view.beneficiary,
        reference=view.reference,
        code=view.code,
        explanation=explain(view.code, {}, language) if view.code else "",
        recall=view.recall,
        queued_at=_at(view.queued_at),
        cleared_at=_at(view.cleared_at),
        handed_over_at=_at(view.handed_at),
        ended_at=_at(view.ended_at),
        national=view.national,
        repeated=view.is_repeat,
    )


def tell_home_cession(view: OperationView, home: str) -> CessionAnswer | None:
    """Return a cession between two accounts of this territory, or None where the id is something else."""
    if view.kind is not PostingKind.CESSION or view.debit is None or view.credit is None or view.cents is None:
        return None
    if isinstance(view.debit, SystemAccount) or isinstance(view.credit, SystemAccount):
        return None
    at = _at(view.at)
    return CessionAnswer(
        id=format_id(view.op),
        state=str(CessionState.DELIVERED),
        cents=int(view.cents),
        giver=address_of(view.debit, home),
        to=address_of(view.credit, home),
        reference=CEDED_AT_HOME,
        code="",
        explanation="",
        recall="",
        queued_at=at,
        cleared_at=at,
        handed_over_at=at,
        ended_at=at,
        national=None,
    )


class CessionLine(Struct, frozen=True, omit_defaults=True):
    """What became of one line. `status` is done, repeated or refused; a refused one says why."""

    id: str
    status: str
    cession: CessionAnswer | None = None
    code: str = ""
    facts: dict[str, Fact] = {}
    explanation: str = ""


class CededLine(Struct, frozen=True):
    """A line that was done: CessionLine without what only refusals have."""

    id: str
    status: str
    cession: CessionAnswer


class CessionsDoneAnswer(Struct, frozen=True):
    """One line for each item, in the same order."""

    items: list[CessionLine]


def tell_ceded(id_: str, done: CessionView | Refusal, home: str, language: str) -> CessionLine:
    if isinstance(done, Refusal):
        told = explain(done.code, done.facts, language)
        return CessionLine(id_, "refused", code=done.code, facts=done.facts, explanation=told)
    line = CededLine(id_, "repeated" if done.is_repeat else "done", tell_cession(done, home, language, id_))
    return cast(CessionLine, line)  # to a caller it is one


class CessionsAnswer(Struct, frozen=True):
    """Cessions sent to other territories, the newest first; `cursor` goes on to older ones."""

    cessions: list[CessionAnswer]
    cursor: int | None


class ArrivalAnswer(Struct, frozen=True, rename={"giver": "from"}):
    """A cession received. `from` is empty where the giver stays anonymous; `id` gives it back."""

    id: str
    reference: str
    account: str
    cents: int
    giver: str
    words: str
    state: str
    code: str
    explanation: str
    at: str


def tell_arrival(row: Any, language: str) -> ArrivalAnswer:
    return ArrivalAnswer(
        id=format_id(bytes(row.op)),
        reference=f"{row.origin}/{row.epoch}/{row.ix}/{row.place}",
        account=row.account,
        cents=row.cents,
        giver=row.giver,
        words=row.words,
        state=row.state,
        code=row.code,
        explanation=explain(row.code, {}, language) if row.code else "",
        at=format_instant(row.at),
    )


class ArrivalsAnswer(Struct, frozen=True):
    """Cessions received, the newest first; `cursor` goes on to older ones."""

    arrivals: list[ArrivalAnswer]
    cursor: int | None


class PayeeAnswer(Struct, frozen=True):
    """Whom an address would reach. `shown` is a masked name, or empty; `takes_rights` is null without an answer."""

    address: str
    answered: bool
    takes_rights: bool | None
    shown: str
    explanation: str


def tell_payee(address: Address, reply: Reply | None, language: str) -> PayeeAnswer:
    said = "nobody" if reply is None else ("takes" if reply.takes_rights else "refuses")
    return PayeeAnswer(
        address=str(address),
        answered=reply is not None,
        takes_rights=None if reply is None else reply.takes_rights,
        shown="" if reply is None else reply.shown,
        explanation=_SAID[said][0 if language == "fr" else 1],
    )


class MemberAnswer(Struct, frozen=True):
    """A member of the federation."""

    member: str
    name: str
    kind: str
    status: str


class DirectoryAnswer(Struct, frozen=True):
    """The members, as this node knows them after `entries` entries of the directory."""

    entries: int
    members: list[MemberAnswer]


def tell_directory(known: Directory) -> DirectoryAnswer:
    return DirectoryAnswer(
        known.size,
        [
            MemberAnswer(member.code, member.name, str(member.kind), str(member.status))
            for member in sorted(known.members.values(), key=lambda one: one.code)
        ],
    )


class SumAnswer(Struct, frozen=True):
    """How many cessions, and their sum."""

    count: int
    cents: int


class TotalsAnswer(Struct, frozen=True):
    """The territory's figures: issued = held at home + in transit + unclaimed + converted + abroad, of home lots."""

    territory: str
    issued_cents: int
    credited_cents: int
    held_home_cents: int
    held_foreign_cents: int
    in_transit_cents: int
    unclaimed_cents: int
    converted_cents: int
    abroad_cents: int
    abroad: dict[str, int]
    by_kind: dict[str, int]
    sent: dict[str, SumAnswer] = field(default_factory=dict)
    received: dict[str, SumAnswer] = field(default_factory=dict)


def tell_totals(totals: Totals, sent: dict[str, tuple[int, int]], received: dict[str, tuple[int, int]]) -> TotalsAnswer:
    return TotalsAnswer(
        territory=totals.territory,
        issued_cents=totals.issued,
        credited_cents=totals.credited,
        held_home_cents=totals.home_held,
        held_foreign_cents=sum(row.cents for row in totals.foreign_held),
        in_transit_cents=totals.home_in_transit + sum(row.cents for row in totals.foreign_in_transit),
        unclaimed_cents=totals.home_unclaimed + sum(row.cents for row in totals.foreign_unclaimed),
        converted_cents=totals.home_converted,
        abroad_cents=sum(row.cents for row in totals.abroad),
        abroad={row.territory: row.cents for row in totals.abroad},
        by_kind={str(kind): cents for kind, cents in totals.by_kind.items()},
        sent={state: SumAnswer(*sums) for state, sums in sent.items()},
        received={state: SumAnswer(*sums) for state, sums in received.items()},
    )
