"""The companies base adds itself up again, and holds itself against what the other bases signed: invariants as queries.

Every kept figure is computed anew; the first row where the two part is named. `compare_log_with_spent` needs neither
tables of grants nor of refunds: what was told to the accounts and what they answered says what each campaign spent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.partners import store, tables
from node.partners.campaigns import CampaignState
from node.partners.grants import GrantSource, GrantState
from node.partners.purchases_service import holder_day_key
from node.partners.runs import RunState
from node.partners.sales import RefundState, SaleState
from node.partners.seals import SEALED
from node.partners.vouchers import VoucherState
from protocol.book import log_store
from protocol.book.rows_store import select_rows
from protocol.book.seals import compute_seal
from protocol.book.stream_store import stream
from protocol.findings import Checked, Finding
from protocol.house import (
    BaseName,
    EffectTold,
    ExpectationClosed,
    Granted,
    Grants,
    HouseMessage,
    PaymentArrived,
    PaymentCalled,
    PaymentExpected,
    Pledge,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    Refused,
    TakeBack,
    TakenBack,
    decode_house_slip,
)

BUDGETS: Final = "I3"  # no limit below zero
EUROS: Final = "I2"  # miles only because of euros
EFFECTS: Final = "what became of a campaign's miles is what the accounts said last"
_CHUNK: Final = 64
_campaigns = tables.campaigns
_grants = tables.grants
_sales = tables.sales
_vouchers = tables.vouchers
_refunds = tables.refunds
_runs = tables.runs
_rows = tables.run_rows


class _Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    def __init__(self, invariant: str, rule: str) -> None:
        self._invariant = invariant
        self._rule = rule
        self._looked_at = 0
        self._first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        """Look at one place, and note it if what is found is not what is expected."""
        self._looked_at += 1
        if self._first is None and expected != found:
            self._first = Finding(self._invariant, place, str(expected), str(found))

    def close(self) -> Checked:
        return Checked(self._invariant, self._rule, self._looked_at, () if self._first is None else (self._first,))


def check_partners(connection: Connection) -> list[Checked]:
    """Return each invariant of the companies base, on one snapshot, with the first place where it is broken."""
    log = _read_log(connection)
    return [
        _check_budgets(connection),
        _check_sales(connection),
        _check_grants(connection),
        _check_vouchers(connection),
        _check_holder_days(connection),
        _check_runs(connection),
        _check_payments(connection),
        _check_pledges(connection),
        _check_log(connection, log),
        _check_effects(connection, log),
        compare_log_with_spent(connection, log),
        _check_seals(connection),
    ]


def _sums(connection: Connection, statement: Any) -> dict[Any, int]:
    """Return sums by key; keys of bytes as bytes."""
    return {
        bytes(key) if isinstance(key, bytes | memoryview) else key: int(cents)
        for key, cents in connection.execute(statement)
    }


def _check_seals(connection: Connection) -> Checked:
    rule = _Rule("seals", "what stands here alone is as it was written")
    for name, columns in SEALED.items():
        table = tables.metadata.tables[name]
        keys = list(table.primary_key)
        sealed = len(columns)
        wanted = [*(table.c[column] for column in (*columns, "seal")), *keys]
        for row in stream(connection, select(*wanted).order_by(*keys)):
            values = [bytes(value) if isinstance(value, memoryview) else value for value in row[:sealed]]
            is_right = compute_seal(name, values) == bytes(row[sealed])
            place = "" if is_right else f"{name}, {', '.join(map(_show, row[sealed + 1 :]))}"
            rule.compare(place, "as it was sealed", "as it was sealed" if is_right else "changed")
    return rule.close()


def _show(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _check_budgets(connection: Connection) -> Checked:
    rule = _Rule(
        BUDGETS, "a campaign's budget is what it granted, has in tickets and set aside; its euros are payments"
    )
    granted = _sums(
        connection,
        select(_grants.c.campaign_id, func.sum(_grants.c.cents - _grants.c.taken))
        .where(_grants.c.state != GrantState.REFUSED)
        .group_by(_grants.c.campaign_id),
    )
    in_tickets = _sums(
        connection,
        select(_vouchers.c.campaign_id, func.sum(_vouchers.c.cents))
        .where(_vouchers.c.state == VoucherState.OPEN)
        .group_by(_vouchers.c.campaign_id),
    )
    aside = _sums(connection, select(_runs.c.campaign_id, func.sum(_runs.c.aside)).group_by(_runs.c.campaign_id))
    payments = tables.payments
    paid = _sums(
        connection, select(payments.c.campaign_id, func.sum(payments.c.cents)).group_by(payments.c.campaign_id)
    )
    steps = tables.campaign_steps
    states: dict[int, str] = {}
    for campaign_id, state in connection.execute(select(steps.c.campaign_id, steps.c.state).order_by(steps.c.ix)):
        states[campaign_id] = state
    for row in connection.execute(select(_campaigns).order_by(_campaigns.c.id)):
        place = f"campaigns, row {row.id}"
        spent = granted.get(row.id, 0) + in_tickets.get(row.id, 0) + aside.get(row.id, 0)
        rule.compare(place, f"spent {spent}", f"spent {row.spent}")
        rule.compare(place, f"funded {paid.get(row.id, 0)}", f"funded {row.funded}")
        rule.compare(place, states.get(row.id), row.state)
        terms = store.read_terms(row.terms)
        kept = (row.funding, row.ceiling)
        rule.compare(place, f"terms {(str(terms.funding), terms.ceilings.campaign)}", f"terms {kept}")
        is_open = row.state != CampaignState.DRAFT
        if is_open and states.get(row.id) != CampaignState.ENDED:
            rule.compare(place, "a pool", "a pool" if row.pool else "none")
    return rule.close()


def _check_sales(connection: Connection) -> Checked:
    rule = _Rule(EUROS, "each sale has the grant or the ticket that it says, and is refunded by its refunds")
    refunded = _sums(connection, select(_refunds.c.sale_id, func.sum(_refunds.c.cents)).group_by(_refunds.c.sale_id))
    statement = (
        select(
            _sales,
            _grants.c.cents.label("grant_cents"),
            _grants.c.account.label("grant_account"),
            _grants.c.campaign_id.label("grant_campaign"),
            _grants.c.source.label("grant_source"),
            _grants.c.source_id.label("grant_source_id"),
            _vouchers.c.campaign_id.label("voucher_campaign"),
            _vouchers.c.till_id.label("voucher_till"),
        )
        .join_from(_sales, _grants, _grants.c.id == _sales.c.grant_id, isouter=True)
        .join(_vouchers, _vouchers.c.sale_id == _sales.c.id, isouter=True)
        .order_by(_sales.c.id)
    )
    for row in stream(connection, statement):
        place = f"sales, row {row.id}"
        rule.compare(place, f"refunded {refunded.get(row.id, 0)}", f"refunded {row.refunded}")
        if row.state == SaleState.GRANTED:
            expected = (row.granted, row.holder, row.campaign_id, str(GrantSource.SALE), row.id)
            grant = (row.grant_cents, row.grant_account, row.grant_campaign, row.grant_source, row.grant_source_id)
            rule.compare(place, f"grant {expected}", f"grant {grant}")
        is_voucher = row.state == SaleState.VOUCHER
        expected_voucher = (row.campaign_id, row.till_id) if is_voucher else (None, None)
        rule.compare(place, f"ticket {expected_voucher}", f"ticket {(row.voucher_campaign, row.voucher_till)}")
    return rule.close()


def _check_grants(connection: Connection) -> Checked:
    rule = _Rule(EUROS, "each grant has one source, and what refunds asked and took of it")
    of_grant = _refunds.c.grant_id.is_not(None)
    due = _sums(
        connection, select(_refunds.c.grant_id, func.sum(_refunds.c.due)).where(of_grant).group_by(_refunds.c.grant_id)
    )
    taken = _sums(
        connection,
        select(_refunds.c.grant_id, func.sum(_refunds.c.taken)).where(of_grant).group_by(_refunds.c.grant_id),
    )
    statement = (
        select(
            _grants,
            _sales.c.id.label("of_sale"),
            _vouchers.c.sale_id.label("of_voucher"),
            _rows.c.number.label("of_row"),
        )
        .join_from(_grants, _sales, _sales.c.grant_id == _grants.c.id, isouter=True)
        .join(_vouchers, _vouchers.c.grant_id == _grants.c.id, isouter=True)
        .join(_rows, _rows.c.grant_id == _grants.c.id, isouter=True)
        .order_by(_grants.c.id)
    )
    for row in stream(connection, statement):
        id_ = bytes(row.id)
        place = f"grants, {id_.hex()}"
        is_refused = row.state == GrantState.REFUSED
        expected: list[Any] = [
            row.source_id if row.source == source else None
            for source in (GrantSource.SALE, GrantSource.VOUCHER, GrantSource.OPERATION)
        ]
        found = [row.of_sale, row.of_voucher, row.of_row]
        if row.source == GrantSource.VOUCHER and is_refused:
            expected = [None, None, None]  # the ticket was opened again
        rule.compare(place, f"for {expected}", f"for {found}")
        rule.compare(place, f"asked back {due.get(id_, 0)}", f"asked back {row.asked_back}")
        if not is_refused:
            rule.compare(place, f"taken {taken.get(id_, 0)}", f"taken {row.taken}")
    return rule.close()


def _check_vouchers(connection: Connection) -> Checked:
    rule = _Rule(EUROS, "a ticket is worth what its sale gave, less what refunds and a ceiling took")
    # What a grant that stands gave back is not taken from the ticket.
    taken = _sums(
        connection,
        select(_refunds.c.sale_id, func.sum(_refunds.c.taken))
        .join_from(_refunds, _grants, _grants.c.id == _refunds.c.grant_id, isouter=True)
        .where((_refunds.c.grant_id.is_(None)) | (_grants.c.state == GrantState.REFUSED))
        .group_by(_refunds.c.sale_id),
    )
    statement = (
        select(
            _vouchers,
            _sales.c.granted,
            _grants.c.cents.label("grant_cents"),
            _grants.c.account.label("grant_account"),
            _grants.c.campaign_id.label("grant_campaign"),
        )
        .join_from(_vouchers, _sales, _sales.c.id == _vouchers.c.sale_id)
        .join(_grants, _grants.c.id == _vouchers.c.grant_id, isouter=True)
        .order_by(_vouchers.c.sale_id)
    )
    for row in stream(connection, statement):
        place = f"vouchers, sale {row.sale_id}"
        rule.compare(place, f"{row.granted - taken.get(row.sale_id, 0) - row.cut} cents", f"{row.cents} cents")
        if row.state == VoucherState.CLAIMED:
            grant = (row.grant_cents, row.grant_account, row.grant_campaign)
            rule.compare(place, f"grant {(row.cents, row.holder, row.campaign_id)}", f"grant {grant}")
    return rule.close()


def _check_holder_days(connection: Connection) -> Checked:
    rule = _Rule(BUDGETS, "what a holder was given on a day is what its grants of that day are")
    ceilings = {
        row.row: row.campaign.terms.ceilings.day_and_holder is not None for row in store.list_campaigns(connection)
    }
    sums: dict[str, int] = defaultdict(int)
    statement = (
        select(_grants.c.campaign_id, _grants.c.account, _sales.c.day, func.sum(_grants.c.cents - _grants.c.taken))
        .join_from(_grants, _sales, _sales.c.id == _grants.c.source_id)
        .where(_grants.c.source != GrantSource.OPERATION, _grants.c.state != GrantState.REFUSED)
        .group_by(_grants.c.campaign_id, _grants.c.account, _sales.c.day)
    )
    for campaign_id, account, day, cents in stream(connection, statement):
        if ceilings[campaign_id]:
            sums[holder_day_key(campaign_id, account, day)] = int(cents)
    table = tables.holder_days
    for key, cents in stream(connection, select(table.c.key, table.c.cents)):
        rule.compare(f"holder_days, {key}", sums.pop(key, 0), cents)
    for key, cents in sums.items():
        rule.compare(f"holder_days, {key}", cents, 0)
    return rule.close()


def _check_runs(connection: Connection) -> Checked:
    rule = _Rule(BUDGETS, "a file's figures are those of its rows")
    figures = {
        bytes(row[0]): tuple(int(value or 0) for value in row[1:])
        for row in connection.execute(
            select(
                _rows.c.run_id,
                func.count(),
                func.max(_rows.c.number),
                func.count(_rows.c.grant_id),
                func.sum(_rows.c.cents),
            ).group_by(_rows.c.run_id)
        )
    }
    booked = _sums(
        connection,
        select(_rows.c.run_id, func.sum(_grants.c.cents))
        .join_from(_rows, _grants, _grants.c.id == _rows.c.grant_id)
        .group_by(_rows.c.run_id),
    )
    for row in connection.execute(select(_runs).order_by(_runs.c.id)):
        id_ = bytes(row.id)
        place = f"runs, {id_.hex()}"
        count, last, grants, cents = figures.get(id_, (0, 0, 0, 0))
        rule.compare(
            place,
            f"{count} rows to {last}, {cents} cents",
            f"{row.read} rows to {row.loaded}, {row.accepted_cents} cents",
        )
        rule.compare(
            place, "no more grants than rows", "no more grants than rows" if grants <= row.accepted else grants
        )
        if row.state == RunState.BOOKING:
            left = row.accepted_cents - booked.get(id_, 0)
            rule.compare(place, f"{left} cents set aside", f"{row.aside} cents set aside")
        elif row.state != RunState.DONE:
            rule.compare(place, "nothing booked", "nothing booked" if not grants else f"{grants} grants")
    return rule.close()


def _check_payments(connection: Connection) -> Checked:
    rule = _Rule(EUROS, "each payment is one that the fund signed, once and to the cent, and none is missing")
    expectations = tables.expectations
    known = {bytes(row[0]): row[1] for row in connection.execute(select(expectations.c.id, expectations.c.campaign_id))}
    signed: dict[bytes, tuple[Any, ...]] = {}
    references: dict[bytes, tuple[str, str]] = {}
    closed: dict[bytes, int] = {}
    for message in _read(connection, BaseName.FUND, BaseName.PARTNERS):
        if isinstance(message, PaymentExpected):
            references[message.id] = (message.reference, message.iban)
        if isinstance(message, ExpectationClosed):
            closed.setdefault(message.id, message.on)
        if isinstance(message, PaymentArrived) and message.id in known:
            signed.setdefault(message.deposit, (message.id, known[message.id], message.cents, message.on))
    for row in connection.execute(select(tables.payments).order_by(tables.payments.c.deposit)):
        kept = (bytes(row.expectation), row.campaign_id, row.cents, row.on_day)
        deposit = bytes(row.deposit)
        rule.compare(f"payments, {deposit.hex()}", signed.pop(deposit, None), kept)
    for row in connection.execute(select(expectations).order_by(expectations.c.id)):
        id_ = bytes(row.id)
        told_of = (*references.get(id_, ("", "")), closed.get(id_))
        rule.compare(f"expectations, {id_.hex()}", told_of, (row.reference, row.iban, row.closed_on))
    for deposit, told in signed.items():
        rule.compare(f"payments, {deposit.hex()}", told, None)
    return rule.close()


def _check_pledges(connection: Connection) -> Checked:
    rule = _Rule(EUROS, "pledges and calls are what the fund was told and what it signed")
    told = {one.id: one for one in _read(connection, BaseName.PARTNERS, BaseName.FUND) if isinstance(one, Pledge)}
    spent = {one.id: one for one in _read(connection, BaseName.PARTNERS, BaseName.FUND) if isinstance(one, PledgeSpent)}
    heard = list(_read(connection, BaseName.FUND, BaseName.PARTNERS))
    accepted = {one.id for one in heard if isinstance(one, PledgeAccepted)}
    ended = {one.id: (one.released, one.unconverted) for one in heard if isinstance(one, PledgeEnded)}
    last = {one.pledge: one for one in spent.values()}
    of_pledge: dict[bytes, int] = {}
    for row in connection.execute(select(tables.pledges).order_by(tables.pledges.c.campaign_id)):
        id_ = bytes(row.id)
        of_pledge[id_] = row.campaign_id
        place = f"pledges, {id_.hex()}"
        letter = told.pop(id_, None)
        rule.compare(place, None if letter is None else (letter.cents, letter.until), (row.cents, row.until))
        rule.compare(place, id_ in accepted, row.accepted_at is not None)
        end = last.get(id_)
        rule.compare(place, None if end is None else end.cents, row.told_spent)
        rule.compare(place, None if end is None else end.id, None if row.told_id is None else bytes(row.told_id))
        released = (None, None) if end is None else ended.get(end.id, (None, None))
        rule.compare(place, released, (row.released, row.unconverted))
    for id_ in told:
        rule.compare(f"pledges, {id_.hex()}", "told to the fund", "not here")
    _compare_calls(connection, rule, heard, of_pledge)
    return rule.close()


def _compare_calls(
    connection: Connection, rule: _Rule, heard: Sequence[HouseMessage], of_pledge: Mapping[bytes, int]
) -> None:
    called: dict[bytes, PaymentCalled] = {}
    for message in heard:
        if isinstance(message, PaymentCalled):
            called.setdefault(message.id, message)
    parts: dict[bytes, dict[int, int]] = defaultdict(dict)
    for row in connection.execute(select(tables.call_parts)):
        parts[bytes(row.call)][row.campaign_id] = row.cents
    for row in connection.execute(select(tables.calls).order_by(tables.calls.c.id)):
        id_ = bytes(row.id)
        told = called.pop(id_, None)
        place = f"calls, {id_.hex()}"
        terms = None if told is None else (told.month, told.cents, told.due, told.reference, told.iban)
        rule.compare(place, terms, (row.month, row.cents, row.due, row.reference, row.iban))
        if told is not None:
            wanted = {of_pledge[one]: cents for one, cents in zip(told.pledges, told.parts, strict=True)}
            rule.compare(place, wanted, parts[id_])
    for id_ in called:
        rule.compare(f"calls, {id_.hex()}", "called by the fund", "not here")
    known = {bytes(id_) for id_ in connection.execute(select(tables.calls.c.id)).scalars()}
    arrived: dict[bytes, tuple[bytes, int, int]] = {}
    for message in heard:
        if isinstance(message, PaymentArrived) and message.id in known:
            arrived.setdefault(message.deposit, (message.id, message.cents, message.on))
    for row in connection.execute(select(tables.call_payments).order_by(tables.call_payments.c.deposit)):
        deposit = bytes(row.deposit)
        place = f"call_payments, {deposit.hex()}"
        rule.compare(place, arrived.pop(deposit, None), (bytes(row.call), row.cents, row.on_day))
    for deposit in arrived:
        rule.compare(f"call_payments, {deposit.hex()}", "told by the fund", "not here")


@dataclass(slots=True)
class _Log:
    """What the accounts were told and answered, in sums: grants are counted, what is rare is kept by its id."""

    lines: int = 0
    granted: int = 0
    told: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # cents by pool, less what was refused
    refused: dict[bytes, str] = field(default_factory=dict)  # the code
    take_backs: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)  # the grant, and cents
    taken: dict[bytes, int] = field(default_factory=dict)
    pools: dict[bytes, str] = field(default_factory=dict)  # of grants that something was asked back of
    effects: dict[tuple[bytes, str, bytes], EffectTold] = field(default_factory=dict)  # the last word


def _read_log(connection: Connection) -> _Log:
    log = _Log()
    for message in _read(connection, BaseName.ACCOUNTS, BaseName.PARTNERS):
        match message:
            case Granted():
                log.granted += len(message.ids)
            case Refused():
                log.refused.setdefault(message.id, message.code)
            case TakenBack():
                log.taken.setdefault(message.id, message.cents)
            case EffectTold():
                log.effects[message.campaign, message.territory, message.project] = message
    for message in _read(connection, BaseName.PARTNERS, BaseName.ACCOUNTS):
        match message:
            case Grants():
                log.lines += len(message.ids)
                log.told[message.pool] += sum(
                    cents for id_, cents in zip(message.ids, message.cents, strict=True) if id_ not in log.refused
                )
            case TakeBack():
                log.take_backs[message.id] = (message.grant, message.cents)
    wanted = {grant for grant, _ in log.take_backs.values()}
    if wanted:
        for message in _read(connection, BaseName.PARTNERS, BaseName.ACCOUNTS):
            if isinstance(message, Grants):
                log.pools.update(dict.fromkeys(wanted.intersection(message.ids), message.pool))
    return log


def _check_log(connection: Connection, log: _Log) -> Checked:
    rule = _Rule(
        EUROS, "each grant and refund here is what the accounts were told and answered, and nothing else was told"
    )
    pools = {row.id: row.pool for row in connection.execute(select(_campaigns.c.id, _campaigns.c.pool))}
    columns = ("id", "campaign_id", "account", "cents", "state", "code")
    for message in _read(connection, BaseName.PARTNERS, BaseName.ACCOUNTS):
        if not isinstance(message, Grants):
            continue
        kept = {
            bytes(row[0]): (pools[row[1]], *row[2:])
            for row in select_rows(connection, _grants, columns, column="id", values=message.ids)
        }
        for id_, account, cents in zip(message.ids, message.accounts, message.cents, strict=True):
            place = f"grants, {id_.hex()}"
            pool, to, sum_, state, code = kept.get(id_, (None, None, None, None, ""))
            rule.compare(place, (message.pool, account, cents), (pool, to, sum_))
            refused = log.refused.get(id_, "")
            is_refused = state == GrantState.REFUSED
            rule.compare(
                place,
                f"refused: {refused}" if refused else "not refused",
                f"refused: {code}" if is_refused else "not refused",
            )
    for message in _read(connection, BaseName.ACCOUNTS, BaseName.PARTNERS):
        if isinstance(message, Granted):
            states = select_rows(connection, _grants, ("id", "state"), column="id", values=message.ids)
            for id_, state in states:
                rule.compare(f"grants, {bytes(id_).hex()}", GrantState.GRANTED, state)
    place = f"log {BaseName.PARTNERS} to {BaseName.ACCOUNTS}"
    counts = _sums(connection, select(_grants.c.state, func.count()).group_by(_grants.c.state))
    rule.compare(place, f"{log.lines} grants", f"{sum(counts.values())} grants")
    rule.compare(place, f"{log.granted} granted", f"{counts.get(GrantState.GRANTED, 0)} granted")
    refunds = connection.execute(select(_refunds).where(_refunds.c.take_back.is_not(None)).order_by(_refunds.c.id))
    seen = 0
    for row in refunds:
        id_ = bytes(row.take_back)
        place = f"refunds, row {row.id}"
        seen += 1
        rule.compare(place, log.take_backs.get(id_), (bytes(row.grant_id), row.due))
        if bytes(row.grant_id) in log.refused:
            continue  # of a refused grant nothing came back: its ticket, if it had one, was worth so much less
        is_answered = id_ in log.taken or id_ in log.refused
        rule.compare(place, RefundState.DONE if is_answered else RefundState.ASKED, row.state)
        rule.compare(place, f"{log.taken.get(id_, 0)} cents taken back", f"{row.taken} cents taken back")
    rule.compare(f"log {BaseName.PARTNERS} to {BaseName.ACCOUNTS}", f"{len(log.take_backs)} refunds", f"{seen} refunds")
    return rule.close()


def _check_effects(connection: Connection, log: _Log) -> Checked:
    rule = _Rule(EUROS, EFFECTS)
    table = tables.effects
    known = {bytes(uid): row for row, uid in connection.execute(select(_campaigns.c.id, _campaigns.c.uid))}
    wanted = {
        (known[one.campaign], one.territory, one.project): (
            *(one.title, one.waiting, one.converted, one.paid, one.netted, one.confirmed),
        )
        for one in log.effects.values()
        if one.campaign in known
    }
    for row in connection.execute(select(table).order_by(table.c.campaign_id, table.c.territory, table.c.project)):
        project = bytes(row.project)
        kept = (row.title, row.waiting, row.converted, row.paid, row.netted, row.confirmed)
        place = f"effects, campaign {row.campaign_id}, {row.territory}, {project.hex()}"
        rule.compare(place, wanted.pop((row.campaign_id, row.territory, project), None), kept)
    for (campaign, territory, project), told in wanted.items():
        rule.compare(f"effects, campaign {campaign}, {territory}, {project.hex()}", told, None)
    return rule.close()


def compare_log_with_spent(connection: Connection, log: _Log | None = None) -> Checked:
    """Hold what each campaign spent against the log alone: granted or told, less what came back, and what waits.

    What waits is in no log yet: tickets that nobody claimed, and rows of files that are not booked.
    """
    rule = _Rule(EUROS, "what a campaign spent is what its pool was told to give, less refused and taken back")
    log = log or _read_log(connection)
    spent: dict[str, int] = defaultdict(int, log.told)
    for id_, (grant, _) in log.take_backs.items():
        if grant in log.pools and grant not in log.refused:
            spent[log.pools[grant]] -= log.taken.get(id_, 0)
    for row in connection.execute(select(_campaigns).where(_campaigns.c.pool.is_not(None)).order_by(_campaigns.c.id)):
        tickets = connection.execute(
            select(func.sum(_vouchers.c.cents)).where(
                _vouchers.c.campaign_id == row.id, _vouchers.c.state == VoucherState.OPEN
            )
        ).scalar()
        aside = connection.execute(select(func.sum(_runs.c.aside)).where(_runs.c.campaign_id == row.id)).scalar()
        total = spent[row.pool] + int(tickets or 0) + int(aside or 0)
        rule.compare(f"campaigns, row {row.id}", f"spent {total}", f"spent {row.spent}")
    return rule.close()


def _read(connection: Connection, owner: str, reader: str) -> Iterator[HouseMessage]:
    log = log_store.open_log_or_empty(connection, owner, reader)
    for start in range(0, log.size, _CHUNK):
        for leaf in log_store.load_leaves(connection, log.id, start, _CHUNK):
            yield from decode_house_slip(leaf).messages
