"""What happens with the companies: campaigns, sales at tills, refunds, claim tickets, files; and what holders do with miles."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from typing import Any

from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.partners.campaigns import CampaignEvent, Ceilings, FixedSum, Funding, PercentOfSale, Terms
from node.partners.campaigns_service import DraftCampaign, ExpectMore, LeadCampaign, OpenCampaign
from node.partners.companies import Siren
from node.partners.operations_service import BeginRun, StartRun
from node.partners.purchases import Purchase, PurchaseId, RevocationReason, TillNumber
from node.partners.purchases_service import TellSales
from node.partners.refunds_service import AskRefund
from node.partners.runs import RunState
from node.partners.sales import SaleAnswer, SaleState
from node.partners.tickets_service import ClaimTicket, ExpireTickets
from node.partners.tills_service import NewTill, RevokeTill, Till, find_till_of
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16, make_account_number, write_address
from protocol.times import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from tests.fund.fund_world import BREST
from tests.partners.house import BAKERY, OTHER, make_company
from tests.simulation.house.oracle import Campaign, Sale, Wrong
from tests.simulation.house.stage import ACCOUNTS, PARTNERS, Stage

COMPANIES = (BAKERY, OTHER)
# Of a sale that could not be believed, nothing is kept: it may be told again.
NOT_KEPT = frozenset(
    {
        "till_clock_wrong",
        "purchase_ahead",
        "purchase_too_old",
        "credential_not_yet_issued",
        "credential_revoked",
        "credential_compromised",
        "arrived_after_campaign",
    }
)
REVOKED = frozenset({"credential_revoked", "credential_compromised"})


# ---------------------------------------------------------------- who is there


def open_account(stage: Stage, kind: AccountKind = AccountKind.PERSON) -> AccountNumber:
    asked = OpenAccount(op=stage.new_id(), number=make_account_number(stage.entropy(16)), kind=kind, shown_name=None)
    number: AccountNumber = stage.ask(ACCOUNTS, lambda: stage.ledger.open_accounts, asked).number
    if kind is AccountKind.PERSON:
        stage.people.append(number)
        stage.oracle.people.add(number)
    else:
        stage.projects.append(number)
        stage.oracle.projects[number] = 0
    return number


def come(stage: Stage) -> None:
    open_account(stage)


def enter_companies(stage: Stage) -> None:
    for siren in COMPANIES:
        stage.ask(PARTNERS, lambda: stage.partners.companies.save, make_company(siren))


def choose_holder(stage: Stage) -> AccountNumber:
    """Return somebody who has an account; now and then a number that nobody has."""
    if stage.dice.random() < 0.08:
        return make_account_number(stage.dice.randbytes(16))
    return stage.dice.choice(stage.people)


def new_till(stage: Stage, siren: Siren) -> None:
    number = TillNumber(len(stage.tills) + 1)
    asked = NewTill(
        siren=siren,
        number=number,
        name=f"till {number}",
        key_id=stage.entropy(6).hex(),
        secret=stage.entropy(32).hex(),
    )
    try:
        stage.ask(PARTNERS, lambda: stage.partners.tills.make, asked)
    except Refusal as refusal:  # it was made, and who made it got no answer
        stage.tell(f"till {refusal.code}")
    made = _look_up_till(stage, siren, number)
    stage.tills.append(made)


def _look_up_till(stage: Stage, siren: Siren, number: TillNumber) -> Till:
    made = stage.books[PARTNERS].read_now(lambda line: find_till_of(line, siren, number))
    if made is None:
        raise Wrong("an acknowledged till is not there")
    return made


def add_till(stage: Stage) -> None:
    if len(stage.tills) < 8:
        new_till(stage, stage.dice.choice(COMPANIES))


def revoke(stage: Stage) -> None:
    """A till is put away, or stolen; another takes its place."""
    live = [till for till in stage.tills if till.credential.revoked_at is None]
    if len(stage.tills) >= 8 or len(live) < 2:
        return
    till = stage.dice.choice(live)
    reason = stage.dice.choice(list(RevocationReason))
    stage.ask(PARTNERS, lambda: stage.partners.tills.revoke, RevokeTill(key_id=till.key_id, reason=reason))
    stage.tills[stage.tills.index(till)] = _look_up_till(stage, till.siren, till.require_number())
    new_till(stage, till.siren)


# ---------------------------------------------------------------- campaigns


def start_campaign(stage: Stage) -> None:
    if len(stage.oracle.campaigns) < 6:
        draft_and_open(stage, stage.dice.choice(COMPANIES), is_called=stage.dice.random() < 0.2)


def draft_and_open(stage: Stage, siren: Siren, *, is_called: bool = False) -> Id16:
    uid, dice = stage.new_id(), stage.dice
    fixed = dice.choice((0, 0, 7, 50))
    made = Campaign(
        basis_points=dice.choice((100, 200, 333)),
        fixed=fixed,
        threshold=dice.choice((0, 0, 300)),
        purchase_max=dice.choice((0, 60, 150)),
        day_max=dice.choice((0, 0, 90)),
        ceiling=dice.choice((400, 2_000, 20_000)),
        is_called=is_called,
        siren=siren,
    )
    rule = (
        FixedSum(cents=Cents(fixed), threshold=Cents(made.threshold))
        if fixed
        else PercentOfSale(basis_points=made.basis_points, threshold=Cents(made.threshold))
    )
    terms = Terms(
        title=f"campaign {len(stage.oracle.campaigns)}",
        rule=rule,
        ceilings=Ceilings(
            campaign=Cents(made.ceiling),
            purchase=Cents(made.purchase_max) if made.purchase_max else None,
            day_and_holder=Cents(made.day_max) if made.day_max else None,
        ),
        opens_on=stage.today - datetime.timedelta(days=30),
        closes_on=stage.today + datetime.timedelta(days=200),
        funding=Funding.CALLED if is_called else Funding.PREFUNDED,
    )
    stage.ask(PARTNERS, lambda: stage.partners.campaigns.draft, DraftCampaign(id=uid, company=siren, terms=terms))
    stage.oracle.campaigns[uid] = made
    due = stage.today + datetime.timedelta(days=30)
    first = Cents(made.ceiling // 2 or 1)
    opening = OpenCampaign(campaign=uid, due=due, cents=first)
    stage.ask(PARTNERS, lambda: stage.partners.campaigns.open, opening)
    return uid


def lead(stage: Stage) -> None:
    """A campaign is paused or resumed."""
    uid = _choose_campaign(stage)
    event = stage.dice.choice((CampaignEvent.PAUSED, CampaignEvent.RESUMED, CampaignEvent.RESUMED))
    try:
        stage.ask(PARTNERS, lambda: stage.partners.campaigns.lead, LeadCampaign(campaign=uid, event=event))
    except Refusal as refusal:
        stage.tell(refusal.code)


def pay_more(stage: Stage) -> None:
    uid = _choose_campaign(stage)
    asked = ExpectMore(
        id=stage.new_id(),
        campaign=uid,
        cents=Cents(stage.dice.randint(50, 2_000)),
        due=stage.today + datetime.timedelta(days=30),
    )
    try:
        stage.ask(PARTNERS, lambda: stage.partners.campaigns.expect, asked)
    except Refusal as refusal:
        stage.tell(refusal.code)


def _choose_campaign(stage: Stage, siren: str = "") -> Id16:
    uids = [uid for uid, made in stage.oracle.campaigns.items() if not siren or made.siren == siren]
    return Id16(stage.dice.choice(uids))


# ---------------------------------------------------------------- sales


def _purchase(stage: Stage, till: Till, at: int) -> Purchase:
    dice = stage.dice
    return Purchase(
        id=PurchaseId(f"s{len(stage.story)}-{dice.randrange(10**9)}"),
        till=till.require_number(),
        at=Instant(at),
        day=datetime.date(1970, 1, 1) + datetime.timedelta(days=at // DAY_MS),
        sale=Cents(dice.choice((dice.randint(1, 600), dice.randint(500, 9_000)))),
        holder=choose_holder(stage) if dice.random() < 0.75 else None,
    )


def _make(stage: Stage, till: Till, *purchases: Purchase, off_ms: int = 0) -> TellSales:
    return TellSales(
        till=till,
        campaign=_choose_campaign(stage, till.siren),
        sent_at=Instant(stage.now + off_ms),
        purchases=purchases,
        grant_ids=tuple(stage.partners.new_id() for _ in purchases),
    )


def sell(stage: Stage) -> None:
    """One sale, or several tills at the same instant."""
    asked = []
    for _ in range(stage.dice.choice((1, 1, 1, 2, 4))):
        till = stage.dice.choice(stage.tills)
        asked.append(_make(stage, till, _purchase(stage, till, stage.now)))
    tell_sales(stage, asked)


def sell_offline(stage: Stage) -> None:
    """A till that has no line keeps what it sells."""
    till = stage.dice.choice(stage.tills)
    at = stage.now - stage.dice.randint(0, 3 * HOUR_MS)
    stage.offline.append(_make(stage, till, *(_purchase(stage, till, at) for _ in range(stage.dice.randint(1, 6)))))


def send_offline(stage: Stage) -> None:
    """Its batch comes later: whole, or in two parts that overlap; perhaps it stays, and comes again."""
    if not stage.offline:
        return
    batch = stage.dice.choice(stage.offline)
    if stage.dice.random() < 0.6:
        stage.offline.remove(batch)
    cut = stage.dice.randint(0, len(batch.purchases))
    parts = [batch.purchases] if stage.dice.random() < 0.5 else [batch.purchases[:cut], batch.purchases[cut // 2 :]]
    tell_sales(stage, [_again(stage, batch, purchases) for purchases in parts if purchases])


def sell_again(stage: Stage) -> None:
    """A till that did not hear the answer tells the same once more."""
    if stage.told:
        one = stage.dice.choice(stage.told)
        tell_sales(stage, [_again(stage, one, one.purchases)])


def sell_with_wrong_clock(stage: Stage) -> None:
    till = stage.dice.choice(stage.tills)
    off = stage.dice.choice((-1, 1)) * stage.dice.randint(11, 600) * MINUTE_MS
    (told,) = stage.ask_together(
        PARTNERS,
        [(lambda: stage.partners.sales.tell, _make(stage, till, _purchase(stage, till, stage.now), off_ms=off))],
    )
    if getattr(told, "code", "") != "till_clock_wrong":
        raise Wrong(f"a till's clock is {off} ms off, and it is told {told}")


def _again(stage: Stage, asked: TellSales, purchases: Sequence[Purchase]) -> TellSales:
    return TellSales(
        till=asked.till,
        campaign=asked.campaign,
        sent_at=Instant(stage.now),
        purchases=tuple(purchases),
        grant_ids=tuple(stage.partners.new_id() for _ in purchases),
    )


def tell_sales(stage: Stage, asked: Sequence[TellSales]) -> None:
    """Tell in one group, and hold each answer against the oracle."""
    if not asked:
        return
    answers = stage.ask_together(PARTNERS, [(lambda: stage.partners.sales.tell, one) for one in asked])
    stage.told += asked
    del stage.told[:-30]
    for one, told in zip(asked, answers, strict=True):
        if isinstance(told, Refusal):
            raise Wrong(f"a batch is refused: {told.code}")
        for purchase, answer in zip(one.purchases, told, strict=True):
            _hear_sale(stage, one, purchase, answer)


def _hear_sale(stage: Stage, asked: TellSales, purchase: Purchase, answer: Any) -> None:
    key = (asked.till.row, str(purchase.id))
    code = "" if not isinstance(answer, Refusal) else answer.code
    stage.tell(f"sale {key} {code or answer.state} {getattr(answer, 'cents', 0)}")
    till = next(one for one in stage.tills if one.row == asked.till.row)
    if not isinstance(answer, SaleAnswer):
        if code not in NOT_KEPT:
            raise Wrong(f"sale {key} is not taken: {code}")
        if key in stage.oracle.sales:
            raise Wrong(f"sale {key} was taken, and now it is {code}")
        if code in REVOKED and till.credential.revoked_at is None:
            raise Wrong(f"sale {key} is refused for a credential that is in force")
        return
    ended = till.credential.revoked_at
    if key not in stage.oracle.sales and ended is not None and purchase.at >= ended:
        raise Wrong(f"sale {key} is taken of a till that was revoked before")
    refusal = answer.refusal.code if answer.refusal is not None and answer.state is SaleState.REFUSED else ""
    expires = answer.expires_on
    sale = Sale(
        campaign=asked.campaign,
        till=asked.till.row,
        at=purchase.at,
        day=purchase.at // DAY_MS,
        cents=purchase.sale,
        holder=purchase.holder or "",
        granted=answer.cents,
        code=refusal,
        ticket=answer.ticket or "",
        expires_on=0 if expires is None else (expires - datetime.date(1970, 1, 1)).days,
    )
    stage.oracle.hear_sale(key, sale)


# ---------------------------------------------------------------- refunds


def refund(stage: Stage) -> None:
    """A part of a sale, or all that is left, is given back to the customer; some ask twice."""
    sales = stage.oracle.sales
    keys = [key for key, sale in sales.items() if sale.refunded < sale.cents]
    if not keys:
        return
    key = stage.dice.choice(keys[-stage.dice.choice((4, 40)) :])
    directed = [one for one in keys if sales[one].granted and sales[one].holder in stage.oracle.oriented]
    if directed and stage.dice.random() < 0.4:
        key = stage.dice.choice(directed)
    left = sales[key].cents - sales[key].refunded
    cents = left if stage.dice.random() < 0.5 else stage.dice.randint(1, left)
    id_ = f"r{len(stage.story)}"
    for _ in range(stage.dice.choice((1, 1, 2))):
        ask_refund(stage, key, id_, cents)


def refund_again(stage: Stage) -> None:
    """A refund is told once more, perhaps long after."""
    known = [(key, id_, one) for key, sale in stage.oracle.sales.items() for id_, one in sale.refunds.items()]
    if known:
        key, id_, one = stage.dice.choice(known)
        ask_refund(stage, key, id_, one.cents)


def ask_refund(stage: Stage, key: tuple[int, str], id_: str, cents: int) -> None:
    till = next(one for one in stage.tills if one.row == key[0])
    asked = AskRefund(
        till=till, purchase=PurchaseId(key[1]), refund=id_, cents=Cents(cents), take_back=stage.partners.new_id()
    )
    try:
        told = stage.ask(PARTNERS, lambda: stage.partners.refunds.refund, asked)
    except Refusal as refusal:
        stage.tell(f"refund {refusal.code}")
        if refusal.code not in REVOKED or till.credential.revoked_at is None:
            raise Wrong(f"refund {id_} of {key} is refused: {refusal.code}") from None
        return
    stage.oracle.hear_refund(key, id_, cents, told.due)


# ---------------------------------------------------------------- tickets


def _choose_ticket(stage: Stage) -> tuple[int, str] | None:
    keys = [key for key, sale in stage.oracle.sales.items() if sale.ticket]
    return stage.dice.choice(keys) if keys else None


def claim(stage: Stage) -> None:
    key = _choose_ticket(stage)
    if key is not None:
        _claim_together(stage, key, [choose_holder(stage)])


def claim_twice(stage: Stage) -> None:
    """Two people show the same ticket at the same instant; somebody who has it shows it again."""
    key = _choose_ticket(stage)
    if key is not None:
        _claim_together(stage, key, stage.dice.sample(stage.people, 2))
    if key is not None and stage.oracle.sales[key].claims:
        _claim_together(stage, key, [AccountNumber(stage.oracle.sales[key].claims[-1][0])])


def _claim_together(stage: Stage, key: tuple[int, str], holders: Sequence[AccountNumber]) -> None:
    sale = stage.oracle.sales[key]
    asked = [
        ClaimTicket(text=sale.ticket, holder=holder, day=stage.today, grant_id=stage.partners.new_id())
        for holder in holders
    ]
    answers = stage.ask_together(PARTNERS, [(lambda: stage.partners.tickets.claim, one) for one in asked])
    for holder, told in zip(holders, answers, strict=True):
        if isinstance(told, Refusal):
            stage.tell(f"ticket of {key}: {told.code}")
            continue
        stage.tell(f"ticket of {key} to {holder}: {told.cents}")
        if not told.is_repeat and (stage.now // DAY_MS) > sale.expires_on:
            raise Wrong(f"the ticket of {key} is claimed after its last day")
        stage.oracle.hear_claim(key, holder, told.cents)


def expire(stage: Stage) -> None:
    """Every night tickets end whose day is over."""
    while stage.ask(PARTNERS, lambda: stage.partners.tickets.expire, ExpireTickets(day=stage.today, count=3)):
        pass
    states = {
        (till, key.partition("/")[2]): state
        for till, key, state in stage.read(
            PARTNERS, "SELECT s.till_id, s.key, v.state FROM vouchers v JOIN sales s ON s.id = v.sale_id"
        )
    }
    for key, sale in stage.oracle.sales.items():
        is_over = sale.ticket and stage.now // DAY_MS > sale.expires_on
        if is_over and not stage.oracle.find_owner(sale) and states[key] != "claimed":
            if states[key] == "open":
                raise Wrong(f"the ticket of {key} is over, and open")
            sale.is_expired = True


# ---------------------------------------------------------------- what holders do


def orient(stage: Stage) -> None:
    """A holder directs some miles, or all, to a project."""
    holder, project = stage.dice.choice(stage.people), stage.dice.choice(stage.projects)
    held = stage.read(
        ACCOUNTS,
        "SELECT SUM(h.cents) FROM holdings h JOIN accounts a ON a.id = h.account_id WHERE a.number = :number",
        number=holder,
    )[0][0]
    cents = stage.dice.choice((stage.dice.randint(1, 40), held or 1, held or 1))
    posting = Posting(op=stage.new_id(), kind=PostingKind.ORIENTATION, debit=holder, credit=project, cents=Cents(cents))
    try:
        stage.ask(ACCOUNTS, lambda: stage.ledger.post, posting)
    except Refusal as refusal:
        stage.tell(f"orient {refusal.code}")
        return
    stage.oracle.oriented[holder] = stage.oracle.oriented.get(holder, 0) + cents
    stage.oracle.projects[project] += cents


# ---------------------------------------------------------------- files


def bring_file(stage: Stage) -> None:
    """A company brings a file of operations; some bring the same file twice, under another id."""
    dice = stage.dice
    if stage.files and dice.random() < 0.3:
        uid, data, rows = dice.choice(list(stage.files.values()))
    else:
        uid = _choose_campaign(stage)
        rows = {
            f"op{len(stage.story)}-{at}": (choose_holder(stage), dice.randint(1, 6))
            for at in range(dice.randint(1, 14))
        }
        lines = ["id;kind;account;amount;label"]
        lines += [f"{id_};staff;{write_address(who, BREST)};0,{cents:02d};x" for id_, (who, cents) in rows.items()]
        if dice.random() < 0.2:
            lines.append(f"wrong{len(stage.story)};staff;nobody;0,01;x")
        data = ("\n".join(lines) + "\n").encode()
    stage.files[stage.new_id()] = (uid, data, dict(rows))
    load_file(stage)


def load_file(stage: Stage) -> None:
    """Somebody gives a file, or gives it again: it is read to its end, and started."""
    if not stage.files:
        return
    run = stage.dice.choice(list(stage.files))
    uid, data, rows = stage.files[run]
    asked = BeginRun(id=run, campaign=uid, digest=hashlib.sha256(data).digest(), name="file.csv")
    try:
        stage.lead(PARTNERS, lambda: stage.partners.operations.load(asked, lambda: [data[:30], data[30:]]))
        started = stage.ask(
            PARTNERS, lambda: stage.partners.operations.start, StartRun(run=run, skips_wrong=stage.dice.random() < 0.5)
        )
    except Refusal as refusal:
        stage.tell(f"file {refusal.code} {refusal.facts}")
        return
    if run not in stage.oracle.runs:
        accepted = stage.read(
            PARTNERS, "SELECT operation FROM run_rows WHERE run_id = :run AND code IN ('', 'operation_known')", run=run
        )
        ids = {row[0] for row in accepted}
        stage.oracle.runs[run] = (uid, {id_: row for id_, row in rows.items() if id_ in ids})
    stage.tell(f"file {started.state}")


def book_file(stage: Stage) -> None:
    """A page of a file that was started is booked."""
    if stage.oracle.runs:
        run = Id16(stage.dice.choice(list(stage.oracle.runs)))
        stage.tell(f"booked {stage.ask(PARTNERS, lambda: stage.partners.operations.book, run).booked}")


def finish_files(stage: Stage) -> None:
    for run in stage.oracle.runs:
        while stage.ask(PARTNERS, lambda run=run: stage.partners.operations.book, Id16(run)).state is not RunState.DONE:
            pass


ACTIONS = {
    sell: 12,
    sell_offline: 3,
    send_offline: 4,
    sell_again: 3,
    sell_with_wrong_clock: 1,
    refund: 7,
    refund_again: 2,
    claim: 4,
    claim_twice: 3,
    expire: 1.5,
    orient: 4,
    come: 0.7,
    add_till: 0.7,
    revoke: 0.7,
    start_campaign: 1,
    lead: 0.7,
    pay_more: 1.5,
    bring_file: 2,
    load_file: 1.5,
    book_file: 5,
}
