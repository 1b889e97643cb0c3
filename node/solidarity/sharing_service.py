"""Sharing: all shares are computed and saved at once, and paid a page at a time in their order.

What each share is made of follows from the lots and the cents of those before it, so a page needs to know only where the
one before it ended, which is committed with it. A share whose account is no more open is missed: its cents, and the very
lots, remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from node.federation.cessions import AskCession
from node.federation.outgoing import derive_op
from node.federation.service import Federation
from node.ledger.accounts import AccountState
from node.ledger.draws import Draws
from node.ledger.lots import LotId
from node.ledger.postings import DRAWS_MAX, Posting, PostingKind
from node.ledger.reading_service import load_draws, load_lot_terms, load_standings
from node.ledger.service import Ledger
from node.solidarity import store
from node.solidarity.errors import NobodyToShareWith, NothingToShare, OperationRunning
from node.solidarity.noting_service import Noting
from node.solidarity.operations import GiftState, Operation, OperationEvent, OperationState, advance
from node.solidarity.shares import Receiver, compute_shares, derive_share_op, draw_lots, order_accounts
from node.solidarity.store import Share
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, Id16, write_address
from protocol.times import day_at, write_day

SHARES_AT_ONCE: Final = 500


class SharingService:
    """Shares operations."""

    def __init__(
        self,
        ledger: Ledger,
        federation: Federation,
        noting: Noting,
        *,
        at_once: int = SHARES_AT_ONCE,
        lots_at_once: int = DRAWS_MAX,
    ) -> None:
        self._ledger = ledger
        self._federation = federation
        self._noting = noting
        self._at_once = at_once
        self._lots_at_once = lots_at_once

    def begin(self, page: Page, operation: Operation) -> Operation:
        """Compute and save all shares. Raises OperationEnded, OperationRunning, NothingToShare, NobodyToShareWith."""
        advance(operation.state, OperationEvent.SHARE, operation=operation.op)
        operation = self._noting.note(page, operation)
        lots = self.find_free_lots(page, operation)
        pot = sum(cents for _, cents in lots)
        if write_day(day_at(page.now)) <= operation.until and pot < operation.target:
            raise OperationRunning(id=operation.op.hex(), until=operation.until, cents=pot, target=operation.target)
        shares = self._compute(page, operation, pot)
        shared = sum(share.cents for share in shares)
        if not shared:
            raise NothingToShare(id=operation.op.hex())
        store.insert_lots(page.connection, operation.id, _take(lots, shared))
        store.insert_shares(page.connection, operation.id, shares)
        store.save_operation(
            page.connection,
            operation.id,
            state=str(OperationState.SHARING),
            shared=shared,
            receivers=len(shares),
            shared_at=page.now,
        )
        return store.load_operation(page.connection, operation.id)

    def find_free_lots(self, page: Page, operation: Operation) -> list[tuple[LotId, int]]:
        """Return the lots of the operation's account, the oldest first, without those of gifts that wait to go back."""
        sheet = self._ledger.look_at(page, operation.number)
        assert sheet is not None, "an operation has its account"
        free = {lot: cents for lot, cents in sheet.holdings.items() if cents}
        for gift in store.list_gifts(page.connection, operation.id, state=str(GiftState.WAITS)):
            for lot, cents in load_draws(page.connection, Id16(gift.op)):
                free[lot] -= cents
        months = load_lot_terms(page.connection, free)
        return sorted(
            ((lot, cents) for lot, cents in free.items() if cents), key=lambda held: (months[held[0]][2], held[0])
        )

    def _compute(self, page: Page, operation: Operation, pot: int) -> list[Share]:
        pool = store.load_pool(page.connection, operation.pool_id)
        classes = store.load_receivers(page.connection, pool.id)
        self._ledger.flush(page)
        standings = load_standings(page.connection, classes)
        is_open = {account for account, found in standings.items() if found.state is AccountState.OPEN}
        accounts = order_accounts(is_open, operation.salt)
        if not accounts:
            raise NobodyToShareWith(id=operation.op.hex())
        receivers = [Receiver(pool.rule.units_of(classes[account]), standings[account].cents) for account in accounts]
        cents = compute_shares(pool.rule, pot, receivers)
        return [
            Share(place, account, one.units, one.held, share, "due" if share else "none")
            for place, (account, one, share) in enumerate(zip(accounts, receivers, cents, strict=True))
        ]

    def pay_some(self, page: Page, operation: Operation) -> int:
        """Pay the next shares; return how many were looked at. None where an account of the operation is shut."""
        shares = store.load_shares(page.connection, operation.id, start=operation.places, limit=self._at_once)
        if shares and not self._noting.may_move(page, operation):
            return 0
        draws = draw_lots(
            store.load_lots(page.connection, operation.id), operation.handed, [share.cents for share in shares]
        )
        self._ledger.flush(page)
        standings = load_standings(page.connection, {share.account for share in shares})
        paid: list[tuple[Share, Draws]] = []
        missed: list[Share] = []
        for share, drawn in zip(shares, draws, strict=True):
            if share.state != "due":
                continue
            if standings[share.account].state is AccountState.OPEN:
                paid.append((share, drawn))
            else:
                missed.append(share)
        if paid and not self._pay(page, operation, paid):
            return 0
        store.save_share_states(
            page.connection,
            operation.id,
            [("paid", share.place) for share, _ in paid] + [("missed", share.place) for share in missed],
        )
        places = operation.places + len(shares)
        is_over = places == operation.receivers
        store.save_operation(
            page.connection,
            operation.id,
            handed=operation.handed + sum(share.cents for share in shares),
            missed=operation.missed + sum(share.cents for share in missed),
            places=places,
            **(
                {
                    "state": str(advance(operation.state, OperationEvent.END, operation=operation.op)),
                    "ended_at": page.now,
                }
                if is_over
                else {}
            ),
        )
        return len(shares)

    def _pay(self, page: Page, operation: Operation, paid: Sequence[tuple[Share, Draws]]) -> bool:
        """Hand the shares through the outlet; nothing is done where somebody set part of the account's rights aside."""
        total = sum(share.cents for share, _ in paid)
        sheet = self._ledger.look_at(page, operation.number)
        if sheet is None or sheet.available < total:
            return False
        sums: dict[LotId, int] = {}
        for _, drawn in paid:
            for lot, cents in drawn:
                sums[lot] = sums.get(lot, 0) + cents
        # A posting names so many lots at most.
        held = [(lot, Cents(cents)) for lot, cents in sums.items()]
        hands = [
            Posting(
                op=derive_hand_op(operation.op, paid[0][0].place, start),
                kind=PostingKind.GIFT,
                debit=operation.number,
                credit=operation.outlet,
                cents=Cents(sum(cents for _, cents in held[start : start + self._lots_at_once])),
                draws=tuple(held[start : start + self._lots_at_once]),
            )
            for start in range(0, len(held), self._lots_at_once)
        ]
        home, giver = self._ledger.home, write_address(operation.outlet, self._ledger.home)
        asked: list[AskCession] = []
        for share, drawn in paid:
            cession = AskCession(
                op=derive_share_op(operation.salt, share.place),
                account=operation.outlet,
                beneficiary=Address(AccountNumber(share.account), home),
                cents=share.cents,
                giver=giver,
            )
            cession.draws = drawn
            asked.append(cession)
        answers = [*self._ledger.post(page, hands), *self._federation.cede(page, asked)]
        assert not any(isinstance(answer, Refusal) for answer in answers), "all of it was looked at before"
        return True


def derive_hand_op(operation: bytes, place: int, start: int) -> Id16:
    """Return the id under which lots from `start` on of the shares from `place` on leave the operation's account."""
    return Id16(derive_op("solidarity hand", operation.hex(), place, start))


def _take(lots: Sequence[tuple[LotId, int]], cents: int) -> list[tuple[LotId, int]]:
    """Return the first lots that make up a sum which they hold."""
    [drawn] = draw_lots(lots, 0, [cents])
    return [(lot, int(part)) for lot, part in drawn]
