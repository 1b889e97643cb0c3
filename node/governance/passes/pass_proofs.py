"""What the QR of a printed pass holds: where to ask, which pass, and a part of its digest that nobody can guess. Pure.

    https://node.example/passes/0192…-…/4Q7D…        a node with an address
    CMP1:0192…-…:4Q7D…                               one without: for a machine that has its book

The check is 128 of the 256 bits of the signed credential's digest, in base 32: who has the paper may ask, nobody else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from node.governance.passes.errors import InvalidCredential, InvalidPass
from node.governance.passes.issuers import require_node
from protocol.errors import InvalidId
from protocol.identifiers import Id16, format_id, parse_id

CHECK_BYTES: Final = 16
TEXT_MAX: Final = 220
PREFIX: Final = "CMP1:"
_CHECK: Final = re.compile(r"[A-Z2-7]{25}[AEIMQUY4]", re.ASCII)
_FOLDER: Final = "/passes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassProof:
    """Raises InvalidCredential, InvalidPass. `node` is the address of the node, or nothing."""

    node: str
    pass_id: Id16
    check: str

    def __post_init__(self) -> None:
        if self.node:
            require_node(self.node)
        if _CHECK.fullmatch(self.check) is None:
            raise InvalidCredential(reason="the check is 26 letters and digits")

    def __str__(self) -> str:
        return "".join(self.lines)

    @property
    def lines(self) -> tuple[str, str, str]:
        """The text in three parts, so that it can be copied from paper."""
        if self.node:
            return f"{self.node}{_FOLDER}", f"{format_id(self.pass_id)}/", self.check
        return PREFIX, f"{format_id(self.pass_id)}:", self.check


def make_pass_proof(node: str, pass_id: Id16, credential: bytes) -> PassProof:
    """Return the proof of a pass whose signed credential is kept as these bytes. Raises InvalidPass."""
    return PassProof(node=node, pass_id=pass_id, check=_check_of(credential))


def parse_pass_proof(text: object) -> PassProof:
    """Return the proof that a QR holds. Raises InvalidCredential."""
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        raise InvalidCredential(reason="not the address of a pass")
    if text.startswith(PREFIX):
        node, (written, _, check) = "", text.removeprefix(PREFIX).partition(":")
    else:
        node, _, rest = text.rpartition(_FOLDER)
        written, _, check = rest.partition("/")
        if not node:
            raise InvalidCredential(reason="not the address of a pass")
    try:
        return PassProof(node=node, pass_id=parse_id(written), check=check)
    except (InvalidId, InvalidPass):
        raise InvalidCredential(reason="not the address of a pass") from None


def is_pass_proven(proof: PassProof, pass_id: Id16, credential: bytes) -> bool:
    """Tell whether a proof is that of the pass whose signed credential is kept as these bytes."""
    return proof.pass_id == pass_id and hmac.compare_digest(proof.check, _check_of(credential))


def _check_of(credential: bytes) -> str:
    return base64.b32encode(hashlib.sha256(credential).digest()[:CHECK_BYTES]).decode().rstrip("=")
