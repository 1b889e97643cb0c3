"""Any story of conversions at a fund against a plain model: what each lot has left, what each due still lacks.

The model is three dictionaries and sums. Whatever the accounts tell, in whatever order and however often, no lot becomes
more euros than were paid in for it, each due is paid once and whole, and nobody is told otherwise.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.fund.outgoing_payments import DueWords, PaymentState, end_to_end_id
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport, Verdict
from protocol.house import BaseName, Due, DueSettled, DueTaken, HouseMessage, Refused
from protocol.identifiers import Id16
from protocol.keys import make_keys
from tests.fund.camt_files import Detail, Entry
from tests.fund.dues_world import answers, fund_lot, make_due, make_order, owe, proposals, today
from tests.fund.fund_world import FundWorld

STORIES = int(os.environ.get("STORIES", "2"))  # a few in every run, as many as asked by hand
PROJECTS = (b"a garden, opaque", b"a kayak, opaque.", b"a well, opaque..")
BEARERS = ("853318459", "W291000001", "853318459")  # two projects of one body
STRANGER = b"no lot of ours.."


@dataclass
class Owed:
    """A due of the model: what was answered, what it is of, and how far it is paid."""

    due: Due
    project: int
    round: int
    code: str  # why it was refused, or nothing
    cents: int
    paid: bool = False
    payment: bytes | None = None  # that is signed for it, or on its way


@dataclass
class Payment:
    words: DueWords
    signed: int
    ordered: bool = False


class Owing(RuleBasedStateMachine):
    """Lots, three projects of two bearers, two officers and a bank."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = FundWorld(lambda name: f"sqlite:///{self.folder / name}.db")
        self.loop = asyncio.new_event_loop()
        self.left: dict[bytes, int] = {}
        self.owed: dict[bytes, Owed] = {}
        self.payments: list[Payment] = []
        self.said: list[tuple[bytes, str, int]] = []  # what the accounts must have been told of euros
        self.bank = 0
        self.strangers = make_keys(bytes(range(64)))

    def teardown(self) -> None:
        wrongs = self.world.find_wrongs()
        self.world.close()
        self.loop.close()
        shutil.rmtree(self.folder)
        assert wrongs == []

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        for name in ("anne", "bob"):
            self.world.officer(name)
        for campaign, cents in enumerate((600, 250)):
            self._pay_in(cents, campaign)
        self.a_month(seed)

    def _pay_in(self, cents: int, campaign: int) -> None:
        ref = self.run(fund_lot(self.world, cents, campaign=f"campaign {campaign}"))
        self.left[ref] = self.left.get(ref, 0) + cents
        self.bank += cents

    @rule(cents=st.integers(1, 400), campaign=st.integers(0, 3))
    def pay_in(self, cents: int, campaign: int) -> None:
        self._pay_in(cents, campaign)

    # What the accounts tell.

    @rule(
        project=st.integers(0, 2),
        round_=st.integers(1, 3),
        parts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 200)), min_size=1, max_size=3),
        wrong=st.sampled_from(["", "", "", "", "", "signer", "lot"]),
    )
    def tell(self, project: int, round_: int, parts: list[tuple[int, int]], wrong: str) -> None:
        refs = list(self.left)
        lots = [(refs[place % len(refs)], cents) for place, cents in parts]
        if wrong == "lot":
            lots = [(STRANGER, 5)]
        order = make_order(
            project=PROJECTS[project], round=round_, bearer=BEARERS[project], name=f"Body {BEARERS[project]}"
        )
        due = make_due(self.world, *lots, order=order, signer=self.strangers if wrong == "signer" else None)
        wanted: dict[bytes, int] = {}
        for ref, cents in lots:
            wanted[ref] = wanted.get(ref, 0) + cents
        code = ""
        if wrong == "signer" or any(
            (one.project, one.round, one.code) == (project, round_, "") for one in self.owed.values()
        ):
            code = "order_refused"
        elif wrong == "lot":
            code = "lot_not_ours"
        elif any(cents > self.left[ref] for ref, cents in wanted.items()):
            code = "lot_spent"
        self._require_answer(due, code)
        self.owed[due.id] = Owed(due, project, round_, code, sum(wanted.values()))
        if not code:
            for ref, cents in wanted.items():
                self.left[ref] -= cents

    def _require_answer(self, due: Due, code: str) -> None:
        expected: HouseMessage = Refused(due.id, code) if code else DueTaken(due.id)
        assert self.run(owe(self.world, due)) == expected

    @rule(which=st.integers(0, 9), changes=st.sampled_from(["", "", "cents", "order", "project"]))
    def tell_again(self, which: int, changes: str) -> None:
        """The same is answered the same; the same id with anything else is refused, and nothing more is owed."""
        if not self.owed:
            return
        one = list(self.owed.values())[which % len(self.owed)]
        due = one.due
        fields: dict[str, Any] = {name: getattr(due, name) for name in due.__struct_fields__}
        match changes:
            case "cents":
                fields["cents"] = (due.cents[0] + 1, *due.cents[1:])
            case "order":
                fields["order"] = due.order[:-1] + bytes([due.order[-1] ^ 1])
            case "project":
                fields["project"] = bytes(16)
        self._require_answer(Due(**fields), "id_mismatch" if changes else one.code)

    # What two officers and the bank do.

    def _open(self) -> dict[bytes, int]:
        return {
            id_: one.cents for id_, one in self.owed.items() if not one.code and not one.paid and one.payment is None
        }

    @invariant()
    def what_may_be_signed_is_what_is_open(self) -> None:
        if not self.left:
            return
        told = proposals(self.world)
        paid = [pair for words in told for pair in words.dues]
        assert sorted(paid) == sorted(self._open().items()), "each open due stands in one proposal, whole"
        for words in told:
            assert words.cents == sum(cents for _, cents in words.dues)
            assert len({(self.owed[due].project, self.owed[due].round) for due, _ in words.dues}) == 1

    @invariant()
    def the_accounts_were_told_each_word_once_in_order(self) -> None:
        told = answers(self.world, BaseName.ACCOUNTS) if self.left else []
        assert [(one.id, one.state.name, one.cents) for one in told if isinstance(one, DueSettled)] == self.said
        ended: dict[bytes, str] = {id_: state for id_, state, _ in self.said}
        assert {id_ for id_, state in ended.items() if state == "PAID"} == {
            id_ for id_, one in self.owed.items() if one.paid
        }

    @invariant()
    def the_bank_has_what_was_paid_in_and_not_out(self) -> None:
        assert self.world.balance == self.bank
        assert self.bank == sum(self.left.values()) + sum(
            one.cents for one in self.owed.values() if not one.code and not one.paid
        )

    def _free(self, payment: Payment) -> None:
        self.payments.remove(payment)
        for due, _ in payment.words.dues:
            self.owed[due].payment = None

    @rule(which=st.integers(0, 3), both=st.booleans(), bent=st.booleans())
    def sign(self, which: int, both: bool, bent: bool) -> None:
        told = proposals(self.world)
        if not told:
            return
        words = told[which % len(told)]
        if bent:
            fields = {name: getattr(words, name) for name in words.__struct_fields__}
            wrong = type(words)(**fields | {"cents": words.cents + 1})
            assert self._code_of(lambda: self._sign("anne", wrong)) == "dues_changed"
        assert self._sign("anne", words) is PaymentState.ASKED
        assert self._sign("anne", words) is PaymentState.ASKED, "one person twice is one person"
        payment = Payment(words, 1)
        self.payments.append(payment)
        for due, _ in words.dues:
            self.owed[due].payment = words.id
        if both:
            self.sign_second(len(self.payments) - 1)

    @rule(which=st.integers(0, 3))
    def sign_second(self, which: int) -> None:
        asked = [one for one in self.payments if one.signed == 1]
        if not asked:
            return
        payment = asked[which % len(asked)]
        assert self._sign("bob", payment.words) is PaymentState.SIGNED
        payment.signed = 2

    def _sign(self, name: str, words: DueWords) -> Any:
        return self.world.write(self.world.fund.payments.sign, self.world.sign(name, words))

    def _code_of(self, do: Callable[[], object]) -> str:
        from protocol.errors import Refusal

        try:
            do()
        except Refusal as refusal:
            return refusal.code
        return ""

    @rule(which=st.integers(0, 3))
    def take_signature_back(self, which: int) -> None:
        waiting = [one for one in self.payments if not one.ordered]
        if waiting:
            payment = waiting[which % len(waiting)]
            self.world.write(self.world.fund.payments.cancel, Id16(payment.words.id))
            self._free(payment)

    @rule(outcome=st.sampled_from(["paid", "paid", "rejected", "returned", "waits"]))
    def order(self, outcome: str) -> None:
        """Give the day's order, and let the bank do with it what banks do."""
        going = [one for one in self.payments if one.signed == 2 and not one.ordered]
        if not going:
            return
        self.world.later(1)
        order = self.world.write(self.world.fund.payments.order, today(self.world))
        assert self.world.write(self.world.fund.payments.order, today(self.world)).id == order.id
        for payment in going:
            payment.ordered = True
        if outcome == "rejected":
            verdict = Verdict(state=BankState.REJECTED, code="RJCT", reason="AC04")
            report = StatusReport(message_id=order.id, whole=verdict, groups={}, payments={})
            assert self.world.write(self.world.fund.payments.take_report, report) == len(going)
            for payment in going:
                self._tell_all(payment, "REJECTED")
                self._free(payment)
        elif outcome != "waits":
            self.carry_out(is_returned=outcome == "returned")

    @rule(is_returned=st.booleans())
    def carry_out(self, is_returned: bool) -> None:
        """The bank's statement says what left; and perhaps that it came back."""
        going = [one for one in self.payments if one.ordered]
        if not going:
            return
        entries = [
            Entry(
                cents=-one.words.cents,
                details=[Detail(cents=-one.words.cents, end_to_end_id=end_to_end_id(one.words.id))],
                bank_reference=self.world.entropy(6).hex(),
            )
            for one in going
        ]
        self.world.take(self.world.statement(*entries))
        for payment in going:
            self.bank -= payment.words.cents
            self._tell_all(payment, "PAID")
            self._free(payment)
            for due, _ in payment.words.dues:
                self.owed[due].paid = True
        if is_returned:
            back = going[0].words
            detail = Detail(
                cents=back.cents,
                end_to_end_id=end_to_end_id(back.id),
                reason="AC04",
                bank_reference=self.world.entropy(6).hex(),
            )
            self.world.take(self.world.statement(Entry(cents=back.cents, details=[detail])))
            self.bank += back.cents
            self._tell_all(going[0], "REJECTED")
            for due, _ in back.dues:
                self.owed[due].paid = False

    @rule(seed=st.integers(0, 2**32 - 1))
    def a_month(self, seed: int) -> None:
        """What chance alone would seldom get to: dues are told, signed, ordered, rejected and paid, one after another."""
        dice = random.Random(seed)
        for _ in range(12):
            what, which = dice.choice("ttttasssssoooocp"), dice.randrange(10)
            match what:
                case "t":
                    parts = [(dice.randrange(4), dice.randint(1, 90)) for _ in range(dice.randint(1, 2))]
                    self.tell(dice.randrange(3), dice.randint(1, 3), parts, "")
                case "a":
                    self.tell_again(which, dice.choice(["", "cents"]))
                case "s":
                    self.sign(which, dice.random() < 0.8, dice.random() < 0.2)
                case "o":
                    self.order(dice.choice(["paid", "paid", "rejected", "returned", "waits"]))
                case "c":
                    self.take_signature_back(which)
                case "p":
                    self.carry_out(dice.random() < 0.3)
            self.what_may_be_signed_is_what_is_open()
            self.the_bank_has_what_was_paid_in_and_not_out()
        self.the_accounts_were_told_each_word_once_in_order()

    def _tell_all(self, payment: Payment, state: str) -> None:
        self.said += [(due, state, cents) for due, cents in payment.words.dues]


Owing.TestCase.settings = settings(
    max_examples=STORIES,
    stateful_step_count=3,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
TestOwing = Owing.TestCase
