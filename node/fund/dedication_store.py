"""SQL of what givers bound: what came for each earmark until the end of a day, what was spent of it, what is put aside.

Days are those of the entries, so that a year is told as its books tell it: a transfer that was recognised after New Year came in the
new one, and a payment that the bank sent back after New Year was spent in the old one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from node.fund.bookings import KEPT_ON, BoundSource
from node.fund.books_service import read_entry
from node.fund.chart import JournalRole
from node.fund.chart_store import load_chart
from node.fund.dedications import campaign_code, fund_code, project_code
from node.fund.deposits import DepositState
from node.fund.dues import Share
from node.fund.expectations import Purpose
from node.fund.netting import decode_window
from node.fund.outgoing_payments import read_dues
from node.fund.tables import deposits, due_lots, dues, entries, expectations, payments, windows
from protocol.book.stream_store import stream

Sums = Mapping[BoundSource, Mapping[str, int]]
_DECIDED: Final = "aid-decided"
_WITHDRAWN: Final = "aid-withdrawn"


def load_received(connection: Connection, day: int) -> Sums:
    """Return what came for each earmark until the end of that day (yyyymmdd): of companies and of other funds."""
    found: dict[BoundSource, dict[str, int]] = {source: defaultdict(int) for source in BoundSource}
    booked = _load_days(connection, "deposit")
    for row in connection.execute(
        select(deposits.c.movement, deposits.c.cents, expectations.c.donor, expectations.c.campaign)
        .join(expectations, expectations.c.id == deposits.c.expectation)
        .where(expectations.c.purpose == Purpose.CAMPAIGN, deposits.c.state != DepositState.UNDONE)
    ):
        if booked[row.movement] <= day:
            earmark = campaign_code(bytes(row.donor), row.campaign)
            found[BoundSource.GENEROSITY][earmark] += row.cents
    projects = {
        bytes(row.id): bytes(row.project)
        for row in connection.execute(select(dues.c.id, dues.c.project).where(dues.c.debtor != ""))
    }
    for told in _load_windows(connection, day):
        for id_, other, cents in told:
            if cents > 0:
                # Which project it is for comes with our own order of it, which may be here a day after its window.
                earmark = project_code(projects[id_]) if id_ in projects else fund_code(other)
                found[BoundSource.CONTRIBUTIONS][earmark] += cents
    return found


def load_spent(connection: Connection, day: int) -> Sums:
    """Return what was spent of each earmark until the end of that day: what two officers signed, and what was netted."""
    found: dict[BoundSource, dict[str, int]] = {source: defaultdict(int) for source in BoundSource}
    campaign_of = {
        bytes(row.lot_ref): campaign_code(bytes(row.donor), row.campaign)
        for row in connection.execute(
            select(deposits.c.lot_ref, expectations.c.donor, expectations.c.campaign)
            .join(expectations, expectations.c.id == deposits.c.expectation)
            .where(deposits.c.lot_ref.is_not(None))
        )
    }
    lots: dict[bytes, list[tuple[str, int]]] = defaultdict(list)
    for row in connection.execute(
        select(dues.c.id, due_lots.c.ref, due_lots.c.cents)
        .join(dues, dues.c.no == due_lots.c.due)
        .where(due_lots.c.share == Share.PREFUNDED)
    ):
        lots[bytes(row.id)].append((campaign_of[bytes(row.ref)], row.cents))
    spent = found[BoundSource.GENEROSITY]
    came: dict[bytes, str] = {}
    for told in _load_windows(connection, day):
        for id_, other, cents in told:
            if cents > 0:
                came[id_] = other
            for earmark, some in lots[id_] if cents < 0 else ():
                spent[earmark] += some
    projects = {
        bytes(row.id): bytes(row.project)
        for row in connection.execute(select(dues.c.id, dues.c.project).where(dues.c.debtor != ""))
    }
    decided = _load_decided(connection, day)
    for payment in connection.execute(select(payments.c.id, payments.c.dues)):
        if bytes(payment.id).hex() not in decided:
            continue
        words = read_dues(bytes(payment.dues))
        for due, cents in words.dues:
            if words.share == Share.PREFUNDED:
                for earmark, some in lots[due]:  # all parts of that share are paid at once
                    spent[earmark] += some
            elif words.share == Share.NETTED and due in came:
                found[BoundSource.CONTRIBUTIONS][project_code(projects[due])] += cents
    return found


def load_kept(connection: Connection) -> Sums:
    """Return what the books have put aside for each earmark, over all years."""
    found: dict[BoundSource, dict[str, int]] = {source: defaultdict(int) for source in BoundSource}
    for row in stream(connection, select(entries.c.body).order_by(entries.c.no)):
        entry = read_entry(bytes(row.body))
        chart = load_chart(entry.year.first_on)
        if entry.journal == chart.journals[JournalRole.OPENING]:
            continue
        sources = {chart.account(role).number: source for source, role in KEPT_ON.items()}
        for line in entry.lines:
            source = sources.get(line.account.number)
            if source is not None and line.auxiliary is not None:
                found[source][line.auxiliary.number.removeprefix("A")] += line.credit - line.debit
    return found


def _load_days(connection: Connection, event: str) -> dict[str, int]:
    """Return the first day on which an event was booked, by what it happened to."""
    days: dict[str, int] = {}
    asked = select(entries.c.event, entries.c.day).where(entries.c.event.startswith(f"{event} ", autoescape=True))
    for row in connection.execute(asked):
        subject = row.event.removeprefix(f"{event} ")
        days[subject] = min(row.day, days.get(subject, row.day))
    return days


def _load_windows(connection: Connection, day: int) -> list[list[tuple[bytes, str, int]]]:
    """Return the windows that the books had closed by that day: each due, the other fund, and cents below zero where we owe."""
    booked = _load_days(connection, "window")
    found = []
    for row in connection.execute(select(windows).order_by(windows.c.window_no)):
        if booked[str(row.window_no)] <= day:
            told = decode_window(bytes(row.told))
            found.append(
                [
                    (id_, told.members[other], cents)
                    for id_, other, cents in zip(told.ids, told.others, told.cents, strict=True)
                ]
            )
    return found


def _load_decided(connection: Connection, day: int) -> set[str]:
    """Return the payments, by id in hex, that the books owed or had paid at the end of that day."""
    told: Counter[str] = Counter()
    for event, sign in ((_DECIDED, 1), (_WITHDRAWN, -1)):
        asked = select(entries.c.event).where(
            entries.c.event.startswith(f"{event} ", autoescape=True), entries.c.day <= day
        )
        for row in connection.execute(asked):
            told[row.event.removeprefix(f"{event} ")] += sign
    return {payment for payment, count in told.items() if count > 0}
