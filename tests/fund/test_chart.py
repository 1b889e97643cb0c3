"""The chart of accounts: every role has its account and its words; who stands behind an account is well named."""

from __future__ import annotations

import dataclasses
import datetime
import tomllib
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.books_errors import InvalidEntry
from node.fund.chart import (
    INCOMES,
    Account,
    AccountRole,
    Auxiliary,
    BankAccount,
    Journal,
    JournalRole,
    Nature,
    Row,
    bearer_auxiliary,
    company_auxiliary,
    donor_auxiliary,
    earmark_auxiliary,
)
from node.fund.chart_store import load_chart
from tests.fund.books_makers import BANK, CHART

TOLD: dict[str, Any] = tomllib.loads(
    (resources.files("node.fund") / "parameters" / "chart.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("role", "number", "label"),
    [
        # shared DOMAIN.md, 2.3
        (AccountRole.INITIAL_ENDOWMENT, "10231", "Dotations non consomptibles initiales"),
        (AccountRole.CONSUMABLE_ENDOWMENT, "1081", "Dotations consomptibles"),
        (AccountRole.CONSUMED_ENDOWMENT, "1089", "Dotations consomptibles inscrites au compte de résultat"),
        (
            AccountRole.DEDICATED_GENEROSITY,
            "196",
            "Fonds dédiés sur ressources liées à la générosité du public",
        ),
        (AccountRole.CLEARING, "4677", "Fonds – chambre de compensation"),
        (AccountRole.AIDS, "6571", "Aides financières octroyées"),
        (AccountRole.GIFTS, "75411", "Dons manuels"),
        (AccountRole.PATRONAGE, "7542", "Mécénats"),
        (AccountRole.VOLUNTEERING, "875", "Bénévolat"),
    ],
)
def test_accounts_and_their_french_names(role: AccountRole, number: str, label: str) -> None:
    assert (CHART.account(role).number, CHART.account(role).label) == (number, label)


def test_the_class_of_an_account_says_its_nature() -> None:
    natures = {
        "6": {Nature.SPENDING, Nature.TO_DEDICATED},
        "7": set(INCOMES),
        "8": {Nature.COMMITMENT, Nature.USE_IN_KIND, Nature.RESOURCE_IN_KIND},
    }
    for account in CHART.accounts.values():
        assert account.nature in natures.get(account.number[0], {Nature.BALANCE})
        # what is put aside or used again stands in 68 and 78
        assert (account.nature is Nature.TO_DEDICATED) == account.number.startswith("689")
        assert (account.nature is Nature.FROM_DEDICATED) == account.number.startswith("789")


def test_every_row_of_the_file_has_dates_source_and_certainty() -> None:
    for table in ("account", "journal", "statement_row"):
        for row in TOLD[table]:
            assert isinstance(row["valid_from"], datetime.date)
            assert row["source"]
            assert row["mark"][0] in "VRD"


def test_before_the_regulation_there_is_no_chart() -> None:
    assert load_chart(datetime.date(2020, 1, 1)).accounts == CHART.accounts
    with pytest.raises(LookupError):
        load_chart(datetime.date(2019, 12, 31))


def test_a_chart_with_a_hole_or_a_double_is_a_bug() -> None:
    bank = CHART.account(AccountRole.BANK)
    for changed in (
        {"accounts": {role: CHART.accounts[role] for role in list(AccountRole)[1:]}},
        {"accounts": {**CHART.accounts, AccountRole.CARDS: bank}},
        {"journals": {JournalRole.BANK: CHART.journals[JournalRole.BANK]}},
        {"journals": dict.fromkeys(JournalRole, CHART.journals[JournalRole.BANK])},
        {"rows": {Row.GIFTS: "Dons"}},
    ):
        with pytest.raises(ValueError):
            dataclasses.replace(CHART, **changed)


def test_who_stands_behind_an_account() -> None:
    assert company_auxiliary("552100554", "Au Bon Pain") == Auxiliary(number="E552100554", label="Au Bon Pain")
    assert bearer_auxiliary("W691234567", "Jardins").number == "PW691234567"
    assert bearer_auxiliary("732829320", "Jardins").number == "P732829320"
    assert donor_auxiliary(42) == Auxiliary(number="D000000042", label="Donateur 42")
    assert earmark_auxiliary("EAU-2", "Eau").number == "AEAU-2"


def test_the_last_bank_account_has_its_account() -> None:
    assert CHART.bank(BankAccount(iban=BANK.iban, rank=999)).number == "512999"


@given(st.lists(st.integers(1, 10**9 - 1), unique=True))
def test_no_two_donors_share_a_number(register: list[int]) -> None:
    assert len({donor_auxiliary(number).number for number in register}) == len(register)


@pytest.mark.parametrize(
    "make",
    [
        lambda: company_auxiliary("552100555", "Au Bon Pain"),
        lambda: company_auxiliary("552100554", ""),
        lambda: company_auxiliary("552100554", "Au\tBon Pain"),
        lambda: bearer_auxiliary("Jean", "Jean"),
        lambda: donor_auxiliary(0),
        lambda: donor_auxiliary(10**9),
        lambda: donor_auxiliary(True),
        lambda: earmark_auxiliary("eau", "Eau"),
        lambda: earmark_auxiliary("", "Eau"),
        lambda: BankAccount(iban=BANK.iban, rank=0),
        lambda: BankAccount(iban=BANK.iban, rank=1_000),
        lambda: Auxiliary(number="", label="Eau"),
        lambda: Journal(code="BQ", label=""),
        lambda: Journal(code="bq", label="Banque"),
        lambda: Journal(code="BANQUE", label="Banque"),
        lambda: Account(number="51", label="Banques", nature=Nature.BALANCE),
        lambda: Account(number="912", label="Banques", nature=Nature.BALANCE),
        lambda: Account(number="512A", label="Banques", nature=Nature.BALANCE),
        lambda: Account(number="512", label="", nature=Nature.BALANCE),
        lambda: Account(number="7541", label="Dons", nature=Nature.GIFT),
        lambda: Account(number="512", label="Banques", nature=Nature.BALANCE, row=Row.GIFTS),
        lambda: Account(number="627", label="Frais", nature=Nature.SPENDING, row=Row.RUNNING),
    ],
)
def test_what_is_wrongly_named_is_refused(make: Any) -> None:
    with pytest.raises(InvalidEntry):
        make()
