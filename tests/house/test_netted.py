"""Two territories with all their bases, and a window between their funds: from a citizen's choice to the bearer's confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select

from hub.settlement import store as settlement_store
from node.federation.windows_service import Windows
from node.fund.due_payment_service import Wait, load_open_parts, load_proposals
from node.fund.net_payment_service import load_lines
from node.fund.outgoing_payments import end_to_end_id
from node.fund.references import Iban
from node.fund.statement_service import Taken, read_bank_file
from node.governance.projects import ProjectEvent
from node.governance.rounds_service import ConfirmDue, ConvertRound
from node.governance.tables import dues as owed
from node.orientation.directions import Choice, Direct, Overflow
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import BaseName, DueConfirmed, HouseMessage, OrderNetted
from protocol.identifiers import AccountNumber, Address, Id16
from protocol.obligations import ObligationState
from tests.catalogue import test_across
from tests.catalogue.test_across import ACCOUNTS, FUND, PROJECTS, Committee, Federation, Foundation
from tests.catalogue.world import Federated
from tests.federation.world import BREST, LYON
from tests.fund import fund_world
from tests.fund.camt_files import Detail, Entry, File
from tests.fund.dues_world import fund_lot, pay, today
from tests.fund.fund_world import FundWorld
from tests.fund.test_netting import sign_netting

OTHER_IBAN = "FR7612345987650123456789014"
OTHER_SIREN = "853318459"


class Accounts(test_across.Accounts):
    """With windows of netting, as the node wires them."""

    def __init__(self, world: Federated, node: Any, keys: Any, neighbours: Any, *, has_fund: bool) -> None:
        super().__init__(world, node, keys, neighbours, has_fund=True)
        self.windows = node.federation.room.windows = Windows(node.federation.room, self.desk.find_owed, self._tell)

    def _apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> Sequence[HouseMessage]:
        answers: list[HouseMessage] = []
        for message in messages if sender == PROJECTS else ():
            if isinstance(message, OrderNetted):
                answers += self.windows.hear_projects(page, message)
            elif isinstance(message, DueConfirmed):
                self.conversions.confirm(page, message)
        if sender == FUND:
            self.windows.hear_fund(page, messages)
        return [*answers, *super()._apply(page, sender, messages)]


class Ponant(FundWorld):
    """Brest's fund, beside the accounts that its committee speaks to."""

    def __init__(self, committee: Committee, folder: Path, settings: Any) -> None:
        self.committee = committee
        super().__init__(lambda name: f"sqlite:///{folder / name}-brest.db")
        self.settings = settings
        self.books[ACCOUNTS].close()
        self.books[ACCOUNTS] = committee.node.book
        self.ledger, self.pool = committee.node.ledger, committee.node.pool

    @property
    def now(self) -> int:  # type: ignore[override]
        return self.committee.world.clock.now

    @now.setter
    def now(self, at: int) -> None:
        self.committee.world.clock.now = max(at, self.committee.world.clock.now)

    def take(self, file: File | bytes) -> Taken:
        assert isinstance(file, File)
        file.iban = OTHER_IBAN
        told = read_bank_file(file.write(), account=Iban(OTHER_IBAN), bytes_max=10_000_000)
        taken: Taken = self.write(self.fund.statements.take, told)
        return taken


class Both(Federation):
    """Both territories with a fund each."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(test_across, "Accounts", Accounts)
        self.world = Federated(test_across.make_url(folder))
        self.brest = Committee(self.world, folder)
        settings = structs.replace(
            fund_world.SETTINGS, name="FONDS DU PONANT", siren=OTHER_SIREN, iban=OTHER_IBAN, bic="AGRIFRPP"
        )
        with patch.context() as own:
            own.setattr(fund_world, "SETTINGS", settings)
            own.setattr(fund_world, "make_keys", self._keys_of(self.brest))
            self.ponant = Ponant(self.brest, folder, settings)
        self.ponant.exchanges[BaseName.ACCOUNTS] = self.brest.house.peer
        patch.setattr(fund_world, "BREST", LYON)  # the world's own name, from here on: Lyon's fund stands on it
        self.lyon = Foundation(self.world, folder)

    def _keys_of(self, committee: Committee) -> Any:
        keys = iter(committee.keys[str(name)] for name in BaseName)
        return lambda _seed: next(keys)

    async def settle(self) -> None:
        for _ in range(2):
            await self.ponant.settle()
            await super().settle()
        await self.ponant.settle()

    def find_all_wrongs(self, patch: pytest.MonkeyPatch) -> list[Any]:
        """Return what every check of every base finds."""
        wrongs = [*self.find_wrongs(), *self.brest.find_wrongs(), *self.lyon.find_wrongs()]
        with patch.context() as own:
            own.setattr(fund_world, "BREST", BREST)
            return [*wrongs, *self.ponant.find_wrongs()]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    made = Both(tmp_path, monkeypatch)
    yield made
    wrongs = made.find_all_wrongs(monkeypatch)
    made.ponant.books.pop(ACCOUNTS)
    made.ponant.close()
    made.brest.close()
    made.lyon.close()
    made.world.close()
    assert wrongs == []


def agree(fund: FundWorld, territory: str) -> None:
    words = fund.fund.netting.make_words(fund.id(), territory, is_netted=True, today=today(fund))
    for name in ("anne", "bob"):
        if name not in fund.officers:
            fund.officer(name)
        fund.write(fund.fund.netting.sign, sign_netting(fund, name, words))


def transfer(fund: FundWorld, payment: bytes, cents: int) -> None:
    """Write the day's order, and let the bank carry a payment out."""
    fund.write(fund.fund.payments.order, today(fund))
    detail = Detail(cents=-cents, end_to_end_id=end_to_end_id(payment))
    fund.take(fund.statement(Entry(cents=-cents, details=[detail], day=today(fund).isoformat())))


async def test_what_is_netted_is_paid_once_to_the_fund_and_once_to_the_bearer(both: Both) -> None:
    brest, lyon, ponant = both.brest, both.lyon, both.ponant
    await both.settle()
    project = brest.propose(brest.bearer())
    await brest.open(project, list(brest.committee()))
    await brest.projects.catch_up()
    for fund, other in ((lyon, BREST), (ponant, LYON)):
        fund.write(fund.fund.cards.publish, True)
        agree(fund, other)
    await both.settle()
    number = brest.project(project).number
    assert number is not None
    await fund_lot(lyon, 10_000)
    choice = Choice(to=Address(AccountNumber(number), BREST), cents=Cents(10_000))
    asked = Direct(op=Id16(lyon.id()), account=lyon.holder(10_000), choices=(choice,), overflow=Overflow.BACK)
    lyon.node.book.write_now(lyon.accounts.orientations.direct, asked)
    await both.settle()
    brest.lead(project, ProjectEvent.STARTED)
    round_ = brest.id()
    assert brest.write(brest.projects.rounds.convert, ConvertRound(id=round_, project=project)) == 6_000
    await both.settle()

    # Lyon's fund nets it, Brest's projects write an order to Brest's own fund, and the hub closes the window.
    assert lyon.write(lyon.fund.netting.net_dues, today(lyon)) == 1
    await both.settle()
    open_parts = ponant.book.read_now(lambda line: load_open_parts(line, today(ponant)))
    assert [(part.cents, part.share, part.waits_for) for part in open_parts] == [(6_000, "netted", Wait.WINDOW)]
    windows = both.world.exchange.windows
    both.world.hub_book.write_now(windows.open, None)
    both.world.hub_book.write_now(windows.close, None)
    await both.settle()
    [line] = lyon.book.read_now(lambda connection: load_lines(connection, LYON, lyon.now))
    assert (line.other, line.is_ours, line.cents, line.state) == (BREST, True, 6_000, "to sign")
    words = lyon.book.read_now(lambda one: lyon.fund.payments.make_net_words(one, Id16(line.payment), lyon.now))
    assert words.iban == OTHER_IBAN, "by card"
    pay(lyon, words)  # type: ignore[arg-type]
    transfer(lyon, words.id, 6_000)
    await both.settle()

    # Its euros are known by account and sum; then the bearer is paid.
    came = ponant.paid(6_000, iban=fund_world.OURS)
    came.day = today(ponant).isoformat()
    assert ponant.take(ponant.statement(came)).waiting == []
    await both.settle()
    [(_, payment)] = both.world.hub_book.read_now(settlement_store.load_payments).items()
    assert payment.state is ObligationState.CONFIRMED
    [proposal] = ponant.book.read_now(lambda one: load_proposals(one, ponant.fund.code, today(ponant)))
    assert (proposal.cents, proposal.iban) == (6_000, brest.bearer_of(project).iban)
    pay(ponant, proposal)
    transfer(ponant, proposal.id, 6_000)
    await both.settle()
    [due] = brest.read(lambda one: one.execute(select(owed)).all())
    assert (due.payer, due.mark) == (LYON, "paid")
    brest.write(brest.projects.rounds.confirm, ConfirmDue(round=round_, payer=LYON, on=20261220))
    await both.settle()
    [(_, obligation)] = both.world.hub_book.read_now(lambda one: list(settlement_store.load_owed(one)))
    assert (obligation.state, obligation.window) == (ObligationState.CONFIRMED, 1)
