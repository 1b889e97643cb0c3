"""The one table of HTTP statuses. A refusal's code decides; what is not named here is refused by the state: 422. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocol.errors import BadEnvelope, IdMismatch, Malformed, Refusal

BY_CODE: Final[Mapping[str, int]] = {
    "storage_unavailable": 503,
    "book_in_use": 503,
    "book_is_behind": 503,
    "base_is_behind": 503,
    "hub_recovering": 503,
    "territory_silent": 503,
    "hub_unreachable": 502,
    "hub_refused": 502,
    "too_many_calls": 429,
    "too_many_guesses": 429,
    "too_many_publications": 429,
    "publication_older": 409,
    "publication_conflict": 409,
    "not_authorised": 401,
    "not_allowed": 403,
    "calls_used_up": 429,
    "key_not_known": 401,
    "operator_key_not_known": 401,
    "operator_duty_missing": 403,
    "operator_key_unknown": 404,
    "no_window": 404,
    "duty_missing": 403,
    "another_company": 403,
    "another_officer": 403,
    "not_entitled": 403,
    "door_key_unknown": 404,
    "person_unknown": 404,
    "role_unknown": 404,
    "people_proposal_unknown": 404,
    "declaration_unknown": 404,
    "delegation_unknown": 404,
    "erasure_unknown": 404,
    "identity_unknown": 404,
    "till_not_known": 401,
    "till_not_allowed": 403,
    "credential_revoked": 403,
    "credential_compromised": 403,
    "account_unknown": 404,
    "cession_unknown": 404,
    "operation_unknown": 404,
    "orientation_unknown": 404,
    "project_not_here": 404,
    "pool_unknown": 404,
    "solidarity_operation_unknown": 404,
    "gift_unknown": 404,
    "standing_unknown": 404,
    "unknown_member": 404,
    "not_found": 404,
    "wrong_method": 405,
    "too_large": 413,
    "bank_file_too_large": 413,
    "company_unknown": 404,
    "campaign_unknown": 404,
    "till_unknown": 404,
    "sale_unknown": 404,
    "run_unknown": 404,
    "coupon_unknown": 404,
    "ticket_unknown": 404,
    "project_unknown": 404,
    "project_not_listed": 404,
    "bearer_unknown": 404,
    "signer_unknown": 404,
    "session_unknown": 404,
    "draw_unknown": 404,
    "comment_unknown": 404,
    "file_unknown": 404,
    "proof_unknown": 404,
    "round_unknown": 404,
    "auditor_unknown": 404,
    "offer_unknown": 404,
    "application_unknown": 404,
    "request_unknown": 404,
    "hours_unknown": 404,
    "audit_unknown": 404,
    "mission_unknown": 404,
    "report_unknown": 404,
    "programme_unknown": 404,
    "programme_partner_unknown": 404,
    "agreement_unknown": 404,
    "guide_unknown": 404,
    "group_unknown": 404,
    "group_member_unknown": 404,
    "group_consent_unknown": 404,
    "guide_not_here": 404,
    "pass_unknown": 404,
    "status_list_unknown": 404,
    "number_taken": 409,
    "till_number_taken": 409,
    "incident": 500,
}


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status that goes with a refusal."""
    if refusal.code in BY_CODE:
        return BY_CODE[refusal.code]
    if isinstance(refusal, Malformed | BadEnvelope):
        return 400
    if isinstance(refusal, IdMismatch):
        return 409
    return 422
