"""Two officers of a fund sign words with keys of their own; one of them perhaps twice, or in the other order."""

from __future__ import annotations

from typing import Any

from node.fund.outgoing_payments import DueWords, NettingWords, NetWords, PaymentState, write_words
from node.fund.signature_service import Signed
from protocol.keys import Domain, sign
from tests.simulation.cycle.stage import FUND, Stage
from tests.simulation.house.oracle import Wrong

_ORDERS = (("anne", "bob"), ("bob", "anne", "bob"))


def sign_payment(stage: Stage, code: str, words: DueWords | NetWords) -> None:
    for officer in stage.dice.choice(_ORDERS):
        signed = Signed(**_sign(stage, code, officer, words))
        state = stage.ask(f"{code}/{FUND}", lambda signed=signed: stage.fund(code).payments.sign, signed)
    if state is not PaymentState.SIGNED:
        raise Wrong(f"signed by two, and {state}")


def sign_netting(stage: Stage, code: str, words: NettingWords) -> None:
    for officer in stage.dice.choice(_ORDERS):
        signed = Signed(**_sign(stage, code, officer, words))
        state = stage.ask(f"{code}/{FUND}", lambda signed=signed: stage.fund(code).netting.sign, signed)
    if state != "said":
        raise Wrong(f"an agreement is signed by two, and waits for {state}")


def _sign(stage: Stage, code: str, officer: str, words: Any) -> dict[str, Any]:
    secret = stage.known.towns[code].officers[officer]
    signature = sign(secret, Domain.OFFICER, write_words(words))
    return {"words": words, "officer": secret.public.id, "signature": signature}
