"""What others ask of our fund, against their slips and our own answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from node.federation.tables import conversions, received_slips
from node.ledger import tables as ledger
from node.ledger.accounts import AccountKind
from protocol.book import log_store
from protocol.findings import Checked, Finding
from protocol.house import make_due_id
from protocol.messages import Answer, Cede, Convert, Settled
from protocol.national import find_cede, find_convert, read_slip, sum_cessions

_Slip = tuple[str, int, int]


def check_conversions(connection: Connection, *, home: str, hub: str) -> Checked:
    """Each conversion is what its author's slip asks, is posted once if it is owed, and was answered and told so."""
    rows = connection.execute(select(conversions)).all()
    posted = _load_posted(connection)
    answered, told = _load_told(connection, home, hub)
    answered_slips = {(giver, answer.epoch, answer.index) for giver, answer in answered.values()}
    findings: list[Finding] = []
    by_slip: dict[_Slip, dict[int, Row[Any]]] = {}
    for row in rows:
        by_slip.setdefault((row.origin, row.epoch, row.ix), {})[row.place] = row
    for received in connection.execute(select(received_slips)).all():
        slip = read_slip(bytes(received.leaf))
        convert = None if slip is None else find_convert(slip)
        cede = None if slip is None else find_cede(slip)
        if convert is None or cede is None:
            continue
        key = (received.origin, received.epoch, received.ix)
        answer = answered.get(received.answer_ix)
        findings += _compare_slip(home, key, convert, cede, by_slip.pop(key, {}), answer)
    for row in rows:
        place = f"conversion {row.origin}/{row.ix}/{row.place}"
        if (row.origin, row.epoch, row.ix) in by_slip:
            findings.append(Finding("I6", place, "a slip that was received", f"{row.cents} cents"))
        is_answered = (row.origin, row.epoch, row.ix) in answered_slips
        expected = row.cents if row.state == "owed" and is_answered else 0
        found = posted.pop(bytes(row.op), 0)
        if found != expected:
            findings.append(Finding("I1", place, f"{expected} cents converted", f"{found} cents"))
        said = told.get((row.origin, row.epoch, row.ix, row.place), (0, 0))
        if (row.said, row.said_on) != said:
            findings.append(Finding("I6", place, f"told {said[0]} on {said[1]}", f"{row.said} on {row.said_on}"))
    findings += [
        Finding("I1", f"transfer {op.hex()}", "a conversion that somebody asked", f"{cents} cents converted")
        for op, cents in posted.items()
    ]
    return Checked("I6", "what others ask of our fund is what they signed", len(rows), tuple(findings))


def _compare_slip(
    home: str,
    key: _Slip,
    convert: Convert,
    cede: Cede,
    rows: Mapping[int, Row[Any]],
    answer: tuple[str, Answer] | None,
) -> list[Finding]:
    findings: list[Finding] = []
    cents = sum_cessions(cede)
    place = f"slip {key[2]} of {key[0]}"
    for at, row in rows.items():
        if at >= cede.count:
            findings.append(Finding("I6", f"{place}, place {at}", "nothing", f"{row.cents} cents"))
            continue
        asked = (make_due_id(convert.rounds[at], home), convert.projects[at], cents[at])
        found = (bytes(row.id), bytes(row.project), row.cents)
        if asked != found:
            findings.append(
                Finding("I6", f"{place}, place {at}", f"{cents[at]} cents", f"{row.cents} cents, or another")
            )
    is_open = any(row.state == "asked" for row in rows.values())
    if answer is None:
        return findings if is_open else [*findings, Finding("I5", place, "an answer of ours", "none")]
    if is_open or answer[0] != key[0] or (answer[1].epoch, answer[1].index) != key[1:]:
        return [*findings, Finding("I5", place, "our answer on it", "another, or one too early")]
    codes = {at: row.code[:48] for at, row in rows.items() if row.state == "refused"}
    if codes != dict(zip(answer[1].returned, answer[1].codes, strict=True)):
        findings.append(
            Finding("I5", place, str(dict(zip(answer[1].returned, answer[1].codes, strict=True))), str(codes))
        )
    if set(rows) | set(answer[1].skipped) != set(range(cede.count)):
        findings.append(Finding("I5", place, f"{cede.count} conversions", f"{len(rows)} kept"))
    return findings


def _load_posted(connection: Connection) -> dict[bytes, int]:
    """Return what was converted of rights that stood abroad, by op."""
    transfers, accounts = ledger.transfers, ledger.accounts
    rows = connection.execute(
        select(transfers.c.op, func.sum(transfers.c.cents))
        .join(accounts, accounts.c.id == transfers.c.debit)
        .where(transfers.c.kind == "conversion", accounts.c.kind == str(AccountKind.ABROAD))
        .group_by(transfers.c.op)
    )
    return {bytes(op): int(cents) for op, cents in rows}


def _load_told(
    connection: Connection, home: str, hub: str
) -> tuple[dict[int, tuple[str, Answer]], dict[tuple[str, int, int, int], tuple[int, int]]]:
    """Return our answers by their place in our log, and our last word on each conversion of others."""
    own = log_store.find_log(connection, home, hub)
    answers: dict[int, tuple[str, Answer]] = {}
    told: dict[tuple[str, int, int, int], tuple[int, int]] = {}
    wanted = {
        row[0]
        for row in connection.execute(select(received_slips.c.answer_ix).where(received_slips.c.answer_ix.is_not(None)))
    }
    for start in range(0, 0 if own is None else own.size, 512):
        assert own is not None
        for index, leaf in enumerate(log_store.load_leaves(connection, own.id, start, 512), start):
            slip = read_slip(leaf)
            for message in () if slip is None else slip.messages:
                if isinstance(message, Answer) and slip is not None and index in wanted:
                    answers[index] = (slip.to, message)
                elif isinstance(message, Settled) and message.giver != home:
                    for at, state, day in zip(message.places, message.states, message.days, strict=True):
                        told[message.giver, message.epoch, message.index, at] = (int(state), day)
    return answers, told
