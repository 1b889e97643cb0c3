"""Keys of another base against the duties that this one knows, where both live in one folder: for `check`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection

from node.doors.endings import HeldKey
from node.people import store
from protocol.findings import Checked, Finding
from protocol.house import BaseName

INVARIANT: Final = "duties"


def check_officers(
    people: Connection, *, base: BaseName, keys: Iterable[HeldKey], signers: Mapping[bytes, bool], day: int
) -> list[Checked]:
    """Name each key in force of an officer all of whose duties at its base are over on that day, whenever it was made.

    `signers` says of each key that somebody signs with whether it is in force. Officers whose word is not known here are not looked at.
    """
    words = store.load_words(people)
    named = [(role, words[role.id]) for role in store.list_roles(people) if role.base == base.name and role.id in words]
    over_words = {word.word for role, word in named if role.is_over(day)} - {""}
    over_words -= {word.word for role, word in named if not role.is_over(day)}
    over_keys = {word.key for role, word in named if role.is_over(day)} - {b""}
    over_keys -= {word.key for role, word in named if not role.is_over(day)}
    place = base.name.lower()
    findings = [
        Finding(INVARIANT, f"{place}, key {key.id} of {key.name}", "ended with the last duty", "in force")
        for key in keys
        if key.is_live and key.name in over_words
    ]
    findings += [
        Finding(INVARIANT, f"{place}, signing key {key.hex()}", "ended with the last duty", "in force")
        for key, is_live in signers.items()
        if is_live and key in over_keys
    ]
    rule = f"who has a key of {place} under a word known among the people has a duty there"
    return [Checked(INVARIANT, rule, len(named), tuple(findings))]
