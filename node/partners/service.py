"""The companies base, wired by hand: its desks on one book, and what a till waits for.

partners = Partners(book, lambda page, reader, messages: peer.tell(page, reader, messages), ...)
peer = PeerExchange(book, identity, neighbours, partners.apply, on_news=...)
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, cast

from node.partners.answers_service import AnswerDesk, Said, Waiters, find_answers
from node.partners.campaigns_service import CampaignDesk
from node.partners.companies_service import CompanyDesk
from node.partners.counterparts_service import CounterpartDesk
from node.partners.coupons_service import CouponDesk
from node.partners.errors import remake
from node.partners.grants import GrantState, make_id
from node.partners.operations_service import OperationDesk, list_unfinished
from node.partners.outbox_service import Outbox, Tell
from node.partners.pledges_service import PledgeDesk
from node.partners.purchases import PurchaseId
from node.partners.purchases_service import SaleDesk, TellSales, Told
from node.partners.refunds_service import AskRefund, RefundDesk, find_settled, tell_refund
from node.partners.sales import RefundAnswer, RefundState, SaleAnswer
from node.partners.settings import PartnersSettings
from node.partners.tables import metadata
from node.partners.tickets_service import ClaimTicket, ExpireTickets, TicketDesk
from node.partners.tills_service import Till, TillDesk
from node.partners.vouchers import ClaimAnswer
from protocol.book.migration_service import History
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.house import HouseMessage
from protocol.identifiers import Id16

PARTNERS_HISTORY: Final = History(
    name="partners", folder=Path(__file__).parent / "migrations" / "versions", tables=(metadata,)
)

_CHANCE_BYTES: Final = 10  # of an id
_IDS_AT_ONCE: Final = 256


class Partners:
    """The companies of one territory, in one book."""

    def __init__(
        self,
        book: Book,
        tell: Tell,
        settings: PartnersSettings,
        *,
        ticket_secrets: Mapping[int, bytes],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.book = book
        self.settings = settings
        self._entropy = entropy
        self._chance: list[bytes] = []
        outbox = Outbox(tell)
        self.waiters = Waiters(book)
        self.companies = CompanyDesk(outbox, entropy=entropy, months_max=settings.months_max)
        self.pledges = PledgeDesk(outbox, self.companies, entropy=entropy)
        self.campaigns = CampaignDesk(outbox, self.companies, self.pledges, entropy=entropy)
        self.tills = TillDesk(book, ticket_secrets=ticket_secrets)
        self.sales = SaleDesk(outbox, self.companies, self.tills, settings)
        self.refunds = RefundDesk(outbox)
        self.tickets = TicketDesk(outbox, self.companies, self.tills)
        self.operations = OperationDesk(book, outbox, settings, entropy=entropy)
        self.counterparts = CounterpartDesk(months_max=settings.months_max)
        self.coupons = CouponDesk()
        self.answers = AnswerDesk(self.companies, self.campaigns, self.pledges, self.waiters)

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Do what another base tells us, in the page that stores it. For `PeerExchange`."""
        return self.answers.apply(page, sender, messages)

    def note_recovery(self, page: Page) -> None:
        """The base came back from an old copy in this page: what desks remember of it counts for nothing."""
        self.companies.forget(page)
        page.after_commit(TillDesk, self.tills.note_change)

    def new_id(self) -> Id16:
        """Return a fresh id that rises with time. Its chance is drawn for many at once: each drawing lets go of the lock
        of Python, and a sale that waits for it again waits for the writer.
        """
        if not self._chance:
            drawn = self._entropy(_CHANCE_BYTES * _IDS_AT_ONCE)
            self._chance = [drawn[at : at + _CHANCE_BYTES] for at in range(0, len(drawn), _CHANCE_BYTES)]
        return make_id(self.book.clock(), self._chance.pop())

    async def tell_sales(self, asked: TellSales, *, wait_seconds: float = 0.0) -> list[Told]:
        """Take sales of a till; wait so long for the accounts' answer. Raises what refuses all of them.

        A sale whose answer did not come is pending: it is taken, and will be granted when the accounts are there.
        """
        futures = self.waiters.expect(asked.grant_ids) if wait_seconds else {}
        try:
            told = cast(list[Told], await self.book.write(self.sales.tell, asked))
            pending = [one.grant_id for one in told if isinstance(one, SaleAnswer) and one.is_pending and one.grant_id]
            if not pending or not wait_seconds:
                return told
            answers: Mapping[bytes, Said]
            if all(id_ in futures for id_ in pending):
                # Whoever answers wakes us with the answer: it is durable, and needs no reading.
                await asyncio.wait([futures[id_] for id_ in pending], timeout=wait_seconds)
                answers = {id_: futures[id_].result() for id_ in pending if futures[id_].done()}
            else:  # told before, under the ids of then
                find = partial(find_answers, ids=pending)
                answers = await self.waiters.wait(pending, wait_seconds, find) or {}
            return [_settle(one, answers) for one in told]
        finally:
            self.waiters.forget(futures)

    async def find_sale(self, till: Till, id_: PurchaseId) -> SaleAnswer | None:
        """Return what became of a sale of a till, or None where it was not told or not taken."""
        return await self.book.read_soon(lambda connection: self.sales.find(connection, till, id_))

    async def refund(self, asked: AskRefund, *, wait_seconds: float = 0.0) -> RefundAnswer:
        """Take a refund; wait so long for what the accounts took back. Raises its Refusal."""
        told = cast(RefundAnswer, await self.book.write(self.refunds.refund, asked))
        if told.state is RefundState.DONE or told.take_back is None or not wait_seconds:
            return told
        settled = await self.waiters.wait(
            [told.take_back], wait_seconds, partial(find_settled, take_back=told.take_back)
        )
        return told if settled is None else tell_refund(told.id, settled, is_repeat=told.is_repeat)

    async def claim(self, asked: ClaimTicket, *, wait_seconds: float = 0.0) -> tuple[ClaimAnswer, GrantState, str]:
        """Claim a ticket; return its grant's state so far, and why the accounts refused it. Raises its Refusal."""
        told = cast(ClaimAnswer, await self.book.write(self.tickets.claim, asked))
        answers = await self.waiters.wait([told.grant_id], wait_seconds, partial(find_answers, ids=[told.grant_id]))
        state, code = (answers or {}).get(told.grant_id, (GrantState.TOLD, ""))
        return told, state, code

    async def expire_tickets(self, day: datetime.date) -> int:
        """Let all tickets expire whose last day is before `day`; return how many. Run twice is run once."""
        count = 0
        while done := cast(int, await self.book.write(self.tickets.expire, ExpireTickets(day=day, count=1_000))):
            count += done
        return count

    def continue_runs(self) -> int:
        """Go on with every file that was started and is not done; return how many. For a worker, after a restart."""
        unfinished = self.book.read_now(list_unfinished)
        for run in unfinished:
            self.operations.book_all(run.id)
        return len(unfinished)


def _settle(told: Told, answers: Mapping[bytes, Said]) -> Told:
    """Return the answer with what the accounts said meanwhile."""
    said = answers.get(told.grant_id) if isinstance(told, SaleAnswer) and told.grant_id is not None else None
    if said is None:
        return told
    assert isinstance(told, SaleAnswer)
    state, code = said
    return replace(told, grant_state=state, refusal=remake(code, {}) if code else told.refusal)
