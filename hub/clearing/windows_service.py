"""Windows of netting: opened by the operator, closed by him, told whole to everybody who stands in one.

What waits for a window are obligations that their debtors called netted. A closed window is a leaf of the national log and
one message, the same for all: so nobody has to believe the hub what it pays. Source: SPEC.md, "Windows of netting".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.clearing.service import Desk, Sequencer
from hub.settlement import store
from hub.transparency.service import note
from protocol.book.worker import Page
from protocol.errors import Malformed, Refusal
from protocol.messages import WindowClosed
from protocol.national import WindowNetted
from protocol.times import day_at, write_day
from protocol.windows import choose_netted, make_window, positions_of


class WindowOpen(Refusal):
    """A window is open already. Facts: window."""

    code = "window_open"


class NoWindow(Refusal):
    """No window is open."""

    code = "no_window"


class NothingNetted(Refusal):
    """Nothing waits for a window: it stays open. Facts: window."""

    code = "nothing_netted"


@dataclass(frozen=True, slots=True)
class OpenedWindow:
    """A window that is open since `opened_at` (milliseconds)."""

    window: int
    opened_at: int


class Windows:
    """Opens and closes. Only the book's writer thread runs its operations."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer

    def open(self, page: Page, items: Sequence[int | None]) -> list[OpenedWindow | Refusal]:
        """Open the next window. One is open at most. Who names its number is answered as before when he asks again."""
        results: list[OpenedWindow | Refusal] = []
        for wanted in items:
            opened_at = None if wanted is None else _find_window(page, wanted)[0]
            if wanted is not None and opened_at is not None:
                results.append(OpenedWindow(wanted, opened_at))
                continue
            known = store.find_open_window(page.connection)
            if known is not None:
                results.append(WindowOpen(window=known))
                continue
            number = store.find_last_window(page.connection) + 1
            if wanted not in (None, number):
                results.append(Malformed(field="window", reason=f"the next window is {number}"))
                continue
            store.insert_window(page.connection, number, page.now)
            results.append(OpenedWindow(number, page.now))
        return results

    def close(self, page: Page, items: Sequence[int | None]) -> list[WindowClosed | Refusal]:
        """Close the open window: note what stands in it, and tell everybody in it. One that is named and closed stays so."""
        results: list[WindowClosed | Refusal] = []
        for wanted in items:
            closed_on = 0 if wanted is None else _find_window(page, wanted)[1]
            if wanted is not None and closed_on:
                results.append(make_window(wanted, closed_on, store.load_in_window(page.connection, wanted)))
                continue
            number = store.find_open_window(page.connection)
            if number is None or wanted not in (None, number):
                results.append(NoWindow())
                continue
            desk = self._sequencer.desk(page)
            desk.save()
            netted = choose_netted(store.load_netted(page.connection))
            if not netted:
                results.append(NothingNetted(window=number))
                continue
            window = make_window(number, write_day(day_at(page.now)), netted)
            note_window(desk, window)
            results.append(window)
        return results


def _find_window(page: Page, number: int) -> tuple[int | None, int]:
    """Return when a window was opened, None where it never was, and the day that it was closed, or 0."""
    for known, opened_at, closed_on in store.load_windows(page.connection):
        if known == number:
            return opened_at, closed_on
    return None, 0


def note_window(desk: Desk, window: WindowClosed) -> None:
    """Keep a closed window, write it into the national log, and tell it to all who stand in it."""
    store.close_window(desk.page.connection, window)
    note(desk.page, desk.hub, WindowNetted(desk.page.now, window))
    for member in positions_of(window):
        desk.tell(member, window)
