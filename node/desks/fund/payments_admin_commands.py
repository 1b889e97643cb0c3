"""What the fund's commands of officers, bearers and payments do in the process that holds its book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from node.desks.fund.rows import Asked, read_decision, show_day, take_page
from node.desks.fund.words import read_bytes, read_iban_words, read_words, show_iban_words, show_words
from node.fund.bearer_service import Bearer
from node.fund.days import day_at, number_of, parse_day
from node.fund.officer_service import NewOfficer, RevokeOfficer
from node.fund.outgoing_payments import WORDS_VERSION, IbanWords, Words
from node.fund.payment_service import load_payments
from node.fund.references import require_iban
from node.fund.signature_service import Signed
from node.fund.tables import bearers, officers, orders
from node.fund_app import FundApp
from protocol.amounts import Cents
from protocol.identifiers import Id16, parse_id
from protocol.running.admin_client import Command
from protocol.times import format_instant


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
    await app.book.write(app.fund.officers.add, new)
    return {"key": new.key.hex(), "name": new.name}


async def _officer_revoke(app: FundApp, asked: Asked) -> Any:
    key = await app.book.write(
        app.fund.officers.revoke, RevokeOfficer(key=read_bytes(asked["key"]), id=read_decision(asked))
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
            "proven_until": show_day(row.proven_until),
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
    await app.book.write(app.fund.bearers.keep, one)
    return {"id": one.id.hex(), "name": one.name}


async def _payment_words(app: FundApp, asked: Asked) -> Any:
    await app.book.write(app.fund.bearers.apply_due, None)  # an account whose delay is over holds from now on
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
    return show_iban_words(
        IbanWords(
            version=WORDS_VERSION,
            fund=app.fund.code,
            id=parse_id(asked["id"]),
            bearer=read_bytes(asked["bearer"]),
            holder_name=asked["holder"],
            iban=require_iban(asked["iban"]),
        )
    )


async def _iban_sign(app: FundApp, asked: Asked) -> Any:
    told = asked["words"]
    words = read_iban_words(told)
    waits = await app.book.write(app.fund.bearers.change_ibans, _signed(asked, words))
    return {"id": told["id"], "waits_for": waits}


async def _payments(app: FundApp, asked: Asked) -> Any:
    return take_page(await app.book.read(load_payments), asked, lambda row: bytes(row.id).hex(), _show_payment)


def _show_payment(row: Any) -> dict[str, Any]:
    return {
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
    return [{"order": row.id, "day": show_day(row.day), "payments": row.transfers, "cents": row.cents} for row in rows]


PAYMENTS_COMMANDS: Final[Mapping[str, Command]] = {
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
}
