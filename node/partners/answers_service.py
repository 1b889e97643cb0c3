"""Take what the accounts and the fund answer, and tell whoever waits for it.

A grant that the accounts refuse gives its cents back to the budget, and to the holder's day. What a refund took back
goes into the budget too. An answer counts once: what was answered before stays as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from node.partners import store, tables
from node.partners.campaigns_service import CampaignDesk
from node.partners.companies_service import CompanyDesk
from node.partners.effects_service import take_effect
from node.partners.grants import GrantSource, GrantState
from node.partners.pledges_service import PledgeDesk
from node.partners.purchases_service import holder_day_key
from node.partners.sales import RefundState
from node.partners.vouchers import VoucherState
from protocol.book.rows_store import select_rows, update_rows
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.house import (
    BaseName,
    EffectTold,
    ExpectationClosed,
    Granted,
    HouseMessage,
    PaymentArrived,
    PaymentCalled,
    PaymentExpected,
    PledgeAccepted,
    PledgeEnded,
    PoolOpened,
    Refused,
    TakenBack,
)
from protocol.identifiers import Id16

Found = TypeVar("Found")
_grants = tables.grants
_refunds = tables.refunds
_GRANT: Final = ("id", "campaign_id", "account", "cents", "source", "source_id", "state", "asked_back", "taken")


# What the accounts said of a grant, and why they refused it; None of anything else, which is read in the base.
Said = tuple[GrantState, str] | None
Futures = dict[bytes, asyncio.Future[Said]]


class Waiters:
    """Who waits in this process for what the accounts answer. Lost with the process: whoever asks again is answered."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._waiting: dict[bytes, list[asyncio.Future[Said]]] = {}

    def expect(self, ids: Sequence[Id16]) -> Futures:
        """Return a future for each id, from now on resolved when it is answered. Whoever asks forgets them."""
        loop = asyncio.get_running_loop()
        futures: Futures = {id_: loop.create_future() for id_ in ids}
        for id_, future in futures.items():
            self._waiting.setdefault(id_, []).append(future)
        return futures

    def forget(self, futures: Futures) -> None:
        """Wait no more."""
        for id_, future in futures.items():
            waiting = self._waiting.get(id_)
            if waiting is None:
                continue
            with contextlib.suppress(ValueError):
                waiting.remove(future)
            if not waiting:
                self._waiting.pop(id_, None)

    async def wait(
        self, ids: Sequence[Id16], seconds: float, find: Callable[[Connection], Found | None]
    ) -> Found | None:
        """Return what `find` reads in the base once all of these are answered, or None where that takes too long."""
        futures = self.expect(ids)
        try:
            # Only now is the base asked: what is answered from here on wakes us.
            found = await self._book.read_soon(find)
            if found is not None or not futures:
                return found
            await asyncio.wait(futures.values(), timeout=seconds)
            return await self._book.read_soon(find)
        finally:
            self.forget(futures)

    def wake(self, said: Mapping[bytes, Said]) -> None:
        """Called by the writer's thread once the answers are durable: each event loop is woken once."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Said], Said]]] = {}
        for id_, answer in said.items():
            for future in self._waiting.pop(id_, ()):
                by_loop.setdefault(future.get_loop(), []).append((future, answer))
        for loop, answers in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, answers)
            except RuntimeError:  # the loop is closed: nobody waits any more
                continue


def _resolve(answers: Sequence[tuple[asyncio.Future[Said], Said]]) -> None:
    for future, answer in answers:
        if not future.done():
            future.set_result(answer)


class AnswerDesk:
    """Applies what the other bases tell the companies."""

    def __init__(self, companies: CompanyDesk, campaigns: CampaignDesk, pledges: PledgeDesk, waiters: Waiters) -> None:
        self._companies = companies
        self._campaigns = campaigns
        self._pledges = pledges
        self._waiters = waiters

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Do what is told, each thing once; nothing is answered. What is not for us to hear from that base is passed over."""
        if sender == BaseName.ACCOUNTS:
            self._hear_accounts(page, messages)
        elif sender == BaseName.FUND:
            self._hear_fund(page, messages)
        return []

    def _hear_accounts(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        granted: list[bytes] = []
        refused: dict[bytes, str] = {}
        for message in messages:
            match message:
                case PoolOpened():
                    self._campaigns.take_pool(page, message)
                case Granted():
                    granted += message.ids
                case Refused():
                    refused.setdefault(message.id, message.code)
                case EffectTold():
                    take_effect(page, message)
        for id_ in self._campaigns.take_refused_pools(page, refused):
            del refused[id_]
        told = self._take_granted(page, granted)
        self._take_refused_grants(page, refused)
        refusals: dict[bytes, Said] = {id_: (GrantState.REFUSED, code) for id_, code in refused.items()}
        taken = {message.id: message.cents for message in messages if isinstance(message, TakenBack)}
        self._take_back(page, taken, refused)
        self._wake_after(page, {**dict.fromkeys(taken), **refusals, **dict.fromkeys(told, (GrantState.GRANTED, ""))})

    def _hear_fund(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        for message in messages:
            match message:
                case PaymentExpected():
                    self._campaigns.take_expected(page, message)
                case PaymentArrived() if not self._pledges.take_payment(page, message):
                    self._campaigns.take_payment(page, message)
                case ExpectationClosed():
                    self._campaigns.take_closed(page, message)
                case PledgeAccepted():
                    self._pledges.take_accepted(page, message)
                case PaymentCalled():
                    self._pledges.take_called(page, message)
                case PledgeEnded():
                    self._pledges.take_ended(page, message)
                case Refused():
                    self._take_refusal(page, Id16(message.id), message.code)

    def _take_refusal(self, page: Page, id_: Id16, code: str) -> None:
        if not self._campaigns.take_refused_payment(page, id_, code) and not self._pledges.take_refused(
            page, id_, code
        ):
            self._companies.take_refusal(page, id_, code)

    def _take_granted(self, page: Page, ids: Sequence[bytes]) -> list[bytes]:
        told = [
            bytes(row[0])
            for row in select_rows(page.connection, _grants, ("id", "state"), column="id", values=set(ids))
            if row[1] == GrantState.TOLD
        ]
        rows = [(str(GrantState.GRANTED), id_) for id_ in told]
        update_rows(page.connection, _grants, rows, setting=("state",), key=("id",))
        return told

    def _take_refused_grants(self, page: Page, refused: dict[bytes, str]) -> None:
        rows = [
            dict(zip(_GRANT, row, strict=True))
            for row in select_rows(page.connection, _grants, _GRANT, column="id", values=refused.keys())
        ]
        # Nothing of what is refused can have come back; accounts that say both are found by `check`.
        told = [row for row in rows if row["state"] == GrantState.TOLD and not row["taken"]]
        changes = [(str(GrantState.REFUSED), refused[bytes(row["id"])], bytes(row["id"])) for row in told]
        update_rows(page.connection, _grants, changes, setting=("state", "code"), key=("id",))
        give_back(page.connection, [(row, row["cents"]) for row in told])
        self._open_again(page, [row for row in told if row["source"] == GrantSource.VOUCHER])

    def _open_again(self, page: Page, grants: Sequence[dict[str, Any]]) -> None:
        """Let tickets be claimed again whose holder the accounts refused, less what was refunded meanwhile."""
        campaigns = store.load_campaigns(page.connection, "id", {grant["campaign_id"] for grant in grants})
        table = tables.vouchers
        for grant in grants:
            left = grant["cents"] - grant["asked_back"]
            campaigns[grant["campaign_id"]].spent += left
            page.connection.execute(
                table.update()
                .where(table.c.sale_id == grant["source_id"])
                .values(
                    state=VoucherState.OPEN if left else VoucherState.VOID,
                    cents=left,
                    holder=None,
                    grant_id=None,
                    ended_at=None if left else page.now,
                )
            )
            # What refunds asked of the grant came out of the ticket instead.
            page.connection.execute(
                _refunds.update()
                .where(_refunds.c.grant_id == grant["id"], _refunds.c.state == RefundState.ASKED)
                .values(state=RefundState.DONE, taken=_refunds.c.due)
            )
        store.save_spent(page.connection, campaigns.values())

    def _take_back(self, page: Page, taken: dict[bytes, int], refused: dict[bytes, str]) -> None:
        columns = ("id", "sale_id", "due", "state", "take_back")
        found = select_rows(
            page.connection, _refunds, columns, column="take_back", values={*taken.keys(), *refused.keys()}
        )
        asked = [dict(zip(columns, row, strict=True)) for row in found]
        asked = [row for row in asked if row["state"] == RefundState.ASKED]
        if not asked:
            return
        by_sale = load_grants_of_sales(page.connection, {row["sale_id"] for row in asked})
        changes: list[tuple[Any, ...]] = []
        moved: list[tuple[dict[str, Any], int]] = []
        for row in asked:
            id_ = bytes(row["take_back"])
            # More than was asked cannot come back: whoever says so is found by `check`, and the budget is not his.
            cents = min(taken.get(id_, 0), row["due"])
            changes.append((cents, str(RefundState.DONE), "" if id_ in taken else refused[id_], row["id"]))
            grant = by_sale[row["sale_id"]]
            if cents and grant["state"] != GrantState.REFUSED:
                moved.append((grant, cents))
        update_rows(page.connection, _refunds, changes, setting=("taken", "state", "code"), key=("id",))
        sums: dict[bytes, int] = {}
        for grant, cents in moved:
            id_ = bytes(grant["id"])
            sums[id_] = sums.get(id_, 0) + cents
        rows = [(cents, id_) for id_, cents in sums.items()]
        update_rows(page.connection, _grants, rows, adding=("taken",), key=("id",))
        give_back(page.connection, moved)

    def _wake_after(self, page: Page, said: Mapping[bytes, Said]) -> None:
        waiting: dict[bytes, Said] = page.memo.setdefault(AnswerDesk, {})
        waiting.update(said)
        page.after_commit(AnswerDesk, lambda: self._waiters.wake(waiting))


def load_grants_of_sales(connection: Connection, sales: set[int]) -> dict[int, dict[str, Any]]:
    """Return the grant of each sale that has one: told when it was sold, or when its ticket was claimed."""
    ids = {
        bytes(row[1]): row[0]
        for table, key in ((tables.sales, "id"), (tables.vouchers, "sale_id"))
        for row in select_rows(connection, table, (key, "grant_id"), column=key, values=sales)
        if row[1] is not None
    }
    return {
        ids[bytes(row[0])]: dict(zip(_GRANT, row, strict=True))
        for row in select_rows(connection, _grants, _GRANT, column="id", values=ids.keys())
    }


def give_back(connection: Connection, moved: Sequence[tuple[dict[str, Any], int]]) -> None:
    """Put cents of grants back into their campaigns' budgets, and into the holders' days: for other customers."""
    campaigns = store.load_campaigns(connection, "id", {grant["campaign_id"] for grant, _ in moved})
    of_sales = {grant["source_id"] for grant, _ in moved if grant["source"] != GrantSource.OPERATION}
    days = {
        row[0]: row[1] for row in select_rows(connection, tables.sales, ("id", "day"), column="id", values=of_sales)
    }
    sums: dict[str, int] = {}
    for grant, cents in moved:
        row = campaigns[grant["campaign_id"]]
        row.spent -= cents
        if grant["source"] != GrantSource.OPERATION and row.campaign.terms.ceilings.day_and_holder is not None:
            key = holder_day_key(row.row, grant["account"], days[grant["source_id"]])
            sums[key] = sums.get(key, 0) - cents
    store.save_spent(connection, campaigns.values())
    store.add_to_holder_days(connection, sums)


def find_answers(connection: Connection, ids: Sequence[Id16]) -> dict[bytes, tuple[GrantState, str]] | None:
    """Return where each of these grants stands, and why one was refused; None while one waits for the accounts."""
    rows = select_rows(connection, _grants, ("id", "state", "code"), column="id", values=ids)
    if any(row[1] == GrantState.TOLD for row in rows):
        return None
    return {bytes(row[0]): (GrantState(row[1]), row[2]) for row in rows}
