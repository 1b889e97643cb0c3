"""Writing the national log into a file and reading it back, record by record: memory holds one line for each slip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from protocol.canonical import decode_typed, encode_typed
from protocol.errors import NotCanonical
from protocol.national import SlipKey
from protocol.national_file import (
    FRAME_BYTES,
    HEADER_BYTES_MAX,
    RECORD_BYTES_MAX,
    NationalFileReplay,
    NationalHeader,
    NationalRecord,
    NotNationalFile,
    find_slip_key,
    frame,
)


def save_national(path: Path, header: NationalHeader, records: Iterable[NationalRecord]) -> int:
    """Write the whole file, or leave none; return its bytes."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(frame(encode_typed(header)))
            for record in records:
                file.write(frame(encode_typed(record)))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size


def replay_file(
    path: Path, on_progress: Callable[[int], None], at_size: Callable[[NationalFileReplay], None]
) -> NationalFileReplay:
    """Take every record of the file; `at_size` is called after each. Raises NotNationalFile."""
    places: dict[SlipKey, int] = {}
    with path.open("rb") as file, path.open("rb") as again:

        def load_slip(key: SlipKey) -> bytes | None:
            place = places.get(key)
            if place is None:
                return None
            again.seek(place)
            data = _read_frame(again, RECORD_BYTES_MAX)
            return None if data is None else decode_typed(data, NationalRecord, size_max=RECORD_BYTES_MAX).slip

        header = _read_frame(file, HEADER_BYTES_MAX)
        try:
            opened = decode_typed(header or b"", NationalHeader, size_max=HEADER_BYTES_MAX)
            replay = NationalFileReplay(opened, load_slip)
            for place, data in _records(file):
                record = decode_typed(data, NationalRecord, size_max=RECORD_BYTES_MAX)
                key = find_slip_key(record.leaf)
                if key is not None:
                    places.setdefault(key, place)
                replay.take(record)
                at_size(replay)
                if replay.frontier.size % 1_000 == 0:
                    on_progress(replay.frontier.size)
        except NotCanonical as error:
            raise NotNationalFile(reason=str(error)) from None
    return replay


def _records(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    while True:
        place = file.tell()
        data = _read_frame(file, RECORD_BYTES_MAX)
        if data is None:
            return
        yield place, data


def _read_frame(file: BinaryIO, size_max: int) -> bytes | None:
    """Return the next frame; None at the end. Raises NotNationalFile."""
    length = file.read(FRAME_BYTES)
    if not length:
        return None
    size = int.from_bytes(length, "big")
    if len(length) < FRAME_BYTES or size > size_max:
        raise NotNationalFile(reason="a record is too long")
    data = file.read(size)
    if len(data) < size:
        raise NotNationalFile(reason="it is cut short")
    return data
