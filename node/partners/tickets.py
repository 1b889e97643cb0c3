"""Claim tickets: miles for a customer who gave no identifier, as a code to type or to scan. Pure.

Why a MAC and not a signature? A person types it. An Ed25519 signature alone is 104 symbols; this whole ticket is 40.
Nobody but the base that pays it out has to verify it, and that base must be asked anyway whether it was claimed. So a
keyed BLAKE2b, cut to 60 bits, is enough: who guesses has to ask the base each time, 2^59 times on average.

Why a key for each till? A till that is offline prints tickets by itself. Its key is derived from the base's secret, so
that a stolen till makes tickets in its own name only, and these end with its credential.

    XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX     39 symbols of data, one check symbol
    CMT1:XXXXXXXX…                                        the same 40 in a QR code, whose alphanumeric mode holds them

    193 bits: version 2, key 3, company (SIREN) 30, till 14, purchase 48, cents 20, expiry 16, MAC 60

The purchase stands there as 48 bits of a digest of its id; the base that looks it up has the id itself. The check
symbol tells a mistake of the hand from a forgery, as in protocol/identifiers.py: any one wrong symbol and any swap of
neighbours. Claimed once is the base's duty: what names a ticket is (company, till, purchase).
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.partners.companies import Siren, require_siren
from node.partners.errors import InvalidSiren, InvalidTicket, InvalidTill, TicketExpired, TicketForged
from node.partners.purchases import PurchaseId, TillNumber, require_purchase_id, require_till
from protocol.amounts import Cents, require_amount
from protocol.errors import InvalidAmount
from protocol.identifiers import ALPHABET, BASE

QR_PREFIX: Final = "CMT1:"
VERSION: Final = 1
CENTS_MAX: Final = 999_999  # 9 999,99: what gives more asks who the customer is
KEY_MAX: Final = 7
SECRET_BYTES: Final = 32
PURCHASE_BYTES: Final = 6
MAC_BITS: Final = 60
DATA_SYMBOLS: Final = 39
SYMBOLS: Final = DATA_SYMBOLS + 1
TYPED_MAX: Final = 120  # with all the spaces and dashes that people put in

_BITS: Final = (2, 3, 30, 14, 48, 20, 16)  # the fields in order, without the MAC
_EPOCH: Final = datetime.date(1970, 1, 1)
LAST_DAY: Final = _EPOCH + datetime.timedelta(days=2**16 - 1)  # in 2149
_VALUE: Final = {symbol: value for value, symbol in enumerate(ALPHABET)}
_ROOT: Final = 3  # a primitive root of 31
_WEIGHTS: Final = tuple(pow(_ROOT, place, BASE) for place in range(1, SYMBOLS + 1))
_START: Final = 17  # so that all zeros is no ticket
# Symbols that are not of the alphabet and can only be meant as one that is; dashes and spaces are for the eye.
_READ_AS: Final = str.maketrans(
    {"O": "0", "I": "1", "L": "1", "-": None, "\u2010": None, "\u2011": None, "\u2013": None}
    | {small: small.upper() for small in "abcdefghjkmnpqrstuvwxyz"}
    | {"o": "0", "i": "1", "l": "1"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketKey:
    """A till's own key; `number` says which of the base's secrets it comes from. Never printed."""

    number: int
    secret: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.number <= KEY_MAX or len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a ticket key is numbered 0 to {KEY_MAX} and has {SECRET_BYTES} bytes")

    def __repr__(self) -> str:
        return f"TicketKey({self.number})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a ticket says. `expires_on` is the last day on which it can be claimed. Raises Malformed."""

    company: Siren
    till: TillNumber
    purchase: bytes  # `digest_purchase` of its id
    cents: Cents
    expires_on: datetime.date

    def __post_init__(self) -> None:
        if require_siren(self.company) != self.company:
            raise InvalidSiren(siren=self.company, reason="kept as 9 digits without spaces")
        require_till(self.till)
        if len(self.purchase) != PURCHASE_BYTES:
            raise InvalidTicket(reason=f"a purchase is {PURCHASE_BYTES} bytes")
        if require_amount(self.cents) > CENTS_MAX:
            raise InvalidAmount(amount=self.cents, reason=f"a ticket holds at most {CENTS_MAX} cents")
        if not _EPOCH <= self.expires_on <= LAST_DAY:
            raise InvalidTicket(reason=f"it expires by {LAST_DAY.isoformat()}")


def derive_till_key(number: int, secret: bytes, company: Siren, till: TillNumber) -> TicketKey:
    """Return the key of one till, from the base's secret of that number."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret is {SECRET_BYTES} bytes")
    named = f"{require_siren(company)}/{require_till(till)}".encode()
    derived = hashlib.blake2b(named, key=secret, digest_size=SECRET_BYTES, person=b"cm-till-key").digest()
    return TicketKey(number=number, secret=derived)


def digest_purchase(purchase: PurchaseId) -> bytes:
    """Return the 48 bits by which a ticket names a purchase of its till."""
    named = require_purchase_id(purchase).encode()
    return hashlib.blake2b(named, digest_size=PURCHASE_BYTES, person=b"cm-purchase").digest()


def _pack(ticket: Ticket, key: int) -> int:
    fields = (
        *(VERSION, key, int(ticket.company), ticket.till, int.from_bytes(ticket.purchase, "big")),
        *(ticket.cents, (ticket.expires_on - _EPOCH).days),
    )
    packed = 0
    for bits, field in zip(_BITS, fields, strict=True):
        packed = packed << bits | field
    return packed


def _compute_mac(key: TicketKey, packed: int) -> int:
    body = packed.to_bytes((sum(_BITS) + 7) // 8, "big")
    mac = hashlib.blake2b(body, key=key.secret, digest_size=8, person=b"cm-ticket").digest()
    return int.from_bytes(mac, "big") >> (64 - MAC_BITS)


def _compute_check(data: str) -> str:
    """Return the symbol that brings the weighted sum of all 40 to zero."""
    total = _START + sum(weight * _VALUE[symbol] for weight, symbol in zip(_WEIGHTS, data, strict=False))
    return ALPHABET[-total * pow(_WEIGHTS[DATA_SYMBOLS], -1, BASE) % BASE]


def _write(ticket: Ticket, key: TicketKey) -> str:
    packed = _pack(ticket, key.number)
    number = packed << MAC_BITS | _compute_mac(key, packed)
    symbols = []
    for _ in range(DATA_SYMBOLS):
        number, value = divmod(number, BASE)
        symbols.append(ALPHABET[value])
    data = "".join(reversed(symbols))
    return data + _compute_check(data)


def format_ticket(ticket: Ticket, key: TicketKey) -> str:
    """Return the ticket as people type it: ten groups of four."""
    written = _write(ticket, key)
    return "-".join(written[at : at + 4] for at in range(0, SYMBOLS, 4))


def format_ticket_qr(ticket: Ticket, key: TicketKey) -> str:
    """Return what the QR code of the ticket holds: 45 symbols of its alphanumeric mode."""
    return QR_PREFIX + _write(ticket, key)


def read_origin(text: object) -> tuple[Siren, TillNumber, int]:
    """Return whose ticket this claims to be: company, till and number of the secret. Raises InvalidTicket.

    Nothing is proved by it; it tells which keys `verify_ticket` needs.
    """
    ticket, key, _, _ = _read(text)
    return ticket.company, ticket.till, key


def verify_ticket(text: object, keys: Mapping[int, TicketKey], *, day: datetime.date) -> Ticket:
    """Return the ticket, typed or scanned. `keys` are those of the till that `read_origin` names, by their number.

    Its cents are what the till promised. What it is worth is asked of the base, in the transaction that pays it out:
    whether the purchase was granted and not refunded since, the till's credential still counts, and nobody claimed it.
    Raises InvalidTicket, TicketForged, TicketExpired.
    """
    ticket, number, packed, mac = _read(text)
    key = keys.get(number)
    if key is None:
        raise TicketForged(reason="its till has no such key")
    width = MAC_BITS // 4
    if not hmac.compare_digest(f"{_compute_mac(key, packed):0{width}x}", f"{mac:0{width}x}"):
        raise TicketForged(reason="it was not made by the till it names")
    if day > ticket.expires_on:
        raise TicketExpired(expires_on=ticket.expires_on.isoformat(), day=day.isoformat())
    return ticket


def _read(text: object) -> tuple[Ticket, int, int, int]:
    symbols = _tidy(text)
    number = 0
    for symbol in symbols[:DATA_SYMBOLS]:
        number = number * BASE + _VALUE[symbol]
    packed, mac = number >> MAC_BITS, number & (1 << MAC_BITS) - 1
    rest = packed
    fields = []
    for bits in reversed(_BITS):
        fields.append(rest & (1 << bits) - 1)
        rest >>= bits
    days, cents, purchase, till, company, key, version = fields
    if rest or version != VERSION:
        raise InvalidTicket(reason="of a kind that this version does not know")
    try:
        ticket = Ticket(
            company=Siren(f"{company:09d}"),
            till=TillNumber(till),
            purchase=purchase.to_bytes(PURCHASE_BYTES, "big"),
            cents=Cents(cents),
            expires_on=_EPOCH + datetime.timedelta(days=days),
        )
    except (InvalidSiren, InvalidTill, InvalidAmount):
        # The hand was right, the content cannot be: no till of ours makes such a ticket.
        raise InvalidTicket(reason="no till makes such a ticket") from None
    return ticket, key, packed, mac


def _tidy(text: object) -> str:
    """Return the 40 symbols, their check symbol verified. Raises InvalidTicket."""
    if not isinstance(text, str) or len(text) > TYPED_MAX:
        raise InvalidTicket(reason=f"a ticket is {SYMBOLS} symbols")
    plain = "".join(text.split())
    if plain[: len(QR_PREFIX)].upper() == QR_PREFIX:
        plain = plain[len(QR_PREFIX) :]
    symbols = plain.translate(_READ_AS)
    if not all(symbol in _VALUE for symbol in symbols):
        raise InvalidTicket(reason="a symbol that no ticket has: digits and letters without I, L, O, U and V")
    if len(symbols) != SYMBOLS:
        raise InvalidTicket(reason=f"a ticket is {SYMBOLS} symbols, not {len(symbols)}")
    if _compute_check(symbols[:DATA_SYMBOLS]) != symbols[DATA_SYMBOLS]:
        raise InvalidTicket(reason="the check symbol does not fit: a symbol is wrong or swapped")
    return symbols
