"""Cards of free accounts that the social services hand out, enrolled by the number on them; what the holder's export tells."""

from __future__ import annotations

import json
from pathlib import Path

from node.federation.cessions import AskCession
from node.federation.service import Federation
from node.people.paper_codes import format_code
from node.people.records import make_record
from node.people.requests import AskAbout, ClaimCard, Read, Stock
from node.solidarity import store
from node.solidarity.operations import OperationEvent
from node.solidarity.service import Enrol, OpenOperation, OpenPool, Order, Solidarity
from protocol.envelopes import Welcome
from protocol.exchange.service import Identity
from protocol.identifiers import AccountNumber, Address, Id16, parse_id
from protocol.keys import Keyring
from protocol.times import day_at, write_day
from tests.people.people_world import ACCOUNTS, BREST, PeopleWorld
from tests.solidarity.world import EQUAL


async def test_a_card_is_enrolled_before_anybody_took_it_and_the_export_of_who_did_tells_no_reason(
    tmp_path: Path,
) -> None:
    world = PeopleWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    world.found()
    world.write(world.people.accounts.stock, Stock(**world.by(), count=3))
    await world.exchange()
    carried = world.by()
    _, cards = await world.people.print_cards(id_=carried["id"], by=carried["by"], purpose=carried["purpose"], count=3)
    numbers = [AccountNumber(number) for number, _ in cards]
    book = world.books[ACCOUNTS]
    identity = Identity("test", BREST, Keyring(world.keys[ACCOUNTS]))
    welcome = Welcome("", "HUB-FR", bytes(32), bytes(32))
    federation = Federation(world.ledger, identity, welcome, entropy=world.entropy, on_outgoing=lambda: None)
    room = Solidarity(world.ledger, federation)
    pool, today = world.id(), write_day(day_at(world.time))
    book.write_now(room.open_pools, OpenPool(op=pool, title="Le pot commun", rule=EQUAL))
    enrolled = book.write_now(room.enrol, Enrol(op=world.id(), pool=pool, lines=tuple((one, 1) for one in numbers)))
    assert enrolled.codes == ("", "", "")
    days = {"starts": today, "until": today, "target": 300}
    opened = book.write_now(
        room.open_operations, OpenOperation(op=world.id(), pool=pool, title="Noël", salt=world.id(), **days)
    )
    giver = await world.open_account(world.enter(make_record(name="Yann")))
    world.give(giver, 300)
    to = Address(AccountNumber(opened.number), BREST)
    book.write_now(federation.cede, AskCession(op=world.id(), account=giver, beneficiary=to, cents=300))
    operation = Id16(opened.operation)
    book.write_now(room.decide, Order(op=world.id(), operation=operation, event=OperationEvent.SHARE))
    assert book.write_now(room.go_on, operation).state == "shared"
    assert [world.balance(number) for number in numbers] == [100, 100, 100]
    told = await world.people.verify_paper(format_code(cards[0][1]))
    zelie = world.enter()
    world.write(
        world.people.identities.claim, ClaimCard(**world.by(), identity=parse_id(told["identity"]), person=zelie)
    )
    world.write(world.people.accounts.ask, AskAbout(**world.by(zelie), person=zelie))
    await world.exchange()
    export = world.write(world.people.exports.export, Read(**world.by(zelie), person=zelie))
    text = json.dumps(export, ensure_ascii=False, default=str)
    assert numbers[0] in text, "the export is hers"
    outlet = book.read_now(lambda line: store.find_operation(line, operation))
    assert outlet is not None
    secrets = ("Noël", "Le pot", "olidar", opened.number, outlet.outlet, giver, operation.hex(), pool.hex())
    assert [secret for secret in secrets if secret in text] == []
    assert world.find_wrongs() == []
    world.close()
