"""Each command of `node people` reaches the base and shows what it did; cards are drawn and written."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from node.commands import init as init_node
from node.desks.people import commands as people_commands
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.commands import app, init
from node.people.code_pages import draw_cards, write_cards
from node.people_app import PeopleApp
from protocol.running.admin_client import run_command
from tests.fund.pdf_text import read_text
from tests.people.people_world import BREST

ANNE = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
ZELIE = "33333333-3333-4333-8333-333333333333"
HOME = "55555555-5555-4555-8555-555555555555"


class Console:
    """Runs commands as somebody types them, without a process of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, by: str = ANNE, **options: str) -> Any:
        group, command, *rest = words
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        given += [f"--by={by}"] if by else []
        done = CliRunner().invoke(app, [group, command, str(self.folder), *rest, *given, "--json"])
        assert done.exit_code == 0, (words, done.output, done.exception)
        return json.loads(done.stdout)

    def refuse(self, *words: str, **options: str) -> str:
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        done = CliRunner().invoke(app, [words[0], words[1], str(self.folder), *words[2:], *given])
        assert done.exit_code == 1
        return done.output


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("CITIZEN_MILES_LANG", "en")
    folder = tmp_path / "node"
    init_node(folder, territory=BREST, name="Brest")
    init(folder)
    settings = folder / "people" / "people.toml"
    text = settings.read_text()
    assert "paper_memory_kib = 19456" in text
    settings.write_text(
        text.replace("paper_memory_kib = 19456", "paper_memory_kib = 8").replace("passes = 2", "passes = 1")
    )
    found = CliRunner().invoke(
        app, ["found", str(folder), "--first=Anne", "--second=Bob", f"--id={ANNE}", f"--second-id={BOB}", "--json"]
    )
    assert json.loads(found.stdout) == {"first": ANNE, "second": BOB}
    return Console(folder)


@pytest.fixture
def opened(run: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The base opened once for all commands, as a served one is."""
    served = PeopleApp(run.folder)

    def call(_where: Path, command: str, arguments: dict[str, Any], **_how: Any) -> Any:
        return asyncio.run(run_command(PEOPLE_COMMANDS, served, command, arguments))

    monkeypatch.setattr(people_commands, "call", call)
    yield run
    served.book.close()


def test_every_command_reaches_the_base(opened: Console, tmp_path: Path) -> None:
    run = opened
    assert run("person", "enter", name="Zélie", email="z@x.org", birth_date="1980-02-03", id=ZELIE)["person"] == ZELIE
    run("person", "enter", name="Foyer", kind="household", id=HOME)
    assert run("person", "rectify", ZELIE, name="Zélie Le Bris", email="z@x.org")["version"] == 2
    assert run("person", "find", email="Z@x.org") == {"persons": [ZELIE]}
    assert [one["name"] for one in run("person", "read", ZELIE, "--history")["history"]] == ["Zélie", "Zélie Le Bris"]
    assert run("person", "join", HOME, ZELIE)["is_member"]
    assert run("account", "open", ZELIE)["state"] == "asked"
    assert run("account", "link", ZELIE, "D715K6AF")["state"] == "asked"
    for name in ("fr", "en"):
        (tmp_path / name).write_text(f"a text, {name}")
    text = run("proposal", "text", "news", french=str(tmp_path / "fr"), english=str(tmp_path / "en"))
    role = run("proposal", "role", ZELIE, "treasurer", "fund", from_day="2026-01-01", until_day="2099-12-31")
    rule = run("proposal", "rule", "rights_after_death", "pool:D715K6AF")
    assert len(run("proposal", "list")) == 3
    for one in (text, role, rule):
        assert run("proposal", "decide", one["proposal"], "approve", by=BOB)["state"] == "approved"
    named = run("proposal", "name-role", role["proposal"], ZELIE, word="la caisse", key="0011223344556677")
    assert run("proposal", "decide", named["proposal"], "approve", by=BOB)["state"] == "approved"
    listed = json.loads(CliRunner().invoke(app, ["roles", str(run.folder), "--json"]).stdout)
    [line] = [one for one in listed if one["duty"] == "treasurer"]
    assert (line["word"], line["key"], line["keys_state"]) == ("la caisse", "0011223344556677", "named")
    ending = run("proposal", "end-role", role["proposal"], ZELIE)
    assert run("proposal", "decide", ending["proposal"], "approve", by=BOB)["state"] == "approved"
    assert run("consent", "give", ZELIE, "news", by=ZELIE)["version"] == 1
    assert not run("consent", "withdraw", ZELIE, "news", by=ZELIE)["is_given"]
    assert [one["purpose"] for one in run("consent", "texts", by="")] == ["news"]
    given = run("delegation", "make", ZELIE, BOB, "read,cede", from_day="2026-01-01", until_day="2028-12-31")
    assert run("delegation", "revoke", ZELIE, given["delegation"], by=ZELIE)["state"] == "revoked"
    run("identity", "passkey", ZELIE, credential="00ff", public_key="a5")
    oidc = run("identity", "oidc", ZELIE, issuer="https://x.org", subject="1")
    code = run("identity", "paper", ZELIE)["code"]
    assert run("identity", "verify", code)["person"] == ZELIE
    assert run("identity", "revoke", ZELIE, oidc["identity"])["state"] == "revoked"
    assert sorted(one["state"] for one in run("identity", "list", ZELIE)) == ["active", "active", "revoked"]
    assert run("card", "stock", "2") == {"asked": 2}
    assert "stock_too_small" in run.refuse("card", "print", "1", by=ANNE, out=str(tmp_path / "cards.pdf"))
    declared = run("declaration", "make", ZELIE, "dormancy", on="2026-01-01")
    assert run("declaration", "reverse", declared["declaration"])["state"] == "reversed"
    assert len(run("declaration", "list")) == 1
    out = tmp_path / "zelie.zip"
    told = run("person", "export", ZELIE, by=ZELIE, out=str(out))
    assert (told["accounts_answered"], told["identities"], told["consents"]) == (False, 3, 2)
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as packed:
        assert json.loads(packed.read("export.json"))["person"]["name"] == "Zélie Le Bris"
    assert run("key", "rotate", "--forget")["forgotten_base_keys"] == 1
    assert run("erasure", "ask", HOME)["state"] == "done"
    waiting = run("erasure", "ask", ZELIE, by=ZELIE)
    assert waiting["state"] == "closing", "the accounts were not there to answer"
    assert run("erasure", "move", waiting["erasure"], into="D715K6AF", by=ZELIE)["state"] == "closing"
    assert run("erasure", "show", waiting["erasure"])["into"] == "D715K6AF"
    assert run("erasure", "cancel", waiting["erasure"], by=ZELIE)["state"] == "cancelled"
    assert run("erasure", "continue", by="") == {"done": True}
    assert {one["action"] for one in run("person", "log", ZELIE, by=ZELIE)} >= {"enter", "rectify", "export", "erase"}
    assert run("lost", "list") == []
    assert "people_lost_unknown" in run.refuse("lost", "settle", HOME, by=ANNE)
    for words in (["roles"], ["rules"]):
        done = CliRunner().invoke(app, [*words, str(run.folder), "--json"])
        assert done.exit_code == 0
    assert json.loads(done.stdout)["rights_after_death"] == "pool:D715K6AF"


def test_a_refusal_is_a_sentence_and_the_letter_comes_in_both_languages(
    run: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("person", "enter", name="Zélie", id=ZELIE)
    assert "not_entitled" in run.refuse("person", "read", ANNE, by=ZELIE)
    assert "role_in_force" in run.refuse("erasure", "ask", ANNE, by=ANNE)
    erased = run("erasure", "ask", ZELIE, by=ZELIE)["erasure"]
    told = CliRunner().invoke(app, ["erasure", "show", str(run.folder), erased, f"--by={ANNE}"])
    assert "You asked for the erasure" in told.stdout
    monkeypatch.setenv("CITIZEN_MILES_LANG", "fr")
    told = CliRunner().invoke(app, ["erasure", "show", str(run.folder), erased, f"--by={ANNE}"])
    assert "Vous avez demandé l'effacement" in told.stdout
    assert "reçus fiscaux" in told.stdout


def test_cards_are_drawn_ten_on_a_page_and_nothing_on_them_is_markup() -> None:
    cards = [(f"7K3F-92Q{number}-C@200046977", "#strong[x]") for number in range(11)]
    pdf = draw_cards(cards)
    pages = read_text(pdf)
    assert [page.count("7K3F-92Q") for page in pages] == [10, 1]
    assert pages[0].count("#strong[x]") == 10
    text = write_cards(cards[:2])
    assert text.count("7K3F") == 2
    assert "keep it to yourself" in text
    assert "à garder pour vous" in text
