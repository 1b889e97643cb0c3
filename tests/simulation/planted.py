"""Bugs planted by the tests: each replaces one function of the product, for as long as the test runs.

A simulator that finds nothing proves nothing unless it finds these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from hub.clearing.service import Sequencer
from hub.recovery.recovery import Told
from node.federation import outcomes_service, rebooking_service, store
from node.ledger import desk as ledger_desk
from node.ledger.service import Ledger
from protocol import national
from protocol.book import log_store
from protocol.book.store import StorageUnavailable
from protocol.book.worker import Writer
from protocol.cession import CessionState
from protocol.exchange import service as exchange

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Planted:
    """A bug, how it is planted, and within how many seeds of 120 steps and 3 nodes it is found."""

    name: str
    plant: Plant
    seeds: int


def _apply_before_commit(patch: pytest.MonkeyPatch) -> None:
    """What a page changed in memory stays, whether the page is committed or not."""
    take = Ledger._take_desk

    def keep(self: Ledger, page: Any) -> Any:
        laid_out = take(self, page)
        Ledger._desks[self.book] = laid_out
        return laid_out

    patch.setattr(Ledger, "_take_desk", keep)


def _acknowledge_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The caller is told that it is done, and then the disk refuses."""
    write = Writer._write_page

    def answer(self: Writer, group: list[Any]) -> list[Any]:
        told: list[Any] = []

        def listen(operation: Any) -> Any:
            def run(page: Any, items: Any) -> Any:
                results = operation(page, items)
                told.extend(results)
                return results

            return run

        heard = [replace(one, operation=listen(one.operation)) for one in group]
        try:
            return write(self, heard)
        except StorageUnavailable:
            if len(told) == len(group):
                return told
            raise

    patch.setattr(Writer, "_write_page", answer)


def _drop_deduplication(patch: pytest.MonkeyPatch) -> None:
    """Slips that arrive a second time are taken a second time."""
    find = exchange._compare_slips

    def again(connection: Any, theirs: Any, received: Any, before: Any, now: Any) -> Any:
        fresh = find(connection, theirs, received, before, now)
        return fresh or list(received.payload.slips)

    patch.setattr(exchange, "_compare_slips", again)


def _start_one_too_late(patch: pytest.MonkeyPatch) -> None:
    """An envelope begins one slip after what the reader acknowledged."""
    load = log_store.load_leaves
    compose = exchange.compose_envelope

    def late(connection: Any, identity: Any, reader: str, *, start: Any = None, **more: Any) -> Any:
        own = log_store.open_log_or_empty(connection, identity.code, reader)
        begin = own.acked if start is None else min(start, own.size)
        return compose(connection, identity, reader, start=begin + 1 if begin else begin, **more)

    assert load is not None
    patch.setattr(exchange, "compose_envelope", late)


def _recall_after_hand_over(patch: pytest.MonkeyPatch) -> None:
    """The hub stops what the receiver already has."""

    def choose(record: national.SlipRecord, places: tuple[int, ...]) -> tuple[int, ...]:
        if record.state not in (CessionState.CLEARED, CessionState.HANDED_OVER):
            return ()
        return tuple(place for place in places if place < record.count and place not in record.exceptions)

    import hub.clearing.service as clearing_service

    patch.setattr(clearing_service, "choose_stopped", choose)


def _forget_the_frontier(patch: pytest.MonkeyPatch) -> None:
    """A log is read back without the newest peak of its tree."""
    read = log_store._from_row

    def forget(row: Any) -> Any:
        log = read(row)
        if len(log.frontier.peaks) > 2:
            log.frontier = replace(log.frontier, peaks=(*log.frontier.peaks[:-1], log.frontier.peaks[0]))
        return log

    patch.setattr(log_store, "_from_row", forget)


def _draw_the_youngest_first(patch: pytest.MonkeyPatch) -> None:
    """The order of lots is turned round."""
    choose = ledger_desk.choose_from

    def turned(desk: Any, sheet: Any, amount: int) -> Any:
        if sheet.is_whole and len(sheet.holdings) > 1:
            lots = desk.lots
            ordered = sorted(sheet.holdings.items(), key=lambda held: (-lots[held[0]].month, held[0]))
            sheet.holdings, sheet.is_ordered = dict(ordered), True
        return choose(desk, sheet, amount)

    patch.setattr(ledger_desk, "choose_from", turned)


def _return_to_the_wrong_giver(patch: pytest.MonkeyPatch) -> None:
    """What comes back goes to the first giver of the slip."""
    bring = outcomes_service.bring_back

    def wrong(room: Any, page: Any, sent: Any, places: Any) -> None:
        load = store.load_cession_places

        def first(connection: Any, epoch: int, index: int) -> Any:
            found = load(connection, epoch, index)
            return {place: (op, found[0][1], cents) for place, (op, _, cents) in found.items()}

        store.load_cession_places = first  # type: ignore[assignment]
        try:
            bring(room, page, sent, places)
        finally:
            store.load_cession_places = load

    patch.setattr(outcomes_service, "bring_back", wrong)


def _settle_twice(patch: pytest.MonkeyPatch) -> None:
    """The first answer that a started hub takes moves the positions twice."""
    take = Sequencer._take_answer

    def twice(self: Sequencer, desk: Any, taker: str, giver: str, answer: Any) -> bool:
        from hub.clearing import store

        stored = store.find_slip(desk.page.connection, (giver, answer.epoch, answer.index))
        done = take(self, desk, taker, giver, answer)
        if done and stored is not None and not self.counts.get("planted"):
            self.counts["planted"] = 1
            settled = national.settle_answer(stored.record, answer)
            assert settled is not None
            cede = self._load_cede(desk, stored)
            outcome = national.end_slip(giver, settled[0], cede, delivered=settled[1], restored=settled[2])
            desk.apply(stored.id, replace(outcome, transit={}))
        return done

    patch.setattr(Sequencer, "_take_answer", twice)


def _recover_without_counterfoils(patch: pytest.MonkeyPatch) -> None:
    """An old copy books what left without looking whose it was."""
    patch.setattr(rebooking_service, "_open_counterfoil", lambda *_: None)


def _tell_again_after_a_restore(patch: pytest.MonkeyPatch) -> None:
    """A restored hub tells its members once more what they know."""
    patch.setattr(Told, "leave_out", lambda _self, _reader, message: message)


def _acknowledge_one_more(patch: pytest.MonkeyPatch) -> None:
    """An envelope says that it holds the next slip too."""
    sign = exchange.envelopes.sign_envelope

    def more(secret: Any, statement: Any, payload: bytes) -> bytes:
        if statement.ack_size == 3:
            statement = msgspec.structs.replace(statement, ack_size=4)
        return sign(secret, statement, payload)

    patch.setattr(exchange.envelopes, "sign_envelope", more)


PLANTED = (
    Planted("apply before commit", _apply_before_commit, 10),
    Planted("acknowledge before commit", _acknowledge_before_commit, 10),
    Planted("dropped deduplication", _drop_deduplication, 4),
    Planted("off by one in the log's start", _start_one_too_late, 4),
    Planted("recall after hand-over", _recall_after_hand_over, 12),
    Planted("frontier not restored", _forget_the_frontier, 4),
    Planted("lots drawn youngest first", _draw_the_youngest_first, 4),
    Planted("returned to the wrong giver", _return_to_the_wrong_giver, 10),
    Planted("position moved twice after a start", _settle_twice, 4),
    Planted("recovery without counterfoils", _recover_without_counterfoils, 20),
    Planted("told again after a restore", _tell_again_after_a_restore, 24),
    Planted("acknowledged one slip too many", _acknowledge_one_more, 4),
)
