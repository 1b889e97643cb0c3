"""The projects' base adds itself up again, verifies what people signed, and holds itself against the logs.

Every kept figure is told again: a project's state by its steps, a decision by its minutes, minutes by the ballots, what
the accounts were told by the log to them, and what they said by the log from them. The first place where two part is
named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, select

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
from node.governance.catalogue_checks import RULE as CARDS
from node.governance.catalogue_checks import check_cards
from node.governance.committee_checks import check_ballots, check_draws, check_findings, check_minutes
from node.governance.passes.pass_checks import INVARIANT as PASSES
from node.governance.passes.pass_checks import RULE, check_passes
from node.governance.project_checks import check_bearers, check_sheets, check_steps
from node.governance.rules_checks import INVARIANT, Rule
from node.governance.south import south_checks
from node.governance.store import seal_of
from node.governance.tables import metadata
from node.governance.told_checks import check_heard, check_rounds, check_told
from node.governance.volunteering.volunteering_checks import RULE as HOURS
from node.governance.volunteering.volunteering_checks import check_volunteering
from protocol.book.checks import check_logs, guarded
from protocol.book.stream_store import stream
from protocol.directory import Directory
from protocol.exchange.talk_store import load_talk
from protocol.findings import Checked
from protocol.house import BaseName
from protocol.keys import PublicKeys

Progress = Callable[[str], None]
Check = Callable[[Connection], Checked]
SEALS: Final = "rows are as they were written"


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
        ("each project stands where its steps led", check_steps),
        ("each sheet is the one that its row says", check_sheets),
        (
            "bearers are of those that a fund may pay, and two stewards signed each change of account",
            lambda line: check_bearers(line, home),
        ),
        ("each ballot is its member's, on the sheet that was voted on", check_ballots),
        ("each decision is its minutes, and they are counted right", lambda line: check_minutes(line, keys)),
        ("each drawing is of the list that was closed before", lambda line: check_draws(line, keys)),
        ("each finding is signed by its auditor", check_findings),
        (AUDITORS, lambda line: check_auditors(line, home)),
        (AUDITS, lambda line: check_audits(line, keys, home)),
        (REPORTS, lambda line: check_reports(line, home)),
        (ATTESTATIONS, lambda line: check_attestations(line, zone)),
        ("the accounts were told what stands here", check_told),
        ("what the accounts said stands here", check_heard),
        ("rounds and what funds owe add up", check_rounds),
        ("South programmes lacked nothing when they were converted", lambda line: _check_programmes(line, zone)),
        ("statements, reports and guides are signed", lambda line: _check_south_signatures(line, home)),
        ("the accounts know the guides", _check_guides),
        (CARDS, lambda line: _check_cards(line, keys, home)),
        (SEALS, _check_seals),
    )


def _check_cards(connection: Connection, keys: tuple[PublicKeys, ...], home: str) -> Checked:
    told = list(load_talk(connection, BaseName.ACCOUNTS, BaseName.PROJECTS))
    said = list(load_talk(connection, BaseName.PROJECTS, BaseName.ACCOUNTS))
    return check_cards(connection, keys, told, said, home)


def _check_seals(connection: Connection) -> Checked:
    rule = Rule(SEALS)
    for table in metadata.sorted_tables:
        keys = list(table.primary_key)
        for row in stream(connection, select(table).order_by(*keys)):
            is_right = bytes(row.seal) == seal_of(table, row)
            name = "" if is_right else f"{table.name} {' '.join(_show(row._mapping[key]) for key in keys)}"
            rule.require(name, "as it was sealed", is_right)
    return rule.close()


def _show(value: object) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _check_programmes(connection: Connection, zone: str) -> Checked:
    rule = Rule("South programmes lacked nothing when they were converted")
    south_checks.check_values(connection, rule)
    south_checks.check_rounds_of_programmes(connection, rule, zone)
    return rule.close()


def _check_south_signatures(connection: Connection, home: str) -> Checked:
    rule = Rule("statements, reports and guides are signed")
    south_checks.check_signatures(connection, rule, home)
    return rule.close()


def _check_guides(connection: Connection) -> Checked:
    rule = Rule("the accounts know the guides")
    south_checks.check_accounts_know(connection, rule)
    return rule.close()
