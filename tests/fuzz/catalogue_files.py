"""What territories publish of themselves: cards, accounts, catalogues, pages and files of them, places to look near."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from msgspec import structs

from node.catalogue.listing import parse_place
from protocol.canonical import encode_typed
from protocol.catalogue import (
    CATALOGUE_VERSION,
    Catalogue,
    ListedProject,
    SignedCatalogue,
    open_catalogue,
    sign_catalogue,
    verify_catalogue,
)
from protocol.directory import Directory, Member, MemberKind, MemberStatus
from protocol.errors import Refusal
from protocol.keys import Domain, sign
from protocol.publications import (
    CataloguePage,
    PageEntry,
    Publication,
    decode_page,
    decode_publication,
    encode_page,
    encode_publication,
    read_pages,
    write_pages,
)
from protocol.territory_card import (
    CARD_VERSION,
    BaseKeys,
    Settlement,
    SignedCard,
    SignedSettlement,
    TerritoryCard,
    decode_settlement,
    find_settlement,
    open_card,
    sign_card,
    sign_settlement,
    verify_card,
    verify_settlement,
)
from tests.fuzz.targets import AUTHOR, BREST, NETWORK, Run, require_same

_KEYS: Final = [AUTHOR.public]
_DIRECTORY: Final = Directory(
    members={BREST: Member(BREST, "Brest", MemberKind.TERRITORY, MemberStatus.ACTIVE, (AUTHOR.public,))}
)


def catalogue_file() -> Run:
    """Each thing that is published: as it is sent, and as a body that its signer signed whatever it holds."""

    def run(data: bytes) -> None:
        with suppress(Refusal):
            card = verify_card(data, _DIRECTORY, NETWORK, is_new=True)
            require_same(sign_card(card, AUTHOR), data, "a card")
        with suppress(Refusal):
            signed = encode_typed(SignedCard(data, AUTHOR.public.id, sign(AUTHOR, Domain.CARD, data)))
            card = verify_card(signed, _DIRECTORY, NETWORK, is_new=False)
            require_same(open_card(signed)[1], card, "a card's body")
            if (account := find_settlement(card)) is not None:
                require_same(account.territory, card.territory, "whose account")
        with suppress(Refusal):
            told = verify_settlement(decode_settlement(data), _KEYS, BREST)
            require_same(sign_settlement(told, AUTHOR), data, "an account")
        with suppress(Refusal):
            words = SignedSettlement(data, AUTHOR.public.id, sign(AUTHOR, Domain.SETTLEMENT, data))
            require_same(encode_typed(verify_settlement(words, _KEYS, BREST)), data, "an account's words")
        with suppress(Refusal):
            require_same(sign_catalogue(verify_catalogue(data, _KEYS, BREST), AUTHOR), data, "a catalogue")
        with suppress(Refusal):
            whole = encode_typed(SignedCatalogue(data, AUTHOR.public.id, sign(AUTHOR, Domain.CATALOGUE, data)))
            require_same(verify_catalogue(whole, _KEYS, BREST), open_catalogue(whole)[1], "a catalogue's body")
        with suppress(Refusal):
            require_same(encode_publication(decode_publication(data)), data, "a publication")
        with suppress(Refusal):
            require_same(encode_page(decode_page(data)), data, "a page")
        with suppress(Refusal):
            many = read_pages(data)
            require_same(read_pages(write_pages(many, 0)), many, "a file of publications")
        with suppress(Refusal):
            north, east = parse_place(data.decode("utf-8", errors="replace"))
            assert abs(north) < 10**9
            assert abs(east) < 10**9

    return run


def seeds() -> Iterator[bytes]:
    """Each of them once, signed and as its body."""
    keys = BaseKeys(AUTHOR.public.signing, AUTHOR.public.sealing)
    account = Settlement(
        *(CARD_VERSION, BREST, 7, 20261128, "FONDS", "200046977", "FR7630006000011234567890189", "AGRIFRPP")
    )
    card = TerritoryCard(
        *(CARD_VERSION, NETWORK, BREST, 7, 20261128, keys, keys),
        decode_settlement(sign_settlement(account, AUTHOR)),
    )
    garden = ListedProject(
        *("0A1B2C3D", "Jardins", "Recouvrance", "29019", "nature"),
        *(1_000, 600, 10, 20270115, 2, 48_390_000, -4_486_000),
    )
    catalogue = Catalogue(CATALOGUE_VERSION, BREST, 7, 20261128, (garden,))
    bare = structs.replace(card, projects=None, fund=None, settlement=None)
    told = Publication(BREST, sign_card(bare, AUTHOR), sign_catalogue(structs.replace(catalogue, projects=()), AUTHOR))
    yield from (sign_card(card, AUTHOR), sign_settlement(account, AUTHOR), sign_catalogue(catalogue, AUTHOR))
    yield from (encode_typed(card), encode_typed(account), encode_typed(catalogue))
    yield encode_publication(told)
    yield encode_page(CataloguePage(1, 9, True, (PageEntry(9, 5, told),)))
    yield write_pages([told], 5)
    yield b"48.39,-4.486"
