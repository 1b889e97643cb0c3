"""What the books of funds and hub show of netting, by SQL of our own."""

from __future__ import annotations

import json
from typing import Final

from tests.simulation.cycle.stage import ACCOUNTS, CODES, FUND, HUB, Stage
from tests.simulation.cycle.windows import FoundNetting, Pair

_SAID = "SELECT territory, is_netted FROM netting_words WHERE said_at IS NOT NULL ORDER BY said_at, number"
_HEARD = "SELECT territory, is_netted FROM netting_heard ORDER BY number"
_NETTED = "SELECT id, window_no FROM dues WHERE netted_on IS NOT NULL"
_TAKEN = "SELECT id, debtor, cents, iban, window_no FROM dues WHERE debtor <> ''"
_LINES = "SELECT window_no, other, is_ours, cents, received FROM net_payments"
_HUB_DUES = """
    SELECT s.origin, s.epoch, s.ix, o.place, o.debtor, o.window_no
    FROM obligations o JOIN slips s ON s.id = o.slip_id WHERE o.window_no > 0
"""
_DUE_OF = "SELECT id FROM conversions WHERE origin = :origin AND epoch = :epoch AND ix = :ix AND place = :place"
_HUB_PAYMENTS = "SELECT window_no, payer, payee, cents, said, confirmed_on FROM net_payments"
_MOVED = "SELECT COALESCE(SUM(cents), 0) FROM movements WHERE state = 'booked' AND is_detail = 0"
_WORDS: Final = {0: "owed", 1: "paid", 2: "rejected"}


def read_netting(stage: Stage) -> FoundNetting:
    found = FoundNetting({}, {}, {}, {}, {}, {}, {}, {}, {})
    for code in CODES:
        fund = f"{code}/{FUND}"
        for territory, is_netted in stage.read(fund, _SAID):
            found.said[code, territory] = bool(is_netted)
        for territory, is_netted in stage.read(fund, _HEARD):
            found.heard[code, territory] = bool(is_netted)
        for due, window in stage.read(fund, _NETTED):
            found.netted[bytes(due)] = (code, window)
        for due, debtor, cents, iban, window in stage.read(fund, _TAKEN):
            found.taken[bytes(due)] = (code, debtor, cents, iban, window)
        for window, other, is_ours, cents, received in stage.read(fund, _LINES):
            found.lines[code, window, other, bool(is_ours)] = (cents, received)
        found.banks[code] = (stage.read(fund, _MOVED)[0][0], _read_books(stage, code, found.settled))
    for origin, epoch, ix, place, debtor, window in stage.read(HUB, _HUB_DUES):
        rows = stage.read(f"{debtor}/{ACCOUNTS}", _DUE_OF, origin=origin, epoch=epoch, ix=ix, place=place)
        found.hub_windows[bytes(rows[0][0])] = window
    for window, payer, payee, cents, said, confirmed_on in stage.read(HUB, _HUB_PAYMENTS):
        state = "confirmed" if confirmed_on and said == 1 else _WORDS[said]
        found.hub_payments[window, payer, payee] = (cents, state)
    return found


def _read_books(stage: Stage, code: str, settled: dict[Pair, int]) -> int:
    """Return the cents on account 512 by the entries themselves; add up what is owed to other funds."""
    bank, sums = 0, dict.fromkeys(((code, other) for other in CODES if other != code), 0)
    for (body,) in stage.read(f"{code}/{FUND}", "SELECT body FROM entries"):
        for line in json.loads(bytes(body))["draft"]["lines"]:
            cents = line["cents"] if line["side"] == "credit" else -line["cents"]
            if line["account"]["number"].startswith("512"):
                bank -= cents
            auxiliary = (line.get("auxiliary") or {}).get("number", "")
            if (code, auxiliary[1:]) in sums and auxiliary.startswith("F"):
                sums[code, auxiliary[1:]] += cents
    settled |= {pair: cents for pair, cents in sums.items() if cents}
    return bank
