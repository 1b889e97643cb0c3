"""What a holder asks of the federation, and what he is shown of it. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from node.federation.outgoing import make_reference
from node.ledger.lots import LotId
from node.ledger.postings import Posted
from protocol.amounts import Cents, require_amount
from protocol.cession import CessionState
from protocol.errors import InvalidText
from protocol.identifiers import AccountNumber, Address, Id16, format_address, require_id
from protocol.messages import WORDS_MAX
from protocol.times import Instant, require_instant

CEDED_AT_HOME: Final = "home"


class AskCession:
    """What a holder asks: hand rights to an account, here or far. Validated when made."""

    __slots__ = (
        *("account", "beneficiary", "cents", "draws", "giver", "is_from_project", "op", "term", "told", "words"),
        "written",
    )

    def __init__(
        self,
        *,
        op: bytes,
        account: AccountNumber,
        beneficiary: Address,
        cents: int,
        words: str = "",
        giver: str = "",
        term: int = 0,
    ) -> None:
        """`giver` is the address shown to the beneficiary (empty: anonymous); `term` 0 is none."""
        self.op: Id16 = require_id(op)
        self.account = account
        self.beneficiary = beneficiary
        self.cents: Cents = require_amount(cents)
        if len(words) > WORDS_MAX or (words and not words.isprintable()):
            raise InvalidText(field="words", reason=f"at most {WORDS_MAX} printable characters")
        self.words = words
        self.giver = giver
        self.term: Instant = require_instant(term, "term")
        self.draws: tuple[tuple[LotId, Cents], ...] | None = None  # the very lots, where they are to be given back
        self.is_from_project = False  # what a project gives back; nothing else leaves its account
        self.written = format_address(beneficiary)
        # What the caller said beside the amount, in six bytes.
        self.told = hashlib.sha256(f"{term}/{giver}/{words}".encode()).digest()[:6]

    @property
    def reference(self) -> str:
        """The content beyond account and amount, so that an id reused for another cession is seen."""
        return make_reference(self.written, self.told)


class CessionView(msgspec.Struct, frozen=True, gc=False):
    """Where a cession stands, with the instant of each step."""

    op: bytes
    account: str
    beneficiary: str
    cents: int
    state: CessionState
    code: str
    reference: str
    recall: str
    queued_at: int
    cleared_at: int | None
    handed_at: int | None
    ended_at: int | None
    national: int | None
    is_repeat: bool = False


def view_at_home(item: AskCession, posted: Posted) -> CessionView:
    """Return what is shown of a cession within the territory: it was done at once."""
    return CessionView(
        op=item.op,
        account=item.account,
        beneficiary=item.written,
        cents=item.cents,
        state=CessionState.DELIVERED,
        code="",
        reference=CEDED_AT_HOME,
        recall="",
        queued_at=posted.at,
        cleared_at=posted.at,
        handed_at=posted.at,
        ended_at=posted.at,
        national=None,
        is_repeat=posted.is_repeat,
    )


def view_queued(item: AskCession, reference: str, now: Instant) -> CessionView:
    """Return what is shown of a cession to another territory that has just left."""
    return CessionView(
        op=item.op,
        account=item.account,
        beneficiary=item.written,
        cents=int(item.cents),
        state=CessionState.QUEUED,
        code="",
        reference=reference,
        recall="",
        queued_at=now,
        cleared_at=None,
        handed_at=None,
        ended_at=None,
        national=None,
    )
