"""The file of entries: byte for byte on an example, read back by a reader of its own, and conserving every cent."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.balances import compute_balances
from node.fund.bookings import book_company_deposit, book_gift, book_pledge
from node.fund.books_errors import FecUnreadable, InvalidEntry
from node.fund.chart import company_auxiliary
from node.fund.declarations import FiscalYear
from node.fund.entries import Entry, Piece, number_drafts
from node.fund.fec import Lettering, name_fec, write_fec
from node.fund.fec_checks import check_fec
from node.fund.fec_description import describe_fec
from node.fund.fec_reader import BYTES_MAX, COLUMNS, read_cents, read_day, read_table
from node.fund.openings import open_year
from protocol.amounts import Cents
from tests.fund.books_makers import (
    BANK,
    CHART,
    COMPANY,
    DAY,
    DONOR,
    NEXT_YEAR,
    SIREN,
    WRITING,
    YEAR,
    drafts,
    number,
)

HEADING = (
    "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\t"
    "PieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise\r\n"
)


def _deposit(cents: int = 123_456) -> Entry:
    draft = book_company_deposit(WRITING, bank=BANK, company=COMPANY, cents=Cents(cents), is_public_appeal=False)
    return number_drafts([draft], year=YEAR, last_numbers={}, validated_on=datetime.date(2026, 3, 9))[0]


def _write(entries: list[Entry], year: FiscalYear = YEAR) -> bytes:
    return write_fec(entries, siren=SIREN, year=year, chart=CHART).content


def test_the_bytes_of_a_deposit() -> None:
    assert _write([_deposit()]) == (
        HEADING + "BQ\tBanque\t1\t20260304\t512001\tBanques FR7630006000011234567890189\t\t\tRELEVE-2026-03\t20260303\t"
        "Mécénat Au Bon Pain\t1234,56\t0,00\t\t\t20260309\t\t\r\n"
        "BQ\tBanque\t1\t20260304\t7542\tMécénats\tE552100554\tAu Bon Pain\tRELEVE-2026-03\t20260303\t"
        "Mécénat Au Bon Pain\t0,00\t1234,56\t\t\t20260309\t\t\r\n"
    ).encode("iso8859-15")


def test_the_name_is_siren_fec_closing() -> None:
    assert name_fec(SIREN, YEAR) == "732829320FEC20261231.txt"
    june = FiscalYear(first_on=datetime.date(2026, 7, 1), last_on=datetime.date(2027, 6, 30))
    assert write_fec([], siren=SIREN, year=june, chart=CHART).name == "732829320FEC20270630.txt"
    with pytest.raises(InvalidEntry):
        name_fec("732829321", YEAR)


def test_lines_that_answer_each_other_are_marked() -> None:
    entry = _deposit()
    written = write_fec(
        [entry],
        siren=SIREN,
        year=YEAR,
        chart=CHART,
        letterings={(entry.reference, 1): Lettering(mark="AA", on=datetime.date(2026, 4, 1))},
    )
    rows = read_table(written.content).rows
    assert [row[13:15] for row in rows] == [("", ""), ("AA", "20260401")]
    with pytest.raises(InvalidEntry):
        Lettering(mark="A\t", on=DAY)


def test_opening_entries_come_first_even_when_they_were_validated_late() -> None:
    opening = number(
        list(
            open_year(
                compute_balances([_deposit(), *number([book_pledge(WRITING, company=COMPANY, cents=Cents(5))])]),
                before=YEAR,
                year=NEXT_YEAR,
                chart=CHART,
                piece=Piece(reference="B", on=YEAR.last_on),
            )
        ),
        NEXT_YEAR,
        datetime.date(2027, 6, 1),
    )
    day = datetime.date(2027, 1, 5)
    gift = book_gift(
        dataclasses.replace(WRITING, on=day), bank=BANK, donor=DONOR, cents=Cents(5), is_public_appeal=True
    )
    content = _write([*number([gift], NEXT_YEAR, day), *opening], NEXT_YEAR)
    rows = read_table(content).rows
    assert [(row[0], row[2], row[15]) for row in rows] == [
        *[("AN", "1", "20270601")] * 2,
        *[("AN", "2", "20270601")] * 2,
        *[("BQ", "1", "20270105")] * 2,
    ]
    name = name_fec(SIREN, NEXT_YEAR)
    assert check_fec(name, content, siren=SIREN, year=NEXT_YEAR, opening_journal="AN") == ()


def test_an_entry_of_another_year_is_a_bug() -> None:
    with pytest.raises(ValueError):
        _write([_deposit()], NEXT_YEAR)


def test_letters_that_the_file_lacks_are_told() -> None:
    company = company_auxiliary("552100554", "Œuvre “Łódź” Ωmega – ŸŽ €")
    draft = book_company_deposit(WRITING, bank=BANK, company=company, cents=Cents(1), is_public_appeal=False)
    written = write_fec(
        number_drafts([draft], year=YEAR, last_numbers={}, validated_on=DAY), siren=SIREN, year=YEAR, chart=CHART
    )
    rows = read_table(written.content, encoding="iso8859-15").rows
    assert rows[1][7] == 'Œuvre "Lódz" ?mega - ŸŽ €'
    # Six letters, in the label of the company and in that of the entry, which stands on two lines.
    assert written.letters_replaced == 18


def test_the_note_that_goes_with_the_file() -> None:
    written = write_fec([_deposit(), _deposit(1)], siren=SIREN, year=YEAR, chart=CHART)
    told = describe_fec(written, siren=SIREN, year=YEAR, chart=CHART).splitlines()
    assert told[2:9] == [
        "Fichier : 732829320FEC20261231.txt",
        "SIREN : 732829320",
        "Exercice : du 01/01/2026 au 31/12/2026",
        "Lignes, sans l’intitulé : 4",
        "Total des débits, égal à celui des crédits : 1234,57 €",
        "Jeu de caractères : ISO 8859-15",
        "Caractères absents de ce jeu, écrits autrement : 0",
    ]
    assert "  BQ : Banque" in told
    assert [line.split(". ")[1].split(" : ")[0] for line in told[-18:]] == COLUMNS


# ---------------------------------------------------------------- for all books


books = st.lists(drafts, min_size=1, max_size=7).map(number)


@given(books)
def test_every_line_of_the_books_is_a_row_and_no_cent_is_lost(entries: list[Entry]) -> None:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in read_table(_write(entries), encoding="iso8859-15").rows]
    told = sorted(
        (
            row["JournalCode"],
            int(row["EcritureNum"]),
            row["CompteNum"],
            row["CompAuxNum"],
            read_cents(row["Debit"]),
            read_cents(row["Credit"]),
            read_day(row["EcritureDate"]),
            read_day(row["PieceDate"]),
            read_day(row["ValidDate"]),
            row["PieceRef"],
        )
        for row in rows
    )
    expected = sorted(
        (
            entry.journal.code,
            entry.number,
            line.account.number,
            line.auxiliary.number if line.auxiliary else "",
            line.debit,
            line.credit,
            entry.draft.on,
            entry.draft.piece.on,
            entry.validated_on,
            entry.draft.piece.reference,
        )
        for entry in entries
        for line in entry.lines
    )
    assert told == expected
    written = write_fec(entries, siren=SIREN, year=YEAR, chart=CHART)
    sums = {sum(row[4] or 0 for row in told), sum(row[5] or 0 for row in told)}
    assert (written.rows, {written.cents}) == (len(expected), sums)


@given(books)
def test_what_we_write_has_no_fault(entries: list[Entry]) -> None:
    content = _write(entries)
    assert check_fec(name_fec(SIREN, YEAR), content, siren=SIREN, year=YEAR, opening_journal="AN") == ()


@given(books, st.randoms())
def test_the_order_in_which_entries_are_given_changes_nothing(entries: list[Entry], chance: object) -> None:
    mixed = list(entries)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert _write(mixed) == _write(entries)


# ---------------------------------------------------------------- the reader


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        *(("0,00", 0), ("1234,56", 123_456), ("7", 700), ("7,5", 750), ("-1,05", -105), ("+2,00", 200)),
        *(
            ("1.50", None),
            ("1 234,50", None),
            ("1,234", None),
            ("", None),
            (",50", None),
            ("1,", None),
            ("１,00", None),
        ),
    ],
)
def test_amounts_as_the_law_writes_them(cell: str, cents: int | None) -> None:
    assert read_cents(cell) == cents


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("20260228", datetime.date(2026, 2, 28)),
        ("20280229", datetime.date(2028, 2, 29)),
        *((cell, None) for cell in ("20260229", "20261301", "00000101", "2026-02-28", "28022026", "2026022", "")),
    ],
)
def test_days_as_the_law_writes_them(cell: str, day: datetime.date | None) -> None:
    assert read_day(cell) == day


def test_other_separators_ends_and_letters_are_read() -> None:
    expected = read_table(_write([_deposit()]), encoding="iso8859-15")
    text = _write([_deposit()]).decode("iso8859-15")
    for other in (
        text.replace("\t", "|").encode("iso8859-15"),
        text.replace("\r\n", "\n").encode("utf-8"),
        text.replace("\r\n", "\r").encode("utf-8-sig"),
        text.removesuffix("\r\n").encode(),
    ):
        assert read_table(other) == expected


@pytest.mark.parametrize("content", [b"", b"JournalCode;JournalLib\r\n", b"a\tb\r\n\x00\t\r\n"])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(FecUnreadable):
        read_table(content)


def test_a_file_beyond_all_measure_is_not_read() -> None:
    class Claiming(bytes):
        claimed = BYTES_MAX

        def __len__(self) -> int:
            return self.claimed

    content = Claiming(_write([_deposit()]))
    assert len(read_table(content).rows) == 2
    content.claimed += 1
    with pytest.raises(FecUnreadable) as refusal:
        read_table(content)
    assert str(BYTES_MAX) in str(refusal.value.facts["reason"])


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda rest: HEADING.encode() + rest)))
def test_any_bytes_are_read_with_their_faults_or_refused(content: bytes) -> None:
    try:
        faults = check_fec(name_fec(SIREN, YEAR), content, siren=SIREN, year=YEAR, opening_journal="AN")
    except FecUnreadable:
        return
    assert faults  # none of them is a right file


@given(books, st.integers(0, 10_000), st.integers(0, 255))
def test_one_wrong_byte_breaks_no_reader(entries: list[Entry], place: int, byte: int) -> None:
    content = bytearray(_write(entries))
    content[place % len(content)] = byte
    try:
        check_fec(name_fec(SIREN, YEAR), bytes(content), siren=SIREN, year=YEAR, opening_journal="AN")
    except FecUnreadable:
        return
