"""What a donor's euros did, wherever it happened: by campaign and project, in cents. Read from what was deposited and converted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select, union

from node.fund.deposits import DepositState
from node.fund.dues import DueState
from node.fund.outgoing_payments import PaymentState
from node.fund.tables import deposits, due_lots, dues, expectations, payments, pledges


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one campaign of a donor did in one project: `netted` is settled with the project's own fund, which pays the bearer."""

    campaign: str
    territory: str
    project: bytes
    title: str
    converted: int
    paid: int
    netted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DonorEffects:
    """`paid_in` became miles; what is not `converted` of it is held by citizens, or directed and not converted yet."""

    paid_in: int
    effects: tuple[Effect, ...]


def load_converted_by_due(connection: Connection) -> dict[tuple[bytes, str], int]:
    """Return what was taken of lots, by the due's id and the campaign that paid for them or pledged them."""
    paid_for = select(deposits.c.lot_ref.label("ref"), expectations.c.campaign.label("campaign")).join(
        expectations, expectations.c.id == deposits.c.expectation
    )
    lots = union(
        paid_for.where(deposits.c.state == DepositState.ISSUED),
        select(pledges.c.lot_ref, pledges.c.campaign).where(pledges.c.lot_ref.is_not(None)),
    ).subquery()
    rows = connection.execute(
        select(dues.c.id, lots.c.campaign, func.sum(due_lots.c.cents))
        .join_from(due_lots, lots, lots.c.ref == due_lots.c.ref)
        .join(dues, dues.c.no == due_lots.c.due)
        .where(dues.c.state == DueState.TAKEN)
        .group_by(dues.c.id, lots.c.campaign)
    )
    return {(bytes(due), campaign): int(cents) for due, campaign, cents in rows}


def load_effects(connection: Connection, donor: bytes) -> DonorEffects:
    """Return what became of what a donor paid in or pledged."""
    issued = deposits.c.donor == donor, deposits.c.state == DepositState.ISSUED
    paid_in = connection.execute(select(func.coalesce(func.sum(deposits.c.cents), 0)).where(*issued)).scalar_one()
    # A lot is of one donor and campaign, however many payments made it.
    lots = union(
        select(deposits.c.lot_ref.label("ref"), func.coalesce(expectations.c.campaign, "").label("campaign"))
        .outerjoin(expectations, expectations.c.id == deposits.c.expectation)
        .where(*issued),
        select(pledges.c.lot_ref, pledges.c.campaign).where(pledges.c.donor == donor, pledges.c.lot_ref.is_not(None)),
    ).subquery()
    is_netted = dues.c.netted_on.is_not(None)
    named = (lots.c.campaign, dues.c.territory, dues.c.project, dues.c.title)
    rows = connection.execute(
        select(
            *named,
            func.sum(due_lots.c.cents),
            func.sum(case((payments.c.state == PaymentState.CONFIRMED, due_lots.c.cents), else_=0)),
            func.sum(case((is_netted, due_lots.c.cents), else_=0)),
        )
        .join_from(due_lots, lots, lots.c.ref == due_lots.c.ref)
        .join(dues, dues.c.no == due_lots.c.due)
        .outerjoin(payments, payments.c.id == due_lots.c.payment)
        .where(dues.c.state == DueState.TAKEN)
        .group_by(*named)
        .order_by(*named)
    )
    return DonorEffects(
        paid_in=int(paid_in),
        effects=tuple(
            Effect(
                campaign=campaign,
                territory=territory,
                project=bytes(project),
                title=title,
                converted=int(converted),
                paid=int(paid),
                netted=int(netted),
            )
            for campaign, territory, project, title, converted, paid, netted in rows
        ),
    )
