"""Every invariant of every base that lives in a folder, and between them: what one signed is what another holds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.engine import make_url

from node.access.service import load_held as load_held_programs
from node.app import load_config, load_welcome
from node.checks import check_node
from node.deposits.checks import check_deposits
from node.doors.endings import HeldKey
from node.doors.endings_checks import check_endings
from node.doors.endings_store import load_held, load_signers
from node.effects.checks import load_converted_by_due
from node.effects.store import load_told
from node.fund.checks import check_fund
from node.fund.effects_service import load_converted_by_due as load_fund_converted
from node.fund.tables import door_keys as fund_keys
from node.fund.tables import officers
from node.fund_app import load_fund_settings
from node.governance.checks import check_projects
from node.governance.tables import door_keys as projects_keys
from node.governance.tables import signers as projects_signers
from node.grants.checks import check_grants
from node.holders.checks import check_holders
from node.house.folders_store import base_folder, find_house, find_local
from node.house.settings import FOLDERS, read_neighbours
from node.partners.checks import check_partners
from node.partners.effects_service import load_all_effects, load_campaign_ids
from node.partners.tables import door_keys as partners_keys
from node.partners_app import load_partners_config
from node.people.checks import check_people
from node.people.days import local_day
from node.people.duties_checks import check_officers
from node.people_app import load_base_keys_of, load_people_settings
from node.projects_app import load_projects_config
from protocol.book import log_store
from protocol.book.checks import check_logs, guarded
from protocol.book.store import open_engine
from protocol.directory import Directory
from protocol.exchange.peer_key_checks import RULE, check_keys
from protocol.exchange.peer_keys_store import load_known
from protocol.findings import Checked, Finding
from protocol.house import BaseName, house_of
from protocol.identifiers import require_territory
from protocol.running import clock_service
from protocol.running.settings import NotConfigured

Progress = Callable[[str], None]
_CHUNK: Final = 512
# Where each base keeps the keys of its doors, and those that somebody signs with.
OFFICERS: Final[Mapping[BaseName, tuple[Table, Table | None]]] = {
    BaseName.FUND: (fund_keys, officers),
    BaseName.PARTNERS: (partners_keys, None),
    BaseName.PROJECTS: (projects_keys, projects_signers),
}
TOLD: Final = "companies are shown what the accounts told of their miles"
CONVERTED: Final = "what was converted of each campaign is the same in the accounts and in the fund"
# Where each base that has a folder of its own says its database is.
DATABASES: Final[Mapping[BaseName, Callable[[Path], str]]] = {
    BaseName.FUND: lambda where: load_fund_settings(where).database,
    BaseName.PARTNERS: lambda where: load_partners_config(where).database,
    BaseName.PROJECTS: lambda where: load_projects_config(where).database,
    BaseName.PEOPLE: lambda where: load_people_settings(where).database,
}


def open_accounts_read_only(folder: Path) -> Engine:
    """Open the accounts base beside whoever writes it. Raises NotConfigured where there is none yet."""
    return _open(load_config(folder).database, folder / "accounts.db")


def _open(database: str, file: Path) -> Engine:
    is_sqlite = not database or database.startswith("sqlite")
    path = Path(make_url(database).database or "") if database.startswith("sqlite") else file
    if is_sqlite and not path.exists():
        raise NotConfigured(reason=f"{path} is not there yet: serve the node, or run another command, once")
    return open_engine(database or f"sqlite:///{path}", read_only=True)


def check_house(folder: Path, on_progress: Progress) -> list[Checked]:
    """Check all bases that live in a folder. Raises NotConfigured where none does."""
    local = find_local(folder)
    if not local:
        raise NotConfigured(reason=f"no base lives in {folder}: run node init first")
    house = find_house(folder)
    neighbours = None if house is None else read_neighbours(house)
    with contextlib.ExitStack() as stack:
        bases = {base: stack.enter_context(_snapshot(folder, base)) for base in local}
        checked: list[Checked] = []
        known: dict[BaseName, Directory] = {}  # as each base believes its neighbours
        for base, line in bases.items():
            if house is not None and neighbours is not None:
                checked += guarded(
                    "I7", RULE, partial(check_keys, line, neighbours, house_of(require_territory(house.territory)))
                )
                known[base] = load_known(line, neighbours, base)
        if (accounts := bases.get(BaseName.ACCOUNTS)) is not None:
            config, welcome = load_config(folder), load_welcome(folder)
            hub = "" if welcome is None else welcome.hub
            checked += check_node(
                accounts,
                home=config.territory,
                hub=hub,
                on_progress=on_progress,
                neighbours=known.get(BaseName.ACCOUNTS),
            )
            if house is not None and BaseName.FUND in house.bases:
                checked += guarded("I2", "lots are deposits", lambda: check_deposits(accounts))
            if house is not None and BaseName.PARTNERS in house.bases:
                checked += guarded("I2", "miles are grants that were signed", lambda: check_grants(accounts))
            if house is not None and BaseName.PEOPLE in house.bases:
                checked += guarded(
                    "holders", "holders' accounts are as they were asked", lambda: check_holders(accounts)
                )
        if (fund := bases.get(BaseName.FUND)) is not None and house is not None and neighbours is not None:
            settings = load_fund_settings(base_folder(folder, BaseName.FUND))
            checked += check_fund(
                fund, known[BaseName.FUND], on_progress, fund=settings.siren or settings.rna, home=house.territory
            )
        if (partners := bases.get(BaseName.PARTNERS)) is not None and neighbours is not None:
            on_progress("companies")
            checked += guarded("I2", "the companies' base adds up", lambda: check_partners(partners))
            checked += guarded(
                "I7", "logs are whole", lambda: check_logs(partners, known[BaseName.PARTNERS], on_progress)
            )
        if (projects := bases.get(BaseName.PROJECTS)) is not None and house is not None and neighbours is not None:
            zone = load_projects_config(base_folder(folder, BaseName.PROJECTS)).zone
            checked += check_projects(projects, known[BaseName.PROJECTS], on_progress, home=house.territory, zone=zone)
        if (people := bases.get(BaseName.PEOPLE)) is not None and neighbours is not None:
            on_progress("people")
            where = base_folder(folder, BaseName.PEOPLE)
            base_keys = load_base_keys_of(where, load_people_settings(where))
            checked += guarded("people", "the people's base proves itself", lambda: check_people(people, base_keys))
            checked += guarded("I7", "logs are whole", lambda: check_logs(people, known[BaseName.PEOPLE], on_progress))
        if house is not None and BaseName.PEOPLE in house.bases:
            checked += _check_duties(folder, bases)
        if accounts is not None and partners is not None:
            checked += guarded("I2", TOLD, lambda: [check_told(accounts, partners)])
        if accounts is not None and fund is not None and house is not None:
            home = house.territory
            checked += guarded("I2", CONVERTED, lambda: [check_converted(accounts, fund, home)])
        checked += guarded("I7", "bases hold each other's words", lambda: [_check_between(folder, bases)])
    return checked


@contextlib.contextmanager
def _snapshot(folder: Path, base: BaseName) -> Iterator[Connection]:
    if base is BaseName.ACCOUNTS:
        engine = open_accounts_read_only(folder)
    else:
        where = base_folder(folder, base)
        engine = _open(DATABASES[base](where), where / f"{FOLDERS[base]}.db")
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def _load_keys(base: BaseName, line: Connection) -> tuple[list[HeldKey], dict[bytes, bool]]:
    """Return the keys of a base that end with a duty: those of doors, and those that somebody signs with."""
    if base is BaseName.ACCOUNTS:
        return load_held_programs(line), {}
    doors, signers = OFFICERS[base]
    return load_held(line, doors), {} if signers is None else load_signers(line, signers)


def _check_duties(folder: Path, bases: Mapping[BaseName, Connection]) -> list[Checked]:
    """Hold the keys of each base against the duties that ended, as the people's base told them; and as it knows them, here."""
    checked: list[Checked] = []
    for base, line in bases.items():
        if base is BaseName.PEOPLE:
            continue
        keys, signers = _load_keys(base, line)
        checked += guarded("duties", "keys end with duties", partial(check_endings, line, base, keys, signers))
        if (people := bases.get(BaseName.PEOPLE)) is not None:
            zone = load_people_settings(base_folder(folder, BaseName.PEOPLE)).zone
            day = local_day(clock_service.now(), zone)
            rule = partial(check_officers, people, base=base, keys=keys, signers=signers, day=day)
            checked += guarded("duties", "who has a key has a duty", rule)
    return checked


def _size_now(folder: Path, owner: BaseName, reader: BaseName) -> int:
    with _snapshot(folder, owner) as line:
        return log_store.open_log_or_empty(line, owner, reader).size


def check_told(accounts: Connection, partners: Connection) -> Checked:
    """Hold what the accounts told of campaigns against what companies are shown, where all of it has been heard."""
    sizes = {
        log_store.open_log_or_empty(line, BaseName.ACCOUNTS, BaseName.PARTNERS).size for line in (accounts, partners)
    }
    if len(sizes) > 1:
        return Checked("I2", TOLD, 0, ())
    known = load_campaign_ids(partners)
    told = {
        (place.campaign, place.territory, place.project): (line.title, *line.figures)
        for place, line in load_told(accounts).items()
        if place.campaign in known
    }
    shown = load_all_effects(partners)
    wrong = next((place for place in sorted(told.keys() | shown.keys()) if told.get(place) != shown.get(place)), None)
    findings = []
    if wrong is not None:
        where = f"effects, campaign {wrong[0].hex()}, {wrong[1]}, {wrong[2].hex()}"
        findings.append(Finding("I2", where, str(told.get(wrong)), str(shown.get(wrong))))
    return Checked("I2", TOLD, len(told), tuple(findings))


def check_converted(accounts: Connection, fund: Connection, home: str) -> Checked:
    """Hold what was converted of each campaign by the accounts against the fund's own sums, due by due."""
    ours, theirs = load_converted_by_due(accounts, home), load_fund_converted(fund)
    wrong = next((one for one in sorted(ours) if ours[one] != theirs.get(one)), None)
    findings = []
    if wrong is not None:
        where = f"due {wrong[0].hex()}, campaign {wrong[1]}"
        findings.append(Finding("I2", where, f"{ours[wrong]} cents", f"{theirs.get(wrong, 0)} cents"))
    return Checked("I2", CONVERTED, len(ours), tuple(findings))


def _check_between(folder: Path, bases: Mapping[BaseName, Connection]) -> Checked:
    """Hold each log against the copy that its reader keeps: a copy may be shorter, and is never other."""
    findings: list[Finding] = []
    looked_at = 0
    for owner, own in bases.items():
        for reader, theirs in bases.items():
            if owner == reader:
                continue
            log, copy = (log_store.open_log_or_empty(line, owner, reader) for line in (own, theirs))
            place = f"log {owner} to {reader}"
            # The reader was perhaps looked at later: what counts is what the owner has now.
            if copy.size > log.size and copy.size > _size_now(folder, owner, reader):
                findings.append(Finding("I7", place, f"{copy.size} leaves, as {reader} holds", f"{log.size}"))
            for start in range(0, min(log.size, copy.size), _CHUNK):
                ours = log_store.load_leaves(own, log.id, start, _CHUNK)
                held = log_store.load_leaves(theirs, copy.id, start, _CHUNK)
                looked_at += len(held)
                wrong = next((at for at, (a, b) in enumerate(zip(ours, held, strict=False)) if a != b), None)
                if wrong is not None:
                    findings.append(Finding("I7", f"{place}, leaf {start + wrong}", f"what {owner} wrote", "another"))
                    break
    return Checked("I7", "bases hold each other's words", looked_at, tuple(findings))
