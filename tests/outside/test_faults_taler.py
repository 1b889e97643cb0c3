"""The faults that GNU Taler's auditor must name, each beside ours of the same kind, where the list is at hand.

Wanted in CITIZEN_MILES_VECTORS or in ../shared/vectors beside the repository. A key is one of `tests.federation.faults`,
whose finding tests/federation/test_tampering.py asserts. What has no counterpart says why in a line.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from tests.architecture.named_tests import is_test
from tests.federation.faults import FAULTS

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("CITIZEN_MILES_VECTORS") or ROOT.parent / "shared" / "vectors")
LIST = VECTORS / "taler-auditor-tamper-list" / "list.json"

NO_FEE: Final = "no fee: a mile arrives whole"
NO_COIN: Final = "no coin: a right is an amount of a lot in an account, with no blind signature of its own"
NO_BANK: Final = "no bank transfer: settlement in euros is not yet there (issue 4)"
TOLD: Final = "tests/federation/test_tampering.py::"

# Their number: keys of ours, or (in one string) the test that shows it, or why there is none.
OURS: Final[dict[int, tuple[str, ...] | str]] = {
    0: TOLD + "test_a_healthy_and_lagging_system_gives_an_empty_report",
    1: TOLD + "test_a_healthy_and_lagging_system_gives_an_empty_report",
    2: ("arrival amount", "third arrival amount"),
    3: ("arrival amount", "third arrival amount"),
    4: ("cession beneficiary", "cession account", "arrival account"),
    5: ("leaf", "national leaf"),
    6: ("received slip signature",),
    7: ("received slip signature", "checkpoint signature", "signed head"),
    8: ("giver transfer receiver", "cession beneficiary"),
    9: ("cession account",),
    10: ("giver transfer time",),
    11: ("transfer that nobody posted",),
    12: NO_COIN,
    13: NO_COIN,
    14: NO_FEE,
    15: ("hub slip receiver", "sent slip receiver"),
    16: ("cession amount", "sent slip sum"),
    17: ("giver transfer time",),
    18: ("hub position from nowhere", "hub total abroad"),
    19: "tests/ledger/test_accounts.py::test_an_account_closes_only_when_nothing_is_left_in_it_nor_reserved",
    20: "no account has to close: a reserve of coins runs out, a balance of miles does not",
    21: ("giver account closed",),
    22: "tests/security/test_key_thief.py::test_old_words_of_a_retired_key_are_worth_nothing",
    23: ("hub total of a day", "hub slip count"),
    24: ("deleted arrival", "deleted sent slip", "deleted hub slip"),
    25: ("history mark", "giver balance", "giver holding"),
    26: NO_BANK,
    27: "tests/ledger/test_schema.py::test_the_base_refuses_by_itself_what_must_never_stand_in_it",
    28: NO_COIN,
    29: NO_FEE,
    30: NO_FEE,
    31: NO_FEE,
    32: NO_COIN,
}


if not LIST.is_file():

    def test_the_list_of_talers_faults_is_not_at_hand_so_nothing_is_compared() -> None:
        print(f"not at hand: {LIST.name} of {LIST.parent.name}")

else:

    def test_each_of_talers_faults_is_named_here_and_no_other() -> None:
        listed = [number for number, _ in json.loads(LIST.read_text(encoding="utf-8"))["tests"]]
        assert len(listed) == len(set(listed)) == 33
        assert set(listed) == set(OURS)


def test_each_key_and_test_that_stands_for_a_fault_exists() -> None:
    for number, ours in OURS.items():
        if isinstance(ours, str):
            assert "::" not in ours or is_test(ours), number
        else:
            assert ours, number
            assert set(ours) <= set(FAULTS), number
