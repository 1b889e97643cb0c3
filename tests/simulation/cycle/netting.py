"""What happens between funds: agreements signed by two, dues netted, windows opened and closed, payments at their end."""

from __future__ import annotations

import re
from typing import Final

from hub.clearing.windows_service import NothingNetted, NoWindow, WindowOpen
from node.fund.fund_errors import FundUnknown
from node.fund.outgoing_payments import end_to_end_id
from node.fund.statement_service import Decide
from tests.simulation.cycle.officers import sign_netting, sign_payment
from tests.simulation.cycle.oracle import Payment
from tests.simulation.cycle.stage import ACCOUNTS, CODES, FUND, HUB, IBANS, Stage
from tests.simulation.cycle.windows import Netted
from tests.simulation.house.oracle import Wrong

# Who nets from the beginning: the first with both others, and those two not with each other. So three stand in one window.
FIRST_PAIRS: Final = tuple((CODES[0], other) for other in CODES[1:])
_NETTED = "SELECT id, territory FROM dues WHERE netted_on IS NOT NULL"
_IN_WINDOW = """
    SELECT s.origin, s.epoch, s.ix, o.place, o.debtor, o.creditor, o.cents
    FROM obligations o JOIN slips s ON s.id = o.slip_id WHERE o.window_no = :number
"""
_DUE_OF = "SELECT id FROM conversions WHERE origin = :origin AND epoch = :epoch AND ix = :ix AND place = :place"
_WAITING = "SELECT id, words FROM movements WHERE waiting > 0 ORDER BY no"


def agree(stage: Stage) -> None:
    """A fund says that it nets with another from now on, or no more."""
    code, other = stage.dice.sample(CODES, 2)
    say(stage, code, other, is_netted=stage.dice.random() < 0.7)


def say(stage: Stage, code: str, other: str, *, is_netted: bool) -> None:
    words = stage.fund(code).netting.make_words(stage.new_id(), other, is_netted=is_netted, today=stage.today)
    sign_netting(stage, code, words)
    stage.oracle.netting.say((code, other), is_netted=is_netted)
    stage.tell(f"{code} {'nets' if is_netted else 'nets no more'} with {other}")


def net_dues(stage: Stage) -> None:
    """The funds' jobs net what they owe elsewhere."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        net_one(stage, code)


def net_one(stage: Stage, code: str) -> None:
    name = f"{code}/{FUND}"
    stage.ask(name, lambda: stage.fund(code).netting.net_dues, stage.today)
    for due, territory in stage.read(name, _NETTED):
        if bytes(due) not in stage.oracle.netting.dues:
            stage.oracle.netting.net(bytes(due), code, territory)
            stage.tell(f"{code} nets a due in {territory}")


# ---------------------------------------------------------------- windows


def window(stage: Stage) -> None:
    """The hub's operator opens a window, or closes the one that is open."""
    if stage.hub.exchange.recovery is not None:
        return  # his commands are refused until then
    if not stage.read(HUB, "SELECT window_no FROM windows WHERE closed_on = 0"):
        open_window(stage)
    elif stage.dice.random() < 0.7:
        close_window(stage)


def open_window(stage: Stage) -> None:
    try:
        opened = stage.ask(HUB, lambda: stage.hub.exchange.windows.open, None)
    except WindowOpen:  # asked again: nobody had heard the first answer
        return
    stage.tell(f"window {opened.window} is open")


def close_window(stage: Stage) -> None:
    try:
        stage.ask(HUB, lambda: stage.hub.exchange.windows.close, None)
    except (NoWindow, NothingNetted) as refusal:
        stage.tell(refusal.code)
    learn_windows(stage)


def learn_windows(stage: Stage) -> None:
    """Note what stands in windows that were closed: he looks, where no answer came."""
    for (number,) in stage.read(HUB, "SELECT window_no FROM windows WHERE closed_on > 0 ORDER BY window_no"):
        if number in stage.oracle.netting.windows:
            continue
        dues: dict[bytes, Netted] = {}
        for origin, epoch, ix, place, debtor, creditor, cents in stage.read(HUB, _IN_WINDOW, number=number):
            rows = stage.read(f"{debtor}/{ACCOUNTS}", _DUE_OF, origin=origin, epoch=epoch, ix=ix, place=place)
            dues[bytes(rows[0][0])] = Netted(debtor, creditor, cents)
        stage.oracle.netting.close(number, dues)
        members = {name for one in dues.values() for name in (one.debtor, one.creditor)}
        stage.tell(f"window {number} is closed: {len(dues)} dues of {len(members)} funds")


# ---------------------------------------------------------------- payments at the end of windows


def pay_funds(stage: Stage) -> None:
    """Two officers sign what a window lets their fund pay another."""
    for code in stage.dice.sample(CODES, stage.dice.choice((1, 2, 3))):
        pay_one(stage, code)


def pay_one(stage: Stage, code: str) -> None:
    oracle = stage.oracle
    name = f"{code}/{FUND}"
    for words in stage.books[name].read_now(lambda line: stage.fund(code).net_payments.load_proposals(line, stage.now)):
        number, other = words.window, words.paid_fund
        allowed = oracle.netting.windows[number].payments.get((code, other))
        oracle.require(holds=words.cents == allowed, words=f"{code} is to pay {other} {words.cents}, not {allowed}")
        oracle.require(holds=words.iban == IBANS[other], words=f"{code} is to pay {other} on another account")
        sign_payment(stage, code, words)
        id_ = end_to_end_id(words.id)
        oracle.require(holds=id_ not in oracle.payments, words=f"payment {id_} is proposed twice")
        oracle.payments[id_] = Payment(code, words.cents, words.iban, {}, window=number, payee=other)
        stage.tell(f"{code}: {words.cents} to {other} signed, of window {number}")


def look(stage: Stage) -> None:
    """A treasurer looks at what came and nobody knew."""
    look_at(stage, stage.choose_code())


def look_at(stage: Stage, code: str) -> bool:
    """Say of each movement that waits which window its payer names; tell whether one of them was that."""
    name, has_decided = f"{code}/{FUND}", False
    for id_, words in stage.read(name, _WAITING):
        named = re.fullmatch(r"CITIZEN-MILES WINDOW (\d+) (\d+)", words)
        if named is None:
            raise Wrong(f"{code}: what came with the words {words} waits")
        net = f"net:{named[1]}:{named[2]}"
        asked = Decide(movement=id_, by="anne", net=net, id=stage.new_id())
        try:
            stage.ask(name, lambda: stage.fund(code).statements.decide, asked)
        except FundUnknown:  # that window has not been told here yet
            stage.tell(f"{code}: {net} is not known yet")
            continue
        has_decided = True
        stage.tell(f"{code}: {net} by hand")
    return has_decided


ACTIONS = {agree: 1, net_dues: 7, window: 5, pay_funds: 6, look: 2}
