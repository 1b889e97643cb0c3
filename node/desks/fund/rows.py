"""What the desks of a fund show and read alike, as JSON between a command and the fund. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, Struct

from node.fund.days import day_of
from node.fund.expectations import Expectation
from protocol.errors import InvalidAddress, Malformed
from protocol.identifiers import Id16, parse_address, parse_id, require_number

Asked = Mapping[str, Any]
Row = TypeVar("Row")
ROWS_MAX: Final = 500


class PageRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of a list: `cursor` is what `next` said of the page before, and empty for the first one."""

    cursor: Annotated[str, Meta(max_length=80)] = ""
    limit: Annotated[int, Meta(ge=1, le=ROWS_MAX)] = ROWS_MAX


def take_page(
    rows: Sequence[Row],
    asked: Asked,
    key: Callable[[Row], str],
    show: Callable[[Row], Any],
    *,
    is_newest_last: bool = True,
    keep: Callable[[Row], bool] = lambda _row: True,
) -> Any:
    """Return a page of a list: its rows, and the cursor of the page after it. Who asks for no page gets the first one's rows alone.

    Where the newest row is the last one, pages go back from there, and each shows its rows in the list's own order.
    `keep` picks the rows that are shown; a cursor holds its place although its row is picked no more. Raises Malformed.
    """
    ordered = list(reversed(rows)) if is_newest_last else list(rows)
    cursor = asked.get("cursor")
    if cursor:
        place = next((at for at, row in enumerate(ordered) if key(row) == cursor), None)
        if place is None:
            raise Malformed(field="cursor", reason="what `next` said of the page before")
        ordered = ordered[place + 1 :]
    limit = asked.get("limit", ROWS_MAX)
    kept = [row for row in ordered if keep(row)]
    page = kept[:limit]
    last = key(page[-1]) if len(kept) > limit else ""
    shown = [show(row) for row in (reversed(page) if is_newest_last else page)]
    return write_page(shown, last, asked, lambda: len(kept) - len(page))


def write_page(shown: list[Any], last: str, asked: Asked, count_left: Callable[[], int]) -> Any:
    """Return rows and the cursor of the page after them, or to who asks for no page the rows alone.

    How many rows are left is counted for who asks (`counts`): a person, who is told so.
    """
    if asked.get("cursor") is None:
        return shown
    told = {"rows": shown, "next": last}
    return told | {"left": count_left() if last else 0} if asked.get("counts") else told


def show_day(number: int | None) -> str:
    return "" if number is None else day_of(number).isoformat()


def read_pool(text: str, home: str) -> str:
    """Return the number of a pool of this territory. Raises InvalidAddress."""
    if "@" not in text:
        return require_number(text)
    address = parse_address(text)
    if address.territory != home:
        raise InvalidAddress(address=text, reason=f"an account of {home}")
    return address.number


def show_expectation(one: Expectation) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "reference": one.reference,
        "purpose": one.purpose,
        "donor": one.donor.hex(),
        "campaign": one.campaign,
        "cents": one.cents,
        "received_cents": one.received,
        "left_cents": one.left,
        "due": show_day(one.due),
        "state": one.state,
    }


def read_decision(asked: Asked) -> Id16 | None:
    """Return the caller's id of a decision, where it has one."""
    return parse_id(asked["id"]) if asked.get("id") else None
