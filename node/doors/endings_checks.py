"""Duties that ended, as the people's base told them, against the keys of a base: for `check`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from node.doors.endings import HeldKey, find_live, find_newest
from protocol.exchange.talk_store import load_talk
from protocol.findings import Checked, Finding
from protocol.house import BaseName, DutyEnded, DutyHeard

INVARIANT = "duties"


def check_endings(
    connection: Connection, base: BaseName, keys: Iterable[HeldKey], signers: Mapping[bytes, bool]
) -> list[Checked]:
    """Return whether what was told to end has ended here, and whether all of it was found.

    `signers` says of each key that somebody signs with whether it is in force.
    """
    told = [one for one in load_talk(connection, BaseName.PEOPLE, base) if isinstance(one, DutyEnded)]
    live = [Finding(INVARIANT, f"key {key.id}", "ended with the duty", "in force") for _, key in find_live(told, keys)]
    live += [
        Finding(INVARIANT, f"signing key {one.key.hex()}", "ended with the duty", "in force")
        for one in told
        if one.key and signers.get(one.key)
    ]
    newest = find_newest(told)
    heard = {one.id: one for one in load_talk(connection, base, BaseName.PEOPLE) if isinstance(one, DutyHeard)}
    unplaced = [
        Finding(
            INVARIANT, f"duty {one.role.hex()}, {one.duty}", f"{one.word} {one.key.hex()}".strip(), "nobody known here"
        )
        for one in newest.values()
        if one.id in heard and not heard[one.id].is_placed
    ]
    return [
        Checked(INVARIANT, "whose duty has ended holds no key that was made before", len(told), tuple(live)),
        Checked(INVARIANT, "each duty that ended was found among this base's officers", len(newest), tuple(unplaced)),
    ]
