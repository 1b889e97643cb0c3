"""A hub restored from yesterday takes back from its members what it told them, and only then decides anything new."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.directory.service import Accredit
from hub.recovery.recovery import MembersMissing
from node.federation.cessions import AskCession
from node.federation.store import find_fact
from protocol.book.tables import evidence
from protocol.cession import CessionState
from protocol.directory import LimitsSet, Suspended
from protocol.envelopes import open_envelope
from protocol.errors import BadEnvelope
from protocol.exchange.epochs import LEAP_BYTES
from protocol.identifiers import Address
from protocol.keys import Keyring, make_keys
from protocol.messages import KEEP_BESIDE_MS
from tests.federation.old_copies import back_up, restore_hub, restore_node
from tests.federation.test_old_node import _come_back as _come_back_to_hub
from tests.federation.test_old_node import _two, files
from tests.federation.world import BREST, LILLE, LYON, World

_ = files  # the fixture


def _positions(world: World) -> object:
    from hub.clearing import store

    return world.hub_book.read_now(lambda line: (store.load_all_positions(line), store.load_all_transit(line)))


async def _come_back(world: World) -> None:
    await world.exchange.begin_recovery(world.entropy(LEAP_BYTES))
    await world.settle()
    assert world.exchange.recovery is None


async def test_what_was_cleared_and_delivered_since_the_copy_stands(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    early = brest.cede(ana, Address(bea, LYON), 100)
    await files.settle(BREST)
    copy = back_up(files.hub_book)
    await files.settle()
    done = brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    lyon.cede(bea, Address(ana, BREST), 700)
    await files.settle()
    before = _positions(files)
    balances = (brest.balance(ana), lyon.balance(bea))
    restore_hub(files, copy)
    assert _positions(files) != before
    await _come_back(files)
    assert _positions(files) == before
    assert (brest.balance(ana), lyon.balance(bea)) == balances
    assert [brest.cession(view.op).state for view in (early, done)] == [CessionState.DELIVERED] * 2
    # Life goes on, and nobody accuses anybody.
    new = brest.cede(ana, Address(bea, LYON), 5)
    await files.settle()
    assert brest.cession(new.op).state is CessionState.DELIVERED
    told = brest.book.read_now(lambda line: find_fact(line, "hub_restored"))
    assert told is not None
    assert json.loads(told)[0]["epoch"] > 1


async def test_a_restored_hub_that_does_not_know_it_takes_nothing_and_is_told(files: World) -> None:
    brest, _lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    restore_hub(files, copy)
    with pytest.raises(BadEnvelope, match="we_are_behind"):
        await brest.worker.exchange_all()
    await _come_back(files)


async def test_cleared_and_not_handed_over_then_refused_and_recalled(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    cleared = brest.cede(ana, Address(bea, LYON), 10)
    recalled = brest.cede(ana, Address(bea, LYON), 20)
    await files.settle(BREST)
    brest.book.write_now(brest.federation.recall, recalled.op)
    await files.settle(BREST)
    restore_hub(files, copy)
    await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
    unsent = brest.cede(ana, Address(bea, LYON), 40)
    await files.settle()
    assert files.exchange.recovery is None
    states = [brest.cession(view.op).state for view in (cleared, recalled, unsent)]
    assert states == [CessionState.DELIVERED, CessionState.RECALLED, CessionState.DELIVERED]
    assert lyon.balance(bea) == 5_050


async def test_what_was_recalled_with_the_givers_knowledge_and_what_was_without_are_told_apart(files: World) -> None:
    """One place of a slip was told as recalled, another was and the answer got lost: only the second is told again."""
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    views = brest.book.write_now(
        brest.federation.cede_groups,
        [
            AskCession(op=files.entropy(16), account=ana, beneficiary=Address(bea, LYON), cents=cents)
            for cents in (10, 20, 40)
        ],
    )
    first, second, third = views
    await files.settle(BREST)
    brest.book.write_now(brest.federation.recall, first.op)
    await files.settle(BREST)
    brest.book.write_now(brest.federation.recall, second.op)
    await files.exchange.answer(await brest.worker.export())  # recalled, and the answer is lost
    await files.settle(LYON)
    restore_hub(files, copy)
    await _come_back(files)
    states = [brest.cession(view.op).state for view in (first, second, third)]
    assert states == [CessionState.RECALLED, CessionState.RECALLED, CessionState.DELIVERED]
    assert lyon.balance(bea) == 5_040
    assert files.check() == []


async def test_what_only_the_hub_knew_is_decided_once_again(files: World) -> None:
    """The giver was never told, the receiver was handed the slip: it stands. Nobody was told: it is decided afresh."""
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    handed = brest.cede(ana, Address(bea, LYON), 10)
    await files.exchange.answer(await brest.worker.export())  # the answer is lost
    await files.settle(LYON)
    unknown = brest.cede(ana, Address(bea, LYON), 20)
    await files.exchange.answer(await brest.worker.export())  # lost too
    restore_hub(files, copy)
    await _come_back(files)
    assert [brest.cession(view.op).state for view in (handed, unknown)] == [CessionState.DELIVERED] * 2
    assert lyon.balance(bea) == 5_030


async def test_what_the_giver_alone_was_told_was_handed_over_is_handed_over_again(files: World) -> None:
    """Its receiver's envelope was lost with the hub: whoever was told that it is too late to stop it was told the truth."""
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    early, late = (brest.cede(ana, Address(bea, LYON), cents, term=files.clock.now + 3_600_000) for cents in (10, 20))
    await files.settle(BREST)
    await files.exchange.answer(await lyon.worker.export())  # lost on its way
    await files.settle(BREST)
    assert brest.cession(early.op).state is CessionState.HANDED_OVER
    restore_hub(files, copy)
    await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
    files.clock.now += 7_200_000
    await files.settle()
    assert [brest.cession(view.op).state for view in (early, late)] == [CessionState.DELIVERED] * 2
    assert files.check() == []


async def test_an_envelope_from_before_the_loss_does_not_speak_for_its_member(files: World) -> None:
    """A file written long ago arrives while the hub recovers: the member holds more now, and is waited for."""
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    old = await lyon.worker.export()
    brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    lyon.cede(bea, Address(ana, BREST), 700)
    await files.settle()
    before = _positions(files)
    for _ in range(2):  # and once more, under an epoch that members have heard of from the lost recovery
        restore_hub(files, copy)
        await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
        await files.exchange.answer(old)
        await files.settle(BREST)
        assert files.exchange.recovery is not None
        await files.settle()
        assert files.exchange.recovery is None
        assert _positions(files) == before
        assert files.check() == []


async def test_members_keys_limits_and_suspensions_younger_than_the_copy(files: World) -> None:
    brest, _lyon, ana, _bea = await _two(files)
    copy = back_up(files.hub_book)
    lille = files.join(LILLE)
    await files.settle()
    zoe = lille.open()
    files.change(LimitsSet(BREST, 5_000_00, 400_00, 9_000_00))
    fresh = make_keys(files.entropy(64))
    identity = brest.federation.identity
    brest.federation.use_identity(replace(identity, keyring=Keyring(identity.keyring.current, (fresh,))))
    brest.book.write_now(brest.federation.announce_key, fresh)
    await files.settle()
    brest.federation.use_identity(replace(identity, keyring=Keyring(fresh, (identity.keyring.current,))))
    brest.cede(ana, Address(zoe, LILLE), 300)
    await files.settle()
    files.change(Suspended(LYON, "papers missing"))
    await files.settle()
    entries = files.registry.directory.size
    restore_hub(files, copy)
    await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
    with pytest.raises(BadEnvelope, match="unknown_key"):
        await brest.worker.exchange_all()  # nobody has told the hub of its new key yet
    await files.settle(LYON)
    await files.settle()
    assert files.exchange.recovery is None
    assert files.registry.directory.size == entries
    assert lille.balance(zoe) == 300


async def test_three_parties_whose_slips_depend_on_each_other(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    lille = files.join(LILLE)
    await files.settle()
    zoe = lille.open()
    copy = back_up(files.hub_book)
    for _ in range(3):
        brest.cede(ana, Address(bea, LYON), 900)
        await files.settle()
        lyon.cede(bea, Address(zoe, LILLE), 5_900)  # Lyon's own and Brest's rights
        await files.settle()
        lille.cede(zoe, Address(ana, BREST), 5_900)
        await files.settle()
        brest.cede(ana, Address(bea, LYON), 5_000)
        await files.settle()
    before = _positions(files)
    restore_hub(files, copy)
    await _come_back(files)
    assert _positions(files) == before
    await files.settle()


async def test_a_member_that_does_not_call_is_waited_for_or_named(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    restore_hub(files, copy)
    await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
    await files.settle(BREST)
    with pytest.raises(MembersMissing, match=LYON):
        await files.exchange.finish_recovery()
    await files.settle(LYON)
    await files.settle()
    assert files.exchange.recovery is None
    assert lyon.balance(bea) == 5_300


async def test_two_restores_of_the_hub_from_the_same_copy(files: World) -> None:
    brest, lyon, ana, bea = await _two(files)
    copy = back_up(files.hub_book)
    for _ in range(2):
        brest.cede(ana, Address(bea, LYON), 100)
        await files.settle()
        restore_hub(files, copy)
        await _come_back(files)
    await files.settle()
    assert lyon.balance(bea) == 5_200


async def test_a_recovery_that_was_lost_in_its_turn_does_not_make_a_liar_of_the_hub(files: World) -> None:
    """Its answers are carried as files, and arrive before and after those of the second recovery from the same copy."""
    brest, lyon, ana, bea = await _two(files)
    await files.settle()
    copy = back_up(files.hub_book)
    brest.cede(ana, Address(bea, LYON), 100)
    await files.settle(BREST)
    asked = await lyon.worker.export()
    answers: list[bytes] = []
    for _ in range(2):
        restore_hub(files, copy)
        await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
        answers.append(await files.exchange.answer(asked))
    assert len({open_envelope(one)[1].epoch for one in answers}) == 2
    for one in (*answers, *answers):
        with contextlib.suppress(BadEnvelope):  # the earlier of the two epochs, after the later one
            await lyon.worker.take_reply(one)
    assert lyon.book.read_now(lambda line: line.execute(select(evidence)).all()) == []
    await files.settle()
    assert files.exchange.recovery is None
    assert lyon.balance(bea) == 5_100


async def test_a_slip_is_found_at_its_place_however_far_its_epoch_is_from_ours(files: World) -> None:
    """A member chooses its epoch itself: what is looked for under earlier ones must not take a step for each number."""
    from hub.clearing.store import find_slip_at
    from node.federation.store import find_sent_at

    brest, _lyon, ana, bea = await _two(files)
    index = int(brest.cede(ana, Address(bea, LYON), 100).reference.split("/")[1])
    await files.settle()
    last = 2**31 - 1
    slip = files.hub_book.read_now(lambda line: find_slip_at(line, BREST, last, index))
    sent = brest.book.read_now(lambda line: find_sent_at(line, last, index))
    assert slip is not None
    assert sent is not None
    assert (slip.epoch, slip.index, sent.epoch, sent.index) == (1, index, 1, index)
    assert files.hub_book.read_now(lambda line: find_slip_at(line, BREST, last, index + 1)) is None
    assert brest.book.read_now(lambda line: find_sent_at(line, last, index + 1)) is None


async def test_accreditation_lost_with_the_copy_comes_back(files: World) -> None:
    brest, _lyon, ana, _bea = await _two(files)
    lille = files.join(LILLE, is_accredited=False)
    await files.settle()
    copy = back_up(files.hub_book)
    files.hub_book.write_now(files.registry.accredit, Accredit(LILLE, "", ""))
    await files.settle()
    zoe = lille.open()
    brest.cede(ana, Address(zoe, LILLE), 300)
    await files.settle()
    restore_hub(files, copy)
    await _come_back(files)
    assert lille.balance(zoe) == 300


async def test_a_node_lost_after_the_hub_was_learns_again_for_whom_rights_arrived(files: World) -> None:
    """The giver still holds what it sealed for the receiver, long after it ended: the restored hub gets it again."""
    brest, lyon, ana, bea = await _two(files)
    await files.settle()
    hub_copy, lyon_copy = back_up(files.hub_book), back_up(lyon.book)
    brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    restore_hub(files, hub_copy)
    await _come_back(files)
    restore_node(files, lyon, lyon_copy)
    await _come_back_to_hub(files, lyon)
    assert lyon.balance(bea) == 5_300
    await files.settle()


async def test_what_was_sealed_is_forgotten_by_its_author_35_days_after_it_ended(files: World) -> None:
    brest, _lyon, ana, bea = await _two(files)
    brest.cede(ana, Address(bea, LYON), 300)
    await files.settle()
    brest.cede(ana, Address(bea, LYON), 20)  # under way: kept, however long
    forget = brest.federation.forget
    files.clock.now += KEEP_BESIDE_MS - 60_000
    assert brest.book.write_now(forget, None) == 0
    files.clock.now += 120_000
    assert [brest.book.write_now(forget, None) for _ in range(2)] == [1, 0]
