"""Windows of netting as a fund takes them: among many funds, told too early, told wrongly and taken again, and at one cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from msgspec import structs
from sqlalchemy import Connection, select, update

from node.fund.due_payment_service import Wait
from node.fund.fund_errors import FundUnknown, NettingRefused
from node.fund.net_payment_service import load_lines
from node.fund.netting import net_payment_id
from node.fund.netting_store import find_window_of
from node.fund.outgoing_payments import NetWords
from node.fund.schema_service import FUND_HISTORY
from node.fund.tables import awaited_dues, dues, windows
from node.fund.window_service import RetakeWindow
from protocol.book import migration_service, store
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.canonical import encode_typed
from protocol.errors import IdMismatch
from protocol.house import BaseName, DueSettled, DueState, NetPaid, NettedDue, SettlementAccount, WindowTold
from protocol.keys import make_keys
from protocol.messages import SettledState
from protocol.territory_card import CARD_VERSION, Settlement, sign_settlement
from tests.fund.dues_world import find_after, order_and_confirm, parts, pay, proposals, today
from tests.fund.fund_world import BREST, FundWorld
from tests.fund.test_cards import IBANS, QUIMPER
from tests.fund.test_netting import DAY, RENNES, befriend, hear, make_netted, make_window, owe_quimper, said

LORIENT = "200042174"
THEIR_IBANS = {RENNES: "FR7612345987650123456789014", LORIENT: "DE75512108001245126199"}
Obligation = tuple[str, str, int, bytes]  # who owes, whom, cents, the due's id


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FundWorld]:
    url = request.getfixturevalue("book_url") if "book_url" in request.fixturenames else ""
    made = FundWorld(lambda name: url if url and name == BaseName.FUND else f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()


def account_of(territory: str) -> SettlementAccount:
    """Return what the accounts tell of the card of another territory: its fund has the territory's own number."""
    keys = make_keys(territory.encode().ljust(64, b"k"))
    name, iban = f"FONDS {territory}", THEIR_IBANS[territory]
    told = Settlement(CARD_VERSION, territory, 1, DAY, name, territory, iban, "AGRIFRPP")
    signed = sign_settlement(told, keys)
    return SettlementAccount(
        territory, name, territory, iban, "AGRIFRPP", 1, DAY, keys.public.signing, keys.public.sealing, signed
    )


def close(number: int, obligations: Sequence[Obligation]) -> WindowTold:
    """Return what our accounts tell of a window of these obligations among many funds."""
    net: Counter[str] = Counter()
    for debtor, creditor, cents, _ in obligations:
        net[creditor] += cents
        net[debtor] -= cents
    members = tuple(sorted(net))
    ours = [one for one in obligations if BREST in one[:2]]
    return WindowTold(
        window=number,
        on=DAY,
        members=members,
        net=tuple(net[name] for name in members),
        ids=tuple(id_ for *_, id_ in ours),
        others=tuple(members.index(creditor if debtor == BREST else debtor) for debtor, creditor, _, _ in ours),
        cents=tuple(-cents if debtor == BREST else cents for debtor, _, cents, _ in ours),
    )


def lines(world: FundWorld) -> list[tuple[int, str, bool, int, str]]:
    found = world.book.read_now(lambda line: load_lines(line, BREST, world.now))
    return [(one.window, one.other, one.is_ours, one.cents, one.state) for one in found]


def retake(world: FundWorld, window: int, id_: Any = None) -> Any:
    return world.write(world.fund.windows.retake, RetakeWindow(window=window, id=id_))


async def test_a_fund_is_paid_by_two_and_pays_two_whom_it_never_owed(world: FundWorld) -> None:
    """Four funds, two windows, from what is owed to the bank's word: what each pays was worked out by hand."""
    await befriend(world)
    await hear(world, account_of(RENNES), account_of(LORIENT))
    paid_out = await owe_quimper(world, 400)
    world.write(world.fund.netting.net_dues, today(world))
    first, second = make_netted(world, 1_000), make_netted(world, 300, RENNES)
    await hear(world, first, second)
    elsewhere = [bytes([number]) * 16 for number in range(1, 4)]
    told = close(
        1,
        [
            (QUIMPER, BREST, 1_000, first.id),
            (RENNES, BREST, 300, second.id),
            (BREST, QUIMPER, 400, paid_out),
            (RENNES, QUIMPER, 200, elsewhere[0]),
            (LORIENT, RENNES, 700, elsewhere[1]),
            (LORIENT, QUIMPER, 50, elsewhere[2]),
        ],
    )
    assert dict(zip(told.members, told.net, strict=True)) == {BREST: 900, QUIMPER: -350, RENNES: 200, LORIENT: -750}
    await hear(world, told)
    # Lorient's 750 meet our claim, Quimper's 350 first Rennes', then the rest of ours: three payments for four funds.
    assert lines(world) == [(1, LORIENT, False, 750, "open"), (1, QUIMPER, False, 150, "open")]
    world.take(world.statement(world.paid(150, iban=IBANS[1])))
    assert {part.waits_for for part in parts(world)} == {Wait.WINDOW}, "Lorient's part is missing"
    world.take(world.statement(world.paid(750, iban=THEIR_IBANS[LORIENT])))
    await world.settle()
    assert {(one.other, one.state) for one in said(world, NetPaid)} == {
        (LORIENT, SettledState.CONFIRMED),
        (QUIMPER, SettledState.CONFIRMED),
    }
    [words] = proposals(world)
    assert (words.cents, {due for due, _ in words.dues}) == (1_300, {first.id, second.id})
    pay(world, words)
    order_and_confirm(world, [words])
    await world.settle()
    assert {one.id for one in said(world, DueSettled) if one.state is DueState.PAID} == {first.id, second.id}
    assert world.balance == 400 + 900 - 1_300, "what was paid in, what came of the window, what the bearer has"
    assert not world.find_wrongs()

    more = await owe_quimper(world, 600, number=2)
    world.write(world.fund.netting.net_dues, today(world))
    await hear(
        world,
        close(
            2,
            [
                (BREST, QUIMPER, 600, more),
                (QUIMPER, RENNES, 500, elsewhere[0]),
                (QUIMPER, LORIENT, 100, elsewhere[1]),
            ],
        ),
    )
    assert lines(world)[2:] == [(2, LORIENT, True, 100, "to sign"), (2, RENNES, True, 500, "to sign")]
    signed = []
    for line in world.book.read_now(lambda one: load_lines(one, BREST, world.now))[2:]:
        asked = line.payment
        net_words = world.book.read_now(lambda one, id_=asked: world.fund.payments.make_net_words(one, id_, world.now))
        assert isinstance(net_words, NetWords)
        assert net_words.iban == THEIR_IBANS[line.other]
        pay(world, net_words)  # type: ignore[arg-type]
        signed.append(net_words)
    world.later(1)
    order_and_confirm(world, signed)  # type: ignore[arg-type]
    await world.settle()
    assert {(one.other, one.state) for one in said(world, NetPaid) if one.window == 2} == {
        (LORIENT, SettledState.PAID),
        (RENNES, SettledState.PAID),
    }
    assert world.balance == 0, "all that was paid in is where it was to go"
    assert not world.find_wrongs()


def test_no_two_payments_between_funds_have_one_id() -> None:
    """Two funds may pay the same third of one window: at its bank, and to people, these are two."""
    made = {
        net_payment_id(window, home, other, attempt)
        for window in (1, 2)
        for home, other in permutations((BREST, QUIMPER, RENNES), 2)
        for attempt in (0, 1)
    }
    assert len(made) == 24


async def test_a_window_that_did_not_fit_is_taken_again_once_the_book_is_mended(world: FundWorld) -> None:
    await befriend(world)
    id_ = await owe_quimper(world, 900)
    window = make_window(3, {id_: 900}, {})
    await hear(world, structs.replace(window, net=(-899, 899)))  # told wrongly, and then anew
    await hear(world, window)  # our own word that we net it is not here: a base put back from an old copy
    with pytest.raises(FundUnknown):
        retake(world, 4)
    with pytest.raises(NettingRefused, match="none that we net with"):
        retake(world, 3)
    assert lines(world) == []
    [named] = world.find_wrongs()
    assert (named.place, "none that we net with" in named.found) == ("window 3", True)
    await hear(world, NetPaid(3, QUIMPER, SettledState.CONFIRMED, DAY))  # of a payment that is not here yet
    world.write(world.fund.netting.net_dues, today(world))
    await world.settle()
    [named] = world.find_wrongs()
    assert "take it again" in named.found
    asked = world.id()
    assert [retake(world, 3, asked) for _ in range(2)] == [3, 3]
    assert retake(world, 3) == 3
    with pytest.raises(IdMismatch):
        retake(world, 4, asked)
    assert lines(world) == [(3, QUIMPER, True, 900, "to sign")]
    [line] = world.book.read_now(lambda one: load_lines(one, BREST, world.now))
    assert (line.said, line.said_on) == (SettledState.CONFIRMED, DAY), "what was heard meanwhile counts"
    assert not world.find_wrongs()


async def test_of_a_window_that_was_told_anew_the_later_word_is_taken(world: FundWorld) -> None:
    await befriend(world)
    id_ = await owe_quimper(world, 900)
    world.write(world.fund.netting.net_dues, today(world))
    await world.settle()
    right = make_window(1, {id_: 900}, {})
    await hear(world, structs.replace(right, net=(-899, 899)))
    assert [one.place for one in world.find_wrongs()] == ["window 1"]
    await hear(world, right)
    assert lines(world) == [(1, QUIMPER, True, 900, "to sign")]
    assert not world.find_wrongs()


async def test_a_due_that_a_window_awaits_stands_in_no_other(world: FundWorld) -> None:
    await befriend(world)
    told = make_netted(world, 700)
    await hear(world, make_window(1, {}, {told.id: 700}), make_window(2, {}, {told.id: 700}))
    assert [one.place for one in world.find_wrongs()] == ["window 2"]
    await hear(world, told)
    assert world.book.read_now(lambda line: line.execute(select(dues.c.window_no)).scalars().all()) == [1]
    await hear(world, make_window(3, {}, {bytes(16): 5}))
    for change, where in (
        ("UPDATE dues SET window_no = NULL", "window 1"),
        ("DELETE FROM awaited_dues", "window 3"),
        ("UPDATE awaited_dues SET id = x'00' WHERE window_no = 3", "window 3"),
        ("UPDATE awaited_dues SET window_no = 1 WHERE window_no = 3", "window 1"),
    ):
        assert where in [one.place for one in find_after(world, change) if "as it was written" not in one.expected]


async def test_a_due_is_placed_at_one_cost_however_many_windows_there_were(world: FundWorld) -> None:
    """Counted in steps of SQLite's machine, which no other process changes."""
    await befriend(world)
    ids = iter(number.to_bytes(16, "big") for number in range(1, 10_000))

    def close_windows(first: int, last: int) -> None:
        def write(page: Page, items: Sequence[None]) -> Sequence[None]:
            for number in range(first, last):
                owed = {next(ids): 5 for _ in range(3)}
                world.fund.windows.take(page, make_window(number, {}, owed))
            return items

        world.write(write, None)

    def count_steps(connection: Connection) -> tuple[int, int | None]:
        steps = [0]

        def step() -> int:
            steps[0] += 1
            return 0

        find_window_of(connection, bytes(16))  # the statement is prepared before
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(step, 1)
        found = find_window_of(connection, (1).to_bytes(16, "big"))
        raw.set_progress_handler(None, 1)
        return steps[0], found

    close_windows(1, 3)
    few, window = world.book.read_now(count_steps)
    assert window == 1
    close_windows(3, 120)
    many, window = world.book.read_now(count_steps)
    assert window == 1
    assert 0 < many <= few + 5


@pytest.mark.usefixtures("book_url")
async def test_windows_of_an_older_base_are_noted_when_it_is_opened(world: FundWorld) -> None:
    """A base at 0002, with windows that hold dues which came, some that did not come, and a window nobody can read."""
    await befriend(world)
    there, here, away = await owe_quimper(world, 400), make_netted(world, 900), make_netted(world, 1_000)
    world.write(world.fund.netting.net_dues, today(world))
    await hear(
        world, here, make_window(4, {there: 400}, {here.id: 900, away.id: 1_000}), make_window(5, {}, {b"u" * 16: 7})
    )
    await world.settle()

    def read(connection: Connection) -> list[Any]:
        return [tuple(row) for row in connection.execute(select(awaited_dues).order_by(awaited_dues.c.id))]

    def garble(page: Page, items: Sequence[bytes]) -> Sequence[bytes]:
        page.connection.execute(update(windows).where(windows.c.window_no == 5).values(told=items[0]))
        return items

    before = world.book.read_now(read)
    assert {bytes(row[0]) for row in before} == {away.id, b"u" * 16}
    world.write(garble, b"\xc1")
    book = world.books[BaseName.FUND]
    book.close()
    engine = store.open_engine(book.url)
    with engine.begin() as connection:
        config = migration_service._config(FUND_HISTORY)
        config.attributes.update(connection=connection, history=FUND_HISTORY)
        command.downgrade(config, "0002")
    engine.dispose()
    opened = world.books[BaseName.FUND] = Book(book.url, history=FUND_HISTORY, clock=world.clock)
    assert opened.read_now(read) == [row for row in before if bytes(row[0]) == away.id]
    world.write(garble, encode_typed(make_window(5, {}, {b"u" * 16: 7})))

    def tell(page: Page, items: Sequence[NettedDue]) -> list[Any]:
        return [world.fund.apply(page, BaseName.ACCOUNTS, [one]) for one in items]

    assert world.write(tell, away) == []
    row = opened.read_now(lambda line: line.execute(select(dues).where(dues.c.id == away.id)).one())
    assert row.window_no == 4
    engine = store.open_engine(book.url)
    assert migration_service.pending_changes(engine, FUND_HISTORY) == []
    engine.dispose()
