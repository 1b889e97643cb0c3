"""Which columns of the companies base are sealed: what a sale was, who a company is, when a till was revoked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.book.seals import compute_seal

# Which columns of which table a seal covers: those that do not move, or are sealed again where they do.
SEALED: Final[Mapping[str, tuple[str, ...]]] = {
    "companies": (
        *("siren", "donor", "legal_form", "name", "street", "postcode", "city", "country"),
        *("end_month", "end_day"),
    ),
    "company_accounts": ("account", "siren"),
    "fiscal_years": ("siren", "starts_on", "ends_on"),
    "turnovers": ("siren", "starts_on", "cents"),
    "groups": ("id", "name"),
    "group_members": ("group_id", "siren"),
    "campaigns": ("id", "uid", "siren", "terms", "funding", "ceiling"),
    "campaign_steps": ("campaign_id", "ix", "state", "at"),
    "pledges": ("campaign_id", "id", "cents", "until", "at"),
    "calls": ("id", "siren", "month", "cents", "due", "reference", "iban"),
    "call_parts": ("call", "campaign_id", "cents"),
    "expectations": ("id", "campaign_id", "cents", "due", "at"),
    "tills": ("id", "siren", "number", "name", "key_id", "secret_hash", "at", "revoked_at", "reason"),
    "sales": (
        *("id", "key", "campaign_id", "till_id", "at", "day", "sale", "holder", "buyer", "received_at", "state"),
        *("granted", "code", "facts", "grant_id"),
    ),
    "vouchers": ("sale_id", "campaign_id", "till_id", "digest", "expires_on"),
    "refunds": ("id", "key", "sale_id", "cents", "at", "due", "take_back", "grant_id"),
    "runs": ("id", "campaign_id", "digest", "name", "budget_left", "at"),
    "run_rows": ("run_id", "number", "operation", "kind", "account", "cents", "label", "facts"),
    "counterparts": ("id", "siren", "day", "value", "description", "valuation", "giver", "at"),
    "coupons": (
        *("id", "merchant", "words", "basis_points", "cents", "occasion", "valid_from", "valid_to", "sale_min"),
        *("state", "used_by", "used_cents"),
    ),
    "decisions": ("id", "asked", "answer", "at"),
    "door_keys": ("id", "asked", "secret_hash", "name", "duties", "company", "at", "revoked_at"),
}


def seal(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a row with their seal; a column that is not given is empty."""
    return {**values, "seal": compute_seal(table, [values.get(column) for column in SEALED[table]])}
