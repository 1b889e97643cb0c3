"""Tell the companies' base what became of its campaigns' miles: what may be told, and only where it changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection

from node.effects import store
from node.effects.effects import Figures, Line, Part, Place, compute_figures, find_campaign, round_waiting
from node.effects.givers import Given, find_givers
from node.orientation.projects import OFFERS_MAX, derive_number
from protocol.book import log_store
from protocol.book.worker import Page
from protocol.house import (
    BaseName,
    DueConfirmed,
    DueSettled,
    DueState,
    EffectTold,
    HouseMessage,
    HouseSlip,
    decode_house_slip,
)
from protocol.identifiers import AccountNumber, Id16, TerritoryCode, write_address

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
MESSAGES_AT_ONCE: Final = 500
_LEAVES_AT_ONCE: Final = 512


class EffectDesk:
    """Computes on a snapshot, and tells in a page. `people_min`: a sum of fewer people is not told."""

    def __init__(self, *, home: TerritoryCode, people_min: int, tell: Tell) -> None:
        self._home = home
        self._people_min = people_min
        self._tell = tell
        self._words = _DueWords()

    def find_changed(self, connection: Connection) -> list[Line]:
        """Return what is to be told now: lines that are not as they were told last. What is no more is told as nothing."""
        told = store.load_told(connection)
        now = {line.place: line for line in self.compute(connection)}
        for place, line in told.items():
            if place not in now:
                now[place] = Line(place, line.title, Figures())
            elif not now[place].title:
                now[place] = now[place]._replace(title=line.title)
        return [
            line
            for place, line in sorted(now.items())
            if told.get(place) != line and (place in told or any(line.figures))
        ]

    def compute(self, connection: Connection) -> list[Line]:
        """Return what may be told of every campaign and project, by place."""
        self._words.read_on(connection)
        titles: dict[Place, str] = {}
        waiting: dict[Place, int] = {}
        for one in store.load_waiting(connection):
            if (campaign := find_campaign(one.campaign)) is not None:
                place = Place(campaign, self._home, one.project)
                titles[place] = one.title
                waiting[place] = round_waiting(one.cents, one.people, self._people_min)
        parts: dict[Place, list[Part]] = defaultdict(list)
        for title, place, part in (*self._list_home(connection), *self._list_abroad(connection)):
            titles[place] = title
            parts[place].append(part)
        return [
            Line(place, titles[place], compute_figures(waiting.get(place, 0), parts.get(place, ()), self._people_min))
            for place in sorted(titles)
        ]

    def tell(self, page: Page, items: Sequence[Sequence[Line]]) -> list[int]:
        """Tell what changed and keep titles that can be read now; return how many lines were told."""
        store.keep_titles(page.connection, self._home)
        counts = []
        for lines in items:
            told = store.load_told(page.connection)
            new = [line for line in lines if told.get(line.place) != line]
            messages = [EffectTold(*line.place, line.title, *line.figures) for line in new]
            for start in range(0, len(messages), MESSAGES_AT_ONCE):
                self._tell(page, BaseName.PARTNERS, messages[start : start + MESSAGES_AT_ONCE])
            store.save_told(page.connection, new, page.now)
            counts.append(len(new))
        return counts

    def has_new_titles(self, connection: Connection) -> bool:
        """Tell whether a catalogue has titles that are not kept yet."""
        return store.has_new_titles(connection, self._home)

    def note_lost(self, page: Page, slips: Iterable[HouseSlip]) -> None:
        """An old copy of this base hears what it had told since: the next words are held against these."""
        lines = {
            line.place: line
            for slip in slips
            for message in slip.messages
            if isinstance(message, EffectTold)
            for line in [read_line(message)]
        }
        store.save_told(page.connection, lines.values(), page.now)

    def _list_home(self, connection: Connection) -> Iterator[tuple[str, Place, Part]]:
        for one in store.load_taken_home(connection, self._home):
            if (campaign := find_campaign(one.campaign)) is None:
                continue
            is_few = one.people < self._people_min
            people = store.load_people(connection, one.due, one.campaign) if is_few else None
            part = Part(one.cents, people, self._words.said.get(one.due), one.due in self._words.confirmed)
            yield one.title, Place(campaign, one.territory, one.project), part

    def _list_abroad(self, connection: Connection) -> Iterator[tuple[str, Place, Part]]:
        taken = store.load_taken_abroad(connection)
        numbers = {(one.territory, one.project): _list_numbers(one.project) for one in taken}
        addresses = {
            write_address(number, territory): (territory, project)
            for (territory, project), all_ in numbers.items()
            for number in all_
        }
        given: dict[tuple[str, str, bytes], list[Given]] = defaultdict(list)
        for gift in store.load_given(connection, addresses):
            given[(gift.campaign, *addresses[gift.address])].append(gift)
        conversions: dict[tuple[str, str, bytes], list[tuple[int, int]]] = defaultdict(list)
        for one in taken:
            conversions[one[:3]].append((one.at, one.cents))
        behind = {key: iter(find_givers(each, given[key])) for key, each in conversions.items()}
        for one in taken:
            if (campaign := find_campaign(one.campaign)) is None:
                continue
            givers = next(behind[one[:3]])
            people = givers if len(givers) < self._people_min else None
            title = store.find_title(connection, TerritoryCode(one.territory), numbers[one.territory, one.project])
            part = Part(one.cents, people, self._words.said.get(one.due), one.confirmed_on > 0)
            yield title, Place(campaign, one.territory, one.project), part


class _DueWords:
    """What our fund and our projects' base said of dues: read from their logs as they grow. Lost with the process, and read again."""

    def __init__(self) -> None:
        self.said: dict[bytes, DueState] = {}
        self.confirmed: set[bytes] = set()
        self._read: dict[BaseName, int] = {}

    def read_on(self, connection: Connection) -> None:
        for base in (BaseName.FUND, BaseName.PROJECTS):
            log = log_store.open_log_or_empty(connection, base, BaseName.ACCOUNTS)
            for start in range(self._read.get(base, 0), log.size, _LEAVES_AT_ONCE):
                count = min(_LEAVES_AT_ONCE, log.size - start)
                for leaf in log_store.load_leaves(connection, log.id, start, count):
                    self._hear(decode_house_slip(leaf).messages)
            self._read[base] = log.size

    def _hear(self, messages: Iterable[HouseMessage]) -> None:
        for message in messages:
            if isinstance(message, DueSettled):
                self.said[message.id] = message.state
            elif isinstance(message, DueConfirmed):
                self.confirmed.add(message.id)


def read_line(message: EffectTold) -> Line:
    """Return what a message tells."""
    return Line(
        Place(message.campaign, message.territory, message.project),
        message.title,
        Figures(message.waiting, message.converted, message.paid, message.netted, message.confirmed),
    )


def _list_numbers(project: bytes) -> list[AccountNumber]:
    """Return the account numbers that a project may have where it is."""
    return [derive_number(Id16(project), offer) for offer in range(OFFERS_MAX)]
