"""What `citizen-miles node fund due …` and `decider …` do in the process that holds the fund's book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from node.desks.fund.rows import Asked, take_page
from node.desks.fund.words import read_bytes, show_words
from node.fund.days import day_at
from node.fund.due_payment_service import load_open_parts, load_proposals
from node.fund.due_service import Decider
from node.fund.dues import DueState
from node.fund.outgoing_payments import DueWords
from node.fund.tables import bearers, deciders, due_lots, dues, payments
from node.fund_app import FundApp
from node.house.cards import compute_fingerprint, parse_card
from protocol.errors import Malformed
from protocol.house import BaseName
from protocol.identifiers import Id16
from protocol.running.admin_client import Command
from protocol.times import DAY_MS, format_instant


async def _dues(app: FundApp, asked: Asked) -> Any:
    """Dues, how much of each is paid or on its way, and what the rest waits for, with its age."""
    today, now = day_at(app.book.clock()), app.book.clock()

    def find(connection: Connection) -> Any:
        waiting: dict[bytes, dict[str, int]] = {}
        for part in load_open_parts(connection, today):
            sums = waiting.setdefault(part.due, {})
            sums[part.waits_for.value] = sums.get(part.waits_for.value, 0) + part.cents
        rows = connection.execute(
            select(dues, bearers.c.name).outerjoin(bearers, bearers.c.id == dues.c.bearer).order_by(dues.c.no)
        ).all()

        def show(row: Any) -> dict[str, Any]:
            waits = waiting.get(bytes(row.id), {})
            is_taken = row.state == DueState.TAKEN
            paid = _sum_paid(connection, row.no) if is_taken else 0
            return {
                "due": bytes(row.id).hex(),
                "came": format_instant(row.at),
                "days": (now - row.at) // DAY_MS if waits else 0,
                "territory": row.territory,
                "project": bytes(row.project).hex(),
                "round": row.round,
                "title": row.title,
                "bearer": row.name or "",
                "cents": row.cents,
                "paid_cents": paid,
                "on_its_way_cents": row.cents - paid - sum(waits.values()) if is_taken else 0,
                "waits_cents": sum(waits.values()),
                "waits_for": waits,
                "state": row.state,
                "code": row.code,
            }

        def keep(row: Any) -> bool:
            return bytes(row.id) in waiting or not asked.get("open_only")

        return take_page(rows, asked, lambda row: bytes(row.id).hex(), show, keep=keep)

    return await app.book.read(find)


def _sum_paid(connection: Connection, due: int) -> int:
    rows = connection.execute(
        select(due_lots.c.cents)
        .join(payments, payments.c.id == due_lots.c.payment)
        .where(due_lots.c.due == due, payments.c.movement.is_not(None))
    ).scalars()
    return sum(rows)


async def _proposals(app: FundApp, asked: Asked) -> Any:
    today = day_at(app.book.clock())
    await app.book.write(app.fund.bearers.apply_due, None)  # an account whose delay is over holds from now on
    found = await app.book.read(lambda line: load_proposals(line, app.fund.code, today))
    return take_page(found, asked, lambda words: words.id.hex(), _show_proposal, is_newest_last=False)


def _show_proposal(words: DueWords) -> dict[str, Any]:
    return {
        "id": words.id.hex(),
        "holder": words.holder_name,
        "iban": words.iban,
        "cents": words.cents,
        "share": words.share,
        "text": words.text,
        "decision": words.decision,
        "dues": len(words.dues),
    }


async def _due_words(app: FundApp, asked: Asked) -> Any:
    today = day_at(app.book.clock())
    words = await app.book.read(
        lambda line: app.fund.payments.make_due_words(line, Id16(read_bytes(asked["id"])), today)
    )
    if not isinstance(words, DueWords):
        raise Malformed(field="id", reason="a payment of something else")
    return show_words(words)


async def _decider_add(app: FundApp, asked: Asked) -> Any:
    card = parse_card(asked["card"])
    if card.base != BaseName.PROJECTS:
        raise Malformed(field="card", reason=f"the card of {card.base}, not of projects")
    if card.territory == app.home:
        raise Malformed(field="card", reason="who decides at home stands in house.toml: node house add")
    await app.book.write(app.fund.dues.add_deciders, Decider(territory=card.territory, keys=card.keys))
    return {
        "territory": card.territory,
        "key": card.keys.id.hex(),
        "fingerprint": compute_fingerprint(card),
    }


async def _decider_revoke(app: FundApp, asked: Asked) -> Any:
    count = await app.book.write(app.fund.dues.revoke_deciders, (asked["territory"], read_bytes(asked["key"])))
    return {"territory": asked["territory"], "key": asked["key"], "revoked": count}


async def _deciders(app: FundApp, _asked: Asked) -> Any:
    rows = await app.book.read(
        lambda line: line.execute(select(deciders).order_by(deciders.c.territory, deciders.c.added_at)).all()
    )
    return [
        {
            "territory": row.territory,
            "key": bytes(row.key).hex(),
            "since": format_instant(row.added_at),
            "revoked": "" if row.revoked_at is None else format_instant(row.revoked_at),
        }
        for row in rows
    ]


DUE_COMMANDS: Final[Mapping[str, Command]] = {
    "dues": _dues,
    "due_proposals": _proposals,
    "due_words": _due_words,
    "decider_add": _decider_add,
    "decider_revoke": _decider_revoke,
    "deciders": _deciders,
}
