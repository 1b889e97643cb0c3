"""Windows of netting in the accounts: what our fund and others tell each other, and what the hub closed.

The accounts keep nothing of it. They carry our fund's words to others and theirs to it, and hold what a closed window says
of our own conversions against what was said of them: what does not fit is a break, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from node.federation import conversions_store, store
from node.federation.room_service import Room
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.exchange.talk_store import load_talk
from protocol.house import (
    BaseName,
    HouseMessage,
    NetPaid,
    NettedDue,
    NettingTold,
    OrderNetted,
    OrderReturned,
    WindowTold,
    make_due_id,
)
from protocol.identifiers import TerritoryCode
from protocol.messages import NetSettled, Netting, SettledState, WindowClosed
from protocol.national import find_cede, find_convert, sum_cessions
from protocol.windows import Netted, netted_of, positions_of

NOT_NETTED = "not_netted"
_UNTOLD: Final = "word of our fund to "  # a break's place: the territory follows
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
# What the room of projects knows of a due: the project, whose fund owes it, and its cents. None where it knows none.
FindDue = Callable[[Connection, bytes], tuple[bytes, str, int] | None]


class Windows:
    """Only the book's writer thread runs its operations."""

    def __init__(self, room: Room, find_due: FindDue, tell: Tell) -> None:
        self._room = room
        self._find_due = find_due
        self._tell = tell

    @property
    def _home(self) -> str:
        return self._room.identity.code

    # What our fund and our projects say

    def hear_fund(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Carry our fund's words to other funds. Of netting, what nobody can be told yet is a break until `tell_late` told it."""
        for message in messages:
            if isinstance(message, NettingTold):
                try:
                    self._carry(page, message)
                except Refusal as refusal:
                    place = f"{_UNTOLD}{message.other}"
                    self._room.note_break(page, place, "a member to tell it", refusal.code)
            elif isinstance(message, NetPaid):
                told = NetSettled(message.window, message.state, message.on)
                self._room.write_slip(page, message.other, told)

    def tell_late(self, page: Page, items: Sequence[None]) -> list[int]:
        """Tell what nobody could be told when our fund said it, where there is a road by now; return to how many.

        Our fund's last word counts, as its own log has it. Run twice is run once.
        """
        return [sum(self._tell_late(page, place) for place in load_untold(page.connection)) for _ in items]

    def _tell_late(self, page: Page, place: str) -> bool:
        word = _find_last_word(page.connection, place.removeprefix(_UNTOLD))
        if word is None:
            return False
        try:
            self._carry(page, word)
        except Refusal:
            return False
        store.delete_breaks(page.connection, place)
        return True

    def _carry(self, page: Page, told: NettingTold) -> None:
        """Raises why no road leads to that territory."""
        self._room.require_road(TerritoryCode(told.other))
        self._room.write_slip(page, told.other, Netting(told.is_netted, told.since))

    def hear_projects(self, page: Page, message: OrderNetted) -> list[HouseMessage]:
        """Ask our own fund to pay what another fund netted; refuse what is no such due."""
        found = self._find_due(page.connection, message.id)
        if found is None or found[1] == self._home:
            return [OrderReturned(message.id, NOT_NETTED)]
        project, debtor, cents = found
        self._tell(page, BaseName.FUND, [NettedDue(message.id, debtor, project, cents, message.order)])
        return []

    # What others say

    def hear(self, page: Page, speaker: str, message: Netting | NetSettled) -> None:
        """Tell our fund what another fund says to it."""
        if isinstance(message, Netting):
            self._tell(page, BaseName.FUND, [NettingTold(speaker, message.is_netted, message.since)])
        elif message.state is SettledState.NETTED:
            self._room.note_break(page, f"window {message.window}", "paid, rejected or received", "netted")
        else:
            told = NetPaid(message.window, speaker, message.state, message.on)
            self._tell(page, BaseName.FUND, [told])

    def take(self, page: Page, window: WindowClosed) -> None:
        """Hold a closed window against our conversions, and tell our fund what it owes and is owed."""
        own = [one for one in netted_of(window) if self._home in (one.debtor, one.creditor)]
        ids: list[bytes] = []
        for one in own:
            id_ = self._find_id(page, one)
            if id_ is None:
                where = f"{one.key[0]}/{one.key[1]}/{one.key[2]}/{one.place}"
                self._room.note_break(
                    page,
                    f"window {window.window}, {where}",
                    "a conversion that its debtor netted",
                    f"{one.cents} cents",
                )
                return
            ids.append(id_)
        net = positions_of(window)
        place_of = {name: place for place, name in enumerate(window.members)}
        others = [one.creditor if one.debtor == self._home else one.debtor for one in own]
        told = WindowTold(
            window=window.window,
            on=window.on,
            members=window.members,
            net=tuple(net[name] for name in window.members),
            ids=tuple(ids),
            others=tuple(place_of[other] for other in others),
            cents=tuple(-one.cents if one.debtor == self._home else one.cents for one in own),
        )
        self._tell(page, BaseName.FUND, [told])

    def _find_id(self, page: Page, one: Netted) -> bytes | None:
        """Return the id by which our fund knows an obligation; None where our book says another thing of it."""
        if one.debtor == self._home:
            rows = {row.place: row for row in conversions_store.load_slip(page.connection, one.key)}
            row = rows.get(one.place)
            said = conversions_store.load_said(page.connection, one.key)
            is_right = row is not None and row.cents == one.cents and row.state == "owed"
            is_netted = said.get(one.place) == int(SettledState.NETTED)
            return row.id if row is not None and is_right and is_netted else None
        _, epoch, index = one.key
        sent = store.find_sent(page.connection, epoch, index)
        if sent is None or sent.taker != one.debtor:
            return None
        slip = self._room.load_own_slip(page, sent)
        convert, cede = find_convert(slip), find_cede(slip)
        if convert is None or cede is None or one.place >= cede.count or sum_cessions(cede)[one.place] != one.cents:
            return None
        return make_due_id(convert.rounds[one.place], one.debtor)


def load_untold(connection: Connection) -> list[str]:
    """Return the places of breaks that are words of our fund which nobody could be told."""
    return store.load_breaks_at(connection, _UNTOLD)


def _find_last_word(connection: Connection, other: str) -> NettingTold | None:
    """Return what our fund said last to another of netting."""
    last = None
    for message in load_talk(connection, BaseName.FUND, BaseName.ACCOUNTS):
        if isinstance(message, NettingTold) and message.other == other:
            last = message
    return last
