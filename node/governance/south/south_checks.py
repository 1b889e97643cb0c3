"""South programmes and guides against what people signed, what the gate asked at each round, and the log to the accounts."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection

from node.governance import tables as base_tables
from node.governance.days import add_days, local_day, write_day
from node.governance.parameters_store import load_south_rules
from node.governance.rules_checks import Rule, list_rows, load_signing
from node.governance.signers import SignerRole
from node.governance.south import tables
from node.governance.south.clearances import read_clearance
from node.governance.south.gate import GapCode
from node.governance.south.guide_service import list_colleges
from node.governance.south.guides import is_enough, read_guide
from node.governance.south.programme_service import find_missing
from node.governance.south.programme_store import (
    load_lines,
    load_told,
    make_agreement,
    make_partner,
    make_partner_proof,
)
from node.governance.south.programmes import require_country
from node.governance.south.reports import read_report
from node.governance.store import load_project
from protocol.exchange.talk_store import load_talk
from protocol.house import (
    BaseName,
    GuideAccredited,
    GuideEnded,
    GuideKnown,
    Refused,
)
from protocol.keys import Domain, is_signed

# A bearer's category and account may have changed since.
_OF_BEARER: Final = (GapCode.BEARER_NOT_ELIGIBLE, GapCode.ACCOUNT_ABROAD)
_UTC: Final = "UTC"  # for which rules held: a table changes at most once in a long while


def check_values(connection: Connection, rule: Rule) -> None:
    """Each partner, proof, agreement and line is one that could have been entered."""
    for row in list_rows(connection, tables.programmes):
        place = f"programmes {bytes(row.project).hex()}"
        rule.refuse(place, "a country abroad", lambda row=row: require_country(row.country))  # type: ignore[misc]
    for table, make in (
        (tables.programme_partners, make_partner),
        (tables.partner_proofs, make_partner_proof),
        (tables.control_agreements, make_agreement),
    ):
        for row in list_rows(connection, table):
            place = f"{table.name} {bytes(row.id).hex()}"
            rule.refuse(place, "what could be entered", lambda row=row, make=make: make(row))  # type: ignore[misc]
    versions = {(bytes(row.programme), row.version) for row in list_rows(connection, tables.programme_lines)}
    for programme, version in sorted(versions):
        place = f"programme_lines {programme.hex()} {version}"
        rule.refuse(
            place,
            "what could be entered",
            lambda programme=programme, version=version: load_lines(connection, programme, version),  # type: ignore[misc]
        )


def check_rounds_of_programmes(connection: Connection, rule: Rule, zone: str) -> None:
    """When each round of a programme was asked for, nothing was missing but what the bearer's own rule looks at."""
    for row in list_rows(connection, base_tables.rounds):
        place = f"rounds {bytes(row.id).hex()}"
        gaps = find_missing(connection, load_project(connection, bytes(row.project)), row.at, zone, is_past=True)
        gaps = tuple(gap for gap in gaps if gap.code not in _OF_BEARER)
        rule.compare(place, "nothing missing", ", ".join(gap.code for gap in gaps) or "nothing missing")


def check_signatures(connection: Connection, rule: Rule, home: str) -> None:
    """Each statement is signed by two stewards, each report there, each accreditation by enough members."""
    stewards = load_signing(connection, SignerRole.STEWARD)
    for row in list_rows(connection, tables.clearances):
        place = f"clearances {bytes(row.id).hex()}"
        words = read_clearance(bytes(row.words))
        told = (words.territory, words.id, words.partner)
        rule.compare(place, told, (home, bytes(row.id), bytes(row.partner)))
        for key, signature in ((row.asked_by, row.asked_signature), (row.confirmed_by, row.confirmed_signature)):
            if key is not None:
                _require_signed(rule, place, stewards, key, Domain.OFFICER, row.words, signature)
    reporters = load_signing(connection, SignerRole.PARTNER, SignerRole.GUIDE)
    last: dict[bytes, int] = {}
    sums: dict[bytes, int] = {}
    for row in list_rows(
        connection, tables.field_reports, tables.field_reports.c.programme, tables.field_reports.c.from_day
    ):
        place, programme = f"field_reports {bytes(row.id).hex()}", bytes(row.programme)
        report = read_report(bytes(row.words))
        told_now = (report.territory, report.id, report.project, report.from_day, report.until_day, sum(report.cents))
        kept = (home, bytes(row.id), programme, row.from_day, row.until_day, row.cents)
        rule.compare(place, told_now, kept)
        _require_signed(rule, place, reporters, row.key, Domain.AUDIT, row.words, row.signature)
        if programme in last:
            rule.compare(place, add_days(last[programme], 1), row.from_day)
        last[programme] = row.until_day
        sums[programme] = sums.get(programme, 0) + row.cents
    for programme, cents in sums.items():
        converted = load_told(connection, programme, 2**62).converted
        rule.require(f"programmes {programme.hex()}", f"at most {converted} cents reported", cents <= converted)
    _check_approvals(connection, rule, home)


def _require_signed(
    rule: Rule, place: str, known: dict[bytes, bytes], key: Any, domain: Domain, words: Any, signature: Any
) -> None:
    signing = known.get(bytes(key))
    is_so = signing is not None and is_signed(signing, domain, bytes(words), bytes(signature or b""))
    rule.require(place, f"signed by {bytes(key).hex()}", is_so)


def _check_approvals(connection: Connection, rule: Rule, home: str) -> None:
    members = load_signing(connection, SignerRole.MEMBER)
    seats = {bytes(row.id): row for row in list_rows(connection, base_tables.members)}
    words_of: dict[bytes, bytes] = {}
    signed_at: dict[bytes, list[int]] = {}
    for row in list_rows(connection, tables.guides):
        place = f"guides {bytes(row.id).hex()}"
        words_of[bytes(row.id)] = bytes(row.words)
        words = read_guide(bytes(row.words))
        told = (words.territory, words.id, words.key, words.from_day, words.until_day)
        rule.compare(place, told, (home, bytes(row.id), bytes(row.key), row.from_day, row.until_day))
    for row in list_rows(connection, tables.guide_approvals):
        guide, member = bytes(row.guide), seats[bytes(row.member)]
        place = f"guide_approvals {guide.hex()} {bytes(row.member).hex()}"
        rule.compare(place, bytes(member.key).hex(), bytes(row.key).hex())
        _require_signed(rule, place, members, row.key, Domain.VOTE, words_of[guide], row.signature)
        signed_at.setdefault(guide, []).append(row.at)
    for row in list_rows(connection, tables.guides):
        place, times = f"guides {bytes(row.id).hex()}", signed_at.get(bytes(row.id), [])
        rules = load_south_rules(write_day(local_day(max(times, default=row.at), _UTC)))
        enough = is_enough(list_colleges(connection, bytes(row.id)), rules)
        rule.compare(place, enough, row.accredited_at is not None)
        if row.accredited_at is not None:
            rule.require(place, "accredited when a member signed", row.accredited_at in times)


def check_accounts_know(connection: Connection, rule: Rule) -> None:
    """What the accounts were told of guides, and what they said, is what stands here."""
    accredited: dict[bytes, GuideAccredited] = {}
    ended: dict[bytes, str] = {}
    for message in load_talk(connection, BaseName.PROJECTS, BaseName.ACCOUNTS):
        match message:
            case GuideAccredited():
                accredited[message.id] = message
            case GuideEnded():
                ended[message.id] = message.code
            case _:
                continue
    heard: dict[bytes, str] = {}
    for message in load_talk(connection, BaseName.ACCOUNTS, BaseName.PROJECTS):
        match message:
            case GuideKnown():
                heard[message.id] = ""
            case Refused():
                heard[message.id] = message.code
            case _:
                continue
    signing = load_signing(connection, SignerRole.GUIDE)
    for row in list_rows(connection, tables.guides):
        place, id_ = f"guides {bytes(row.id).hex()}", bytes(row.id)
        is_told = row.accredited_at is not None
        told = GuideAccredited(id_, signing.get(bytes(row.key), b""), row.from_day, row.until_day) if is_told else None
        rule.compare(place, told, accredited.pop(id_, None))
        rule.compare(place, row.ended_code if is_told else "", ended.pop(id_, ""))
        rule.compare(place, id_ in heard and not heard[id_], row.heard_at is not None and not row.refused)
        rule.compare(place, f"code {heard.get(id_, '')}", f"code {row.refused}")
    rest = len(accredited) + len(ended)
    rule.compare("log PROJECTS to ACCOUNTS", "no other guide", "no other guide" if not rest else f"{rest} messages")
