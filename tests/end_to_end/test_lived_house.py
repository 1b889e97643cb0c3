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

import base64
import gzip
import hashlib
import json
import signal
import sqlite3
import unicodedata
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests.end_to_end import lived as story
from tests.end_to_end.lived import Lived, read_rows
from tests.end_to_end.marks import Mark, find_marks, find_strays, read_files
from tests.end_to_end.traces import find_traces

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
        # The id under which somebody directed rights leads to him, and stays where his choice is known.
        Mark("orientation", uuid.UUID(lived.ids["orientation"]).bytes, frozenset({"accounts"})),
        Mark("orientation in letters", lived.ids["orientation"], frozenset({"accounts", KEYED})),
        Mark("person", uuid.UUID(lived.ids["person"]).bytes, frozenset({"people"})),
        Mark("person in letters", lived.ids["person"], frozenset({"people"})),
        *(Mark("project", word, NOWHERE) for word in (project.bytes, str(project), lived.numbers["project"])),
    ]


def find_derived(lived: Lived, places: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """Return where something stands that anybody computes from what a person is known by."""
    person = uuid.UUID(lived.ids["person"])
    civil = (*story.CITIZEN.values(), *story.OFFICERS, *story.CITIZEN["name"].split(), *story.SHOWN.split())
    numbers = (lived.numbers["citizen"], lived.numbers["giver"], *_in_fours(lived.numbers["citizen"]))
    return find_traces((*civil, *numbers, str(person), person.bytes), places)


def _in_fours(number: str) -> tuple[str, str]:
    return f"{number[:4]}-{number[4:]}", f"{number[:4]} {number[4:]}"


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
    assert find_derived(lived, places) == set(), "no digest of a person, and no id that follows from one, anywhere"
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
        lambda word: base64.b64encode(b"\x01\x02" + word.lower().encode() + b"."),
        lambda word: base64.urlsafe_b64encode(b"\x01" + word.encode()),
        lambda word: " ".join(word[at : at + 4] for at in range(0, len(word), 4)).encode(),
        lambda word: "-".join(word[at : at + 4] for at in range(0, len(word), 4)).lower().encode(),
        lambda word: json.dumps({"detail": f"{word} is unknown"}).encode(),
        lambda word: quote(f"/v1/people/{word}").encode(),
        lambda word: unicodedata.normalize("NFD", word).upper().encode(),
    ],
)
def test_a_word_is_found_however_it_is_written(write: Callable[[str], bytes]) -> None:
    mark = Mark("somebody", "Kerguélennec", frozenset({"people"}))
    hidden = b"\x00\xff" + write("Kerguélennec") + b"\x00\xff"
    assert find_marks([mark], {"fund": hidden, "hub": b"Kerguelen nobody", "people": hidden}) == {
        ("somebody", "fund"),
        ("somebody", "people"),
    }
    assert find_strays([mark], {"fund": hidden, "people": hidden}) == [("somebody", "fund")]


def test_digits_are_found_by_themselves_and_not_within_a_digest_that_happens_to_hold_them() -> None:
    born, called = Mark("born", "19370819", NOWHERE), Mark("called", "298765432", NOWHERE)
    for chance in (
        b"19370819-11aa-4abc-8abc-aabbccddeeff",
        b"ab19370819cd" * 3,
        b"seconds 0.19370819\n",
        b"4abc-298765432123",
    ):
        assert find_strays([born, called], {"fund": b"x " + chance}) == [], chance
    for written in (b"\n19370819\n", b'"born":19370819}', b"on-19370819.pdf", b"1937-0819"):
        assert find_strays([born], {"fund": b"x " + written}) == [("born", "fund")], written
    for written in (b'"0298765432"', b"+33298765432", b"0033298765432\n", b"298765432"):
        assert find_strays([called], {"fund": b"x:" + written}) == [("called", "fund")], written
    for hidden in ("born 19370819 in".encode("utf-16-le"), b"born 19370819 in".hex().encode()):
        assert find_strays([born], {"fund": hidden}) == [("born", "fund")]


# Attacks: somebody is written where he may not be, in each way that a program could. The files are real, the walk is the same.

EMAIL, NUMBER, PERSON = "zenobie.k@plougastelmad.example", "D715K6AF", "33333333-3333-4333-8333-333333333333"
NAME = "Kerguélennec"
BASES = ("accounts", "partners", "projects", "fund", "people", "hub")


def keep(folder: Path, **columns: Any) -> None:
    """Write one row into the book of a base."""
    with sqlite3.connect(folder / "base.db") as line:
        line.execute(f"CREATE TABLE rows ({', '.join(columns)})")
        line.execute(f"INSERT INTO rows VALUES ({', '.join('?' * len(columns))})", tuple(columns.values()))
    line.close()


def walk(root: Path) -> dict[str, bytes]:
    """Return all that stands in the folder of each base, and what lines and doors carried, as the lived house is walked."""
    found = {}
    for folder in sorted(root.iterdir()):
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        parts = read_files(root, files) + [read_rows(f"sqlite:///{file}") for file in files if file.suffix == ".db"]
        found[folder.name] = b"\n".join(parts)
    return found


def find_somebody(root: Path) -> set[str]:
    """Return the places where somebody is found, by name, by number or by what follows from them."""
    places = walk(root)
    marks = [Mark("name", NAME, NOWHERE), Mark("email", EMAIL, NOWHERE), Mark("number", NUMBER, NOWHERE)]
    strays = {place for _, place in find_strays(marks, places)}
    return strays | {place for _, place in find_traces((NAME, EMAIL, NUMBER, PERSON, uuid.UUID(PERSON).bytes), places)}


PLANTS: dict[str, Callable[[Path], object]] = {
    "a log": lambda base: (base / "log").write_text(f"2026-11-28 INFO person entered name={NAME}\n"),
    "a log that was turned": lambda base: (base / "log.1.gz").write_bytes(gzip.compress(f"hello {NAME}".encode())),
    "a label of the metrics": lambda base: (base / "metrics").write_text(f'asked_total{{account="{NUMBER}"}} 1\n'),
    "an error": lambda base: (base / "answer").write_text(json.dumps({"code": "unknown", "detail": f"no {NAME}"})),
    "a message": lambda base: (base / "line").write_bytes(msgspec.msgpack.encode((1, b"x" * 40, EMAIL))),
    "a file's name": lambda base: (base / f"recu-{unicodedata.normalize('NFD', NAME)}.pdf").write_bytes(b"%PDF"),
    "a row": lambda base: keep(base, at=7, words=f"for {NAME}"),
    "an id that follows from an e-mail": lambda base: keep(base, op=uuid.uuid5(uuid.NAMESPACE_URL, EMAIL).bytes, n=1),
    "an id that follows from a person": lambda base: keep(base, op=hashlib.sha256(PERSON.encode()).digest()[:16]),
    "an id in letters": lambda base: keep(base, n=1, op=str(uuid.uuid3(uuid.NAMESPACE_DNS, EMAIL))),
    "a digest of an e-mail in a log": lambda base: (base / "log").write_text(
        f"login user={hashlib.md5(EMAIL.encode()).hexdigest()} ok"  # noqa: S324
    ),
    "a digest of a number in a message": lambda base: (base / "line").write_bytes(
        msgspec.msgpack.encode((4, hashlib.blake2b(NUMBER.encode(), digest_size=16).digest(), 500))
    ),
    "a digest in base64": lambda base: (base / "log").write_bytes(
        b"etag: " + base64.urlsafe_b64encode(hashlib.sha256(uuid.UUID(PERSON).bytes).digest())
    ),
    "a number beside a project": lambda base: keep(base, project=b"a project, 16...", account=NUMBER.lower()),
}


@pytest.mark.parametrize("how", PLANTS)
def test_somebody_planted_in_any_base_is_found(tmp_path: Path, how: str) -> None:
    for base in BASES:
        folder = tmp_path / base
        folder.mkdir()
        (folder / "log").write_text("2026-11-28 INFO base opened id=7d0c1c9e-3f52-4c1f-9a3f-0d6f8a5f1c11\n")
    assert find_somebody(tmp_path) == set()
    for base in BASES:
        PLANTS[how](tmp_path / base)
        assert find_somebody(tmp_path) == {base}
        for file in (tmp_path / base).iterdir():
            file.unlink()
