"""What citizens, a projects' office and a treasurer do with projects while processes are killed: from a choice to a payment.

Projects are voted on and opened before anybody is killed. Then citizens direct rights and change their minds; what is funded
is started and converted; two officers pay what the fund owes, and the bearer confirms. Each thing has an id of its own, and
is asked again under it where no answer came.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from protocol.canonical import encode_typed
from protocol.errors import Refusal
from protocol.identifiers import parse_id
from protocol.keys import SecretKeys, make_keys

if TYPE_CHECKING:
    from tests.killing.house import House

CHOOSERS: Final = 2
CHOOSER_CENTS: Final = 25_000
TARGET: Final = 3_001
PROJECTS_MAX: Final = 12
KILLS_FOR_ONE: Final = 3
VOTE_SECONDS: Final = 4
BETWEEN_SECONDS: Final = (0.02, 0.2)
BEARER: Final = ("W291000001", "Les Blés", "DE75512108001245126199")
OPEN, FUNDED, IN_PROGRESS = "open", "funded", "in_progress"


@dataclass
class Chosen:
    """A project, and what its people were told."""

    id: str
    address: str
    target: int
    directed: dict[str, tuple[str, int]] = field(default_factory=dict)  # orientation -> who, how much
    back: dict[str, int] = field(default_factory=dict)
    round: str = ""
    is_confirmed: bool = False

    @property
    def cents(self) -> int:
        return sum(cents for _, cents in self.directed.values()) - sum(self.back.values())


@dataclass
class Choices:
    """The projects of a story, and those who choose."""

    people: list[str] = field(default_factory=list)
    projects: list[Chosen] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)  # payments of dues that were proposed
    paid: int = 0

    def taken(self, account: str) -> int:
        """Return what somebody has directed and not taken back."""
        return sum(
            cents - one.back.get(id_, 0)
            for one in self.projects
            for id_, (who, cents) in one.directed.items()
            if who == account
        )


async def open_projects(house: House, kills: int) -> None:
    """Give some people miles, and have a committee open projects; before anybody is killed."""
    choices = house.choices
    for _ in range(CHOOSERS):
        body = {"id": str(uuid.uuid4()), "kind": "person"}
        _, told, _ = await house.send(house.api_key, "POST", "/v1/accounts", body)
        choices.people.append(told["number"])
        house.addresses[told["number"]] = told["address"]
    await _give(house)
    members = await _seat(house)
    bearer = await _save_bearer(house)
    count = min(PROJECTS_MAX, 1 + kills // KILLS_FOR_ONE)
    proposed = [await _propose(house, bearer, TARGET + at) for at in range(count)]
    closes = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=VOTE_SECONDS * (1 + count // 4))
    sessions = [await _vote(house, project, members, closes) for project in proposed]
    await asyncio.sleep(max(0.0, (closes - datetime.datetime.now(datetime.UTC)).total_seconds()) + 0.1)
    for at, (project, session) in enumerate(zip(proposed, sessions, strict=True)):
        closed = await _projects(house, "vote_close", session=session, by="chair")
        assert closed["outcome"] == "validated", closed
        await _lead(house, project, "opened")
        choices.projects.append(Chosen(project, await _wait_address(house, project), TARGET + at))


async def _projects(house: House, command: str, **arguments: Any) -> Any:
    return await house.command(house.node, "projects", command, **arguments)


async def _give(house: House) -> None:
    """A company gives the choosers miles by a file."""
    id_ = uuid.uuid4()
    euros = f"{CHOOSER_CENTS // 100},{CHOOSER_CENTS % 100:02d}"
    rows = [
        f"{id_.hex[:12]}-{at};staff;{house.addresses[one]};{euros};prime\n"
        for at, one in enumerate(house.choices.people)
    ]
    file = house.node.folder / f"operations-{id_.hex}.csv"
    file.write_text("id;kind;account;amount;label\n" + "".join(rows))
    await house.command(house.node, "partners", "operations_load", id=str(id_), campaign=house.campaign, file=str(file))
    booked = await house.command(house.node, "partners", "operations_book", run=str(id_), skips_wrong=False)
    assert booked["state"] == "done", booked
    for one in house.choices.people:
        house.office.given[one] = CHOOSER_CENTS
    for one in house.choices.people:
        await _until_credited(house, one)


async def _until_credited(house: House, account: str) -> None:
    while True:
        if (await house.command(house.node, "", "balance", account=account))["cents"] == CHOOSER_CENTS:
            return
        await asyncio.sleep(0.05)


async def _seat(house: House) -> list[SecretKeys]:
    from node.governance.signers import write_public
    from node.governance.votes import College

    members = []
    for college in College:
        keys = make_keys(house.dice.randbytes(64))
        await _projects(house, "signer_add", role="member", title=str(college), public=write_public(keys.public))
        days = {"from_day": "2026-01-01", "until_day": "2031-12-31"}
        await _projects(
            house, "member_seat", id=str(uuid.uuid4()), key=keys.public.id.hex(), college=str(college), **days
        )
        members.append(keys)
    return members


async def _save_bearer(house: House) -> str:
    registry, name, iban = BEARER
    saved = await _projects(
        house,
        "bearer_save",
        id=str(uuid.uuid4()),
        registry=registry,
        **{"name": name, "category": "9220", "holder": "LES BLES", "iban": iban},
    )
    for kind in ("statutes", "declaration"):
        digest = hashlib.sha256(kind.encode()).hexdigest()
        days = {"issued_on": "2026-01-01", "valid_until": "2099-12-31"}
        await _projects(
            house, "proof_add", id=str(uuid.uuid4()), bearer=saved["bearer"], kind=kind, sha256=digest, **days
        )
    return str(saved["bearer"])


async def _propose(house: House, bearer: str, target: int) -> str:
    need_by = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=90)
    sheet = {
        **{"title": f"projet {target}", "need": "des arbres", "commune": "29019", "theme": "environment"},
        **{"latitude": "48.3904", "longitude": "-4.4861", "need_by": need_by.isoformat(), "bearer": bearer},
        **{"target_cents": target, "minimum_cents": target // 2},
        "budget": [{"words": "arbres", "cents": target}],
        "milestones": [{"words": "arbres", "cents": target, "proofs": "facture"}],
    }
    file = house.node.folder / f"sheet-{target}.json"
    file.write_text(json.dumps(sheet))
    made = await _projects(house, "propose", id=str(uuid.uuid4()), file=str(file), by=BEARER[0])
    await _lead(house, made["project"], "examined")
    return str(made["project"])


async def _vote(house: House, project: str, members: list[SecretKeys], closes: datetime.datetime) -> str:
    from node.governance.votes import BallotWords, sign_ballot

    at = closes.isoformat(timespec="milliseconds")
    called = await _projects(house, "vote_call", id=str(uuid.uuid4()), project=project, closes_at=at)
    words = await _projects(house, "vote_words", session=called["session"])
    ballot = BallotWords(
        version=words["version"],
        territory=words["territory"],
        session=parse_id(words["session"]),
        project=parse_id(words["project"]),
        sheet=bytes.fromhex(words["sheet"]),
        choice="for",
        grid=tuple(one["max"] for one in words["criteria"]),
        reason="",
    )
    for keys in members:
        await _projects(house, "vote_cast", ballot=encode_typed(sign_ballot(ballot, keys)).hex())
    return str(called["session"])


async def _lead(house: House, project: str, event: str) -> None:
    step = {"project": project, "event": event, "by": "office", "reason": ""}
    await _projects(house, "lead", id=str(uuid.uuid4()), **step)


async def _show(house: House, one: Chosen) -> Any:
    return await _projects(house, "show", project=one.id)


async def _wait_address(house: House, project: str) -> str:
    while True:
        shown = await _projects(house, "show", project=project)
        if shown["project"]["address"]:
            return str(shown["project"]["address"])
        await asyncio.sleep(0.05)


# ---------------------------------------------------------------- at work


async def choose_on(house: House, dice: random.Random, stop: asyncio.Event) -> None:
    """Direct rights and change one's mind, until the projects have what they need."""
    while not stop.is_set():
        one = dice.choice(house.choices.projects)
        if one.directed and not one.round and dice.random() < 0.25:
            await _take_back(house, one, dice)
        else:
            await _direct(house, one, dice)
        await asyncio.sleep(dice.uniform(*BETWEEN_SECONDS))


async def _direct(house: House, one: Chosen, dice: random.Random) -> None:
    person, cents, id_ = dice.choice(house.choices.people), dice.randint(5, one.target), str(uuid.uuid4())
    asked = {"id": id_, "from": house.addresses[person], "choices": [[one.address, cents]]}
    try:
        told = await house.command(house.node, "", "orient", **asked, overflow="back", anonymous=False)
        again = await house.command(house.node, "", "orient", **asked, overflow="back", anonymous=False)
    except Refusal as refusal:
        if refusal.code not in ("project_full", "project_committed"):
            house.oracle.wrong(f"an orientation is refused: {refusal.code}")
        return
    if again["cents"] != told["cents"] or not again["repeated"]:
        house.oracle.twice += 1
        house.oracle.wrong(f"orientation {id_} is {told['cents']}, and {again['cents']} when asked again")
    one.directed[id_] = (person, told["cents"])


async def _take_back(house: House, one: Chosen, dice: random.Random) -> None:
    orientation = dice.choice(list(one.directed))
    if orientation in one.back:
        return
    asked = {"id": str(uuid.uuid4()), "orientation": orientation, "cents": None}
    try:
        told = await house.command(house.node, "", "take_back", **asked)
    except Refusal as refusal:
        if refusal.code not in ("project_committed", "not_directed"):
            house.oracle.wrong(f"a change of mind is refused: {refusal.code}")
        return
    one.back[orientation] = told["cents"]


async def convert_on(house: House, dice: random.Random, stop: asyncio.Event) -> None:
    """Start what is funded, convert it, have its due signed, and hear the bearer once it is paid."""
    while not stop.is_set():
        for one in house.choices.projects:
            await _go_on(house, one)
        await _sign_dues(house)
        await asyncio.sleep(dice.uniform(*BETWEEN_SECONDS))


async def _go_on(house: House, one: Chosen) -> None:
    if one.is_confirmed:
        return
    shown = await _show(house, one)
    state = shown["project"]["state"]
    if state == FUNDED:
        await _lead(house, one.id, "started")
    elif state == IN_PROGRESS and not one.round:
        asked = await _projects(house, "convert", id=str(uuid.uuid4()), project=one.id)
        one.round = asked["round"]
        if asked["cents"] != one.target:
            house.oracle.wrong(f"a round of {asked['cents']} for a project of {one.target}")
    elif any(row["state"] == "paid" for row in shown["payments"]):
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        await _projects(house, "confirm", round=one.round, payer="", on=today)
        one.is_confirmed = True


async def _sign_dues(house: House) -> None:
    """Two officers sign what the fund proposes; the next order of the treasurer takes it along."""
    from tests.killing.house_office import _sign

    for proposal in await house.command(house.fund, "fund", "due_proposals"):
        try:
            words = await house.command(house.fund, "fund", "due_words", id=proposal["id"])
        except Refusal as refusal:  # signed meanwhile, in a call that nobody heard the end of
            house.oracle.wrong(f"a proposal is gone: {refusal.code}")
            continue
        states = [(await _sign(house, secret, words))["state"] for secret in house.office.officers]
        if states != ["asked", "signed"]:
            house.oracle.wrong(f"a payment of dues stands {states} after two signatures")
        if proposal["id"] in house.choices.signed:
            house.oracle.twice += 1
            house.oracle.wrong(f"dues of {proposal['cents']} are proposed twice")
        house.choices.signed.add(proposal["id"])
        house.office.payments[proposal["id"]] = proposal["cents"]


# ---------------------------------------------------------------- the end


async def finish_projects(house: House) -> None:
    """Bring every project that was converted to the bearer's account."""
    from tests.killing.house import _import_one
    from tests.killing.house_office import _order

    choices = house.choices
    for _ in range(60):
        for one in choices.projects:
            await _go_on(house, one)
        await _sign_dues(house)
        try:
            await _order(house)
        except Refusal as refusal:
            if refusal.code != "nothing_to_order":
                house.oracle.wrong(f"an order is refused: {refusal.code}")
        if house.office.leaving:
            await _import_one(house, 10_000 + house.number)
        shown = [await _show(house, one) for one in choices.projects]
        is_quiet = all(
            one.is_confirmed or row["project"]["state"] == OPEN
            for one, row in zip(choices.projects, shown, strict=True)
        )
        if is_quiet and not house.office.leaving:
            return
        await asyncio.sleep(0.2)
    house.oracle.wrong("projects that are funded are never paid")


async def judge_projects(house: House) -> None:
    """Hold what everybody sees of projects, and what the fund owes, against what was told."""
    choices, oracle = house.choices, house.oracle
    owed = await house.command(house.fund, "fund", "dues", open_only=False)
    for one in choices.projects:
        shown = await _show(house, one)
        seen = shown["project"]["support_cents"]
        if seen != one.cents:
            oracle.lost += seen < one.cents
            oracle.twice += seen > one.cents
            oracle.wrong(f"project {one.target} shows {seen}, and {one.cents} is directed")
        if one.cents == one.target and not one.is_confirmed:
            oracle.wrong(f"project {one.target} has all it needs, and is {shown['project']['state']}")
        dues = [row for row in owed if row["project"] == one.id.replace("-", "")]
        wanted = [(one.target, one.target)] if one.is_confirmed else []
        if [(row["cents"], row["paid_cents"]) for row in dues] != wanted:
            oracle.twice += len(dues) > len(wanted)
            oracle.wrong(f"for a project of {one.target} the fund owes {dues}")
        choices.paid += one.is_confirmed
