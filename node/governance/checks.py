"""The projects' base adds itself up again, verifies what people signed, and holds itself against the logs.

Every kept figure is told again: a project's state by its steps, a decision by its minutes, minutes by the ballots, what
the accounts were told by the log to them, and what they said by the log from them. The first place where two part is
named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.attestations_checks import RULE as ATTESTATIONS
from node.governance.attestations_checks import check_attestations
from node.governance.auditing.audits_checks import (
    AUDITORS,
    AUDITS,
    REPORTS,
    check_auditors,
    check_audits,
    check_reports,
)
from node.governance.bearers import require_category, require_iban, require_registry
from node.governance.catalogue_checks import RULE as CARDS
from node.governance.catalogue_checks import check_cards
from node.governance.committee_service import LIST_BYTES_MAX, load_drawing
from node.governance.days import local_day, write_day
from node.governance.drawing import DrawList, compute_list_digest
from node.governance.instalments import DueMark, RoundState
from node.governance.letters_service import make_opening, make_operation_id
from node.governance.minutes import compute_decision, read_minutes, verify_minutes
from node.governance.netted_service import SENT, WANTED
from node.governance.parameters_store import load_all_themes, load_eligibility
from node.governance.passes.pass_checks import INVARIANT as PASSES
from node.governance.passes.pass_checks import RULE, check_passes
from node.governance.pictures import require_picture
from node.governance.projects import FIRST, NEEDS_REASON, NEXT_STATE, ProjectEvent, ProjectState
from node.governance.rules_checks import INVARIANT
from node.governance.rules_checks import Rule as _Rule
from node.governance.sheets import compute_sheet_digest, read_sheet
from node.governance.signers import FindingWords, IbanWords, SignerRole, write_words
from node.governance.south import south_checks
from node.governance.store import list_projects, seal_of
from node.governance.tables import metadata
from node.governance.volunteering.volunteering_checks import RULE as HOURS
from node.governance.volunteering.volunteering_checks import check_volunteering
from node.governance.votes import Outcome, SignedBallot, is_ballot_signed, read_words
from node.governance.votes_service import make_session
from protocol.book import log_store
from protocol.book.checks import check_logs, guarded
from protocol.book.stream_store import stream
from protocol.canonical import decode_typed
from protocol.directory import Directory
from protocol.findings import Checked
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    DueConfirmed,
    DueSettled,
    DueState,
    HouseMessage,
    OpenProject,
    OrderNetted,
    OrderReturned,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    decode_house_slip,
    make_due_id,
)
from protocol.identifiers import Id16
from protocol.keys import Domain, PublicKeys, is_signed

Progress = Callable[[str], None]
Check = Callable[[Connection], Checked]
SEALS: Final = "rows are as they were written"
_CHUNK: Final = 64
_FINDING: Final = b"citizen-miles/projects/finding/v1\0"
_FINDING_BYTES_MAX: Final = 16_384
_MARKS: Final = {DueState.PAID: DueMark.PAID, DueState.REJECTED: DueMark.REJECTED, DueState.NETTED: DueMark.NETTED}
_ZONE: Final = "UTC"  # of days that only have to be days


def check_projects(
    connection: Connection, neighbours: Directory, on_progress: Progress, *, home: str, zone: str = "Europe/Paris"
) -> list[Checked]:
    """Return each invariant of the projects' base, how much was looked at, and where it is broken. One snapshot."""
    own = neighbours.members.get(BaseName.PROJECTS)
    checked = check_rows(connection, () if own is None else own.keys, on_progress, home=home, zone=zone)
    on_progress(RULE)
    checked += guarded(PASSES, RULE, lambda: [check_passes(connection)])
    on_progress(HOURS)
    checked += guarded(INVARIANT, HOURS, lambda: [check_volunteering(connection)])
    return checked + guarded("I7", "logs are whole", lambda: check_logs(connection, neighbours, on_progress))


def check_rows(
    connection: Connection,
    keys: tuple[PublicKeys, ...],
    on_progress: Progress,
    *,
    home: str,
    zone: str = "Europe/Paris",
) -> list[Checked]:
    """The same for the base's own rows. `keys` are its own, older ones too."""
    checked: list[Checked] = []
    for rule, check in list_rules(keys, home=home, zone=zone):
        on_progress(rule)
        checked += guarded(INVARIANT, rule, lambda check=check: [check(connection)])  # type: ignore[misc]
    return checked


def list_rules(keys: tuple[PublicKeys, ...], *, home: str, zone: str) -> tuple[tuple[str, Check], ...]:
    """Return the rules of the base's own rows, by name, in the order in which they are looked at."""
    return (
        ("each project stands where its steps led", _check_steps),
        ("each sheet is the one that its row says", _check_sheets),
        (
            "bearers are of those that a fund may pay, and two stewards signed each change of account",
            lambda line: _check_bearers(line, home),
        ),
        ("each ballot is its member's, on the sheet that was voted on", _check_ballots),
        ("each decision is its minutes, and they are counted right", lambda line: _check_minutes(line, keys)),
        ("each drawing is of the list that was closed before", lambda line: _check_draws(line, keys)),
        ("each finding is signed by its auditor", _check_findings),
        (AUDITORS, lambda line: check_auditors(line, home)),
        (AUDITS, lambda line: check_audits(line, keys, home)),
        (REPORTS, lambda line: check_reports(line, home)),
        (ATTESTATIONS, lambda line: check_attestations(line, zone)),
        ("the accounts were told what stands here", _check_told),
        ("what the accounts said stands here", _check_heard),
        ("rounds and what funds owe add up", _check_rounds),
        ("South programmes lacked nothing when they were converted", lambda line: _check_programmes(line, zone)),
        ("statements, reports and guides are signed", lambda line: _check_south_signatures(line, home)),
        ("the accounts know the guides", _check_guides),
        (CARDS, lambda line: _check_cards(line, keys, home)),
        (SEALS, _check_seals),
    )


def _check_cards(connection: Connection, keys: tuple[PublicKeys, ...], home: str) -> Checked:
    told = list(_read_log(connection, BaseName.ACCOUNTS, BaseName.PROJECTS))
    said = list(_read_log(connection, BaseName.PROJECTS, BaseName.ACCOUNTS))
    return check_cards(connection, keys, told, said, home)


def _check_seals(connection: Connection) -> Checked:
    rule = _Rule(SEALS)
    for table in metadata.sorted_tables:
        keys = list(table.primary_key)
        for row in stream(connection, select(table).order_by(*keys)):
            is_right = bytes(row.seal) == seal_of(table, row)
            name = "" if is_right else f"{table.name} {' '.join(_show(row._mapping[key]) for key in keys)}"
            rule.require(name, "as it was sealed", is_right)
    return rule.close()


def _show(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _rows(connection: Connection, table: Any, *order: Any) -> Iterator[Any]:
    return iter(connection.execute(select(table).order_by(*(order or table.primary_key))).all())


def _check_steps(connection: Connection) -> Checked:
    rule = _Rule("each project stands where its steps led")
    states: dict[bytes, ProjectState] = {}
    last: dict[bytes, int] = {}
    decided: dict[bytes, str] = {}
    appeals: dict[bytes, int] = {}
    proposers: dict[bytes, str] = {}
    for row in _rows(connection, tables.steps):
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
    for row in _rows(connection, tables.projects):
        id_ = bytes(row.id)
        place = f"projects {id_.hex()}"
        rule.compare(place, states.get(id_), row.state)
        rule.compare(place, appeals.get(id_, 0), row.appeals)
        rule.compare(place, proposers.get(id_), row.proposer)
        rule.compare(place, decided.get(id_, "none"), "none" if row.decision is None else "a decision")
    return rule.close()


def _check_sheets(connection: Connection) -> Checked:
    rule = _Rule("each sheet is the one that its row says")
    themes = {one.key for one in load_all_themes()}
    newest: dict[bytes, int] = {}
    pictures: set[bytes] = set()
    for row in _rows(connection, tables.versions):
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
    for row in _rows(connection, tables.projects):
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
    for row in _rows(connection, tables.files):
        digest, body = bytes(row.digest), bytes(row.body)
        place = f"files {digest.hex()}"
        rule.compare(place, hashlib.sha256(body).hexdigest(), digest.hex())
        if digest in pictures:
            rule.compare(place, require_picture(body).media, row.media)
            pictures.discard(digest)
    rule.compare("files", "every picture of a sheet", "every picture of a sheet" if not pictures else len(pictures))
    return rule.close()


def _check_bearers(connection: Connection, home: str) -> Checked:
    rule = _Rule("bearers are of those that a fund may pay, and two stewards signed each change of account")
    stewards = _load_signing(connection, SignerRole.STEWARD)
    accounts: dict[bytes, tuple[str, str]] = {}
    for row in _rows(connection, tables.iban_changes, tables.iban_changes.c.applied_at, tables.iban_changes.c.at):
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
    for row in _rows(connection, tables.bearers):
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


def _load_signing(connection: Connection, role: SignerRole) -> dict[bytes, bytes]:
    """Return the public keys of those with this role, by their names: a key that has another name is nobody's."""
    found = {}
    for row in _rows(connection, tables.signers):
        public = PublicKeys(bytes(row.signing), bytes(row.sealing))
        if row.role == role and public.id == bytes(row.key):
            found[bytes(row.key)] = public.signing
    return found


def _check_ballots(connection: Connection) -> Checked:
    rule = _Rule("each ballot is its member's, on the sheet that was voted on")
    voters = _load_signing(connection, SignerRole.MEMBER)
    sessions = {bytes(row.id): row for row in _rows(connection, tables.sessions)}
    members = {bytes(row.id): row for row in _rows(connection, tables.members)}
    for row in _rows(connection, tables.ballots):
        place = f"ballots {bytes(row.session).hex()} {bytes(row.member).hex()}"
        ballot = SignedBallot(bytes(row.words), bytes(row.key), bytes(row.signature))
        session, member = sessions[bytes(row.session)], members[bytes(row.member)]
        rule.compare(place, bytes(member.key).hex(), ballot.key.hex())
        signing = voters.get(ballot.key)
        rule.require(place, "signed by its member", signing is not None and is_ballot_signed(ballot, signing))
        words = read_words(ballot)
        told = (words.session, words.project, words.sheet)
        rule.compare(place, (bytes(session.id), bytes(session.project), bytes(session.sheet)), told)
        rule.require(place, "handed in while the vote ran", session.opens_at <= row.at < session.closes_at)
    for id_, member in members.items():
        if member.draw is None:
            continue
        drawing = load_drawing(connection, Id16(bytes(member.draw)))
        drawn = member.account in drawing.ranked and member.college == drawing.told.college
        rule.require(f"members {id_.hex()}", "drawn for its college", drawn)
    return rule.close()


def _check_minutes(connection: Connection, keys: tuple[PublicKeys, ...]) -> Checked:
    rule = _Rule("each decision is its minutes, and they are counted right")
    versions = {(bytes(row.project), row.version): bytes(row.digest) for row in _rows(connection, tables.versions)}
    decisions: dict[bytes, tuple[bytes, str, int]] = {}
    withdrawn = {bytes(row.project) for row in _rows(connection, tables.steps) if row.event == ProjectEvent.WITHDRAWN}
    for row in _rows(connection, tables.sessions, tables.sessions.c.at):
        place = f"sessions {bytes(row.id).hex()}"
        session = make_session(row)
        rule.compare(place, versions.get((session.project, session.version)), session.sheet)
        if session.outcome is Outcome.VOID:
            counted = (session.minutes, session.decision, session.signature, session.signer)
            rule.require(place, "nothing counted", all(part is None for part in counted))
            rule.require(place, "a vote on a project that is withdrawn", session.project in withdrawn)
            rule.require(place, "closed at a time", row.decided_at is not None)
            continue
        rule.require(
            place, "no project that is withdrawn", session.outcome is not None or session.project not in withdrawn
        )
        parts = (session.outcome, session.minutes, session.decision, session.signature, session.signer)
        if session.outcome is None or session.minutes is None or session.signature is None:
            rule.require(place, "nothing decided, or all of it", all(part is None for part in parts))
            continue
        body, signature = session.minutes, session.signature
        rule.compare(place, compute_decision(body).hex(), (session.decision or b"").hex())
        rule.refuse(place, "signed and counted", lambda b=body, s=signature: verify_minutes(b, s, keys))  # type: ignore[misc]
        minutes = read_minutes(body)
        told = (minutes.session, minutes.project, minutes.sheet, minutes.outcome, minutes.reason, minutes.rules)
        kept = (session.id, session.project, session.sheet, session.outcome, session.reason, session.rules)
        rule.compare(place, told, kept)
        rule.compare(place, (minutes.opened_at, minutes.closed_at), (session.opens_at, session.closes_at))
        rule.compare(place, minutes.is_appeal, session.is_appeal)
        rule.require(place, "signed by the key that it names", any(key.id == session.signer for key in keys))
        rule.require(place, "counted when it was over", row.decided_at is not None and row.decided_at >= row.closes_at)
        held = {bytes(one.words) for one in _ballots_of(connection, session.id)}
        rule.require(place, "ballots that were handed in", {one.words for one in minutes.ballots} <= held)
        if session.outcome is not Outcome.NO_QUORUM:
            decisions[session.project] = (session.decision or b"", session.outcome, minutes.decided_on)
    for row in _rows(connection, tables.projects):
        if row.decision is None:
            continue
        decision, _, day = decisions.get(bytes(row.id), (b"", "", 0))
        rule.compare(f"projects {bytes(row.id).hex()}", (decision, day), (bytes(row.decision), row.decided_on))
    return rule.close()


def _ballots_of(connection: Connection, session: bytes) -> list[Any]:
    return list(connection.execute(select(tables.ballots).where(tables.ballots.c.session == session)).all())


def _check_draws(connection: Connection, keys: tuple[PublicKeys, ...]) -> Checked:
    rule = _Rule("each drawing is of the list that was closed before")
    for row in _rows(connection, tables.draws):
        place = f"draws {bytes(row.id).hex()}"
        told = decode_typed(bytes(row.body), DrawList, size_max=LIST_BYTES_MAX)
        digest = compute_list_digest(told)
        rule.compare(place, digest.hex(), bytes(row.digest).hex())
        rule.compare(place, (told.college, told.drawn_on), (row.college, row.drawn_on))
        body = b"draw-list\0" + digest
        signed = any(is_signed(key.signing, Domain.MINUTES, body, bytes(row.signature)) for key in keys)
        rule.require(place, "a list that this base signed", signed)
        rule.require(place, "drawn after its list was closed", row.drawn_at is None or row.drawn_at > row.at)
        rule.compare(place, bool(row.number), row.drawn_at is not None)
    return rule.close()


def _check_findings(connection: Connection) -> Checked:
    rule = _Rule("each finding is signed by its auditor")
    auditors = _load_signing(connection, SignerRole.AUDITOR)
    for row in _rows(connection, tables.findings):
        place = f"findings {bytes(row.id).hex()}"
        words = bytes(row.words)
        signing = auditors.get(bytes(row.key))
        signed = signing is not None and is_signed(signing, Domain.AUDIT, words, bytes(row.signature))
        rule.require(place, "signed by its auditor", signed)
        told = decode_typed(words[len(_FINDING) :], FindingWords, size_max=_FINDING_BYTES_MAX)
        rule.compare(place, write_words(told), words)
        rule.compare(place, (told.id, told.project, told.verdict), (bytes(row.id), bytes(row.project), row.verdict))
    return rule.close()


def _check_programmes(connection: Connection, zone: str) -> Checked:
    rule = _Rule("South programmes lacked nothing when they were converted")
    south_checks.check_values(connection, rule)
    south_checks.check_rounds_of_programmes(connection, rule, zone)
    return rule.close()


def _check_south_signatures(connection: Connection, home: str) -> Checked:
    rule = _Rule("statements, reports and guides are signed")
    south_checks.check_signatures(connection, rule, home)
    return rule.close()


def _check_guides(connection: Connection) -> Checked:
    rule = _Rule("the accounts know the guides")
    south_checks.check_accounts_know(connection, rule)
    return rule.close()


# ---------------------------------------------------------------- the logs


def _read_log(connection: Connection, owner: str, reader: str) -> Iterator[HouseMessage]:
    """Return what one base told the other, in order, as our own copy of the log has it."""
    log = log_store.open_log_or_empty(connection, owner, reader)
    for start in range(0, log.size, _CHUNK):
        for leaf in log_store.load_leaves(connection, log.id, start, _CHUNK):
            yield from decode_house_slip(leaf).messages


def _check_told(connection: Connection) -> Checked:
    rule = _Rule("the accounts were told what stands here")
    opened: dict[bytes, OpenProject] = {}
    committed: dict[bytes, bytes] = {}
    released: dict[bytes, ReleaseProject] = {}
    asked: dict[bytes, ConvertProject] = {}
    confirmed: dict[bytes, int] = {}
    ordered: set[bytes] = set()
    for message in _read_log(connection, BaseName.PROJECTS, BaseName.ACCOUNTS):
        match message:
            case OpenProject():
                opened[message.id] = message
            case CommitProject():
                committed[message.project] = message.id
            case ReleaseProject():
                released[message.project] = message
            case ConvertProject():
                asked[message.id] = message
            case DueConfirmed():
                confirmed[message.id] = message.on
            case OrderNetted():
                ordered.add(message.id)
            case _:
                continue
    steps = {(bytes(row.project), row.event) for row in _rows(connection, tables.steps)}
    for project in list_projects(connection):
        place, id_ = f"projects {project.id.hex()}", project.id
        if (id_, ProjectEvent.OPENED) in steps:
            rule.compare(place, make_opening(project), opened.pop(id_, None))
        is_funded = (id_, ProjectEvent.FUNDED) in steps
        expected = make_operation_id(id_, "commit") if is_funded else None
        rule.compare(place, expected, project.commit_id)
        rule.compare(place, expected, committed.pop(id_, None))
        ended = {(id_, ProjectEvent.WITHDRAWN), (id_, ProjectEvent.MISSED)} & steps
        back = make_operation_id(id_, "release") if ended and (id_, ProjectEvent.OPENED) in steps else None
        release = released.pop(id_, None)
        rule.compare(place, back, project.release_id)
        rule.compare(place, back, None if release is None else release.id)
    for row in _rows(connection, tables.rounds):
        place = f"rounds {bytes(row.id).hex()}"
        asking = asked.pop(bytes(row.id), None)
        kept = (bytes(row.project), row.round, row.cents)
        rule.compare(place, kept, None if asking is None else (asking.project, asking.round, asking.cents))
    for row in _rows(connection, tables.dues):
        told = confirmed.pop(bytes(row.id), None)
        if row.mark == DueMark.CONFIRMED:
            rule.compare(f"dues {bytes(row.id).hex()}", row.confirmed_on, told)
        is_ordered = row.own_order is not None and row.own_order != WANTED
        rule.compare(f"dues {bytes(row.id).hex()}, order to our fund", bytes(row.id) in ordered, is_ordered)
        rule.compare(f"dues {bytes(row.id).hex()}, day of it", is_ordered, row.ordered_on is not None)
        ordered.discard(bytes(row.id))
    rest = len(ordered) + len(opened) + len(committed) + len(released) + len(asked) + len(confirmed)
    rule.compare("log PROJECTS to ACCOUNTS", "nothing else", "nothing else" if not rest else f"{rest} messages")
    return rule.close()


def _check_heard(connection: Connection) -> Checked:
    rule = _Rule("what the accounts said stands here")
    numbers: dict[bytes, str] = {}
    support: dict[bytes, tuple[int, int]] = {}
    released: dict[bytes, int] = {}
    converted: dict[bytes, dict[str, int]] = {}
    waiting: dict[bytes, int] = {}
    refused: dict[bytes, str] = {}
    returned: dict[bytes, str] = {}
    marks: dict[bytes, list[DueMark]] = {}
    days: dict[bytes, int] = {}
    for message in _read_log(connection, BaseName.ACCOUNTS, BaseName.PROJECTS):
        match message:
            case ProjectOpened():
                numbers.setdefault(message.id, message.number)
            case Support():
                support[message.project] = (message.cents, message.supporters)
            case ProjectReleased():
                released[message.id] = message.cents
            case ProjectConverted():
                converted.setdefault(message.id, dict(zip(message.payers, message.cents, strict=True)))
                waiting[message.id] = message.waiting
            case DueSettled():
                marks.setdefault(message.id, []).append(_MARKS[DueState(message.state)])
                days[message.id] = message.on
            case OrderReturned():
                returned[message.id] = message.code
            case Refused():
                refused[message.id] = message.code
            case _:
                continue
    for row in _rows(connection, tables.projects):
        place, id_ = f"projects {bytes(row.id).hex()}", bytes(row.id)
        rule.compare(place, numbers.get(id_), row.number)
        rule.compare(place, support.get(id_, (0, 0)), (row.support, row.supporters))
        rule.compare(place, None if row.release_id is None else released.get(bytes(row.release_id)), row.released)
    dues: dict[bytes, dict[str, int]] = {}
    for row in _rows(connection, tables.dues):
        dues.setdefault(bytes(row.round), {})[row.payer] = row.cents
        place, id_ = f"dues {bytes(row.id).hex()}", bytes(row.id)
        rule.compare(place, make_due_id(bytes(row.round), row.payer), id_)
        said = marks.get(id_, [DueMark.OWED])
        may_be = {DueMark.REFUSED} if id_ in refused else {said[-1]}
        if DueMark.PAID in said or DueMark.NETTED in said:
            may_be.add(DueMark.CONFIRMED)
        rule.require(place, f"one of {', '.join(sorted(may_be))}", row.mark in may_be)
        rule.compare(place, row.mark == DueMark.CONFIRMED, row.confirmed_on is not None)
        rule.compare(place, f"code {refused.get(id_, '')}", f"code {row.code}")
        rule.compare(f"{place}, netted", DueMark.NETTED in said, row.own_order is not None)
        if row.own_order not in (None, WANTED, SENT):
            rule.compare(f"{place}, order that came back", returned.get(id_), row.own_order)
        if row.mark != DueMark.REFUSED:
            rule.compare(place, f"day {days.get(id_)}", f"day {row.on_day}")
    for row in _rows(connection, tables.rounds):
        place, id_ = f"rounds {bytes(row.id).hex()}", bytes(row.id)
        rule.compare(place, converted.get(id_, {}), dues.get(id_, {}))
        rule.compare(place, waiting.get(id_, 0), row.waiting)
        state = RoundState.CONVERTED if id_ in converted else RoundState.REFUSED if id_ in refused else RoundState.ASKED
        rule.compare(place, state, row.state)
        code = "" if id_ in converted else refused.get(id_, "")
        rule.compare(place, f"code {code}", f"code {row.code}")
    return rule.close()


def _check_rounds(connection: Connection) -> Checked:
    rule = _Rule("rounds and what funds owe add up")
    taken: dict[bytes, int] = {}
    for row in _rows(connection, tables.dues):
        taken[bytes(row.round)] = taken.get(bytes(row.round), 0) + (0 if row.mark == DueMark.REFUSED else row.cents)
    support = {bytes(row.id): row.support for row in _rows(connection, tables.projects)}
    accounts = {bytes(row.id): {row.iban} for row in _rows(connection, tables.bearers)}
    for row in _rows(connection, tables.iban_changes):
        accounts[bytes(row.bearer)].add(row.before_iban)
    bearers = {bytes(row.id): bytes(row.bearer or b"") for row in _rows(connection, tables.projects)}
    sums: dict[bytes, int] = {}
    numbers: dict[bytes, int] = {}
    instalments: dict[bytes, int] = {}
    for row in _rows(connection, tables.rounds, tables.rounds.c.project, tables.rounds.c.round):
        project, place = bytes(row.project), f"rounds {bytes(row.id).hex()}"
        rule.compare(place, numbers.get(project, 0) + 1, row.round)
        numbers[project] = row.round
        rule.require(place, "an account of its bearer", row.iban in accounts.get(bearers[project], ()))
        rule.require(place, "no more converted than was asked", taken.get(bytes(row.id), 0) <= row.cents)
        rule.require(place, "instalments in their order", row.instalment >= instalments.get(project, 1))
        instalments[project] = row.instalment
        sums[project] = sums.get(project, 0) + taken.get(bytes(row.id), 0)
    for project, cents in sums.items():
        rule.require(
            f"projects {project.hex()}", f"at most {support[project]} cents converted", cents <= support[project]
        )
    return rule.close()
