"""The projects' base, wired by hand: its desks on one book.

projects = Projects(book, lambda page, reader, messages: peer.tell(page, reader, messages), settings, ...)
peer = PeerExchange(book, identity, neighbours, projects.apply, on_news=...)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

from node.governance.answers_service import AnswerDesk
from node.governance.attestations_service import AttestationDesk
from node.governance.auditing.auditors_service import AuditorDesk
from node.governance.auditing.audits_service import AuditDesk
from node.governance.catalogue_service import CatalogueDesk
from node.governance.comments_service import CommentDesk
from node.governance.committee_service import CommitteeDesk
from node.governance.deadlines_service import DeadlineDesk
from node.governance.letters_service import Letters, Tell
from node.governance.netted_service import NettedOrders
from node.governance.orders_service import OrderWriter
from node.governance.passes.issuers import Issuer, derive_issuer_key
from node.governance.passes.pass_service import Passes
from node.governance.projects_service import ProjectDesk
from node.governance.rounds_service import RoundDesk
from node.governance.settings import ProjectsSettings
from node.governance.signers_service import SignerDesk
from node.governance.south.guide_service import GuideDesk
from node.governance.south.programme_service import ProgrammeDesk
from node.governance.tables import metadata
from node.governance.volunteering.volunteering_service import VolunteerDesk
from node.governance.votes_service import VoteDesk
from protocol.book.migration_service import History
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.house import BaseName, HouseMessage, PayerKey
from protocol.keys import PublicKeys, SecretKeys

PROJECTS_HISTORY: Final = History(
    name="projects", folder=Path(__file__).parent / "migrations" / "versions", tables=(metadata,)
)


class Projects:
    """The projects and the committee of one territory, in one book. `keys` sign minutes and orders."""

    def __init__(
        self,
        book: Book,
        tell: Tell,
        settings: ProjectsSettings,
        *,
        keys: SecretKeys,
        find_fund: Callable[[], PublicKeys | None],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.book = book
        self.settings = settings
        self.keys = keys
        letters = Letters(tell)
        self.projects = ProjectDesk(letters, settings)
        self.programmes = ProgrammeDesk(settings)
        self.guides = GuideDesk(letters, settings)
        self.signers = SignerDesk(settings, on_revoked=self.guides.end_with_key)
        self.committee = CommitteeDesk(settings, keys=keys)
        self.votes = VoteDesk(settings, keys=keys)
        self._orders = orders = OrderWriter(settings, keys=keys, find_fund=find_fund, entropy=entropy)
        self.rounds = RoundDesk(letters, settings, orders)
        self.netted = NettedOrders(letters, settings, orders)
        self.comments = CommentDesk(settings)
        self.audits = AuditDesk(settings, keys=keys)
        self.auditors = AuditorDesk(settings, self.audits)
        self.deadlines = DeadlineDesk(letters, settings)
        self.answers = AnswerDesk(letters, self.netted)
        self.catalogue = CatalogueDesk(tell, settings, keys=keys)
        issuer = Issuer(
            key=derive_issuer_key(keys), name=settings.issuer or f"Comité {settings.home}", node=settings.public_url
        )
        self.passes = Passes(book, settings, issuer=issuer, entropy=entropy)
        self.volunteers = VolunteerDesk(settings, self.passes.desk)
        self.attestations = AttestationDesk(
            settings, passes=self.passes.desk, volunteers=self.volunteers, committee=self.committee
        )

    def use_keys(self, keys: SecretKeys) -> None:
        """Sign minutes, orders and the catalogue with these keys from now on; passes from the next start."""
        self.keys = keys
        for desk in (self.committee, self.votes, self._orders, self.audits, self.catalogue):
            desk.use_keys(keys)

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Do what another base tells us, in the page that stores it. For `PeerExchange`."""
        self.guides.hear(page, sender, messages)
        if sender == BaseName.ACCOUNTS:
            for message in messages:
                if isinstance(message, PayerKey):
                    self.catalogue.take_payer(page, message)
        return self.answers.apply(page, sender, messages)

    async def catch_up(self) -> int:
        """Do what days have made due: accounts changed, projects funded or missed; return how much. Run twice is run once."""
        changed = cast(int, await self.book.write(self.signers.apply_changes, None))
        changed += cast(int, await self.book.write(self.audits.catch_up, None))
        changed += cast(int, await self.book.write(self.netted.catch_up, None))
        changed += cast(int, await self.book.write(self.volunteers.catch_up, None))
        changed += cast(int, await self.book.write(self.deadlines.catch_up, None))
        await self.book.write(self.catalogue.publish, False)
        return changed
