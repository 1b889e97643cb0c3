"""Replaying the national log: what an honest hub wrote is followed, and every lie of a hub is found at its leaf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from protocol.cession import CessionState
from protocol.directory import Accredited, Change, Directory, Enrolled, LimitsSet, apply_entries, encode_entry
from protocol.merkle import hash_leaf
from protocol.messages import Answer, AskStatement, Cede, Lot, Message, Restored, Slip, encode_slip
from protocol.national import (
    CessionsStopped,
    DirectoryChanged,
    HubRestored,
    NationalEntry,
    SlipKey,
    SlipRetaken,
    SlipsHandedOver,
    SlipTaken,
    encode_national,
)
from protocol.replay import DoesNotFollow, Replay

BREST, LYON, LILLE = "242900314", "200046977", "200093201"
HOME = Lot(BREST, bytes([1]) * 16, 5, 202611)
HOME_KEY = (HOME.issuer, HOME.ref)
FIRST: SlipKey = (BREST, 1, 0)


def cede(*cents: int, lot: Lot = HOME, terms: tuple[int, ...] = ()) -> Cede:
    return Cede((lot,), (), (0,) * len(cents), cents, terms, bytes(8), bytes(32))


class Hub:
    """Writes a national log, leaf by leaf, and whoever holds the members' slips replays it."""

    def __init__(self) -> None:
        self.slips: dict[SlipKey, bytes] = {}
        self.replay = Replay(self.slips.get)
        self.directory = Directory()
        for code in (BREST, LYON, LILLE):
            self.change(Enrolled(code, code, "territory", bytes(32), bytes(32)))
            self.change(Accredited(code, "", ""))

    def say(self, entry: NationalEntry) -> None:
        self.replay.take(encode_national(entry))

    def change(self, change: Change) -> None:
        entry = encode_entry(self.directory, change, 1)
        self.directory = apply_entries(self.directory, [entry])
        self.say(DirectoryChanged(1, entry))

    def send(self, key: SlipKey, *messages: Message, to: str = LYON) -> None:
        """The member of this key signs a slip."""
        self.slips[key] = encode_slip(Slip(1, to, 0, messages))

    def take(
        self,
        key: SlipKey,
        slip_code: str = "",
        refused: Sequence[tuple[int, str]] = (),
        *,
        kind: type[SlipTaken | SlipRetaken] = SlipTaken,
    ) -> None:
        places, codes = tuple(place for place, _ in refused), tuple(code for _, code in refused)
        self.say(kind(100, *key, hash_leaf(self.slips[key]), slip_code, places, codes))

    def hand_over(self, *keys: SlipKey, taker: str = LYON) -> None:
        self.say(SlipsHandedOver(100, taker, keys))

    def answer(self, key: SlipKey, message: Answer, *, to: str = BREST) -> None:
        self.send(key, message, to=to)
        self.take(key)


@pytest.fixture
def hub() -> Hub:
    """Three active territories."""
    return Hub()


@pytest.fixture
def ceded(hub: Hub) -> Hub:
    """Brest ceded three cessions of its own lot to Lyon, and all were cleared."""
    hub.send(FIRST, cede(5, 7, 9))
    hub.take(FIRST)
    return hub


def told(hub: Hub, key: SlipKey = FIRST) -> list[str]:
    record = hub.replay.records[key]
    return [str(record.exceptions.get(place, record.state)) for place in range(record.count)]


# What is honest is followed


def test_nothing_was_replayed_at_first_and_each_leaf_counts_one(hub: Hub) -> None:
    assert (Replay(hub.slips.get).size, Replay(hub.slips.get).restored) == (0, 0)
    assert hub.replay.size == 6
    hub.say(HubRestored(100, 2))
    assert (hub.replay.size, hub.replay.restored) == (7, 1)
    hub.say(HubRestored(100, 3))
    assert (hub.replay.size, hub.replay.restored) == (8, 2)


def test_rights_are_on_the_way_until_each_cession_has_ended(ceded: Hub) -> None:
    replay = ceded.replay
    assert (replay.transit, replay.positions.abroad) == ({(FIRST, HOME_KEY): 21}, {BREST: 21})
    ceded.say(CessionsStopped(100, *FIRST, (0,), ()))
    assert (replay.transit, replay.positions.abroad) == ({(FIRST, HOME_KEY): 16}, {BREST: 16})
    ceded.hand_over(FIRST)
    assert told(ceded) == ["recalled", "handed_over", "handed_over"]
    ceded.answer((LYON, 1, 0), Answer(1, 0, (0,), (2,), ("unknown_account",)))
    assert told(ceded) == ["recalled", "delivered", "returned"]
    assert (replay.transit, replay.positions.abroad) == ({}, {BREST: 7})
    assert replay.positions.cents == {(HOME_KEY, LYON): 7}
    assert replay.codes[FIRST] == {2: "unknown_account"}
    assert replay.slip_codes[FIRST] == ""


def test_what_the_rule_refuses_and_the_hub_says_so_is_followed(hub: Hub) -> None:
    hub.change(LimitsSet(BREST, 100, 6, 100))
    hub.send(FIRST, cede(5, 7))
    hub.take(FIRST, refused=[(1, "message_limit")])
    assert (told(hub), hub.replay.codes[FIRST]) == (["cleared", "refused"], {1: "message_limit"})
    hub.send((BREST, 1, 1), cede(5), to=BREST)
    hub.take((BREST, 1, 1), "to_itself")
    assert (told(hub, (BREST, 1, 1)), hub.replay.slip_codes[BREST, 1, 1]) == (["refused"], "to_itself")


def test_a_slip_recalled_whole_was_recalled_and_one_expired_whole_expired(ceded: Hub) -> None:
    ceded.say(CessionsStopped(100, *FIRST, (0, 1, 2), ()))
    assert ceded.replay.records[FIRST].state is CessionState.RECALLED
    second = (BREST, 1, 1)
    ceded.send(second, cede(5, terms=(200,)))
    ceded.take(second)
    ceded.say(CessionsStopped(200, *second, (), (0,)))
    assert ceded.replay.records[second].state is CessionState.EXPIRED
    assert ceded.replay.transit == {}


def test_a_term_may_be_the_first_instant_of_all(hub: Hub) -> None:
    hub.send(FIRST, cede(5, terms=(1,)))
    hub.say(SlipTaken(0, *FIRST, hash_leaf(hub.slips[FIRST]), "", (), ()))
    hub.say(CessionsStopped(1, *FIRST, (), (0,)))
    assert told(hub) == ["expired"]


def test_an_answer_that_nobody_asked_for_moves_nothing(ceded: Hub) -> None:
    ceded.hand_over(FIRST)
    ceded.answer((LILLE, 1, 0), Answer(1, 0, (), (), ()))  # Lille was handed nothing
    ceded.answer((LYON, 1, 0), Answer(1, 8, (), (), ()))  # there is no such slip
    ceded.answer((LYON, 1, 1), Answer(1, 0, (1,), (), ()))  # nothing was to be skipped
    assert told(ceded) == ["handed_over"] * 3
    assert ceded.replay.transit == {(FIRST, HOME_KEY): 21}
    ceded.answer((LYON, 1, 2), Answer(1, 0, (), (), ()))
    assert told(ceded) == ["delivered"] * 3


def test_signed_nonsense_was_taken_and_moved_nothing(hub: Hub) -> None:
    hub.slips[FIRST] = b"?"
    hub.take(FIRST, "malformed")
    assert (hub.replay.records, hub.replay.size) == ({}, 7)


def test_a_member_begins_an_epoch_of_its_log_with_its_own_slip(ceded: Hub) -> None:
    again = (BREST, 2, 1)
    ceded.send(again, Restored(2, 1), to="HUB-FR")
    ceded.take(again)
    assert ceded.replay.epochs == {BREST: 2}
    ceded.send((BREST, 2, 2), AskStatement(), to="HUB-FR")
    ceded.take((BREST, 2, 2))
    assert ceded.replay.size == 9


def test_what_was_told_before_the_hub_was_lost_is_told_again_whatever_the_rule_says_now(hub: Hub) -> None:
    hub.change(LimitsSet(BREST, 1, 1, 1))
    hub.say(HubRestored(100, 2))
    hub.send(FIRST, cede(5, 7))
    hub.take(FIRST, refused=[(0, "day_limit")], kind=SlipRetaken)
    assert told(hub) == ["refused", "cleared"]
    assert hub.replay.transit == {(FIRST, HOME_KEY): 7}
    second = (BREST, 1, 1)
    hub.send(second, cede(2, 3))
    hub.take(second, refused=[(1, "day_limit")], kind=SlipRetaken)
    assert told(hub, second) == ["cleared", "refused"]


# What is a lie is found


def lie(text: str, prepare: Callable[[Hub], None], tell: Callable[[Hub], None]) -> Any:
    return pytest.param(prepare, tell, id=text)


def nothing(hub: Hub) -> None:
    pass


def send_over_the_limit(hub: Hub) -> None:
    hub.change(LimitsSet(BREST, 100, 6, 100))
    hub.send(FIRST, cede(5, 7))


def clear_one(hub: Hub) -> None:
    hub.send(FIRST, cede(5, terms=(200,)))
    hub.take(FIRST)


def clear_one_and_lose_it(hub: Hub) -> None:
    clear_one(hub)
    hub.slips.clear()


def refuse_what_is_in_order(hub: Hub) -> None:
    hub.send(FIRST, cede(5))
    hub.take(FIRST, "message_limit")


def hand_one_over(hub: Hub) -> None:
    clear_one(hub)
    hub.hand_over(FIRST)


def restore(hub: Hub) -> None:
    hub.say(HubRestored(100, 2))


def begin_an_epoch(hub: Hub) -> None:
    hub.send((BREST, 2, 0), Restored(2, 0), to="HUB-FR")
    hub.take((BREST, 2, 0))


def take_what_says(key: SlipKey, *messages: Message) -> Callable[[Hub], None]:
    def tell(hub: Hub) -> None:
        hub.send(key, *messages)
        hub.take(key)

    return tell


def take_nonsense_under_another_epoch(hub: Hub) -> None:
    hub.slips[BREST, 2, 0] = b"?"
    hub.take((BREST, 2, 0), "malformed")


def take_another_slip(hub: Hub) -> None:
    hub.send(FIRST, cede(5))
    leaf = hub.slips[FIRST]
    hub.send(FIRST, cede(6))
    hub.say(SlipTaken(100, *FIRST, hash_leaf(leaf), "", (), ()))


def take_again(*cents: int, refused: Sequence[tuple[int, str]] = (), lot: Lot = HOME) -> Callable[[Hub], None]:
    def tell(hub: Hub) -> None:
        key = (BREST, 1, 5)
        hub.send(key, cede(*cents, lot=lot))
        hub.take(key, refused=refused, kind=SlipRetaken)

    return tell


def restore_and_announce(hub: Hub) -> None:
    restore(hub)
    clear_one(hub)


def stop(
    *, recalled: tuple[int, ...] = (), expired: tuple[int, ...] = (), at: int = 500, key: SlipKey = FIRST
) -> Callable[[Hub], None]:
    return lambda hub: hub.say(CessionsStopped(at, *key, recalled, expired))


def exchange_for(*messages: Message) -> Callable[[Hub], None]:
    """The slip that was taken is another one when its cessions end."""

    def prepare(hub: Hub) -> None:
        clear_one(hub)
        hub.send(FIRST, *messages)

    return prepare


FOREIGN = Lot(LILLE, bytes([9]) * 16, 5, 202611)

LIES = [
    lie("a leaf that is none", nothing, lambda hub: hub.replay.take(b"\xc1")),
    lie("a directory entry that is none", nothing, lambda hub: hub.say(DirectoryChanged(1, b"\xc1"))),
    lie(
        "a directory entry that does not follow",
        nothing,
        lambda hub: hub.say(DirectoryChanged(1, encode_entry(Directory(), Accredited(BREST, "", ""), 1))),
    ),
    lie("a slip that nobody has", nothing, lambda hub: hub.say(SlipTaken(1, *FIRST, bytes(32), "", (), ()))),
    lie("a slip in the place of another", nothing, take_another_slip),
    lie("cleared over the limit", send_over_the_limit, lambda hub: hub.take(FIRST)),
    lie(
        "refused for another reason",
        send_over_the_limit,
        lambda hub: hub.take(FIRST, refused=[(1, "abroad_limit")]),
    ),
    lie("refused what is in order", nothing, refuse_what_is_in_order),
    lie("an epoch that no slip began", nothing, take_what_says((BREST, 2, 0), AskStatement())),
    lie("an epoch begun elsewhere", nothing, take_what_says((BREST, 2, 0), Restored(2, 7))),
    lie("another epoch than was begun", nothing, take_what_says((BREST, 3, 0), Restored(2, 0))),
    lie("nonsense under another epoch", nothing, take_nonsense_under_another_epoch),
    lie("an epoch that is over", begin_an_epoch, take_what_says((BREST, 1, 1), AskStatement())),
    lie("an epoch that is over, begun again", begin_an_epoch, take_what_says((BREST, 1, 1), Restored(1, 1))),
    lie("taken again and nothing was lost", nothing, take_again(5)),
    lie("refused again what is not there", restore, take_again(5, 6, refused=[(2, "x")])),
    lie("told again of another class", restore_and_announce, take_again(5, lot=Lot(BREST, HOME.ref, 4, 202611))),
    lie("told again what was never held", restore, take_again(5, lot=FOREIGN)),
    lie("handed over what nobody sent", nothing, lambda hub: hub.hand_over(FIRST)),
    lie("handed over to another", clear_one, lambda hub: hub.hand_over(FIRST, taker=LILLE)),
    lie("handed over twice", hand_one_over, lambda hub: hub.hand_over(FIRST)),
    lie("recalled what nobody sent", nothing, stop(recalled=(0,))),
    lie("recalled too late", hand_one_over, stop(recalled=(0,))),
    lie("recalled a place that is not there", clear_one, stop(recalled=(1,))),
    lie("expired before its term", clear_one, stop(expired=(0,), at=199)),
    lie("ended a slip that is lost", clear_one_and_lose_it, stop(recalled=(0,))),
    lie("ended a slip that cedes nothing", exchange_for(AskStatement()), stop(recalled=(0,))),
    lie("ended more than was on the way", exchange_for(cede(6)), stop(recalled=(0,))),
]


@pytest.mark.parametrize(("prepare", "tell"), LIES)
def test_a_lie_of_the_hub_does_not_follow_and_its_leaf_is_named(
    hub: Hub, prepare: Callable[[Hub], None], tell: Callable[[Hub], None]
) -> None:
    prepare(hub)
    size = hub.replay.size
    with pytest.raises(DoesNotFollow) as refusal:
        tell(hub)
    assert refusal.value.facts["index"] == hub.replay.size == size
