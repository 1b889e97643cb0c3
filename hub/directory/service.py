"""The directory's use cases. Each change is an entry, a leaf of the national log, and the next state in memory."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from hub.directory.tables import entries, invitations
from hub.transparency.service import note
from protocol import keys
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.prepared_store import Prepared
from protocol.book.service import Page
from protocol.canonical import decode_typed
from protocol.directory import (
    Accredited,
    BrokenDirectory,
    Change,
    Directory,
    DirectoryEntry,
    Enrolled,
    KeyAdded,
    KeyRetired,
    LimitsSet,
    Member,
    MemberKind,
    MemberStatus,
    Reinstated,
    Suspended,
    apply_entries,
    decode_entry,
    encode_entry,
)
from protocol.envelopes import DIRECTORY_MAX, DirectoryPart, Enrolment, SignedEnrolment, Welcome
from protocol.errors import InvalidText, NotCanonical, Refusal
from protocol.exchange.service import Identity
from protocol.identifiers import is_south, require_territory
from protocol.keys import Domain, PublicKeys, SecretKeys, compute_key_id, require_public_keys
from protocol.national import DirectoryChanged
from protocol.times import DAY_MS, Instant

INVITATION_DAYS: Final = 30
_KEY: Final = "directory"


class InvitationRefused(Refusal):
    """Facts: reason (unknown, used, expired, another_member)."""

    code = "invitation_refused"


class EnrolmentRefused(Refusal):
    """Facts: reason."""

    code = "enrolment_refused"


class ChangeRefused(Refusal):
    """A directory change that cannot be. Facts: member, reason."""

    code = "change_refused"


@dataclass(frozen=True, slots=True)
class Invite:
    """A one-time token for a territory or a South community."""

    member: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Accredit:
    """The operator's word that a member may take part."""

    member: str
    sponsor: str = ""
    guide: str = ""


def hash_token(token: bytes) -> bytes:
    return hashlib.sha256(b"citizen-miles/invitation/v1\0" + token).digest()


class Registry:
    """Holds the directory in memory; only the book's writer changes it, after each commit."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.directory = Directory()
        self._own_keys: dict[bytes, int] = {}  # our key ids, and the number of the entry that announced each
        self._enrolled: dict[str, int] = {}  # members, and the number of the entry that brought each in

    def load(self, connection: Connection) -> None:
        """Fold all entries."""
        stored = load_entries(connection)
        self.directory = apply_entries(Directory(), stored)
        self._own_keys, self._enrolled = {}, {}
        for data in stored:
            self._note_entry(decode_entry(data))

    def _note_entry(self, entry: DirectoryEntry) -> None:
        change = entry.change
        if isinstance(change, Enrolled):
            self._enrolled.setdefault(change.member, entry.number)
        if isinstance(change, Enrolled | KeyAdded) and change.member == self.identity.code:
            self._own_keys.setdefault(compute_key_id(change.signing, change.sealing), entry.number)

    def choose_keys(self, member: str, directory_size: int) -> SecretKeys:
        """Return the newest of our keys that a member with so many entries knows: others it could not verify.

        A member without any entry knows the keys of its welcome: those that were current when it enrolled.
        """
        keyring = self.identity.keyring
        known = directory_size or self._enrolled.get(member, 1)
        valid = self.directory.find(self.identity.code)
        for key in reversed(valid.keys if valid is not None else ()):
            secret = keyring.find(key.id)
            if secret is not None and self._own_keys.get(key.id, 0) < known:
                return secret
        return keyring.current

    def on_page(self, page: Page) -> Directory:
        """Return the directory as this page sees it."""
        found: Directory = page.memo.get(_KEY, self.directory)
        return found

    def record(self, page: Page, change: Change) -> Directory:
        """Write one change. Raises ChangeRefused, InvalidText where it cannot be; nothing is written then."""
        _require_printable(change)
        before = self.on_page(page)
        entry = encode_entry(before, change, page.now)
        try:
            after = apply_entries(before, [entry])
        except BrokenDirectory as refusal:
            raise ChangeRefused(member=change.member, reason=refusal.facts["reason"]) from None
        national = note(page, self.identity.code, DirectoryChanged(page.now, entry))
        page.connection.execute(entries.insert().values(number=before.size, entry=entry, national=national))
        page.memo[_KEY] = after
        page.after_commit(_KEY, lambda: setattr(self, "directory", page.memo[_KEY]))
        self._note_entry(decode_entry(entry))
        return after

    def retake(self, page: Page, lost: Sequence[bytes]) -> Directory:
        """Write entries again that this book had written and lost. Raises BrokenDirectory where they do not follow."""
        before = self.on_page(page)
        after = apply_entries(before, lost)
        for number, data in enumerate(lost, before.size):
            entry = decode_entry(data)
            national = note(page, self.identity.code, DirectoryChanged(entry.at, data))
            page.connection.execute(entries.insert().values(number=number, entry=data, national=national))
            self._note_entry(entry)
        page.memo[_KEY] = after
        page.after_commit(_KEY, lambda: setattr(self, "directory", page.memo[_KEY]))
        return after

    # Operations of the book: each item is one use case, refused or written whole.

    def found(self, page: Page, items: Sequence[str]) -> list[Directory | Refusal]:
        """Enrol the hub itself under its name, once; a changed key of the hub is added beside the old one."""
        results: list[Directory | Refusal] = []
        for name in items:
            directory = self.on_page(page)
            own = self.identity.keyring.current.public
            member = directory.find(self.identity.code)
            if member is None:
                enrolled = Enrolled(self.identity.code, name, MemberKind.HUB, own.signing, own.sealing)
                directory = self.record(page, enrolled)
            elif member.find_key(own.id) is None:
                directory = self.record(page, KeyAdded(self.identity.code, own.signing, own.sealing))
            results.append(directory)
        return results

    def invite(self, page: Page, items: Sequence[Invite]) -> list[Instant | Refusal]:
        """Keep the token's hash; return when the invitation ends."""
        results: list[Instant | Refusal] = []
        for item in items:
            try:
                require_territory(item.member)
            except Refusal as refusal:
                results.append(refusal)
                continue
            if self.on_page(page).find(item.member) is not None:
                results.append(ChangeRefused(member=item.member, reason="is already enrolled"))
                continue
            ends = Instant(page.now + INVITATION_DAYS * DAY_MS)
            page.connection.execute(
                invitations.insert().values(
                    token_hash=hash_token(item.token),
                    member=item.member,
                    kind=str(MemberKind.SOUTH if is_south(item.member) else MemberKind.TERRITORY),
                    invited_at=page.now,
                    expires_at=ends,
                )
            )
            results.append(ends)
        return results

    def enrol(self, page: Page, items: Sequence[bytes]) -> list[Welcome | Refusal]:
        """Take an enrolment's bytes. The same request again gives the same welcome."""
        results: list[Welcome | Refusal] = []
        for data in items:
            try:
                results.append(self._enrol_one(page, data))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _enrol_one(self, page: Page, data: bytes) -> Welcome:
        try:
            signed = decode_typed(data, SignedEnrolment, size_max=4_096)
            request = decode_typed(signed.body, Enrolment, size_max=1_024)
        except NotCanonical:
            raise EnrolmentRefused(reason="unreadable") from None
        if request.network != self.identity.network:
            raise EnrolmentRefused(reason="wrong_network")
        public = require_public_keys(request.signing, request.sealing)
        if not keys.is_signed(request.signing, Domain.ENROLMENT, signed.body, signed.signature):
            raise EnrolmentRefused(reason="bad_signature")
        row = page.connection.execute(
            select(invitations.c.member, invitations.c.kind, invitations.c.expires_at, invitations.c.used_at).where(
                invitations.c.token_hash == hash_token(request.token)
            )
        ).first()
        if row is None:
            raise InvitationRefused(reason="unknown")
        if row.member != request.member:
            raise InvitationRefused(reason="another_member")
        if row.used_at is not None:
            member = self.on_page(page).find(request.member)
            if member is None or member.find_any_key(public.id) is None:
                raise InvitationRefused(reason="used")
            return self.welcome()
        if row.expires_at < page.now:
            raise InvitationRefused(reason="expired")
        self.record(page, Enrolled(request.member, request.name, row.kind, request.signing, request.sealing))
        page.connection.execute(
            update(invitations).where(invitations.c.token_hash == hash_token(request.token)).values(used_at=page.now)
        )
        return self.welcome()

    def welcome(self) -> Welcome:
        own = self.identity.keyring.current.public
        return Welcome(self.identity.network, self.identity.code, own.signing, own.sealing)

    def accredit(self, page: Page, items: Sequence[Accredit]) -> list[Member | Refusal]:
        """Accredit a member; a South community needs an active sponsor territory and a named guide."""
        return [self._attempt(page, self._accredit_one, item) for item in items]

    def _accredit_one(self, page: Page, item: Accredit) -> Member:
        directory = self.on_page(page)
        member = directory.require(item.member)
        if member.kind is MemberKind.HUB:
            raise ChangeRefused(member=item.member, reason="the hub is no territory")
        if member.kind is MemberKind.SOUTH:
            sponsor = directory.require(item.sponsor) if item.sponsor else None
            if sponsor is None or sponsor.kind is not MemberKind.TERRITORY:
                raise ChangeRefused(member=item.member, reason="a South community needs a sponsor territory")
            if sponsor.status is not MemberStatus.ACTIVE:
                raise ChangeRefused(member=item.member, reason="its sponsor is not active")
            if not item.guide:
                raise ChangeRefused(member=item.member, reason="a South community needs an accredited guide")
        after = self.record(page, Accredited(item.member, item.sponsor, item.guide))
        return after.require(item.member)

    def change(self, page: Page, items: Sequence[Change]) -> list[Member | Refusal]:
        """Write limits, suspensions, reinstatements, keys and retirements."""
        return [self._attempt(page, self._change_one, item) for item in items]

    def _change_one(self, page: Page, change: Change) -> Member:
        directory = self.on_page(page)
        member = directory.require(change.member)
        if isinstance(change, Suspended) and member.kind is MemberKind.HUB:
            raise ChangeRefused(member=change.member, reason="the hub is not suspended by itself")
        if isinstance(change, KeyAdded):
            require_public_keys(change.signing, change.sealing)
        if isinstance(change, LimitsSet | Suspended | Reinstated | KeyAdded | KeyRetired):
            return self.record(page, change).require(change.member)
        raise ChangeRefused(member=change.member, reason="not a change of a member")

    def _attempt(self, page: Page, one, item):  # type: ignore[no-untyped-def]
        try:
            return one(page, item)
        except Refusal as refusal:
            return refusal


def _require_printable(change: Change) -> None:
    """Raise InvalidText for characters that a screen obeys instead of showing: an entry is read by everybody, for ever.

    The two joiners are letters' business in Persian, Hindi or Sinhala names.
    """
    for field in change.__struct_fields__:
        value = getattr(change, field)
        if isinstance(value, str) and any(
            unicodedata.category(symbol) in ("Cc", "Cf", "Cs", "Zl", "Zp") and symbol not in "\u200c\u200d"
            for symbol in value
        ):
            raise InvalidText(field=field, reason="it holds characters that are not text")


def load_entries(connection: Connection) -> list[bytes]:
    """Return every entry, in order."""
    return [bytes(row[0]) for row in connection.execute(select(entries.c.entry).order_by(entries.c.number))]


_LOAD_ENTRIES = Prepared(
    select(entries.c.entry, entries.c.national)
    .where(entries.c.number >= bindparam("start"))
    .order_by(entries.c.number)
    .limit(DIRECTORY_MAX)
)


def load_part(connection: Connection, national: Log, start: int) -> DirectoryPart | None:
    """Return the entries from number `start`, with the proof that the last is a leaf of this national log."""
    rows = _LOAD_ENTRIES.rows(connection, start=start)
    if not rows:
        return None
    _, index = rows[-1]
    return DirectoryPart(
        start=start,
        entries=tuple(bytes(entry) for entry, _ in rows),
        index=index,
        proof=tuple(log_store.load_inclusion(connection, national.id, index, national.size)),
    )


def public_keys(member: Member) -> PublicKeys:
    """Return the newest keys of a member: what to seal for."""
    return member.keys[-1]
