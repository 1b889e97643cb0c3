"""Amounts in French words: euros and centimes, exact to the cent. Pure."""

from __future__ import annotations

from num2words import num2words

from protocol.amounts import require_amount


def write_in_letters(cents: int) -> str:
    """Return 1 234,50 as `mille deux cent trente-quatre euros et cinquante centimes`. Raises InvalidAmount."""
    euros, rest = divmod(require_amount(cents), 100)
    parts = []
    if euros:
        # One says un million d'euros, and un million un euros.
        link = " d’" if euros >= 1_000_000 and euros % 1_000_000 == 0 else " "
        parts.append(f"{num2words(euros, lang='fr')}{link}{'euro' if euros == 1 else 'euros'}")
    if rest:
        parts.append(f"{num2words(rest, lang='fr')} {'centime' if rest == 1 else 'centimes'}")
    return " et ".join(parts)
