"""A guide acts for a group by consent: who may, until when, what a guide who is none any more leaves behind, and who goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from node.guides.acts import (
    ActWords,
    CedeAct,
    OrientAct,
    SignedAct,
    TakeBackAct,
    read_act,
    read_signed_act,
    sign_act,
    write_act,
    write_signed_act,
)
from node.guides.checks import check_guides
from node.guides.errors import (
    ActRefused,
    ConsentMissing,
    ConsentRefused,
    GroupConsentUnknown,
    GroupHasStandingOrder,
    GroupIsGuided,
    GroupMemberUnknown,
    GroupUnknown,
    GuideNotAccredited,
    GuideNotHere,
    MemberKnown,
    NotAGroup,
)
from node.guides.reading_service import list_acts, list_consents, load_group
from node.guides.service import DeclareGroup, GiveConsent, JoinGroup
from node.guides.tables import metadata
from node.ledger.accounts import AccountKind
from node.ledger.errors import AccountUnknown, InsufficientRights
from node.orientation.errors import OrientationUnknown
from node.orientation.standing import StandingOrder
from node.orientation.standing_service import StandingService
from protocol.book.seals import compute_seal
from protocol.errors import IdMismatch, Malformed, NotCanonical
from protocol.findings import Finding
from protocol.house import GuideAccredited, GuideEnded, GuideKnown, Refused
from protocol.identifiers import Address, Id16
from protocol.keys import make_keys
from tests.guides.world import FROM, UNTIL, Village
from tests.orientation.world import HOME


def test_more_than_half_of_the_members_let_a_guide_direct_and_cede(village: Village) -> None:
    guide = village.accredit()
    members = [village.join() for _ in range(4)]
    _, project = village.project()
    village.give(1_000)
    for member in members[:2]:
        village.consent(guide, member)
    with pytest.raises(ConsentMissing) as missing:
        village.orient(guide, project, 400)
    assert (missing.value.facts["given"], missing.value.facts["needed"]) == (2, 3)
    third = village.consent(guide, members[2])
    signed = village.sign(guide, OrientAct((project,), (400,), "back"))
    done = village.do(village.guides.act, signed)
    assert (done.name, done.cents, done.state, done.is_repeat) == ("orient", 400, "directed", False)
    assert village.do(village.guides.act, signed).is_repeat, "done once"
    assert village.cede(guide, members[0], 250).cents == 250
    assert (village.balance(village.group), village.balance(members[0])) == (350, 250)
    village.withdraw(third)
    village.withdraw(third)
    with pytest.raises(ConsentMissing):
        village.cede(guide, members[0], 1)
    assert village.do(village.guides.act, signed).is_repeat, "what was done is answered as it was"
    view = village.book.read_now(lambda line: load_group(line, village.group, village.clock.now))
    assert len(view.members) == 4
    [standing] = view.guides
    assert (standing.given.given, standing.given.needed) == (2, 3)
    assert isinstance(standing.hindrance, ConsentMissing)
    acts = village.book.read_now(lambda line: list_acts(line, village.group))
    assert [one.name for one in acts] == ["orient", "cede"]


def test_a_paper_of_the_group_is_enough_for_its_term(village: Village) -> None:
    guide, other = village.accredit(), village.accredit()
    _, project = village.project(until=20270601)
    village.give(1_000)
    paper = village.consent(guide, days=2)
    village.orient(guide, project, 100)
    with pytest.raises(ConsentMissing):
        village.orient(other, project, 100)
    village.later(1)
    village.orient(guide, project, 100)
    village.later(1)
    with pytest.raises(ConsentMissing):
        village.orient(guide, project, 100)
    again = village.consent(guide, days=366)
    village.orient(guide, project, 100)
    village.withdraw(again)
    with pytest.raises(ConsentMissing):
        village.orient(guide, project, 100)
    told = village.book.read_now(lambda line: list_consents(line, village.group))
    assert [(one.op, bool(one.withdrawn_at)) for one in told] == [(paper, False), (again, True)]


@pytest.mark.parametrize("code", ["guide_left", "guide_withdrawn", "guide_key_revoked"])
def test_a_guide_who_goes_leaves_what_is_under_way_and_another_goes_on(village: Village, code: str) -> None:
    guide, next_guide = village.accredit(), village.accredit()
    member = village.join()
    village.consent(guide, member)
    _, project = village.project()
    village.give(1_000)
    orientation = village.orient(guide, project, 400)
    unused = village.sign(guide, CedeAct(member, 100, ""))
    village.end(guide, code)
    assert village.balance(project) == 400, "what was directed stays"
    for act in (OrientAct((project,), (1,), "back"), CedeAct(member, 1, ""), TakeBackAct(orientation.op, 0)):
        with pytest.raises(GuideNotAccredited) as refused:
            village.act(guide, act)
        assert refused.value.facts["reason"] == code
    with pytest.raises(GuideNotAccredited):
        village.do(village.guides.act, unused)
    with pytest.raises(ConsentRefused):
        village.consent(guide, member)
    with pytest.raises(ConsentMissing):
        village.back(next_guide, orientation.op)
    village.consent(next_guide, member)
    assert village.back(next_guide, orientation.op, 150).cents == 150
    assert village.back(next_guide, orientation.op).cents == 250
    assert (village.balance(village.group), village.balance(project)) == (1_000, 0)


def test_a_term_begins_and_ends_by_itself(village: Village) -> None:
    early, late = village.accredit(until_day=20261118), village.accredit(from_day=20261119)
    village.give(100)
    to = village.open()
    for guide in (early, late):
        village.consent(guide)
    village.cede(early, to, 1)
    with pytest.raises(GuideNotAccredited, match="not begun"):
        village.cede(late, to, 1)
    village.later(1)
    with pytest.raises(GuideNotAccredited, match="is over"):
        village.cede(early, to, 1)
    village.cede(late, to, 1)
    with pytest.raises(ConsentRefused, match="term is over"):
        village.consent(early)


def test_a_guide_of_elsewhere_acts_here_once_our_own_committee_accredited_the_same_key(village: Village) -> None:
    """One key, two accreditations: each ends by itself, and what was signed for one counts for no other."""
    village.give(100)
    elsewhere, to = village.id(), village.open()
    village.keys[elsewhere] = make_keys(bytes([7]) * 64)
    with pytest.raises(GuideNotHere):
        village.consent(elsewhere)
    with pytest.raises(GuideNotHere):
        village.cede(elsewhere, to, 1)
    here = village.id()
    village.keys[here] = village.keys[elsewhere]
    village.tell(GuideAccredited(here, village.keys[here].public.signing, FROM, UNTIL))
    village.consent(here)
    village.cede(here, to, 1)
    with pytest.raises(ActRefused, match="signed for"):
        village.cede(here, to, 1, territory="243500139")
    village.end(here)
    with pytest.raises(GuideNotAccredited):
        village.cede(here, to, 1)


def test_whoever_leaves_counts_no_more_and_consents_anew(village: Village) -> None:
    guide = village.accredit()
    first, second, third = (village.join() for _ in range(3))
    village.give(100)
    for member in (first, second):
        village.consent(guide, member)
    village.cede(guide, third, 1)
    village.leave(second)
    village.leave(second)
    with pytest.raises(ConsentMissing):  # one of two
        village.cede(guide, third, 1)
    village.join(second)
    with pytest.raises(ConsentMissing):
        village.cede(guide, third, 1)
    village.consent(guide, second)
    village.cede(guide, third, 1)


def test_what_a_guide_signed_is_taken_as_it_is_or_not_at_all(village: Village) -> None:
    guide, other = village.accredit(), village.accredit()
    village.consent(guide)
    village.give(100)
    to = village.open()
    signed = village.sign(guide, CedeAct(to, 10, ""))
    line = write_signed_act(signed)
    assert read_signed_act(f" {line[:40]}\n{line[40:]} ") == signed
    forged = sign_act(read_act(signed.words), village.keys[other])
    with pytest.raises(ActRefused, match="signature"):
        village.do(village.guides.act, forged)
    altered = write_act(ActWords(*(1, HOME, village.id(), guide, village.group, 2**50, CedeAct(to, 99, ""))))
    with pytest.raises(ActRefused, match="signature"):
        village.do(village.guides.act, SignedAct(altered, signed.signature))
    with pytest.raises(ActRefused, match="signed for"):
        village.cede(guide, to, 1, territory="200046977")
    with pytest.raises(ActRefused, match="before"):
        village.cede(guide, to, 1, until=village.clock.now)
    with pytest.raises(ActRefused, match="version"):
        village.cede(guide, to, 1, version=2)
    with pytest.raises(GroupUnknown):
        village.cede(guide, to, 1, account=village.open(AccountKind.GROUP))
    with pytest.raises(NotCanonical):
        village.act(guide, OrientAct((to, to), (1,), "back"))
    with pytest.raises(NotCanonical):
        read_act(b"else" + signed.words)
    with pytest.raises(ActRefused):
        read_signed_act("zz")
    with pytest.raises(Malformed):
        village.act(guide, OrientAct((to,), (1,), "sideways"))
    one = village.id()
    village.cede(guide, to, 1, id=one, until=2**50)
    with pytest.raises(IdMismatch):
        village.cede(guide, to, 2, id=one, until=2**50)
    with pytest.raises(IdMismatch):
        village.join(op=one)
    with pytest.raises(InsufficientRights):
        village.cede(guide, to, 1_000)
    unknown = Id16(b"unknown guide 16")
    village.keys[unknown] = make_keys(bytes(64))
    with pytest.raises(GuideNotHere):
        village.cede(unknown, to, 1)
    with pytest.raises(GuideNotHere):
        village.consent(unknown)
    assert village.balance(to) == 1


def test_a_guide_takes_back_what_the_group_directed_and_nobody_elses(village: Village) -> None:
    guide = village.accredit()
    village.consent(guide)
    person = village.holder(100)
    _, project = village.project()
    theirs = village.direct(person, project, 50)
    with pytest.raises(OrientationUnknown):
        village.back(guide, theirs.op)
    with pytest.raises(OrientationUnknown):
        village.back(guide, village.id())


def test_who_is_in_a_group_and_who_consents_is_looked_at(village: Village) -> None:
    guide, member = village.accredit(), village.join()
    person = village.open()
    for account in (person, village.pool):
        with pytest.raises(NotAGroup):
            village.do(village.guides.declare, DeclareGroup(op=village.id(), account=account))
    with pytest.raises(AccountUnknown):
        village.do(village.guides.declare, DeclareGroup(op=village.id(), account="D715K6AF"))  # type: ignore[arg-type]
    with pytest.raises(IdMismatch):
        village.do(village.guides.declare, DeclareGroup(op=village.id(), account=village.group))
    with pytest.raises(MemberKnown):
        village.join(member)
    with pytest.raises(NotAGroup):
        village.join(village.pool)
    with pytest.raises(Malformed):
        JoinGroup(op=village.id(), account=village.group, member=village.group)
    with pytest.raises(GroupUnknown):
        village.join(account=person)
    with pytest.raises(GroupMemberUnknown):
        village.leave(person)
    one = village.id()
    assert village.join(person, op=one) == village.join(person, op=one) == person
    with pytest.raises(IdMismatch):
        village.join(member, op=one)
    with pytest.raises(ConsentRefused, match="not in the group"):
        village.consent(guide, village.open())
    for days in (0, 367):
        for who in ("", member):
            with pytest.raises(ConsentRefused, match="366 days"):
                village.consent(guide, who, days=days)
    with pytest.raises(GroupConsentUnknown):
        village.withdraw(village.id())
    given = village.consent(guide, member, days=5)
    assert village.consent(guide, member, days=5, op=given) == given
    for wrong in ({"days": 6}, {"member": person}, {"member": "", "digest": b"x" * 32}):
        with pytest.raises(IdMismatch):
            village.consent(guide, **{"member": member, "days": 5, "op": given} | wrong)
    for neither in (
        {"member": "", "digest": b""},
        {"member": "", "digest": b"short"},
        {"member": member, "digest": b"x" * 32},
    ):
        with pytest.raises(Malformed):
            GiveConsent(**{"op": village.id(), "account": village.group, "guide": guide, "days": 1} | neither)


async def test_no_other_door_moves_the_rights_of_a_group_with_a_guide(village: Village) -> None:
    await village.guides.require_unguided(village.pool)
    with pytest.raises(GroupIsGuided):
        await village.guides.require_unguided(village.pool, village.group)
    late = village.open(AccountKind.GROUP)
    await village.guides.require_unguided(late)
    village.do(village.guides.declare, DeclareGroup(op=village.id(), account=late))
    with pytest.raises(GroupIsGuided):
        await village.guides.require_unguided(late)


def test_a_standing_order_is_stopped_before_a_group_gets_a_guide(village: Village) -> None:
    late = village.open(AccountKind.GROUP)
    _, project = village.project()
    service = StandingService(village.ledger, village.orientations)
    order = StandingOrder(op=village.id(), account=late, share=100, projects=(Address(project, HOME),))
    village.do(service.give_orders, order)
    with pytest.raises(GroupHasStandingOrder):
        village.do(village.guides.declare, DeclareGroup(op=village.id(), account=late))
    village.do(service.stop_orders, order.op)
    assert village.do(village.guides.declare, DeclareGroup(op=village.id(), account=late)) == late


def test_the_projects_base_alone_says_who_is_a_guide(village: Village) -> None:
    id_, key = village.id(), b"k" * 32
    told = GuideAccredited(id_, key, FROM, UNTIL)
    assert village.tell(told) == [GuideKnown(id_, False)]
    assert village.tell(told) == [GuideKnown(id_, False)]
    assert village.tell(GuideAccredited(id_, b"x" * 32, FROM, UNTIL)) == [Refused(id_, "id_mismatch")]
    assert village.tell(GuideEnded(village.pool.encode() * 2, "guide_left")) == [
        Refused(village.pool.encode() * 2, "guide_not_here")
    ]
    assert village.tell(GuideEnded(id_, "guide_left")) == [GuideKnown(id_, True)]
    assert village.tell(GuideEnded(id_, "guide_withdrawn")) == [GuideKnown(id_, True)]
    assert village.tell(told) == [GuideKnown(id_, True)], "it does not come back"
    other = village.id()
    for wrong in (GuideAccredited(other, key, FROM, UNTIL), GuideEnded(id_, "x")):
        assert village.tell(wrong, sender="THE-FUND") == [Refused(wrong.id, "not_the_projects")]


def test_any_value_of_groups_changed_by_hand_is_found(tmp_path: Path) -> None:
    village = Village(f"sqlite:///{tmp_path / 'accounts'}.db")
    guide = village.accredit()
    member = village.join()
    village.leave(village.join())
    village.withdraw(village.consent(guide))
    village.consent(guide, member)
    village.give(100)
    village.cede(guide, member, 10)
    village.end(guide)
    assert village.findings() == []

    def look() -> list[Finding]:
        """Look at groups alone: the whole base takes longer."""
        checked = village.book.read_now(lambda line: check_guides(line, home=HOME))
        return [finding for one in checked for finding in one.findings]

    hand = sqlite3.connect(tmp_path / "accounts.db", isolation_level=None)
    hand.execute("PRAGMA ignore_check_constraints = 1")
    # Signed, logged or consented to: held by more than the seal.
    deep = {"guides.key", "guides.from_day", "guides.until_day", "guides.ended_code", "guides.id"}
    deep |= {f"guide_acts.{name}" for name in ("op", "guide", "account", "words", "signature")}
    for table in metadata.sorted_tables:
        names = [column.name for column in table.columns]
        rows = hand.execute(f"SELECT rowid, {', '.join(names)} FROM {table.name}").fetchall()
        assert rows, f"nothing happened in {table.name}"
        rowid, *values = rows[-1]
        for place, (name, value) in enumerate(zip(names, values, strict=True)):
            other: Any = value + 1 if isinstance(value, int) else 1 if value is None else None
            if isinstance(value, bytes | str):
                end = value[-1:] or ("" if isinstance(value, str) else b"")
                other = value[:-1] + (
                    (b"\x01" if end != b"\x01" else b"\x02")
                    if isinstance(value, bytes)
                    else ("x" if end != "x" else "y")
                )
            for is_sealed in (False, True) if f"{table.name}.{name}" in deep else (False,):
                after = [*values[:place], other, *values[place + 1 :]]
                if is_sealed:
                    after[-1] = compute_seal(table.name, after[:-1])
                sets = ", ".join(f"{one} = ?" for one in names)
                try:
                    hand.execute(f"UPDATE {table.name} SET {sets} WHERE rowid = ?", (*after, rowid))
                except sqlite3.IntegrityError:
                    continue
                assert look(), f"{table.name}.{name}, sealed again: {is_sealed}"
                hand.execute(f"UPDATE {table.name} SET {sets} WHERE rowid = ?", (*values, rowid))
    # An act that nobody consented to, though all else is right.
    hand.execute("UPDATE group_consents SET withdrawn_at = 5")
    for row in hand.execute("SELECT * FROM group_consents").fetchall():
        hand.execute(
            "UPDATE group_consents SET seal = ? WHERE op = ?", (compute_seal("group_consents", row[:-1]), row[0])
        )
    [finding] = look()
    assert "consent_missing" in finding.found
    assert village.findings() != []
    hand.close()
    village.close()
