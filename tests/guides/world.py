"""A territory with a group, its members, and guides who sign; in the world of the room of projects."""

from __future__ import annotations

from typing import Any

from node.federation.service import Federation
from node.guides.acts import Act, ActWords, CedeAct, OrientAct, RecallAct, SignedAct, TakeBackAct, sign_act
from node.guides.service import ActView, DeclareGroup, GiveConsent, GuideDesk, JoinGroup, LeaveGroup, Withdraw
from node.ledger.accounts import AccountKind
from protocol.book.worker import Page
from protocol.house import GuideAccredited, GuideEnded, HouseMessage
from protocol.identifiers import AccountNumber, Id16
from protocol.keys import SecretKeys, make_keys
from protocol.times import DAY_MS
from tests.orientation.world import HOME, PROJECTS, Town

FROM, UNTIL = 20261101, 20281031
PAPER = b"p" * 32


class Village(Town):
    """`guides` are the keys of those accredited, by accreditation."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.keys: dict[bytes, SecretKeys] = {}
        self.group = self.open(AccountKind.GROUP)
        self.do(self.guides.declare, DeclareGroup(op=self.id(), account=self.group))

    def open_book(self) -> None:
        super().open_book()
        federation: Federation = self.orientations._federation
        self.guides = GuideDesk(self.book, self.ledger, federation, self.orientations)

    def do(self, operation: Any, item: Any) -> Any:
        return self.book.write_now(operation, item)

    def tell(self, *messages: HouseMessage, sender: str = PROJECTS) -> list[HouseMessage]:
        """Take what the projects' base says of guides, in one page."""

        def write(page: Page, items: Any) -> list[list[HouseMessage]]:
            answers = []
            for item in items:
                self.logs[sender].tell(page, "ACCOUNTS", item)
                told = self.guides.apply(page, sender, item)
                if told:
                    self.logs["ACCOUNTS"].tell(page, sender, told)
                answers.append(told)
            return answers

        found: list[HouseMessage] = self.book.write_now(write, messages)
        return found

    def accredit(self, *, from_day: int = FROM, until_day: int = UNTIL) -> Id16:
        id_ = self.id()
        self.keys[id_] = make_keys(id_ * 4)
        self.tell(GuideAccredited(id_, self.keys[id_].public.signing, from_day, until_day))
        return id_

    def end(self, guide: bytes, code: str = "guide_left") -> None:
        self.tell(GuideEnded(guide, code))

    def join(self, member: AccountNumber | None = None, **more: Any) -> AccountNumber:
        values = {"op": self.id(), "account": self.group, "member": member or self.open()}
        joined: AccountNumber = self.do(self.guides.join, JoinGroup(**values | more))
        return joined

    def leave(self, member: AccountNumber) -> None:
        self.do(self.guides.leave, LeaveGroup(account=self.group, member=member))

    def consent(self, guide: bytes, member: str = "", *, days: int = 30, **more: Any) -> Id16:
        values: dict[str, Any] = {
            "op": self.id(),
            "account": self.group,
            "guide": guide,
            "days": days,
            "member": member,
            "digest": b"" if member else PAPER,
        }
        given: Id16 = self.do(self.guides.consent, GiveConsent(**values | more))
        return given

    def withdraw(self, consent: Id16) -> None:
        self.do(self.guides.withdraw, Withdraw(account=self.group, consent=consent))

    def sign(self, guide: bytes, act: Act, **more: Any) -> SignedAct:
        values: dict[str, Any] = {
            "version": 1,
            "territory": HOME,
            "id": self.id(),
            "guide": guide,
            "account": self.group,
            "until": self.clock.now + DAY_MS,
            "act": act,
        }
        return sign_act(ActWords(**values | more), self.keys[guide])

    def act(self, guide: bytes, act: Act, **more: Any) -> ActView:
        view: ActView = self.do(self.guides.act, self.sign(guide, act, **more))
        return view

    def orient(self, guide: bytes, project: AccountNumber, cents: int, **more: Any) -> ActView:
        return self.act(guide, OrientAct((project,), (cents,), "back"), **more)

    def cede(self, guide: bytes, to: AccountNumber, cents: int, **more: Any) -> ActView:
        return self.act(guide, CedeAct(to, cents, ""), **more)

    def back(self, guide: bytes, orientation: bytes, cents: int = 0, **more: Any) -> ActView:
        return self.act(guide, TakeBackAct(orientation, cents), **more)

    def recall(self, guide: bytes, cession: bytes, **more: Any) -> ActView:
        return self.act(guide, RecallAct(cession), **more)

    def later(self, days: int) -> None:
        self.clock.now += days * DAY_MS

    def give(self, cents: int) -> None:
        """Let the group hold so much."""
        self.endow(cents)
        self.credit(self.group, cents)
