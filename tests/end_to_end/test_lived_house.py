"""A whole cycle in two territories, as processes; and that nobody is known where he should not be.

Where words of people may stand, and why (docs/privacy.md says it to people):

- of those who are entered among the people, officers included: nowhere in clear, in their own base neither;
- of a person who gives to the fund directly: in the fund alone, which must name him on a receipt (CGI art. 200, form 2041-RD)
  and keep it six years (LPF art. L102 E); of whoever pays by transfer: in the fund, as his bank told it;
- a name that a holder chose to show: in the accounts of his territory; what was written with a gift: in the accounts of who got it;
- an account's number: in its accounts, among the people (whose is it), and with the company whose till credited it. Beside a
  project it stands in its own territory's accounts only.
"""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end import lived as story
from tests.end_to_end.lived import Lived
from tests.end_to_end.marks import Mark, find_marks, find_strays

NOWHERE: frozenset[str] = frozenset()
FUND = frozenset({"fund"})
KEYED = "keyed doors"  # what the accounts tell a program that may do everything there
HOLDERS = frozenset({"accounts", "people", "people line", "partners"})


@pytest.fixture(params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lived]:
    is_on_files = request.param == "sqlite"
    made = Lived(tmp_path, (lambda _base: "") if is_on_files else request.getfixturevalue("postgres_base"))
    yield made
    made.close()


def find_people(lived: Lived) -> list[Mark]:
    """Return what people are known by, and where it may stand."""
    civil = [value for value in story.CITIZEN.values() if value != story.CITIZEN["telephone"]]
    secret = [*story.CITIZEN["name"].split()[1:], *civil, "298765432", "19370819", "19/08/1937", *story.OFFICERS]
    marks = [Mark(word, word, NOWHERE) for word in (*secret, "plougastelmad", "Hirondellesmad")]
    donor = (story.DONOR["name"], story.DONOR["first_name"], "Koulmigoudez", *story.PAYER.split())
    marks += [Mark(word, word, FUND) for word in donor]
    marks += [Mark(word, word, frozenset({"lyon accounts"})) for word in story.SHOWN.split()]
    return [*marks, Mark("words", story.WORDS, frozenset({"accounts", KEYED}))]


def find_numbers(lived: Lived) -> list[Mark]:
    """Return by what holders and the project are known to machines."""
    project = uuid.UUID(lived.ids["project"])
    return [
        Mark("citizen", lived.numbers["citizen"], HOLDERS | {KEYED}),
        Mark("giver", lived.numbers["giver"], frozenset({"lyon accounts", KEYED})),
        Mark("person", uuid.UUID(lived.ids["person"]).bytes, frozenset({"people"})),
        Mark("person in letters", lived.ids["person"], frozenset({"people"})),
        *(Mark("project", word, NOWHERE) for word in (project.bytes, str(project), lived.numbers["project"])),
    ]


@pytest.mark.timeout(600)
def test_a_cycle_of_two_territories_pays_each_euro_once_and_names_nobody(lived: Lived) -> None:
    lived.set_up()
    lived.introduce_abroad()
    lived.decide()
    lived.serve()
    lived.enrol()
    lived.give()
    lived.direct()
    lived.convert()
    lived.audit()
    lived.forget()
    lived.ask_all_doors()
    for party in lived.parties:
        assert party.end(signal.SIGTERM) == 0
        assert "Traceback" not in (party.folder / "log").read_text()
    for party in lived.parties:
        done = party.run("check", party.folder)
        assert done.returncode == 0, done.stdout

    if any(lived.databases.values()):
        assert lived.try_others_bases() == [], "a base has a role of its own, and opens no database but its own"
    places = lived.gather()
    people, numbers = find_people(lived), find_numbers(lived)
    assert find_strays(people, places) == []
    # What may stand somewhere does stand there: a mark that nobody could find would prove nothing.
    seen = find_marks(people, places)
    assert {place for mark in people for place in mark.places} == {place for _, place in seen}
    assert find_strays([one for one in numbers if one.name != "project"], places) == []
    seen = find_marks(numbers, places)
    holders = {place for name, place in seen if name in ("citizen", "giver") and place != KEYED}
    assert holders == {*HOLDERS, "lyon accounts"}
    projects = {place for name, place in seen if name == "project"}
    assert {"accounts", "projects", "fund", "lyon accounts", "lyon fund", "hub"} <= projects
    assert holders & projects == {"accounts", "lyon accounts"}, "who directs to what is known to the accounts alone"


@pytest.mark.parametrize(
    "write",
    [
        str.encode,
        lambda word: word.upper().encode(),
        lambda word: word.encode("utf-16-le"),
        lambda word: word.encode().hex().upper().encode(),
        lambda word: __import__("base64").b64encode(b"\x01\x02" + word.lower().encode() + b"."),
        lambda word: __import__("base64").urlsafe_b64encode(b"\x01" + word.encode()),
        lambda word: " ".join(word[at : at + 4] for at in range(0, len(word), 4)).encode(),
        lambda word: "-".join(word[at : at + 4] for at in range(0, len(word), 4)).lower().encode(),
    ],
)
def test_a_word_is_found_however_it_is_written(write: Callable[[str], bytes]) -> None:
    mark = Mark("somebody", "Kerguelennec", frozenset({"people"}))
    hidden = b"\x00\xff" + write("Kerguelennec") + b"\x00\xff"
    assert find_marks([mark], {"fund": hidden, "hub": b"Kerguelen nobody", "people": hidden}) == {
        ("somebody", "fund"),
        ("somebody", "people"),
    }
    assert find_strays([mark], {"fund": hidden, "people": hidden}) == [("somebody", "fund")]
