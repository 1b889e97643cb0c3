"""The people's base proves itself: seals, journal, keys, look-ups, four eyes, and what the accounts signed.

It needs the base keys: whether a record stands in its own row is known by opening it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from node.people import store, tables
from node.people.accounts import LinkState
from node.people.erasures import ErasureState
from node.people.four_eyes import ProposalKind, ProposalState
from node.people.identities import IdentityKind
from node.people.journal_store import link_values, name_row, seal_row
from node.people.records import PersonState, decode_record, list_lookups
from node.people.roles import WordState
from node.people.vault import (
    BaseKeys,
    compute_link,
    compute_lookup,
    compute_seal,
    of_identity,
    of_record,
    open_sealed,
    unwrap,
)
from node.people.vault_store import KeyMissing, find_book_key
from protocol.book import log_store
from protocol.book.stream_store import stream
from protocol.errors import NotCanonical
from protocol.findings import Checked, Finding
from protocol.house import (
    BaseName,
    DutyEnded,
    DutyHeard,
    HolderOpened,
    HouseMessage,
    OpenHolder,
    decode_house_slip,
)
from protocol.identifiers import format_id

INVARIANT: Final = "people"
_CHUNK: Final = 256
FOUNDERS: Final = 2


class _Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._looked_at = 0
        self._first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        self._looked_at += 1
        if self._first is None and expected != found:
            self._first = Finding(INVARIANT, place, str(expected), str(found))

    def close(self) -> Checked:
        return Checked(INVARIANT, self._rule, self._looked_at, () if self._first is None else (self._first,))


def check_people(connection: Connection, base_keys: BaseKeys) -> list[Checked]:
    """Return each invariant of the people's base, on one snapshot, with the first place where it is broken."""
    rule = _Rule("the base keys of the folder open the book")
    try:
        book_key = find_book_key(connection, base_keys)
    except KeyMissing:
        rule.compare("book_keys", "a key that a base key opens", "none that opens")
        return [rule.close()]
    if book_key is None:
        has_rows = store.count_rows(connection, tables.persons) > 0
        rule.compare("book_keys", "a key", "none, and persons" if has_rows else "a key")
        return [rule.close()]
    rule.compare("book_keys", "a key", "a key")
    last, entries = _check_journal(connection, book_key)
    return [
        rule.close(),
        entries,
        _check_rows(connection, book_key, last),
        _check_door_keys(connection, book_key),
        _check_operations(connection, book_key),
        _check_records(connection, base_keys, book_key),
        _check_identities(connection, base_keys),
        _check_four_eyes(connection),
        _check_erasures(connection),
        _check_accounts(connection),
        _check_duties(connection),
    ]


def _check_journal(connection: Connection, book_key: bytes) -> tuple[dict[str, bytes | None], Checked]:
    """Return the seal that the journal says each row has, and whether its chain is whole."""
    rule = _Rule("the journal of who read and changed what is whole")
    last: dict[str, bytes | None] = {}
    previous, size = b"", 0
    for row in stream(connection, select(tables.journal).order_by(tables.journal.c.seq)):
        size += 1
        entry = dict(row._mapping)
        rule.compare(f"journal {row.seq}", f"entry {size}", f"entry {row.seq}")
        computed = compute_link(book_key, previous, link_values(entry))
        rule.compare(
            f"journal {row.seq}", "the hash of its chain", _is(computed == bytes(row.hash), "the hash of its chain")
        )
        previous = bytes(row.hash)
        if row.place:
            last[row.place] = None if row.seal is None else bytes(row.seal)
    head = connection.execute(select(tables.journal_heads)).first()
    if head is None:
        rule.compare("journal_heads", size, 0)
    else:
        is_sealed = compute_seal(book_key, "head", [head.size, bytes(head.hash)]) == bytes(head.seal)
        is_right = head.size == size and bytes(head.hash) == previous and is_sealed
        found = "the last entry" if is_right else f"another: {head.size} entries told, {size} there"
        rule.compare("journal_heads 1", "the last entry", found)
    return last, rule.close()


def _is(is_right: bool, right: str, wrong: str = "another") -> str:
    return right if is_right else wrong


def _check_rows(connection: Connection, book_key: bytes, last: dict[str, bytes | None]) -> Checked:
    rule = _Rule("each row is as its last writer left it, and none is missing or added")
    expected = {place: seal for place, seal in last.items() if seal is not None}
    for table in tables.JOURNALED:
        for row in stream(connection, select(table).order_by(*table.primary_key)):
            place = name_row(table, dict(row._mapping))
            is_sealed = seal_row(book_key, table, dict(row._mapping)) == bytes(row.seal)
            rule.compare(place, "as it was sealed", _is(is_sealed, "as it was sealed", "changed"))
            is_known = expected.pop(place, None) == bytes(row.seal)
            rule.compare(place, "what the journal says", _is(is_known, "what the journal says"))
    for place in expected:
        rule.compare(place, "a row", "none")
    return rule.close()


def _check_door_keys(connection: Connection, book_key: bytes) -> Checked:
    rule = _Rule("each key of a door is as this base made it, for a person of this base")
    persons = {format_id(bytes(row.id)) for row in connection.execute(select(tables.persons.c.id))}
    for row in connection.execute(select(tables.door_keys).order_by(tables.door_keys.c.id)):
        is_sealed = seal_row(book_key, tables.door_keys, dict(row._mapping)) == bytes(row.seal)
        rule.compare(f"door_keys {row.id}", "as it was sealed", _is(is_sealed, "as it was sealed", "changed"))
        rule.compare(f"door_keys {row.id}", "a person", _is(row.name in persons, "a person", "nobody"))
    return rule.close()


def _check_operations(connection: Connection, book_key: bytes) -> Checked:
    rule = _Rule("each change that was asked is remembered under its id, and no other is")
    asked = {
        bytes(op)
        for op in connection.execute(
            select(tables.journal.c.op).where(tables.journal.c.op.is_not(None), tables.journal.c.place != "").distinct()
        ).scalars()
    }
    noted = {
        bytes(op)
        for op in connection.execute(
            select(tables.journal.c.op).where(tables.journal.c.op.is_not(None)).distinct()
        ).scalars()
    }
    table = tables.operations
    for row in stream(connection, select(table).order_by(table.c.id)):
        place = f"operations {bytes(row.id).hex()}"
        is_sealed = seal_row(book_key, table, dict(row._mapping)) == bytes(row.seal)
        rule.compare(place, "as it was sealed", _is(is_sealed, "as it was sealed", "changed"))
        rule.compare(place, "in the journal", _is(bytes(row.id) in noted, "in the journal", "not there"))
        asked.discard(bytes(row.id))
    for op in sorted(asked):
        rule.compare(f"operations {op.hex()}", "an answer", "none")
    return rule.close()


def _check_records(connection: Connection, base_keys: BaseKeys, book_key: bytes) -> Checked:
    rule = _Rule("each record opens in its own row and is found by what it says; of whom was erased nothing is left")
    kept = {bytes(row.person): row for row in connection.execute(select(tables.data_keys))}
    found: dict[bytes, set[tuple[str, bytes]]] = {}
    for row in connection.execute(select(tables.lookups)):
        found.setdefault(bytes(row.person), set()).add((row.kind, bytes(row.digest)))
    for person in stream(connection, select(tables.persons).order_by(tables.persons.c.id)):
        id_ = bytes(person.id)
        place = f"persons {id_.hex()}"
        key_row = kept.pop(id_, None)
        records = store.list_rows(connection, tables.records, person=id_)
        lookups = found.pop(id_, set())
        if person.state == PersonState.ERASED:
            is_gone = key_row is not None and key_row.wrapped is None and not records and not lookups
            rule.compare(place, "nothing left", _is(is_gone, "nothing left", "a key, a record or a look-up"))
            held = store.list_rows(connection, tables.identities, person=id_)
            rule.compare(place, "no identity", _is(not held, "no identity", f"{len(held)}"))
            continue
        if key_row is None or key_row.wrapped is None:
            rule.compare(f"data_keys {id_.hex()}", "a data key", "none")
            continue
        key = unwrap(base_keys, bytes(key_row.base_key), bytes(key_row.wrapped), id_)
        if key is None:
            rule.compare(f"data_keys {id_.hex()}", "a key that opens for this person", "none that opens")
            continue
        versions = [row.version for row in records]
        rule.compare(place, list(range(1, person.version + 1)), versions)
        for row in records:
            there = f"records {id_.hex()} {row.version}"
            plain = open_sealed(key, bytes(row.sealed), of_record(id_, row.version))
            try:
                record = None if plain is None else decode_record(plain)
            except NotCanonical:
                record = None
            rule.compare(there, "a record that opens here", _is(record is not None, "a record that opens here", "none"))
            if record is not None and row.version == person.version:
                expected = {(str(kind), compute_lookup(book_key, kind, value)) for kind, value in list_lookups(record)}
                is_found = expected == lookups
                rule.compare(f"lookups {id_.hex()}", "what it says", _is(is_found, "what it says"))
    for id_ in (*kept, *found):
        rule.compare(f"persons {id_.hex()}", "a person", "none")
    return rule.close()


def _check_identities(connection: Connection, base_keys: BaseKeys) -> Checked:
    rule = _Rule("each passkey and account elsewhere opens in its own row")
    keys = {bytes(row.person): row for row in connection.execute(select(tables.data_keys))}
    for row in stream(connection, select(tables.identities).order_by(tables.identities.c.id)):
        if row.kind == IdentityKind.PAPER:
            continue
        person, place = bytes(row.person or b""), f"identities {bytes(row.id).hex()}"
        kept = keys.get(person)
        key = (
            None
            if kept is None or kept.wrapped is None
            else unwrap(base_keys, bytes(kept.base_key), bytes(kept.wrapped), person)
        )
        plain = None if key is None else open_sealed(key, bytes(row.sealed), of_identity(bytes(row.id), person))
        rule.compare(place, "opens here", _is(plain is not None, "opens here", "does not open"))
    return rule.close()


def _check_four_eyes(connection: Connection) -> Checked:
    rule = _Rule("each role, rule and text was approved by another than whoever proposed it")
    approved = {
        (bytes(row.id), row.kind)
        for row in store.list_rows(connection, tables.proposals, state=str(ProposalState.APPROVED))
        if bytes(row.decided_by) != bytes(row.proposed_by)
    }
    founders = 0
    for table, kind in (
        (tables.roles, ProposalKind.GRANT_ROLE),
        (tables.rules, ProposalKind.SET_RULE),
        (tables.consent_texts, ProposalKind.PUBLISH_TEXT),
    ):
        for row in store.list_rows(connection, table):
            if row.proposal is None:
                founders += 1
                continue
            is_approved = (bytes(row.proposal), str(kind)) in approved
            rule.compare(name_row(table, dict(row._mapping)), "approved", _is(is_approved, "approved", "not"))
    given = (str(ProposalKind.GRANT_ROLE), str(ProposalKind.NAME_ROLE))
    for row in store.list_rows(connection, tables.role_words):
        is_approved = any((bytes(row.proposal), kind) in approved for kind in given)
        rule.compare(name_row(tables.role_words, dict(row._mapping)), "approved", _is(is_approved, "approved", "not"))
    rule.compare("roles", f"at most {FOUNDERS} without a proposal", _most(founders))
    return rule.close()


def _most(founders: int) -> str:
    return f"at most {FOUNDERS} without a proposal" if founders <= FOUNDERS else str(founders)


def _check_erasures(connection: Connection) -> Checked:
    rule = _Rule("whoever is erased asked for it, and whose erasure is done is erased")
    done = {bytes(row.person) for row in store.list_rows(connection, tables.erasures, state=str(ErasureState.DONE))}
    for row in stream(connection, select(tables.persons).order_by(tables.persons.c.id)):
        id_ = bytes(row.id)
        rule.compare(f"persons {id_.hex()}", row.state == PersonState.ERASED, id_ in done)
    return rule.close()


def _check_accounts(connection: Connection) -> Checked:
    rule = _Rule("accounts that were opened for somebody are those that the accounts signed, and no other")
    asked = {
        message.id: index
        for index, message in _read(connection, BaseName.PEOPLE, BaseName.ACCOUNTS)
        if isinstance(message, OpenHolder)
    }
    opened = {
        message.id: message.number
        for _, message in _read(connection, BaseName.ACCOUNTS, BaseName.PEOPLE)
        if isinstance(message, HolderOpened)
    }
    for row in store.list_rows(connection, tables.accounts):
        id_ = bytes(row.id)
        place = f"accounts {id_.hex()}"
        if id_ not in asked:
            continue  # one that was open already, and was linked
        asked.pop(id_)
        expected = opened.get(id_)
        rule.compare(place, expected, row.number)
        rule.compare(place, expected is not None, row.state not in (LinkState.ASKED, LinkState.REFUSED))
    for row in store.list_rows(connection, tables.lost):
        asked.pop(bytes(row.id), None)  # it came back from an old copy, and waits for whose it is
    for id_, index in asked.items():
        rule.compare(f"log {BaseName.PEOPLE} to {BaseName.ACCOUNTS}, leaf {index}", f"account {id_.hex()}", "none")
    return rule.close()


def _check_duties(connection: Connection) -> Checked:
    rule = _Rule("what bases were told of duties that ended is in their logs, and what they answered here")
    bases = {bytes(row.id): _find_base(row.base) for row in store.list_rows(connection, tables.roles)}
    told: dict[bytes, tuple[bytes, BaseName]] = {}
    heard: dict[bytes, WordState] = {}
    for base in BaseName:
        for _, message in _read(connection, BaseName.PEOPLE, base):
            if isinstance(message, DutyEnded):
                told[message.id] = (message.role, base)
        for _, message in _read(connection, base, BaseName.PEOPLE):
            if isinstance(message, DutyHeard):
                heard[message.id] = WordState.PLACED if message.is_placed else WordState.UNPLACED
    for row in store.list_rows(connection, tables.role_words):
        if row.told is None:
            continue
        role, id_ = bytes(row.role), bytes(row.told)
        place = f"role_words {role.hex()}"
        rule.compare(place, told.get(id_), (role, bases.get(role)))
        rule.compare(place, str(heard.get(id_, WordState.TOLD)), row.state)
    for id_, (role_id, base) in told.items():
        if role_id in bases:  # else it was lost with a disk, and is entered again from paper
            rule.compare(f"log {BaseName.PEOPLE} to {base}, {id_.hex()}", base, bases[role_id])
    return rule.close()


def _find_base(name: str) -> BaseName | None:
    return BaseName[name] if name in BaseName.__members__ else None


def _read(connection: Connection, owner: str, reader: str) -> Iterator[tuple[int, HouseMessage]]:
    log = log_store.open_log_or_empty(connection, owner, reader)
    for start in range(0, log.size, _CHUNK):
        for index, leaf in enumerate(log_store.load_leaves(connection, log.id, start, _CHUNK), start):
            for message in decode_house_slip(leaf).messages:
                yield index, message
