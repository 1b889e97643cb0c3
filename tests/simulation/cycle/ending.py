"""The end of a story: everybody does his part, day after day, until nothing is owed by anybody."""

from __future__ import annotations

from protocol.times import DAY_MS
from tests.simulation.cycle import netting, treasury
from tests.simulation.cycle.oracle import Payment, find_ibans
from tests.simulation.cycle.rest import read, rest, settle
from tests.simulation.cycle.stage import CODES, Stage
from tests.simulation.cycle.windows import judge_end

BAD_DAYS = 2  # on which banks reject, are late, and send back
DAYS_MAX = 10


async def end(stage: Stage) -> None:
    """Rest; net, close a window, pay other funds, hear of it, pay bearers; and rest. Raises Wrong where something is owed."""
    await rest(stage, is_checked=False)
    stage.tell("the end")
    for day in range(DAYS_MAX):
        await _spend_a_day(stage, is_bad=day < BAD_DAYS)
        if day == BAD_DAYS - 1:
            await rest(stage, is_checked=False)
        if day >= BAD_DAYS and _is_all_paid(stage):
            break
    await rest(stage)
    found = read(stage)
    judge_end(stage.oracle, found.owed_cents(), find_ibans(stage.oracle, found))


async def _spend_a_day(stage: Stage, *, is_bad: bool) -> None:
    stage.known.now += DAY_MS
    for code in CODES:
        netting.net_one(stage, code)
    await settle(stage)
    netting.open_window(stage)
    netting.close_window(stage)
    await settle(stage)
    for code in CODES:
        netting.look_at(stage, code)
        netting.pay_one(stage, code)
        treasury.pay_one(stage, code, count_max=100)
        treasury.order_one(stage, code)
    between_funds = [id_ for id_, one in stage.oracle.payments.items() if one.payee and one.state == "ordered"]
    if is_bad and between_funds:
        treasury.reject(stage, stage.dice.choice(between_funds))
    for code in CODES:
        if is_bad:
            treasury.tell_of_a_day(stage, code)
        else:
            _tell_all(stage, code)
    for code in () if is_bad else CODES:
        _tell_all(stage, code)  # what one bank carried out is at the other
    await settle(stage)


def _tell_all(stage: Stage, code: str) -> None:
    entries = []
    for id_, payment in stage.oracle.payments.items():
        if payment.code == code and payment.state == "ordered":
            entries.append(treasury.leave(stage, id_, payment))
        if payment.payee == code and payment.is_under_way:
            entries.append(treasury.arrive(stage, id_, payment))
    if entries:
        treasury.take_statement(stage, code, entries)


def _is_all_paid(stage: Stage) -> bool:
    if any(_is_open(one) for one in stage.oracle.payments.values()):
        return False
    return all(stage.oracle.count_paid(due) == cents for due, cents in read(stage).owed_cents().items())


def _is_open(one: Payment) -> bool:
    return one.state in ("signed", "ordered") or bool(one.payee and one.is_under_way)
