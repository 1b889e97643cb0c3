"""What ends in this base, and must not come back with an old copy of it. Pure.

What was entered since a copy is lost with the disk, and is entered again from paper. What ended since is different: a
copy would bring it back to life, and nobody would see it. So each ending leaves a mark with the accounts, a keyed
digest of the row's name (`vault.compute_mark`), and a base that comes back from a copy ends again what has a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from node.people.declarations import DeclarationState
from node.people.erasures import ErasureState
from node.people.four_eyes import ProposalState
from node.people.identities import IdentityState
from node.people.records import PersonState

Values = Mapping[str, Any]

# By table: whether a row of it has ended. Of a consent a row more says so; see `name_consent`.
_HAS_ENDED: Final[Mapping[str, Callable[[Values], bool]]] = {
    "persons": lambda row: bool(row["state"] == PersonState.ERASED),
    "members": lambda row: bool(row["ended_on"]),
    "proposals": lambda row: bool(row["state"] != ProposalState.PROPOSED),
    "roles": lambda row: bool(row["ended_on"]),
    "declarations": lambda row: bool(row["state"] == DeclarationState.REVERSED),
    "delegations": lambda row: bool(row["revoked_on"]),
    "identities": lambda row: bool(row["state"] == IdentityState.REVOKED),
    "erasures": lambda row: bool(row["state"] == ErasureState.CANCELLED),
}


def has_ended(table: str, row: Values) -> bool:
    """Tell whether a row says of itself that it has ended."""
    judge = _HAS_ENDED.get(table)
    return judge is not None and judge(row)


def ends(table: str, before: Values, after: Values) -> bool:
    """Tell whether a change of a row is its end."""
    return has_ended(table, after) and not has_ended(table, before)


def name_consent(id_: bytes) -> str:
    """Return the name of a consent that is taken back: its id, because numbers are given anew on an old copy."""
    return f"consent {id_.hex()}"
