"""Rights that arrive: the sender's slip, proved, credits our accounts; one Answer says what could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from node.federation import arrivals, checkpoint_service, given_answers_service, outcomes_service, store
from node.federation.arrivals import NotProven, arrival_op, begin_ops, foreign_op, open_column, open_forward, sum_places
from node.federation.neighbours import Reaching
from node.federation.room_service import Room, name_of
from node.federation.senders import SENDER_NUMBER, read_arrival
from node.ledger.accounts import BORDER, abroad
from node.ledger.lots import LotId
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.canonical import decode_typed
from protocol.cession import CessionState
from protocol.directory import Directory
from protocol.envelopes import ForwardedSlip
from protocol.errors import NotCanonical, Refusal
from protocol.exchange.service import Received
from protocol.identifiers import AccountNumber, Id16, TerritoryCode
from protocol.keys import Unreadable
from protocol.messages import Answer, Cede, Forward, NetSettled, Netting, Settled, Slip
from protocol.national import find_cede, find_convert

# What a Forward brought: the author's proved slip and what travels with it, or why it is not proved.
Opened = tuple[ForwardedSlip, Slip] | Refusal


def open_forwards(
    room: Room,
    page: Page,
    received: Received,
    directory: Directory,
    forwards: Sequence[Forward],
    beside: Sequence[bytes],
) -> list[Opened]:
    """Return what each Forward brings, proved, or why it is not. Raises Forked where histories contradict."""
    opened: list[Opened] = []
    for place, forward in enumerate(forwards):
        body = beside[place] if place < len(beside) else b""
        try:
            forwarded = decode_typed(body, ForwardedSlip, size_max=len(body))
            slip, statement = open_forward(
                forward,
                forwarded,
                network=room.identity.network,
                home=room.identity.code,
                hub=room.hub.hub,
                directory=directory,
            )
        except (NotCanonical, NotProven) as refusal:
            opened.append(refusal)
            continue
        checkpoint_service.require_shared(page.connection, received, forwarded, statement, directory, page.now)
        opened.append((forwarded, slip))
    return opened


def take_forward(room: Room, page: Page, hub_index: int, forward: Forward, opened: Opened, *, handed_at: int) -> None:
    """Take another member's slip: what it answers, what it tells our fund, and the rights that it brings."""
    if isinstance(opened, Refusal):
        room.count("forwards_not_proven")
        room.note_break(page, f"hub slip {hub_index}", f"a proved slip of {forward.origin}", str(opened))
        return
    forwarded, slip = opened
    cede = find_cede(slip)
    if store.is_received(page.connection, forward.origin, forward.epoch, forward.index):
        room.note_break(page, f"hub slip {hub_index}", "a slip once", f"{forward.origin}/{forward.index} again")
        return
    for message in slip.messages:
        if isinstance(message, Answer):
            outcomes_service.take_answer(room, page, slip, forward.origin, message)
        elif isinstance(message, Settled) and room.conversions is not None:
            room.conversions.hear(page, forward.origin, message)
        elif isinstance(message, Netting | NetSettled) and room.windows is not None:
            room.windows.hear(page, forward.origin, message)
    answer_index = None
    if cede is not None:
        answer_index = _credit_once(room, page, forward, forwarded, slip, cede, handed_at=handed_at)
    store.insert_received(
        page.connection,
        origin=forward.origin,
        epoch=forward.epoch,
        index=forward.index,
        hub_index=hub_index,
        answer_index=answer_index,
        leaf=forwarded.leaf,
        statement=forwarded.statement,
        signature=forwarded.signature,
        now=page.now,
    )


def _credit_once(
    room: Room, page: Page, forward: Forward, forwarded: ForwardedSlip, slip: Slip, cede: Cede, *, handed_at: int
) -> int | None:
    """Credit a slip and answer it; where an old copy of this book answered before, exactly as it did then.

    None where a fund has to be asked first.
    """
    given = given_answers_service.find_given_answer(room, page.connection, forward)
    convert = find_convert(slip)
    if convert is not None and room.conversions is not None:
        answer_index, answer = given or (None, None)
        now = room.conversions.receive(page, forward, forwarded, convert, cede, handed_at=handed_at, given=answer)
        return now if given is None else answer_index
    if given is None:
        return _credit(room, page, forward, forwarded, cede, handed_at=handed_at)
    answer_index, answer = given
    given_answers_service.credit_again(room, page, forward, forwarded, cede, answer, handed_at=handed_at)
    return answer_index


def _credit(room: Room, page: Page, forward: Forward, forwarded: ForwardedSlip, cede: Cede, *, handed_at: int) -> int:
    """Credit the beneficiaries of a slip and answer what could not be delivered; return our Answer's place."""
    origin = forward.origin
    skipped = frozenset(forward.skipped)
    wanted = [place for place in range(cede.count) if place not in skipped]
    try:
        column = open_column(cede, forwarded.sealed, origin=origin, keyring=room.identity.keyring)
    except Unreadable:
        returned = dict.fromkeys(wanted, arrivals.UNREADABLE)
    else:
        beginning = begin_ops(forward, handed_at)
        ops = {place: arrival_op(beginning, place) for place in wanted}
        sums = sum_places(cede)
        nothing = ("",) * cede.count
        givers, words = column.givers or nothing, column.words or nothing
        numbers: Sequence[str] = column.numbers
        if SENDER_NUMBER in numbers:
            numbers = _find_senders(room, page, origin, numbers, words)
        returned = _credit_places(room, page, forward, cede, numbers, ops, sums, givers)
        store.insert_arrivals(
            page.connection,
            [
                (
                    op,
                    origin,
                    forward.epoch,
                    forward.index,
                    place,
                    numbers[place],
                    sum(sums[place].values()),
                    givers[place],
                    words[place],
                    "returned" if place in returned else "delivered",
                    returned.get(place, ""),
                    page.now,
                )
                for place, op in ops.items()
            ],
        )
    places = tuple(sorted(returned))
    answer = Answer(
        forward.epoch,
        forward.index,
        forward.skipped,
        places,
        tuple(returned[place][:48] for place in places),
    )
    index = room.write_slip(page, origin, answer)
    room.count("arrivals_delivered", len(wanted) - len(returned))
    room.count("arrivals_returned", len(returned))
    return index


def _credit_places(
    room: Room,
    page: Page,
    forward: Forward,
    cede: Cede,
    numbers: Sequence[str],
    ops: Mapping[int, bytes],
    sums: Sequence[Mapping[int, int]],
    givers: Sequence[str],
) -> dict[int, str]:
    """Post each cession of `ops`, home lots and others apart; return those that failed, by place, with the code."""
    # Only what the hub cleared: a lot that is listed and not drawn may be a lie about another issuer's.
    drawn = sorted({lot for place in ops for lot in sums[place]})
    found = room.ledger.ensure_lots(page, [name_of(cede.lots[lot]) for lot in drawn])
    ids = {lot: id_ for lot, id_ in zip(drawn, found, strict=True) if not isinstance(id_, Refusal)}
    faults = {lot: fault.code for lot, fault in zip(drawn, found, strict=True) if isinstance(fault, Refusal)}
    returned: dict[int, str] = {}
    if faults:
        returned = {
            place: next(faults[lot] for lot in sums[place] if lot in faults)
            for place in ops
            if not faults.keys().isdisjoint(sums[place])
        }
    reaching: list[Reaching] = []
    if room.projects is not None:
        wanted = [place for place in ops if place not in returned]
        reaching = _find_reaching(room, page, wanted, ops, numbers, sums, ids, givers)
        if reaching:
            returned.update(room.projects.judge(page, reaching))
    origin = f"from {forward.origin}/{forward.epoch}/{forward.index}/"
    for is_home, source in ((True, abroad(TerritoryCode(forward.origin))), (False, BORDER)):
        side = {lot: id_ for lot, id_ in ids.items() if (cede.lots[lot].issuer == room.identity.code) == is_home}
        places: list[int] = []
        postings: list[Posting] = []
        for place, op in ops.items() if side else ():
            part = tuple([(side[lot], Cents(cents)) for lot, cents in sums[place].items() if lot in side])
            if part and place not in returned:
                places.append(place)
                postings.append(
                    Posting(
                        op=Id16(op if is_home else foreign_op(op)),
                        kind=PostingKind.CEDE_IN,
                        debit=source,
                        credit=AccountNumber(numbers[place]),
                        cents=Cents(sum([cents for _, cents in part])),
                        draws=part,
                        reference=f"{origin}{place}",
                    )
                )
        for place, answer in zip(places, room.ledger.post(page, postings), strict=True):
            if isinstance(answer, Refusal):
                returned[place] = answer.code
    if reaching and room.projects is not None:
        room.projects.take(page, [one for one in reaching if one.place not in returned])
    return returned


def _find_reaching(
    room: Room,
    page: Page,
    places: Sequence[int],
    ops: Mapping[int, bytes],
    numbers: Sequence[str],
    sums: Sequence[Mapping[int, int]],
    ids: Mapping[int, LotId],
    givers: Sequence[str],
) -> list[Reaching]:
    """Return the arrivals among these that are for accounts of projects: the accounts are laid out to be credited anyway."""
    projects = room.ledger.find_projects(page, {AccountNumber(numbers[place]) for place in places})
    return [
        Reaching(
            place,
            ops[place],
            AccountNumber(numbers[place]),
            tuple([(ids[lot], Cents(cents)) for lot, cents in sums[place].items()]),
            givers[place],
        )
        for place in (places if projects else ())
        if numbers[place] in projects
    ]


def _find_senders(room: Room, page: Page, origin: str, numbers: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the numbers with those found that mean 'who sent you this'; one that names no cession of ours stays."""
    found = list(numbers)
    for place, number in enumerate(numbers):
        named = read_arrival(words[place]) if number == SENDER_NUMBER else None
        if named is None:
            continue
        epoch, index, at = named
        sent = store.find_sent(page.connection, epoch, index)
        if sent is None or sent.taker != origin or sent.state is not CessionState.DELIVERED:
            continue
        owner = store.load_cession_places(page.connection, epoch, index).get(at) if at in sent.remaining else None
        found[place] = owner[1] if owner is not None and owner[1] else number
    return found
