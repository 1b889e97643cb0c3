"""What the bases of a territory tell each other: golden bytes, limits, and nothing but the canonical form."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from protocol.errors import Malformed
from protocol.house import (
    DUE_LOTS_MAX,
    GRANTS_MAX,
    HOUSE_VERSION,
    MESSAGES_MAX,
    PAYERS_MAX,
    AskHolder,
    BaseName,
    CloseHolder,
    CommitProject,
    ConvertProject,
    Deposit,
    DepositTaken,
    Donor,
    Due,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    DutyEnded,
    DutyHeard,
    EffectTold,
    Ended,
    ExpectationClosed,
    ExpectPayment,
    FreezeHolder,
    Granted,
    Grants,
    GuideAccredited,
    GuideEnded,
    GuideKnown,
    HolderBusy,
    HolderClosed,
    HolderKind,
    HolderOpened,
    HolderState,
    HolderTold,
    HouseMessage,
    HouseSlip,
    OpenHolder,
    OpenPool,
    OpenProject,
    PaymentArrived,
    PaymentCalled,
    PaymentExpected,
    Pledge,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    PoolOpened,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    TakeBack,
    TakenBack,
    decode_house_slip,
    encode_house_slip,
    house_of,
    make_due_id,
    make_neighbours,
)
from protocol.identifiers import TerritoryCode
from protocol.keys import make_keys
from protocol.messages import LEAF_BYTES_MAX, SEALED_ORDER_BYTES_MAX

ID, DONOR, REF = bytes(range(16)), b"a donor, opaque.", b"\x07" * 16
DEPOSIT: list[Any] = [1, ID, DONOR, "bread", 202611, 5, "Brest", "D715K6AF", 1_234]
TAKEN: list[Any] = [2, ID, REF]
REFUSED: list[Any] = [3, ID, "account_unknown"]
OPEN_POOL: list[Any] = [4, ID, "Bread"]
POOL_OPENED: list[Any] = [5, ID, "D715K6AF"]
GRANTS: list[Any] = [6, "D715K6AF", [ID, REF], ["12345678", "87654321"], [5, 7], ["bread", ""]]
GRANTED: list[Any] = [7, [ID, REF]]
TAKE_BACK: list[Any] = [8, ID, REF, 5]
TAKEN_BACK: list[Any] = [9, ID, 0]
ADDRESS = ["1 rue X", "Bat. B"]
DONOR_TOLD: list[Any] = [10, ID, "552100554", "A baker", "SAS", ADDRESS, "29200", "Brest", "FR", [12, 31]]
EXPECT: list[Any] = [11, ID, DONOR, "bread", 5, "Brest", "D715K6AF", 1_234, 20261231]
EXPECTED: list[Any] = [12, ID, "RF18539007547034", "FR7630006000011234567890189"]
ARRIVED: list[Any] = [13, ID, REF, 1_234, 20261128]
CLOSED: list[Any] = [20, ID, 20270301]
OPEN_HOLDER: list[Any] = [30, ID, "group"]
HOLDER_OPENED: list[Any] = [31, ID, "D715K6AF"]
ASK_HOLDER: list[Any] = [32, ID, "D715K6AF"]
HOLDER_TOLD: list[Any] = [33, ID, "D715K6AF", "person", "frozen", 9, 2, 3, 4, True, 5, 6]
FREEZE_HOLDER: list[Any] = [34, ID, "D715K6AF", False]
CLOSE_HOLDER: list[Any] = [35, ID, "D715K6AF", "12345678"]
HOLDER_BUSY: list[Any] = [36, ID, "D715K6AF", 9, 2, 3]
HOLDER_CLOSED: list[Any] = [37, ID, "D715K6AF", 7]
MARKED: list[Any] = [98, bytes(32)]
DUTY_ENDED: list[Any] = [94, ID, REF, "treasurer", "la caisse", b"key name", 5, True]
DUTY_HEARD: list[Any] = [95, ID, 2, 1, False]
ONE_LINE: list[Any] = [6, "D715K6AF", [ID], ["12345678"], [5], ["bread"]]


def _pack(*messages: list[Any], version: int = 1, to: Any = "ACCOUNTS", at: Any = 7) -> bytes:
    """Return a leaf made with plain msgpack, so that nothing of ours refuses to write it."""
    return bytes(msgpack.packb([version, to, at, list(messages)], use_bin_type=True))


def test_each_message_has_its_bytes() -> None:
    messages: tuple[HouseMessage, ...] = (
        Deposit(ID, DONOR, "bread", 202611, 5, "Brest", "D715K6AF", 1_234),
        DepositTaken(ID, REF),
        Refused(ID, "account_unknown"),
        OpenPool(ID, "Bread"),
        PoolOpened(ID, "D715K6AF"),
        Grants("D715K6AF", (ID, REF), ("12345678", "87654321"), (5, 7), ("bread", "")),
        Granted((ID, REF)),
        TakeBack(ID, REF, 5),
        TakenBack(ID, 0),
        Donor(ID, "552100554", "A baker", "SAS", ("1 rue X", "Bat. B"), "29200", "Brest", "FR", (12, 31)),
        ExpectPayment(ID, DONOR, "bread", 5, "Brest", "D715K6AF", 1_234, 20261231),
        PaymentExpected(ID, "RF18539007547034", "FR7630006000011234567890189"),
        PaymentArrived(ID, REF, 1_234, 20261128),
        ExpectationClosed(ID, 20270301),
        OpenHolder(ID, HolderKind.GROUP),
        HolderOpened(ID, "D715K6AF"),
        AskHolder(ID, "D715K6AF"),
        HolderTold(ID, "D715K6AF", HolderKind.PERSON, HolderState.FROZEN, 9, 2, 3, 4, True, 5, 6),
        FreezeHolder(ID, "D715K6AF", False),
        CloseHolder(ID, "D715K6AF", "12345678"),
        HolderBusy(ID, "D715K6AF", 9, 2, 3),
        HolderClosed(ID, "D715K6AF", 7),
        Ended(bytes(32)),
        DutyEnded(ID, REF, "treasurer", "la caisse", b"key name", 5, True),
        DutyHeard(ID, 2, 1, False),
    )
    slip = HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 7, messages)
    leaf = _pack(
        *(DEPOSIT, TAKEN, REFUSED, OPEN_POOL, POOL_OPENED, GRANTS, GRANTED, TAKE_BACK, TAKEN_BACK),
        *(DONOR_TOLD, EXPECT, EXPECTED, ARRIVED, CLOSED),
        *(OPEN_HOLDER, HOLDER_OPENED, ASK_HOLDER, HOLDER_TOLD, FREEZE_HOLDER, CLOSE_HOLDER, HOLDER_BUSY, HOLDER_CLOSED),
        MARKED,
        *(DUTY_ENDED, DUTY_HEARD),
    )
    assert encode_house_slip(slip) == leaf
    assert decode_house_slip(leaf) == slip


@pytest.mark.parametrize("version", [0, 2, 65_536, 65_537])
def test_another_version_is_not_spoken(version: int) -> None:
    with pytest.raises(Malformed):
        decode_house_slip(_pack(TAKEN, version=version))


def _with(message: list[Any], place: int, value: Any) -> list[Any]:
    return [*message[:place], value, *message[place + 1 :]]


@pytest.mark.parametrize(
    ("message", "place", "good", "bad"),
    [
        (DEPOSIT, 1, [bytes(16)], [bytes(15), bytes(17), "0" * 16]),
        (DEPOSIT, 2, [bytes(16)], [bytes(15), bytes(17)]),
        (DEPOSIT, 3, ["", "c" * 80], ["c" * 81]),
        (DEPOSIT, 4, [190001, 999912], [190000, 999913]),
        (DEPOSIT, 5, [0, 2**16], [-1, 2**16 + 1]),
        (DEPOSIT, 6, ["", "r" * 200], ["r" * 201]),
        (DEPOSIT, 7, ["12345678"], ["1234567", "123456789"]),
        (DEPOSIT, 8, [1, 10**15], [0, -1, 10**15 + 1, 1.0]),
        (TAKEN, 2, [bytes(16)], [bytes(15), bytes(17)]),
        (REFUSED, 2, ["c", "c" * 48], ["", "c" * 49]),
        (OPEN_POOL, 2, ["p", "p" * 80], ["", "p" * 81]),
        (POOL_OPENED, 2, ["12345678"], ["1234567", "123456789"]),
        (ONE_LINE, 1, ["12345678"], ["1234567", "123456789"]),
        (ONE_LINE, 2, [[bytes(16)]], [[], [bytes(15)], [bytes(16)] * 2]),
        (ONE_LINE, 3, [["12345678"]], [[], ["1234567"], ["12345678"] * 2]),
        (ONE_LINE, 4, [[1], [10**15]], [[], [0], [10**15 + 1], [1, 1]]),
        (ONE_LINE, 5, [[""], ["w" * 80]], [[], ["w" * 81], ["", ""]]),
        (GRANTED, 1, [[ID]], [[], [bytes(15)]]),
        (TAKE_BACK, 3, [1, 10**15], [0, 10**15 + 1]),
        (TAKEN_BACK, 2, [0, 10**15], [-1, 10**15 + 1]),
        (DONOR_TOLD, 2, ["123456789"], ["12345678", "1234567890"]),
        (DONOR_TOLD, 3, ["n", "n" * 120], ["", "n" * 121]),
        (DONOR_TOLD, 4, ["f", "f" * 60], ["", "f" * 61]),
        (DONOR_TOLD, 5, [["l"], ["l" * 70] * 3], [[], [""], ["l" * 71], ["l"] * 4]),
        (DONOR_TOLD, 6, ["p", "p" * 12], ["", "p" * 13]),
        (DONOR_TOLD, 7, ["c", "c" * 60], ["", "c" * 61]),
        (DONOR_TOLD, 8, ["FR"], ["F", "FRA"]),
        (DONOR_TOLD, 9, [[1, 1], [12, 31]], [[0, 1], [13, 1], [1, 0], [1, 32], [1]]),
        (EXPECT, 3, ["c", "c" * 80], ["", "c" * 81]),
        (EXPECT, 4, [0, 2**16], [-1, 2**16 + 1]),
        (EXPECT, 5, ["", "r" * 200], ["r" * 201]),
        (EXPECT, 6, ["12345678"], ["1234567", "123456789"]),
        (EXPECT, 7, [1, 10**15], [0, 10**15 + 1]),
        (EXPECT, 8, [19000101, 99991231], [19000100, 99991232]),
        (EXPECTED, 2, ["RF181", "R" * 25], ["RF18", "R" * 26]),
        (EXPECTED, 3, ["F" * 15, "F" * 34], ["F" * 14, "F" * 35]),
        (ARRIVED, 3, [1, 10**15], [0, 10**15 + 1]),
        (OPEN_HOLDER, 2, ["person", "group"], ["", "pool", "project"]),
        (HOLDER_OPENED, 2, ["12345678"], ["1234567", "123456789"]),
        (ASK_HOLDER, 2, ["12345678"], ["1234567", "123456789"]),
        (HOLDER_TOLD, 3, ["person", "group"], ["issuance"]),
        (HOLDER_TOLD, 4, ["open", "frozen", "closed"], ["gone"]),
        *((HOLDER_TOLD, place, [0, 10**15], [-1, 10**15 + 1]) for place in (5, 6, 7)),
        (HOLDER_TOLD, 8, [0, 2**53], [-1, 2**53 + 1]),
        (HOLDER_TOLD, 9, [True, False], [0, 1]),
        (FREEZE_HOLDER, 3, [True, False], [0, 1]),
        (CLOSE_HOLDER, 2, ["12345678"], ["", "1234567", "123456789"]),
        (CLOSE_HOLDER, 3, ["", "12345678"], ["123456789"]),
        *((HOLDER_BUSY, place, [0, 10**15], [-1, 10**15 + 1]) for place in (3, 4, 5)),
        (HOLDER_CLOSED, 3, [0, 10**15], [-1, 10**15 + 1]),
        (MARKED, 1, [b"m" * 32], [b"m" * 31, b"m" * 33, "m" * 32]),
        (DUTY_ENDED, 2, [bytes(16)], [bytes(15), bytes(17)]),
        (DUTY_ENDED, 3, ["d", "d" * 48], ["", "d" * 49]),
        (DUTY_ENDED, 4, ["", "w" * 80], ["w" * 81]),
        (DUTY_ENDED, 5, [b"", bytes(8)], [bytes(7), bytes(9), bytes(1)]),
        (DUTY_ENDED, 6, [0, 2**53], [-1, 2**53 + 1]),
        (DUTY_ENDED, 7, [True, False], [0, 1]),
        *((DUTY_HEARD, place, [0, 2**31], [-1, 2**31 + 1]) for place in (2, 3)),
        (DUTY_HEARD, 4, [True, False], [0, 1]),
    ],
)
def test_every_field_has_its_limits(message: list[Any], place: int, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        decode_house_slip(_pack(_with(message, place, value)))
    for value in bad:
        with pytest.raises(Malformed):
            decode_house_slip(_pack(_with(message, place, value)))


def test_a_slip_has_messages_and_not_too_many_and_a_leaf_its_size() -> None:
    assert MESSAGES_MAX == 2_048
    assert len(decode_house_slip(_pack(*[TAKEN] * MESSAGES_MAX)).messages) == MESSAGES_MAX
    for leaf in (_pack(), _pack(*[TAKEN] * (MESSAGES_MAX + 1)), _pack([99, ID]), bytes(LEAF_BYTES_MAX + 1)):
        with pytest.raises(Malformed):
            decode_house_slip(leaf)


SEALED = b"sealed for a fund"
OPEN_PROJECT: list[Any] = [40, ID, "A garden", "food", 200_000, 20270331]
PROJECT_OPENED: list[Any] = [41, ID, "D715K6AF"]
COMMIT: list[Any] = [42, ID, REF]
RELEASE: list[Any] = [43, ID, REF, "minimum_missed"]
CONVERT: list[Any] = [44, ID, REF, 2, 5_000, ["242900314", "200046977"], [SEALED, SEALED + b"!"]]
CONVERTED: list[Any] = [45, ID, ["242900314"], [4_900], 100]
SUPPORT: list[Any] = [46, REF, 0, 0]
RELEASED: list[Any] = [47, ID, 0]
DUE: list[Any] = [50, ID, "242900314", REF, [REF, DONOR], [4_000, 900], SEALED]
DUE_TAKEN: list[Any] = [51, ID]
DUE_SETTLED: list[Any] = [52, ID, 1, 4_900, 20270402]
DUE_CONFIRMED: list[Any] = [53, ID, 20270403]
GUIDE_ACCREDITED: list[Any] = [70, ID, b"k" * 32, 20261101, 20281031]
GUIDE_ENDED: list[Any] = [71, ID, "guide_left"]
GUIDE_KNOWN: list[Any] = [72, ID, True]

GUIDE_LIMITS: list[tuple[list[Any], int, Any]] = [
    (GUIDE_ACCREDITED, 1, bytes(15)),
    (GUIDE_ACCREDITED, 2, bytes(31)),
    (GUIDE_ACCREDITED, 2, bytes(33)),
    (GUIDE_ACCREDITED, 3, 19000100),
    (GUIDE_ACCREDITED, 4, 99991232),
    (GUIDE_ENDED, 1, bytes(17)),
    (GUIDE_ENDED, 2, ""),
    (GUIDE_KNOWN, 1, bytes(15)),
    (GUIDE_KNOWN, 2, 1),
]


@pytest.mark.parametrize(("message", "place", "bad"), GUIDE_LIMITS)
def test_messages_on_guides_have_limits(message: list[Any], place: int, bad: Any) -> None:
    with pytest.raises(Malformed):
        decode_house_slip(_pack(_with(message, place, bad)))


def test_each_message_on_guides_has_its_bytes() -> None:
    messages: tuple[HouseMessage, ...] = (
        GuideAccredited(ID, b"k" * 32, 20261101, 20281031),
        GuideEnded(ID, "guide_left"),
        GuideKnown(ID, True),
    )
    slip = HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 7, messages)
    leaf = _pack(GUIDE_ACCREDITED, GUIDE_ENDED, GUIDE_KNOWN)
    assert encode_house_slip(slip) == leaf
    assert decode_house_slip(leaf) == slip


def test_each_message_of_a_conversion_has_its_bytes() -> None:
    messages: tuple[HouseMessage, ...] = (
        OpenProject(ID, "A garden", "food", 200_000, 20270331),
        ProjectOpened(ID, "D715K6AF"),
        CommitProject(ID, REF),
        ReleaseProject(ID, REF, "minimum_missed"),
        ConvertProject(ID, REF, 2, 5_000, ("242900314", "200046977"), (SEALED, SEALED + b"!")),
        ProjectConverted(ID, ("242900314",), (4_900,), 100),
        Support(REF, 0, 0),
        ProjectReleased(ID, 0),
        Due(ID, "242900314", REF, (REF, DONOR), (4_000, 900), SEALED),
        DueTaken(ID),
        DueSettled(ID, DueState.PAID, 4_900, 20270402),
        DueConfirmed(ID, 20270403),
    )
    slip = HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 7, messages)
    leaf = _pack(
        *(OPEN_PROJECT, PROJECT_OPENED, COMMIT, RELEASE, CONVERT, CONVERTED, SUPPORT, RELEASED),
        *(DUE, DUE_TAKEN, DUE_SETTLED, DUE_CONFIRMED),
    )
    assert encode_house_slip(slip) == leaf
    assert decode_house_slip(leaf) == slip


@pytest.mark.parametrize(
    "message",
    [
        [44, ID, REF, 2, 5_000, ["242900314"], [SEALED, SEALED]],
        [44, ID, REF, 2, 5_000, ["242900314", "200046977"], [SEALED]],
        [44, ID, REF, 2, 5_000, [], []],
        [44, ID, REF, 0, 5_000, ["242900314"], [SEALED]],
        [44, ID, REF, 1_000, 5_000, ["242900314"], [SEALED]],
        [44, ID, REF, 1, 5_000, ["242900314"], [b"!" * (SEALED_ORDER_BYTES_MAX + 1)]],
        [44, ID, REF, 1, 5_000, ["242900314"] * (PAYERS_MAX + 1), [SEALED] * (PAYERS_MAX + 1)],
        [45, ID, ["242900314"], [], 100],
        [45, ID, ["242900314"] * (PAYERS_MAX + 1), [1] * (PAYERS_MAX + 1), 0],
        [50, ID, "242900314", REF, [REF, DONOR], [4_000], SEALED],
        [50, ID, "242900314", REF, [], [], SEALED],
        [50, ID, "242900314", REF, [REF] * (DUE_LOTS_MAX + 1), [1] * (DUE_LOTS_MAX + 1), SEALED],
        [50, ID, "242900314", REF, [REF], [0], SEALED],
        [52, ID, 0, 4_900, 20270402],
        [52, ID, 4, 4_900, 20270402],
    ],
)
def test_columns_and_limits_of_a_conversion(message: list[Any]) -> None:
    with pytest.raises(Malformed):
        decode_house_slip(_pack(message))


@pytest.mark.parametrize("state", range(6))
def test_a_payment_between_funds_is_paid_rejected_or_confirmed_and_nothing_else(state: int) -> None:
    leaf = _pack([89, 7, "242900314", state, 20270402])
    if state in (1, 2, 4):
        [told] = decode_house_slip(leaf).messages
        assert (told.state, encode_house_slip(decode_house_slip(leaf))) == (state, leaf)  # type: ignore[union-attr]
    else:
        with pytest.raises(Malformed):
            decode_house_slip(leaf)


def test_the_largest_conversion_is_read() -> None:
    payers, refs = ["242900314"] * PAYERS_MAX, [REF] * DUE_LOTS_MAX
    assert (PAYERS_MAX, DUE_LOTS_MAX) == (64, 8_000)
    for message in (
        [44, ID, REF, 999, 5_000, payers, [b"!" * SEALED_ORDER_BYTES_MAX] * PAYERS_MAX],
        [45, ID, payers, [1] * PAYERS_MAX, 0],
        [50, ID, "242900314", REF, refs, [1] * DUE_LOTS_MAX, SEALED],
    ):
        assert len(decode_house_slip(_pack(message)).messages) == 1


def test_a_slip_carries_as_many_grants_as_a_batch_of_the_ledger() -> None:
    def make(count: int) -> list[Any]:
        ids = [number.to_bytes(16, "big") for number in range(count)]
        return [6, "D715K6AF", ids, ["12345678"] * count, [1] * count, ["a loaf"] * count]

    assert GRANTS_MAX == 2_048
    assert len(decode_house_slip(_pack(make(GRANTS_MAX))).messages) == 1
    assert len(decode_house_slip(_pack([7, make(GRANTS_MAX)[2]])).messages) == 1
    for leaf in (_pack(make(GRANTS_MAX + 1)), _pack([7, make(GRANTS_MAX + 1)[2]])):
        with pytest.raises(Malformed):
            decode_house_slip(leaf)


def test_a_house_is_a_network_of_its_own_and_its_bases_have_fixed_names() -> None:
    assert house_of(TerritoryCode("242900314")) == "house of 242900314"
    assert [(base.name, str(base)) for base in BaseName] == [
        ("ACCOUNTS", "ACCOUNTS"),
        ("FUND", "THE-FUND"),
        ("PARTNERS", "PARTNERS"),
        ("PROJECTS", "PROJECTS"),
        ("PEOPLE", "PEOPLE"),
    ]
    assert HOUSE_VERSION == 1


def test_neighbours_sign_with_their_own_keys_and_nobody_else_is_there() -> None:
    older, newer, other = (make_keys(bytes([number]) * 64).public for number in (1, 2, 3))
    known = make_neighbours({"ACCOUNTS": [older, newer], "THE-FUND": [other]})
    assert known.require_active("ACCOUNTS").keys == (older, newer)
    assert known.require_active("ACCOUNTS").name == "accounts"
    assert known.require_active("THE-FUND").find_key(other.id) == other
    assert known.require_active("THE-FUND").find_key(older.id) is None
    assert known.find("PARTNERS") is None
    assert known.size == 0


def test_what_is_owed_for_a_round_has_one_id_for_each_payer() -> None:
    # Computed with `printf … | sha256sum`.
    assert make_due_id(bytes(range(16)), "242900314").hex() == "3eb0038e31e44d7ba31f5dddb9138f3f"
    assert make_due_id(bytes(range(16)), "242900314") != make_due_id(bytes(range(16)), "200046977")


PLEDGE: list[Any] = [14, ID, DONOR, "bread", 17, "", "D715K6AF", 50_000, 20270630]
ACCEPTED: list[Any] = [15, ID]
CALLED: list[Any] = [16, ID, DONOR, 202611, 5_000, 20270102, "RF18539007547034", "F" * 27, [ID, REF], [4_000, 1_000]]
SPENT: list[Any] = [17, ID, REF, 0]
ENDED: list[Any] = [18, ID, 3_000, 0]


def test_each_message_of_a_pledge_has_its_bytes_and_its_limits() -> None:
    messages: tuple[HouseMessage, ...] = (
        Pledge(ID, DONOR, "bread", 17, "", "D715K6AF", 50_000, 20270630),
        PledgeAccepted(ID),
        PaymentCalled(ID, DONOR, 202611, 5_000, 20270102, "RF18539007547034", "F" * 27, (ID, REF), (4_000, 1_000)),
        PledgeSpent(ID, REF, 0),
        PledgeEnded(ID, 3_000, 0),
    )
    slip = HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 7, messages)
    leaf = _pack(PLEDGE, ACCEPTED, CALLED, SPENT, ENDED)
    assert encode_house_slip(slip) == leaf
    assert decode_house_slip(leaf) == slip
    for message, place, bad in (
        (PLEDGE, 3, ["", "c" * 81]),
        (PLEDGE, 4, [-1, 2**16 + 1]),
        (PLEDGE, 7, [0, 10**15 + 1]),
        (CALLED, 3, [190000, 999913]),
        (CALLED, 8, [[ID], [], [ID] * 3]),
        (CALLED, 9, [[1], [], [0, 1]]),
        (SPENT, 3, [-1, 10**15 + 1]),
        (ENDED, 3, [-1, 10**15 + 1]),
    ):
        for value in bad:
            with pytest.raises(Malformed):
                decode_house_slip(_pack(_with(message, place, value)))
    most = [*CALLED[:8], [bytes(16)] * 500, [1] * 500]
    assert decode_house_slip(_pack(most))
    with pytest.raises(Malformed):
        decode_house_slip(_pack([*CALLED[:8], [bytes(16)] * 501, [1] * 501]))


EFFECT: list[Any] = [91, ID, "242900314", REF, "A garden", 20_000, 700, 300, 400, 700]


def test_what_became_of_miles_has_its_bytes_and_pays_no_more_than_was_converted() -> None:
    told = EffectTold(ID, "242900314", REF, "A garden", 20_000, 700, 300, 400, 700)
    leaf = _pack(EFFECT)
    assert encode_house_slip(HouseSlip(HOUSE_VERSION, BaseName.ACCOUNTS, 7, (told,))) == leaf
    assert decode_house_slip(leaf).messages == (told,)
    assert decode_house_slip(_pack(_with(EFFECT, 4, "")))
    for place, bad in ((4, ["t" * 81]), (5, [-1, 10**15 + 1]), (6, [699, -1]), (7, [301]), (8, [401]), (9, [701, -1])):
        for value in bad:
            with pytest.raises(Malformed):
                decode_house_slip(_pack(_with(EFFECT, place, value)))
