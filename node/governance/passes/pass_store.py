"""Loads passes, status lists and keys of the projects' base. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from node.governance import tables as base_tables
from node.governance.days import read_day
from node.governance.passes import tables
from node.governance.passes.errors import PassUnknown, StatusListUnknown
from node.governance.passes.kept_words import read_words
from node.governance.passes.passes import Body, Pass, PassState, Validation
from node.governance.passes.status_lists import StatusPurpose
from protocol.identifiers import Id16, format_id
from protocol.times import Instant

_passes = tables.passes
SET_BY: Final = {StatusPurpose.REVOCATION: PassState.REVOKED, StatusPurpose.SUSPENSION: PassState.SUSPENDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPass:
    """A pass with what the base keeps of it; the last ones are empty until it is issued."""

    value: Pass
    secret: bytes
    list: int | None
    place: int | None
    credential: bytes
    token: str
    png: bytes  # its SHA-256
    svg: bytes

    @property
    def id(self) -> Id16:
        return self.value.id


def load_pass(connection: Connection, id_: bytes, *, home: str) -> KeptPass:
    """Return the pass. Raises PassUnknown."""
    found = list_passes(connection, _passes.c.id == id_, home=home)
    if not found:
        raise PassUnknown(pass_id=format_id(Id16(bytes(id_))))
    return found[0]


def list_passes(connection: Connection, *where: ColumnElement[bool], home: str) -> list[KeptPass]:
    """Return the passes that fit, the oldest first. `home` is the territory whose committee validates."""
    rows = connection.execute(select(_passes).where(*where).order_by(_passes.c.at, _passes.c.id))
    return [_make(row, home) for row in rows]


def list_places(connection: Connection, number: int, *states: PassState) -> set[int]:
    """Return the places of a list that are taken, by passes of these states where some are named."""
    where = [_passes.c.list == number]
    if states:
        where.append(_passes.c.state.in_(states))
    return {place for (place,) in connection.execute(select(_passes.c.place).where(*where))}


def last_list(connection: Connection) -> int:
    """Return the number of the newest status list; the first is 1, and is there before any pass."""
    return int(connection.execute(select(func.max(_passes.c.list))).scalar() or 1)


def load_set_places(connection: Connection, purpose: StatusPurpose, number: int) -> set[int]:
    """Return the places whose bits are set. Raises StatusListUnknown."""
    if not 1 <= number <= last_list(connection):
        raise StatusListUnknown(list=number)
    return list_places(connection, number, SET_BY[purpose])


def list_keys(connection: Connection, *, with_retired: bool = False) -> list[bytes]:
    """Return the public keys that signed passes, the newest first; the retired ones only where they are asked for."""
    keys = tables.pass_keys
    where = [] if with_retired else [keys.c.retired_at.is_(None)]
    rows = connection.execute(select(keys.c.public).where(*where).order_by(keys.c.at.desc(), keys.c.public))
    return [bytes(public) for (public,) in rows]


def load_picture(connection: Connection, digest: bytes) -> bytes:
    """Return a picture by its SHA-256, as it was drawn."""
    files = base_tables.files
    return bytes(connection.execute(select(files.c.body).where(files.c.digest == digest)).scalar_one())


def _make(row: Any, home: str) -> KeptPass:
    claimed = read_words(Id16(bytes(row.id)), bytes(row.words))
    checked = _validation(row.checked_on, row.checked_decision, claimed.work.bearer)
    committee = None if row.validated_by is None else Body(number=home, name=row.validated_by)
    return KeptPass(
        value=replace(
            claimed,
            state=PassState(row.state),
            checked=checked,
            validated=_validation(row.validated_on, row.validated_decision, committee),
            issued_at=None if row.issued_at is None else Instant(row.issued_at),
            reason=row.reason,
        ),
        secret=bytes(row.secret),
        list=row.list,
        place=row.place,
        credential=bytes(row.credential or b""),
        token=row.token or "",
        png=bytes(row.png or b""),
        svg=bytes(row.svg or b""),
    )


def _validation(on: int | None, decision: Any, body: Body | None) -> Validation | None:
    if on is None or body is None:
        return None
    return Validation(body=body, on=read_day(on), decision=Id16(bytes(decision)))
