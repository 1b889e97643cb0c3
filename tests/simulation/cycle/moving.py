"""Funds that change their account in mid-story: the card tells it, it counts after two days, and two officers follow it.

The bank carries the balance over, and the statements go on under the other number. What was ordered before still arrives.
"""

from __future__ import annotations

from typing import Final

from node.fund.card_service import find_settlement_account
from node.fund.dues import bearer_id
from node.fund.net_payment_service import load_lines
from node.fund.outgoing_payments import PaymentState, end_to_end_id
from tests.simulation.cycle.cards import tell_account
from tests.simulation.cycle.officers import sign_account
from tests.simulation.cycle.stage import FUND, Stage, make_iban

ACCOUNTS_MAX: Final = 3  # of one fund, among which it moves
_ACCOUNT = "SELECT iban FROM bearers WHERE id = :bearer"
_ASKED = "SELECT 1 FROM iban_changes WHERE bearer = :bearer AND iban = :iban AND applied_at IS NULL"
_SIGNED = "SELECT id, iban, bearer FROM payments WHERE state = 'signed' AND window_no IS NOT NULL"


def change_account(stage: Stage) -> None:
    """A fund has another account from now on: its folder says so, and its card."""
    code = stage.choose_code()
    town, place = stage.known.towns[code], stage.codes.index(code)
    held = town.ibans[-1]
    iban = stage.dice.choice([one for at in range(ACCOUNTS_MAX) if (one := make_iban(place, at)) != held])
    settings = stage.folder / code / "fund" / "fund.toml"
    words = settings.read_text()
    stage.oracle.require(holds=held in words, words=f"{settings.name} does not say {held}")
    settings.write_text(words.replace(held, iban))
    town.ibans.append(iban)
    town.statements.clear()  # nobody reads in again what is of an account that is no more
    stage.restart(f"{code}/{FUND}")
    tell_account(stage, code)
    stage.tell(f"{code} has another account")


def follow_accounts(stage: Stage) -> None:
    """Officers of some funds look at what is not paid because another fund has another account."""
    for code in stage.choose_codes():
        follow_one(stage, code)


def follow_one(stage: Stage, code: str) -> None:
    """Two officers sign the other account, which holds after two days; what waits for the one before is taken back."""
    name = f"{code}/{FUND}"
    stage.ask(name, lambda: stage.fund(code).bearers.apply_due, None)
    for id_, iban, bearer in stage.read(name, _SIGNED):
        if stage.read(name, _ACCOUNT, bearer=bearer)[0][0] != iban:
            stage.ask(name, lambda id_=id_: stage.fund(code).payments.cancel, bytes(id_))
            stage.oracle.payments[end_to_end_id(bytes(id_))].state = str(PaymentState.CANCELLED)
            stage.tell(f"{code} takes a payment back that was signed for an account before")
    lines = stage.books[name].read_now(lambda line: load_lines(line, code, stage.now))
    for other in sorted({one.other for one in lines if one.is_ours and one.state == "account"}):
        account = stage.books[name].read_now(lambda line, other=other: find_settlement_account(line, other, stage.now))
        if account is None:
            stage.tell(f"{code} does not know the account of {other}")
            continue
        bearer = bearer_id(account.siren)
        if not stage.read(name, _ASKED, bearer=bearer, iban=account.iban):
            sign_account(stage, code, stage.new_id(), bearer, account.name, account.iban)
            stage.tell(f"{code} signs another account of {other}")


ACTIONS = {change_account: 8, follow_accounts: 12}
