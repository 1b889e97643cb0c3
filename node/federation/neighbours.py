"""What the federation asks of its neighbours in the accounts base: each is wired by hand, and each may be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from node.federation.cessions import CessionView
from node.federation.store import SentSlip
from node.ledger.lots import LotId
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.envelopes import ForwardedSlip
from protocol.identifiers import AccountNumber
from protocol.messages import Answer, Cede, Convert, Forward, NetSettled, Netting, Settled, Slip, WindowClosed


class Reaching(NamedTuple):
    """Rights that arrive at a project's account: under which id, by which place of the slip, of which lots, from whom."""

    place: int
    op: bytes
    number: AccountNumber
    draws: tuple[tuple[LotId, Cents], ...]
    giver: str  # an address, or empty: anonymous


class ProjectArrivals(Protocol):
    """What the room of projects says of rights that reach a project, or that come back to one. Called in the page."""

    def judge(self, page: Page, reaching: Sequence[Reaching]) -> dict[int, str]:
        """Return, by place, the code of each that its project does not take."""

    def take(self, page: Page, reached: Sequence[Reaching]) -> None:
        """Note what was credited: it is directed now."""

    def come_back(self, page: Page, ops: Sequence[bytes]) -> None:
        """Note what had been given back and is in its project's account again."""

    def give_back(self, page: Page, op: bytes) -> CessionView:
        """Give back to its giver what is directed under the id of an arrival. Raises its Refusal."""


class ConversionDesk(Protocol):
    """What is different where cessions convert rights into a fund's euros. Called in the page."""

    def find_own(self, page: Page, sent: SentSlip) -> Convert | None:
        """Return what makes a slip of ours one of conversions, if it is one."""

    def come_back(self, page: Page, taker: str, convert: Convert, codes: Mapping[int, str]) -> None:
        """Note what is in its project's account again, by place, and why."""

    def reach(self, page: Page, taker: str, convert: Convert, places: Sequence[int]) -> None:
        """Note what the taker's fund owes now."""

    def receive(
        self,
        page: Page,
        forward: Forward,
        forwarded: ForwardedSlip,
        convert: Convert,
        cede: Cede,
        *,
        handed_at: int,
        given: Answer | None,
    ) -> int | None:
        """Ask our fund; return our Answer's place, or None where it comes later."""

    def hear(self, page: Page, speaker: str, settled: Settled) -> None:
        """Follow what the other side tells of the euros."""

    def hear_own(self, page: Page, index: int, slip: Slip) -> None:
        """Do again what a slip of ours says that is younger than this copy of the book."""


class WindowDesk(Protocol):
    """Netting between our fund and others. Written by `windows_service`."""

    def hear(self, page: Page, speaker: str, message: Netting | NetSettled) -> None:
        """Follow another fund's word to ours."""

    def take(self, page: Page, window: WindowClosed) -> None:
        """Follow the end of a window in which our fund stands."""


class ComeBack(Protocol):
    """What other rooms of the accounts do when this book is brought back from an old copy. Called in the page."""

    def notice(self, page: Page) -> None:
        """The hub says that this book is an old copy: it is one for the house too, whose way back comes first."""

    def begin(self, page: Page) -> None:
        """The way back begins: what may have been withdrawn since the copy holds no more."""

    def end(self, page: Page) -> None:
        """All that left the territory is booked again."""
