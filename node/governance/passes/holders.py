"""Whom a pass is for, without a name: a person or a group, as the credential shows them. Pure.

    identity      1ERT-7K3F-92QX-…       a code of the holder's own, another one for each pass
    credential    sha256$…, salt         what is signed: only who has the code can show that the pass is theirs

The code follows from a secret of the pass, its account and its id: asked twice, it is the same; two passes of one
account have nothing in common. It is 125 bits, so that nobody finds it by trying. Who has a DID may give it instead.
Source: Open Badges 3.0, IdentityObject and IdentityHash; shared design, DOMAIN.md, 6 (pairwise subject id).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from node.governance.passes.errors import InvalidPass
from node.governance.passes.issuers import require_did
from node.governance.passes.printed_lines import is_printed_line
from protocol.identifiers import ALPHABET, BASE, AccountNumber, Id16, require_number

PEOPLE_MAX: Final = 10_000
LABEL_MAX: Final = 80
SECRET_BYTES: Final = 32
CODE_SYMBOLS: Final = 25
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The account that the pass is for, and how many people did the work: more than one is a group.

    `label` is the group's public name, as a class or a club has one; a person has none here. `did` replaces the code.
    Raises InvalidPass, InvalidAddress.
    """

    account: AccountNumber
    people: int = 1
    label: str = ""
    did: str = ""

    def __post_init__(self) -> None:
        require_number(self.account)
        if type(self.people) is not int or not 1 <= self.people <= PEOPLE_MAX:
            raise InvalidPass(field="people", reason=f"1 to {PEOPLE_MAX}")
        if self.label and not self.is_group:
            raise InvalidPass(field="label", reason="a person's pass carries no name")
        if self.label and not is_printed_line(self.label, LABEL_MAX):
            raise InvalidPass(field="label", reason=f"one line of 1 to {LABEL_MAX} symbols")
        if self.did:
            require_did(self.did)

    @property
    def is_group(self) -> bool:
        return self.people > 1


def derive_holder_code(secret: bytes, account: AccountNumber, pass_id: Id16) -> str:
    """Return the code that only the holder is given, for this pass alone: five groups of five symbols."""
    digest = _derive(secret, b"cm-pass-holder", account, pass_id)
    number = int.from_bytes(digest, "big")
    symbols = []
    for _ in range(CODE_SYMBOLS):
        number, value = divmod(number, BASE)
        symbols.append(ALPHABET[value])
    return "-".join("".join(symbols[at : at + 5]) for at in range(0, CODE_SYMBOLS, 5))


def derive_salt(secret: bytes, account: AccountNumber, pass_id: Id16) -> str:
    """Return the salt of the identity hash of this pass, in hexadecimal."""
    return _derive(secret, b"cm-pass-salt", account, pass_id)[:SALT_BYTES].hex()


def hash_identity(identity: str, salt: str) -> str:
    """Return sha256$ and the digest of an identity and its salt, as Open Badges write it."""
    return f"sha256${hashlib.sha256((identity + salt).encode()).hexdigest()}"


def is_identity(identity: str, *, salt: str, hashed: str) -> bool:
    """Tell whether somebody who shows this identity is the one that was hashed; small letters and blanks are forgiven."""
    shown = "".join(identity.split()).upper()
    return hmac.compare_digest(hash_identity(shown, salt).encode(), hashed.encode(errors="replace"))


def _derive(secret: bytes, purpose: bytes, account: AccountNumber, pass_id: Id16) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret is {SECRET_BYTES} bytes")
    return hashlib.blake2b(pass_id + account.encode(), key=secret, digest_size=32, person=purpose).digest()
