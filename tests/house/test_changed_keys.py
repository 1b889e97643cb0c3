"""A base changes its key: its neighbours believe the new one by themselves, and the old one says nothing any more."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.house.clearing_service import Direct
from protocol.book import log_store
from protocol.envelopes import open_envelope
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.client import HubUnreachable
from protocol.exchange.peer_key_checks import check_keys
from protocol.exchange.peer_keys import KeyMissing, Rotation, make_new_key
from protocol.exchange.peer_recovery import BEHIND
from protocol.house import NewKey, decode_house_slip
from protocol.keys import Keyring, SecretKeys, make_keys
from tests.simulation.house import bank, copies, line, shop
from tests.simulation.house.rest import find_wrongs, rest, settle
from tests.simulation.house.run import _begin
from tests.simulation.house.stage import ACCOUNTS, FUND, NAMES, PAIRS, PARTNERS, Stage, make_templates

OLD = {BEHIND: "0"}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
async def stage(tmp_path: Path, templates: dict[str, Path]) -> AsyncIterator[Stage]:
    """Three bases with nothing in them: keys concern the talk, and no desk."""
    made = Stage(5, tmp_path, templates)
    bank.found_fund(made)
    await settle(made)
    yield made
    made.close()


@pytest.fixture
async def town(tmp_path: Path, templates: dict[str, Path]) -> AsyncIterator[Stage]:
    """The same with companies, campaigns, tills and people."""
    made = Stage(5, tmp_path, templates)
    await _begin(made)
    yield made
    made.close()


async def _talk(stage: Stage) -> None:
    """Let the bases talk, whoever refuses whom meanwhile."""
    for caller, answerer in PAIRS * 3:
        with contextlib.suppress(BadEnvelope):
            await stage.peers[caller].call(answerer, Direct(stage.peers[answerer]))


def _rotate(stage: Stage, name: str, id_: bytes | None = None) -> SecretKeys:
    """Change a base's key: the page, then its folder."""
    secret = make_keys(stage.entropy(64))
    done = stage.ask(name, lambda: stage.peers[name].rotate, Rotation(id_ or stage.entropy(16), secret))
    assert done.key == secret.public.id
    before = stage.keyrings[name]
    stage.keyrings[name] = Keyring(secret, (before.current, *before.older))
    return secret


def _known(stage: Stage, reader: str, name: str) -> list[bytes]:
    """The keys by which a base believes another."""
    return [key.id for key in stage.peers[reader].neighbours.require(name).keys]


def _announced(stage: Stage, owner: str, reader: str, holder: str | None = None) -> list[tuple[int, NewKey]]:
    def find(connection: Any) -> Iterator[tuple[int, NewKey]]:
        log = log_store.open_log_or_empty(connection, owner, reader)
        for index, leaf in enumerate(log_store.load_leaves(connection, log.id, 0, log.size)):
            for message in decode_house_slip(leaf).messages:
                if isinstance(message, NewKey):
                    yield index, message

    return stage.books[holder or owner].read_now(lambda connection: list(find(connection)))


async def test_a_new_key_is_believed_with_slips_in_flight_and_the_old_one_says_nothing_any_more(town: Stage) -> None:
    stage = town
    old = stage.keys[FUND]
    bank.gift(stage)
    shop.sell(stage)
    new = _rotate(stage, FUND)
    bank.gift(stage)
    assert _known(stage, ACCOUNTS, FUND) == [old.public.id]
    await settle(stage)
    for reader in (ACCOUNTS, PARTNERS):
        assert _known(stage, reader, FUND) == [new.public.id]
        assert len(_announced(stage, FUND, reader, reader)) == 1
    # What the old key would say now is refused, and changes nothing: it may be a thief's.
    before = copies.read_rows(stage, ACCOUNTS), stage.read(ACCOUNTS, "SELECT size, acked FROM logs")
    bank.gift(stage)
    stolen, _ = stage.books[FUND].read_now(partial(stage.peers[FUND]._compose, reader=ACCOUNTS, start=None, signer=old))
    with pytest.raises(BadEnvelope) as refused:
        await stage.peers[ACCOUNTS].answer(stolen)
    assert refused.value.facts["reason"] == "unknown_key"
    assert (copies.read_rows(stage, ACCOUNTS), stage.read(ACCOUNTS, "SELECT size, acked FROM logs")) == before
    await rest(stage)
    stage.restart(ACCOUNTS)
    assert _known(stage, ACCOUNTS, FUND) == [new.public.id], "after a start too"
    assert find_wrongs(stage) == []


def _find_wrong_keys(stage: Stage) -> list[str]:
    network = stage.peers[FUND].identity.network
    checked = [
        one
        for name in NAMES
        for one in stage.books[name].read_now(lambda book: check_keys(book, stage.neighbours, network))
    ]
    assert sum(one.looked_at for one in checked) > 0
    return [finding.place for one in checked for finding in one.findings]


async def test_check_names_what_was_changed_by_hand(stage: Stage) -> None:
    _rotate(stage, FUND)
    _rotate(stage, FUND)
    await settle(stage)
    assert _find_wrong_keys(stage) == []
    kept = "house_keys THE-FUND ACCOUNTS"
    value = stage.read(ACCOUNTS, "SELECT value FROM facts WHERE name = :kept", kept=kept)[0][0]

    def change(page: Any, items: Any) -> Any:
        page.connection.exec_driver_sql("UPDATE facts SET value = ? WHERE name = ?", (items[0], kept))
        return items

    stage.books[ACCOUNTS].write_now(change, value.replace('"index":', '"index":1'))
    assert _find_wrong_keys(stage) == ["log THE-FUND to ACCOUNTS, keys"]
    stage.books[ACCOUNTS].write_now(change, value)
    # A thief who could write the log himself: no key of the fund's signed this one.
    thief = make_new_key(stage.peers[FUND].identity.network, FUND, 3, make_keys(bytes(64)), make_keys(bytes(64)))
    stage.books[FUND].write_now(lambda page, _: [stage.peers[FUND].append(page, ACCOUNTS, [thief])], None)
    places = _find_wrong_keys(stage)
    assert places[0] == "log THE-FUND to ACCOUNTS, keys"
    assert places[1].startswith("log THE-FUND to ACCOUNTS, leaf")


async def test_an_envelope_that_was_verified_before_its_key_was_retired_is_not_taken_after(stage: Stage) -> None:
    old = stage.keys[FUND]
    late, _ = stage.books[FUND].read_now(partial(stage.peers[FUND]._compose, reader=ACCOUNTS, start=None))
    received = stage.peers[ACCOUNTS]._verify(late)
    _rotate(stage, FUND)
    bringing, _ = stage.books[FUND].read_now(partial(stage.peers[FUND]._compose, reader=ACCOUNTS, start=None))
    assert stage.peers[ACCOUNTS]._verify(bringing).statement.key == old.public.id, "the last that the old key signs"
    both = [stage.peers[ACCOUNTS]._verify(bringing), received]
    results = stage.books[ACCOUNTS].write_now(lambda page, _: [stage.peers[ACCOUNTS].take(page, both)], None)
    assert results[0] == 1
    assert results[1].facts["reason"] == "unknown_key"


class _DeafWire(line.Wire):
    """The answer to the first call is lost."""

    def __init__(self, stage: Stage, caller: str, answerer: str) -> None:
        super().__init__(stage, caller, answerer, is_bad=False)
        self.signers: list[bytes] = []
        self.answers_lost = 1

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.signers.append(open_envelope(envelope)[1].key)
        reply = await self._stage.peers[self._answerer].answer(envelope)
        if self.answers_lost:
            self.answers_lost -= 1
            raise HubUnreachable(reason="the answer is lost")
        return reply


async def test_a_lost_confirmation_is_found_out_by_asking_with_the_new_key(stage: Stage) -> None:
    old = stage.keys[FUND]
    new = _rotate(stage, FUND)
    bank.gift(stage)
    wire = _DeafWire(stage, FUND, ACCOUNTS)
    with pytest.raises(HubUnreachable):
        await stage.peers[FUND].call(ACCOUNTS, wire)
    assert _known(stage, ACCOUNTS, FUND) == [new.public.id]
    await stage.peers[FUND].call(ACCOUNTS, wire)
    assert wire.signers[:3] == [old.public.id, old.public.id, new.public.id]
    assert old.public.id not in wire.signers[3:]
    await settle(stage)
    assert find_wrongs(stage) == []


async def test_two_changes_in_a_row_that_nobody_heard_between(stage: Stage) -> None:
    first = _rotate(stage, PARTNERS)
    shop.enter_companies(stage)
    second = _rotate(stage, PARTNERS)
    await stage.peers[ACCOUNTS].call(PARTNERS, Direct(stage.peers[PARTNERS]))  # it is called, and answers
    assert _known(stage, ACCOUNTS, PARTNERS) == [second.public.id]
    assert [told.number for _, told in _announced(stage, PARTNERS, ACCOUNTS, ACCOUNTS)] == [1, 2]
    assert first.public.id in [key.id for key in stage.peers[ACCOUNTS].neighbours.require(PARTNERS).retired]
    await settle(stage)
    third = _rotate(stage, PARTNERS)
    await settle(stage)
    assert _known(stage, FUND, PARTNERS) == [third.public.id]
    assert find_wrongs(stage) == []


async def test_asked_again_under_the_same_id_it_is_changed_once(stage: Stage) -> None:
    new = _rotate(stage, FUND, b"one id, 16 bytes")
    asked = Rotation(b"one id, 16 bytes", make_keys(stage.entropy(64)))
    again = stage.ask(FUND, lambda: stage.peers[FUND].rotate, asked)
    assert (again.number, again.key, again.is_repeated) == (1, new.public.id, True)
    assert len(_announced(stage, FUND, ACCOUNTS)) == 1


@pytest.mark.parametrize("forged", ["signature", "proof", "before", "number"])
async def test_a_key_that_no_valid_key_announced_is_not_believed(stage: Stage, forged: str) -> None:
    thief, new = make_keys(stage.entropy(64)), make_keys(stage.entropy(64))
    true = make_new_key(stage.peers[FUND].identity.network, FUND, 1, stage.keys[FUND], new)
    wrong = {
        "signature": msgspec.structs.replace(true, signature=bytes(64)),
        "proof": msgspec.structs.replace(true, proof=true.signature),
        "before": make_new_key(stage.peers[FUND].identity.network, FUND, 1, thief, new),
        "number": msgspec.structs.replace(true, number=2),
    }[forged]
    stage.books[FUND].write_now(lambda page, _: [stage.peers[FUND].append(page, ACCOUNTS, [wrong])], None)
    with pytest.raises(BadEnvelope) as refused:
        await stage.peers[FUND].call(ACCOUNTS, Direct(stage.peers[ACCOUNTS]))
    assert refused.value.facts["reason"] == "bad_key"
    assert _known(stage, ACCOUNTS, FUND) == [stage.keys[FUND].public.id]
    assert _announced(stage, FUND, ACCOUNTS, ACCOUNTS) == []


@pytest.mark.parametrize("loser", [FUND, ACCOUNTS])
async def test_old_copies_of_either_side_come_back_to_the_new_key(stage: Stage, loser: str) -> None:
    copy = copies.copy_of(stage, loser)
    bank.gift(stage)
    _rotate(stage, FUND)
    new = _rotate(stage, FUND)
    bank.gift(stage)
    await settle(stage)
    stage.put_back(loser, copy, OLD)
    stage.ask(loser, lambda: stage.peers[loser].begin_recovery, stage.entropy(32))
    await _talk(stage)
    await settle(stage)
    assert not stage.peers[loser].is_behind
    assert _known(stage, ACCOUNTS, FUND) == [new.public.id]
    assert [told.number for _, told in _announced(stage, FUND, ACCOUNTS)] == [1, 2]
    bank.gift(stage)
    await settle(stage)
    assert [one for one in find_wrongs(stage) if "last receipt" not in one.expected] == []


async def test_a_copy_that_nobody_marked_and_that_lacks_its_own_new_key_learns_that_it_is_old(stage: Stage) -> None:
    copy = copies.copy_of(stage, FUND)
    _rotate(stage, FUND)
    await settle(stage)
    stage.put_back(FUND, copy, {})
    with pytest.raises(BadEnvelope) as refused:
        await stage.peers[FUND].call(ACCOUNTS, Direct(stage.peers[ACCOUNTS]))
    assert refused.value.facts["reason"] == "we_are_behind"


async def test_a_change_that_nobody_heard_and_that_was_lost_with_the_book_is_announced_anew(stage: Stage) -> None:
    copy = copies.copy_of(stage, FUND)
    new = _rotate(stage, FUND)
    others = stage.neighbours
    own = replace(others.members[FUND], keys=(*others.members[FUND].keys, new.public))
    stage.neighbours = replace(others, members={**others.members, FUND: own})  # house.toml in the fund's folder has it
    stage.put_back(FUND, copy, OLD)
    stage.neighbours = others
    stage.ask(FUND, lambda: stage.peers[FUND].begin_recovery, stage.entropy(32))
    for reader in (ACCOUNTS, PARTNERS):  # the fund calls: nobody knows the key that it signs answers with
        await stage.peers[FUND].call(reader, Direct(stage.peers[reader]))
    await stage.peers[FUND].call(ACCOUNTS, Direct(stage.peers[ACCOUNTS]))
    assert not stage.peers[FUND].is_behind
    await settle(stage)
    for reader in (ACCOUNTS, PARTNERS):
        assert _known(stage, reader, FUND) == [new.public.id]


def _pass_on(stage: Stage, name: str, refusal: Refusal) -> None:
    """Tell the caller that its key is not the one that is expected; anything else is wrong, as in every story."""
    if refusal.facts.get("reason") == "unknown_key":
        raise refusal
    Stage.note_refusal(stage, name, refusal)


async def test_a_process_killed_before_its_folder_knew_signs_with_what_its_book_announced(stage: Stage) -> None:
    old = stage.keyrings[FUND].current
    new = _rotate(stage, FUND)
    stage.keyrings[FUND] = Keyring(old, (new,))  # the key is there, and not the current one
    stage.restart(FUND)
    assert stage.peers[FUND].identity.keyring.current == new
    await settle(stage)
    assert _known(stage, PARTNERS, FUND) == [new.public.id]
    stage.keyrings[FUND] = Keyring(old)
    with pytest.raises(KeyMissing):
        stage.restart(FUND)
    stage.books[FUND].close()
    stage.keyrings[FUND] = Keyring(new, (old,))
    stage._open(FUND)


async def test_on_a_bad_line_with_deaths_every_base_ends_with_its_newest_key_everywhere(town: Stage) -> None:
    stage = town
    stage.note_refusal = partial(_pass_on, stage)  # type: ignore[method-assign]
    dice = random.Random("changed keys")
    newest = {}
    for step in range(30):
        stage.sequence = step
        if dice.random() < 0.3:
            name = dice.choice(NAMES)
            newest[name] = _rotate(stage, name).public.id
        dice.choice((shop.sell, bank.gift, shop.refund))(stage)
        if dice.random() < 0.3:
            line.process_dies(stage)
        caller, answerer = dice.choice(PAIRS)
        wire = line.Wire(stage, *dice.choice(((caller, answerer), (answerer, caller))), is_bad=True)
        try:
            await stage.survive(wire._caller, stage.peers[wire._caller].call(wire._answerer, wire))
        except HubUnreachable:
            continue
        stage.under_way.clear()  # what comes late is refused by its key: seen above
    for fault in stage.faults.values():
        fault.disarm()
    await rest(stage)
    assert set(newest) == set(NAMES)
    assert _find_wrong_keys(stage) == []
    for name in NAMES:
        for reader in set(NAMES) - {name}:
            assert _known(stage, reader, name) == [newest[name]], (name, reader)
    assert find_wrongs(stage) == []
