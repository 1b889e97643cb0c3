"""The fund's chart of accounts: which account each event of the fund moves, and who stands behind it. Pure.

Code knows accounts by their role; numbers, labels, and the row of the yearly statements that an account feeds come from
parameters/chart.toml, dated. Whoever stands behind an account (a company, a donor, a bearer, an earmark) is an
auxiliary account: a donor only by the number in the fund's register, so that no name of a citizen is in the books.
Each bank account has an account of its own, made from its rank, which is given once and kept.
Source: ANC regulation 2018-06; shared design, DOMAIN.md, 2.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.books_errors import InvalidEntry
from node.fund.printed_text import find_fault
from node.fund.receipt_numbers import is_issuer_code, is_siren
from node.fund.references import Iban

LABEL_MAX: Final = 200
BANK_RANK_MAX: Final = 999
REGISTER_NUMBER_MAX: Final = 10**9 - 1
_NUMBER: Final = re.compile(r"[1-8][0-9]{2,11}", re.ASCII)
_JOURNAL: Final = re.compile(r"[A-Z][A-Z0-9]{0,4}", re.ASCII)
_EARMARK: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,30}", re.ASCII)


class AccountRole(StrEnum):
    """What an account is for, whatever its number is this year."""

    INITIAL_ENDOWMENT = "initial_endowment"
    ADDED_ENDOWMENT = "added_endowment"
    CONSUMABLE_ENDOWMENT = "consumable_endowment"
    CONSUMED_ENDOWMENT = "consumed_endowment"
    CARRIED_SURPLUS = "carried_surplus"
    CARRIED_DEFICIT = "carried_deficit"
    SURPLUS = "surplus"
    DEFICIT = "deficit"
    DEDICATED_GRANTS = "dedicated_grants"
    DEDICATED_CONTRIBUTIONS = "dedicated_contributions"
    DEDICATED_GENEROSITY = "dedicated_generosity"
    SUPPLIERS = "suppliers"
    USERS = "users"
    OTHER_DEBTORS = "other_debtors"
    OTHER_CREDITORS = "other_creditors"
    CLEARING = "clearing"
    VOLUNTEERS = "volunteers"
    SUSPENSE = "suspense"
    BANK = "bank"
    CARDS = "cards"
    INTERNAL_TRANSFERS = "internal_transfers"
    BANK_FEES = "bank_fees"
    AIDS = "aids"
    SHARES_PAID = "shares_paid"
    TO_DEDICATED_GRANTS = "to_dedicated_grants"
    TO_DEDICATED_CONTRIBUTIONS = "to_dedicated_contributions"
    TO_DEDICATED_GENEROSITY = "to_dedicated_generosity"
    SPONSORSHIP = "sponsorship"
    ENDOWMENT_SHARE = "endowment_share"
    GIFTS = "gifts"
    WAIVED_EXPENSES = "waived_expenses"
    PATRONAGE = "patronage"
    LEGACIES = "legacies"
    CONTRIBUTIONS_RECEIVED = "contributions_received"
    SHARES_RECEIVED = "shares_received"
    FROM_DEDICATED_GRANTS = "from_dedicated_grants"
    FROM_DEDICATED_CONTRIBUTIONS = "from_dedicated_contributions"
    FROM_DEDICATED_GENEROSITY = "from_dedicated_generosity"
    COMMITMENTS_GIVEN = "commitments_given"
    COMMITMENTS_RECEIVED = "commitments_received"
    COMMITMENTS_GIVEN_OFFSET = "commitments_given_offset"
    COMMITMENTS_RECEIVED_OFFSET = "commitments_received_offset"
    VOLUNTEERS_WORK = "volunteers_work"
    VOLUNTEERING = "volunteering"


class JournalRole(StrEnum):
    """Which book of entries."""

    OPENING = "opening"
    BANK = "bank"
    OTHER = "other"


class Nature(StrEnum):
    """What an account does at the end of a year, and what its lines must tell."""

    BALANCE = "balance"  # goes on into the next year
    GIFT = "gift"  # income that somebody gave
    INCOME = "income"
    FROM_DEDICATED = "from_dedicated"
    SPENDING = "spending"
    TO_DEDICATED = "to_dedicated"
    COMMITMENT = "commitment"  # off the balance sheet, and goes on
    USE_IN_KIND = "use_in_kind"
    RESOURCE_IN_KIND = "resource_in_kind"


INCOMES: Final = frozenset({Nature.GIFT, Nature.INCOME, Nature.FROM_DEDICATED})
EXPENSES: Final = frozenset({Nature.SPENDING, Nature.TO_DEDICATED})
IN_KIND: Final = frozenset({Nature.USE_IN_KIND, Nature.RESOURCE_IN_KIND})


class Row(StrEnum):
    """A row of the statement by origin and destination; each account, or tag, feeds one."""

    GIFTS = "gifts"
    LEGACIES = "legacies"
    PATRONAGE = "patronage"
    OTHER_GENEROSITY = "other_generosity"
    SPONSORSHIP = "sponsorship"
    CONTRIBUTIONS = "contributions"
    OTHER_INCOME = "other_income"
    FROM_DEDICATED = "from_dedicated"
    FRANCE_OWN = "france_own"
    FRANCE_PAID = "france_paid"
    ABROAD_OWN = "abroad_own"
    ABROAD_PAID = "abroad_paid"
    PUBLIC_FUNDRAISING = "public_fundraising"
    OTHER_FUNDRAISING = "other_fundraising"
    RUNNING = "running"
    TO_DEDICATED = "to_dedicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account. Raises InvalidEntry.

    `row` is what income feeds; expenses feed the row that their tag says, and `is_paid_on`: to other bodies.
    """

    number: str
    label: str
    nature: Nature
    row: Row | None = None
    is_paid_on: bool = False

    def __post_init__(self) -> None:
        if type(self.number) is not str or _NUMBER.fullmatch(self.number) is None:
            raise InvalidEntry(field="account", reason="a number of 3 to 12 digits")
        _require_label("account_label", self.label)
        if (self.row is None) == (self.nature in INCOMES or self.nature is Nature.TO_DEDICATED):
            raise InvalidEntry(field="account", reason="income feeds a row of the statements, and nothing else does")


@dataclass(frozen=True, slots=True, kw_only=True)
class Auxiliary:
    """Who stands behind a line. Raises InvalidEntry."""

    number: str
    label: str

    def __post_init__(self) -> None:
        _require_label("auxiliary", self.number)
        _require_label("auxiliary_label", self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A book of entries, numbered on its own. Raises InvalidEntry."""

    code: str
    label: str

    def __post_init__(self) -> None:
        if type(self.code) is not str or _JOURNAL.fullmatch(self.code) is None:
            raise InvalidEntry(field="journal", reason="a code of 1 to 5 capitals and digits")
        _require_label("journal_label", self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """A bank account of the fund; `rank` counts from 1 and is kept for good. Raises InvalidEntry."""

    iban: Iban
    rank: int

    def __post_init__(self) -> None:
        if type(self.rank) is not int or not 1 <= self.rank <= BANK_RANK_MAX:
            raise InvalidEntry(field="bank_account", reason=f"a rank of 1 to {BANK_RANK_MAX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The accounts, the journals and the words for the rows, as they stand for one fiscal year.

    Raises ValueError when a role has no account, or two have the same: the file is wrong.
    """

    accounts: Mapping[AccountRole, Account]
    journals: Mapping[JournalRole, Journal]
    rows: Mapping[Row, str]

    def __post_init__(self) -> None:
        if set(self.accounts) != set(AccountRole) or set(self.journals) != set(JournalRole):
            raise ValueError("each role has its account, and each journal is there")
        if set(self.rows) != set(Row):
            raise ValueError("each row of the statements has its words")
        if len({account.number for account in self.accounts.values()}) != len(self.accounts):
            raise ValueError("two roles have the same account")
        if len({journal.code for journal in self.journals.values()}) != len(self.journals):
            raise ValueError("two journals have the same code")

    def account(self, role: AccountRole) -> Account:
        """Return the account of a role."""
        return self.accounts[role]

    def bank(self, bank: BankAccount) -> Account:
        """Return the account of a bank account: that of banks, and its rank in three digits."""
        banks = self.accounts[AccountRole.BANK]
        return Account(number=f"{banks.number}{bank.rank:03d}", label=f"{banks.label} {bank.iban}", nature=banks.nature)


def company_auxiliary(siren: str, name: str) -> Auxiliary:
    """Return the auxiliary account of a company. Raises InvalidEntry."""
    if not is_siren(siren):
        raise InvalidEntry(field="company", reason="nine digits of a SIREN, with its check digit")
    return Auxiliary(number=f"E{siren}", label=name)


def donor_auxiliary(register_number: int) -> Auxiliary:
    """Return the auxiliary account of a person who gives, by the number in the fund's register. Raises InvalidEntry."""
    if type(register_number) is not int or not 1 <= register_number <= REGISTER_NUMBER_MAX:
        raise InvalidEntry(field="donor", reason="a number of the fund's register of donors")
    return Auxiliary(number=f"D{register_number:09d}", label=f"Donateur {register_number}")


def bearer_auxiliary(code: str, name: str) -> Auxiliary:
    """Return the auxiliary account of a body that carries projects, by its SIREN or RNA. Raises InvalidEntry."""
    if not is_issuer_code(code):
        raise InvalidEntry(field="bearer", reason="a SIREN or an RNA: only bodies are paid")
    return Auxiliary(number=f"P{code}", label=name)


def fund_auxiliary(territory: str) -> Auxiliary:
    """Return the auxiliary account of another territory's fund, with which a window is settled. Raises InvalidEntry."""
    return Auxiliary(number=f"F{territory}", label=f"Fonds de {territory}")


def earmark_auxiliary(code: str, name: str) -> Auxiliary:
    """Return the auxiliary account of what givers bound their gifts to: a theme, a territory. Raises InvalidEntry."""
    if type(code) is not str or _EARMARK.fullmatch(code) is None:
        raise InvalidEntry(field="earmark", reason="a code of capitals, digits and dashes")
    return Auxiliary(number=f"A{code}", label=name)


def _require_label(field: str, text: object) -> None:
    fault = find_fault(text, LABEL_MAX)
    if fault is not None:
        raise InvalidEntry(field=field, reason=fault)
