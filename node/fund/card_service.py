"""What cards say: our own settlement account, told so that others find it; deciders and accounts of funds elsewhere.

A changed key or account is shown at once and counts after `wait_ms`, as a bearer's IBAN does; an account that is taken
away counts no more at once. Where a person entered another key, the person's stands and the difference is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from node.fund.days import day_at, number_of
from node.fund.payment_order import OwnAccount
from node.fund.references import NAME_MAX, write_for_banks
from node.fund.seal_store import change
from node.fund.tables import card_deciders, deciders, own_settlements, settlement_accounts
from protocol.book.worker import Page
from protocol.canonical import decode_typed
from protocol.errors import NotCanonical, Refusal
from protocol.held_changes import Told, compute_start, find_in_force, find_waiting
from protocol.house import BaseName, DeciderKey, HouseMessage, SettlementAccount, SettlementPublished
from protocol.keys import Keyring, PublicKeys
from protocol.territory_card import (
    CARD_VERSION,
    SETTLEMENT_BODY_BYTES_MAX,
    CardRefused,
    Settlement,
    decode_settlement,
    sign_settlement,
    verify_settlement,
)
from protocol.times import Instant

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardWords:
    """What a territory's cards say here at an instant: what counts, and what will count from `waiting_from` on."""

    territory: str
    decider: bytes | None  # a key id
    account: SettlementAccount | None
    waiting_decider: bytes | None
    waiting_account: SettlementAccount | None
    waiting_from: Instant | None
    is_disputed: bool  # a person entered other deciders, and those count


class CardDesk:
    """Tells our own account, and takes what the accounts' base read on the cards of others."""

    def __init__(
        self, *, home: str, keyring: Keyring, account: OwnAccount, siren: str, tell: Tell, wait_ms: int
    ) -> None:
        self._home = home
        self._keyring = keyring
        self._account = account
        self._siren = siren
        self._tell = tell
        self._wait_ms = wait_ms

    def use_keyring(self, keyring: Keyring) -> None:
        """Sign our account with these keys from now on."""
        self._keyring = keyring

    def publish(self, page: Page, items: Sequence[bool]) -> list[bool | Refusal]:
        """Tell the accounts where other funds pay us, or that none shall; return whether that is new.

        Told again when the words or our key changed. Items: whether our account is to be shown.
        """
        results: list[bool | Refusal] = []
        for is_shown in items:
            try:
                results.append(self._publish(page, is_shown))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _publish(self, page: Page, is_shown: bool) -> bool:
        name = write_for_banks(self._account.name, field="holder_name", length_max=NAME_MAX)
        last = page.connection.execute(select(own_settlements).order_by(own_settlements.c.number.desc())).first()
        words = (name, self._siren, *((self._account.iban, self._account.bic) if is_shown else ("", "")))
        key = self._keyring.current
        if last is not None:
            signed = decode_settlement(bytes(last.signed))
            before = verify_settlement(signed, [one.public for one in self._keys()], self._home)
            if (before.name, before.siren, before.iban, before.bic, signed.key) == (*words, key.public.id):
                return False
        # The clock keeps the number rising where a copy of this base forgot the last one.
        number = max(page.now, 0 if last is None else last.number + 1)
        told = Settlement(CARD_VERSION, self._home, number, number_of(day_at(page.now)), *words)
        body = sign_settlement(told, key)
        page.connection.execute(insert(own_settlements).values(number=number, signed=body, at=page.now))
        self._tell(page, BaseName.ACCOUNTS, [SettlementPublished(body)])
        return True

    def _keys(self) -> tuple[Any, ...]:
        return (self._keyring.current, *self._keyring.older)

    def hear(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Keep what the accounts read on other territories' cards. What is older, or no word of that fund, is passed over."""
        for message in messages:
            match message:
                case DeciderKey() if message.territory != self._home:
                    self._take_decider(page, message)
                case SettlementAccount() if message.territory != self._home and is_of_its_fund(message):
                    self._take_account(page, message)
                case _:
                    continue

    def _take_decider(self, page: Page, told: DeciderKey) -> None:
        connection = page.connection
        keys = PublicKeys(signing=told.signing, sealing=told.sealing)
        before = load_deciders_told(connection, told.territory)
        if told.number > _last_number(connection, card_deciders, told.territory) and (
            not before or before[-1].value != keys
        ):
            connection.execute(
                insert(card_deciders).values(
                    territory=told.territory,
                    number=told.number,
                    signing=told.signing,
                    sealing=told.sealing,
                    since=told.since,
                    at=page.now,
                    from_at=compute_start(before, keys, page.now, self._wait_ms),
                )
            )
        # What a person entered and the card confirms is the card's from now on, and changes with it.
        change(
            connection,
            update(deciders)
            .where(
                deciders.c.territory == told.territory,
                deciders.c.key == keys.id,
                deciders.c.revoked_at.is_(None),
                deciders.c.confirmed_at.is_(None),
            )
            .values(confirmed_at=page.now),
        )

    def _take_account(self, page: Page, told: SettlementAccount) -> None:
        connection = page.connection
        before = load_accounts_told(connection, told.territory)
        if told.number <= _last_number(connection, settlement_accounts, told.territory):
            return
        if before and (_words(before[-1].value), before[-1].value.signing) == (_words(told), told.signing):
            return
        if told.iban and _fund_number(told) <= max((_fund_number(one.value) for one in before), default=0):
            return  # that fund has said something else since: a card cannot put its older word back
        # A card may be read before its fund has told any account: the first account there is no change of one.
        known = dropwhile(lambda one: not one.value.iban, before)
        words = [Told(value=_words(one.value), at=one.at, from_at=one.from_at) for one in known]
        start = compute_start(words, _words(told), page.now, self._wait_ms) if told.iban else page.now
        connection.execute(
            insert(settlement_accounts).values(
                territory=told.territory,
                number=told.number,
                name=told.name,
                siren=told.siren,
                iban=told.iban,
                bic=told.bic,
                since=told.since,
                signing=told.signing,
                sealing=told.sealing,
                signed=told.signed,
                at=page.now,
                from_at=start,
            )
        )


def is_of_its_fund(told: SettlementAccount) -> bool:
    """Tell whether the fund that is paid signed these very words; that it takes nothing needs no signature."""
    if not told.iban:
        return told.signed == b"" and told.bic == ""
    try:
        fund = PublicKeys(signing=told.signing, sealing=told.sealing)
        said = verify_settlement(decode_settlement(told.signed), [fund], told.territory)
    except (NotCanonical, CardRefused):
        return False
    return (said.name, said.siren, said.iban, said.bic) == (told.name, told.siren, told.iban, told.bic)


def find_settlement_account(connection: Connection, territory: str, now: int) -> SettlementAccount | None:
    """Return the account on which another territory's fund is paid now, or None where none is known or it takes nothing."""
    found = find_in_force(load_accounts_told(connection, territory), now)
    return found if found is not None and found.iban else None


def load_accounts_told(connection: Connection, territory: str) -> list[Told[SettlementAccount]]:
    """Return all that was told of a fund's account, the oldest first."""
    table = settlement_accounts
    rows = connection.execute(select(table).where(table.c.territory == territory).order_by(table.c.number))
    return [
        Told(
            value=SettlementAccount(
                row.territory,
                row.name,
                row.siren,
                row.iban,
                row.bic,
                row.number,
                row.since,
                bytes(row.signing),
                bytes(row.sealing),
                bytes(row.signed),
            ),
            at=Instant(row.at),
            from_at=Instant(row.from_at),
        )
        for row in rows
    ]


def load_deciders_told(connection: Connection, territory: str) -> list[Told[PublicKeys]]:
    """Return all that cards said of who decides in a territory, the oldest first."""
    table = card_deciders
    rows = connection.execute(select(table).where(table.c.territory == territory).order_by(table.c.number))
    return [
        Told(
            value=PublicKeys(signing=bytes(row.signing), sealing=bytes(row.sealing)),
            at=Instant(row.at),
            from_at=Instant(row.from_at),
        )
        for row in rows
    ]


def load_deciding_keys(connection: Connection, territory: str, now: int) -> list[PublicKeys]:
    """Return the keys whose word on projects of another territory counts.

    Those that a person entered; the card's where nobody entered any, or where the card says what was entered. A key that
    a person revoked never counts.
    """
    rows = connection.execute(select(deciders).where(deciders.c.territory == territory)).all()
    revoked = {bytes(row.key) for row in rows if row.revoked_at is not None}
    entered = [row for row in rows if row.revoked_at is None and row.confirmed_at is None]
    confirmed = {bytes(row.key) for row in rows if row.revoked_at is None and row.confirmed_at is not None}
    keys = [PublicKeys(signing=bytes(row.signing), sealing=bytes(row.sealing)) for row in entered]
    shown = find_in_force(load_deciders_told(connection, territory), now)
    if shown is None or shown.id in revoked or (entered and shown.id not in confirmed):
        return keys
    return [*keys, shown]


def is_disputed(connection: Connection, territory: str) -> bool:
    """Tell whether the newest card's decider does not count, and will not, because a person said otherwise."""
    told = load_deciders_told(connection, territory)
    return bool(told) and told[-1].value not in load_deciding_keys(connection, territory, told[-1].from_at)


def load_card_words(connection: Connection, now: int) -> list[CardWords]:
    """Return what the cards of other territories say here now, by territory."""
    names = set(connection.execute(select(card_deciders.c.territory)).scalars())
    names |= set(connection.execute(select(settlement_accounts.c.territory)).scalars())
    return [_make_words(connection, territory, now) for territory in sorted(names)]


def _make_words(connection: Connection, territory: str, now: int) -> CardWords:
    keys, accounts = load_deciders_told(connection, territory), load_accounts_told(connection, territory)
    decider = find_in_force(keys, now)
    next_key, next_account = find_waiting(keys, now), find_waiting(accounts, now)
    waiting = [one.from_at for one in (next_key, next_account) if one is not None]
    return CardWords(
        territory=territory,
        decider=None if decider is None else decider.id,
        account=find_settlement_account(connection, territory, now),
        waiting_decider=None if next_key is None else next_key.value.id,
        waiting_account=None if next_account is None else next_account.value,
        waiting_from=min(waiting, default=None),
        is_disputed=is_disputed(connection, territory),
    )


def _words(told: SettlementAccount) -> tuple[str, str, str, str]:
    return told.name, told.siren, told.iban, told.bic


def _fund_number(told: SettlementAccount) -> int:
    """Return the number under which that fund signed its account, or 0 for none."""
    if not told.signed:
        return 0
    body = decode_settlement(told.signed).body
    return decode_typed(body, Settlement, size_max=SETTLEMENT_BODY_BYTES_MAX).number


def _last_number(connection: Connection, table: Any, territory: str) -> int:
    found = connection.execute(select(func.max(table.c.number)).where(table.c.territory == territory)).scalar()
    return int(found or 0)
