"""Replaying the national log: from its leaves and the members' slips alone, the positions again. Pure.

Whoever holds the log can run this and must get the hub's positions to the cent. It stops at the first leaf that does
not follow from those before it, and names it. Source: SPEC.md, "The national log".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from protocol import merkle
from protocol.cession import CessionState
from protocol.clearing import LotKey, Outcome, Positions, apply_outcome
from protocol.directory import BrokenDirectory, Directory, MemberKind, apply_entries
from protocol.errors import NotCanonical, Refusal
from protocol.messages import Answer, Cede, NetSettled, Netting, Restored, Settled, SettledState, WindowClosed
from protocol.national import (
    CessionsStopped,
    DirectoryChanged,
    HubRestored,
    SlipKey,
    SlipRecord,
    SlipRetaken,
    SlipsHandedOver,
    SlipTaken,
    WindowNetted,
    begin_obligations,
    begin_record,
    choose_stopped,
    clear_slip,
    decode_national,
    end_slip,
    find_cede,
    read_slip,
    repeat_slip,
    settle_answer,
    settle_words,
    stop,
)
from protocol.obligations import Obligation
from protocol.times import Instant
from protocol.windows import PaymentKey, begin_payments, name_payment, netted_of, settle_payment

LoadLeaf = Callable[[SlipKey], bytes | None]

# Verdicts that speak of bytes which are deleted later, so that a replay takes the hub's word: nothing moves by them.
ON_THE_HUBS_WORD = frozenset({"sealed_part_missing"})


class DoesNotFollow(Refusal):
    """A leaf of the national log that does not follow from those before it. Facts: index, reason."""

    code = "does_not_follow"


@dataclass(slots=True)
class Replay:
    """The state after the leaves taken so far."""

    load_leaf: LoadLeaf
    size: int = 0
    directory: Directory = field(default_factory=Directory)
    positions: Positions = field(default_factory=lambda: Positions(members={}))
    transit: dict[tuple[SlipKey, LotKey], int] = field(default_factory=dict)
    records: dict[SlipKey, SlipRecord] = field(default_factory=dict)
    codes: dict[SlipKey, dict[int, str]] = field(default_factory=dict)
    slip_codes: dict[SlipKey, str] = field(default_factory=dict)
    restored: int = 0  # how often the hub's book was lost and told again
    obligations: dict[tuple[SlipKey, int], Obligation] = field(default_factory=dict)  # of conversions not refused
    nettings: dict[tuple[str, str], tuple[bool, int]] = field(
        default_factory=dict
    )  # the last word of one fund to another
    windows: dict[int, int] = field(default_factory=dict)  # the day on which each was closed (yyyymmdd)
    net_payments: dict[PaymentKey, Obligation] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)  # of each member's log, raised only by its own `Restored`

    def take(self, leaf: bytes) -> None:
        """Take the next leaf. Raises DoesNotFollow."""
        try:
            entry = decode_national(leaf)
        except NotCanonical as error:
            raise self._broken(str(error)) from None
        match entry:
            case DirectoryChanged():
                try:
                    self.directory = apply_entries(self.directory, [entry.entry])
                except (BrokenDirectory, NotCanonical) as error:
                    raise self._broken(str(error)) from None
                self.positions.members = self.directory.members
            case SlipTaken() | SlipRetaken():
                self._take_slip(entry)
            case HubRestored():
                self.restored += 1
            case SlipsHandedOver():
                self._hand_over(entry)
            case CessionsStopped():
                self._stop(entry)
            case WindowNetted():
                self._close_window(entry.window)
        self.size += 1

    def _broken(self, reason: str) -> DoesNotFollow:
        return DoesNotFollow(index=self.size, reason=reason)

    def _load(self, key: SlipKey) -> bytes:
        leaf = self.load_leaf(key)
        if leaf is None:
            raise self._broken(f"slip {key[0]}/{key[1]}/{key[2]} is missing")
        return leaf

    def _load_cede(self, key: SlipKey) -> Cede:
        slip = read_slip(self._load(key))
        cede = None if slip is None else find_cede(slip)
        if cede is None:
            raise self._broken(f"slip {key[0]}/{key[1]}/{key[2]} carries no cession")
        return cede

    def _take_slip(self, entry: SlipTaken | SlipRetaken) -> None:
        key = (entry.member, entry.epoch, entry.index)
        leaf = self._load(key)
        if merkle.hash_leaf(leaf) != entry.leaf_hash:
            raise self._broken(f"slip {key[0]}/{key[1]}/{key[2]} is not the one that was taken")
        slip = read_slip(leaf)
        epoch = self.epochs.get(entry.member, 1)
        if entry.epoch != epoch:
            restored = () if slip is None else slip.messages
            if entry.epoch < epoch or Restored(entry.epoch, entry.index) not in restored:
                raise self._broken(f"epoch {entry.epoch} of {entry.member} was not begun by its own slip")
            self.epochs[entry.member] = entry.epoch
        cede = None if slip is None else find_cede(slip)
        told = (entry.slip_code, tuple(zip(entry.refused, entry.codes, strict=True)))
        if slip is None:
            outcome = Outcome(slip_code="malformed")
        elif cede is None:
            outcome = Outcome()
        elif isinstance(entry, SlipRetaken):
            if not self.restored:
                raise self._broken("taken again, and the hub was never restored")
            outcome = self._repeat(entry, cede, told[1])
        elif entry.slip_code in ON_THE_HUBS_WORD:
            outcome = Outcome(slip_code=entry.slip_code)
        else:
            outcome = clear_slip(self.positions, entry.member, slip, cede, Instant(entry.at))
        if told != (outcome.slip_code, outcome.refused):
            raise self._broken(f"the verdict on {key[0]}/{key[1]}/{key[2]} is not the one the rule gives")
        if slip is not None and cede is not None:
            self._apply(key, outcome)
            self.records[key] = begin_record(slip.to, cede, outcome)
            self.codes[key] = dict(outcome.refused)
            self.slip_codes[key] = outcome.slip_code
            self.obligations.update(begin_obligations(key, slip, cede, outcome))
        for message in () if slip is None else slip.messages:
            if isinstance(message, Answer) and slip is not None:
                self._answer(entry.member, slip.to, message)
            elif isinstance(message, Settled):
                for place, after in settle_words(self.find_obligation, entry.member, message):
                    self.obligations[(message.giver, message.epoch, message.index), place] = after
            elif isinstance(message, Netting) and slip is not None and not self._is_hub(slip.to, entry.member):
                self.nettings[entry.member, slip.to] = (message.is_netted, message.since)
            elif isinstance(message, NetSettled) and slip is not None:
                payment = name_payment(entry.member, slip.to, message)
                settled = settle_payment(self.net_payments.get(payment), entry.member, message)
                if settled is not None:
                    self.net_payments[payment] = settled

    def _is_hub(self, reader: str, speaker: str) -> bool:
        member = self.directory.members.get(reader)
        return reader == speaker or (member is not None and member.kind is MemberKind.HUB)

    def _close_window(self, window: WindowClosed) -> None:
        """Each obligation stands in one window, is of a conversion that was taken, and was called netted by its debtor."""
        if window.window <= max(self.windows, default=0):
            raise self._broken(f"window {window.window} does not follow the one before")
        for one in netted_of(window):
            known = self.obligations.get((one.key, one.place))
            record = self.records.get(one.key)
            is_owed = record is not None and record.state is CessionState.DELIVERED and one.place in record.remaining
            if (
                known is None
                or not is_owed
                or known.said is not SettledState.NETTED
                or known.window
                or (known.debtor, known.cents) != (one.debtor, one.cents)
            ):
                where = f"{one.key[0]}/{one.key[1]}/{one.key[2]}/{one.place}"
                raise self._broken(f"window {window.window} holds {where}, which is not netted, or in another window")
            self.obligations[one.key, one.place] = replace(known, window=window.window)
        self.windows[window.window] = window.on
        self.net_payments.update(begin_payments(window))

    def find_obligation(self, key: SlipKey, place: int) -> Obligation | None:
        return self.obligations.get((key, place))

    def _repeat(self, entry: SlipRetaken, cede: Cede, refused: tuple[tuple[int, str], ...]) -> Outcome:
        """What was told once stands, as far as it can be: a lot keeps the class under which it was first announced."""
        if any(place >= cede.count for place, _ in refused):
            raise self._broken(f"refuses cessions that slip {entry.index} of {entry.member} does not hold")
        outcome = repeat_slip(entry.member, cede, entry.slip_code, refused)
        known = self.positions.lots
        if any(known.get(key, told) != told for key, told in outcome.lots.items()):
            raise self._broken(f"slip {entry.index} of {entry.member} tells another class of a lot")
        return outcome

    def _answer(self, taker: str, giver: str, answer: Answer) -> None:
        key = (giver, answer.epoch, answer.index)
        record = self.records.get(key)
        if record is None or record.taker != taker:
            return
        settled = settle_answer(record, answer)
        if settled is None:
            return
        after, delivered, returned = settled
        cede = self._load_cede(key)
        self._apply(key, end_slip(giver, after, cede, delivered=delivered, restored=returned))
        self.records[key] = after
        self.codes[key].update(zip(answer.returned, answer.codes, strict=True))

    def _hand_over(self, entry: SlipsHandedOver) -> None:
        for key in entry.slips:
            record = self.records.get(key)
            if record is None or record.state is not CessionState.CLEARED or record.taker != entry.taker:
                raise self._broken(f"slip {key[0]}/{key[1]}/{key[2]} was not waiting for {entry.taker}")
            self.records[key] = replace(record, state=CessionState.HANDED_OVER)

    def _stop(self, entry: CessionsStopped) -> None:
        key = (entry.origin, entry.epoch, entry.index)
        for places, state in ((entry.recalled, CessionState.RECALLED), (entry.expired, CessionState.EXPIRED)):
            record = self.records.get(key)
            if not places:
                continue
            if record is None or choose_stopped(record, places) != places:
                raise self._broken(f"cessions of {key[0]}/{key[1]}/{key[2]} could not be stopped any more")
            cede = self._load_cede(key)
            terms = cede.terms or (0,) * cede.count
            if state is CessionState.EXPIRED and any(not 0 < terms[place] <= entry.at for place in places):
                raise self._broken(f"a cession of {key[0]}/{key[1]}/{key[2]} expired before its term")
            self._apply(key, end_slip(entry.origin, record, cede, delivered=frozenset(), restored=frozenset(places)))
            self.records[key] = stop(record, places, state)

    def _apply(self, key: SlipKey, outcome: Outcome) -> None:
        try:
            apply_outcome(self.positions, outcome)
        except ValueError as error:
            raise self._broken(str(error)) from None
        for lot, cents in outcome.transit.items():
            after = self.transit.get((key, lot), 0) + cents
            if after < 0:
                raise self._broken(f"less than nothing of {lot[0]}'s rights on the way")
            if after:
                self.transit[key, lot] = after
            else:
                self.transit.pop((key, lot), None)
