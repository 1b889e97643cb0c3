"""The committee: who sits in it and until when, who has a conflict, and members drawn by lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.bearers import require_registry
from node.governance.days import format_day, local_day, read_day, write_day
from node.governance.drawing import (
    DrawList,
    compute_list_digest,
    make_list,
    rank_candidates,
    require_public_number,
)
from node.governance.errors import DrawStepRefused, DrawUnknown, InvalidDraw, InvalidMember, NotSeated, ReasonMissing
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import require_signer
from node.governance.store import change, load_project, note_asked, save, was_asked
from node.governance.texts import is_line
from node.governance.votes import REASON_MAX, College
from protocol.book.worker import Page
from protocol.canonical import decode_typed, encode_typed
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id, require_id, require_number
from protocol.keys import Domain, SecretKeys, sign

_members, _draws, _conflicts = tables.members, tables.draws, tables.conflicts
TERM_YEARS_MAX: Final = 6
LIST_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMember:
    """Somebody sits in a college from one day to another (yyyymmdd), by a key that is registered.

    `organisation` is the registry number of the body that the member comes from, `account` its account number, `draw` the
    drawing that chose it; each may be empty.
    """

    id: Id16
    key: bytes
    college: College
    from_day: int
    until_day: int
    organisation: str = ""
    account: str = ""
    draw: Id16 | None = None

    def __post_init__(self) -> None:
        require_id(self.id)
        read_day(self.from_day)
        read_day(self.until_day)
        if not self.from_day <= self.until_day <= self.from_day + TERM_YEARS_MAX * 10_000:
            raise InvalidMember(field="term", reason=f"from one day to a later one, {TERM_YEARS_MAX} years at most")
        if self.organisation and require_registry(self.organisation) != self.organisation:
            raise InvalidMember(field="organisation", reason="a registry number without spaces")
        if self.account:
            require_number(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMember:
    """A member leaves before its term."""

    id: Id16
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareConflict:
    """A member has an interest of its own in a project."""

    member: Id16
    project: Id16
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseList:
    """Close the list that members will be drawn from, before the public number is known."""

    id: Id16
    college: str
    seats: int
    source: str
    drawn_on: int
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellNumber:
    """The public number of a drawing."""

    id: Id16
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing as it stands; `ranked` is empty until the number is known."""

    id: Id16
    told: DrawList
    digest: bytes
    signature: bytes
    number: str
    ranked: tuple[str, ...]

    @property
    def chosen(self) -> tuple[str, ...]:
        return self.ranked[: self.told.seats]


class CommitteeDesk:
    """Operations for the book's writer, on the committee."""

    def __init__(self, settings: ProjectsSettings, *, keys: SecretKeys) -> None:
        self._settings = settings
        self._keys = keys

    def use_keys(self, keys: SecretKeys) -> None:
        """Sign with these keys from now on."""
        self._keys = keys

    def seat(self, page: Page, items: Sequence[SeatMember]) -> list[Id16 | Refusal]:
        """Let each sit; the same again is the same."""
        return answer_each(items, lambda item: self._seat(page, item))

    def end(self, page: Page, items: Sequence[EndMember]) -> list[Id16 | Refusal]:
        """Let members leave; their ballots of votes that still run are struck out."""
        return answer_each(items, lambda item: self._end(page, item))

    def declare(self, page: Page, items: Sequence[DeclareConflict]) -> list[Id16 | Refusal]:
        """Keep each conflict: the member abstains, and a ballot of a vote that still runs is struck out."""
        return answer_each(items, lambda item: self.declare_one(page, item))

    def close_lists(self, page: Page, items: Sequence[CloseList]) -> list[Drawing | Refusal]:
        """Close and sign each list."""
        return answer_each(items, lambda item: self._close_list(page, item))

    def draw(self, page: Page, items: Sequence[TellNumber]) -> list[Drawing | Refusal]:
        """Take the public number of each drawing, once."""
        return answer_each(items, lambda item: self._draw(page, item))

    # One at a time.

    def _seat(self, page: Page, one: SeatMember) -> Id16:
        content = (
            *("seat", one.key, str(one.college), one.from_day, one.until_day, one.organisation, one.account),
            one.draw,
        )
        if was_asked(page.connection, one.id, *content):
            return one.id
        if require_signer(page.connection, one.key).role != SignerRole.MEMBER:
            raise InvalidMember(field="key", reason="this key is not a member's")
        overlapping = page.connection.execute(
            select(_members.c.id).where(
                _members.c.key == one.key,
                _members.c.from_day <= one.until_day,
                _members.c.until_day >= one.from_day,
                _members.c.ended_at.is_(None),
            )
        ).first()
        if overlapping is not None:
            raise InvalidMember(field="term", reason="this key sits at that time already: one person, one seat")
        if find_twin(page.connection, one) is not None:
            raise InvalidMember(field="account", reason="this account sits at that time already: one person, one seat")
        if one.draw is not None:
            drawing = load_drawing(page.connection, one.draw)
            if one.college != drawing.told.college or one.account not in drawing.ranked:
                raise InvalidMember(field="draw", reason="not drawn for this college")
        note_asked(page, one.id, *content)
        save(
            page.connection,
            _members,
            id=one.id,
            key=one.key,
            college=one.college,
            from_day=one.from_day,
            until_day=one.until_day,
            organisation=one.organisation,
            account=one.account,
            draw=one.draw,
            at=page.now,
            ended_reason="",
        )
        return one.id

    def _end(self, page: Page, one: EndMember) -> Id16:
        member = load_member(page.connection, one.id)
        if member.ended_at is not None:
            return one.id
        if not is_line(one.reason, REASON_MAX):
            raise ReasonMissing(what="ended")
        change(page.connection, _members, _members.c.id == one.id, ended_at=page.now, ended_reason=one.reason)
        return one.id

    def declare_one(self, page: Page, one: DeclareConflict) -> Id16:
        """Keep one conflict; raises its refusal before anything is written."""
        load_member(page.connection, one.member)
        load_project(page.connection, one.project)
        if not is_line(one.reason, REASON_MAX):
            raise ReasonMissing(what="conflict")
        known = page.connection.execute(
            select(_conflicts.c.at).where(_conflicts.c.project == one.project, _conflicts.c.member == one.member)
        ).first()
        if known is None:
            save(
                page.connection,
                _conflicts,
                project=one.project,
                member=one.member,
                reason=one.reason,
                at=page.now,
            )
        return one.member

    def _close_list(self, page: Page, one: CloseList) -> Drawing:
        if one.college not in tuple(College):
            raise InvalidDraw(field="college", reason=f"one of {', '.join(College)}")
        told = make_list(
            territory=self._settings.home,
            college=one.college,
            seats=one.seats,
            source=one.source,
            drawn_on=one.drawn_on,
            candidates=one.candidates,
        )
        same_day = _draws.c.id != one.id, _draws.c.college == told.college, _draws.c.drawn_on == told.drawn_on
        if page.connection.execute(select(_draws.c.id).where(*same_day)).first() is not None:
            # Of several lists somebody would choose one, once the number is known.
            raise InvalidDraw(field="drawn_on", reason="this college has a list for the draw of that day")
        return save_draw_list(page, one.id, told, keys=self._keys, zone=self._settings.zone)

    def _draw(self, page: Page, one: TellNumber) -> Drawing:
        return take_draw_number(page, one.id, one.number, zone=self._settings.zone)


def save_draw_list(page: Page, id_: Id16, told: DrawList, *, keys: SecretKeys, zone: str) -> Drawing:
    """Sign and keep a list that is closed before its number is known; the same again is the same. Raises InvalidDraw."""
    body, digest = encode_typed(told), compute_list_digest(told)
    content = ("draw", digest)
    if was_asked(page.connection, id_, *content):
        return load_drawing(page.connection, id_)
    if told.drawn_on <= write_day(local_day(page.now, zone)):
        raise InvalidDraw(
            field="drawn_on", reason="a public draw to come: the list is closed before its number is known"
        )
    note_asked(page, id_, *content)
    save(
        page.connection,
        _draws,
        id=id_,
        body=body,
        digest=digest,
        signature=sign(keys, Domain.MINUTES, b"draw-list\0" + digest),
        college=told.college,
        drawn_on=told.drawn_on,
        number="",
        at=page.now,
    )
    return load_drawing(page.connection, id_)


def take_draw_number(page: Page, id_: Id16, told: str, *, zone: str) -> Drawing:
    """Keep the public number of a drawing, once. Raises InvalidDraw, DrawStepRefused, DrawUnknown."""
    number = require_public_number(told)
    drawing = load_drawing(page.connection, id_)
    if drawing.number == number:
        return drawing
    if drawing.number:
        raise DrawStepRefused(reason=f"it was drawn with {drawing.number}")
    if write_day(local_day(page.now, zone)) < drawing.told.drawn_on:
        raise DrawStepRefused(reason=f"the public draw is on {format_day(drawing.told.drawn_on)}")
    change(page.connection, _draws, _draws.c.id == id_, number=number, drawn_at=page.now)
    return load_drawing(page.connection, id_)


def find_twin(connection: Connection, one: SeatMember) -> Any:
    """Return a seat of the same account in those days, by another key that signs still, or None."""
    signers = tables.signers
    if not one.account:
        return None
    return connection.execute(
        select(_members.c.id)
        .join(signers, signers.c.key == _members.c.key)
        .where(
            _members.c.account == one.account,
            _members.c.from_day <= one.until_day,
            _members.c.until_day >= one.from_day,
            _members.c.ended_at.is_(None),
            signers.c.revoked_at.is_(None),
        )
    ).first()


def load_member(connection: Connection, id_: bytes) -> Any:
    """Return a member as a row. Raises NotSeated."""
    row = connection.execute(select(_members).where(_members.c.id == id_)).first()
    if row is None:
        raise NotSeated(member=bytes(id_).hex(), reason="nobody")
    return row


def list_members(connection: Connection) -> list[Any]:
    """Return all who sit or sat, as rows, with what they are called."""
    signers = tables.signers
    return list(
        connection.execute(
            select(_members, signers.c.title, signers.c.revoked_at)
            .join(signers, signers.c.key == _members.c.key)
            .order_by(_members.c.college, _members.c.from_day, _members.c.id)
        ).all()
    )


def load_drawing(connection: Connection, id_: Id16) -> Drawing:
    """Return a drawing. Raises DrawUnknown."""
    row = connection.execute(select(_draws).where(_draws.c.id == id_)).first()
    if row is None:
        raise DrawUnknown(draw=format_id(id_))
    return make_drawing(row)


def make_drawing(row: Any) -> Drawing:
    told = decode_typed(bytes(row.body), DrawList, size_max=LIST_BYTES_MAX)
    return Drawing(
        id=Id16(bytes(row.id)),
        told=told,
        digest=bytes(row.digest),
        signature=bytes(row.signature),
        number=row.number,
        ranked=rank_candidates(told, row.number) if row.number else (),
    )


def list_drawings(connection: Connection) -> list[Drawing]:
    """Return all drawings, the oldest first."""
    return [make_drawing(row) for row in connection.execute(select(_draws).order_by(_draws.c.at, _draws.c.id))]
