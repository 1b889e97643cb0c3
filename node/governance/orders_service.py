"""Orders: who is to be paid for a round, why that body may be, signed by this base and sealed for the fund that pays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.bearers import require_eligible
from node.governance.catalogue_service import choose_payers, load_payer_words
from node.governance.errors import NotFundedYet, RoundRefused
from node.governance.parameters_store import load_eligibility
from node.governance.settings import ProjectsSettings
from node.governance.south.programme_store import find_programme_row
from node.governance.store import Project, load_bearer, load_proofs
from protocol.book.worker import Page
from protocol.conversion import ABROAD_VERSION, ORDER_VERSION, ConversionOrder, seal_order, sign_order
from protocol.house import PAYERS_MAX
from protocol.keys import PublicKeys, SecretKeys

_SEED_BYTES: Final = 32


class OrderWriter:
    """Writes orders of what stands in the book now: the bearer's proofs, its account, the committee's decision."""

    def __init__(
        self,
        settings: ProjectsSettings,
        *,
        keys: SecretKeys,
        find_fund: Callable[[], PublicKeys | None],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._find_fund = find_fund
        self._entropy = entropy

    def use_keys(self, keys: SecretKeys) -> None:
        """Sign with these keys from now on."""
        self._keys = keys

    def write(self, page: Page, project: Project, number: int, today: int) -> tuple[dict[str, bytes], str]:
        """Return the sealed order for each fund, and the account that they name. Raises what refuses the bearer."""
        others = choose_payers(load_payer_words(page.connection, page.now), number, PAYERS_MAX - 1)
        payers = {str(self._settings.home): self._load_fund(), **others}
        return self._write(page.connection, project, number, today, payers)

    def write_own(self, connection: Connection, project: Project, number: int, today: int) -> bytes:
        """Return the order for our own fund alone. Raises what refuses the bearer."""
        home = str(self._settings.home)
        return self._write(connection, project, number, today, {home: self._load_fund()})[0][home]

    def _load_fund(self) -> PublicKeys:
        fund = self._find_fund()
        if fund is None:
            raise NotFundedYet(reason="the fund of this territory is not in house.toml")
        return fund

    def _write(
        self, connection: Connection, project: Project, number: int, today: int, payers: Mapping[str, PublicKeys]
    ) -> tuple[dict[str, bytes], str]:
        assert project.bearer is not None
        assert project.decision is not None
        assert project.decided_on is not None
        bearer = load_bearer(connection, project.bearer)
        proof = require_eligible(bearer, load_proofs(connection, bearer.id), load_eligibility(today), today)
        changes = tables.iban_changes
        if connection.execute(
            select(changes.c.id).where(changes.c.bearer == bearer.id, changes.c.applied_at.is_(None))
        ).first():
            raise RoundRefused(reason="the bearer's account is being changed: wait, or let the change lapse")
        programme = find_programme_row(connection, project.id)
        version, country = (ORDER_VERSION, bearer.country) if programme is None else (ABROAD_VERSION, programme.country)
        orders: dict[str, bytes] = {}
        for payer, keys in payers.items():
            order = ConversionOrder(
                version=version,
                territory=self._settings.home,
                payer=payer,
                project=project.id,
                round=number,
                title=project.sheet.title,
                bearer=bearer.registry,
                name=bearer.name,
                legal_category=bearer.category,
                iban=bearer.iban,
                country=country,
                eligible_until=proof.valid_until,
                proof=proof.digest,
                decision=project.decision,
                decided_on=project.decided_on,
            )
            orders[payer] = seal_order(sign_order(order, self._keys), keys, entropy=self._entropy(_SEED_BYTES))
        return orders, bearer.iban
