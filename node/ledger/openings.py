"""What is asked of accounts themselves: open, freeze, reopen, close, show a name. Pure."""

from __future__ import annotations

import msgspec

from node.ledger.accounts import ORDINARY, SHOWN_NAME_MAX, AccountEvent, AccountKind, AccountState
from protocol.errors import InvalidText, Malformed
from protocol.identifiers import AccountNumber, Id16, require_id
from protocol.times import Instant


def require_shown_name(shown_name: str | None) -> str | None:
    """Return the name if it is short, printable text, or None. Raises InvalidText."""
    if shown_name is None:
        return None
    if type(shown_name) is not str or not 0 < len(shown_name) <= SHOWN_NAME_MAX:
        raise InvalidText(field="shown_name", reason=f"a shown name has 1 to {SHOWN_NAME_MAX} characters")
    if not shown_name.isprintable() or shown_name != shown_name.strip():
        raise InvalidText(field="shown_name", reason="holds characters that are not text")
    return shown_name


class OpenAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Open an ordinary account.

    `number` is offered, made from fresh entropy by the caller; it is not part of the content: a caller who lost the
    answer gets the number that was given the first time. On NumberTaken offer another one under the same id.
    """

    op: Id16
    number: AccountNumber
    kind: AccountKind
    shown_name: str | None = None

    def __post_init__(self) -> None:
        require_id(self.op)
        require_shown_name(self.shown_name)
        if self.kind not in ORDINARY:
            raise Malformed(field="kind", reason="an account of the book itself is not opened")
        if type(self.number) is not str or len(self.number) != 8:
            raise Malformed(field="number", reason="an account number has 8 symbols")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The account as it was opened."""

    op: Id16
    number: AccountNumber
    kind: AccountKind
    opened_at: Instant
    is_repeat: bool = False


class ChangeState(msgspec.Struct, frozen=True, kw_only=True):
    """Freeze, reopen or close an account. Asked twice is done once, so it needs no id."""

    account: AccountNumber
    event: AccountEvent


class StateChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The state that the account has now."""

    account: AccountNumber
    state: AccountState


class ShowName(msgspec.Struct, frozen=True, kw_only=True):
    """Show this name to payers, or none."""

    account: AccountNumber
    shown_name: str | None

    def __post_init__(self) -> None:
        require_shown_name(self.shown_name)
