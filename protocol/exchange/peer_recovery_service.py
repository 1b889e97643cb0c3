"""Bringing an old copy of a base of a house back to the present: use cases on both sides of the talk.

The one who lost asks each neighbour for its own slips and believes them because it signed them itself. Beside them lie its
pages, sealed for itself. It takes nothing new and does nothing that others tell until all neighbours have heard that it
goes on; then, in one page, it writes its pages again and does what the neighbours have said since. Whoever is killed on the
way goes on where he was: each step is one page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import Connection, delete, select

from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.recording_store import write_again
from protocol.book.service import Page
from protocol.book.tables import counterfoils, facts, leaves
from protocol.envelopes import AskOwn, CarriedSlip, OwnSlips
from protocol.errors import BadEnvelope, NotCanonical, Refusal
from protocol.exchange import peer_keys_service as keying
from protocol.exchange import service as exchange
from protocol.exchange.epochs import choose_epoch
from protocol.exchange.foils import Foil, FoilMissing, open_foil, read_statements
from protocol.exchange.own_slips_service import carry_all, compose_own_slips, verify_own_slips
from protocol.exchange.peer_recovery import (
    BEHIND,
    FACT,
    PAGE,
    BaseNotBehind,
    Lost,
    PeerRecovery,
    Talk,
    TalkStage,
    decode_recovery,
    derive_nonce,
    encode_recovery,
)
from protocol.exchange.service import Received
from protocol.house import HouseSlip, Kept, Resumed, decode_house_slip
from protocol.times import DAY_MS

if TYPE_CHECKING:
    from protocol.exchange.peer_service import PeerExchange

RETENTION_MS: Final = 35 * DAY_MS
_FORGET_AT_ONCE: Final = 256
_CHUNK: Final = 512
_FORGOTTEN: Final = "house_forgotten "


def is_resumed(leaf: bytes, epoch: int, size: int) -> bool:
    """Tell whether a leaf of a base says that its log goes on under an epoch."""
    try:
        return Resumed(epoch, size) in decode_house_slip(leaf).messages
    except NotCanonical:
        return False


# Facts


def find_fact(connection: Connection, name: str) -> str | None:
    value: str | None = connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar()
    return value


def save_fact(connection: Connection, name: str, value: str | None) -> None:
    connection.execute(delete(facts).where(facts.c.name == name))
    if value is not None:
        connection.execute(facts.insert().values(name=name, value=value))


def load_recovery(connection: Connection) -> tuple[str | None, PeerRecovery | None]:
    """Return why this base is thought to be an old copy, and where its recovery stands; None where neither is so."""
    told = find_fact(connection, FACT)
    return find_fact(connection, BEHIND), None if told is None else decode_recovery(told)


# The one who lost


def note_behind(peer: PeerExchange, page: Page) -> None:
    """A neighbour holds more of us than we do: take nothing new from now on, in this page already."""
    save_fact(page.connection, BEHIND, str(page.now))
    peer.hold()


def begin(peer: PeerExchange, page: Page, items: Sequence[bytes]) -> list[PeerRecovery | Refusal]:
    """Start the way back; asked twice it is begun once. Items: fresh random bytes."""
    return [_begin(peer, page, drawn) for drawn in items]


def _begin(peer: PeerExchange, page: Page, drawn: bytes) -> PeerRecovery | Refusal:
    behind, running = load_recovery(page.connection)
    if running is not None:
        return running
    if behind is None:
        return BaseNotBehind(base=peer.code)
    talks = {}
    for neighbour in peer.others:
        own = log_store.open_log(page.connection, peer.code, neighbour)
        theirs = log_store.open_log(page.connection, neighbour, peer.code)
        talks[neighbour] = Talk(
            nonce=derive_nonce(drawn.hex(), neighbour, ""),
            start=own.size,
            end=own.size,
            heard=theirs.size,
            before=own.epoch,
            known=own.epoch,
        )
    recovery = PeerRecovery(since=page.now, drawn=drawn.hex(), talks=talks)
    _save(peer, page, recovery)
    if not talks:  # a house of one: nobody heard anything
        _finish(peer, page, recovery)
    return recovery


def _save(peer: PeerExchange, page: Page, recovery: PeerRecovery | None) -> None:
    page.memo[FACT] = recovery  # another envelope of this page goes on from here
    save_fact(page.connection, FACT, None if recovery is None else encode_recovery(recovery))
    if recovery is None:
        save_fact(page.connection, BEHIND, None)
    page.after_commit(FACT, lambda: peer.use_recovery(recovery))


def running_in(peer: PeerExchange, page: Page) -> PeerRecovery | None:
    """Return the recovery as this page has it."""
    running: PeerRecovery | None = page.memo.get(FACT, peer.recovery)
    return running


def ask_own(peer: PeerExchange, connection: Connection, neighbour: str) -> AskOwn | None:
    """Return what our next envelope asks a neighbour for."""
    talk = None if peer.recovery is None else peer.recovery.talks.get(neighbour)
    if talk is None or talk.stage is not TalkStage.PULLING:
        return None
    own = log_store.open_log_or_empty(connection, peer.code, neighbour)
    return AskOwn(own.size, bytes.fromhex(talk.nonce))


def take_lost(
    peer: PeerExchange, page: Page, received: Received, recovery: PeerRecovery, fresh: Sequence[CarriedSlip]
) -> int:
    """Take what an envelope brings to a base that recovers; return how much of it was new.

    The neighbour's slips are kept, and not done yet.
    """
    neighbour = received.statement.sender
    talk = recovery.talks.get(neighbour)
    if talk is None:  # a base that is new to the house: nothing was lost of it
        return len(fresh)
    own = log_store.open_log(page.connection, peer.code, neighbour)
    given = 0
    if talk.stage is TalkStage.PULLING:
        talk, given = _pull(peer, page, received, recovery, talk, own, is_end=not fresh)
    elif talk.stage is not TalkStage.HEARD and received.statement.ack_size > talk.end:
        talk = _hear(peer, page, received, recovery, talk, own)
    changed = talk != recovery.talks[neighbour]
    if changed:
        recovery = recovery.having(neighbour, talk)
        _save(peer, page, recovery)
    if recovery.is_all(TalkStage.HEARD):
        _finish(peer, page, recovery)
    elif not recovery.has_any(TalkStage.PULLING) and recovery.has_any(TalkStage.PULLED):
        _go_on(peer, page, recovery)
    return len(fresh) + given + int(changed)


def _pull(
    peer: PeerExchange,
    page: Page,
    received: Received,
    recovery: PeerRecovery,
    talk: Talk,
    own: Log,
    *,
    is_end: bool,
) -> tuple[Talk, int]:
    """Lay the slips that a neighbour gave back into our log; return how many."""
    part, statement = received.payload.recovery, received.statement
    if not isinstance(part, OwnSlips) or part.nonce.hex() != talk.nonce:
        return talk, 0
    given, size = 0, own.size
    if part.statement:
        keys = [one.public for one in (peer.identity.keyring.current, *peer.identity.keyring.older)]
        slips, head = verify_own_slips(own, part, peer.identity, keys)
        first = log_store.append_leaves(page.connection, own, [slip.leaf for slip in slips], page.now)
        given_back = [decode_house_slip(slip.leaf) for slip in slips]
        keying.note(peer, page, peer.code, statement.sender, first, given_back)
        beside = [(first + place, slip.beside[1]) for place, slip in enumerate(slips) if len(slip.beside) == 2]
        log_store.save_counterfoils(page.connection, own.id, [(index, kept) for index, kept in beside if kept])
        given, size = len(slips), head.log_size
    elif statement.ack_size > own.size:
        raise BadEnvelope("slips are acknowledged, and no head of ours is shown", reason="bad_own_slips")
    talk = msgspec.structs.replace(talk, end=own.size)
    if own.size < size or not is_end:
        return talk, given
    if statement.ack_size > own.size or log_store.load_root(page.connection, own, statement.ack_size) != (
        statement.ack_root
    ):
        raise BadEnvelope("other slips are acknowledged than were given back", reason="bad_own_slips")
    log_store.save_acked(page.connection, own, statement.ack_size)
    known = max(talk.before, statement.ack_epoch)
    return msgspec.structs.replace(talk, stage=TalkStage.PULLED, known=known), given


def _hear(peer: PeerExchange, page: Page, received: Received, recovery: PeerRecovery, talk: Talk, own: Log) -> Talk:
    """Return the talk after a neighbour's word on whether it holds our `Resumed`.

    Where it took something else in its place, an envelope of the lost base was on its way and arrived first. Then our word
    is taken back, unheard, and what arrived is pulled like the rest.
    """
    statement = received.statement
    if talk.stage is TalkStage.TELLING and statement.ack_epoch == own.epoch:
        log_store.save_acked(page.connection, own, statement.ack_size)
        return msgspec.structs.replace(talk, stage=TalkStage.HEARD)
    if talk.stage is TalkStage.TELLING:
        log_store.cut_back(page.connection, own, talk.end, talk.before)
    nonce = derive_nonce(recovery.drawn, statement.sender, talk.nonce)
    return msgspec.structs.replace(talk, stage=TalkStage.PULLING, nonce=nonce)


def _go_on(peer: PeerExchange, page: Page, recovery: PeerRecovery) -> None:
    """Say to each neighbour that we go on: all that we said is here again."""
    trouble = _find_trouble(peer, page.connection, recovery)
    if trouble:
        # Nothing is said to anybody: the copy stays what it is, and a younger one may still be put back.
        if recovery.trouble != trouble:
            _save(peer, page, msgspec.structs.replace(recovery, trouble=trouble))
        return
    for neighbour, talk in recovery.talks.items():
        if talk.stage is not TalkStage.PULLED:
            continue
        own = log_store.open_log(page.connection, peer.code, neighbour)
        log_store.raise_epoch(page.connection, own, choose_epoch(talk.known, bytes.fromhex(recovery.drawn)))
        peer.append(page, neighbour, [Resumed(own.epoch, own.size)])
        recovery = recovery.having(neighbour, msgspec.structs.replace(talk, stage=TalkStage.TELLING, end=own.size))
    _save(peer, page, msgspec.structs.replace(recovery, trouble=""))


def _find_trouble(peer: PeerExchange, connection: Connection, recovery: PeerRecovery) -> str:
    """Return why this copy cannot come back, or nothing."""
    try:
        collect_foils(peer, connection, recovery)
    except FoilMissing as missing:
        return f"page {missing.page} of this base is with nobody any more: put a younger copy back"
    return ""


def collect_foils(peer: PeerExchange, connection: Connection, recovery: PeerRecovery) -> list[Foil]:
    """Return the pages that this copy lacks, in order, from beside our slips. Raises FoilMissing.

    Each neighbour has all pages up to the last that it heard of, so the one who heard the latest has them all; each page
    is taken from whoever still has it.
    """
    if peer.keeping is None:
        return []
    last = int(find_fact(connection, PAGE) or 0)
    parts: dict[int, dict[str, list[tuple[Kept, bytes]]]] = defaultdict(lambda: defaultdict(list))
    for neighbour, talk in recovery.talks.items():
        log = log_store.open_log_or_empty(connection, peer.code, neighbour)
        for start in range(talk.start, talk.end, _CHUNK):
            count = min(_CHUNK, talk.end - start)
            beside = log_store.load_counterfoils(connection, log.id, start, count)
            for index, leaf in enumerate(log_store.load_leaves(connection, log.id, start, count), start):
                for message in decode_house_slip(leaf).messages:
                    if isinstance(message, Kept) and message.page > last:
                        parts[message.page][neighbour].append((message, beside.get(index, b"")))
    foils = []
    for number in range(last + 1, max(parts, default=last) + 1):
        foils.append(_open_any(number, list(parts[number].values()), peer))
    return foils


def _open_any(number: int, copies: Sequence[Sequence[tuple[Kept, bytes]]], peer: PeerExchange) -> Foil:
    assert peer.keeping is not None
    for copy in copies:
        try:
            foil = open_foil(number, copy, peer.identity.keyring)
        except FoilMissing:
            continue
        if foil.schema == peer.keeping.schema:
            return foil
    raise FoilMissing(number)


def _finish(peer: PeerExchange, page: Page, recovery: PeerRecovery) -> None:
    """Write our pages again and do what the neighbours said since; then take work again."""
    connection = page.connection
    foils = collect_foils(peer, connection, recovery)
    heard = {neighbour: talk.heard for neighbour, talk in recovery.talks.items()}
    if peer.keeping is not None:
        peer.keeping.recorder.is_paused = True  # what is written again is in our pages already
        for foil in foils:
            write_again(connection, read_statements(foil), peer.keeping.recorder)
            heard |= {neighbour: size for neighbour, size in foil.heard if neighbour in heard}
        peer.keeping.recorder.is_paused = False
        if foils:
            save_fact(connection, PAGE, str(foils[-1].page))
    lost = Lost(
        own={
            neighbour: _load_slips(connection, peer.code, neighbour, talk.start, talk.end)
            for neighbour, talk in recovery.talks.items()
        },
        theirs={neighbour: _load_slips(connection, neighbour, peer.code, size) for neighbour, size in heard.items()},
    )
    peer.replay(page, lost)
    _save(peer, page, None)


def _load_slips(connection: Connection, owner: str, reader: str, start: int, end: int | None = None) -> list[HouseSlip]:
    log = log_store.open_log_or_empty(connection, owner, reader)
    last = log.size if end is None else end
    slips: list[HouseSlip] = []
    for begin_at in range(start, last, _CHUNK):
        count = min(_CHUNK, last - begin_at)
        slips += map(decode_house_slip, log_store.load_leaves(connection, log.id, begin_at, count))
    return slips


# The neighbour


def answer_ask(peer: PeerExchange, page: Page, received: Received, own: Log) -> None:
    """A neighbour is an old copy and asks for its slips: what it once acknowledged of ours is sent again from there."""
    if isinstance(received.payload.recovery, AskOwn) and received.statement.ack_size < own.acked:
        log_store.lower_acked(page.connection, own, received.statement.ack_size)


def compose_own(connection: Connection, peer: PeerExchange, neighbour: str, asked: object) -> OwnSlips | None:
    """Return the slips of a neighbour that asked for its own."""
    if not isinstance(asked, AskOwn):
        return None
    theirs = log_store.open_log_or_empty(connection, neighbour, peer.code)
    return compose_own_slips(connection, theirs, asked.start, carry=carry_all, nonce=asked.nonce)


def keep_foils(connection: Connection, theirs: Log, first: int, slips: Sequence[CarriedSlip]) -> None:
    """Keep what lies beside a neighbour's slips: it is sealed for the neighbour."""
    beside = [(first + place, slip.beside[-1]) for place, slip in enumerate(slips) if slip.beside]
    log_store.save_counterfoils(connection, theirs.id, [(index, kept) for index, kept in beside if kept])


def forget_foils(connection: Connection, log: Log, now: int) -> None:
    """Delete what lay beside a log's oldest slips for longer than a copy may be old; a few at once.

    Our own too, and not before: a neighbour that lost its base is sent them again.
    """
    name = f"{_FORGOTTEN}{log.owner} {log.reader}"
    start = int(find_fact(connection, name) or 0)
    rows = connection.execute(
        select(leaves.c.ix)
        .where(
            leaves.c.log_id == log.id,
            leaves.c.ix >= start,
            leaves.c.ix < start + _FORGET_AT_ONCE,
            leaves.c.at < now - RETENTION_MS,
        )
        .order_by(leaves.c.ix)
    ).scalars()
    old = list(rows)
    if not old:
        return
    connection.execute(
        delete(counterfoils).where(
            counterfoils.c.log_id == log.id, counterfoils.c.ix >= start, counterfoils.c.ix <= old[-1]
        )
    )
    save_fact(connection, name, str(old[-1] + 1))


def find_new(
    peer: PeerExchange, page: Page, theirs: Log, received: Received, recovery: PeerRecovery | None
) -> list[CarriedSlip] | None:
    """Return the slips that follow what we hold of a neighbour's log, which may go on under a later epoch.

    To a copy the neighbour may have gone on more than once since: there the roots alone must agree. Of a neighbour that
    goes on from elsewhere nothing is taken, and it is answered: something of its lost base came first, which it learns so.
    """
    connection = page.connection
    before = exchange.find_head(connection, peer.neighbours, theirs.owner, peer.code)
    if recovery is not None:
        return exchange.find_lost_slips(connection, theirs, received, before, page.now)
    is_later = received.statement.epoch > theirs.epoch
    if is_later and not exchange.is_epoch_fit(theirs, received, may_rewind=True, is_restart=is_resumed):
        return None
    return exchange.find_new_slips(
        connection, theirs, received, before, page.now, may_rewind=True, is_restart=is_resumed
    )
