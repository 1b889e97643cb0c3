"""A second reader of the wire protocol, written from SPEC.md alone. It shares no code with `protocol/`.

Plain msgpack, hashlib and PyNaCl. Where it and the product disagree on a vector, the SPEC is unclear or one of them is
wrong. Section names are those of SPEC.md.
"""

from __future__ import annotations

import datetime
import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgpack
from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey


class Refused(Exception):
    """What was read is refused; `reason` is the SPEC's word."""

    def __init__(self, reason: str, why: str = "") -> None:
        super().__init__(reason, why)
        self.reason = reason


# ---------------------------------------------------------------- Encoding


def read_bytes(data: bytes, size_max: int) -> Any:
    if len(data) > size_max:
        raise Refused("not_canonical", "too large")
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=True, ext_hook=_no_extension, timestamp=0)
        _hold(value, 16)
        again = msgpack.packb(_ordered(value), use_bin_type=True)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException, OverflowError) as error:
        raise Refused("not_canonical", str(error)) from None
    if again != data:
        raise Refused("not_canonical", "another encoding")
    return value


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError("extension types are not used")


def _hold(value: Any, levels: int) -> None:
    if levels < 0:
        raise ValueError("too deep")
    if isinstance(value, float) or not (value is None or isinstance(value, bool | int | str | bytes | list | dict)):
        raise ValueError("a type that is not used")
    if isinstance(value, str):
        value.encode()
    if isinstance(value, list):
        for item in value:
            _hold(item, levels - 1)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("a map has text keys")
            _hold(item, levels - 1)


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode())}
    return value


Shape = Callable[[Any], bool]


def whole(low: int, high: int) -> Shape:
    return lambda value: type(value) is int and low <= value <= high


def binary(low: int, high: int | None = None) -> Shape:
    return lambda value: type(value) is bytes and low <= len(value) <= (low if high is None else high)


def text(low: int, high: int) -> Shape:
    return lambda value: type(value) is str and low <= len(value) <= high


def list_of(shape: Shape, high: int, low: int = 0) -> Shape:
    return lambda value: type(value) is list and low <= len(value) <= high and all(map(shape, value))


def struct(*shapes: Shape) -> Shape:
    return lambda value: (
        type(value) is list
        and len(value) == len(shapes)
        and all(shape(item) for shape, item in zip(shapes, value, strict=True))
    )


def tagged(catalogue: dict[int, Shape]) -> Shape:
    return lambda value: (
        type(value) is list
        and bool(value)
        and type(value[0]) is int
        and value[0] in catalogue
        and catalogue[value[0]](value[1:])
    )


def maybe(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)


def flag(value: Any) -> bool:
    return type(value) is bool


PARTY, HASH, KEY_ID, SIG, KEY32, ID = text(6, 9), binary(32), binary(8), binary(64), binary(32), binary(16)
SIZE = MILLIS = whole(0, 2**53)
EPOCH = whole(0, 2**31 - 1)
AMOUNT, TOTAL, PLACE = whole(1, 10**15), whole(0, 10**18), whole(0, 999)
PLACES, CODES = list_of(PLACE, 1_000), list_of(text(1, 48), 1_000)
PROOF = list_of(HASH, 128)
SLIP_CODE = text(0, 48)

# ---------------------------------------------------------------- Names

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTWXYZ"


def check_symbol(symbols: str) -> str:
    total = 17 + sum(pow(3, place, 31) * ALPHABET.index(symbol) for place, symbol in enumerate(symbols, start=1))
    return next(s for s in ALPHABET if (total + pow(3, len(symbols) + 1, 31) * ALPHABET.index(s)) % 31 == 0)


def is_territory(code: str) -> bool:
    if len(code) != 9 or any(symbol not in ALPHABET for symbol in code):
        return False
    if code[0] == "S":
        return check_symbol(code[:8]) == code[8]
    if not all(symbol in "0123456789" for symbol in code) or code == "000000000":
        return False
    digits = [int(symbol) for symbol in code]
    doubled = [digit * 2 - (9 if digit * 2 > 9 else 0) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def read_address(address: str) -> tuple[str, str]:
    """Return account number and territory."""
    if len(address) != 21 or address[4] + address[9] + address[11] != "--@":
        raise Refused("invalid_address")
    number, check, territory = address[:4] + address[5:9], address[10], address[12:]
    if any(symbol not in ALPHABET for symbol in number + check + territory):
        raise Refused("invalid_address")
    if check_symbol(number + territory) != check or not is_territory(territory):
        raise Refused("invalid_address")
    return number, territory


# ---------------------------------------------------------------- Keys


def key_id(signing: bytes, sealing: bytes) -> bytes:
    return hashlib.sha256(b"citizen-miles/key-id/v1\x00" + signing + sealing).digest()[:8]


def is_signed(signing: bytes, domain: str, body: bytes, signature: bytes) -> bool:
    message = b"citizen-miles/" + domain.encode() + b"/v1\x00" + hashlib.blake2b(body).digest()
    try:
        VerifyKey(signing).verify(message, signature)
    except (CryptoError, ValueError, TypeError):
        return False
    return True


def seal(sealing: bytes, plain: bytes, ephemeral: bytes) -> bytes:
    padded = plain + b"\x80"
    padded += bytes(-len(padded) % 256)
    public = bindings.crypto_scalarmult_base(ephemeral)
    nonce = hashlib.blake2b(public + sealing, digest_size=24).digest()
    return public + bindings.crypto_box(padded, nonce, sealing, ephemeral)


def unseal(secret: bytes, sealed: bytes) -> bytes:
    own = bindings.crypto_scalarmult_base(secret)
    nonce = hashlib.blake2b(sealed[:32] + own, digest_size=24).digest()
    try:
        padded = bindings.crypto_box_open(sealed[32:], nonce, sealed[:32], secret)
    except (CryptoError, ValueError, TypeError):
        raise Refused("unreadable") from None
    plain = padded.rstrip(b"\x00")
    if len(padded) % 256 or len(padded) - len(plain) > 255 or plain[-1:] != b"\x80":
        raise Refused("unreadable", "padding")
    return plain[:-1]


# ---------------------------------------------------------------- Logs and Merkle trees


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """By the definition: split at the largest power of two below the size."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))


def _split(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def is_included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Walk down from the root: the last part of the proof is the sibling nearest to it."""
    if not 0 <= index < size or any(len(part) != 32 for part in proof):
        return False

    def climb(index: int, size: int, proof: list[bytes]) -> bytes | None:
        if size == 1:
            return leaf_hash(leaf) if not proof else None
        if not proof:
            return None
        split = _split(size)
        if index < split:
            node = climb(index, split, proof[:-1])
            return None if node is None else node_hash(node, proof[-1])
        node = climb(index - split, size - split, proof[:-1])
        return None if node is None else node_hash(proof[-1], node)

    return climb(index, size, proof) == root


def is_consistent(size1: int, root1: bytes, size2: int, root2: bytes, proof: list[bytes]) -> bool:
    if not 1 <= size1 <= size2 or any(len(part) != 32 for part in proof):
        return False
    if size1 == size2:
        return not proof and root1 == root2

    def climb(size1: int, size2: int, proof: list[bytes], is_whole: bool) -> tuple[bytes, bytes] | None:
        """Return the roots of the first and the second subtree; `is_whole`: the first is the old tree itself."""
        if size1 == size2:
            if is_whole:
                return (root1, root1) if not proof else None
            return (proof[0], proof[0]) if len(proof) == 1 else None
        if not proof:
            return None
        split = _split(size2)
        if size1 <= split:
            nodes = climb(size1, split, proof[:-1], is_whole)
            return None if nodes is None else (nodes[0], node_hash(nodes[1], proof[-1]))
        nodes = climb(size1 - split, size2 - split, proof[:-1], False)
        return None if nodes is None else (node_hash(proof[-1], nodes[0]), node_hash(proof[-1], nodes[1]))

    return climb(size1, size2, proof, True) == (root1, root2)


# ---------------------------------------------------------------- Messages

LOT = struct(PARTY, ID, whole(0, 65_536), whole(190_001, 999_912))
MESSAGES: dict[int, Shape] = {
    1: struct(
        list_of(LOT, 8_000, 1),
        list_of(whole(1, 8_000), 1_000),
        list_of(whole(0, 7_999), 8_000, 1),
        list_of(AMOUNT, 8_000, 1),
        list_of(MILLIS, 1_000),
        KEY_ID,
        HASH,
    ),
    2: struct(EPOCH, SIZE, PLACES, PLACES, CODES),
    3: struct(EPOCH, SIZE, list_of(PLACE, 1_000, 1)),
    4: struct(KEY32, KEY32, SIG),
    5: struct(KEY_ID),
    6: struct(),
    7: struct(SIZE, SIZE, SLIP_CODE, PLACES, CODES),
    8: struct(PARTY, EPOCH, SIZE, HASH, PLACES),
    9: struct(list_of(SIZE, 4_096, 1)),
    10: struct(SIZE, PLACES, PLACES, PLACES),
    11: struct(PARTY, PARTY, EPOCH, SIZE, list_of(ID, 8_000, 1), list_of(AMOUNT, 8_000, 1)),
    12: struct(
        SIZE,
        list_of(PARTY, 4_096),
        list_of(PARTY, 4_096),
        list_of(TOTAL, 4_096),
        list_of(struct(PARTY, PARTY, PARTY, TOTAL), 4_096),
    ),
    13: struct(text(1, 48), binary(0, 65_536)),
    14: struct(EPOCH, SIZE),
    15: struct(list_of(ID, 128, 1), list_of(ID, 128, 1)),
    16: struct(
        PARTY,
        EPOCH,
        SIZE,
        list_of(PLACE, 128, 1),
        list_of(whole(1, 4), 128, 1),
        list_of(whole(19_000_101, 99_991_231), 128, 1),
    ),
}
SLIP = struct(whole(1, 65_536), PARTY, MILLIS, list_of(tagged(MESSAGES), 2_048, 1))
BENEFICIARIES = struct(PARTY, list_of(text(8, 8), 1_000, 1), list_of(text(0, 24), 1_000), list_of(text(0, 280), 1_000))


def read_typed(data: bytes, shape: Shape, size_max: int) -> Any:
    value = read_bytes(data, size_max)
    if not shape(value):
        raise Refused("not_canonical", "not of its type")
    return value


def _rising(*columns: list[int]) -> bool:
    return all(a < b for column in columns for a, b in pairwise(column))


def _plain(*texts: str) -> bool:
    return all(" " <= symbol <= "~" for text in texts for symbol in text)


def count_of(cede: list[Any]) -> int:
    return len(cede[2]) or len(cede[4])


def _do_columns_fit(tag: int, fields: list[Any]) -> bool:
    if tag == 1:
        lots, counts, lot_places, cents, terms, _key, _commit = fields
        names = {(lot[0], lot[1]) for lot in lots}
        return (
            len(lot_places) == len(cents)
            and (not counts or sum(counts) == len(cents))
            and count_of([tag, *fields]) <= 1_000
            and len(terms) in (0, count_of([tag, *fields]))
            and all(place < len(lots) for place in lot_places)
            and len(names) == len(lots)
        )
    if tag == 2:
        return len(fields[3]) == len(fields[4]) and _plain(*fields[4]) and _rising(fields[2], fields[3])
    if tag == 3:
        return _rising(fields[2])
    if tag == 7:
        return len(fields[3]) == len(fields[4]) and _plain(*fields[4]) and _rising(fields[3])
    if tag == 8:
        return _rising(fields[4])
    if tag == 10:
        return _rising(*fields[1:])
    if tag == 11:
        return len(fields[4]) == len(fields[5])
    if tag == 12:
        return len(fields[1]) == len(fields[2]) == len(fields[3])
    if tag == 16:
        return len(fields[3]) == len(fields[4]) == len(fields[5]) and _rising(fields[3])
    return True


def read_slip(leaf: bytes) -> list[Any]:
    slip: list[Any] = read_typed(leaf, SLIP, 524_288)
    if slip[0] != 1:
        raise Refused("not_canonical", "version")
    tags = [message[0] for message in slip[3]]
    if not _plain(slip[1]) or not all(_do_columns_fit(message[0], message[1:]) for message in slip[3]):
        raise Refused("malformed")
    if tags.count(1) > 1 or (1 in tags and (2 in tags or 16 in tags)):
        raise Refused("malformed")
    converts = [message for message in slip[3] if message[0] == 15]
    if converts:
        cedes = [message for message in slip[3] if message[0] == 1]
        if not cedes or len(converts) > 1 or {len(column) for column in converts[0][1:]} != {count_of(cedes[0])}:
            raise Refused("malformed")
    return slip


def read_column(plain: bytes, cede: list[Any], origin: str) -> list[Any]:
    column: list[Any] = read_typed(plain, BENEFICIARIES, 1_048_576)
    count = count_of(cede)
    if column[0] != origin or len(column[1]) != count:
        raise Refused("malformed")
    if any(ord(symbol) < 32 or 127 <= ord(symbol) < 160 for texts in column[1:] for text in texts for symbol in text):
        raise Refused("malformed")
    if len(column[2]) not in (0, count) or len(column[3]) not in (0, count):
        raise Refused("malformed")
    return column


# ---------------------------------------------------------------- Directory


@dataclass
class Member:
    name: str
    kind: str
    status: str
    keys: list[tuple[bytes, bytes]]
    retired: list[tuple[bytes, bytes]] = field(default_factory=list)
    limits: list[int] = field(default_factory=lambda: [100_000_000, 1_000_000, 20_000_000])
    sponsor: str = ""
    guide: str = ""
    reason: str = ""


CHANGES: dict[int, Shape] = {
    1: struct(PARTY, text(1, 120), lambda kind: kind in ("territory", "south", "hub"), KEY32, KEY32),
    2: struct(PARTY, text(0, 9), text(0, 120)),
    3: struct(PARTY, TOTAL, TOTAL, TOTAL),
    4: struct(PARTY, KEY32, KEY32),
    5: struct(PARTY, KEY_ID, flag, SIZE),
    6: struct(PARTY, text(0, 280)),
    7: struct(PARTY),
}
ENTRY = struct(SIZE, HASH, MILLIS, tagged(CHANGES))


DAY = whole(19_000_101, 99_991_231)
NUMBER = whole(1, 2**53)
SIGNED_ACCOUNT = struct(binary(1, 512), KEY_ID, SIG)
BASE = struct(KEY32, KEY32)
CARD = struct(whole(1, 1), text(1, 32), PARTY, NUMBER, DAY, maybe(BASE), maybe(BASE), maybe(SIGNED_ACCOUNT))
ACCOUNT = struct(whole(1, 1), PARTY, NUMBER, DAY, text(1, 70), text(0, 9), text(0, 34), text(0, 11))
DEGREES = maybe(whole(-180_000_000, 180_000_000))
LISTED = struct(
    *(text(8, 8), text(1, 80), text(0, 80), text(0, 12), text(0, 40), AMOUNT, AMOUNT, whole(0, 10**15)),
    *(DAY, whole(0, 3), DEGREES, DEGREES),
)
CATALOGUE = struct(whole(1, 1), PARTY, NUMBER, DAY, list_of(LISTED, 256))
PUBLICATION = struct(PARTY, binary(1, 1_664), binary(0, 196_608))


def read_publication(data: bytes, network: str, members: dict[str, Member]) -> list[Any]:
    """Return [card, account or None, catalogue or None], or refuse. Source: SPEC.md, "Cards and catalogues"."""
    territory, card_data, catalogue_data = read_typed(data, PUBLICATION, 198_400)
    body, key, signature = read_typed(card_data, struct(binary(1, 1_536), KEY_ID, SIG), 1_664)
    card = read_typed(body, CARD, 1_536)
    member = members.get(card[2])
    if card[1] != network or card[2] != territory or member is None or member.status != "active":
        raise Refused("card_refused")
    signing = {key_id(*one): one[0] for one in member.keys}.get(key)
    if signing is None or not is_signed(signing, "card", body, signature):
        raise Refused("card_refused")
    account = None if card[7] is None else _read_account(card)
    catalogue = _read_catalogue(card, catalogue_data) if catalogue_data else None
    return [card, account, catalogue]


def _read_account(card: list[Any]) -> list[Any]:
    body, key, signature = card[7]
    if card[6] is None or key_id(*card[6]) != key or not is_signed(card[6][0], "settlement", body, signature):
        raise Refused("card_refused")
    account: list[Any] = read_typed(body, ACCOUNT, 512)
    _, territory, _, _, name, siren, iban, bic = account
    digits = "".join(str(int(symbol, 36)) for symbol in iban[4:] + iban[:4])
    if territory != card[2] or not _is_shown(name) or (siren and not siren.isdigit()):
        raise Refused("card_refused")
    if (iban and int(digits) % 97 != 1) or (bic and not iban):
        raise Refused("card_refused")
    return account


def _read_catalogue(card: list[Any], data: bytes) -> list[Any]:
    body, key, signature = read_typed(data, struct(binary(1, 196_480), KEY_ID, SIG), 196_608)
    if card[5] is None or key_id(*card[5]) != key or not is_signed(card[5][0], "catalogue", body, signature):
        raise Refused("catalogue_refused")
    catalogue: list[Any] = read_typed(body, CATALOGUE, 196_480)
    projects = catalogue[4]
    if catalogue[1] != card[2] or any(a[0] >= b[0] for a, b in pairwise(projects)):
        raise Refused("catalogue_refused")
    for number, title, place, commune, theme, target, minimum, _, need_by, _, north, east in projects:
        is_somewhere = (north is None) == (east is None) and abs(north or 0) <= 90_000_000
        if minimum > target or not is_somewhere or any(symbol not in ALPHABET for symbol in number):
            raise Refused("catalogue_refused")
        if not all(map(_is_shown, (title, place, commune, theme))):
            raise Refused("catalogue_refused")
        try:
            datetime.date(need_by // 10_000, need_by // 100 % 100, need_by % 100)
        except ValueError:
            raise Refused("catalogue_refused") from None
    return catalogue


def _is_shown(words: str) -> bool:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not any(unicodedata.category(symbol) in hidden and symbol not in "\u200c\u200d" for symbol in words)


def entry_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"citizen-miles/directory/v1\x00" + entry).digest()


def fold(entries: list[bytes]) -> tuple[dict[str, Member], bytes]:
    members: dict[str, Member] = {}
    previous = bytes(32)
    for number, data in enumerate(entries):
        entry = read_typed(data, ENTRY, 8_192)
        if entry[0] != number or entry[1] != previous:
            raise Refused("broken_directory")
        _change(members, *entry[3])
        previous = entry_hash(data)
    return members, previous


def _change(members: dict[str, Member], tag: int, code: str, *facts: Any) -> None:
    known = members.get(code)
    if tag == 1:
        if known is not None:
            raise Refused("broken_directory")
        name, kind, signing, sealing = facts
        members[code] = Member(name, kind, "active" if kind == "hub" else "enrolled", [(signing, sealing)])
        return
    if known is None:
        raise Refused("broken_directory")
    ids = [key_id(*key) for key in known.keys]
    if tag == 2:
        if known.status == "suspended" or (known.kind == "south" and not all(facts)):
            raise Refused("broken_directory")
        known.status, (known.sponsor, known.guide) = "active", facts
    elif tag == 3:
        known.limits = list(facts)
    elif tag == 4:
        if key_id(*facts) in ids + [key_id(*key) for key in known.retired]:
            raise Refused("broken_directory")
        known.keys.append((facts[0], facts[1]))
    elif tag == 5:
        if facts[0] not in ids or len(ids) == 1:
            raise Refused("broken_directory")
        known.retired.append(known.keys.pop(ids.index(facts[0])))
    elif tag == 6:
        if known.status == "enrolled":
            raise Refused("broken_directory")
        known.status, known.reason = "suspended", facts[0]
    elif tag == 7:
        if known.status != "suspended":
            raise Refused("broken_directory")
        known.status, known.reason = "active", ""


# ---------------------------------------------------------------- Envelopes

SIGNED_CHECKPOINT = struct(binary(0, 256), KEY_ID, SIG)
CHECKPOINT = struct(text(1, 32), PARTY, SIZE, SIZE, HASH, MILLIS)
STATEMENT = struct(
    whole(1, 65_536),
    whole(1, 65_536),
    text(1, 32),
    PARTY,
    PARTY,
    KEY_ID,
    SIZE,
    MILLIS,
    SIZE,
    HASH,
    SIZE,
    SIZE,
    HASH,
    maybe(SIGNED_CHECKPOINT),
    HASH,
)
ENVELOPE = struct(binary(0, 1_024), SIG, binary(0, 16_777_216))
CARRIED = struct(binary(0, 524_288), list_of(binary(0, 2_097_152), 2_048))
PART = struct(SIZE, list_of(binary(0, 8_192), 512), SIZE, PROOF)
WHISPER = struct(ID, PARTY, PARTY, flag, KEY_ID, binary(0, 2_048))
OWN_SLIPS = (ID, SIZE, list_of(CARRIED, 512), binary(0, 1_024), SIG, PROOF)
RECOVERY = tagged(
    {
        1: struct(SIZE, ID),
        2: struct(*OWN_SLIPS),
        3: struct(maybe(tagged({2: struct(*OWN_SLIPS)})), maybe(struct(PART, SIGNED_CHECKPOINT))),
    }
)
PAYLOAD = struct(
    SIZE,
    list_of(CARRIED, 512),
    SIZE,
    maybe(PART),
    list_of(struct(SIZE, PROOF), 513),
    list_of(WHISPER, 64),
    maybe(RECOVERY),
)
SEALED_COLUMN = struct(ID, binary(0, 1_048_576))


def read_checkpoint(body: bytes, signature: bytes, signing: bytes) -> list[Any]:
    if not is_signed(signing, "checkpoint", body, signature):
        raise Refused("bad_checkpoint")
    checkpoint: list[Any] = read_typed(body, CHECKPOINT, 256)
    return checkpoint


def read_envelope(
    data: bytes, *, network: str, reader: str, members: dict[str, Member], now: int
) -> tuple[list[Any], list[Any]]:
    """Return statement and payload; steps 1 to 9 of "Reading an envelope"."""
    try:
        body, signature, payload = read_typed(data, ENVELOPE, 16_777_216)
        statement = read_typed(body, STATEMENT, 1_024)
        if statement[13] is not None:
            read_typed(statement[13][0], CHECKPOINT, 256)
    except Refused:
        raise Refused("unreadable") from None
    if statement[2] != network:
        raise Refused("wrong_network")
    if statement[4] != reader:
        raise Refused("wrong_reader")
    if statement[0] != 1:
        raise Refused("wrong_version")
    sender = members.get(statement[3])
    if sender is None:
        raise Refused("unknown_member")
    signing = next((key[0] for key in sender.keys if key_id(*key) == statement[5]), None)
    if signing is None:
        raise Refused("unknown_key")
    if not is_signed(signing, "statement", body, signature):
        raise Refused("bad_signature")
    if statement[7] > now + 24 * 3_600_000:
        raise Refused("from_the_future")
    if hashlib.blake2b(payload, digest_size=32).digest() != statement[14]:
        raise Refused("bad_payload")
    try:
        return statement, read_typed(payload, PAYLOAD, 16_777_216)
    except Refused:
        raise Refused("bad_payload") from None
