"""Cards and catalogues from one territory to another: what is altered, old, double, hidden or of nobody any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import Table, Update, delete, select, update

from hub.catalogue.checks import check_publications
from hub.catalogue.service import CHANGES_PER_HOUR_MAX, TooManyPublications
from hub.catalogue.tables import publications
from node.catalogue import tables
from node.catalogue.checks import check_catalogue
from node.catalogue.words import CARD_EVERY_MS, NothingToPublish
from protocol.book.service import Book
from protocol.catalogue import CatalogueRefused, open_catalogue
from protocol.directory import Reinstated, Suspended
from protocol.house import DeciderKey, PayerKey, SettlementAccount
from protocol.keys import Keyring, make_keys
from protocol.publications import (
    CataloguePage,
    Publication,
    PublicationConflict,
    PublicationOlder,
    PublicationRefused,
    read_pages,
    write_pages,
)
from protocol.territory_card import CardRefused, open_card, sign_card
from protocol.times import DAY_MS, HOUR_MS
from tests.catalogue.world import FUND, GARDEN, HALL, IBAN, PROJECTS, Federated, Place, make_url
from tests.federation.world import BREST, LYON


class Two:
    """Brest, that lists projects, and Lyon, that reads."""

    def __init__(self, folder: Path) -> None:
        self.world = Federated(make_url(folder))
        self.brest, self.lyon = self.world.house(BREST), self.world.house(LYON)
        self.settle()

    def settle(self) -> None:
        asyncio.run(self.world.settle())

    def round(self, *places: Place) -> None:
        """Each does its round; what the line refuses is in `trouble`."""

        async def run() -> None:
            for place in places or (self.brest, self.lyon):
                await place.round()

        asyncio.run(run())

    def check(self) -> list[str]:
        return [f"{one.place}: {one.found}" for one in self.world.check()]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.world.close()


def test_a_project_of_one_territory_is_found_in_another_and_its_keys_reach_our_bases(two: Two) -> None:
    two.brest.list(GARDEN, HALL)
    two.brest.pay_to()
    two.round()
    assert two.lyon.titles() == ["Jardins partagés", "Une halle"], "the more urgent first"
    assert two.lyon.titles(text="JARDIN recou") == ["Jardins partagés"]
    assert two.lyon.titles(theme="Culture") == ["Une halle"]
    assert two.lyon.titles(urgency=1) == ["Jardins partagés"]
    assert two.lyon.titles(territory=LYON) == two.lyon.titles(text="école") == []
    assert two.lyon.titles(near=(48_400_000, -4_486_000), within_m=2_000) == ["Jardins partagés"]
    assert two.lyon.titles(near=(45_764_000, 4_836_000)) == ["Jardins partagés", "Une halle"], "unknown places last"
    [found] = two.lyon.find(near=(48_400_000, -4_486_000), within_m=2_000).found
    assert found.metres is not None
    assert abs(found.metres - 1_112) < 5
    assert two.lyon.find(limit=1).total == 2
    assert [one.row.title for one in two.lyon.find(start=1, limit=1).found] == ["Une halle"]
    fund, projects = two.brest.keys[FUND].public, two.brest.keys[PROJECTS].public
    [payer] = two.lyon.heard(PayerKey)
    assert (payer.territory, payer.signing, payer.sealing) == (BREST, fund.signing, fund.sealing)
    [decider] = two.lyon.heard(DeciderKey)
    assert (decider.signing, decider.sealing) == (projects.signing, projects.sealing)
    [account] = two.lyon.heard(SettlementAccount)
    assert (account.territory, account.name, account.iban, account.number) == (BREST, "FONDS", IBAN, payer.number)
    two.round()
    assert len(two.lyon.told) == 3, "told once"
    assert two.brest.titles() == two.lyon.titles(), "at home it is read too"
    assert two.check() == []


def test_nothing_is_sent_again_that_the_hub_has_and_all_is_after_a_day(two: Two) -> None:
    two.brest.list(GARDEN)
    two.round()
    before = two.world.line.calls
    two.round(two.brest)
    assert two.world.line.calls == before + 1, "one question what is new"
    two.world.hub_book.write_now(lambda page, _: [page.connection.execute(delete(publications))], None)
    two.world.clock.now += DAY_MS
    two.round()
    assert two.world.hub_book.read_now(lambda line: len(line.execute(select(publications)).all())) == 2


def test_what_was_altered_is_refused_at_the_hub_and_at_each_reader(two: Two) -> None:
    two.brest.list(GARDEN)
    own = two.brest.own()
    for bent in (
        structs.replace(own, card=own.card[:-1] + bytes([own.card[-1] ^ 1])),
        structs.replace(own, card=sign_card(open_card(own.card)[1], make_keys(bytes(64)))),
    ):
        with pytest.raises(CardRefused):
            two.world.publish_now(bent)
        with pytest.raises(CardRefused):
            two.lyon.take(bent)
    cut = structs.replace(own, catalogue=own.catalogue[:-1] + bytes([own.catalogue[-1] ^ 1]))
    with pytest.raises(CatalogueRefused):
        two.world.publish_now(cut)
    with pytest.raises(PublicationRefused):
        two.world.publish_now(structs.replace(own, territory=LYON))
    two.world.publish_now(own)
    two.world.line.change = lambda page: structs.replace(
        page, entries=tuple(structs.replace(one, publication=cut) for one in page.entries)
    )
    two.round(two.lyon)
    assert two.lyon.titles() == []
    assert "catalogue_refused" in two.lyon.word(BREST).refused
    two.world.line.change = lambda page: page
    assert two.lyon.take(own)
    assert (two.lyon.titles(), two.lyon.word(BREST).refused) == (["Jardins partagés"], "")


def test_an_older_one_and_a_second_content_under_one_number_are_refused_and_said(two: Two) -> None:
    two.brest.list(GARDEN, HALL, number=5)
    old = two.brest.own()
    two.round()
    two.brest.list(GARDEN, number=6)
    two.round()
    assert two.lyon.titles() == ["Jardins partagés"]
    for refuse in (two.world.publish_now, two.lyon.take):
        with pytest.raises(PublicationOlder) as older:
            refuse(old)
        assert (older.value.facts["what"], older.value.facts["kept"]) == ("catalogue", 6)
    told = open_catalogue(two.brest.list(HALL, number=6))[1]
    assert told.number == 6
    assert two.brest.own().catalogue != old.catalogue
    forged = structs.replace(old, catalogue=two.brest.list(HALL, number=6))
    for refuse in (two.world.publish_now, two.lyon.take):
        with pytest.raises(PublicationConflict):
            refuse(forged)
    assert "publication_conflict" in two.lyon.word(BREST).refused
    two.brest.node.book.write_now(two.brest.desk.make_own, None)
    two.world.clock.now += CARD_EVERY_MS
    two.brest.own()
    two.round()
    with pytest.raises(PublicationOlder) as older:
        two.lyon.take(old)
    assert older.value.facts["what"] == "card"
    assert two.check() == []


def test_a_suspended_member_publishes_nothing_new_and_what_it_lists_is_not_shown(two: Two) -> None:
    two.brest.list(GARDEN)
    two.round()
    two.world.change(Suspended(BREST, "a test"))
    two.settle()
    assert two.lyon.titles() == []
    assert two.lyon.word(BREST).status == "suspended"
    two.world.clock.now += CARD_EVERY_MS
    own = two.brest.own()
    for refuse in (two.world.publish_now, two.lyon.take):
        with pytest.raises(CardRefused, match="suspended"):
            refuse(own)
    assert two.check() == [], "what was taken before stays good"
    two.world.change(Reinstated(BREST))
    two.settle()
    two.round()
    assert two.lyon.titles() == ["Jardins partagés"]


def test_a_node_that_changes_its_key_signs_its_card_anew(two: Two) -> None:
    two.brest.list(GARDEN)
    two.round()
    old = two.brest.own()
    federation, book = two.brest.node.federation, two.brest.node.book
    before, after = federation.identity.keyring.current, make_keys(two.world.entropy(64))
    federation.use_identity(replace(federation.identity, keyring=Keyring(before, (after,))))
    book.write_now(federation.announce_key, after)
    two.settle()
    federation.use_identity(replace(federation.identity, keyring=Keyring(after, (before,))))
    book.write_now(federation.retire_key, before.public.id)
    two.settle()
    by_before = sign_card(structs.replace(open_card(old.card)[1], number=2**50), before)
    with pytest.raises(CardRefused, match="key that the directory shows"):
        two.world.publish_now(structs.replace(old, card=by_before))
    new = two.brest.own()
    assert open_card(new.card)[0].key == after.public.id
    assert open_card(new.card)[1].number > open_card(old.card)[1].number
    two.round()
    assert two.lyon.word(BREST).card_number == open_card(new.card)[1].number
    assert len(two.lyon.heard(DeciderKey)) == 1, "what it says of its bases is the same"
    assert two.check() == [], "cards under the key that was retired are good for what they said"


def test_a_base_that_changes_its_key_is_told_and_its_older_catalogue_is_nobodys_word(two: Two) -> None:
    two.brest.list(GARDEN)
    two.round()
    two.brest.keys[PROJECTS] = make_keys(two.world.entropy(64))
    two.brest.open()
    two.round()
    assert two.lyon.titles() == []
    assert not two.lyon.word(BREST).is_shown
    assert [one.signing for one in two.lyon.heard(DeciderKey)][1:] == [two.brest.keys[PROJECTS].public.signing]
    two.brest.list(HALL)
    two.round()
    assert two.lyon.titles() == ["Une halle"]
    assert two.check() == []


def test_a_hub_that_hides_what_is_new_is_seen_by_the_age_of_what_is_shown(two: Two) -> None:
    two.brest.list(GARDEN)
    two.round()
    assert (two.lyon.word(BREST).age, two.lyon.word(BREST).is_old) == (0, False)
    two.world.line.change = lambda page: CataloguePage(page.version, page.next, False, ())
    two.world.clock.now += 9 * DAY_MS
    two.brest.list(HALL)
    two.round()
    word = two.lyon.word(BREST)
    assert (word.age, word.is_old, two.lyon.titles()) == (9, True, ["Jardins partagés"])
    assert two.brest.word(BREST).age == 0


def test_an_account_that_is_taken_away_is_told_and_an_unsigned_one_never_stands_on_the_card(two: Two) -> None:
    two.brest.pay_to()
    two.round()
    two.brest.pay_to("")
    two.brest.pay_to(number=1)
    two.round()
    assert [one.iban for one in two.lyon.heard(SettlementAccount)] == [IBAN, ""]
    assert not two.lyon.word(BREST).has_account
    two.brest.keys[FUND] = make_keys(two.world.entropy(64))
    two.brest.open()
    two.brest.pay_to(number=1)
    assert open_card(two.brest.own().card)[1].settlement is None, "signed by the key before: the fund signs it anew"


def test_words_of_bases_that_are_not_theirs_are_passed_over(two: Two) -> None:
    two.brest.list(GARDEN, signer=two.brest.keys[FUND])
    assert two.brest.own().catalogue == b""
    two.lyon.list(HALL)
    assert two.brest.take(two.brest.own()) is False, "nobody tells us who we are"
    bare = Place(two.world, two.brest.node)
    bare.keys = {}
    bare.open()
    two.brest.node.book.write_now(lambda page, _: [page.connection.execute(delete(tables.territory_cards))], None)
    with pytest.raises(NothingToPublish):
        bare.own()


def test_members_without_a_line_take_part_by_file(two: Two) -> None:
    two.brest.list(GARDEN)
    data = write_pages([two.brest.own(), two.lyon.own()], two.world.clock())
    assert [two.lyon.take(one) for one in read_pages(data)] == [True, False]
    assert two.lyon.titles() == ["Jardins partagés"]
    stranger = structs.replace(two.brest.own(), territory="200093201")
    with pytest.raises(PublicationRefused):
        two.lyon.take(stranger)


def test_a_member_that_publishes_too_often_is_told_to_wait(two: Two) -> None:
    two.brest.list(GARDEN)
    own = two.brest.own()
    _, card = open_card(own.card)
    secret = two.brest.node.federation.identity.keyring.current
    for place in range(CHANGES_PER_HOUR_MAX):
        signed = sign_card(structs.replace(card, number=card.number + place), secret)
        two.world.publish_now(Publication(BREST, signed, own.catalogue))
    over = Publication(BREST, sign_card(structs.replace(card, number=card.number + 10**6), secret), own.catalogue)
    with pytest.raises(TooManyPublications):
        two.world.publish_now(over)
    two.world.publish_now(Publication(BREST, signed, own.catalogue))
    two.world.clock.now += HOUR_MS
    assert two.world.publish_now(over).is_new


def test_what_is_changed_by_hand_is_found_at_a_reader_and_at_the_hub(two: Two) -> None:
    two.brest.list(GARDEN)
    two.round()
    assert two.check() == []
    changes: list[tuple[Table, Book, dict[str, object]]] = [
        *(
            (publications, two.world.hub_book, {"card": b"\xc0"}),
            (publications, two.world.hub_book, {"card_number": 7}),
        ),
        (publications, two.world.hub_book, {"catalogue_number": 7}),
        (publications, two.world.hub_book, {"catalogue": b"\xc0"}),
    ]
    for name, values in (
        ("territory_cards", {"number": 7}),
        ("territory_cards", {"signed": b"\xc0"}),
        ("catalogues", {"number": 7}),
        ("catalogues", {"day": 20260101}),
        ("catalogues", {"key": bytes(8)}),
        ("catalogues", {"signed": b"\xc0"}),
        ("listed_projects", {"title": "Un autre"}),
        ("listed_projects", {"searched": "un autre"}),
        ("listed_projects", {"support": 1}),
        ("listed_projects", {"latitude": None}),
        ("listed_projects", {"territory": "200093201"}),
    ):
        changes.append((tables.metadata.tables[name], two.lyon.node.book, dict(values)))
    for table, book, values in changes:
        owner = table.c.member if table is publications else table.c.territory
        [kept] = book.read_now(lambda line, t=table, o=owner: line.execute(select(t).where(o == BREST)).all())
        is_it = [column == values.get(column.name, kept._mapping[column.name]) for column in table.primary_key]
        put(book, update(table).where(owner == BREST).values(**values))
        check = check_publications if table is publications else check_catalogue
        found = book.read_now(lambda line, run=check: run(line, two.world.registry.directory))
        assert not found.is_held, (table.name, values)
        put(book, update(table).where(*is_it).values(**kept._mapping))
    assert two.check() == []


def put(book: Book, statement: Update) -> None:
    book.write_now(lambda page, _: [page.connection.execute(statement)], None)
