"""The federation room against the two logs: every state is told again from what was sent and what the hub answered.

Our log says what left, the hub's log what became of it; slips of others are proved again under their authors'
signatures. A row changed by hand cannot agree with logs whose heads others signed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from node.federation import store
from node.federation.arrivals import foreign_op
from node.federation.conversion_checks import check_conversions
from node.federation.tables import arrivals, cessions, checkpoints, entries, received_slips, reconciliations, sent_slips
from node.ledger import tables as ledger
from node.ledger.accounts import AccountKind
from protocol import keys, merkle
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.stream_store import pair_by_first, stream
from protocol.canonical import decode_typed
from protocol.cession import TERMINAL, CessionState, state_of
from protocol.directory import BrokenDirectory, Directory, apply_entries
from protocol.envelopes import STATEMENT_BYTES_MAX, Checkpoint, HeadStatement, is_statement_signed
from protocol.errors import NotCanonical
from protocol.findings import Checked, Finding
from protocol.keys import Domain
from protocol.messages import Answer, Cede, Forward, HandedOver, Restored, Slip, Stopped, Verdict
from protocol.national import find_cede, find_convert, read_slip

Progress = Callable[[str], None]
_CHUNK: Final = 512


@dataclass(slots=True)
class _Told:
    """A slip of ours as the logs tell it. Its cessions stay in the log: ten million do not fit in memory."""

    taker: str
    count: int
    cents: int
    log_ix: int
    state: CessionState = CessionState.QUEUED
    exceptions: dict[int, tuple[CessionState, str]] = field(default_factory=dict)
    cleared_at: int | None = None
    handed_at: int | None = None

    def end(self, places: Mapping[int, str], state: CessionState) -> None:
        for place, code in places.items():
            self.exceptions[place] = (state, code)
        if places and len(self.exceptions) == self.count:
            self.state = state


class _Posted(NamedTuple):
    """What the ledger moved under one op: the account on our side, the sum, and the words of the posting."""

    op: bytes
    number: str | None
    cents: int
    reference: str


def check_federation(connection: Connection, *, home: str, hub: str, on_progress: Progress) -> list[Checked]:
    """Check every invariant that the federation room can check alone."""
    directory, checked = _check_directory(connection)
    on_progress("slips sent")
    told = _tell(connection, home, hub)
    return [
        checked,
        _check_checkpoint(connection, directory, hub),
        _check_sent(connection, told),
        _check_cessions(connection, told, log_store.find_log(connection, home, hub)),
        _check_cession_postings(connection),
        _check_received(connection, directory, home, hub),
        _check_arrivals(connection, home, hub),
        check_conversions(connection, home=home, hub=hub),
        _check_road(connection),
        _check_unplaced(connection),
        _check_reconciliation(connection),
    ]


def load_directory(connection: Connection) -> Directory:
    """Return the directory of this book. Raises BrokenDirectory, NotCanonical."""
    return apply_entries(Directory(), store.load_entries(connection))


def _check_directory(connection: Connection) -> tuple[Directory, Checked]:
    rows = connection.execute(select(entries).order_by(entries.c.number)).all()
    directory = Directory()
    findings: list[Finding] = []
    for row in rows:
        try:
            directory = apply_entries(directory, [bytes(row.entry)])
        except (BrokenDirectory, NotCanonical) as error:
            findings.append(Finding("I7", f"directory entry {row.number}", "an entry that follows", str(error)))
            break
    return directory, Checked("I7", "the directory is one chain", len(rows), tuple(findings))


def _check_checkpoint(connection: Connection, directory: Directory, hub: str) -> Checked:
    row = connection.execute(select(checkpoints)).first()
    if row is None:
        return Checked("I7", "the national checkpoint is the hub's word", 0)
    member = directory.find(hub)
    key = None if member is None else member.find_any_key(bytes(row.key))
    findings: list[Finding] = []
    try:
        checkpoint = decode_typed(bytes(row.body), Checkpoint, size_max=256)
    except NotCanonical:
        checkpoint = None
    if (
        key is None
        or checkpoint is None
        or not keys.is_signed(key.signing, Domain.CHECKPOINT, bytes(row.body), bytes(row.signature))
        or (checkpoint.size, checkpoint.root) != (row.size, bytes(row.root))
        or not is_statement_signed(key.signing, bytes(row.statement), bytes(row.statement_signature))
        or key.signing != bytes(row.signing)
    ):
        findings.append(Finding("I7", "national checkpoint", f"signed by {hub}", "changed here"))
    return Checked("I7", "the national checkpoint is the hub's word", 1, tuple(findings))


def _slips(connection: Connection, log: Log | None) -> Iterator[tuple[int, bytes, Slip | None]]:
    if log is None:
        return
    for start in range(0, log.size, _CHUNK):
        for place, leaf in enumerate(log_store.load_leaves(connection, log.id, start, _CHUNK)):
            yield start + place, leaf, read_slip(leaf)


def _tell(connection: Connection, home: str, hub: str) -> dict[tuple[int, int], _Told]:
    """Tell each slip of ours again, from our log, the hub's, and the receivers' own signed answers."""
    own, theirs = log_store.find_log(connection, home, hub), log_store.find_log(connection, hub, home)
    told: dict[tuple[int, int], _Told] = {}
    if own is None:
        return told
    epoch = 1
    epochs: dict[int, int] = {}
    for index, _leaf, slip in _slips(connection, own):
        for message in () if slip is None else slip.messages:
            epoch = message.epoch if isinstance(message, Restored) else epoch
        cede = None if slip is None else find_cede(slip)
        if slip is not None and cede is not None:
            epochs[index] = epoch
            told[epoch, index] = _Told(slip.to, cede.count, sum(cede.cents), index)
    for _index, _leaf, slip in _slips(connection, theirs):
        for message in () if slip is None else slip.messages:
            if slip is not None:
                _tell_one(connection, told, epochs, slip, message)
    return told


def _tell_one(
    connection: Connection,
    told: Mapping[tuple[int, int], _Told],
    epochs: Mapping[int, int],
    slip: Slip,
    message: object,
) -> None:
    if isinstance(message, Verdict):
        one = told.get((epochs.get(message.index, 0), message.index))
        if one is not None and one.state is CessionState.QUEUED:
            refused = (
                dict.fromkeys(range(one.count), message.slip_code)
                if message.slip_code
                else dict(zip(message.refused, message.codes, strict=True))
            )
            one.state = CessionState.CLEARED
            one.end(refused, CessionState.REFUSED)
            one.cleared_at = slip.at if one.state is CessionState.CLEARED else None
    elif isinstance(message, HandedOver):
        for index in message.indexes:
            one = told.get((epochs.get(index, 0), index))
            if one is not None and one.state is CessionState.CLEARED:
                one.state, one.handed_at = CessionState.HANDED_OVER, slip.at
    elif isinstance(message, Stopped):
        one = told.get((epochs.get(message.index, 0), message.index))
        if one is not None and one.state is CessionState.CLEARED:
            one.end(dict.fromkeys(message.recalled, ""), CessionState.RECALLED)
            one.end(dict.fromkeys(message.expired, ""), CessionState.EXPIRED)
    elif isinstance(message, Forward):
        leaf = connection.execute(
            select(received_slips.c.leaf).where(
                received_slips.c.origin == message.origin,
                received_slips.c.epoch == message.epoch,
                received_slips.c.ix == message.index,
            )
        ).scalar()
        answered = None if leaf is None else read_slip(bytes(leaf))
        for answer in () if answered is None else answered.messages:
            if isinstance(answer, Answer):
                one = told.get((answer.epoch, answer.index))
                if one is not None and one.taker == message.origin and one.state is CessionState.HANDED_OVER:
                    one.state = CessionState.DELIVERED
                    one.end(dict(zip(answer.returned, answer.codes, strict=True)), CessionState.RETURNED)
                    if len(answer.returned) + len(answer.skipped) < one.count:
                        one.state = CessionState.DELIVERED


def _check_sent(connection: Connection, told: Mapping[tuple[int, int], _Told]) -> Checked:
    rows = connection.execute(
        select(
            sent_slips.c.epoch,
            sent_slips.c.ix,
            sent_slips.c.taker,
            sent_slips.c.count.label("cessions"),
            sent_slips.c.cents,
            sent_slips.c.state,
            sent_slips.c.cleared_at,
            sent_slips.c.handed_at,
        )
    ).all()
    findings: list[Finding] = []
    seen: set[tuple[int, int]] = set()
    for row in rows:
        key = (row.epoch, row.ix)
        seen.add(key)
        one = told.get(key)
        expected = (
            None if one is None else (one.taker, one.count, one.cents, str(one.state), one.cleared_at, one.handed_at)
        )
        found = (row.taker, row.cessions, row.cents, row.state, row.cleared_at, row.handed_at)
        if expected != found:
            findings.append(Finding("I5", f"sent slip {row.ix}", _show(expected), _show(found)))
    findings += [
        Finding("I5", f"sent slip {key[1]}", f"{told[key].cents} cents to {told[key].taker}", "missing")
        for key in sorted(told.keys() - seen)
    ]
    return Checked("I5", "slips sent stand where the logs say", len(rows), tuple(findings))


def _check_cessions(connection: Connection, told: Mapping[tuple[int, int], _Told], own: Log | None) -> Checked:
    findings: list[Finding] = []
    counts: dict[tuple[int, int], int] = defaultdict(int)
    looked_at, at, one = 0, (-1, -1), None
    sums: list[int] = []
    terms: tuple[int, ...] = ()
    wanted = (cessions.c.epoch, cessions.c.ix, cessions.c.place)
    for epoch, ix, place, *found in stream(
        connection,
        select(*wanted, cessions.c.cents, cessions.c.term, cessions.c.exception, cessions.c.code).order_by(*wanted),
    ):
        looked_at += 1
        if at != (epoch, ix):
            at, one = (epoch, ix), told.get((epoch, ix))
            sums, terms = _load_places(connection, own, one)
        counts[at] += 1
        if one is None or place >= len(sums):
            findings.append(Finding("I5", f"cession {ix}/{place}", "a place in a slip", "none"))
            continue
        state, code = one.exceptions.get(place, (None, ""))
        expected = [sums[place], terms[place] if terms else 0, None if state is None else str(state), code]
        if expected != found:
            findings.append(Finding("I5", f"cession {ix}/{place}", _show(tuple(expected)), _show(tuple(found))))
    findings += [
        Finding("I5", f"sent slip {key[1]}", f"{one.count} cessions", str(counts.get(key, 0)))
        for key, one in told.items()
        if counts.get(key, 0) != one.count
    ]
    return Checked("I5", "cessions are those of the slips", looked_at, tuple(findings))


def _load_places(connection: Connection, own: Log | None, one: _Told | None) -> tuple[list[int], tuple[int, ...]]:
    """Return cents and terms of each cession of a slip of ours, from our log."""
    leaves = () if own is None or one is None else log_store.load_leaves(connection, own.id, one.log_ix, 1)
    slips = [read_slip(leaf) for leaf in leaves]
    cedes = [find_cede(slip) for slip in slips if slip is not None]
    return next(((_cents_by_place(cede), cede.terms) for cede in cedes if cede is not None), ([], ()))


def _cents_by_place(cede: Cede) -> list[int]:
    sums: list[int] = []
    at = 0
    for count in cede.counts or (1,) * len(cede.cents):
        sums.append(sum(cede.cents[at : at + count]))
        at += count
    return sums


def _sum_of_ops(connection: Connection, side: str) -> Iterator[_Posted]:
    """Yield, in the order of ops, what was posted of rights that touch another territory."""
    transfers, accounts = ledger.transfers, ledger.accounts
    kinds = ("cede_out", "given_back") if side == "debit" else ("cede_in",)
    numbers = {row[0]: row[1] for row in connection.execute(select(accounts.c.id, accounts.c.number))}
    last: _Posted | None = None
    for op, account_id, cents, reference in stream(
        connection,
        select(transfers.c.op, transfers.c[side], transfers.c.cents, transfers.c.reference)
        .where(transfers.c.kind.in_(kinds))
        .order_by(transfers.c.op, transfers.c.part),
    ):
        number = numbers.get(account_id)
        if last is not None and last.op == op:
            last = _Posted(op, number, last.cents + cents, reference or last.reference)
            continue
        if last is not None:
            yield last
        last = _Posted(op, number, cents, reference)
    if last is not None:
        yield last


def _check_cession_postings(connection: Connection) -> Checked:
    """What left is what was debited, from whom and for whom the slips say. Both sides are read in the order of ops."""
    findings: list[Finding] = []
    settled = {bytes(row.settled_by) for row in store.load_unplaced(connection, open_only=False) if row.settled_by}
    table = cessions.c
    rows = stream(
        connection,
        select(table.op, table.ix, table.place, table.account, table.beneficiary, table.cents).order_by(table.op),
    )
    looked_at = 0
    for row, posted in pair_by_first(rows, _sum_of_ops(connection, "debit")):
        if row is None:
            if posted is not None and posted.op not in settled:
                said = f"{posted.cents} cents left {posted.number} without one"
                findings.append(Finding("I1", f"transfer {posted.op.hex()}", "a cession", said))
            continue
        looked_at += 1
        _op, ix, at, account, beneficiary, cents = row
        if posted is None or posted.number != account or posted.cents != cents:
            said = "None" if posted is None else _show(posted[1:])
            findings.append(Finding("I1", f"cession {ix}/{at}", f"{cents} cents of {account}", said))
        elif not posted.reference.startswith(f"to {beneficiary} "):
            findings.append(Finding("I1", f"cession {ix}/{at}", posted.reference, f"to {beneficiary}"))
    return Checked("I1", "what left was debited, once", looked_at, tuple(findings))


def _check_received(connection: Connection, directory: Directory, home: str, hub: str) -> Checked:
    """Slips of others are proved again: their author signed a head when it wrote them, and they are for us."""
    forwards = {
        (message.origin, message.epoch, message.index): (index, message)
        for index, _leaf, slip in _slips(connection, log_store.find_log(connection, hub, home))
        for message in (() if slip is None else slip.messages)
        if isinstance(message, Forward)
    }
    findings: list[Finding] = []
    rows = connection.execute(select(received_slips)).all()
    for row in rows:
        place = f"slip {row.ix} of {row.origin}"
        told = forwards.get((row.origin, row.epoch, row.ix))
        author = directory.find(row.origin)
        try:
            statement = decode_typed(bytes(row.statement), HeadStatement, size_max=STATEMENT_BYTES_MAX)
        except NotCanonical:
            findings.append(Finding("I7", place, "its author's head", "bytes that are none"))
            continue
        key = None if author is None else author.find_any_key(statement.key)
        slip = read_slip(bytes(row.leaf))
        if told is None or told[1].leaf_hash != merkle.hash_leaf(bytes(row.leaf)) or told[0] != row.hub_ix:
            findings.append(Finding("I7", place, "the slip that the hub handed over", "another"))
        elif key is None or not is_statement_signed(key.signing, bytes(row.statement), bytes(row.signature)):
            findings.append(Finding("I7", place, "its author's signature", "none that fits"))
        elif slip is None or slip.to != home:
            findings.append(Finding("I7", place, f"a slip for {home}", "another"))
    return Checked("I7", "slips received are their authors'", len(rows), tuple(findings))


def _check_arrivals(connection: Connection, home: str, hub: str) -> Checked:
    """What was credited is what the authors' slips say and what our own answers told them."""
    own = log_store.find_log(connection, home, hub)
    posted = {one.op: one for one in _sum_of_ops(connection, "credit")}
    findings: list[Finding] = []
    rows = connection.execute(select(arrivals)).all()
    by_slip: dict[tuple[str, int, int], dict[int, object]] = {}
    for row in rows:
        by_slip.setdefault((row.origin, row.epoch, row.ix), {})[row.place] = row
        if row.state != "delivered":
            continue
        first = posted.pop(bytes(row.op), None)
        second = posted.pop(foreign_op(bytes(row.op)), None)
        cents = (first.cents if first else 0) + (second.cents if second else 0)
        one = first or second
        number = None if one is None else one.number
        if (number, cents) != (row.account, row.cents):
            findings.append(
                Finding(
                    "I1",
                    f"arrival {row.origin}/{row.ix}/{row.place}",
                    f"{row.cents} cents to {row.account}",
                    f"{cents} cents to {number}",
                )
            )
    brought = {bytes(row.op) for row in store.load_unplaced(connection, open_only=False)}
    findings += [
        Finding("I1", f"transfer {op.hex()}", "an arrival", f"{one.cents} cents reached {one.number} without one")
        for op, one in posted.items()
        if op not in brought
    ]
    for slip in connection.execute(
        select(
            received_slips.c.origin,
            received_slips.c.epoch,
            received_slips.c.ix,
            received_slips.c.leaf,
            received_slips.c.answer_ix,
        )
    ).all():
        findings += _compare_answer(connection, own, slip, by_slip.pop((slip.origin, slip.epoch, slip.ix), {}))
    findings += [
        Finding("I1", f"arrival {row.origin}/{row.ix}/{row.place}", "a slip that was received", f"{row.cents} cents")
        for row in rows
        if (row.origin, row.epoch, row.ix) in by_slip
    ]
    return Checked("I1", "what arrived was credited, once", len(rows), tuple(findings))


def _compare_answer(connection: Connection, own: Log | None, row, found) -> list[Finding]:  # type: ignore[no-untyped-def]
    place = f"slip {row.ix} of {row.origin}"
    slip = read_slip(bytes(row.leaf))
    cede = None if slip is None else find_cede(slip)
    if cede is None or slip is None or find_convert(slip) is not None:
        return [] if not found else [Finding("I1", place, "no arrival", f"{len(found)}")]
    if own is None or row.answer_ix is None or row.answer_ix >= own.size:
        return [Finding("I5", place, "an answer of ours", "none")]
    answered = read_slip(log_store.load_leaf(connection, own.id, row.answer_ix))
    answers = [message for message in (() if answered is None else answered.messages) if isinstance(message, Answer)]
    if len(answers) != 1 or (answers[0].epoch, answers[0].index) != (row.epoch, row.ix):
        return [Finding("I5", place, "our answer on it", "another")]
    answer = answers[0]
    codes = dict(zip(answer.returned, answer.codes, strict=True))
    cents = _cents_by_place(cede)
    findings: list[Finding] = []
    for at in range(cede.count):
        arrival = found.get(at)
        if at in answer.skipped:
            if arrival is not None:
                findings.append(Finding("I1", f"{place}, place {at}", "skipped", "an arrival"))
        elif arrival is None:
            if at not in codes:
                findings.append(Finding("I1", f"{place}, place {at}", "an arrival", "none"))
        else:
            state = "returned" if at in codes else "delivered"
            expected = (cents[at], state, codes.get(at, ""))
            if expected != (arrival.cents, arrival.state, arrival.code[:48]):
                findings.append(
                    Finding(
                        "I5",
                        f"arrival {row.origin}/{row.ix}/{at}",
                        _show(expected),
                        _show((arrival.cents, arrival.state, arrival.code)),
                    )
                )
    return findings


def _check_road(connection: Connection) -> Checked:
    """Rights in transit are exactly those of the cessions that have not ended."""
    held = connection.execute(
        select(func.coalesce(func.sum(ledger.holdings.c.cents), 0))
        .join(ledger.accounts, ledger.accounts.c.id == ledger.holdings.c.account_id)
        .where(ledger.accounts.c.kind == str(AccountKind.TRANSIT))
    ).scalar_one()
    rows = connection.execute(
        select(sent_slips.c.state, cessions.c.exception, func.count(), func.sum(cessions.c.cents))
        .join(sent_slips, (sent_slips.c.epoch == cessions.c.epoch) & (sent_slips.c.ix == cessions.c.ix))
        .group_by(sent_slips.c.state, cessions.c.exception)
    ).all()
    on_the_way = sum(
        int(cents)
        for state, exception, _count, cents in rows
        if state_of(CessionState(state), None if exception is None else CessionState(exception)) not in TERMINAL
    )
    findings = (
        ()
        if int(held) == on_the_way
        else (Finding("I1", "account transit", f"{on_the_way} cents on the way", f"{int(held)} cents"),)
    )
    return Checked("I1", "rights in transit are named one by one", sum(row[2] for row in rows), findings)


def _check_reconciliation(connection: Connection) -> Checked:
    """The hub's last statement agreed with our book, and nothing it told contradicts it."""
    last = connection.execute(select(reconciliations).order_by(reconciliations.c.id.desc()).limit(1)).first()
    findings = [Finding("I4", row.place, row.expected, row.found) for row in store.load_breaks(connection)]
    if last is not None and not last.is_equal:
        findings.append(Finding("I4", f"statement at hub slip {last.hub_ix}", "no break", last.breaks))
    looked_at = connection.execute(select(func.count()).select_from(reconciliations)).scalar_one()
    return Checked("I4", "the hub's view is ours", looked_at, tuple(findings))


def _check_unplaced(connection: Connection) -> Checked:
    """No rights left that this book, once an old copy, could not place."""
    rows = store.load_unplaced(connection, open_only=False)
    return Checked(
        "I1",
        "what left since an old copy is placed",
        len(rows),
        tuple(
            Finding(
                "I1",
                f"account {row.account or 'unknown'}, our slip {row.epoch}/{row.ix}/{row.place}",
                "rights that this book knew",
                f"{row.cents} cents credited after the backup: say whose they were (unplaced {row.id})",
            )
            for row in rows
            if row.settled_at is None
        ),
    )


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_show(part) for part in value)
    return str(value)
