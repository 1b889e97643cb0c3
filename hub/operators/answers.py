"""What the operator's doors answer: windows of netting and agreements. Days are whole numbers yyyymmdd, 0: not yet. Pure."""

from __future__ import annotations

from msgspec import Struct


class WindowLine(Struct, frozen=True):
    """A window: what stands in it, what is paid for it. `closed_on` 0: it is open."""

    window: int
    opened_at: str
    closed_on: int
    obligations: int
    gross_cents: int
    net_cents: int
    payments: int
    received: int


class WindowsAnswer(Struct, frozen=True):
    """The newest first."""

    rows: list[WindowLine]


class OpenedAnswer(Struct, frozen=True):
    """The window that is open, or was opened under this number before."""

    window: int
    opened_at: str


class WindowPosition(Struct, frozen=True):
    """What a territory's fund owes and is owed in a window; `net_cents` above 0: it is paid."""

    member: str
    owes_cents: int
    is_owed_cents: int
    net_cents: int


class WindowPayment(Struct, frozen=True):
    """What one fund pays another; `state` is the payer's last word."""

    payer: str
    payee: str
    cents: int
    state: str
    said_on: int
    received_on: int


class WindowAnswer(Struct, frozen=True):
    """A window whole; an open one as if it were closed now."""

    window: int
    closed_on: int
    obligations: int
    positions: list[WindowPosition]
    payments: list[WindowPayment]


class AgreementLine(Struct, frozen=True):
    """What one fund says of netting with another; it holds where both say so."""

    member: str
    other: str
    says: str
    since: int
    holds: bool


class AgreementsAnswer(Struct, frozen=True):
    """By member."""

    rows: list[AgreementLine]
