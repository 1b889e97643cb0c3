"""Open accounts, change their state, show a name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from node.ledger import store, tables
from node.ledger.accounts import AccountKind, AccountState, advance
from node.ledger.desk import Desk, Sheet
from node.ledger.errors import AccountNotEmpty, AccountUnknown, NumberTaken, ProjectStays
from node.ledger.openings import ChangeState, OpenAccount, Opened, ShowName, StateChanged
from node.ledger.posting_service import load_sheets
from protocol.book.rows_store import select_rows
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import AccountNumber


def open_accounts(connection: Connection, desk: Desk, asked: Sequence[OpenAccount]) -> list[Opened | Refusal]:
    """Open an account for each, or give back the one that its id opened."""
    columns = ("op", "number", "kind", "opened_at")
    known = {
        row[0]: Opened(op=row[0], number=row[1], kind=AccountKind(row[2]), opened_at=row[3])
        for row in select_rows(connection, tables.accounts, columns, column="op", values={item.op for item in asked})
    }
    offered = {item.number for item in asked}
    taken = {row[0] for row in select_rows(connection, tables.accounts, ("number",), column="number", values=offered)}
    next_id = store.load_next_account(connection)
    rows: list[tuple[object, ...]] = []
    answers: list[Opened | Refusal] = []
    for item in asked:
        before = known.get(item.op)
        if before is not None:
            if before.kind is not item.kind:
                answers.append(IdMismatch(id=item.op.hex(), field="kind"))
            else:
                answers.append(
                    Opened(
                        op=item.op,
                        number=before.number,
                        kind=before.kind,
                        opened_at=before.opened_at,
                        is_repeat=True,
                    )
                )
        elif item.number in taken:
            answers.append(NumberTaken(number=item.number))
        else:
            rows.append((next_id, item.op, item.number, item.kind, item.shown_name, desk.now))
            next_id += 1
            taken.add(item.number)
            opened = Opened(op=item.op, number=item.number, kind=item.kind, opened_at=desk.now)
            known[item.op] = opened
            answers.append(opened)
    store.insert_accounts(connection, rows)
    return answers


def change_states(connection: Connection, desk: Desk, asked: Sequence[ChangeState]) -> list[StateChanged | Refusal]:
    """Freeze, reopen or close each account. Closing needs it empty, with nothing reserved."""
    store.save_desk(connection, desk)
    load_sheets(connection, desk, {item.account for item in asked})
    answers: list[StateChanged | Refusal] = []
    for item in asked:
        try:
            answers.append(_change_state(connection, desk, item))
        except Refusal as refusal:
            answers.append(refusal)
    return answers


def _change_state(connection: Connection, desk: Desk, item: ChangeState) -> StateChanged:
    sheet = _require_sheet(desk, item.account)
    after = advance(sheet.state, item.event, account=item.account)
    if after is not sheet.state:
        is_closing = after is AccountState.CLOSED
        if is_closing and sheet.kind is AccountKind.PROJECT:
            raise ProjectStays(account=item.account)
        if is_closing and (sheet.cents or sheet.reserved):
            raise AccountNotEmpty(account=item.account, cents=sheet.cents, reserved=sheet.reserved)
        store.save_state(connection, sheet.id, after, desk.now if is_closing else None)
        sheet.state = after
    return StateChanged(account=item.account, state=after)


def show_names(connection: Connection, desk: Desk, asked: Sequence[ShowName]) -> list[ShowName | Refusal]:
    """Show each name, or none, to those who pay the account. A closed account shows no new name."""
    load_sheets(connection, desk, {item.account for item in asked})
    answers: list[ShowName | Refusal] = []
    for item in asked:
        try:
            sheet = _require_sheet(desk, item.account)
            store.save_shown_name(connection, sheet.id, item.shown_name)
            answers.append(item)
        except Refusal as refusal:
            answers.append(refusal)
    return answers


def _require_sheet(desk: Desk, number: AccountNumber) -> Sheet:
    sheet = desk.sheets.get(number)
    if sheet is None:
        raise AccountUnknown(account=number)
    return sheet
