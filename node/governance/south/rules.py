"""What law, and our own choice where it says nothing, ask of South programmes and guides on a day. Pure.

The figures stand in parameters/south.toml with their dates; `node.governance.parameters_store` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SouthRules:
    """`purposes` are kinds of action, `clauses` what a control agreement must hold, `account_countries` where the
    bearer's account may be; terms are days. `guide_members` of `guide_colleges` colleges accredit a guide.
    """

    purposes: frozenset[str]
    clauses: frozenset[str]
    account_countries: frozenset[str]
    clearance_days: int
    report_every_days: int
    report_grace_days: int
    guide_members: int
    guide_colleges: int
    guide_days_max: int
