"""What each `citizen-miles node fund` command does in the process that holds the fund's book."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from node.fund import movement_store
from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.books_service import balance_rows, find_year_of, load_entries
from node.fund.chart import JournalRole
from node.fund.chart_store import load_chart
from node.fund.checks import check_fund
from node.fund.days import day_at, day_of, number_of, parse_day
from node.fund.debit_service import (
    ChangeMandate,
    NewMandate,
    find_mandate,
    load_collections,
    load_debits,
    load_mandates,
)
from node.fund.declaration_csv import (
    write_company_sheet,
    write_foreign_resources,
    write_liberalities,
    write_receipts_register,
    write_redistributions,
)
from node.fund.declaration_service import load_company_sheet, load_prefect_list
from node.fund.declarations import FiscalYear, compute_due_date, declare_receipts
from node.fund.deposit_service import load_deposits
from node.fund.donor_service import find_donor, keep_individual, load_sheet
from node.fund.expectation_service import Announce, load_expectation, load_expectations
from node.fund.expectations import Expectation, Purpose
from node.fund.fec import write_fec
from node.fund.fec_checks import check_fec
from node.fund.fec_description import describe_fec
from node.fund.fund_errors import CollectionLeft, NothingToCollect
from node.fund.issued_receipts import IssuedReceipt
from node.fund.letters import require_language, write_notice, write_reminder
from node.fund.monthly_gifts import MandateState, read_shares
from node.fund.outgoing_payments import WORDS_VERSION, IbanWords, Words
from node.fund.payment_qr import PaymentRequest, draw_svg, write_payload
from node.fund.payment_service import Bearer, NewOfficer, RevokeOfficer, Signed, load_payments
from node.fund.payment_status import read_status
from node.fund.receipt_pages import draw_pdf
from node.fund.receipt_parameters_store import load_company_threshold, load_due_rule, load_form
from node.fund.receipt_service import CancelReceipt, CopyReceipt, IssueReceipt, load_all_issued, load_issued
from node.fund.receipts import Individual, PostalAddress
from node.fund.recovery_service import StateNumbers, find_left
from node.fund.references import require_iban
from node.fund.reminder_service import Close
from node.fund.statement_csv import CsvMapping, read_csv
from node.fund.statement_service import BankFile, Decide, Taken, digest_of, read_bank_file
from node.fund.statements import Balance
from node.fund.tables import bearers, donors, officers, orders
from node.fund.uses_and_resources import compute_origin_and_destination, compute_uses_of_public_generosity
from node.fund_app import FundApp
from node.fund_due_admin_commands import DUE_COMMANDS
from node.fund_pledge_admin_commands import PLEDGE_COMMANDS
from node.fund_words import read_bytes, read_words, show_words
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import InvalidAddress, Malformed, Refusal
from protocol.exchange.client import HttpTransport
from protocol.findings import Checked
from protocol.house import BaseName, Donor
from protocol.identifiers import Id16, parse_address, parse_id, require_number
from protocol.running.admin_client import Command
from protocol.times import format_instant

Asked = Mapping[str, Any]
ROWS_MAX: Final = 500


def _day(number: int | None) -> str:
    return "" if number is None else day_of(number).isoformat()


def read_pool(text: str, home: str) -> str:
    """Return the number of a pool of this territory. Raises InvalidAddress."""
    if "@" not in text:
        return require_number(text)
    address = parse_address(text)
    if address.territory != home:
        raise InvalidAddress(address=text, reason=f"an account of {home}")
    return address.number


# ---------------------------------------------------------------- donors and what is expected


def _show_expectation(one: Expectation) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "reference": one.reference,
        "purpose": one.purpose,
        "donor": one.donor.hex(),
        "campaign": one.campaign,
        "cents": one.cents,
        "received_cents": one.received,
        "left_cents": one.left,
        "due": _day(one.due),
        "state": one.state,
    }


async def _donors(app: FundApp, _asked: Asked) -> Any:
    def find(connection: Connection) -> list[dict[str, Any]]:
        rows = connection.execute(select(donors).order_by(donors.c.name).limit(ROWS_MAX)).all()
        return [{"id": bytes(row.id).hex(), "kind": row.kind, "siren": row.siren, "name": row.name} for row in rows]

    return await app.book.read(find)


async def _donor_add(app: FundApp, asked: Asked) -> Any:
    person = Individual(
        name=asked["name"],
        first_name=asked["first_name"],
        address=PostalAddress(street=asked["street"], postcode=asked["postcode"], town=asked["town"]),
    )
    id_ = parse_id(asked["id"])

    def keep(page: Page, items: Sequence[Individual]) -> list[Any]:
        for item in items:
            keep_individual(page, id_, item)
        return [None for _ in items]

    await app.book.write(keep, person)
    return {"id": id_.hex(), "name": f"{person.first_name} {person.name}"}


async def _company_add(app: FundApp, asked: Asked) -> Any:
    month, _, day = asked["year_end"].partition("-")
    if not (month.isdigit() and day.isdigit() and 1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        raise Malformed(field="year_end", reason="written mm-dd")
    told = Donor(
        parse_id(asked["id"]),
        asked["siren"],
        asked["name"],
        asked["legal_form"],
        (asked["street"],),
        asked["postcode"],
        asked["town"],
        asked.get("country", "FR"),
        (int(month), int(day)),
    )
    await app.book.write(app.fund.keep_companies, told)
    return {"id": told.id.hex(), "siren": told.siren, "name": told.name}


async def _expect(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    found = await app.book.write(
        app.fund.announce,
        Announce(
            id=parse_id(asked["id"]),
            purpose=Purpose.CAMPAIGN,
            donor=donor,
            cents=Cents(require_amount(asked["cents"])),
            due=number_of(parse_day(asked["due"])),
            campaign=asked["campaign"],
            lot_class=asked["lot_class"],
            restriction=asked["restriction"],
            pool=read_pool(asked["pool"], app.home),
        ),
    )
    return _show_expectation(found)


async def _expect_gift(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    found = await app.book.write(
        app.fund.announce,
        Announce(
            id=parse_id(asked["id"]),
            purpose=Purpose.GIFT,
            donor=donor,
            cents=Cents(require_amount(asked["cents"])),
            due=number_of(parse_day(asked["due"])),
        ),
    )
    return _show_expectation(found)


async def _mandate_add(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    row = await app.book.write(
        app.fund.debits.keep_mandates,
        NewMandate(
            id=parse_id(asked["id"]),
            donor=donor,
            holder_name=asked["holder"],
            iban=require_iban(asked["iban"]),
            signed_on=parse_day(asked["signed_on"]),
            shares=tuple((str(label), Cents(cents)) for label, cents in asked["shares"]),
            umr=asked.get("umr", ""),
        ),
    )
    return _show_mandate(row)


def _show_mandate(row: Any) -> dict[str, Any]:
    return {
        "id": bytes(row.id).hex(),
        "umr": row.umr,
        "donor": bytes(row.donor).hex(),
        "holder": row.holder_name,
        "iban": row.iban,
        "signed_on": _day(row.signed_on),
        "cents": row.cents,
        "shares": read_shares(row.shares),
        "state": row.state,
    }


async def _mandates(app: FundApp, _asked: Asked) -> Any:
    return [_show_mandate(row) for row in (await app.book.read(load_mandates))[-ROWS_MAX:]]


async def _mandate_change(app: FundApp, asked: Asked) -> Any:
    id_ = await app.book.read(lambda line: find_mandate(line, asked["mandate"]))
    change = ChangeMandate(id=id_, state=MandateState(asked["state"]))
    return _show_mandate(await app.book.write(app.fund.debits.change_mandates, change))


async def _collect(app: FundApp, asked: Asked) -> Any:
    today = day_at(app.book.clock())
    run = await app.book.write(app.fund.debits.catch_up, today)
    wanted = asked.get("month")
    rows = await app.book.read(load_collections)
    found = [row for row in rows if row.body is not None and (not wanted or row.month == wanted)]
    if not found:
        raise NothingToCollect(day=today.isoformat())
    last = found[-1]
    if await app.book.read(lambda line: find_left(line, last.month)):
        raise CollectionLeft(month=last.month)
    return {
        "collection": last.id,
        "month": last.month,
        "collected_on": _day(last.collected_on),
        "debits": last.debits,
        "cents": last.cents,
        "announced": run.announced,
        "lapsed": run.lapsed,
        "xml": bytes(last.body).decode(),
    }


async def _collections(app: FundApp, _asked: Asked) -> Any:
    return [
        {
            "collection": row.id,
            "month": row.month,
            "announced_on": _day(row.announced_on),
            "collected_on": _day(row.collected_on),
            "state": row.state,
            "debits": row.debits,
            "cents": row.cents,
        }
        for row in await app.book.read(load_collections)
    ]


async def _gift_debits(app: FundApp, asked: Asked) -> Any:
    """The debits of a month, with what each donor is told beforehand."""
    rows = await app.book.read(load_collections)
    months = {row.month: row for row in rows}
    collection = months.get(asked.get("month") or max(months, default=0))
    if collection is None:
        raise NothingToCollect(day=day_at(app.book.clock()).isoformat())
    told = await app.book.read(lambda line: load_debits(line, collection.month))
    return [
        {
            "umr": row.umr,
            "holder": row.holder_name,
            "cents": row.cents,
            "shares": read_shares(row.shares),
            "state": row.state,
            "code": row.code,
            "end_to_end_id": row.end_to_end_id,
            "notice": write_notice(
                asked.get("language", "fr"),
                fund=app.settings.name,
                creditor_id=app.settings.creditor_id,
                umr=row.umr,
                iban=row.iban,
                cents=row.cents,
                on=day_of(collection.collected_on),
            ),
        }
        for row in told
    ]


async def _expected(app: FundApp, asked: Asked) -> Any:
    found = await app.book.read(lambda line: load_expectations(line, open_only=asked.get("open_only", False)))
    return [_show_expectation(one) for one in found[-ROWS_MAX:]]


async def _overdue(app: FundApp, asked: Asked) -> Any:
    today = number_of(day_at(app.book.clock()))
    told = await app.book.read(lambda line: app.fund.reminders.load_overdue(line, today))
    shown = []
    for one in told[:ROWS_MAX]:
        row = _show_expectation(one.expectation) | {"donor_name": one.donor_name}
        first, second = (*(_day(day) for day in one.reminders), "", "")[:2]
        row |= {"first_reminder": first, "second_reminder": second, "next_reminder_from": _day(one.next_on)}
        shown.append(row)
    if asked.get("due_only"):
        shown = [row for row in shown if row["next_reminder_from"] and row["next_reminder_from"] <= _day(today)]
    return shown


async def _remind(app: FundApp, asked: Asked) -> Any:
    language = asked.get("language", "fr")
    require_language(language)  # before it is noted as sent
    told = await app.book.write(app.fund.reminders.remind, Id16(read_bytes(asked["id"])))
    one, account = told.expectation, app.settings.account
    rank = len(told.reminders)
    letter = write_reminder(
        language,
        rank,
        fund=app.settings.name,
        holder=account.name,
        iban=account.iban,
        reference=one.reference,
        cents=one.cents,
        received=one.received,
        due=day_of(one.due),
        before=day_of(told.reminders[0]) if rank > 1 else None,
    )
    return _show_expectation(one) | {"reminder": rank, "day": _day(told.reminders[-1]), "letter": letter}


async def _expectation_close(app: FundApp, asked: Asked) -> Any:
    close = Close(id=Id16(read_bytes(asked["id"])), by=asked["by"], reason=asked["reason"])
    return _show_expectation(await app.book.write(app.fund.reminders.close, close))


async def _payment_qr(app: FundApp, asked: Asked) -> Any:
    one = await app.book.read(lambda connection: load_expectation(connection, read_bytes(asked["id"])))
    account = app.settings.account
    payload = write_payload(
        PaymentRequest(name=account.name, iban=account.iban, cents=one.left, reference=one.reference, bic=account.bic)
    )
    return {"reference": one.reference, "cents": one.left, "svg": draw_svg(payload)}


def _decision(asked: Asked) -> Id16 | None:
    """Return the caller's id of a decision, where it has one."""
    return parse_id(asked["id"]) if asked.get("id") else None


# ---------------------------------------------------------------- what the bank says


def _show_taken(taken: Taken) -> dict[str, Any]:
    return {
        "statements": taken.statements,
        "repeated": taken.repeated,
        "new": taken.new,
        "known": taken.known,
        "deposited_cents": taken.deposited,
        "waiting": list(taken.waiting),
        **{f"as_{meaning}": count for meaning, count in sorted(taken.meanings.items())},
    }


async def _import(app: FundApp, asked: Asked) -> Any:
    data = base64.b64decode(asked["data"])
    account = app.settings.account.iban
    bytes_max = app.settings.statement_bytes_max
    if "mapping" in asked:
        told = read_csv(
            data,
            mapping=CsvMapping(**asked["mapping"]),
            iban=account,
            id=asked["statement_id"],
            sequence=asked.get("sequence"),
            opening=Balance(cents=asked["opening"], day=parse_day(asked["opening_on"])),
            closing=Balance(cents=asked["closing"], day=parse_day(asked["closing_on"])),
            bytes_max=bytes_max,
        )
        file = BankFile((told,), digest_of(data))
    else:
        file = read_bank_file(data, account=account, bytes_max=bytes_max)
    return _show_taken(await app.book.write(app.fund.statements.take, file))


async def _movements(app: FundApp, asked: Asked) -> Any:
    waiting_only = bool(asked.get("waiting_only", False))
    rows = await app.book.read(lambda line: movement_store.load_rows(line, waiting_only=waiting_only, limit=ROWS_MAX))
    return [
        {
            "movement": row.id,
            "booked_on": _day(row.booked_on),
            "cents": row.cents,
            "waiting_cents": row.waiting,
            "meaning": row.meaning,
            "why": row.why,
            "counterpart": row.counterpart_name,
            "iban": row.counterpart_iban,
            "words": row.words,
            "candidates": msgspec.json.decode(row.candidates),
            "decided_by": row.decided_by,
        }
        for row in rows
    ]


async def _decide(app: FundApp, asked: Asked) -> Any:
    expectation = asked.get("expectation")
    cents = asked.get("cents")
    taken = await app.book.write(
        app.fund.statements.decide,
        Decide(
            movement=asked["movement"],
            by=asked["by"],
            expectation=Id16(read_bytes(expectation)) if expectation else None,
            cents=None if cents is None else Cents(cents),
            reason=asked.get("reason", ""),
            is_fee=bool(asked.get("is_fee", False)),
            debit=asked.get("debit", ""),
            id=_decision(asked),
        ),
    )
    return {"movement": asked["movement"], "deposited_cents": taken.deposited}


async def _deposits(app: FundApp, _asked: Asked) -> Any:
    rows = await app.book.read(load_deposits)
    return [
        {
            "id": bytes(row.id).hex(),
            "received_on": _day(row.received_on),
            "cents": row.cents,
            "state": row.state,
            "lot": "" if row.lot_ref is None else bytes(row.lot_ref).hex(),
            "code": row.code,
            "receipt": row.receipt or "",
        }
        for row in rows[-ROWS_MAX:]
    ]


# ---------------------------------------------------------------- what is paid out


async def _officers(app: FundApp, _asked: Asked) -> Any:
    rows = await app.book.read(lambda line: line.execute(select(officers).order_by(officers.c.made_at)).all())
    return [
        {
            "key": bytes(row.key).hex(),
            "name": row.name,
            "since": format_instant(row.made_at),
            "revoked": "" if row.revoked_at is None else format_instant(row.revoked_at),
        }
        for row in rows
    ]


async def _officer_add(app: FundApp, asked: Asked) -> Any:
    new = NewOfficer(key=read_bytes(asked["key"]), name=asked["name"], signing=read_bytes(asked["signing"]))
    await app.book.write(app.fund.payments.add_officers, new)
    return {"key": new.key.hex(), "name": new.name}


async def _officer_revoke(app: FundApp, asked: Asked) -> Any:
    key = await app.book.write(
        app.fund.payments.revoke_officers, RevokeOfficer(key=read_bytes(asked["key"]), id=_decision(asked))
    )
    return {"key": key.hex(), "revoked": True}


async def _bearers(app: FundApp, _asked: Asked) -> Any:
    rows = await app.book.read(lambda line: line.execute(select(bearers).order_by(bearers.c.name)).all())
    return [
        {
            "id": bytes(row.id).hex(),
            "name": row.name,
            "registry": row.registry,
            "category": row.category,
            "proof": row.proof,
            "proven_until": _day(row.proven_until),
            "holder": row.holder_name,
            "iban": row.iban,
        }
        for row in rows
    ]


async def _bearer_add(app: FundApp, asked: Asked) -> Any:
    one = Bearer(
        id=parse_id(asked["id"]),
        name=asked["name"],
        registry=asked["registry"],
        category=asked["category"],
        proof=asked["proof"],
        proven_until=number_of(parse_day(asked["proven_until"])),
        holder_name=asked["holder"],
        iban=require_iban(asked["iban"]),
        seat=asked.get("seat", ""),
        mail=asked.get("mail", ""),
        phone=asked.get("phone", ""),
    )
    await app.book.write(app.fund.payments.keep_bearers, one)
    return {"id": one.id.hex(), "name": one.name}


async def _payment_words(app: FundApp, asked: Asked) -> Any:
    words = await app.book.read(
        lambda line: app.fund.payments.make_words(
            line,
            parse_id(asked["id"]),
            Id16(read_bytes(asked["bearer"])),
            Cents(asked["cents"]),
            asked["text"],
            asked["decision"],
        )
    )
    return show_words(words)


async def _refund_words(app: FundApp, asked: Asked) -> Any:
    cents = asked.get("cents")
    words = await app.book.read(
        lambda line: app.fund.payments.make_refund_words(
            line,
            parse_id(asked["id"]),
            asked["movement"],
            None if cents is None else Cents(cents),
            asked["text"],
            asked["decision"],
        )
    )
    return show_words(words)


def _signed(asked: Asked, words: Words) -> Signed:
    return Signed(words=words, officer=read_bytes(asked["officer"]), signature=read_bytes(asked["signature"]))


async def _payment_sign(app: FundApp, asked: Asked) -> Any:
    told = asked["words"]
    words = read_words(told)
    state = await app.book.write(app.fund.payments.sign, _signed(asked, words))
    return {"id": told["id"], "cents": words.cents, "state": str(state)}


async def _iban_words(app: FundApp, asked: Asked) -> Any:
    return {
        "version": WORDS_VERSION,
        "fund": app.fund.code,
        "id": parse_id(asked["id"]).hex(),
        "bearer": asked["bearer"],
        "holder_name": asked["holder"],
        "iban": require_iban(asked["iban"]),
    }


async def _iban_sign(app: FundApp, asked: Asked) -> Any:
    told = asked["words"]
    words = IbanWords(**told | {"id": read_bytes(told["id"]), "bearer": read_bytes(told["bearer"])})
    waits = await app.book.write(app.fund.payments.change_ibans, _signed(asked, words))
    return {"id": told["id"], "waits_for": waits}


async def _payments(app: FundApp, _asked: Asked) -> Any:
    rows = await app.book.read(load_payments)
    return [
        {
            "id": bytes(row.id).hex(),
            "holder": row.holder_name,
            "cents": row.cents,
            "words": row.words,
            "decision": row.decision,
            "state": row.state,
            "signatures": row.signed,
            "order": row.order_id or "",
            "end_to_end_id": row.end_to_end_id,
            "code": row.code,
        }
        for row in rows[-ROWS_MAX:]
    ]


async def _payment_cancel(app: FundApp, asked: Asked) -> Any:
    state = await app.book.write(app.fund.payments.cancel, Id16(read_bytes(asked["id"])))
    return {"id": asked["id"], "state": str(state)}


async def _order(app: FundApp, asked: Asked) -> Any:
    day = parse_day(asked["day"]) if asked.get("day") else day_at(app.book.clock())
    made = await app.book.write(app.fund.payments.order, day)
    return {
        "order": made.id,
        "day": made.day.isoformat(),
        "payments": made.count,
        "cents": made.cents,
        "xml": made.body.decode(),
    }


async def _orders(app: FundApp, _asked: Asked) -> Any:
    rows = await app.book.read(lambda line: line.execute(select(orders).order_by(orders.c.day)).all())
    return [{"order": row.id, "day": _day(row.day), "payments": row.transfers, "cents": row.cents} for row in rows]


async def _report(app: FundApp, asked: Asked) -> Any:
    report = read_status(base64.b64decode(asked["data"]), bytes_max=app.settings.statement_bytes_max)
    changed = await app.book.write(app.fund.payments.take_report, report)
    changed += await app.book.write(app.fund.debits.take_report, report)
    return {"order": report.message_id, "rejected": changed}


async def _state_numbers(app: FundApp, asked: Asked) -> Any:
    told = StateNumbers(
        by=asked["by"],
        last_receipt=asked["receipt"],
        last_order=asked["order"],
        last_collection=asked["collection"],
        order_file=base64.b64decode(asked.get("order_file", "")),
    )
    stated = await app.book.write(app.fund.recoveries.state, told)
    return {"void_receipts": list(stated.void), "order_taken_back": stated.order}


# ---------------------------------------------------------------- receipts and declarations


def _show_receipt(issued: IssuedReceipt) -> dict[str, Any]:
    receipt = issued.receipt
    donor = receipt.donor
    return {
        "number": str(receipt.number),
        "donor": f"{donor.first_name} {donor.name}" if isinstance(donor, Individual) else donor.name,
        "cents": receipt.cents,
        "from": receipt.first_on.isoformat(),
        "to": receipt.last_on.isoformat(),
        "issued_on": receipt.issued_on.isoformat(),
        "form": receipt.form_version,
        "state": str(issued.state),
        "duplicates": len(issued.duplicates),
    }


def _draw(app: FundApp, issued: IssuedReceipt) -> str:
    form = load_form(issued.receipt.kind, issued.receipt.form_version)
    return base64.b64encode(draw_pdf(issued, form=form, node=app.settings.public_url)).decode()


async def _receipt_issue(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    issued = await app.book.write(
        app.fund.receipts.issue,
        IssueReceipt(
            donor=donor,
            first_on=parse_day(asked["from"]),
            last_on=parse_day(asked["to"]),
            replaces=asked.get("replaces", ""),
            id=_decision(asked),
        ),
    )
    return _show_receipt(issued) | {"pdf": _draw(app, issued)}


async def _receipt_copy(app: FundApp, asked: Asked) -> Any:
    issued = await app.book.write(app.fund.receipts.copy, CopyReceipt(number=asked["number"], id=_decision(asked)))
    return _show_receipt(issued) | {"pdf": _draw(app, issued)}


async def _receipt_cancel(app: FundApp, asked: Asked) -> Any:
    issued = await app.book.write(
        app.fund.receipts.cancel, CancelReceipt(number=asked["number"], reason=asked["reason"], id=_decision(asked))
    )
    return _show_receipt(issued)


async def _receipt_show(app: FundApp, asked: Asked) -> Any:
    issued = await app.book.read(lambda connection: load_issued(connection, asked["number"]))
    return _show_receipt(issued)


async def _receipts(app: FundApp, _asked: Asked) -> Any:
    return [_show_receipt(one) for one in (await app.book.read(load_all_issued))[-ROWS_MAX:]]


async def _declare(app: FundApp, asked: Asked) -> Any:
    closing = app.settings.close_of(datetime.date(asked["year"], 1, 1))
    year = FiscalYear(first_on=closing.replace(year=closing.year - 1) + datetime.timedelta(days=1), last_on=closing)
    calendar = load_bank_parameters(closing).calendar
    holidays = [
        day
        for number in range(366)
        if not calendar.is_open(day := datetime.date(closing.year + 1, 1, 1) + datetime.timedelta(days=number))
    ]
    due = compute_due_date(closing, load_due_rule(closing), holidays)
    told = declare_receipts(await app.book.read(load_all_issued), year, due)
    return {
        "from": year.first_on.isoformat(),
        "to": year.last_on.isoformat(),
        "receipts": told.count,
        "cents": told.cents,
        "cents_issued_otherwise": told.cents_issued_otherwise,
        "due_on": told.due_on.isoformat(),
    }


async def _declare_prefect(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    told = await app.book.read(lambda line: load_prefect_list(line, year))
    return {
        "from": year.first_on.isoformat(),
        "to": year.last_on.isoformat(),
        "redistributions": [_show_row(row) for row in told.redistributions],
        "liberalities": [_show_row(row) for row in told.liberalities],
        "foreign": [_show_row(row) for row in told.foreign],
        "files": {
            "redistributions.csv": write_redistributions(told),
            "liberalites.csv": write_liberalities(told),
            "ressources-etrangeres.csv": write_foreign_resources(told),
        },
    }


async def _declare_company(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    year_end = (await app.book.read(lambda connection: load_sheet(connection, donor)))[1]
    year = find_year_of(
        msgspec.structs.replace(app.settings, year_end_month=year_end // 100, year_end_day=year_end % 100),
        asked["year"],
    )
    sheet = await app.book.read(
        lambda line: load_company_sheet(
            line,
            donor,
            year,
            counterpart=asked.get("counterpart", 0),
            beneficiary=app.settings.name,
            beneficiary_code=app.fund.code,
            threshold_cents=load_company_threshold(year.last_on),
        )
    )
    return {
        "company": sheet.company,
        "siren": sheet.siren,
        "from": year.first_on.isoformat(),
        "to": year.last_on.isoformat(),
        "cents": sheet.cents,
        "counterpart_cents": sheet.counterpart_cents,
        "must_detail": sheet.must_detail,
        "gifts": [_show_row(gift) for gift in sheet.gifts],
        "csv": write_company_sheet(sheet),
    }


def _show_row(row: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row)
    return told


async def _receipts_register(app: FundApp, _asked: Asked) -> Any:
    told = await app.book.read(load_all_issued)
    return {"receipts": len(told), "csv": write_receipts_register(told)}


# ---------------------------------------------------------------- the books


async def _balance(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    told = await app.book.read(lambda line: load_entries(line, year))
    return [
        {
            "account": row.account,
            "label": row.label,
            "who": row.auxiliary,
            "debit_cents": row.debit,
            "credit_cents": row.credit,
            "balance_cents": row.debit - row.credit,
        }
        for row in balance_rows(told)
    ]


async def _fec(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    chart = load_chart(year.first_on)
    told = await app.book.read(lambda line: load_entries(line, year))
    file = write_fec(told, siren=app.settings.siren, year=year, chart=chart)
    faults = check_fec(
        file.name,
        file.content,
        siren=app.settings.siren,
        year=year,
        opening_journal=chart.journals[JournalRole.OPENING].code,
    )
    return {
        "name": file.name,
        "description": describe_fec(file, siren=app.settings.siren, year=year, chart=chart),
        "entries": len(told),
        "letters_replaced": file.letters_replaced,
        "faults": [f"line {fault.line}: {fault.kind} {fault.detail}" for fault in faults],
        "content": base64.b64encode(file.content).decode(),
    }


async def _year_open(app: FundApp, asked: Asked) -> Any:
    closing = find_year_of(app.settings, asked["year"]).last_on

    def write(page: Page, items: Sequence[datetime.date]) -> list[Any]:
        return [app.fund.books.open_year(page, item) for item in items]

    return {"year": asked["year"], "entries": await app.book.write(write, closing)}


async def _year_close(app: FundApp, asked: Asked) -> Any:
    closing = find_year_of(app.settings, asked["year"]).last_on
    return {"year": asked["year"], "entries": await app.book.write(app.fund.dedications.close, closing)}


async def _uses(app: FundApp, asked: Asked) -> Any:
    year = find_year_of(app.settings, asked["year"])
    chart = load_chart(year.first_on)
    told = compute_origin_and_destination(await app.book.read(lambda line: load_entries(line, year)), year)
    uses = compute_uses_of_public_generosity(told, carried_in=asked.get("carried_in", 0))
    return {
        "origin_and_destination": [
            {"side": side, "row": chart.rows[row.row], "cents": row.cents, "public_cents": row.of_public_generosity}
            for side, rows in (("resources", told.resources), ("uses", told.uses))
            for row in rows
        ],
        "surplus_cents": told.surplus,
        "public_generosity": {
            "carried_in_cents": uses.carried_in,
            "surplus_cents": uses.surplus,
            "carried_out_cents": uses.carried_out,
        },
    }


# ---------------------------------------------------------------- the house


async def _carry(app: FundApp, _asked: Asked) -> Any:
    """Carry slips to the bases elsewhere that can be called: for a fund that nobody serves."""
    told: dict[str, Any] = {}
    for code, one in app.house.bases.items():
        if code == BaseName.FUND or not one.url:
            continue
        transport = HttpTransport(one.url, path=f"/v1/house/{code}")
        try:
            told[code.lower()] = await app.exchange.call(code, transport)
        except Refusal as refusal:
            told[code.lower()] = str(refusal)
        finally:
            await transport.close()
    return told


async def _check(app: FundApp, _asked: Asked) -> Any:
    checked = await app.book.read(
        lambda line: check_fund(line, app.exchange.neighbours, lambda _where: None, fund=app.fund.code, home=app.home)
    )
    return [_show_checked(one) for one in checked]


def _show_checked(checked: Checked) -> dict[str, Any]:
    return {
        "invariant": checked.invariant,
        "rule": checked.rule,
        "looked_at": checked.looked_at,
        "findings": [finding.as_row() for finding in checked.findings],
        "seen": [finding.as_row() for finding in checked.seen],
    }


async def _totals(app: FundApp, _asked: Asked) -> Any:
    def find(connection: Connection) -> dict[str, Any]:
        rows = load_deposits(connection)
        paid = load_payments(connection)
        last = movement_store.find_last_statement(connection, app.settings.account.iban)
        return {
            "deposits": len(rows),
            "deposits_cents": sum(row.cents for row in rows),
            "issued_cents": sum(row.cents for row in rows if row.state == "issued"),
            "paid_cents": sum(row.cents for row in paid if row.state == "confirmed"),
            "bank_cents": 0 if last is None else last.closing.cents,
        }

    return await app.book.read(find)


FUND_COMMANDS: Final[Mapping[str, Command]] = {
    "donors": _donors,
    "donor_add": _donor_add,
    "company_add": _company_add,
    "expect": _expect,
    "expect_gift": _expect_gift,
    "mandate_add": _mandate_add,
    "mandates": _mandates,
    "mandate_change": _mandate_change,
    "collect": _collect,
    "collections": _collections,
    "gift_debits": _gift_debits,
    "expected": _expected,
    "overdue": _overdue,
    "remind": _remind,
    "expectation_close": _expectation_close,
    "payment_qr": _payment_qr,
    "import": _import,
    "movements": _movements,
    "decide": _decide,
    "deposits": _deposits,
    "officers": _officers,
    "officer_add": _officer_add,
    "officer_revoke": _officer_revoke,
    "bearers": _bearers,
    "bearer_add": _bearer_add,
    "payment_words": _payment_words,
    "refund_words": _refund_words,
    "payment_sign": _payment_sign,
    "payment_cancel": _payment_cancel,
    "iban_words": _iban_words,
    "iban_sign": _iban_sign,
    "payments": _payments,
    "order": _order,
    "orders": _orders,
    "state_numbers": _state_numbers,
    "report": _report,
    "receipt_issue": _receipt_issue,
    "receipt_copy": _receipt_copy,
    "receipt_cancel": _receipt_cancel,
    "receipt_show": _receipt_show,
    "receipts": _receipts,
    "declare": _declare,
    "declare_prefect": _declare_prefect,
    "declare_company": _declare_company,
    "receipts_register": _receipts_register,
    "balance": _balance,
    "fec": _fec,
    "year_open": _year_open,
    "year_close": _year_close,
    "uses": _uses,
    "carry": _carry,
    "check": _check,
    "totals": _totals,
    **DUE_COMMANDS,
    **PLEDGE_COMMANDS,
}
