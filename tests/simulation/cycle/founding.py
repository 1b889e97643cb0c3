"""How a story begins: a hub and three houses, with people, companies, officers and committees. Made once for a process.

The folders are made as commands make them, and each story begins on a copy: to found them takes longer than a story.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import copy
import datetime
import io
import random
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

from hub import commands as hub_commands
from hub.directory.service import Accredit, Invite
from node import commands as node_commands
from node.desks.fund import commands as fund_commands
from node.desks.partners import commands as partners_commands
from node.desks.projects import commands as projects_commands
from node.fund.officer_service import NewOfficer
from node.governance.committee_service import SeatMember
from node.governance.projects import ProjectState
from node.governance.signers import SignerRole
from node.governance.signers_service import NewSigner
from node.governance.votes import College
from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.orientation.directions import Choice, Direct
from node.partners.campaigns import Ceilings, Funding, PercentOfSale, Terms
from node.partners.campaigns_service import DraftCampaign, OpenCampaign
from node.partners.purchases import TillNumber
from node.partners.tills_service import NewTill, find_till_of
from protocol.amounts import Cents
from protocol.canonical import encode_typed
from protocol.envelopes import Enrolment, SignedEnrolment
from protocol.identifiers import AccountNumber, Address, make_account_number, write_address
from protocol.keys import Domain, make_keys, sign
from protocol.running import clock_service, console_commands
from protocol.running.keys_store import load_keyring, write_private
from protocol.times import DAY_MS
from tests.partners.house import BAKERY, make_company
from tests.simulation.cycle import cards, netting, office, people, treasury
from tests.simulation.cycle.rest import settle
from tests.simulation.cycle.stage import ACCOUNTS, CODES, FUND, HUB, IBANS, PARTNERS, PROJECTS, START, Known, Stage

PEOPLE: Final = 3
SALES: Final = (800, 2_500, 4_000)
NETWORK: Final = "simulation"
FUNDS: Final = ("200046977", "552081317", "542065479")  # SIREN of large public bodies, as examples
FIRST_CENTS: Final = 12_000


def open_stage(seed: int, folder: Path) -> Stage:
    """Return a stage on a copy of the beginning."""
    begun, known = _found()
    shutil.copytree(begun, folder, dirs_exist_ok=True)
    return Stage(seed, folder, copy.deepcopy(known))


@lru_cache(maxsize=1)
def _found() -> tuple[Path, Known]:
    """Found everything in a folder of this process; return it, and what people know then."""
    kept = tempfile.TemporaryDirectory(prefix="cycle-")
    atexit.register(kept.cleanup)
    folder = Path(kept.name)
    dice = random.Random("cycle/founding")
    _make_folders(folder, dice)
    stage = Stage(0, folder, Known())
    try:
        with stage.time():
            asyncio.run(_begin(stage))
    finally:
        stage.close()
    return folder, stage.known


@contextlib.contextmanager
def _quietly() -> object:  # type: ignore[misc]
    """Keep the commands' own words out of the tests' output."""
    before = console_commands.screen.quiet
    modules = (hub_commands, node_commands, console_commands)
    try:
        for module in modules:
            module.screen.quiet = True
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for module in modules:
            module.screen.quiet = before


def _make_folders(folder: Path, dice: random.Random) -> None:
    """Make the folders of hub and houses, enrolled and accredited."""
    from unittest import mock

    with mock.patch.multiple(clock_service, entropy=dice.randbytes, now=lambda: START), _quietly():
        hub_commands.init(folder / HUB, network=NETWORK, name="hub", country="FR", listen="127.0.0.1:0")
        for place, code in enumerate(CODES):
            where = folder / code
            node_commands.init(where, territory=code, name=f"Territory {code}", network=NETWORK)
            fund_commands.init(
                where,
                name=f"Fonds {code}",
                siren=FUNDS[place],
                purpose="Soutenir des actions d'intérêt général du territoire",
                street="1 place de la Mairie",
                postcode="29200",
                town="Brest",
                iban=IBANS[code],
                bic="AGRIFRPP",
                holder="FONDS DE DOTATION",
                signatory="Anne Le Goff",
                public_url="https://fonds.example",
            )
            partners_commands.init(where)
            projects_commands.init(where)
            _enrol(folder, code, dice)


def _enrol(folder: Path, code: str, dice: random.Random) -> None:
    from hub.app import HubApp, load_config

    hub = HubApp(folder / HUB, load_config(folder / HUB))
    try:
        asyncio.run(hub.start_quietly())
        token = dice.randbytes(16)
        hub.book.write_now(hub.registry.invite, Invite(code, token))
        secret = load_keyring(folder / code / "keys", None).current
        public = secret.public
        body = encode_typed(Enrolment(NETWORK, code, token, f"Territory {code}", public.signing, public.sealing, START))
        request = encode_typed(SignedEnrolment(body, sign(secret, Domain.ENROLMENT, body)))
        welcome = hub.book.write_now(hub.registry.enrol, request)
        write_private(folder / code / "hub.welcome", encode_typed(welcome))
        hub.book.write_now(hub.registry.accredit, Accredit(code, "", ""))
    finally:
        hub.book.close()


async def _begin(stage: Stage) -> None:
    """People, a company with two campaigns that euros stand behind, officers, a committee; who decides and pays by card."""
    await settle(stage)
    await _carry_cards(stage)
    for code in CODES:
        _open_people(stage, code)
        _seat_everybody(stage, code)
        _open_campaigns(stage, code)
    _agree_first(stage)
    await settle(stage)
    for code in CODES:
        treasury.pay_all(stage, code)
    await settle(stage)
    for code in CODES:
        for person, cents in zip(stage.known.towns[code].people, SALES, strict=True):
            people.sell_to(stage, code, person, cents)
        for _ in range(2):
            office.propose_one(stage, code)
    await settle(stage)
    stage.known.now += (office.VOTE_DAYS + 1) * DAY_MS
    office.decide(stage)
    await settle(stage)
    office.learn_numbers(stage)
    _direct_first_rights(stage)
    for _ in range(4):
        people.cede(stage)
    await settle(stage)
    office.start(stage)
    # The first round of one of them is under way: two funds owe a third. The others are converted in the story.
    office.convert_one(stage, office.list_projects(stage, ProjectState.IN_PROGRESS)[0])
    for code in CODES:
        office.propose_one(stage, code)


async def _carry_cards(stage: Stage) -> None:
    """Nobody types a key or an account of others: cards tell them. And some funds net from now on."""
    for code in CODES:
        cards.tell_account(stage, code)
    await settle(stage)
    for _ in range(2):
        for code in CODES:
            await cards.carry(stage, code, is_bad=False)


def _agree_first(stage: Stage) -> None:
    for code, other in netting.FIRST_PAIRS:
        netting.say(stage, code, other, is_netted=True)
        netting.say(stage, other, code, is_netted=True)


def _direct_first_rights(stage: Stage) -> None:
    """One project of each territory has all it needs, most of it from two others; the other has something from elsewhere."""
    for place, code in enumerate(CODES):
        other, third = CODES[place - 1], CODES[place - 2]
        own = [(id_, one) for id_, one in stage.oracle.projects.items() if one.code == code]
        (first, full), (second, open_) = own
        own_part, part = full.target // 8, full.target // 4
        for giver, person, id_, project, cents in (
            (code, 2, first, full, own_part),
            (third, 2, first, full, part),
            (other, 1, first, full, full.target - own_part - part),
            (other, 2, second, open_, open_.target * 4 // 10),
        ):
            choice = Choice(to=Address(AccountNumber(project.number), code), cents=cents)
            account = stage.known.towns[giver].people[person]
            asked = Direct(op=stage.new_id(), account=account, choices=(choice,), giver=write_address(account, giver))
            people.direct(stage, giver, asked, [(id_, project)])


def _open_people(stage: Stage, code: str) -> None:
    for _ in range(PEOPLE):
        asked = OpenAccount(op=stage.new_id(), number=make_account_number(stage.entropy(16)), kind=AccountKind.PERSON)
        opened = stage.ask(f"{code}/{ACCOUNTS}", lambda asked=asked: stage.node(code).ledger.open_accounts, asked)
        stage.known.towns[code].people.append(opened.number)


def _seat_everybody(stage: Stage, code: str) -> None:
    town, fund, projects = stage.known.towns[code], f"{code}/{FUND}", f"{code}/{PROJECTS}"
    for name in ("anne", "bob"):
        secret = town.officers[name] = make_keys(stage.entropy(64))
        officer = NewOfficer(key=secret.public.id, name=name, signing=secret.public.signing)
        stage.ask(fund, lambda: stage.fund(code).officers.add, officer)
    for college in College:
        secret = town.members[str(college)] = make_keys(stage.entropy(64))
        signer = NewSigner(role=SignerRole.MEMBER, title=str(college), keys=secret.public)
        stage.ask(projects, lambda: stage.projects(code).signers.add, signer)
        seat = SeatMember(
            id=stage.new_id(), key=secret.public.id, college=college, from_day=20260101, until_day=20311231
        )
        stage.ask(projects, lambda: stage.projects(code).committee.seat, seat)
    town.auditor = make_keys(stage.entropy(64))
    auditor = NewSigner(role=SignerRole.AUDITOR, title="auditor", keys=town.auditor.public)
    stage.ask(projects, lambda: stage.projects(code).signers.add, auditor)


def _open_campaigns(stage: Stage, code: str) -> None:
    town, name = stage.known.towns[code], f"{code}/{PARTNERS}"
    stage.ask(name, lambda: stage.partners(code).companies.save, make_company(BAKERY))
    for place in range(2):
        uid = stage.new_id()
        terms = Terms(
            title=f"campaign {place}",
            rule=PercentOfSale(basis_points=10_000),
            ceilings=Ceilings(campaign=Cents(10**7)),
            opens_on=stage.today - datetime.timedelta(days=30),
            closes_on=stage.today + datetime.timedelta(days=2_000),
            funding=Funding.PREFUNDED,
        )
        draft = DraftCampaign(id=uid, company=BAKERY, terms=terms)
        stage.ask(name, lambda draft=draft: stage.partners(code).campaigns.draft, draft)
        due = stage.today + datetime.timedelta(days=30)
        opening = OpenCampaign(campaign=uid, due=due, cents=Cents(FIRST_CENTS))
        stage.ask(name, lambda opening=opening: stage.partners(code).campaigns.open, opening)
        town.campaigns.append(uid)
    number = TillNumber(1)
    asked = NewTill(
        siren=BAKERY, number=number, name="till", key_id=stage.entropy(6).hex(), secret=stage.entropy(32).hex()
    )
    stage.ask(name, lambda: stage.partners(code).tills.make, asked)
    town.till = stage.books[name].read_now(lambda book: find_till_of(book, BAKERY, number))
