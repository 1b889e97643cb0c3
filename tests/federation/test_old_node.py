"""A node restored from yesterday pulls its own signed slips back from the hub, and is the present again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from node.federation.errors import BookIsBehind
from node.federation.recovery import NotBehind, RecoveryPhase
from node.federation.store import load_unplaced
from node.federation.tables import reconciliations
from protocol.book import log_store
from protocol.book.tables import evidence
from protocol.book.worker import Page
from protocol.cession import CessionState
from protocol.errors import BadEnvelope
from protocol.identifiers import AccountNumber, Address
from protocol.keys import make_keys
from tests.federation.old_copies import back_up, reopen_node, restore_node
from tests.federation.world import BREST, HUB, LILLE, LYON, Node, World


@pytest.fixture
def files(tmp_path: Path) -> Iterator[World]:
    """A world on files, whose books end sound."""
    made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    findings = made.check()
    made.close()
    assert findings == []


async def _two(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber]:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    for node, account in ((brest, ana), (lyon, bea)):
        node.endow(10_000)
        node.credit(account, 5_000)
    return brest, lyon, ana, bea


async def _come_back(world: World, node: Node) -> None:
    """What an operator does: see that the node is behind, and order the way back."""
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await node.worker.exchange_all()
    assert node.federation.behind is not None
    node.book.write_now(node.federation.begin_recovery, None)
    await node.worker.exchange_all()
    assert node.federation.recovery is None
    assert node.federation.behind is None


async def test_what_left_and_arrived_since_the_copy_is_there_again(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    old = brest.cede(ana, Address(bea, LYON), 100)
    copy = back_up(brest.book)
    await files.settle()
    gone = brest.cede(ana, Address(bea, LYON), 300, words="après la copie")
    await files.settle()
    lyon.cede(bea, Address(ana, BREST), 700)
    await files.settle()
    waiting = brest.cede(ana, Address(bea, LYON), 11)
    await files.settle(BREST)
    before = (brest.balance(ana), brest.totals())

    restore_node(files, brest, copy)
    assert brest.balance(ana) == 5_000 - 100
    await _come_back(files, brest)
    assert (brest.balance(ana), brest.totals()) == before
    assert [brest.cession(view.op).state for view in (old, gone)] == [CessionState.DELIVERED] * 2
    assert brest.cession(waiting.op).state is CessionState.CLEARED
    # The same request again is the same cession, not another one.
    again = brest.cede(ana, Address(bea, LYON), 300, op=gone.op, words="après la copie")
    assert again.is_repeat
    assert brest.balance(ana) == before[0]
    # And life goes on, under another epoch.
    new = brest.cede(ana, Address(bea, LYON), 5)
    assert int(new.reference.split("/")[0]) > 1
    await files.settle()
    assert brest.cession(new.op).state is CessionState.DELIVERED
    assert brest.cession(waiting.op).state is CessionState.DELIVERED
    assert lyon.balance(bea) == 5_000 - 700 + 100 + 300 + 11 + 5


async def test_a_copy_that_is_no_old_one_is_not_recovered(files: World) -> None:
    brest, _, _, _ = await _two(files)
    await files.settle()
    with pytest.raises(NotBehind):
        brest.book.write_now(brest.federation.begin_recovery, None)


class Rooms:
    """The other rooms of the accounts, which note what they are told of the way back."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notice(self, _page: Page) -> None:
        self.told.append("notice")

    def begin(self, _page: Page) -> None:
        self.told.append("begin")

    def end(self, _page: Page) -> None:
        self.told.append("end")


async def test_while_behind_nothing_new_leaves_even_after_a_restart(files: World) -> None:
    brest, _, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    restore_node(files, brest, copy)
    rooms = brest.federation.room.come_back = Rooms()
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await brest.worker.exchange_all()
    assert rooms.told == ["notice"], "whoever is put back without a mark learns it here, and so does the house"
    reopen_node(files, brest)
    with pytest.raises(BookIsBehind):
        brest.cede(ana, Address(bea, LYON), 1)
    brest.book.write_now(brest.federation.begin_recovery, None)
    reopen_node(files, brest)
    await brest.worker.exchange_all()
    assert brest.federation.behind is None
    await files.settle()


async def test_foreign_rights_that_came_and_went_since_the_copy(files: World) -> None:
    """What the copy never held arrives again before it is spent again."""
    brest, lyon, ana, bea = await _two(files)
    lille = files.join(LILLE)
    await files.settle()
    zoe = lille.open()
    await files.settle()
    copy = back_up(brest.book)
    for _ in range(3):
        lyon.cede(bea, Address(ana, BREST), 1_000)
        await files.settle()
        brest.cede(ana, Address(zoe, LILLE), 5_500)  # more than it held at home: Lyon's rights leave too
        await files.settle()
        lille.cede(zoe, Address(ana, BREST), 5_500)
        await files.settle()
    returned = brest.cede(ana, Address(AccountNumber("2222222C"), LILLE), 50)
    await files.settle()
    before = (brest.balance(ana), brest.totals())
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    assert (brest.balance(ana), brest.totals()) == before
    assert brest.cession(returned.op).state is CessionState.RETURNED
    assert not brest.book.read_now(load_unplaced)
    await files.settle()


async def test_recall_and_accounts_younger_than_the_copy(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    recalled = brest.cede(ana, Address(bea, LYON), 40)
    await files.settle(BREST)
    brest.book.write_now(brest.federation.recall, recalled.op)
    await files.settle(BREST)
    new = brest.open()
    lyon.cede(bea, Address(new, BREST), 900)
    await files.settle()
    before = (brest.balance(ana), brest.balance(new), brest.totals())
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    assert (brest.balance(ana), brest.balance(new), brest.totals()) == before
    assert brest.cession(recalled.op).state is CessionState.RECALLED
    await files.settle()


async def test_rights_credited_at_home_since_the_copy_are_named(tmp_path: Path) -> None:
    """They left, so they are booked; where they came from only a person can say, and check says so till then."""
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    brest, _lyon, ana, bea = await _two(world)
    copy = back_up(brest.book)
    brest.credit(ana, 2_000)
    brest.cede(ana, Address(bea, LYON), 6_500)
    await world.settle()
    restore_node(world, brest, copy)
    await _come_back(world, brest)
    (row,) = brest.book.read_now(load_unplaced)
    assert (row.account, row.cents) == (ana, 1_500)
    assert brest.balance(ana) == 0
    (finding,) = world.check()
    assert (finding.invariant, "1500 cents" in finding.found, ana in finding.place) == ("I1", True, True)
    # The treasurer finds that it was the pool's credit, and says so.
    brest.book.write_now(brest.federation.settle_unplaced, (row.id, brest.pool))
    assert world.check() == []
    assert brest.totals().home_held == 10_000 - 6_500
    world.close()


async def test_two_restores_and_the_second_from_before_the_first(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    brest.cede(ana, Address(bea, LYON), 200)
    await files.settle()
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    last = brest.cede(ana, Address(bea, LYON), 400)
    assert int(last.reference.split("/")[0]) > 2
    await files.settle()
    assert brest.balance(ana) == 5_000 - 700
    assert lyon.balance(bea) == 5_000 + 700


async def test_the_copy_that_still_runs_is_refused(files: World) -> None:
    """Two processes of one node: the one that was not restored is told that another goes on."""
    brest, _lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    zombie = await brest.worker.export()
    brest.cede(ana, Address(bea, LYON), 1)
    await files.settle()
    # An envelope from before the restore, delivered late, changes nothing.
    await files.exchange.answer(zombie)
    await files.settle()


async def test_an_envelope_that_the_lost_book_had_sent_and_nobody_had_received_accuses_nobody(files: World) -> None:
    """It arrives when its place in the log was given to another slip, under the new epoch."""
    brest, _lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    brest.cede(ana, Address(bea, LYON), 1)
    late = await brest.worker.export()
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    await files.settle()
    before = files.hub_book.read_now(read_brest_log)
    await files.exchange.answer(late)
    assert files.hub_book.read_now(read_brest_log) == before
    await files.settle()


async def test_a_recovery_that_was_lost_in_its_turn_does_not_make_a_liar_of_its_node(files: World) -> None:
    """What the first recovery wrote arrives late, when the second has written another thing in its place."""
    brest, _lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    restore_node(files, brest, copy)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await brest.worker.exchange_all()
    brest.book.write_now(brest.federation.begin_recovery, None)
    await brest.worker.take_reply(await files.exchange.answer(await brest.worker.export()))
    late = await brest.worker.export()
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    await files.settle()
    before = files.hub_book.read_now(read_brest_log)
    await files.exchange.answer(late)  # and nothing of it is taken
    assert files.hub_book.read_now(read_brest_log) == before
    assert files.hub_book.read_now(lambda line: line.execute(select(evidence)).all()) == []
    assert files.check() == []
    await files.settle()


def read_brest_log(connection: Connection) -> tuple[int, int, bytes]:
    """Return epoch, size and root of what the hub holds of Brest."""
    log = log_store.open_log_or_empty(connection, BREST, HUB)
    return log.epoch, log.size, log.root


async def test_a_recovery_that_another_one_overtook_takes_its_word_back_and_pulls_what_came_first(files: World) -> None:
    """What the first recovery wrote reaches the hub after the second was given its slips, and before it spoke."""
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    lyon.cede(bea, Address(ana, BREST), 30)
    await files.settle(LYON)
    said: list[bytes] = []
    for _ in range(2):
        restore_node(files, brest, copy)
        with pytest.raises(BadEnvelope, match="we_are_behind"):
            await brest.worker.exchange_all()
        brest.book.write_now(brest.federation.begin_recovery, None)
        await brest.worker.take_reply(await files.exchange.answer(await brest.worker.export()))
        said.append(await brest.worker.export())
    await files.exchange.answer(said[0])
    await files.settle()
    assert brest.federation.recovery is None
    assert brest.federation.behind is None
    assert files.hub_book.read_now(lambda line: line.execute(select(evidence)).all()) == []
    assert (brest.balance(ana), lyon.balance(bea)) == (5_000 - 100 + 30, 5_000 + 100 - 30)


async def test_an_envelope_of_the_lost_book_that_arrives_in_the_middle_comes_back_with_the_rest(files: World) -> None:
    """A cession that the lost book had sent reaches the hub when the copy has pulled everything, and has not spoken yet."""
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    brest.cede(ana, Address(bea, LYON), 200)
    late = await brest.worker.export()
    restore_node(files, brest, copy)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await brest.worker.exchange_all()
    brest.book.write_now(brest.federation.begin_recovery, None)
    pulled = await files.exchange.answer(await brest.worker.export())
    await brest.worker.take_reply(pulled)
    assert brest.federation.recovery is not None
    assert brest.federation.recovery.phase is RecoveryPhase.REPLAYING
    await files.exchange.answer(late)
    # An answer from before, late too, must not end the recovery either.
    await brest.worker.take_reply(pulled)
    assert brest.federation.recovery is not None
    await files.settle()
    assert brest.federation.recovery is None
    assert (brest.balance(ana), lyon.balance(bea)) == (5_000 - 300, 5_000 + 300)
    assert files.check() == []


def read_comparisons(connection: Connection) -> list[str]:
    """Return the breaks that each comparison with the hub found, as JSON."""
    return list(connection.execute(select(reconciliations.c.breaks)).scalars())


async def test_what_is_not_placed_yet_is_no_break_with_the_hub(files: World) -> None:
    """Foreign rights went from hand to hand at home after the copy, and then abroad: the copy holds them still."""
    brest, lyon, ana, bea = await _two(files)
    carl = brest.open()
    lyon.cede(bea, Address(ana, BREST), 300)
    await files.settle()
    brest.cede(ana, Address(bea, LYON), 5_000)  # her own are the oldest
    await files.settle()
    copy = back_up(brest.book)
    brest.cede(ana, Address(carl, BREST), 300)
    brest.cede(carl, Address(bea, LYON), 300)
    brest.book.write_now(brest.federation.ask_statement, None)
    await files.settle()
    restore_node(files, brest, copy)
    await _come_back(files, brest)
    await files.settle()
    brest.book.write_now(brest.federation.ask_statement, None)
    await files.settle()
    (row,) = brest.book.read_now(load_unplaced)
    assert set(brest.book.read_now(read_comparisons)) == {"[]"}
    assert (brest.balance(ana), brest.balance(carl)) == (300, 0), "they are here still, and they left"
    brest.book.write_now(brest.federation.settle_unplaced, (row.id, ana))
    brest.book.write_now(brest.federation.ask_statement, None)
    await files.settle()
    assert set(brest.book.read_now(read_comparisons)) == {"[]"}


async def test_an_old_copy_writes_nothing_of_its_own_accord(files: World) -> None:
    brest, _lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    view = brest.cede(ana, Address(bea, LYON), 100)
    await files.settle()
    restore_node(files, brest, copy)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await brest.worker.exchange_all()
    federation, secret = brest.federation, make_keys(files.entropy(64))
    asked = ((federation.ask_statement, None), (federation.announce_key, secret), (federation.retire_key, bytes(8)))
    for operation, item in (*asked, (federation.recall, view.op)):
        with pytest.raises(BookIsBehind):
            brest.book.write_now(operation, item)
    await _come_back(files, brest)
    await files.settle()
    assert files.check() == []


async def test_slips_that_we_never_signed_are_refused(files: World) -> None:
    import msgspec

    from protocol.canonical import decode_typed, encode_typed
    from protocol.envelopes import Envelope, HeadStatement, OwnSlips, Payload, compute_digest, sign_envelope

    brest, _lyon, ana, bea = await _two(files)
    copy = back_up(brest.book)
    brest.cede(ana, Address(bea, LYON), 100)
    brest.book.write_now(brest.federation.ask_statement, None)
    await files.settle()
    restore_node(files, brest, copy)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await brest.worker.exchange_all()
    brest.book.write_now(brest.federation.begin_recovery, None)
    reply = await files.exchange.answer(await brest.worker.export())
    envelope = decode_typed(reply, Envelope, size_max=len(reply))
    payload = decode_typed(envelope.payload, Payload, size_max=len(envelope.payload))
    statement = decode_typed(envelope.statement, HeadStatement, size_max=len(envelope.statement))
    given = payload.recovery
    assert isinstance(given, OwnSlips)
    assert given.slips

    def forge(recovery: OwnSlips) -> bytes:
        body = encode_typed(msgspec.structs.replace(payload, recovery=recovery))
        said = msgspec.structs.replace(statement, payload=compute_digest(body))
        return sign_envelope(files.registry.identity.keyring.current, said, body)

    for wrong in (
        msgspec.structs.replace(given, slips=given.slips[::-1]),
        msgspec.structs.replace(given, slips=given.slips[:-1]),
        msgspec.structs.replace(given, signature=bytes(64)),
        msgspec.structs.replace(given, statement=given.statement[:-1]),
    ):
        with pytest.raises(BadEnvelope, match="bad_own_slips"):
            await brest.worker.take_reply(forge(wrong))
    await brest.worker.exchange_all()
    assert brest.federation.behind is None
    await files.settle()
