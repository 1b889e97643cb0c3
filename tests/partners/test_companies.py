"""Companies, groups and public sheets."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.companies import (
    Company,
    CompanyGroup,
    PostalAddress,
    Siren,
    YearEnd,
    group_of,
    make_public_sheet,
    require_not_own,
    require_siren,
)
from node.partners.errors import InvalidCompany, InvalidFiscalYear, InvalidSiren, OwnGroup
from protocol.amounts import Cents
from protocol.errors import InvalidAmount
from protocol.identifiers import Id16
from tests.partners.values import BAKERY, OTHER, SISTER

ADDRESS = PostalAddress(street="3 rue du Four", postcode="29200", city="Brest")


def make_company(**changes: object) -> Company:
    told: dict[str, object] = {
        "siren": BAKERY,
        "legal_form": "SAS",
        "name": "Boulangerie Le Goff",
        "address": ADDRESS,
        "year_end": YearEnd(month=12, day=31),
    }
    return Company(**(told | changes))  # type: ignore[arg-type]


def _luhn(digits: str) -> bool:
    """Luhn said again: from the right, every second digit doubled, its own digits added."""
    doubled = [sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_a_siren_is_nine_digits_with_luhns_check(digits: str) -> None:
    if _luhn(digits) and digits != "000000000":
        assert require_siren(f"{digits[:3]} {digits[3:6]} {digits[6:]}") == digits
    else:
        with pytest.raises(InvalidSiren):
            require_siren(digits)


@pytest.mark.parametrize(
    "wrong",
    ["", "73282932", "7328293200", "73282932O", "٧٣٢٨٢٩٣٢٠", "732829320\n1", "9" * 10_000, None, 732829320, b""],
)
def test_what_is_no_siren_is_refused_with_a_short_word(wrong: object) -> None:
    with pytest.raises(InvalidSiren) as refusal:
        require_siren(wrong)
    assert len(str(refusal.value.facts["siren"])) <= 240


def test_a_company_is_valid_when_made() -> None:
    assert make_company().siren == BAKERY
    with pytest.raises(InvalidSiren):
        make_company(siren="732 829 320")
    for field, wrong in (("name", ""), ("name", " x"), ("name", "a\nb"), ("name", "x" * 141), ("legal_form", "")):
        with pytest.raises(InvalidCompany) as refusal:
            make_company(**{field: wrong})
        assert refusal.value.facts["field"] == field


@pytest.mark.parametrize(
    "wrong",
    [
        {"postcode": "2920"},
        {"postcode": "29200 "},
        {"city": ""},
        {"street": "a\tb"},
        {"country": "fr"},
        {"country": ""},
    ],
)
def test_an_address_that_cannot_be_printed_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidCompany):
        PostalAddress(**({"street": "3 rue du Four", "postcode": "29200", "city": "Brest"} | wrong))


@given(st.integers(1, 12), st.integers(1, 31), st.integers(1990, 2100))
def test_a_year_end_is_a_day_of_every_year(month: int, day: int, year: int) -> None:
    try:
        datetime.date(2000, month, day)
    except ValueError:
        with pytest.raises(InvalidFiscalYear):
            YearEnd(month=month, day=day)
        return
    ends_on = YearEnd(month=month, day=day).on(year)
    assert (ends_on.year, ends_on.month) == (year, month)
    assert ends_on.day == day or (month, day, ends_on.day) == (2, 29, 28)


def _group(number: int, *members: str) -> CompanyGroup:
    return CompanyGroup(
        id=Id16(bytes([1 + number]) * 16), name=f"Groupe {number}", members=frozenset(map(Siren, members))
    )


SIRENS = [text for number in range(100_000_000, 100_000_200) if _luhn(text := str(number))]


@given(st.lists(st.sets(st.sampled_from(SIRENS), min_size=1, max_size=4), max_size=8), st.sampled_from(SIRENS))
def test_companies_that_share_a_group_through_others_are_one_group(apart: list[set[str]], start: str) -> None:
    label = {siren: siren for siren in SIRENS}  # joined by relabelling, a pair at a time
    for members in apart:
        for one in members:
            for other in members:
                old, new = label[one], label[other]
                label = {siren: new if name == old else name for siren, name in label.items()}
    expected = {siren for siren in SIRENS if label[siren] == label[start]}
    groups = [_group(number, *members) for number, members in enumerate(apart)]
    assert group_of(Siren(start), groups) == expected


def test_a_company_never_funds_itself_or_its_group() -> None:
    group = group_of(BAKERY, [_group(1, BAKERY, SISTER)])
    for own in (BAKERY, SISTER):
        with pytest.raises(OwnGroup) as refusal:
            require_not_own(BAKERY, own, group)
        assert refusal.value.facts == {"company": BAKERY, "other": own}
    with pytest.raises(OwnGroup):
        require_not_own(BAKERY, BAKERY, frozenset())
    require_not_own(BAKERY, OTHER, group)
    require_not_own(BAKERY, None, group)


def test_the_public_sheet_tells_sums_and_no_street_and_hides_few_holders() -> None:
    def sheet(holders: int) -> object:
        return make_public_sheet(
            make_company(),
            group=frozenset({BAKERY, SISTER}),
            campaigns=["B", "A"],
            paid=Cents(500),
            granted=Cents(300),
            oriented=Cents(200),
            holders=holders,
            holders_min=11,
        )

    assert "Four" not in repr(sheet(11))
    told = make_public_sheet(
        make_company(),
        group=frozenset({BAKERY, SISTER}),
        campaigns=["B", "A"],
        paid=Cents(500),
        granted=Cents(300),
        oriented=Cents(200),
        holders=11,
        holders_min=11,
    )
    assert (told.group, told.campaigns, told.oriented, told.holders) == ((SISTER,), ("A", "B"), 200, 11)
    few = sheet(10)
    assert "oriented=None" in repr(few)
    assert "holders=None" in repr(few)


def test_a_sheet_with_impossible_sums_is_a_bug_or_refused() -> None:
    def sheet(granted: int, oriented: int) -> None:
        make_public_sheet(
            make_company(),
            group=frozenset(),
            campaigns=[],
            paid=Cents(0),
            granted=Cents(granted),
            oriented=Cents(oriented),
            holders=0,
            holders_min=11,
        )

    with pytest.raises(ValueError):
        sheet(1, 2)
    with pytest.raises(InvalidAmount):
        sheet(-1, -2)
