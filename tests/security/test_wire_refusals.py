"""Bad input to the hub and to a node: one clear refusal, nothing changed, and the next good call works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack
import msgspec
import pytest
from sqlalchemy import Connection, inspect, text

from protocol.book import log_store
from protocol.canonical import decode_typed, encode_typed
from protocol.cession import CessionState
from protocol.directory import LimitsSet
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    Enrolment,
    Envelope,
    HeadStatement,
    Payload,
    SignedEnrolment,
    compute_digest,
    sign_envelope,
)
from protocol.errors import BadEnvelope, Refusal
from protocol.identifiers import Address
from protocol.keys import Domain, Keyring, make_keys, sign
from protocol.messages import AddKey, Answer, Cede, Lot, Recall, Slip, encode_slip
from protocol.times import Instant
from tests.federation.world import BREST, HUB, LILLE, LYON, NETWORK, Node, World

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


def digest_of(connection: Connection) -> int:
    """Return a number that changes when any row of any table does."""
    names = sorted(inspect(connection).get_table_names())
    return hash(tuple((name, tuple(map(tuple, connection.execute(text(f"SELECT * FROM {name}"))))) for name in names))


def state_of(world: World) -> tuple[int, ...]:
    books = [world.hub_book, *(node.book for node in world.nodes.values())]
    return tuple(book.read_now(digest_of) for book in books)


async def _pair(world: World) -> tuple[Node, Node, Any, Any]:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    return brest, lyon, ana, bea


def forge(node: Node, data: bytes, **changed: Any) -> bytes:
    """Return the envelope with fields of its statement changed, signed again by the node's own key."""
    envelope = decode_typed(data, Envelope, size_max=ENVELOPE_BYTES_MAX)
    statement = decode_typed(envelope.statement, HeadStatement, size_max=1_024)
    payload = changed.pop("payload", envelope.payload)
    statement = msgspec.structs.replace(statement, payload=compute_digest(payload), **changed)
    return sign_envelope(node.federation.identity.keyring.current, statement, payload)


async def test_every_flipped_bit_of_an_envelope_is_one_refusal_and_changes_nothing(world: World) -> None:
    brest, _lyon, ana, bea = await _pair(world)
    brest.cede(ana, Address(bea, LYON), 100)
    good = await brest.worker.export()
    before = state_of(world)
    for place in range(len(good)):
        wrong = bytearray(good)
        wrong[place] ^= 1 << (place % 8)
        with pytest.raises(Refusal):
            await world.exchange.answer(bytes(wrong))
    for length in range(0, len(good), 7):
        with pytest.raises(Refusal):
            await world.exchange.answer(good[:length])
    for extra in (b"\x00", good, b"\xc0" * 100):
        with pytest.raises(Refusal):
            await world.exchange.answer(good + extra)
    assert state_of(world) == before
    await world.settle()
    assert brest.totals().abroad[0].cents == 100


async def test_an_oversized_body_is_refused_before_it_is_decoded(world: World) -> None:
    await _pair(world)
    with pytest.raises(BadEnvelope, match="unreadable"):
        await world.exchange.answer(bytes(ENVELOPE_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"network": "other"}, "wrong_network"),
        ({"reader": LYON}, "wrong_reader"),
        ({"sender": LILLE}, "unknown_member"),
        ({"version": 2}, "wrong_version"),
        ({"key": bytes(8)}, "unknown_key"),
        ({"at": 2**52}, "from_the_future"),
        ({"log_size": 7}, "bad_payload"),
        ({"log_root": bytes(32)}, "broken_log"),
        ({"ack_size": 10_000}, "we_are_behind"),
        ({"ack_root": bytes(32)}, "fork"),
    ],
)
async def test_a_wrong_statement_is_refused_by_name(world: World, changed: dict[str, Any], reason: str) -> None:
    brest, lyon, ana, bea = await _pair(world)
    await world.settle()
    brest.cede(ana, Address(bea, LYON), 100)
    wrong = forge(brest, await brest.worker.export(), **changed)
    with pytest.raises(BadEnvelope) as refusal:
        await world.exchange.answer(wrong)
    assert refusal.value.facts["reason"] in (reason, "fork")
    await world.settle()
    assert lyon.balance(bea) == 100
    _forget_evidence(world)


@pytest.mark.parametrize("epoch", [0, 2, 2**40])
async def test_under_another_epoch_nothing_is_taken_and_the_answer_says_what_is_held(world: World, epoch: int) -> None:
    brest, lyon, ana, bea = await _pair(world)
    await world.settle()
    brest.cede(ana, Address(bea, LYON), 100)
    before = world.hub_book.read_now(lambda line: log_store.open_log_or_empty(line, BREST, HUB))
    answer = await world.exchange.answer(forge(brest, await brest.worker.export(), epoch=epoch))
    assert world.hub_book.read_now(lambda line: log_store.open_log_or_empty(line, BREST, HUB)) == before
    envelope = decode_typed(answer, Envelope, size_max=ENVELOPE_BYTES_MAX)
    told = decode_typed(envelope.statement, HeadStatement, size_max=1_024)
    assert (told.ack_epoch, told.ack_size, told.ack_root) == (before.epoch, before.size, before.root)
    await world.settle()
    assert lyon.balance(bea) == 100


async def test_another_members_signature_does_not_pass(world: World) -> None:
    brest, lyon, ana, bea = await _pair(world)
    brest.cede(ana, Address(bea, LYON), 100)
    envelope = decode_typed(await brest.worker.export(), Envelope, size_max=ENVELOPE_BYTES_MAX)
    statement = decode_typed(envelope.statement, HeadStatement, size_max=1_024)
    stolen = sign_envelope(lyon.federation.identity.keyring.current, statement, envelope.payload)
    with pytest.raises(BadEnvelope, match="bad_signature"):
        await world.exchange.answer(stolen)


def _slip_by_hand(change: Callable[[list[Any]], None]) -> bytes:
    """Return a leaf made with plain msgpack, so that nothing of ours refuses to write it."""
    lot = [BREST, b"\x01" * 16, 5, 202611]
    cede: list[Any] = [1, [lot], [], [0], [100], [], b"\x02" * 8, b"\x03" * 32]
    change(cede)
    return bytes(msgpack.packb([1, LYON, 1_795_000_000_000, [cede]], use_bin_type=True))


def _set(place: int, value: Any) -> Callable[[list[Any]], None]:
    def change(cede: list[Any]) -> None:
        cede[place] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set(4, [0]),
        _set(4, [-5]),
        _set(4, [10**15 + 1]),
        _set(4, [1.5]),
        _set(4, ["1"]),
        _set(4, [True]),
        _set(4, [1, 2]),
        _set(3, [1]),
        _set(3, []),
        _set(2, [2]),
        _set(5, [-1]),
        _set(7, b"short"),
        _set(1, [[BREST, b"\x01" * 16, 5, 202611]] * 2),
        _set(1, []),
        _set(0, 99),
    ],
)
async def test_a_signed_slip_of_nonsense_is_taken_refused_and_moves_nothing(
    world: World, change: Callable[[list[Any]], None]
) -> None:
    brest, lyon, ana, bea = await _pair(world)
    _append_by_hand(brest, _slip_by_hand(change))
    await world.settle()
    assert world.sequencer.counts["slips_malformed"] == 1
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    assert lyon.balance(bea) == 100
    _forget_breaks(brest)


def _append_by_hand(node: Node, leaf: bytes, sealed: bytes | None = None) -> int:
    """Write a leaf into a node's own log, as a dishonest node would."""
    from protocol.book import log_store
    from protocol.book.service import Page

    def operation(page: Page, items: Any) -> list[int]:
        log = log_store.open_log(page.connection, node.code, "HUB-FR")
        index = log_store.append_leaves(page.connection, log, [leaf], page.now)
        if sealed is not None:
            log_store.save_attachments(page.connection, log.id, [(index, sealed)])
        return [index]

    return int(node.book.write_now(operation, None))


def _forget_evidence(world: World) -> None:
    """A fork is kept for ever; here it was made on purpose."""
    from protocol.book.service import Page

    def operation(page: Page, items: Any) -> list[None]:
        page.connection.execute(text("DELETE FROM evidence"))
        return [None]

    world.hub_book.write_now(operation, None)


def _forget_breaks(*nodes: Node) -> None:
    """What the dishonest node's own book says of its forgery is not what these tests are about."""
    from protocol.book.service import Page

    def operation(page: Page, items: Any) -> list[None]:
        page.connection.execute(text("DELETE FROM breaks"))
        return [None]

    for node in nodes:
        node.book.write_now(operation, None)


async def test_answers_recalls_and_keys_that_are_not_ours_to_give_move_nothing(world: World) -> None:
    brest, lyon, ana, bea = await _pair(world)
    lille = world.join(LILLE)
    await world.settle()
    view = brest.cede(ana, Address(bea, LYON), 100)
    await world.settle(BREST)
    index = int(view.reference.split("/")[1])
    small_order = bytes(32)
    for node, to, message in (
        (lille, BREST, Answer(1, index, (), (), ())),  # not the receiver
        (lyon, BREST, Answer(1, index, (), (), ())),  # not handed over yet
        (lyon, BREST, Answer(1, 99, (), (), ())),  # no such slip
        (lille, "HUB-FR", Recall(1, index, (0,))),  # a slip of its own that it never sent
        (lille, "HUB-FR", AddKey(b"\x01" * 32, b"\x02" * 32, b"\x03" * 64)),  # no proof of possession
        (lille, "HUB-FR", AddKey(small_order, small_order, b"\x03" * 64)),
    ):
        _append_by_hand(node, encode_slip(Slip(1, to, 0, (message,))))
    await world.settle(LILLE)
    assert world.sequencer.counts["keys_refused"] == 2
    assert world.sequencer.counts["answers_ignored"] == 1
    assert len(world.registry.directory.require(LILLE).keys) == 1
    await world.settle()
    assert brest.cession(view.op).state is CessionState.DELIVERED
    _forget_breaks(lille, lyon, brest)


async def test_foreign_rights_are_not_ceded_twice_nor_invented(world: World) -> None:
    brest, lyon, ana, bea = await _pair(world)
    lille = world.join(LILLE)
    await world.settle()
    zoe = lille.open()
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    from node.federation.outgoing import Leaving, make_slip
    from node.ledger.lots import LotName
    from protocol.identifiers import TerritoryCode

    row = brest.book.read_now(
        lambda connection: connection.execute(text("SELECT ref, lot_class, month FROM lots")).one()
    )
    lot = LotName(TerritoryCode(BREST), bytes(row[0]), row[1], row[2])
    keys = lyon.federation.directory.require(LILLE).keys[-1]

    def forged(cents: int, named: LotName = lot) -> None:
        leaving = Leaving(world.entropy(16), bea, Address(zoe, LILLE), "", "", Instant(0), ((named, cents),))
        leaf, sealed = make_slip(LYON, LILLE, keys, [leaving], now=world.clock(), entropy=world.entropy(48))
        _append_by_hand(lyon, leaf, sealed)

    forged(60)
    forged(60)  # only 40 are left
    forged(10, lot._replace(ref=b"\x07" * 16))  # a lot that Brest never announced
    forged(10, lot._replace(lot_class=7))  # a known lot under another class
    await world.settle()
    assert lille.balance(zoe) == 60
    positions = world.hub_book.read_now(
        lambda connection: connection.execute(text("SELECT holder, cents FROM positions ORDER BY holder")).all()
    )
    assert {row[0]: row[1] for row in positions} == {LILLE: 60, LYON: 40}
    world.nodes.pop(LYON).book.close()  # the forger's own book contradicts its log, as it should


async def test_a_sealed_part_that_is_missing_or_swapped_is_refused(world: World) -> None:
    brest, lyon, ana, bea = await _pair(world)
    brest.cede(ana, Address(bea, LYON), 100)
    data = await brest.worker.export()
    payload = decode_typed(
        decode_typed(data, Envelope, size_max=ENVELOPE_BYTES_MAX).payload, Payload, size_max=ENVELOPE_BYTES_MAX
    )
    without = tuple(msgspec.structs.replace(slip, beside=()) for slip in payload.slips)
    stripped = encode_typed(msgspec.structs.replace(payload, slips=without))
    await world.exchange.answer(forge(brest, data, payload=stripped))
    await world.settle()
    (view,) = [brest.cession(row[0]) for row in brest.book.read_now(_ops)]
    assert (view.state, view.code) == (CessionState.REFUSED, "sealed_part_missing")
    assert brest.balance(ana) == 5_000
    assert lyon.balance(bea) == 0


def _ops(connection: Connection) -> list[Any]:
    return list(connection.execute(text("SELECT op FROM cessions")).all())


async def test_a_forked_member_is_found_out_and_the_evidence_convicts_it(world: World) -> None:
    from protocol.book.tables import evidence
    from protocol.evidence import NotEvidence, judge

    brest, lyon, ana, bea = await _pair(world)
    brest.cede(ana, Address(bea, LYON), 100)
    await world.settle()
    good = decode_typed(await brest.worker.export(), Envelope, size_max=ENVELOPE_BYTES_MAX)
    head = decode_typed(good.statement, HeadStatement, size_max=1_024)
    fork = forge(brest, await brest.worker.export(), log_root=bytes(31) + b"\x01")
    with pytest.raises(BadEnvelope, match="fork"):
        await world.exchange.answer(fork)
    rows = world.hub_book.read_now(lambda connection: connection.execute(evidence.select()).all())
    assert [(row.accused, row.kind) for row in rows] == [(BREST, "two_heads")]
    judgement = judge(bytes(rows[0].body))
    assert judgement.accused == BREST
    assert str(head.log_size) in judgement.summary
    wrong = bytearray(rows[0].body)
    wrong[len(wrong) // 2] ^= 1
    with pytest.raises(NotEvidence):
        judge(bytes(wrong))
    findings = world.check()
    assert any(finding.expected == "one history" for finding in findings)
    world.hub_book.close()
    world.check = lambda: []  # type: ignore[method-assign]
    assert lyon.balance(bea) == 100


async def test_an_enrolment_needs_its_own_unused_token_and_sound_keys(world: World) -> None:
    from hub.directory.service import Invite

    world.join(BREST)
    token = world.entropy(16)
    world.hub_book.write_now(world.registry.invite, Invite(LYON, token))
    secret = make_keys(world.entropy(64))

    def request(**changed: Any) -> bytes:
        fields: dict[str, Any] = {
            "network": NETWORK,
            "member": LYON,
            "token": token,
            "name": "Lyon",
            "signing": secret.public.signing,
            "sealing": secret.public.sealing,
            "at": 0,
        } | changed
        body = encode_typed(Enrolment(**fields))
        return encode_typed(SignedEnrolment(body, sign(secret, Domain.ENROLMENT, body)))

    for changed, code in (
        ({"network": "other"}, "enrolment_refused"),
        ({"token": bytes(16)}, "invitation_refused"),
        ({"member": LILLE}, "invitation_refused"),
        ({"signing": bytes(32)}, "invalid_key"),
        ({"sealing": bytes(32)}, "invalid_key"),
        ({"signing": make_keys(world.entropy(64)).public.signing}, "enrolment_refused"),
    ):
        with pytest.raises(Refusal) as refusal:
            world.hub_book.write_now(world.registry.enrol, request(**changed))
        assert refusal.value.code == code, changed
    for garbage in (b"", b"\x93", request()[:-1], request() + b"\x00"):
        with pytest.raises(Refusal):
            world.hub_book.write_now(world.registry.enrol, garbage)
    first = world.hub_book.write_now(world.registry.enrol, request())
    assert world.hub_book.write_now(world.registry.enrol, request()) == first
    thief = make_keys(world.entropy(64))
    body = encode_typed(Enrolment(NETWORK, LYON, token, "x", thief.public.signing, thief.public.sealing, 0))
    with pytest.raises(Refusal, match="used"):
        world.hub_book.write_now(
            world.registry.enrol, encode_typed(SignedEnrolment(body, sign(thief, Domain.ENROLMENT, body)))
        )


async def test_limits_hold_against_many_cessions_at_once(world: World) -> None:
    brest, lyon, ana, bea = await _pair(world)
    world.change(LimitsSet(BREST, 1_000, 100, 10_000))
    await world.settle()
    for _ in range(15):
        brest.cede(ana, Address(bea, LYON), 90)
    await world.settle()
    assert lyon.balance(bea) == 990
    assert brest.balance(ana) == 4_010


def test_the_lot_of_the_forged_slips_is_one_the_code_would_write(world: World) -> None:
    plain = _slip_by_hand(lambda _cede: None)
    lot = Lot(BREST, b"\x01" * 16, 5, 202611)
    cede = Cede((lot,), (), (0,), (100,), (), b"\x02" * 8, b"\x03" * 32)
    assert plain == encode_slip(Slip(1, LYON, 1_795_000_000_000, (cede,)))
    assert Keyring(make_keys(bytes(64))).older == ()
