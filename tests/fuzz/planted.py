"""Bugs that the fuzzer must find, put into a running process by its `--plant` option and nowhere in the product."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import structs

from node.desks.accounts import requests
from node.ledger.service import Ledger
from protocol import canonical, messages, national_file
from tests.fuzz import targets


def crash_on_one_byte() -> None:
    """A slip whose third byte is an `x` is an IndexError, not a refusal."""
    whole = messages.decode_slip

    def decode_slip(leaf: bytes) -> messages.Slip:
        if leaf[2:3] == b"x":
            raise IndexError("planted")
        return whole(leaf)

    messages.decode_slip = decode_slip


def accept_other_encodings() -> None:
    """A typed value is taken whatever bytes encode it: long integers, long lengths."""

    def decode_typed(data: bytes, type_: Any, *, size_max: int, depth_max: int = 16) -> Any:
        try:
            return msgspec.msgpack.decode(data, type=type_)
        except (msgspec.DecodeError, ValueError) as error:
            raise canonical.NotCanonical(reason=str(error)) from None

    canonical.decode_typed = decode_typed  # type: ignore[assignment]
    targets.decode_typed = messages.decode_typed = decode_typed  # type: ignore[assignment]


def forget_one_column() -> None:
    """Columns of a Cede that differ in length are not refused."""
    before = messages._require_columns

    def require(message: Any) -> None:
        if not isinstance(message, messages.Cede):
            before(message)

    messages._require_columns = require


def forget_the_heads() -> None:
    """What members signed is not compared with what a national file tells of them."""
    national_file.NationalFileReplay._check_members = lambda _: ()  # type: ignore[method-assign]


def forgive_capitals_in_columns() -> None:
    """An id in capitals is refused where its line is read alone, and taken where all are read at once."""
    whole = requests.parse_ids
    requests.parse_ids = lambda texts: whole([text.lower() for text in texts])


def forget_references_in_columns() -> None:
    """Credits in columns are written without what they say."""
    whole = Ledger.credit

    def credit(self: Ledger, page: Any, items: Any) -> Any:
        return whole(self, page, [structs.replace(one, references=[""] * len(one.ops)) for one in items])

    Ledger.credit = credit  # type: ignore[method-assign]
