"""One invariant of the projects' base while it is looked at: what was expected, and the first place where it is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.signers import SignerRole
from protocol.errors import Refusal
from protocol.findings import Checked, Finding
from protocol.keys import PublicKeys

INVARIANT: Final = "I6"  # each euro paid: one conversion, one eligible bearer, and the decision that it follows from


class Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._looked_at = 0
        self._first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        """Look at one place, and note it if what is found is not what is expected."""
        self._looked_at += 1
        if self._first is None and expected != found:
            self._first = Finding(INVARIANT, place, str(expected), str(found))

    def require(self, place: str, expected: str, is_so: bool) -> None:
        self.compare(place, expected, expected if is_so else f"not {expected}")

    def refuse(self, place: str, expected: str, do: Callable[[], object]) -> None:
        """Look at what raises its Refusal where it is wrong."""
        try:
            do()
        except Refusal as refusal:
            self.compare(place, expected, str(refusal))
        else:
            self.compare(place, expected, expected)

    def close(self) -> Checked:
        return Checked(INVARIANT, self._rule, self._looked_at, () if self._first is None else (self._first,))


def list_rows(connection: Connection, table: Any, *order: Any) -> Iterator[Any]:
    """Return the rows of a table, by its key unless another order is named."""
    return iter(connection.execute(select(table).order_by(*(order or table.primary_key))).all())


def load_keys(connection: Connection, *roles: SignerRole) -> dict[bytes, PublicKeys]:
    """Return the public keys of those with a role, by their names: a key that has another name is nobody's."""
    found = {}
    for row in list_rows(connection, tables.signers):
        public = PublicKeys(bytes(row.signing), bytes(row.sealing))
        if row.role in roles and public.id == bytes(row.key):
            found[bytes(row.key)] = public
    return found


def load_signing(connection: Connection, *roles: SignerRole) -> dict[bytes, bytes]:
    """Return the same, of each the half that signs."""
    return {name: public.signing for name, public in load_keys(connection, *roles).items()}
