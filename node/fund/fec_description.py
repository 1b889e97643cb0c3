"""The note that goes with a file of entries, so that the tax office knows what it reads. French, plain text. Pure.

Source: LPF art. A47 A-1 (the file comes with its description); shared design, DOMAIN.md, 2.1.
"""

from __future__ import annotations

from typing import Final

from node.fund.chart import Chart
from node.fund.declarations import FiscalYear
from node.fund.fec import HEADINGS, FecFile

_WORDS: Final = {
    "JournalCode": "code du journal",
    "JournalLib": "libellé du journal",
    "EcritureNum": "numéro de l’écriture, continu à partir de 1 dans chaque journal et chaque exercice",
    "EcritureDate": "date de comptabilisation",
    "CompteNum": "numéro de compte",
    "CompteLib": "libellé du compte",
    "CompAuxNum": "compte auxiliaire : E et SIREN d’une entreprise, D et numéro au registre des donateurs, "
    "P et SIREN ou RNA d’un porteur de projet, A et code d’une affectation",
    "CompAuxLib": "libellé du compte auxiliaire ; aucun nom de particulier",
    "PieceRef": "référence de la pièce justificative",
    "PieceDate": "date de la pièce justificative",
    "EcritureLib": "libellé de l’écriture",
    "Debit": "montant au débit",
    "Credit": "montant au crédit",
    "EcritureLet": "lettrage, s’il y en a",
    "DateLet": "date du lettrage",
    "ValidDate": "date de validation",
    "Montantdevise": "vide : la comptabilité est tenue en euros",
    "Idevise": "vide : la comptabilité est tenue en euros",
}


def describe_fec(file: FecFile, *, siren: str, year: FiscalYear, chart: Chart) -> str:
    """Return the note of a file, in lines that end with a line feed."""
    euros = f"{file.cents // 100},{file.cents % 100:02d}"
    lines = [
        "Fichier des écritures comptables (article A47 A-1 du livre des procédures fiscales)",
        "",
        f"Fichier : {file.name}",
        f"SIREN : {siren}",
        f"Exercice : du {year.first_on:%d/%m/%Y} au {year.last_on:%d/%m/%Y}",
        f"Lignes, sans l’intitulé : {file.rows}",
        f"Total des débits, égal à celui des crédits : {euros} €",
        "Jeu de caractères : ISO 8859-15",
        f"Caractères absents de ce jeu, écrits autrement : {file.letters_replaced}",
        "Champs séparés par une tabulation ; lignes terminées par CR LF ; la première porte les intitulés",
        "Dates : AAAAMMJJ. Montants : virgule décimale, sans séparateur de milliers",
        "Ordre : écritures d’à-nouveaux, puis par date de validation, journal et numéro",
        "",
        "Journaux :",
        *(
            f"  {journal.code} : {journal.label}"
            for journal in sorted(chart.journals.values(), key=lambda one: one.code)
        ),
        "",
        "Champs :",
        *(f"  {place}. {heading} : {_WORDS[heading]}" for place, heading in enumerate(HEADINGS, start=1)),
    ]
    return "".join(f"{line}\n" for line in lines)
