"""What `citizen-miles node fund card …` does in the process that holds the fund's book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from node.desks.fund.rows import Asked
from node.fund.card_service import CardWords, load_card_words
from node.fund.days import day_of
from node.fund.tables import own_settlements
from node.fund_app import FundApp
from protocol.canonical import decode_typed
from protocol.house import SettlementAccount
from protocol.running.admin_client import Command
from protocol.territory_card import SETTLEMENT_BODY_BYTES_MAX, Settlement, decode_settlement
from protocol.times import format_instant


def _account(told: SettlementAccount | None) -> dict[str, Any] | None:
    if told is None:
        return None
    since = day_of(told.since).isoformat()
    return {"name": told.name, "siren": told.siren, "iban": told.iban, "bic": told.bic, "since": since}


def _show(words: CardWords) -> dict[str, Any]:
    return {
        "territory": words.territory,
        "decider": None if words.decider is None else words.decider.hex(),
        "account": _account(words.account),
        "waiting_decider": None if words.waiting_decider is None else words.waiting_decider.hex(),
        "waiting_account": _account(words.waiting_account),
        "counts_from": None if words.waiting_from is None else format_instant(words.waiting_from),
        "disputed": words.is_disputed,
    }


async def _cards(app: FundApp, _asked: Asked) -> Any:
    found = await app.book.read(lambda line: load_card_words(line, app.book.clock()))
    return [_show(one) for one in found]


async def _card_own(app: FundApp, _asked: Asked) -> Any:
    """Tell our account now if it changed, and return what was told last."""
    is_new = await app.book.write(app.fund.cards.publish, app.settings.shows_account)
    row = await app.book.read(
        lambda line: line.execute(select(own_settlements).order_by(own_settlements.c.number.desc()).limit(1)).one()
    )
    signed = decode_settlement(bytes(row.signed))
    told = decode_typed(signed.body, Settlement, size_max=SETTLEMENT_BODY_BYTES_MAX)
    words = {"name": told.name, "siren": told.siren, "iban": told.iban, "bic": told.bic}
    return words | {"day": day_of(told.day).isoformat(), "told_now": is_new}


CARD_COMMANDS: Final[Mapping[str, Command]] = {"cards": _cards, "card_own": _card_own}
