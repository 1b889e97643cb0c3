"""Issue what the fund says has arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from node.ledger.endowments import Endow, Endowed
from node.ledger.lots import REF_BYTES, LotClass
from node.ledger.reading_service import load_lot_names
from node.ledger.service import Ledger
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import BaseName, Deposit, DepositTaken, HouseMessage, Refused
from protocol.identifiers import AccountNumber, Id16

NOT_THE_FUND: Final = "not_the_fund"


def reason_of(deposit: Deposit) -> str:
    """Return what an endowment says of the euros it stands for."""
    return f"deposit {deposit.id.hex()}"


class DepositDesk:
    """Applies what the other bases tell the accounts."""

    def __init__(self, ledger: Ledger, *, entropy: Callable[[int], bytes]) -> None:
        self._ledger = ledger
        self._entropy = entropy

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Return the answers: one for each deposit. What only we may say is not for us, and is passed over."""
        deposits = [message for message in messages if isinstance(message, Deposit)]
        if sender != BaseName.FUND:
            return [Refused(deposit.id, NOT_THE_FUND) for deposit in deposits]
        return self.issue(page, deposits, [self._entropy(REF_BYTES) for _ in deposits])

    def issue(self, page: Page, deposits: Sequence[Deposit], refs: Sequence[bytes]) -> list[HouseMessage]:
        """Issue each deposit of the fund, under its reference where the lot is new; return the answers."""
        asked = [self._read(deposit, ref) for deposit, ref in zip(deposits, refs, strict=True)]
        answers = iter(self._ledger.endow(page, [one for one in asked if isinstance(one, Endow)]))
        done = [one if isinstance(one, Refusal) else next(answers) for one in asked]
        names = load_lot_names(page.connection, {one.lot for one in done if isinstance(one, Endowed)})
        return [
            Refused(deposit.id, one.code) if isinstance(one, Refusal) else DepositTaken(deposit.id, names[one.lot].ref)
            for deposit, one in zip(deposits, done, strict=True)
        ]

    def _read(self, deposit: Deposit, ref: bytes) -> Endow | Refusal:
        try:
            return Endow(
                op=Id16(deposit.id),
                donor=Id16(deposit.donor),
                campaign=deposit.campaign,
                month=deposit.month,
                lot_class=LotClass(deposit.lot_class),
                into=AccountNumber(deposit.into),
                cents=Cents(deposit.cents),
                reason=reason_of(deposit),
                new_ref=ref,
                restriction=deposit.restriction,
            )
        except Refusal as refusal:
            return refusal
