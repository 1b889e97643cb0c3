"""Groups and guides against what was signed: each act again, with the consent of its moment, and the log of the projects' base."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from node.guides import store
from node.guides.acts import ActWords, CedeAct, OrientAct, RecallAct, SignedAct, TakeBackAct, is_act_signed, read_act
from node.guides.consents import count_consent, require_accredited, require_consent
from node.guides.parameters_store import load_consent_rules
from node.guides.tables import guide_acts, guided_groups, guides, metadata
from node.ledger.accounts import AccountKind
from node.ledger.reading_service import find_account, find_operation
from node.orientation import store as orientation_store
from node.orientation.projects import day_at
from protocol.errors import Refusal
from protocol.exchange.talk_store import load_talk
from protocol.findings import Checked, Finding
from protocol.house import BaseName, GuideAccredited, GuideEnded
from protocol.identifiers import AccountNumber, Id16

INVARIANT: Final = "guides"


def check_guides(connection: Connection, *, home: str) -> list[Checked]:
    """Return each rule of groups and guides, how much was looked at, and the first place where it is broken."""
    return [_check_told(connection), _check_acts(connection, home), _check_rows(connection)]


def _rows(connection: Connection, table: Any) -> list[Any]:
    return list(connection.execute(select(table).order_by(*table.primary_key)).all())


def _check_told(connection: Connection) -> Checked:
    """Guides are those whom the projects' base told of, and those ended whom it ended."""
    told: dict[bytes, tuple[bytes, int, int]] = {}
    ended: dict[bytes, str] = {}
    for message in load_talk(connection, BaseName.PROJECTS, BaseName.ACCOUNTS):
        match message:
            case GuideAccredited():
                told.setdefault(message.id, (message.key, message.from_day, message.until_day))
            case GuideEnded() if message.id in told:
                ended.setdefault(message.id, message.code)
            case _:
                continue
    kept = {bytes(row.id): row for row in _rows(connection, guides)}
    first: Finding | None = None
    for id_ in sorted(told.keys() | kept.keys()):
        row = kept.get(id_)
        expected = (told.get(id_), ended.get(id_, ""))
        found = (None, "") if row is None else ((bytes(row.key), row.from_day, row.until_day), row.ended_code)
        if first is None and expected != found:
            first = Finding(INVARIANT, f"guides {id_.hex()}", str(expected), str(found))
    rule = "guides are those whom the projects' base told of"
    return Checked(INVARIANT, rule, len(told.keys() | kept.keys()), () if first is None else (first,))


def _check_acts(connection: Connection, home: str) -> Checked:
    first: Finding | None = None
    rows = _rows(connection, guide_acts)
    for row in rows:
        wrong = _find_wrong(connection, row, home)
        if wrong and first is None:
            first = Finding(INVARIANT, f"guide_acts {bytes(row.op).hex()}", "signed, consented to, and done", wrong)
    rule = "each act of a guide is signed, was consented to in its moment, and was done"
    return Checked(INVARIANT, rule, len(rows), () if first is None else (first,))


def _find_wrong(connection: Connection, row: Any, home: str) -> str:
    try:
        words = read_act(bytes(row.words))
        guide = connection.execute(select(guides).where(guides.c.id == row.guide)).first()
        if guide is None:
            return "nobody's"
        told = (words.territory, words.id, words.guide, words.account)
        if told != (home, bytes(row.op), bytes(row.guide), row.account):
            return "its words name something else"
        if not is_act_signed(SignedAct(bytes(row.words), bytes(row.signature)), bytes(guide.key)):
            return "not signed by its guide"
        if row.at > words.until:
            return "after its words were to be used"
        _require_then(connection, guide, row)
    except Refusal as refusal:
        return str(refusal)
    return "" if _is_done(connection, words) else "nothing was done under its id"


def _require_then(connection: Connection, guide: Any, row: Any) -> None:
    """Require term and consent as they were. What was written in the same instant may have come before or after."""
    at, today = row.at, day_at(row.at)
    standing = store.make_guide(guide)
    if guide.ended_at is not None and guide.ended_at >= at:
        standing = replace(standing, ended_code="")
    require_accredited(standing, today)
    rules = load_consent_rules(today)
    consents = [
        store.make_consent(one, is_withdrawn=one.withdrawn_at is not None and one.withdrawn_at < at)
        for one in store.load_consent_rows(connection, row.account)
        if one.at <= at
    ]
    tried = []
    for is_before in (False, True):
        members = [
            one.member
            for one in store.load_member_rows(connection, row.account)
            if (one.at < at if is_before else one.at <= at) and (one.left_at is None or one.left_at >= at)
        ]
        tried.append(count_consent(members, consents, standing.id, today, rules))
    enough = next((given for given in tried if given.is_enough), tried[0])
    require_consent(row.account, enough, standing.id)


def _is_done(connection: Connection, words: ActWords) -> bool:
    op = Id16(words.id)
    match words.act:
        case OrientAct() | TakeBackAct():
            return orientation_store.find_ask(connection, op) is not None
        case CedeAct():
            view = find_operation(connection, op)
            return view.state != "unknown" and view.debit == words.account
        case RecallAct():
            return True  # the recall itself is in the log to the hub, which other rules look at


def _check_rows(connection: Connection) -> Checked:
    """Rows are as they were written, members and consents belong to groups that are some."""
    first: Finding | None = None
    looked_at = 0
    for table in metadata.sorted_tables:
        for row in _rows(connection, table):
            looked_at += 1
            place = f"{table.name} {' '.join(_show(row._mapping[key]) for key in table.primary_key)}"
            if first is None and bytes(row.seal) != store.seal_of(table, row):
                first = Finding(INVARIANT, place, "as it was sealed", "another")
            if first is None and table is guided_groups:
                account = find_account(connection, AccountNumber(row.account))
                if account is None or account.kind is not AccountKind.GROUP:
                    first = Finding(INVARIANT, place, "an account of a group", "none")
    rule = "groups, members and consents are as they were written"
    return Checked(INVARIANT, rule, looked_at, () if first is None else (first,))


def _show(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
