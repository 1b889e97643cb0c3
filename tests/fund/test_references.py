"""RF references, IBAN, BIC, EndToEndIds and the letters of banks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from node.fund.bank_errors import (
    InvalidBic,
    InvalidEndToEndId,
    InvalidIban,
    InvalidPaymentText,
    InvalidReference,
)
from node.fund.references import (
    REFERENCE_NUMBER_MAX,
    find_references,
    make_reference,
    number_of,
    require_bic,
    require_end_to_end_id,
    require_iban,
    require_reference,
    require_sepa_iban,
    write_for_banks,
)

numbers = st.integers(1, REFERENCE_NUMBER_MAX)


def _remainder(reference: str) -> int:
    """ISO 7064 said again: the letters as 10 to 35, the head at the end, modulo 97."""
    return int("".join(str(int(letter, 36)) for letter in reference[4:] + reference[:4])) % 97


@given(numbers)
def test_a_reference_is_valid_and_gives_its_number_back(number: int) -> None:
    reference = make_reference(number)
    assert iso11649.is_valid(reference)
    assert _remainder(reference) == 1
    assert 2 <= int(reference[2:4]) <= 98
    assert number_of(reference) == number
    assert require_reference(iso11649.format(reference).lower()) == reference


def test_check_digits_are_those_of_the_standards_own_example() -> None:
    assert require_reference("RF18 5390 0754 7034") == "RF18539007547034"
    assert make_reference(539007547034) == "RF18539007547034"


@given(numbers, st.integers(2, 15), st.integers(1, 9))
def test_one_wrong_digit_is_found(number: int, place: int, added: int) -> None:
    reference = make_reference(number)
    bent = reference[:place] + str((int(reference[place]) + added) % 10) + reference[place + 1 :]
    with pytest.raises(InvalidReference):
        require_reference(bent)


@pytest.mark.parametrize(
    "text", ["", "RF", "RF18", "539007547034", "RF18-5390!0754", "RF18 ٥390 0754 7034", "RF" + "1" * 30]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        require_reference(text)


def test_check_digits_97_apart_are_refused() -> None:
    number = next(n for n in range(1, 1000) if make_reference(n)[2:4] == "02")
    bent = "RF99" + make_reference(number)[4:]
    assert iso11649.is_valid(bent)
    with pytest.raises(InvalidReference):
        require_reference(bent)


@pytest.mark.parametrize("number", [0, -1, REFERENCE_NUMBER_MAX + 1])
def test_a_number_out_of_range_makes_no_reference(number: int) -> None:
    with pytest.raises(ValueError):
        make_reference(number)


@given(numbers, st.sampled_from(["{}", "Don {} merci", "ref:{}.", "{} 2026"]))
def test_a_reference_is_found_in_a_text(number: int, words: str) -> None:
    reference = make_reference(number)
    assert find_references(words.format(reference)) == (reference,)
    spaced = iso11649.format(reference)
    if not words.endswith("2026"):
        assert find_references(words.format(spaced).lower()) == (reference,)


def test_a_mistyped_reference_in_a_text_is_not_found() -> None:
    assert find_references("Don RF19539007547034") == ()
    assert find_references("Don XRF18539007547034 RF1853900754703") == ()


@pytest.mark.parametrize(
    "iban", ["FR76 3000 6000 0112 3456 7890 189", "fr7630006000011234567890189", "BE68 5390 0754 7034"]
)
def test_an_iban_is_taken_with_and_without_spaces(iban: str) -> None:
    assert require_iban(iban) == iban.replace(" ", "").upper()


@pytest.mark.parametrize(
    "iban", ["", "FR76", "FR7730006000011234567890189", "FR763000600001123456789018", "ZZ6853900754 7034", "FR٧6 3000"]
)
def test_a_wrong_iban_is_refused(iban: str) -> None:
    with pytest.raises(InvalidIban):
        require_iban(iban)


def test_an_iban_outside_sepa_is_refused_there_only() -> None:
    turkish = "TR330006100519786457841326"
    assert require_iban(turkish) == turkish
    with pytest.raises(InvalidIban):
        require_sepa_iban(turkish, {"FR", "BE"})


def test_bics() -> None:
    assert require_bic("agriFRpp 882") == "AGRIFRPP882"
    for wrong in ("", "AGRIFRP", "AGRI12PP", "AGRIFRPP88"):
        with pytest.raises(InvalidBic):
            require_bic(wrong)


@pytest.mark.parametrize(
    "text", ["", " A", "A ", "/A", "A/", "A//B", "é", "A_B", "A" * 36, "NOTPROVIDED", "notprovided"]
)
def test_an_end_to_end_id_that_a_bank_may_change_is_refused(text: str) -> None:
    with pytest.raises(InvalidEndToEndId):
        require_end_to_end_id(text)


def test_an_end_to_end_id() -> None:
    assert require_end_to_end_id("PAY-2026/000123") == "PAY-2026/000123"


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("Société d’Économie Été", "Societe d'Economie Ete"),
        ("Cœur & Âme", "Coeur + Ame"),
        ("Don de 12 €", "Don de 12 EUR"),
        ("Łódź – Straße", "Lodz - Strasse"),
        ("  deux   espaces ", "deux espaces"),
        ("e\u0301te\u0301", "ete"),
    ],
)
def test_letters_that_banks_do_not_carry_are_rewritten(told: str, written: str) -> None:
    assert write_for_banks(told, field="name", length_max=70) == written


@pytest.mark.parametrize("told", ["", "   ", "Ассоциация", "日本", "A" * 71, "a//b", "/a", "a\x00b", "<b>"])
def test_what_has_no_usual_rewriting_is_refused_and_never_cut(told: str) -> None:
    with pytest.raises(InvalidPaymentText):
        write_for_banks(told, field="name", length_max=70)


@given(st.text(max_size=90))
def test_whatever_is_written_is_of_the_letters_of_banks_and_stays_as_it_is(told: str) -> None:
    try:
        written = write_for_banks(told, field="name", length_max=70)
    except InvalidPaymentText:
        return
    assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]{1,70}", written)
    assert write_for_banks(written, field="name", length_max=70) == written
