"""Use cases of cards and catalogues: make ours, take those of others, tell our bases. Each is an operation of the book's writer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from node.catalogue import store
from node.catalogue.words import CARD_EVERY_MS, KeyNotShown, Line, NothingToPublish, OwnWord
from protocol.book.worker import Page
from protocol.canonical import encode_typed
from protocol.catalogue import CatalogueRefused, open_catalogue, verify_catalogue
from protocol.directory import Directory
from protocol.errors import NotCanonical, Refusal
from protocol.exchange.peer_keys_store import load_known
from protocol.exchange.service import Identity
from protocol.house import (
    BaseName,
    CataloguePublished,
    DeciderKey,
    HouseMessage,
    PayerKey,
    SettlementAccount,
    SettlementPublished,
)
from protocol.keys import PublicKeys
from protocol.publications import CataloguePage, Publication, PublicationRefused, is_replacing
from protocol.territory_card import (
    CARD_VERSION,
    BaseKeys,
    CardRefused,
    SignedSettlement,
    TerritoryCard,
    decode_settlement,
    find_settlement,
    open_card,
    sign_card,
    verify_card,
    verify_settlement,
)
from protocol.times import day_at, write_day

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the hub said that it has of ours."""

    card: int
    catalogue: int


@dataclass(frozen=True, slots=True)
class TakenPage:
    """What came of a page: how many publications were new, how many were refused."""

    new: int
    refused: int


class CatalogueDesk:
    """Keeps cards and catalogues. `find_identity` and `find_directory` are the federation room's, as they are now."""

    def __init__(
        self,
        *,
        home: str,
        find_identity: Callable[[], Identity],
        find_directory: Callable[[], Directory],
        neighbours: Directory | None,
        tell: Tell,
    ) -> None:
        self._home = home
        self._find_identity = find_identity
        self._find_directory = find_directory
        self._neighbours = neighbours
        self._tell = tell

    # What our own bases say

    def hear(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> None:
        """Keep what our fund and our projects' base signed. What is older, or not theirs, is passed over."""
        for message in messages:
            try:
                match message:
                    case SettlementPublished() if sender == BaseName.FUND:
                        told = verify_settlement(
                            decode_settlement(message.signed), self._keys(page.connection, sender), self._home
                        )
                        self._keep_word(page, OwnWord.SETTLEMENT, told.number, message.signed)
                    case CataloguePublished() if sender == BaseName.PROJECTS:
                        catalogue = verify_catalogue(message.signed, self._keys(page.connection, sender), self._home)
                        self._keep_word(page, OwnWord.CATALOGUE, catalogue.number, message.signed)
                    case _:
                        continue
            except (CardRefused, CatalogueRefused, NotCanonical):
                continue

    def _keys(self, connection: Connection, base: str) -> list[PublicKeys]:
        """Return the keys that sign for one of our bases today, as it announced them."""
        known = None if self._neighbours is None else load_known(connection, self._neighbours, BaseName.ACCOUNTS)
        member = None if known is None else known.find(base)
        return [] if member is None else list(member.keys)

    def _keep_word(self, page: Page, what: OwnWord, number: int, signed: bytes) -> None:
        known = store.find_word(page.connection, what)
        if known is None or number > known[0]:
            store.save_word(page.connection, what, number, signed, page.now)

    # Our own card

    def make_own(self, page: Page, items: Sequence[None]) -> list[Publication | Refusal]:
        """Return our card and our catalogue as they are to be published; signed anew where anything changed."""
        answers: list[Publication | Refusal] = []
        for _ in items:
            try:
                answers.append(self._make_own(page))
            except Refusal as refusal:
                answers.append(refusal)
        return answers

    def _make_own(self, page: Page) -> Publication:
        connection, identity = page.connection, self._find_identity()
        secret = identity.keyring.current
        projects, fund = (self._newest(connection, base) for base in (BaseName.PROJECTS, BaseName.FUND))
        kept = store.find_card(connection, self._home)
        if projects is None and fund is None and kept is None:
            raise NothingToPublish
        member = self._find_directory().find(self._home)
        if member is None or member.find_key(secret.public.id) is None:
            raise KeyNotShown
        settlement = self._find_settlement(connection, fund)
        signed = b"" if kept is None else kept.signed
        if kept is None or self._is_to_sign(kept, secret.public.id, (projects, fund, settlement), page.now):
            # The clock keeps the number rising where a copy of this base forgot the last one.
            number = max(page.now, 0 if kept is None else kept.number + 1)
            day = write_day(day_at(page.now))
            card = TerritoryCard(CARD_VERSION, identity.network, self._home, number, day, projects, fund, settlement)
            signed = sign_card(card, secret)
            store.insert_card(connection, self._home, number, signed, page.now)
        word = store.find_word(connection, OwnWord.CATALOGUE)
        catalogue = b"" if word is None else word[1]
        if projects is None or (catalogue and open_catalogue(catalogue)[0].key != projects.public.id):
            catalogue = b""  # signed by a key that the card does not name any more: the projects' base signs it anew
        if word is not None and catalogue:
            known = store.find_catalogue(connection, self._home)
            if known is None or known.number < word[0]:
                opened, told = open_catalogue(catalogue)
                store.save_catalogue(connection, told, opened.key, catalogue, page.now)
        return Publication(self._home, signed, catalogue)

    def _newest(self, connection: Connection, base: BaseName) -> BaseKeys | None:
        keys = self._keys(connection, base)
        return BaseKeys(keys[-1].signing, keys[-1].sealing) if keys else None

    def _find_settlement(self, connection: Connection, fund: BaseKeys | None) -> SignedSettlement | None:
        word = store.find_word(connection, OwnWord.SETTLEMENT)
        if word is None or fund is None:
            return None
        signed = decode_settlement(word[1])
        return signed if signed.key == fund.public.id else None

    def _is_to_sign(self, kept: store.KeptCard, key: bytes, words: tuple[object, ...], now: int) -> bool:
        signed, card = open_card(kept.signed)
        told = (card.projects, card.fund, card.settlement)
        return told != words or signed.key != key or now >= kept.at + CARD_EVERY_MS

    # What others publish

    def take(self, page: Page, items: Sequence[Publication]) -> list[bool | Refusal]:
        """Take publications; return whether anything of each is new. What is refused is kept as a fact, and said."""
        answers: list[bool | Refusal] = []
        for item in items:
            try:
                answers.append(self._take(page, item))
            except Refusal as refusal:
                self._note_refused(page, item, refusal)
                answers.append(refusal)
        return answers

    def take_page(self, page: Page, items: Sequence[CataloguePage]) -> list[TakenPage]:
        """Take whole pages from the hub, and remember how far we read."""
        answers: list[TakenPage] = []
        for item in items:
            found = self.take(page, [one.publication for one in item.entries])
            refused = sum(isinstance(one, Refusal) for one in found)
            answers.append(TakenPage(sum(one is True for one in found), refused))
            store.save_line(page.connection, Line.SINCE, item.next)
            store.save_line(page.connection, Line.FETCHED_AT, page.now)
        return answers

    def note_pushed(self, page: Page, items: Sequence[Pushed]) -> list[None]:
        """Remember what the hub said that it has of ours."""
        for item in items:
            store.save_line(page.connection, Line.PUSHED_CARD, item.card)
            store.save_line(page.connection, Line.PUSHED_CATALOGUE, item.catalogue)
            store.save_line(page.connection, Line.PUSHED_AT, page.now)
        return [None] * len(items)

    def _take(self, page: Page, told: Publication) -> bool:
        connection, territory = page.connection, told.territory
        if territory == self._home:
            return False  # nobody tells us who we are
        kept = store.find_card(connection, territory)
        is_card_known = kept is not None and kept.signed == told.card
        card = verify_card(told.card, self._find_directory(), self._find_identity().network, is_new=not is_card_known)
        if card.territory != territory:
            raise PublicationRefused(reason="a card of another territory")
        before = None if kept is None else (kept.number, kept.signed)
        is_new = is_replacing(territory, "card", before, (card.number, told.card))
        if is_new:
            store.insert_card(connection, territory, card.number, told.card, page.now)
        is_new = self._take_catalogue(page, card, told.catalogue) or is_new
        if is_new:
            store.forget_refused(connection, territory)
        return is_new

    def _take_catalogue(self, page: Page, card: TerritoryCard, data: bytes) -> bool:
        if not data:
            return False
        if card.projects is None:
            raise CatalogueRefused(territory=card.territory, reason="its card names no projects' base")
        catalogue = verify_catalogue(data, [card.projects.public], card.territory)
        known = store.find_catalogue(page.connection, card.territory)
        before = None if known is None else (known.number, known.signed)
        if not is_replacing(card.territory, "catalogue", before, (catalogue.number, data)):
            return False
        store.save_catalogue(page.connection, catalogue, card.projects.public.id, data, page.now)
        return True

    def _note_refused(self, page: Page, told: Publication, refusal: Refusal) -> None:
        """Keep the refusal under a territory of the directory: what strangers write fills nothing."""
        if self._find_directory().find(told.territory) is not None:
            store.save_refused(page.connection, told.territory, refusal, page.now)

    # What our bases are told

    def tell_house(self, page: Page, items: Sequence[None]) -> list[int]:
        """Tell our projects' base and our fund what cards say, where it changed; return how many messages it took."""
        told = 0
        for kept in store.load_newest_cards(page.connection):
            if kept.territory == self._home:
                continue
            card = open_card(kept.signed)[1]
            since = write_day(day_at(page.now))
            told += self._tell_base(page, BaseName.PROJECTS, card, make_for_projects(card, since))
            told += self._tell_base(page, BaseName.FUND, card, make_for_fund(card, since))
        return [told for _ in items]

    def _tell_base(self, page: Page, reader: BaseName, card: TerritoryCard, messages: Sequence[HouseMessage]) -> int:
        if not messages or not self._keys(page.connection, reader):
            return 0
        before = store.find_told(page.connection, reader, card.territory)
        if before is None and not _says_something(messages):
            return 0
        digest = _digest(card, reader)
        if before == digest:
            return 0
        store.save_told(page.connection, reader, card.territory, digest, page.now)
        self._tell(page, reader, messages)
        return len(messages)


def make_for_projects(card: TerritoryCard, since: int) -> list[HouseMessage]:
    """Return what the projects' base is told of a card."""
    if card.fund is None:
        return []
    return [PayerKey(card.territory, card.number, since, card.fund.signing, card.fund.sealing)]


def make_for_fund(card: TerritoryCard, since: int) -> list[HouseMessage]:
    """Return what the fund is told of a card; that there is no account any more is told too."""
    messages: list[HouseMessage] = []
    if card.projects is not None:
        messages.append(DeciderKey(card.territory, card.number, since, card.projects.signing, card.projects.sealing))
    told = find_settlement(card)
    if told is None or card.fund is None or card.settlement is None:
        messages.append(SettlementAccount(card.territory, "", "", "", "", card.number, since, b"", b"", b""))
    else:
        messages.append(
            SettlementAccount(
                *(card.territory, told.name, told.siren, told.iban, told.bic, card.number, since),
                *(card.fund.signing, card.fund.sealing, encode_typed(card.settlement)),
            )
        )
    return messages


def _says_something(messages: Sequence[HouseMessage]) -> bool:
    return any(not isinstance(one, SettlementAccount) or one.iban for one in messages)


def _digest(card: TerritoryCard, reader: BaseName) -> bytes:
    """Return a digest of what a card says to one of our bases, whatever its number."""
    words = (card.fund,) if reader is BaseName.PROJECTS else (card.projects, card.fund, card.settlement)
    return hashlib.blake2b(encode_typed(words), digest_size=16).digest()
