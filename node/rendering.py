"""What programs and people are shown: values of the rooms as JSON. Pure. Amounts stay whole cents, instants ISO 8601."""

from __future__ import annotations

from typing import Any

from node.federation.service import CessionView
from node.ledger.accounts import SystemAccount, describe
from node.ledger.statements import AccountView, Balance, Entry, HistoryPage, OperationView, Statement, Totals
from protocol.identifiers import AccountNumber, Address, TerritoryCode, format_address, format_id
from protocol.running.explanations import explain
from protocol.times import format_instant


def _at(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)


def address_of(number: str, home: str) -> str:
    """Return the public address of an account of this territory."""
    return format_address(Address(AccountNumber(number), TerritoryCode(home)))


def account_row(account: AccountView, home: str) -> dict[str, Any]:
    return {
        "number": account.number,
        "address": address_of(account.number, home),
        "kind": str(account.kind),
        "state": str(account.state),
        "shown_name": account.shown_name,
        "opened_at": _at(account.opened_at),
        "closed_at": _at(account.closed_at),
        "cents": int(account.cents),
        "reserved_cents": int(account.reserved),
        "available_cents": int(account.available),
        "entries": account.length,
    }


def balance_row(balance: Balance) -> dict[str, Any]:
    return {
        "cents": int(balance.cents),
        "reserved_cents": int(balance.reserved),
        "available_cents": int(balance.available),
        "lots": [
            {"issuer": lot.issuer, "month": lot.month, "class": int(lot.lot_class), "cents": int(lot.cents)}
            for lot in balance.lots
        ],
    }


def entry_row(entry: Entry) -> dict[str, Any]:
    other = describe(entry.other) if isinstance(entry.other, SystemAccount) else str(entry.other)
    return {
        "seq": entry.seq,
        "at": _at(entry.at),
        "kind": str(entry.kind),
        "cents": entry.cents,
        "after_cents": int(entry.after),
        "other": other,
        "reference": entry.reference,
        "id": entry.op.hex(),
    }


def history_row(page: HistoryPage) -> dict[str, Any]:
    return {"entries": [entry_row(entry) for entry in page.entries], "cursor": page.cursor}


def statement_row(statement: Statement) -> dict[str, Any]:
    return {
        "account": statement.account,
        "start": _at(statement.start),
        "end": _at(statement.end),
        "opening_cents": int(statement.opening),
        "closing_cents": int(statement.closing),
        "entries": [entry_row(entry) for entry in statement.entries],
        "totals": [
            {
                "kind": str(total.kind),
                "entries": total.entries,
                "received_cents": total.received,
                "given_cents": total.given,
            }
            for total in statement.totals
        ],
    }


def operation_row(view: OperationView, language: str) -> dict[str, Any]:
    row: dict[str, Any] = {"id": format_id(view.op), "state": view.state, "at": _at(view.at)}
    if view.kind is not None:
        row |= {"kind": str(view.kind), "cents": None if view.cents is None else int(view.cents)}
    if view.code:
        row |= {"code": view.code, "explanation": explain(view.code, view.facts, language)}
    return row


def cession_row(view: CessionView, language: str) -> dict[str, Any]:
    """Return where a cession stands, each step with its time."""
    return {
        "id": format_id(view.op),
        "state": str(view.state),
        "cents": view.cents,
        "from": view.account,
        "to": view.beneficiary,
        "reference": view.reference,
        "code": view.code,
        "explanation": explain(view.code, {}, language) if view.code else "",
        "recall": view.recall,
        "queued_at": _at(view.queued_at),
        "cleared_at": _at(view.cleared_at),
        "handed_over_at": _at(view.handed_at),
        "ended_at": _at(view.ended_at),
        "national": view.national,
        "repeated": view.is_repeat,
    }


def totals_row(totals: Totals) -> dict[str, Any]:
    return {
        "territory": totals.territory,
        "issued_cents": totals.issued,
        "credited_cents": totals.credited,
        "held_home_cents": totals.home_held,
        "held_foreign_cents": sum(row.cents for row in totals.foreign_held),
        "in_transit_cents": totals.home_in_transit + sum(row.cents for row in totals.foreign_in_transit),
        "unclaimed_cents": totals.home_unclaimed + sum(row.cents for row in totals.foreign_unclaimed),
        "abroad_cents": sum(row.cents for row in totals.abroad),
        "abroad": {row.territory: row.cents for row in totals.abroad},
        "by_kind": {str(kind): cents for kind, cents in totals.by_kind.items()},
    }
