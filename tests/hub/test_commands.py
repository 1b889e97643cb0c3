"""The operator's command line, on a sleeping hub: in both languages, with exit codes that mean something."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.commands import app
from protocol.canonical import decode_typed
from protocol.commands import app as everybody
from protocol.envelopes import ENVELOPE_BYTES_MAX, Welcome
from protocol.identifiers import require_territory
from protocol.running.invitations import parse_invitation
from tests.running.member import BREST, LYON, Member


class Terminal:
    """Runs `citizen-miles hub …` in process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = CliRunner()

    def run(self, *words: object, language: str = "en", columns: int = 200) -> Result:
        env = {"CITIZEN_MILES_LANG": language, "COLUMNS": str(columns)}
        result = self.runner.invoke(app, [str(word) for word in words], env=env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def on(self, name: str, *words: object, language: str = "en", columns: int = 200) -> Result:
        return self.run(*name.split(), self.folder, *words, language=language, columns=columns)

    def json(self, name: str, *words: object) -> Any:
        result = self.on(name, *words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def join(self, code: str = BREST) -> Member:
        """Bring a member in as a community without a line comes in: by files."""
        invitation = self.json("invite", code)["invitation"]
        member = Member(code)
        there, back = self.folder / f"{code}.enrolment", self.folder / f"{code}.welcome"
        there.write_bytes(member.ask(invitation))
        assert self.on("federation enrol", there, "--reply", back).exit_code == 0
        member.take_welcome(back.read_bytes(), invitation)
        return member


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path / "hub")
    result = made.on("init", "--network", "test", "--name", "L'opérateur")
    assert result.exit_code == 0
    return made


def test_a_folder_is_private_and_made_once(terminal: Terminal) -> None:
    for path in (terminal.folder, terminal.folder / "keys", terminal.folder / "hub.toml"):
        assert path.stat().st_mode & 0o077 == 0
    again = terminal.on("init")
    assert (again.exit_code, "not_configured" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--listen", "8460"),
        ("--listen", "127.0.0.1:99999"),
        ("--database", "mysql://here"),
        ("--database", "nonsense"),
        ("--country", "France"),
        ("--country", "1"),
        ("--network", ""),
        ("--network", "n" * 33),
        ("--name", ""),
        ("--passphrase-file", "/nowhere/to/be/found"),
    ],
)
def test_a_wrong_setting_makes_no_folder(tmp_path: Path, option: str, value: str) -> None:
    terminal = Terminal(tmp_path / "new")
    result = terminal.on("init", option, value)
    assert (result.exit_code, bool(result.stderr.strip())) == (1, True)
    assert not terminal.folder.exists()


def test_an_init_that_was_cut_short_goes_on_with_the_keys_it_made(terminal: Terminal) -> None:
    before = sorted((terminal.folder / "keys").iterdir())
    (terminal.folder / "hub.toml").unlink()
    assert terminal.on("init", "--network", "test").exit_code == 0
    assert sorted((terminal.folder / "keys").iterdir()) == before
    assert terminal.json("status")["hub"] == "HUB-FR"


def test_an_invitation_is_one_unbroken_line_however_narrow_the_screen(terminal: Terminal) -> None:
    result = terminal.on("invite", BREST, "--url", "https://hub.example", columns=40)
    line = result.stdout.splitlines()[-1]
    invitation = parse_invitation(line)
    assert (invitation.member, invitation.url, invitation.hub) == (BREST, "https://hub.example", "HUB-FR")
    assert invitation.fingerprint == parse_invitation(terminal.json("invite", LYON)["invitation"]).fingerprint


def test_a_year_at_the_operators(terminal: Terminal) -> None:
    member = terminal.join()
    assert terminal.json("accredit", BREST)["status"] == "active"
    south = terminal.run("south-code").stdout.strip()
    require_territory(south)
    terminal.join(south)
    refused = terminal.on("accredit", south)
    assert (refused.exit_code, "change_refused" in refused.stderr) == (1, True)
    done = terminal.json("accredit", south, "--sponsor", BREST, "--guide", "Awa Ndiaye")
    assert (done["sponsor"], done["guide"]) == (BREST, "Awa Ndiaye")

    before = terminal.json("limits", BREST)
    after = terminal.json("limits", BREST, "--message", 6_000)
    assert after == before | {"message_max_cents": 6_000}
    assert terminal.json("suspend", BREST, "--reason", "audit en cours")["status"] == "suspended"
    assert terminal.json("reinstate", BREST)["status"] == "active"
    assert {row["member"] for row in terminal.json("members")} == {BREST, south, "HUB-FR"}

    there, back = terminal.folder / "to-hub.cm", terminal.folder / "from-hub.cm"
    there.write_bytes(member.envelope())
    assert terminal.on("federation import", there, "--reply", back).exit_code == 0
    assert back.stat().st_mode & 0o077 == 0
    _, payload = member.read_answer(back.read_bytes())
    assert payload.directory is not None
    assert len(payload.directory.entries) == terminal.json("status")["directory_entries"]

    assert terminal.json("positions") == terminal.json("obligations") == terminal.json("evidence list") == []
    assert terminal.json("check")["ok"]
    assert terminal.json("replay")["ok"]
    for name in ("members", "status", "positions", "obligations", "check", "replay", "doubtful", "evidence list"):
        assert terminal.on(name).exit_code == 0


def test_keys_of_the_hub_are_made_before_others_are_retired(terminal: Terminal) -> None:
    first = terminal.json("status")["signing_key"]
    old = next(file.stem for file in (terminal.folder / "keys").glob("*.key"))
    refused = terminal.on("retire-key", "HUB-FR", old)
    assert (refused.exit_code, "rotate-key" in refused.stderr) == (1, True)
    new = terminal.json("rotate-key")
    assert terminal.json("status")["signing_key"] == new["signing_key"] != first
    assert terminal.json("retire-key", "HUB-FR", old)["keys"] == new["key"]
    # It opens again: the keys that sign are valid.
    refused = terminal.on("retire-key", "HUB-FR", new["key"])
    assert refused.exit_code == 1
    assert terminal.json("status")["hub"] == "HUB-FR"
    assert terminal.json("check")["ok"]


def test_a_members_key_is_retired_with_the_slip_from_which_it_is_not_trusted(terminal: Terminal) -> None:
    member = terminal.join()
    only = terminal.on("retire-key", BREST, member.secret.public.id.hex(), "--compromised-since", 0)
    assert (only.exit_code, "the only one" in only.stderr) == (1, True)


def test_refusals_are_sentences_in_two_languages(terminal: Terminal) -> None:
    folder = terminal.folder
    french = terminal.on("accredit", LYON, language="fr")
    english = terminal.on("accredit", LYON)
    assert french.exit_code == english.exit_code == 1
    assert f"Aucun membre {LYON} dans l'annuaire" in french.stderr
    assert f"No member {LYON} in the directory" in english.stderr
    terminal.join()
    entries = terminal.json("status")["directory_entries"]
    too_large = folder / "large"
    with too_large.open("wb") as file:
        file.truncate(ENVELOPE_BYTES_MAX + 1)
    garbage = folder / "garbage"
    garbage.write_bytes(b"\x00garbage")
    for name, *words in (
        ("invite", "123456789"),
        ("invite", BREST),
        ("invite", "x" * 5_000),
        ("invite", LYON, "--url", "u" * 300),
        ("limits", BREST, "--abroad=-1"),
        ("limits", BREST, "--day", 10**15 + 1),
        ("limits", BREST, "--day", 10**30),
        ("limits", LYON, "--day", 1),
        ("suspend", BREST, "--reason", "never accredited"),
        ("suspend", "HUB-FR", "--reason", "x"),
        ("suspend", BREST, "--reason", "x" * 300),
        ("suspend", BREST, "--reason", "x\x1b[2J"),
        ("reinstate", BREST),
        ("retire-key", BREST, "not hexadecimal"),
        ("retire-key", BREST, "00"),
        ("retire-key", BREST, "00" * 8),
        ("retire-key", BREST, "00" * 8, "--compromised-since=-1"),
        ("federation import", too_large, "--reply", folder / "out"),
        ("federation import", garbage, "--reply", folder / "out"),
        ("federation enrol", garbage, "--reply", folder / "out"),
        ("federation enrol", too_large, "--reply", folder / "out"),
        ("evidence export", 1, folder / "out"),
        ("evidence seen", 1, "--reason", "a second machine"),
        ("evidence seen", 1, "--reason", "   "),
        ("evidence seen", 1, "--reason", "x\x1b[2J"),
    ):
        result = terminal.on(name, *words)
        assert (result.exit_code, bool(result.stderr.strip())) == (1, True), (name, words)
        assert "…" not in result.stderr, result.stderr
    assert not (folder / "out").exists()
    assert terminal.json("status")["directory_entries"] == entries
    assert terminal.run("accredit").exit_code == 2
    assert terminal.on("suspend", BREST).exit_code == 2


def test_a_folder_without_a_hub_or_a_base_says_what_to_do(tmp_path: Path, terminal: Terminal) -> None:
    empty = Terminal(tmp_path)
    for name in ("serve", "status", "positions", "obligations", "check", "replay", "evidence list"):
        result = empty.on(name)
        assert (result.exit_code, "hub init" in result.stderr) == (1, True), name
    for name in ("positions", "obligations", "check", "replay", "evidence list"):
        result = terminal.on(name)
        assert (result.exit_code, "not there yet" in result.stderr) == (1, True), name
    assert not (terminal.folder / "hub.db").exists()


def test_a_check_finds_what_was_changed_by_hand(terminal: Terminal) -> None:
    terminal.join()
    assert terminal.json("check")["ok"]
    with sqlite3.connect(terminal.folder / "hub.db") as base:
        base.execute("UPDATE leaves SET leaf = leaf || x'00' WHERE ix = 0")
    base.close()
    result = terminal.on("check", "--json")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False)


def test_keys_that_others_can_read_open_nothing(terminal: Terminal) -> None:
    file = next((terminal.folder / "keys").glob("*.key"))
    file.chmod(0o644)
    result = terminal.on("status")
    assert (result.exit_code, "chmod 600" in result.stderr) == (1, True)


def test_a_passphrase_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse battery staple\n")
    terminal = Terminal(tmp_path / "hub")
    made = terminal.on("init", "--passphrase-file", secret)
    assert made.exit_code == 0
    told = terminal.on("status", "--json")
    assert told.exit_code == 0
    secret.write_text("wrong horse\n")
    wrong = terminal.on("status")
    assert (wrong.exit_code, "wrong passphrase" in wrong.stderr) == (1, True)
    secret.unlink()
    missing = terminal.on("status")
    assert (missing.exit_code, "keys_unusable" in missing.stderr) == (1, True)
    for result in (made, told, wrong, missing):
        assert "horse" not in result.output
    for file in terminal.folder.rglob("*"):
        assert not file.is_file() or b"horse" not in file.read_bytes()


def test_a_welcome_by_file_is_the_hubs(terminal: Terminal) -> None:
    member = terminal.join()
    welcome = decode_typed((terminal.folder / f"{BREST}.welcome").read_bytes(), Welcome, size_max=1_000)
    assert welcome == member.welcome
    assert welcome.signing.hex() == terminal.json("status")["signing_key"]


def _plant_evidence(base: Path, accused: str) -> None:
    with sqlite3.connect(base) as line:
        line.execute(
            "INSERT INTO evidence (at, accused, kind, body) VALUES (1795000000000, ?, 'two_heads', ?)",
            (accused, accused.encode()),
        )
    line.close()


def test_evidence_that_the_operator_has_seen_is_shown_and_does_not_count(terminal: Terminal) -> None:
    terminal.join()
    _plant_evidence(terminal.folder / "hub.db", BREST)
    assert terminal.on("check").exit_code == 1
    told = terminal.on("evidence seen", 1, "--reason", "a second machine", language="fr")
    assert (told.exit_code, "ne compte plus" in told.stdout) == (0, True)
    checked = terminal.json("check")
    (rule,) = [one for one in checked["checked"] if one["rule"] == "no evidence of a fork"]
    assert (checked["ok"], rule["held"], rule["looked_at"], rule["findings"]) == (True, True, 1, [])
    assert rule["seen"][0]["place"] == "evidence 1"
    assert rule["seen"][0]["found"].endswith(": a second machine")
    assert "a second machine" in terminal.on("check", columns=300).stdout
    # What is said again takes the place of what was said; the file stays what it was.
    assert terminal.on("evidence seen", 1, "--reason", "and its disk was wiped").exit_code == 0
    (row,) = terminal.json("evidence list")
    assert (row["accused"], row["reason"]) == (BREST, "and its disk was wiped")
    assert row["seen_at"] > row["at"]
    # The next one is news.
    _plant_evidence(terminal.folder / "hub.db", LYON)
    assert terminal.on("check").exit_code == 1


def test_the_national_log_is_given_out_and_anybody_can_replay_it(terminal: Terminal, tmp_path: Path) -> None:
    terminal.join()
    file = tmp_path / "national"
    told = terminal.on("national export", file)
    assert (told.exit_code, "leaves" in told.stdout) == (0, True)
    key = terminal.json("status")["signing_key"]
    replayed = terminal.runner.invoke(everybody, ["replay", str(file), "--key", key])
    assert (replayed.exit_code, key in replayed.stdout) == (0, True)
    assert terminal.runner.invoke(everybody, ["replay", str(file), "--key", "00" * 32]).exit_code == 1
    assert list(tmp_path.glob("*.part")) == []
