"""The table of targets: what each decoder is fed, what it may raise, and what must be true of what it accepts."""

from __future__ import annotations

import hashlib
import importlib
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import structs

from hub.config import HubConfig
from node.config import NodeConfig
from node.desks.accounts import groups_requests, orientation_requests, requests, solidarity_requests
from node.federation import senders
from node.federation.arrivals import NotProven, open_column, open_forward, open_orders
from node.federation.whispers import Said, Whisper, WhisperRefused, open_whisper
from node.guides.errors import ActRefused
from node.ledger.postings import Posting
from protocol import (
    canonical,
    conversion,
    directory,
    envelopes,
    evidence,
    house,
    identifiers,
    keys,
    merkle,
    messages,
    national,
    times,
)
from protocol.book.log_store import Log
from protocol.canonical import decode_typed, encode_typed
from protocol.directory import BrokenDirectory, Change, Directory, Member, MemberKind, MemberStatus
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    STATEMENT_BYTES_MAX,
    DirectoryPart,
    Enrolment,
    Envelope,
    ForwardedSlip,
    HeadStatement,
    OwnSlips,
    SignedCheckpoint,
    SignedEnrolment,
)
from protocol.errors import BadEnvelope, Malformed, NotCanonical
from protocol.evidence import NotEvidence
from protocol.exchange import foils
from protocol.exchange.client import HubRefused, HubUnreachable, _refusal_of
from protocol.exchange.own_slips_service import verify_own_slips
from protocol.exchange.peer_keys import require_new_key
from protocol.exchange.service import Identity, verify_envelope
from protocol.keys import Domain, Keyring, Unreadable
from protocol.messages import Cede, Forward, Lot, SealedColumn
from protocol.running import admin_service, invitations, keys_store, settings
from protocol.running.invitations import InvalidInvitation
from protocol.running.keys_store import KeysUnusable
from protocol.running.settings import NotConfigured
from protocol.times import Instant

Run = Callable[[bytes], None]
Known = TypeVar("Known")

BREST = identifiers.TerritoryCode("242900314")
LYON = identifiers.TerritoryCode("200046977")
HUB: Final = "HUB-FR"
NETWORK: Final = "test"
AT: Final = Instant(1_795_000_000_000)
AUTHOR: Final = keys.make_keys(b"an author of the fuzzed messages" * 2)
HOUSE: Final = "house of 242900314"
READER: Final = keys.make_keys(b"the reader of all of what we say" * 2)


class NotItself(AssertionError):
    """Something was accepted that does not re-encode to itself, or is not what the format says."""


@dataclass(frozen=True)
class Target:
    """`prepare` makes what one process needs once; `bytes_max` bounds what is fed."""

    name: str
    prepare: Callable[[], Run]
    bytes_max: int = 4_096


def require_same(again: object, data: object, what: str) -> None:
    """Raise NotItself unless both are equal."""
    if again != data:
        raise NotItself(f"{what}: {data!r:.200} was accepted, and re-encodes to {again!r:.200}")


def _typed(type_: type[Any], size_max: int) -> Callable[[], Run]:
    """A struct alone: decoded, or refused as not canonical."""

    def run(data: bytes) -> None:
        try:
            value = canonical.decode_typed(data, type_, size_max=size_max)
        except NotCanonical:
            return
        require_same(msgspec.msgpack.encode(value), data, type_.__name__)

    return lambda: run


def _text(data: bytes) -> str:
    """Any bytes as text, surrogates included: what a header or an argument may hold."""
    return data.decode("utf-8", "surrogateescape")


def _directory(*, author: str = BREST) -> Directory:
    """A hub, an author and a reader, all active."""
    entries: list[bytes] = []
    known = Directory()
    changes: list[Change] = [
        directory.Enrolled(HUB, "Operator", "hub", READER.public.signing, READER.public.sealing),
        directory.Enrolled(author, "Author", "territory", AUTHOR.public.signing, AUTHOR.public.sealing),
        directory.Enrolled(LYON, "Reader", "territory", READER.public.signing, READER.public.sealing),
        directory.Accredited(author, "", ""),
        directory.Accredited(LYON, "", ""),
    ]
    for change in changes:
        entries = [directory.encode_entry(known, change, AT)]
        known = directory.apply_entries(known, entries)
    return known


# The encoding itself.


def _canonical() -> Run:
    def run(data: bytes) -> None:
        try:
            value = canonical.decode(data, size_max=4_096)
        except NotCanonical:
            return
        require_same(canonical.encode(value), data, "a value")

    return run


# Envelopes and what is in them.


def _envelope() -> Run:
    def run(data: bytes) -> None:
        try:
            envelope, statement = envelopes.open_envelope(data)
        except BadEnvelope:
            return
        require_same(encode_typed(envelope), data, "an envelope")
        require_same(encode_typed(statement), envelope.statement, "its statement")
        with suppress(BadEnvelope):
            payload = envelopes.open_payload(envelope, statement)
            require_same(encode_typed(payload), envelope.payload, "its payload")

    return run


def _statement() -> Run:
    """A statement in an envelope that is signed by a member: everything up to the payload."""
    hub, known = Identity(NETWORK, HUB, Keyring(READER)), _directory()

    def run(data: bytes) -> None:
        try:
            said = decode_typed(data, HeadStatement, size_max=STATEMENT_BYTES_MAX)
        except NotCanonical:
            said = None
        signed = encode_typed(Envelope(data, keys.sign(AUTHOR, Domain.STATEMENT, data), b"")) if said else data
        with suppress(BadEnvelope):
            received = verify_envelope(signed, hub, known, AT)
            require_same(encode_typed(received.statement), data, "a statement")

    return run


def _payload() -> Run:
    """A payload that its sender signed: what a member who holds his keys may send."""
    hub, known = Identity(NETWORK, HUB, Keyring(READER)), _directory()

    def run(data: bytes) -> None:
        said = HeadStatement(
            version=1,
            speaks=1,
            network=NETWORK,
            sender=BREST,
            reader=HUB,
            key=AUTHOR.public.id,
            epoch=0,
            at=AT,
            log_size=0,
            log_root=merkle.EMPTY_ROOT,
            ack_epoch=0,
            ack_size=0,
            ack_root=merkle.EMPTY_ROOT,
            checkpoint=None,
            payload=envelopes.compute_digest(data),
        )
        try:
            received = verify_envelope(envelopes.sign_envelope(AUTHOR, said, data), hub, known, AT)
        except BadEnvelope:
            return
        require_same(encode_typed(received.payload), data, "a payload")

    return run


def _checkpoint() -> Run:
    def run(data: bytes) -> None:
        with suppress(NotCanonical, BadEnvelope):
            signed = decode_typed(data, SignedCheckpoint, size_max=512)
            require_same(encode_typed(signed), data, "a signed checkpoint")
        own = SignedCheckpoint(data, AUTHOR.public.id, keys.sign(AUTHOR, Domain.CHECKPOINT, data))
        try:
            checkpoint = envelopes.open_checkpoint(own, AUTHOR.public.signing)
        except BadEnvelope:
            return
        require_same(encode_typed(checkpoint), data, "a checkpoint")

    return run


def _house_slip() -> Run:
    known = Member("ACCOUNTS", "accounts", MemberKind.TERRITORY, MemberStatus.ACTIVE, (AUTHOR.public,))

    def run(data: bytes) -> None:
        try:
            slip = house.decode_house_slip(data)
        except Malformed:
            return
        require_same(house.encode_house_slip(slip), data, "a slip of a house")
        for message in slip.messages:
            if isinstance(message, house.NewKey):
                with suppress(BadEnvelope):
                    require_new_key(HOUSE, known, message)

    return run


def _order() -> Run:
    keyring = Keyring(READER)

    def run(data: bytes) -> None:
        try:
            signed = conversion.unseal_order(keys.seal(READER.public.sealing, data, ephemeral_seed=bytes(32)), keyring)
        except conversion.OrderRefused:
            signed = conversion.SignedOrder(data, AUTHOR.public.id, keys.sign(AUTHOR, Domain.CONVERSION, data))
        try:
            order = conversion.verify_order(signed, [AUTHOR.public], territory=BREST, payer=LYON)
        except conversion.OrderRefused:
            return
        require_same(encode_typed(order), signed.order, "a conversion order")

    return run


def _slip() -> Run:
    def run(data: bytes) -> None:
        try:
            slip = messages.decode_slip(data)
        except Malformed:
            if national.read_slip(data) is not None:
                raise NotItself("a slip that cannot be decoded was read") from None
            return
        require_same(messages.encode_slip(slip), data, "a slip")
        require_same(national.read_slip(data), slip, "a slip read again")
        for message in slip.messages:
            if isinstance(message, Cede):
                draws = messages.draws_of(message)
                require_same(len(draws), message.count, "the cessions of a slip")
                require_same(sum(c for one in draws for _, c in one), sum(message.cents), "the cents of a slip")

    return run


def _cede_for(count: int, commit: bytes = bytes(32)) -> Cede:
    lot = Lot(BREST, bytes(16), 5, 202611)
    return Cede((lot,), (), (0,) * count, (10,) * count, (), READER.public.id, commit)


def _count_numbers(plain: bytes) -> tuple[int, str]:
    """How many a column names and who sealed it, read loosely: a Cede that fits lets the decoder go to its end."""
    try:
        told = msgspec.msgpack.decode(plain)
        return min(max(len(told[1]), 1), 1_000), str(told[0])
    except (msgspec.DecodeError, ValueError, TypeError, IndexError, KeyError, RecursionError):
        return 1, BREST


def _beneficiaries() -> Run:
    def run(data: bytes) -> None:
        count, origin = _count_numbers(data)
        try:
            opened = messages.decode_beneficiaries(data, _cede_for(count), origin)
        except Malformed:
            return
        require_same(encode_typed(opened), data, "a column")
        require_same((len(opened.numbers), opened.origin), (count, origin), "what a column says")

    return run


def _counterfoil() -> Run:
    """The giver's own copy, that the hub gives back to it."""

    def run(data: bytes) -> None:
        try:
            told = msgspec.msgpack.decode(data)
            count = min(max(len(told[0]), 1), 1_000)
        except (msgspec.DecodeError, ValueError, TypeError, IndexError, KeyError, RecursionError):
            count = 1
        try:
            opened = messages.decode_counterfoil(data, _cede_for(count))
        except Malformed:
            return
        require_same(encode_typed(opened), data, "a counterfoil")
        require_same({len(one) for one in structs.astuple(opened)}, {count}, "the columns of a counterfoil")

    return run


def _own_slips() -> Run:
    """Our own slips given back: as they came, and under a head that we sign over what they lead to."""
    identity = Identity(NETWORK, BREST, Keyring(AUTHOR))

    def verify(part: OwnSlips) -> None:
        own = Log(1, BREST, HUB, 1, merkle.Frontier(0, ()), merkle.EMPTY_ROOT, 0)
        with suppress(BadEnvelope):
            fresh, head = verify_own_slips(own, part, identity, [AUTHOR.public])
            require_same(encode_typed(head), part.statement, "our own head")
            if (part.start and fresh) or len(fresh) > head.log_size:
                raise NotItself("slips that do not lead to our head")

    def run(data: bytes) -> None:
        try:
            part = decode_typed(data, OwnSlips, size_max=ENVELOPE_BYTES_MAX)
            verify(part)
            head = decode_typed(part.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
        except NotCanonical:
            return
        frontier, _ = merkle.Frontier(0, ()).extend([merkle.hash_leaf(slip.leaf) for slip in part.slips])
        words = encode_typed(
            structs.replace(head, key=AUTHOR.public.id, log_size=frontier.size, log_root=merkle.root(frontier))
        )
        verify(structs.replace(part, statement=words, signature=keys.sign(AUTHOR, Domain.STATEMENT, words)))

    return run


def _sealed_column() -> Run:
    """A sealed column that its slip commits to: as it came, and with the same bytes sealed for us."""
    ring = Keyring(READER)

    def open_it(sealed: bytes, plain: bytes | None) -> None:
        commit = bytes(32)
        with suppress(NotCanonical):
            column = decode_typed(sealed, SealedColumn, size_max=messages.SEALED_BYTES_MAX + 64)
            commit = envelopes.hash_sealed(column.salt, column.sealed)
        count, origin = _count_numbers(plain or b"")
        try:
            opened = open_column(_cede_for(count, commit), sealed, origin=origin, keyring=ring)
        except Unreadable:
            return
        if plain is not None:
            require_same(encode_typed(opened), plain, "an opened column")

    def run(data: bytes) -> None:
        open_it(data, None)
        sealed = keys.seal(READER.public.sealing, data, ephemeral_seed=b"ephemeral, and always the same!!")
        open_it(encode_typed(SealedColumn(bytes(16), sealed)), data)

    return run


def _orders() -> Run:
    """The sealed column of cessions that convert, sealed for us and committed to."""
    ring = Keyring(READER)

    def run(data: bytes) -> None:
        count = 1
        with suppress(NotCanonical):
            count = len(decode_typed(data, messages.Orders, size_max=messages.SEALED_BYTES_MAX).orders)
        sealed = keys.seal(READER.public.sealing, data, ephemeral_seed=b"ephemeral, and always the same!!")
        cede = _cede_for(count, envelopes.hash_sealed(bytes(16), sealed))
        try:
            opened = open_orders(cede, encode_typed(SealedColumn(bytes(16), sealed)), origin=BREST, keyring=ring)
        except Unreadable:
            return
        require_same(encode_typed(opened), data, "orders")

    return run


def _foil() -> Run:
    """A page of a base, as it was written before it was sealed, and as it comes back."""
    ring = Keyring(READER)

    def run(data: bytes) -> None:
        sealed = keys.seal(READER.public.sealing, zlib.compress(data), ephemeral_seed=bytes(32))
        kept = house.Kept(7, 0, 1, hashlib.sha256(sealed).digest())
        try:
            foil = foils.open_foil(7, [(kept, sealed)], ring)
            statements = foils.read_statements(foil)
        except foils.FoilMissing:
            return
        require_same(encode_typed(structs.replace(foil, statements=foils.write_statements(statements))), data, "a page")

    return run


def _forwarded() -> Run:
    """A slip of another member: as it came, and with a head that its author signs over that very slip."""
    known = _directory()

    def open_it(forward: Forward, forwarded: ForwardedSlip) -> None:
        try:
            slip, head = open_forward(forward, forwarded, network=NETWORK, home=LYON, hub=HUB, directory=known)
        except NotProven:
            return
        require_same(messages.encode_slip(slip), forwarded.leaf, "a forwarded slip")
        require_same(encode_typed(head), forwarded.statement, "a forwarded head")

    def run(data: bytes) -> None:
        try:
            forwarded = decode_typed(data, ForwardedSlip, size_max=2 * 1024 * 1024)
        except NotCanonical:
            return
        require_same(encode_typed(forwarded), data, "a forwarded slip")
        leaf_hash = merkle.hash_leaf(forwarded.leaf)
        open_it(Forward(BREST, 0, 0, leaf_hash, ()), forwarded)
        with suppress(NotCanonical):
            head = decode_typed(forwarded.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
            index = max(head.log_size - 1, 0)
            root = merkle.root_from_inclusion(leaf_hash, index, head.log_size, list(forwarded.proof)) or bytes(32)
            words = encode_typed(structs.replace(head, key=AUTHOR.public.id, log_root=root))
            signature = keys.sign(AUTHOR, Domain.STATEMENT, words)
            open_it(
                Forward(BREST, 0, index, leaf_hash, ()),
                structs.replace(forwarded, statement=words, signature=signature),
            )

    return run


def _whisper() -> Run:
    """What is whispered: as it came, with the bytes sealed for us, and with the bytes signed by a member and sealed."""
    ring, known = Keyring(READER), _directory()
    ephemeral = b"ephemeral, and always the same!!"
    id_ = bytes(range(16))

    def hear(whisper: Whisper) -> Said | None:
        with suppress(WhisperRefused):
            return open_whisper(whisper, home=LYON, keyring=ring, directory=known, now=AT)
        return None

    def sealed(plain: bytes) -> Whisper:
        body = keys.seal(READER.public.sealing, plain, ephemeral_seed=ephemeral)
        return Whisper(id_, BREST, LYON, False, READER.public.id, body)

    def run(data: bytes) -> None:
        with suppress(NotCanonical):
            hear(decode_typed(data, Whisper, size_max=4_096))
        hear(sealed(data))
        said = hear(sealed(msgspec.msgpack.encode([data, keys.sign(AUTHOR, Domain.WHISPER, data)])))
        if said is not None:
            require_same(msgspec.msgpack.encode([id_, BREST, LYON, said]), data, "what was whispered")

    return run


# The directory, the national log, evidence.


class _Changes(msgspec.Struct, frozen=True, array_like=True):
    changes: tuple[Change, ...]


def _directory_entries() -> Run:
    """One entry as it came; and a list of changes, chained as the hub chains them."""

    def run(data: bytes) -> None:
        with suppress(NotCanonical):
            require_same(encode_typed(directory.decode_entry(data)), data, "a directory entry")
        with suppress(NotCanonical, BrokenDirectory):
            known = directory.apply_entries(Directory(), [data])
            require_same(known.size, 1, "the size of a directory")
        try:
            changes = decode_typed(data, _Changes, size_max=4_096).changes
        except NotCanonical:
            return
        known = Directory()
        for change in changes:
            with suppress(BrokenDirectory):
                after = directory.apply_entries(known, [directory.encode_entry(known, change, AT)])
                require_same(after.size, known.size + 1, "the size of a directory")
                member = after.require(change.member)
                if not member.keys:
                    raise NotItself(f"{member.code} has no key left")
                known = after

    return run


def _national() -> Run:
    def run(data: bytes) -> None:
        try:
            entry = national.decode_national(data)
        except NotCanonical:
            return
        require_same(national.encode_national(entry), data, "a national leaf")

    return run


def _evidence() -> Run:
    """A file as it came, and with both statements signed by the author: so that judging goes on to its end."""

    def judge(data: bytes) -> None:
        with suppress(NotEvidence):
            judgement = evidence.judge(data)
            told = decode_typed(data, evidence.Evidence, size_max=evidence.EVIDENCE_BYTES_MAX)
            require_same(encode_typed(told), data, "an evidence file")
            require_same((judgement.kind, judgement.accused), (told.kind, told.accused), "a judgement")
            judgement.summary.encode()

    def signed(word: evidence.SignedStatement) -> evidence.SignedStatement:
        signature = keys.sign(AUTHOR, Domain.STATEMENT, word.body)
        return structs.replace(word, signing=AUTHOR.public.signing, signature=signature)

    def run(data: bytes) -> None:
        judge(data)
        try:
            told = decode_typed(data, evidence.Evidence, size_max=evidence.EVIDENCE_BYTES_MAX)
        except NotCanonical:
            return
        second = told.second
        with suppress(NotCanonical):
            said = decode_typed(second.body, HeadStatement, size_max=STATEMENT_BYTES_MAX)
            body = encode_typed(structs.replace(said, payload=envelopes.compute_digest(told.payload)))
            second = structs.replace(second, body=body)
        point = told.first_checkpoint
        if point is not None:
            point = structs.replace(point, signature=keys.sign(AUTHOR, Domain.CHECKPOINT, point.body))
        judge(
            evidence.encode_evidence(
                structs.replace(told, first=signed(told.first), second=signed(second), first_checkpoint=point)
            )
        )

    return run


class _Proof(msgspec.Struct, frozen=True, array_like=True):
    index: messages.Size
    size: messages.Size
    leaf: bytes
    proof: tuple[bytes, ...]


def _merkle() -> Run:
    """Proofs of any shape: an answer, yes or no; what is proved under one root is proved under no other."""

    def run(data: bytes) -> None:
        try:
            told = decode_typed(data, _Proof, size_max=8_192)
        except NotCanonical:
            return
        leaf, proof = merkle.hash_leaf(told.leaf), list(told.proof)
        root = merkle.root_from_inclusion(leaf, told.index, told.size, proof)
        if root is not None:
            if not merkle.verify_inclusion(leaf, told.index, told.size, proof, root):
                raise NotItself("a proof does not prove its own root")
            for other in (root[::-1], leaf + b"\0", b""):
                if other != root and merkle.verify_inclusion(leaf, told.index, told.size, proof, other):
                    raise NotItself("a proof proves two roots")
        for first in (leaf, *proof[:2]):
            for second in (leaf, *proof[-1:]):
                if merkle.verify_consistency(told.index, first, told.size, second, proof) and any(
                    len(part) != 32 for part in (first, second, *proof)
                ):
                    raise NotItself("a proof of parts that are no hashes")

    return run


# Enrolment and invitation.


def _enrolment() -> Run:
    """The hub's first steps: both layers read, the keys sound, the signature good."""

    def run(data: bytes) -> None:
        try:
            signed = decode_typed(data, SignedEnrolment, size_max=4_096)
            request = decode_typed(signed.body, Enrolment, size_max=1_024)
            require_same(encode_typed(SignedEnrolment(encode_typed(request), signed.signature)), data, "an enrolment")
            public = keys.require_public_keys(request.signing, request.sealing)
        except Malformed:
            return
        keys.is_signed(public.signing, Domain.ENROLMENT, signed.body, signed.signature)

    return run


def _invitation() -> Run:
    def run(data: bytes) -> None:
        text = _text(data)
        try:
            read = invitations.parse_invitation(text)
        except InvalidInvitation:
            pass
        else:
            require_same(invitations.format_invitation(read), "".join(text.split()).lower(), "an invitation")
        # The same bytes as the body of a well-made line.
        body = encode_typed_line(data)
        with suppress(InvalidInvitation):
            require_same(encode_typed(invitations.parse_invitation(body)), data, "an invitation's body")

    return run


def encode_typed_line(body: bytes) -> str:
    """Return the invitation line of any bytes, its checksum right."""
    return invitations._write(body)


# Names, times, amounts: what people and programs write.


def _names() -> Run:
    def run(data: bytes) -> None:
        text = _text(data)
        for one in (text, identifiers.tidy_address(text), data):
            with suppress(Malformed):
                require_same(identifiers.format_address(identifiers.parse_address(one)), one, "an address")
            with suppress(Malformed):
                require_same(identifiers.format_id(identifiers.parse_id(one)), one, "an id")
            with suppress(Malformed):
                require_same(identifiers.require_party(one), one, "a party")
            with suppress(Malformed):
                require_same(identifiers.require_number(one), one, "a number")
            with suppress(Malformed):
                require_same(identifiers.require_id(one), one, "an id of bytes")
        _require_ids_agree(text.split("\n"))
        _require_ids_agree([text])
        with suppress(Malformed):
            number, _, territory = text.partition("@")
            written = identifiers.write_address(number, territory)
            require_same(identifiers.parse_address(written), identifiers.Address(number, territory), "an address")  # type: ignore[arg-type]
        with suppress(Malformed):
            number = requests.read_account(text, BREST)
            require_same(identifiers.require_number(number), number, "an account")
        with suppress(Malformed):
            require_same(str(requests.read_kind(text)), text, "a kind")
        with suppress(Malformed):
            require_same(str(requests.read_event(text)), text, "an event")
        identifiers.mask_name(text)
        if (named := senders.read_arrival(text)) is not None:
            require_same(senders.read_arrival(senders.name_arrival(*named)), named, "an arrival's place")

    return run


def _require_ids_agree(texts: Sequence[str]) -> None:
    """Many ids read at once are the ids read one by one, and the first bad one is told."""

    def told(read: Callable[[], list[identifiers.Id16]]) -> Any:
        try:
            return read()
        except Malformed as refusal:
            return refusal.facts

    one_by_one = told(lambda: [identifiers.parse_id(text) for text in texts])
    require_same(told(lambda: identifiers.parse_ids(texts)), one_by_one, "ids")


def _time() -> Run:
    def run(data: bytes) -> None:
        try:
            instant = times.parse_instant(_text(data))
        except Malformed:
            return
        require_same(times.parse_instant(times.format_instant(instant)), instant, "an instant")
        require_same(times.require_instant(instant, "time"), instant, "an instant")

    def run_days(data: bytes) -> None:
        text = _text(data)
        with suppress(Malformed):
            require_same(times.parse_day(text).isoformat(), text, "a day")
        if text.isascii() and text.isdecimal():
            with suppress(Malformed):
                require_same(times.write_day(times.read_day(int(text[:9]))), int(text[:9]), "a day's number")
        run(data)

    return run_days


# Bodies of the node's API.

BODIES: Final = (
    requests.OpenRequest,
    requests.StateRequest,
    requests.NameRequest,
    requests.CreditRequest,
    requests.CreditLines,
    requests.ReversalRequest,
    requests.ReservationRequest,
    requests.CessionRequest,
    requests.CessionLines,
    requests.CreditItem,
    requests.CessionItem,
    orientation_requests.OrientationRequest,
    orientation_requests.OrientationReturnRequest,
    orientation_requests.StandingRequest,
    solidarity_requests.PoolRequest,
    solidarity_requests.GiversRequest,
    solidarity_requests.EnrolRequest,
    solidarity_requests.OperationRequest,
    solidarity_requests.OrderRequest,
    solidarity_requests.GiftReturnRequest,
    groups_requests.GroupRequest,
    groups_requests.MemberRequest,
    groups_requests.ConsentRequest,
    groups_requests.MandateRequest,
    groups_requests.ActRequest,
)


_SOME_ID: Final = "00000000-0000-4000-8000-00000000000a"
_SOME_ACCOUNT: Final = identifiers.AccountNumber("7K3F92QX")
_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    solidarity_requests.PoolRequest: solidarity_requests.read_pool,
    solidarity_requests.GiversRequest: lambda asked: solidarity_requests.read_givers(asked, _SOME_ID, BREST),
    solidarity_requests.EnrolRequest: lambda asked: solidarity_requests.read_enrolment(asked, _SOME_ID, BREST),
    solidarity_requests.OperationRequest: lambda asked: solidarity_requests.read_operation(asked, bytes(16)),
    solidarity_requests.OrderRequest: lambda asked: solidarity_requests.read_order(asked, _SOME_ID),
    solidarity_requests.GiftReturnRequest: lambda asked: solidarity_requests.read_gift_return(asked, _SOME_ID),
    groups_requests.GroupRequest: lambda asked: groups_requests.read_group(asked, BREST),
    groups_requests.MemberRequest: lambda asked: groups_requests.read_member(asked, _SOME_ACCOUNT, BREST),
    groups_requests.ConsentRequest: lambda asked: groups_requests.read_consent(asked, _SOME_ACCOUNT, BREST),
    groups_requests.MandateRequest: lambda asked: groups_requests.read_mandate(asked, _SOME_ACCOUNT),
    groups_requests.ActRequest: groups_requests.read_act_request,
}


def _receivers() -> Run:
    """A file of receivers: what was read is read again from what it would be written as."""

    def run(data: bytes) -> None:
        with suppress(Malformed):
            lines = solidarity_requests.read_receiver_lines(data)
            written = "".join(f"{account};{number}\n" for account, number in lines).encode()
            require_same(solidarity_requests.read_receiver_lines(written), lines, "receivers")

    return run


def _body() -> Run:
    """A body as it came; and, where it is a value of msgpack, that value as JSON: values are changed more cleverly."""

    def run(data: bytes) -> None:
        _read_body(data)
        _require_lines_agree(data)
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
            made = msgspec.json.encode(msgspec.msgpack.decode(data))
            _read_body(made)
            _require_lines_agree(made)

    return run


def _read_body(data: bytes) -> None:
    for type_ in BODIES:
        try:
            read: Any = requests.read_body(data, type_)
        except Malformed:
            continue
        written = msgspec.json.encode(read)
        require_same(msgspec.json.encode(requests.read_body(written, type_)), written, type_.__name__)
        if isinstance(read, orientation_requests.OrientationRequest):
            _take_line(lambda asked=read: orientation_requests.read_orientation(asked, BREST))
        if (take := _READERS.get(type_)) is not None:
            with suppress(ActRefused):  # what a group's guide signed is refused by its own name
                _take_line(lambda asked=read, take=take: take(asked))
        if isinstance(read, requests.CessionLines):
            for item in requests.read_lines(read.items, requests.CessionItem):
                if isinstance(item, requests.CessionItem):
                    _take_line(lambda one=item: requests.read_cession(one, BREST))


def read_credits_by_line(data: bytes) -> list[tuple[str, Posting]] | None:
    """Return each id as written with its posting, every line read alone; None where one of them is refused."""
    try:
        asked = requests.read_body(data, requests.CreditLines)
        pool = requests.read_account(asked.pool, BREST)
        lines = [requests.read_body(line, requests.CreditItem) for line in asked.items]
        return [(line.id, requests.read_credit(pool, line, BREST)) for line in lines]
    except Malformed:
        return None


def _require_lines_agree(data: bytes) -> None:
    """What is read at once, in columns or whole, is what is read line by line: not a line more, and not one less."""
    at_once = requests.read_credits(data, BREST)
    postings = None if at_once is None else list(zip(at_once[0], at_once[1].make_postings(), strict=True))
    require_same(postings, read_credits_by_line(data), "credits in columns")
    require_same(
        _cessions_of(lambda: requests.read_cession_lines(data)),
        _cessions_of(
            lambda: requests.read_lines(requests.read_body(data, requests.CessionLines).items, requests.CessionItem)
        ),
        "cessions read whole",
    )


def _cessions_of(read: Callable[[], Sequence[Any]]) -> list[Any] | None:
    """What was read, a refused line as its id and the facts; None where nothing can be read."""
    try:
        return [(line[0], line[1].facts) if isinstance(line, tuple) else line for line in read()]
    except Malformed:
        return None


def _take_line(read: Callable[[], Any]) -> None:
    with suppress(Malformed):
        read()


def _admin() -> Run:
    def run(data: bytes) -> None:
        with suppress(Malformed):
            name, arguments = admin_service._read_asked(data)
            if not isinstance(name, str) or not isinstance(arguments, dict):
                raise NotItself("not a command and its arguments")

    return run


def _hub_refusal() -> Run:
    """What a node reads where a hub answers with anything but an envelope."""

    def run(data: bytes) -> None:
        refusal = _refusal_of(503, data)
        if not isinstance(refusal, HubRefused | HubUnreachable):
            raise NotItself("neither a refusal nor no answer")
        str(refusal).encode()

    return run


# Files of the operator.


def _settings() -> Run:
    def run(data: bytes) -> None:
        text = _text(data)
        for type_ in (NodeConfig, HubConfig):
            with suppress(NotConfigured):
                read: Any = settings.parse_settings(text, type_)
                require_same(settings.parse_settings(settings.format_settings(read), type_), read, "settings")
        with suppress(NotConfigured):
            host, port = settings.parse_listen(text)
            require_same(settings.parse_listen(f"{host}:{port}"), (host, port), "where to listen")

    return run


def _keys() -> Run:
    """A key file and the name of the current keys, split at the first zero byte."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-keys-"))
    name = f"{AUTHOR.public.id.hex()}.key"

    def run(data: bytes) -> None:
        pem, _, current = data.partition(b"\0")
        for file, content in ((name, pem), ("current", current or AUTHOR.public.id.hex().encode())):
            (folder / file).write_bytes(content)  # not durable: thousands a second
            (folder / file).chmod(0o600)
        try:
            ring = keys_store.load_keyring(folder, None)
        except KeysUnusable:
            return
        # X25519 ignores some bits of a seed: what counts is that these are the keys of that name.
        require_same(ring.current.public, AUTHOR.public, "a key file")
        require_same(ring.older, (), "no other key")

    return run


def _lazily(name: str, module: str = "served") -> Callable[[], Run]:
    """A target that opens books or runs commands: its module is imported by those who run it."""

    def prepare() -> Run:
        made: Run = getattr(importlib.import_module(f"tests.fuzz.{module}"), name)()
        return made

    return prepare


TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        Target("canonical", _canonical),
        Target("envelope", _envelope, 8_192),
        Target("statement", _statement, 2_048),
        Target("payload", _payload, 8_192),
        Target("checkpoint", _checkpoint, 1_024),
        Target("slip", _slip, 8_192),
        Target("house_slip", _house_slip, 4_096),
        Target("conversion_order", _order, 2_048),
        Target("beneficiaries", _beneficiaries),
        Target("counterfoil", _counterfoil),
        Target("own_slips", _own_slips, 8_192),
        Target("sealed_column", _sealed_column),
        Target("forwarded", _forwarded, 8_192),
        Target("whisper", _whisper, 2_048),
        Target("directory_part", _typed(DirectoryPart, ENVELOPE_BYTES_MAX), 8_192),
        Target("directory_entries", _directory_entries),
        Target("national", _national),
        Target("national_file", _lazily("national_file", "national_files"), 8_192),
        Target("evidence", _evidence, 8_192),
        Target("merkle", _merkle),
        Target("enrolment", _enrolment, 2_048),
        Target("welcome", _typed(envelopes.Welcome, 1_000), 1_024),
        Target("invitation", _invitation, 1_024),
        Target("orders", _orders, 4_096),
        Target("foil", _foil, 4_096),
        Target("names", _names, 256),
        Target("time", _time, 64),
        Target("body", _body, 2_048),
        Target("receivers", _receivers, 512),
        Target("admin", _admin, 2_048),
        Target("hub_refusal", _hub_refusal, 1_024),
        Target("settings", _settings, 1_024),
        Target("keys", _keys, 1_024),
        Target("card", _lazily("card", "house_files"), 512),
        Target("base_settings", _lazily("base_settings", "house_files"), 2_048),
        Target("bank_file", _lazily("bank_file", "house_files"), 8_192),
        Target("ticket", _lazily("ticket", "house_files"), 256),
        Target("paper_code", _lazily("paper_code", "house_files"), 128),
        Target("operations", _lazily("operations", "house_files"), 4_096),
        Target("pass_file", _lazily("pass_file", "pass_files"), 4_096),
        Target("projects_file", _lazily("projects_file", "projects_files"), 4_096),
        Target("signed_file", _lazily("signed_file", "south_files"), 2_048),
        Target("catalogue_file", _lazily("catalogue_file", "catalogue_files"), 4_096),
        Target("node_api", _lazily("node_api"), 2_048),
        Target("doors_api", _lazily("doors_api", "doors_served"), 2_048),
        Target("credits_in_columns", _lazily("credits_in_columns"), 2_048),
        Target("hub_api", _lazily("hub_api"), 4_096),
        Target("node_takes", _lazily("node_takes"), 8_192),
        Target("hub_takes", _lazily("hub_takes"), 8_192),
    )
}
