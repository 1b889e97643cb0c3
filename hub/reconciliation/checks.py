"""The hub's invariants: I1, I3, I4, I5 and I7, each as a comparison of tables with the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select

from hub.catalogue.checks import RULE as PUBLISHED
from hub.catalogue.checks import check_publications
from hub.clearing.tables import abroad, ceded, exceptions, lots, positions, slips, transit
from hub.directory.tables import entries
from hub.settlement import store as settlement_store
from protocol.book import log_store
from protocol.book.checks import check_logs, guarded
from protocol.book.log_store import Log
from protocol.cession import CessionState
from protocol.directory import Directory
from protocol.exchange.service import EVERYBODY
from protocol.findings import Checked, Finding
from protocol.messages import Forward, HandedOver, Slip, Stopped, Verdict, WindowClosed
from protocol.national import (
    DirectoryChanged,
    SlipKey,
    SlipRecord,
    SlipRetaken,
    SlipTaken,
    WindowNetted,
    decode_national,
    find_cede,
    read_slip,
)
from protocol.obligations import Obligation
from protocol.replay import DoesNotFollow, Replay

Progress = Callable[[str], None]
_CHUNK: Final = 512


def replay(connection: Connection, hub: str, on_progress: Progress) -> tuple[Replay, list[Checked]]:
    """Replay the national log; return the state it gives, and whether every leaf follows."""
    logs = _logs_by_owner(connection, hub)
    state = Replay(lambda key: _find_leaf(connection, logs, key))
    national = log_store.find_log(connection, hub, EVERYBODY)
    findings: list[Finding] = []
    if national is not None:
        for leaf in _leaves(connection, national):
            if state.size % 1_000 == 0:
                on_progress(f"national log, leaf {state.size} of {national.size}")
            try:
                state.take(leaf)
            except DoesNotFollow as refusal:
                findings.append(
                    Finding(
                        "I5",
                        f"national log, leaf {refusal.facts['index']}",
                        "a leaf that follows",
                        str(refusal.facts["reason"]),
                    )
                )
                break
    return state, [Checked("I5", "every leaf of the national log follows", state.size, tuple(findings))]


def _leaves(connection: Connection, log: Log) -> Iterator[bytes]:
    for start in range(0, log.size, _CHUNK):
        yield from log_store.load_leaves(connection, log.id, start, _CHUNK)


def _logs_by_owner(connection: Connection, hub: str) -> dict[str, int]:
    return {log.owner: log.id for log in log_store.load_logs(connection) if log.reader == hub}


def _find_leaf(connection: Connection, logs: Mapping[str, int], key: SlipKey) -> bytes | None:
    log_id = logs.get(key[0])
    if log_id is None:
        return None
    found = log_store.load_leaves(connection, log_id, key[2], 1)
    return found[0] if found else None


def check_hub(connection: Connection, *, hub: str, on_progress: Progress) -> list[Checked]:
    """Check every invariant the hub can check alone."""
    states: list[Replay] = []

    def follow() -> list[Checked]:
        state, followed = replay(connection, hub, on_progress)
        states.append(state)
        return followed

    checked = guarded("I5", "the national log can be replayed", follow)
    state = states[0] if states else Replay(lambda _key: None)
    for invariant, rule, run in (
        ("I4", "tables are those of the log", lambda: compare_with_replay(connection, state)),
        ("I1", "all rights abroad are held or on the way", lambda: [_check_totals(connection)]),
        ("I3", "nothing is below zero", lambda: [_check_signs(connection)]),
        ("I7", "the directory is the log's", lambda: [_check_directory(connection, hub, state.directory)]),
        ("I5", "members were told the log", lambda: [_check_told(connection, hub, state.records, on_progress)]),
        ("I7", PUBLISHED, lambda: [check_publications(connection, state.directory)]),
        ("I7", "logs are whole", lambda: check_logs(connection, state.directory, on_progress)),
    ):
        checked += guarded(invariant, rule, run)
    return checked


def compare_with_replay(connection: Connection, state: Replay) -> list[Checked]:
    """Compare every table of positions and slips with what the log alone gives."""
    names = {row.id: (row.issuer, bytes(row.ref)) for row in connection.execute(select(lots))}
    keys = {
        row.id: (row.origin, row.epoch, row.ix)
        for row in connection.execute(select(slips.c.id, slips.c.origin, slips.c.epoch, slips.c.ix))
    }

    def rows(table: Table, *columns: str) -> list[Any]:
        return list(connection.execute(select(*(table.c[name] for name in columns))).all())

    found_lots = {
        (row.issuer, bytes(row.ref)): (row.kind, row.month) for row in rows(lots, "issuer", "ref", "kind", "month")
    }
    found_positions = {
        (names.get(row.lot_id), row.holder): row.cents
        for row in rows(positions, "lot_id", "holder", "cents")
        if row.cents
    }
    found_transit = {
        (keys.get(row.slip_id), names.get(row.lot_id)): row.cents for row in rows(transit, "slip_id", "lot_id", "cents")
    }
    found_abroad = {row.issuer: row.cents for row in rows(abroad, "issuer", "cents") if row.cents}
    found_ceded = {(row.member, row.day): row.cents for row in rows(ceded, "member", "day", "cents") if row.cents}
    found_slips = {
        (row.origin, row.epoch, row.ix): (row.taker, row.count_, row.state, row.code)
        for row in connection.execute(
            select(
                slips.c.origin,
                slips.c.epoch,
                slips.c.ix,
                slips.c.taker,
                slips.c.count.label("count_"),
                slips.c.state,
                slips.c.code,
            )
        )
    }
    found_exceptions = {
        (keys.get(row.slip_id), row.place): (row.state, row.code)
        for row in rows(exceptions, "slip_id", "place", "state", "code")
    }
    expected_slips = {
        key: (record.taker, record.count, str(record.state), state.slip_codes[key])
        for key, record in state.records.items()
    }
    expected_exceptions = {
        (key, place): (str(exception), state.codes[key].get(place, ""))
        for key, record in state.records.items()
        for place, exception in _stored_exceptions(record.state, record.exceptions, state.codes[key]).items()
    }
    return [
        _compare(
            "I4", "positions are those of the log", "position", _without_zero(state.positions.cents), found_positions
        ),
        _compare("I4", "rights on the way are those of the log", "transit", state.transit, found_transit),
        _compare("I4", "lots are as first announced", "lot", state.positions.lots, found_lots),
        _compare(
            "I4", "totals abroad are those of the log", "abroad", _without_zero(state.positions.abroad), found_abroad
        ),
        _compare("I4", "daily totals are those of the log", "ceded", _without_zero(state.positions.ceded), found_ceded),
        _compare("I5", "slips stand where the log says", "slip", expected_slips, found_slips),
        _compare(
            "I5", "cessions that left their slip are those of the log", "cession", expected_exceptions, found_exceptions
        ),
        _compare(
            "I8",
            "what funds owe is what the log says",
            "obligation",
            {key: _tell_obligation(one) for key, one in state.obligations.items()},
            {key: _tell_obligation(one) for key, one in settlement_store.load_all(connection)},
        ),
        _compare(
            "I8",
            "funds net where the log says so",
            "netting",
            state.nettings,
            settlement_store.load_nettings(connection),
        ),
        _compare(
            "I8",
            "windows are those of the log",
            "window",
            state.windows,
            {number: closed_on for number, _, closed_on in settlement_store.load_windows(connection) if closed_on},
        ),
        _compare(
            "I8",
            "what funds pay at the end of a window is what netting gives",
            "payment",
            {key: _tell_obligation(one) for key, one in state.net_payments.items()},
            {key: _tell_obligation(one) for key, one in settlement_store.load_payments(connection).items()},
        ),
        _check_terms(connection),
    ]


def _tell_obligation(one: Obligation) -> tuple[object, ...]:
    said = (one.said or 0, one.said_on, one.confirmed_on)
    return one.debtor, one.creditor, one.project, one.cents, *said, one.window


def _stored_exceptions(
    state: CessionState, named: Mapping[int, CessionState], codes: Mapping[int, str]
) -> dict[int, CessionState]:
    """A slip refused item by item names every item, though its state says it already."""
    if state is CessionState.REFUSED:
        return dict.fromkeys(codes, CessionState.REFUSED)
    return dict(named)


def _without_zero(sums: Mapping[Any, int]) -> dict[Any, int]:
    return {key: cents for key, cents in sums.items() if cents}


def _show(key: object) -> str:
    if isinstance(key, bytes):
        return key.hex()
    if isinstance(key, tuple):
        return "/".join(_show(part) for part in key)
    return str(key)


def _compare(invariant: str, rule: str, name: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Checked:
    findings = [
        Finding(
            invariant, f"{name} {_show(key)}", _show(expected.get(key, "nothing")), _show(found.get(key, "nothing"))
        )
        for key in sorted({*expected, *found}, key=_show)
        if expected.get(key) != found.get(key)
    ]
    return Checked(invariant, rule, len({*expected, *found}), tuple(findings))


def _check_terms(connection: Connection) -> Checked:
    """The term that wakes the hub is the first term of what still waits."""
    logs = {log.owner: log.id for log in log_store.load_logs(connection)}
    findings: list[Finding] = []
    waiting = connection.execute(
        select(slips.c.id, slips.c.origin, slips.c.epoch, slips.c.ix, slips.c.term).where(
            slips.c.state == str(CessionState.CLEARED)
        )
    ).all()
    for row in waiting:
        leaf = _find_leaf(connection, logs, (row.origin, row.epoch, row.ix))
        slip = None if leaf is None else read_slip(leaf)
        cede = None if slip is None else find_cede(slip)
        if cede is None:
            continue
        gone = set(connection.execute(select(exceptions.c.place).where(exceptions.c.slip_id == row.id)).scalars())
        first = min((term for place, term in enumerate(cede.terms) if term and place not in gone), default=0)
        if row.term not in (first, min((term for term in cede.terms if term), default=0)):
            findings.append(
                Finding("I5", f"slip {row.origin}/{row.epoch}/{row.ix}", f"term {first}", f"term {row.term}")
            )
    return Checked("I5", "terms are those of the slips", len(waiting), tuple(findings))


def _check_totals(connection: Connection) -> Checked:
    """I1 as far as the hub sees it: all rights that left an issuer are somewhere, named."""
    sums: dict[str, int] = {}
    for table in (positions, transit):
        for issuer, cents in connection.execute(
            select(lots.c.issuer, func.sum(table.c.cents))
            .join(lots, lots.c.id == table.c.lot_id)
            .group_by(lots.c.issuer)
        ):
            sums[issuer] = sums.get(issuer, 0) + int(cents)
    found = {row.issuer: row.cents for row in connection.execute(select(abroad)) if row.cents}
    return _compare("I1", "all rights abroad are held or on the way", "issuer", _without_zero(sums), found)


def _check_signs(connection: Connection) -> Checked:
    findings: list[Finding] = []
    looked_at = 0
    for table in (positions, transit, abroad, ceded):
        looked_at += connection.execute(select(func.count()).select_from(table)).scalar_one()
        for row in connection.execute(select(table).where(table.c.cents < 0)):
            findings.append(Finding("I3", f"{table.name} {_show(tuple(row)[:-1])}", "0 or more", str(row.cents)))
    return Checked("I3", "nothing is below zero", looked_at, tuple(findings))


def _check_directory(connection: Connection, hub: str, replayed: Directory) -> Checked:
    """The entries that members are shown are the leaves of the national log."""
    national = log_store.find_log(connection, hub, EVERYBODY)
    findings: list[Finding] = []
    rows = connection.execute(select(entries).order_by(entries.c.number)).all()
    for row in rows:
        leaf = log_store.load_leaves(connection, national.id, row.national, 1) if national is not None else []
        entry = decode_national(leaf[0]) if leaf else None
        if not isinstance(entry, DirectoryChanged) or entry.entry != bytes(row.entry):
            findings.append(
                Finding("I7", f"directory entry {row.number}", f"leaf {row.national} of the national log", "another")
            )
            break
    if not findings and len(rows) != replayed.size:
        findings.append(Finding("I7", "directory", f"{replayed.size} entries", f"{len(rows)}"))
    return Checked("I7", "the directory is that of the national log", len(rows), tuple(findings))


def _check_told(
    connection: Connection, hub: str, records: Mapping[SlipKey, SlipRecord], on_progress: Progress
) -> Checked:
    """What each member was told is what the national log says."""
    findings: list[Finding] = []
    looked_at = 0
    verdicts: dict[tuple[str, int], tuple[str, tuple[int, ...], tuple[str, ...]]] = {}
    untold: dict[tuple[str, int], WindowClosed] = {}
    national = log_store.find_log(connection, hub, EVERYBODY)
    if national is not None:
        for leaf in _leaves(connection, national):
            entry = decode_national(leaf)
            if isinstance(entry, SlipTaken | SlipRetaken):
                verdicts[entry.member, entry.index] = (entry.slip_code, entry.refused, entry.codes)
            elif isinstance(entry, WindowNetted):
                untold |= {(member, entry.window.window): entry.window for member in entry.window.members}
    for log in log_store.load_logs(connection):
        if log.owner != hub or log.reader == EVERYBODY:
            continue
        on_progress(f"what {log.reader} was told")
        for index, leaf in enumerate(_leaves(connection, log)):
            slip = read_slip(leaf)
            if slip is None:
                findings.append(Finding("I5", f"log {hub} to {log.reader}, leaf {index}", "a slip", "none"))
                break
            looked_at += 1
            findings += _compare_told(log.reader, index, slip, verdicts)
            findings += _compare_handed(log.reader, index, slip, records)
            for message in slip.messages:
                if isinstance(message, WindowClosed) and untold.pop((log.reader, message.window), None) != message:
                    place = f"slip {index} to {log.reader}, window {message.window}"
                    findings.append(Finding("I8", place, "the window of the national log, once", "another"))
    findings += [Finding("I8", f"window {number}, {member}", "told", "nothing") for member, number in sorted(untold)]
    return Checked("I5", "members were told what the national log says", looked_at, tuple(findings))


def _compare_told(
    member: str,
    index: int,
    slip: Slip,
    verdicts: Mapping[tuple[str, int], tuple[str, tuple[int, ...], tuple[str, ...]]],
) -> list[Finding]:
    findings: list[Finding] = []
    for message in slip.messages:
        if isinstance(message, Verdict):
            told = (message.slip_code, message.refused, message.codes)
            decided = verdicts.get((member, message.index))
            if told != decided:
                findings.append(
                    Finding("I5", f"slip {index} to {member}, verdict on {message.index}", _show(decided), _show(told))
                )
        elif isinstance(message, HandedOver | Stopped):
            # "Too late" is also the answer to a recall of what never was: it says nothing about a slip.
            is_about_slip = isinstance(message, HandedOver) or message.recalled or message.expired
            named = message.indexes if isinstance(message, HandedOver) else (message.index,) if is_about_slip else ()
            findings += [
                Finding("I5", f"slip {index} to {member}", "a slip that was taken", f"{member}/{one}")
                for one in named
                if (member, one) not in verdicts
            ]
    return findings


def _compare_handed(member: str, index: int, slip: Slip, records: Mapping[SlipKey, SlipRecord]) -> list[Finding]:
    """A receiver is told to skip what ended before the hand-over, and nothing else."""
    findings: list[Finding] = []
    for message in slip.messages:
        if not isinstance(message, Forward):
            continue
        record = records.get((message.origin, message.epoch, message.index))
        if record is None or record.taker != member:
            continue  # an answer, whose places are nobody's to skip
        ended = tuple(sorted(place for place, state in record.exceptions.items() if state is not CessionState.RETURNED))
        if record.state is CessionState.REFUSED or message.skipped != ended:
            place = f"slip {index} to {member}, {message.origin}/{message.index}"
            findings.append(Finding("I5", place, f"skip {list(ended)}", f"skip {list(message.skipped)}"))
    return findings


__all__ = ["check_hub", "compare_with_replay", "replay"]
