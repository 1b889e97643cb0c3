"""What the accounts and the projects' base tell a fund of conversions, and what companies pledge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, text

from node.fund.checks import check_fund
from node.fund.due_payment_service import OpenPart, load_open_parts, load_proposals
from node.fund.outgoing_payments import DueWords, PaymentState, end_to_end_id
from node.fund.pledges import CALLED, PledgeState
from node.fund.tables import deposits, pledges
from protocol.book import log_store
from protocol.book.worker import Page
from protocol.conversion import ORDER_VERSION, ConversionOrder, seal_order, sign_order
from protocol.findings import Finding
from protocol.house import BaseName, Due, HouseMessage, Pledge, decode_house_slip
from protocol.identifiers import Id16
from protocol.keys import SecretKeys
from protocol.times import Instant
from tests.fund.camt_files import Detail, Entry
from tests.fund.fund_world import BAKER, BEARER_IBAN, BREST, COMPANY, FundWorld

PROJECT = b"a project, open."
GARDENS = "853318459"
LETTER = bytes(range(32))


def make_order(**change: Any) -> ConversionOrder:
    """Return the order for the first round of a project at home."""
    told: dict[str, Any] = {
        "version": ORDER_VERSION,
        "territory": BREST,
        "payer": BREST,
        "project": PROJECT,
        "round": 1,
        "title": "Jardins partagés",
        "bearer": GARDENS,
        "name": "Les Jardins du Ponant",
        "legal_category": "9220",
        "iban": BEARER_IBAN,
        "country": "FR",
        "eligible_until": 20271231,
        "proof": b"p" * 32,
        "decision": b"d" * 32,
        "decided_on": 20261120,
    }
    return ConversionOrder(**told | change)


def make_due(
    world: FundWorld,
    *lots: tuple[bytes, int],
    id_: bytes | None = None,
    signer: SecretKeys | None = None,
    order: ConversionOrder | None = None,
) -> Due:
    """Return a due with its order, signed by the projects of our house where nobody else is named."""
    order = order or make_order()
    signed = sign_order(order, signer or world.keys[str(BaseName.PROJECTS)])
    sealed = seal_order(signed, world.keys[str(BaseName.FUND)].public, entropy=world.entropy(32))
    refs, cents = tuple(ref for ref, _ in lots), tuple(some for _, some in lots)
    return Due(id_ or world.id(), order.territory, order.project, refs, cents, sealed)


async def owe(world: FundWorld, due: Due) -> HouseMessage:
    """Tell a due as the accounts; return what the fund answers it."""
    world.tell(due, sender=BaseName.ACCOUNTS)
    await world.settle()
    return [one for one in answers(world, BaseName.ACCOUNTS) if getattr(one, "id", None) == due.id][-1]


def answers(world: FundWorld, reader: BaseName) -> list[HouseMessage]:
    """Return all that the fund told a base."""

    def read(connection: Any) -> list[HouseMessage]:
        log = log_store.open_log_or_empty(connection, BaseName.FUND, reader)
        leaves = log_store.load_leaves(connection, log.id, 0, max(1, log.size))
        return [message for leaf in leaves for message in decode_house_slip(leaf).messages]

    return world.book.read_now(read)


async def fund_lot(world: FundWorld, cents: int, *, campaign: str = "bread") -> bytes:
    """Let a company pay in; return the lot that was issued: one for all that comes in a month for one campaign."""
    expected = await world.expect(cents, campaign=campaign)
    world.take(world.statement(world.paid(cents, reference=expected.reference)))
    await world.settle()
    asked = select(deposits.c.lot_ref).where(deposits.c.expectation == expected.id)
    return bytes(world.book.read_now(lambda line: line.execute(asked).scalar_one()))


def make_pledge(world: FundWorld, cents: int, **change: Any) -> Pledge:
    told: dict[str, Any] = {
        "id": world.id(),
        "donor": COMPANY,
        "campaign": "called bread",
        "lot_class": 1 | CALLED,
        "restriction": "",
        "into": world.pool,
        "cents": cents,
        "until": 20270630,
    }
    return Pledge(**told | change)


async def ask_pledge(world: FundWorld, cents: int, **change: Any) -> Pledge:
    pledge = make_pledge(world, cents, **change)
    world.tell(BAKER, pledge)
    await world.settle()
    return pledge


async def accept(world: FundWorld, pledge: Pledge) -> bytes:
    """Let two officers accept a pledge; return the lot that the accounts issued."""
    words = world.book.read_now(lambda line: world.fund.pledges.make_words(line, Id16(pledge.id), LETTER))
    for name in ("anne", "bob"):
        if name not in world.officers:
            world.officer(name)
        state = world.write(world.fund.pledges.sign, world.sign(name, words))
    assert state is PledgeState.ACCEPTED
    await world.settle()
    asked = select(pledges.c.lot_ref).where(pledges.c.id == pledge.id)
    return bytes(world.book.read_now(lambda line: line.execute(asked).scalar_one()))


def today(world: FundWorld) -> date:
    from node.fund.days import day_at

    return day_at(Instant(world.now))


def parts(world: FundWorld) -> list[OpenPart]:
    return world.book.read_now(lambda line: load_open_parts(line, today(world)))


def proposals(world: FundWorld) -> list[DueWords]:
    return world.book.read_now(lambda line: load_proposals(line, world.fund.code, today(world)))


def pay(world: FundWorld, words: DueWords) -> PaymentState:
    """Let two officers sign."""
    for name in ("anne", "bob"):
        if name not in world.officers:
            world.officer(name)
        state: PaymentState = world.write(world.fund.payments.sign, world.sign(name, words))
    return state


def order_and_confirm(world: FundWorld, paid: Sequence[DueWords], **how: Any) -> None:
    """Write the day's order, and let the bank carry it out."""
    world.write(world.fund.payments.order, today(world))
    entries = [
        Entry(cents=-words.cents, details=[Detail(cents=-words.cents, end_to_end_id=end_to_end_id(words.id))], **how)
        for words in paid
    ]
    world.take(world.statement(*entries))


def find_after(world: FundWorld, change: str) -> list[Finding]:
    """Return what the fund's checks find after a change by hand, which is then taken back."""

    def look(page: Page, items: Sequence[str]) -> list[list[Finding]]:
        line = page.connection
        with line.begin_nested() as undone:
            line.execute(text(change))
            checked = check_fund(line, world.neighbours, lambda _where: None, fund=world.fund.code, home=BREST)
            undone.rollback()
        return [[finding for one in checked for finding in one.findings]]

    found: list[Finding] = world.book.write_now(look, change)
    return found
