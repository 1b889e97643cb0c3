"""The national log in a file: who has nothing else, and believes nobody, finds out what the hub did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from protocol.commands import app
from protocol.directory import LimitsSet
from protocol.exchange.epochs import LEAP_BYTES
from protocol.exchange.service import EVERYBODY
from protocol.identifiers import AccountNumber, Address
from protocol.merkle import hash_leaf
from protocol.messages import Lot, decode_slip, encode_slip
from protocol.national import SlipTaken, decode_national, encode_national
from tests.federation.old_copies import back_up, restore_hub
from tests.federation.world import BREST, HUB, LILLE, LYON, Node, World, export_national
from tests.security.attackers import make_cede, run_sql, write_leaf, write_log_anew


def _replay(path: Path, *words: object) -> tuple[int, dict[str, Any]]:
    """Run `citizen-miles replay` on the file; return its exit code and what it says, or nothing where it refuses."""
    result = CliRunner().invoke(app, ["replay", str(path), "--json", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else {}


def _findings(told: dict[str, Any]) -> list[str]:
    return [finding["place"] + ": " + finding["found"] for one in told["checked"] for finding in one["findings"]]


async def _story(world: World) -> tuple[Node, Node, Node, AccountNumber, AccountNumber, AccountNumber]:
    """Deliver, return, move on, recall; one is on the way."""
    brest, lyon, lille = world.join(BREST), world.join(LYON), world.join(LILLE)
    await world.settle()
    ana, bea, zoe = brest.open(), lyon.open(), lille.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    brest.cede(ana, Address(bea, LYON), 500)
    brest.cede(ana, Address(brest.open(), LYON), 90)
    await world.settle()
    lyon.cede(bea, Address(zoe, LILLE), 300)
    await world.settle()
    recalled = brest.cede(ana, Address(bea, LYON), 11)
    await world.settle(BREST)
    brest.book.write_now(brest.federation.recall, recalled.op)
    await world.settle()
    brest.cede(ana, Address(zoe, LILLE), 40)
    await world.settle(BREST)
    return brest, lyon, lille, ana, bea, zoe


async def test_whoever_has_the_file_gets_the_hubs_positions_to_the_cent(stage: World, tmp_path: Path) -> None:
    brest, *_ = await _story(stage)
    shown = brest.book.read_now(lambda line: line.execute(text("SELECT size, root FROM checkpoints")).one())
    await stage.settle()
    path = export_national(stage, tmp_path / "national")
    key = stage.registry.identity.keyring.current.public.signing.hex()
    code, told = _replay(path, "--key", key, "--size", shown.size, "--root", bytes(shown.root).hex())
    assert (code, told["ok"], _findings(told), told["signing_key"]) == (0, True, [], key)
    held = stage.hub_book.read_now(
        lambda line: line.execute(
            text("SELECT l.issuer, p.holder, p.cents FROM positions p JOIN lots l ON l.id = lot_id")
        ).all()
    )
    assert sorted((row["issuer"], row["holder"], row["cents"]) for row in told["positions"]) == sorted(
        tuple(row) for row in held if row[2]
    )
    # No name is in it: what is sealed does not travel with the log.
    data = path.read_bytes()
    assert not any(name.encode() in data for node in stage.nodes.values() for name in (node.pool, "bon vent"))


async def test_the_log_of_a_hub_that_was_restored_from_an_old_copy_can_be_replayed_too(
    stage: World, tmp_path: Path
) -> None:
    brest, _lyon, _lille, ana, bea, _zoe = await _story(stage)
    copy = back_up(stage.hub_book)
    for cents in (7, 8):
        brest.cede(ana, Address(bea, LYON), cents)
        await stage.settle()
    restore_hub(stage, copy)
    await stage.exchange.begin_recovery(stage.entropy(LEAP_BYTES))
    await stage.settle()
    brest.cede(ana, Address(bea, LYON), 9)
    await stage.settle()
    code, told = _replay(export_national(stage, tmp_path / "national"))
    assert (code, _findings(told)) == (0, [])


async def test_a_file_of_another_history_than_a_node_was_shown_is_named(stage: World, tmp_path: Path) -> None:
    brest, *_ = await _story(stage)
    shown = brest.book.read_now(lambda line: line.execute(text("SELECT size, root FROM checkpoints")).one())

    def forge(leaves: list[bytes]) -> list[bytes]:
        place, taken = next(
            (at, entry)
            for at, entry in enumerate(map(decode_national, leaves))
            if isinstance(entry, SlipTaken) and at < shown.size
        )
        return [*leaves[:place], encode_national(msgspec.structs.replace(taken, at=taken.at + 1)), *leaves[place + 1 :]]

    write_log_anew(stage.hub_book, HUB, EVERYBODY, forge)
    path = export_national(stage, tmp_path / "national")
    assert _replay(path)[0] == 0  # a whole log, signed by the hub: by itself it is in order
    code, told = _replay(path, "--size", shown.size, "--root", bytes(shown.root).hex())
    assert (code, _findings(told)) == (1, [f"national log, head at {shown.size}: another"])
    code, told = _replay(path, "--size", 10**6, "--root", bytes(shown.root).hex())
    assert (code, _findings(told)) == (1, ["national log, head at 1000000: a shorter log"])
    code, told = _replay(path, "--key", "00" * 32)
    assert (code, [one.split(":")[0] for one in _findings(told)]) == (1, ["the hub's key"])


async def test_rights_that_the_hub_let_through_twice_are_named_with_the_leaf(stage: World, tmp_path: Path) -> None:
    _brest, lyon, lille, _ana, _bea, zoe = await _story(stage)
    ref, kind, month = lyon.book.read_now(
        lambda line: line.exec_driver_sql("SELECT ref, lot_class, month FROM lots").one()
    )
    assert run_sql(stage.hub_book, "UPDATE positions SET cents = cents + 200 WHERE holder = :lyon", lyon=LYON) == 1
    for _ in range(2):
        write_leaf(lyon, *make_cede(stage, lyon, lille, [zoe], [Lot(BREST, bytes(ref), kind, month)], cents=200))
    await stage.exchange.answer(await lyon.worker.export())
    code, told = _replay(export_national(stage, tmp_path / "national"))
    assert code == 1
    (found,) = _findings(told)
    assert found.startswith("national log, leaf ")
    assert "is not the one the rule gives" in found


async def test_a_slip_that_its_author_never_signed_is_named(stage: World, tmp_path: Path) -> None:
    """The hub rewrites a slip of Brest in its base, and every hash of its own over it: the signature is Brest's."""
    await _story(stage)
    old: list[bytes] = []

    def rewrite(leaves: list[bytes]) -> list[bytes]:
        old.extend(leaves)
        slip = decode_slip(leaves[0])
        return [encode_slip(msgspec.structs.replace(slip, at=slip.at + 1)), *leaves[1:]]

    def follow(leaves: list[bytes]) -> list[bytes]:
        slip = decode_slip(old[0])
        fresh = hash_leaf(encode_slip(msgspec.structs.replace(slip, at=slip.at + 1)))
        entries = [decode_national(leaf) for leaf in leaves]
        return [
            encode_national(msgspec.structs.replace(entry, leaf_hash=fresh))
            if isinstance(entry, SlipTaken) and (entry.member, entry.index) == (BREST, 0)
            else leaf
            for entry, leaf in zip(entries, leaves, strict=True)
        ]

    write_log_anew(stage.hub_book, BREST, HUB, rewrite)
    write_log_anew(stage.hub_book, HUB, EVERYBODY, follow)
    code, told = _replay(export_national(stage, tmp_path / "national"))
    assert (code, [found.split(":")[0] for found in _findings(told)]) == (1, [f"log of {BREST}"])


async def test_a_limit_that_was_overlooked_is_named(stage: World, tmp_path: Path) -> None:
    brest, _lyon, _lille, ana, bea, _zoe = await _story(stage)
    stage.change(LimitsSet(BREST, 600, 10**6, 10**6))
    run_sql(stage.hub_book, "UPDATE abroad SET cents = 0 WHERE issuer = :brest", brest=BREST)
    await stage.settle(BREST)
    brest.cede(ana, Address(bea, LYON), 400)
    await stage.exchange.answer(await brest.worker.export())
    code, told = _replay(export_national(stage, tmp_path / "national"))
    assert (code, "is not the one the rule gives" in _findings(told)[0]) == (1, True)


async def test_no_cut_and_no_changed_byte_passes(stage: World, tmp_path: Path) -> None:
    await _story(stage)
    good = export_national(stage, tmp_path / "national").read_bytes()
    bad = tmp_path / "bad"
    for length in range(0, len(good), len(good) // 40):
        bad.write_bytes(good[:length])
        assert _replay(bad)[0] == 1, length
    for place in range(0, len(good), len(good) // 150):
        wrong = bytearray(good)
        wrong[place] ^= 1 << (place % 8)
        bad.write_bytes(bytes(wrong))
        assert _replay(bad)[0] == 1, place
    bad.write_bytes(good)
    assert _replay(bad)[0] == 0


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x01\xc0", b"\xff\xff\xff\xff", b"\x7fELF" * 100])
def test_what_is_no_national_log_is_refused_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    result = CliRunner().invoke(app, ["--lang", "en", "replay", str(path)])
    assert (result.exit_code, "not_national_file" in result.stderr) == (1, True)
