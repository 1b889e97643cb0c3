"""A member made by hand, who speaks to a hub with nothing but keys and bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol import merkle
from protocol.canonical import decode_typed, encode_typed
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    Enrolment,
    Envelope,
    HeadStatement,
    Payload,
    SignedEnrolment,
    Welcome,
    compute_digest,
    is_statement_signed,
    sign_envelope,
)
from protocol.keys import Domain, SecretKeys, make_keys, sign
from protocol.messages import WIRE_VERSION
from protocol.running.clock_service import entropy, now
from protocol.running.invitations import compute_fingerprint, parse_invitation

BREST = "242900314"
LYON = "200046977"


@dataclass
class Member:
    """Keys, and the hub's welcome once it came. Its log is empty for ever."""

    code: str = BREST
    network: str = "test"
    secret: SecretKeys = field(default_factory=lambda: make_keys(entropy(64)))
    welcome: Welcome | None = None

    def ask(self, invitation: str, *, name: str = "Brest métropole") -> bytes:
        """Return the bytes of an enrolment."""
        read = parse_invitation(invitation)
        public = self.secret.public
        body = encode_typed(Enrolment(self.network, self.code, read.token, name, public.signing, public.sealing, now()))
        return encode_typed(SignedEnrolment(body, sign(self.secret, Domain.ENROLMENT, body)))

    def take_welcome(self, data: bytes, invitation: str) -> None:
        """Believe the hub if its keys are those of the invitation."""
        welcome = decode_typed(data, Welcome, size_max=1_000)
        assert compute_fingerprint(welcome.signing, welcome.sealing) == parse_invitation(invitation).fingerprint
        self.welcome = welcome

    def envelope(self, *, directory_size: int = 0) -> bytes:
        """Return an empty envelope: who I am, that I hold nothing, and how much of the directory I know."""
        payload = encode_typed(Payload(0, (), directory_size, None, (), (), None))
        statement = HeadStatement(
            version=WIRE_VERSION,
            speaks=WIRE_VERSION,
            network=self.network,
            sender=self.code,
            reader="HUB-FR",
            key=self.secret.public.id,
            epoch=1,
            at=now(),
            log_size=0,
            log_root=merkle.EMPTY_ROOT,
            ack_epoch=1,
            ack_size=0,
            ack_root=merkle.EMPTY_ROOT,
            checkpoint=None,
            payload=compute_digest(payload),
        )
        return sign_envelope(self.secret, statement, payload)

    def read_answer(self, data: bytes) -> tuple[HeadStatement, Payload]:
        """Return what the hub says, once its signature was verified with the keys of its welcome."""
        assert self.welcome is not None
        envelope = decode_typed(data, Envelope, size_max=ENVELOPE_BYTES_MAX)
        assert is_statement_signed(self.welcome.signing, envelope.statement, envelope.signature)
        statement = decode_typed(envelope.statement, HeadStatement, size_max=1_024)
        assert (statement.sender, statement.reader) == ("HUB-FR", self.code)
        assert compute_digest(envelope.payload) == statement.payload
        return statement, decode_typed(envelope.payload, Payload, size_max=ENVELOPE_BYTES_MAX)
