"""Dues: miles that were converted, here or abroad. The order that comes with each is opened, verified, and kept.

What is not owed is refused with a code, and the rights go back: an order that the projects of that territory did not sign, a
bearer whose proof has run out, lots of another fund, more than was deposited or pledged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.bearer_parameters_store import ELIGIBLE, find_verdict
from node.fund.card_service import load_deciders_told, load_deciding_keys
from node.fund.days import day_at, number_of
from node.fund.deposits import DepositState
from node.fund.dues import DueState, Share, bearer_id, require_covered
from node.fund.fund_errors import BearerNotEligible
from node.fund.netting_store import find_window_of
from node.fund.pledges import compute_limit
from node.fund.receipt_numbers import is_issuer_code
from node.fund.references import NAME_MAX, require_iban, require_sepa_iban, write_for_banks
from node.fund.seal_store import change
from node.fund.tables import bearers, deciders, deposits, due_lots, dues, pledges
from protocol.book.worker import Page
from protocol.canonical import encode_typed
from protocol.conversion import ConversionOrder, OrderRefused, unseal_order, verify_order
from protocol.directory import Directory
from protocol.errors import Refusal
from protocol.exchange.peer_keys_store import load_known
from protocol.house import BaseName, Due, DueTaken, HouseMessage, NettedDue, OrderReturned, Refused
from protocol.keys import Keyring, PublicKeys

ID_MISMATCH: Final = "id_mismatch"
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """The projects' base of another territory, by one of its keys."""

    territory: str
    keys: PublicKeys


class DueDesk:
    """Takes what the accounts say is owed. `keyring` opens orders, `neighbours` knows who decides at home."""

    def __init__(self, *, home: str, keyring: Keyring, neighbours: Directory, sepa_countries: frozenset[str]) -> None:
        self._home = home
        self._keyring = keyring
        self._neighbours = neighbours
        self._countries = sepa_countries

    def use_keyring(self, keyring: Keyring) -> None:
        """Open orders with these keys from now on."""
        self._keyring = keyring

    def add_deciders(self, page: Page, items: Sequence[Decider]) -> list[Decider | Refusal]:
        """Know keys that decide elsewhere. The same again is the same; one that was revoked decides again."""
        for one in items:
            if not change(
                page.connection,
                update(deciders)
                .where(deciders.c.territory == one.territory, deciders.c.key == one.keys.id)
                .values(revoked_at=None),
            ):
                page.connection.execute(
                    insert(deciders).values(
                        territory=one.territory,
                        key=one.keys.id,
                        signing=one.keys.signing,
                        sealing=one.keys.sealing,
                        added_at=page.now,
                    )
                )
        return list(items)

    def revoke_deciders(self, page: Page, items: Sequence[tuple[str, bytes]]) -> list[int]:
        """From now on these keys decide nothing; return how many counted, by entry or by card. What was taken stands."""
        return [self._revoke_decider(page, territory, key) for territory, key in items]

    def _revoke_decider(self, page: Page, territory: str, key: bytes) -> int:
        connection = page.connection
        of_key = (deciders.c.territory == territory, deciders.c.key == key)
        if connection.execute(select(deciders.c.key).where(*of_key)).first() is not None:
            return change(
                connection, update(deciders).where(*of_key, deciders.c.revoked_at.is_(None)).values(revoked_at=page.now)
            )
        # Nobody entered what the card shows: then the refusal alone is entered.
        shown = next((one.value for one in load_deciders_told(connection, territory) if one.value.id == key), None)
        if shown is None:
            return 0
        connection.execute(
            insert(deciders).values(
                territory=territory,
                key=key,
                signing=shown.signing,
                sealing=shown.sealing,
                added_at=page.now,
                revoked_at=page.now,
                confirmed_at=page.now,
            )
        )
        return 1

    def take(self, page: Page, told: Due) -> DueTaken | Refused:
        """Take one due, or refuse it; the same again is answered as before."""
        connection, body = page.connection, encode_typed(told)
        known = connection.execute(select(dues).where(dues.c.id == told.id)).first()
        if known is not None:
            if bytes(known.told) != body:
                return Refused(told.id, ID_MISMATCH)
            return DueTaken(told.id) if known.state == DueState.TAKEN else Refused(told.id, known.code)
        values: dict[str, Any] = {
            "no": int(connection.execute(select(func.coalesce(func.max(dues.c.no), 0))).scalar_one()) + 1,
            "id": told.id,
            "territory": told.territory,
            "project": told.project,
            "cents": sum(told.cents),
            "told": body,
            "debtor": "",
            "netted_on": None,
            "window_no": None,
            "at": page.now,
        }
        try:
            signed = unseal_order(told.order, self._keyring)
            bases = load_known(connection, self._neighbours, BaseName.FUND)
            known_keys = load_deciders(connection, told.territory, self._home, bases, page.now)
            order = verify_order(signed, known_keys, territory=told.territory, payer=self._home)
            self._require_payable(page, told, order)
            lots = _find_lots(connection, told)
        except Refusal as refusal:
            nothing = {"signed": b"", "round": 0, "title": "", "bearer": None, "iban": ""}
            connection.execute(insert(dues).values(**values, **nothing, state=DueState.REFUSED, code=refusal.code))
            return Refused(told.id, refusal.code)
        bearer = self._keep_bearer(page, order)
        connection.execute(
            insert(dues).values(
                **values,
                signed=encode_typed(signed),
                round=order.round,
                title=order.title,
                bearer=bearer,
                iban=order.iban,
                state=DueState.TAKEN,
                code="",
            )
        )
        rows = [
            {
                "due": values["no"],
                "ix": ix,
                "ref": ref,
                "cents": cents,
                "share": Share.PREFUNDED if lots[ref] is None else Share.CALLED,
                "pledge": lots[ref],
                "call": None,
                "payment": None,
            }
            for ix, (ref, cents) in enumerate(zip(told.refs, told.cents, strict=True))
        ]
        connection.execute(insert(due_lots), rows)
        return DueTaken(told.id)

    def take_netted(self, page: Page, told: NettedDue) -> list[HouseMessage]:
        """Owe a bearer of ours what another fund netted; return what is wrong with its order, or nothing.

        It is owed whatever happens: an order that cannot be followed comes back, and another one is written.
        """
        connection = page.connection
        known = connection.execute(select(dues).where(dues.c.id == told.id)).first()
        if known is not None:
            same = (known.debtor, bytes(known.project), known.cents) == (told.debtor, told.project, told.cents)
            return [] if same else [OrderReturned(told.id, ID_MISMATCH)]
        try:
            signed = unseal_order(told.order, self._keyring)
            keys = load_deciders(connection, self._home, self._home, self._neighbours, page.now)
            order = verify_order(signed, keys, territory=self._home, payer=self._home)
            self._require_bearer(page, told.project, order)
        except Refusal as refusal:
            return [OrderReturned(told.id, refusal.code)]
        number = int(connection.execute(select(func.coalesce(func.max(dues.c.no), 0))).scalar_one()) + 1
        connection.execute(
            insert(dues).values(
                no=number,
                id=told.id,
                territory=self._home,
                project=told.project,
                cents=told.cents,
                told=encode_typed(told),
                signed=encode_typed(signed),
                round=order.round,
                title=order.title,
                bearer=self._keep_bearer(page, order),
                iban=order.iban,
                debtor=told.debtor,
                netted_on=None,
                window_no=find_window_of(connection, told.id),
                state=DueState.TAKEN,
                code="",
                at=page.now,
            )
        )
        connection.execute(
            insert(due_lots).values(
                due=number,
                ix=0,
                ref=told.id,
                cents=told.cents,
                share=Share.NETTED,
                pledge=None,
                call=None,
                payment=None,
            )
        )
        return []

    def _require_payable(self, page: Page, told: Due, order: ConversionOrder) -> None:
        self._require_bearer(page, told.project, order)
        before = page.connection.execute(
            select(dues.c.id).where(
                dues.c.territory == told.territory,
                dues.c.project == told.project,
                dues.c.round == order.round,
                dues.c.state == DueState.TAKEN,
                dues.c.debtor == "",
            )
        ).first()
        if before is not None:
            raise OrderRefused(reason="this round was told before, under another id")

    def _require_bearer(self, page: Page, project: bytes, order: ConversionOrder) -> None:
        if order.project != project:
            raise OrderRefused(reason="an order for another project")
        verdict = find_verdict(order.legal_category, day_at(page.now))
        if verdict != ELIGIBLE or not is_issuer_code(order.bearer):
            # Who decides elsewhere says that it may be paid: the fund that would lose its own regime looks itself.
            raise BearerNotEligible(bearer=order.bearer, reason=f"legal category {order.legal_category}: {verdict}")
        if order.eligible_until < number_of(day_at(page.now)):
            raise BearerNotEligible(bearer=order.bearer, reason=f"its proof held until {order.eligible_until}")
        require_sepa_iban(require_iban(order.iban), self._countries)
        write_for_banks(order.name, field="holder_name", length_max=NAME_MAX)

    def _keep_bearer(self, page: Page, order: ConversionOrder) -> bytes:
        """Keep the body that is to be paid, or a proof that holds longer. Its account is changed by two officers only."""
        connection = page.connection
        proof = {
            "category": order.legal_category,
            "proof": f"ordre {order.territory} {order.proof.hex()}",
            "proven_until": order.eligible_until,
        }
        known = connection.execute(select(bearers).where(bearers.c.registry == order.bearer)).first()
        if known is None:
            id_ = bearer_id(order.bearer)
            sheet = {"seat": "", "mail": "", "phone": "", "holder_name": order.name, "iban": order.iban}
            connection.execute(
                insert(bearers).values(id=id_, name=order.name, registry=order.bearer, at=page.now, **proof, **sheet)
            )
            return id_
        if known.proven_until < order.eligible_until:
            change(connection, update(bearers).where(bearers.c.id == known.id).values(**proof))
        return bytes(known.id)


def load_deciders(
    connection: Connection, territory: str, home: str, neighbours: Directory, now: int
) -> list[PublicKeys]:
    """Return the keys whose word on projects of a territory counts: of our own house, noted by a person, or on its card."""
    if territory == home:
        own = neighbours.members.get(BaseName.PROJECTS)
        # An order that was signed before the projects' base changed its key may reach us long after.
        return [] if own is None else [*own.keys, *own.retired]
    return load_deciding_keys(connection, territory, now)


def _find_lots(connection: Connection, told: Due) -> Mapping[bytes, bytes | None]:
    """Return for each lot the pledge that it hangs on, or None. Raises LotNotOurs, LotSpent."""
    asked: dict[bytes, int] = defaultdict(int)
    for ref, cents in zip(told.refs, told.cents, strict=True):
        asked[ref] += cents
    issued, of_pledge = load_issued(connection, asked)
    require_covered(asked, issued, load_spent(connection, asked))
    return {ref: of_pledge.get(ref) for ref in asked}


def load_issued(connection: Connection, refs: Iterable[bytes]) -> tuple[dict[bytes, int], dict[bytes, bytes]]:
    """Return what was deposited or may be called of each of these lots, and the pledges of those that are called."""
    issued: dict[bytes, int] = {}
    of_pledge: dict[bytes, bytes] = {}
    for some in _chunks(refs):
        for ref, cents in connection.execute(
            select(deposits.c.lot_ref, func.sum(deposits.c.cents))
            .where(deposits.c.lot_ref.in_(some), deposits.c.state == DepositState.ISSUED)
            .group_by(deposits.c.lot_ref)
        ):
            issued[bytes(ref)] = int(cents)
        for row in connection.execute(select(pledges).where(pledges.c.lot_ref.in_(some))):
            issued[bytes(row.lot_ref)] = compute_limit(row.cents, row.given)
            of_pledge[bytes(row.lot_ref)] = bytes(row.id)
    return issued, of_pledge


def load_spent(connection: Connection, refs: Iterable[bytes]) -> dict[bytes, int]:
    """Return what was converted of each of these lots."""
    return {
        bytes(ref): int(cents)
        for some in _chunks(refs)
        for ref, cents in connection.execute(
            select(due_lots.c.ref, func.sum(due_lots.c.cents)).where(due_lots.c.ref.in_(some)).group_by(due_lots.c.ref)
        )
    }


def _chunks(refs: Iterable[bytes]) -> Iterable[list[bytes]]:
    all_ = list(refs)
    return (all_[start : start + _CHUNK] for start in range(0, len(all_), _CHUNK))
