"""Everything about a person in one file: JSON for programs, CSV for a spreadsheet, a page that says what it is. Pure."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

_WHEN: Final = (1980, 1, 1, 0, 0, 0)  # so that the same content gives the same bytes
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
README: Final = """\
FR. Voici tout ce que la base des personnes sait de vous (articles 15 et 20 du règlement (UE) 2016/679) : export.json dit
tout, les fichiers CSV disent la même chose table par table. « journal » dit qui a lu ou changé votre fiche, quand et pour
quoi. « accounts » est ce que la base des comptes a répondu sur vos comptes, à l'heure dite ; elle ne connaît que leur
numéro et vous donne elle-même leurs mouvements, ligne à ligne. Le fonds de dotation répond de vos reçus fiscaux.

EN. This is all that the people's base knows of you (articles 15 and 20 of regulation (EU) 2016/679): export.json says
everything, the CSV files say the same, table by table. "journal" says who read or changed your record, when and why.
"accounts" is what the accounts base answered about your accounts, at the time that is told; it knows nothing but their
number, and tells you itself their movements, line by line. The endowment fund answers for your tax receipts.
"""


def write_zip(told: Mapping[str, Any]) -> bytes:
    """Return the file: `told` holds values and tables, tables being lists of rows."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        _add(file, "LISEZ-MOI.txt", README)
        _add(file, "export.json", json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        for name, rows in told.items():
            if isinstance(rows, list):
                _add(file, f"{name}.csv", write_csv(rows))
            elif isinstance(rows, Mapping):
                _add(file, f"{name}.csv", write_csv([rows]))
    return packed.getvalue()


def _add(file: zipfile.ZipFile, name: str, text: str) -> None:
    file.writestr(zipfile.ZipInfo(name, _WHEN), text.encode())


def write_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of the same names; what a spreadsheet would compute is marked as text."""
    if not rows:
        return ""
    written = io.StringIO()
    names = list(rows[0])
    lines = csv.writer(written, delimiter=";", lineterminator="\r\n")
    lines.writerow(names)
    for row in rows:
        lines.writerow([_cell(row.get(name)) for name in names])
    return written.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_DANGEROUS) else text
