"""The catalogue is what this base signed and told last, and keys of funds elsewhere are as they were told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.catalogue_service import load_payer_words
from protocol.catalogue import CatalogueRefused, verify_catalogue
from protocol.findings import Checked, Finding
from protocol.house import CataloguePublished, HouseMessage, PayerKey
from protocol.keys import PublicKeys
from protocol.times import INSTANT_MAX

INVARIANT: Final = "I6"
RULE: Final = "the catalogue and the keys of other funds are as they were told"


def check_cards(
    connection: Connection,
    keys: Sequence[PublicKeys],
    told: Sequence[HouseMessage],
    said: Sequence[HouseMessage],
    home: str,
) -> Checked:
    """Hold them against what the accounts `told` and what this base `said`. What a person entered otherwise is shown."""
    findings: list[Finding] = []
    heard = {one for one in told if isinstance(one, PayerKey)}
    rows = connection.execute(select(tables.card_payers)).all()
    for row in rows:
        message = PayerKey(row.territory, row.number, row.since, bytes(row.signing), bytes(row.sealing))
        if message not in heard:
            findings.append(
                Finding(INVARIANT, f"payer {row.territory}, card {row.number}", "as it was told", "another")
            )
    own = connection.execute(select(tables.own_catalogue)).first()
    last = next((one for one in reversed(said) if isinstance(one, CataloguePublished)), None)
    if (None if last is None else last.signed) != (None if own is None else bytes(own.signed)):
        findings.append(Finding(INVARIANT, "own catalogue", "what was told last", "another, or nothing"))
    elif own is not None:
        try:
            number = verify_catalogue(bytes(own.signed), keys, home).number
            if number != own.number:
                findings.append(Finding(INVARIANT, "own catalogue", f"number {number}", f"number {own.number}"))
        except CatalogueRefused as refusal:
            findings.append(Finding(INVARIANT, "own catalogue", "signed here", str(refusal.facts["reason"])))
    disputed = tuple(
        Finding(INVARIANT, f"payer {one.territory}", "what its card says", "a person entered another key")
        for one in load_payer_words(connection, INSTANT_MAX)
        if one.is_disputed
    )
    return Checked(INVARIANT, RULE, len(rows) + (own is not None), tuple(findings), disputed)
