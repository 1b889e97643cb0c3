"""What people do with miles: they are credited at tills, hand rights on, direct them at home and abroad, change their minds."""

from __future__ import annotations

import datetime
from typing import Any

from node.federation.cessions import AskCession
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.service import TakeBackAsked
from node.partners.campaigns_service import ExpectMore
from node.partners.purchases import Purchase, PurchaseId
from node.partners.purchases_service import TellSales
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, Id16, write_address
from protocol.times import Instant
from tests.simulation.cycle.oracle import Leaving, Oriented, Project
from tests.simulation.cycle.stage import ACCOUNTS, PARTNERS, Stage
from tests.simulation.house.oracle import Wrong
from tests.simulation.readings import read_draws, read_holdings

# What a till may be told instead of miles, and that is no fault of anybody's.
NO_SALE = frozenset({"budget_too_small", "day_ceiling_reached"})
_GRANT_OF_SALE = """
    SELECT g.id FROM grants g JOIN sales s ON s.id = g.source_id AND g.source = 'sale' WHERE s.key LIKE '%/' || :id
"""


def sell(stage: Stage) -> None:
    code = stage.choose_code()
    sell_to(stage, code, stage.dice.choice(stage.known.towns[code].people), stage.dice.randint(50, 3_000))


def sell_to(stage: Stage, code: str, holder: AccountNumber, cents: int) -> None:
    """A till credits a customer: here a cent for each cent of the sale."""
    town = stage.known.towns[code]
    assert town.till is not None
    purchase = Purchase(
        id=PurchaseId(f"s{len(stage.story)}-{stage.dice.randrange(10**9)}"),
        till=town.till.require_number(),
        at=Instant(stage.now),
        day=stage.today,
        sale=Cents(cents),
        holder=holder,
    )
    grant = stage.new_id()
    asked = TellSales(
        till=town.till,
        campaign=stage.dice.choice(town.campaigns),
        sent_at=Instant(stage.now),
        purchases=(purchase,),
        grant_ids=(grant,),
    )
    ((answer,),) = stage.ask_together(f"{code}/{PARTNERS}", [(lambda: stage.partners(code).sales.tell, asked)])
    if isinstance(answer, Refusal) or answer.refusal is not None:
        refusal = answer if isinstance(answer, Refusal) else answer.refusal
        stage.tell(f"sale {refusal.code}")
        if refusal.code not in NO_SALE:
            raise Wrong(f"a sale is refused: {refusal.code} {refusal.facts}")
        return
    # Asked again after a crash the sale keeps the id that its grant was given first.
    ((kept,),) = stage.read(f"{code}/{PARTNERS}", _GRANT_OF_SALE, id=purchase.id)
    stage.known.granted[bytes(kept)] = (code, str(holder), cents)


def pay_in(stage: Stage) -> None:
    """A company announces more euros for a campaign; the next statements bring them."""
    code = stage.choose_code()
    town = stage.known.towns[code]
    asked = ExpectMore(
        id=stage.new_id(),
        campaign=stage.dice.choice(town.campaigns),
        cents=Cents(stage.dice.randint(500, 6_000)),
        due=stage.today + datetime.timedelta(days=30),
    )
    stage.ask(f"{code}/{PARTNERS}", lambda: stage.partners(code).campaigns.expect, asked)


def cede(stage: Stage) -> None:
    """Rights go to somebody, here or elsewhere: so people hold lots of several territories."""
    code, other = stage.choose_code(), stage.choose_code()
    giver = stage.dice.choice(stage.known.towns[code].people)
    taker = stage.dice.choice(stage.known.towns[other].people)
    if giver == taker:
        return
    cents, op = _choose_cents(stage, code, giver), stage.new_id()
    asked = AskCession(
        op=op, account=giver, beneficiary=Address(taker, other), cents=cents, giver=_choose_giver(stage, code, giver)
    )
    try:
        stage.ask(f"{code}/{ACCOUNTS}", lambda: stage.node(code).federation.cede, asked)
    except Refusal as refusal:
        stage.tell(f"cede {refusal.code}")
        return
    note_leaving(stage, code, giver, op, (other, str(taker)), is_home=code == other)


def note_leaving(
    stage: Stage, code: str, giver: str, op: bytes, taker: tuple[str, str], *, is_home: bool = False
) -> Leaving:
    """Tell the oracle what an acknowledged cession moved."""
    draws = read_draws(stage.books[f"{code}/{ACCOUNTS}"], op)
    leaving = Leaving((code, str(giver)), taker, draws, "delivered" if is_home else "")
    known = stage.oracle.leavings.setdefault(op, leaving)
    stage.oracle.require(holds=known.draws == draws, words=f"{op.hex()} moved other rights when it was asked again")
    return known


def _choose_cents(stage: Stage, code: str, account: str) -> int:
    held = sum(read_holdings(stage.books[f"{code}/{ACCOUNTS}"]).get(account, {}).values())
    return stage.dice.choice((stage.dice.randint(1, 300), max(held // 3, 1), max(held // 2, 1), held or 1))


def _choose_giver(stage: Stage, code: str, account: AccountNumber) -> str:
    """Return the address that is shown abroad: his own, or none."""
    return write_address(account, code) if stage.dice.random() < 0.7 else ""


# ---------------------------------------------------------------- orientation


def orient(stage: Stage) -> None:
    """Somebody directs rights to one or several projects, at home and abroad."""
    known = [(id_, one) for id_, one in stage.oracle.projects.items() if one.number]
    if not known:
        return
    code = stage.choose_code()
    person = stage.dice.choice(stage.known.towns[code].people)
    chosen = stage.dice.sample(known, min(len(known), stage.dice.choice((1, 1, 2, 3))))
    total = _choose_cents(stage, code, person)
    choices = []
    for place, (_, project) in enumerate(chosen):
        is_rest = place == len(chosen) - 1 and stage.dice.random() < 0.3
        cents = None if is_rest else max(total // len(chosen), 1)
        choices.append(Choice(to=Address(AccountNumber(project.number), project.code), cents=cents))
    asked = Direct(
        op=stage.new_id(),
        account=person,
        choices=tuple(choices),
        overflow=stage.dice.choice(list(Overflow)),
        giver=_choose_giver(stage, code, person),
    )
    direct(stage, code, asked, chosen)


def direct(stage: Stage, code: str, asked: Direct, chosen: list[tuple[bytes, Project]]) -> None:
    try:
        told = stage.ask(f"{code}/{ACCOUNTS}", lambda: stage.node(code).orientations.direct, asked)
    except Refusal as refusal:
        stage.tell(f"orient {refusal.code}")
        return
    for (id_, project), placed in zip(chosen, told.placements, strict=True):
        stage.tell(f"orient {placed.state} {placed.cents} {placed.code}")
        if placed.state == "none":
            continue
        op = Id16(bytes.fromhex(placed.id.replace("-", "")))
        giver = (code, str(asked.account))
        draws = read_draws(stage.books[f"{code}/{ACCOUNTS}"], op)
        if sum(draws.values()) != placed.cents:
            raise Wrong(f"{placed.cents} cents are told to be directed, and {sum(draws.values())} are")
        leaving = b""
        if placed.state == "sent":
            note_leaving(stage, code, asked.account, op, (project.code, project.number))
            leaving = op
        stage.oracle.oriented[op] = Oriented(giver, id_, draws, leaving)


def take_back(stage: Stage) -> None:
    """Somebody changes his mind of what he directed at home: of all, or of a part."""
    at_home = [(op, one) for op, one in stage.oracle.oriented.items() if not one.leaving]
    if not at_home:
        return
    op, one = stage.dice.choice(at_home[-12:])
    code, back = one.giver[0], stage.new_id()
    cents = None if stage.dice.random() < 0.5 else stage.dice.randint(1, sum(one.draws.values()))
    asked = TakeBackAsked(op=back, orientation=Id16(op), cents=cents)
    try:
        told = stage.ask(f"{code}/{ACCOUNTS}", lambda: stage.node(code).orientations.take_back, asked)
    except Refusal as refusal:
        stage.tell(f"take back {refusal.code}")
        return
    draws = read_draws(stage.books[f"{code}/{ACCOUNTS}"], back)
    if sum(draws.values()) != told.cents:
        raise Wrong(f"{told.cents} cents are told to be back, and {sum(draws.values())} are")
    one.backs.append((b"", draws))
    stage.tell(f"back {told.cents}")


def give_back(stage: Stage) -> None:
    """A municipality gives back what somebody elsewhere had directed to a project of it, and wants again."""
    from_afar = [
        (op, one)
        for op, one in stage.oracle.oriented.items()
        if one.leaving and not any(leaving for leaving, _ in one.backs)
    ]
    if not from_afar:
        return
    _, one = stage.dice.choice(from_afar[-12:])
    project = stage.oracle.projects[one.project]
    name = f"{project.code}/{ACCOUNTS}"
    sql = "SELECT op FROM arrivals WHERE origin = :origin AND epoch = :epoch AND ix = :ix AND place = :place"
    sent = stage.read(
        f"{one.giver[0]}/{ACCOUNTS}",
        "SELECT epoch, ix, place FROM cessions WHERE op = :op",
        op=one.leaving,
    )
    rows = (
        []
        if not sent
        else stage.read(name, sql, origin=one.giver[0], epoch=sent[0][0], ix=sent[0][1], place=sent[0][2])
    )
    if not rows:
        return
    arrival = bytes(rows[0][0])

    def write(page: Any, items: Any) -> list[Any]:
        answers: list[Any] = []
        for item in items:
            try:
                answers.append(stage.node(project.code).orientations.give_back(page, item))
            except Refusal as refusal:
                answers.append(refusal)
        return answers

    try:
        view = stage.ask(name, lambda: write, arrival)
    except Refusal as refusal:
        stage.tell(f"give back {refusal.code}")
        return
    leaving = note_leaving(stage, project.code, project.number, view.op, one.giver)
    one.backs.append((view.op, leaving.draws))


ACTIONS = {sell: 3, pay_in: 1.2, cede: 4, orient: 14, take_back: 2.5, give_back: 1.5}
