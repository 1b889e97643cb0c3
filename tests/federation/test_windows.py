"""A window of netting: agreed by two funds, opened and closed by the hub, told whole, paid, received; and old copies of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from typer.testing import CliRunner

from hub.clearing.tables import slips
from hub.clearing.windows_service import NothingNetted, NoWindow, WindowOpen
from hub.settlement import store as settlement_store
from hub.settlement.tables import net_payments, nettings, obligations, windows
from protocol.book import log_store
from protocol.book.worker import Page
from protocol.commands import app
from protocol.house import (
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    NetPaid,
    NettedDue,
    NettingTold,
    OrderNetted,
    OrderReturned,
    Refused,
    WindowTold,
    make_due_id,
)
from protocol.messages import LEAF_BYTES_MAX, SettledState, WindowClosed, decode_slip
from protocol.obligations import ObligationState
from tests.federation.old_copies import back_up, restore_hub
from tests.federation.test_conversions import DAY, FUND, PROJECT, House, Story
from tests.federation.world import BREST, HUB, LILLE, LYON, export_national


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.world.close()


def net(story: Story) -> bytes:
    """Let Lyon owe Brest 700 for a project, and call it netted; return the id of what it owes."""
    id_ = make_due_id(story.convert(), LYON)
    story.there.hear(DueTaken(id_), sender=FUND)
    story.there.hear(DueSettled(id_, DueState.NETTED, 700, DAY), sender=FUND)
    story.settle()
    assert story.obligation() == (700, ObligationState.NETTED)
    return id_


def open_window(story: Story) -> int:
    opened: int = story.world.hub_book.write_now(story.world.exchange.windows.open, None).window
    return opened


def close_window(story: Story) -> WindowClosed:
    closed: WindowClosed = story.world.hub_book.write_now(story.world.exchange.windows.close, None)
    return closed


def payment(story: Story) -> tuple[int, ObligationState]:
    found = story.world.hub_book.read_now(settlement_store.load_payments)
    [(key, one)] = found.items()
    assert key == (1, LYON, BREST)
    return one.cents, one.state


def test_a_netted_due_stands_in_a_window_and_is_paid_once_to_the_fund_and_once_to_the_bearer(story: Story) -> None:
    story.there.hear(NettingTold(BREST, True, DAY), sender=FUND)
    story.settle()
    assert story.here.of(NettingTold) == [NettingTold(LYON, True, DAY)]
    id_ = net(story)
    # Brest's own fund pays the bearer, by an order that its own projects write.
    story.here.hear(OrderNetted(id_, b"an order for our own fund"))
    assert story.here.of(NettedDue) == [NettedDue(id_, LYON, PROJECT, 700, b"an order for our own fund")]
    with pytest.raises(NoWindow):
        close_window(story)
    assert open_window(story) == 1
    with pytest.raises(WindowOpen):
        open_window(story)
    window = close_window(story)
    story.settle()
    assert (window.window, window.members, window.cents) == (1, tuple(sorted((BREST, LYON))), (700,))
    for house, cents in ((story.here, 700), (story.there, -700)):
        [told] = house.of(WindowTold)
        assert (told.window, told.ids, told.cents) == (1, (id_,), (cents,))
        assert dict(zip(told.members, told.net, strict=True)) == {BREST: 700, LYON: -700}
    assert payment(story) == (700, ObligationState.OWED)
    story.require_right()

    for house, other, state, expected in (
        (story.there, BREST, SettledState.PAID, ObligationState.PAID),
        (story.there, BREST, SettledState.REJECTED, ObligationState.REJECTED),
        (story.there, BREST, SettledState.PAID, ObligationState.PAID),
        (story.here, LYON, SettledState.CONFIRMED, ObligationState.CONFIRMED),
    ):
        house.hear(NetPaid(1, other, state, DAY + 3), sender=FUND)
        story.settle()
        assert payment(story) == (700, expected)
    heard = [message for reader, message in story.here.told if reader == FUND and isinstance(message, NetPaid)]
    assert [one.state for one in heard] == [SettledState.PAID, SettledState.REJECTED, SettledState.PAID]
    assert story.there.of(NetPaid) == [NetPaid(1, BREST, SettledState.CONFIRMED, DAY + 3)]

    story.here.hear(DueSettled(id_, DueState.PAID, 700, DAY + 4), sender=FUND)
    assert story.here.of(DueSettled)[-1] == DueSettled(id_, DueState.PAID, 700, DAY + 4)
    story.here.hear(DueConfirmed(id_, DAY + 5))
    story.settle()
    assert story.obligation() == (700, ObligationState.CONFIRMED)
    assert open_window(story) == 2
    with pytest.raises(NothingNetted):
        close_window(story)
    story.require_right()


def test_of_8001_obligations_the_oldest_8000_stand_in_one_window_and_the_last_in_the_next(story: Story) -> None:
    """Nothing is refused and nothing lost: what is too much for one slip waits, and is told with the next window."""
    count, first = 8_001, 1_000_000

    def owe(page: Page, items: list[None]) -> list[None]:
        """As the hub keeps them once their debtor called them netted: here without the rights that became them."""
        slip = {"origin": BREST, "epoch": 9, "taker": LYON, "count": 128, "state": "delivered", "code": "", "term": 0}
        owed = {"debtor": LYON, "creditor": BREST, "project": PROJECT, "said": 3, "said_on": DAY}
        places = [(first + index // 128, index % 128, first + index) for index in range(count)]
        ids = sorted({slip_id for slip_id, _, _ in places})
        page.connection.execute(insert(slips), [{"id": one, "ix": one, "taken_at": 1, **slip} for one in ids])
        page.connection.execute(
            insert(obligations),
            [
                {"slip_id": one, "place": place, "cents": cents, "confirmed_on": 0, "window_no": 0, **owed}
                for one, place, cents in places
            ],
        )
        return items

    def told(member: str) -> list[WindowClosed]:
        def read(line: Connection) -> list[WindowClosed]:
            log = log_store.open_log(line, HUB, member)
            leaves = log_store.load_leaves(line, log.id, 0, log.size)
            assert max(map(len, leaves)) <= LEAF_BYTES_MAX
            messages = [message for leaf in leaves for message in decode_slip(leaf).messages]
            return [message for message in messages if isinstance(message, WindowClosed)]

        return story.world.hub_book.read_now(read)

    story.world.hub_book.write_now(owe, None)
    closed = []
    for _ in range(2):
        open_window(story)
        closed.append(close_window(story))
    assert [len(one.cents) for one in closed] == [8_000, 1]
    assert (closed[0].cents[0], closed[1].cents) == (first, (first + count - 1,))
    assert told(BREST) == told(LYON) == closed
    assert sum(
        story.world.hub_book.read_now(settlement_store.load_payments)[key].cents
        for key in ((1, LYON, BREST), (2, LYON, BREST))
    ) == sum(range(first, first + count))
    open_window(story)
    with pytest.raises(NothingNetted):
        close_window(story)


def test_a_word_to_who_is_no_member_yet_is_told_once_it_is_one(story: Story) -> None:
    def tell_late() -> int:
        told: int = story.lyon.book.write_now(story.there.windows.tell_late, None)
        return told

    story.there.hear(NettingTold(LILLE, False, DAY), NettingTold(BREST, True, DAY), sender=FUND)
    story.there.hear(NettingTold(LILLE, True, DAY + 1), sender=FUND)
    story.settle()
    [named] = story.world.check()
    assert (named.invariant, named.place) == ("I4", f"word of our fund to {LILLE}")
    assert tell_late() == 0
    house = House(story.world.join(LILLE))
    story.settle()
    assert [tell_late() for _ in range(2)] == [1, 0]
    story.settle()
    assert house.of(NettingTold) == [NettingTold(LYON, True, DAY + 1)], "the last word, once"
    assert len(story.here.of(NettingTold)) == 1
    story.require_right()


def test_what_is_netted_is_not_paid_by_its_debtor_and_never_comes_back(story: Story) -> None:
    id_ = net(story)
    story.there.hear(DueSettled(id_, DueState.PAID, 700, DAY + 1), sender=FUND)
    story.settle()
    assert story.obligation() == (700, ObligationState.NETTED)  # the hub keeps the first word
    story.here.hear(Refused(id_, "not_eligible"), sender=FUND)
    assert story.here.of(OrderReturned) == [OrderReturned(id_, "not_eligible")]
    assert (story.here.of(Refused), story.here.balance(story.number)) == ([], 0)
    story.here.hear(OrderNetted(bytes(16), b"of nothing"))
    assert story.here.of(NettedDue) == []


@pytest.mark.parametrize("copied_at", ["before", "netted", "opened", "told one"])
def test_a_hub_put_back_from_an_old_copy_closes_the_same_window(story: Story, copied_at: str) -> None:
    copies = {"before": back_up(story.world.hub_book)}
    net(story)
    copies["netted"] = back_up(story.world.hub_book)
    open_window(story)
    copies["opened"] = back_up(story.world.hub_book)
    window = close_window(story)
    copies["told one"] = back_up(story.world.hub_book)
    story.settle()
    story.there.hear(NetPaid(1, BREST, SettledState.PAID, DAY + 3), sender=FUND)
    story.settle()
    restore_hub(story.world, copies[copied_at])
    story.world.hub_book.write_now(story.world.exchange.recoverer.begin, b"drawn")
    story.settle()
    assert payment(story) == (700, ObligationState.PAID)
    found = story.world.hub_book.read_now(lambda line: settlement_store.load_in_window(line, 1))
    assert [(one.debtor, one.creditor, one.cents) for one in found] == [(LYON, BREST, 700)]
    assert (len(story.here.of(WindowTold)), len(story.there.of(WindowTold))) == (1, 1)
    story.require_right()
    assert open_window(story) == window.window + 1


CHANGES: tuple[Callable[[Connection], object], ...] = (
    lambda line: line.execute(update(obligations).values(window_no=0)),
    lambda line: line.execute(update(net_payments).values(cents=699)),
    lambda line: line.execute(update(net_payments).values(said=1, said_on=DAY)),
    lambda line: line.execute(update(windows).values(closed_on=DAY)),
    lambda line: line.execute(delete(net_payments)),
    lambda line: line.execute(update(nettings).values(is_netted=False)),
)


def test_a_window_changed_by_hand_is_found(story: Story) -> None:
    story.there.hear(NettingTold(BREST, True, DAY), sender=FUND)
    net(story)
    open_window(story)
    close_window(story)
    story.require_right()
    tables = (obligations, nettings, windows, net_payments)

    def write(change: Callable[[Connection], object]) -> None:
        def by_hand(page: Page, items: list[None]) -> list[None]:
            change(page.connection)
            return items

        story.world.hub_book.write_now(by_hand, None)

    def put_back(line: Connection) -> None:
        for table in reversed(tables):
            line.execute(delete(table))
        for table in tables:
            line.execute(insert(table), before[table.name])

    before = story.world.hub_book.read_now(
        lambda line: {table.name: [dict(row._mapping) for row in line.execute(select(table))] for table in tables}
    )
    for change in CHANGES:
        write(change)
        found = story.world.check()
        assert {one.invariant for one in found} == {"I8"}
        assert all(one.place and one.expected for one in found)
        write(put_back)
    assert story.world.check() == []


@pytest.mark.parametrize("is_netted", [True, False])
def test_a_window_with_what_its_debtor_never_called_netted_is_named_by_whoever_replays_the_log(
    story: Story, tmp_path: Path, *, is_netted: bool
) -> None:
    story.there.hear(NettingTold(BREST, True, DAY), sender=FUND)
    if is_netted:
        net(story)
    else:
        story.there.hear(DueTaken(make_due_id(story.convert(), LYON)), sender=FUND)
        story.settle()

        def claim(page: Page, items: list[None]) -> list[None]:
            page.connection.execute(update(obligations).values(said=int(SettledState.NETTED), said_on=DAY))
            return items

        story.world.hub_book.write_now(claim, None)
    open_window(story)
    close_window(story)
    told = CliRunner().invoke(app, ["replay", str(export_national(story.world, tmp_path / "national")), "--json"])
    assert (told.exit_code, "which is not netted" in told.stdout) == ((0, False) if is_netted else (1, True))
