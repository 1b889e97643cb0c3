"""Groups with a guide: declared, joined and left, consented to and withdrawn; and the guide's acts, each looked at anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import select

from node.federation.cessions import AskCession, CessionView
from node.federation.reading_service import load_cession
from node.federation.service import Federation
from node.guides import store
from node.guides.acts import (
    NAMES,
    ActWords,
    CedeAct,
    OrientAct,
    RecallAct,
    SignedAct,
    TakeBackAct,
    is_act_signed,
    read_act,
)
from node.guides.consents import Accredited, count_consent, require_accredited, require_consent, require_term
from node.guides.errors import (
    ActRefused,
    ConsentRefused,
    GroupConsentUnknown,
    GroupHasStandingOrder,
    GroupIsGuided,
    GroupMemberUnknown,
    GroupUnknown,
    GuideNotHere,
    MemberKnown,
    NotAGroup,
)
from node.guides.parameters_store import load_consent_rules
from node.guides.tables import group_consents, group_members, guide_acts, guided_groups, guides
from node.ledger.accounts import AccountKind, AccountState
from node.ledger.errors import AccountUnknown
from node.ledger.service import Ledger
from node.orientation import store as orientation_store
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.errors import OrientationUnknown
from node.orientation.projects import day_at
from node.orientation.service import Orientations, TakeBackAsked
from node.orientation.standing_service import load_standing
from protocol.amounts import Cents
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.house import BaseName, GuideAccredited, GuideEnded, GuideKnown, HouseMessage, Refused
from protocol.identifiers import (
    AccountNumber,
    Address,
    Id16,
    format_id,
    parse_address,
    require_id,
    require_number,
    write_address,
)
from protocol.times import DAY_MS

NOT_THE_PROJECTS: Final = "not_the_projects"
DIGEST_BYTES: Final = 32
MEMBERS_MAX: Final = 500
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareGroup:
    """A group's account is moved by a guide alone from now on. Never undone."""

    op: Id16
    account: AccountNumber

    def __post_init__(self) -> None:
        require_id(self.op)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup:
    """Somebody is in a group, by his account number."""

    op: Id16
    account: AccountNumber
    member: AccountNumber

    def __post_init__(self) -> None:
        require_id(self.op)
        if self.member == self.account:
            raise Malformed(field="member", reason="a group is not in itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroup:
    account: AccountNumber
    member: AccountNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """A member consents, or the whole group on paper (`digest` of it, and no member), from today for so many days."""

    op: Id16
    account: AccountNumber
    guide: Id16
    days: int
    member: str = ""
    digest: bytes = b""

    def __post_init__(self) -> None:
        require_id(self.op)
        if bool(self.member) == bool(self.digest):
            raise Malformed(field="member", reason="a member, or a paper")
        if self.digest and len(self.digest) != DIGEST_BYTES:
            raise Malformed(field="sha256", reason="the SHA-256 of the paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """A consent holds no more. `account` is the group's."""

    account: AccountNumber
    consent: Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class ActView:
    """What came of an act. `state`: directed, sent, done (at home), back, or the recall as it was asked."""

    op: bytes
    name: str
    account: str
    guide: bytes
    cents: int
    state: str
    is_repeat: bool


class GuideDesk:
    """The room of groups and guides in the accounts base."""

    def __init__(self, book: Book, ledger: Ledger, federation: Federation, orientations: Orientations) -> None:
        self._book = book
        self._ledger = ledger
        self._federation = federation
        self._orientations = orientations
        self._changes = 0
        self._guided: tuple[int, frozenset[str]] = (-1, frozenset())  # the number of changes seen, and the accounts

    # What the projects' base tells

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Note who is a guide and who no more; what is not about guides is passed over."""
        answers: list[HouseMessage] = []
        for message in messages:
            if not isinstance(message, GuideAccredited | GuideEnded):
                continue
            if sender != BaseName.PROJECTS:
                answers.append(Refused(message.id, NOT_THE_PROJECTS))
            elif isinstance(message, GuideAccredited):
                answers.append(self._accredit(page, message))
            else:
                answers.append(self._end(page, message))
        return answers

    def _accredit(self, page: Page, told: GuideAccredited) -> HouseMessage:
        known = store.find_guide(page.connection, told.id)
        if known is None:
            store.save(
                page.connection,
                guides,
                id=told.id,
                key=told.key,
                from_day=told.from_day,
                until_day=told.until_day,
                at=page.now,
                ended_code="",
            )
            return GuideKnown(told.id, False)
        if (known.key, known.from_day, known.until_day) != (told.key, told.from_day, told.until_day):
            return Refused(told.id, IdMismatch.code)
        return GuideKnown(told.id, bool(known.ended_code))

    def _end(self, page: Page, told: GuideEnded) -> HouseMessage:
        known = store.find_guide(page.connection, told.id)
        if known is None:
            return Refused(told.id, GuideNotHere.code)
        if not known.ended_code:
            store.change(page.connection, guides, guides.c.id == told.id, ended_at=page.now, ended_code=told.code)
        return GuideKnown(told.id, True)

    # What doors ask before they move rights

    async def require_unguided(self, *accounts: str) -> None:
        """Let through accounts that no guide moves. Raises GroupIsGuided."""
        changes, known = self._guided
        if changes != self._changes:
            changes = self._changes
            known = await self._book.read(store.load_guided)
            self._guided = (changes, known)
        for account in accounts:
            if account in known:
                raise GroupIsGuided(account=account)

    def _note_change(self) -> None:
        """Called by the writer's thread: a reading that began before counts for nothing."""
        self._changes += 1

    # What the office and members ask

    def declare(self, page: Page, items: Sequence[DeclareGroup]) -> list[AccountNumber | Refusal]:
        """From now on a guide alone moves each group's rights on."""
        return _each(items, lambda item: self._declare(page, item))

    def join(self, page: Page, items: Sequence[JoinGroup]) -> list[AccountNumber | Refusal]:
        """Enter each member."""
        return _each(items, lambda item: self._join(page, item))

    def leave(self, page: Page, items: Sequence[LeaveGroup]) -> list[AccountNumber | Refusal]:
        """Let members go: their consent counts no more. Done twice is done once."""
        return _each(items, lambda item: self._leave(page, item))

    def consent(self, page: Page, items: Sequence[GiveConsent]) -> list[Id16 | Refusal]:
        """Keep each consent, of a member or on paper."""
        return _each(items, lambda item: self._consent(page, item))

    def withdraw(self, page: Page, items: Sequence[Withdraw]) -> list[Id16 | Refusal]:
        """Withdraw consents, from the next act on. Done twice is done once."""
        return _each(items, lambda item: self._withdraw(page, item))

    def withdraw_all(self, page: Page) -> None:
        """Let every consent that stands hold no more: this book is an old copy, and any of them may have been withdrawn."""
        store.change(page.connection, group_consents, group_consents.c.withdrawn_at.is_(None), withdrawn_at=page.now)

    def act(self, page: Page, items: Sequence[SignedAct]) -> list[ActView | Refusal]:
        """Do what a guide signed, if he is one today and the group consents today."""
        return _each(items, lambda item: self._act(page, item))

    # One at a time.

    def _declare(self, page: Page, asked: DeclareGroup) -> AccountNumber:
        known = store.find_group(page.connection, asked.account)
        if known is not None:
            if bytes(known.op) != asked.op:
                raise IdMismatch(id=format_id(asked.op), field="id")
            return asked.account
        self._require_fresh(page, asked.op, guided_groups)
        self._require_kind(page, asked.account, AccountKind.GROUP)
        for order in load_standing(page.connection, asked.account):
            if order.stopped_at is None:
                raise GroupHasStandingOrder(account=asked.account, order=format_id(Id16(order.op)))
        store.save(page.connection, guided_groups, account=asked.account, op=asked.op, at=page.now)
        page.after_commit(GuideDesk, self._note_change)
        return asked.account

    def _require_kind(self, page: Page, account: AccountNumber, kind: AccountKind) -> None:
        sheet = self._ledger.look_at(page, account)
        if sheet is None:
            raise AccountUnknown(account=account)
        if sheet.kind is not kind or sheet.state is AccountState.CLOSED:
            raise NotAGroup(account=account, kind=f"{sheet.kind}, {sheet.state}")

    def _require_group(self, page: Page, account: str) -> None:
        if store.find_group(page.connection, account) is None:
            raise GroupUnknown(account=account)

    def _require_fresh(self, page: Page, op: bytes, *but: Any) -> None:
        """Require that an id names nothing else in this room. Raises IdMismatch."""
        for table in (guided_groups, group_members, group_consents, guide_acts):
            found = page.connection.execute(select(table.c.op).where(table.c.op == op)).first()
            if found is not None:
                raise IdMismatch(id=format_id(op), field="operation" if table not in but else "account")

    def _join(self, page: Page, asked: JoinGroup) -> AccountNumber:
        self._require_group(page, asked.account)
        rows = store.load_member_rows(page.connection, asked.account)
        mine = next((row for row in rows if bytes(row.op) == asked.op), None)
        if mine is not None:
            if mine.member != asked.member:
                raise IdMismatch(id=format_id(asked.op), field="member")
            return asked.member
        living = [row.member for row in rows if row.left_at is None]
        if asked.member in living:
            raise MemberKnown(member=asked.member)
        if len(living) >= MEMBERS_MAX:
            raise Malformed(field="member", reason=f"{MEMBERS_MAX} members at most")
        self._require_fresh(page, asked.op)
        self._require_kind(page, asked.member, AccountKind.PERSON)
        values = {"op": asked.op, "account": asked.account, "member": asked.member, "at": page.now}
        store.save(page.connection, group_members, **values)
        return asked.member

    def _leave(self, page: Page, asked: LeaveGroup) -> AccountNumber:
        self._require_group(page, asked.account)
        rows = [one for one in store.load_member_rows(page.connection, asked.account) if one.member == asked.member]
        if not rows:
            raise GroupMemberUnknown(member=asked.member)
        living = (group_members.c.account == asked.account, group_members.c.member == asked.member)
        store.change(page.connection, group_members, *living, group_members.c.left_at.is_(None), left_at=page.now)
        # Whoever comes back consents anew.
        mine = (group_consents.c.account == asked.account, group_consents.c.member == asked.member)
        unsaid = group_consents.c.withdrawn_at.is_(None)
        store.change(page.connection, group_consents, *mine, unsaid, withdrawn_at=page.now)
        return asked.member

    def _consent(self, page: Page, asked: GiveConsent) -> Id16:
        today = day_at(page.now)
        row = store.find_consent_row(page.connection, asked.op)
        until_day = day_at(page.now + (asked.days - 1) * DAY_MS) if asked.days >= 1 else 0
        if row is not None:
            told = {
                "account": asked.account,
                "guide": asked.guide,
                "member": asked.member,
                "digest": asked.digest or None,
                "days": day_at(row.at + (asked.days - 1) * DAY_MS) if asked.days >= 1 else 0,
            }
            kept = {name: getattr(row, "until_day" if name == "days" else name) for name in told}
            field = next((name for name in told if told[name] != kept[name]), None)
            if field is not None:
                raise IdMismatch(id=format_id(asked.op), field=field)
            return asked.op
        self._require_group(page, asked.account)
        guide = self._load_guide(page, asked.guide)
        rules = load_consent_rules(today)
        require_term(guide, asked.days, rules.consent_days_max if asked.member else rules.mandate_days_max, today)
        if asked.member and asked.member not in store.load_members(page.connection, asked.account):
            raise ConsentRefused(reason=f"{asked.member} is not in the group")
        self._require_fresh(page, asked.op)
        store.save(
            page.connection,
            group_consents,
            op=asked.op,
            account=asked.account,
            guide=asked.guide,
            member=asked.member,
            digest=asked.digest or None,
            from_day=today,
            until_day=until_day,
            at=page.now,
        )
        return asked.op

    def _load_guide(self, page: Page, id_: bytes) -> Accredited:
        guide = store.find_guide(page.connection, id_)
        if guide is None:
            raise GuideNotHere(guide=format_id(Id16(id_)))
        return guide

    def _withdraw(self, page: Page, asked: Withdraw) -> Id16:
        row = store.find_consent_row(page.connection, asked.consent)
        if row is None or row.account != asked.account:
            raise GroupConsentUnknown(consent=format_id(asked.consent))
        if row.withdrawn_at is None:
            store.change(page.connection, group_consents, group_consents.c.op == asked.consent, withdrawn_at=page.now)
        return asked.consent

    # Acts.

    def _act(self, page: Page, signed: SignedAct) -> ActView:
        words = read_act(signed.words)
        if words.territory != self._ledger.home:
            raise ActRefused(reason=f"signed for {words.territory}")
        account, today = require_number(words.account), day_at(page.now)
        self._require_group(page, account)
        guide = self._load_guide(page, words.guide)
        if not is_act_signed(signed, guide.key):
            raise ActRefused(reason="the signature is not that guide's, or of other words")
        known = store.find_act(page.connection, words.id)
        if known is not None:
            if bytes(known.words) != signed.words:
                raise IdMismatch(id=format_id(words.id), field="words")
            return self._do(page, words, account)
        if page.now > words.until:
            raise ActRefused(reason="it was to be used before")
        require_accredited(guide, today)
        members = store.load_members(page.connection, account)
        consents = store.load_consents(page.connection, account)
        given = count_consent(members, consents, guide.id, today, load_consent_rules(today))
        require_consent(account, given, guide.id)
        self._require_fresh(page, words.id)
        view = self._do(page, words, account)
        values = {"op": words.id, "guide": guide.id, "account": account, "at": page.now}
        store.save(page.connection, guide_acts, **values, words=signed.words, signature=signed.signature)
        return view

    def _do(self, page: Page, words: ActWords, account: AccountNumber) -> ActView:
        cents, state, is_repeat = self._move(page, words, account)
        return ActView(
            op=words.id,
            name=NAMES[type(words.act)],
            account=account,
            guide=words.guide,
            cents=cents,
            state=state,
            is_repeat=is_repeat,
        )

    def _move(self, page: Page, words: ActWords, account: AccountNumber) -> tuple[int, str, bool]:
        """Return how much an act moves, what became of it, and whether it was done before."""
        act = words.act
        match act:
            case OrientAct():
                return self._orient(page, words, act, account)
            case CedeAct():
                return self._cede(page, words, act, account)
            case TakeBackAct():
                return self._take_back(page, words, act, account)
            case RecallAct():
                return self._recall(page, act, account)

    def _read_address(self, text: str) -> Address:
        return parse_address(text) if "@" in text else Address(require_number(text), self._ledger.home)

    def _orient(self, page: Page, words: ActWords, act: OrientAct, account: AccountNumber) -> tuple[int, str, bool]:
        choices = tuple(
            Choice(to=self._read_address(to), cents=Cents(cents) if cents else None)
            for to, cents in zip(act.to, act.cents, strict=True)
        )
        try:
            overflow = Overflow(act.overflow)
        except ValueError:
            raise Malformed(field="overflow", reason="next or back") from None
        giver = write_address(account, self._ledger.home)
        asked = Direct(op=Id16(words.id), account=account, choices=choices, overflow=overflow, giver=giver)
        view = _let_through(self._orientations.direct(page, [asked]))
        return view.cents, "directed", view.is_repeat

    def _cede(self, page: Page, words: ActWords, act: CedeAct, account: AccountNumber) -> tuple[int, str, bool]:
        asked = AskCession(
            op=words.id,
            account=account,
            beneficiary=self._read_address(act.to),
            cents=act.cents,
            words=act.words,
            giver=write_address(account, self._ledger.home),
        )
        view: CessionView = _let_through(self._federation.cede(page, [asked]))
        return view.cents, str(view.state), view.is_repeat

    def _take_back(
        self, page: Page, words: ActWords, act: TakeBackAct, account: AccountNumber
    ) -> tuple[int, str, bool]:
        found = orientation_store.find_orientations(page.connection, (act.orientation,)).get(act.orientation)
        if found is None or found.account != account:
            raise OrientationUnknown(id=act.orientation.hex())
        asked = TakeBackAsked(op=Id16(words.id), orientation=Id16(act.orientation), cents=act.cents or None)
        view = _let_through(self._orientations.take_back(page, [asked]))
        return view.cents, "back", view.is_repeat

    def _recall(self, page: Page, act: RecallAct, account: AccountNumber) -> tuple[int, str, bool]:
        before = load_cession(page.connection, Id16(act.cession))
        if before.account != account:
            raise ActRefused(reason="the cession is another account's")
        if before.recall:  # asked before, by whomever
            return before.cents, before.recall, True
        view: CessionView = _let_through(self._federation.recall(page, [act.cession]))
        return view.cents, view.recall, False


def _each(items: Sequence[Asked], do: Callable[[Asked], Answer]) -> list[Answer | Refusal]:
    answers: list[Answer | Refusal] = []
    for item in items:
        try:
            answers.append(do(item))
        except Refusal as refusal:
            answers.append(refusal)
    return answers


def _let_through(answers: Sequence[Any]) -> Any:
    """Return the one answer. Raises it where it is a refusal."""
    [answer] = answers
    if isinstance(answer, Refusal):
        raise answer
    return answer
