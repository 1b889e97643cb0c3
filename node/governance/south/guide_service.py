"""Guides are accredited by members' signatures, told to the accounts, and ended: by the office, by themselves, with their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables as base_tables
from node.governance.answering import answer_each
from node.governance.days import local_day, write_day
from node.governance.errors import NotSeated, ReasonMissing, SignatureRefused
from node.governance.letters_service import Letters
from node.governance.parameters_store import load_south_rules
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import require_signature, require_signer
from node.governance.south import tables
from node.governance.south.errors import GuideStepRefused, GuideUnknown
from node.governance.south.guides import (
    Accreditation,
    GuideEnd,
    GuideState,
    is_enough,
    read_guide,
    require_guide,
    tell_guide,
)
from node.governance.south.programmes import REASON_MAX
from node.governance.south.signed import SignedWords
from node.governance.store import change, note_asked, save, was_asked
from node.governance.texts import is_line
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import BaseName, GuideAccredited, GuideEnded, GuideKnown, HouseMessage, Refused
from protocol.identifiers import Id16, format_id, require_id
from protocol.keys import Domain

_guides, _approvals = tables.guides, tables.guide_approvals
_LED: Final = (GuideEnd.WITHDRAWN, GuideEnd.LEFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndGuide:
    """A guide is none any more from now on, for everybody."""

    id: Id16
    guide: Id16
    code: GuideEnd
    reason: str

    def __post_init__(self) -> None:
        require_id(self.id)
        if self.code not in _LED:
            raise GuideStepRefused(guide=format_id(self.guide), reason=f"one of {', '.join(_LED)}")
        if not is_line(self.reason, REASON_MAX):
            raise ReasonMissing(what=self.code)


class GuideDesk:
    """Operations for the book's writer, on accreditations."""

    def __init__(self, letters: Letters, settings: ProjectsSettings) -> None:
        self._letters = letters
        self._settings = settings

    def approve(self, page: Page, items: Sequence[SignedWords]) -> list[GuideState | Refusal]:
        """Take each member's signature; with enough of them the guide is accredited, and the accounts are told."""
        return answer_each(items, lambda item: self._approve(page, item))

    def end(self, page: Page, items: Sequence[EndGuide]) -> list[GuideState | Refusal]:
        """End each accreditation, at once."""
        return answer_each(items, lambda item: self._end(page, item))

    def end_with_key(self, page: Page, key: bytes) -> None:
        """End what hangs on a key that was revoked."""
        living = page.connection.execute(
            select(_guides).where(_guides.c.key == key, _guides.c.ended_at.is_(None)).order_by(_guides.c.id)
        ).all()
        for row in living:
            self._finish(page, row, GuideEnd.KEY_REVOKED, "key revoked")

    def hear(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> None:
        """Note what the accounts say of accreditations."""
        if sender != BaseName.ACCOUNTS:
            return
        for message in messages:
            match message:
                case GuideKnown():
                    change(page.connection, _guides, _guides.c.id == message.id, heard_at=page.now, refused="")
                case Refused():
                    change(page.connection, _guides, _guides.c.id == message.id, refused=message.code)
                case _:
                    continue

    # One at a time.

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _approve(self, page: Page, signed: SignedWords) -> GuideState:
        connection, today = page.connection, self._today(page)
        words = read_guide(signed.words)
        id_ = Id16(words.id)
        if words.territory != self._settings.home:
            raise SignatureRefused(signer=signed.key.hex(), reason=f"signed for {words.territory}")
        require_signature(connection, signed.key, SignerRole.MEMBER, Domain.VOTE, signed.words, signed.signature)
        member = _load_member(connection, signed.key, today)
        rules = load_south_rules(today)
        row = find_guide(connection, id_)
        if row is None:
            require_guide(words, rules)
            guide = require_signer(connection, words.key)
            if guide.role != SignerRole.GUIDE:
                raise SignatureRefused(signer=guide.title, reason=f"signs as {guide.role}, not as {SignerRole.GUIDE}")
            was_asked(connection, id_, "guide", signed.words)
            note_asked(page, id_, "guide", signed.words)
            save(
                connection,
                _guides,
                id=id_,
                key=words.key,
                words=signed.words,
                from_day=words.from_day,
                until_day=words.until_day,
                at=page.now,
                ended_code="",
                ended_reason="",
                refused="",
            )
            row = load_guide(connection, id_)
        elif bytes(row.words) != signed.words:
            raise IdMismatch(id=format_id(id_), field="words")
        mine = (_approvals.c.guide == id_) & (_approvals.c.member == member.id)
        if connection.execute(select(_approvals.c.at).where(mine)).first() is not None:
            return tell_guide(make_accreditation(row), today)
        if row.ended_at is not None or row.until_day < today:
            raise GuideStepRefused(guide=format_id(id_), reason="it has ended, or its term is over")
        values = {"guide": id_, "member": member.id, "key": signed.key, "signature": signed.signature}
        save(connection, _approvals, **values, at=page.now)
        if row.accredited_at is None and is_enough(list_colleges(connection, id_), rules):
            change(connection, _guides, _guides.c.id == id_, accredited_at=page.now)
            signing = bytes(require_signer(connection, words.key).signing)
            self._letters.send(page, GuideAccredited(id_, signing, row.from_day, row.until_day))
        return tell_guide(make_accreditation(load_guide(connection, id_)), today)

    def _end(self, page: Page, asked: EndGuide) -> GuideState:
        content = ("end guide", asked.guide, str(asked.code), asked.reason)
        row = load_guide(page.connection, asked.guide)
        if was_asked(page.connection, asked.id, *content):
            return GuideState.ENDED
        if row.ended_at is not None:
            raise GuideStepRefused(guide=format_id(asked.guide), reason=f"ended already: {row.ended_code}")
        note_asked(page, asked.id, *content)
        self._finish(page, row, asked.code, asked.reason)
        return GuideState.ENDED

    def _finish(self, page: Page, row: Any, code: GuideEnd, reason: str) -> None:
        change(
            page.connection,
            _guides,
            _guides.c.id == row.id,
            ended_at=page.now,
            ended_code=code,
            ended_reason=reason,
        )
        if row.accredited_at is not None:  # the accounts know of it
            self._letters.send(page, GuideEnded(bytes(row.id), code))


def _load_member(connection: Connection, key: bytes, today: int) -> Any:
    """Return who sits with a key today, as a row. Raises NotSeated."""
    members = base_tables.members
    row = connection.execute(
        select(members)
        .where(
            members.c.key == key,
            members.c.from_day <= today,
            members.c.until_day >= today,
            members.c.ended_at.is_(None),
        )
        .order_by(members.c.id)
    ).first()
    if row is None:
        raise NotSeated(member=key.hex(), reason="no term of the committee today")
    return row


def find_guide(connection: Connection, id_: bytes) -> Any:
    """Return an accreditation as a row, or None."""
    return connection.execute(select(_guides).where(_guides.c.id == id_)).first()


def load_guide(connection: Connection, id_: bytes) -> Any:
    """Return the same. Raises GuideUnknown."""
    row = find_guide(connection, id_)
    if row is None:
        raise GuideUnknown(guide=format_id(Id16(id_)))
    return row


def make_accreditation(row: Any) -> Accreditation:
    return Accreditation(
        from_day=row.from_day,
        until_day=row.until_day,
        is_accredited=row.accredited_at is not None,
        is_ended=row.ended_at is not None,
    )


def find_accredited(connection: Connection, key: bytes, today: int) -> Any:
    """Return an accreditation of a key that holds today, as a row, or None."""
    rows = connection.execute(select(_guides).where(_guides.c.key == key).order_by(_guides.c.at, _guides.c.id))
    holding = (row for row in rows if tell_guide(make_accreditation(row), today) is GuideState.ACCREDITED)
    return next(holding, None)


def list_colleges(connection: Connection, guide: bytes) -> list[str]:
    """Return the college of each member who signed."""
    members = base_tables.members
    rows = connection.execute(
        select(members.c.college)
        .join(_approvals, _approvals.c.member == members.c.id)
        .where(_approvals.c.guide == guide)
        .order_by(members.c.id)
    )
    return [row.college for row in rows]


def list_guides(connection: Connection) -> list[Any]:
    """Return all accreditations with their holders' titles, the oldest first."""
    signers = base_tables.signers
    return list(
        connection.execute(
            select(_guides, signers.c.title)
            .join(signers, signers.c.key == _guides.c.key)
            .order_by(_guides.c.at, _guides.c.id)
        ).all()
    )
