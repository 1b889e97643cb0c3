"""What every door reads in the same way: a typed body of JSON, its lines one by one, whole numbers of a query. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from protocol.errors import Malformed

PAGE_ROWS: Final = 50
PAGE_MAX: Final = 200
Body = TypeVar("Body")


class _Named(Struct, frozen=True):
    id: str = ""


def read_body(data: bytes | Raw, type_: type[Body]) -> Body:
    """Return the typed body of a JSON text. Raises Malformed."""
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(reason=str(error)[:200] or "not JSON") from None


def read_whole(text: str | None, field: str) -> int | None:
    """Return a whole number of a query, or None where it is not given. Raises Malformed."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Malformed(field=field, reason=f"{field} is a whole number")
    return int(text)


def read_limit(text: str | None) -> int:
    """Return how many rows of a page are wanted. Raises Malformed."""
    limit = read_whole(text, "limit")
    if limit is not None and not 1 <= limit <= PAGE_MAX:
        raise Malformed(field="limit", reason=f"limit is 1 to {PAGE_MAX}")
    return limit or PAGE_ROWS


def read_lines(lines: Sequence[Raw], type_: type[Body]) -> list[Body | tuple[str, Malformed]]:
    """Return each line, or the id it has (if one can be read) and why it is refused."""
    read: list[Body | tuple[str, Malformed]] = []
    for line in lines:
        try:
            read.append(read_body(line, type_))
        except Malformed as refusal:
            try:
                name = read_body(line, _Named).id[:40]
            except Malformed:
                name = ""
            read.append((name, refusal))
    return read
