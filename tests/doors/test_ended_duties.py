"""A duty that ends among the people ends at its base: real bases in one house, and the people's base tells no name."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from node import house_checks
from node.desks.accounts.admin_commands import COMMANDS
from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.fund.words import read_words
from node.desks.partners.admin_commands import PARTNERS_COMMANDS
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.projects import commands as projects_commands
from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.fund.fund_errors import NothingToOrder, OfficerRefused
from node.fund.outgoing_payments import write_words
from node.governance.service import PROJECTS_HISTORY
from node.governance.signers import write_public
from node.house_app import HouseApp
from node.people.checks import check_people
from node.people.errors import InvalidRole, SameEyes
from node.people_app import load_base_keys_of
from protocol.book.backup_service import back_up, put_back
from protocol.errors import Refusal
from protocol.exchange.peer_recovery import BEHIND
from protocol.exchange.talk_store import load_talk
from protocol.house import BaseName, DutyEnded, DutyHeard, OpenHolder
from protocol.keys import Domain, SecretKeys, make_keys, sign
from protocol.running import clock_service
from protocol.times import HOUR_MS, Instant, parse_instant
from tests.doors.test_house_doors import make_folder
from tests.doors.test_people_house import add_people
from tests.fund.fund_world import BEARER_IBAN
from tests.templates import lay

ANNE, BOB, ZELIE, YANN = (f"{one * 8}-{one * 4}-4{one * 3}-8{one * 3}-{one * 12}" for one in "1234")
WORD = "la trésorière"
ANNES, ZELIES = make_keys(b"a" * 64), make_keys(b"z" * 64)
TREASURER = {"base": "FUND", "duty": "treasurer", "from_day": "2026-11-01"}


class House:
    """A house of five bases and what its people do; the clock is the test's own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = parse_instant("2026-11-23T12:00:00Z")
        self.numbers = itertools.count(1)
        monkeypatch.setattr(clock_service, "now", self.now)
        self.folder = add_people(make_folder(folder))
        self.app: Any = HouseApp(self.folder, (BaseName.FUND, BaseName.PEOPLE))

    async def open(self, *bases: BaseName) -> None:
        """Serve these bases of the folder from now on."""
        await self.app.close()
        self.app = HouseApp(self.folder, bases)

    async def add_projects(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            projects_commands.init(self.folder)
        lay(f"sqlite:///{self.folder}/projects/projects.db", PROJECTS_HISTORY)
        await self.open(*BaseName)

    def now(self) -> Instant:
        self.time = Instant(self.time + 1)
        return self.time

    def id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.numbers):012d}"

    async def people(self, command: str, by: str = ANNE, **asked: Any) -> Any:
        told = {"id": self.id(), "by": by, "purpose": "governance", **asked}
        return await PEOPLE_COMMANDS[command](self.app.people, told)

    async def fund(self, command: str, **asked: Any) -> Any:
        return await FUND_COMMANDS[command](self.app.fund, asked)

    async def found(self) -> None:
        await self.people("found", id=ANNE, second_id=BOB, first="Anselme Officier", second="Barnabe Officier")
        await self.people("enter", id=ZELIE, kind="person", name="Zenobie Kerguelen")

    async def decide(self, kind: str, person: str = ZELIE, **body: Any) -> str:
        """Have one officer propose, and the other approve."""
        told = await self.people("propose", kind=kind, person=person, body=body)
        await self.people("decide", BOB, proposal=told["proposal"], decision="approve")
        return str(told["proposal"])

    async def role(self, role: str) -> Any:
        return next(one for one in await self.people("roles") if one["role"] == role)

    async def carry(self) -> None:
        await self.app.clearing.carry()

    async def key(self, name: str = WORD, duties: str = "treasurer,reader") -> str:
        told = await self.fund("key_new", id=self.id(), name=name, duties=duties)
        return str(told["key_id"])

    async def live(self) -> set[str]:
        return {one["key_id"] for one in await self.fund("keys") if not one["revoked"]}

    async def sign_for_the_fund(self, name: str, secret: SecretKeys) -> str:
        public = secret.public
        told = {"key": public.id.hex(), "name": name, "signing": public.signing.hex()}
        return str((await self.fund("officer_add", **told))["key"])

    def find_wrongs(self) -> list[tuple[str, str, str]]:
        """Return what the checks of duties find in fund and people; `check_house` takes these beside all others."""
        with contextlib.ExitStack() as stack:
            bases = (BaseName.FUND, BaseName.PEOPLE)
            lines = {base: stack.enter_context(house_checks._snapshot(self.folder, base)) for base in bases}
            keys = load_base_keys_of(self.folder / "people", self.app.people.settings)
            checked = house_checks._check_duties(self.folder, lines) + check_people(lines[BaseName.PEOPLE], keys)
        return [(found.place, found.expected, found.found) for one in checked for found in one.findings]

    def told(self, owner: BaseName, reader: BaseName) -> list[Any]:
        part = self.app.fund if BaseName.FUND in (owner, reader) else self.app.people
        return part.book.read_now(lambda line: list(load_talk(line, owner, reader)))  # type: ignore[no-any-return]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    made = House(tmp_path / "node", monkeypatch)
    await made.found()
    yield made
    await made.app.close()


async def test_a_treasurer_dismissed_between_two_signatures_signs_nothing_more(house: House) -> None:
    zelies, annes = [await house.sign_for_the_fund(*one) for one in ((WORD, ZELIES), ("la présidente", ANNES))]
    key = await house.key(duties="treasurer,officer")
    other = await house.key("la présidente", "officer")
    role = await house.decide("grant_role", **TREASURER, word=WORD, key=zelies)
    bearer = house.id()
    told = {"name": "Les Jardins", "registry": "W291234567", "category": "association", "proof": "rescrit"}
    told |= {"proven_until": "2027-12-31", "holder": "LES JARDINS", "iban": BEARER_IBAN}
    await house.fund("bearer_add", id=bearer, **told)
    of = {"id": house.id(), "bearer": bearer.replace("-", ""), "cents": 2_500, "text": "Jardins", "decision": "comité"}
    words = await house.fund("payment_words", **of)

    async def signed(key: str, secret: SecretKeys) -> str:
        signature = sign(secret, Domain.OFFICER, write_words(read_words(words)))
        told = await house.fund("payment_sign", words=words, officer=key, signature=signature.hex())
        return str(told["state"])

    assert await signed(zelies, ZELIES) == "asked"
    await house.decide("end_role", role=role)
    assert house.find_wrongs() == [
        (f"fund, key {key} of {WORD}", "ended with the last duty", "in force"),
        (f"fund, signing key {zelies}", "ended with the last duty", "in force"),
    ]
    await house.carry()
    assert await house.live() == {other}
    with pytest.raises(OfficerRefused):
        await signed(zelies, ZELIES)
    assert await signed(annes, ANNES) == "asked", "hers is half of no pair"
    with pytest.raises(NothingToOrder):
        await house.fund("order", day="2026-11-24")
    line = await house.role(role)
    assert (line["keys_state"], line["doors_ended"], line["signers_ended"]) == ("placed", 1, 1)
    assert house.find_wrongs() == []
    # A duty given anew wakes no old key: one is made on the machine, and lives.
    await house.decide("grant_role", **TREASURER, word=WORD)
    fresh = await house.key()
    await house.carry()
    assert await house.live() == {other, fresh}
    assert house.find_wrongs() == []


async def test_a_last_day_passes_at_the_territory_s_midnight(house: House) -> None:
    role = await house.decide("grant_role", **TREASURER, until_day="2026-11-23", word=WORD)
    old = await house.key()
    house.time = parse_instant(
        "2026-11-23T22:50:00Z"
    )  # ten to midnight in Brest, where the 24th begins an hour before UTC's
    await house.app.people.people.catch_up()
    await house.carry()
    assert await house.live() == {old}
    assert house.find_wrongs() == []
    house.time = parse_instant("2026-11-23T23:00:01Z")
    successor = await house.key()
    assert {place for place, _, _ in house.find_wrongs()} == {f"fund, key {key} of {WORD}" for key in (old, successor)}
    for _ in range(2):
        await house.app.people.people.catch_up()
        await house.carry()
    assert await house.live() == {successor}, "who was given a key after midnight has it by another right"
    assert len([one for one in house.told(BaseName.PEOPLE, BaseName.FUND) if isinstance(one, DutyEnded)]) == 1
    assert (await house.role(role))["keys_state"] == "placed"
    # … which the people's base should know of: until then check names the key.
    assert [place for place, _, _ in house.find_wrongs()] == [f"fund, key {successor} of {WORD}"]


async def test_a_word_that_the_base_does_not_know_is_said_there_and_here(house: House) -> None:
    key = await house.key()
    role = await house.decide("grant_role", **TREASURER, word="le trésorier", key="00" * 8)
    await house.decide("end_role", role=role)
    await house.carry()
    assert (await house.role(role))["keys_state"] == "unplaced"
    assert house.find_wrongs() == [
        (f"duty {role.replace('-', '')}, treasurer", f"le trésorier {'00' * 8}", "nobody known here")
    ]
    assert await house.live() == {key}
    await house.decide("name_role", role=role, word=WORD, key="")
    await house.carry()
    assert await house.live() == set()
    assert (await house.role(role))["keys_state"] == "placed"
    assert house.find_wrongs() == []
    # Somebody who never had a key there: said by two officers, and nothing is left to look for.
    second = await house.decide("grant_role", **TREASURER, word="un stagiaire")
    await house.decide("end_role", role=second)
    await house.carry()
    assert len(house.find_wrongs()) == 1
    await house.decide("name_role", role=second, word="", key="")
    await house.carry()
    assert house.find_wrongs() == []


async def test_told_twice_or_again_to_an_old_copy_it_ends_the_same_keys(house: House) -> None:
    zelies = await house.sign_for_the_fund(WORD, ZELIES)
    await house.key()
    await house.carry()
    copy = house.folder / "copy"
    book = house.folder / "fund" / "fund.db"
    back_up(f"sqlite:///{book}", copy)
    role = await house.decide("grant_role", **TREASURER, word=WORD, key=zelies)
    await house.decide("end_role", role=role)
    await house.carry()
    [ended] = [one for one in house.told(BaseName.PEOPLE, BaseName.FUND) if isinstance(one, DutyEnded)]
    [heard] = [one for one in house.told(BaseName.FUND, BaseName.PEOPLE) if isinstance(one, DutyHeard)]
    assert heard == DutyHeard(ended.id, 1, 1, True)
    # The people's base tells it once more, as after a fault of its own; a key that was made meanwhile stays.
    await house.decide("grant_role", **TREASURER, word=WORD)
    fresh = await house.key()
    people = house.app.people
    people.book.write_now(lambda page, _items: [people.tell(page, BaseName.FUND, [ended])], None)
    await house.carry()
    assert [one for one in house.told(BaseName.FUND, BaseName.PEOPLE) if isinstance(one, DutyHeard)] == [heard] * 2
    assert await house.live() == {fresh}
    await house.app.close()
    put_back(f"sqlite:///{book}", copy, {BEHIND: "0"})
    house.app = HouseApp(house.folder, (BaseName.ACCOUNTS, BaseName.FUND, BaseName.PARTNERS, BaseName.PEOPLE))
    house.app.fund.book.write_now(house.app.fund.exchange.begin_recovery, b"r" * 32)
    await house.carry()
    assert not house.app.fund.exchange.is_behind
    assert [bool(one["revoked"]) for one in await house.fund("officers")] == [True]
    assert len([one for one in await house.fund("keys") if one["revoked"]]) == 1
    assert (await house.role(role))["keys_state"] == "placed"
    assert house.find_wrongs() == []


async def test_each_base_ends_its_own_keys_and_learns_a_word_and_no_more(house: House) -> None:
    await house.add_projects()
    await PARTNERS_COMMANDS["key_new"](house.app.partners, {"id": house.id(), "name": "bureau, 1", "duties": "clerk"})
    for duties in ("secretary", "reader"):
        asked = {"id": house.id(), "name": "secrétariat", "duties": duties}
        await PROJECTS_COMMANDS["key_new"](house.app.projects, asked)
    steward = {"role": "steward", "title": "secrétaire", "public": write_public(ZELIES.public), "bearer": ""}
    signer = (await PROJECTS_COMMANDS["signer_add"](house.app.projects, steward))["key"]
    await COMMANDS["new_key"](house.app.node, {"name": "guichet", "scopes": "accounts", "account": ""})
    days = {"from_day": "2026-11-01"}
    roles = [
        await house.decide("grant_role", base=base, duty=duty, word=word, key=key, **days)
        for base, duty, word, key in (
            ("PARTNERS", "campaign_officer", "bureau, 1", ""),
            ("PROJECTS", "committee_secretary", "secrétariat", signer),
            ("PROJECTS", "auditor", "secrétariat", ""),
            ("ACCOUNTS", "accounts_officer", "guichet", ""),
        )
    ]
    for role in roles[:2] + roles[3:]:
        await house.decide("end_role", role=role)
    await house.carry()
    revoked = [bool(one["revoked"]) for one in await PROJECTS_COMMANDS["keys"](house.app.projects, {})]
    assert revoked == [True, False], "still an auditor there: what only reads stays"
    assert all(one["revoked"] for one in await PARTNERS_COMMANDS["keys"](house.app.partners, {}))
    assert all(one["revoked"] for one in await PROJECTS_COMMANDS["signers"](house.app.projects, {}))
    assert all(one["revoked_at"] for one in await COMMANDS["keys"](house.app.node, {}))
    assert {(await house.role(role))["keys_state"] for role in roles[:2] + roles[3:]} == {"placed"}
    await house.decide("end_role", role=roles[2])
    await house.carry()
    assert all(one["revoked"] for one in await PROJECTS_COMMANDS["keys"](house.app.projects, {}))
    checked = house_checks.check_house(house.folder, lambda _where: None)
    assert [finding for one in checked for finding in one.findings] == []
    assert len([one for one in checked if one.invariant == "duties"]) == 3 * 4
    for base in (BaseName.ACCOUNTS, BaseName.PARTNERS, BaseName.PROJECTS):
        said = [one for one in house.told(BaseName.PEOPLE, base) if not isinstance(one, OpenHolder)]
        assert said
        assert not any(word in repr(said).lower() for word in ("zenobie", "kerguelen", ZELIE, ZELIE.replace("-", "")))


async def test_a_word_is_no_name_and_one_officer_s_and_moves_by_four_eyes(house: House) -> None:
    await house.people("enter", id=YANN, kind="person", name="Yann")
    for word, key in (("mme kerguelen", ""), ("x" * 81, ""), (WORD, "00"), (WORD, "no digits")):
        with pytest.raises(InvalidRole):
            await house.people("propose", kind="grant_role", person=ZELIE, body={**TREASURER, "word": word, "key": key})
    body = {**TREASURER, "base": "PEOPLE", "word": WORD}
    with pytest.raises(InvalidRole):
        await house.people("propose", kind="grant_role", person=ZELIE, body=body)
    role = await house.decide("grant_role", **TREASURER, until_day="2026-11-30", word=WORD)
    with pytest.raises(InvalidRole):
        await house.people("propose", kind="grant_role", person=YANN, body={**TREASURER, "word": WORD})
    await house.decide("grant_role", YANN, **{**TREASURER, "from_day": "2026-12-01"}, word=WORD)
    named = await house.people("propose", kind="name_role", person=ZELIE, body={"role": role, "word": "la caisse"})
    for by in (ANNE, ZELIE):
        with pytest.raises(Refusal):
            await house.people("decide", by, proposal=named["proposal"], decision="approve")
    assert (await house.role(role))["word"] == WORD
    await house.people("decide", BOB, proposal=named["proposal"], decision="approve")
    assert (await house.role(role))["word"] == "la caisse"
    with pytest.raises(SameEyes):
        await house.people("propose", kind="name_role", person=YANN, body={"role": role, "word": "x"})


async def test_a_duty_at_the_people_s_base_ends_its_keys_and_given_anew_wakes_none(house: House) -> None:
    async def live() -> list[str]:
        return [one["name"] for one in await house.people("keys") if not one["revoked"]]

    for officer in (ANNE, ZELIE):
        if officer == ZELIE:
            role = await house.decide("grant_role", base="PEOPLE", duty="auditor", from_day="2026-11-01")
        await house.people("key_new", name=officer, duties="auditor,reader")
    assert await live() == [ANNE, ZELIE]
    await house.decide("end_role", role=role)
    assert await live() == [ANNE]
    await house.decide("grant_role", base="PEOPLE", duty="auditor", from_day="2026-11-01", until_day="2026-11-23")
    assert await live() == [ANNE]
    await house.people("key_new", name=ZELIE, duties="auditor,reader")
    await house.app.people.people.catch_up()
    assert await live() == [ANNE, ZELIE]
    house.time = Instant(house.time + 24 * HOUR_MS)
    await house.app.people.people.catch_up()
    assert await live() == [ANNE]
    assert house.find_wrongs() == []


async def test_a_death_ends_duties_elsewhere_and_a_renewed_one_goes_on(house: House) -> None:
    first = await house.decide("grant_role", **TREASURER, until_day="2026-11-23", word=WORD)
    second = await house.decide("grant_role", **{**TREASURER, "from_day": "2026-11-24"}, word=WORD)
    key = await house.key()
    house.time = Instant(house.time + 24 * HOUR_MS)
    await house.app.people.people.catch_up()
    await house.carry()
    assert await house.live() == {key}
    assert (await house.role(first))["keys_state"] == "named", "what goes on is told when all of it is over"
    await house.people("declare", person=ZELIE, kind="death", on="2026-11-20")
    await house.carry()
    assert await house.live() == set()
    assert {(await house.role(one))["keys_state"] for one in (first, second)} == {"placed"}
    assert house.find_wrongs() == []


async def test_an_old_copy_of_people_or_accounts_ends_again_what_had_ended(house: House) -> None:
    bases = (BaseName.ACCOUNTS, BaseName.FUND, BaseName.PARTNERS, BaseName.PEOPLE)
    await house.open(*bases)
    await house.key()
    program = await COMMANDS["new_key"](house.app.node, {"name": "guichet", "scopes": "accounts", "account": ""})
    role = await house.decide("grant_role", **TREASURER, word=WORD)
    desk = {"base": "ACCOUNTS", "duty": "accounts_officer", "from_day": "2026-11-01", "word": "guichet"}
    second = await house.decide("grant_role", **desk)
    await house.carry()
    books = {"people": house.folder / "people" / "people.db", "node": house.folder / "accounts.db"}
    for name, book in books.items():
        back_up(f"sqlite:///{book}", house.folder / f"copy of {name}")
    for one in (role, second):
        await house.decide("end_role", role=one)
    await house.carry()
    for name, book in books.items():
        await house.app.close()
        put_back(f"sqlite:///{book}", house.folder / f"copy of {name}", {BEHIND: "0"})
        house.app = HouseApp(house.folder, bases)
        part = getattr(house.app, name)
        peer = part.house_exchange if name == "node" else part.exchange
        part.book.write_now(peer.begin_recovery, b"r" * 32)
        await house.carry()
        assert not peer.is_behind, name
        await house.app.people.people.catch_up()
        await house.carry()
        assert await house.live() == set()
        keys = {one["id"]: one["revoked_at"] for one in await COMMANDS["keys"](house.app.node, {})}
        assert keys[program["id"]], name
        told = [await house.role(one) for one in (role, second)]
        assert [(one["in_force"], one["keys_state"]) for one in told] == [(False, "placed")] * 2, name
        assert house.find_wrongs() == []
