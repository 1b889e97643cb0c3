"""What Mojaloop's testing toolkit asks of a hub, file by file, beside our test that shows the same, where it is at hand.

Wanted in CITIZEN_MILES_VECTORS or in ../shared/vectors beside the repository: an index of names. Files are grouped into
families: the first whose pattern is found in a file's path has it. A family names our tests, or says in a line why
there is none.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.named_tests import is_test

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("CITIZEN_MILES_VECTORS") or ROOT.parent / "shared" / "vectors")
INDEX = VECTORS / "mojaloop-ttk-index" / "index.json"

CESSIONS: Final = "tests/federation/test_cessions.py::"
MOVEMENTS: Final = "tests/node/test_movements_api.py::"
LEDGER: Final = "tests/ledger/"
HUB: Final = "tests/hub/test_app.py::"
REFUSALS: Final = "tests/security/test_wire_refusals.py::"


@dataclass(frozen=True)
class Family:
    """Files by a pattern of their paths, with our tests or, where there is none, the reason."""

    name: str
    pattern: str
    tests: tuple[str, ...] = ()
    reason: str = ""


FAMILIES: Final = (
    Family("fx", r"fx(?!payee|payer)|second-currency", reason="one unit: a mile is exchanged for no other currency"),
    Family(
        "malformed messages and error codes",
        r"bug fixes/.*(#1378|#742|#849|#981|#4183)",
        tests=(
            HUB + "test_whatever_is_sent_is_one_refusal_and_changes_nothing",
            "tests/node/test_bad_bodies.py::test_a_body_that_cannot_be_read_is_refused",
        ),
    ),
    Family(
        "quotes and their bugs",
        r"quot|4 decimal points|#990",
        reason="no price on a mile: there is nothing to quote",
    ),
    Family("third parties", r"thirdparty", reason="nobody initiates for another: an account has one node, which signs"),
    Family(
        "requests to pay",
        r"transaction_request_service|request-to-pay",
        reason="a mile is given and never asked for: no request to pay",
    ),
    Family("merchants", r"merchant", reason="no merchant class: whoever receives has an account or an address"),
    Family(
        "settlement windows",
        r"settlement|SettlementWindows|other-bug-fixes|position_cleanup",
        reason="not yet: settlement in euros is issue 4",
    ),
    Family(
        "funds in",
        r"funds_in",
        tests=(LEDGER + "test_lots.py::test_only_a_pool_is_endowed_and_the_refusal_is_remembered",),
    ),
    Family("funds out", r"funds_out", reason="not yet: euros leave by settlement, issue 4"),
    Family(
        "bulk: duplicates",
        r"bulk-duplicated",
        tests=(LEDGER + "test_postings.py::test_one_id_twice_in_one_page_is_done_once_or_refused_as_another_content",),
    ),
    Family(
        "bulk: timeout",
        r"bulk-transfer-timeout",
        tests=(CESSIONS + "test_a_term_that_passes_before_hand_over_expires_by_the_hubs_log",),
    ),
    Family(
        "bulk: errors of single lines",
        r"bulk.*(invalid|negative|error|protocol)",
        tests=(
            MOVEMENTS + "test_a_bad_line_harms_no_other",
            LEDGER + "test_runs.py::test_a_bad_batch_harms_no_batch_of_the_same_page",
        ),
    ),
    Family(
        "bulk",
        r"bulk",
        tests=(
            MOVEMENTS + "test_a_thousand_lines_are_taken_and_one_more_is_not",
            CESSIONS + "test_a_group_of_cessions_is_answered_group_by_group_in_order",
        ),
    ),
    Family(
        "duplicate handling",
        r"duplicate_handling",
        tests=(
            CESSIONS + "test_the_same_id_is_answered_again_and_refused_with_another_content",
            "tests/security/test_network.py::test_one_envelope_given_to_the_hub_ten_times_cedes_once",
        ),
    ),
    Family(
        "inactive participants",
        r"Active_Inactive",
        tests=(CESSIONS + "test_a_suspended_member_sends_and_receives_nothing_new_until_it_is_reinstated",),
    ),
    Family(
        "limits and net debit cap",
        r"block_transfer|limits",
        tests=(
            CESSIONS + "test_the_hub_refuses_what_exceeds_a_limit_and_the_rights_come_back",
            REFUSALS + "test_limits_hold_against_many_cessions_at_once",
        ),
    ),
    Family(
        "timeouts and expiry",
        r"timeout|invalid_timestamp|noresponse",
        tests=(CESSIONS + "test_a_term_that_passes_before_hand_over_expires_by_the_hubs_log",),
    ),
    Family(
        "fulfil with an invalid answer",
        r"fulfillment|#2697",
        tests=(
            "tests/security/test_member_against_member.py::test_nobody_answers_a_slip_twice_or_with_other_places_than_it_was_told",
            REFUSALS + "test_answers_recalls_and_keys_that_are_not_ours_to_give_move_nothing",
        ),
    ),
    Family(
        "abort by the receiver",
        r"payee_abort|error_callback",
        tests=(
            CESSIONS + "test_a_closed_account_sends_the_rights_back_to_the_same_lots",
            "tests/node/test_federation_api.py::test_what_comes_back_says_why_in_the_callers_language",
        ),
    ),
    Family(
        "reservation and its end",
        r"fulfil-reserved|reserve_notification",
        tests=(
            MOVEMENTS + "test_a_reservation_is_set_aside_and_freed",
            LEDGER + "test_reservations.py::test_a_posting_uses_a_reservation_once_and_frees_what_it_does_not_take",
        ),
    ),
    Family(
        "what became of a transfer",
        r"get_transfers|patch_notification",
        tests=(
            "tests/node/test_federation_api.py::test_rights_cross_and_every_step_is_told",
            MOVEMENTS + "test_an_operation_tells_what_became_of_its_id",
        ),
    ),
    Family(
        "versions of the protocol",
        r"backward_compatibility",
        tests=(CESSIONS + "test_an_old_node_meets_a_hub_that_speaks_a_newer_version",),
    ),
    Family("a false sender", r"#4109", tests=(REFUSALS + "test_another_members_signature_does_not_pass",)),
    Family("health", r"#1009", tests=(HUB + "test_a_storage_that_refuses_is_red_and_says_no_address",)),
    Family("endpoints", r"#998", reason="the hub calls nobody: members call it, so it keeps no endpoint"),
    Family(
        "rights of a machine's key",
        r"/mcm/",
        tests=(
            "tests/node/test_access.py::test_who_shows_no_valid_key_learns_nothing",
            "tests/node/test_access.py::test_a_missing_scope_is_named",
        ),
    ),
    Family("oracles", r"[Oo]racle", reason="an address names its territory: no directory of persons is looked up"),
    Family(
        "parties and participants looked up",
        r"part(y|ies)|account-lookup-service/|discovery|resources_based",
        tests=(
            "tests/node/test_federation_api.py::test_a_payee_is_seen_masked_before_anything_is_sent",
            "tests/protocol/test_directory.py::test_who_is_unknown_or_not_active_is_told_apart",
        ),
    ),
    Family(
        "enrolment and administration",
        r"provisioning/|Admintests",
        tests=(
            HUB + "test_a_member_enrols_and_its_first_empty_call_brings_the_whole_directory",
            REFUSALS + "test_an_enrolment_needs_its_own_unused_token_and_sound_keys",
        ),
    ),
    Family("schemes joined by a proxy", r"inter_scheme", reason="one national hub: no scheme beside it to pass on to"),
    Family(
        "transfers inside one participant",
        r"on_us",
        tests=(MOVEMENTS + "test_a_cession_at_home_is_done_at_once_and_found_again",),
    ),
    Family(
        "golden path",
        r"p2p|e2e_tests/transfers|post_scenarios",
        tests=(
            CESSIONS + "test_rights_ceded_to_another_territory_arrive_to_the_cent",
            "tests/end_to_end/test_demo.py::test_rights_cross_territories_and_nothing_is_lost_when_processes_are_killed",
        ),
    ),
)


def family_of(file: str) -> str | None:
    """Return the name of the first family that has this file."""
    return next((family.name for family in FAMILIES if re.search(family.pattern, file)), None)


if not INDEX.is_file():

    def test_mojaloops_index_is_not_at_hand_so_nothing_is_compared() -> None:
        print(f"not at hand: {INDEX.name} of {INDEX.parent.name}")

else:

    def test_each_file_falls_in_a_family_and_each_family_has_files() -> None:
        files = [entry["file"] for entry in json.loads(INDEX.read_text(encoding="utf-8"))["files"]]
        counted = Counter(family_of(file) for file in files)
        assert len(files) == 191
        assert [file for file in files if family_of(file) is None] == []
        assert set(counted) == {family.name for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])
def test_a_family_names_tests_that_exist_or_says_why_there_is_none(family: Family) -> None:
    assert bool(family.tests) != bool(family.reason)
    for named in family.tests:
        assert is_test(named), named
