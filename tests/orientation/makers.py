"""Short words for what several tests need."""

from __future__ import annotations

from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.identifiers import AccountNumber, Id16
from tests.federation.world import MONTH, Node


def endow_bound(node: Node, account: AccountNumber, cents: int, restriction: str = "rivers") -> None:
    """Let an account hold so much of a lot that is bound to a theme."""
    asked = Endow(
        op=Id16(node.entropy(16)),
        donor=Id16(b"a donor, opaque."),
        campaign="bound",
        month=MONTH,
        lot_class=LotClass.ELIGIBLE | LotClass.RESTRICTED,
        into=node.pool,
        cents=Cents(cents),
        reason="bank line",
        new_ref=node.entropy(16),
        restriction=restriction,
    )
    lot = node.ledger.write_now(node.ledger.endow, asked).lot
    posting = Posting(
        op=Id16(node.entropy(16)),
        kind=PostingKind.CREDIT,
        debit=node.pool,
        credit=account,
        cents=Cents(cents),
        draws=((lot, Cents(cents)),),
    )
    node.ledger.write_now(node.ledger.post, posting)
