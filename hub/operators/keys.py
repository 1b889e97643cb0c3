"""Keys of the operator's doors: `cmo_<id>_<secret>`, kept as a hash. Pure: whoever makes one brings the entropy."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from protocol.errors import Malformed, Refusal

ID_BYTES: Final = 6
SECRET_BYTES: Final = 32
OFFICER_MAX: Final = 80
_TEXT: Final = re.compile(r"cmo_([0-9a-f]{12})_([0-9a-f]{64})")
_ID: Final = re.compile(r"[0-9a-f]{12}")


class OperatorDuty(StrEnum):
    READER = "reader"  # windows and agreements
    OPERATOR = "operator"  # opens and closes them too


class OperatorKeyNotKnown(Refusal):
    """No key, or none that is known and in force."""

    code = "operator_key_not_known"


class OperatorDutyMissing(Refusal):
    """The key is a reader's."""

    code = "operator_duty_missing"


class OperatorKeyUnknown(Refusal):
    """Facts: key."""

    code = "operator_key_unknown"


class OperatorKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key as it is kept. Instants are ISO 8601; `revoked` is empty while it is in force."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]
    secret_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    officer: Annotated[str, Meta(min_length=1, max_length=OFFICER_MAX)]
    duty: OperatorDuty
    since: str
    revoked: str = ""

    def __post_init__(self) -> None:
        if not self.officer.isprintable():
            raise ValueError(f"an officer's word is 1 to {OFFICER_MAX} printable symbols")

    def opens(self, secret: str, duties: Sequence[OperatorDuty]) -> bool:
        """Tell whether it may. Raises OperatorKeyNotKnown where it is not this key, or no longer."""
        if not hmac.compare_digest(hash_secret(secret), self.secret_hash) or self.revoked:
            raise OperatorKeyNotKnown
        return self.duty in duties


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def make_operator_key(entropy: bytes, *, officer: str, duty: str, since: str) -> tuple[OperatorKey, str]:
    """Return a new key and its text, which is shown once. Raises Malformed."""
    id_, secret = entropy[:ID_BYTES].hex(), entropy[ID_BYTES : ID_BYTES + SECRET_BYTES].hex()
    told = {"id": id_, "secret_hash": hash_secret(secret), "officer": officer, "duty": duty, "since": since}
    try:
        key = msgspec.convert(told, OperatorKey)
    except msgspec.ValidationError as error:
        raise Malformed(field="key", reason=str(error)[:200]) from None
    return key, f"cmo_{id_}_{secret}"


def parse_operator_key(text: str) -> tuple[str, str]:
    """Return id and secret of a key's text. Raises OperatorKeyNotKnown."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise OperatorKeyNotKnown
    return found[1], found[2]


def require_key_id(text: str) -> str:
    """Raises OperatorKeyUnknown."""
    if _ID.fullmatch(text) is None:
        raise OperatorKeyUnknown(key=text[:40])
    return text
