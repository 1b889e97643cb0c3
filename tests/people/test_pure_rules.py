"""Records, consents, roles, delegations, authority, four eyes, declarations, erasures, rules, codes, exports: the rules alone."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from datetime import date

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from node.people.accounts import LinkState
from node.people.authority import HERE, OF_PERSON, Action, require_entitled
from node.people.consents import ConsentEvent, ConsentPurpose, ConsentText, choose_version, compute_standing, is_given
from node.people.days import add_days, format_day, local_day, parse_day
from node.people.declarations import DeclarationEvent, DeclarationState
from node.people.declarations import advance as advance_declaration
from node.people.delegations import Delegation, Power, read_powers, write_powers
from node.people.erasures import ErasureState, Kept, RetentionRule, Standing, judge, plan, write_letter
from node.people.errors import (
    ConsentNotGiven,
    ConsentTextUnknown,
    DeclarationStands,
    InvalidConsentText,
    InvalidDelegation,
    InvalidIdentity,
    InvalidPaperCode,
    InvalidPerson,
    InvalidRole,
    InvalidRule,
    NotEntitled,
    ProposalEnded,
    SameEyes,
    TermOver,
    TermRunning,
)
from node.people.exports import write_csv, write_zip
from node.people.four_eyes import Decision, ProposalState
from node.people.four_eyes import advance as advance_proposal
from node.people.identities import Elsewhere, Passkey, decode_credential, encode_credential
from node.people.paper_codes import SYMBOLS, Cost, PaperCode, format_code, hash_secret, make_code, parse_code
from node.people.parameters_store import load_retention
from node.people.records import (
    CivilRecord,
    LookupKind,
    decode_record,
    encode_record,
    list_lookups,
    make_record,
    normalise_name,
    normalise_telephone,
)
from node.people.roles import Duty, OfficerWord, Role, require_role
from node.people.rules import RuleName, find_pool, require_rule
from protocol.errors import InvalidTime
from protocol.identifiers import ALPHABET, Id16
from protocol.times import Instant

few = settings(max_examples=40)
ANNE, BOB, ZELIE = (Id16(letter * 16) for letter in (b"a", b"b", b"z"))
days = st.dates(date(1950, 1, 1), date(2100, 1, 1)).map(lambda day: day.year * 10_000 + day.month * 100 + day.day)


# ---------------------------------------------------------------- days and records


def test_days_are_those_of_the_zone() -> None:
    before_midnight = Instant(1_795_993_200_000 - 1)  # 2026-11-29T23:00:00Z
    assert local_day(before_midnight, "Europe/Paris") == 20261129
    assert local_day(Instant(before_midnight + 1), "Europe/Paris") == 20261130
    assert add_days(20261228, 5) == 20270102
    assert (parse_day("2026-11-28", "on"), format_day(20261128), format_day(0)) == (20261128, "2026-11-28", "")
    for text in ("2026-02-30", "26-1-1", "1899-12-31", "2026-11-28x"):
        with pytest.raises(InvalidTime):
            parse_day(text, "on")


@few
@given(st.text(min_size=1, max_size=60), st.sampled_from(["", "a@b.cd"]), st.sampled_from([0, 19991231]))
def test_a_record_is_refused_or_comes_back_as_it_went(name: str, email: str, birth: int) -> None:
    try:
        record = make_record(name=name, birth_date=birth, email=email)
    except InvalidPerson:
        assert not name.split() or not " ".join(name.split()).isprintable()
        return
    assert decode_record(encode_record(record)) == record
    assert {kind for kind, _ in list_lookups(record)} == (
        ({LookupKind.EMAIL} if email else set()) | ({LookupKind.NAME_AND_BIRTH} if birth else set())
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "n" * 121},
        {"name": "a\x00b"},
        {"email": "nobody"},
        {"email": "a@b"},
        {"telephone": "12"},
        {"telephone": "call me"},
        {"address": "x" * 301},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidPerson):
        make_record(**{"name": "Zélie", **wrong})
    with pytest.raises(InvalidTime):
        make_record(name="Zélie", birth_date=19990230)


def test_spellings_of_one_thing_are_one_thing() -> None:
    written = ("02 98 00 00 00", "02.98.00.00.00", "+33298000000", "0033 2 98 00 00 00", "+33 (2) 98-00-00-00")
    assert {normalise_telephone(text) for text in written[:4]} == {"+33298000000"}
    assert normalise_telephone(written[4]) == "+33298000000"
    assert normalise_name("QUÉMÉNER Zélie") == normalise_name("zelie  Quemener") == "quemener zelie"
    assert normalise_name("Le Goff-Anne") == "anne goff le"
    assert list_lookups(CivilRecord("Anne")) == [], "a name alone finds nobody"


@pytest.mark.parametrize(
    ("name", "word", "is_refused"),
    [
        ("Hélène Çelik", "helene celik", True),
        ("Hélène Çelik", "CELIK", True),
        ("Li Wu", "wu li", True),
        ("Anne Dupont", "annedupont", True),
        ("Anne Dupont", "dupont-anne", True),
        ("Anne Dupont", "bureau_dupont", True),
        ("Anne Dupont", "DupontAnne1", True),
        ("Marie Anne Dupont", "dupontmarieanne", True),
        ("Anne Dupont", "𝐀𝐍𝐍𝐄", True),
        ("Li Wu", "la liaison", False),
        ("…", "la caisse", False),
        ("Jo", "le journal", False),
        ("Anne Dupont", "la trésorière", False),
    ],
)
def test_a_word_of_an_officer_says_no_name(name: str, word: str, *, is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(InvalidRole, match="never a name"):
            OfficerWord(word=word).require_no_name(name)
    else:
        OfficerWord(word=word).require_no_name(name)


# ---------------------------------------------------------------- consents


@few
@given(st.lists(st.tuples(st.sampled_from(list(ConsentPurpose)), st.booleans()), max_size=20))
def test_the_last_word_counts_and_silence_is_none(said: list[tuple[ConsentPurpose, bool]]) -> None:
    events = [
        ConsentEvent(id=ANNE, purpose=purpose, version=1, is_given=given, at=Instant(at))
        for at, (purpose, given) in enumerate(said)
    ]
    last = dict(said)
    for purpose in ConsentPurpose:
        assert is_given(events, purpose) is last.get(purpose, False)
    assert {purpose: event.is_given for purpose, event in compute_standing(events).items()} == last


def test_which_version_is_agreed_to_or_withdrawn() -> None:
    news = ConsentPurpose.NEWS
    agreed = [ConsentEvent(id=ANNE, purpose=news, version=2, is_given=True, at=Instant(1))]
    assert choose_version([], {news: 3}, news, give=True) == 3
    assert choose_version(agreed, {news: 3}, news, give=False) == 2
    with pytest.raises(ConsentTextUnknown):
        choose_version([], {}, news, give=True)
    for events in ([], [*agreed, ConsentEvent(id=BOB, purpose=news, version=2, is_given=False, at=Instant(2))]):
        with pytest.raises(ConsentNotGiven):
            choose_version(events, {news: 3}, news, give=False)
    for french, english, version in (("", "a", 1), ("a", " ", 1), ("a", "b" * 4_001, 1), ("a", "b", 0)):
        with pytest.raises(InvalidConsentText):
            ConsentText(purpose=news, version=version, french=french, english=english)


# ---------------------------------------------------------------- roles, delegations, authority


def _role(person: Id16, duty: Duty, base: str = HERE, until: int = 0, ended: int = 0) -> Role:
    return Role(id=ANNE, person=person, base=base, duty=duty, from_day=20260101, until_day=until, ended_on=ended)


@few
@given(days, days, days, days)
def test_a_role_is_held_between_its_days_and_not_on_the_day_it_ends(
    day: int, first: int, until: int, ended: int
) -> None:
    role = Role(id=ANNE, person=BOB, base=HERE, duty=Duty.AUDITOR, from_day=first, until_day=until, ended_on=ended)
    assert role.is_in_force(day) is (first <= day <= until and day < ended)
    assert _role(BOB, Duty.AUDITOR).is_in_force(20991231)


def test_a_role_that_cannot_be_is_refused() -> None:
    require_role("ACCOUNTS", 20260101, 0)
    require_role("PROJECTS", 20260101, 20260101)
    for base, first, until in (("accounts", 20260101, 0), ("", 20260101, 0), ("FUND", 20260102, 20260101)):
        with pytest.raises(InvalidRole):
            require_role(base, first, until)
    for first, until in ((0, 0), (20260230, 0), (20260101, 7)):
        with pytest.raises(InvalidTime):
            require_role("FUND", first, until)


def test_a_delegation_lasts_three_years_at_most_and_is_for_another() -> None:
    def make(**changes: object) -> Delegation:
        told: dict[str, object] = {
            "id": ANNE,
            "person": ZELIE,
            "delegate": BOB,
            "powers": frozenset({Power.READ, Power.CEDE}),
            "from_day": 20260101,
            "until_day": 20281231,
        }
        return Delegation(**{**told, **changes})  # type: ignore[arg-type]

    held = make()
    assert held.allows(BOB, Power.CEDE, 20260101)
    assert held.allows(BOB, Power.READ, 20281231)
    assert not held.allows(BOB, Power.RECTIFY, 20260101)
    assert not held.allows(ANNE, Power.READ, 20260101)
    assert not held.allows(BOB, Power.READ, 20251231)
    assert not held.allows(BOB, Power.READ, 20290101)
    assert not make(revoked_on=20260601).allows(BOB, Power.READ, 20260601)
    assert make(revoked_on=20260601).allows(BOB, Power.READ, 20260531)
    for wrong in ({"delegate": ZELIE}, {"powers": frozenset()}, {"until_day": 20251231}, {"until_day": 20290102}):
        with pytest.raises(InvalidDelegation):
            make(**wrong)
    assert read_powers(write_powers(held.powers)) == held.powers
    with pytest.raises(InvalidDelegation):
        read_powers("read,everything")


@pytest.mark.parametrize("action", list(Action))
def test_who_may_do_what(action: Action) -> None:
    def may(actor: Id16, subject: Id16 | None, roles: list[Role], delegations: list[Delegation] | None = None) -> bool:
        try:
            require_entitled(action, actor, subject, roles=roles, delegations=delegations or [], day=20260615)
        except NotEntitled:
            return False
        return True

    officer, auditor = _role(ANNE, Duty.PEOPLE_OFFICER), _role(ANNE, Duty.AUDITOR)
    own = {"read", "rectify", "export", "consent", "open_account", "erase", "delegate", "identify", "look_at_log"}
    never = {"found", "sign_in", "hear"}
    assert {str(one) for one in OF_PERSON} == own
    assert may(ZELIE, ZELIE, []) is (action in own)
    assert may(ANNE, ZELIE, [officer]) is (action not in never)
    assert may(ANNE, None, [officer]) is (action not in never)
    assert may(ANNE, ZELIE, [auditor]) is (action == "look_at_log")
    assert not may(BOB, ZELIE, [officer]), "another's duty"
    assert not may(ANNE, ZELIE, [_role(ANNE, Duty.PEOPLE_OFFICER, base="FUND")])
    assert not may(ANNE, ZELIE, [_role(ANNE, Duty.PEOPLE_OFFICER, until=20260614)])
    assert not may(ANNE, ZELIE, [_role(ANNE, Duty.TREASURER)])
    powers = frozenset({Power.READ})
    given = Delegation(id=ANNE, person=ZELIE, delegate=BOB, powers=powers, from_day=20260101, until_day=20261231)
    assert may(BOB, ZELIE, [], [given]) is (action in {"read", "export"})
    assert not may(BOB, ANNE, [], [given])


# ---------------------------------------------------------------- four eyes, rules, declarations


def test_nobody_decides_alone_nor_about_himself() -> None:
    people = (ANNE, BOB, ZELIE)
    done = set()
    for state, decision, proposer, decider, subject in itertools.product(
        ProposalState, Decision, people, people, (None, *people)
    ):
        is_withdrawn = decision == "withdraw"
        is_allowed = decider == proposer if is_withdrawn else decider not in (proposer, subject)
        try:
            after = advance_proposal(state, decision, id_=ANNE, proposer=proposer, subject=subject, decider=decider)
        except SameEyes:
            assert not is_allowed
        except ProposalEnded:
            assert is_allowed
            assert state != "proposed"
        else:
            assert is_allowed
            assert state == "proposed"
            done.add((str(decision), str(after)))
    assert done == {("approve", "approved"), ("reject", "rejected"), ("withdraw", "withdrawn")}


def test_rules_have_values_that_they_can_have() -> None:
    assert require_rule(RuleName.RIGHTS_AFTER_DEATH, "stays") == "stays"
    assert find_pool(require_rule(RuleName.RIGHTS_AFTER_DORMANCY, "pool:D715K6AF")) == "D715K6AF"
    assert find_pool("stays") is None
    assert require_rule(RuleName.REVERSIBLE_DAYS, "730") == "730"
    for name, value in (
        (RuleName.RIGHTS_AFTER_DEATH, "heirs"),
        (RuleName.RIGHTS_AFTER_DEATH, "D715K6AF"),
        (RuleName.RIGHTS_AFTER_DEATH, "pool:none"),
        (RuleName.REVERSIBLE_DAYS, "0"),
        (RuleName.REVERSIBLE_DAYS, "731"),
        (RuleName.REVERSIBLE_DAYS, "²"),
    ):
        with pytest.raises(InvalidRule):
            require_rule(name, value)


def test_a_declaration_is_taken_back_until_its_last_day_and_settled_after_it() -> None:
    def go(state: DeclarationState, event: DeclarationEvent, day: int) -> str:
        return advance_declaration(state, event, id_=ANNE, day=day, reversible_until=20260601)

    declared, reverse, settle = DeclarationState.DECLARED, DeclarationEvent.REVERSE, DeclarationEvent.SETTLE
    assert go(declared, reverse, 20260601) == "reversed"
    assert go(declared, settle, 20260602) == "settled"
    with pytest.raises(TermOver):
        go(declared, reverse, 20260602)
    with pytest.raises(TermRunning):
        go(declared, settle, 20260601)
    for ended in (DeclarationState.REVERSED, DeclarationState.SETTLED):
        for event in DeclarationEvent:
            with pytest.raises(DeclarationStands):
                go(ended, event, 20260601)


# ---------------------------------------------------------------- erasure


@few
@given(st.lists(st.tuples(st.sampled_from(list(LinkState)), st.sampled_from([0, 5])), max_size=5))
def test_an_erasure_stands_where_its_slowest_account_stands(told: list[tuple[LinkState, int]]) -> None:
    found = judge(Standing(state, moving) for state, moving in told)
    waiting = [(state, moving) for state, moving in told if state not in ("closed", "refused")]
    if not waiting:
        assert found is ErasureState.DONE
    elif ("busy", 5) in waiting:
        assert found is ErasureState.IN_FLIGHT
    elif ("busy", 0) in waiting:
        assert found is ErasureState.RIGHTS_HELD
    else:
        assert found is ErasureState.CLOSING


def test_what_is_kept_is_told_with_its_law_and_its_last_day_in_both_languages() -> None:
    rules = load_retention(date(2026, 11, 28))
    kept = plan(rules, day=20280229, has_accounts=True)
    assert [(one.what, one.until) for one in kept] == [
        ("receipts", 20341231),
        ("vouchers", 20381231),
        ("movements", 0),
        ("proofs", 0),
    ]
    assert "movements" not in [one.what for one in plan(rules, day=20280229, has_accounts=False)]
    assert load_retention(date(2018, 1, 1)) != rules, "rules have days of their own"
    for language, words in (
        ("fr", ("2034-12-31", "L102 E", "à vérifier", "CNIL")),
        ("en", ("2038-12-31", "to be checked")),
    ):
        letter = write_letter(kept, day=20280229, language=language)
        assert all(word in letter for word in words)
        assert letter.count("\n- ") == len(kept)
    verified = Kept(what="x", base="fund", until=0, source="S", is_verified=True, french="f", english="e")
    assert "vérifier" not in write_letter([verified], day=20280229, language="fr")


def test_every_retention_rule_says_its_source_and_both_languages() -> None:
    for rule in load_retention(date(2026, 11, 28)):
        assert isinstance(rule, RetentionRule)
        assert rule.source
        assert rule.french != rule.english
        assert rule.base in ("fund", "accounts", "people")


# ---------------------------------------------------------------- codes, identities, files


@few
@given(st.binary(min_size=32, max_size=32), st.data())
def test_a_code_is_read_as_it_was_printed_and_any_slip_of_the_hand_is_seen(entropy: bytes, data: st.DataObject) -> None:
    code = make_code(entropy)
    text = format_code(code)
    assert parse_code(text) == parse_code(text.lower().replace("-", " ")) == code
    symbols = text.replace("-", "")
    at = data.draw(st.integers(0, SYMBOLS - 1))
    other = data.draw(st.sampled_from([symbol for symbol in ALPHABET if symbol != symbols[at]]))
    with pytest.raises(InvalidPaperCode):
        parse_code(symbols[:at] + other + symbols[at + 1 :])
    if at and symbols[at - 1] != symbols[at]:
        swapped = symbols[: at - 1] + symbols[at] + symbols[at - 1] + symbols[at + 1 :]
        with pytest.raises(InvalidPaperCode):
            parse_code(swapped)
    for wrong in (text[:-1], text + "0", "", "V" * SYMBOLS, "x" * 200):
        with pytest.raises(InvalidPaperCode):
            parse_code(wrong)


def test_a_secret_is_hashed_as_argon2id_says() -> None:
    """Another library says the same."""
    salt, cost = b"s" * 16, Cost(passes=2, memory_bytes=64 * 1_024)
    expected = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=64).derive(b"SECRET")
    assert hash_secret("SECRET", salt, cost) == expected
    assert hash_secret("SECRET", b"t" * 16, cost) != expected
    assert PaperCode("A", "B") != PaperCode("A", "C")


def test_identities_are_bounded_and_come_back_as_they_went() -> None:
    for credential in (Passkey(credential=b"c", public_key=b"k"), Elsewhere(issuer="https://x.org", subject="s")):
        assert decode_credential(encode_credential(credential)) == credential
    assert (
        Elsewhere(issuer="https://x.org", subject="12").handle != Elsewhere(issuer="https://x.org1", subject="2").handle
    )
    for make in (
        lambda: Passkey(credential=b"", public_key=b"k"),
        lambda: Passkey(credential=b"c" * 1_024, public_key=b"k"),
        lambda: Passkey(credential=b"c", public_key=b""),
        lambda: Elsewhere(issuer="http://x.org", subject="s"),
        lambda: Elsewhere(issuer="https://x.org", subject=""),
        lambda: Elsewhere(issuer="https://x.org", subject="s" * 256),
    ):
        with pytest.raises(InvalidIdentity):
            make()


def test_an_export_is_one_file_that_a_spreadsheet_does_not_obey() -> None:
    rows = [{"name": "=1+1", "cents": -5, "list": ["a"], "none": None}, {"name": "Zélie; ok", "cents": 7}]
    [names, first, second] = list(csv.reader(io.StringIO(write_csv(rows)), delimiter=";"))
    assert names == ["name", "cents", "list", "none"]
    assert first == ["'=1+1", "-5", '["a"]', ""]
    assert second == ["Zélie; ok", "7", "", ""]
    packed = write_zip({"person": {"name": "Zélie"}, "consents": [], "accounts": rows})
    assert packed == write_zip({"person": {"name": "Zélie"}, "consents": [], "accounts": rows})
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.namelist() == ["LISEZ-MOI.txt", "export.json", "person.csv", "consents.csv", "accounts.csv"]
        assert "Zélie" in file.read("export.json").decode()
