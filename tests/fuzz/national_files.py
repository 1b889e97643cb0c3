"""The national log as a stranger hands it over in a file: byte by byte, and signed over whatever it holds."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import typer
from msgspec import structs

from protocol import commands, directory, keys, merkle, national
from protocol.canonical import decode_typed, encode_typed
from protocol.directory import BrokenDirectory, Directory
from protocol.envelopes import STATEMENT_BYTES_MAX, Checkpoint, HeadStatement
from protocol.errors import NotCanonical
from protocol.keys import Domain
from protocol.national import DirectoryChanged, SlipRetaken, SlipTaken
from protocol.national_file import (
    HEADER_BYTES_MAX,
    RECORD_BYTES_MAX,
    MemberHead,
    NationalFileReplay,
    NationalHeader,
    NationalRecord,
    NotNationalFile,
)
from protocol.running.national_file_store import replay_file, save_national
from tests.fuzz.targets import AUTHOR, READER, Run, require_same


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A file as one value: what a change of a value keeps well framed."""

    header: NationalHeader
    records: tuple[NationalRecord, ...]


def national_file() -> Run:
    """The file as it came; and what it tells, with every hash and signature made right, so that replaying goes on."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-national-"))

    def run(data: bytes) -> None:
        _take(folder / "national", data)
        with suppress(NotCanonical):
            told = mend(decode_typed(data, Told, size_max=64 * 1024))
            save_national(folder / "made", told.header, told.records)
            _take(folder / "national", (folder / "made").read_bytes())

    return run


def _take(path: Path, data: bytes) -> None:
    """Replay the file as `citizen-miles replay` does; what it accepts is what it was given, and adds up."""
    path.write_bytes(data)
    sizes: list[int] = []
    try:
        replay = replay_file(path, lambda _: None, lambda one: sizes.append(one.frontier.size))
    except NotNationalFile:
        require_same(_show(path), (1, {}), "a refused file")
        return
    header, *records = _unframe(data)
    told = decode_typed(header, NationalHeader, size_max=HEADER_BYTES_MAX)
    read = [decode_typed(record, NationalRecord, size_max=RECORD_BYTES_MAX) for record in records]
    save_national(path, told, read)
    require_same(path.read_bytes(), data, "a national file")
    require_same(sizes, list(range(1, len(read) + 1)), "the sizes that were passed")
    _require_sound(replay, told, read)
    held = all(one.is_held for one in replay.finish())
    code, shown = _show(path)
    require_same((code, shown.get("ok"), shown.get("leaves")), (0 if held else 1, held, len(read)), "what is shown")


def _require_sound(replay: NationalFileReplay, header: NationalHeader, records: Sequence[NationalRecord]) -> None:
    """What a file proves, said again here: the trees hash by hash, and no right that is in two places or in none."""
    state = replay.state
    if replay.broken is None:
        require_same(state.size, len(records), "the leaves that follow")
    require_same(replay.root_is(_root([record.leaf for record in records]).hex()), True, "the root of the leaves")
    away: dict[str, int] = {}
    for (lot, holder), cents in state.positions.cents.items():
        require_same(cents >= 0 and holder != lot[0], True, "what a member holds")
        away[lot[0]] = away.get(lot[0], 0) + cents
    for (_, lot), cents in state.transit.items():
        require_same(cents > 0, True, "what is on the way")
        away[lot[0]] = away.get(lot[0], 0) + cents
    told = {member: cents for member, cents in state.positions.abroad.items() if cents}
    require_same({member: cents for member, cents in away.items() if cents}, told, "the rights abroad")
    if all(one.is_held for one in replay.finish()):
        point = decode_typed(header.checkpoint.body, Checkpoint, size_max=256)
        require_same((point.size, point.root), (len(records), _root([one.leaf for one in records])), "the hub's head")
        heads = {head.member: head for head in header.heads}
        for member, slips in _slips_of(records).items():
            said = decode_typed(heads[member].statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
            require_same((said.log_size, said.log_root), (len(slips), _root(slips)), f"the head of {member}")


def _show(path: Path) -> tuple[int, dict[str, Any]]:
    """Run the command on the file; return its exit code and what it says as JSON, or nothing where it refuses."""
    code = 0
    # What it refuses is said to nobody; the console itself belongs to whoever comes next.
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.redirect_stderr(io.StringIO()):
        try:
            commands.replay_national(path, as_json=True, key="", size=0, root="")
        except typer.Exit as left:
            code = left.exit_code
    text = shown.getvalue()
    return code, json.loads(text) if text else {}


def _unframe(data: bytes) -> Iterator[bytes]:
    while data:
        stop = 4 + int.from_bytes(data[:4], "big")
        yield data[4:stop]
        data = data[stop:]


def _root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree by its definition (RFC 6962)."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return merkle.hash_leaf(leaves[0])
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return merkle.hash_node(_root(leaves[:half]), _root(leaves[half:]))


def _slips_of(records: Sequence[NationalRecord]) -> dict[str, list[bytes]]:
    """The slips that the leaves take, by who wrote them."""
    slips: dict[str, list[bytes]] = {}
    for record in records:
        with suppress(NotCanonical):
            entry = national.decode_national(record.leaf)
            if isinstance(entry, SlipTaken | SlipRetaken):
                slips.setdefault(entry.member, []).append(record.slip)
    return slips


def mend(told: Told) -> Told:
    """Return the same with the directory chained anew, the slips hashed, and all heads signed over what is there."""
    known, records = Directory(), []
    for record in told.records:
        with suppress(NotCanonical, BrokenDirectory):
            entry = national.decode_national(record.leaf)
            if isinstance(entry, SlipTaken | SlipRetaken):
                entry = structs.replace(entry, leaf_hash=merkle.hash_leaf(record.slip))
            elif isinstance(entry, DirectoryChanged):
                change = directory.decode_entry(entry.entry)
                chained = directory.encode_entry(known, change.change, change.at)
                known = directory.apply_entries(known, [chained])
                entry = structs.replace(entry, entry=chained)
            record = structs.replace(record, leaf=national.encode_national(entry))
        records.append(record)
    return Told(_sign(told.header, records), tuple(records))


def _sign(header: NationalHeader, records: Sequence[NationalRecord]) -> NationalHeader:
    checkpoint = header.checkpoint
    with suppress(NotCanonical):
        point = decode_typed(checkpoint.body, Checkpoint, size_max=256)
        root = _root([record.leaf for record in records])
        body = encode_typed(structs.replace(point, size=len(records), root=root))
        checkpoint = structs.replace(
            checkpoint, body=body, key=READER.public.id, signature=keys.sign(READER, Domain.CHECKPOINT, body)
        )
    slips = _slips_of(records)
    heads: list[MemberHead] = []
    for head in header.heads:
        with suppress(NotCanonical):
            said = decode_typed(head.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
            own = slips.get(head.member, [])
            words = encode_typed(structs.replace(said, key=AUTHOR.public.id, log_size=len(own), log_root=_root(own)))
            head = MemberHead(head.member, words, keys.sign(AUTHOR, Domain.STATEMENT, words))
        heads.append(head)
    return structs.replace(header, checkpoint=checkpoint, heads=tuple(heads))
