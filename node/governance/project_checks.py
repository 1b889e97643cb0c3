"""Rules of projects, their sheets and their bearers: each stands where its rows say, told again."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.bearers import require_category, require_iban, require_registry
from node.governance.days import local_day, write_day
from node.governance.parameters_store import load_all_themes, load_eligibility
from node.governance.pictures import require_picture
from node.governance.projects import FIRST, NEEDS_REASON, NEXT_STATE, ProjectEvent, ProjectState
from node.governance.rules_checks import Rule, list_rows, load_signing
from node.governance.sheets import compute_sheet_digest, read_sheet
from node.governance.signers import IbanWords, SignerRole, write_words
from node.governance.store import list_projects
from protocol.findings import Checked
from protocol.keys import Domain, is_signed

_ZONE: Final = "UTC"  # of days that only have to be days


def check_steps(connection: Connection) -> Checked:
    rule = Rule("each project stands where its steps led")
    states: dict[bytes, ProjectState] = {}
    last: dict[bytes, int] = {}
    decided: dict[bytes, str] = {}
    appeals: dict[bytes, int] = {}
    proposers: dict[bytes, str] = {}
    for row in list_rows(connection, tables.steps):
        project = bytes(row.project)
        place = f"steps {project.hex()} {row.ix}"
        rule.compare(place, last.get(project, -1) + 1, row.ix)
        last[project] = row.ix
        if row.ix == 0:
            rule.compare(place, f"proposed {FIRST}", f"{row.event} {row.state}")
            states[project] = FIRST
            proposers[project] = row.by
            continue
        event = ProjectEvent(row.event) if row.event in tuple(ProjectEvent) else None
        before = states.get(project, FIRST)
        after = None if event is None else NEXT_STATE[before].get(event)
        rule.compare(place, after or f"nothing after {before}", row.state)
        rule.require(place, "a reason", event not in NEEDS_REASON or bool(row.reason))
        states[project] = ProjectState(row.state)
        if event in (ProjectEvent.VALIDATED, ProjectEvent.REFUSED):
            decided[project] = "a decision" if before is ProjectState.UNDER_EXAMINATION else "none"
        if event is ProjectEvent.EDITED:
            decided[project] = "none"
        appeals[project] = appeals.get(project, 0) + (event is ProjectEvent.APPEALED)
    for row in list_rows(connection, tables.projects):
        id_ = bytes(row.id)
        place = f"projects {id_.hex()}"
        rule.compare(place, states.get(id_), row.state)
        rule.compare(place, appeals.get(id_, 0), row.appeals)
        rule.compare(place, proposers.get(id_), row.proposer)
        rule.compare(place, decided.get(id_, "none"), "none" if row.decision is None else "a decision")
    return rule.close()


def check_sheets(connection: Connection) -> Checked:
    rule = Rule("each sheet is the one that its row says")
    themes = {one.key for one in load_all_themes()}
    newest: dict[bytes, int] = {}
    pictures: set[bytes] = set()
    for row in list_rows(connection, tables.versions):
        of, body = bytes(row.project), bytes(row.body)
        place = f"versions {of.hex()} {row.version}"
        rule.compare(place, newest.get(of, 0) + 1, row.version)
        newest[of] = row.version
        rule.compare(place, compute_sheet_digest(body).hex(), bytes(row.digest).hex())
        sheet = read_sheet(body)
        pictures |= {one.digest for one in sheet.pictures}
        rule.require(
            place, "instalments that come to the target", sum(m.cents for m in sheet.milestones) == sheet.target
        )
    for project in list_projects(connection):
        place = f"projects {project.id.hex()}"
        rule.compare(place, newest.get(project.id, 0), project.version)
        rule.require(place, "a theme of the vocabulary", project.sheet.theme in themes)
    for row in list_rows(connection, tables.projects):
        version = connection.execute(
            select(tables.versions.c.body).where(
                tables.versions.c.project == row.id, tables.versions.c.version == row.version
            )
        ).scalar()
        if version is None:
            rule.require(f"projects {bytes(row.id).hex()}", "a sheet", False)
            continue
        sheet = read_sheet(bytes(version))
        told = (sheet.bearer, sheet.theme, sheet.commune, sheet.need_by, sheet.target, sheet.minimum)
        kept = (bytes(row.bearer or b""), row.theme, row.commune, row.need_by, row.target, row.minimum)
        rule.compare(f"projects {bytes(row.id).hex()}", told, kept)
    for row in list_rows(connection, tables.files):
        digest, body = bytes(row.digest), bytes(row.body)
        place = f"files {digest.hex()}"
        rule.compare(place, hashlib.sha256(body).hexdigest(), digest.hex())
        if digest in pictures:
            rule.compare(place, require_picture(body).media, row.media)
            pictures.discard(digest)
    rule.compare("files", "every picture of a sheet", "every picture of a sheet" if not pictures else len(pictures))
    return rule.close()


def check_bearers(connection: Connection, home: str) -> Checked:
    rule = Rule("bearers are of those that a fund may pay, and two stewards signed each change of account")
    stewards = load_signing(connection, SignerRole.STEWARD)
    accounts: dict[bytes, tuple[str, str]] = {}
    for row in list_rows(connection, tables.iban_changes, tables.iban_changes.c.applied_at, tables.iban_changes.c.at):
        id_, bearer = bytes(row.id), bytes(row.bearer)
        place = f"iban_changes {id_.hex()}"
        for key, signature in ((row.asked_by, row.asked_signature), (row.confirmed_by, row.confirmed_signature)):
            if key is None:
                continue
            words = write_words(IbanWords(1, home, id_, bearer, row.holder_name, row.iban))
            signing = stewards.get(bytes(key))
            signed = signing is not None and is_signed(signing, Domain.OFFICER, words, bytes(signature or b""))
            rule.require(place, f"signed by {bytes(key).hex()}", signed)
        if row.applied_at is not None:
            rule.require(
                place, "two stewards and its delay", row.confirmed_by is not None and row.applied_at >= row.effective_at
            )
            rule.compare(
                place,
                accounts.get(bearer, (row.before_iban, row.before_holder_name)),
                (row.before_iban, row.before_holder_name),
            )
            accounts[bearer] = (row.iban, row.holder_name)
    for row in list_rows(connection, tables.bearers):
        id_ = bytes(row.id)
        place = f"bearers {id_.hex()}"
        if id_ in accounts:
            rule.compare(place, accounts[id_], (row.iban, row.holder_name))
        rules = load_eligibility(write_day(local_day(row.at, _ZONE)))
        rule.refuse(place, "a registry number", lambda row=row: require_registry(row.registry))  # type: ignore[misc]
        rule.refuse(place, "an IBAN", lambda row=row: require_iban(row.iban))  # type: ignore[misc]
        rule.refuse(
            place,
            "an eligible category",
            lambda row=row, rules=rules: require_category(row.registry, row.category, rules),  # type: ignore[misc]
        )
    return rule.close()
