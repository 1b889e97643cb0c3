"""How each event of the fund is written in its books: one function per event, each returns a draft that balances. Pure.

    a company pays in                  512 / 7542        with what it paid too much to 4672
    a citizen gives, once or by debit  512 / 75411       a rejected debit: 75411 / 512
    a receipt that nobody knows        512 / 471         known later: 471 / 7542 or 75411; sent back: 471 / 512
    a debit that nobody knows          471 / 512         known later: 4672 / 471, a fee 627 / 471, 75411 / 471
    the fund decides to pay a bearer   6571 / 4672       the bank confirms: 4672 / 512; it comes back: 512 / 4672
                                                         the decision is withdrawn: 4672 / 6571
    a window of netting is closed      6571 / 7551       what we owe other funds, what they owe us; the rest is on 4672:
                                                         to the funds that we pay, from those that pay us
    the bank takes a fee               627 / 512         never netted against gifts
    an over-payment goes back          471 / 4672, then 4672 / 512; not after all: 4672 / 471
    a gift outside any public appeal   512 / 1081        consumed: 1089 / 7532 (the credit side is a parameter)
    at closing, what is bound and left 6896 / 196        used: 196 / 7896; of other funds' contributions 6895 / 195, 195 / 7895
    a company's pledge                 802 / 8092        paid or lapsed: 8092 / 802
    volunteers' work                   864 / 875
    the result is allotted             120 / 110         or 119 / 129

The numbers are those of today's chart; code knows roles. Closing and opening balances are in `openings.py`.
Source: shared design, DOMAIN.md, 2.3 [D]. A rejected debit is written in the year of its rejection, whatever the year of
the gift.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.books_errors import InvalidEntry, NothingDedicated
from node.fund.chart import AccountRole, Auxiliary, BankAccount, Chart, JournalRole
from node.fund.entries import Draft, Line, Piece, credit, debit
from node.fund.tags import Origin, Purpose, Tag
from protocol.amounts import Cents, require_amount, require_balance

_NOTHING: Final = Cents(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What every draft needs: the chart of its fiscal year, its day, and the document that proves it."""

    chart: Chart
    on: datetime.date
    piece: Piece

    def draft(self, journal: JournalRole, label: str, *lines: Line | None) -> Draft:
        """Return the draft of those lines that are there. Raises InvalidEntry."""
        return Draft(
            journal=self.chart.journals[journal],
            on=self.on,
            piece=self.piece,
            label=label,
            lines=tuple(line for line in lines if line is not None),
        )


# ---------------------------------------------------------------- endowment


class Endowment(StrEnum):
    """Endowment that is never consumed: what the founders paid, and what was added."""

    INITIAL = "initial"
    ADDED = "added"


_ENDOWMENTS: Final = {
    Endowment.INITIAL: AccountRole.INITIAL_ENDOWMENT,
    Endowment.ADDED: AccountRole.ADDED_ENDOWMENT,
}


def book_endowment(writing: Writing, *, bank: BankAccount, kind: Endowment, cents: Cents) -> Draft:
    """Endowment that stays, paid in by the founders or added later. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    words = "initiale" if kind is Endowment.INITIAL else "complémentaire"
    return writing.draft(
        JournalRole.BANK,
        f"Dotation {words}",
        debit(chart.bank(bank), cents),
        credit(chart.account(_ENDOWMENTS[kind]), cents),
    )


def book_liberality(writing: Writing, *, bank: BankAccount, giver: Auxiliary, origin: Origin, cents: Cents) -> Draft:
    """A gift outside any public appeal goes into the consumable endowment. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Libéralité {giver.label}",
        debit(chart.bank(bank), cents),
        credit(
            chart.account(AccountRole.CONSUMABLE_ENDOWMENT),
            cents,
            auxiliary=giver,
            tag=Tag(is_public_appeal=False, origin=origin),
        ),
    )


def book_endowment_consumed(writing: Writing, *, cents: Cents) -> Draft:
    """A part of the consumable endowment becomes income of the year. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        "Dotation consomptible virée au résultat",
        debit(chart.account(AccountRole.CONSUMED_ENDOWMENT), cents),
        credit(chart.account(AccountRole.ENDOWMENT_SHARE), cents, tag=Tag(is_public_appeal=False)),
    )


# ---------------------------------------------------------------- gifts that come in


def _company_lines(writing: Writing, company: Auxiliary, cents: int, excess: int, is_public_appeal: bool) -> list[Line]:
    chart = writing.chart
    lines = [
        credit(
            chart.account(AccountRole.PATRONAGE),
            cents,
            auxiliary=company,
            tag=Tag(is_public_appeal=is_public_appeal, origin=Origin.COMPANY),
        )
    ]
    if excess:
        lines.append(credit(chart.account(AccountRole.OTHER_CREDITORS), excess, auxiliary=company))
    return lines


def _gift_line(writing: Writing, donor: Auxiliary, cents: int, is_public_appeal: bool) -> Line:
    return credit(
        writing.chart.account(AccountRole.GIFTS),
        cents,
        auxiliary=donor,
        tag=Tag(is_public_appeal=is_public_appeal, origin=Origin.INDIVIDUAL),
    )


def book_company_deposit(
    writing: Writing,
    *,
    bank: BankAccount,
    company: Auxiliary,
    cents: Cents,
    excess: Cents = _NOTHING,
    is_public_appeal: bool,
) -> Draft:
    """A company's euros are on the bank account; `excess` is what it paid too much, and is owed back.

    Raises InvalidEntry, InvalidAmount.
    """
    return writing.draft(
        JournalRole.BANK,
        f"Mécénat {company.label}",
        debit(writing.chart.bank(bank), cents + excess),
        *_company_lines(writing, company, cents, excess, is_public_appeal),
    )


def book_excess_refund(writing: Writing, *, bank: BankAccount, company: Auxiliary, cents: Cents) -> Draft:
    """What a company paid too much went back to it. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Remboursement de trop-perçu {company.label}",
        debit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=company),
        credit(chart.bank(bank), cents),
    )


def book_excess_owed(writing: Writing, *, payer: Auxiliary, cents: Cents) -> Draft:
    """What a known payer paid too much had waited; it was decided to send it back. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Trop-perçu à rendre {payer.label}",
        debit(chart.account(AccountRole.SUSPENSE), cents),
        credit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=payer),
    )


def book_excess_waits(writing: Writing, *, payer: Auxiliary, cents: Cents) -> Draft:
    """It is not sent back, and waits again; or it was found in a sum that had left. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Trop-perçu soldé {payer.label}",
        debit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=payer),
        credit(chart.account(AccountRole.SUSPENSE), cents),
    )


def book_gift(writing: Writing, *, bank: BankAccount, donor: Auxiliary, cents: Cents, is_public_appeal: bool) -> Draft:
    """A citizen's gift by transfer, cheque or card is on the bank account. Raises InvalidEntry, InvalidAmount."""
    return writing.draft(
        JournalRole.BANK,
        f"Don manuel {donor.label}",
        debit(writing.chart.bank(bank), cents),
        _gift_line(writing, donor, cents, is_public_appeal),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitedGift:
    """One debit of a collection."""

    donor: Auxiliary
    cents: Cents


def book_debits(writing: Writing, *, bank: BankAccount, gifts: Sequence[DebitedGift], is_public_appeal: bool) -> Draft:
    """A collection of direct debits is on the bank account as one sum; each gift keeps its own line.

    Raises InvalidEntry, InvalidAmount.
    """
    if not gifts:
        raise InvalidEntry(field="lines", reason="a collection has one debit or more")
    return writing.draft(
        JournalRole.BANK,
        f"Dons par prélèvement ({len(gifts)})",
        debit(writing.chart.bank(bank), sum(require_amount(gift.cents) for gift in gifts)),
        *(_gift_line(writing, gift.donor, gift.cents, is_public_appeal) for gift in gifts),
    )


def book_rejected_debit(
    writing: Writing, *, bank: BankAccount, donor: Auxiliary, cents: Cents, is_public_appeal: bool
) -> Draft:
    """A debit that had been credited was taken back by the bank: the gift is undone. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Prélèvement rejeté {donor.label}",
        debit(
            chart.account(AccountRole.GIFTS),
            cents,
            auxiliary=donor,
            tag=Tag(is_public_appeal=is_public_appeal, origin=Origin.INDIVIDUAL),
        ),
        credit(chart.bank(bank), cents),
    )


def book_rejection_identified(writing: Writing, *, donor: Auxiliary, cents: Cents, is_public_appeal: bool) -> Draft:
    """What had left unexplained was a debit taken back: the gift is undone. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Prélèvement rejeté, identifié {donor.label}",
        debit(
            chart.account(AccountRole.GIFTS),
            cents,
            auxiliary=donor,
            tag=Tag(is_public_appeal=is_public_appeal, origin=Origin.INDIVIDUAL),
        ),
        credit(chart.account(AccountRole.SUSPENSE), cents),
    )


# ---------------------------------------------------------------- receipts that nobody knows


def book_unidentified_receipt(writing: Writing, *, bank: BankAccount, cents: Cents) -> Draft:
    """Euros came in and nothing says from whom or what for: they wait. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        "Encaissement à identifier",
        debit(chart.bank(bank), cents),
        credit(chart.account(AccountRole.SUSPENSE), cents),
    )


def book_identified_deposit(
    writing: Writing,
    *,
    company: Auxiliary,
    cents: Cents,
    excess: Cents = _NOTHING,
    is_public_appeal: bool,
) -> Draft:
    """What waited was a company's deposit. Raises InvalidEntry, InvalidAmount."""
    return writing.draft(
        JournalRole.OTHER,
        f"Mécénat identifié {company.label}",
        debit(writing.chart.account(AccountRole.SUSPENSE), cents + excess),
        *_company_lines(writing, company, cents, excess, is_public_appeal),
    )


def book_identified_gift(writing: Writing, *, donor: Auxiliary, cents: Cents, is_public_appeal: bool) -> Draft:
    """What waited was a citizen's gift. Raises InvalidEntry, InvalidAmount."""
    return writing.draft(
        JournalRole.OTHER,
        f"Don identifié {donor.label}",
        debit(writing.chart.account(AccountRole.SUSPENSE), cents),
        _gift_line(writing, donor, cents, is_public_appeal),
    )


def book_receipt_sent_back(writing: Writing, *, bank: BankAccount, cents: Cents) -> Draft:
    """What waited went back to where it came from. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        "Encaissement non identifié renvoyé",
        debit(chart.account(AccountRole.SUSPENSE), cents),
        credit(chart.bank(bank), cents),
    )


def book_aid_identified(writing: Writing, *, bearer: Auxiliary, cents: Cents) -> Draft:
    """What had left as one sum was, in part, a payment to a bearer. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Aide versée, identifiée {bearer.label}",
        debit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=bearer),
        credit(chart.account(AccountRole.SUSPENSE), cents),
    )


def book_aid_return_identified(writing: Writing, *, bearer: Auxiliary, cents: Cents) -> Draft:
    """What had come in as one sum was, in part, a payment that came back. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Virement rejeté, identifié {bearer.label}",
        debit(chart.account(AccountRole.SUSPENSE), cents),
        credit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=bearer),
    )


def book_fee_identified(writing: Writing, *, cents: Cents, tag: Tag) -> Draft:
    """What had left unexplained was a fee of the bank. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        "Frais bancaires identifiés",
        debit(chart.account(AccountRole.BANK_FEES), cents, tag=tag),
        credit(chart.account(AccountRole.SUSPENSE), cents),
    )


# ---------------------------------------------------------------- euros for projects


@dataclass(frozen=True, slots=True, kw_only=True)
class AidPart:
    """A part of an aid that comes from one kind of euros. The tag says a purpose and a place."""

    cents: Cents
    tag: Tag


def book_aid_decided(writing: Writing, *, bearer: Auxiliary, parts: Sequence[AidPart]) -> Draft:
    """The fund owes a bearer what was decided and signed; it is spent from now on. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Aide accordée {bearer.label}",
        *_aid_lines(chart, parts),
        credit(chart.account(AccountRole.OTHER_CREDITORS), _sum_of(parts), auxiliary=bearer),
    )


def book_aid_paid(writing: Writing, *, bank: BankAccount, bearer: Auxiliary, cents: Cents) -> Draft:
    """The bank confirms the payment to a bearer. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Aide versée {bearer.label}",
        debit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=bearer),
        credit(chart.bank(bank), cents),
    )


def book_aid_returned(writing: Writing, *, bank: BankAccount, bearer: Auxiliary, cents: Cents) -> Draft:
    """A payment came back: the fund still owes it. One that was refused before it left needs no entry.

    Raises InvalidEntry, InvalidAmount.
    """
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Virement rejeté {bearer.label}",
        debit(chart.bank(bank), cents),
        credit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=bearer),
    )


def book_aid_withdrawn(writing: Writing, *, bearer: Auxiliary, parts: Sequence[AidPart]) -> Draft:
    """The decision is withdrawn before it was paid: nothing is owed or spent. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Aide retirée {bearer.label}",
        debit(chart.account(AccountRole.OTHER_CREDITORS), _sum_of(parts), auxiliary=bearer),
        *(credit(line.account, line.cents, tag=line.tag) for line in _aid_lines(chart, parts)),
    )


def _aid_lines(chart: Chart, parts: Sequence[AidPart]) -> list[Line]:
    if not parts:
        raise InvalidEntry(field="lines", reason="an aid has one part or more")
    if any(part.tag.purpose is not Purpose.MISSION for part in parts):
        raise InvalidEntry(field="tag", reason="an aid is for the mission")
    return [debit(chart.account(AccountRole.AIDS), part.cents, tag=part.tag) for part in parts]


def _sum_of(parts: Sequence[AidPart]) -> int:
    return sum(part.cents for part in parts)


def book_window(
    writing: Writing,
    *,
    window: int,
    aids: Sequence[AidPart],
    contributions: Sequence[Cents],
    pays: Sequence[tuple[Auxiliary, Cents]],
    receives: Sequence[tuple[Auxiliary, Cents]],
) -> Draft:
    """A window is closed: aids to other funds, contributions of others, and what is left to be paid. Raises InvalidEntry."""
    chart = writing.chart
    creditors, tag = chart.account(AccountRole.OTHER_CREDITORS), Tag(is_public_appeal=False, origin=Origin.OTHER_BODY)
    return writing.draft(
        JournalRole.OTHER,
        f"Fenêtre de compensation {window}",
        *(_aid_lines(chart, aids) if aids else ()),
        *(credit(chart.account(AccountRole.CONTRIBUTIONS_RECEIVED), cents, tag=tag) for cents in contributions),
        *(credit(creditors, cents, auxiliary=fund) for fund, cents in pays),
        *(debit(creditors, cents, auxiliary=fund) for fund, cents in receives),
    )


def book_net_paid(writing: Writing, *, bank: BankAccount, fund: Auxiliary, cents: Cents) -> Draft:
    """The bank confirms what we pay another fund at the end of a window. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Compensation versée {fund.label}",
        debit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=fund),
        credit(chart.bank(bank), cents),
    )


def book_net_received(writing: Writing, *, bank: BankAccount, fund: Auxiliary, cents: Cents) -> Draft:
    """What another fund pays us is here, or what we paid came back. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        f"Compensation reçue {fund.label}",
        debit(chart.bank(bank), cents),
        credit(chart.account(AccountRole.OTHER_CREDITORS), cents, auxiliary=fund),
    )


def book_bank_fee(writing: Writing, *, bank: BankAccount, cents: Cents, tag: Tag) -> Draft:
    """The bank or the payment provider took a fee. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.BANK,
        "Frais bancaires",
        debit(chart.account(AccountRole.BANK_FEES), cents, tag=tag),
        credit(chart.bank(bank), cents),
    )


# ---------------------------------------------------------------- what givers bound


class BoundSource(StrEnum):
    """What kind of resource was bound to something."""

    GRANTS = "grants"
    CONTRIBUTIONS = "contributions"
    GENEROSITY = "generosity"


# kept on, put aside by, used by
_BOUND: Final = {
    BoundSource.GRANTS: (
        AccountRole.DEDICATED_GRANTS,
        AccountRole.TO_DEDICATED_GRANTS,
        AccountRole.FROM_DEDICATED_GRANTS,
    ),
    BoundSource.CONTRIBUTIONS: (
        AccountRole.DEDICATED_CONTRIBUTIONS,
        AccountRole.TO_DEDICATED_CONTRIBUTIONS,
        AccountRole.FROM_DEDICATED_CONTRIBUTIONS,
    ),
    BoundSource.GENEROSITY: (
        AccountRole.DEDICATED_GENEROSITY,
        AccountRole.TO_DEDICATED_GENEROSITY,
        AccountRole.FROM_DEDICATED_GENEROSITY,
    ),
}

KEPT_ON: Final = {source: roles[0] for source, roles in _BOUND.items()}


def book_dedicated(
    writing: Writing, *, source: BoundSource, earmark: Auxiliary, cents: Cents, is_public_appeal: bool
) -> Draft:
    """At closing, what was bound to an earmark and is not spent is put aside. Raises InvalidEntry, InvalidAmount."""
    kept, put_aside, _ = _BOUND[source]
    return writing.draft(
        JournalRole.OTHER,
        f"Report en fonds dédiés {earmark.label}",
        debit(writing.chart.account(put_aside), cents, tag=Tag(is_public_appeal=is_public_appeal)),
        credit(writing.chart.account(kept), cents, auxiliary=earmark),
    )


def book_dedicated_used(
    writing: Writing,
    *,
    source: BoundSource,
    earmark: Auxiliary,
    cents: Cents,
    kept: Cents,
    is_public_appeal: bool,
) -> Draft:
    """What was put aside is used; `kept` is what the earmark still has. Raises NothingDedicated, InvalidEntry, InvalidAmount."""
    if require_amount(cents) > require_balance(kept):
        raise NothingDedicated(kept=kept, asked=cents)
    account, _, used = _BOUND[source]
    return writing.draft(
        JournalRole.OTHER,
        f"Utilisation de fonds dédiés {earmark.label}",
        debit(writing.chart.account(account), cents, auxiliary=earmark),
        credit(writing.chart.account(used), cents, tag=Tag(is_public_appeal=is_public_appeal)),
    )


# ---------------------------------------------------------------- off the balance sheet


def book_pledge(writing: Writing, *, company: Auxiliary, cents: Cents) -> Draft:
    """A company pledged to pay what will be called. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Engagement reçu {company.label}",
        debit(chart.account(AccountRole.COMMITMENTS_RECEIVED), cents, auxiliary=company),
        credit(chart.account(AccountRole.COMMITMENTS_RECEIVED_OFFSET), cents, auxiliary=company),
    )


def book_pledge_ended(writing: Writing, *, company: Auxiliary, cents: Cents) -> Draft:
    """A part of a pledge was paid, or lapsed: it is a pledge no more. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        f"Engagement éteint {company.label}",
        debit(chart.account(AccountRole.COMMITMENTS_RECEIVED_OFFSET), cents, auxiliary=company),
        credit(chart.account(AccountRole.COMMITMENTS_RECEIVED), cents, auxiliary=company),
    )


def book_volunteering(writing: Writing, *, cents: Cents, tag: Tag) -> Draft:
    """Work given by volunteers, at the value that the fund sets for it. Raises InvalidEntry, InvalidAmount."""
    chart = writing.chart
    return writing.draft(
        JournalRole.OTHER,
        "Bénévolat valorisé",
        debit(chart.account(AccountRole.VOLUNTEERS_WORK), cents, tag=tag),
        credit(chart.account(AccountRole.VOLUNTEERING), cents, tag=Tag(is_public_appeal=tag.is_public_appeal)),
    )


# ---------------------------------------------------------------- the result of last year


def book_result_allotted(writing: Writing, *, result: int) -> Draft:
    """The board carries last year's result forward: above zero a surplus, below a deficit, in cents.

    Raises InvalidEntry, InvalidAmount.
    """
    chart = writing.chart
    if result > 0:
        lines = (
            debit(chart.account(AccountRole.SURPLUS), result),
            credit(chart.account(AccountRole.CARRIED_SURPLUS), result),
        )
    else:
        lines = (
            debit(chart.account(AccountRole.CARRIED_DEFICIT), -result),
            credit(chart.account(AccountRole.DEFICIT), -result),
        )
    return writing.draft(JournalRole.OTHER, "Affectation du résultat", *lines)
