"""Rules of what projects and accounts told each other: it stands here, and rounds add up."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from node.governance import tables
from node.governance.instalments import DueMark, RoundState
from node.governance.letters_service import make_opening, make_operation_id
from node.governance.netted_service import SENT, WANTED
from node.governance.projects import ProjectEvent
from node.governance.rules_checks import Rule, list_rows
from node.governance.store import list_projects
from protocol.exchange.talk_store import load_talk
from protocol.findings import Checked
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    DueConfirmed,
    DueSettled,
    DueState,
    OpenProject,
    OrderNetted,
    OrderReturned,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    make_due_id,
)

_MARKS: Final = {DueState.PAID: DueMark.PAID, DueState.REJECTED: DueMark.REJECTED, DueState.NETTED: DueMark.NETTED}


def check_told(connection: Connection) -> Checked:
    rule = Rule("the accounts were told what stands here")
    opened: dict[bytes, OpenProject] = {}
    committed: dict[bytes, bytes] = {}
    released: dict[bytes, ReleaseProject] = {}
    asked: dict[bytes, ConvertProject] = {}
    confirmed: dict[bytes, int] = {}
    ordered: set[bytes] = set()
    for message in load_talk(connection, BaseName.PROJECTS, BaseName.ACCOUNTS):
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
    steps = {(bytes(row.project), row.event) for row in list_rows(connection, tables.steps)}
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
    for row in list_rows(connection, tables.rounds):
        place = f"rounds {bytes(row.id).hex()}"
        asking = asked.pop(bytes(row.id), None)
        kept = (bytes(row.project), row.round, row.cents)
        rule.compare(place, kept, None if asking is None else (asking.project, asking.round, asking.cents))
    for row in list_rows(connection, tables.dues):
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


def check_heard(connection: Connection) -> Checked:
    rule = Rule("what the accounts said stands here")
    numbers: dict[bytes, str] = {}
    support: dict[bytes, tuple[int, int]] = {}
    released: dict[bytes, int] = {}
    converted: dict[bytes, dict[str, int]] = {}
    waiting: dict[bytes, int] = {}
    refused: dict[bytes, str] = {}
    returned: dict[bytes, str] = {}
    marks: dict[bytes, list[DueMark]] = {}
    days: dict[bytes, int] = {}
    for message in load_talk(connection, BaseName.ACCOUNTS, BaseName.PROJECTS):
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
    for row in list_rows(connection, tables.projects):
        place, id_ = f"projects {bytes(row.id).hex()}", bytes(row.id)
        rule.compare(place, numbers.get(id_), row.number)
        rule.compare(place, support.get(id_, (0, 0)), (row.support, row.supporters))
        rule.compare(place, None if row.release_id is None else released.get(bytes(row.release_id)), row.released)
    dues: dict[bytes, dict[str, int]] = {}
    for row in list_rows(connection, tables.dues):
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
    for row in list_rows(connection, tables.rounds):
        place, id_ = f"rounds {bytes(row.id).hex()}", bytes(row.id)
        rule.compare(place, converted.get(id_, {}), dues.get(id_, {}))
        rule.compare(place, waiting.get(id_, 0), row.waiting)
        state = RoundState.CONVERTED if id_ in converted else RoundState.REFUSED if id_ in refused else RoundState.ASKED
        rule.compare(place, state, row.state)
        code = "" if id_ in converted else refused.get(id_, "")
        rule.compare(place, f"code {code}", f"code {row.code}")
    return rule.close()


def check_rounds(connection: Connection) -> Checked:
    rule = Rule("rounds and what funds owe add up")
    taken: dict[bytes, int] = {}
    for row in list_rows(connection, tables.dues):
        taken[bytes(row.round)] = taken.get(bytes(row.round), 0) + (0 if row.mark == DueMark.REFUSED else row.cents)
    support = {bytes(row.id): row.support for row in list_rows(connection, tables.projects)}
    accounts = {bytes(row.id): {row.iban} for row in list_rows(connection, tables.bearers)}
    for row in list_rows(connection, tables.iban_changes):
        accounts[bytes(row.bearer)].add(row.before_iban)
    bearers = {bytes(row.id): bytes(row.bearer or b"") for row in list_rows(connection, tables.projects)}
    sums: dict[bytes, int] = {}
    numbers: dict[bytes, int] = {}
    instalments: dict[bytes, int] = {}
    for row in list_rows(connection, tables.rounds, tables.rounds.c.project, tables.rounds.c.round):
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
