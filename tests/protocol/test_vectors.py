"""Every vector against the code, through its public functions. The files say what is right, not the code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from node.federation.whispers import Question, WhisperRefused, open_whisper
from protocol import amounts, identifiers, keys, merkle
from protocol.canonical import decode, decode_typed, encode, encode_typed
from protocol.catalogue import verify_catalogue
from protocol.cession import TERMINAL, Cession, CessionState, Event, IllegalTransition, advance
from protocol.clearing import Ceded, Ended, Outcome, Positions, apply_outcome, clear
from protocol.directory import (
    BrokenDirectory,
    Directory,
    Limits,
    Member,
    MemberKind,
    MemberStatus,
    apply_entries,
    hash_entry,
)
from protocol.envelopes import SignedCheckpoint, Whisper, open_checkpoint
from protocol.errors import BadEnvelope, InvalidAddress, InvalidAmount, InvalidId, Malformed, NotCanonical, Refusal
from protocol.evidence import NotEvidence, judge
from protocol.exchange.service import Identity, verify_envelope
from protocol.keys import Domain, InvalidKey, Keyring, PublicKeys, SecretKeys, Unreadable
from protocol.messages import Answer, Cede, Slip, decode_beneficiaries, decode_slip, encode_slip
from protocol.national import (
    CessionsStopped,
    DirectoryChanged,
    SlipRecord,
    SlipsHandedOver,
    SlipTaken,
    begin_record,
    clear_slip,
    decode_national,
    encode_national,
    end_slip,
    find_cede,
    read_slip,
    settle_answer,
    stop,
)
from protocol.publications import PublicationRefused, decode_publication
from protocol.replay import Replay as OwnReplay
from protocol.territory_card import Settlement, verify_card
from protocol.times import Instant
from tests.protocol.vectors import FOLDER, ROOT, from_tree, load, unhex


def test_the_vector_files_are_what_the_code_gives_today() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "vectors"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_all_vectors_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < 600_000


def test_every_file_is_described_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in FOLDER.glob("*.json") if f"`{path.name}`" not in readme] == []


def test_amounts() -> None:
    file = load("amounts")
    for require, name in ((amounts.require_amount, "amount"), (amounts.require_balance, "balance")):
        for good in file[name]["good"]:
            assert require(good) == good
        for bad in file[name]["bad"]:
            with pytest.raises(InvalidAmount):
                require(bad)
    for case in file["shares"]:
        assert amounts.share_largest_remainder(case["total"], case["weights"]) == case["shares"]
    for weights in file["not_shared"]:
        with pytest.raises(ValueError):
            amounts.share_largest_remainder(amounts.Cents(1), weights)
    for case in file["shown"]:
        assert amounts.format_cents(case["cents"], "fr") == case["fr"]
        assert amounts.format_cents(case["cents"], "en") == case["en"]


def test_addresses() -> None:
    file = load("identifiers")["addresses"]
    for case in file["good"]:
        address = identifiers.parse_address(case["address"])
        assert (address.number, address.territory) == (case["number"], case["territory"])
        assert identifiers.format_address(address) == case["address"]
    for case in file["bad"]:
        with pytest.raises(InvalidAddress):
            identifiers.parse_address(case["address"])


def test_other_identifiers() -> None:
    file = load("identifiers")
    for require, name in ((identifiers.require_territory, "territories"), (identifiers.require_party, "parties")):
        for good in file[name]["good"]:
            assert require(good) == good
        for bad in file[name]["bad"]:
            with pytest.raises(Malformed):
                require(bad)
    for case in file["made_numbers"]:
        assert identifiers.make_account_number(bytes.fromhex(case["entropy"])) == case["number"]
    for case in file["made_south_codes"]:
        assert identifiers.make_south_code(bytes.fromhex(case["entropy"])) == case["code"]
        assert identifiers.is_south(case["code"])
    for case in file["ids"]["good"]:
        assert identifiers.parse_id(case["text"]).hex() == case["id"]
        assert identifiers.format_id(bytes.fromhex(case["id"])) == case["text"]
    for text in file["ids"]["bad_texts"]:
        with pytest.raises(InvalidId):
            identifiers.parse_id(text)
    for data in unhex(file["ids"]["bad_bytes"]):
        with pytest.raises(InvalidId):
            identifiers.require_id(data)
    for case in file["masked"]:
        assert identifiers.mask_name(case["name"]) == case["shown"]


def test_canonical_encodings() -> None:
    file = load("canonical")
    for case in file["good"]:
        value = from_tree(case["value"])
        assert encode(value).hex() == case["hex"]
        assert decode(bytes.fromhex(case["hex"]), size_max=file["size_max"]) == value
    for case in file["bad"]:
        with pytest.raises(NotCanonical):
            decode(bytes.fromhex(case["hex"]), size_max=file["size_max"], depth_max=file["depth_max"])


def test_keys_and_signatures() -> None:
    file = load("keys")
    for case in file["sets"]:
        secret = keys.make_keys(bytes.fromhex(case["signing_seed"] + case["sealing_seed"]))
        assert secret.public == PublicKeys(bytes.fromhex(case["signing"]), bytes.fromhex(case["sealing"]))
        assert secret.public.id.hex() == case["id"]
        assert Keyring(secret).find(bytes.fromhex(case["id"])) == secret
    for case in file["signatures"]["good"]:
        secret = SecretKeys(bytes.fromhex(case["signing_seed"]), bytes(32))
        body = bytes.fromhex(case["body"])
        assert keys.sign(secret, Domain(case["domain"]), body).hex() == case["signature"]
    for group, expected in (("good", True), ("bad", False)):
        for case in file["signatures"][group]:
            signing, body, signature = unhex([case["signing"], case["body"], case["signature"]])
            assert keys.is_signed(signing, Domain(case["domain"]), body, signature) is expected, case


def test_keys_that_may_be_announced() -> None:
    file = load("keys")["announced"]
    for case in file["good"]:
        keys.require_public_keys(*unhex([case["signing"], case["sealing"]]))
    for case in file["bad"]:
        with pytest.raises(InvalidKey):
            keys.require_public_keys(*unhex([case["signing"], case["sealing"]]))


def test_sealing() -> None:
    file = load("sealing")
    for case in file["good"]:
        plain, sealed, seed = unhex([case["plain"], case["sealed"], case["ephemeral_seed"]])
        assert keys.seal(bytes.fromhex(case["sealing"]), plain, ephemeral_seed=seed) == sealed
        assert keys.unseal(SecretKeys(bytes(32), bytes.fromhex(case["sealing_seed"])), sealed) == plain
    for case in file["bad"]:
        with pytest.raises(Unreadable):
            keys.unseal(SecretKeys(bytes(32), bytes.fromhex(case["sealing_seed"])), bytes.fromhex(case["sealed"]))


def test_merkle_roots_and_proofs() -> None:
    file = load("merkle")
    leaves = unhex(file["leaves"])
    assert [merkle.hash_leaf(leaf).hex() for leaf in leaves] == file["leaf_hashes"]
    frontier = merkle.Frontier()
    for size, root in enumerate(file["roots"]):
        assert merkle.root(frontier).hex() == root
        if size < len(leaves):
            frontier = frontier.append(merkle.hash_leaf(leaves[size]))
    for group, expected in (("good", True), ("bad", False)):
        for case in file["inclusion"][group]:
            leaf_hash = merkle.hash_leaf(bytes.fromhex(case["leaf"]))
            root, proof = bytes.fromhex(case["root"]), unhex(case["proof"])
            assert merkle.verify_inclusion(leaf_hash, case["index"], case["size"], proof, root) is expected, case
        for case in file["consistency"][group]:
            root1, root2 = unhex([case["root1"], case["root2"]])
            found = merkle.verify_consistency(case["size1"], root1, case["size2"], root2, unhex(case["proof"]))
            assert found is expected, case


def test_slips() -> None:
    file = load("slips")
    for case in file["good"]:
        leaf = bytes.fromhex(case["leaf"])
        slip = decode_slip(leaf)
        assert encode_slip(slip) == leaf
        assert msgspec.msgpack.decode(leaf) == from_tree(case["value"])
    refusals = {"malformed": Malformed, "not_canonical": NotCanonical}
    for case in file["bad"]:
        with pytest.raises(Malformed) as refusal:
            decode_slip(bytes.fromhex(case["leaf"]))
        assert type(refusal.value) is refusals[case["reason"]], case
    columns = file["columns"]
    cede = find_cede(decode_slip(bytes.fromhex(columns["cede"])))
    assert cede is not None
    for case in columns["good"]:
        opened = decode_beneficiaries(bytes.fromhex(case["plain"]), cede, columns["origin"])
        assert [opened.origin, *map(list, (opened.numbers, opened.givers, opened.words))] == from_tree(case["value"])
    for case in columns["bad"]:
        with pytest.raises(Malformed):
            decode_beneficiaries(bytes.fromhex(case["plain"]), cede, columns["origin"])


def test_envelopes() -> None:
    file = load("envelopes")
    directory = apply_entries(Directory(), unhex(file["directory"]))
    keyring = Keyring(SecretKeys(bytes(32), bytes(32)))  # not used for reading
    for case in file["good"]:
        identity = Identity(file["network"], case["reader"], keyring)
        received = verify_envelope(bytes.fromhex(case["envelope"]), identity, directory, Instant(file["now"]))
        assert msgspec.to_builtins(received.statement, builtin_types=(bytes,)) == from_tree(case["statement"])
        assert msgspec.msgpack.decode(received.envelope.payload) == from_tree(case["payload"])
    for case in file["bad"]:
        identity = Identity(file["network"], case["reader"], keyring)
        with pytest.raises(BadEnvelope) as refusal:
            verify_envelope(bytes.fromhex(case["envelope"]), identity, directory, Instant(file["now"]))
        assert refusal.value.facts["reason"] == case["reason"], case


def test_checkpoints() -> None:
    file = load("envelopes")["checkpoints"]
    signing = bytes.fromhex(file["signing"])

    def open_one(case: Any) -> list[Any]:
        signed = SignedCheckpoint(*unhex([case["body"], case["key"], case["signature"]]))
        return list(msgspec.to_builtins(open_checkpoint(signed, signing), builtin_types=(bytes,)))

    for case in file["good"]:
        assert open_one(case) == from_tree(case["value"])
    for case in file["bad"]:
        with pytest.raises(BadEnvelope):
            open_one(case)


def test_the_directory_folds() -> None:
    file = load("directory")
    for case in file["good"]:
        entries = unhex(case["entries"])
        directory = apply_entries(Directory(), entries)
        assert (directory.size, directory.head.hex()) == (case["size"], case["head"])
        assert {code: _told(member) for code, member in directory.members.items()} == case["members"]
        step_by_step = Directory()
        for entry in entries:
            step_by_step = apply_entries(step_by_step, [entry])
        assert step_by_step == directory
    for case in file["bad"]:
        with pytest.raises((BrokenDirectory, NotCanonical)):
            apply_entries(Directory(), unhex(case["entries"]))
    assert hash_entry(bytes.fromhex(file["entry_hash"]["entry"])).hex() == file["entry_hash"]["hash"]


def _told(member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "kind": member.kind,
        "status": member.status,
        "keys": [key.id.hex() for key in member.keys],
        "retired": [key.id.hex() for key in member.retired],
        "limits": [member.limits.abroad_max, member.limits.message_max, member.limits.day_max],
        "sponsor": member.sponsor,
        "guide": member.guide,
        "reason": member.reason,
    }


def test_cession_transitions() -> None:
    file = load("cession")
    for case in file["legal"]:
        after = advance(Cession(CessionState(case["state"]), Instant(1)), Event(case["event"]), Instant(2))
        assert after.state == case["after"]
    for case in file["illegal"]:
        with pytest.raises(IllegalTransition):
            advance(Cession(CessionState(case["state"]), Instant(1)), Event(case["event"]), Instant(2))
    assert len(file["legal"]) + len(file["illegal"]) == len(CessionState) * len(Event)
    assert sorted(TERMINAL) == file["terminal"]


def _positions(case: Any) -> Positions:
    told = case["positions"]
    return Positions(
        members={
            code: Member(code, code, MemberKind(row[0]), MemberStatus(row[1]), (), limits=Limits(*row[2:]))
            for code, row in case["members"].items()
        },
        cents={((row[0], bytes.fromhex(row[1])), row[2]): row[3] for row in told["cents"]},
        lots={(row[0], bytes.fromhex(row[1])): (row[2], row[3]) for row in told["lots"]},
        abroad=told["abroad"],
        ceded={(row[0], row[1]): row[2] for row in told["ceded"]},
    )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "slip_code": outcome.slip_code,
        "refused": [list(row) for row in outcome.refused],
        "cents": sorted([key[0], key[1].hex(), holder, cents] for (key, holder), cents in outcome.cents.items()),
        "abroad": dict(outcome.abroad),
        "ceded": sorted([code, day, cents] for (code, day), cents in outcome.ceded.items()),
        "lots": sorted([key[0], key[1].hex(), *row] for key, row in outcome.lots.items()),
        "transit": sorted([key[0], key[1].hex(), cents] for key, cents in outcome.transit.items()),
    }


def _cede(leaf: str) -> Cede:
    cede = find_cede(decode_slip(bytes.fromhex(leaf)))
    assert cede is not None
    return cede


def test_clearing() -> None:
    codes = set()
    for case in load("clearing")["cases"]:
        if "ceded" in case:
            told = case["ceded"]
            message: Ceded | Ended = Ceded(told["giver"], told["taker"], _cede(told["leaf"]), Instant(told["at"]))
            positions = _positions(case)
        else:
            told = case["ended"]
            message = Ended(
                told["giver"],
                told["taker"],
                _cede(told["leaf"]),
                frozenset(told["delivered"]),
                frozenset(told["restored"]),
            )
            positions = Positions(members={})
        outcome = _outcome(clear(positions, message))
        assert outcome == case["outcome"], case["name"]
        codes |= {outcome["slip_code"], *(code for _, code in outcome["refused"])}
    assert codes == {
        "",
        "expired",
        "position_too_small",
        "lot_class_mismatch",
        "class_does_not_fit",
        "abroad_limit",
        "message_limit",
        "day_limit",
        "unknown_member",
        "sender_not_active",
        "receiver_not_active",
        "to_itself",
    }


def test_the_national_log_replays_to_the_same_positions() -> None:
    file = load("national")
    leaves = [bytes.fromhex(case["leaf"]) for case in file["log"]]
    frontier, _ = merkle.Frontier().extend(merkle.hash_leaf(leaf) for leaf in leaves)
    assert merkle.root(frontier).hex() == file["root"]
    for leaf, case in zip(leaves, file["log"], strict=True):
        assert encode_national(decode_national(leaf)) == leaf
        assert msgspec.msgpack.decode(leaf) == from_tree(case["value"])
    for case in file["bad"]:
        with pytest.raises(NotCanonical):
            decode_national(bytes.fromhex(case["leaf"]))
    replay = Replay({bytes.fromhex(key): bytes.fromhex(leaf) for key, leaf in file["slips"].items()})
    for leaf in leaves:
        replay.take(leaf)
    assert (
        sorted([k[0], k[1].hex(), holder, cents] for (k, holder), cents in replay.positions.cents.items())
        == (file["positions"]["cents"])
    )
    assert replay.positions.abroad == file["positions"]["abroad"]
    assert sorted([*key, cents] for key, cents in replay.positions.ceded.items()) == file["positions"]["ceded"]
    assert sorted([key[0], key[1].hex(), cents] for key, cents in replay.transit.items() if cents) == file["transit"]
    assert [
        {
            "slip": list(key),
            "state": record.state,
            "exceptions": {str(place): state for place, state in sorted(record.exceptions.items())},
        }
        for key, record in sorted(replay.records.items())
    ] == file["records"]


def test_the_products_own_replay_follows_the_national_log_too() -> None:
    file = load("national")
    by_hash = {bytes.fromhex(key): bytes.fromhex(leaf) for key, leaf in file["slips"].items()}
    by_key = {
        (entry.member, entry.epoch, entry.index): by_hash[entry.leaf_hash]
        for case in file["log"]
        if isinstance(entry := decode_national(bytes.fromhex(case["leaf"])), SlipTaken)
    }
    replay = OwnReplay(by_key.get)
    for case in file["log"]:
        replay.take(bytes.fromhex(case["leaf"]))
    assert replay.positions.abroad == file["positions"]["abroad"]
    assert (
        sorted([k[0], k[1].hex(), holder, cents] for (k, holder), cents in replay.positions.cents.items())
        == (file["positions"]["cents"])
    )


class Replay:
    """Somebody who holds the national log and the members' slips, and believes nothing else."""

    def __init__(self, slips: dict[bytes, bytes]) -> None:
        self.slips = slips
        self.directory = Directory()
        self.positions = Positions(members={})
        self.records: dict[tuple[str, int, int], SlipRecord] = {}
        self.cedes: dict[tuple[str, int, int], Cede] = {}
        self.transit: dict[tuple[str, bytes], int] = {}

    def take(self, leaf: bytes) -> None:
        match decode_national(leaf):
            case DirectoryChanged() as entry:
                self.directory = apply_entries(self.directory, [entry.entry])
                self.positions.members = self.directory.members
            case SlipTaken() as entry:
                self.take_slip(entry)
            case SlipsHandedOver() as entry:
                for key in entry.slips:
                    record = self.records[key]
                    assert record.state is CessionState.CLEARED
                    self.records[key] = SlipRecord(
                        record.taker, record.count, CessionState.HANDED_OVER, record.exceptions
                    )
            case CessionsStopped() as entry:
                key = (entry.origin, entry.epoch, entry.index)
                for places, state in (
                    (entry.recalled, CessionState.RECALLED),
                    (entry.expired, CessionState.EXPIRED),
                ):
                    if places:
                        self.end(key, delivered=(), restored=places)
                        self.records[key] = stop(self.records[key], places, state)

    def take_slip(self, entry: SlipTaken) -> None:
        leaf = self.slips[entry.leaf_hash]
        assert merkle.hash_leaf(leaf) == entry.leaf_hash
        slip = read_slip(leaf)
        assert (slip is None) == (entry.slip_code == "malformed")
        cede = None if slip is None else find_cede(slip)
        if slip is not None and cede is not None:
            outcome = Outcome(slip_code=entry.slip_code)
            if entry.slip_code != "sealed_part_missing":  # what lay beside the leaf is gone: that one is believed
                outcome = clear_slip(self.positions, entry.member, slip, cede, Instant(entry.at))
            assert (outcome.slip_code, outcome.refused) == (
                entry.slip_code,
                tuple(zip(entry.refused, entry.codes, strict=True)),
            )
            key = (entry.member, entry.epoch, entry.index)
            self.apply(outcome)
            self.records[key], self.cedes[key] = begin_record(slip.to, cede, outcome), cede
        if slip is not None:
            self.take_answers(entry.member, slip)

    def take_answers(self, taker: str, slip: Slip) -> None:
        for message in slip.messages:
            if isinstance(message, Answer):
                key = (slip.to, message.epoch, message.index)
                record = self.records.get(key)
                settled = None if record is None or record.taker != taker else settle_answer(record, message)
                if settled is not None:
                    self.records[key], delivered, returned = settled
                    self.end(key, delivered=delivered, restored=returned)

    def end(self, key: tuple[str, int, int], *, delivered: Any, restored: Any) -> None:
        self.apply(
            end_slip(
                key[0],
                self.records[key],
                self.cedes[key],
                delivered=frozenset(delivered),
                restored=frozenset(restored),
            )
        )

    def apply(self, outcome: Outcome) -> None:
        apply_outcome(self.positions, outcome)
        for key, cents in outcome.transit.items():
            self.transit[key] = self.transit.get(key, 0) + cents
            assert self.transit[key] >= 0


def test_evidence() -> None:
    file = load("evidence")
    kinds = set()
    for case in file["proves"]:
        judgement = judge(bytes.fromhex(case["file"]))
        assert (judgement.kind, judgement.accused) == (case["kind"], case["accused"])
        assert judgement.key_fingerprint == case["signing"]
        kinds.add(case["kind"])
    assert kinds == {"two_heads", "rewound", "broken_log", "broken_history", "disputed_ack"}
    for case in file["proves_nothing"]:
        with pytest.raises(NotEvidence):
            pytest.fail(f"{case['why']}: {judge(bytes.fromhex(case['file'])).summary}")


def _read_publication(data: str, file: Any) -> list[Any]:
    """Return card, account and catalogue as trees of a publication that is believed. Raises its Refusal."""
    directory = apply_entries(Directory(), unhex(file["directory"]))
    told = decode_publication(bytes.fromhex(data))
    card = verify_card(told.card, directory, file["network"], is_new=True)
    if card.territory != told.territory:
        raise PublicationRefused(reason="another territory")
    account = None if card.settlement is None else decode_typed(card.settlement.body, Settlement, size_max=512)
    catalogue = None
    if told.catalogue:
        keys = [] if card.projects is None else [card.projects.public]
        catalogue = verify_catalogue(told.catalogue, keys, card.territory)
    return [None if one is None else decode(encode_typed(one), size_max=2**20) for one in (card, account, catalogue)]


def test_cards_and_catalogues() -> None:
    file = load("cards")
    for case in file["good"]:
        expected = [None if case[part] is None else from_tree(case[part]) for part in ("card", "account", "catalogue")]
        assert _read_publication(case["publication"], file) == expected
    for case in file["bad"]:
        with pytest.raises(Refusal):
            pytest.fail(f"{case['why']}: {_read_publication(case['publication'], file)}")


def _whispers(group: str) -> Iterator[tuple[Any, Any]]:
    file = load("whispers")
    directory = apply_entries(Directory(), unhex(file["directory"]))
    for case in file[group]:
        seeds = file["readers"][case["reader"]]
        keyring = Keyring(SecretKeys(*unhex([seeds["signing_seed"], seeds["sealing_seed"]])))
        whisper = msgspec.msgpack.decode(bytes.fromhex(case["whisper"]), type=Whisper)

        def hear(whisper: Whisper = whisper, case: Any = case, keyring: Keyring = keyring) -> list[Any]:
            said = open_whisper(whisper, home=case["reader"], keyring=keyring, directory=directory, now=case["now"])
            parts = [part.hex() if isinstance(part, bytes) else part for part in msgspec.structs.astuple(said)]
            return [type(said).__struct_config__.tag, *parts]

        yield case, hear


def test_whispers_that_are_heard() -> None:
    for case, hear in _whispers("good"):
        assert hear() == case["said"]
    assert Question.__struct_config__.tag == 1


def test_whispers_that_are_not_believed() -> None:
    for case, hear in _whispers("bad"):
        with pytest.raises(WhisperRefused):
            pytest.fail(f"{case['why']}: {hear()}")
